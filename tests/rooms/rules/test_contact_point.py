"""What a table can't show of a line between parties."""

import pytest
from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.rules.ground import Ground
from gateway.rules.kinds.contact_point import ContactPoint, Memory, Terms
from gateway.rules.rule import Nothing

TABLE = tables()["contact_point"]


@pytest.fixture
def ground():
    return Ground(agreement_of("contact_point", TABLE, cases_of(TABLE)[0]))


def test_limits_that_no_line_can_keep_to_are_found(ground):
    def flaws(**terms):
        return list(ContactPoint(Terms(endpoint="hotline", **terms), ground).flaws())

    assert flaws(who=("alpha",)) == []
    assert "before the next" in flaws(who=("alpha",), heartbeat_s=300)[0]
    assert flaws(who=("nobody",)) == ["`who` names no party"]


def test_a_sign_of_life_before_the_first_tick_is_one(ground):
    rule = ContactPoint(Terms(endpoint="hotline", who=("alpha",)), ground)
    at = Moment(START_NS)
    fact = Fact(fact_id="f", what=EventWord.HEARTBEAT, at=at, by="alpha", channel="hotline")

    assert [one.judgement for one in rule.hear(ground.interpreter.fact(fact))] == ["ok"]
    assert list(rule.tick(at)) == []


def test_a_memory_of_another_kind_is_none(ground):
    rule = ContactPoint(Terms(endpoint="hotline", who=("alpha",)), ground)
    rule.restore(Nothing())

    assert rule.keep() == Memory()
