"""Closing a flood of invented calls by one order, and nothing that may be real with it."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from stories.telling import BEGAN, report_of

from gateway.correlate import flooded
from gateway.correlate.floods import CALLERS_FLOOD
from gateway.correlate.incidents import Incidents
from gateway.correlate.orders import OrderRefused
from gateway.correlate.register import Register
from gateway.model.inbound import Sighting
from gateway.model.incident import AlarmPhase, IncidentOrder, OrderVerb, Phase
from gateway.model.plan import CraftPlan, RegisterPlan
from gateway.model.words import Relation

S = 10**9
LATER_S = 3600
KNOWN = "244000222"


def caller(number, **more):
    """Return the call of one invented ship, by itself in its part of the sea."""
    row = {"on": "dsc", "who": [f"mmsi:2{number:04}{number:04}"], "known_to_m": 926}
    return row | {"where": [-60 + number % 60 * 2, number // 60 * 2]} | more


class Watch:
    """A board, and its officer."""

    def __init__(self):
        register = Register(RegisterPlan(craft=(CraftPlan(key="a", mmsi=KNOWN, imo=9074729),)))
        self.room = Incidents("alpha", boot="b", carried=register.carried)
        self.numbers = itertools.count()

    def hear(self, row, at_s, relation=Relation.FIRST):
        report = report_of(row, at_s, next(self.numbers))
        return self.room.hear(Sighting(report, b"", relation))[0]

    def flood(self, count=CALLERS_FLOOD, at_s=0, every_s=1):
        return [self.hear(caller(n), at_s + n * every_s) for n in range(count)]

    def order(self, verb, name, at_s=LATER_S, **more):
        order = IncidentOrder(verb=OrderVerb(verb), incident_id=name, author="anna", **more)
        return self.room.order(order, at_s * S, BEGAN + timedelta(seconds=at_s))

    def close(self, name, from_s=0, until_s=600, at_s=LATER_S):
        """Close the flood that this is of; return what was noted."""
        return self.order(
            "false-alert",
            name,
            at_s,
            words="invented",
            flood_from=BEGAN + timedelta(seconds=from_s),
            flood_until=BEGAN + timedelta(seconds=until_s),
        )

    def open(self):
        return {one.incident_id for one in self.room.standing() if one.phase is Phase.ALERTED}


def test_a_flood_is_closed_at_once_and_each_of_it_has_its_note_with_the_author():
    watch = Watch()
    names = watch.flood()
    notes = watch.close(names[3])
    assert {note.incident.incident_id for note in notes} == {*names}
    for note in notes:
        assert (note.change, note.incident.phase) == ("false-alert by anna", Phase.FALSE_ALERT)
        assert note.incident.alarm.phase is AlarmPhase.CLEARED
        (deed,) = note.incident.actions
        assert (deed.verb, deed.author, deed.words) == ("false-alert", "anna", "invented")
    assert watch.open() == set()


MAY_BE_REAL = {
    "it called again": lambda watch, row: watch.hear(row, 300),
    "another radio heard it": lambda watch, row: watch.hear(row | {"on": "cospas_sarsat"}, 30),
    "a coast station acknowledged it": lambda watch, row: watch.hear(
        row | {"kind": "acknowledgement", "by": ["mmsi:002320001"]}, 30
    ),
    "a ship acknowledged it": lambda watch, row: watch.hear(
        row | {"kind": "acknowledgement", "by": ["mmsi:232000777"]}, 30
    ),
    "somebody relayed it": lambda watch, row: watch.hear(
        row | {"kind": "relay", "by": ["mmsi:002320001"]}, 30
    ),
    "an officer acknowledged the alarm": lambda watch, row: watch.order(
        "ack", watch.hear(row, 200)
    ),
    "an officer noted something": lambda watch, row: watch.order(
        "note", watch.hear(row, 20, Relation.COPY), words="known"
    ),
}


@pytest.mark.parametrize("why", MAY_BE_REAL)
def test_what_anybody_has_heard_again_or_dealt_with_is_not_closed_with_a_flood(why):
    watch = Watch()
    names = watch.flood()
    row = caller(900)
    real = watch.hear(row, 10)
    MAY_BE_REAL[why](watch, row)
    watch.close(names[0])
    assert watch.open() | {
        one.incident_id
        for one in watch.room.standing()
        if one.phase in (Phase.ACKNOWLEDGED, Phase.RELAYED)
    } == {real}
    with pytest.raises(OrderRefused, match="is of no flood"):
        watch.close(real)


@pytest.mark.parametrize(
    ("more", "at_s"),
    [
        ({"who": [f"mmsi:{KNOWN}"]}, 10),
        ({"covert": True}, 10),
        ({"mode": "test"}, 10),
        ({}, 2000),
    ],
)
def test_what_is_known_covert_a_test_or_was_heard_at_another_time_is_not_closed(more, at_s):
    watch = Watch()
    names = watch.flood()
    other = watch.hear(caller(900) | more, at_s)
    watch.close(names[0])
    assert watch.open() == {other}


def test_a_copy_is_the_same_call_heard_by_another_receiver():
    watch = Watch()
    names = watch.flood()
    watch.hear(caller(3), 3, Relation.COPY)
    watch.close(names[0])
    assert watch.open() == set()


@pytest.mark.parametrize(("count", "every_s"), [(CALLERS_FLOOD - 1, 1), (CALLERS_FLOOD + 8, 27)])
def test_what_is_too_few_in_ten_minutes_is_no_flood(count, every_s):
    watch = Watch()
    names = watch.flood(count, every_s=every_s)
    with pytest.raises(OrderRefused, match="is of no flood"):
        watch.close(names[0], until_s=2700)
    assert watch.open() == {*names}


def test_what_came_long_before_a_flood_is_not_of_it():
    watch = Watch()
    early = watch.hear(caller(900), 0)
    names = watch.flood(at_s=700)
    watch.close(names[0], until_s=1000)
    assert watch.open() == {early}


def test_what_had_no_time_to_call_again_is_not_closed():
    watch = Watch()
    names = watch.flood()
    with pytest.raises(OrderRefused, match="heard again within"):
        watch.close(names[0], until_s=600, at_s=1300)
    assert watch.open() == {*names}


def test_a_box_without_the_time_of_day_closes_nothing():
    watch = Watch()
    names = watch.flood()
    order = IncidentOrder(
        verb=OrderVerb.FALSE_ALERT,
        incident_id=names[0],
        author="anna",
        flood_from=BEGAN,
        flood_until=BEGAN + timedelta(seconds=600),
    )
    with pytest.raises(OrderRefused, match="time of day"):
        watch.room.order(order, LATER_S * S, None)


@pytest.mark.parametrize(
    "times",
    [
        [float(n) for n in range(300)],
        [n * 24.0 for n in range(300)],
        [n * 3.0 for n in range(40)]
        + [120 + n * 26.0 for n in range(10)]
        + [400 + n for n in range(90)],
        [float(n) for n in range(50)]
        + [5000.0 + n for n in range(30)]
        + [9000.0 + n for n in range(41)],
    ],
)
def test_one_order_closes_a_few_dozen_and_further_ones_the_rest(times):
    """However it comes, nothing of a flood is left that no order closes."""
    watch = Watch()
    at_s = 20_000
    left = [watch.hear(caller(n), when_s) for n, when_s in enumerate(times)]
    while left:
        done = [note.incident.incident_id for note in watch.close(left[-1], 0, 15_000, at_s)]
        assert 0 < len(done) <= flooded.AT_ONCE
        left = [name for name in left if name not in done]
    assert watch.open() == set()


def test_who_calls_again_after_the_flood_was_closed_is_open_and_sounds():
    watch = Watch()
    names = watch.flood()
    watch.close(names[0])
    watch.hear(caller(5), LATER_S + 60)
    assert watch.open() == {names[5]}
    (again,) = [one for one in watch.room.standing() if one.incident_id == names[5]]
    assert again.alarm.phase is AlarmPhase.RAISED
