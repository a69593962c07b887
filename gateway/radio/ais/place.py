"""Bits to place and motion, in everybody's words. Here the numbers that mean "not available" die.

Latitude 91 and longitude 181, speed 102.3 kn, course 360, heading 511, turn -128, altitude 4095 m
and, in message 27, speed 63 kn and course 511 are absent. Values that are impossible but mean
nothing by the standard pass, for `normalise.py` to take out and say so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import copysign

from gateway.model.place import Position, Velocity
from gateway.radio.ais.armour import Bits

_PLACE_AT = {
    1: (61, 28, 600_000),
    2: (61, 28, 600_000),
    3: (61, 28, 600_000),
    4: (79, 28, 600_000),
    9: (61, 28, 600_000),
    11: (79, 28, 600_000),
    17: (40, 18, 600),
    18: (57, 28, 600_000),
    19: (57, 28, 600_000),
    21: (164, 28, 600_000),
    27: (44, 18, 600),
}
"""By type: where the longitude begins, its width (the latitude follows, one bit less), and its
parts of a degree: 1/10,000 or 1/10 of a minute."""

_MOTION_AT = {
    1: (50, 116, 128),
    2: (50, 116, 128),
    3: (50, 116, 128),
    9: (50, 116, None),
    18: (46, 112, 124),
    19: (46, 112, 124),
}
"""By type: where speed (10 bits), course (12 bits) and heading (9 bits) stand."""

_ACCURATE_M = 10.0
"""What the accuracy flag promises; without it the standard says only "more than 10 m"."""
_RESOLUTION_M = {600_000: 0.093, 600: 92.6}
"""Half of 1/10,000 and of 1/10 of a minute of latitude."""
_DIGITS = 7
"""Decimals of a degree: a centimetre, and enough to turn back into the very number sent."""
_LAT_NONE, _LON_NONE = 91, 181
_SPEED_NONE, _COURSE_NONE, _HEADING_NONE, _TURN_NONE, _ALTITUDE_NONE = 1023, 3600, 511, -128, 4095
_FULL_CIRCLE = 360
"""Directions end at 359; 360 and all above it say nothing."""
_LONG_RANGE_SPEED_NONE, _LONG_RANGE_COURSE_NONE = 63, 511
_DATED = frozenset({4, 11})
_DATE_CHARS = len("2026-11-22T12:00:00Z")
_TURN_FACTOR = 4.733
"""The field is 4.733 times the square root of the rate in degrees a minute, with its sign."""


def position_of(bits: Bits, *, accurate: bool, source: str | None) -> Position | None:
    """Return where the message says its sender is, or None when it says nothing of it."""
    kind = bits.get(0, 6)
    found = _PLACE_AT.get(kind)
    if found is None:
        return None
    start, width, parts = found
    lon, lat = bits.get_signed(start, width), bits.get_signed(start + width, width - 1)
    if lat == _LAT_NONE * parts or lon == _LON_NONE * parts:
        return None
    altitude = bits.get(38, 12) if kind == 9 else _ALTITUDE_NONE
    return Position(
        lat_deg=round(lat / parts, _DIGITS),
        lon_deg=round(lon / parts, _DIGITS),
        accuracy_m=_ACCURATE_M if accurate else None,
        resolution_m=_RESOLUTION_M[parts],
        altitude_m=float(altitude) if altitude != _ALTITUDE_NONE else None,
        source=source,
    )


def velocity_of(bits: Bits) -> Velocity | None:
    """Return how the sender says it moves, or None when it says nothing of it."""
    kind = bits.get(0, 6)
    if kind == 27:
        return _velocity_long_range(bits)
    found = _MOTION_AT.get(kind)
    if found is None:
        return None
    speed_at, course_at, heading_at = found
    speed, course = bits.get(speed_at, 10), bits.get(course_at, 12)
    heading = bits.get(heading_at, 9) if heading_at else _HEADING_NONE
    turn = _turn_deg_min(bits) if kind <= 3 else None
    if (speed, course, heading, turn) == (_SPEED_NONE, _COURSE_NONE, _HEADING_NONE, None):
        return None
    return Velocity(
        # An aircraft's speed is in whole knots.
        speed_kn=(float(speed) if kind == 9 else speed / 10) if speed != _SPEED_NONE else None,
        course_deg=course / 10 if course != _COURSE_NONE else None,
        heading_deg=float(heading) if heading < _FULL_CIRCLE else None,
        turn_deg_min=turn,
    )


def date_of(bits: Bits) -> str | None:
    """Return the date that a base station states, when all of it is there and can be.

    38 year 14 · 52 month 4 · 56 day 5 · 61 hour 5 · 66 minute 6 · 72 second 6
    """
    if bits.get(0, 6) not in _DATED:
        return None
    year, month, day = bits.get(38, 14), bits.get(52, 4), bits.get(56, 5)
    hour, minute, second = bits.get(61, 5), bits.get(66, 6), bits.get(72, 6)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z".zfill(_DATE_CHARS)


def date_stated(bits: Bits) -> bool:
    """Say whether no part of a base station's date is marked as not available."""
    return (
        all((bits.get(38, 14), bits.get(52, 4), bits.get(56, 5)))
        and bits.get(61, 5) != 24
        and bits.get(66, 6) != 60
        and bits.get(72, 6) != 60
    )


def _velocity_long_range(bits: Bits) -> Velocity | None:
    """79 speed 6 · 85 course 9."""
    speed, course = bits.get(79, 6), bits.get(85, 9)
    if (speed, course) == (_LONG_RANGE_SPEED_NONE, _LONG_RANGE_COURSE_NONE):
        return None
    return Velocity(
        speed_kn=float(speed) if speed != _LONG_RANGE_SPEED_NONE else None,
        course_deg=float(course) if course < _FULL_CIRCLE else None,
    )


def _turn_deg_min(bits: Bits) -> float | None:
    """42 turn 8, signed; ±127 is no number but "faster than I can tell"."""
    turn = bits.get_signed(42, 8)
    if turn == _TURN_NONE or abs(turn) == 127:
        return None
    return copysign(round((turn / _TURN_FACTOR) ** 2, 1), turn) if turn else 0.0
