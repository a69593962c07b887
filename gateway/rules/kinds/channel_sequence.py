"""Contact is made on one channel, one speaks on another, and falls back to a third."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import ChannelName, Channels, EventWord, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.channels import TRAFFIC
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.purposes import purposes_of
from gateway.rules.rule import Finding, Rule

EXCHANGES_MAX = 1_024
"""Pairs of parties that speak with each other at once: all pairs of 45 parties. The one silent
longest is forgotten: what it says next is taken for a new exchange."""

_Others = Annotated[tuple[ChannelName, ...], Meta(max_length=64, examples=[["working"]])]


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two parties call on an initial channel, and go over to a working one once they have met."""

    initial: Channels
    """Where they call each other."""
    working: _Others = ()
    """None: any other channel on which one transmits, as it is assigned."""
    handover_within_s: Seconds = 60.0
    """From the answer on; at it is too late."""
    fallback: _Others = ()
    """Where to go when nobody answers, or the working channel fails."""
    no_watch_duty: _Others = ()
    """Where nobody has to listen: a call there that is not answered shows nothing."""
    over_after_s: Seconds = 600.0
    """So long after the last word an exchange is over: the next begins on an initial channel."""


class Stage(StrEnum):
    """How far two parties are."""

    CALLED = "called"
    MET = "met"
    """The other has answered."""
    LATE = "late"
    """The time to go over has passed, and nobody knows whether they did."""
    STAYED = "stayed"
    """It has passed, and they are still where they met."""
    MOVED = "moved"
    UNHEARD = "unheard"
    """They were heard elsewhere, and no call before."""


class Exchange(Struct, frozen=True, kw_only=True, gc=False):
    """Two parties that speak with each other."""

    subject: str
    caller: str
    channel: str
    last_ns: int
    stage: Stage
    evidence: str
    met_ns: int | None = None


class Taken(Struct, frozen=True, kw_only=True, gc=False):
    """What receivers have told last of an initial channel."""

    channel: str
    is_taken: bool
    at_ns: int


class Memory(Struct, frozen=True):
    """Who speaks with whom, and which channels are taken."""

    exchanges: tuple[Exchange, ...] = ()
    taken: tuple[Taken, ...] = ()


class ChannelSequence(Rule):
    """Follows each pair of parties from the call to the answer, and from there to another channel.

    Whatever the party that was called says is an answer. `ok` when they go over in time,
    `violation` when they do it late or are still heard where they met; `unknown` when nothing is
    heard of them, or they are heard elsewhere and no call was. Distress traffic stays where it is.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._rolls, self._dial = ground.rolls, ground.dial
        self._agreement = ground.agreement
        self._initial = ground.dial.named(terms.initial)
        self._fallback = ground.dial.named(terms.fallback)
        self._unwatched = ground.dial.named(terms.no_watch_duty)
        self._working = ground.dial.named(terms.working) or frozenset(
            name
            for name, channel in ground.agreement.channels.items()
            if channel.endpoint is None
            and not channel.receive_only  # a transponder that is heard has gone over to nothing
            and name not in self._initial | self._fallback
        )
        self._limit_ns = round(terms.handover_within_s * 1e9)
        self._over_ns = round(terms.over_after_s * 1e9)
        self._exchanges: dict[str, Exchange] = {}
        self._taken: dict[str, Taken] = {}
        self.evicted = 0

    def hears(self) -> frozenset[EventWord]:
        """Hear what is said on any channel, and which channels are taken."""
        said = {EventWord.USE, EventWord.GUARD_CALL, EventWord.ANSWER, EventWord.SPOKEN}
        return frozenset({*said, EventWord.TRANSMITTED, EventWord.BUSY, EventWord.IDLE})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say when two parties go over, or were heard where they should not be."""
        if not {EventWord.BUSY, EventWord.IDLE}.isdisjoint(event.words):
            self._told(event)
            return
        of_distress = event.category is Urgency.DISTRESS or "distress" in purposes_of(event)
        if event.test or of_distress or not event.by:
            return
        speaker = min(event.by)
        for subject in self._pairs(speaker, event):
            exchange = self._running(subject, event.at.mono_ns)
            if event.channel in self._initial:
                yield from self._met(subject, speaker, exchange, event)
            elif event.channel in self._working | self._fallback:
                yield from self._moved(subject, speaker, exchange, event)

    def gate(self, request: Request) -> Finding | None:
        """Deny a step before the one that it follows, and a stay beyond the time to go over."""
        channel = self._dial.of(request)
        named = self._initial | self._fallback | self._dial.named(self._terms.working)
        if channel not in named or request.category is Urgency.DISTRESS:
            return None
        own = self._rolls.own if request.by is None else (request.by,)
        subject = request.request_id
        if not own or not request.to:
            words = f"nobody says who would speak with whom on {channel}"
            return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)
        others = self._rolls.named(request.to) - {*own}
        if not others:
            return None
        now_ns = request.at.mono_ns
        exchanges = [self._running(_pair(min(own), one), now_ns) for one in sorted(others)]
        wrong = next((why for one in exchanges if (why := self._wrong(channel, one, now_ns))), None)
        if wrong is not None:
            return Finding(judgement=Judgement.DENIED, subject=subject, words=wrong)
        words = f"{channel} is next in the sequence"
        if channel in self._unwatched:
            words = f"{words}, and nobody has to listen there"
        return Finding(judgement=Judgement.OK, subject=subject, words=words)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say who has not gone over in time, and forget what is over."""
        for exchange in tuple(self._exchanges.values()):
            if exchange.stage is Stage.MET and self._is_late(exchange, now.mono_ns):
                yield from self._late(exchange, now.mono_ns)
            elif self._is_over(exchange.last_ns, now.mono_ns):
                del self._exchanges[exchange.subject]

    def flaws(self) -> Iterator[str]:
        """Find channels that are two steps at once, and duties that contradict each other."""
        terms = self._terms
        steps = self._working | self._fallback
        if TRAFFIC in self._initial | steps | self._unwatched:
            yield f"`{TRAFFIC}` is no channel of its own here: name the channel"
        if self._initial & steps or self._dial.named(terms.working) & self._fallback:
            yield "a channel is two steps of the sequence at once"
        if self._initial & self._unwatched:
            yield f"nobody has to listen on {min(self._initial & self._unwatched)}, where one calls"
        if self._unwatched - self._initial - steps:
            yield f"{min(self._unwatched - self._initial - steps)} is no step of the sequence"
        if terms.over_after_s <= terms.handover_within_s:
            yield "an exchange is over before the time to go over has passed"
        for clause in self._agreement.rules:
            watched = self._dial.named(getattr(clause.terms, "channels", None) or ())
            if clause.kind == "watch" and watched & self._unwatched:
                yield f"{clause.id} asks for a watch where `no_watch_duty` says that there is none"

    def keep(self) -> Memory:
        """Return who speaks with whom, and which channels are taken."""
        return Memory(tuple(self._exchanges.values()), tuple(self._taken.values()))

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._exchanges = {one.subject: one for one in kept.exchanges}
            self._taken = {one.channel: one for one in kept.taken if one.channel in self._initial}

    def bounds(self) -> Iterator[Bound]:
        """Yield how many pairs are followed."""
        yield Bound(
            of="ChannelSequence._exchanges",
            what="exchanges_of_rules",
            held=len(self._exchanges),
            limit=EXCHANGES_MAX,
            rule="The one silent longest is forgotten; what it says next begins a new one.",
            evicted=self.evicted,
        )

    def _pairs(self, speaker: str, event: Event) -> Iterable[str]:
        """Return whom it concerns: speaker and addressee, or all with whom the speaker is."""
        if event.to:
            other = min(event.to)
            return () if other == speaker else (_pair(speaker, other),)
        now_ns = event.at.mono_ns
        return [
            one.subject
            for one in self._exchanges.values()
            if speaker in one.subject.split("|") and not self._is_over(one.last_ns, now_ns)
        ]

    def _running(self, subject: str, now_ns: int) -> Exchange | None:
        exchange = self._exchanges.get(subject)
        return None if exchange is None or self._is_over(exchange.last_ns, now_ns) else exchange

    def _is_over(self, last_ns: int, now_ns: int) -> bool:
        return now_ns - last_ns >= self._over_ns

    def _is_late(self, exchange: Exchange, now_ns: int) -> bool:
        return exchange.met_ns is not None and now_ns - exchange.met_ns >= self._limit_ns

    def _told(self, event: Event) -> None:
        """Take note of whether an initial channel is taken."""
        channel, is_taken = event.channel or "", EventWord.BUSY in event.words
        if channel in self._initial:
            self._taken[channel] = Taken(channel=channel, is_taken=is_taken, at_ns=event.at.mono_ns)

    def _met(
        self, subject: str, speaker: str, exchange: Exchange | None, event: Event
    ) -> Iterator[Finding]:
        """Take what was said on an initial channel: a call, an answer, or more than is agreed."""
        now_ns = event.at.mono_ns
        if exchange is None or exchange.stage in {Stage.MOVED, Stage.UNHEARD}:
            self._put(_begun(subject, speaker, event, Stage.CALLED))
            return
        exchange = replace(exchange, last_ns=now_ns)
        if exchange.stage is Stage.CALLED and speaker != exchange.caller:
            exchange = replace(exchange, stage=Stage.MET, met_ns=now_ns)
        elif exchange.stage is not Stage.STAYED and self._is_late(exchange, now_ns):
            exchange = replace(exchange, stage=Stage.STAYED)
            yield self._finding(Judgement.VIOLATION, exchange, self._stayed(exchange, now_ns))
        self._put(exchange)

    def _moved(
        self, subject: str, speaker: str, exchange: Exchange | None, event: Event
    ) -> Iterator[Finding]:
        """Take what was said elsewhere: it may be what follows, or come too late, or too early."""
        now_ns, channel = event.at.mono_ns, event.channel
        if exchange is None:
            exchange = _begun(subject, speaker, event, Stage.UNHEARD)
            words = f"they were heard on {channel}, and nobody has heard a call"
            words = f"{words} on {', '.join(self._terms.initial)} before"
            yield self._finding(Judgement.UNKNOWN, exchange, words)
        elif exchange.stage is Stage.CALLED:
            yield self._unmet(exchange, speaker, channel or "")
        elif exchange.stage not in {Stage.MOVED, Stage.UNHEARD}:
            after_s = _since_s(exchange.met_ns, now_ns)
            words = f"they went over from {exchange.channel} to {channel} after {after_s:.1f} s"
            words = f"{words}: within {self._terms.handover_within_s:g} s is agreed"
            late = exchange.stage is not Stage.STAYED and self._is_late(exchange, now_ns)
            yield self._finding(Judgement.VIOLATION if late else Judgement.OK, exchange, words)
        unheard = exchange.stage is Stage.UNHEARD
        stage = Stage.UNHEARD if unheard else Stage.MOVED
        self._put(replace(exchange, stage=stage, last_ns=now_ns))

    def _unmet(self, exchange: Exchange, speaker: str, channel: str) -> Finding:
        if channel in self._fallback or speaker != exchange.caller:
            words = f"they speak on {channel} after a call on {exchange.channel}"
            return self._finding(Judgement.OK, exchange, words)
        words = f"{speaker} speaks on {channel}, and nobody has heard an answer"
        return self._finding(Judgement.UNKNOWN, exchange, f"{words} on {exchange.channel}")

    def _late(self, exchange: Exchange, now_ns: int) -> Iterator[Finding]:
        """Say where they are once they should have gone over, as far as receivers can tell."""
        taken = self._taken.get(exchange.channel)
        if taken is None or self._is_over(taken.at_ns, now_ns):
            self._put(replace(exchange, stage=Stage.LATE))
            words = f"nobody has heard whether they went over to {self._there()}"
            words = f"{words} within {self._terms.handover_within_s:g} s"
            yield self._finding(Judgement.UNKNOWN, exchange, words)
        elif taken.is_taken:
            self._put(replace(exchange, stage=Stage.STAYED))
            yield self._finding(Judgement.VIOLATION, exchange, self._stayed(exchange, now_ns))
        else:
            self._put(replace(exchange, stage=Stage.LATE))

    def _wrong(self, channel: str, exchange: Exchange | None, now_ns: int) -> str | None:
        """Return why a channel can't be used in this exchange now."""
        if channel in self._initial:
            stayed = exchange is not None and exchange.stage is not Stage.MOVED
            if exchange is not None and stayed and self._is_late(exchange, now_ns):
                return self._stayed(exchange, now_ns)
            return None
        if exchange is None:
            return f"{channel} can't be used before a call on {', '.join(self._terms.initial)}"
        if exchange.stage is Stage.CALLED and channel not in self._fallback:
            return f"{channel} can't be used before an answer on {exchange.channel}"
        return None

    def _stayed(self, exchange: Exchange, now_ns: int) -> str:
        passed_s = _since_s(exchange.met_ns, now_ns)
        words = f"they made contact on {exchange.channel} {passed_s:.0f} s ago and are still there"
        return f"{words}: over to {self._there()} within {self._limit_ns / 1e9:g} s is agreed"

    def _there(self) -> str:
        return ", ".join(self._terms.working) or "another channel"

    def _put(self, exchange: Exchange) -> None:
        self._exchanges.pop(exchange.subject, None)
        self._exchanges[exchange.subject] = exchange
        if len(self._exchanges) > EXCHANGES_MAX:
            del self._exchanges[next(iter(self._exchanges))]
            self.evicted += 1

    def _finding(self, judgement: Judgement, exchange: Exchange, words: str) -> Finding:
        return Finding(
            judgement=judgement,
            subject=exchange.subject,
            words=words,
            since_ns=exchange.met_ns,
            evidence=(exchange.evidence,),
        )


def _pair(one: str, other: str) -> str:
    return "|".join(sorted((one, other)))


def _since_s(met_ns: int | None, now_ns: int) -> float:
    return 0.0 if met_ns is None else (now_ns - met_ns) / 1e9


def _begun(subject: str, speaker: str, event: Event, stage: Stage) -> Exchange:
    return Exchange(
        subject=subject,
        caller=speaker,
        channel=event.channel or "",
        last_ns=event.at.mono_ns,
        stage=stage,
        evidence=event.event_id,
    )


KIND = ChannelSequence
