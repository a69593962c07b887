"""The watch of each party on each channel: kept, lapsed or unknown, and since when. Pure.

    unknown ──► kept       something has shown within the agreed gap that a receiver hears
    kept ────► unknown     nothing has, for the gap: a quiet channel, or somebody else's
    any ─────► lapsed      every receiver of ours that is tuned to the channel is deaf
    lapsed ──► unknown     one is deaf no longer, and has shown nothing yet

Missing data never keeps a watch. What keeps one is what the agreement takes for evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from gateway.codes.dates import utc_of
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.listening import ChannelWatch, Evidence, PartyWatch, WatchState
from gateway.rules.availability import Account, AccountKept, Away, missed
from gateway.rules.bench import Bench
from gateway.rules.evidence import KEEPS, Receiver
from gateway.rules.hours import Schedule
from gateway.rules.kinds.watch import Terms

WATCHES_MAX = 512
"""Parties on channels: a station has some tens. What is more is judged by its rule alone."""

GAP_S = 60.0
"""Where nothing is agreed, so long after the last evidence nothing is shown any more."""

_GRAVEST = (WatchState.LAPSED, WatchState.UNKNOWN, WatchState.KEPT)
_STATED = frozenset({EventWord.WATCH_EVIDENCE, EventWord.WATCH_SET})


class Duty(Struct, frozen=True, kw_only=True):
    """Who has to listen where, and how it is shown."""

    agreement: str
    party: str
    channel: str
    gap_s: float
    hours: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KEEPS
    """What the agreement takes for evidence, of what a receiver here can show."""
    stated: frozenset[str] | None = None
    """What it takes for evidence where somebody states it; None for anything."""
    names: frozenset[str] = frozenset()
    """What a statement may call the party."""
    own: bool = False
    ports: tuple[str, ...] = ()
    """The ports of this station that are tuned to the channel."""

    @property
    def name(self) -> str:
        """What it is remembered under."""
        return f"{self.agreement}/{self.party}/{self.channel}"


Tuned = Mapping[str, tuple[int, str]]
"""The frequency of each port's receiver, and the radio system that it speaks first."""


def duties_of(bench: Bench, tuned: Tuned) -> tuple[Duty, ...]:
    """Return every watch that the agreements in force ask for; of several the stricter counts."""
    found: dict[str, Duty] = {}
    for engine in bench.engines.values():
        for clause in engine.agreement.rules:
            if clause.id in engine.rules and isinstance(clause.terms, Terms):
                for duty in _duties(bench, engine.agreement.id, clause.terms, tuned):
                    known = found.get(duty.name)
                    found[duty.name] = duty if known is None else _stricter(known, duty)
    return tuple(found.values())


def gap_of(duties: Iterable[Duty], port: str) -> float:
    """Return the shortest gap that is agreed for a port."""
    return min((duty.gap_s for duty in duties if port in duty.ports), default=GAP_S)


class Standing(Struct, frozen=True):
    """How one watch stands."""

    state: WatchState
    since_ns: int
    why: str


class WatchesKept(Struct, frozen=True):
    """What has to survive a restart: what each month came to, and when that was written down."""

    away: Away
    accounts: dict[str, AccountKept]


class Watching:
    """Every watch that this station knows of."""

    def __init__(self, duties: Sequence[Duty], receivers: Mapping[str, Receiver]) -> None:
        self.duties = tuple(duties[:WATCHES_MAX])
        self.channels = tuple(sorted({duty.channel for duty in self.duties}))
        self._more = len(duties) - len(self.duties)
        self._receivers = receivers
        self._standing: dict[str, Standing] = {}
        self._stated: dict[str, tuple[int, str, str]] = {}
        """By watch: when somebody last stated evidence of it, of what kind, and who."""
        self._accounts = {duty.name: Account() for duty in self.duties}
        self._schedules = {duty.name: Schedule(duty.hours) for duty in self.duties}
        self._last_ns: int | None = None

    def stated(self, fact: Fact) -> None:
        """Take what somebody states: a party that it listens, or that its receiver hears."""
        if fact.what not in _STATED or fact.person is None:
            return
        for duty in self.duties:
            is_theirs = duty.own if fact.by is None else fact.by in duty.names
            kind = fact.words or "stated"
            if is_theirs and fact.channel == duty.channel and _takes(duty, kind):
                self._stated[duty.name] = (fact.at.mono_ns, kind, fact.person)

    def tick(self, now: Moment) -> frozenset[str]:
        """Let time pass; return the channels on which a watch stands otherwise than before."""
        before, self._last_ns = self._last_ns, now.mono_ns
        passed_ms = 0 if before is None else max(now.mono_ns - before, 0) // 10**6
        changed: set[str] = set()
        for duty in self.duties:
            known, found = self._standing.get(duty.name), self._judged(duty, now)
            if known is None or known.state is not found.state:
                changed.add(duty.channel)
                self._standing[duty.name] = found
            else:
                self._standing[duty.name] = Standing(found.state, known.since_ns, found.why)
            self._count(duty, passed_ms, now)
        return frozenset(changed)

    def channel(self, name: str, now: Moment) -> ChannelWatch:
        """Return how the watch on this channel stands."""
        duties = [duty for duty in self.duties if duty.channel == name]
        states = {self._standing[duty.name].state for duty in duties if duty.own}
        return ChannelWatch(
            channel=name,
            state=next((one for one in _GRAVEST if one in states), WatchState.UNKNOWN),
            utc=utc_of(now.utc_ns),
            mono_ns=now.mono_ns,
            watches=tuple(self._told(duty, now) for duty in duties),
        )

    def keep(self, boot: str | None, now: Moment) -> WatchesKept:
        """Return what has to survive a restart."""
        away = Away(boot, now.mono_ns, now.utc_ns, now.clock)
        return WatchesKept(away, {name: one.keep() for name, one in self._accounts.items()})

    def restore(self, kept: WatchesKept, boot: str | None, began: Moment) -> None:
        """Take it up. This run has counted since it `began`; in between nobody has."""
        for name, account in self._accounts.items():
            if name in kept.accounts:
                between = missed(kept.away, self._schedules[name], boot, began)
                account.restore(kept.accounts[name], between)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many watches are followed."""
        yield Bound(
            of="Watching._standing",
            what="watches",
            held=len(self._standing),
            limit=WATCHES_MAX,
            rule="what is more is judged by its rule alone, and has no place on `watch/…`",
            evicted=self._more,
        )

    def _count(self, duty: Duty, passed_ms: int, now: Moment) -> None:
        """Add the time that has passed to the month; kept is only what nothing stands against."""
        due = self._schedules[duty.name].holds(now)
        if due is False:
            return
        state = self._standing[duty.name].state
        if due is None:
            state = WatchState.UNKNOWN
        elif state is WatchState.KEPT and self._is_doubted(duty, now):
            state = WatchState.LAPSED
        self._accounts[duty.name].count(passed_ms, state, now)

    def _is_doubted(self, duty: Duty, now: Moment) -> bool:
        ports = [self._receivers[port] for port in duty.ports]
        return bool(ports) and all(one.doubted(now) is not None for one in ports)

    def _judged(self, duty: Duty, now: Moment) -> Standing:
        gap_ns = round(duty.gap_s * 1e9)
        shown = self._shown(duty, now)
        if shown is not None and now.mono_ns - shown[0] < gap_ns:
            return Standing(WatchState.KEPT, shown[0], shown[1])
        if not duty.own:
            return Standing(WatchState.UNKNOWN, now.mono_ns, f"{duty.party} has shown nothing")
        if not duty.ports:
            why = f"no port of this station is tuned to {duty.channel}"
            return Standing(WatchState.UNKNOWN, now.mono_ns, why)
        deaf = [(port, self._receivers[port].deaf(now)) for port in duty.ports]
        against = [(port, one) for port, one in deaf if one is not None]
        if len(against) == len(deaf):
            why = "; ".join(f"port {port} is deaf: {one.words}" for port, one in against)
            return Standing(WatchState.LAPSED, max(one.since_ns for _, one in against), why)
        why = f"nothing has shown for {duty.gap_s:g} s that a receiver hears, or that none does"
        return Standing(WatchState.UNKNOWN, now.mono_ns, why)

    def _shown(self, duty: Duty, now: Moment) -> tuple[int, str] | None:
        """Return when something showed last that the party listens, and what."""
        found: list[tuple[int, str]] = []
        for port in duty.ports:
            receiver = self._receivers[port]
            proof = None if receiver.deaf(now) else receiver.proof(duty.kinds)
            if proof is not None:
                found.append((proof[1].at_ns, f"{proof[0]} of port {port}"))
        stated = self._stated.get(duty.name)
        if stated is not None:
            found.append((stated[0], f"{stated[1]}, as {stated[2]} has stated"))
        return max(found, default=None)

    def _told(self, duty: Duty, now: Moment) -> PartyWatch:
        standing = self._standing[duty.name]
        passed_ns = now.mono_ns - standing.since_ns
        return PartyWatch(
            agreement=duty.agreement,
            party=duty.party,
            own=duty.own,
            state=standing.state,
            since=utc_of(None if now.utc_ns is None else now.utc_ns - passed_ns),
            since_mono_ns=standing.since_ns,
            why=standing.why,
            gap_s=duty.gap_s,
            due=self._schedules[duty.name].holds(now),
            evidence=tuple(sorted(self._evidence(duty, now), key=lambda one: one.age_s)),
            months=self._accounts[duty.name].months(),
        )

    def _evidence(self, duty: Duty, now: Moment) -> Iterator[Evidence]:
        for port in duty.ports:
            yield from self._receivers[port].evidence(now)
        stated = self._stated.get(duty.name)
        if stated is not None:
            at_ns, kind, person = stated
            age_s = round((now.mono_ns - at_ns) / 1e9, 1)
            yield Evidence(kind=kind, by=person, age_s=age_s, proves="word")


def _duties(bench: Bench, agreement: str, terms: Terms, tuned: Tuned) -> Iterator[Duty]:
    ground = bench.engines[agreement].ground
    for party in sorted(ground.rolls.named(terms.who)):
        own = party in ground.rolls.own
        for channel in sorted(ground.dial.named(terms.channels)):
            agreed = frozenset(terms.evidence)
            yield Duty(
                agreement=agreement,
                party=party,
                channel=channel,
                gap_s=terms.max_gap_s,
                hours=terms.hours,
                kinds=tuple(kind for kind in KEEPS if not agreed or kind in agreed),
                stated=agreed or None,
                names=frozenset({party, *ground.agreement.parties[party].roles}),
                own=own,
                ports=tuple(
                    port
                    for port, (freq_hz, system) in tuned.items()
                    if own and ground.dial.find(freq_hz, system) == channel
                ),
            )


def _stricter(one: Duty, other: Duty) -> Duty:
    """Return both in one: the shorter gap, all hours of both, and what both take for evidence."""
    stated = [duty.stated for duty in (one, other) if duty.stated is not None]
    return Duty(
        agreement=one.agreement,
        party=one.party,
        channel=one.channel,
        gap_s=min(one.gap_s, other.gap_s),
        hours=(*one.hours, *other.hours) if one.hours and other.hours else (),
        kinds=tuple(kind for kind in one.kinds if kind in other.kinds),
        stated=frozenset.intersection(*stated) if stated else None,
        names=one.names,
        own=one.own,
        ports=one.ports,
    )


def _takes(duty: Duty, kind: str) -> bool:
    return duty.stated is None or kind in duty.stated
