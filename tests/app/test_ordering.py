"""Orders are carried out once, in time, and answered as the disk has them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from incidents_made import incident

from gateway.app import ordering
from gateway.app.ordering import Ordering
from gateway.correlate.orders import OrderRefused
from gateway.model.command import IncidentCommand, OutcomeState, StatementCommand
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Moment
from gateway.model.incident import IncidentNote
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.model.words import ClockState

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ID = "0123456789abcdef"


VERDICT = Verdict(
    agreement="a",
    version="1",
    digest="0a",
    rule="R",
    kind="silence",
    judgement=Judgement.OK,
    subject="channel:vhf16",
    words="vhf16 is silent",
    mono_ns=1,
)
NOTE = VerdictNote(verdict_id="f" * 32, verdict=VERDICT)


class Clock:
    boot = "b1"
    state = ClockState.NTP

    def now(self):
        return Moment(1, int(NOW.timestamp()) * 10**9, self.state)


class Room:
    """A hallway that notes what is ordered of the one incident it has."""

    def __init__(self):
        self.orders = []

    def state(self, fact):
        self.orders.append(fact)
        return [NOTE] if fact.what == "spoken" else []

    def order(self, order, _now):
        if order.incident_id != ID:
            why = f"there is no incident {order.incident_id}"
            raise OrderRefused(why)
        self.orders.append(order)
        return [IncidentNote(incident=incident(), change="ack by A")]


class Rules:
    """A keeper of rules that has what is stated heard and kept."""

    def __init__(self, room, keeper):
        self.room = room
        self.keeper = keeper

    def state(self, fact):
        notes = self.room.state(fact)
        return notes, self.keeper.keep([fact, *notes])

    def unheard(self, channel):
        return None if channel == "vhf16" else f"nobody knows {channel}"


class Keeper:
    """A teller whose disk takes it, fails, or says nothing."""

    def __init__(self, disk="takes"):
        self.disk = disk

    async def give_way(self):
        await asyncio.sleep(0)

    def keep(self, notes):
        answer = asyncio.get_running_loop().create_future()
        if self.disk == "takes":
            answer.set_result(tuple(Entry(7, "e1", Lane.URGENCY, note, b"", 1) for note in notes))
        elif self.disk == "fails":
            answer.set_exception(OSError("disk I/O error"))
        return [answer]


class Nobody:
    """Whom no order to transmit reaches here."""

    def bounds(self):
        return ()


def command(name="c1", *, ahead_s=30, **said):
    wanted = {"verb": "ack", "incident_id": ID, "author": "A"} | said
    return IncidentCommand(command_id=name, not_after=NOW + timedelta(seconds=ahead_s), **wanted)


@pytest.fixture
def give():
    """Return what gives commands one after the other, and returns the outcomes and the room."""

    def run(*commands, disk="takes", state=ClockState.NTP):
        async def story():
            clock = Clock()
            clock.state = state
            log = structlog.wrap_logger(structlog.testing.CapturingLogger())
            room, keeper = Room(), Keeper(disk)
            told = keeper, Rules(room, keeper)
            run.made = Ordering(room, told, Nobody(), station="alpha", clock=clock, log=log)
            return [await run.made.obey(one) for one in commands], run.made._pipeline.orders

        return asyncio.run(story())

    return run


def test_an_order_that_the_disk_has_is_accepted_with_its_number(give):
    (outcome,), orders = give(command())

    assert (outcome.state, outcome.journaled) == (OutcomeState.ACCEPTED, True)
    assert (outcome.epoch, outcome.number, outcome.changed) == ("e1", 7, (ID,))
    assert [order.author for order in orders] == ["A"]


@pytest.mark.parametrize("disk", ["fails", "is silent"])
def test_an_order_that_the_disk_can_not_take_holds_and_says_so(give, monkeypatch, disk):
    monkeypatch.setattr(ordering, "JOURNAL_S_MAX", 0.01)
    (outcome, again), orders = give(command(), command(), disk=disk)

    assert (outcome.state, outcome.journaled, outcome.number) == ("accepted", False, None)
    assert (again.again, again.journaled) == (True, False)
    assert len(orders) == 1


def test_the_same_command_is_answered_again_and_done_once(give):
    (first, second, late), orders = give(command(), command(), command(ahead_s=-5))

    assert len(orders) == 1
    assert (first.again, second.again, late.again) == (False, True, True)
    assert second.number == first.number == late.number == 7


def test_another_order_under_a_used_name_is_refused(give):
    (_, other), orders = give(command(), command(verb="resolve"))

    assert other.state is OutcomeState.REFUSED
    assert "command_id is that of another" in other.reason
    assert [order.verb for order in orders] == ["ack"]


def test_what_the_room_refuses_is_refused_with_its_words(give):
    outcomes, orders = give(command(incident_id="ff"), command(incident_id="ff"))

    assert [one.state for one in outcomes] == ["refused", "refused"]
    assert outcomes[0].reason == "there is no incident ff"
    assert outcomes[0].journaled is None
    assert not orders


@pytest.mark.parametrize(
    ("ahead_s", "state", "reason"),
    [
        (-1, ClockState.NTP, "1.0 s after its end"),
        (61, ClockState.GNSS, "61 s ahead, of 60 at the most"),
        (60, ClockState.NTP, None),
        (-600, ClockState.FREE, None),
        (-601, ClockState.FREE, "601.0 s after its end"),
        (660, ClockState.FREE, None),
        (661, ClockState.FREE, "661 s ahead"),
        (3600, ClockState.UNSET, None),
    ],
)
def test_what_comes_late_is_refused_where_the_time_is_known(give, ahead_s, state, reason):
    (outcome,), orders = give(command(ahead_s=ahead_s), state=state)

    assert len(orders) == (reason is None)
    assert (outcome.reason is None) if reason is None else (reason in outcome.reason)


def test_a_late_command_may_be_given_anew_under_its_name(give):
    (late, fresh), _ = give(command(ahead_s=-1), command())

    assert (late.state, fresh.state, fresh.again) == ("refused", "accepted", False)


def test_the_memory_of_commands_is_bounded_and_what_it_forgot_is_late(give, monkeypatch):
    monkeypatch.setattr(ordering, "COMMANDS_MAX", 3)
    outcomes, orders = give(*(command(f"c{n}") for n in range(5)), command("c0", ahead_s=-1))
    (bound,) = give.made.bounds()

    assert len(orders) == 5
    assert "after its end" in outcomes[-1].reason
    assert (bound.held, bound.evicted) == (3, 2)


# ---- Statements ----------------------------------------------------------------------------------


def statement(name="s1", *, ahead_s=30, **said):
    wanted = {"what": "spoken", "author": "Officer B", "channel": "vhf16"} | said
    return StatementCommand(command_id=name, not_after=NOW + timedelta(seconds=ahead_s), **wanted)


def test_the_rules_hear_a_statement_with_who_made_it(give):
    (outcome,), (fact,) = give(statement(words="SEELONCE MAYDAY"))

    assert (outcome.state, outcome.what, outcome.verb) == (OutcomeState.ACCEPTED, "spoken", None)
    assert (outcome.verdicts, outcome.number) == (("f" * 32,), 7)
    assert (fact.person, fact.words, fact.channel) == ("Officer B", "SEELONCE MAYDAY", "vhf16")


def test_the_same_statement_is_made_once_and_another_under_its_name_is_refused(give):
    same = [statement(what="answer"), statement(what="answer", ahead_s=40)]
    outcomes, facts = give(*same, statement(what="answer", about="mmsi:211000001"))

    assert [one.state for one in outcomes] == ["accepted", "accepted", "refused"]
    assert [one.again for one in outcomes] == [False, True, False]
    assert len(facts) == 1
    assert len(facts[0].fact_id) == 32


def test_what_is_stated_of_a_channel_that_no_agreement_knows_is_refused(give):
    (outcome,), facts = give(statement(channel="vhf61"))

    assert (outcome.state, outcome.reason, facts) == ("refused", "nobody knows vhf61", [])


def test_a_statement_that_comes_late_is_refused(give):
    (outcome,), facts = give(statement(ahead_s=-1))

    assert (outcome.state, facts) == ("refused", [])
    assert "after its end" in outcome.reason
