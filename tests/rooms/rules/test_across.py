"""What makes no sense in several clauses together: the tables of tests/agreements/across.

A table has `[parties]`, `[channels]`, `[groups]`, `[zones]`, `[craft]` as an agreement has, and
`[[flaw]]`s. A flaw has

    does      what it is, for people
    rules     the clauses, by their ids; `other` is a second agreement that binds the same station
    says      all that is found: where, and a part of the words
    near      changes, of which each alone makes it sound: `"-"` takes a key out
"""

from __future__ import annotations

import tomllib

import msgspec
import pytest
from rooms.rules.cases import HERE, KINDS

from gateway.model.agreement import Agreement
from gateway.radio import radio_names
from gateway.rules.across import flaws_across, gaps_across
from gateway.rules.engine import Engine
from gateway.settings.agreement import AgreementFile
from gateway.settings.tables import TomlFile

TABLES = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((HERE / "across").glob("*.toml"))
}
PARTS = ("own", "parties", "channels", "groups", "zones", "craft", "status", "rules")
FLAWS = [
    pytest.param(table, flaw, id=f"{name}-{flaw['does']}")
    for name, table in TABLES.items()
    for flaw in table["flaw"]
]
NEAR = [
    pytest.param(table, flaw, change, id=f"{name}-{flaw['does']}-{number}")
    for name, table in TABLES.items()
    for flaw in table["flaw"]
    for number, change in enumerate(flaw.get("near", ()))
]


def changed(root: dict, change: dict) -> dict:
    """Return a table with some of it changed, however deep."""
    found = dict(root)
    for key, value in change.items():
        if value == "-":
            del found[key]
        elif isinstance(value, dict):
            found[key] = changed(found.get(key, {}), value)
        else:
            found[key] = value
    return found


def agreement_of(name: str, root: dict) -> Agreement:
    clause = {"source": "a case", "basis": "design"}
    file = TomlFile(HERE / f"{name}.toml", "")
    file.root = {
        "id": name,
        "version": "1",
        "title": "A case",
        **{part: root.get(part, {}) for part in PARTS if part != "own"},
        "rules": {key: clause | rule for key, rule in root.get("rules", {}).items()},
    }
    return msgspec.structs.replace(AgreementFile(file).agreement(), own=root.get("own"))


def found(table: dict, flaw: dict, change: dict | None = None) -> list[tuple[str, str]]:
    """Return what is found in the clauses of a flaw, and each clause by itself in order."""
    parts = {part: table[part] for part in PARTS if part in table}
    own = {part: flaw[part] for part in (*PARTS, "other") if part in flaw}
    root = changed(changed(parts, own), change or {})
    roots = {"case": root}
    if "other" in root:
        roots["other"] = changed(parts, root["other"])
    engines = [Engine(agreement_of(name, one), KINDS) for name, one in roots.items()]
    assert [one for engine in engines for one in engine.flaws()] == []
    return [one[:2] for one in (*flaws_across(engines, radio_names()), *gaps_across(engines))]


@pytest.mark.parametrize(("table", "flaw"), FLAWS)
def test_a_flaw_across_clauses_is_found_and_nothing_else(table, flaw):
    told = found(table, flaw)

    assert [where for where, _ in told] == [where for where, _ in flaw["says"]], told
    for (_, words), (_, part) in zip(told, flaw["says"], strict=True):
        assert part in words


@pytest.mark.parametrize(("table", "flaw", "change"), NEAR)
def test_what_is_near_a_flaw_and_makes_sense_is_not_found(table, flaw, change):
    assert found(table, flaw, change) == []
