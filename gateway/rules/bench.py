"""All agreements of a station at once: each says what it finds, and the strictest counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gateway.model.agreement import Agreement
from gateway.model.asked import Fact, Request
from gateway.model.bounds import Bound
from gateway.model.compliance import Compliance
from gateway.model.inbound import Moment, Sighting
from gateway.model.verdict import Judgement, Verdict
from gateway.rules.engine import IN_DISTRESS, Engine, Gated, gated
from gateway.rules.parties import Registry, nobody
from gateway.rules.rule import Rule
from gateway.rules.standing import Standing

AGREEMENTS_MAX = 8
"""Each is asked about everything that is heard."""


class Bench:
    """The engines of a station, and how each of their rules stands."""

    def __init__(
        self,
        agreements: Iterable[Agreement],
        kinds: Mapping[str, type[Rule]],
        registry: Registry = nobody,
    ) -> None:
        self.engines = {one.id: Engine(one, kinds, registry) for one in agreements}
        self._standing = {
            (engine.agreement.id, clause.id): Standing(engine.agreement, clause.id, clause.kind)
            for engine in self.engines.values()
            for clause in engine.agreement.rules
        }

    def sighting(self, sighting: Sighting, at: Moment) -> tuple[Verdict, ...]:
        """Return what all agreements say of something heard."""
        return self._taken(
            verdict for engine in self.engines.values() for verdict in engine.sighting(sighting, at)
        )

    def fact(self, fact: Fact) -> tuple[Verdict, ...]:
        """Return what all agreements say of something that stands in no radio message."""
        return self._taken(
            verdict for engine in self.engines.values() for verdict in engine.fact(fact)
        )

    def tick(self, now: Moment) -> tuple[Verdict, ...]:
        """Return what all agreements say now that time has passed."""
        return self._taken(
            verdict for engine in self.engines.values() for verdict in engine.tick(now)
        )

    def gate(self, request: Request) -> Gated:
        """Return whether a transmission is within all agreements: the strictest counts.

        A channel that no agreement in force names is no channel to transmit on, but for a call of
        the station itself in distress.
        """
        asked = [engine.gate(request) for engine in self.engines.values()]
        found = gated(verdict for one in asked for verdict in one.verdicts)
        for verdict in found.verdicts:
            self._standing[verdict.agreement, verdict.rule].count(verdict)
        named = any(
            request.channel in engine.agreement.channels for engine in self.engines.values()
        )
        if named or request.purpose == IN_DISTRESS:
            return found
        return Gated(judgement=Judgement.DENIED, verdicts=found.verdicts)

    def compliance(self, agreement: str, rule: str) -> Compliance | None:
        """Return how a rule stands; None when it has never found anything, or there is none."""
        standing = self._standing.get((agreement, rule))
        return None if standing is None else standing.compliance()

    @property
    def rule_errors(self) -> int:
        """How many times a rule has failed in this program. Always 0, or please report it."""
        return sum(engine.rule_errors for engine in self.engines.values())

    def bounds(self) -> Iterator[Bound]:
        """Yield each place in which something waits or is remembered."""
        for engine in self.engines.values():
            yield from engine.bounds()
        for standing in self._standing.values():
            yield from standing.bounds()

    def _taken(self, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """Take note of verdicts."""
        found = tuple(verdicts)
        for verdict in found:
            self._standing[verdict.agreement, verdict.rule].take(verdict)
        return found
