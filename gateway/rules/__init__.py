"""What do the agreements say? Without one, nothing: every sighting passes.

Rules label what was heard; they never drop, delay or change it. One file per kind of rule in
`kinds/`, found by name; nothing there imports anything else there.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from gateway.rules import kinds
from gateway.rules.rule import Rule


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds of rules, in order."""
    return tuple(sorted(module.name for module in iter_modules(kinds.__path__)))


def kind_named(name: str) -> type[Rule]:
    """Return the kind of rule kept in the file of that name."""
    found: type[Rule] = import_module(f"{kinds.__name__}.{name}").KIND
    return found
