"""A channel is tried out so often, and not more."""

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
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of each station no more tests than this are sent on these channels in any such period."""

    channels: Channels
    max_per: Annotated[int, Meta(ge=1, le=1_000, examples=[1])]
    """Tests within the period."""
    period_s: Seconds
    """Any time of this length, and not the hours of the clock."""
    who: Parties = ()
    """Whom it binds; none for everybody."""


class Memory(Struct, frozen=True):
    """The tests of late."""

    tests: tuple[Counted, ...] = ()


class TestRate(Rule):
    """Counts the tests of each station; one more than agreed is a `violation`.

    Of this station's own the next one is `deferred` until one of them is a period old. Channels are
    counted together: a station that tests on two of them tests twice.
    """

    terms = Terms
    memory = Memory
    __test__ = False
    """For pytest, which takes every class that is called so for one of tests."""

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own
        self._dial = ground.dial
        self._tests = Counting(terms.period_s, terms.max_per + 1)

    def hears(self) -> frozenset[EventWord]:
        """Hear the tests of others, and what this station has sent."""
        return frozenset({EventWord.TEST, EventWord.TRANSMITTED})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Count a test."""
        if event.channel not in self._channels or EventWord.TEST not in event.words:
            return
        is_own = EventWord.TRANSMITTED in event.words
        if not is_own and self._who and self._who.isdisjoint(event.by):
            return
        subject = _OWN if is_own else event.subject
        self._tests.note(subject, Mark(event.at.mono_ns, event.event_id))
        marks = self._tests.within(subject, event.at.mono_ns)
        if len(marks) > self._terms.max_per:
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=event.subject,
                words=f"tested {len(marks)} times within {self._agreed()}",
                since_ns=marks[0].at_ns,
                evidence=tuple(mark.event_id for mark in marks[-_SHOWN_MAX:]),
            )

    def gate(self, request: Request) -> Finding | None:
        """Let a test wait for its turn."""
        channel = self._dial.of(request)
        if request.purpose != EventWord.TEST or channel not in self._channels:
            return None
        if self._who and self._who.isdisjoint(self._own):
            return None
        marks = self._tests.within(_OWN, request.at.mono_ns)
        words = f"tests sent within {self._agreed()}; so far: {len(marks)}"
        if len(marks) < self._terms.max_per:
            return Finding(judgement=Judgement.OK, subject=request.request_id, words=words)
        free_ns = marks[-self._terms.max_per].at_ns + round(self._terms.period_s * 1e9)
        return Finding(
            judgement=Judgement.DEFERRED,
            subject=request.request_id,
            words=words,
            until_ns=free_ns,
            evidence=tuple(mark.event_id for mark in marks[-_SHOWN_MAX:]),
        )

    def flaws(self) -> Iterator[str]:
        """Find a period in which everything fits."""
        if not self._terms.period_s:
            yield "`period_s` is 0: no two tests are ever in one period"

    def otherwise(self) -> str:
        """Return how many tests are not too many."""
        terms = self._terms
        return f"Tests of it within any {terms.period_s:g} s: {terms.max_per} at the most."

    def keep(self) -> Memory:
        """Return the tests of late."""
        return Memory(self._tests.keep())

    def restore(self, kept: Struct) -> None:
        """Go on counting."""
        if isinstance(kept, Memory):
            self._tests.restore(kept.tests)

    def bounds(self) -> Iterator[Bound]:
        """Yield of how many stations tests are counted."""
        return self._tests.bounds()

    def _agreed(self) -> str:
        return f"{self._terms.period_s:g} s: {self._terms.max_per} agreed"


_OWN = "own"
"""Under this name this station's tests are counted: no subject is called so."""

_SHOWN_MAX = 16
"""Tests that a finding names, the newest."""

KIND = TestRate
