"""Packets stuffed with COBS, 0x00 between them, a CRC-16 at the end of each.

    00 SSSSSSSS… 00          S  stuffed: the body, then its check, two bytes

docs/LINK.md draws every byte. The check is enforced; this file never interprets a body.
"""

from __future__ import annotations

from typing import ClassVar

from gateway.codes.stuffing import COBS_MARK, stuff_cobs, unstuff_cobs
from gateway.framing import PACKET_BYTES_MIN, Delimited, checked


class Cobs(Delimited):
    """Cut a byte stream into packets; a broken one is kept, marked with its fault."""

    mark: ClassVar[int] = COBS_MARK
    stuffed_bytes_min: ClassVar[int] = PACKET_BYTES_MIN + 1

    @staticmethod
    def unstuff(stuffed: bytes) -> bytes | None:
        """Return the packet with its check, or None when nobody stuffs like that."""
        return unstuff_cobs(stuffed)

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the packet that carries this body, between marks that belong to no other."""
        return b"\x00%b\x00" % stuff_cobs(checked(body))


FRAMER = Cobs
