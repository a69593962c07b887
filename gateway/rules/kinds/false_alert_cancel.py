"""A false alert is taken back step by step, until everybody who heard it knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord, PartName, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

SELF_ACK = "dsc_self_ack"
"""The step that a radio tells of itself: the casualty takes its own call back."""

STEPS = frozenset({EventWord.TOLD, EventWord.SPOKEN, EventWord.TRANSMITTED})
"""What people tell of the other steps: they name the step in `fields`."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Once it begins to be taken back, all of these steps are done within so long."""

    when: When
    """What begins it: `cancel`."""
    steps: Annotated[tuple[PartName, ...], Meta(min_length=1, max_length=8)]
    """`dsc_self_ack` is the cancellation that was heard; of the others people tell."""
    within_s: Seconds = 3_600.0


class Step(Struct, frozen=True, gc=False):
    """One that was done."""

    subject: str
    step: str


class Memory(Struct, frozen=True):
    """The alerts that are being taken back, and what has been done of it."""

    begun: tuple[Deadline, ...] = ()
    done: tuple[Step, ...] = ()


class FalseAlertCancel(Rule):
    """Notes the steps of a cancellation, and says what is missing when the time for it is over.

    `at_risk` while one is missing, for a call that is half taken back may yet be real; `ok` with
    the last step. The steps may come in any order.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._begun = Deadlines()
        self._done: dict[str, tuple[str, ...]] = {}

    def hears(self) -> frozenset[EventWord]:
        """Hear cancellations, and of the steps after them."""
        return self._wait.words | STEPS | {EventWord.CANCEL}

    def hear(self, event: Event) -> Iterator[Finding]:
        """Begin, or take note of a step."""
        begins = self._wait.meets(event)
        if begins and self._begun.of(event.subject) is None:
            yield from self._begin(event)
        one = self._begun.of(event.subject)
        if one is None:
            return
        steps = () if event.fact is None else event.fact.fields
        if EventWord.CANCEL in event.words:
            steps = (*steps, SELF_ACK)
        yield from self._step(event, one, steps, begins=begins)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say what is missing when the time is over."""
        for one in self._begun.over(now.mono_ns):
            missing = self._missing(one.subject)
            self._done.pop(one.subject, None)
            words = f"it was not taken back whole: {', '.join(missing)} is missing"
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=one.subject,
                words=f"{words}; within {self._terms.within_s:g} s is agreed",
                since_ns=one.since_ns,
                until_ns=one.until_ns,
                evidence=one.evidence,
            )

    def otherwise(self) -> str:
        """Return which steps are done, and how soon."""
        terms = self._terms
        steps = ", ".join(terms.steps)
        return f"All of {steps} are done sooner than {terms.within_s:g} s after it begins."

    def keep(self) -> Memory:
        """Return what is being taken back."""
        done = (Step(name, step) for name, steps in self._done.items() for step in steps)
        return Memory(self._begun.keep(), tuple(done))

    def restore(self, kept: Struct) -> None:
        """Go on."""
        if isinstance(kept, Memory):
            self._begun.restore(kept.begun)
            for one in kept.done:
                self._done[one.subject] = (*self._done.get(one.subject, ()), one.step)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many are being taken back."""
        return self._begun.bounds()

    def _begin(self, event: Event) -> Iterator[Finding]:
        until_ns = event.at.mono_ns + round(self._terms.within_s * 1e9)
        pushed = self._begun.begin(
            Deadline(
                subject=event.subject,
                since_ns=event.at.mono_ns,
                until_ns=until_ns,
                evidence=(event.event_id,),
            )
        )
        if pushed is not None:
            self._done.pop(pushed.subject, None)
            words = "too many are being taken back: nobody looks any more whether this one was"
            yield Finding(judgement=Judgement.UNKNOWN, subject=pushed.subject, words=words)

    def _step(
        self, event: Event, one: Deadline, steps: tuple[str, ...], *, begins: bool
    ) -> Iterator[Finding]:
        subject = event.subject
        before = self._done.get(subject, ())
        fresh = [step for step in self._terms.steps if step in steps and step not in before]
        if not fresh and (before or not begins):
            return
        self._done[subject] = (*before, *fresh)
        missing = self._missing(subject)
        if missing:
            words = f"it is being taken back: {', '.join(missing)} is missing"
            yield Finding(judgement=Judgement.AT_RISK, subject=subject, words=words)
            return
        self._begun.end(subject)
        del self._done[subject]
        in_time = event.at.mono_ns < one.until_ns
        words = f"it was taken back whole after {(event.at.mono_ns - one.since_ns) / 1e9:.1f} s"
        yield Finding(
            judgement=Judgement.OK if in_time else Judgement.VIOLATION,
            subject=subject,
            words=f"{words}: within {self._terms.within_s:g} s is agreed",
            since_ns=one.since_ns,
            evidence=one.evidence,
        )

    def _missing(self, subject: str) -> list[str]:
        done = self._done.get(subject, ())
        return [one for one in self._terms.steps if one not in done]


KIND = FalseAlertCancel
