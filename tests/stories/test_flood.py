"""A thousand invented callers, and one who is not: his call is seen at once, and stays."""

from __future__ import annotations

import os
import random
import sys
import time

import msgspec
from msgspec.structs import replace
from stories.telling import BEGAN, report_of, room

from gateway.correlate import incidents
from gateway.correlate.floods import CALLERS_FLOOD, Floods
from gateway.correlate.turns import PORT_NOTES_FIRST
from gateway.model.inbound import Moment, Sighting
from gateway.model.incident import IncidentOrder, OrderVerb

SECONDS = int(os.environ.get("FLOOD_S", "16"))
"""Ten minutes with `make stories`."""

CALLERS = 1000
A_SECOND = 500
BYTES_A_SECOND_MAX = 700_000 if SECONDS < 120 else 200_000
"""What a journal on a card takes beside the calls themselves: at first each is a new incident."""

VISIBLE_S = 1.0
"""After its first call the incident of a real casualty is told of, in the middle of the flood."""

FLOODED_S = 12.0
"""So long another port calls beside them: longer than what a quiet port has in hand lasts."""

REAL = [
    {"on": "dsc", "who": ["mmsi:244123456"], "where": [52.0, 3.0], "known_to_m": 926},
    {"on": "ais", "who": ["mmsi:970123456"], "where": [52.0015, 3.0014], "known_to_m": 10},
]


def invented(dice):
    """Give invented calls, in no place for long."""
    numbers = [f"mmsi:2{dice.randrange(10**8):08d}" for _ in range(CALLERS)]
    for count in range(SECONDS * A_SECOND):
        place = [52 + dice.uniform(-0.4, 0.4), 3 + dice.uniform(-0.4, 0.4)]
        row = {
            "on": dice.choice(["dsc", "ais"]),
            "who": [dice.choice(numbers)],
            "where": place,
            "known_to_m": 926,
            "nature": dice.choice(["sinking", "fire_explosion"]),
        }
        yield report_of(row, count / A_SECOND, count)


class Watch:
    """A room in a flood, and what it costs."""

    def __init__(self):
        self.room = room()
        self.floods = Floods()
        self.ticked_s = 0.0
        self.written = 0
        self.spent_s = self.worst_s = 0.0
        self.told_s = {}

    def hear(self, report):
        """Hear a call; return its incident, and those that are noted with it."""
        self.floods.called(report)
        began_s = time.process_time()
        incident_id, notes = self.room.hear(Sighting(report, b""))
        lasted_s = time.process_time() - began_s
        self.spent_s += lasted_s
        self.worst_s = max(self.worst_s, lasted_s)
        self.write(notes, report.heard.mono_ns / 1e9)
        return incident_id, {note.incident.incident_id for note in notes}

    def tick(self, at_s):
        """Let a second pass."""
        if at_s >= self.ticked_s + 1:
            self.ticked_s = at_s
            began_s = time.process_time()
            notes = self.room.tick(Moment(mono_ns=int(at_s * 1e9)), BEGAN)
            self.worst_s = max(self.worst_s, time.process_time() - began_s)
            self.write(notes, at_s)

    def write(self, notes, at_s):
        """Count what a disk would take, and keep when each was told of first."""
        self.written += sum(len(msgspec.msgpack.encode(note)) for note in notes)
        for note in notes:
            self.told_s.setdefault(note.incident.incident_id, at_s)
        stands = self.room.board.standing
        assert not [note for note in notes if note.gone and note.incident.incident_id in stands]

    def told(self):
        """Return what it cost."""
        each_us = self.spent_s / (SECONDS * A_SECOND) * 1e6
        (held,) = [bound.held for bound in self.room.bounds()]
        return (
            f"{SECONDS} s of {A_SECOND} invented calls a second by {CALLERS}: {each_us:.0f} µs of "
            f"the processor each, {self.worst_s * 1e3:.1f} ms at most; {held} strands; "
            f"{self.written / SECONDS / 1e3:.0f} kB of notes a second"
        )


def test_a_real_call_in_a_flood_of_invented_ones(capsys):
    """What a second radio confirms is told at once; memory and disk are bounded; the flood said."""
    watch, real_at = Watch(), [int(SECONDS / 2 * A_SECOND), int(SECONDS / 2 * A_SECOND) + 7]
    for count, report in enumerate(invented(random.Random(5))):
        watch.hear(report)
        if count in real_at:
            row = REAL[real_at.index(count)]
            incident_id, noted = watch.hear(report_of(row, count / A_SECOND, 10**6))
            assert incident_id in noted or count == real_at[0]
            real = incident_id
        watch.tick(count / A_SECOND)
    with capsys.disabled():
        sys.stdout.write(f"\n{watch.told()}\n")
    assert watch.told_s[real] - real_at[0] / A_SECOND < VISIBLE_S
    on_board = {name for one in watch.room.standing() for name in one.names}
    assert {"mmsi:244123456", "mmsi:970123456"} <= on_board
    assert [bound.held <= bound.limit for bound in watch.room.bounds()] == [True]
    assert watch.written / SECONDS < BYTES_A_SECOND_MAX
    assert watch.floods.callers(int(SECONDS * 1e9)) >= CALLERS_FLOOD


def test_the_incident_of_a_quiet_port_is_noted_with_its_call_whatever_another_port_says():
    """One radio alone, and one real casualty a second."""
    watch, real = Watch(), []
    for count, report in enumerate(invented(random.Random(9))):
        at_s = count / A_SECOND
        watch.hear(report)
        if count % A_SECOND == 0:
            who = [f"mmsi:244{count:06d}"]
            row = {"on": "dsc", "who": who, "where": [-40.0, at_s], "known_to_m": 926}
            call = report_of(row, at_s, 10**6 + count)
            incident_id, noted = watch.hear(replace(call, heard=replace(call.heard, port="quiet")))
            real.append(incident_id in noted)
        watch.tick(at_s)
        if at_s > FLOODED_S:
            break
    assert real == [True] * len(real)
    assert len(real) > PORT_NOTES_FIRST


def test_what_is_remembered_of_a_flood_is_bounded_and_what_somebody_has_acted_on_stays(monkeypatch):
    monkeypatch.setattr(incidents, "STRANDS_MAX", 300)
    watch, dice, real = Watch(), random.Random(7), set()
    for count in range(1500):
        where = [dice.uniform(-60, 60), dice.uniform(-180, 180)]
        row = {"on": "dsc", "who": [f"mmsi:3{count % 500:08d}"], "where": where, "known_to_m": 926}
        incident_id, _ = watch.hear(report_of(row, count / 1000, count))
        if count in (10, 20):
            order = IncidentOrder(verb=OrderVerb.NOTE, incident_id=incident_id, author="anna")
            watch.room.order(order, 0, BEGAN)
            real.add(incident_id)
        (bound,) = watch.room.bounds()
        assert bound.held <= 300
    assert real <= {one.incident_id for one in watch.room.standing()}
    assert bound.evicted > 1000
