"""What is proposed stands beside its incident for as long as that is open, and no longer."""

from __future__ import annotations

import asyncio

import pytest
from app.sending import ACKED, MAYDAY, Desk, on_duty
from msgspec.structs import replace

from gateway.app import advising
from gateway.app.advising import Advising
from gateway.model.incident import IncidentOrder, OrderVerb
from gateway.settings.agreement import agreement_named

PAN_PAN = b"$CDDSC,16,2321111110,10,00,26,900016,,,,S,"
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
        self.advises(self.desk.plan)

    def advises(self, plan):
        """Begin to advise, as a station with this plan."""
        desk = self.desk
        self.made = Advising(plan, desk.rooms, self.board, desk.duty, clock=desk.clock)

    def looks(self):
        self.made.look()
        return self.board.stands

    def resolve(self):
        self.orders(OrderVerb.RESOLVE)

    def note(self, words):
        self.orders(OrderVerb.NOTE, words)

    def orders(self, verb, words=None):
        for name in [one.incident_id for one in self.desk.rooms.incidents.standing()]:
            order = IncidentOrder(verb=verb, incident_id=name, author="A", words=words)
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
    assert [step.kind for step in advice.steps] == ["acknowledge", "listen", "silence", "call_rcc"]
    assert room.looks() == {}


def test_it_is_told_anew_only_when_it_has_changed(room):
    room.desk.hears(MAYDAY)
    for _ in range(5):
        room.looks()
        room.desk.clock.pass_s(1)

    assert len(room.board.told) == 1
    room.desk.hears(ACKED)
    (advice,) = room.looks().values()
    assert [step.kind for step in advice.steps] == ["listen", "silence", "call_rcc"]
    assert len(room.board.told) == 2


def test_a_call_that_comes_again_counts_although_the_incident_tells_it_later(room):
    room.desk.hears(MAYDAY, port="mf")
    (incident,) = room.desk.rooms.incidents.standing()
    room.desk.passes(240)
    ((_, late),) = room.looks().items()
    room.desk.hears(MAYDAY, port="mf")
    (told,) = [one.incident for one in room.desk.rooms.incidents.board.standing.values()]
    ((_, again),) = room.looks().items()

    (heard,) = room.desk.rooms.incidents.board.heard(told).evidence
    assert told.evidence[0].alert_mono_ns == incident.evidence[0].alert_mono_ns
    assert heard.alert_mono_ns - told.evidence[0].alert_mono_ns >= 240 * 10**9
    assert (late.steps[0].kind, again.steps[0].kind) == ("acknowledge", "wait")
    assert (again.steps[0].not_before - late.steps[0].not_after).total_seconds() in (136, 137)


def test_it_counts_as_well_where_no_clause_has_heard_it():
    agreed = agreement_named("gmdss-coast-station")
    rules = tuple(one for one in agreed.rules if one.kind != "ack_deadline")
    room = Room(Desk(agreements=(replace(agreed, rules=rules, own="station"),)))
    room.desk.hears(MAYDAY, port="mf")
    room.desk.passes(240)
    ((_, late),) = room.looks().items()
    room.desk.hears(MAYDAY, port="mf")
    ((_, again),) = room.looks().items()

    assert (late.steps[0].kind, again.steps[0].kind) == ("acknowledge", "wait")


def test_on_mf_it_is_told_twice_in_two_minutes_and_not_each_second(room):
    room.desk.hears(MAYDAY, port="mf")
    kinds = []
    for _ in range(120):
        (advice,) = room.looks().values()
        kinds.append(advice.steps[0].kind)
        room.desk.passes(1)

    assert list(dict.fromkeys(kinds)) == ["wait", "acknowledge"]
    assert len(room.board.told) == 2


def test_what_has_changed_in_words_alone_is_told_at_its_leisure(room):
    room.desk.hears(MAYDAY)
    room.looks()
    for told in range(1, 21):
        room.note(f"note {told}")
        room.looks()
        room.desk.passes(1)

    assert len(room.board.told) == 2


def test_what_this_station_has_transmitted_is_known(room):
    async def scene():
        async with on_duty(room.desk):
            await room.desk.until(lambda: room.desk.duty.unfinished.begun)
            room.desk.hears(MAYDAY)
            (before,) = room.looks().values()
            room.desk.order(before.steps[0].action)
            await room.desk.until(lambda: room.desk.air)
            await room.desk.settled()

    asyncio.run(scene())
    (advice,) = room.looks().values()

    assert "acknowledged by this station" in advice.steps[0].words
    assert room.desk.duty.answered_ns("999999999") is None


def test_before_the_rules_know_what_is_covert_nothing_is_proposed(room):
    room.desk.hears(MAYDAY)
    room.desk.rooms.docket.begun = False

    assert room.looks() == {}
    room.desk.rooms.docket.begun = True
    assert len(room.looks()) == 1


def test_in_a_flood_distress_goes_before_urgency(room, monkeypatch):
    monkeypatch.setattr(advising, "ADVISED_MAX", 1)
    room.desk.hears(MAYDAY)
    room.desk.clock.pass_s(5)
    room.desk.hears(PAN_PAN)
    (advice,) = room.looks().values()

    assert advice.steps[0].kind == "acknowledge"


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
    room.advises(plan)
    room.desk.hears(MAYDAY)
    (advice,) = room.looks().values()

    assert advice.steps[0].action is None
