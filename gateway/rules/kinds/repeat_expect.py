"""A call for help is repeated for as long as it is meant: when it no longer is, somebody looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

LOST_S = 172_800.0
"""So long a call that was lost is waited for: a beacon under the GMDSS lives for 48 hours."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Such a call comes again in every interval, until one of these ends it."""

    when: When
    interval_s: Seconds
    """From one call to the next."""
    tolerance_s: Seconds = 0.0
    """So much later a repeat may come. One that comes sooner is of the same attempt."""
    lost_after: Annotated[int, Meta(ge=1, le=1_000)] = 3
    """So many repeats that nobody hears, one after the other."""
    until: Annotated[tuple[EventWord, ...], Meta(min_length=1, max_length=64)] = (EventWord.CANCEL,)
    """What ends it."""


class Memory(Struct, frozen=True):
    """The calls, and when each was heard last."""

    alive: tuple[Deadline, ...] = ()
    lost: tuple[Deadline, ...] = ()


class RepeatExpect(Rule):
    """Waits for the next repeat of each call, by the times at which it was heard.

    `unknown` when as many repeats as agreed were not heard: nobody knows whether it still calls.
    `ok` when it is heard again, and when it is ended. A call that is heard after its end is a new
    one. The moment at which the last of those repeats may still come is too late.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._until = frozenset(terms.until)
        self._patience_ns = round(terms.lost_after * (terms.interval_s + terms.tolerance_s) * 1e9)
        self._alive = Deadlines()
        """Calls by when they were heard last, and how often."""
        self._lost = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear the calls, and whatever ends them."""
        return self._wait.words | self._until

    def hear(self, event: Event) -> Iterable[Finding]:
        """Take note that it still calls, or of its end."""
        if not self._until.isdisjoint(event.words):
            return self._ended(event) if event.test == self._terms.when.test else ()
        return self._called(event) if self._wait.meets(event) else ()

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which calls are heard no more, and forget those that no set could still send."""
        for call in self._alive.over(now.mono_ns):
            self._lost.begin(replace(call, until_ns=call.since_ns + round(LOST_S * 1e9)))
            silent_s = (now.mono_ns - call.since_ns) / 1e9
            words = f"nobody knows whether it still calls: it was heard last {silent_s:.0f} s ago"
            yield _finding(Judgement.UNKNOWN, call, f"{words}, and {self._agreed()}")
        for _ in self._lost.over(now.mono_ns):
            pass

    def flaws(self) -> Iterator[str]:
        """Find repeats that are lost at once, never late, or ended by what they begin with."""
        terms = self._terms
        if terms.interval_s == 0:
            yield "`interval_s` of 0 makes each call lost the moment it is heard"
        elif terms.tolerance_s >= terms.interval_s:
            yield "`tolerance_s` is not below `interval_s`: a repeat is late when the next is due"
        if terms.lost_after * (terms.interval_s + terms.tolerance_s) >= LOST_S:
            yield f"no call is waited for as long as {LOST_S:g} s"
        for word in sorted(self._until & self._wait.words):
            yield f"`{word}` both begins and ends it: nothing is ever waited for"

    def otherwise(self) -> str:
        """Return when a call is not lost."""
        terms = self._terms
        longest_s = terms.lost_after * (terms.interval_s + terms.tolerance_s)
        return (
            f"It is heard again sooner than {longest_s:g} s after it was heard last, or is ended by"
            f" {' or '.join(one.value for one in terms.until)}."
        )

    def keep(self) -> Memory:
        """Return the calls."""
        return Memory(self._alive.keep(), self._lost.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for their repeats."""
        if isinstance(kept, Memory):
            self._alive.restore(kept.alive)
            self._lost.restore(kept.lost)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many calls are followed, and how many are lost."""
        yield from self._alive.bounds()
        yield from self._lost.bounds()

    def _called(self, event: Event) -> Iterator[Finding]:
        now_ns = event.at.mono_ns
        lost = self._lost.end(event.subject)
        before = lost or self._alive.of(event.subject)
        call = Deadline(
            subject=event.subject,
            since_ns=now_ns,
            until_ns=now_ns + self._patience_ns,
            evidence=(event.event_id,),
            count=1 if before is None else before.count + 1,
        )
        pushed = self._alive.begin(call)
        if lost is not None:
            silent_s = (now_ns - lost.since_ns) / 1e9
            words = f"it is heard again after {silent_s:.0f} s: {self._agreed()}"
            yield _finding(Judgement.OK, lost, words)
        if pushed is not None:
            words = "too many calls are followed: nobody waits for its repeats any more"
            yield _finding(Judgement.UNKNOWN, pushed, words)

    def _ended(self, event: Event) -> Iterator[Finding]:
        call = self._alive.end(event.subject) or self._lost.end(event.subject)
        if call is not None:
            how = next(word for word in event.words if word in self._until)
            times = "once" if call.count == 1 else f"{call.count} times"
            words = f"it was heard {times} before `{how}` has ended it: {self._agreed()}"
            yield _finding(Judgement.OK, call, words)

    def _agreed(self) -> str:
        terms = self._terms
        late = f", {terms.tolerance_s:g} s more at the most" if terms.tolerance_s else ""
        return f"every {terms.interval_s:g} s{late} is agreed, {terms.lost_after} missed is lost"


def _finding(judgement: Judgement, call: Deadline, words: str) -> Finding:
    return Finding(
        judgement=judgement,
        subject=call.subject,
        words=words,
        since_ns=call.since_ns,
        evidence=call.evidence,
    )


KIND = RepeatExpect
