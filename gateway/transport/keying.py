"""Push-to-talk: a line of a serial port that keys a transmitter, and how long it may be high.

    low ──► high ──► lead ──► bytes ──► drained ──► low
             └────────── time-out timer ──────────► low    whatever loop, modem or bytes do

A thread of its own holds the line: it raises it, waits for the word or for the end of its time, and
drops it, whether or not the event loop still runs. It works on a descriptor of its own: the number
of one that was closed may be another port's by now, and that one would be keyed. When the program
is killed the kernel closes the port, and HUPCL drops the line. Of a kernel that hangs, or an
adapter that holds its line, no program drops it: hardware/wiring says what does.

Nothing here asks for leave: `Port.transmit` alone keys, and it has a permit.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
import termios
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Literal

from gateway.transport import Key, KeyExpired, KeyStuck, Line, TransmitRefused

RAISE_S_MAX = 1.0
DROP_S_MAX = 1.0
"""A healthy adapter sets a line within a millisecond or two; USB gives up after five seconds."""

DROPS_MAX = 3
"""Dropping is tried so often: a signal may interrupt one."""

STILL_HELD = "the kernel has not come back from an earlier keying"

Ptt = Literal["rts", "dtr"]

_BITS: Mapping[Ptt, int] = MappingProxyType({"rts": termios.TIOCM_RTS, "dtr": termios.TIOCM_DTR})
_NO_LINES = frozenset({errno.ENOTTY, errno.EINVAL, errno.EOPNOTSUPP})


class TerminalLine:
    """RTS or DTR of an open terminal, by a descriptor of its own."""

    def __init__(self, fd: int, ptt: Ptt) -> None:
        self._fd = os.dup(fd)
        self._bits = struct.pack("i", _BITS[ptt])

    def set(self, *, high: bool) -> None:
        """Raise the line, or drop it; raise OSError. The kernel may hold this up."""
        fcntl.ioctl(self._fd, termios.TIOCMBIS if high else termios.TIOCMBIC, self._bits)

    def close(self) -> None:
        """Give its descriptor back."""
        os.close(self._fd)


def lines_high(fd: int) -> frozenset[Ptt] | None:
    """Return which lines of a terminal are high; None where it has none. Raise OSError."""
    try:
        told: bytes = fcntl.ioctl(fd, termios.TIOCMGET, struct.pack("i", 0))
    except OSError as error:
        if error.errno in _NO_LINES:
            return None
        raise
    (bits,) = struct.unpack("i", told)
    return frozenset(ptt for ptt, bit in _BITS.items() if bits & bit)


class Keyer:
    """Keys the transmitter of one port, for one transmission at a time."""

    def __init__(self, port: str, device: str, limit_s: float) -> None:
        self._port = port
        self._device = device
        self._limit_s = limit_s
        self._holding: _Holding | None = None

    @asynccontextmanager
    async def keyed(self, key: Key | None) -> AsyncGenerator[None]:
        """Hold the line high until what is written meanwhile is out; without a key do nothing.

        Raises:
            TransmitRefused: an earlier keying has not ended; nothing was keyed.
            KeyExpired: the time was over before the bytes were out.
            KeyStuck: it could not be raised or dropped; let go of the wire.
        """
        if key is None:
            yield
            return
        if self._holding is not None and self._holding.lasts:
            raise TransmitRefused(self._port, STILL_HELD)
        holding = self._holding = _Holding(key.key_line(), self._limit_s, f"key {self._port}")
        try:
            if trouble := await holding.raised():
                raise KeyStuck(self._device, f"its key was not raised: {trouble}")
            async with asyncio.timeout(self._limit_s):
                yield
                await key.drained()
        except TimeoutError:
            raise KeyExpired(self._device, waited_s=self._limit_s) from None
        finally:
            if trouble := await holding.dropped():
                raise KeyStuck(self._device, f"its key was not dropped: {trouble}")
        if holding.expired:
            # The loop was held up: the bytes are out by now, but not all of them were keyed.
            raise KeyExpired(self._device, waited_s=self._limit_s)


class _Holding:
    """One keying, from before the line is raised until it was dropped."""

    def __init__(self, line: Line, limit_s: float, name: str) -> None:
        self.expired = False
        """Whether the time-out timer has dropped it, and nobody's word."""
        self._line = line
        self._limit_s = limit_s
        self._over = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._high: asyncio.Future[Exception | None] = self._loop.create_future()
        self._low: asyncio.Future[Exception | None] = self._loop.create_future()
        # A daemon: an adapter that never answers must not keep the service from ending.
        self._thread = threading.Thread(target=self._hold, name=name, daemon=True)
        self._thread.start()

    @property
    def lasts(self) -> bool:
        """Whether its thread is still with the kernel: one that has told its end only has to go."""
        return self._thread.is_alive() and not self._low.done()

    async def raised(self) -> str:
        """Return once the line is high; else why it is not."""
        return await _told(self._high, RAISE_S_MAX)

    async def dropped(self) -> str:
        """Have the line dropped, and return once it is low; else why nobody knows that."""
        self._over.set()
        return await _told(self._low, DROP_S_MAX)

    def _hold(self) -> None:
        begun_s = self._loop.time()
        trouble = self._set(high=True)
        self._tell(self._high, trouble)
        if trouble is None:
            left_s = self._limit_s - (self._loop.time() - begun_s)
            self.expired = not self._over.wait(max(left_s, 0.0))
        # One that could not be raised is dropped as well: nobody knows how far it went.
        for _ in range(DROPS_MAX):
            trouble = self._set(high=False)
            if trouble is None:
                break
        with suppress(OSError):
            self._line.close()
        self._tell(self._low, trouble)

    def _set(self, *, high: bool) -> Exception | None:
        try:
            self._line.set(high=high)
        except Exception as trouble:  # noqa: BLE001  # whatever it is, the line has to be dropped
            return trouble
        return None

    def _tell(self, whom: asyncio.Future[Exception | None], trouble: Exception | None) -> None:
        with suppress(RuntimeError):  # the loop is no more
            self._loop.call_soon_threadsafe(_settle, whom, trouble)


def _settle(whom: asyncio.Future[Exception | None], trouble: Exception | None) -> None:
    if not whom.done():
        whom.set_result(trouble)


async def _told(whom: asyncio.Future[Exception | None], limit_s: float) -> str:
    """Return what is told in time: nothing when all is well."""
    try:
        async with asyncio.timeout(limit_s):
            trouble = await asyncio.shield(whom)
    except TimeoutError:
        return f"the kernel takes over {limit_s:g} s"
    return "" if trouble is None else str(trouble)
