"""What systemd is told of us: that we are on watch, how it goes, that we live, that we leave.

The protocol is that of sd_notify(3): lines of text in one datagram to the socket that NOTIFY_SOCKET
names. Without that variable nobody is told, and nothing is different.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

STATUS_CHARACTERS_MAX = 256
"""systemd shows one line."""


class Notify:
    """The socket of whoever started us; silent when there is none."""

    def __init__(self, address: str | None, *, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        """How long it waits for a sign of life before it starts us anew; None: it doesn't."""
        self.failures = 0
        """Datagrams that did not get through."""
        self._address = _path_of(address) if address else None
        # Made now, and kept: who has run out of descriptors must still say that he lives.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        if self._socket is not None:
            self._socket.settimeout(0)

    def ready(self) -> None:
        """Say that we are on watch."""
        self._tell("READY=1")

    def status(self, words: str) -> None:
        """Say in a line how it goes."""
        line = words if words.isprintable() else repr(words)
        self._tell(f"STATUS={line[:STATUS_CHARACTERS_MAX]}")

    def alive(self) -> None:
        """Say that all of us has made progress."""
        if self.watchdog_s is not None:
            self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that we leave because we were told to."""
        self._tell("STOPPING=1")

    def close(self) -> None:
        """Let go of the socket; nothing more is said."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, words: str) -> None:
        if self._socket is None or self._address is None:
            return
        try:
            self._socket.sendto(words.encode(), self._address)
        except OSError:  # it is gone, or doesn't read: then it knows better than we how it is
            self.failures += 1


def notify_from(environment: Mapping[str, str]) -> Notify:
    """Return the way to whoever started this process, as systemd says it in the environment."""
    usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    ours = usec.isdecimal() and int(usec) > 0 and pid in (None, str(os.getpid()))
    return Notify(environment.get("NOTIFY_SOCKET"), watchdog_s=int(usec) / 1e6 if ours else None)


def _path_of(address: str) -> str:
    """Return the address as the kernel takes it; one with an @ stands in no folder."""
    return "\0" + address[1:] if address.startswith("@") else address
