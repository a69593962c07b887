"""What the broker has signed for, on its way out of the outbox.

It is struck out beside the telling, so that a disk that is slow, or hangs, holds no call up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.mqtt.limits import WINDOW_MAX
from gateway.points import reached

UNSTRUCK_MAX = 1024
"""Entries signed for and not struck out. With so many, on a disk that takes nothing, the lane
stands still, for it would begin to tell them twice."""

ERROR_PAUSE_S = 1.0
"""Pause after the outbox could not be read or struck out."""


class Strikes(Protocol):
    """The outbox, as far as it is needed here."""

    async def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Strike out what has been signed for. What isn't there is no matter."""


class Errors(Protocol):
    """Where it is counted that the outbox could not be struck out."""

    errors: int


class Striking:
    """The numbers of one pump; remembered until they are struck out."""

    def __init__(
        self, link: str, *, outbox: Strikes, count: Errors, clock: Clock, log: Log
    ) -> None:
        self._link = link
        self._outbox = outbox
        self._count = count
        self._clock = clock
        self._log = log
        self._numbers: set[int] = set()
        self._some = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def __contains__(self, number: int) -> bool:
        """Say whether this has been signed for, and stands in the outbox all the same."""
        return number in self._numbers

    def bounds(self) -> Iterator[Bound]:
        """Yield how many numbers are remembered; the entries themselves are on disk."""
        yield Bound(
            of="Striking._numbers",
            what="signed_unstruck",
            held=len(self._numbers),
            limit=UNSTRUCK_MAX,
            rule="the lane waits for the disk to strike some out; they have been told",
            urgent=True,
        )

    def add(self, number: int) -> None:
        """Have this entry struck out: the broker has signed for it."""
        self._numbers.add(number)
        self._some.set()
        self._look()

    async def room(self) -> None:
        """Wait until more may be signed for."""
        await self._roomy.wait()

    async def run(self) -> None:
        """Strike out what has been signed for, for ever."""
        if self._numbers:  # a fault of the link may have cut it short, and no other may be signed
            self._some.set()
        while True:
            await self._some.wait()
            self._some.clear()
            numbers = sorted(self._numbers)
            reached("outbox.signed")
            try:
                await self._outbox.strike(self._link, numbers)
            # Whatever a failing disk raises, they are asked for again: the next try may succeed.
            except Exception as error:  # noqa: BLE001  # see above
                self._count.errors += 1
                self._log.error("strike_failed", count=len(numbers), error=repr(error))
                self._some.set()
                await self._clock.sleep(ERROR_PAUSE_S)
                continue
            reached("outbox.struck")
            self._numbers.difference_update(numbers)
            self._look()

    def _look(self) -> None:
        if len(self._numbers) + WINDOW_MAX <= UNSTRUCK_MAX:
            self._roomy.set()
        else:
            self._roomy.clear()
