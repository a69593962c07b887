"""What each kind says is as agreed, by the table tests/agreements/otherwise/kinds.toml."""

from __future__ import annotations

import tomllib

import pytest
from rooms.rules.cases import HERE, KINDS, Case, agreement_of, cases_of, tables

from gateway.rules.engine import Engine

TABLE = tomllib.loads((HERE / "otherwise" / "kinds.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    "clause", [pytest.param(one, id=f"{one['kind']}-{one['otherwise']}") for one in TABLE["says"]]
)
def test_what_is_as_agreed_is_said_with_the_figures_of_the_clause(clause):
    case = Case(does="say what is agreed", story=[], said=[], rule=clause["rule"])
    rule = Engine(agreement_of(clause["kind"], TABLE, case), KINDS).rules["case"]

    assert rule.otherwise() == clause["otherwise"]


@pytest.mark.parametrize(("kind", "table"), tables().items())
def test_each_kind_says_in_sentences_what_is_as_agreed(kind, table):
    (case, *_) = cases_of(table)
    said = Engine(agreement_of(kind, table, case), KINDS).rules["case"].otherwise()

    assert (said.isprintable(), said[-1]) == (True, ".")


def test_a_kind_that_has_no_sentence_of_its_own_says_the_first_of_its_terms():
    (case, *_) = cases_of(tables()["distress_override"])
    rule = Engine(agreement_of("distress_override", tables()["distress_override"], case), KINDS)

    words = "Traffic of these categories is exempt from every rule that rations a channel."
    assert rule.rules["case"].otherwise() == words
