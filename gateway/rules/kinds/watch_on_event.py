"""Somebody begins to listen, on the channel where one goes on speaking, once a call is heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import Channels, EventWord, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.channels import TRAFFIC
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

SHOWN = frozenset({EventWord.WATCH_SET, EventWord.WATCH_EVIDENCE, EventWord.HEARD})
"""What shows that somebody listens on a channel."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """After this, these parties listen on these channels within so long."""

    when: When
    channels: Channels
    """`traffic` is the channel that belongs to the one on which the call came."""
    who: Annotated[Parties, Meta(min_length=1)]
    within_s: Seconds
    for_s: Seconds = 300.0
    """How long they go on: it is named in what is said. Whether they do, `watch` says."""


class Memory(Struct, frozen=True):
    """The channels on which somebody is to begin to listen."""

    awaited: tuple[Deadline, ...] = ()


class WatchOnEvent(Rule):
    """Waits for a sign that somebody listens on the channel, once the call has come.

    A person who says that the watch is set is one, and so is evidence of a receiver, or anything
    that this station heard there. Where nobody knows on which channel the call came, it is
    `unknown` where they have to listen. A repeat of the call begins nothing anew while it is
    waited for.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._dial = ground.dial
        self._plan = ground.agreement.channels
        self._channels = ground.dial.named(terms.channels) - {TRAFFIC}
        self._traffic = TRAFFIC in terms.channels
        traffic = {one.traffic for one in self._plan.values() if self._traffic and one.traffic}
        self._listened = self._channels | traffic
        """Where anybody may have to listen: on all others a flood of calls costs nothing here."""
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own
        self._awaited = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear the calls, and who listens where."""
        return self._wait.words | SHOWN

    def hear(self, event: Event) -> Iterator[Finding]:
        """Begin to wait, or say that somebody listens."""
        if event.channel in self._listened and not SHOWN.isdisjoint(event.words):
            yield from self._shown(event)
        if self._wait.meets(event):
            yield from self._called(event)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say where nobody listens although it is time."""
        for one in self._awaited.over(now.mono_ns):
            call, _, channel = one.subject.partition(_ON)
            agreed = f"within {self._terms.within_s:g} s is agreed"
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=call,
                words=f"nothing shows that anybody listens on {channel}: {agreed}",
                since_ns=one.since_ns,
                until_ns=one.until_ns,
                evidence=one.evidence,
            )

    def flaws(self) -> Iterator[str]:
        """Find channels that lead nowhere, and a watch that nobody keeps."""
        if self._traffic and not any(one.traffic for one in self._plan.values()):
            yield f"`{TRAFFIC}` is asked for, and no channel has one"
        if not self._who:
            yield "`who` names no party"

    def otherwise(self) -> str:
        """Return how soon somebody listens."""
        terms = self._terms
        return (
            f"Something shows that {' or '.join(terms.who)} listens on"
            f" {' and '.join(terms.channels)} sooner than {terms.within_s:g} s after the call."
        )

    def keep(self) -> Memory:
        """Return what is waited for."""
        return Memory(self._awaited.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for it."""
        if isinstance(kept, Memory):
            self._awaited.restore(kept.awaited)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is waited for."""
        return self._awaited.bounds()

    def _called(self, event: Event) -> Iterator[Finding]:
        channels = set(self._channels)
        if self._traffic:
            traffic = self._dial.traffic_of(event.channel)
            if traffic is None:
                where = event.channel or "a channel that nobody knows"
                words = f"it came on {where}, and nobody knows where to go on listening"
                yield Finding(judgement=Judgement.UNKNOWN, subject=event.subject, words=words)
            else:
                channels.add(traffic)
        for channel in sorted(channels):
            name = f"{event.subject}{_ON}{channel}"
            if self._awaited.of(name) is not None:
                continue
            pushed = self._awaited.begin(
                Deadline(
                    subject=name,
                    since_ns=event.at.mono_ns,
                    until_ns=event.at.mono_ns + round(self._terms.within_s * 1e9),
                    evidence=(event.event_id,),
                )
            )
            if pushed is not None:
                words = "too much is waited for: nobody looks any more whether anybody listens"
                subject = pushed.subject.partition(_ON)[0]
                yield Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)

    def _shown(self, event: Event) -> Iterator[Finding]:
        by = event.by if event.fact is not None else self._own
        if self._who.isdisjoint(by):
            return
        for one in self._awaited.keep():
            call, _, channel = one.subject.partition(_ON)
            if channel != event.channel:
                continue
            self._awaited.end(one.subject)
            passed_s = (event.at.mono_ns - one.since_ns) / 1e9
            in_time = event.at.mono_ns < one.until_ns
            words = f"{by[0]} listens on {channel} after {passed_s:.1f} s"
            agreed = f"within {self._terms.within_s:g} s, for {self._terms.for_s:g} s is agreed"
            yield Finding(
                judgement=Judgement.OK if in_time else Judgement.VIOLATION,
                subject=call,
                words=f"{words}: {agreed}",
                since_ns=one.since_ns,
                evidence=one.evidence,
            )


_ON = "@"
"""Between the call and the channel in the name of what is waited for."""

KIND = WatchOnEvent
