"""Incidents in the formats of others: on topics of their own, valid, and in nobody's way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
import structlog
import xmlschema
from msgspec.structs import replace

from gateway.export.cap import NAMESPACE
from gateway.model.entry import encode_item
from gateway.model.incident import Noted, Phase
from gateway.model.plan import LinkPlan
from gateway.model.words import Mode, Urgency
from gateway.mqtt import exports as module
from gateway.mqtt import states
from gateway.mqtt.exports import MAKERS, Exports
from gateway.mqtt.topics import Topics
from tests.mqtt.conftest import BEGAN

SCHEMAS = Path(__file__).parents[1] / "rooms" / "export"
CAP = xmlschema.XMLSchema(SCHEMAS / "cap-1.2.xsd")
COT = xmlschema.XMLSchema(SCHEMAS / "cot-2.0.xsd")

ALL = tuple(MAKERS)
EVENTS = tuple(form for form in ALL if form != "geojson")
NAME = "00ff00ff00ff00ff"


@pytest.fixture
def noted(make):
    """Return what makes the entry of a note, made so many minutes in, that follows the others."""

    def made(number, *, revision=None, **over):
        revision = revision or number
        entry = make.incident(number, revision=revision, **over)
        earlier = tuple(
            Noted(revision=one, utc=BEGAN + timedelta(minutes=one)) for one in range(1, revision)
        )
        note = replace(entry.item, utc=BEGAN + timedelta(minutes=revision), earlier=earlier)
        return replace(entry, item=note, body=encode_item(note))

    return made


def told(at, suffix):
    """Return the payloads told on one topic."""
    topic = f"distress/v1/alpha/{suffix}"
    return [o.payload for o in at.urgent.signed if o.topic == topic]


def cap_of(payload):
    """Return what a valid CAP message says, by its elements."""
    CAP.validate(payload.decode())
    root = ET.fromstring(payload)  # noqa: S314  # our own words
    return {one.tag.removeprefix(f"{{{NAMESPACE}}}"): one.text for one in root.iter()}


def cot_of(payload):
    """Return the type of a valid CoT event."""
    COT.validate(payload.decode())
    return ET.fromstring(payload).attrib["type"]  # noqa: S314  # our own words


def log():
    return structlog.wrap_logger(structlog.testing.CapturingLogger())


# -- what is told ------------------------------------------------------------------------------


def test_each_change_is_told_in_each_format(rig, noted, make):
    async def scene(at):
        at.up()
        for number, phase in enumerate((Phase.ALERTED, Phase.ALERTED, Phase.RESOLVED), start=1):
            at.heard(noted(number, phase=phase))
            await make.until(lambda n=number: len(told(at, "out/sitrep")) == n)
            await make.settled()

    at = rig(scene, exports=ALL)
    caps = [cap_of(one) for one in told(at, "out/cap")]
    map_ = msgspec.json.decode(told(at, f"incident/{NAME}/geojson")[-1])
    retained = {o.topic.rpartition("/")[2] for o in at.urgent.signed if o.retain}

    assert [one["msgType"] for one in caps] == ["Alert", "Update", "Cancel"]
    assert {one["status"] for one in caps} == {"Actual"}
    assert [cot_of(one) for one in told(at, "out/cot")][1::2] == [
        "b-a-o-tbl",
        "b-a-o-tbl",
        "b-a-o-can",
    ]
    assert told(at, "out/sitrep")[-1].endswith(b"END OF MESSAGE\r\n")
    assert map_["features"][0]["properties"]["phase"] == "resolved"
    assert retained == {"status", NAME, "geojson"}
    assert at.link.state().exports == module.ExportCount(told=12)


def test_no_alert_is_rung_for_what_is_over_and_names_nothing_before_it(rig, noted, make):
    async def scene(at):
        at.up()
        at.heard(noted(1, phase=Phase.RESOLVED))
        await make.until(lambda: len(told(at, "out/sitrep")) == 1)
        await make.settled()

    at = rig(scene, exports=("cap", "sitrep"))

    assert told(at, "out/cap") == []
    assert at.link.state().exports.failed == 0


def test_what_follows_names_what_was_told_before_by_what_it_called_itself(rig, noted, make):
    async def scene(at):
        at.up()
        for number in (1, 2, 3):
            at.heard(noted(number))
            await make.until(lambda n=number: len(told(at, "out/cap")) == n)

    first, second, third = (cap_of(one) for one in told(rig(scene, exports=("cap",)), "out/cap"))
    names = [",".join((one["sender"], one["identifier"], one["sent"])) for one in (first, second)]

    assert "references" not in first
    assert second["references"].split() == names[:1]
    assert third["references"].split() == names


def test_a_note_that_another_run_left_is_told_as_it_would_have_been(rig, noted, make):
    """What is not signed for is read from disk and told again: its exports are the same."""

    async def scene(at):
        at.outbox.add(replace(noted(5), item=None))
        at.up()
        await make.until(lambda: len(told(at, "out/sitrep")) == 1)

    one, other = (rig(scene, exports=EVENTS) for _ in range(2))
    for form in EVENTS:
        assert told(one, f"out/{form}") == told(other, f"out/{form}") != []
    (message,) = told(one, "out/cap")

    assert cap_of(message)["identifier"] == f"alpha.{NAME}.5"
    assert len(cap_of(message)["references"].split()) == 4


def test_what_the_consumer_of_record_is_told_again_is_exported_once(rig, noted, make):
    async def scene(at):
        at.up()
        at.heard(noted(1))
        await make.until(lambda: len(told(at, "out/cap")) == 1)
        for _ in range(3):
            await at.urgent.renew()
            await make.settled()
        at.again = len(told(at, f"incident/{NAME}/log"))

    at = rig(scene, exports=EVENTS, receipts="rcc")

    assert at.again > 1
    assert [len(told(at, f"out/{form}")) for form in EVENTS] == [2, 1, 1]


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.EXERCISE])
def test_no_test_and_no_exercise_ever_reaches_a_topic_of_real_ones(rig, noted, make, mode):
    async def scene(at):
        at.up()
        for number in range(1, 4):
            at.heard(noted(number, mode=mode, gone=number == 3))
            await make.until(lambda n=number: len(told(at, f"{mode}/out/sitrep")) == n)
            await make.settled()

    at = rig(scene, exports=ALL)
    topics = {topic for topic in at.topics() if not topic.startswith(f"{mode}/")}
    status = {cap_of(one)["status"] for one in told(at, f"{mode}/out/cap")}

    assert topics == set()
    assert status == {mode.value.capitalize()}
    assert not any(cot_of(one) == "b-a-o-tbl" for one in told(at, "test/out/cot"))
    assert told(at, f"{mode}/incident/{NAME}/geojson")[-1] == b""


def test_a_link_tells_no_format_that_it_was_not_asked_for(rig, noted, make):
    async def scene(at):
        at.up()
        at.heard(noted(1))
        await make.settled()

    default = LinkPlan(name="a", host="a", port=1, client_id="a").exports

    assert {t.rpartition("/")[2] for t in rig(scene, exports=default).topics()} == {
        NAME,
        "log",
        "geojson",
    }
    assert {t.rpartition("/")[2] for t in rig(scene).topics()} == {NAME, "log"}


# -- in nobody's way ---------------------------------------------------------------------------


def test_a_map_goes_with_its_incident_and_is_told_to_each_new_connection(rig, noted, make):
    async def scene(at):
        at.up()
        entry = noted(1)
        at.link.show(entry, entry.item)
        await make.until(lambda: len(told(at, f"incident/{NAME}/geojson")) == 1)
        await at.urgent.renew()
        await make.until(lambda: len(told(at, f"incident/{NAME}/geojson")) == 2)
        at.heard(noted(2, gone=True))
        await make.until(lambda: told(at, f"incident/{NAME}/geojson")[-1] == b"")
        await at.urgent.renew()
        await make.settled()

    maps = told(rig(scene, exports=("geojson",)), f"incident/{NAME}/geojson")

    assert [bool(one) for one in maps] == [True, True, False]


def test_what_stood_before_a_restart_is_no_event(rig, noted, make):
    async def scene(at):
        at.up()
        entry = noted(7)
        at.link.show(entry, entry.item)
        await make.settled()

    assert rig(scene, exports=EVENTS).topics() == [f"incident/{NAME}"]


def test_incidents_are_told_before_exports(rig, noted, make):
    async def scene(at):
        for number in range(1, 9):
            at.heard(noted(number, revision=1, incident_id=f"i{number}"))
        at.up()
        await make.until(lambda: len([t for t in at.topics() if t.endswith("/geojson")]) == 8)

    retained = [o.topic for o in rig(scene, exports=ALL).urgent.signed if o.retain]
    maps = [topic.endswith("/geojson") for topic in retained if "/incident/" in topic]

    assert maps == [False] * 8 + [True] * 8


def test_an_event_that_can_not_be_made_is_counted_and_nothing_else_is_lost(rig, noted, make):
    """Without a time of day there is nothing to send; the map and the incident need none."""

    async def scene(at):
        at.up()
        timeless = noted(1)
        note = replace(timeless.item, utc=None)
        at.heard(replace(timeless, item=note, body=encode_item(note)))
        await make.until(lambda: at.link.state().exports.failed == 3)
        at.heard(noted(2))
        await make.until(lambda: len(told(at, "out/sitrep")) == 1)
        await make.until(lambda: at.outbox.struck == [1, 2])

    at = rig(scene, exports=ALL)

    assert len(told(at, f"incident/{NAME}/log")) == 2
    assert (at.link.state().exports.failed, at.link.state().exports.superseded) == (3, 0)


def test_a_fault_in_a_format_costs_that_one_alone(rig, noted, make, monkeypatch):
    def broken(_note, _topics):
        raise ZeroDivisionError

    monkeypatch.setattr(module, "MAKERS", MAKERS | {"cap": broken, "geojson": broken})

    async def scene(at):
        at.up()
        at.heard(noted(1))
        await make.until(lambda: len(told(at, "out/sitrep")) == 1)
        await make.until(lambda: at.link.state().exports.failed == 2)
        await make.settled()

    at = rig(scene, exports=ALL)

    assert len(told(at, "out/cot")) == 2
    assert at.link.state().exports.failed == 2
    assert told(at, f"incident/{NAME}")
    assert at.outbox.struck == [1]


def test_an_export_that_the_broker_refuses_or_hangs_up_on_holds_up_nothing(rig, noted, make):
    async def scene(at):
        at.urgent.refuse = lambda o: o.topic.endswith("/out/cap")
        at.urgent.hang_up = lambda o: o.topic.endswith("/out/cot")
        at.up()
        at.heard(noted(1))
        for _ in range(3):
            await make.until(lambda: not at.urgent.connected)
            at.urgent.up()
        at.heard(noted(2))
        await make.until(lambda: at.outbox.struck == [1, 2])
        await make.until(lambda: told(at, f"incident/{NAME}/geojson"))
        at.urgent.hang_up = at.urgent.refuse = lambda _: False
        at.clock.passed_s = 400.0
        await at.urgent.renew()
        await make.until(lambda: len(told(at, "out/cap")) == 1, limit_s=4)
        await make.until(lambda: len(told(at, "out/cot")) == 2, limit_s=4)

    at = rig(scene, exports=ALL)

    assert at.outbox.struck == [1, 2]
    assert cap_of(told(at, "out/cap")[0])["references"]


def test_a_map_that_the_broker_refuses_is_told_again_after_a_pause(rig, noted, make):
    maps = f"incident/{NAME}/geojson"

    async def scene(at):
        at.urgent.refuse = lambda o: o.topic.endswith(maps)
        at.up()
        at.heard(noted(1))
        await make.until(lambda: at.link.state().refused == 1)
        at.urgent.refuse = lambda _: False
        for passed_s in (states.REFUSED_S - 1.0, states.REFUSED_S):
            at.clock.passed_s = passed_s
            at.early = told(at, maps)
            other = f"{passed_s:.0f}"
            at.heard(noted(int(passed_s), revision=1, incident_id=other))
            await make.until(lambda other=other: told(at, f"incident/{other}/geojson"))
        await make.until(lambda: told(at, maps))

    at = rig(scene, exports=("geojson",))

    assert at.early == []
    assert len(told(at, maps)) == 1


def test_events_that_a_broker_refuses_for_ever_leave_nothing_behind(rig, noted, make, monkeypatch):
    monkeypatch.setattr(module, "EVENTS_MAX", 2)
    monkeypatch.setattr(states, "STATES_MAX", 4)

    async def scene(at):
        at.urgent.refuse = lambda o: o.topic.endswith("/out/cap")
        at.up()
        for number in range(1, 31):
            at.heard(noted(number, revision=1, incident_id=f"i{number}"))
            await make.until(lambda n=number: at.link.state().refused >= n)
            at.clock.passed_s += 61.0
        at.paused = len(at.link._states._due_ns)

    assert rig(scene, exports=("cap",)).paused <= 4


def test_what_is_superseded_while_it_waits_is_told_once_and_an_older_word_never(noted):
    board = Exports(Topics("alpha"), ("cap",), log=log())
    for number, revision in ((1, 1), (2, 3), (3, 2), (4, 3)):
        board.take(noted(number, revision=revision))
    due = board.next(lambda _: True)

    assert due.revision == 3
    assert board.count.superseded == 1
    board.told(due, published=True)
    assert board.next(lambda _: True) is None


def test_a_word_that_comes_while_the_one_before_it_is_told_is_told_next(noted):
    board = Exports(Topics("alpha"), ("cap",), log=log())
    board.take(noted(1))
    under_way = board.next(lambda _: True)
    board.take(noted(2))

    assert not board.is_untold(under_way)
    board.told(under_way, published=True)
    assert board.next(lambda _: True).revision == 2


def test_a_map_is_the_newest_word_until_its_incident_changes(noted):
    board = Exports(Topics("alpha"), ("geojson",), log=log())
    first, second = noted(1), noted(2)
    board.show(first, first.item)
    due = board.next(lambda _: True)

    assert board.is_untold(due)
    board.show(second, second.item)
    assert not board.is_untold(due)


def test_where_there_is_no_room_the_least_event_goes_and_is_counted(noted, monkeypatch):
    monkeypatch.setattr(module, "EVENTS_MAX", 3)
    board = Exports(Topics("alpha"), ("cap",), log=log())
    board.take(noted(1, revision=1, incident_id="urgency", severity=Urgency.URGENCY))
    board.take(noted(2, revision=1, incident_id="a"))
    board.take(noted(3, revision=1, incident_id="test", mode=Mode.TEST))
    board.take(noted(4, revision=1, incident_id="b"))
    board.take(noted(5, revision=1, incident_id="c"))
    waiting = next(bound for bound in board.bounds() if bound.what == "exports_waiting")
    left = []
    while (due := board.next(lambda _: True)) is not None:
        left.append(due.topic.split("/")[-2])
        board.told(due, published=True)

    assert (waiting.held, waiting.limit, waiting.evicted) == (3, 3, 2)
    assert left == ["a", "b", "c"]


def test_what_has_been_told_is_remembered_in_bounds(noted, monkeypatch):
    monkeypatch.setattr(module, "TOLD_MAX", 2)
    board = Exports(Topics("alpha"), ("cap",), log=log())
    for number in range(1, 5):
        board.take(noted(number, revision=1, incident_id=f"i{number}"))
    bound = next(bound for bound in board.bounds() if bound.what == "exports_told")

    assert (bound.held, bound.limit) == (2, 2)


def test_what_is_no_note_of_an_incident_is_left_alone(make):
    board = Exports(Topics("alpha"), ALL, log=log())
    entries = [make.mayday(), make.safety(), make.refused(), make.alarm(), make.place()]
    spoilt = replace(make.incident(1), body=make.incident(1).body[:40])

    assert [board.take(entry) for entry in entries] == [None] * 5
    assert board.count.failed == 0
    assert board.take(spoilt) is None
    assert board.count.failed == 1
