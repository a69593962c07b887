"""How a duty says that it lives: with each step it says by when it will be heard of again.

No timer beats on anybody's behalf: a pulse is beaten by the progress of its own duty, or not at
all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable

from gateway.clock import Clock

PULSE_S = 5.0
"""The longest between two beats, where a step has no reason for a longer time: half of what systemd
waits before it takes us for dead, and ten times the longest step of an ordinary day."""


class Pulse:
    """The pulse of one duty, held by the duty and read by the watchdog."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due_ns: int | None = None

    def beat(self, within_s: float = PULSE_S) -> None:
        """A step was made; the next beat comes within this time."""
        self._due_ns = self._clock.now().mono_ns + int(within_s * 1e9)

    def rest(self) -> None:
        """Somebody else has the next move: no beat is due."""
        self._due_ns = None

    def expect(self) -> None:
        """There is something to do: if it was resting, a beat is due from now on."""
        if self._due_ns is None:
            self.beat()

    async def wait(self, until: Awaitable[object], limit_s: float) -> None:
        """Wait for this, but not for ever, and say that we do: whoever waits looks again."""
        self.beat(limit_s + PULSE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await until
        self.beat()

    def late(self, mono_ns: int) -> bool:
        """Say whether a beat was due before this moment."""
        return self._due_ns is not None and mono_ns > self._due_ns
