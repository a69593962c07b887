"""Whoever does not answer is called so often, with a pause between the calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import Channels, EventWord, Parties, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.verdict import Judgement
from gateway.rules.counting import Counted, Counting, Mark
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.purposes import purposes_of_request
from gateway.rules.rule import Finding, Rule

CALLS = frozenset({"calling", "contact"})
"""The purposes of a call that waits for an answer and is of no distress."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these channels one station is called so often in a row, so long apart."""

    channels: Channels
    max: Annotated[int, Meta(ge=1, le=100, examples=[3])]
    """Calls in a row without an answer."""
    interval_s: Seconds
    """Between the beginnings of two of them."""
    then_interval_s: Seconds = 180.0
    """After the last of them, before it is called anew."""
    who: Parties = ()
    """Whom it binds, where this station is one of several parties; none for all of them."""


class Memory(Struct, frozen=True):
    """The calls that are not answered."""

    calls: tuple[Counted, ...] = ()


class CallAttempts(Rule):
    """Counts this station's calls to each station, and lets the next one wait for its time.

    An answer of theirs ends the row, and so does the pause after the last call. What counts is what
    was sent, not what was asked for.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._binds = not terms.who or not ground.rolls.named(terms.who).isdisjoint(
            ground.rolls.own
        )
        self._dial = ground.dial
        # A row is over when its last call is so long ago: no earlier one is asked about then.
        row_s = terms.max * max(terms.interval_s, terms.then_interval_s) + terms.then_interval_s
        self._calls = Counting(row_s, terms.max)

    def hears(self) -> frozenset[EventWord]:
        """Hear what was sent, and who has answered."""
        return frozenset({EventWord.TRANSMITTED, EventWord.ANSWER})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Count a call, or end a row of them."""
        if EventWord.ANSWER in event.words:
            for name in (event.subject, *event.by):
                self._calls.forget(name)
        elif EventWord.CALL in event.words and event.channel in self._channels:
            mark = Mark(event.at.mono_ns, event.event_id)
            row = self._calls.within(event.subject, mark.at_ns)
            if len(row) >= self._terms.max:
                self._calls.forget(event.subject)
            self._calls.note(event.subject, mark)
        yield from ()

    def gate(self, request: Request) -> Finding | None:
        """Let a call wait."""
        channel = self._dial.of(request)
        if not self._binds or channel not in self._channels:
            return None
        if CALLS.isdisjoint(purposes_of_request(request)):
            return None
        called = request.about or next(iter(request.to), None)
        subject = request.request_id
        if called is None:
            words = "it does not say who is called: nobody can tell how often they were"
            return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)
        row = self._calls.within(called, request.at.mono_ns)
        words = f"calls to {called} without an answer: {len(row)} of {self._terms.max} agreed"
        if not row:
            return Finding(judgement=Judgement.OK, subject=subject, words=words)
        full = len(row) >= self._terms.max
        pause_s = self._terms.then_interval_s if full else self._terms.interval_s
        due_ns = row[-1].at_ns + round(pause_s * 1e9)
        words = f"{words}, {pause_s:g} s apart"
        evidence = tuple(mark.event_id for mark in row)
        if request.at.mono_ns >= due_ns:
            return Finding(judgement=Judgement.OK, subject=subject, words=words, evidence=evidence)
        return Finding(
            judgement=Judgement.DEFERRED,
            subject=subject,
            words=words,
            until_ns=due_ns,
            evidence=evidence,
        )

    def flaws(self) -> Iterator[str]:
        """Find a longer pause inside a row than after it."""
        if self._terms.then_interval_s < self._terms.interval_s:
            yield "the pause after the last call is shorter than the one between two of them"

    def otherwise(self) -> str:
        """Return when the next call may be."""
        terms = self._terms
        return (
            f"The next call comes {terms.interval_s:g} s after the one before; after {terms.max}"
            f" without an answer, {terms.then_interval_s:g} s after the last."
        )

    def keep(self) -> Memory:
        """Return the calls that are not answered."""
        return Memory(self._calls.keep())

    def restore(self, kept: Struct) -> None:
        """Go on counting."""
        if isinstance(kept, Memory):
            self._calls.restore(kept.calls)

    def bounds(self) -> Iterator[Bound]:
        """Yield of how many stations calls are counted."""
        return self._calls.bounds()


KIND = CallAttempts
