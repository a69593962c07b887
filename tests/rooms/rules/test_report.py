"""What a table can't show of reports: more than are followed, and one that comes a month late."""

import pytest
from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.rules import deadlines
from gateway.rules.ground import Ground
from gateway.rules.kinds.report import LATE_S, Report, Terms
from gateway.rules.when import When

TABLE = tables()["report"]
TERMS = Terms(when=When(type=(EventWord.ENCOUNTER,)), to=("group",), within_s=100)


@pytest.fixture
def ground():
    return Ground(agreement_of("report", TABLE, cases_of(TABLE)[0]))


def at(second):
    return Moment(START_NS + round(second * 1e9))


def said_of(rule, ground, what, about, second, **said):
    fact = Fact(fact_id="f", what=what, at=at(second), about=about, **said)
    return [(one.judgement, one.subject) for one in rule.hear(ground.interpreter.fact(fact))]


def test_a_report_that_gives_way_is_unknown(ground, monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    rule = Report(TERMS, ground)
    said_of(rule, ground, EventWord.ENCOUNTER, "one", 0)

    assert said_of(rule, ground, EventWord.ENCOUNTER, "two", 1) == [("unknown", "one")]


def test_a_report_that_is_late_already_gives_way_silently(ground, monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    rule = Report(
        Terms(when=When(type=(EventWord.ENCOUNTER,)), to=("group",), within_s=2 * LATE_S), ground
    )
    said_of(rule, ground, EventWord.ENCOUNTER, "one", 0)
    assert [one.judgement for one in rule.tick(at(2 * LATE_S))] == ["violation"]

    assert said_of(rule, ground, EventWord.ENCOUNTER, "two", 2 * LATE_S + 1) == []


@pytest.mark.parametrize(("month", "said"), [(-0.001, [("violation", "one")]), (0, [])])
def test_a_late_report_is_taken_note_of_for_a_month(ground, month, said):
    rule = Report(TERMS, ground)
    said_of(rule, ground, EventWord.ENCOUNTER, "one", 0)
    assert [one.judgement for one in rule.tick(at(100))] == ["violation"]
    assert [*rule.tick(at(100 + LATE_S + month))] == []

    assert said_of(rule, ground, EventWord.TOLD, "one", 100 + LATE_S + 1, to="group") == said
