"""All clauses that bind at once, and what each of them means by the name of a channel or a party.

Agreements name things as they like. A channel is the same one in two of them when it is one line,
or one frequency in one mode. Of parties only this station is known to be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import NamedTuple, TypeVar

from msgspec import Struct

from gateway.model.agreement import Agreement, Channel, Clause
from gateway.rules.engine import Engine
from gateway.rules.ground import Ground

AnyTerms = TypeVar("AnyTerms", bound=Struct)
OtherTerms = TypeVar("OtherTerms", bound=Struct)

Spot = tuple[object, ...]
"""A channel, whatever it is called."""


class Flaw(NamedTuple):
    """Something that makes no sense beside the rest."""

    where: str
    words: str
    other: str | None = None
    """The other clause, where there is one; the words name it too."""


class Held(Struct, frozen=True, kw_only=True):
    """One clause that binds, in its agreement."""

    name: str
    """Its id, after that of its agreement where there are several."""
    clause: Clause
    ground: Ground

    @property
    def agreement(self) -> Agreement:
        """Return the agreement that it stands in."""
        return self.ground.agreement

    def against(self, other: Held, wants: str, forbids: str) -> Flaw:
        """Return what this clause wants and another forbids, in a sentence."""
        return Flaw(self.name, f"{wants}, and by {other.name} {forbids}", other.name)

    def spots(self, names: Iterable[str]) -> dict[Spot, str]:
        """Return the channels of these names, and of these groups, by what they are."""
        channels = self.agreement.channels
        return {
            spot_of(self.agreement, name): name
            for name in sorted(self.ground.dial.named(names))
            if name in channels
        }

    def parties(self, names: Iterable[str]) -> frozenset[str]:
        """Return the parties that have these names or roles."""
        return self.ground.rolls.named(names)

    def outside(self, parties: frozenset[str], other: Held, who: frozenset[str]) -> frozenset[str]:
        """Return those of this clause's parties that are surely none of those of another."""
        if other.agreement is self.agreement:
            return parties - who
        own = frozenset(self.ground.rolls.own)
        return frozenset() if set(other.ground.rolls.own) & who else parties & own

    def shared(self, parties: frozenset[str], other: Held, who: frozenset[str]) -> frozenset[str]:
        """Return those of this clause's parties that are surely among those of another."""
        if other.agreement is self.agreement:
            return parties & who
        own = frozenset(self.ground.rolls.own)
        return parties & own if set(other.ground.rolls.own) & who else frozenset()


class Scope:
    """The clauses of one agreement, or of all that bind one station."""

    def __init__(self, engines: Iterable[Engine]) -> None:
        engines = tuple(engines)
        self.grounds = tuple(engine.ground for engine in engines)
        self.clauses = tuple(
            Held(name=self.named(engine.agreement, clause.id), clause=clause, ground=engine.ground)
            for engine in engines
            for clause in engine.agreement.rules
            if clause.id in engine.rules
        )

    def named(self, agreement: Agreement, what: str) -> str:
        """Return how a part of an agreement is named where there may be several of them."""
        return what if len(self.grounds) == 1 else f"{agreement.id} {what}"

    def of(self, kind: type[AnyTerms]) -> Iterator[tuple[Held, AnyTerms]]:
        """Yield each clause that has such terms."""
        for held in self.clauses:
            if isinstance(held.clause.terms, kind):
                yield held, held.clause.terms

    def pairs(
        self, kind: type[AnyTerms]
    ) -> Iterator[tuple[tuple[Held, AnyTerms], tuple[Held, AnyTerms]]]:
        """Yield any two clauses that have such terms, once."""
        return combinations(self.of(kind), 2)

    def both(
        self, kind: type[AnyTerms], other: type[OtherTerms]
    ) -> Iterator[tuple[tuple[Held, AnyTerms], tuple[Held, OtherTerms]]]:
        """Yield each clause that has the one terms with each that has the other."""
        return product(self.of(kind), list(self.of(other)))


def spot_of(agreement: Agreement, name: str) -> Spot:
    """Return what a channel is, whatever it is called."""
    channel: Channel = agreement.channels[name]
    if channel.endpoint is not None:
        return ("line", channel.endpoint)
    if channel.hz is not None:
        return ("hz", channel.hz, channel.mode)
    if channel.band_hz is not None:
        return ("band", *channel.band_hz, channel.mode)
    return (agreement.id, name)


def listed(names: Iterable[str]) -> str:
    """Return names as they stand in a sentence."""
    return ", ".join(names)
