"""What every checker beside this file needs: the rows of a file, a port to hear them, its reports.

A row of a file is a map with an `id` and a `trust`, whose first letter says how far others agree
on it. A `Row` is what came of it, as `run.py` counts it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

import msgspec

from gateway.model.entry import Item
from gateway.model.inbound import Ruling
from gateway.model.plan import PortPlan, Profile
from gateway.pipeline import Pipeline, hallway

Row = tuple[str, str, tuple[str, ...] | None] | tuple[str, str, tuple[str, ...] | None, int]
"""Its id, how far it is trusted, where it disagrees, and how many fields were compared."""

Check = Callable[[Path], list[Row]]


class Proven(str):
    """A disagreement in which the row's own value is proven to be wrong, and by which rule."""

    __slots__ = ("rule",)

    def __new__(cls, text: str, rule: str) -> Self:
        """Mark a disagreement."""
        made = super().__new__(cls, text)
        made.rule = rule
        return made


def by_row(compare: Callable[[dict], Iterable[str] | None]) -> Check:
    """Return a check by rows: all that comes is a disagreement.

    None instead of any stands for a row that there is nothing to hold against.
    """

    def check(path: Path) -> list[Row]:
        return [checked(row, compare(row)) for row in rows(path)]

    def checked(row: dict, found: Iterable[str] | None) -> Row:
        return row["id"], row["trust"], None if found is None else tuple(found)

    return check


def by_field(compare: Callable[[dict], Iterator[str | None]]) -> Check:
    """Return a check by fields: what comes is a disagreement, "" for a field that agrees.

    None among them stands for a row that there is nothing to hold against.
    """

    def check(path: Path) -> list[Row]:
        return [checked(row, tuple(compare(row))) for row in rows(path)]

    def checked(row: dict, found: tuple[str | None, ...]) -> Row:
        disagreements = None if None in found else tuple(text for text in found if text)
        return row["id"], row["trust"][:1], disagreements, len(found)

    return check


def rows(path: Path) -> list[dict]:
    """Return the rows of a file, a line each."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def station(radio: str, framing: str) -> Pipeline:
    """Return the hallway of one port, `a`, where this radio is heard."""
    profile = Profile(title="conformance", radio=(radio,), framing=framing, proven="conformance")
    return hallway("test", [PortPlan(name="a", device="tape:x", modem="x", profile=profile)])


def reports_in(items: Iterable[Item]) -> list[dict]:
    """Return the reports among these, as plain maps."""
    return [msgspec.to_builtins(item.sighting.report) for item in items if isinstance(item, Ruling)]
