"""How full a place is in which things wait, or are remembered. Every such place has a bound."""

from __future__ import annotations

from msgspec import Struct


class Bound(Struct, frozen=True, kw_only=True):
    """One place that lives as long as the program; docs/BOUNDS.md lists them all."""

    of: str
    """The class and its attribute."""
    what: str
    """What it holds, as the status says it; of several of one kind the status tells the fullest."""
    held: int
    limit: int
    rule: str
    """What happens when it is full, and why that costs no distress."""
    evicted: int = 0
    """How much that rule has cost since the start."""
    urgent: bool = False
    """Whether distress passes through here: more than half full is an alert."""


def fill(bound: Bound) -> float:
    """Return how full it is, from 0 to 1."""
    return bound.held / bound.limit
