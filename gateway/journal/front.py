"""The journal as the event loop sees it: items in, entries back once they are safe.

All work on the disk is done by a thread (writer.py), on the file that store.py knows. Nothing here
waits for the disk but whoever awaits an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.journal.beginning import Begun, Heritage, begun
from gateway.journal.failed import JournalFailed
from gateway.journal.newest import Stood
from gateway.journal.remembered import Recalled
from gateway.journal.rows import Row, row_of
from gateway.journal.shelves import Cursor
from gateway.journal.store import Disk
from gateway.journal.writer import BACKLOG_FULL, QUESTIONS_MAX, ROUTINE_BACKLOG_MAX, Writer
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Item, Lane
from gateway.model.plan import JournalPlan
from gateway.model.status import JournalCounts

CLOSED = "it is closed"

CLOSE_S_MAX = 4.0
"""A disk that has not closed the file by then is not waited for. What it has committed it has; the
rest was told without it. systemd ends us by force after 10 s."""

Found = TypeVar("Found")


class Work(Struct, frozen=True):
    """The work on the disk: what waits for it, and how much has been done."""

    waiting: int
    settled: int
    ended: bool = False
    """Whether the thread that does it has died. Never, or please report it."""


class Journal:
    """The journal as the event loop sees it. Made by open()."""

    def __init__(
        self,
        disk: Disk,
        heritage: Heritage | None = None,
        *,
        writer: Callable[[Disk], Writer] = Writer,
    ) -> None:
        self.epoch = disk.epoch
        """The name of the file: new for each new file, and never changed in it."""
        self.number_found = disk.counts.number_last
        """The newest number when it was opened: what earlier runs have left."""
        self._disk = disk
        self._heritage = heritage
        self._writer = writer(disk)
        self._refused = 0

    @classmethod
    def open(
        cls, plan: JournalPlan, *, station: str, links: tuple[str, ...], clock: Clock
    ) -> asyncio.Future[Journal]:
        """Open the journal, or begin it; what stands in the way is said with its remedy.

        Whoever gives the answer up leaves nothing open. A disk that hangs keeps no program from
        ending.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Journal] = loop.create_future()

        def opened() -> None:
            try:
                found = begun(plan, station=station, links=links, clock=clock)
            except BaseException as error:  # noqa: BLE001  # whatever it is, who waits must hear it
                with suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
                    loop.call_soon_threadsafe(_fail, told, error)
                return
            try:
                loop.call_soon_threadsafe(cls._hand_over, found, told)
            except RuntimeError:
                found.disk.close()

        # A daemon, unlike the threads of the loop: those are waited for when the program ends.
        Thread(target=opened, name="journal opening", daemon=True).start()
        return told

    @classmethod
    def _hand_over(cls, found: Begun, told: asyncio.Future[Journal]) -> None:
        """Give the journal to whoever waits for it; with nobody there, close it again."""
        if told.done():
            Thread(target=found.disk.close, name="journal closing", daemon=True).start()
        else:
            told.set_result(cls(found.disk, found.heritage))

    @property
    def backlog(self) -> int:
        """Items handed over and not yet on disk."""
        return self._writer.backlog

    @property
    def work(self) -> Work:
        """How far the thread that works on the disk has come."""
        writer = self._writer
        return Work(writer.waiting, writer.settled, ended=writer.ended and not writer.stopped)

    def append(self, items: Sequence[Item]) -> asyncio.Future[tuple[Entry, ...]]:
        """Take the items in this order; the future holds their entries once they are safe.

        Numbers follow the order of the calls, without gaps; when a transaction fails, its calls are
        tried again one by one, those with urgent items first. When the disk fails, the future fails
        with JournalFailed, none of the items is kept, and no number is used up. Where room is
        short, that of routine items fails at once.
        """
        told: asyncio.Future[tuple[Entry, ...]] = asyncio.get_running_loop().create_future()
        rows = tuple(row_of(item) for item in items)
        refusal = self._refusal(rows)
        if refusal is not None:
            self._refused += len(rows)
            told.set_exception(refusal)
        else:
            urgent = any(row.lane is not Lane.ROUTINE for row in rows)
            self._writer.write(
                lambda: self._disk.append(rows), told, items=len(rows), urgent=urgent
            )
        return told

    @property
    def number_last(self) -> int:
        """The newest number given."""
        return self._disk.counts.number_last

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the disk."""
        yield Bound(
            of="Writer._inbox",
            what="journal_backlog",
            held=self.backlog,
            limit=BACKLOG_FULL,
            rule="from half of it on no routine is taken; distress beyond it is told unjournaled",
            evicted=self._refused,
            urgent=True,
        )

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

    async def stood(self, *, after: str = "", limit: int) -> Stood:
        """Return the incidents that earlier runs have noted, as they were noted last, by name."""
        return await self._ask(lambda: self._disk.stood(after=after, limit=limit))

    def remember(self, words: Mapping[str, bytes | None], *, urgent: bool) -> asyncio.Future[None]:
        """Take these for the newest words of their names, behind what was handed over before.

        What is None is forgotten. The caller hands over no more until most of it is settled.
        """
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._writer.stopped:
            told.set_exception(self._disk.failed(CLOSED))
        else:
            self._writer.write(lambda: self._disk.remembered.put(words), told, urgent=urgent)
        return told

    async def recalled(self) -> Recalled:
        """Return all that is remembered."""
        return await self._ask(self._disk.remembered.read)

    async def damaged(self, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers in this range of rows that were found damaged, and set aside."""
        return await self._ask(lambda: self._disk.quarantined(first=first, last=last))

    @property
    def untaken(self) -> str | None:
        """Why what a journal set aside still owes could not be taken over; None when it is."""
        return self._heritage.trouble if self._heritage is not None else None

    async def look(self) -> None:
        """Have the thread see what room is left on the disk, and make the reserve where it fits.

        And take over what could not be taken over before, when it is time to try again.
        """
        await self._ask(self._disk.look)
        if self._heritage is not None and self._heritage.due:
            await self._ask(self._heritage.take)

    def counts(self) -> JournalCounts:
        """Return how the journal is, and what it holds."""
        return replace(self._disk.counts, backlog=self.backlog)

    async def close(self) -> None:
        """Commit what waits, and leave the file whole and closed, unless the disk hangs."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S_MAX):
                await self._writer.stop()

    def _refusal(self, rows: Sequence[Row]) -> JournalFailed | None:
        if self._writer.stopped:
            return self._disk.failed(CLOSED)
        is_routine = all(row.lane is Lane.ROUTINE for row in rows)
        if rows and is_routine and self._disk.sheds:
            return self._disk.shed()
        limit = ROUTINE_BACKLOG_MAX if is_routine else BACKLOG_FULL
        if self.backlog + len(rows) > limit:
            return self._disk.failed(f"the disk is too slow: {self.backlog} items wait for it")
        return None

    async def _ask(self, question: Callable[[], Found]) -> Found:
        if self._writer.stopped:
            self._disk.refuse(CLOSED)
        if self._writer.questions >= QUESTIONS_MAX:
            self._disk.refuse(f"the disk does not answer: {QUESTIONS_MAX} questions wait for it")
        told: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._writer.read(question, told)
        return await told


def _fail(told: asyncio.Future[Journal], error: BaseException) -> None:
    if not told.done():
        told.set_exception(error)
