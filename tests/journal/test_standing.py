"""A journal that may have to be waited for keeps nobody waiting, and is there once it can be."""

import asyncio
import contextlib
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from incidents_made import incident

from gateway.clock import Clock
from gateway.journal import standing
from gateway.journal.failed import JournalFailed
from gateway.journal.newest import Stood
from gateway.journal.rows import RANKED
from gateway.journal.standing import NO_ANSWER, NO_EPOCH, StandingJournal
from gateway.journal.store import Disk
from gateway.model.incident import IncidentNote
from gateway.points import listening


@pytest.fixture
def stood(house, plan, monkeypatch):
    """Tell a story of a journal that is looked for all the time."""
    monkeypatch.setattr(standing, "RETRY_S", 0.01)
    monkeypatch.setattr(standing, "LOOK_S", 0.01)

    def stood(story):
        async def told():
            journal = StandingJournal(plan, station="kust", links=house.links, clock=Clock())
            await journal.open()
            async with asyncio.TaskGroup() as group:
                duty = group.create_task(journal.run())
                try:
                    return await story(journal)
                finally:
                    duty.cancel()
                    await journal.close()

        return house.run(told())

    return stood


async def everything(journal):
    """Ask a journal all that it may be asked."""
    return (
        journal.stands,
        journal.epoch,
        journal.number_last,
        journal.work.settled,
        len(list(journal.bounds())),
        [entry.number for entry in await journal.pending("shore", RANKED, limit=9)],
        [entry.number for entry in await journal.entries(limit=9)],
        await journal.damaged(first=1, last=9),
        journal.counts().outbox,
    )


def test_a_disk_that_cant_be_had_fails_each_item_and_answers_each_question(stood, house, plan):
    """And keeps none waiting; then it is there, without anybody's doing."""
    folder = Path(plan.path).parent
    folder.write_text("a file where the folder should be")

    async def story(journal):
        await journal.room()
        await journal.strike("shore", [1])
        with pytest.raises(JournalFailed, match="name a file in a folder"):
            await journal.append([house.ruling(1, "distress")])
        before = await everything(journal)
        failures = journal.counts().failures
        folder.unlink()
        async with asyncio.timeout(10):
            while not journal.stands:
                await asyncio.sleep(0.01)
        await journal.append([house.ruling(1, "distress"), house.refusal(2)])
        await journal.room()
        await journal.strike("local", [1])
        after = await everything(journal)
        return before, failures, after, journal.counts()

    before, failures, after, counts = stood(story)

    assert before == (False, NO_EPOCH, 0, 0, 0, [], [], (), {"shore": 0, "local": 0})
    assert failures > 0
    assert (after[0], after[2], after[5:]) == (True, 2, ([1], [1, 2], (), {"shore": 1, "local": 0}))
    assert counts.number_last == 2


def test_somebody_elses_file_stops_the_start(stood, plan):
    """Waiting mends no mistake."""
    path = Path(plan.path)
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE person (name)")

    with pytest.raises(JournalFailed, match="another program"):
        stood(contextlib.nullcontext)


class Hang:
    """A disk that answers nothing while a journal is opened, until it is let go."""

    def __init__(self):
        self.openings = 0
        self._gate = threading.Event()

    def __call__(self, point):
        if point == "journal.opened":
            self.openings += 1
            self._gate.wait(20)

    def let_go(self):
        self._gate.set()


@pytest.fixture
def hang(monkeypatch):
    """A disk that hangs from the start, with a watch that waits for it only a moment."""
    monkeypatch.setattr(standing, "OPEN_S_MAX", 0.05)
    held = Hang()
    with listening(held):
        yield held
        held.let_go()


def test_a_disk_that_hangs_at_the_opening_keeps_nobody_waiting_and_is_opened_once(
    stood, house, hang
):
    """What is asked of it meanwhile fails at once; when it comes it is the one that was begun."""

    async def story(journal):
        with pytest.raises(JournalFailed, match="could not be opened in 2 s"):
            await journal.append([house.ruling(1, "distress")])
        before, reason = await everything(journal), journal.counts().last_failure
        await asyncio.sleep(10 * standing.RETRY_S)
        hang.let_go()
        async with asyncio.timeout(10):
            while not journal.stands:
                await asyncio.sleep(0.01)
        await journal.append([house.ruling(1, "distress")])
        return before, reason, await journal.entries(limit=9)

    before, reason, entries = stood(story)

    assert before == (False, NO_EPOCH, 0, 0, 0, [], [], (), {"shore": 0, "local": 0})
    assert reason == NO_ANSWER
    assert [entry.number for entry in entries] == [1]
    assert hang.openings == 1


def test_an_opening_that_is_given_up_leaves_nothing_open(house, plan, hang):
    """The next one gets the file, as it was made."""

    async def again():
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(JournalFailed):
                    async with house.opened(plan) as journal:
                        return await journal.append([house.ruling(1, "distress")])
                await asyncio.sleep(0.01)

    async def both():
        journal = StandingJournal(plan, station="kust", links=house.links, clock=Clock())
        await journal.open()
        await journal.close()
        hang.let_go()
        return await again()

    [entry] = house.run(both())

    assert entry.number == 1


@pytest.mark.parametrize("loop_lives", [True, False], ids=["failed", "loop-gone"])
def test_an_opening_that_comes_to_nothing_after_it_was_given_up_disturbs_nobody(
    plan, house, monkeypatch, hang, loop_lives
):
    """Not even when the loop is gone by then: what was opened is closed all the same."""
    closed = threading.Event()
    monkeypatch.setattr(Disk, "close", lambda disk: (disk._held.close(), closed.set()))

    def fail(point):
        if point == "journal.opened" and loop_lives:
            raise OSError(5, "Input/output error")

    async def story():
        journal = StandingJournal(plan, station="kust", links=house.links, clock=Clock())
        await journal.open()
        await journal.close()
        if loop_lives:
            hang.let_go()
            while any(one.name == "journal opening" for one in threading.enumerate()):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0)
        return journal.stands

    with listening(fail):
        assert house.run(story()) is False
    hang.let_go()
    assert loop_lives or closed.wait(10)


def test_a_journal_that_came_while_the_watch_ended_is_closed(plan, house, hang):
    async def story():
        journal = StandingJournal(plan, station="kust", links=house.links, clock=Clock())
        await journal.open()
        hang.let_go()
        async with asyncio.timeout(10):
            while not journal._attempt.done():
                await asyncio.sleep(0.01)
        await journal.close()
        async with house.opened(plan) as again:
            return journal.stands, again.epoch == journal.epoch

    assert house.run(story()) == (True, True)


def test_somebody_elses_file_found_late_ends_no_watch_and_is_told(stood, plan):
    """Whoever moves it away mends it: the station goes on telling meanwhile."""
    path = Path(plan.path)
    path.parent.write_text("a file where the folder should be")

    def put_there():
        path.parent.unlink()
        path.parent.mkdir()
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE person (name)")

    def move_away():
        path.unlink()

    async def until(found):
        async with asyncio.timeout(10):
            while not found():
                await asyncio.sleep(0.01)

    async def story(journal):
        put_there()
        await until(lambda: "another program" in journal.counts().last_failure)
        move_away()
        await until(lambda: journal.stands)

    stood(story)

    assert path.stat().st_size


def test_a_journal_that_never_stood_is_closed_without_ado(stood, plan):
    Path(plan.path).parent.write_text("a file where the folder should be")

    async def story(journal):
        return journal.stands

    assert stood(story) is False


def test_the_numbers_of_damaged_rows_are_told(stood, house, plan):
    async def story(journal):
        await journal.append([house.ruling(n, "distress") for n in range(5)])
        with closing(sqlite3.connect(plan.path, isolation_level=None)) as db:
            db.execute("UPDATE entry SET body = x'81' WHERE number IN (2, 4)")
        await journal.entries(limit=9)
        return await journal.damaged(first=1, last=3)

    assert stood(story) == (2,)


def test_what_stood_is_nothing_until_the_journal_is_there_and_then_what_it_holds(
    stood, house, plan
):
    note = IncidentNote(incident=incident(incident_id="a"), change="it has moved")
    folder = Path(plan.path).parent

    async def earlier():
        async with house.opened(plan) as journal:
            await journal.append([note])

    house.run(earlier())
    folder.rename(folder.with_name("away"))
    folder.write_text("a file where the folder should be")

    async def story(journal):
        before = await journal.stood(limit=9)
        folder.unlink()
        folder.with_name("away").rename(folder)
        async with asyncio.timeout(10):
            while not journal.stands:
                await asyncio.sleep(0.01)
        return before, await journal.stood(limit=9)

    before, after = stood(story)

    assert before == Stood((), damaged=0, unread=0, after=None)
    assert [one for _, one in after.notes] == [note]
