"""What waits or is remembered in the rules says so truly: where, what, how much, and what then."""

from __future__ import annotations

from itertools import chain

import pytest
from rooms.rules.cases import KINDS, agreement_of, cases_of, tables

from gateway.pipeline import docket_of
from gateway.rules.engine import Engine
from gateway.settings.agreement import agreement_named, agreement_names


def said_of(bounds):
    """Look at each bound; return the places that they are of."""
    places = []
    for bound in bounds:
        assert bound.of.count(".") == 1
        assert bound.what
        assert bound.what == bound.what.lower()
        assert "xx" not in bound.what
        assert type(bound.held) is int
        assert type(bound.limit) is int
        assert 0 <= bound.held <= bound.limit
        assert bound.limit > 1
        assert len(bound.rule) > len("it is forgotten")
        assert "XX" not in bound.rule
        assert type(bound.evicted) is int
        assert bound.evicted == 0
        places.append(bound.of)
    return places


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_says_what_it_remembers_and_what_becomes_of_the_rest(kind):
    table = tables()[kind]
    for case in cases_of(table)[:2]:
        said_of(Engine(agreement_of(kind, table, case), KINDS).bounds())


@pytest.mark.parametrize("name", agreement_names())
def test_a_whole_agreement_names_each_place_once_a_rule(name):
    docket = docket_of((agreement_named(name),))
    places = said_of(docket.bounds())

    assert places[0] == "Docket._waiting"
    assert len(places) >= len(list(chain(docket.bench.engines.values())))


def test_what_is_full_is_told_as_full():
    """The share of a place that is taken is what alarms go by."""
    table = tables()["ack_deadline"]
    docket = docket_of((agreement_of("ack_deadline", table, cases_of(table)[0]),))
    found = {bound.of: bound for bound in docket.bounds()}

    assert found["Docket._waiting"].limit == 4096
