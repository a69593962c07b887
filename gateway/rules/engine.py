"""One agreement at work: what happened goes to the rules that wait for it, and verdicts come out.

Rules label, they never drop: nothing here can hold up or change what was heard. A rule that fails
is counted, and says `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import DecodeError, Struct
from msgspec.msgpack import decode, encode
from msgspec.structs import replace

from gateway.codes.dates import utc_of
from gateway.model.agreement import Agreement, Clause, EventWord, State
from gateway.model.asked import Fact, Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment, Sighting
from gateway.model.verdict import Judgement, Verdict
from gateway.model.words import Mode, Urgency
from gateway.rules.event import Event
from gateway.rules.events import SEPARATION
from gateway.rules.ground import Ground
from gateway.rules.memory import moved
from gateway.rules.parties import Registry, nobody
from gateway.rules.picture import Kept
from gateway.rules.rule import Finding, Nothing, Quiet, Rule

IN_DISTRESS = "distress_alert"
OFF_THE_AIR = "being off the air"
"""The purpose of a request by which this station itself calls for help: no rule stands against it
(Radio Regulations 30: by any means at its disposal)."""

PICTURE = "ground/picture"
"""Under this name the places of craft are kept: no rule can be called so."""

ROUNDS_MAX = 3
"""A violation may be what another rule waits for, and so on: as often as this, and no more."""

_BLAMED = frozenset({Judgement.VIOLATION, Judgement.AT_RISK, Judgement.DENIED, Judgement.DEFERRED})

_STRICTEST = (
    Judgement.DENIED,
    Judgement.UNKNOWN,
    Judgement.DEFERRED,
    Judgement.AT_RISK,
    Judgement.VIOLATION,
    Judgement.OK,
    Judgement.EXEMPT,
)
"""Of several, which counts for a request."""

_Asked = TypeVar("_Asked")

LISTENERS_MAX = 1_024
"""Sets of words that events have had: a few dozen. When they are full they are found anew."""


class Gated(Struct, frozen=True, kw_only=True):
    """What all rules together say of a request."""

    judgement: Judgement
    verdicts: tuple[Verdict, ...]
    until_mono_ns: int | None = None
    """Of `deferred`: not before; the latest that any rule says."""


class Engine:
    """The rules of one agreement, and who is asked about what."""

    def __init__(
        self,
        agreement: Agreement,
        kinds: Mapping[str, type[Rule]],
        registry: Registry = nobody,
    ) -> None:
        self.agreement = agreement
        self.ground = Ground(agreement, registry)
        self.rules = {
            clause.id: kinds[clause.kind](clause.terms, self.ground)
            for clause in agreement.rules
            if _holds(agreement, clause)
        }
        self.rule_errors = 0
        """Exceptions out of a rule: faults of this program. Always 0, or please report it."""
        self._clauses = {clause.id: clause for clause in agreement.rules}
        self._listeners: dict[tuple[EventWord, ...], tuple[str, ...]] = {}
        self._overriding = tuple(name for name, rule in self.rules.items() if rule.overrides)

    def sighting(self, sighting: Sighting, at: Moment) -> list[Verdict]:
        """Return what the rules say of something heard."""
        event = self.ground.interpreter.sighting(sighting, at)
        self.ground.picture.take(event)
        return self._hear(event)

    def fact(self, fact: Fact) -> list[Verdict]:
        """Return what the rules say of something that stands in no radio message."""
        return self._hear(self.ground.interpreter.fact(fact))

    def tick(self, now: Moment) -> list[Verdict]:
        """Return what the rules say now that time has passed."""
        found = [
            self._verdict(name, finding, now)
            for name, rule in self.rules.items()
            for finding in self._asked(name, rule.tick, now)
        ]
        return self._echoed(found, now)

    def gate(self, request: Request) -> Gated:
        """Return what the rules say of a transmission that this station is asked for.

        A call of the station itself in distress is exempt from all of them. What a rule can't tell
        counts as denied by whoever asks: `unknown` is no permission. What says of itself that it
        is a test or an exercise is of no distress. What only a modem is told, and keys nothing, is
        within every rule of the air.
        """
        request = self._named(request)
        by = _wholly_exempt(request)
        wholly = by is not None
        by = by or self._exempting(request)
        found: list[Verdict] = []
        for name, rule in self.rules.items():
            exempt = by is not None and (wholly or not rule.of_distress)
            for finding in self._asked(name, _gate_of(rule), request):
                verdict = self._verdict(name, finding, request.at, (request.request_id,))
                if exempt and by and verdict.judgement is not Judgement.OK:
                    verdict = _exempt(verdict, by)
                found.append(verdict)
        return gated(found)

    def would(self, request: Request) -> Gated:
        """Return what `gate` would say now; no rule remembers that it was asked."""
        kept = {
            name: rule.keep()
            for name, rule in self.rules.items()
            if rule.memory is not Nothing and type(rule).gate is not Rule.gate
        }
        try:
            return self.gate(request)
        finally:
            for name, memory in kept.items():
                if self.rules[name].keep() != memory:
                    self.rules[name].restore(memory)

    def hides(self, names: frozenset[str]) -> bool:
        """Say whether nobody but an authority may learn of the craft with one of these names."""
        return any(rule.hides(names) for rule in self.rules.values())

    def has_silence(self, channel: str) -> bool:
        """Say whether a rule has a word for silence on the channel of this name."""
        return any(rule.quiet(channel) is not None for rule in self.rules.values())

    def quiet(self, freq_hz: int) -> Quiet | None:
        """Return how silence stands on a frequency; None where no rule has a word for it."""
        channel = self.ground.dial.find(freq_hz, None)
        for name, rule in self.rules.items():
            found = None if channel is None else rule.quiet(channel)
            if found is not None:
                return replace(found, clause=f"{self.agreement.id}/{name}")
        return None

    def keep(self) -> dict[str, bytes]:
        """Return what has to survive a restart, rule by rule, in msgpack."""
        kept = {
            name: encode(rule.keep())
            for name, rule in self.rules.items()
            if rule.memory is not Nothing
        }
        if len(self.ground.picture):
            kept[PICTURE] = encode(self.ground.picture.keep())
        return kept

    def restore(self, kept: Mapping[str, bytes], shift_ns: int) -> tuple[str, ...]:
        """Take up what was kept, its monotonic times moved into this run.

        Returns:
            The rules whose memory is of another form than this release's: they begin anew.
        """
        lost: list[str] = []
        for name, memory in kept.items():
            rule = self.rules.get(name)
            if rule is None and name != PICTURE:
                continue
            try:
                if rule is None:
                    picture = moved(decode(memory, type=Kept), shift_ns)
                    self.ground.picture.restore(picture)
                else:
                    rule.restore(moved(decode(memory, type=rule.memory), shift_ns))
            except DecodeError:
                lost.append(name)
        return tuple(lost)

    def flaws(self) -> Iterator[tuple[str, str]]:
        """Yield each rule that makes no sense as it is written, and why."""
        for name, rule in self.rules.items():
            for flaw in rule.flaws():
                yield name, flaw

    def bounds(self) -> Iterator[Bound]:
        """Yield each place in which something waits or is remembered."""
        yield from self.ground.bounds()
        for rule in self.rules.values():
            yield from rule.bounds()

    def _hear(self, event: Event) -> list[Verdict]:
        found = self._round(event)
        return self._echoed(found, event.at) if found else found

    def _round(self, event: Event) -> list[Verdict]:
        listeners = self._listeners.get(event.words)
        if listeners is None:
            words = frozenset(event.words)
            listeners = tuple(
                name for name, rule in self.rules.items() if not words.isdisjoint(rule.hears())
            )
            if len(self._listeners) >= LISTENERS_MAX:
                self._listeners.clear()
            self._listeners[event.words] = listeners
        by = self._outranked(event)
        found: list[Verdict] = []
        for name in listeners:
            rule = self.rules[name]
            for finding in self._asked(name, rule.hear, event):
                verdict = self._verdict(name, finding, event.at, (event.event_id,))
                if by and not rule.of_distress and verdict.judgement in _BLAMED:
                    verdict = _exempt(verdict, by)
                found.append(verdict)
        return found

    def _echoed(self, found: list[Verdict], at: Moment) -> list[Verdict]:
        """Let the rules hear which rules were broken."""
        news = found
        for _ in range(ROUNDS_MAX):
            broken = [one for one in news if _is_news(one)]
            news = [
                verdict
                for one in broken
                for verdict in self._round(self.ground.interpreter.verdict(one, at))
            ]
            found = [*found, *news]
            if not news:
                break
        return found

    def _outranked(self, event: Event) -> str | None:
        """Return the rule by which this event is exempt from those that ration the channels."""
        if event.category is Urgency.ROUTINE or event.test:
            return None
        for name in self._overriding:
            for finding in self._asked(name, self.rules[name].hear, event):
                if finding.judgement is Judgement.EXEMPT:
                    return name
        return None

    def _exempting(self, request: Request) -> str | None:
        if request.marked is not Mode.REAL:
            return None
        for name in self._overriding:
            for finding in self._asked(name, _gate_of(self.rules[name]), request):
                if finding.judgement is Judgement.EXEMPT:
                    return name
        return None

    def _named(self, request: Request) -> Request:
        """Return it with its channel, and whom it goes to, called as this agreement calls them."""
        to = request.to
        if request.address is not None:
            to = (*to, *self.ground.rolls.of(request.address, None))
        return replace(request, channel=self.ground.dial.of(request), to=to)

    def _asked(
        self, name: str, ask: Callable[[_Asked], Iterable[Finding]], about: _Asked
    ) -> Iterator[Finding]:
        """Yield what a rule finds; a fault of ours there is its `unknown`, and costs no other."""
        try:
            yield from ask(about)
        except Exception as error:  # noqa: BLE001  # no rule may stop a report, whatever we did wrong
            self.rule_errors += 1
            yield Finding(
                judgement=Judgement.UNKNOWN,
                subject=f"rule:{name}",
                words=f"the rule failed in this program: {type(error).__name__}",
            )

    def _verdict(
        self, name: str, finding: Finding, at: Moment, evidence: tuple[str, ...] = ()
    ) -> Verdict:
        agreement = self.agreement
        return Verdict(
            agreement=agreement.id,
            version=agreement.version,
            digest=agreement.digest,
            rule=name,
            kind=self._clauses[name].kind,
            judgement=finding.judgement,
            subject=finding.subject,
            words=finding.words,
            mono_ns=at.mono_ns,
            utc=utc_of(at.utc_ns),
            since_mono_ns=finding.since_ns,
            until_mono_ns=finding.until_ns,
            evidence=tuple(dict.fromkeys((*finding.evidence, *evidence))),
        )


def is_in_distress(request: Request) -> bool:
    """Say whether the station itself calls for help, and means it."""
    return request.purpose == IN_DISTRESS and request.marked is Mode.REAL


def gated(verdicts: Iterable[Verdict]) -> Gated:
    """Return what all of these say together: the strictest counts."""
    found = tuple(verdicts)
    said = {verdict.judgement for verdict in found}
    judgement = next((one for one in _STRICTEST if one in said), Judgement.OK)
    waits = [
        one.until_mono_ns
        for one in found
        if one.judgement is Judgement.DEFERRED and one.until_mono_ns is not None
    ]
    until = max(waits) if judgement is Judgement.DEFERRED and waits else None
    return Gated(judgement=judgement, verdicts=found, until_mono_ns=until)


def _holds(agreement: Agreement, clause: Clause) -> bool:
    """Say whether a rule binds while the agreement stands as it does."""
    status = agreement.status
    if status.state is State.SUSPENDED:
        return clause.id in status.on_suspend_keep
    return status.state is State.IN_FORCE


def _is_news(verdict: Verdict) -> bool:
    """Say whether other rules wait for this: a violation, and craft that come near each other."""
    if verdict.judgement is Judgement.AT_RISK:
        return verdict.kind == SEPARATION
    return verdict.judgement is Judgement.VIOLATION


def _gate_of(rule: Rule) -> Callable[[Request], Iterable[Finding]]:
    def ask(request: Request) -> Iterable[Finding]:
        finding = rule.gate(request)
        return () if finding is None else (finding,)

    return ask


def _wholly_exempt(request: Request) -> str | None:
    """Return by what it is exempt from every rule; None where it is not."""
    if is_in_distress(request):
        return IN_DISTRESS
    return OFF_THE_AIR if request.duration_s == 0 else None


def _exempt(verdict: Verdict, by: str) -> Verdict:
    words = f"{verdict.words}; exempt by {by}"
    return replace(verdict, judgement=Judgement.EXEMPT, words=words, by=by, until_mono_ns=None)
