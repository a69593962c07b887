"""From what a receiver hands over to the bits of one transmission.

Beast: type, six octets of clock, signal, message. AVR: digits, and twelve of the clock before
them. A line of BaseStation text has a form of its own: basestation.py.
"""

from __future__ import annotations

import re

from msgspec import Struct

from gateway.radio.mode_s.words import Receiver

SHORT_BYTES, LONG_BYTES = 7, 14
_CLOCK_BYTES = 6
_BEAST = {b"2": SHORT_BYTES, b"3": LONG_BYTES}
_BEAST_HEAD = 1 + _CLOCK_BYTES + 1
_AVR = re.compile(rb"(?:[0-9A-Fa-f]{12})?(?:[0-9A-Fa-f]{14}){1,2}\Z")
_COMPUTED = bytes.fromhex("FF004D4C4154")
"""What stands for a clock in messages that a network made up (observed on readsb, 2026-11)."""


class Burst(Struct, frozen=True, gc=False):
    """One transmission."""

    octets: bytes
    receiver: Receiver | None


def burst_in(body: bytes) -> Burst | None:
    """Return the transmission that stands in this body; None when it holds none of Mode S."""
    size = _BEAST.get(body[:1])
    if size is not None and len(body) == _BEAST_HEAD + size:
        clock = body[1 : 1 + _CLOCK_BYTES]
        return _fitting(body[_BEAST_HEAD:], clock, body[_BEAST_HEAD - 1])
    if len(body) not in _AVR_DIGITS or not _AVR.match(body):
        return None
    octets = bytes.fromhex(body.decode("ascii"))
    has_clock = len(octets) not in (SHORT_BYTES, LONG_BYTES)
    clock = octets[:_CLOCK_BYTES] if has_clock else b""
    return _fitting(octets[len(clock) :], clock, None)


_AVR_DIGITS = frozenset(
    2 * (clock + size) for clock in (0, _CLOCK_BYTES) for size in (SHORT_BYTES, LONG_BYTES)
)


def _fitting(octets: bytes, clock: bytes, signal: int | None) -> Burst | None:
    """Return the transmission, when it is as long as its downlink format says."""
    if (octets[0] >> 7) != (len(octets) == LONG_BYTES):
        return None
    if not clock and signal is None:
        return Burst(octets, None)
    if clock == _COMPUTED:
        return Burst(octets, Receiver(signal=signal, computed=True))
    return Burst(octets, Receiver(ticks=int.from_bytes(clock, "big"), signal=signal))
