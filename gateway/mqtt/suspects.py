"""What was under way each time the connection ended: one of it may be the reason. Pure.

A broker that can't bear a publication may hang up on it, and not say why. Whatever is sent beside
it shares its fate, and is sent again beside it: so it would hold up everybody for ever.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from gateway.model.bounds import Bound

LOSSES_MAX = 2
"""What was under way so often when a connection ended is told alone from then on, after the others:
whatever it is that breaks the line, they have come through."""

SUSPECTS_MAX = 256
"""Held at once; a dozen are under way at any time. What is over it is told beside the others."""

_Name = TypeVar("_Name", bound=Hashable)


class Suspects(Generic[_Name]):
    """How often each was under way when a connection ended, since it last came through."""

    def __init__(self) -> None:
        self._losses: dict[_Name, int] = {}

    def bounds(self) -> Iterator[Bound]:
        """Yield how many are remembered."""
        yield Bound(
            of="Suspects._losses",
            what="suspects",
            held=len(self._losses),
            limit=SUSPECTS_MAX,
            rule="what was under way beyond it is not remembered, and told beside the others",
        )

    def lost(self, name: _Name) -> int:
        """Note that the connection ended with this under way; return how often that was."""
        losses = self._losses.get(name, 0) + 1
        if losses > 1 or len(self._losses) < SUSPECTS_MAX:
            self._losses[name] = losses
        return losses

    def cleared(self, name: _Name) -> None:
        """It has come through, or is no longer to be told."""
        self._losses.pop(name, None)

    def alone(self, name: _Name) -> bool:
        """Say whether this is to be told after the others, and alone."""
        return self._losses.get(name, 0) >= LOSSES_MAX
