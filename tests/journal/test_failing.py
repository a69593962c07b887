"""What the journal promises when the disk, or the program around it, is not well."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.clock import Clock
from gateway.journal import front, shelves, sql, store, writer
from gateway.journal.failed import JournalFailed
from gateway.journal.proving import proof_of
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


@contextmanager
def broken(journal, table):
    """A table that nothing can be put into or read from."""
    db = journal._disk._db
    db.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
    yield
    db.execute(f"ALTER TABLE elsewhere RENAME TO {table}")


@contextmanager
def held_up(journal):
    """The thread waits, so that all that is asked for comes into one transaction."""
    waiting, gate = threading.Event(), threading.Event()

    def wait():
        waiting.set()
        return gate.wait()

    journal._writer.read(wait, asyncio.get_running_loop().create_future())
    waiting.wait()
    yield
    gate.set()


def test_one_broken_table_takes_no_distress_with_it(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            with broken(journal, "refused"):
                with held_up(journal):
                    told = [
                        journal.append([house.ruling(1), house.refusal(2)]),
                        journal.append([house.ruling(3)]),
                        journal.append([house.refusal(4)]),
                        journal.append([house.ruling(5, "distress")]),
                    ]
                found = await asyncio.gather(*told, return_exceptions=True)
            await journal.append([house.refusal(6)])
            entries = await journal.entries(limit=9)
            return found, entries, journal.counts()

    (first, routine, refused, distress), entries, counts = house.run(story())

    assert isinstance(first, JournalFailed)  # all of a call or nothing of it
    assert isinstance(refused, JournalFailed)
    assert [entry.number for entry in distress] == [1]  # tried first
    assert [entry.number for entry in routine] == [2]
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert (counts.outbox["shore"], counts.backlog, counts.failures) == (1, 0, 3)


def test_a_disk_that_refuses_each_alone_is_not_asked_for_ever(plan, house):
    calls = 5 * writer.RETRY_FAILURES_MAX

    async def story():
        async with house.opened(plan) as journal:
            with broken(journal, "refused"):
                with held_up(journal):
                    told = [journal.append([house.refusal(n)]) for n in range(calls)]
                found = await asyncio.gather(*told, return_exceptions=True)
            return found, journal.counts()

    found, counts = house.run(story())

    assert all(isinstance(failure, JournalFailed) for failure in found)
    assert (counts.failures, counts.backlog) == (1 + writer.RETRY_FAILURES_MAX, 0)


@pytest.mark.usefixtures("impatient")
def test_what_never_began_is_not_tried_piece_by_piece(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            with somebody_elses_lock(plan.path):
                with held_up(journal):
                    told = [journal.append([house.ruling(n, "distress")]) for n in range(9)]
                await asyncio.gather(*told, return_exceptions=True)
            return journal.counts().failures

    assert house.run(story()) == 1


def test_a_ring_that_cant_be_tidied_costs_nobody_a_commit(plan, house, monkeypatch):
    plan = msgspec.structs.replace(plan, routine_rows_max=1)

    async def story():
        async with house.opened(plan) as journal:
            with monkeypatch.context() as patch:
                patch.setitem(sql.RING_EDGE, "routine", "SELECT 1 FROM nowhere LIMIT ?")
                await journal.append([house.ruling(n) for n in range(3)])
            failed = journal.counts()
            patch.setitem(sql.TRIM_RING, "routine", "DELETE FROM routine WHERE number <= ? + 9")
            await journal.append([house.ruling(4, "distress")])
            too_many = journal.counts()
            patch.undo()
            await journal.append([])
            return failed, too_many, journal.counts()

    failed, too_many, after = house.run(story())

    assert (failed.rows["routine"], failed.failures) == (3, 1)
    assert failed.last_failure == "no such table: nowhere"
    assert (too_many.rows["routine"], too_many.rows["distress"]) == (3, 1)
    assert too_many.last_failure == "the ring routine is out of order"
    assert (after.rows["routine"], after.failures) == (1, 2)


def test_a_ring_that_cant_be_tidied_leaves_no_doubt_about_what_is_owed(plan, house, monkeypatch):
    plan = msgspec.structs.replace(plan, routine_rows_max=1)

    async def story():
        async with house.opened(plan) as journal:
            with monkeypatch.context() as patch:
                patch.setitem(sql.RING_EDGE, "routine", "SELECT 1 FROM nowhere LIMIT ?")
                await journal.append([house.ruling(1, "distress"), *map(house.ruling, (2, 3))])
            return journal.counts().failures

    assert house.run(story()) == 1
    assert proof_of(plan.path).holds


def test_a_chore_that_ends_the_transaction_fails_it_as_a_whole(plan, house, monkeypatch):
    """Of some errors SQLite makes an end itself: then nothing of it was kept, and it is said."""
    plan = msgspec.structs.replace(plan, routine_rows_max=1)

    def gives_up(self, _ring):
        self._db.execute("ROLLBACK")
        raise OSError(5, "Input/output error")

    async def story():
        async with house.opened(plan) as journal:
            with monkeypatch.context() as patch:
                patch.setattr(shelves.Shelves, "trim_ring", gives_up)
                lost = journal.append([house.ruling(n) for n in range(3)])
                with pytest.raises(JournalFailed, match="Input/output error"):
                    await lost
            (entry,) = await journal.append([house.ruling(4)])
            return entry.number, journal.counts().rows["routine"]

    assert house.run(story()) == (1, 1)


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
                patch.setattr(shelves.Shelves, "seal", out_of_memory)
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
        journal = await front.Journal.open(plan, station="kust", links=house.links, clock=Clock())
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
