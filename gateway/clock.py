"""The only place that asks the time or sleeps. It sets no clock, and can't."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
import time
from functools import cached_property
from pathlib import Path
from typing import Literal

from msgspec import Struct

from gateway.model.inbound import CLOCK_FLOOR_UTC_NS, STEP_NS, Moment
from gateway.model.words import ClockState

LOOK_NS = 10**9
"""How long the kernel's word about the time of day is taken for what it still would say."""

BOOT_DIGITS = 8
"""Of the name of a start of the machine: enough to tell those of one box apart."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# linux/timex.h
_STA_PPSTIME = 0x0004
_STA_INS = 0x0010
_STA_DEL = 0x0020
_STA_UNSYNC = 0x0040
_STA_PPSSIGNAL = 0x0100
_STA_CLOCKERR = 0x1000
_PULSE = _STA_PPSTIME | _STA_PPSSIGNAL
_FAILED = -1


class Held(Struct, frozen=True):
    """What the kernel says of the time of day."""

    state: ClockState = ClockState.FREE
    error_ms: int | None = None
    """How far it may be out; None when it is not held."""
    leap: Literal["insert", "delete"] | None = None
    """What is to happen at the end of this day."""


class Kernel:
    """Asks the kernel whether the time of day is held to a reference; it never tells it anything.

    A kernel or a sandbox that doesn't answer makes the clock free: nobody answers for it.
    """

    def __init__(self) -> None:
        self._ask = getattr(ctypes.CDLL(None), "adjtimex", None)

    def held(self) -> Held:
        """Return what the kernel says now."""
        told = Timex(modes=0)
        if self._ask is None or self._ask(ctypes.byref(told)) == _FAILED:
            return Held()
        return held_of(told.status, told.maxerror)


class Timex(ctypes.Structure):
    """What the kernel fills in: `struct timex` of linux/timex.h, of 32 and of 64 bits alike."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        # Time, tick, pulse and reserve: not asked for. No layout is longer than this.
        ("rest", ctypes.c_long * 64),
    )


def held_of(status: int, maxerror_us: int) -> Held:
    """Return what the status bits and the greatest error of the kernel's clock come to."""
    leap: Literal["insert", "delete"] | None = None
    if status & (_STA_INS | _STA_DEL):
        leap = "insert" if status & _STA_INS else "delete"
    if status & (_STA_UNSYNC | _STA_CLOCKERR):
        return Held(leap=leap)
    state = ClockState.GNSS if status & _PULSE == _PULSE else ClockState.NTP
    return Held(state, -(-maxerror_us // 1000), leap)


class Clock:
    """The clocks of this box. Tests hand in one of their own with the same shape."""

    held = Held()
    """What the kernel said of the time of day when it was asked last."""
    _due_ns = 0
    _ahead_ns = 0

    def now(self) -> Moment:
        """Return this moment on both clocks."""
        utc_ns, mono_ns = time.time_ns(), time.monotonic_ns()
        ahead_ns = utc_ns - mono_ns
        if mono_ns >= self._due_ns or not -STEP_NS < ahead_ns - self._ahead_ns < STEP_NS:
            self._due_ns, self._ahead_ns = mono_ns + LOOK_NS, ahead_ns
            self.held = self._kernel.held()
        if utc_ns < CLOCK_FLOOR_UTC_NS:
            return Moment(mono_ns, utc_ns, ClockState.UNSET)
        held = self.held
        return Moment(mono_ns, utc_ns, held.state, held.error_ms)

    async def sleep(self, seconds: float) -> None:
        """Let others work for this long."""
        await asyncio.sleep(seconds)

    @cached_property
    def boot(self) -> str:
        """The start of the machine that the monotonic clock counts from."""
        try:
            return _BOOT_ID.read_text("ascii").replace("-", "")[:BOOT_DIGITS]
        except OSError:
            # Nobody says which start it is: then this run is all that its times hold for.
            run = f"{os.getpid()} {time.time_ns()} {time.monotonic_ns()}"
            return hashlib.blake2b(run.encode(), digest_size=BOOT_DIGITS // 2).hexdigest()

    @cached_property
    def _kernel(self) -> Kernel:
        return Kernel()
