"""Notice of an activity is given early enough."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import ChannelName, EventWord, PartName, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Before this happens, notice of it is given so long ahead, and no longer."""

    when: When
    """The activity. Its notice is about the same subject."""
    min_s: Seconds
    """So long ahead at the least."""
    max_s: Seconds = 2_592_000.0
    """A notice older than this is none any more; 30 days unless it is said."""
    via: ChannelName | None = None
    """Only notice given on this channel counts."""
    fields: tuple[PartName, ...] = ()
    """What a notice holds."""


class Memory(Struct, frozen=True):
    """The notices that stand."""

    given: tuple[Deadline, ...] = ()


class AdvanceNotice(Rule):
    """Holds each activity that begins against the notice that was given of it.

    The first notice counts. One that lacks a field is a `violation` of its own, and counts for
    nothing.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._via = None if terms.via is None else ground.dial.named((terms.via,))
        self._given = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear the activities, and the notices of them."""
        return self._wait.words | {EventWord.NOTICE}

    def hear(self, event: Event) -> Iterator[Finding]:
        """Take note of a notice, or say whether one was given early enough."""
        if self._wait.meets(event):
            yield self._begun(event)
        elif EventWord.NOTICE in event.words:
            yield from self._noticed(event)

    def tick(self, now: Moment) -> tuple[Finding, ...]:
        """Forget notices that are too old."""
        for _ in self._given.over(now.mono_ns):
            pass
        return ()

    def flaws(self) -> Iterator[str]:
        """Find notices that are too old before they are early enough."""
        if self._terms.max_s <= self._terms.min_s:
            yield "a notice is too old before it is early enough"

    def otherwise(self) -> str:
        """Return how long ahead notice is given."""
        terms = self._terms
        ahead = f"{terms.min_s:g} s ahead or more, and less than {terms.max_s:g} s"
        return f"Notice of it is given {ahead}."

    def keep(self) -> Memory:
        """Return the notices that stand."""
        return Memory(self._given.keep())

    def restore(self, kept: Struct) -> None:
        """Let them stand."""
        if isinstance(kept, Memory):
            self._given.restore(kept.given)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many notices stand."""
        return self._given.bounds()

    def _noticed(self, event: Event) -> Iterator[Finding]:
        if self._via is not None and event.channel not in self._via:
            return
        held = () if event.fact is None else event.fact.fields
        missing = [field for field in self._terms.fields if field not in held]
        if missing:
            words = f"the notice lacks {', '.join(missing)}: {', '.join(self._terms.fields)} agreed"
            yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)
        elif self._given.of(event.subject) is None:
            now_ns = event.at.mono_ns
            until_ns = now_ns + round(self._terms.max_s * 1e9)
            notice = Deadline(
                subject=event.subject,
                since_ns=now_ns,
                until_ns=until_ns,
                evidence=(event.event_id,),
            )
            pushed = self._given.begin(notice)
            if pushed is not None:
                words = "too many notices stand: nobody knows any more that this was given"
                yield Finding(judgement=Judgement.UNKNOWN, subject=pushed.subject, words=words)

    def _begun(self, event: Event) -> Finding:
        notice = self._given.end(event.subject)
        agreed = f"{self._terms.min_s:g} s ahead are agreed"
        if notice is None:
            words = f"it has begun, and no notice of it was given: {agreed}"
            return Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)
        ahead_ns = event.at.mono_ns - notice.since_ns
        early = ahead_ns >= round(self._terms.min_s * 1e9)
        return Finding(
            judgement=Judgement.OK if early else Judgement.VIOLATION,
            subject=event.subject,
            words=f"it has begun, {ahead_ns / 1e9:.0f} s after notice of it was given: {agreed}",
            since_ns=notice.since_ns,
            evidence=notice.evidence,
        )


KIND = AdvanceNotice
