"""What a table can't show of craft that say who they are."""

import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, sighting_of, tables

from gateway.model.agreement import EventWord
from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules import deadlines
from gateway.rules.engine import Engine
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.kinds import identification
from gateway.rules.kinds.identification import Identification, Memory, Terms
from gateway.rules.rule import Nothing

TABLE = tables()["identification"]


@pytest.fixture
def engine():
    return Engine(agreement_of("identification", TABLE, cases_of(TABLE)[0]), KINDS)


def heard(engine, at_s, number):
    at = Moment(START_NS + at_s * 10**9, None, ClockState.UNSET)
    report = {"system": "mode_s", "tag": "alpha", "position": [35, 40], "icao24": f"A0000{number}"}
    return engine.sighting(sighting_of(report, f"{at_s}", at), at)


def test_craft_lost_are_bounded_and_the_one_lost_first_is_forgotten(engine, monkeypatch):
    monkeypatch.setattr(identification, "LOST_MAX", 2)
    for number in (1, 2, 3):
        heard(engine, number, number)
    engine.tick(Moment(START_NS + 100 * 10**9))

    rule = engine.rules["case"]
    assert [one.subject[-1] for one in rule.keep().lost] == ["2", "3"]
    assert [(one.held, one.limit) for one in rule.bounds()][-1] == (2, 2)


def test_a_craft_that_is_waited_for_no_more_is_unknown(engine, monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)

    assert heard(engine, 0, 1) == []
    (said,) = heard(engine, 1, 2)
    assert (said.judgement, said.subject) == ("unknown", "icao24:A00001")


def test_a_place_that_is_none_is_nowhere(engine):
    event = Event(
        words=(EventWord.POSITION,), at=Moment(START_NS), event_id="e", subject="x", of=("alpha",)
    )

    assert list(engine.rules["case"].hear(event)) == []
    assert engine.rules["case"].keep() == Memory()


def test_a_gap_that_every_craft_has_is_found(engine):
    terms = Terms(who=("alpha",), systems=("mode_s",), max_gap_s=0)

    assert "ever says" in next(iter(Identification(terms, Ground(engine.agreement)).flaws()))
    assert list(engine.rules["case"].flaws()) == []


def test_a_memory_of_another_kind_is_none(engine):
    engine.rules["case"].restore(Nothing())

    assert engine.rules["case"].keep() == Memory()
