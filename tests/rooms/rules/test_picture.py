"""Where the craft of the parties are."""

from rooms.rules.cases import START_NS, sighting_of

from gateway.model.agreement import Agreement, Match, Party
from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules import picture
from gateway.rules.events import Interpreter
from gateway.rules.picture import Picture

AGREEMENT = Agreement(
    id="a",
    version="1",
    digest="",
    title="t",
    parties={"alpha": Party(name="Alpha", match=Match(mid=(211,)))},
    channels={},
    rules=(),
)


def event(at_s, number, **said):
    at = Moment(START_NS + round(at_s * 1e9), None, ClockState.UNSET)
    report = {"system": "ais", "mmsi": f"21100000{number}", "position": [50, 1], **said}
    return Interpreter(AGREEMENT).sighting(sighting_of(report, "r", at), at)


def taken(*events):
    found = Picture()
    for one in events:
        found.take(one)
    return found


def test_the_newest_place_counts_whichever_was_heard_last():
    found = taken(event(10, 1), event(11, 1, position=[51, 1], age_s=5))

    assert found.of("mmsi:211000001").position.lat_deg == 50


def test_motion_stands_until_it_is_told_anew():
    found = taken(event(0, 1, speed_kn=10, course_deg=90), event(1, 1))

    craft = found.of("mmsi:211000001")
    assert (round(craft.speed_mps, 3), craft.course_deg, craft.fixes) == (5.144, 90, 2)


def test_a_climb_stands_until_it_is_told_anew():
    climbing = {"position": None, "detail": {"motion": {"vertical_ft_min": 600}}}
    found = taken(event(0, 1), event(1, 1, **climbing), event(2, 1))

    assert found.of("mmsi:211000001").climb_mps == 3.048


def test_motion_that_comes_without_a_place_is_that_of_a_craft_whose_place_is_known():
    """As transponders tell it; it moves no place, and makes no craft."""
    said = {"position": None, "speed_kn": 20, "course_deg": 10}
    found = taken(event(0, 1), event(3, 1, detail={"motion": {"vertical_ft_min": 600}}, **said))
    nobody = taken(event(0, 1, **said))

    craft = found.of("mmsi:211000001")
    assert (round(craft.speed_mps, 3), craft.course_deg, craft.climb_mps) == (10.289, 10, 3.048)
    assert (craft.fixes, craft.mono_ns, craft.position.lat_deg) == (1, START_NS, 50)
    assert len(nobody) == 0


def test_height_is_taken_in_feet_by_the_barometer_or_as_the_position_has_it():
    found = taken(event(0, 1, detail={"altitude_ft": 1000}), event(0, 2, altitude_m=100))

    assert found.of("mmsi:211000001").altitude_m == 304.8
    assert found.of("mmsi:211000002").altitude_m == 100


def test_craft_are_found_by_neighbourhood_where_they_are_now():
    found = taken(event(0, 1), event(0, 2, position=[50.5, 1]), event(1, 1, position=[50.5, 1]))

    there = found.near(event(0, 2, position=[50.5, 1]).place, 1_000)
    assert sorted(craft.subject for craft in there) == ["mmsi:211000001", "mmsi:211000002"]
    assert list(found.near(event(0, 1).place, 1_000)) == []


def test_who_is_of_no_party_is_not_followed():
    assert len(taken(event(0, 1, mmsi="244000001"))) == 0


def test_craft_are_bounded_and_the_one_longest_silent_goes(monkeypatch):
    monkeypatch.setattr(picture, "CRAFT_MAX", 2)

    found = taken(event(0, 1), event(1, 2), event(2, 1), event(3, 3))

    assert [craft.subject[-1] for craft in found] == ["1", "3"]
    assert len(list(found.near(event(0, 1).place, 1_000))) == 2
    (bound,) = found.bounds()
    assert (bound.held, bound.evicted) == (2, 1)


def test_what_was_heard_of_late_is_kept_over_a_restart():
    kept = taken(event(0, 1), event(700, 2)).keep()
    anew = Picture()

    anew.restore(kept)

    assert [craft.subject[-1] for craft in anew] == ["2"]
    assert len(list(anew.near(event(0, 1).place, 1_000))) == 1
    assert Picture().keep().craft == ()


def test_the_kind_of_a_craft_stands_until_it_is_told_anew():
    found = taken(event(0, 1, detail={"craft": "combat"}), event(1, 1))

    assert found.of("mmsi:211000001").kind == "combat"
