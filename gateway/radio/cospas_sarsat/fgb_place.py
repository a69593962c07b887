"""Where a first-generation beacon says it is: coarse in the first field, finer with the second.

A finer value is added to, or taken from, the *size* of the coarse one; the hemisphere comes last
(T.001 section A3.3.1): 100° W and 30 minutes more are 100° 30' W.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from gateway.codes.bits import Bits
from gateway.radio.cospas_sarsat import tables

METRES_A_DEGREE = 111_120.0
"""Sixty nautical miles."""

SECONDS_STEP = 4
NO_SECONDS = 0b1111
"""In the field of seconds, with a sign of 1 and no minutes: there is no offset."""


class Coarse(Struct, frozen=True):
    """Where a location protocol has its coarse position, and in what steps."""

    lat: tuple[int, int]
    """Sign, last bit."""
    lon: tuple[int, int]
    steps: int
    """In a degree."""


class Offset(Struct, frozen=True):
    """Where a location protocol has its offsets: sign, minutes, seconds."""

    lat: int
    """The sign's bit."""
    lon: int
    minutes: int
    """How many bits."""


STANDARD = (Coarse((65, 74), (75, 85), 4), Offset(113, 123, 5))
NATIONAL = (Coarse((59, 71), (72, 85), tables.NATIONAL_STEPS), Offset(113, 120, 2))
HALVES = (Coarse((67, 75), (76, 85), 2), Offset(115, 124, 4))
"""RLS, and distress tracking ELTs."""

LAYOUTS = {
    **dict.fromkeys(tables.STANDARD, STANDARD),
    **dict.fromkeys(tables.NATIONAL, NATIONAL),
    tables.RLS: HALVES,
    tables.ELT_DT: HALVES,
}

DEFAULTS = {
    **dict.fromkeys(tables.STANDARD, (65, 0b0_111111111_0_1111111111)),
    **dict.fromkeys(tables.NATIONAL, (59, 0b0_1111111_00000_0_11111111_00000)),
    tables.RLS: (67, 0b0_11111111_0_111111111),
    tables.ELT_DT: (67, 0b0_11111111_0_111111111),
}
"""The first bit of the position, and what stands there when none is known (table A2)."""

CANCEL_FIRST = 0b1_11111010_1_111111010
"""Bits 67 to 85 of an ELT(DT) that takes its alert back."""
CANCEL_SECOND = 0b00111100_0_1111_0000_0_1111_0000
"""Bits 107 to 132."""


def is_cancel(first: Bits, second: Bits | None) -> bool:
    """Say whether a distress tracking ELT takes its alert back. To be asked before any position."""
    if first(67, 85) != CANCEL_FIRST or second is None or second.last < 132:
        return False
    return second(107, 132) == CANCEL_SECOND


def place_of(first: Bits, second: Bits | None, *, is_long: bool) -> dict[str, Any]:
    """Return the fields of the detail that say where; what does not fit on the Earth as odd."""
    if first(26):
        own = first(37, 39) in tables.USER_OWN
        return _user_place(second) if is_long and second and not own else {}
    layout = LAYOUTS.get(first(37, 40))
    if layout is None:
        return {}
    coarse, offset = layout
    lat, lon = _coarse(first, coarse)
    if lat is None or lon is None:
        return {}
    north, lat_size = lat
    east, lon_size = lon
    said: dict[str, Any] = {
        "coarse_lat_deg": north * lat_size / 3600,
        "coarse_lon_deg": east * lon_size / 3600,
    }
    resolution = 1 / coarse.steps / 2
    if is_long and second is not None and _has_offset(first(37, 40), second):
        more = (_seconds(second, offset, offset.lat), _seconds(second, offset, offset.lon))
        lat_size, lon_size = lat_size + (more[0] or 0), lon_size + (more[1] or 0)
        if None not in more:
            resolution = SECONDS_STEP / 3600 / 2
    if not (0 <= lat_size <= 90 * 3600 and 0 <= lon_size <= 180 * 3600):
        return {"odd": ("the position stated is not on the Earth",)}
    said |= {"lat_deg": north * lat_size / 3600, "lon_deg": east * lon_size / 3600}
    said["resolution_m"] = round(resolution * METRES_A_DEGREE, 1)
    return said


def _coarse(first: Bits, layout: Coarse) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    return (
        _angle(first, *layout.lat, steps=layout.steps),
        _angle(first, *layout.lon, steps=layout.steps),
    )


def _angle(first: Bits, sign: int, last: int, *, steps: int) -> tuple[int, int] | None:
    """Return the sign and the size in seconds of arc; None when all bits of degrees are 1."""
    value = first(sign + 1, last)
    width = last - sign
    if steps == tables.NATIONAL_STEPS:  # whole degrees, then five bits of two minutes
        degrees, minutes = value >> 5, 2 * (value & 0b11111)
        if degrees == (1 << (width - 5)) - 1:
            return None
        return (-1 if first(sign) else 1), degrees * 3600 + minutes * 60
    if value == (1 << width) - 1:
        return None
    return (-1 if first(sign) else 1), value * 3600 // steps


def _has_offset(code: int, second: Bits) -> bool:
    """Say whether the second field holds an offset, and not something else."""
    if code in tables.NATIONAL:
        return bool(second(110))
    if code == tables.ELT_DT:
        # Rotating, with an operator's letters in place of the offset.
        return not (second(113, 114) == 0 and second(115, 117) == 0)
    return True


def _seconds(second: Bits, layout: Offset, sign: int) -> int | None:
    minutes = second(sign + 1, sign + layout.minutes)
    seconds = second(sign + layout.minutes + 1, sign + layout.minutes + 4)
    if second(sign) and not minutes and seconds == NO_SECONDS:
        return None
    return (1 if second(sign) else -1) * (minutes * 60 + seconds * SECONDS_STEP)


def _user_place(second: Bits) -> dict[str, Any]:
    """Return the place of a user-location protocol: whole in the second field, in steps of 4'."""
    if second(109, 115) == 0b1111111 or second(121, 128) == 0b11111111:
        return {}
    lat = second(109, 115) * 60 + second(116, 119) * 4
    lon = second(121, 128) * 60 + second(129, 132) * 4
    if lat > 90 * 60 or lon > 180 * 60:
        return {"odd": ("the position stated is not on the Earth",)}
    return {
        "lat_deg": (-1 if second(108) else 1) * lat / 60,
        "lon_deg": (-1 if second(120) else 1) * lon / 60,
        "resolution_m": round(METRES_A_DEGREE * 4 / 60 / 2, 1),
    }
