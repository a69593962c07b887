"""Names of an agreement that lead to other parts of it: does each lead somewhere?"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from msgspec import Struct, inspect
from msgspec.structs import fields

from gateway.settings.lines import KeyPath
from gateway.settings.tables import TomlFile

ALLOWED = {"channels": frozenset({"traffic"}), "parties": frozenset({"addressee", "other_party"})}
"""Names that stand for what only an event can tell: the channel on which one goes on speaking, whom
a call is addressed to, whoever of two it does not come from."""


class Reference(Struct, frozen=True):
    """A name that leads to another part of the agreement."""

    at: KeyPath
    of: str
    """parties, channels, zones, craft or rules."""
    name: str


class References:
    """All names of one file that lead somewhere, or should."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self._noted: list[Reference] = []

    def note(self, at: KeyPath, kind: object, value: object) -> None:
        """Take each name in this value of this type that leads to another part."""
        for of, name in _referred(inspect.type_info(kind), value, None):
            self._noted.append(Reference(at, of, name))

    def check(self) -> None:
        """Note a fault for each name that leads nowhere."""
        for reference in self._noted:
            known = self._known(reference.of)
            if reference.name in known or reference.name in ALLOWED.get(reference.of, ()):
                continue
            near = get_close_matches(reference.name, known, n=1)
            remedy = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(known)}"
            what = f'"{reference.name}" is none of the {reference.of} of this agreement'
            self._file.fault(reference.at, what, remedy)

    def _known(self, of: str) -> list[str]:
        root = self._file.root
        tables = {"channels": ("channels", "groups")}.get(of, (of,))
        found = [table for name in tables if isinstance(table := root.get(name), dict)]
        names = {str(key) for table in found for key in table}
        if of == "parties":
            plans = [plan for table in found for plan in table.values() if isinstance(plan, dict)]
            names |= {role for plan in plans for role in plan.get("roles", ())}
        return sorted(names)


def _referred(kind: inspect.Type, value: object, names: str | None) -> Iterator[tuple[str, str]]:
    """Yield each name in a value, and to which part of an agreement it leads."""
    if isinstance(kind, inspect.Metadata):
        yield from _referred(kind.type, value, (kind.extra or {}).get("names", names))
    elif isinstance(kind, inspect.StrType) and isinstance(value, str) and names is not None:
        yield names, value
    else:
        for inner, one in _within(kind, value):
            yield from _referred(inner, one, names)


def _within(kind: inspect.Type, value: object) -> Iterator[tuple[inspect.Type, object]]:
    """Yield what is one level below, with its type; nothing where the value is of another type."""
    match kind:
        case inspect.UnionType():
            yield from ((one, value) for one in kind.types)
        case inspect.VarTupleType() if isinstance(value, tuple):
            yield from ((kind.item_type, one) for one in value)
        case inspect.DictType() if isinstance(value, dict):
            yield from ((kind.value_type, one) for one in value.values())
        case inspect.StructType() if isinstance(value, kind.cls):
            for field in fields(kind.cls):
                yield inspect.type_info(field.type), getattr(value, field.name)
        case _:
            return
