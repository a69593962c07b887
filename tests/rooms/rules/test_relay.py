"""What a table can't show of relays: more calls than are followed."""

from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.rules import deadlines
from gateway.rules.ground import Ground
from gateway.rules.kinds.relay import Relay, Terms
from gateway.rules.when import When

TABLE = tables()["relay"]
TERMS = Terms(
    when=When(type=(EventWord.RCC_REQUEST,)), if_no_ack_s=10, who=("ship",), to=("coast_station",)
)
TERMS_OF_HOURS = Terms(
    when=When(type=(EventWord.RCC_REQUEST,)), if_no_ack_s=7_200, who=("ship",), to=("other",)
)


def said_of(rule, ground, what, about, second, **said):
    at = Moment(START_NS + second * 10**9)
    fact = Fact(fact_id="f", what=what, at=at, about=about, **said)
    return [(one.judgement, one.subject) for one in rule.hear(ground.interpreter.fact(fact))]


def test_a_call_that_gives_way_is_unknown_unless_it_was_settled(monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    ground = Ground(agreement_of("relay", TABLE, cases_of(TABLE)[0]))
    rule = Relay(TERMS, ground)
    said_of(rule, ground, EventWord.RCC_REQUEST, "one", 0)

    assert said_of(rule, ground, EventWord.RCC_REQUEST, "two", 1) == [("unknown", "one")]
    relayed = {"by": "ships", "to": "other"}
    assert said_of(rule, ground, EventWord.DISTRESS_RELAY, "two", 12, **relayed) == [("ok", "two")]
    # What is settled is kept for an hour: a call that waits until then gives way to none of it.
    rule_of_hours = Relay(TERMS_OF_HOURS, ground)
    said_of(rule_of_hours, ground, EventWord.RCC_REQUEST, "one", 0)
    said_of(rule_of_hours, ground, EventWord.DISTRESS_RELAY, "one", 1, **relayed)
    assert said_of(rule_of_hours, ground, EventWord.RCC_REQUEST, "two", 2) == []
