"""Virtual modems: pseudo-terminals that a tape speaks through, so that real ports are opened.

The gateway's end is a serial port like any other, with its locks, its settings and its hang-ups.
"""

from __future__ import annotations

import os
import tty
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Self

from gateway.clock import Clock
from gateway.model.asked import Taped
from gateway.model.inbound import Chunk

WRITE_BYTES_MAX = 1024
"""A pseudo-terminal takes 4 kB unread; a modem speaks in far smaller pieces."""


class VirtualModems:
    """One pseudo-terminal a port, open for as long as the context lasts."""

    def __init__(self, names: Iterable[str]) -> None:
        self._stack = ExitStack()
        self._modem_ends: dict[str, int] = {}
        self.devices: dict[str, str] = {}
        """The path that the gateway opens, by port."""
        for name in names:
            modem_end, gateway_end = os.openpty()
            self._stack.callback(os.close, modem_end)
            self._stack.callback(os.close, gateway_end)
            tty.setraw(gateway_end)
            os.set_blocking(modem_end, False)
            self._modem_ends[name] = modem_end
            self.devices[name] = os.ttyname(gateway_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    async def play(self, tape: Iterable[Taped], *, speed: float, clock: Clock) -> None:
        """Speak the tape once, in its own time, scaled; a modem has nothing else to say of it."""
        begun_ns = clock.now().mono_ns
        first_ns: int | None = None
        for heard in tape:
            if not isinstance(heard, Chunk):
                continue
            first_ns = heard.heard.mono_ns if first_ns is None else first_ns
            due_ns = begun_ns + int((heard.heard.mono_ns - first_ns) / speed)
            wait_s = (due_ns - clock.now().mono_ns) / 1e9
            if wait_s > 0:
                await clock.sleep(wait_s)
            self._speak(heard.port, heard.data)

    def _speak(self, port: str, data: bytes) -> None:
        """Send bytes; what a stalled reader leaves no room for is lost, as on a real wire."""
        for begin in range(0, len(data), WRITE_BYTES_MAX):
            try:
                os.write(self._modem_ends[port], data[begin : begin + WRITE_BYTES_MAX])
            except BlockingIOError:
                return
