"""The ground that the rules of one agreement stand on: its parties, channels, zones and craft."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import Agreement
from gateway.model.bounds import Bound
from gateway.rules.events import Interpreter
from gateway.rules.parties import Registry, nobody
from gateway.rules.picture import Picture
from gateway.rules.zones import Shape, shape_of


class Ground:
    """What a rule may ask about the agreement around it."""

    def __init__(self, agreement: Agreement, registry: Registry = nobody) -> None:
        self.agreement = agreement
        self.interpreter = Interpreter(agreement, registry)
        self.rolls = self.interpreter.rolls
        self.dial = self.interpreter.dial
        self.picture = Picture()
        """Where the craft of all parties are, kept by the engine before any rule is asked."""
        self._zones = {name: shape_of(zone) for name, zone in agreement.zones.items()}

    def zone(self, name: str) -> Shape:
        """Return the zone of that name; the agreement was checked to have it."""
        return self._zones[name]

    def name_of(self, terms: Struct) -> str:
        """Return `agreement/rule` of the clause that these very terms are of."""
        clause = next(one.id for one in self.agreement.rules if one.terms is terms)
        return f"{self.agreement.id}/{clause}"

    def bounds(self) -> Iterator[Bound]:
        """Yield each place in which something is remembered."""
        yield from self.rolls.bounds()
        yield from self.picture.bounds()
