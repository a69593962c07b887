"""What rules remember reaches the disk and the next run, and how they stand is told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import structlog
from rooms.rules.cases import agreement_of, cases_of, sighting_of, tables

from gateway.app import ruling
from gateway.app.ruling import RuleKeeper
from gateway.clock import Clock
from gateway.journal.failed import JournalFailed
from gateway.journal.remembered import Recalled
from gateway.journal.standing import StandingJournal
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request, Stated
from gateway.model.inbound import Ruling
from gateway.model.plan import JournalPlan
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.pipeline import docket_of, hallway
from gateway.rules.permit import Load

MAYDAY = {"system": "dsc", "kind": "alert", "urgency": "distress", "freq_hz": 156_525_000}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(ruling, "LOOK_S", 0.01)
    monkeypatch.setattr(ruling, "AGAIN_S", 0.02)
    monkeypatch.setattr(ruling, "APART_NS", 0)


FAILED = JournalFailed("journal.db", "disk I/O error")


class Desk:
    """The rules of one run, its journal, and what it tells."""

    def __init__(self, journal, *, agreements=True, table="ack_deadline"):
        cases = tables()[table]
        agreement = agreement_of(table, cases, cases_of(cases)[0])
        self.rooms = hallway("here", (), docket=docket_of([agreement] * agreements, begun=False))
        self.docket = self.rooms.docket
        self.stands = {}
        self.kept = []
        self.said = []
        self.clock = Clock()
        log = structlog.wrap_logger(None, processors=[self._noted])
        self.taped = []
        self.keeper = RuleKeeper(
            journal,
            self.rooms,
            self,
            keep_hours=48,
            clock=self.clock,
            log=log,
            record=self.taped.append,
        )

    def _noted(self, _logger, _name, event):
        self.said.append((event["event"], event.get("reason")))
        raise structlog.DropEvent

    def retain(self, suffix, state):
        self.stands[suffix] = state

    def keep(self, items):
        self.kept += items
        return len(items)

    def hears(self, **said):
        """Hear a call; return what is made of it."""
        now = self.clock.now()
        found, notes = self.docket.judge(sighting_of({**MAYDAY, **said}, "r", now), now)
        self.keeper.heard([found, *notes])
        return found

    async def until(self, holds):
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.005)


class Journal:
    """A journal in memory that is well, or refuses, or is not there."""

    def __init__(self, words=None, *, stands=True, damaged=0):
        self.words = dict(words or {})
        self.stands = stands
        self.damaged = damaged
        self.refuses = 0
        self.asked = []
        self.hangs = False

    def remember(self, words, *, urgent):
        self.asked.append(urgent)
        told = asyncio.get_running_loop().create_future()
        if self.hangs:
            return told
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
        return Recalled(self.words, self.damaged)


@asynccontextmanager
async def at_work(desk):
    duty = asyncio.create_task(desk.keeper.run())
    try:
        yield desk
    finally:
        duty.cancel()
        with suppress(asyncio.CancelledError):
            await duty


def story(told):
    return asyncio.run(told)


def running(desk):
    """Return how many calls wait for an acknowledgement."""
    return len(desk.docket.bench.engines["cases"].rules["case"].keep().awaited)


def test_what_runs_when_a_run_ends_by_force_runs_in_the_next(tmp_path):
    """By a journal on a disk; nothing is said to the first run of its end."""
    plan = JournalPlan(path=str(tmp_path / "journal.db"))

    async def run(hears):
        journal = StandingJournal(plan, station="here", links=(), clock=Clock())
        await journal.open()
        desk = Desk(journal)
        async with at_work(desk):
            await desk.until(lambda: desk.docket.begun)
            if hears:
                desk.hears(mmsi="211000001")
                await journal.entries(limit=1)  # what was handed over before is on the disk by then
        await journal.close()
        return running(desk)

    assert story(run(hears=True)) == 1
    assert Path(plan.path).exists()
    assert story(run(hears=False)) == 1


def test_a_call_is_written_down_at_once_and_routine_at_the_next_look():
    async def told():
        journal = Journal()
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: desk.docket.begun and journal.words)
            journal.asked.clear()
            desk.hears(mmsi="211000001")
            at_once = [*journal.asked]
            desk.hears(mmsi="211000002", kind="position", urgency="routine")
            return at_once, [*journal.asked], running(desk)

    assert story(told()) == ([True], [True], 1)


def test_how_each_rule_stands_is_told_from_the_beginning():
    async def told():
        async with at_work(Desk(Journal())) as desk:
            await desk.until(lambda: desk.stands)
            first = desk.stands["compliance/cases/case"].judgement
            desk.hears(mmsi="211000001")
            before = desk.stands["compliance/cases/case"]
            await asyncio.sleep(0.05)
            return first, before is desk.stands["compliance/cases/case"]

    judgement, same = story(told())
    assert judgement is Judgement.UNKNOWN
    assert same


def test_what_comes_before_the_journal_is_judged_when_it_stands():
    async def told():
        journal = Journal(stands=False)
        async with at_work(Desk(journal)) as desk:
            desk.hears(mmsi="211000001")
            await asyncio.sleep(0.03)
            waited = not desk.docket.begun
            journal.refuses, journal.stands = 1, True
            await desk.until(lambda: desk.docket.begun)
            return waited, running(desk), desk.said

    assert story(told()) == (True, 1, [("rules_not_read", "disk I/O error")])


def test_a_journal_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(ruling, "WAIT_S_MAX", 0.02)

    async def told():
        async with at_work(Desk(Journal(stands=False))) as desk:
            desk.hears(mmsi="211000001")
            await desk.until(lambda: desk.docket.begun)
            return running(desk), desk.said[0]

    assert story(told()) == (1, ("rules_begin_without_memory", "no journal in 0.02 s"))


def asked(desk):
    """Return whether a call would be let pass now, and whether one is."""
    now = desk.clock.now()
    request = Request(
        request_id="q",
        at=now,
        channel="vhf16",
        category=Urgency.ROUTINE,
        purpose="calling",
        duration_s=1.0,
    )
    load = Load(port="vhf", sha256=bytes(32), airtime_s=1.0, not_after_mono_ns=now.mono_ns)
    found = desk.keeper.gate(request, load)
    assert (found.permit is not None) == (desk.docket.would(request).judgement is Judgement.OK)
    return found.gated.judgement


def spoken(desk, words, channel):
    now = desk.clock.now()
    fact = Fact(
        fact_id=f"{channel}-{words}", what=EventWord.SPOKEN, at=now, channel=channel, words=words
    )
    desk.keeper.state(fact)


def remembered(table, does):
    """Return what a run leaves behind."""

    async def told():
        journal = Journal()
        async with at_work(Desk(journal, table=table)) as desk:
            await desk.until(lambda: desk.docket.begun and journal.words)
            does(desk)
            desk.keeper.end()
        return journal.words

    return story(told())


def late_by(words, meanwhile, monkeypatch, *, table="ack_deadline"):
    """Run without a disk, which then comes with these words; return the desk."""
    monkeypatch.setattr(ruling, "WAIT_S_MAX", 0.02)

    async def told():
        journal = Journal(words, stands=False)
        async with at_work(Desk(journal, table=table)) as desk:
            await desk.until(lambda: desk.docket.begun)
            meanwhile(desk)
            assert asked(desk) is Judgement.UNKNOWN
            assert not [one for one in desk.taped if isinstance(one, Request)]
            await asyncio.sleep(0.03)
            assert journal.words == words  # nothing goes in the place of what nobody has read yet
            journal.stands = True
            await desk.until(lambda: desk.docket.remembers)
            return desk

    return story(told())


def test_what_was_remembered_is_taken_up_when_the_disk_comes_late(monkeypatch):
    words = remembered("ack_deadline", lambda desk: desk.hears(mmsi="211000001"))
    desk = late_by(words, lambda _: None, monkeypatch)

    assert running(desk) == 1
    assert "rules_go_on_without_memory" not in [event for event, _ in desk.said]


def test_a_rule_that_has_found_something_meanwhile_goes_on_with_that(monkeypatch):
    words = remembered("ack_deadline", lambda desk: desk.hears(mmsi="211000001"))
    desk = late_by(words, lambda desk: desk.hears(mmsi="211000002"), monkeypatch)

    assert running(desk) == 1
    assert ("rules_go_on_without_memory", "no journal in time") in desk.said


def test_a_silence_outlives_a_slow_disk_whatever_was_said_meanwhile(monkeypatch):
    words = remembered("silence", lambda desk: spoken(desk, "SEELONCE MAYDAY", "vhf16"))
    desk = late_by(
        words, lambda desk: spoken(desk, "SEELONCE MAYDAY", "mf_rt"), monkeypatch, table="silence"
    )
    rule = desk.docket.bench.engines["cases"].rules["case"]

    assert {one.channel for one in rule.keep().silent} == {"vhf16", "mf_rt"}
    assert asked(desk) is Judgement.DENIED


def test_what_is_damaged_or_of_another_form_begins_anew_and_is_logged():
    async def told():
        async with at_work(Desk(Journal({"cases/case": b"\xc1"}, damaged=1))) as desk:
            await desk.until(lambda: desk.docket.begun)
            return desk.said[:2]

    said = [("rules_begin_anew", "damaged"), ("rules_begin_anew", "another form")]
    assert story(told()) == said


def test_nothing_is_left_behind_of_a_rule_that_binds_no_more():
    async def told():
        journal = Journal({"gone/G1": b"x"})
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: "cases/case" in journal.words)
            return [*journal.words], desk.stands["compliance/gone/G1"]

    assert story(told()) == (["cases/case"], None)


def test_what_the_disk_refuses_is_handed_over_again():
    async def told():
        journal = Journal()
        journal.refuses = 0
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: desk.docket.begun and journal.words)
            journal.words.clear()
            journal.refuses = 3
            desk.hears(mmsi="211000001")
            await desk.until(lambda: journal.words)
            return {event for event, _ in desk.said}

    assert story(told()) == {"rules_not_written", "rules_taken_up"} - {"rules_taken_up"}


def test_a_disk_that_hangs_is_handed_no_more_than_it_may_have():
    async def told():
        journal = Journal()
        async with at_work(Desk(journal)) as desk:
            await desk.until(lambda: desk.docket.begun and journal.words)
            journal.hangs = True
            for number in range(100):
                desk.hears(mmsi=f"211000{number:03}")
            return len(journal.asked)

    assert story(told()) <= ruling.HANDED_MAX + 2


def test_the_station_states_once_a_day_what_it_keeps(monkeypatch):
    monkeypatch.setattr(ruling, "STATE_NS", 30 * 10**6)

    async def told():
        async with at_work(Desk(Journal())) as desk:
            await desk.until(lambda: len(desk.kept) > 1)
            return desk.kept[0]

    fact = story(told()).fact
    assert (fact.what, fact.lasts_s) == ("recorded", 48 * 3600)
    assert {"distress", "verdicts", "tamper_evident"} <= set(fact.fields)


def test_at_the_end_all_is_handed_over():
    async def told():
        journal = Journal()
        desk = Desk(journal)
        desk.keeper.end()
        assert journal.asked == []
        async with at_work(desk):
            await desk.until(lambda: desk.docket.begun and journal.words)
        desk.docket.judge(*called(desk))
        asked = len(journal.asked)
        desk.keeper.end()
        return len(journal.asked) - asked

    assert story(told()) == 1


def test_what_is_stated_is_heard_kept_and_on_tape():
    async def told():
        desk = Desk(Journal())
        desk.docket.begin()
        desk.hears(mmsi="211000001")
        fact = Fact(
            fact_id="f",
            what=EventWord.DISTRESS_ACK,
            at=desk.clock.now(),
            about="mmsi:211000001",
        )
        notes, answers = desk.keeper.state(fact)
        return desk, fact, notes, answers

    desk, fact, notes, answers = story(told())

    assert [note.verdict.judgement for note in notes] == [Judgement.OK]
    assert desk.kept == [Stated(fact=fact, boot=desk.clock.boot), *notes]
    assert answers == len(desk.kept)
    assert desk.taped == [fact]


def test_what_the_rules_are_asked_is_on_tape_once_they_are_asked():
    async def told():
        desk = Desk(Journal())
        now = desk.clock.now()
        request = Request(request_id="q", at=now, category=Urgency.ROUTINE, purpose="calling")
        load = Load(port="vhf", sha256=bytes(32), airtime_s=1.0, not_after_mono_ns=now.mono_ns)
        early = desk.keeper.gate(request, load)
        before = [*desk.taped]
        desk.docket.begin()
        desk.keeper.gate(request, load)
        return early, before, desk.taped, request

    early, before, taped, request = story(told())

    assert (early.gated.judgement, before) == (Judgement.UNKNOWN, [])
    assert taped == [request]


def called(desk):
    now = desk.clock.now()
    return sighting_of({**MAYDAY, "mmsi": "211000001"}, "r", now), now


def test_a_station_without_agreements_asks_for_nothing():
    async def told():
        journal = Journal()
        desk = Desk(journal, agreements=False)
        await desk.keeper.run()
        found = desk.hears(mmsi="211000001")
        desk.keeper.end()
        return journal.asked, found

    asked, found = story(told())
    assert asked == []
    assert isinstance(found, Ruling)
