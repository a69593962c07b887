"""A call repeats itself until it is answered: one that falls silent is lost, and not over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import EventWord, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Such a call comes again after this long, until something ends it."""

    when: When
    interval_s: Seconds
    tolerance_s: Seconds = 0.0
    """So much later it may come."""
    lost_after: Annotated[int, Meta(ge=1, le=100)] = 3
    """Repeats missed in a row after which the call is lost."""
    until: tuple[EventWord, ...] = (EventWord.DISTRESS_ACK, EventWord.CANCEL)
    """What ends it."""


class Memory(Struct, frozen=True):
    """The calls that go on."""

    calls: tuple[Deadline, ...] = ()


class RepeatExpect(Rule):
    """Waits for each repeat; `at_risk` once a call is lost, `ok` when it is heard again.

    It never says that a call is over: whoever has fallen silent may be worse off than before.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._until = frozenset(terms.until)
        self._calls = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear the calls, and what ends them."""
        return self._wait.words | self._until

    def hear(self, event: Event) -> Iterator[Finding]:
        """Wait for the next repeat, or for none."""
        if self._wait.meets(event):
            yield from self._heard(event)
        elif not self._until.isdisjoint(event.words):
            self._calls.end(event.subject)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which call is lost."""
        for call in self._calls.over(now.mono_ns):
            missed = call.count + 1
            interval_ns = round(self._terms.interval_s * 1e9)
            if missed <= self._terms.lost_after:
                self._calls.begin(replace(call, count=missed, until_ns=call.until_ns + interval_ns))
            else:
                self._calls.begin(replace(call, until_ns=call.until_ns + _LOST_S * 10**9))
            if missed == self._terms.lost_after:
                silent_s = (now.mono_ns - call.since_ns) / 1e9
                words = f"lost: it has not been heard for {silent_s:.0f} s"
                yield Finding(
                    judgement=Judgement.AT_RISK,
                    subject=call.subject,
                    words=f"{words}, and comes every {self._terms.interval_s:g} s; it is not over",
                    since_ns=call.since_ns,
                    evidence=call.evidence,
                )

    def flaws(self) -> Iterator[str]:
        """Find repeats that are awaited for longer than until the next."""
        if self._terms.tolerance_s >= self._terms.interval_s:
            yield "`tolerance_s` is not shorter than `interval_s`: no repeat is ever missed in time"

    def keep(self) -> Memory:
        """Return the calls that go on."""
        return Memory(self._calls.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for them."""
        if isinstance(kept, Memory):
            self._calls.restore(kept.calls)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many calls go on."""
        return self._calls.bounds()

    def _heard(self, event: Event) -> Iterator[Finding]:
        before = self._calls.of(event.subject)
        wait_s = self._terms.interval_s + self._terms.tolerance_s
        pushed = self._calls.begin(
            Deadline(
                subject=event.subject,
                since_ns=event.at.mono_ns,
                until_ns=event.at.mono_ns + round(wait_s * 1e9),
                evidence=(event.event_id,),
            )
        )
        if before is not None and before.count >= self._terms.lost_after:
            silent_s = (event.at.mono_ns - before.since_ns) / 1e9
            words = f"it is heard again after {silent_s:.0f} s"
            yield Finding(judgement=Judgement.OK, subject=event.subject, words=words)
        if pushed is not None:
            words = "too many calls go on: nobody waits for the repeats of this one any more"
            yield Finding(judgement=Judgement.UNKNOWN, subject=pushed.subject, words=words)


_LOST_S = 86_400
"""How long a lost call is remembered, from one look to the next: until something ends it."""

KIND = RepeatExpect
