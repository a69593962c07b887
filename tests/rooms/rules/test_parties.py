"""Whose station is it?"""

import pytest

from gateway.model.agreement import Match, Party
from gateway.model.place import Identity
from gateway.rules import parties
from gateway.rules.parties import Rolls, mid_of


def party(**match):
    return Party(name="A party", match=Match(**match))


@pytest.mark.parametrize(
    ("match", "identity", "system", "is_one"),
    [
        ({"mmsi": ("002320000",)}, Identity(mmsi="002320000"), "dsc", True),
        ({"mmsi": ("[2-7]########",)}, Identity(mmsi="211000001"), "dsc", True),
        ({"mmsi": ("[2-7]########",)}, Identity(mmsi="811000001"), "dsc", False),
        ({"mid": (232,)}, Identity(mmsi="232000001"), "ais", True),
        ({"mid": (232,)}, Identity(mmsi="002320001"), "ais", True),
        ({"mid": (232,)}, Identity(mmsi="970232001"), "ais", False),
        ({"icao24": ("A00000-AFFFFF",)}, Identity(icao24="A00000"), "mode_s", True),
        ({"icao24": ("A00000-AFFFFF",)}, Identity(icao24="AFFFFF"), "mode_s", True),
        ({"icao24": ("A00000-AFFFFF",)}, Identity(icao24="B00000"), "mode_s", False),
        ({"icao24": ("*",)}, Identity(icao24="000001"), "mode_s", True),
        ({"icao24": ("43C001",)}, Identity(icao24="43C001"), "mode_s", True),
        ({"callsign": ("RCH*",)}, Identity(callsign="RCH123"), "mode_s", True),
        ({"callsign": ("RCH*",)}, Identity(callsign="XRCH1"), "mode_s", False),
        ({"callsign": ("RCH1",)}, Identity(callsign="RCH12"), "mode_s", False),
        ({"tag": ("alpha",)}, Identity(tag="alpha"), None, True),
        ({"system": ("cospas_sarsat",)}, None, "cospas_sarsat", True),
        ({"system": ("cospas_sarsat",)}, None, "ais", False),
        ({"registry": ("Navy",)}, Identity(mmsi="211000001"), "ais", True),
        ({}, Identity(mmsi="211000001"), "ais", False),
    ],
)
def test_a_station_is_of_a_party_that_any_of_its_names_tells(match, identity, system, is_one):
    rolls = Rolls({"a": party(**match)}, lambda found: "Navy" if found.mmsi else None)

    assert rolls.of(identity, system) == (("a",) if is_one else ())


def test_a_station_may_be_of_several_parties_and_a_role_names_all_that_have_it():
    rolls = Rolls(
        {
            "a": Party(name="A", roles=("ship",), match=Match(mid=(211,))),
            "b": Party(name="B", roles=("ship", "rescue"), match=Match(mmsi=("211000001",))),
            "c": Party(name="C"),
        },
        own="c",
    )

    assert rolls.of(Identity(mmsi="211000001"), "ais") == ("a", "b")
    assert rolls.named(["ship"]) == {"a", "b"}
    assert rolls.named(["rescue", "c"]) == {"b", "c"}
    assert rolls.own == ("c",)


@pytest.mark.parametrize(
    ("mmsi", "mid"),
    [
        ("232000001", 232),
        ("002320001", 232),
        ("023200001", 232),
        ("111232001", 232),
        ("982320001", 232),
        ("992320001", 232),
        ("970232001", None),
        ("000000000", None),
    ],
)
def test_the_country_stands_where_the_class_of_the_number_has_it(mmsi, mid):
    assert mid_of(mmsi) == mid


def test_stations_remembered_are_bounded_and_found_out_again(monkeypatch):
    monkeypatch.setattr(parties, "KNOWN_MAX", 3)
    rolls = Rolls({"a": party(mid=(211,))})
    stations = [Identity(mmsi=f"21100000{number}") for number in range(5)]

    for _ in range(2):
        assert [rolls.of(station, "ais") for station in stations] == [("a",)] * 5
    assert next(rolls.bounds()).held == 3
