"""The file of the journal: SQLite with a write-ahead log, fully synchronous; the only sqlite3.

Distress, urgency and safety stand in the outbox of each broker link until struck, and are kept for
their time after that. Routine reports, refused frames and unread ones live in rings: the newest
stay. Each row proves itself when it is read (chain.py); a damaged one is set aside, never served.

Nothing here interprets an item beyond the lane it travels in, and nothing waits on the event loop.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from msgspec.structs import replace

from gateway.clock import Clock
from gateway.journal import aside, opening, sql
from gateway.journal.examining import Ask, refusal
from gateway.journal.failed import JournalFailed
from gateway.journal.newest import Stood
from gateway.journal.opening import SCHEMA_VERSION, claimed, words_of
from gateway.journal.remembered import Remembered
from gateway.journal.rows import RINGS, Row
from gateway.journal.shelves import Cursor, Owing, Shelves, Values
from gateway.journal.space import Space
from gateway.journal.stock import tally_of
from gateway.model.entry import Entry, Lane
from gateway.model.plan import MB, JournalPlan
from gateway.model.status import JournalCounts
from gateway.points import reached

BUSY_S_MAX = 2.0
"""How long somebody else's tool may lock the file before a commit fails for it."""

TIDY_APART_NS = 60 * 10**9
"""How often a disk without room is tidied: what is thrown out there makes room within the file."""

_UNWRITTEN = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_FSYNC)
"""What SQLite says where a quota is exceeded, and where the disk is bad."""

SHED = "routine is not journaled while the disk is nearly full"


class Disk:
    """The file. Opened in one thread, then used by the writer's alone."""

    def __init__(
        self, plan: JournalPlan, *, station: str, links: tuple[str, ...], clock: Clock
    ) -> None:
        self._path = plan.path
        self._clock = clock
        self._space = Space(plan.path, reserve_bytes=plan.reserve_mb * MB, clock=clock)
        self._urgent = False
        """Whether what is being done may have the reserve."""
        self._tidy_apart_ns = 0
        with translated(plan.path), ExitStack() as held:
            self._space.found()
            self._file = claimed(plan.path, held)
            examine(plan.path, station=station)
            self._db = self._opened(held)
            self._build()
            self.remembered = Remembered(self._db)
            self._shelves = Shelves(
                self._db,
                tally_of(self._db, self._file, station=station, links=links, now=clock.now()),
                links=links,
                rows_max={
                    "routine": plan.routine_rows_max,
                    "refused": plan.refused_rows_max,
                    "unread": plan.refused_rows_max,
                },
                keep_hours=plan.keep_hours,
            )
            self.epoch = self._shelves.tally.head.epoch
            self.counts = self._counted(
                JournalCounts(number_last=0, rows={}, outbox={}, size_bytes=0, aside=self._aside())
            )
            """As of the last transaction; replaced whole, so that any thread may read it."""
            if not self._shelves.owed_holds():
                self.write([self._mend])
            self._held = held.pop_all()
        reached("journal.opened")

    @property
    def sheds(self) -> bool:
        """Whether routine is not taken now."""
        return self._space.short

    def failed(self, reason: str) -> JournalFailed:
        """Return the exception that says so."""
        return JournalFailed(self._path, reason)

    def shed(self) -> JournalFailed:
        """Return the exception that says that routine is not taken now."""
        failure = self.failed(SHED)
        failure.shed = True
        return failure

    def refuse(self, reason: str) -> NoReturn:
        """Raise the exception that says so."""
        raise self.failed(reason)

    def write(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of them in one transaction; raise when none of them is done."""
        began_ns = self._clock.now().mono_ns
        self._urgent = False
        try:
            self._do(works)
        except JournalFailed as failure:
            no_room = failure.full or (failure.unwritten and self._space.refuses())
            if not no_room or not self._space.ran_out(urgent=self._urgent):
                raise
            self._do(works)
        commit_ms = round((self._clock.now().mono_ns - began_ns) / 1e6, 3)
        self.counts = replace(
            self.counts,
            commits=self.counts.commits + 1,
            commit_ms_last=commit_ms,
            commit_ms_max=max(self.counts.commit_ms_max, commit_ms),
        )

    def read(self, works: Sequence[Callable[[], None]]) -> None:
        """Do them; raise when the disk can't be read."""
        with translated(self._path):
            for work in works:
                work()

    def look(self) -> None:
        """See what room is left, and tidy what no commit tidies while there is little."""
        self._space.look()
        now_ns = self._clock.now().mono_ns
        if self._space.short and now_ns >= self._tidy_apart_ns:
            self._tidy_apart_ns = now_ns + TIDY_APART_NS
            with suppress(JournalFailed), self._transaction():
                self._tidy()
        self.counts = self._with_room(self.counts)

    def append(self, rows: Sequence[Row]) -> tuple[Entry, ...]:
        """Number the rows and put each on its shelf."""
        if any(row.lane is not Lane.ROUTINE for row in rows):
            self._urgent = True
        elif self._space.short:
            raise self.shed()
        entries = self._shelves.append(rows, self._clock.now().utc_ns)
        reached("journal.appended")
        return entries

    def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Take the numbers out of the link's outbox; those that aren't there are no matter."""
        self._urgent = True  # a lane that can't strike out stands still in the end
        self._shelves.strike(link, numbers)
        reached("journal.struck")

    def took_over(self) -> bool:
        """Say whether it has taken over what any file that was set aside still owed."""
        return any(True for _ in self._db.execute(sql.ASIDE))

    def take_over(self, sources: Sequence[tuple[str, Callable[[], Owing]]]) -> None:
        """Number entries of a journal that was set aside anew, each owed to some of the links."""

        def work() -> None:
            self._urgent = True
            for name, entries in sources:
                self._shelves.take_over(name, entries(), self._clock.now().utc_ns)
            reached("journal.taken_over")

        self.write([work])
        self.counts = replace(self.counts, aside=self._aside())

    def pending(
        self, link: str, lanes: tuple[Lane, ...], *, limit: int, after: Cursor | None
    ) -> tuple[Entry, ...]:
        """Return what the link has yet to take, in the order of sending."""
        return self._whole(lambda: self._shelves.pending(link, lanes, limit=limit, after=after))

    def entries(self, *, first: int, limit: int) -> tuple[Entry, ...]:
        """Return what is still kept, by number."""
        return self._whole(lambda: self._shelves.entries(first=first, limit=limit))

    def stood(self, *, after: str, limit: int) -> Stood:
        """Return the newest word of each incident, by its name."""
        return self._shelves.newest.read(self.epoch, after=after, limit=limit)

    def quarantined(self, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers in this range of rows that were set aside as damaged."""
        return self._shelves.quarantined(first=first, last=last)

    def close(self) -> None:
        """Leave the file whole and closed; a second time does nothing."""
        reached("journal.closing")
        self._held.close()

    def _whole(self, ask: Callable[[], tuple[Entry, ...]]) -> tuple[Entry, ...]:
        """Return what is asked for, once no damaged row takes up room among it."""
        self._shelves.damaged.clear()  # a question that failed has been told to whoever asked it
        found = ask()
        while self._shelves.damaged and self._quarantined():
            found = ask()
        return found

    def _quarantined(self) -> bool:
        """Move damaged rows out of the way; a disk that can't must still serve the others."""
        with suppress(JournalFailed), self._transaction():
            found = self._shelves.set_aside(self._clock.now().utc_ns)
            reached("journal.set_aside")
            return found
        return False

    def _do(self, works: Sequence[Callable[[], None]]) -> None:
        with self._transaction():
            for work in (*works, self._shelves.flush):
                work()
            if not self._space.short:  # else look() does, where it can't cost a distress its room
                self._tidy()

    def _tidy(self) -> None:
        """Throw out what has had its time; a shelf that can't be tidied costs nobody a commit."""
        shelves, now = self._shelves, self._clock.now()
        for ring in RINGS:
            if shelves.ring_excess(ring) > 0:
                self._chore(partial(shelves.trim_ring, ring))
        ripe = shelves.ripe(now)
        if ripe is not None:
            self._chore(lambda: shelves.trim_entries(ripe, now.utc_ns))
        if shelves.damaged:
            self._chore(lambda: shelves.set_aside(now.utc_ns))
        reached("journal.tidied")

    def _chore(self, work: Callable[[], object]) -> None:
        before = self._shelves.tally.copy()
        self._db.execute(sql.SAVEPOINT)
        try:
            work()
        except Exception as error:
            if not self._db.in_transaction:  # SQLite has given up all of it
                raise
            self._db.execute(sql.ROLL_BACK)
            self._shelves.tally = before
            self._count_failure(words_of(error, is_damage=type(error) is sqlite3.DatabaseError))
        self._db.execute(sql.RELEASE)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is done in here is done, or nothing; the tally and the counts say which."""
        before = self._shelves.tally
        self._shelves.tally = before.copy()
        begun = False
        try:
            with translated(self._path):
                self._db.execute(sql.BEGIN)
                begun = True
                reached("journal.begun")
                yield
                self._shelves.seal()
                reached("journal.sealed")
                self._db.execute(sql.COMMIT)
                reached("journal.committed")
        except JournalFailed as failure:
            with suppress(sqlite3.Error):  # if even this fails, the next BEGIN will say so
                self._db.rollback()
            self._shelves.back_to(before)
            if not failure.shed:
                self._count_failure(failure.reason)
            failure.begun = begun
            raise
        self.counts = self._counted(self.counts)

    def _counted(self, counts: JournalCounts) -> JournalCounts:
        tally = self._shelves.tally
        return replace(
            self._with_room(counts),
            number_last=tally.head.number_last,
            rows=tally.rows,
            outbox={link: owed.count for link, owed in tally.owed.items()},
            size_bytes=self._size_bytes(),
            quarantined=tally.quarantined,
            link_last=tally.head.link_last.hex(),
        )

    def _with_room(self, counts: JournalCounts) -> JournalCounts:
        free, held, room = self._space.free_bytes, self._space.held_bytes, self._space.room
        return replace(counts, free_bytes=free, reserve_bytes=held, room=room)

    def _count_failure(self, reason: str) -> None:
        self.counts = replace(self.counts, failures=self.counts.failures + 1, last_failure=reason)

    def _size_bytes(self) -> int:
        size_bytes = os.fstat(self._file).st_size
        with suppress(OSError):  # the log is not there before the first write
            size_bytes += Path(f"{self._path}-wal").stat().st_size
        return size_bytes

    def _opened(self, held: ExitStack) -> sqlite3.Connection:
        """Return the database, which is still as it was found."""
        db = sqlite3.connect(
            self._path,
            timeout=BUSY_S_MAX,
            isolation_level=None,  # transactions are begun and ended here, by name
            check_same_thread=False,
        )
        held.callback(db.close)
        db.text_factory = _text
        return db

    def _build(self) -> None:
        """Set the connection up, and bring the file to this release's schema."""
        (mode,) = self._db.execute(sql.WRITE_AHEAD).fetchone()
        if mode != "wal":
            self.refuse(f"its file system can't keep a write-ahead log ({mode}); use a local disk")
        for order in sql.SET_UP:
            self._db.execute(order)
        for name, arity, function in opening.SCHEMA_FUNCTIONS:
            self._db.create_function(name, arity, function, deterministic=True)
        with suppress(sqlite3.Error):  # a log of before is emptied: what it tore is no matter then
            self._db.execute(sql.EMPTY_LOG).fetchone()
        for version in range(self._number(sql.VERSION) + 1, SCHEMA_VERSION + 1):
            script = files("gateway.journal").joinpath(f"schema_v{version}.sql")
            self._db.executescript(script.read_text(encoding="utf-8"))
            reached("journal.migrated")

    def _mend(self) -> None:
        self._urgent = True
        self._shelves.mend(self._clock.now().utc_ns)
        reached("journal.mended")

    def _aside(self) -> dict[str, int]:
        return aside.still_there(self._path, self._db.execute(sql.ASIDE))

    def _number(self, question: str) -> int:
        return int(self._db.execute(question).fetchone()[0])


def examine(path: str, *, station: str) -> None:
    """Refuse a file that can't be the journal, before anything in it is touched."""
    if Path(path).stat().st_size == 0:
        return
    # A file that was being made when the power went has to be put back first, which writes in it.
    mode = "rw" if Path(f"{path}-journal").exists() else "ro"
    with looked_into(path, mode=mode) as ask:
        found = refusal(ask, path, station=station)
    if found is not None:
        raise JournalFailed(path, found.reason, foreign=found.foreign, damaged=found.damaged)


@contextmanager
def looked_into(path: str, *, mode: str = "ro") -> Iterator[Ask]:
    """Give a way to ask a journal as it is at this moment, also while a gateway writes it."""
    with translated(path), ExitStack() as held:
        Path(path).open("rb").close()  # says what stands in the way better than SQLite does
        address = f"{Path(path).absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(address, uri=True, timeout=BUSY_S_MAX, isolation_level=None)
        held.callback(db.close)
        db.text_factory = _text
        db.execute(sql.BEGIN_LOOK)

        def ask(question: str, values: Values | Mapping[str, object]) -> Iterator[Values]:
            with translated(path):
                yield from db.execute(question, values)

        yield ask


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Translate whatever goes wrong: those who wait for an entry await one exception."""
    try:
        yield
    except JournalFailed:
        raise
    except Exception as error:
        # Its child OperationalError is trouble around the file: space, rights, locks. What SQLite
        # says of damage is itself no text when it quotes some.
        is_damage = type(error) in (sqlite3.DatabaseError, UnicodeDecodeError)
        is_foreign = isinstance(error, BlockingIOError)
        words = words_of(error, is_damage=is_damage)
        failure = JournalFailed(path, words, foreign=is_foreign, damaged=is_damage)
        code = getattr(error, "sqlite_errorcode", None)
        failure.full = code == sqlite3.SQLITE_FULL
        failure.unwritten = code in _UNWRITTEN
        raise failure from error


def _text(raw: bytes) -> str:
    """Return a text as it is; what damage made of one is no text, and must stop nobody."""
    return raw.decode(errors="replace")
