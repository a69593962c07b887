"""What a table can't show of what goes first: a crowd that waits, and flaws of a clause."""

import pytest
from rooms.rules.cases import START_NS, agreement_of, cases_of, tables

from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.words import Urgency
from gateway.rules.ground import Ground
from gateway.rules.kinds import priority_order
from gateway.rules.kinds.priority_order import Memory, PriorityOrder, Terms
from gateway.rules.rule import Nothing

TABLE = tables()["priority_order"]
ORDER = ("distress", "urgency", "safety", "routine")


@pytest.fixture
def ground():
    return Ground(agreement_of("priority_order", TABLE, cases_of(TABLE)[0]))


def asked(name, category):
    return Request(
        request_id=name,
        at=Moment(START_NS),
        channel="vhf16",
        category=Urgency(category),
        purpose="a purpose",
    )


def test_turns_are_bounded_and_the_least_that_came_last_is_forgotten(ground, monkeypatch):
    monkeypatch.setattr(priority_order, "TURNS_MAX", 3)
    rule = PriorityOrder(Terms(order=ORDER), ground)
    for name, category in (
        ("mayday", "distress"),
        ("one", "routine"),
        ("two", "routine"),
        ("gale", "safety"),
    ):
        rule.gate(asked(name, category))

    (bound,) = rule.bounds()

    assert (bound.held, bound.limit, bound.evicted) == (3, 3, 1)
    assert [turn.request_id for turn in rule.keep().turns] == ["mayday", "one", "gale"]


@pytest.mark.parametrize(
    ("terms", "flaws"),
    [
        ({"order": ORDER}, []),
        ({"order": ORDER[:2]}, ["`order` does not name safety, routine"]),
        ({"order": ORDER[1:]}, ["`order` begins with urgency"]),
        ({"order": (*ORDER, "safety")}, ["names something twice"]),
        ({"order": ORDER, "hold_s": 0}, ["`hold_s` is 0"]),
    ],
)
def test_a_clause_that_makes_no_sense_is_found(ground, terms, flaws):
    found = list(PriorityOrder(Terms(**terms), ground).flaws())

    assert len(found) == len(flaws)
    assert all(words in flaw for words, flaw in zip(flaws, found, strict=True))


def test_of_a_name_that_stands_twice_the_first_place_counts(ground):
    rule = PriorityOrder(Terms(order=(*ORDER, "urgency")), ground)
    rule.gate(asked("gale", "safety"))

    assert rule.gate(asked("pan", "urgency")).judgement == "deferred"
    assert rule.keep().turns[-1].rank == 1


def test_a_memory_of_another_kind_is_none(ground):
    rule = PriorityOrder(Terms(order=ORDER), ground)
    rule.restore(Nothing())

    assert rule.keep() == Memory()
