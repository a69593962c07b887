"""What a table can't show of repeats: more calls than are followed, and two days of silence."""

import pytest
from rooms.rules.cases import START_NS, agreement_of, cases_of, sighting_of, tables

from gateway.model.agreement import EventWord
from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules import deadlines
from gateway.rules.ground import Ground
from gateway.rules.kinds.repeat_expect import LOST_S, RepeatExpect, Terms
from gateway.rules.when import When

TABLE = tables()["repeat_expect"]
TERMS = Terms(when=When(type=(EventWord.DISTRESS_ALERT,)), interval_s=50)


@pytest.fixture
def ground():
    return Ground(agreement_of("repeat_expect", TABLE, cases_of(TABLE)[0]))


def at(second):
    return Moment(START_NS + round(second * 1e9), None, ClockState.UNSET)


def heard(rule, ground, mmsi, second):
    said = {"system": "dsc", "kind": "alert", "urgency": "distress", "mmsi": mmsi}
    event = ground.interpreter.sighting(sighting_of(said, "r", at(second)), at(second))
    return [(one.judgement, one.subject) for one in rule.hear(event)]


def test_a_call_that_gives_way_is_unknown(ground, monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    rule = RepeatExpect(TERMS, ground)

    assert heard(rule, ground, "211000001", 0) == []
    assert heard(rule, ground, "211000002", 1) == [("unknown", "mmsi:211000001")]


def test_a_lost_call_is_waited_for_as_long_as_a_beacon_lives_and_no_longer(ground):
    rule = RepeatExpect(TERMS, ground)
    heard(rule, ground, "211000001", 0)
    heard(rule, ground, "211000002", 1)
    assert [one.judgement for one in rule.tick(at(200))] == ["unknown", "unknown"]
    assert [*rule.tick(at(LOST_S))] == []

    assert heard(rule, ground, "211000001", LOST_S) == []
    assert heard(rule, ground, "211000002", LOST_S) == [("ok", "mmsi:211000002")]
