"""The thread that does all work on the disk, in the order in which it was asked.

A slow disk never holds the event loop up. Everything that waits when the thread comes round goes
into one transaction (group commit), so a slow disk gets fewer and larger ones by itself. When one
part spoils a transaction, each part is tried again alone, the urgent first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, Protocol, TypeVar

from gateway.journal.failed import JournalFailed
from gateway.points import reached

BACKLOG_MAX = 512
"""Items handed over and not yet on disk, before those who hear are asked to wait. All of them are
one transaction of a few hundredths of a second: so long waits a distress that comes behind them."""

ROUTINE_BACKLOG_MAX = 16_384
"""Beyond this, on a disk that hangs, a batch of routine items is refused; some 16 MB."""

BACKLOG_FULL = 32_768
"""Beyond this any batch is refused. The other half of it is for distress, urgency and safety."""

ROOM_S_MAX = 0.25
"""A disk that hangs must not stop our ears, so nobody waits longer than this for room. The 4096
bytes that the kernel keeps of a serial line last 0.85 s at 38 400 baud."""


QUESTIONS_MAX = 64
"""Questions that a hanging disk has yet to answer; beyond it none is taken. There are some ten who
ask, each of whom waits; but who gives an answer up asks again."""

RETRY_FAILURES_MAX = 64
"""A disk that has refused so many in a row, each alone, refuses all: the others wait no longer."""


class Disk(Protocol):
    """What the thread works on."""

    def write(self, works: Sequence[Callable[[], None]]) -> None:
        """Do all of them in one transaction; raise when none of them is done."""

    def read(self, works: Sequence[Callable[[], None]]) -> None:
        """Do them; raise when the disk can't be read."""

    def close(self) -> None:
        """Leave it whole; nothing is asked of it afterwards."""


Told = TypeVar("Told")
Told_co = TypeVar("Told_co", covariant=True)


class Errand(Generic[Told_co]):
    """One piece of work for the disk, and who waits for what comes of it."""

    def __init__(
        self,
        work: Callable[[], Told_co],
        told: asyncio.Future[Told_co],
        *,
        items: int = 0,
        urgent: bool = False,
    ) -> None:
        self.items = items
        self.urgent = urgent
        self._work = work
        self._told = told
        self._outcome: list[Told_co] = []

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for it any longer."""
        return self._told.done()

    def run(self) -> None:
        """Do the work, in the thread."""
        self._outcome = [self._work()]

    def settle(self, failure: Exception | None) -> None:
        """Tell who waits, on the loop."""
        if self._told.done():  # given up by whoever asked
            return
        if failure is not None:
            self._told.set_exception(failure)
        else:
            self._told.set_result(self._outcome[0])


class Writer:
    """The thread, and the queue before it. All methods are for the event loop's side."""

    def __init__(self, disk: Disk) -> None:
        self.backlog = 0
        """Items handed over and not yet on disk."""
        self.waiting = 0
        """Pieces of work handed over and not yet settled."""
        self.settled = 0
        """Pieces of work settled since the start, whatever came of them."""
        self.questions = 0
        """Questions asked and not yet answered, or given up and not yet come to."""
        self.stopped = False
        self.ended = False
        """Whether the thread is no more."""
        self._disk = disk
        self._loop = asyncio.get_running_loop()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._ended = asyncio.Event()
        # Bounded by the callers: appended items and questions by the journal's own limits, and a
        # strike has one caller each who waits for it.
        self._inbox: SimpleQueue[tuple[bool, Errand[object]] | None] = SimpleQueue()
        self._begin()

    def write(
        self,
        work: Callable[[], Told],
        told: asyncio.Future[Told],
        *,
        items: int = 0,
        urgent: bool = False,
    ) -> None:
        """Have the work done in the next transaction; should that fail, the urgent goes first."""
        self.backlog += items
        if self.backlog >= BACKLOG_MAX:
            self._roomy.clear()
        errand = Errand(work, told, items=items, urgent=urgent)
        self.waiting += 1
        self._inbox.put((True, errand))

    def read(self, work: Callable[[], Told], told: asyncio.Future[Told]) -> None:
        """Have the work done after the next transaction, and see all that was asked for before."""
        self.questions += 1
        errand = Errand(work, told)
        self.waiting += 1
        self._inbox.put((False, errand))

    async def room(self) -> None:
        """Wait until the backlog is short, or as long as anybody should wait for that."""
        if not self._roomy.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(ROOM_S_MAX):
                    await self._roomy.wait()

    async def stop(self) -> None:
        """Let the thread finish what waits, close the disk, and end. It takes nothing more."""
        if not self.stopped:
            self.stopped = True
            self._inbox.put(None)
        await self._ended.wait()

    def _begin(self) -> None:
        # A daemon: should the loop die without stop(), the program may still end. What is
        # committed is committed; what is not was never promised.
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while self._round():
                pass
        finally:
            self.ended = True

    def _round(self) -> bool:
        """Do all that waits, once there is something; say whether more may come."""
        writes, reads, running = self._take()
        if writes:
            self._write(writes)
        for errand in reads:  # one by one: what can't be read may stop nobody else
            works = [] if errand.given_up else [errand.run]
            failure = _failure(self._disk.read, works)
            self._tell(partial(self._answer, errand, failure))
        if not running:
            _failure(self._disk.read, [self._disk.close])
            self._tell(self._ended.set)
        return running

    def _take(self) -> tuple[list[Errand[object]], list[Errand[object]], bool]:
        """Wait for work, then take all that is there."""
        writes: list[Errand[object]] = []
        reads: list[Errand[object]] = []
        found = self._inbox.get()
        with suppress(Empty):
            while found is not None:
                is_write, errand = found
                (writes if is_write else reads).append(errand)
                found = self._inbox.get_nowait()
            return writes, reads, False
        return writes, reads, True

    def _write(self, errands: Sequence[Errand[object]]) -> None:
        """Do all in one transaction. One that spoils it is told so; the others are done alone."""
        failure = _failure(self._disk.write, [errand.run for errand in errands])
        begun = isinstance(failure, JournalFailed) and failure.begun
        if not begun or len(errands) == 1:
            self._settle_soon(errands, failure)
            return
        for urgent in (True, False):
            self._write_singly([errand for errand in errands if errand.urgent is urgent])

    def _write_singly(self, errands: Sequence[Errand[object]]) -> None:
        failures = 0
        for place, errand in enumerate(errands):
            failure = _failure(self._disk.write, [errand.run])
            failures = failures + 1 if failure else 0
            if failures == RETRY_FAILURES_MAX:
                self._settle_soon(errands[place:], failure)
                return
            self._settle_soon([errand], failure)

    def _answer(self, errand: Errand[object], failure: Exception | None) -> None:
        self.questions -= 1
        self._settle([errand], failure)

    def _settle_soon(self, errands: Sequence[Errand[object]], failure: Exception | None) -> None:
        self._tell(lambda: self._settle(errands, failure))

    def _tell(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is gone, and with it everybody who waited
            self._loop.call_soon_threadsafe(call)

    def _settle(self, errands: Sequence[Errand[object]], failure: Exception | None) -> None:
        for errand in errands:
            self.backlog -= errand.items
            self.waiting -= 1
            self.settled += 1
            errand.settle(failure)
        reached("journal.settled")
        if self.backlog < BACKLOG_MAX:
            self._roomy.set()


def _failure(
    door: Callable[[Sequence[Callable[[], None]]], None], works: Sequence[Callable[[], None]]
) -> Exception | None:
    """Have the work done behind this door, and return what went wrong."""
    try:
        door(works)
    except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
        return error
    return None
