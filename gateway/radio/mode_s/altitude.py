"""Thirteen bits, pulses of Modes A and C: a squawk or an altitude.

    bit    1  2  3  4  5  6  7  8  9  10 11 12 13
    pulse  C1 A1 C2 A2 C4 A4 M  B1 Q  B2 D2 B4 D4

M: metres. Q: steps of 25 feet, and the other eleven bits are a number; without it they are Gray
code in steps of 100 feet. In a squawk M is nothing and Q is D1. Twelve bits are the same without
M. Sources: ICAO Annex 10 volume IV, 3.1.2.6.5.4 and 3.1.1.7.12.2.3.
"""

from __future__ import annotations

_M, _Q = 0x40, 0x10
_STEP_FT, _LOWEST_FT = 25, -1000
_GRAY_LOWEST_FT = -1300
_DIGITS = ((7, 9, 11), (1, 3, 5), (8, 10, 12), (0, 2, 4))
"""Of a squawk, A B C D: how far each digit's pulses 4 2 1 stand from the right."""
_FIVE_HUNDREDS = (2, 0, 11, 9, 7, 5, 3, 1)
"""D2 D4 A1 A2 A4 B1 B2 B4: Gray code of the number of 500 feet."""
_HUNDREDS = (12, 10, 8)
"""C1 C2 C4: Gray code of the number of 100 feet, turned round in every other 500."""


def squawk_of(pulses: int) -> str:
    """Return the four octal digits of an identity."""
    return "".join(
        str(sum((pulses >> place & 1) << 2 - power for power, place in enumerate(places)))
        for places in _DIGITS
    )


def of_13(pulses: int) -> int | None:
    """Return the altitude in feet; None when there is none, or it is said in metres."""
    if not pulses or pulses & _M:
        return None
    if pulses & _Q:
        number = (pulses & 0x1F80) >> 2 | (pulses & 0x20) >> 1 | pulses & 0xF
        return number * _STEP_FT + _LOWEST_FT
    return _gray_ft(pulses)


def of_12(pulses: int) -> int | None:
    """Return the altitude in feet of an extended squitter; None when there is none."""
    return of_13((pulses & 0xFC0) << 1 | pulses & 0x3F)


def _gray_ft(pulses: int) -> int | None:
    hundreds = _number(pulses, _HUNDREDS)
    if hundreds in (0, 5, 6):
        return None
    hundreds = 5 if hundreds == 7 else hundreds
    five_hundreds = _number(pulses, _FIVE_HUNDREDS)
    if five_hundreds % 2:
        hundreds = 6 - hundreds
    return five_hundreds * 500 + hundreds * 100 + _GRAY_LOWEST_FT


def _number(pulses: int, places: tuple[int, ...]) -> int:
    """Return the number that Gray code in these places stands for."""
    number = bit = 0
    for place in places:
        bit ^= pulses >> place & 1
        number = number << 1 | bit
    return number
