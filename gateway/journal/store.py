"""The journal on disk: SQLite with a write-ahead log, fully synchronous; the only sqlite3.

Distress, urgency and safety are never thrown away here, and stand in the outbox of each broker link
until struck. Routine reports, refused frames and unread ones live in rings: the newest stay.

Nothing here interprets an item beyond the lane it travels in, and nothing waits on the event loop.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import NoReturn, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.journal import sql
from gateway.journal.opening import SCHEMA_VERSION, claimed, damage, epoch_of, objection, words_of
from gateway.journal.rows import ENTRY, RINGS, Row, row_of
from gateway.journal.writer import BACKLOG_FULL, ROUTINE_BACKLOG_MAX, Writer
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Item
from gateway.model.plan import JournalPlan
from gateway.model.status import JournalCounts

TRIM_ROWS_MAX = 2 * BACKLOG_FULL
"""Rows that one transaction drops from a ring: always more than it can add, so a ring that was made
smaller shrinks, without holding a commit up for long."""

BUSY_S_MAX = 2.0
"""How long somebody else's tool may lock the file before a commit fails for it."""

RANKED = (Lane.DISTRESS, Lane.URGENCY, Lane.SAFETY)
"""The lanes that are kept and sent until taken; the place here is the rank in the outbox."""

CLOSED = "it is closed"

Found = TypeVar("Found")
Cursor = tuple[Lane, int]
"""Lane and number of the last entry already seen."""


class JournalFailed(Exception):  # noqa: N818  # a fact of the disk, not a mistake of the caller
    """The disk did not take or give what was asked of it."""

    def __init__(self, path: str, reason: str, *, foreign: bool = False) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.foreign = foreign
        """Whether the file is somebody else's: no disk at fault, and no waiting mends it."""

    def __str__(self) -> str:
        return f"journal {self.path}: {self.reason}"


class Journal:
    """The journal as the event loop sees it. Made by open()."""

    def __init__(self, disk: Disk) -> None:
        self.epoch = disk.epoch
        """The name of the file: new for each new file, and never changed in it."""
        self._disk = disk
        self._writer = Writer(disk)

    @classmethod
    async def open(
        cls, plan: JournalPlan, *, station: str, links: tuple[str, ...], clock: Clock
    ) -> Journal:
        """Open the journal, or begin it; what stands in the way is said with its remedy."""
        return cls(await asyncio.to_thread(Disk, plan, station=station, links=links, clock=clock))

    @property
    def backlog(self) -> int:
        """Items handed over and not yet on disk."""
        return self._writer.backlog

    def append(self, items: Sequence[Item]) -> asyncio.Future[tuple[Entry, ...]]:
        """Take the items in this order; the future holds their entries once they are safe.

        Numbers follow the order of the calls, without gaps. When the disk fails, the future fails
        with JournalFailed, none of the items is kept, and no number is used up.
        """
        told: asyncio.Future[tuple[Entry, ...]] = asyncio.get_running_loop().create_future()
        rows = tuple(row_of(item) for item in items)
        refusal = self._refusal(rows)
        if refusal is not None:
            told.set_exception(self._disk.failed(refusal))
        else:
            self._writer.write(lambda: self._disk.append(rows), told, items=len(rows))
        return told

    async def room(self) -> None:
        """Wait until the backlog is short; on a disk that hangs, only a moment."""
        await self._writer.room()

    async def pending(
        self, link: str, lanes: tuple[Lane, ...], *, limit: int, after: Cursor | None = None
    ) -> tuple[Entry, ...]:
        """Return what the link has yet to take: distress first, then urgency, safety; by number."""
        return await self._ask(lambda: self._disk.pending(link, lanes, limit=limit, after=after))

    async def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Strike entries out of the link's outbox: the broker has taken them."""
        if self._writer.stopped:
            self._disk.refuse(CLOSED)
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer.write(lambda: self._disk.strike(link, numbers), told)
        await told

    async def entries(self, *, first: int = 1, limit: int) -> tuple[Entry, ...]:
        """Return what is still kept, by number."""
        return await self._ask(lambda: self._disk.entries(first=first, limit=limit))

    def counts(self) -> JournalCounts:
        """Return how the journal is, and what it holds."""
        return replace(self._disk.counts, backlog=self.backlog)

    async def close(self) -> None:
        """Commit what waits, and leave the file whole and closed."""
        await self._writer.stop()
        await asyncio.to_thread(self._disk.close)

    def _refusal(self, rows: Sequence[Row]) -> str | None:
        if self._writer.stopped:
            return CLOSED
        is_routine = all(row.lane is Lane.ROUTINE for row in rows)
        limit = ROUTINE_BACKLOG_MAX if is_routine else BACKLOG_FULL
        if self.backlog + len(rows) > limit:
            return f"the disk is too slow: {self.backlog} items wait for it"
        return None

    async def _ask(self, question: Callable[[], Found]) -> Found:
        if self._writer.stopped:
            self._disk.refuse(CLOSED)
        told: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._writer.read(question, told)
        return await told


class _Tally(Struct):
    """What the file holds, kept beside it so that nobody has to count."""

    number_last: int
    rows: dict[str, int]
    outbox: dict[str, int]


class Disk:
    """The file. Opened in one thread, then used by the writer's alone."""

    def __init__(
        self, plan: JournalPlan, *, station: str, links: tuple[str, ...], clock: Clock
    ) -> None:
        self._path = plan.path
        self._links = links
        self._clock = clock
        self._rows_max = {
            "routine": plan.routine_rows_max,
            "refused": plan.refused_rows_max,
            "unread": plan.refused_rows_max,
        }
        with self._seam(), ExitStack() as held:
            self._file = claimed(plan.path, held)
            self._db = self._opened(held)
            reason = objection(self._number)
            if reason is not None:
                self.refuse(reason, foreign=True)
            damaged = damage(self._word)
            if damaged is not None:
                self.refuse(damaged)
            self._build()
            self.epoch = self._identity(station)
            self._tally = self._counted()
            self._held = held.pop_all()
        self.counts = JournalCounts(
            number_last=self._tally.number_last,
            rows=self._tally.rows,
            outbox=self._tally.outbox,
            size_bytes=self._size_bytes(),
        )
        """As of the last transaction; replaced whole, so that any thread may read it."""

    def failed(self, reason: str, *, foreign: bool = False) -> JournalFailed:
        """Return the exception that says so."""
        return JournalFailed(self._path, reason, foreign=foreign)

    def refuse(self, reason: str, *, foreign: bool = False) -> NoReturn:
        """Raise the exception that says so."""
        raise self.failed(reason, foreign=foreign)

    def write(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of them in one transaction; raise when none of them is done."""
        began_ns = self._clock.now().mono_ns
        before = self._tally
        self._tally = _Tally(before.number_last, {**before.rows}, {**before.outbox})
        try:
            with self._seam():
                self._db.execute(sql.BEGIN)
                for work in works:
                    work()
                self._trim()
                self._db.execute(sql.SET_NUMBER_LAST, (self._tally.number_last,))
                self._db.execute(sql.COMMIT)
        except JournalFailed as failure:
            with suppress(sqlite3.Error):  # if even this fails, the next BEGIN will say so
                self._db.rollback()
            self._tally = before
            self.counts = replace(
                self.counts, failures=self.counts.failures + 1, last_failure=failure.reason
            )
            raise
        self._count_commit((self._clock.now().mono_ns - began_ns) / 1e6)

    def read(self, works: Sequence[Callable[[], None]]) -> None:
        """Do them; raise when the disk can't be read."""
        with self._seam():
            for work in works:
                work()

    def append(self, rows: Sequence[Row]) -> tuple[Entry, ...]:
        """Number the rows and put each on its shelf."""
        utc_ns = self._clock.now().utc_ns
        entries = tuple(
            Entry(number, self.epoch, row.lane, row.item, row.body, utc_ns)
            for number, row in enumerate(rows, self._tally.number_last + 1)
        )
        self._tally.number_last += len(rows)
        ringed: dict[str, list[tuple[int, int | None, bytes]]] = {}
        for row, entry in zip(rows, entries, strict=True):
            if row.shelf == ENTRY:
                self._keep(entry)
            else:
                ringed.setdefault(row.shelf, []).append((entry.number, utc_ns, entry.body))
        for ring, values in ringed.items():
            self._db.executemany(sql.INSERT_RING[ring], values)
            self._tally.rows[ring] += len(values)
        return entries

    def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Take the numbers out of the link's outbox; those that aren't there are no matter."""
        found = self._db.executemany(sql.STRIKE, [(link, number) for number in numbers])
        self._tally.outbox[link] = self._tally.outbox.get(link, 0) - found.rowcount

    def pending(
        self, link: str, lanes: tuple[Lane, ...], *, limit: int, after: Cursor | None
    ) -> tuple[Entry, ...]:
        """Return what the link has yet to take, in the order of sending."""
        rank_first, seen = (RANKED.index(after[0]), after[1]) if after else (0, 0)
        found: list[Entry] = []
        for rank, lane in enumerate(RANKED):
            if lane in lanes and rank >= rank_first:
                number = seen if rank == rank_first else 0
                found += self._found(sql.PENDING, (link, rank, number, limit - len(found)))
        return tuple(found)

    def entries(self, *, first: int, limit: int) -> tuple[Entry, ...]:
        """Return what is still kept, by number."""
        return tuple(self._found(sql.ENTRIES, {"first": first, "limit": limit}))

    def close(self) -> None:
        """Leave the file whole and closed; a second time does nothing."""
        self._held.close()

    def _keep(self, entry: Entry) -> None:
        tally = self._tally
        rank = RANKED.index(entry.lane)
        self._db.execute(
            sql.INSERT_ENTRY, (entry.number, entry.lane.value, entry.journaled_utc_ns, entry.body)
        )
        tally.rows[entry.lane.value] += 1
        for link in self._links:
            self._db.execute(sql.INSERT_OUTBOX, (link, rank, entry.number))
            tally.outbox[link] += 1

    def _trim(self) -> None:
        for ring in RINGS:
            excess = min(self._tally.rows[ring] - self._rows_max[ring], TRIM_ROWS_MAX)
            if excess > 0:
                self._tally.rows[ring] -= self._db.execute(sql.TRIM_RING[ring], (excess,)).rowcount

    def _found(
        self, question: str, values: tuple[object, ...] | dict[str, object]
    ) -> Iterator[Entry]:
        for number, lane, utc_ns, body in self._db.execute(question, values):
            yield Entry(number, self.epoch, Lane(lane), None, body, utc_ns)

    def _count_commit(self, commit_ms: float) -> None:
        counts = self.counts
        self.counts = replace(
            counts,
            number_last=self._tally.number_last,
            rows=self._tally.rows,
            outbox=self._tally.outbox,
            size_bytes=self._size_bytes(),
            commits=counts.commits + 1,
            commit_ms_last=round(commit_ms, 3),
            commit_ms_max=round(max(counts.commit_ms_max, commit_ms), 3),
        )

    def _size_bytes(self) -> int:
        size_bytes = os.fstat(self._file).st_size
        with suppress(OSError):  # the log is not there before the first write
            size_bytes += Path(f"{self._path}-wal").stat().st_size
        return size_bytes

    @contextmanager
    def _seam(self) -> Iterator[None]:
        """Translate whatever goes wrong: those who wait for an entry await one exception."""
        try:
            yield
        except JournalFailed:
            raise
        except Exception as error:
            # Its child OperationalError is trouble around the file: space, rights, locks.
            is_damage = type(error) is sqlite3.DatabaseError
            words = words_of(error, is_damage=is_damage)
            raise self.failed(words, foreign=isinstance(error, BlockingIOError)) from error

    def _opened(self, held: ExitStack) -> sqlite3.Connection:
        """Return the database, which is still as it was found."""
        db = sqlite3.connect(
            self._path,
            timeout=BUSY_S_MAX,
            isolation_level=None,  # transactions are begun and ended here, by name
            check_same_thread=False,
        )
        held.callback(db.close)
        return db

    def _build(self) -> None:
        """Set the connection up, and bring the file to this release's schema."""
        mode = self._word(sql.WRITE_AHEAD)
        if mode != "wal":
            self.refuse(f"its file system can't keep a write-ahead log ({mode}); use a local disk")
        for order in sql.SET_UP:
            self._db.execute(order)
        for version in range(self._number(sql.VERSION) + 1, SCHEMA_VERSION + 1):
            script = files("gateway.journal").joinpath(f"schema_v{version}.sql")
            self._db.executescript(script.read_text(encoding="utf-8"))

    def _identity(self, station: str) -> str:
        """Return the epoch of the file; a new file is given its own."""
        found = self._db.execute(sql.IDENTITY).fetchone()
        if found is None:
            now = self._clock.now()
            epoch = epoch_of(self._file, station=station, now=now)
            self._db.execute(sql.INSERT_IDENTITY, (epoch, station, now.utc_ns))
            return epoch
        if found[1] != station:
            self.refuse(f"it belongs to station {found[1]}; name another file", foreign=True)
        return str(found[0])

    def _counted(self) -> _Tally:
        rows = dict.fromkeys((*(lane.value for lane in RANKED), *RINGS), 0)
        outbox = dict.fromkeys(self._links, 0)
        return _Tally(
            number_last=self._number(sql.NUMBER_LAST),
            rows={**rows, **dict(self._db.execute(sql.COUNT_ROWS))},
            outbox={**outbox, **dict(self._db.execute(sql.COUNT_OUTBOX))},
        )

    def _number(self, question: str) -> int:
        return int(self._db.execute(question).fetchone()[0])

    def _word(self, question: str) -> str:
        return str(self._db.execute(question).fetchone()[0])
