"""The only place that asks the time or sleeps."""

from __future__ import annotations

import asyncio
import time

from gateway.model.inbound import Moment
from gateway.model.words import ClockState

CLOCK_FLOOR_UTC_NS = 1_793_491_200 * 10**9
"""2026-11-01: no box runs this release earlier, so an earlier clock was never set."""


class Clock:
    """The clocks of this box. Tests hand in one of their own with the same shape."""

    def now(self) -> Moment:
        """Return this moment on both clocks."""
        utc_ns = time.time_ns()
        state = ClockState.FREE if utc_ns >= CLOCK_FLOOR_UTC_NS else ClockState.UNSET
        return Moment(mono_ns=time.monotonic_ns(), utc_ns=utc_ns, clock=state)

    async def sleep(self, seconds: float) -> None:
        """Let others work for this long."""
        await asyncio.sleep(seconds)
