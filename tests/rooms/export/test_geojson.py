"""The map opens in a library of maps, also at the date line and at the poles."""

import json

import pytest
from hypothesis import given, settings
from incidents_made import PLACE, evidence, incident, incidents
from shapely.geometry import Point, shape

from gateway.codes.geodesy import distance_m
from gateway.export.geojson import EVIDENCE_MAX, LINKS_MAX, geojson
from gateway.model.incident import Link, LinkKind
from gateway.model.place import Position
from gateway.model.words import Mode

BYTES_MAX = 64 * 1024
"""Sixteen places with their circles and all links, each text as long as it may be."""


def parts(any_incident):
    """Return the features by their part, with their shapes where they have one."""
    found = {}
    for feature in json.loads(geojson(any_incident))["features"]:
        form = feature["geometry"] and shape(feature["geometry"])
        found.setdefault(feature["properties"]["part"], []).append((feature, form))
    return found


def linked(one, other, **fields):
    words = "the same MMSI"
    return Link(
        kind=LinkKind.SAME_IDENTITY, weight=1.0, one=one, other=other, words=words, **fields
    )


def around(lat_deg, lon_deg, radius_m):
    place = Position(lat_deg=lat_deg, lon_deg=lon_deg, accuracy_m=radius_m)
    return parts(incident(evidence=(evidence(position=place),)))["uncertainty"][0][1]


def test_casualty_evidence_uncertainty_and_links_are_features():
    far = Position(lat_deg=52.5, lon_deg=4.5)
    found = parts(
        incident(
            evidence=(evidence("a"), evidence("b", position=far), evidence("c", position=None)),
            links=(linked("a", "b"), linked("b", "c")),
        )
    )

    assert {part: len(features) for part, features in found.items()} == {
        "casualty": 1,
        "evidence": 2,
        "uncertainty": 1,
        "link": 1,
    }
    assert found["casualty"][0][1].equals(Point(PLACE.lon_deg, PLACE.lat_deg))
    assert found["evidence"][0][0]["properties"]["uncertainty_m"] == PLACE.accuracy_m
    assert found["uncertainty"][0][1].contains(Point(PLACE.lon_deg, PLACE.lat_deg))
    assert [tuple(end) for end in found["link"][0][1].coords] == [(4.902, 52.375), (4.5, 52.5)]


def test_a_casualty_that_nobody_has_placed_has_no_geometry_and_is_there():
    feature, form = parts(incident(position=None, evidence=()))["casualty"][0]

    assert form is None
    assert feature["properties"]["incident_id"] == "0123456789abcdef"
    assert "uncertainty_m" not in feature["properties"]


@pytest.mark.parametrize("mode", Mode)
def test_each_feature_says_whether_it_is_meant(mode):
    found = parts(incident(mode=mode, evidence=(evidence(mode=mode),)))

    assert {f["properties"]["mode"] for part in found.values() for f, _ in part} == {mode.value}


@pytest.mark.parametrize("lat_deg", [0.0, 52.0, -70.0, 85.0])
@pytest.mark.parametrize("lon_deg", [0.0, 179.99, -179.99, 180.0, -180.0])
@pytest.mark.parametrize("radius_m", [5.0, 926.0, 50_000.0])
def test_a_circle_is_as_wide_as_the_place_is_uncertain(lat_deg, lon_deg, radius_m):
    circle = around(lat_deg, lon_deg, radius_m)
    pieces = getattr(circle, "geoms", [circle])
    corners = [corner for piece in pieces for corner in piece.exterior.coords]
    far = [distance_m(lat_deg, lon_deg, lat, lon) for lon, lat in corners if abs(lon) != 180.0]

    assert circle.is_valid
    assert all(piece.exterior.is_ccw for piece in pieces)
    assert min(far) == pytest.approx(radius_m, rel=0.01)
    assert max(far) == pytest.approx(radius_m, rel=0.01)
    assert len(pieces) == 2 or abs(lon_deg) != 180.0


@pytest.mark.parametrize("lat_deg", [90.0, -90.0, 89.9, -89.0])
@pytest.mark.parametrize("lon_deg", [0.0, 100.0, -180.0])
def test_a_circle_around_a_pole_has_the_pole_in_it(lat_deg, lon_deg):
    circle = around(lat_deg, lon_deg, 200_000.0)
    pole = 89.99 if lat_deg > 0 else -89.99

    assert circle.is_valid
    assert all(circle.contains(Point(lon, pole)) for lon in (-179.0, -90.0, 1.0, 90.0, 179.0))
    assert not any(circle.contains(Point(lon, pole / 2)) for lon in (-179.0, 0.5, 179.0))


def test_a_line_over_the_date_line_goes_the_short_way():
    west, east = Position(lat_deg=0.0, lon_deg=179.0), Position(lat_deg=2.0, lon_deg=-179.0)
    pieces = (evidence("a", position=west), evidence("b", position=east))
    line = parts(incident(evidence=pieces, links=(linked("a", "b"),)))["link"][0][1]

    assert [list(part.coords) for part in line.geoms] == [
        [(179.0, 0.0), (180.0, 1.0)],
        [(-180.0, 1.0), (-179.0, 2.0)],
    ]


def test_a_circle_that_the_date_line_cuts_to_nothing_has_no_shape():
    small = Position(lat_deg=0.0, lon_deg=180.0, resolution_m=1.0)
    (circle,) = parts(incident(evidence=(evidence("a", position=small),)))["uncertainty"]

    assert circle[1] is None
    assert circle[0]["properties"]["uncertainty_m"] == 1.0


def test_what_is_not_drawn_is_counted():
    pieces = tuple(evidence(f"{number}") for number in range(EVIDENCE_MAX + 4))
    links = tuple(linked("0", "1") for _ in range(LINKS_MAX + 4))
    found = parts(incident(evidence=pieces, evidence_more=3, links=links))

    assert len(found["evidence"]) == EVIDENCE_MAX
    assert len(found["link"]) == LINKS_MAX
    assert found["casualty"][0][0]["properties"]["evidence_all"] == EVIDENCE_MAX + 4 + 3


@settings(deadline=None, max_examples=50)
@given(incidents())
def test_any_incident_is_a_valid_map_of_bounded_size(any_incident):
    assert len(geojson(any_incident)) <= BYTES_MAX
    for feature, form in (item for part in parts(any_incident).values() for item in part):
        if form is not None:
            assert form.is_valid, feature
            assert -180 <= form.bounds[0] <= form.bounds[2] <= 180
            assert -90 <= form.bounds[1] <= form.bounds[3] <= 90
