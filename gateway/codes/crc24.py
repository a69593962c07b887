"""The 24 check bits of Mode S (ICAO Annex 10 volume IV, 3.1.2.3.3): generator FFF409."""

from __future__ import annotations

_POLYNOMIAL = 0x1FFF409
_MASK = 0xFFFFFF
CHECK_BYTES = 3


def _step(octet: int) -> int:
    """Return the remainder of one octet with 24 zeros behind it."""
    rest = octet << 16
    for _ in range(8):
        rest <<= 1
        if rest >> 24:
            rest ^= _POLYNOMIAL
    return rest & _MASK


_STEPS = tuple(_step(octet) for octet in range(256))


def parity(body: bytes) -> int:
    """Return the check bits that belong behind this body."""
    rest = 0
    for octet in body:
        rest = rest << 8 & _MASK ^ _STEPS[rest >> 16 ^ octet]
    return rest


def overlay(message: bytes) -> int:
    """Return what was laid over the check bits of this message: 0 when nothing was."""
    return parity(message[:-CHECK_BYTES]) ^ int.from_bytes(message[-CHECK_BYTES:], "big")
