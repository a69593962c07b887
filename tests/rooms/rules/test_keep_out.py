"""What a table can't show of zones to keep out of."""

import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, sighting_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules.engine import Engine
from gateway.rules.ground import Ground
from gateway.rules.kinds import keep_out
from gateway.rules.kinds.keep_out import KeepOut, Memory, Terms
from gateway.rules.rule import Nothing

TABLE = tables()["keep_out"]
AT = Moment(START_NS, None, ClockState.UNSET)


@pytest.fixture
def engine():
    return Engine(agreement_of("keep_out", TABLE, cases_of(TABLE)[0]), KINDS)


def test_craft_are_bounded_and_the_one_found_first_is_forgotten(engine, monkeypatch):
    monkeypatch.setattr(keep_out, "STANDING_MAX", 2)
    for number in (1, 2, 3):
        report = {"system": "mode_s", "tag": "india", "position": [36, 72], "altitude_m": 1}
        engine.sighting(sighting_of({**report, "icao24": f"80000{number}"}, "r", AT), AT)
        notice = {"what": EventWord.NOTICE, "by": "india", "fields": ("mercy_flight",)}
        engine.fact(Fact(fact_id="f", at=AT, about=f"tail:{number}", **notice))

    rule = engine.rules["case"]
    assert [(bound.held, bound.limit) for bound in rule.bounds()] == [(2, 2), (2, 2)]
    assert [one.subject for one in rule.keep().standing] == ["icao24:800002", "icao24:800003"]
    assert [one.subject for one in rule.keep().noticed] == ["tail:2", "tail:3"]


def test_heights_with_nothing_between_are_found(engine):
    rule = KeepOut(Terms(zone="other", who=("india",), floor_m=20_000), Ground(engine.agreement))

    assert list(rule.flaws()) == ["nothing is between the floor and the ceiling"]
    assert list(engine.rules["case"].flaws()) == []


def test_a_memory_of_another_kind_is_none(engine):
    engine.rules["case"].restore(Nothing())

    assert engine.rules["case"].keep() == Memory()
