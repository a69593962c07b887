"""Is something inside a zone, and how far is it from the edge?"""

import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.codes.geodesy import DEGREE_M
from gateway.model.agreement import Zone
from gateway.model.place import Position
from gateway.rules.zones import is_around_pole, shape_of

SQUARE = Zone(points=((-1, -1), (-1, 1), (1, 1), (1, -1)))
DATE_LINE = Zone(points=((-1, 179), (-1, -179), (1, -179), (1, 179)))
CIRCLE = Zone(centre=(0.0, 180.0), radius_m=DEGREE_M)
CORRIDOR = Zone(points=((0, 179), (0, -179), (2, -179)), width_m=DEGREE_M)


def at(lat_deg, lon_deg, altitude_m=None):
    return Position(lat_deg=lat_deg, lon_deg=lon_deg, altitude_m=altitude_m)


@pytest.mark.parametrize(
    ("zone", "place", "margin_deg"),
    [
        (SQUARE, (0, 0), -1),
        (SQUARE, (0, 0.75), -0.25),
        (SQUARE, (0, 1.25), 0.25),
        (SQUARE, (-1.5, 0), 0.5),
        (DATE_LINE, (0, 180), -1),
        (DATE_LINE, (0, -180), -1),
        (DATE_LINE, (0, 179.5), -0.5),
        (DATE_LINE, (0, -179.5), -0.5),
        (DATE_LINE, (0, 178.5), 0.5),
        (DATE_LINE, (0, -178.5), 0.5),
        (CIRCLE, (0, 180), -1),
        (CIRCLE, (0, -179.5), -0.5),
        (CIRCLE, (0, 178.5), 0.5),
        (CORRIDOR, (0, 180), -0.5),
        (CORRIDOR, (0.25, 179.5), -0.25),
        (CORRIDOR, (-1, 179.5), 0.5),
        (CORRIDOR, (1, -179), -0.5),
        (CORRIDOR, (3, -179), 0.5),
        (CORRIDOR, (0, 178), 0.5),
    ],
)
def test_the_margin_is_negative_inside_and_positive_outside(zone, place, margin_deg):
    shape = shape_of(zone)

    assert shape.margin_m(at(*place)) == pytest.approx(margin_deg * DEGREE_M, rel=0.001)
    assert shape.holds(at(*place)) is (margin_deg < 0)


@pytest.mark.parametrize("zone", [SQUARE, DATE_LINE, CIRCLE, CORRIDOR])
def test_nothing_is_inside_on_the_other_side_of_the_earth(zone):
    for lon_deg in (90, -90):
        assert shape_of(zone).holds(at(0, lon_deg)) is False


def test_the_edge_itself_is_inside():
    assert shape_of(SQUARE).holds(at(0, 1)) is True


@pytest.mark.parametrize(
    ("floor_m", "ceiling_m", "height_m", "holds"),
    [
        (100, 200, 99.9, False),
        (100, 200, 100, True),
        (100, 200, 200, True),
        (100, 200, 200.1, False),
        (100, None, 99.9, False),
        (100, None, 1e6, True),
        (None, 200, -10, True),
        (None, 200, 200.1, False),
        (100, 200, None, None),
        (None, None, None, True),
    ],
)
def test_heights_bound_a_zone_and_an_unknown_one_settles_nothing(
    floor_m, ceiling_m, height_m, holds
):
    shape = shape_of(Zone(points=SQUARE.points, floor_m=floor_m, ceiling_m=ceiling_m))

    assert shape.holds(at(0, 0, height_m)) is holds
    assert shape.holds(at(0, 0), height_m) is holds
    assert shape.holds(at(0, 2, height_m)) is False


def test_a_height_that_is_handed_in_goes_before_that_of_the_position():
    shape = shape_of(Zone(points=SQUARE.points, ceiling_m=200))

    assert shape.holds(at(0, 0, 100), 300) is False


def test_a_corridor_with_a_bend_given_twice_is_the_same_corridor():
    shape = shape_of(Zone(points=((0, 0), (0, 0), (0, 1)), width_m=2_000))

    assert shape.margin_m(at(0, 0.5)) == pytest.approx(-1_000)


CORNERS = st.lists(
    st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=3, max_size=9, unique=True
)


@given(CORNERS, st.floats(-3, 3), st.floats(-3, 3), st.sampled_from([0, 120, 180, -179.5]))
def test_polygons_hold_what_they_hold_on_a_plain_map(corners, lat_deg, lon_deg, turn_deg):
    plain = shapely.Polygon([(lon, lat) for lat, lon in corners])
    point = shapely.Point(lon_deg, lat_deg)
    assume(plain.is_valid and plain.exterior.distance(point) > 1e-6)
    turned = tuple((lat, (lon + turn_deg + 180) % 360 - 180) for lat, lon in corners)

    shape = shape_of(Zone(points=turned))
    place = at(lat_deg, (lon_deg + turn_deg + 180) % 360 - 180)

    assert shape.holds(place) is plain.contains(point)
    far_m = plain.exterior.distance(point) * DEGREE_M
    assert abs(shape.margin_m(place)) == pytest.approx(far_m, rel=0.002)


WIDE = ((0, -100), (0, 0), (0, 100), (10, 100), (10, 0), (10, -100))


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ((5, 0), True),
        ((5, 99), True),
        ((5, -99), True),
        ((5, 101), False),
        ((5, 150), False),
        ((5, -150), False),
        ((11, 99), False),
    ],
)
def test_a_polygon_may_be_wider_than_half_the_world(place, inside):
    at = Position(lat_deg=place[0], lon_deg=place[1])
    shape = shape_of(Zone(points=WIDE))

    assert shape.holds(at) is inside
    assert abs(shape.margin_m(at)) < 60 * DEGREE_M


@pytest.mark.parametrize(
    ("lon_deg", "inside"), [(0, True), (99, True), (-99, True), (101, False), (150, False)]
)
def test_a_corridor_may_be_longer_than_half_the_world(lon_deg, inside):
    shape = shape_of(Zone(points=((0, -100), (0, 0), (0, 100)), width_m=20_000))

    assert shape.holds(Position(lat_deg=0.05, lon_deg=lon_deg)) is inside


@pytest.mark.parametrize(
    ("corners", "around"),
    [
        (((80, 0), (82, 90), (80, 180), (82, -90)), True),
        (((-60, -180), (-60, -60), (-60, 60), (-60, 179.9), (-90, 179.9), (-90, -180)), True),
        (((50, 179), (50, -179), (52, -179), (52, 179)), False),
        (WIDE, False),
        ((), False),
    ],
    ids=["ring", "antarctic", "antimeridian", "wide", "none"],
)
def test_a_polygon_around_a_pole_is_known(corners, around):
    assert is_around_pole(corners) is around
