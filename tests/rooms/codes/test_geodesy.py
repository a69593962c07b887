"""Distances and bearings are those of a sphere as large as the Earth, wherever the places lie."""

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.geodesy import EARTH_RADIUS_M, NM_M, bearing_deg, distance_m

LATS = st.floats(-89, 89)
LONS = st.floats(-180, 180)
QUARTER_M = EARTH_RADIUS_M * pi / 2


@pytest.mark.parametrize(
    ("places", "metres"),
    [
        pytest.param((54, 8, 54, 8), 0, id="no way at all"),
        pytest.param((0, 0, 90, 0), QUARTER_M, id="equator to pole"),
        pytest.param((0, -45, 0, 45), QUARTER_M, id="along the equator"),
        pytest.param((0, 0, 0, 180), 2 * QUARTER_M, id="to the other side"),
        pytest.param((35, 20, -35, -160), 2 * QUARTER_M, id="to the other side, askew"),
        pytest.param((60, 10, 60, -170), EARTH_RADIUS_M * pi / 3, id="over the pole"),
        pytest.param((10, 179.5, 10, -179.5), EARTH_RADIUS_M * 0.0171880, id="across the date"),
        pytest.param((54, 8, 54 + 1 / 60, 8), 1.0006 * NM_M, id="a minute of latitude"),
    ],
)
def test_distance_is_the_arc_between_two_places(places, metres):
    assert distance_m(*places) == pytest.approx(metres, rel=1e-4, abs=1e-6)


@given(LATS, LONS, LATS, LONS)
def test_the_way_back_is_as_long(lat_1, lon_1, lat_2, lon_2):
    there = distance_m(lat_1, lon_1, lat_2, lon_2)

    assert distance_m(lat_2, lon_2, lat_1, lon_1) == pytest.approx(there, abs=1e-3)
    assert 0 <= there <= 2 * QUARTER_M


@pytest.mark.parametrize(
    ("places", "bearing"),
    [
        pytest.param((10, 5, 20, 5), 0, id="north"),
        pytest.param((0, 5, 0, 6), 90, id="east"),
        pytest.param((20, 5, 10, 5), 180, id="south"),
        pytest.param((0, 5, 0, 4), 270, id="west"),
        pytest.param((0, 179, 0, -179), 90, id="across the date"),
        # by the law of sines in the triangle with the pole, whose angle there is 90 degrees
        pytest.param((60, 0, 60, 90), 49.1066, id="north-east, and bending"),
        pytest.param((60, 90, 60, 0), 310.8934, id="the way back"),
        pytest.param((0, 0, 45, 90), 45, id="leaving the equator"),
    ],
)
def test_bearing_is_that_in_which_one_sets_out(places, bearing):
    assert bearing_deg(*places) == pytest.approx(bearing, abs=1e-4)
