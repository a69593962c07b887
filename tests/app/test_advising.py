"""What is proposed stands beside its incident for as long as that is open, and no longer."""

from __future__ import annotations

import pytest
from app.sending import ACKED, MAYDAY, Desk
from msgspec.structs import replace

from gateway.app import advising
from gateway.app.advising import Advising
from gateway.model.incident import IncidentOrder, OrderVerb

OTHER = MAYDAY.replace(b"2321234560", b"2329876540")


class Board:
    """What a broker has retained."""

    def __init__(self):
        self.told = []
        self.stands = {}

    def retain(self, suffix, state):
        self.told.append(suffix)
        self.stands.pop(suffix, None)
        if state is not None:
            self.stands[suffix] = state


class Room:
    """A desk, and what is proposed at it."""

    def __init__(self, desk=None):
        self.desk = desk or Desk()
        self.desk.keep = lambda _items: []  # no disk is asked here
        self.board = Board()
        self.made = Advising(self.desk.plan, self.desk.rooms, self.board, clock=self.desk.clock)

    def looks(self):
        self.made.look()
        return self.board.stands

    def resolve(self):
        for name in [one.incident_id for one in self.desk.rooms.incidents.standing()]:
            order = IncidentOrder(verb=OrderVerb.RESOLVE, incident_id=name, author="A")
            self.desk.rooms.order(order, self.desk.clock.now())


@pytest.fixture
def room():
    return Room()


def test_it_stands_while_the_incident_is_open_and_goes_with_it(room):
    assert room.looks() == {}
    room.desk.hears(MAYDAY)
    ((suffix, advice),) = room.looks().items()
    room.resolve()

    assert suffix == f"incident/{advice.incident_id}/advice"
    assert [step.kind for step in advice.steps] == ["acknowledge", "listen", "call_rcc"]
    assert room.looks() == {}


def test_it_is_told_anew_only_when_it_has_changed(room):
    room.desk.hears(MAYDAY)
    for _ in range(5):
        room.looks()
        room.desk.clock.pass_s(1)

    assert len(room.board.told) == 1
    room.desk.hears(ACKED)
    (advice,) = room.looks().values()
    assert [step.kind for step in advice.steps] == ["listen", "call_rcc"]
    assert len(room.board.told) == 2


def test_what_an_earlier_run_has_proposed_about_what_is_closed_is_taken_off(room):
    room.desk.hears(MAYDAY)
    room.resolve()
    for known in room.desk.rooms.incidents.board.standing.values():
        known.restored = True
    room.looks()
    room.looks()

    assert len(room.board.told) == 1
    assert room.board.stands == {}


def test_only_the_newest_incidents_are_advised_about(room, monkeypatch):
    monkeypatch.setattr(advising, "ADVISED_MAX", 1)
    room.desk.hears(MAYDAY)
    room.desk.clock.pass_s(5)
    room.desk.hears(OTHER)
    (advice,) = room.looks().values()
    (bound,) = room.made.bounds()

    assert advice.steps[0].action.distress.mmsi == "232987654"
    assert (bound.held, bound.limit) == (1, 1)


def test_a_port_of_an_exercise_and_one_that_only_receives_say_nothing(room):
    plan = replace(
        room.desk.plan,
        ports=tuple(
            replace(one, profile=replace(one.profile, transmit=False))
            for one in room.desk.plan.ports
        ),
    )
    room.made = Advising(plan, room.desk.rooms, room.board, clock=room.desk.clock)
    room.desk.hears(MAYDAY)
    (advice,) = room.looks().values()

    assert advice.steps[0].action is None
