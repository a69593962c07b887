"""The wires: what arrived, on which port, when. Nothing here knows what a byte means.

A *way* leads to a modem and can be taken again and again; a *wire* is a way that stands open.
Whatever goes wrong outside comes out as one of these, each with its facts:

    WireLost            the wire is gone, or could not be had
        WireAbsent      nothing is there at all: no node, no sender
        WireEnded       it came to its end and is not tried again by itself: a tape
        KeyStuck        what keys its transmitter could not be raised, or not be dropped
    WriteStalled        the modem takes no bytes; receiving goes on
        KeyExpired      the bytes were not out when the longest transmission was over
    TransmitRefused     not a byte was handed over
    BadDevice           a device that can never work as it is written
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

READ_BYTES_MAX = 1024
"""One chunk goes through the rooms in one go; a longer one would make the other ports wait. Twenty
sentences are some two milliseconds, and a call on another port waits several times for such."""

WRITE_BYTES_MAX = 4096
"""What may wait for a modem; a second of the fastest one, a minute of a slow one."""

WRITE_S_MAX = 2.0
"""A modem that has not taken its bytes by then is stalled; what is unsent is thrown away."""


class Wire(Protocol):
    """An open way to one modem."""

    adapter: str | None
    """The adapter behind it, as `distress-gateway ports` says it; None when nobody can tell."""
    key: Key | None
    """What keys the transmitter behind it; None where the profile names nothing, or it has none."""

    async def read(self) -> bytes:
        """Return the next bytes, never none, at most READ_BYTES_MAX; raise WireLost.

        Cancelling it loses nothing: what has arrived is returned by the next call.
        """

    async def write(self, data: bytes) -> None:
        """Hand these bytes to the modem whole; raise WriteStalled or WireLost."""

    def close(self) -> None:
        """Let go of it. Never blocks; a second time does nothing."""


class Line(Protocol):
    """One control line of a port, for one keying. Both calls may be held up by the kernel."""

    def set(self, *, high: bool) -> None:
        """Raise it, or drop it; raise OSError."""

    def close(self) -> None:
        """Let go of it."""


class Key(Protocol):
    """What a wire has that keys a transmitter."""

    def key_line(self) -> Line:
        """Return the line, which is low; raise WireLost."""

    async def drained(self) -> None:
        """Return when the last bit of what was written has left the box; raise WireLost.

        Cancelling it throws away what has not.
        """


class Node(Struct, frozen=True):
    """What stands at a device's place: another identity is another modem, or a new cable."""

    path: str
    identity: tuple[int, ...]
    """Device, inode and character-device numbers; all three alike is the same node."""
    changed_ns: int = 0
    """When its owner or mode last changed: a reason to try again, not to let go."""


class Way(Protocol):
    """How to get at one modem, again and again."""

    refused_senders: int
    """How many were turned away because another one was already speaking here."""

    async def open(self) -> tuple[Wire, Node]:
        """Open it; raise WireAbsent, WireEnded or WireLost."""

    def standing(self) -> Node | None:
        """Return what stands there now, cheaply; None when nothing does. Raise WireLost."""

    def close(self) -> None:
        """Let go of everything that outlives a single wire. Never blocks."""


class WireLost(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """The wire is gone, or could not be had."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(device, reason)
        self.device = device
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.device}: {self.reason}"


class WireAbsent(WireLost):
    """Nothing is there at all."""


class WireEnded(WireLost):
    """It came to its end and is not tried again by itself."""


class KeyStuck(WireLost):
    """What keys its transmitter could not be raised, or nobody knows that it was dropped."""


class WriteStalled(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """The modem takes no bytes; those it had not taken have been thrown away."""

    def __init__(self, device: str, unsent_bytes: int, *, waited_s: float = 0.0) -> None:
        super().__init__(device, unsent_bytes, waited_s)
        self.device = device
        self.unsent_bytes = unsent_bytes
        self.waited_s = waited_s
        """0 when there was no room for them behind those that wait already."""

    def __str__(self) -> str:
        return f"{self.device}: {self.unsent_bytes} bytes not taken in {self.waited_s:g} s"


class KeyExpired(WriteStalled):
    """The longest transmission was over before the bytes were out; the rest was thrown away."""

    def __init__(self, device: str, *, waited_s: float) -> None:
        super().__init__(device, 0, waited_s=waited_s)

    def __str__(self) -> str:
        return f"{self.device}: keyed for {self.waited_s:g} s, and not all of it was out"


class TransmitRefused(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """Not a byte was handed over, and nothing was keyed."""

    def __init__(self, port: str, reason: str) -> None:
        super().__init__(port, reason)
        self.port = port
        self.reason = reason

    def __str__(self) -> str:
        return f"port {self.port} transmits nothing: {self.reason}"


class BadDevice(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """A device that can never work as it is written."""

    def __init__(self, device: str, problem: str) -> None:
        super().__init__(device, problem)
        self.device = device
        self.problem = problem

    def __str__(self) -> str:
        return f"`{self.device}`: {self.problem}"
