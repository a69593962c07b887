"""From the journal to the links, while the disk is not well: told at once, journaled afterwards."""

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import structlog

from gateway.app import telling
from gateway.app.disk import DiskWatch
from gateway.app.telling import IN_MEMORY, JOURNAL_S_MAX, Teller
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal import standing
from gateway.journal.failed import JournalFailed
from gateway.journal.front import Work
from gateway.journal.standing import StandingJournal
from gateway.model.entry import Entry, Lane, encode_item, lane_of
from gateway.model.inbound import Heard, Refused, Report, Ruling, Sighting
from gateway.model.plan import JournalPlan
from gateway.model.status import AlarmCleared, AlarmRaised, JournalCounts
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency


def item(ordinal, urgency="distress"):
    """One report as it leaves the hallway."""
    heard = Heard(
        station="kust", port="p1", modem="generic-dsc", mono_ns=ordinal, clock=ClockState.FREE
    )
    report = Report(
        report_id=f"{ordinal:032x}",
        schema=1,
        system="dsc",
        kind=Kind.CALL,
        urgency=Urgency(urgency),
        mode=Mode.REAL,
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=(f"$CDDSC,{ordinal}",),
    )
    return Ruling(Sighting(report, content=ordinal.to_bytes(4, "big")))


def damaged(ordinal):
    return Refused(
        port="p1",
        mono_ns=ordinal,
        reason="wrong checksum",
        door="framing",
        distress_like=True,
        raw=("$CDDSC*00",),
        span=9,
    )


class FakeJournal:
    """A journal that is well, fails, sheds or hangs, as a test says."""

    epoch = "e1"
    untaken = None

    def __init__(self):
        self.stands = True
        self.trouble = "no such disk"
        self.work = Work(0, 0)
        self.room = "ample"
        self.mood = "well"
        self.kept = []
        self.asked = 0
        self._hung = []

    def append(self, items):
        self.asked += 1
        told = asyncio.get_running_loop().create_future()
        self._hung.append((told, items))
        if self.mood != "hangs":
            self.answer()
        return told

    def answer(self):
        hung, self._hung = self._hung, []
        for told, items in hung:
            if self.mood in ("fails", "sheds"):
                failure = JournalFailed("journal.db", "disk I/O error")
                failure.shed = self.mood == "sheds"
                told.set_exception(failure)
            else:
                told.set_result(tuple(self._entry(one) for one in items))

    def counts(self):
        return JournalCounts(
            number_last=0,
            rows={},
            outbox={},
            size_bytes=0,
            last_failure=self.trouble,
            room=self.room,
            free_bytes=3_000_000,
        )

    def _entry(self, one):
        self.kept.append(one)
        return Entry(len(self.kept), "e1", lane_of(one), one, encode_item(one), 1)


class FakeLink:
    def __init__(self):
        self.told = []
        self.states = {}

    def tell(self, entry):
        self.told.append(("journaled", entry.number, entry.body))

    def tell_unjournaled(self, entry):
        self.told.append(("unjournaled", entry.number, entry.body))

    def tell_afterwards(self, entry):
        self.told.append(("afterwards", entry.number, entry.body))

    def retain(self, suffix, state):
        self.states[suffix] = state

    def said(self):
        return [(how, number) for how, number, _ in self.told]


class Desk:
    """A teller with its fakes, running."""

    def __init__(self, journal, log):
        self.journal = journal
        self.link = FakeLink()
        self.log = log
        self.board = Board((self.link,), clock=Clock(), log=log)
        self.teller = Teller(journal, (self.link,), board=self.board, clock=Clock(), log=log)
        self._disk = DiskWatch(journal, self.teller, self.board)

    def look(self, at_s=0.0):
        self._disk.look(int(at_s * 1e9))

    def alarm(self, name="journal"):
        return self.link.states.get(f"alert/{name}")

    async def until(self, found):
        async with asyncio.timeout(5):
            while not found():
                await asyncio.sleep(0.001)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(telling, "JOURNAL_S_MAX", 0.03)
    monkeypatch.setattr(telling, "AGAIN_S", 0.01)
    monkeypatch.setattr(telling, "LAST_S_MAX", 0.05)


@asynccontextmanager
async def at_work(journal=None):
    capture = structlog.testing.CapturingLogger()
    log = structlog.wrap_logger(
        capture, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    desk = Desk(journal or FakeJournal(), log)
    desk.events = capture.calls
    async with asyncio.TaskGroup() as group:
        duties = [
            group.create_task(desk.teller.run()),
            group.create_task(desk.teller.journal_afterwards()),
        ]
        yield desk
        for duty in duties:
            duty.cancel()


@pytest.mark.usefixtures("quick")
def test_what_the_disk_refuses_is_told_at_once_and_journaled_afterwards_in_order():
    async def story():
        async with at_work() as desk:
            desk.journal.mood = "fails"
            desk.teller.keep([item(1)])
            desk.teller.keep([item(2, "safety")])
            desk.teller.keep([damaged(3)])
            desk.teller.keep([item(4)])
            await desk.until(lambda: len(desk.link.told) == 4)
            alarm = desk.alarm()
            held = len(desk.teller.owed)
            desk.look()
            assert desk.alarm() is alarm
            desk.journal.mood = "well"
            await desk.until(lambda: not desk.teller.owed)
            desk.look()
            return alarm, held, desk

    alarm, held, desk = asyncio.run(story())

    assert "disk I/O error" in alarm.text
    assert "held in memory" in alarm.text
    assert held == 4
    assert desk.link.said() == [("unjournaled", 0)] * 4 + [
        ("afterwards", number) for number in (1, 2, 3, 4)
    ]
    bodies = [body for _, _, body in desk.link.told]
    assert [bodies[place] for place in (0, 3, 2, 1)] == bodies[4:]  # distress, urgency, safety
    assert desk.alarm() is None
    assert desk.teller.owed.lost == 0


def test_a_fault_in_telling_routine_costs_no_call_that_is_with_the_disk():
    """A duty that failed is taken up again, and with it what it had in hand."""

    class Stumbling(FakeLink):
        stumbled = False

        def tell(self, entry):
            if entry.lane is Lane.ROUTINE and not self.stumbled:
                self.stumbled = True
                raise ZeroDivisionError
            super().tell(entry)

    async def story():
        journal, link = FakeJournal(), Stumbling()
        log = structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[])
        board = Board((link,), clock=Clock(), log=log)
        teller = Teller(journal, (link,), board=board, clock=Clock(), log=log)
        journal.mood = "hangs"
        teller.keep([item(1)])
        hung, journal._hung = journal._hung, []
        journal.mood = "well"
        teller.keep([item(2, "routine")])
        with pytest.raises(ExceptionGroup):
            await teller.run()
        journal.mood, journal._hung = "fails", hung
        again = asyncio.create_task(teller.run())
        teller.keep([item(3)])
        async with asyncio.timeout(5):
            while len(link.told) < 2:
                await asyncio.sleep(0.001)
        again.cancel()
        return len(teller.owed), link.said()

    owed, said = asyncio.run(story())

    assert owed == 2
    assert said == [("unjournaled", 0)] * 2


@pytest.mark.usefixtures("quick")
def test_routine_is_told_once_and_owed_by_nobody():
    async def story():
        async with at_work() as desk:
            for mood in ("fails", "sheds", "hangs"):
                desk.journal.mood = mood
                desk.teller.keep([item(1, "routine"), item(2, "routine")])
                told = 2 * (1 + ("fails", "sheds", "hangs").index(mood))
                await desk.until(lambda told=told: len(desk.link.told) == told)
            desk.journal.mood = "well"
            desk.journal.answer()
            await asyncio.sleep(0.05)
            return desk

    desk = asyncio.run(story())

    assert desk.link.said() == [("unjournaled", 0)] * 6
    assert (len(desk.teller.owed), desk.teller.shed) == (0, 2)


@pytest.mark.usefixtures("quick")
def test_routine_that_is_shed_raises_no_alarm_of_its_own():
    async def story():
        async with at_work() as desk:
            desk.journal.mood = "sheds"
            desk.teller.keep([item(1, "routine")])
            await desk.until(lambda: desk.link.told)
            return desk.alarm()

    assert asyncio.run(story()) is None


@pytest.mark.usefixtures("quick")
def test_a_disk_that_hangs_is_asked_once_and_what_it_takes_in_the_end_is_told_again():
    async def story():
        async with at_work() as desk:
            desk.journal.mood = "hangs"
            desk.teller.keep([item(1)])
            await desk.until(lambda: desk.link.told)
            await asyncio.sleep(0.05)
            asked, owed = desk.journal.asked, desk.teller.owed.distress()
            alarm = desk.alarm()
            desk.journal.mood = "well"
            desk.journal.answer()
            await desk.until(lambda: len(desk.link.told) == 2)
            desk.look()
            return asked, owed, alarm, desk

    asked, owed, alarm, desk = asyncio.run(story())

    assert asked == 1
    assert len(owed) == 1
    assert "no answer" in alarm.text
    assert desk.link.said() == [("unjournaled", 0), ("afterwards", 1)]
    assert desk.alarm() is None


@pytest.mark.usefixtures("quick")
def test_what_a_hanging_disk_refuses_in_the_end_is_asked_for_again():
    async def story():
        async with at_work() as desk:
            desk.journal.mood = "hangs"
            desk.teller.keep([item(1)])
            await desk.until(lambda: desk.link.told)
            desk.journal.mood = "fails"
            desk.journal.answer()
            await desk.until(lambda: desk.journal.asked > 3)
            desk.journal.mood = "well"
            await desk.until(lambda: not desk.teller.owed)
            return desk

    desk = asyncio.run(story())

    assert desk.link.said() == [("unjournaled", 0), ("afterwards", 1)]
    assert len(desk.journal.kept) == 1


@pytest.mark.usefixtures("quick")
def test_a_disk_that_takes_one_again_is_asked_for_all(monkeypatch):
    monkeypatch.setattr(telling, "AGAIN_ITEMS", 3)

    async def story():
        async with at_work() as desk:
            desk.journal.mood = "fails"
            for ordinal in range(10):
                desk.teller.keep([item(ordinal)])
            await desk.until(lambda: len(desk.link.told) == 10)
            desk.journal.mood = "well"
            await desk.until(lambda: not desk.teller.owed)
            return desk

    desk = asyncio.run(story())

    assert desk.journal.kept == [item(ordinal) for ordinal in range(10)]


@pytest.mark.usefixtures("quick")
def test_a_disk_that_hangs_raises_the_alarm_without_anybody_heard():
    async def story():
        async with at_work() as desk:
            desk.journal.work = Work(1, 7)
            for half_seconds in range(5):
                desk.look(half_seconds / 2)
            before = desk.alarm()
            desk.look(2.5)
            alarm = desk.alarm()
            desk.journal.work = Work(1, 8)
            desk.look(3.0)
            return before, alarm, desk.alarm()

    before, alarm, after = asyncio.run(story())

    assert before is after is None
    assert "answered nothing" in alarm.text


def test_who_was_stopped_himself_says_nothing_of_the_disk():
    async def story():
        async with at_work() as desk:
            desk.journal.work = Work(1, 7)
            desk.look(0.5)
            desk.look(20.5)  # SIGSTOP and SIGCONT: what it answered meanwhile is heard after this
            return desk.alarm()

    assert asyncio.run(story()) is None


def test_each_step_on_the_way_to_a_full_disk_is_told_once():
    async def story():
        async with at_work() as desk:
            said = []
            for room in ("ample", "low", "low", "short", "full", "short", "ample"):
                desk.journal.room = room
                desk.look()
                said.append(desk.alarm("disk"))
            return said

    said = asyncio.run(story())

    assert [alert and alert.text[:40] for alert in said] == [
        None,
        "3.0 MB left on the journal's disk. Delet",
        "3.0 MB left on the journal's disk. Delet",
        "3.0 MB left on the journal's disk: routi",
        "the journal's disk is full, with 3.0 MB ",
        "3.0 MB left on the journal's disk: routi",
        None,
    ]
    assert said[1] is said[2]


def test_the_alarm_of_a_journal_that_was_not_there_ends_when_it_stands_and_owes_nothing():
    async def story():
        async with at_work() as desk:
            desk.journal.stands = False
            desk.journal.mood = "fails"
            desk.look()
            alarm = desk.alarm()
            desk.teller.keep([item(1, "routine")])
            await desk.until(lambda: desk.link.told)
            desk.journal.stands = True
            desk.look()
            return alarm, desk.alarm()

    alarm, after = asyncio.run(story())

    assert alarm.text == f"no such disk. {IN_MEMORY}"
    assert after is None


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("mood", "event"), [("fails", "entry_lost"), ("hangs", "entry_in_doubt")])
def test_at_the_end_what_is_lost_with_the_program_is_named_in_the_log(mood, event):
    """What the disk has refused is lost; what it never answered for it may yet have."""

    async def story():
        async with at_work() as desk:
            desk.journal.mood = mood
            desk.teller.keep([item(1)])
            await desk.until(lambda: desk.link.told)
            desk.teller.keep([damaged(2)])
            await asyncio.sleep(0)
            desk.teller.keep([item(3)])
            desk.teller.keep([item(4, "routine")])
        await asyncio.wait_for(desk.teller.end(), 1.0)
        desk.teller.say_what_is_lost()
        return [call.kwargs for call in desk.events if call.kwargs["event"].startswith("entry_")]

    lost = asyncio.run(story())

    assert {one["event"] for one in lost} == {event}
    assert [(one["lane"], one.get("report_id"), one.get("port")) for one in lost] == [
        ("distress", f"{1:032x}", None),
        ("distress", f"{3:032x}", None),
        ("urgency", None, "p1"),
    ]


@pytest.mark.usefixtures("quick")
def test_what_the_disk_takes_while_it_is_closed_is_not_called_lost():
    async def story():
        async with at_work() as desk:
            desk.journal.mood = "hangs"
            desk.teller.keep([item(1)])
            await desk.until(lambda: desk.link.told)
            desk.teller.keep([item(2)])
        await desk.teller.end()
        desk.journal.mood = "well"
        desk.journal.answer()
        await asyncio.sleep(0)
        desk.teller.say_what_is_lost()
        return desk

    desk = asyncio.run(story())

    assert len(desk.journal.kept) == 2
    assert not [call for call in desk.events if call.kwargs["event"].startswith("entry_")]


def test_why_there_is_no_journal_is_told_anew_when_it_is_known_better(monkeypatch):
    async def story():
        async with at_work() as desk:
            desk.journal.stands = False
            for trouble in ("no answer", "no answer", "no such disk"):
                monkeypatch.setattr(desk.journal, "trouble", trouble)
                desk.look()
            return [
                call.kwargs["trouble"]
                for call in desk.events
                if call.kwargs["event"] == "alarm_raised"
            ]

    assert asyncio.run(story()) == [f"no answer. {IN_MEMORY}", f"no such disk. {IN_MEMORY}"]


@pytest.mark.usefixtures("quick")
def test_at_the_end_the_disk_is_asked_a_last_time():
    async def story():
        async with at_work() as desk:
            desk.journal.mood = "fails"
            desk.teller.keep([item(1)])
            await desk.until(lambda: desk.link.told)
        desk.teller.keep([item(2)])
        desk.journal.mood = "well"
        desk.teller.keep([item(3)])
        await desk.teller.end()
        await desk.teller.end()
        desk.teller.say_what_is_lost()
        return desk

    desk = asyncio.run(story())

    assert sorted(desk.journal.kept, key=lambda one: one.sighting.report.report_id) == [
        item(1),
        item(2),
        item(3),
    ]
    assert not [call for call in desk.events if call.kwargs["event"].startswith("entry_")]


def test_a_journal_that_stands_after_a_while_is_looked_after(tmp_path, monkeypatch):
    """From a file that can't be opened to one that can; then its reserve is made."""
    monkeypatch.setattr(standing, "RETRY_S", 0.01)
    path = tmp_path / "journal.db"
    path.write_text("what a bad card made of it")

    async def story():
        journal = StandingJournal(
            JournalPlan(path=str(path), reserve_mb=1),
            station="kust",
            links=("shore",),
            clock=Clock(),
        )
        await journal.open()
        assert not journal.stands
        duty = asyncio.ensure_future(journal.run())
        path.unlink()
        async with asyncio.timeout(5):
            while not journal.counts().reserve_bytes:
                await asyncio.sleep(0.005)
        duty.cancel()
        with suppress(asyncio.CancelledError):
            await duty
        await journal.close()

    asyncio.run(story())

    assert Path(f"{path}-reserve").stat().st_size == 1_000_000


def test_lanes_of_what_is_made_here_are_what_the_stories_say():
    assert [lane_of(item(1)), lane_of(damaged(1))] == [Lane.DISTRESS, Lane.URGENCY]


def test_routine_gives_way_until_each_call_is_told_and_no_longer():
    async def play():
        journal = FakeJournal()
        async with at_work(journal) as desk:
            await desk.teller.give_way()
            journal.mood = "hangs"
            desk.teller.keep([item(1)])
            waiting = asyncio.create_task(desk.teller.give_way())
            await asyncio.sleep(0.005)
            assert not waiting.done()
            journal.mood = "well"
            journal.answer()
            await waiting
            return desk.link.said()

    assert asyncio.run(play()) == [("journaled", 1)]


def test_routine_gives_way_to_a_disk_that_hangs_for_a_moment_only(monkeypatch):
    monkeypatch.setattr(telling, "GIVE_WAY_S_MAX", 0.01)

    async def play():
        journal = FakeJournal()
        journal.mood = "hangs"
        async with at_work(journal) as desk:
            desk.teller.keep([item(1)])
            async with asyncio.timeout(JOURNAL_S_MAX / 2):
                await desk.teller.give_way()
            assert desk.link.said() == []

    asyncio.run(play())


def test_what_waits_is_told_in_bites_and_everybody_has_a_turn_between_them():
    async def play():
        async with at_work() as desk:
            for ordinal in range(5 * telling.TOLD_AT_ONCE):
                desk.teller.keep([item(ordinal, "routine")])
            bites, told = [], 0
            while told < 5 * telling.TOLD_AT_ONCE:
                await asyncio.sleep(0)
                bites.append(len(desk.link.told) - told)
                told = len(desk.link.told)
            return [bite for bite in bites if bite]

    bites = asyncio.run(play())
    assert sum(bites) == 5 * telling.TOLD_AT_ONCE
    assert max(bites) == telling.TOLD_AT_ONCE


@pytest.mark.usefixtures("quick")
def test_the_alarm_about_the_disk_is_told_raises_no_other_and_is_journaled_afterwards():
    """What notes that the disk fails is refused by it like all else, and that is no news."""

    async def story():
        async with at_work() as desk:
            desk.journal.mood = "fails"
            desk.teller.keep([item(1)])
            await desk.until(lambda: len(desk.link.told) == 1)
            for _ in range(5):
                desk.teller.keep(desk.board.logbook.due())
                await asyncio.sleep(0.02)
            told = len(desk.link.told)
            desk.look()
            assert desk.alarm(), "it stands for as long as anything is owed"
            desk.journal.mood = "well"
            await desk.until(lambda: not desk.teller.owed)
            desk.look()
            desk.teller.keep(desk.board.logbook.due())
            await desk.until(lambda: len(desk.link.told) == 5)
            return told, desk.journal.kept[1:], desk.link.said()

    told, notes, said = asyncio.run(story())

    assert told == 2, "the call, and the one note"
    assert [type(note) for note in notes] == [AlarmRaised, AlarmCleared]
    assert {note.name for note in notes} == {"journal"}
    assert said[-3:] == [("afterwards", 1), ("afterwards", 2), ("journaled", 3)]


@pytest.mark.usefixtures("quick")
def test_calls_without_end_leave_routine_its_bites(monkeypatch):
    """Where calls never end, as much routine is told at each turn as everybody has to wait for."""
    monkeypatch.setattr(telling, "GIVE_WAY_S_MAX", 0.1)
    batches = 4 * telling.TOLD_AT_ONCE

    async def play():
        async with at_work() as desk:
            monkeypatch.setattr(desk.teller, "give_way", _never_rests(desk.teller))
            for ordinal in range(batches):
                desk.teller.keep([item(ordinal, "routine")])
            await desk.until(lambda: len(desk.link.told) == batches)
            return desk.teller.give_way.turns

    turns = asyncio.run(play())
    assert turns <= 1 + batches // telling.TOLD_AT_ONCE


def _never_rests(_teller):
    async def give_way():
        give_way.turns += 1
        await asyncio.sleep(0.001)

    give_way.turns = 0
    return give_way
