"""The watch of each party on each channel: kept, lapsed or unknown, and since when. Pure.

    unknown ──► kept       something has shown within the agreed gap that a receiver hears
    kept ────► unknown     nothing has, for the gap: a quiet channel, or somebody else's
    any ─────► lapsed      every receiver of ours that is tuned to the channel is deaf
    lapsed ──► unknown     one is deaf no longer, and has shown nothing yet

Missing data never keeps a watch. What keeps one is what the agreement takes for evidence. How much
of a month a watch was kept is counted here and nowhere else; its rule is told of it, and judges it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from gateway.codes.dates import utc_of
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.listening import (
    Availability,
    ChannelWatch,
    Evidence,
    PartyWatch,
    WatchState,
)
from gateway.model.plan import PortPlan
from gateway.rules.availability import Account, AccountKept, Away, missed
from gateway.rules.bench import Bench
from gateway.rules.evidence import KEEPS, Receiver
from gateway.rules.ground import Ground
from gateway.rules.hearing import listens
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
    rule: str
    party: str
    channel: str
    mode: str | None = None
    """What is sent there, as the agreement says it."""
    needed: int | None = None
    """On how many of its channels the party has to listen; None where it has to on each."""
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
    played: tuple[str, ...] = ()
    """Those that are tuned to it and are no receivers: tapes, and whatever is of an exercise."""

    @property
    def clause(self) -> str:
        """By which rule of which agreement."""
        return f"{self.agreement}/{self.rule}"

    @property
    def name(self) -> str:
        """What tells it from every other."""
        return f"{self.clause}/{self.party}/{self.channel}"

    @property
    def whose(self) -> str:
        """Whose watch it is, and where; of several channels together it is whose alone."""
        return f"{self.party}/{self.channel}" if self.needed is None else self.party

    @property
    def account(self) -> str:
        """What its months are remembered under."""
        return f"{self.clause}/{self.whose}"


class Tuned(Struct, frozen=True):
    """What the receiver at a port is tuned to."""

    freq_hz: int
    system: str
    """The radio system that it speaks first."""
    listens: bool = True
    """Whether a receiver is there: a tape has none, and an exercise is on no air."""


def duties_of(bench: Bench, tuned: Mapping[str, Tuned]) -> tuple[Duty, ...]:
    """Return every watch that the agreements in force ask for, each rule's by itself."""
    return tuple(
        duty
        for engine in bench.engines.values()
        for clause in engine.agreement.rules
        if clause.id in engine.rules and isinstance(clause.terms, Terms)
        for duty in _duties(engine.ground, clause.id, clause.terms, tuned)
    )


def tuned_of(ports: Iterable[PortPlan]) -> dict[str, Tuned]:
    """Return what each port is tuned to that says so."""
    return {
        port.name: Tuned(port.profile.freq_hz, port.profile.on_air, listens(port))
        for port in ports
        if port.profile.freq_hz is not None
    }


def modes_of(duties: Iterable[Duty], port: str) -> tuple[str | None, ...]:
    """Return what is sent on the channels that a port is tuned to; nobody knows where none is."""
    return tuple(dict.fromkeys(duty.mode for duty in duties if port in duty.ports)) or (None,)


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
    channels: tuple[str, ...] = ()
    """Those that were told of."""


class MonthOver(Struct, frozen=True, kw_only=True):
    """What a month that is over came to."""

    clause: str
    """`agreement/rule`."""
    party: str
    whose: str
    month: Availability


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
        self._together: dict[str, list[Duty]] = {}
        """By account: the duties of which it is."""
        for duty in self.duties:
            self._together.setdefault(duty.account, []).append(duty)
        self._accounts = {name: Account() for name in self._together}
        self._schedules = {duty.account: Schedule(duty.hours) for duty in self.duties}
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
        for name in self._accounts:
            self._count(name, passed_ms, now)
        return frozenset(changed)

    def over(self, now: Moment) -> Iterator[MonthOver]:
        """Yield what each month came to that is over and was not told of yet."""
        for name, account in self._accounts.items():
            month = account.over(now)
            if month is not None:
                duty = self._together[name][0]
                yield MonthOver(clause=duty.clause, party=duty.party, whose=duty.whose, month=month)

    def channel(self, name: str, now: Moment) -> ChannelWatch:
        """Return how the watch on this channel stands."""
        duties = [duty for duty in self.duties if duty.channel == name]
        own = [duty for duty in duties if duty.own]
        due = [duty for duty in own if self._schedules[duty.account].holds(now) is not False]
        states = {self._standing[duty.name].state for duty in due or own}
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
        accounts = {name: one.keep() for name, one in self._accounts.items()}
        return WatchesKept(away, accounts, self.channels)

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
            rule="what is more is judged by its rule alone: no month, and no place on `watch/…`",
            evicted=self._more,
        )

    def _count(self, name: str, passed_ms: int, now: Moment) -> None:
        """Add the time that has passed to the month."""
        due = self._schedules[name].holds(now)
        state = WatchState.UNKNOWN if due is None else self._counts_as(name, now)
        self._accounts[name].count(0 if due is False else passed_ms, state, now)

    def _counts_as(self, name: str, now: Moment) -> WatchState:
        """Return what these watches are in the month: of so many channels as are needed together.

        Lapsed is what is so without the ones of which nobody knows.
        """
        states = [self._proven(duty, now) for duty in self._together[name]]
        needed = self._together[name][0].needed or 1
        if states.count(WatchState.KEPT) >= needed:
            return WatchState.KEPT
        if len(states) - states.count(WatchState.LAPSED) < needed:
            return WatchState.LAPSED
        return WatchState.UNKNOWN

    def _proven(self, duty: Duty, now: Moment) -> WatchState:
        """Return how a watch stands once everything counts that stands against it for a moment."""
        state = self._standing[duty.name].state
        if state is not WatchState.KEPT or self._is_stated(duty, now):
            return state
        gap_ns = round(duty.gap_s * 1e9)
        sound = [one for one in self._of(duty) if one.doubted(now) is None]
        signs = [one.proof(duty.kinds) for one in sound]
        if any(sign is not None and now.mono_ns - sign[1].at_ns < gap_ns for sign in signs):
            return state
        return WatchState.UNKNOWN if sound else WatchState.LAPSED

    def _is_stated(self, duty: Duty, now: Moment) -> bool:
        stated = self._stated.get(duty.name)
        return stated is not None and now.mono_ns - stated[0] < round(duty.gap_s * 1e9)

    def _of(self, duty: Duty) -> list[Receiver]:
        return [self._receivers[port] for port in duty.ports]

    def _judged(self, duty: Duty, now: Moment) -> Standing:
        gap_ns = round(duty.gap_s * 1e9)
        shown = self._shown(duty, now)
        if shown is not None and now.mono_ns - shown[0] < gap_ns:
            return Standing(WatchState.KEPT, shown[0], shown[1])
        if not duty.own:
            return Standing(WatchState.UNKNOWN, now.mono_ns, f"{duty.party} has shown nothing")
        if not duty.ports:
            why = f"no port of this station is tuned to {duty.channel}"
            if duty.played:
                ports = " and ".join(duty.played)
                why = f"only {ports} is tuned to {duty.channel}: a tape or an exercise is on no air"
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
            rule=duty.rule,
            party=duty.party,
            own=duty.own,
            state=standing.state,
            since=utc_of(None if now.utc_ns is None else now.utc_ns - passed_ns),
            since_mono_ns=standing.since_ns,
            why=standing.why,
            gap_s=duty.gap_s,
            due=self._schedules[duty.account].holds(now),
            evidence=tuple(sorted(self._evidence(duty, now), key=lambda one: one.age_s)),
            months=self._accounts[duty.account].months(),
        )

    def _evidence(self, duty: Duty, now: Moment) -> Iterator[Evidence]:
        for port in duty.ports:
            yield from self._receivers[port].evidence(now)
        stated = self._stated.get(duty.name)
        if stated is not None:
            at_ns, kind, person = stated
            age_s = round((now.mono_ns - at_ns) / 1e9, 1)
            yield Evidence(kind=kind, by=person, age_s=age_s, proves="word")


def _duties(ground: Ground, rule: str, terms: Terms, tuned: Mapping[str, Tuned]) -> Iterator[Duty]:
    agreed = frozenset(terms.evidence)
    for party in sorted(ground.rolls.named(terms.who)):
        own = party in ground.rolls.own
        for channel in sorted(ground.dial.named(terms.channels)):
            here = {
                port: one.listens
                for port, one in tuned.items()
                if own and ground.dial.find(one.freq_hz, one.system) == channel
            }
            yield Duty(
                agreement=ground.agreement.id,
                rule=rule,
                party=party,
                channel=channel,
                mode=ground.agreement.channels[channel].mode,
                needed=terms.needed,
                gap_s=terms.max_gap_s,
                hours=terms.hours,
                kinds=tuple(kind for kind in KEEPS if not agreed or kind in agreed),
                stated=agreed or None,
                names=frozenset({party, *ground.agreement.parties[party].roles}),
                own=own,
                ports=tuple(port for port, is_live in here.items() if is_live),
                played=tuple(port for port, is_live in here.items() if not is_live),
            )


def _takes(duty: Duty, kind: str) -> bool:
    return duty.stated is None or kind in duty.stated
