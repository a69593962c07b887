"""How far apart two craft are: both sides of every limit, and what nobody knows."""

from __future__ import annotations

import pytest

from gateway.rules.apart import Apart

STILL = {"east_mps": 0.0, "north_mps": 0.0, "up_mps": 0.0, "unsure_m": 0.0}


def seen(**said):
    return Apart(**{"east_m": 300.0, "north_m": 400.0, "above_m": 100.0, **STILL, **said})


@pytest.mark.parametrize(
    ("above_m", "within_m", "found"),
    [
        (100.0, 100.0, None),
        (100.0, 100.1, (0.0, 60.0)),
        (-100.0, 100.0, None),
        (-100.0, 100.1, (0.0, 60.0)),
        (None, 1.0, (0.0, 60.0)),
    ],
)
def test_level_flight_is_within_a_height_or_never(above_m, within_m, found):
    assert seen(above_m=above_m).level_within(within_m, 60.0) == found


@pytest.mark.parametrize(("limit_m", "found"), [(500.0, None), (500.1, (0.0, 60.0))])
@pytest.mark.parametrize("motion", [{}, {"east_mps": None}])
def test_who_does_not_move_is_near_or_never(limit_m, found, motion):
    assert seen(**motion).over_ground_m == 500.0
    assert seen(**motion).nearer_than(limit_m, 60.0) == found


def test_who_sinks_towards_another_is_level_for_a_while():
    assert seen(up_mps=-10.0).level_within(50.0, 60.0) == pytest.approx((5.0, 15.0))
    assert seen(up_mps=-10.0).level_within(50.0, 10.0) == pytest.approx((5.0, 10.0))
    assert seen(up_mps=-10.0).level_within(50.0, 4.0) is None
    assert seen(up_mps=10.0).level_within(50.0, 60.0) is None


def test_who_passes_by_is_near_for_a_while():
    passing = seen(east_m=-1000.0, north_m=300.0, east_mps=10.0)

    assert passing.nearer_than(500.0, 600.0) == pytest.approx((60.0, 140.0))
    assert passing.nearer_than(300.0, 600.0) is None
    assert passing.nearer_than(500.0, 100.0) == pytest.approx((60.0, 100.0))
