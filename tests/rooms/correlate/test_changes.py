"""What is told of an incident, and how soon: what is new at once, a place at a pace."""

from __future__ import annotations

import itertools

import pytest
from stories.telling import BEGAN, report_of, room

from gateway.model.inbound import Moment, Sighting
from gateway.model.incident import IncidentOrder, OrderVerb

S = 10**9
HOURS_S = 7200
SHIP = {"on": "dsc", "who": ["mmsi:244123456"], "where": [52.0, 3.0], "known_to_m": 926}
KN_DEG_S = 1 / 60 / 3600


class Watch:
    """A room, and what it has told."""

    def __init__(self):
        self.room = room()
        self.numbers = itertools.count()

    def hear(self, row, at_s):
        return self.room.hear(Sighting(report_of(row, at_s, next(self.numbers)), b""))[1]

    def tick(self, at_s):
        return self.room.tick(Moment(mono_ns=at_s * S), BEGAN)

    def under_way(self, row, knots, every_s):
        """Yield what is noted in two hours of one that moves, and whose alarm is acknowledged."""
        (first,) = self.hear(row, 0)
        incident_id = first.incident.incident_id
        order = IncidentOrder(verb=OrderVerb.ACK, incident_id=incident_id, author="anna")
        self.room.order(order, S, BEGAN)
        for at_s in range(2, HOURS_S):
            if at_s % every_s == 0:
                where = [52.0 + knots * KN_DEG_S * at_s, 3.0]
                yield from self.hear(row | {"where": where, "known_to_m": 10}, at_s)
            yield from self.tick(at_s)


@pytest.mark.parametrize(
    ("row", "knots", "every_s"),
    [
        (SHIP, 8, 10),
        (SHIP, 45, 5),
        ({**SHIP, "on": "aprs", "who": ["callsign:PA3XYZ"]}, 20, 10),
        ({**SHIP, "on": "cospas_sarsat", "who": ["beacon:9934039823D0000"]}, 8, 50),
        ({**SHIP, "on": "mode_s", "who": ["icao24:A39657"]}, 480, 2),
    ],
)
def test_one_that_is_under_way_is_noted_every_two_minutes_and_sounds_for_no_move(
    row, knots, every_s
):
    notes = list(Watch().under_way(row, knots, every_s))
    assert 50 <= len(notes) <= HOURS_S / 120
    assert {note.incident.alarm.raised for note in notes} == {1}


def test_a_place_on_another_radio_every_few_seconds_is_noted_at_that_pace_too():
    watch = Watch()
    watch.hear(SHIP, 0)
    notes = []
    for at_s in range(10, HOURS_S, 10):
        where = [52.0 + 15 * KN_DEG_S * at_s, 3.0]
        seen = SHIP | {"on": "ais", "kind": "position", "urgency": "routine", "known_to_m": 10}
        notes += watch.hear(seen | {"where": where}, at_s)
        notes += watch.tick(at_s + 1)
    assert 50 <= len(notes) <= HOURS_S / 120 + 1


def test_what_only_says_the_same_again_is_noted_every_five_minutes():
    watch = Watch()
    watch.hear(SHIP, 0)
    notes = []
    for at_s in range(10, HOURS_S, 10):
        notes += watch.hear(SHIP, at_s)
        notes += watch.tick(at_s + 1)
    assert 20 <= len(notes) <= HOURS_S / 300 + 1


@pytest.mark.parametrize(
    ("more", "within_s"),
    [
        ({"nature": "sinking"}, 0),
        ({"on": "ais"}, 0),
        ({"kind": "cancellation", "by": SHIP["who"]}, 0),
        ({"kind": "acknowledgement", "by": ["mmsi:002320001"]}, 0),
        ({"persons": 3}, 0),
        ({"text": "on fire"}, 10),
        ({"where": [52.1, 3.0]}, 10),
    ],
)
def test_what_is_new_waits_for_no_pace(more, within_s):
    """Ten seconds at the most, while a place that moves on and a repeat wait for minutes."""
    watch = Watch()
    watch.hear(SHIP, 0)
    notes = watch.hear(SHIP | more, 1)
    assert bool(notes) is (within_s == 0)
    assert notes or watch.tick(within_s)
