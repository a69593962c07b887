"""Places whose zone was left out are found again, from pole to pole."""

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.cpr import Cpr, near, of_pair, zones_at

STEPS = 1 << 17
LATS = st.floats(-89.9, 89.9)
LONS = st.floats(-180, 179.99)
WITHIN_DEG = {False: 360 / 59 / STEPS, True: 90 / 59 / STEPS}


def encoded(lat, lon, *, odd, surface=False):
    span = 90 if surface else 360
    height = span / (60 - odd)
    y = floor(STEPS * (lat % height) / height + 0.5)
    near_lat = height * (y / STEPS + floor(lat / height))
    width = span / max(zones_at(near_lat) - odd, 1)
    x = floor(STEPS * (lon % width) / width + 0.5)
    return Cpr(odd=odd, lat=y % STEPS, lon=x % STEPS, surface=surface)


def assert_near(found, lat, lon, *, surface=False):
    within = WITHIN_DEG[surface]
    around = span_of_a_step(lat, surface=surface)
    assert abs(found[0] - lat) <= within
    assert abs((found[1] - lon + 180) % 360 - 180) <= around


def span_of_a_step(lat, *, surface):
    return (90 if surface else 360) / max(zones_at(lat) - 2, 1) / STEPS


@pytest.mark.parametrize(
    ("lat", "zones"),
    [(0, 59), (10.4704712, 59), (10.4704714, 58), (-10.4704714, 58), (86.6, 2), (87.1, 1), (90, 1)],
)
def test_zones_around_the_globe_are_those_of_the_standard(lat, zones):
    assert zones_at(lat) == zones


@given(LATS, LONS, st.booleans())
def test_a_pair_in_the_air_tells_its_place(lat, lon, newest_odd):
    even, odd = (encoded(lat, lon, odd=kind) for kind in (False, True))
    found = of_pair(even, odd, newest_odd=newest_odd)

    if found is not None:  # on the edge of a band
        assert_near(found, lat, lon)


@given(LATS, LONS, st.booleans(), st.floats(-20, 20), st.floats(-20, 20))
def test_a_pair_on_the_ground_tells_its_place_by_where_the_craft_is_about(
    lat, lon, newest_odd, north, east
):
    even, odd = (encoded(lat, lon, odd=kind, surface=True) for kind in (False, True))
    found = of_pair(even, odd, newest_odd=newest_odd, about=(lat + north, lon + east))

    assert of_pair(even, odd, newest_odd=newest_odd) is None
    if found is not None:
        assert_near(found, lat, lon, surface=True)


@given(LATS, LONS, st.booleans(), st.floats(-2, 2), st.floats(-2, 2))
def test_one_message_tells_its_place_near_a_known_one(lat, lon, odd, north, east):
    found = near(encoded(lat, lon, odd=odd), (lat + north, lon + east))

    if found is not None:  # beyond a pole
        assert_near(found, lat, lon)


def test_most_pairs_tell_a_place():
    """The tests above would hold for none as well."""
    grid = [(lat + 0.3, lon + 0.4) for lat in range(-89, 89) for lon in range(-180, 180, 7)]
    found = [
        of_pair(encoded(*at, odd=False), encoded(*at, odd=True), newest_odd=True) for at in grid
    ]

    assert sum(one is not None for one in found) == len(grid)


def test_messages_of_two_bands_make_no_pair():
    even, odd = encoded(10.46, 5, odd=False), encoded(10.48, 5, odd=True)

    assert of_pair(even, odd, newest_odd=True) is None


@pytest.mark.parametrize("lat", [90.5, -90.5, 95, -95])
def test_a_place_beyond_a_pole_is_none(lat):
    even, odd = encoded(lat, 5, odd=False), encoded(lat, 5, odd=True)

    assert of_pair(even, odd, newest_odd=True) is None
    assert near(even, (lat, 5)) is None


@pytest.mark.parametrize(
    ("lat", "surface"),
    # On the ground 90 degrees north is the same code as the equator, and nobody is there.
    [*((lat, False) for lat in (90, -90, 89.9, -89.9, 0)), *((lat, True) for lat in (-89.9, 89.9))],
)
def test_a_place_at_a_pole_or_on_the_equator_is_one(lat, surface):
    even, odd = (encoded(lat, 5, odd=kind, surface=surface) for kind in (False, True))

    found = of_pair(even, odd, newest_odd=True, about=(lat, 5) if surface else None)
    assert found is not None
    assert found[0] == pytest.approx(lat, abs=WITHIN_DEG[False])
    assert near(even, (lat, 5))[0] == pytest.approx(lat, abs=WITHIN_DEG[False])


def test_of_a_message_in_the_air_there_are_more_zones_than_of_one_on_the_ground():
    assert (Cpr(odd=False, lat=0, lon=0).span_deg, Cpr(odd=True, lat=0, lon=0).surface) == (
        360.0,
        False,
    )
    assert Cpr(odd=False, lat=0, lon=0, surface=True).span_deg == 90.0
