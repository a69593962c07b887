"""What nothing is ever found by: channels, radio systems and calls that there are none of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.rules.across.scope import Flaw, Held, Scope, Spot, listed, spot_of
from gateway.rules.ground import Ground
from gateway.rules.kinds.ack_authority import Terms as AckAuthority
from gateway.rules.kinds.call_attempts import Terms as CallAttempts
from gateway.rules.kinds.identification import Terms as Identification
from gateway.rules.kinds.test_marking import Terms as TestMarking
from gateway.rules.when import When


def of_idle(scope: Scope, systems: Iterable[str]) -> Iterator[Flaw]:
    """Yield what never happens, and what nothing is ever found by; these are the radio systems."""
    known = frozenset(systems)
    for ground in scope.grounds:
        for what, flaw in (*_places(ground), *_strange_matches(ground, known)):
            yield Flaw(scope.named(ground.agreement, what), flaw)
    for held in scope.clauses:
        yield from (Flaw(held.name, flaw) for flaw in _strange_systems(held, known))
        yield from (Flaw(held.name, flaw) for flaw in _without_us(held))


def _places(ground: Ground) -> Iterator[tuple[str, str]]:
    """Channels on which nothing is ever heard."""
    agreement = ground.agreement
    taken: dict[Spot, str] = {}
    for name, channel in agreement.channels.items():
        first = taken.setdefault(spot_of(agreement, name), name)
        if first != name and channel.endpoint is None:
            yield f"channel {name}", f"what is heard there is taken for {first}: it is the same"
        if not (channel.hz or channel.band_hz or channel.endpoint or channel.mode):
            yield f"channel {name}", "no radio hears it: give its `hz`, `band_hz`, or `endpoint`"


def _strange_matches(ground: Ground, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name, party in ground.agreement.parties.items():
        yield from ((f"party {name}", flaw) for flaw in _strange(party.match.system, known))


def _strange_systems(held: Held, known: frozenset[str]) -> Iterator[str]:
    terms = held.clause.terms
    when = getattr(terms, "when", None)
    if isinstance(terms, (AckAuthority, Identification, TestMarking)):
        yield from _strange(terms.systems, known)
    if isinstance(when, When):
        yield from _strange(when.system, known)


def _strange(systems: Iterable[str], known: frozenset[str]) -> Iterator[str]:
    for system in systems:
        if system not in known:
            yield f"`{system}` is no radio system; there are: {listed(sorted(known))}"


def _without_us(held: Held) -> Iterator[str]:
    """Clauses about what this station sends that have nothing to do with it."""
    terms, own = held.clause.terms, frozenset(held.ground.rolls.own)
    if not own:
        return  # A text is read by whoever it binds: whose station asks is not of it.
    if isinstance(terms, CallAttempts) and terms.who and own.isdisjoint(held.parties(terms.who)):
        yield f"it counts the calls of this station, and binds {listed(terms.who)}"
