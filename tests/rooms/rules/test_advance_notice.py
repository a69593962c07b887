"""What a table can't show of notice that is given ahead."""

import pytest
from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.rules import deadlines
from gateway.rules.ground import Ground
from gateway.rules.kinds.advance_notice import AdvanceNotice, Memory, Terms
from gateway.rules.rule import Nothing
from gateway.rules.when import When

TABLE = tables()["advance_notice"]
WHEN = When(type=(EventWord.HAZARDOUS_ACTIVITY,))


@pytest.fixture
def ground():
    return Ground(agreement_of("advance_notice", TABLE, cases_of(TABLE)[0]))


def test_a_notice_that_gives_way_is_unknown(ground, monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    rule = AdvanceNotice(Terms(when=WHEN, min_s=60), ground)

    said = [
        (one.judgement, one.subject)
        for number in (1, 2)
        for one in rule.hear(
            ground.interpreter.fact(
                Fact(
                    fact_id="f",
                    what=EventWord.NOTICE,
                    at=Moment(START_NS + number),
                    by="alpha",
                    about=f"{number}",
                )
            )
        )
    ]

    assert said == [("unknown", "1")]
    assert [bound.held for bound in rule.bounds()] == [1]


def test_a_notice_too_old_before_it_is_early_enough_is_found(ground):
    assert list(AdvanceNotice(Terms(when=WHEN, min_s=60), ground).flaws()) == []
    assert len(list(AdvanceNotice(Terms(when=WHEN, min_s=60, max_s=60), ground).flaws())) == 1


def test_a_memory_of_another_kind_is_none(ground):
    rule = AdvanceNotice(Terms(when=WHEN, min_s=60), ground)
    rule.restore(Nothing())

    assert rule.keep() == Memory()
    assert (
        list(
            rule.hear(
                ground.interpreter.fact(Fact(fact_id="f", what=EventWord.HEARD, at=Moment(0)))
            )
        )
        == []
    )
