"""Byte stuffing: how a byte is kept out of a packet, so that it can stand between packets.

COBS (Cheshire and Baker, 1999) keeps out 0x00: each block begins with how far the next one is.

    45 00 00 2C   becomes   02 45  01  02 2C          0xFF: 254 bytes, and no 0x00 behind them

SLIP (RFC 1055) keeps out 0xC0: it is said as DB DC, and 0xDB itself as DB DD.
"""

from __future__ import annotations

COBS_MARK = 0x00
SLIP_MARK = 0xC0

_BLOCK_MAX = 0xFF
"""The code of a block of 254 bytes that no 0x00 ends."""
_ESC, _ESC_MARK, _ESC_ESC = 0xDB, b"\xdb\xdc", b"\xdb\xdd"


def stuff_cobs(packet: bytes) -> bytes:
    """Return the packet without a 0x00 in it."""
    stuffed = bytearray()
    *parts, last = packet.split(b"\0")
    for part in parts:
        rest = _full_blocks(stuffed, part)
        stuffed.append(len(rest) + 1)
        stuffed += rest
    rest = _full_blocks(stuffed, last)
    if rest or len(last) == 0:  # a full block at the end leaves nothing to say
        stuffed.append(len(rest) + 1)
        stuffed += rest
    return bytes(stuffed)


def _full_blocks(stuffed: bytearray, part: bytes) -> bytes:
    """Add the blocks of 254 bytes that a part without 0x00 begins with; return the rest of it."""
    while len(part) >= _BLOCK_MAX - 1:
        stuffed.append(_BLOCK_MAX)
        stuffed += part[: _BLOCK_MAX - 1]
        part = part[_BLOCK_MAX - 1 :]
    return part


def unstuff_cobs(stuffed: bytes) -> bytes | None:
    """Return the packet, or None when a block does not end where it says."""
    packet, at, ended = bytearray(), 0, True
    while at < len(stuffed):
        code = stuffed[at]
        if code == COBS_MARK or at + code > len(stuffed):
            return None
        if not ended:
            packet.append(0)
        packet += stuffed[at + 1 : at + code]
        ended = code == _BLOCK_MAX
        at += code
    return None if COBS_MARK in stuffed else bytes(packet)


def stuff_slip(packet: bytes) -> bytes:
    """Return the packet without a 0xC0 in it."""
    return packet.replace(b"\xdb", _ESC_ESC).replace(b"\xc0", _ESC_MARK)


def unstuff_slip(stuffed: bytes) -> bytes | None:
    """Return the packet, or None when an escape means nothing."""
    first, *rest = stuffed.split(bytes([_ESC]))
    packet = bytearray(first)
    for part in rest:
        byte = _UNESCAPED.get(part[:1])
        if byte is None:
            return None
        packet.append(byte)
        packet += part[1:]
    return None if SLIP_MARK in stuffed else bytes(packet)


_UNESCAPED = {_ESC_MARK[1:]: SLIP_MARK, _ESC_ESC[1:]: _ESC}
