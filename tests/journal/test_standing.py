"""A journal that may have to be waited for keeps nobody waiting, and is there once it can be."""

import asyncio
import contextlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.clock import Clock
from gateway.journal import standing
from gateway.journal.failed import JournalFailed
from gateway.journal.rows import RANKED
from gateway.journal.standing import NO_EPOCH, StandingJournal


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
