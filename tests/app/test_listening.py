"""The receivers of a station: what is told, what alarms, and what the next run knows."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest
import structlog
from msgspec.structs import replace
from rooms.rules.cases import agreement_of, cases_of, sighting_of, tables

from gateway.app import listening
from gateway.app.listening import MONTHS, USUAL, Listening
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.failed import JournalFailed
from gateway.journal.remembered import Recalled
from gateway.model.asked import Stated
from gateway.model.inbound import Ruling
from gateway.model.listening import WatchState
from gateway.model.plan import JournalPlan, LogPlan, PortPlan, StationPlan
from gateway.model.status import AlertName
from gateway.pipeline import docket_of
from gateway.rules import availability
from gateway.rules.availability import AccountKept, Month
from gateway.rules.docket import kept_of
from gateway.rules.usual import DAYS_MIN, UsualKept
from gateway.settings import profile_named
from gateway.transport.supervisor import PortState

TABLE = tables()["watch"]
FREQ_HZ = 156_525_000
KNOWN = f"{USUAL}vhf/generic-dsc/{FREQ_HZ}"
"""What is usual of the port of most of these stations."""
FAILED = JournalFailed("journal.db", "disk I/O error")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(listening, "LOOK_S", 0.01)
    monkeypatch.setattr(listening, "WAIT_S", 0.005)
    monkeypatch.setattr(listening, "KEEP_S", 0.03)
    monkeypatch.setattr(availability, "OVER_NS", 0)
    monkeypatch.setattr(availability, "OVER_FREE_NS", 0)


def port(name, modem="generic-dsc", **said):
    profile = msgspec.structs.replace(profile_named(modem), freq_hz=said.pop("freq_hz", FREQ_HZ))
    return PortPlan(name=name, device=f"memory:{name}", modem=modem, profile=profile, **said)


class Journal:
    """A journal in memory that is well, or refuses, or is not there."""

    def __init__(self, words=None, *, stands=True):
        self.words = dict(words or {})
        self.stands = stands
        self.refuses = 0

    def remember(self, words, *, urgent):
        assert not urgent
        told = asyncio.get_running_loop().create_future()
        if self.refuses:
            self.refuses -= 1
            told.set_exception(FAILED)
            return told
        for name, word in words.items():
            self.words.pop(name, None)
            if word is not None:
                self.words[name] = word
        told.set_result(None)
        return told

    async def recalled(self):
        if self.refuses:
            self.refuses -= 1
            raise FAILED
        return Recalled(self.words, 0)


class Desk:
    """The receivers of one run, its journal, and what it tells."""

    def __init__(
        self, journal=None, ports=None, *, gap_s=60, terms=None, agreements=True, begun=True
    ):
        ports = ports or (port("vhf"),)
        case = msgspec.structs.replace(
            cases_of(TABLE)[0], rule={**TABLE["rule"], "max_gap_s": gap_s, **(terms or {})}
        )
        agreement = agreement_of("watch", TABLE, case)
        self.docket = docket_of([agreement] * agreements, begun=begun)
        self.states = {one.name: PortState(name=one.name, device=one.device) for one in ports}
        self.stands, self.said, self.facts = {}, [], []
        self.kept = []
        self.clock = Clock()
        self.journal = journal or Journal()
        plan = StationPlan(
            station="here",
            ports=ports,
            links=(),
            journal=JournalPlan(path="x"),
            record=None,
            log=LogPlan(),
        )
        log = structlog.wrap_logger(None, processors=[self._noted])
        self.board = Board([self], clock=self.clock, log=log)
        self.listening = Listening(
            plan,
            self.states,
            self.docket,
            self.journal,
            told=(self, self),
            board=self.board,
            clock=self.clock,
            log=log,
        )

    def _noted(self, _logger, _name, event):
        self.said.append(event["event"])
        raise structlog.DropEvent

    def retain(self, suffix, state):
        self.stands[suffix] = state

    def state(self, fact):
        notes = self.docket.fact(fact)
        self.facts.append(fact)
        self.kept += kept_of(fact, "b1", notes)

    def open(self, *names):
        for name in names or self.states:
            self.states[name].state = "open"

    def hears(self, name="vhf", **said):
        now = self.clock.now()
        sighting = sighting_of({"system": "dsc", "kind": "call", **said}, "r", now)
        heard = msgspec.structs.replace(sighting.report.heard, port=name, mono_ns=now.mono_ns)
        report = msgspec.structs.replace(sighting.report, heard=heard)
        self.listening.heard([Ruling(msgspec.structs.replace(sighting, report=report))])

    def lives(self, name="vhf"):
        """Let a packed modem say how it is."""
        self.hears(name, system="packed", kind="status", detail={"said": "health"})

    @property
    def watch(self):
        return self.stands["watch/vhf70"]

    @property
    def deaf(self):
        return self.board.standing.get(AlertName.DEAF)

    async def until(self, holds):
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def at_work(desk):
    duty = asyncio.create_task(desk.listening.run())
    try:
        yield desk
    finally:
        duty.cancel()
        with suppress(asyncio.CancelledError):
            await duty


def story(told):
    return asyncio.run(told)


def test_a_deaf_radio_alarms_by_name_within_the_gap_and_the_alarm_goes_when_it_is_back():
    async def told():
        async with at_work(Desk(gap_s=2)) as desk:
            desk.open()
            desk.listening.look()
            desk.hears()
            await desk.until(lambda: desk.watch.state is WatchState.KEPT)
            quiet = desk.deaf
            began_ns = desk.clock.now().mono_ns
            desk.states["vhf"].state, desk.states["vhf"].last_error = "waiting", "hung up"
            await desk.until(lambda: desk.deaf)
            took_s = (desk.clock.now().mono_ns - began_ns) / 1e9
            alarm, lapsed = desk.deaf, desk.watch.state
            desk.open()
            await desk.until(lambda: desk.deaf is None)
            return quiet, took_s, alarm.text, lapsed, desk.watch.state

    quiet, took_s, text, lapsed, again = story(told())
    assert quiet is None
    assert 0.9 < took_s < 2
    assert text.startswith("port vhf is deaf: the port is not open: hung up. Calls on its channel")
    assert (lapsed, again) == (WatchState.LAPSED, WatchState.UNKNOWN)


def test_two_deaf_radios_are_one_alarm_that_is_told_anew_with_each():
    async def told():
        desk = Desk(ports=(port("vhf"), port("mf", freq_hz=2_187_500)), gap_s=0.02)
        desk.listening.receivers["mf"]._patience_ns = 0
        desk.open("mf")
        async with at_work(desk):
            await desk.until(lambda: desk.deaf)
            first = desk.deaf.text
            desk.states["mf"].state = "waiting"
            await desk.until(lambda: "port mf" in desk.deaf.text)
            return first, desk.deaf.text

    first, both = story(told())
    assert "mf" not in first
    assert "Calls on their channel are missed" in both


def test_without_an_agreement_a_deaf_radio_alarms_too_and_no_channel_is_told_of():
    async def told():
        desk = Desk(agreements=False)
        desk.listening.receivers["vhf"]._patience_ns = 0
        async with at_work(desk):
            await desk.until(lambda: desk.deaf)
            return [name for name in desk.stands if name.startswith("watch/")]

    assert story(told()) == []


@pytest.mark.parametrize("said", [{"played": True}, {"exercise": True}])
def test_what_is_on_no_air_keeps_no_watch_and_is_never_deaf(said):
    async def told():
        desk = Desk(ports=(port("vhf", **said),))
        async with at_work(desk):
            await desk.until(lambda: "watch/vhf70" in desk.stands)
            desk.hears()
            desk.listening.look()
            return desk.watch.state, desk.deaf, desk.watch.watches[0].why

    state, deaf, why = story(told())
    assert (state, deaf) == (WatchState.UNKNOWN, None)
    assert why == "only vhf is tuned to vhf70: a tape or an exercise is on no air"


def test_a_port_that_does_not_say_what_it_is_tuned_to_keeps_no_watch():
    desk = Desk(ports=(port("vhf", freq_hz=None),))
    desk.open()
    desk.hears()
    desk.listening.look()

    assert desk.watch.state is WatchState.UNKNOWN


def test_signs_are_told_to_the_rules_once_and_kept_only_where_they_change_something():
    desk = Desk(ports=(port("vhf", "generic-packed"),))
    desk.open()
    for _ in range(3):
        desk.lives()
        desk.listening.look()
        desk.listening.look()

    assert [(one.words, one.freq_hz) for one in desk.facts] == [("receiver_heartbeat", FREQ_HZ)] * 3
    assert len({one.fact_id for one in desk.facts}) == 3
    stated, verdict = desk.kept
    assert isinstance(stated, Stated)
    assert (verdict.verdict.judgement, verdict.verdict.evidence) == ("ok", (stated.fact.fact_id,))


def test_rules_that_have_not_begun_are_told_later():
    desk = Desk(ports=(port("vhf", "generic-packed"),), begun=False)
    desk.open()
    desk.lives()
    desk.listening.look()
    before = [*desk.facts]
    desk.docket.begin()
    desk.listening.look()

    assert (before, len(desk.facts)) == ([], 1)


def test_what_one_run_learned_and_counted_the_next_goes_on_with():
    usual = UsualKept(days=((40,) * DAYS_MIN,) * 24)

    async def run(journal):
        async with at_work(Desk(journal)) as desk:
            desk.open()
            await desk.until(lambda: desk.listening._begun)
            desk.hears()
            await asyncio.sleep(0.1)
            desk.listening.end()
            return desk.listening

    journal = Journal({KNOWN: msgspec.msgpack.encode(usual)})
    first = story(run(journal))
    assert first.receivers["vhf"].usual.keep().days == usual.days
    before = msgspec.msgpack.decode(journal.words[MONTHS], type=listening.WatchesKept)
    second = story(run(journal))
    after = msgspec.msgpack.decode(journal.words[MONTHS], type=listening.WatchesKept)

    (name,) = after.accounts
    assert before.accounts[name].running.kept_ms > 0
    assert after.accounts[name].running.kept_ms > before.accounts[name].running.kept_ms
    assert after.accounts[name].running.due_ms > before.accounts[name].running.due_ms
    assert second.receivers["vhf"].usual.keep().days == usual.days


def test_nobody_waits_for_the_journal_and_nothing_is_written_before_it_was_read():
    kept = UsualKept(days=((40,) * DAYS_MIN,) * 24)
    journal = Journal({KNOWN: msgspec.msgpack.encode(kept)}, stands=False)

    async def told():
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: "watch/vhf70" in desk.stands)
            desk.listening.end()
            untouched = MONTHS not in journal.words
            journal.refuses, journal.stands = 1, True
            await desk.until(lambda: MONTHS in journal.words)
            return untouched, desk.said, desk.listening.receivers["vhf"].usual.keep().days

    untouched, said, days = story(told())
    assert untouched
    assert "listening_not_read" in said
    assert days == kept.days


def test_what_is_of_another_form_begins_anew_and_what_is_of_no_port_goes():
    journal = Journal({MONTHS: b"\xc1", KNOWN: b"\xc1", f"{USUAL}gone": b"x", "cases/case": b"x"})

    async def told():
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: len(journal.words[MONTHS]) > 1)
            return desk.said

    assert story(told()).count("listening_begins_anew") == 2
    assert f"{USUAL}gone" not in journal.words
    assert journal.words["cases/case"] == b"x"


def test_a_channel_that_nobody_watches_any_more_is_taken_off():
    journal = Journal()
    desk = Desk(journal)
    desk.listening.look()
    kept = desk.listening.watching.keep("b1", desk.clock.now())
    kept = msgspec.structs.replace(kept, channels=("vhf16",))
    journal.words[MONTHS] = msgspec.msgpack.encode(kept)

    async def told():
        async with at_work(Desk(journal)) as anew:
            await anew.until(lambda: "watch/vhf16" in anew.stands)
            return anew.stands["watch/vhf16"], anew.watch

    gone, stays = story(told())
    assert gone is None
    assert stays.channel == "vhf70"


@pytest.mark.parametrize(
    "other",
    [port("vhf", "icom-gm800"), port("vhf", freq_hz=2_187_500), port("vhf", freq_hz=None)],
    ids=["another modem", "another channel", "no channel"],
)
def test_what_is_usual_of_another_modem_or_channel_is_not_taken_up(other):
    kept = UsualKept(days=((40,) * DAYS_MIN,) * 24)
    journal = Journal({KNOWN: msgspec.msgpack.encode(kept)})

    async def told():
        async with at_work(Desk(journal, (other,))) as desk:
            await desk.until(lambda: MONTHS in journal.words)
            return desk.listening.receivers["vhf"].usual.keep().days

    assert not any(story(told()))
    assert KNOWN not in journal.words


def test_what_a_month_came_to_is_stated_once_it_is_over_and_its_rule_judges_that():
    """One account is behind what is told and what is judged: it is on tape and in the journal."""
    desk = Desk(terms={"min_availability": 0.9})
    desk.listening.look()
    kept = desk.listening.watching.keep("b1", desk.clock.now())
    (name,) = kept.accounts
    account = AccountKept(Month("2020-01", 100_000, 80_000, 5_000))
    journal = Journal({MONTHS: msgspec.msgpack.encode(replace(kept, accounts={name: account}))})

    async def told():
        async with at_work(Desk(journal, terms={"min_availability": 0.9})) as desk:
            await desk.until(lambda: desk.kept)
            for _ in range(3):
                desk.listening.look()
            return desk.facts, desk.kept

    facts, kept = story(told())
    stated, verdict = kept
    (fact,) = facts
    assert (fact.what, fact.by, fact.about, fact.words) == (
        "watch_month",
        "station",
        "cases/case",
        "station/vhf70",
    )
    assert (fact.month.month, fact.month.kept, fact.month.unknown) == ("2020-01", 0.8, 0.05)
    assert stated.fact == fact
    assert (verdict.verdict.judgement, verdict.verdict.evidence) == ("violation", (fact.fact_id,))


def test_a_disk_that_refuses_is_asked_again_and_said():
    async def told():
        journal = Journal()
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: MONTHS in journal.words)
            journal.words.clear()
            journal.refuses = 2
            await desk.until(lambda: MONTHS in journal.words)
            return desk.said

    assert "listening_not_remembered" in story(told())
