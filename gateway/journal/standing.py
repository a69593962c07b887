"""The journal as the watch knows it: there, not there yet, or not answering.

A disk that can't be had at the start, or hangs, is no reason to be deaf: what is heard is told
unjournaled, and the journal is waited for, or tried again, until it stands. Only a file that is
found to be somebody else's before the watch begins stops the start: that is a mistake that waiting
doesn't mend, and somebody is there to read it. Found later it ends no watch. It is told, and tried
again, for whoever moves that file away mends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from gateway.clock import Clock
from gateway.journal.failed import JournalFailed
from gateway.journal.front import Journal, Work
from gateway.journal.newest import Stood
from gateway.journal.remembered import Recalled
from gateway.journal.shelves import Cursor
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Item, Lane
from gateway.model.plan import JournalPlan
from gateway.model.status import JournalCounts

OPEN_S_MAX = 2.0
"""So long the watch waits for the journal before it begins without it: as long as a distress waits
for a disk. It is opened in a tenth of it; a long log, a take-over or a bad disk takes longer."""

RETRY_S = 10.0
"""How often a journal that could not be opened is tried again."""

LOOK_S = 1.0
"""How often the thread is asked what room is left; and so, whether the disk answers at all."""

NO_ANSWER = f"it could not be opened in {OPEN_S_MAX:g} s; it is waited for"

NO_EPOCH = "none"
"""What entries are numbered by while there is no journal: nothing, their number is 0."""


class Opener(Protocol):
    """What opens a journal; tests hand in one that works without a thread."""

    def __call__(
        self, plan: JournalPlan, *, station: str, links: tuple[str, ...], clock: Clock
    ) -> asyncio.Future[Journal]:
        """Return what will be the open journal, or JournalFailed; given up, nothing stays open."""


class StandingJournal:
    """A journal that may have to be waited for; once the watch stands, it keeps nobody waiting."""

    def __init__(
        self,
        plan: JournalPlan,
        *,
        station: str,
        links: tuple[str, ...],
        clock: Clock,
        opener: Opener = Journal.open,
    ) -> None:
        self._plan = plan
        self._station = station
        self._links = links
        self._clock = clock
        self._opener = opener
        self._journal: Journal | None = None
        self._attempt: asyncio.Future[Journal] | None = None
        """The opening that is under way: there is never a second one beside it."""
        self._failed = JournalFailed(plan.path, "it has not been opened yet")
        self._failures = 0

    @property
    def stands(self) -> bool:
        """Whether there is a journal."""
        return self._journal is not None

    @property
    def epoch(self) -> str:
        """The name of the file that numbers the entries now."""
        return self._journal.epoch if self._journal else NO_EPOCH

    @property
    def work(self) -> Work:
        """How far the work on the disk has come; without a journal there is none."""
        return self._journal.work if self._journal else Work(0, 0)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the disk; without a journal nothing does."""
        if self._journal is not None:
            yield from self._journal.bounds()

    async def open(self) -> None:
        """Begin to open it, and wait for that, but not longer than anybody should be deaf for it.

        Raise JournalFailed when the file is found to be somebody else's by then.
        """
        attempt = self._begin()
        await asyncio.wait({attempt}, timeout=OPEN_S_MAX)
        if not attempt.done():
            self._fail(JournalFailed(self._plan.path, NO_ANSWER))
            return
        self._opened(attempt)
        if self._journal is None and self._failed.foreign:
            raise self._failed

    async def run(self) -> None:
        """Wait for it, and try again, until it stands; then look after its room, for ever."""
        while self._journal is None:
            if self._attempt is None:
                await self._clock.sleep(RETRY_S)
            attempt = self._begin()
            await asyncio.wait({attempt})
            self._opened(attempt)
        while True:
            await self._journal.look()
            await self._clock.sleep(LOOK_S)

    def append(self, items: Sequence[Item]) -> asyncio.Future[tuple[Entry, ...]]:
        """Take the items; without a journal the future has failed already."""
        if self._journal is not None:
            return self._journal.append(items)
        told: asyncio.Future[tuple[Entry, ...]] = asyncio.get_running_loop().create_future()
        told.set_exception(self._failed)
        return told

    async def room(self) -> None:
        """Wait until the backlog is short; without a journal there is none."""
        if self._journal is not None:
            await self._journal.room()

    async def pending(
        self, link: str, lanes: tuple[Lane, ...], *, limit: int, after: Cursor | None = None
    ) -> tuple[Entry, ...]:
        """Return what the link has yet to take."""
        if self._journal is None:
            return ()
        return await self._journal.pending(link, lanes, limit=limit, after=after)

    async def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Strike entries out of the link's outbox."""
        if self._journal is not None:
            await self._journal.strike(link, numbers)

    @property
    def number_found(self) -> int:
        """The newest number when the journal was opened; 0 without one."""
        return self._journal.number_found if self._journal else 0

    @property
    def number_last(self) -> int:
        """The newest number given; 0 without a journal."""
        return self._journal.number_last if self._journal else 0

    async def entries(self, *, first: int = 1, limit: int) -> tuple[Entry, ...]:
        """Return what is still kept, by number."""
        if self._journal is None:
            return ()
        return await self._journal.entries(first=first, limit=limit)

    async def stood(self, *, after: str = "", limit: int) -> Stood:
        """Return the incidents that earlier runs have noted; without a journal there are none."""
        if self._journal is None:
            return Stood((), damaged=0, unread=0, after=None)
        return await self._journal.stood(after=after, limit=limit)

    def remember(self, words: Mapping[str, bytes | None], *, urgent: bool) -> asyncio.Future[None]:
        """Take these for the newest words of their names; without a journal it has failed."""
        if self._journal is not None:
            return self._journal.remember(words, urgent=urgent)
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told.set_exception(self._failed)
        return told

    async def recalled(self) -> Recalled:
        """Return all that is remembered; without a journal that is nothing."""
        return await self._journal.recalled() if self._journal else Recalled({})

    async def damaged(self, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers in this range of rows that were found damaged, and set aside."""
        if self._journal is None:
            return ()
        return await self._journal.damaged(first=first, last=last)

    @property
    def untaken(self) -> str | None:
        """Why what a journal set aside still owes could not be taken over; None when it is."""
        return self._journal.untaken if self._journal else None

    def counts(self) -> JournalCounts:
        """Return how the journal is, and what it holds."""
        if self._journal is not None:
            return self._journal.counts()
        return JournalCounts(
            number_last=0,
            rows={},
            outbox=dict.fromkeys(self._links, 0),
            size_bytes=0,
            failures=self._failures,
            last_failure=self._failed.reason,
        )

    async def close(self) -> None:
        """Commit what waits, and leave the file closed; give up one that is still being opened."""
        attempt = self._attempt
        if attempt is not None and not attempt.cancel():
            self._opened(attempt)
        if self._journal is not None:
            await self._journal.close()

    def _begin(self) -> asyncio.Future[Journal]:
        """Return the opening under way, begun if there is none."""
        if self._attempt is None:
            self._attempt = self._opener(
                self._plan, station=self._station, links=self._links, clock=self._clock
            )
        return self._attempt

    def _opened(self, attempt: asyncio.Future[Journal]) -> None:
        """Take what came of an opening."""
        self._attempt = None
        try:
            self._journal = attempt.result()
        except JournalFailed as failed:
            self._fail(failed)

    def _fail(self, failed: JournalFailed) -> None:
        self._failed = failed
        self._failures += 1
