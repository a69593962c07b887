"""The room that the journal has: a reserve is held for distress, and routine goes first."""

import asyncio
import errno
import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.journal import space, store, writer
from gateway.journal.failed import JournalFailed
from gateway.journal.space import LOW_BYTES_MAX, OPEN_BYTES, PROBE_BYTES, SHED_NS, Space
from gateway.model.plan import JournalPlan
from gateway.points import listening

RESERVE = 1_000_000
LARGE = 10**12


class Disk:
    """What a file system says of itself, as a test sets it; the reserve takes its part."""

    def __init__(self, reserve):
        self._reserve = reserve
        self.total = 100 * RESERVE
        self.left = 50 * RESERVE
        self.broken = False

    def statvfs(self, _folder):
        if self.broken:
            raise OSError(5, "Input/output error")
        taken = RESERVE if self._reserve.exists() else 0
        free = self.left - taken
        return SimpleNamespace(
            f_frsize=1, f_bavail=free, f_bfree=free + 10, f_blocks=self.total + 10
        )


@pytest.fixture
def disk(tmp_path, monkeypatch):
    disk = Disk(tmp_path / "journal.db-reserve")
    monkeypatch.setattr(space.os, "statvfs", disk.statvfs)
    return disk


@pytest.fixture
def room(tmp_path, clock, disk):
    assert disk
    made = Space(str(tmp_path / "journal.db"), reserve_bytes=RESERVE, clock=clock)
    made.found()
    return made


def test_the_reserve_is_made_of_real_blocks_where_there_is_room_for_it(tmp_path, room):
    assert (room.held_bytes, room.room) == (0, "ample")

    room.look()
    stat = (tmp_path / "journal.db-reserve").stat()

    assert (room.held_bytes, room.free_bytes) == (RESERVE, 49 * RESERVE)
    assert stat.st_size == RESERVE
    assert stat.st_blocks * 512 >= RESERVE
    assert stat.st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("total", "left", "held", "expected"),
    [
        (100, 50, True, "ample"),
        (100, 22, True, "ample"),
        (100, 20, True, "low"),
        (100, 2, True, "low"),
        (100, 1.9, False, "low"),
        (100, 0.9, False, "short"),
        (LARGE // RESERVE, LOW_BYTES_MAX // RESERVE + 2, True, "ample"),
        (LARGE // RESERVE, LOW_BYTES_MAX // RESERVE, True, "low"),
    ],
)
def test_each_step_on_the_way_to_a_full_disk_has_its_word(disk, room, total, left, held, expected):
    disk.total, disk.left = total * RESERVE, int(left * RESERVE)
    room.look()

    assert (room.held_bytes > 0, room.room) == (held, expected)


def test_routine_is_shed_before_the_room_is_gone_and_taken_again_once_there_is_twice_as_much(
    disk, room
):
    seen = []
    for left in (50, 2, 1.9, 2.1, 2.9, 3.0, 1.9):
        disk.left = int(left * RESERVE)
        room.look()
        seen.append((room.held_bytes > 0, room.short))

    assert seen == [
        (True, False),
        (True, False),
        (True, True),
        (True, True),
        (True, True),
        (True, False),
        (True, True),
    ]


def test_the_reserve_is_given_up_for_the_urgent_alone_and_once(tmp_path, room):
    room.look()

    assert room.ran_out(urgent=False) is False
    assert (room.short, room.held_bytes, room.room) == (True, RESERVE, "short")
    assert room.ran_out(urgent=True) is True
    assert (room.held_bytes, room.room) == (0, "full")
    assert not (tmp_path / "journal.db-reserve").exists()
    assert room.ran_out(urgent=True) is False


def test_a_reserve_of_another_size_is_given_up(tmp_path, clock, room):
    room.look()
    smaller = Space(str(tmp_path / "journal.db"), reserve_bytes=RESERVE // 2, clock=clock)

    smaller.found()

    assert smaller.held_bytes == 0
    assert not (tmp_path / "journal.db-reserve").exists()


def test_it_is_made_again_by_itself_and_routine_taken_again_after_a_while(clock, disk, room):
    room.look()
    disk.left = RESERVE // 10
    room.ran_out(urgent=True)
    room.look()
    assert (room.room, room.held_bytes) == ("full", 0)
    disk.left = 50 * RESERVE

    room.look()
    assert (room.room, room.held_bytes) == ("short", RESERVE)
    clock.mono_h += SHED_NS / 3600e9
    room.look()
    assert room.room == "ample"


def test_a_reserve_that_cant_be_made_leaves_nothing_behind_and_no_routine_shed_for_ever(
    tmp_path, clock, disk, room, monkeypatch
):
    def refuses(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(space.os, "posix_fallocate", refuses)
    room.look()
    assert room.held_bytes == 0
    assert not (tmp_path / "journal.db-reserve").exists()
    room.ran_out(urgent=True)
    clock.mono_h += SHED_NS / 3600e9
    disk.left = int(2.9 * RESERVE)
    room.look()
    assert room.short
    disk.left = 3 * RESERVE
    room.look()
    assert not room.short


def test_a_disk_that_says_nothing_of_itself_changes_nothing(disk, room):
    room.look()
    disk.broken = True
    before = (room.room, room.free_bytes, room.held_bytes)
    room.look()

    assert (room.room, room.free_bytes, room.held_bytes) == before


def test_before_anything_is_known_nothing_is_done(tmp_path, clock, disk):
    disk.broken = True
    unknown = Space(str(tmp_path / "journal.db"), reserve_bytes=RESERVE, clock=clock)
    unknown.found()
    unknown.look()

    assert (unknown.free_bytes, unknown.held_bytes, unknown.short) == (None, 0, False)


@pytest.mark.parametrize(
    ("sizes", "left", "expected"),
    [
        ((RESERVE, RESERVE), 50 * RESERVE, "held"),
        ((RESERVE, RESERVE), RESERVE + OPEN_BYTES - 1, "released"),
        ((RESERVE, 0), 50 * RESERVE, "made anew"),  # holes hold nothing
        ((RESERVE // 2, RESERVE // 2), 50 * RESERVE, "made anew"),  # of another configuration
    ],
)
def test_the_reserve_of_an_earlier_run_is_taken_over_or_given_up_where_nothing_could_be_opened(
    tmp_path, clock, disk, sizes, left, expected
):
    size, allocated = sizes
    reserve = tmp_path / "journal.db-reserve"
    with reserve.open("wb") as file:
        os.truncate(file.fileno(), size)
        if allocated:
            os.posix_fallocate(file.fileno(), 0, allocated)
    disk.left = left
    again = Space(str(tmp_path / "journal.db"), reserve_bytes=RESERVE, clock=clock)
    again.found()

    assert (again.held_bytes > 0) is (expected == "held")
    assert (again.room == "full") is (expected == "released")
    again.look()
    assert reserve.exists() is (again.held_bytes > 0) is (expected != "released")


def full_error(code=sqlite3.SQLITE_FULL):
    """As SQLite says it, with its number."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@contextmanager
def full_until_released(reserve, *, always=False, code=sqlite3.SQLITE_FULL):
    """A disk that refuses every commit for as long as the reserve takes up its room."""

    def refuse(point):
        if point == "journal.sealed" and (always or reserve.exists()):
            raise full_error(code)

    with listening(refuse):
        yield


@pytest.fixture
def small(plan, monkeypatch):
    monkeypatch.setattr(store, "MB", 10_000)
    return plan


def test_on_a_full_disk_distress_goes_on_being_journaled_and_routine_is_shed(small, house):
    reserve = Path(f"{small.path}-reserve")

    async def story():
        async with house.opened(small) as journal:
            await journal.look()
            before = journal.counts()
            with full_until_released(reserve):
                with pytest.raises(JournalFailed, match="full") as caught:
                    await journal.append([house.ruling(1)])
                (entry,) = await journal.append([house.ruling(2, "distress")])
                with pytest.raises(JournalFailed, match="nearly full") as shed:
                    await journal.append([house.ruling(3)])
                await journal.strike("shore", [entry.number])
                both = await journal.append([house.ruling(4), house.ruling(5, "urgency")])
            return before, caught.value, entry.number, shed.value, both, journal.counts()

    before, failure, number, shed, both, after = house.run(story())

    assert before.reserve_bytes == 80_000
    assert (failure.full, failure.shed) == (True, False)
    assert (shed.full, shed.shed) == (False, True)
    assert number == 1
    assert [entry.number for entry in both] == [2, 3]  # a call is kept whole
    assert (after.reserve_bytes, after.room, after.failures) == (0, "full", 2)
    assert after.rows["routine"] == 1


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE])
@pytest.mark.parametrize("errno_", [errno.EDQUOT, errno.EIO, None])
def test_a_quota_is_told_from_a_bad_disk_and_gives_up_the_reserve(
    small, house, monkeypatch, code, errno_
):
    """To SQLite both are an I/O error. Only the quota's refuses any other file room too."""
    reserve = Path(f"{small.path}-reserve")
    whole, asked = os.posix_fallocate, []

    def fallocate(file, start, length):
        if length == PROBE_BYTES:
            asked.append(length)
            if errno_ is not None:
                raise OSError(errno_, os.strerror(errno_))
        whole(file, start, length)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)

    async def story():
        async with house.opened(small) as journal:
            await journal.look()
            with full_until_released(reserve, code=code):
                try:
                    return await journal.append([house.ruling(2, "distress")])
                except JournalFailed as failed:
                    return failed
                finally:
                    assert set(reserve.parent.iterdir()) <= {
                        reserve, *(Path(f"{small.path}{end}") for end in ("", "-wal", "-shm"))
                    }  # fmt: skip

    found = house.run(story())

    assert asked == [PROBE_BYTES]
    if errno_ == errno.EDQUOT:
        assert [entry.number for entry in found] == [1]
        assert not reserve.exists()
    else:
        assert found.unwritten
        assert reserve.exists()


def test_what_a_quota_leaves_is_not_for_routine_until_the_reserve_stands_again(
    clock, disk, room, monkeypatch
):
    """A quota shows in no figure: the disk seems to have room all the time."""
    whole, over = os.posix_fallocate, True

    def fallocate(file, start, length):
        if over:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        whole(file, start, length)

    room.look()
    room.ran_out(urgent=True)
    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    seen = []
    for still in (True, True, False):
        over = still
        clock.mono_h += SHED_NS / 3600e9
        room.look()
        seen.append((room.room, room.held_bytes, room.refuses()))

    assert disk.left == 50 * RESERVE
    assert seen == [("full", 0, True), ("full", 0, True), ("ample", RESERVE, False)]


def test_what_waits_together_on_a_full_disk_is_kept_but_for_the_routine(small, house):
    """The reserve is there for the distress of the same transaction, whoever came first."""
    reserve = Path(f"{small.path}-reserve")

    async def story():
        async with house.opened(small) as journal:
            await journal.look()
            with full_until_released(reserve):
                gate = asyncio.Event()
                loop = asyncio.get_running_loop()
                held = loop.create_future()
                hold = asyncio.run_coroutine_threadsafe
                journal._writer.read(lambda: hold(gate.wait(), loop).result(), held)
                told = [
                    journal.append([house.ruling(n, urgency)])
                    for n, urgency in enumerate(["routine", "routine", "distress", "routine"])
                ]
                gate.set()
                return await asyncio.gather(*told, return_exceptions=True), journal.counts()

    (first, second, distress, last), counts = house.run(story())

    assert [entry.number for entry in distress] == [1]
    assert all(isinstance(one, JournalFailed) and one.shed for one in (first, second, last))
    assert counts.room == "full"


def test_when_the_reserve_is_full_too_the_distress_fails_and_is_never_said_to_be_kept(small, house):
    async def story():
        async with house.opened(small) as journal:
            await journal.look()
            with full_until_released(None, always=True):
                with pytest.raises(JournalFailed, match="full"):
                    await journal.append([house.ruling(1, "distress")])
                with pytest.raises(JournalFailed, match="full"):
                    await journal.strike("shore", [1])
            (entry,) = await journal.append([house.ruling(2, "distress")])
            return entry.number, journal.counts()

    number, counts = house.run(story())

    assert number == 1
    assert (counts.failures, counts.room) == (3, "full")


def test_once_there_is_room_again_routine_is_journaled_and_the_reserve_stands(
    small, house, monkeypatch
):
    monkeypatch.setattr(space, "SHED_NS", 0)

    async def story():
        async with house.opened(small) as journal:
            await journal.look()
            with full_until_released(Path(f"{small.path}-reserve")):
                await journal.append([house.ruling(1, "distress")])
            await journal.look()
            (entry,) = await journal.append([house.ruling(2)])
            return entry.number, journal.counts()

    number, counts = house.run(story())

    assert number == 2
    assert (counts.room in ("ample", "low"), counts.reserve_bytes) == (True, 80_000)


def test_a_disk_without_room_is_tidied_where_that_can_cost_no_distress_its_commit(
    small, house, monkeypatch
):
    monkeypatch.setattr(store, "TIDY_APART_NS", 0)
    tidied = []

    def listen(point):
        tidied.extend([point] if point == "journal.tidied" else [])

    async def story():
        async with house.opened(small) as journal:
            journal._disk._space.ran_out(urgent=False)
            with listening(listen):
                await journal.append([house.ruling(1, "distress")])
                before = len(tidied)
                await journal.look()
                with monkeypatch.context() as patch:
                    patch.setattr(store.Disk, "_tidy", _broken)
                    await journal.look()
            return before, len(tidied), journal.counts()

    before, after, counts = house.run(story())

    assert (before, after) == (0, 1)
    assert (counts.failures, counts.rows["distress"]) == (1, 1)


def _broken(_self):
    raise full_error()


def test_questions_that_nobody_waits_for_are_not_asked_and_no_more_are_taken_than_bounded(
    plan, house
):
    async def story():
        async with house.opened(plan) as journal:
            gate = asyncio.Event()
            loop = asyncio.get_running_loop()
            hold = asyncio.run_coroutine_threadsafe
            journal._writer.read(lambda: hold(gate.wait(), loop).result(), loop.create_future())
            asked = []
            journal._disk.entries = lambda **_asked: asked.append(1) or ()
            for _ in range(writer.QUESTIONS_MAX - 1):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(journal.entries(limit=1), 0.0001)
            with pytest.raises(JournalFailed, match="64 questions wait"):
                await journal.entries(limit=1)
            gate.set()
            while journal._writer.questions:
                await asyncio.sleep(0.001)
            await journal.entries(limit=1)
            return asked

    assert house.run(story()) == [1]


def test_a_disk_that_hangs_does_not_keep_the_program_from_ending(plan, house, monkeypatch):
    monkeypatch.setattr("gateway.journal.front.CLOSE_S_MAX", 0.05)

    async def story():
        async with house.opened(plan) as journal:
            gate = asyncio.Event()
            loop = asyncio.get_running_loop()
            hold = asyncio.run_coroutine_threadsafe
            journal._writer.read(lambda: hold(gate.wait(), loop).result(), loop.create_future())
            await asyncio.wait_for(journal.close(), 1.0)
            hung = journal._writer._thread.is_alive()
            gate.set()
            await journal.close()
            return hung

    assert house.run(story()) is True


def test_a_start_on_a_full_disk_opens_with_the_reserve(tmp_path, house):
    """The journal of a full disk can be opened again, and takes distress at once."""
    folder = tmp_path / "small"
    plan = JournalPlan(path=str(folder / "journal.db"), reserve_mb=8)

    async def first():
        async with house.opened(plan) as journal:
            await journal.look()
            await journal.append([house.ruling(1, "distress")])

    async def again():
        async with house.opened(plan) as journal:
            (entry,) = await journal.append([house.ruling(2, "distress")])
            return entry.number, journal.counts()

    with house.mounted(folder, "size=20m"):
        house.run(first())
        fill(folder / "ballast")
        number, counts = house.run(again())

    assert number == 2
    assert (counts.room, counts.reserve_bytes) == ("full", 0)


def fill(ballast):
    """Write until the disk is full to the last block."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return
