"""What is looked for round a place is found, and the nearest of it first."""

from __future__ import annotations

import random

import pytest

from gateway.codes.geodesy import distance_m
from gateway.codes.grid import Grid, cell_of

POLAR = 80.0
"""From there on the least distance of a cell says little more than its latitude."""

CELLS_M = 20_000
"""The diagonal of a cell, and what a plane is out by."""


@pytest.mark.parametrize("lat", [0.0, 52.0, -52.04, 75.0, 89.5])
@pytest.mark.parametrize("lon", [4.0, -179.98, 180.0])
def test_outward_finds_all_that_near_finds_and_the_nearest_cells_first(lat, lon):
    dice, grid, places = random.Random(5), Grid(), {}
    for number in range(3000):
        place = lat + dice.uniform(-1, 1), (lon + dice.uniform(-2, 2) + 180) % 360 - 180
        places[str(number)] = place
        grid.put(str(number), cell_of(*place))
    found = list(grid.outward(lat, lon, 80_000))
    far_m = {key: distance_m(lat, lon, *places[key]) for _, key in found}
    gaps_m = [gap_m for gap_m, _ in found]

    assert sorted(far_m) == sorted(grid.near(lat, lon, 80_000))
    assert gaps_m == sorted(gaps_m)
    assert all(gap_m <= far_m[key] for gap_m, key in found)
    assert lat > POLAR or all(far_m[key] <= gap_m + CELLS_M for gap_m, key in found)


def test_of_one_cell_what_came_into_it_last_is_found_first():
    grid = Grid()
    for key in "abc":
        grid.put(key, cell_of(52.0, 4.0))

    assert [key for _, key in grid.outward(52.0, 4.0, 100)] == ["c", "b", "a"]
