"""The clauses of docs/RULES.md are those that the cases prove, and an agreement may hold them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from rooms.rules.cases import KINDS, tables

from gateway.settings.agreement import AgreementFile
from gateway.settings.tables import TomlFile

PAGE = (Path(__file__).parents[3] / "docs/RULES.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^##? |\Z)", PAGE, re.DOTALL | re.MULTILINE))
PARTS = ("parties", "channels", "groups", "zones", "craft")
TABLES = tables()
OF_EVERY_RULE = {"source": "…", "basis": "design"}
HEADING = 'id = "reference"\nversion = "1"\ntitle = "A clause of the reference"\n'


def example(kind: str) -> str:
    """Return the clause of a kind as the page has it."""
    (clause,) = re.findall(r"```toml\n(.*?)```", SECTIONS[kind], re.DOTALL)
    return clause


def test_every_kind_has_its_place_in_the_reference():
    assert KINDS.keys() <= SECTIONS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_clause_of_the_reference_can_be_copied_into_an_agreement(kind):
    """It is the clause of the cases, and the reader of agreements takes it as it stands there."""
    table = TABLES[kind]
    written = tomllib.loads(example(kind))["rules"]
    file = TomlFile(Path("reference.toml"), HEADING)
    file.root |= {part: table[part] for part in PARTS if part in table}
    file.root["rules"] = {**table.get("others", {}), **written}

    clause = AgreementFile(file).agreement().rules[-1]

    assert written == {"R1": {**OF_EVERY_RULE, "kind": kind, **table["rule"]}}
    assert (clause.id, clause.kind, clause.basis.value) == ("R1", kind, "design")


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_has_each_key_of_a_kind(kind):
    told = re.findall(r"^\| `(\w+)` \|", SECTIONS[kind], re.MULTILINE)

    assert told == [field.name for field in msgspec.structs.fields(KINDS[kind].terms)]
