"""A calling channel is left after so long, and the talk goes on elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import ChannelName, Channels, EventWord, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These channels are taken for no longer than this at a time."""

    channels: Channels
    max_s: Seconds
    """The longest at a time."""
    then_channels: tuple[ChannelName, ...] = ()
    """Where to go on: they are named in what is said."""
    exempt: tuple[Urgency, ...] = ()
    """Categories that stay as long as they have to."""


class Memory(Struct, frozen=True):
    """The channels that are taken."""

    taken: tuple[Deadline, ...] = ()


class OccupancyLimit(Rule):
    """Times how long a channel is taken: from `busy` to `idle`, as its receiver or a person says.

    Still taken at `max_s` is a `violation`, told once; `idle` says how long it was. An exchange
    that is said to be, or turns out to be, of an exempt category is not timed.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._dial = ground.dial
        self._exempt = frozenset(one.value for one in terms.exempt)
        self._taken = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear whether a channel is taken, and what it is used for meanwhile."""
        return frozenset({EventWord.BUSY, EventWord.IDLE, EventWord.USE})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Begin to time it, or end."""
        channel = event.channel
        if channel is None or channel not in self._channels:
            return
        if EventWord.IDLE in event.words:
            yield from self._over(channel, event)
        elif self._is_exempt(event):
            self._taken.end(channel)
        elif EventWord.BUSY in event.words and self._taken.of(channel) is None:
            until_ns = event.at.mono_ns + round(self._terms.max_s * 1e9)
            self._taken.begin(
                Deadline(
                    subject=channel,
                    since_ns=event.at.mono_ns,
                    until_ns=until_ns,
                    evidence=(event.event_id,),
                )
            )

    def gate(self, request: Request) -> Finding | None:
        """Deny what would take a channel for too long."""
        channel = self._dial.of(request)
        if channel not in self._channels or request.category.value in self._exempt:
            return None
        subject = request.request_id
        if request.duration_s is None:
            words = f"it does not say how long it takes {channel}: {self._agreed()}"
            return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)
        words = f"it takes {channel} for {request.duration_s:g} s: {self._agreed()}"
        fits = request.duration_s <= self._terms.max_s
        judgement = Judgement.OK if fits else Judgement.DENIED
        return Finding(judgement=judgement, subject=subject, words=words)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say of each channel that it is taken for too long."""
        for one in self._taken.over(now.mono_ns):
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=f"channel:{one.subject}",
                words=f"{one.subject} is still taken: {self._agreed()}",
                since_ns=one.since_ns,
                until_ns=one.until_ns,
                evidence=one.evidence,
            )

    def flaws(self) -> Iterator[str]:
        """Find a way out that leads back."""
        back = sorted(self._channels & set(self._terms.then_channels))
        if back:
            yield f"`then_channels` leads back to {', '.join(back)}"

    def otherwise(self) -> str:
        """Return for how long a channel may be taken."""
        terms = self._terms
        return f"{' or '.join(terms.channels)} is taken for less than {terms.max_s:g} s at a time."

    def keep(self) -> Memory:
        """Return the channels that are taken."""
        return Memory(self._taken.keep())

    def restore(self, kept: Struct) -> None:
        """Go on timing."""
        if isinstance(kept, Memory):
            self._taken.restore(kept.taken)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many channels are taken."""
        return self._taken.bounds()

    def _over(self, channel: str, event: Event) -> Iterator[Finding]:
        one = self._taken.end(channel)
        if one is None:
            return
        passed_s = (event.at.mono_ns - one.since_ns) / 1e9
        kept = event.at.mono_ns < one.until_ns
        yield Finding(
            judgement=Judgement.OK if kept else Judgement.VIOLATION,
            subject=f"channel:{channel}",
            words=f"{channel} was taken for {passed_s:.1f} s: {self._agreed()}",
            since_ns=one.since_ns,
            evidence=one.evidence,
        )

    def _is_exempt(self, event: Event) -> bool:
        said = () if event.fact is None else event.fact.fields
        return event.category.value in self._exempt or not self._exempt.isdisjoint(said)

    def _agreed(self) -> str:
        agreed = f"less than {self._terms.max_s:g} s agreed"
        return (
            f"{agreed}, then {', '.join(self._terms.then_channels)}"
            if self._terms.then_channels
            else agreed
        )


KIND = OccupancyLimit
