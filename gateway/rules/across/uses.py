"""What a clause wants done on a channel, and another lets nobody do there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.model.words import Urgency
from gateway.rules.across.scope import Flaw, Held, Scope, Spot, listed
from gateway.rules.emissions import is_voice
from gateway.rules.kinds.ack_deadline import Terms as AckDeadline
from gateway.rules.kinds.allowed_use import Terms as AllowedUse
from gateway.rules.kinds.call_response import Terms as CallResponse
from gateway.rules.kinds.channel_sequence import Terms as ChannelSequence
from gateway.rules.kinds.comm_check import Terms as CommCheck
from gateway.rules.kinds.distress_override import Terms as DistressOverride
from gateway.rules.kinds.exclusive_use import Terms as ExclusiveUse
from gateway.rules.kinds.protected_band import Terms as ProtectedBand
from gateway.rules.kinds.silence import Terms as Silence
from gateway.rules.kinds.test_rate import Terms as TestRate
from gateway.rules.kinds.test_window import Terms as TestWindow
from gateway.rules.kinds.transmit_authority import Terms as TransmitAuthority
from gateway.rules.purposes import can_serve_both

_TEST = frozenset({"test"})
_CONTACT = frozenset({"calling", "contact"})
_TRIAL = _TEST | _CONTACT | {"comm_check"}
_ACK = frozenset({"distress", "distress_ack"})


class Demand(Struct, frozen=True, kw_only=True):
    """Something that has to be sent on channels for a clause to be kept."""

    held: Held
    wants: str
    """In words, before the channels and after them: `lets calls begin on {}`."""
    channels: tuple[str, ...]
    one_of: bool = False
    """Whether it is enough on one of them."""
    purposes: frozenset[str] = frozenset()
    """It is for one of these; none for anything."""
    spoken: bool = False
    parties: frozenset[str] = frozenset()
    """Who sends it; none for anybody."""
    each: bool = True
    """Whether each of them has to."""
    of_distress: bool = False


class Limit(Struct, frozen=True, kw_only=True):
    """Who alone may send what alone on some channels."""

    held: Held
    spots: dict[Spot, str]
    purposes: frozenset[str] | None = None
    modes: tuple[str, ...] = ()
    who: frozenset[str] | None = None
    tests: bool = True
    """Whether there is any time for tests."""

    def forbids(self, demand: Demand) -> str | None:
        """Return why that can't be sent; None when it can."""
        purposes = self.purposes
        if purposes is not None and demand.purposes and demand.purposes.isdisjoint(purposes):
            return f"it is for {listed(sorted(purposes))} alone"
        if demand.spoken and self.modes and not any(map(is_voice, self.modes)):
            return f"nothing is sent there but {listed(self.modes)}"
        if demand.purposes == _TEST and not self.tests:
            return "no time for a test is agreed there"
        if self.who is None or not demand.parties:
            return None
        out = demand.held.outside(demand.parties, self.held, self.who)
        if not out or (out != demand.parties and not demand.each):
            return None
        return f"{listed(sorted(out))} may not transmit there"


def of_uses(scope: Scope) -> Iterator[Flaw]:
    """Yield what is wanted on a channel and forbidden there, and uses that exclude each other."""
    limits = [*_limits(scope)]
    for demand in _demands(scope):
        yield from _forbidden(demand, limits, scope)
        yield from _unheard(demand)
    for number, one in enumerate(limits):
        for other in limits[number + 1 :]:
            yield from _excluded(one, other)


def _demands(scope: Scope) -> Iterator[Demand]:
    yield from _trials(scope)
    for held, calls in scope.of(CallResponse):
        who = calls.who or calls.when.to or calls.when.between
        yield Demand(
            held=held,
            wants="wants calls on {} answered",
            channels=calls.channels,
            one_of=True,
            purposes=_CONTACT,
            parties=held.parties(who),
        )
    for held, sequence in scope.of(ChannelSequence):
        yield Demand(
            held=held,
            wants="lets calls begin on {}",
            channels=sequence.initial,
            one_of=True,
            purposes=_CONTACT,
        )
    for held, silence in scope.of(Silence):
        yield Demand(
            held=held,
            wants="has silence lifted by what is said on {}",
            channels=silence.channels,
            spoken=True,
        )
    for held, ack in scope.of(AckDeadline):
        yield Demand(
            held=held,
            wants="wants calls on {} acknowledged",
            channels=ack.channels or _of_systems(held, ack.when.system),
            purposes=_ACK,
            parties=held.parties(ack.who),
            each=False,
            of_distress=True,
        )


def _trials(scope: Scope) -> Iterator[Demand]:
    for held, rate in scope.of(TestRate):
        yield Demand(held=held, wants="expects tests on {}", channels=rate.channels, purposes=_TEST)
    for held, window in scope.of(TestWindow):
        if window.minutes is not None:
            yield Demand(
                held=held,
                wants="has minutes for tests on {}",
                channels=window.channels,
                purposes=_TEST,
            )
    for held, check in scope.of(CommCheck):
        yield Demand(
            held=held,
            wants="wants {} tried",
            channels=check.channels,
            one_of=True,
            purposes=_TRIAL,
            parties=held.parties(check.who),
        )


def _of_systems(held: Held, systems: tuple[str, ...]) -> tuple[str, ...]:
    """Return the channels on which calls of these systems come, and can be answered."""
    return tuple(
        name
        for name, channel in held.agreement.channels.items()
        if channel.mode is not None and channel.mode in systems and not channel.receive_only
    )


def _limits(scope: Scope) -> Iterator[Limit]:
    for held, allowed in scope.of(AllowedUse):
        free = None if allowed.purposes is None else frozenset(allowed.purposes + allowed.exempt)
        yield Limit(
            held=held,
            spots=held.spots(allowed.channels),
            purposes=free,
            modes=allowed.modes,
            who=held.parties(allowed.who) or None,
        )
    for held, use in scope.of(ExclusiveUse):
        yield Limit(
            held=held,
            spots=held.spots(use.channels),
            purposes=frozenset(use.purposes),
            modes=use.modes,
            who=held.parties(use.who) or None,
        )
    for held, authority in scope.of(TransmitAuthority):
        yield Limit(
            held=held, spots=held.spots(authority.channels), who=held.parties(authority.who)
        )
    for held, window in scope.of(TestWindow):
        if window.minutes is None and window.otherwise is None and not window.exempt:
            yield Limit(held=held, spots=held.spots(window.channels), tests=False)
    for held, band in scope.of(ProtectedBand):
        if band.action == "deny" and not band.exempt:
            yield _of_band(held, band)


def _of_band(held: Held, terms: ProtectedBand) -> Limit:
    """Return what a protected band is to this station: others may send what the band is for."""
    low_hz, high_hz = terms.band_hz[0] - terms.margin_hz, terms.band_hz[1] + terms.margin_hz
    within = [
        name
        for name, channel in held.agreement.channels.items()
        if channel.hz is not None and low_hz <= channel.hz <= high_hz
    ]
    others = frozenset(held.agreement.parties) - frozenset(held.ground.rolls.own)
    return Limit(held=held, spots=held.spots(within), who=others)


def _forbidden(demand: Demand, limits: Iterable[Limit], scope: Scope) -> Iterator[Flaw]:
    spots = demand.held.spots(demand.channels)
    for limit in limits:
        if demand.of_distress and _is_overridden(scope, limit.held):
            continue
        why = limit.forbids(demand)
        barred = [name for spot, name in spots.items() if spot in limit.spots]
        if why is not None and barred and (not demand.one_of or len(barred) == len(spots)):
            yield demand.held.against(limit.held, demand.wants.format(listed(barred)), why)


def _unheard(demand: Demand) -> Iterator[Flaw]:
    """What this station would have to send where it only listens."""
    held, spots = demand.held, demand.held.spots(demand.channels)
    own = frozenset(held.ground.rolls.own)
    has_to = demand.parties & own if demand.each else demand.parties <= own and demand.parties
    barred = [name for name in spots.values() if held.agreement.channels[name].receive_only]
    if has_to and barred and (not demand.one_of or len(barred) == len(spots)):
        wants = demand.wants.format(listed(barred))
        yield Flaw(held.name, f"{wants}, and this station only listens there")


def _is_overridden(scope: Scope, held: Held) -> bool:
    """Say whether distress is exempt from what a clause rations."""
    return any(
        other.agreement is held.agreement and Urgency.DISTRESS in terms.categories
        for other, terms in scope.of(DistressOverride)
    )


def _excluded(one: Limit, other: Limit) -> Iterator[Flaw]:
    """Two clauses on one channel that together let nothing through, or nobody."""
    both = listed(name for spot, name in one.spots.items() if spot in other.spots)
    if not both:
        return
    ours, theirs = one.purposes, other.purposes
    if ours is not None and theirs is not None and not _serve_both(ours, theirs):
        wants = f"keeps {both} for {listed(sorted(ours))}"
        forbids = f"it is for {listed(sorted(theirs))} alone"
        yield one.held.against(other.held, wants, forbids)
    if one.modes and other.modes and set(one.modes).isdisjoint(other.modes):
        forbids = f"nothing is sent there but {listed(other.modes)}"
        yield one.held.against(other.held, f"keeps {both} for {listed(one.modes)}", forbids)
    who, whose = one.who, other.who
    if who and whose is not None and one.held.outside(who, other.held, whose) == who:
        forbids = f"nobody uses it but {listed(sorted(whose))}"
        yield one.held.against(other.held, f"keeps {both} for {listed(sorted(who))}", forbids)


def _serve_both(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return any(can_serve_both(one, other) for one in ours for other in theirs)
