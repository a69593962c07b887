"""Parts of the world: is something inside, and how far is it from the edge?

Sides of polygons and corridors are straight on a plain map of degrees, scaled by the latitude of
the place that is asked about. Good to some metres for zones of a few hundred kilometres, which
is less than positions are known to; agreements are drawn on such maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, hypot, radians
from typing import Protocol

from gateway.codes.geodesy import DEGREE_M, distance_m
from gateway.model.agreement import Zone
from gateway.model.place import Position

HALF_DEG = 180.0

Point = tuple[float, float]
"""East and north of the place that is asked about, in metres."""


class Shape(Protocol):
    """A zone made ready to be asked."""

    def holds(self, position: Position, height_m: float | None = None) -> bool | None:
        """Say whether the place is inside; None when its height would settle it and is unknown."""

    def margin_m(self, position: Position) -> float:
        """Return how far it is to the edge over ground: positive outside, negative inside."""


def shape_of(zone: Zone) -> Shape:
    """Return the zone made ready to be asked."""
    if zone.radius_m is not None and zone.centre is not None:
        return _Layer(zone, _Circle(zone.centre, zone.radius_m))
    if zone.width_m is not None:
        return _Layer(zone, _Corridor(zone.points, zone.width_m / 2))
    return _Layer(zone, _Polygon(zone.points))


class _Outline(Protocol):
    def margin_m(self, position: Position) -> float: ...


class _Layer:
    """An outline between two heights."""

    def __init__(self, zone: Zone, outline: _Outline) -> None:
        self._outline = outline
        self._floor_m, self._ceiling_m = zone.floor_m, zone.ceiling_m

    def holds(self, position: Position, height_m: float | None = None) -> bool | None:
        if self._outline.margin_m(position) > 0:
            return False
        if self._floor_m is None and self._ceiling_m is None:
            return True
        height_m = position.altitude_m if height_m is None else height_m
        if height_m is None:
            return None
        above = self._floor_m is None or height_m >= self._floor_m
        return above and (self._ceiling_m is None or height_m <= self._ceiling_m)

    def margin_m(self, position: Position) -> float:
        return self._outline.margin_m(position)


class _Circle:
    def __init__(self, centre: tuple[float, float], radius_m: float) -> None:
        self._lat_deg, self._lon_deg = centre
        self._radius_m = radius_m

    def margin_m(self, position: Position) -> float:
        far_m = distance_m(position.lat_deg, position.lon_deg, self._lat_deg, self._lon_deg)
        return far_m - self._radius_m


class _Corridor:
    def __init__(self, bends: Sequence[tuple[float, float]], half_m: float) -> None:
        self._bends, self._half_m = tuple(bends), half_m
        self._is_wide = width_deg(bends) > HALF_DEG

    def margin_m(self, position: Position) -> float:
        lines = _maps(position, self._bends, is_wide=self._is_wide)
        sides = (side for line in lines for side in pairwise(line))
        return min(_to_side_m(one, other) for one, other in sides) - self._half_m


class _Polygon:
    def __init__(self, corners: Sequence[tuple[float, float]]) -> None:
        self._corners = tuple(corners)
        self._is_wide = width_deg(corners) > HALF_DEG

    def margin_m(self, position: Position) -> float:
        return min(map(_margin_m, _maps(position, self._corners, is_wide=self._is_wide)))


def width_deg(corners: Sequence[tuple[float, float]]) -> float:
    """Return from which degree to which a polygon reaches, side by side from corner to corner."""
    east_deg = [east for east, _ in _steps(corners)]
    return max(east_deg, default=0.0) - min(east_deg, default=0.0)


def is_around_pole(corners: Sequence[tuple[float, float]]) -> bool:
    """Say whether the sides of a polygon go round the world, and don't come back."""
    return bool(corners) and abs([*_steps((*corners, corners[0]))][-1][0]) > HALF_DEG


def half_round(corners: Sequence[tuple[float, float]]) -> bool:
    """Say whether a side goes half round the world: nobody knows which way."""
    return any(abs(one - other) == HALF_DEG for (_, one), (_, other) in pairwise(corners))


def _steps(corners: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield how far east of the first each corner is, and its latitude, in degrees."""
    east_deg = 0.0
    before = corners[0][1] if corners else 0.0
    for lat_deg, lon_deg in corners:
        east_deg += (lon_deg - before + HALF_DEG) % 360.0 - HALF_DEG
        before = lon_deg
        yield east_deg, lat_deg


def _margin_m(line: Sequence[Point]) -> float:
    """Return how far the middle of the map is from the edge of these corners, inside below 0."""
    sides = list(zip(line, (*line[1:], line[0]), strict=True))
    far_m = min(_to_side_m(one, other) for one, other in sides)
    crossed = sum(_is_crossed(one, other) for one, other in sides)
    return -far_m if crossed % 2 else far_m


def _maps(
    position: Position, places: Sequence[tuple[float, float]], *, is_wide: bool
) -> Iterator[list[Point]]:
    """Yield places as seen from one; of what is wider than half the world, each way round."""
    line = _around(position, places)
    yield line
    if is_wide:
        round_m = 2 * HALF_DEG * DEGREE_M * cos(radians(position.lat_deg))
        for shift_m in (-round_m, round_m):
            yield [(x + shift_m, y) for x, y in line]


def _around(position: Position, places: Sequence[tuple[float, float]]) -> list[Point]:
    """Return places as seen from one, each the shorter way round from the place before it."""
    scale = DEGREE_M * cos(radians(position.lat_deg))
    seen = _steps(((position.lat_deg, position.lon_deg), *places))
    next(seen)
    return [(east_deg * scale, (lat - position.lat_deg) * DEGREE_M) for east_deg, lat in seen]


def _to_side_m(one: Point, other: Point) -> float:
    """Return how far the middle of the map is from the line between two points."""
    (x, y), (to_x, to_y) = one, other
    along_x, along_y = to_x - x, to_y - y
    length = along_x * along_x + along_y * along_y
    share = 0.0 if length == 0 else max(0.0, min(1.0, -(x * along_x + y * along_y) / length))
    return hypot(x + share * along_x, y + share * along_y)


def _is_crossed(one: Point, other: Point) -> bool:
    """Say whether a line due east from the middle of the map crosses this side."""
    (x, y), (to_x, to_y) = one, other
    if (y > 0) == (to_y > 0):
        return False
    return x + (to_x - x) * -y / (to_y - y) > 0
