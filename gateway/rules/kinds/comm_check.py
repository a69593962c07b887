"""A channel between parties is tried out, so that its first use is no trial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.agreement import Channels, EventWord, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each of these parties has tried one of these channels with another, and had an answer."""

    who: Annotated[Parties, Meta(min_length=1)]
    channels: Channels
    every_s: Seconds | None = None
    """So often."""
    before: Literal["first_encounter"] | None = None
    """Once, before craft of theirs come near each other."""
    answer_within_s: Seconds = 180.0
    """So long an answer may take, or the trial has failed."""


class Memory(Struct, frozen=True):
    """When the next trial of each party is due, and who has had one."""

    due: tuple[Deadline, ...] = ()
    tried: tuple[str, ...] = ()
    met: bool = False


class CommCheck(Rule):
    """Counts the time since each party had an answer, and says who is late.

    `ok` with each trial that was answered in time; `violation` of one that was not, or is late, or
    where craft met first; `unknown` before the first, and where nobody says how long it took.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._who = tuple(sorted(ground.rolls.named(terms.who)))
        self._channels = ground.dial.named(terms.channels)
        self._due = Deadlines()
        self._tried: dict[str, None] = {}
        self._met = False

    def hears(self) -> frozenset[EventWord]:
        """Hear trials, and that craft have come near each other."""
        return frozenset({EventWord.COMM_CHECK, EventWord.ENCOUNTER})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Take note of a trial, or see whether there was one."""
        if EventWord.ENCOUNTER in event.words:
            yield from self._encountered(event)
        elif event.channel in self._channels and event.fact is not None:
            for party in self._who:
                if party in event.by or party in event.to:
                    yield self._checked(party, event, event.fact.lasts_s)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say whose trial is due."""
        every_s = self._terms.every_s
        if every_s is None:
            return
        for party in self._who:
            if self._due.of(party) is None:
                self._await(party, now.mono_ns, every_s)
                words = f"{party} has tried none of {self._named()} yet"
                yield Finding(judgement=Judgement.UNKNOWN, subject=_named(party), words=words)
        for one in self._due.over(now.mono_ns):
            self._await(one.subject, now.mono_ns, every_s)
            words = f"{one.subject} has had no answer on {self._named()} for {every_s:g} s"
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=_named(one.subject),
                words=f"{words}: a trial in that time is agreed",
                since_ns=one.since_ns,
                until_ns=one.until_ns,
            )

    def flaws(self) -> Iterator[str]:
        """Find trials that nobody asks for."""
        if self._terms.every_s is None and self._terms.before is None:
            yield "nothing says when: give `every_s` or `before`"
        if not self._who:
            yield "`who` names no party"

    def otherwise(self) -> str:
        """Return when a trial is due, and how soon it is answered."""
        terms = self._terms
        often = "" if terms.every_s is None else f", again sooner than {terms.every_s:g} s after it"
        before = "" if terms.before is None else ", before craft of theirs come near each other"
        return (
            f"Each of {', '.join(terms.who)} tries {' or '.join(terms.channels)}{often}{before};"
            f" the answer takes {terms.answer_within_s:g} s at the most."
        )

    def keep(self) -> Memory:
        """Return who has tried, and when the next is due."""
        return Memory(self._due.keep(), tuple(self._tried), self._met)

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._due.restore(kept.due)
            self._tried, self._met = dict.fromkeys(kept.tried), kept.met

    def bounds(self) -> Iterator[Bound]:
        """Yield how many trials are due."""
        return self._due.bounds()

    def _checked(self, party: str, event: Event, lasts_s: float | None) -> Finding:
        limit_s, subject = self._terms.answer_within_s, _named(party)
        if lasts_s is None:
            words = f"{party} has tried {event.channel}, and nobody says how long the answer took"
            return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)
        words = f"{party} has tried {event.channel}: answered after {lasts_s:g} s, "
        words += f"within {limit_s:g} s is agreed"
        if lasts_s > limit_s:
            return Finding(judgement=Judgement.VIOLATION, subject=subject, words=words)
        self._tried[party] = None
        if self._terms.every_s is not None:
            self._await(party, event.at.mono_ns, self._terms.every_s)
        return Finding(judgement=Judgement.OK, subject=subject, words=words)

    def _encountered(self, event: Event) -> Iterator[Finding]:
        if self._terms.before is None or self._met:
            return
        self._met = True
        untried = [party for party in self._who if party not in self._tried]
        who = f"{', '.join(untried)} had not" if untried else "all had"
        words = f"craft have met, and {who} tried {self._named()}"
        yield Finding(
            judgement=Judgement.VIOLATION if untried else Judgement.OK,
            subject=event.subject,
            words=words,
        )

    def _named(self) -> str:
        return ", ".join(sorted(self._channels))

    def _await(self, party: str, now_ns: int, every_s: float) -> None:
        until_ns = now_ns + round(every_s * 1e9)
        self._due.begin(Deadline(subject=party, since_ns=now_ns, until_ns=until_ns))


def _named(party: str) -> str:
    return f"party:{party}"


KIND = CommCheck
