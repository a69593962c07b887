"""The header of a packet. docs/LINK.md, section 2.

VVVVKKKK NNNNNNNN payload…        V  version of the link   K  kind of packet   N  its number
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

VERSION = 1
"""Raised when a peer that knows only the one before would misread a packet."""

HEADER_BYTES = 2
BODY_BYTES_MAX = 1022
"""A packet has at most 1024 bytes, two of them its check (docs/LINK.md, section 1)."""
NUMBERS = 256


class PacketKind(IntEnum):
    """What a packet is for."""

    SAY = 1
    """A letter that wants an acknowledgement; said again until it has one."""
    TELL = 2
    """A letter that wants none."""
    ACK = 3
    """The number is that of the packet that has arrived; no payload."""
    NAK = 4
    """The number is that of the packet that can't be taken; the payload says why, as text."""
    TEST = 5
    """Asks for the same payload back."""
    ECHO = 6
    """The payload of a TEST, with its number."""


NUMBERED = frozenset({PacketKind.SAY, PacketKind.TELL})
"""The kinds that take the next number of their sender; the others take that of another packet."""


class Packet(Struct, frozen=True):
    """One packet, its check already held."""

    kind: PacketKind
    number: int
    payload: bytes = b""


def read_packet(body: bytes) -> Packet | None:
    """Return the packet in a frame's body; None when it is of no kind or version known here."""
    if len(body) < HEADER_BYTES or body[0] >> 4 != VERSION:
        return None
    kind = _KINDS.get(body[0] & 0x0F)
    return None if kind is None else Packet(kind, body[1], body[HEADER_BYTES:])


def write_packet(packet: Packet) -> bytes:
    """Return the body that a framing wraps."""
    return bytes([VERSION << 4 | packet.kind, packet.number]) + packet.payload


_KINDS = {int(kind): kind for kind in PacketKind}
