"""Which tracks are in which part of the Earth: cells of about six nautical miles, found at once.

Rows are parallel to the equator. The nearer to a pole, the fewer cells a row has, so that all of
them are about as wide as they are high; the last rows are a few cells around the pole.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import asin, ceil, cos, degrees, floor, hypot, pi, radians, sin

from gateway.codes.geodesy import DEGREE_M, EARTH_RADIUS_M

ROW_DEG = 0.1
ROWS = 1800
_COLUMNS = tuple(
    max(1, int(3600 * cos(radians(min(abs(row - 900), abs(row + 1 - 900)) * ROW_DEG))))
    for row in range(ROWS)
)
"""Cells of each row."""

_STRIDE = 3600
"""A cell is numbered row * _STRIDE + column."""

_EDGE_M = 50.0
"""What is right at the distance is found whichever way its cell is rounded."""

_PLANE = 0.98
"""The Earth is round: across the poles and along a parallel a plane makes it a little farther."""

Key = str


def cell_of(lat_deg: float, lon_deg: float) -> int:
    """Return the cell of a place."""
    row = min(ROWS - 1, max(0, int((lat_deg + 90.0) * 10.0)))
    columns = _COLUMNS[row]
    return row * _STRIDE + int((lon_deg + 180.0) % 360.0 / 360.0 * columns) % columns


class Grid:
    """Keys by cell."""

    def __init__(self) -> None:
        self._cells: dict[int, dict[Key, None]] = {}
        # Not sets: their order differs from run to run, and what is found is to be the same.

    def __len__(self) -> int:
        return sum(map(len, self._cells.values()))

    def put(self, key: Key, cell: int) -> None:
        """Note that this is in the cell now."""
        self._cells.setdefault(cell, {})[key] = None

    def drop(self, key: Key, cell: int) -> None:
        """Note that it is no longer there."""
        held = self._cells[cell]
        del held[key]
        if not held:
            del self._cells[cell]

    def near(self, lat_deg: float, lon_deg: float, radius_m: float) -> Iterator[Key]:
        """Yield all that is within this distance, and some that is a little farther off."""
        for cell in _cells_near(lat_deg, lon_deg, radius_m):
            yield from self._cells.get(cell, ())

    def outward(
        self, lat_deg: float, lon_deg: float, radius_m: float
    ) -> Iterator[tuple[float, Key]]:
        """Yield the same, the nearest cells first, each with the least that it can be away.

        Of one cell what came into it last comes first.
        """
        cells = (cell for cell in _cells_near(lat_deg, lon_deg, radius_m) if cell in self._cells)
        for gap_m, cell in sorted((_gap_m(cell, lat_deg, lon_deg), cell) for cell in cells):
            for key in reversed(self._cells[cell]):
                yield gap_m, key


def _gap_m(cell: int, lat_deg: float, lon_deg: float) -> float:
    """Return how far the next edge of a cell is at the least, as on a plane."""
    row, column = divmod(cell, _STRIDE)
    width_deg = 360.0 / _COLUMNS[row]
    middle_deg = row * ROW_DEG - 90.0 + ROW_DEG / 2
    north_deg = max(0.0, abs(lat_deg - middle_deg) - ROW_DEG / 2)
    turn_deg = abs((lon_deg - (column + 0.5) * width_deg) % 360.0 - 180.0)
    # At the latitude where a degree of longitude is shortest: it can't be nearer than that.
    narrow = max(0.0, cos(radians(max(abs(lat_deg), abs(middle_deg) + ROW_DEG / 2))))
    east_deg = max(0.0, turn_deg - width_deg / 2) * narrow
    return max(0.0, _PLANE * DEGREE_M * hypot(north_deg, east_deg) - _EDGE_M)


def _cells_near(lat_deg: float, lon_deg: float, radius_m: float) -> Iterator[int]:
    angle = (radius_m + _EDGE_M) / EARTH_RADIUS_M
    lat = radians(lat_deg)
    low = max(0, floor((lat_deg - degrees(angle) + 90.0) * 10.0))
    high = min(ROWS - 1, floor((lat_deg + degrees(angle) + 90.0) * 10.0))
    has_pole = abs(lat) + angle >= pi / 2
    half_deg = 180.0 if has_pole else degrees(asin(min(1.0, sin(angle) / cos(lat))))
    for row in range(low, high + 1):
        columns = _COLUMNS[row]
        width_deg = 360.0 / columns
        first = floor((lon_deg + 180.0 - half_deg) / width_deg)
        count = min(columns, ceil(2 * half_deg / width_deg) + 1)
        for column in range(first, first + count):
            yield row * _STRIDE + column % columns
