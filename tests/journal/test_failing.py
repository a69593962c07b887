"""What the journal promises when the disk, or the program around it, is not well."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.journal import store, writer
from gateway.journal.store import JournalFailed
from gateway.model.entry import Lane
from gateway.model.plan import JournalPlan


@pytest.fixture
def impatient(monkeypatch):
    """A journal that gives up on somebody else's lock at once."""
    monkeypatch.setattr(store, "BUSY_S_MAX", 0.0)


@contextmanager
def somebody_elses_lock(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.usefixtures("impatient")
def test_a_failed_transaction_is_told_uses_up_no_number_and_the_next_one_is_tried(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1, "distress")])
            with somebody_elses_lock(plan.path):
                lost = journal.append([house.ruling(2, "distress")])
                with pytest.raises(JournalFailed, match="locked") as caught:
                    await lost
            failed = journal.counts()
            (entry,) = await journal.append([house.ruling(3, "distress")])
            return caught.value, failed, entry.number, journal.counts()

    failure, failed, number, after = house.run(story())

    assert failure.path == plan.path
    assert str(failure) == f"journal {plan.path}: database is locked"
    assert (failed.failures, failed.last_failure) == (1, "database is locked")
    assert (failed.number_last, failed.rows["distress"], failed.backlog) == (1, 1, 0)
    assert number == 2
    assert (after.rows["distress"], after.outbox) == (2, {"shore": 2, "local": 2})


def test_whatever_breaks_within_a_transaction_none_of_it_is_kept(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1)])
            journal._disk._db.execute("ALTER TABLE refused RENAME TO elsewhere")
            good = journal.append([house.ruling(2, "distress")])
            bad = journal.append([house.refusal(3)])
            told = await asyncio.gather(good, bad, return_exceptions=True)
            journal._disk._db.execute("ALTER TABLE elsewhere RENAME TO refused")
            await journal.append([house.refusal(4)])
            entries = await journal.entries(limit=9)
            return told, [entry.number for entry in entries], journal.counts().outbox

    told, kept, outbox = house.run(story())

    assert kept in ([1, 2], [1, 2, 3])  # the two calls shared a transaction, or did not
    assert isinstance(told[1], JournalFailed)
    assert isinstance(told[0], JournalFailed) == (kept == [1, 2])
    assert outbox["shore"] == len(kept) - 2


def test_a_question_that_the_disk_cant_answer_fails_and_the_next_one_is_answered(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            journal._disk._db.execute("ALTER TABLE unread RENAME TO elsewhere")
            with pytest.raises(JournalFailed, match="unread"):
                await journal.entries(limit=1)
            journal._disk._db.execute("ALTER TABLE elsewhere RENAME TO unread")
            return await journal.entries(limit=1)

    assert house.run(story()) == ()


def test_a_failure_without_words_is_told_by_its_name(plan, house, monkeypatch):
    def out_of_memory(_disk):
        raise MemoryError

    async def story():
        async with house.opened(plan) as journal:
            with monkeypatch.context() as patch:
                patch.setattr(store.Disk, "_trim", out_of_memory)
                with pytest.raises(JournalFailed, match="MemoryError"):
                    await journal.append([house.ruling(1)])
            (entry,) = await journal.append([house.ruling(2)])
            return entry.number

    assert house.run(story()) == 1


async def tried(future):
    await asyncio.wait({future})
    return future.exception()


def test_a_full_disk_fails_loudly_and_the_journal_goes_on_by_itself_once_there_is_space(
    tmp_path, house
):
    folder = tmp_path / "small"
    plan = JournalPlan(path=str(folder / "journal.db"))

    async def story():
        async with house.opened(plan) as journal:
            ballast = folder / "ballast"
            ballast.write_bytes(bytes(400_000))
            taken, batch = 0, [house.ruling(1, "distress")] * 10
            while not (failure := (await tried(journal.append(batch)))):
                taken += 10
            before = await journal.entries(limit=100_000)
            ballast.unlink()
            (after,) = await journal.append(batch[:1])
            return taken, before, after.number, failure.reason

    with house.mounted(folder, "size=1m"):
        taken, before, number, reason = house.run(story())

        async def again():
            async with house.opened(plan) as journal:
                return await journal.pending("shore", (Lane.DISTRESS,), limit=100_000)

        kept = house.run(again())

    assert taken > 0
    assert reason == "database or disk is full"
    assert [entry.number for entry in before] == list(range(1, taken + 1))
    assert number == taken + 1
    assert len(kept) == taken + 1


def test_a_hanging_disk_stops_nobodys_ears(plan, house, monkeypatch):
    monkeypatch.setattr(store, "BUSY_S_MAX", 20.0)
    monkeypatch.setattr(writer, "ROOM_S_MAX", 0.05)

    async def story():
        async with house.opened(plan) as journal:
            with somebody_elses_lock(plan.path):
                routine = [house.ruling(n) for n in range(writer.ROUTINE_BACKLOG_MAX)]
                distress = [house.ruling(n, "distress") for n in range(64)]
                waiting = [journal.append(routine)]
                await asyncio.wait_for(journal.room(), 1.0)
                with pytest.raises(JournalFailed, match="too slow: 16384 items"):
                    await journal.append(routine[:1])
                waiting.append(journal.append(distress))
                rest = writer.BACKLOG_FULL - journal.backlog
                waiting.append(journal.append([distress[0], *routine, *routine][:rest]))
                with pytest.raises(JournalFailed, match="too slow: 32768 items"):
                    await journal.append(distress[:1])
                assert not any(future.done() for future in waiting)
            return [len(await future) for future in waiting], journal.backlog

    taken, backlog = house.run(story())

    assert sum(taken) == writer.BACKLOG_FULL
    assert backlog == 0


def test_waiting_for_room_ends_as_soon_as_there_is_some(plan, house, monkeypatch):
    monkeypatch.setattr(store, "BUSY_S_MAX", 20.0)
    monkeypatch.setattr(writer, "ROOM_S_MAX", 20.0)

    async def story():
        async with house.opened(plan) as journal:
            with somebody_elses_lock(plan.path):
                told = journal.append([house.ruling(n) for n in range(writer.BACKLOG_MAX)])
                room = asyncio.ensure_future(journal.room())
                await asyncio.sleep(0.05)
                had_to_wait = not room.done()
            await room
            return had_to_wait, told.done()

    assert house.run(story()) == (True, True)


def test_a_loop_that_died_without_closing_leaves_what_was_handed_over_on_disk(plan, house):
    async def dies():
        journal = await store.Journal.open(
            plan, station="kust", links=house.links, clock=store.Clock()
        )
        await journal.append([house.ruling(1, "distress")])
        return journal

    journal = house.run(dies())
    journal._writer.write(lambda: journal._disk.append([]), _nobody())
    journal._writer._inbox.put(None)
    journal._writer._thread.join(timeout=10)
    journal._disk.close()

    async def story():
        async with house.opened(plan) as again:
            return [entry.number for entry in await again.entries(limit=9)]

    assert not journal._writer._thread.is_alive()
    assert house.run(story()) == [1]


def _nobody():
    loop = asyncio.new_event_loop()
    try:
        return loop.create_future()
    finally:
        loop.close()


APPENDER = """
import asyncio, runpy, sys

house = runpy.run_path(sys.argv[1])

async def main():
    plan = house["JournalPlan"](path=sys.argv[2])
    async with house["opened"](plan) as journal:
        n = 0
        while True:
            items = [house["ruling"](n, "distress"), house["ruling"](n), house["refusal"](n)]
            for entry in await journal.append(items):
                print(entry.number, flush=True)
            n += 1

asyncio.run(main())
"""


@pytest.mark.parametrize("numbers_seen", [1, 50, 400])
def test_a_killed_gateway_has_every_number_that_it_had_told(plan, house, numbers_seen):
    """A kill -9 loses nothing whose future had resolved, and the numbering has no gap."""
    child = subprocess.Popen(  # words of ours
        [
            sys.executable,
            "-c",
            APPENDER,
            str(Path(__file__).with_name("conftest.py")),
            plan.path,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        told = [int(child.stdout.readline()) for _ in range(numbers_seen)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout if line.endswith("\n")]

    async def story():
        async with house.opened(plan) as journal:
            (after,) = await journal.append([house.ruling(0)])
            kept = [entry.number for entry in await journal.entries(limit=1_000_000)]
            owed = await journal.pending("shore", (Lane.DISTRESS,), limit=1_000_000)
            return after.number, kept, [entry.number for entry in owed]

    after, kept, owed = house.run(story())

    assert set(told) <= set(kept)
    assert kept == list(range(1, after + 1))
    assert set(range(1, told[-1] + 1, 3)) <= set(owed)
