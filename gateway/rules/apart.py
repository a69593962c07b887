"""How far two craft are from each other, now and soon, both moving on as they were heard to."""

from __future__ import annotations

from math import cos, hypot, radians, sin, sqrt

from msgspec import Struct

from gateway.codes.geodesy import DEGREE_M
from gateway.rules.picture import Craft

Span = tuple[float, float]
"""From one time on to another, in seconds from now."""


class Apart(Struct, frozen=True, kw_only=True, gc=False):
    """One craft as seen from another."""

    east_m: float
    north_m: float
    above_m: float | None
    """None when either doesn't say how high it is."""
    east_mps: float | None
    """None when either doesn't say how it moves."""
    north_mps: float
    up_mps: float
    unsure_m: float
    """So far over ground the places may be wrong, both together."""

    @property
    def over_ground_m(self) -> float:
        """Return how far apart they are over ground."""
        return hypot(self.east_m, self.north_m)

    def nearer_than(self, horizontal_m: float, within_s: float) -> Span | None:
        """Return when they are nearer over ground than this, as they move; None for never."""
        gap_m = self.over_ground_m
        speeds = (self.east_mps or 0.0) ** 2 + self.north_mps**2
        if self.east_mps is None or speeds == 0:
            return (0.0, within_s) if gap_m < horizontal_m else None
        # |place + motion * t| = horizontal_m, solved for t.
        along = self.east_m * self.east_mps + self.north_m * self.north_mps
        rest = along * along - speeds * (gap_m * gap_m - horizontal_m * horizontal_m)
        return None if rest <= 0 else _cut(-along, sqrt(rest), speeds, within_s)

    def level_within(self, vertical_m: float, within_s: float) -> Span | None:
        """Return when their heights differ by less than this; all of the time when unknown."""
        if self.above_m is None:
            return 0.0, within_s
        if self.up_mps == 0:
            return (0.0, within_s) if abs(self.above_m) < vertical_m else None
        return _cut(
            -self.above_m * self.up_mps,
            vertical_m * abs(self.up_mps),
            self.up_mps * self.up_mps,
            within_s,
        )


def apart(one: Craft, other: Craft, now_ns: int) -> Apart:
    """Return how the other is seen from the one, both carried on to now."""
    lat_deg, lon_deg = one.position.lat_deg, one.position.lon_deg
    scale = DEGREE_M * cos(radians((lat_deg + other.position.lat_deg) / 2))
    east_mps, north_mps = _motion(one)
    to_east_mps, to_north_mps = _motion(other)
    old_s, to_old_s = (now_ns - one.mono_ns) / 1e9, (now_ns - other.mono_ns) / 1e9
    east_deg = (other.position.lon_deg - lon_deg + 180.0) % 360.0 - 180.0
    known = one.course_deg is not None and other.course_deg is not None
    above_m = None
    climb_mps, to_climb_mps = one.climb_mps or 0.0, other.climb_mps or 0.0
    if one.altitude_m is not None and other.altitude_m is not None:
        above_m = other.altitude_m - one.altitude_m + to_climb_mps * to_old_s - climb_mps * old_s
    return Apart(
        east_m=east_deg * scale + to_east_mps * to_old_s - east_mps * old_s,
        north_m=(other.position.lat_deg - lat_deg) * DEGREE_M
        + to_north_mps * to_old_s
        - north_mps * old_s,
        above_m=above_m,
        east_mps=to_east_mps - east_mps if known else None,
        north_mps=to_north_mps - north_mps,
        up_mps=to_climb_mps - climb_mps,
        unsure_m=hypot(one.unsure_m, other.unsure_m),
    )


def said(seen: Apart) -> str:
    """Return how far apart they are, in words."""
    height = "at heights nobody knows"
    if seen.above_m is not None:
        height = f"{abs(seen.above_m):.0f} m in height"
    return f"{seen.over_ground_m:.0f} m apart over ground and {height}"


def _motion(craft: Craft) -> tuple[float, float]:
    """Return how fast it goes east and north; not at all when nobody knows."""
    if craft.speed_mps is None or craft.course_deg is None:
        return 0.0, 0.0
    course = radians(craft.course_deg)
    return craft.speed_mps * sin(course), craft.speed_mps * cos(course)


def _cut(middle: float, half: float, share: float, within_s: float) -> Span | None:
    """Return what of a span is between now and then."""
    start, end = max(0.0, (middle - half) / share), min(within_s, (middle + half) / share)
    return (start, end) if start < end else None
