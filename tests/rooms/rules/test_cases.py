"""What each kind of rule decides, by the tables in tests/agreements."""

from __future__ import annotations

import msgspec
import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, tables, told

from gateway.rules.engine import Engine
from gateway.rules.rule import Nothing

TABLES = tables()
CASES = [
    pytest.param(kind, table, case, id=f"{kind}-{case.does}")
    for kind, table in TABLES.items()
    for case in cases_of(table)
]

FEWEST = 6
"""Cases that a kind has at least; both edges of each of its limits are among them."""


def test_each_kind_has_a_table_of_cases():
    assert TABLES.keys() == KINDS.keys()
    assert [kind for kind, table in TABLES.items() if len(table["case"]) < FEWEST] == []


@pytest.mark.parametrize("restarts", [False, True], ids=["one run", "restarted at each step"])
@pytest.mark.parametrize(("kind", "table", "case"), CASES)
def test_a_rule_says_what_its_cases_say(kind, table, case, restarts):
    agreement = agreement_of(kind, table, case)
    found = told(agreement, case, restarts=restarts)
    assert [_compared(at_s, verdict, {}) for at_s, verdict in found] == [
        _wanted(said) for said in case.said
    ], "\n".join(f"{at_s}: {verdict.judgement} {verdict.words}" for at_s, verdict in found)
    for (at_s, verdict), said in zip(found, case.said, strict=True):
        assert _compared(at_s, verdict, said) == {**_wanted(said), **_rest(said)}
        assert said.get("words", "") in verdict.words


def _wanted(said: dict) -> dict:
    return {
        "at_s": float(said["at_s"]),
        "judgement": said["judgement"],
        "rule": said.get("rule", "case"),
    }


def _rest(said: dict) -> dict:
    return {
        key: value for key, value in said.items() if key in {"subject", "until_s", "since_s", "by"}
    }


def _compared(at_s: float, verdict, said: dict) -> dict:
    found = {"at_s": at_s, "judgement": verdict.judgement.value, "rule": verdict.rule}
    for key in said.keys() & {"subject", "by"}:
        found[key] = getattr(verdict, key)
    for key in said.keys() & {"until_s", "since_s"}:
        mono_ns = getattr(verdict, key.replace("_s", "_mono_ns"))
        found[key] = None if mono_ns is None else (mono_ns - START_NS) / 1e9
    return found


# ---- What makes no sense as it is written --------------------------------------------------------

FLAWS = [
    pytest.param(kind, table, flaw, id=f"{kind}-{flaw['says']}")
    for kind, table in TABLES.items()
    for flaw in table.get("flaw", ())
]


@pytest.mark.parametrize(("kind", "table", "flaw"), FLAWS)
def test_a_clause_that_makes_no_sense_is_found(kind, table, flaw):
    (case, *_) = cases_of(table)
    written = msgspec.structs.replace(case, rule=flaw["rule"])
    found = [*Engine(agreement_of(kind, table, written), KINDS).flaws()]

    assert ("case", True) in [(name, flaw["says"] in said) for name, said in found], found


@pytest.mark.parametrize("kind", TABLES)
def test_a_clause_of_a_case_makes_sense(kind):
    table = TABLES[kind]
    (case, *_) = cases_of(table)

    assert [*Engine(agreement_of(kind, table, case), KINDS).flaws()] == []


@pytest.mark.parametrize("kind", TABLES)
def test_a_memory_that_is_none_of_its_own_changes_nothing(kind):
    table = TABLES[kind]
    (case, *_) = cases_of(table)
    engine = Engine(agreement_of(kind, table, case), KINDS)
    rule = engine.rules["case"]
    before = rule.keep()
    rule.restore(Nothing())

    assert rule.keep() == before
    assert all(bound.held == 0 for bound in engine.bounds())
