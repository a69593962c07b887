"""All agreements of a station at once: each says what it finds, and the strictest counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from msgspec import DecodeError, Struct
from msgspec.msgpack import decode, encode

from gateway.codes.mmsi import mmsi_class
from gateway.model.agreement import Agreement, State
from gateway.model.asked import Fact, Request
from gateway.model.bounds import Bound
from gateway.model.compliance import Compliance
from gateway.model.inbound import Moment, Sighting
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.rules.engine import Engine, Gated, gated, is_in_distress
from gateway.rules.memory import moved
from gateway.rules.parties import Registry, nobody
from gateway.rules.rule import Quiet, Rule
from gateway.rules.standing import Standing, StandingKept

AGREEMENTS_MAX = 8
"""Each is asked about everything that is heard."""

RULES_MAX = 512
"""Of all agreements of a station together: how each stands is a retained topic."""

ID_BYTES = 16
"""Of a digest: nobody meets the same one twice by chance."""


class RuleKept(Struct, frozen=True):
    """What has to survive a restart of one rule."""

    kind: str
    memory: bytes
    """What it remembers, in msgpack; empty when it has no memory."""
    standing: bytes


_BINDING = frozenset({State.IN_FORCE, State.SUSPENDED})
"""What is proposed or ended opens no channel; of what is suspended some rules hold, and so do the
channels that they are about."""


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

    def sighting(self, sighting: Sighting, at: Moment) -> tuple[VerdictNote, ...]:
        """Return what all agreements say of something heard."""
        return self._taken(
            verdict for engine in self.engines.values() for verdict in engine.sighting(sighting, at)
        )

    def fact(self, fact: Fact) -> tuple[VerdictNote, ...]:
        """Return what all agreements say of something that stands in no radio message."""
        return self._taken(
            verdict for engine in self.engines.values() for verdict in engine.fact(fact)
        )

    def tick(self, now: Moment) -> tuple[VerdictNote, ...]:
        """Return what all agreements say now that time has passed."""
        return self._taken(
            verdict for engine in self.engines.values() for verdict in engine.tick(now)
        )

    def gate(self, request: Request) -> Gated:
        """Return whether a transmission is within all agreements: the strictest counts.

        A channel that no agreement in force names is no channel to transmit on, but for a call of
        the station itself in distress.
        """
        found = self._named([engine.gate(request) for engine in self.engines.values()], request)
        for verdict in found.verdicts:
            self._standing[verdict.agreement, verdict.rule].count(verdict)
        return found

    def would(self, request: Request) -> Gated:
        """Return what `gate` would say now; nothing is counted, and no rule remembers it."""
        return self._named([engine.would(request) for engine in self.engines.values()], request)

    def hides(self, names: frozenset[str]) -> bool:
        """Say whether, by any agreement, nobody but an authority may learn of this craft.

        Args:
            names: Those it goes by, without their kinds.
        """
        return any(engine.hides(names) for engine in self.engines.values())

    def quiet(self, freq_hz: int) -> Quiet | None:
        """Return how silence stands on a frequency, by the first agreement that says so."""
        found = (engine.quiet(freq_hz) for engine in self.engines.values())
        return next((one for one in found if one is not None), None)

    def unheard(self, channel: str | None, *, silence: bool = False) -> str | None:
        """Return why nothing that is stated of a channel of this name is heard; None where it is.

        Where no agreement is in force what is stated is for the record alone, and in order.

        Args:
            channel: As a person calls it; None for no channel at all, of which clauses decide.
            silence: Whether it is about silence: then a clause has to be about that, too.
        """
        named = {
            name
            for engine in self.engines.values()
            if engine.agreement.status.state in _BINDING
            for name in engine.agreement.channels
            if not silence or engine.has_silence(name)
        }
        if channel is None or channel in named or not (named or silence):
            return None
        about = "clause on silence in force is about" if silence else "agreement in force names"
        known = f"known: {', '.join(sorted(named))}" if named else "it would change nothing"
        return f"no {about} a channel {channel}; {known}"

    def coasts(self) -> tuple[str, ...]:
        """Return the coast stations that the agreements in force name, by their MMSI."""
        named = (
            mmsi
            for engine in self.engines.values()
            if engine.agreement.status.state in _BINDING
            for party in engine.agreement.parties.values()
            for mmsi in party.match.mmsi
        )
        return tuple(
            dict.fromkeys(one for one in named if one.isdigit() and mmsi_class(one) == "coast")
        )

    def _named(self, asked: Iterable[Gated], request: Request) -> Gated:
        found = gated(verdict for one in asked for verdict in one.verdicts)
        named = any(
            engine.ground.dial.of(request) in engine.agreement.channels
            for engine in self.engines.values()
            if engine.agreement.status.state in _BINDING
        )
        if named or is_in_distress(request):
            return found
        return Gated(judgement=Judgement.DENIED, verdicts=found.verdicts)

    def compliance(self, agreement: str, rule: str) -> Compliance | None:
        """Return how a rule stands; None when there is none of this name."""
        standing = self._standing.get((agreement, rule))
        return None if standing is None else standing.compliance()

    def changed(self) -> list[Compliance]:
        """Return how each rule stands that stands otherwise than when this was asked last."""
        found = [one for one in self._standing.values() if one.fresh]
        for one in found:
            one.fresh = False
        return [one.compliance() for one in found]

    def keep(self) -> dict[str, RuleKept]:
        """Return what has to survive a restart, by agreement and rule.

        But for the places of craft: there may be thousands, and each is heard again in seconds.
        """
        memories = {name: engine.keep() for name, engine in self.engines.items()}
        return {
            f"{agreement}/{rule}": RuleKept(
                standing.kind, memories[agreement].get(rule, b""), encode(standing.keep())
            )
            for (agreement, rule), standing in self._standing.items()
        }

    def restore(self, kept: Mapping[str, tuple[RuleKept, int]]) -> tuple[str, ...]:
        """Take up what was kept of each rule, its monotonic times moved so far into this run.

        What was kept of a rule that is gone, or is of another kind now, is passed over.

        Returns:
            The rules of which it is of another form than this release's: they begin anew.
        """
        lost: list[str] = []
        for (agreement, rule), standing in self._standing.items():
            name = f"{agreement}/{rule}"
            word, shift_ns = kept.get(name, (None, 0))
            if word is None or word.kind != standing.kind:
                continue
            try:
                standing.restore(moved(decode(word.standing, type=StandingKept), shift_ns))
            except DecodeError:
                lost.append(name)
                continue
            if word.memory and self.engines[agreement].restore({rule: word.memory}, shift_ns):
                lost.append(name)
        return tuple(lost)

    def adds(self, name: str) -> bool:
        """Say whether the rule `agreement/rule` may take up at any time what was kept of it."""
        agreement, _, rule = name.partition("/")
        engine = self.engines.get(agreement)
        return engine is not None and rule in engine.rules and engine.rules[rule].adds

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

    def _taken(self, verdicts: Iterable[Verdict]) -> tuple[VerdictNote, ...]:
        """Take note of verdicts."""
        return tuple(
            note_of(verdict, self._standing[verdict.agreement, verdict.rule].take(verdict))
            for verdict in verdicts
        )


def note_of(verdict: Verdict, was: Judgement | None = None) -> VerdictNote:
    """Return a verdict as it is kept."""
    name = blake2b(encode(verdict), digest_size=ID_BYTES).hexdigest()
    return VerdictNote(verdict_id=name, verdict=verdict, was=was)
