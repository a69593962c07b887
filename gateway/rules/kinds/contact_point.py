"""A line between parties is open: it gives signs of life, and is never down for long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import ChannelName, EventWord, Parties, Seconds
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

MISSED_SHARE = 2
"""So many times `heartbeat_s` after the last sign of life it is missed: one that comes late, or is
lost on its way, is none."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each of these parties keeps the line open, at every hour."""

    who: Annotated[Parties, Meta(min_length=1)]
    endpoint: ChannelName
    """The channel of the agreement that is the line."""
    heartbeat_s: Seconds = 60.0
    """So often each party gives a sign of life."""
    max_outage_s: Seconds = 300.0
    """From the last one on; at it the line has been down too long."""
    alternate: ChannelName | None = None
    """Where to call while it is down: it is named in what is said."""


class Line(Struct, frozen=True, kw_only=True, gc=False):
    """One party's end of the line."""

    party: str
    last_ns: int
    """The last sign of life; before the first one, when it was first waited for."""
    judgement: Judgement
    heard: bool = False


class Memory(Struct, frozen=True):
    """How each end of the line stands."""

    lines: tuple[Line, ...] = ()


class ContactPoint(Rule):
    """Waits for the heartbeats of each party, and says when they fail and when they are back.

    `unknown` before the first one; `at_risk` when they are missed, or the line is known to be cut;
    `violation` when that has lasted for as long as is agreed; `ok` with the next one.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._who = tuple(sorted(ground.rolls.named(terms.who)))
        self._names = frozenset(
            name
            for channel in ground.dial.named((terms.endpoint,))
            for name in (channel, ground.agreement.channels[channel].endpoint)
        )
        self._limit_ns = round(terms.max_outage_s * 1e9)
        self._missed_ns = round(min(MISSED_SHARE * terms.heartbeat_s, terms.max_outage_s) * 1e9)
        self._lines: dict[str, Line] = {}

    def hears(self) -> frozenset[EventWord]:
        """Hear signs of life, and that the line is cut."""
        return frozenset({EventWord.HEARTBEAT, EventWord.LINK_LOST})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Take note of a sign of life, or that there can be none."""
        if event.channel not in self._names:
            return
        alive = EventWord.HEARTBEAT in event.words
        for party in self._who:
            if party not in event.by:
                continue
            line = self._lines.get(party)
            if alive:
                yield from self._alive(party, line, event.at.mono_ns)
            elif line is not None and line.judgement is Judgement.OK:
                words = f"{self._name(party)} is known to be cut"
                yield self._stands(line, Judgement.AT_RISK, words)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which line has been silent for too long."""
        for party in self._who:
            line = self._lines.get(party)
            if line is None:
                line = Line(party=party, last_ns=now.mono_ns, judgement=Judgement.UNKNOWN)
                words = f"{self._name(party)} has given no sign of life yet"
                yield self._stands(line, Judgement.UNKNOWN, words)
                continue
            silent_ns = now.mono_ns - line.last_ns
            words = f"{self._name(party)} has been silent for {silent_ns / 1e9:.0f} s"
            if silent_ns >= self._limit_ns and line.judgement is not Judgement.VIOLATION:
                agreed = f"{self._terms.max_outage_s:g} s at the most are agreed"
                yield self._stands(line, Judgement.VIOLATION, f"{words}: {agreed}")
            elif silent_ns >= self._missed_ns and line.judgement is Judgement.OK:
                agreed = f"a sign of life every {self._terms.heartbeat_s:g} s is agreed"
                yield self._stands(line, Judgement.AT_RISK, f"{words}: {agreed}")

    def flaws(self) -> Iterator[str]:
        """Find limits that fall before what is waited for."""
        if self._terms.max_outage_s <= self._terms.heartbeat_s:
            yield "the line is down too long before the next sign of life is due"
        if not self._who:
            yield "`who` names no party"

    def otherwise(self) -> str:
        """Return how long the line may be down."""
        terms = self._terms
        return (
            f"Each of {', '.join(terms.who)} gives a sign of life on {terms.endpoint} every"
            f" {terms.heartbeat_s:g} s, and always sooner than {terms.max_outage_s:g} s after the"
            " last."
        )

    def keep(self) -> Memory:
        """Return how each end of the line stands."""
        return Memory(tuple(self._lines.values()))

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._lines = {line.party: line for line in kept.lines if line.party in self._who}

    def _alive(self, party: str, line: Line | None, now_ns: int) -> Iterator[Finding]:
        after = Line(party=party, last_ns=now_ns, judgement=Judgement.OK, heard=True)
        self._lines[party] = after
        if line is None or line.judgement is not Judgement.OK:
            lasted = ""
            if line is not None and line.heard:
                lasted = f", after {(now_ns - line.last_ns) / 1e9:.0f} s of silence"
            yield self._stands(after, Judgement.OK, f"{self._name(party)} is open{lasted}")

    def _stands(self, line: Line, judgement: Judgement, words: str) -> Finding:
        self._lines[line.party] = Line(
            party=line.party, last_ns=line.last_ns, judgement=judgement, heard=line.heard
        )
        down = judgement in {Judgement.AT_RISK, Judgement.VIOLATION}
        if down and self._terms.alternate is not None:
            words = f"{words}; the alternate is {self._terms.alternate}"
        return Finding(
            judgement=judgement,
            subject=f"{self._terms.endpoint}/{line.party}",
            words=words,
            since_ns=line.last_ns,
            until_ns=line.last_ns + self._limit_ns if judgement is Judgement.AT_RISK else None,
        )

    def _name(self, party: str) -> str:
        return f"{self._terms.endpoint} of {party}"


KIND = ContactPoint
