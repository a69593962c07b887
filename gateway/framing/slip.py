"""Packets stuffed with SLIP, 0xC0 between them, a CRC-16 at the end of each.

    C0 SSSSSSSS… C0          S  stuffed: the body, then its check, two bytes

docs/LINK.md draws every byte. The check is enforced; this file never interprets a body.
"""

from __future__ import annotations

from typing import ClassVar

from gateway.codes.stuffing import SLIP_MARK, stuff_slip, unstuff_slip
from gateway.framing import PACKET_BYTES_MIN, Delimited, checked


class Slip(Delimited):
    """Cut a byte stream into packets; a broken one is kept, marked with its fault."""

    mark: ClassVar[int] = SLIP_MARK
    stuffed_bytes_min: ClassVar[int] = PACKET_BYTES_MIN

    @staticmethod
    def unstuff(stuffed: bytes) -> bytes | None:
        """Return the packet with its check, or None when nobody stuffs like that."""
        return unstuff_slip(stuffed)

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the packet that carries this body, between marks that belong to no other."""
        return b"\xc0%b\xc0" % stuff_slip(checked(body))


FRAMER = Slip
