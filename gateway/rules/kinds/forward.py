"""What was heard is told to whoever acts on it, and they have signed for it, in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import ChannelName, EventWord, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

SAME_S = 3_600.0
"""So long after it was heard last a call is still the same one: it is repeated every few minutes,
and nobody is to sign for each repeat."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of these parties has it within so long."""

    when: When
    to: Annotated[Parties, Meta(min_length=1)]
    within_s: Seconds
    via: ChannelName | None = None
    """Only what is told on this line counts; None for any."""
    receipt: bool = True
    """Whether they have it only once they have signed for it; else what they were told is enough.
    """
    retry_s: Seconds | None = None
    """So often they are told again, while they have not signed; None for never."""


class Stage(IntEnum):
    """How far it has come; kept as the `count` of its deadline."""

    OPEN = 0
    LATE = 1
    DONE = 2


class Memory(Struct, frozen=True):
    """What is to be told, and what was told and not signed for."""

    owed: tuple[Deadline, ...] = ()
    unsigned: tuple[Deadline, ...] = ()


class Forward(Rule):
    """Starts a deadline with each call, and ends it when one of the parties has signed for it.

    `at_risk` when they are to be told again and were not; `violation` at `within_s`, and again,
    with the time that it took, when they have it later; `unknown` when nobody knows who was told,
    on which line, or who has signed. A cancellation ends nothing: they have to know of both.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._rolls = ground.rolls
        self._to = ground.rolls.named(terms.to)
        self._via = None if terms.via is None else ground.dial.named((terms.via,))
        self._owed = Deadlines()
        self._unsigned = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear the calls, who was told of them, and who has signed."""
        return self._wait.words | {EventWord.TOLD, EventWord.RECEIPT}

    def hear(self, event: Event) -> Iterable[Finding]:
        """Begin to wait, or take note that somebody has it."""
        if self._wait.meets(event):
            return self._begin(event)
        call = self._owed.of(event.subject)
        if call is None or call.count == Stage.DONE:
            return ()
        if EventWord.RECEIPT in event.words:
            return self._signed(event, call)
        return self._told(event, call) if EventWord.TOLD in event.words else ()

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say what nobody has in time, and who is to be told again."""
        for call in self._owed.over(now.mono_ns):
            self._unsigned.end(call.subject)
            if call.count == Stage.OPEN:
                self._owed.begin(_same(call, Stage.LATE, now.mono_ns))
                passed_s = (now.mono_ns - call.since_ns) / 1e9
                words = f"nobody has it {passed_s:.0f} s after it was heard: {self._agreed()}"
                yield _finding(Judgement.VIOLATION, call, words, call.until_ns)
        for one in self._unsigned.over(now.mono_ns):
            silent_s = (now.mono_ns - one.since_ns) / 1e9
            again = f"told again every {self._terms.retry_s:g} s is agreed"
            words = f"{self._whom()} was told {silent_s:.0f} s ago and has not signed: {again}"
            yield _finding(Judgement.AT_RISK, one, words)

    def flaws(self) -> Iterator[str]:
        """Find a deadline that nobody can keep, a retry that can never come, and nobody to tell."""
        terms = self._terms
        for name in self._rolls.nobody(terms.to):
            yield f"`{name}` is no party: who is told has to be named"
        if terms.within_s == 0:
            yield "`within_s` of 0 makes it late the moment it is heard"
        if terms.retry_s is not None and not terms.receipt:
            yield "`retry_s` waits for a receipt, and `receipt` asks for none"
        if terms.retry_s is not None and not 0 < terms.retry_s < terms.within_s:
            yield "`retry_s` is not between 0 and `within_s`: nobody is ever told again in time"

    def otherwise(self) -> str:
        """Return how soon one of the parties has it."""
        terms = self._terms
        done = "signed for by" if terms.receipt else "told to"
        who = " or ".join(terms.to)
        return f"The call is {done} {who} sooner than {terms.within_s:g} s after it."

    def keep(self) -> Memory:
        """Return what is waited for."""
        return Memory(self._owed.keep(), self._unsigned.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for it."""
        if isinstance(kept, Memory):
            self._owed.restore(kept.owed)
            self._unsigned.restore(kept.unsigned)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is waited for."""
        yield from self._owed.bounds()
        yield from self._unsigned.bounds()

    def _begin(self, event: Event) -> Iterator[Finding]:
        now_ns = event.at.mono_ns
        known = self._owed.of(event.subject)
        if known is not None:
            if known.count != Stage.OPEN:
                self._owed.begin(_same(known, Stage(known.count), now_ns))
            return
        pushed = self._owed.begin(
            Deadline(
                subject=event.subject,
                since_ns=now_ns,
                until_ns=now_ns + round(self._terms.within_s * 1e9),
                evidence=(event.event_id,),
            )
        )
        if pushed is not None and pushed.count == Stage.OPEN:
            self._unsigned.end(pushed.subject)
            words = "too much is to be told: nobody watches any more whether anybody has it"
            yield _finding(Judgement.UNKNOWN, pushed, words)

    def _told(self, event: Event, call: Deadline) -> Iterator[Finding]:
        elsewhere = self._via is not None and event.channel not in self._via
        if not event.to:
            yield from self._in_doubt(call, "somebody was told, and nobody knows who")
        elif self._to.isdisjoint(event.to):
            return
        elif elsewhere and event.channel is None:
            yield from self._in_doubt(call, f"{event.to[0]} was told, and nobody knows how")
        elif not elsewhere and not self._terms.receipt:
            yield self._done(event, call, f"{event.to[0]} was told")
        elif not elsewhere and self._terms.retry_s is not None and call.count == Stage.OPEN:
            now_ns = event.at.mono_ns
            until_ns = now_ns + round(self._terms.retry_s * 1e9)
            self._unsigned.begin(
                replace(call, since_ns=now_ns, until_ns=until_ns, evidence=(event.event_id,))
            )

    def _signed(self, event: Event, call: Deadline) -> Iterator[Finding]:
        if not event.by:
            yield from self._in_doubt(call, "it was signed for, and nobody knows by whom")
        elif not self._to.isdisjoint(event.by):
            yield self._done(event, call, f"{event.by[0]} has signed for it")

    def _in_doubt(self, call: Deadline, why: str) -> Iterator[Finding]:
        """Say what is not known, unless it is known already that nobody had it in time."""
        if call.count == Stage.OPEN:
            yield _finding(Judgement.UNKNOWN, call, f"{why}: {self._agreed()}")

    def _done(self, event: Event, call: Deadline, how: str) -> Finding:
        now_ns = event.at.mono_ns
        self._unsigned.end(call.subject)
        self._owed.begin(_same(call, Stage.DONE, now_ns))
        passed_s = (now_ns - call.since_ns) / 1e9
        late = call.count == Stage.LATE or now_ns >= call.until_ns
        judgement = Judgement.VIOLATION if late else Judgement.OK
        words = f"{how} {passed_s:.1f} s after it was heard: {self._agreed()}"
        return _finding(judgement, call, words)

    def _agreed(self) -> str:
        signed = ", signed for," if self._terms.receipt else ""
        line = "" if self._terms.via is None else f" on {self._terms.via}"
        return f"{self._whom()}{line}{signed} within {self._terms.within_s:g} s is agreed"

    def _whom(self) -> str:
        return ", ".join(self._terms.to)


def _same(call: Deadline, stage: Stage, now_ns: int) -> Deadline:
    return replace(call, count=int(stage), until_ns=now_ns + round(SAME_S * 1e9))


def _finding(
    judgement: Judgement, call: Deadline, words: str, until_ns: int | None = None
) -> Finding:
    return Finding(
        judgement=judgement,
        subject=call.subject,
        words=words,
        since_ns=call.since_ns,
        until_ns=until_ns,
        evidence=call.evidence,
    )


KIND = Forward
