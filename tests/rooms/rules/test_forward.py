"""What a table can't show of what is told: more calls than are followed."""

from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.rules import deadlines
from gateway.rules.ground import Ground
from gateway.rules.kinds.forward import Forward, Terms
from gateway.rules.when import When

TABLE = tables()["forward"]
WHEN = When(type=(EventWord.RCC_REQUEST,))


def said_of(rule, ground, what, about, second, **said):
    at = Moment(START_NS + second * 10**9)
    fact = Fact(fact_id="f", what=what, at=at, about=about, **said)
    return [(one.judgement, one.subject) for one in rule.hear(ground.interpreter.fact(fact))]


def test_a_call_that_gives_way_is_unknown_and_nobody_is_told_of_it_again(monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    ground = Ground(agreement_of("forward", TABLE, cases_of(TABLE)[0]))
    rule = Forward(Terms(when=WHEN, to=("rcc",), within_s=30, retry_s=10), ground)
    said_of(rule, ground, EventWord.RCC_REQUEST, "one", 0)
    said_of(rule, ground, EventWord.TOLD, "one", 1, to="rcc_west")

    assert said_of(rule, ground, EventWord.RCC_REQUEST, "two", 2) == [("unknown", "one")]
    assert [*rule.tick(Moment(START_NS + 20 * 10**9))] == []


def test_a_call_that_was_signed_for_gives_way_silently(monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    ground = Ground(agreement_of("forward", TABLE, cases_of(TABLE)[0]))
    rule = Forward(Terms(when=WHEN, to=("rcc",), within_s=7_200), ground)
    said_of(rule, ground, EventWord.RCC_REQUEST, "one", 0)
    said_of(rule, ground, EventWord.RECEIPT, "one", 1, by="rcc_west")

    assert said_of(rule, ground, EventWord.RCC_REQUEST, "two", 2) == []
