"""What a table can't show of the distance between craft: a crowd of them, and flaws of a clause."""

import random

import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, sighting_of, tables

from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState
from gateway.rules.engine import Engine
from gateway.rules.ground import Ground
from gateway.rules.kinds import separation
from gateway.rules.kinds.separation import Memory, Separation, Terms
from gateway.rules.minima import Enough, Minimum
from gateway.rules.rule import Nothing

TABLE = tables()["separation"]
MINIMA = (Minimum(horizontal_m=5556), Minimum(vertical_m=914.4))


@pytest.fixture
def engine():
    return Engine(agreement_of("separation", TABLE, cases_of(TABLE)[0]), KINDS)


def moment(at_s):
    return Moment(START_NS + round(at_s * 1e9), None, ClockState.UNSET)


def put(engine, at_s, party, number, place, **said):
    icao24 = f"{party[0].upper()}{number:05X}"
    report = {"system": "mode_s", "tag": party, "icao24": icao24, "position": place, **said}
    at = moment(at_s)
    return engine.sighting(sighting_of(report, f"{at.mono_ns}", at), at)


def rule(engine):
    return engine.rules["case"]


def test_pairs_are_bounded_and_the_one_followed_longest_gives_way(engine, monkeypatch):
    monkeypatch.setattr(separation, "PAIRS_MAX", 2)
    put(engine, 0, "alpha", 1, [35, 40], altitude_m=5000)
    for number in (1, 2, 3):
        put(engine, number, "bravo", number, [35.01, 40], altitude_m=5000)

    (bound,) = rule(engine).bounds()

    assert (bound.held, bound.limit, bound.evicted) == (2, 2, 1)
    assert [pair.other for pair in rule(engine).keep().pairs] == ["icao24:B00002", "icao24:B00003"]


def test_craft_that_the_picture_has_lost_are_followed_no_longer(engine):
    put(engine, 0, "alpha", 1, [35, 40], altitude_m=5000)
    put(engine, 0, "bravo", 1, [35.01, 40], altitude_m=5000)
    pairs = rule(engine).keep()
    anew = Engine(engine.agreement, KINDS)
    rule(anew).restore(pairs)

    assert put(anew, 1, "alpha", 1, [35, 40], altitude_m=5000) == []
    assert anew.tick(moment(1)) == []
    assert rule(anew).keep().pairs == ()


def test_a_place_that_is_no_news_is_not_looked_at_twice(engine):
    put(engine, 0, "alpha", 1, [35, 40], altitude_m=5000)
    put(engine, 10, "bravo", 1, [35.1, 40], altitude_m=5000)

    assert put(engine, 11, "bravo", 1, [35, 40], altitude_m=5000, age_s=5) == []


def test_a_memory_of_another_kind_is_none(engine):
    rule(engine).restore(Nothing())

    assert rule(engine).keep() == Memory()


def test_a_crowd_is_judged_as_if_each_were_compared_with_each(engine):
    dice = random.Random(4)
    places = [
        ("alpha" if number % 2 else "bravo", number, dice.uniform(33, 34), dice.uniform(36, 37))
        for number in range(200)
    ]

    found = [
        verdict.subject
        for party, number, lat_deg, lon_deg in places
        for verdict in put(engine, 0, party, number, [lat_deg, lon_deg], altitude_m=5000)
        if verdict.judgement is Judgement.AT_RISK
    ]

    crafts = {craft.subject: craft for craft in engine.ground.picture}
    near = {
        "|".join(sorted((one.subject, other.subject)))
        for one in crafts.values()
        for other in crafts.values()
        if one.parties != other.parties
        and separation.apart(one, other, START_NS).over_ground_m < 5556
    }
    assert len(found) == len(near) > 20
    assert set(found) == near


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"satisfied_by": Enough()}, "either `any` or `all`"),
        ({"satisfied_by": Enough(any=MINIMA, all=MINIMA)}, "either `any` or `all`"),
        ({"satisfied_by": Enough(any=(Minimum(),))}, "either `horizontal_m` or `vertical_m`"),
        ({"satisfied_by": Enough(any=(MINIMA[1],))}, "no `horizontal_m`"),
        ({"satisfied_by": Enough(all=MINIMA)}, "fly at one height"),
        ({"max_data_age_s": 0}, "nobody ever knows"),
        ({"between": ("alpha",)}, "fewer than two parties"),
    ],
)
def test_a_clause_that_makes_no_sense_is_found(engine, changed, words):
    terms = {"between": ("flying",), "satisfied_by": Enough(any=MINIMA), **changed}
    flaws = list(Separation(Terms(**terms), Ground(engine.agreement)).flaws())

    assert any(words in flaw for flaw in flaws)
    assert not list(rule(engine).flaws())


def test_a_craft_that_fell_silent_long_ago_is_not_found_anew_by_each_word_of_its_neighbour(engine):
    put(engine, 0, "bravo", 1, [35.01, 40], altitude_m=5000)
    found = []
    for second in range(700, 720):
        found += put(engine, second, "alpha", 1, [35, 40], altitude_m=5000)
        found += engine.tick(moment(second + 0.5))

    assert found == []
