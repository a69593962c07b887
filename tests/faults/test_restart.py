"""F1: SIGKILL in the middle of an incident: it stands again under its name, as it was left."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import paho.mqtt.client as paho
import pytest
from incidents_made import incident
from msgspec.structs import replace
from stories.telling import report_of, room
from structlog import get_logger

from gateway.app.restoring import Restorer
from gateway.clock import Clock
from gateway.codes.checksum import nmea_checksum
from gateway.journal.front import Journal
from gateway.journal.standing import StandingJournal
from gateway.model.entry import Lane
from gateway.model.inbound import Sighting
from gateway.model.incident import Action, AlarmPhase, IncidentNote
from gateway.model.plan import JournalPlan
from gateway.pipeline import hallway
from tests.faults.rig import LOOPBACK, STATION, Rig
from tests.faults.traffic import Sentence

ROOT = f"distress/v1/{STATION}/incident/"
SHIP = "200345678"

MANY = 1000
MANY_S_MAX = 2.0
"""For so many incidents to stand again, from the opening of the journal."""

HELD_MS_MAX = 20.0
"""So long the loop may be held at once meanwhile; on a machine that others use, but for a few."""


def call(nature, hhmm):
    """Return a DSC distress alert of the ship, whose nature is this digit."""
    body = f"CDDSC,12,{SHIP}0,12,0{nature},00,1423108312,{hhmm},,,S,"
    wire = f"${body}*{nmea_checksum(body.encode()):02X}\r\n".encode()
    return Sentence("dsc", wire, Lane.DISTRESS, SHIP)


class Shore:
    """Who looks at the retained topics of incidents, and may take one off."""

    def __init__(self, port):
        self.stands = {}
        self.log = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="looks")
        self._connected = threading.Event()
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect(LOOPBACK, port, keepalive=30)
        self._client.loop_start()
        assert self._connected.wait(10)

    def forget(self, name):
        """Have the broker forget an incident, as one that lost its memory has."""
        self._client.publish(f"{ROOT}{name}", b"", qos=1, retain=True).wait_for_publish(10)

    def stand(self, name):
        """Let something stand on the topic of an incident, as an older run left it."""
        self._client.publish(f"{ROOT}{name}", b"{}", qos=1, retain=True).wait_for_publish(10)

    def end(self):
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client, *_):
        client.subscribe(f"{ROOT}#", 1)
        self._connected.set()

    def _on_message(self, _client, _userdata, found):
        name = found.topic.removeprefix(ROOT)
        if name.endswith("/log"):
            self.log.append(json.loads(found.payload))
        elif name.endswith(("/geojson", "/advice")):  # they go with what stands
            return
        elif found.payload:
            self.stands[name] = json.loads(found.payload)
        else:
            self.stands.pop(name, None)


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def shore(rig):
    shore = Shore(rig.broker.port)
    yield shore
    shore.end()


def in_journal(rig, work):
    """Do something with the journal of a gateway that is not there."""

    async def opened():
        plan = JournalPlan(path=str(rig.folder / "journal.db"))
        journal = await Journal.open(plan, station=STATION, links=("local",), clock=Clock())
        try:
            return await work(journal)
        finally:
            await journal.close()

    return asyncio.run(opened())


def acknowledge(rig):
    """Leave the note of an operator who acknowledges the alarm; return it."""

    async def work(journal):
        ((_, told),) = (await journal.stood(limit=9)).notes
        known, now = told.incident, Clock().now().mono_ns
        alarm = replace(known.alarm, phase=AlarmPhase.ACKNOWLEDGED, by="anna", since_mono_ns=now)
        deed = Action(verb="ack", author="anna", mono_ns=now)
        after = replace(known, alarm=alarm, actions=(deed,), revision=known.revision + 1)
        note = replace(told, incident=after, change="ack by anna", mono_ns=now)
        await journal.append([note])
        return note

    return in_journal(rig, work)


def test_an_incident_stands_again_after_a_kill_as_it_was_left(rig, shore):
    """The same name, alarm and orders; what comes next of it joins it, and raises what is new."""
    life = rig.live()
    rig.say(call(5, "0101"))
    rig.until(lambda: shore.stands)
    (name,) = shore.stands
    life.kill()
    left = acknowledge(rig)
    shore.forget(name)
    rig.until(lambda: not shore.stands)

    rig.live()
    rig.until(lambda: name in shore.stands)
    again = shore.stands[name]["incident"]
    rig.say(call(5, "0102"))  # a repeat says nothing new, and is counted in what comes next
    rig.say(call(1, "0103"))
    rig.until(lambda: shore.stands[name]["incident"]["revision"] > again["revision"])
    after = shore.stands[name]["incident"]
    rig.settled()

    assert again["revision"] == left.incident.revision
    assert (again["alarm"]["phase"], again["alarm"]["by"]) == ("acknowledged", "anna")
    assert [deed["author"] for deed in again["actions"]] == ["anna"]
    assert set(shore.stands) == {name}
    assert after["alarm"]["phase"] == "raised"
    assert after["alarm"]["raised"] == again["alarm"]["raised"] + 1
    assert [deed["author"] for deed in after["actions"]] == ["anna"]
    assert sum(told["reports"] for told in after["evidence"]) == 3
    assert {record["incident"]["incident_id"] for record in shore.log} == {name}


def test_what_ended_is_taken_off_though_the_process_died_before(rig, shore):
    """Its end is on disk; that it still stood on its topic nobody knew but the broker."""
    ended = incident(incident_id="e" * 16, station=STATION, revision=4)

    async def work(journal):
        note = IncidentNote(incident=ended, change="over for half an hour", gone=True)
        return await journal.append([note])

    in_journal(rig, work)
    shore.stand(ended.incident_id)
    rig.until(lambda: shore.stands)
    rig.live()
    rig.until(lambda: not shore.stands)


def test_what_was_heard_while_the_disk_hung_is_of_what_stood_before(rig, shore):
    """The watch begins without the journal; then both are one, under the older name."""
    life = rig.live()
    rig.say(call(5, "0101"))
    rig.until(lambda: shore.stands)
    (name,) = shore.stands
    life.kill()
    acknowledge(rig)
    rig.live(point="journal.opened", deed="wait:6.0")
    rig.say(call(5, "0102"))
    rig.until(lambda: len(shore.stands) == 2)
    rig.until(lambda: set(shore.stands) == {name})
    rig.settled()
    stands = shore.stands[name]["incident"]

    assert stands["alarm"]["phase"] == "acknowledged"
    assert stands["alarm"]["raised"] == 1
    assert sum(told["reports"] for told in stands["evidence"]) == 2
    assert [deed["author"] for deed in stands["actions"]] == ["anna"]
    assert life.process.poll() is not None


# -- how long it takes --------------------------------------------------------------------------


def notes_of_many():
    """Return what is noted of a thousand ships, each on three radios."""
    here, kept = room(), {}
    for ship in range(MANY):
        mmsi, where = f"mmsi:2{ship:08d}", [50.0 + ship // 40 * 0.2, 3.0 + ship % 40 * 0.2]
        for count, system in enumerate(("dsc", "ais", "cospas_sarsat")):
            row = {"on": system, "who": [mmsi], "where": where, "known_to_m": 100}
            report = report_of(row, ship * 0.01 + count * 0.001, ship * 3 + count)
            for note in here.hear(Sighting(report, b""))[1]:
                kept[note.incident.incident_id] = note
    return list(kept.values())


class Shown:
    """A link that is shown incidents."""

    def __init__(self):
        self.names = set()

    def show(self, entry, note):
        assert entry.number
        self.names.add(note.incident.incident_id)


async def held_ms(spans):
    """Note how long the loop did not come round, for ever."""
    while True:
        began_ns = time.perf_counter_ns()
        await asyncio.sleep(0)
        spans.append((time.perf_counter_ns() - began_ns) / 1e6)


def test_a_thousand_incidents_stand_again_in_two_seconds_and_hold_nobody_up(tmp_path, figure):
    plan = JournalPlan(path=str(tmp_path / "journal.db"))
    notes = notes_of_many()

    async def kept():
        journal = await Journal.open(plan, station="alpha", links=("local",), clock=Clock())
        await journal.append(notes)
        await journal.close()

    async def taken_up():
        clock, link, said, spans = Clock(), Shown(), [], []
        rooms = hallway("alpha", (), boot="b")
        journal = StandingJournal(plan, station="alpha", links=("local",), clock=clock)
        await journal.open()
        restorer = Restorer(
            journal, rooms, (link,), keep=said.extend, clock=clock, log=get_logger()
        )
        looking = asyncio.create_task(held_ms(spans))
        began_s = time.perf_counter()
        await restorer.run()
        took_s = time.perf_counter() - began_s
        looking.cancel()
        await journal.close()
        return took_s, sorted(spans), link.names, list(rooms.incidents.standing()), said

    asyncio.run(kept())
    took_s, spans, shown, standing, said = asyncio.run(taken_up())
    figure(
        "F1",
        f"{MANY} incidents of {3 * MANY} pieces of evidence stand again after {took_s:.2f} s; the "
        f"loop was held {spans[-1]:.1f} ms at most, {spans[-len(spans) // 100]:.1f} ms p99",
    )

    names = {note.incident.incident_id for note in notes}
    assert len(names) == MANY
    assert {one.incident_id for one in standing} == names == shown
    assert said == []
    assert took_s < MANY_S_MAX
    assert spans[-len(spans) // 20] < HELD_MS_MAX
