"""What of a message may cross to another party."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rooms.rules.cases import agreement_of, cases_of, tables

from gateway.codes.geodesy import distance_m
from gateway.model.place import Position
from gateway.rules.crossing import Parcel, Policy, crossing, on_grid
from gateway.rules.ground import Ground
from gateway.rules.kinds.share_policy import SharePolicy, Terms

PLACE = Position(lat_deg=35.12345, lon_deg=40.54321, accuracy_m=10)
POLICY = Policy(
    allow=frozenset({"separation_alert"}),
    redact=frozenset({"mission"}),
    position_grid_m=1000,
    max_age_s=600,
)


def parcel(**changed):
    fields = {"time": 1, "position": PLACE, "mission": "secret"}
    return Parcel(**{"what": "separation_alert", "fields": fields, **changed})


def test_a_redacted_field_stays_and_a_place_is_on_the_grid():
    found = crossing(parcel(), POLICY)

    assert found.withheld == ("mission",)
    assert found.fields == {"time": 1, "position": on_grid(PLACE, 1000)}
    assert found.words == "places are on a grid of 1000 m"


def test_distress_crosses_at_any_age_with_its_place_as_it_is_known_but_not_with_a_secret():
    found = crossing(parcel(what="distress", of_distress=True, age_s=1e6), POLICY)

    assert found.fields == {"time": 1, "position": PLACE}
    assert found.withheld == ("mission",)


@pytest.mark.parametrize(
    ("changed", "crosses"),
    [
        ({"age_s": 600}, True),
        ({"age_s": 600.1}, False),
        ({"what": "position"}, False),
        ({"fields": {"time": 1}}, True),
    ],
)
def test_what_is_too_old_or_of_another_kind_stays_whole(changed, crosses):
    found = crossing(parcel(**changed), POLICY)

    assert (found.fields is not None) is crosses
    if not crosses:
        assert found.withheld == ("mission", "position", "time")
        assert found.words


def test_without_a_grid_places_cross_as_they_are():
    assert crossing(parcel(), Policy()).fields == parcel().fields


@given(
    st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 1), st.sampled_from([100, 1000, 50_000])
)
def test_all_places_of_a_square_become_one_that_is_near(lat_deg, lon_deg, share, grid_m):
    found = on_grid(Position(lat_deg=lat_deg, lon_deg=lon_deg), grid_m)

    assert distance_m(lat_deg, lon_deg, found.lat_deg, found.lon_deg) <= grid_m
    assert found.resolution_m == grid_m / 2
    assert found.accuracy_m is None
    inside = Position(
        lat_deg=found.lat_deg + (lat_deg - found.lat_deg) * share * 0.999,
        lon_deg=found.lon_deg + ((lon_deg - found.lon_deg + 180) % 360 - 180) * share * 0.999,
    )
    if abs(lon_deg) < 170 and abs(lat_deg) < 85:
        assert on_grid(inside, grid_m) == found


def test_clauses_that_ask_nothing_are_found():
    table = tables()["share_policy"]
    ground = Ground(agreement_of("share_policy", table, cases_of(table)[0]))

    def flaws(**terms):
        return list(SharePolicy(Terms(**terms), ground).flaws())

    assert flaws(to=("alpha",), max_age_s=5) == []
    assert flaws(to=("alpha",)) == ["everything may cross as it is: nothing is asked"]
    assert flaws(to=("nobody",), max_age_s=5) == ["`to` names no party"]
