"""An exercise beside the watch: nothing of it reaches real topics, nothing real reaches its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.model.entry import Entry, Lane, encode_item, lane_of
from gateway.model.inbound import Chunk, ClockOffset, ClockStep, Refused, Ruling, Tick
from gateway.model.incident import IncidentNote
from gateway.model.plan import PortPlan
from gateway.model.words import Mode, Urgency
from gateway.mqtt.payload import Writer
from gateway.mqtt.topics import Topics
from gateway.pipeline import hallway
from gateway.settings import BadSettings, load
from gateway.transport.tape import TapeHeader, TapePort, TapeWriter, read_tape
from gateway.verbs import check
from gateway.verbs.replay import replay

STRAIT = Path(__file__).parents[2] / "config" / "demo" / "strait.tape"
DRILL = "x-"
"""The ports of the exercise hear what the real ones hear, bytes for bytes."""

WRITER = Writer(Topics("alpha"), "json", station="alpha")


@pytest.fixture(scope="module")
def told():
    """Return every item of the tape, heard for real and in an exercise, with its topics."""
    header, records = read_tape(STRAIT)
    ports = [
        PortPlan(
            name=f"{drill}{name}",
            device="tape:",
            modem=port.modem,
            profile=port.profile,
            exercise=bool(drill),
        )
        for name, port in header.ports.items()
        for drill in ("", DRILL)
    ]
    station = hallway("alpha", ports)
    items = []
    for heard in records:
        if isinstance(heard, Tick):
            items += station.tick(heard)
            continue
        items += station.inbound(heard)
        items += station.inbound(replace(heard, port=f"{DRILL}{heard.port}"))
        if b"$CDDSC,12" in heard.data:
            # Its last digits bent: it might be a call, and nobody can read it.
            for port in (heard.port, f"{DRILL}{heard.port}"):
                bent = heard.data.replace(b",", b";", 3)
                items += station.inbound(Chunk(port, heard.heard, bent))
    return [(item, *topics_of(item)) for item in items]


def topics_of(item):
    entry = Entry(1, "e", lane_of(item), item, encode_item(item))
    found = [WRITER.record(entry, published_utc_ns=None, waited=False).topic]
    if isinstance(item, IncidentNote):
        found.append(WRITER.incident(entry, published_utc_ns=None).topic)
    return [topic.removeprefix("distress/v1/alpha/") for topic in found]


def is_of_exercise(item):
    """Return whether it came from a port of the exercise, as its ports say."""
    match item:
        case Ruling():
            return item.sighting.report.heard.port.startswith(DRILL)
        case Refused():
            return item.port.startswith(DRILL)
        case IncidentNote():
            ports = {port for one in item.incident.evidence for port in one.ports}
            assert len({port.startswith(DRILL) for port in ports}) == 1, "joined across the line"
            return next(iter(ports)).startswith(DRILL)
        case ClockStep() | ClockOffset():
            return False


def test_nothing_of_an_exercise_is_told_where_real_calls_are_and_nothing_real_as_an_exercise(told):
    for item, *topics in told:
        for topic in topics:
            assert topic.startswith("exercise/") == is_of_exercise(item), topic


def test_an_exercise_hears_all_that_the_watch_hears_and_each_is_a_first_hearing(told):
    heard = {True: Counter(), False: Counter()}
    for item, *_ in told:
        if isinstance(item, Ruling):
            sighting = item.sighting
            report = sighting.report
            what = (report.system, report.kind, report.urgency, sighting.relation)
            heard[is_of_exercise(item)][what] += 1

    assert heard[True] == heard[False]
    assert heard[True].total() > 100


def test_an_exercise_takes_no_lane_of_real_distress(told):
    lanes = {True: Counter(), False: Counter()}
    for item, *_ in told:
        lanes[is_of_exercise(item)][lane_of(item)] += 1

    assert lanes[True].keys() == {Lane.SAFETY, Lane.ROUTINE}
    assert lanes[False][Lane.DISTRESS] > 0
    assert lanes[False][Lane.URGENCY] > 0


def test_a_test_in_an_exercise_is_of_the_exercise(told):
    modes = {
        item.sighting.report.mode
        for item, *_ in told
        if isinstance(item, Ruling) and is_of_exercise(item)
    }

    assert modes == {Mode.EXERCISE}


def test_what_an_exercise_says_of_itself_begins_with_the_word(told):
    said = [item.incident.say for item, *_ in told if isinstance(item, IncidentNote)]

    assert {one.startswith("EXERCISE") for one in said} == {True, False}
    for item, *_ in told:
        if isinstance(item, IncidentNote):
            assert item.incident.say.startswith("EXERCISE") == is_of_exercise(item)


def test_a_simulator_tells_the_station_no_time(told):
    assert not [item for item, *_ in told if isinstance(item, ClockOffset) and is_of_exercise(item)]


def test_a_tape_of_an_exercise_replays_as_one(tmp_path):
    header, records = read_tape(STRAIT)
    ports = {
        name: TapePort(modem=port.modem, profile=port.profile, exercise=True)
        for name, port in header.ports.items()
    }
    path = tmp_path / "drill.tape"
    tape = TapeWriter(path, TapeHeader(station="alpha", ports=ports))
    for heard in records:
        tape.write(heard)
    tape.close()

    rulings = [item for _, item in replay(path) if isinstance(item, Ruling)]
    assert {ruling.sighting.report.mode for ruling in rulings} == {Mode.EXERCISE}
    assert Urgency.DISTRESS in {ruling.sighting.report.urgency for ruling in rulings}


CONFIG = """
[station]
name = "alpha"
[port.drill]
device = "tape:{tape}"
modem = "generic-dsc"
exercise = {value}
[link.local]
host = "localhost"
"""


def test_the_configuration_says_which_port_is_of_an_exercise_and_check_warns_of_it(
    tmp_path, capsys
):
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG.format(tape=STRAIT, value="true"))
    (port,) = load(path).ports
    assert port.exercise

    check.main(type("Arguments", (), {"config": str(path), "print": False}))
    printed = capsys.readouterr().out
    assert "EXERCISE" in printed
    assert "port drill: all that is heard there is an exercise" in printed


def test_a_word_that_is_no_answer_is_refused_with_its_line(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG.format(tape=STRAIT, value='"yes"'))

    with pytest.raises(BadSettings, match=r"gateway.toml:7: port.drill.exercise: must be true"):
        load(path)
