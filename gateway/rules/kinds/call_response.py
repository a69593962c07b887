"""Whoever is called answers, and who does not is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import ChannelName, EventWord, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.counting import Counted, Counting, Mark
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Such a call is answered so soon by the party that it is to."""

    when: When
    within_s: Seconds
    who: Parties = ()
    """Who has to answer; none for whoever is called."""
    channels: tuple[ChannelName, ...] = ()
    """Calls on these alone, and answers on any of these; none for any."""
    count_window_s: Seconds = 28_800.0
    """The time within which unanswered calls are counted."""
    max_unanswered: Annotated[int, Meta(ge=0, le=1_000, examples=[3])] = 0
    """So many calls to one party may stay unanswered within that time."""


class Memory(Struct, frozen=True):
    """The calls that wait, and those that were not answered."""

    waiting: tuple[Deadline, ...] = ()
    unanswered: tuple[Counted, ...] = ()


class CallResponse(Rule):
    """Waits for the answer to each call, and counts the calls that had none.

    `at_risk` for a call that was not answered while fewer were than agreed, `violation` for each
    beyond them; `ok` for an answer in time. An answer is for all calls to that party that wait. A
    call to nobody named is `unknown`: nobody can tell who should have answered.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._who = ground.rolls.named(terms.who)
        self._channels = ground.dial.named(terms.channels)
        self._waiting = Deadlines()
        self._unanswered = Counting(terms.count_window_s, terms.max_unanswered + 1)

    def hears(self) -> frozenset[EventWord]:
        """Hear calls and answers."""
        return self._wait.words | {EventWord.ANSWER}

    def hear(self, event: Event) -> Iterator[Finding]:
        """Begin to wait, or say how long the answer took."""
        if self._channels and event.channel not in self._channels:
            return
        if EventWord.ANSWER in event.words:
            yield from self._answered(event)
        elif self._wait.meets(event):
            yield from self._called(event)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which calls were not answered."""
        for call in self._waiting.over(now.mono_ns):
            yield self._missed(call, now.mono_ns)

    def otherwise(self) -> str:
        """Return how soon an answer is in time, and how many may be missing."""
        terms = self._terms
        who = " or ".join(terms.who) or "Whoever is called"
        return (
            f"{who} answers sooner than {terms.within_s:g} s after the call; no more than"
            f" {terms.max_unanswered} calls within {terms.count_window_s:g} s stay unanswered."
        )

    def keep(self) -> Memory:
        """Return the calls that wait, and those that were not answered."""
        return Memory(self._waiting.keep(), self._unanswered.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting and counting."""
        if isinstance(kept, Memory):
            self._waiting.restore(kept.waiting)
            self._unanswered.restore(kept.unanswered)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many calls wait, and of how many parties they are counted."""
        yield from self._waiting.bounds()
        yield from self._unanswered.bounds()

    def _called(self, event: Event) -> Iterator[Finding]:
        named = [party for party in event.to if not self._who or party in self._who]
        if not named:
            if not event.to:
                words = "it does not say who was called: nobody can tell who should have answered"
                yield Finding(judgement=Judgement.UNKNOWN, subject=event.subject, words=words)
            return
        for party in named:
            pushed = self._waiting.begin(
                Deadline(
                    subject=f"{party}{_CALL}{event.event_id}",
                    since_ns=event.at.mono_ns,
                    until_ns=event.at.mono_ns + round(self._terms.within_s * 1e9),
                    evidence=(event.event_id,),
                )
            )
            if pushed is not None:
                words = "too many calls wait: nobody looks any more whether they are answered"
                subject = f"party:{_party(pushed)}"
                yield Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)

    def _answered(self, event: Event) -> Iterator[Finding]:
        for call in self._waiting.keep():
            party = _party(call)
            if party not in event.by:
                continue
            self._waiting.end(call.subject)
            if event.at.mono_ns >= call.until_ns:
                yield self._missed(call, event.at.mono_ns)
                continue
            passed_s = (event.at.mono_ns - call.since_ns) / 1e9
            words = f"{party} has answered after {passed_s:.1f} s: {self._agreed()}"
            yield Finding(
                judgement=Judgement.OK,
                subject=f"party:{party}",
                words=words,
                since_ns=call.since_ns,
                evidence=call.evidence,
            )

    def _missed(self, call: Deadline, now_ns: int) -> Finding:
        party = _party(call)
        self._unanswered.note(party, Mark(call.until_ns, call.evidence[0]))
        marks = self._unanswered.within(party, now_ns)
        most, window_s = self._terms.max_unanswered, self._terms.count_window_s
        words = f"{party} has not answered: {self._agreed()}; unanswered within {window_s:g} s: "
        words += f"{len(marks)}, and {most} may be"
        return Finding(
            judgement=Judgement.VIOLATION if len(marks) > most else Judgement.AT_RISK,
            subject=f"party:{party}",
            words=words,
            since_ns=call.since_ns,
            until_ns=call.until_ns,
            evidence=tuple(mark.event_id for mark in marks[-_SHOWN_MAX:]),
        )

    def _agreed(self) -> str:
        return f"within {self._terms.within_s:g} s is agreed"


_CALL = "/"
"""Between the party that is called and the call, in the name of what waits."""

_SHOWN_MAX = 16
"""Unanswered calls that a finding names, the newest."""


def _party(call: Deadline) -> str:
    return call.subject.partition(_CALL)[0]


KIND = CallResponse
