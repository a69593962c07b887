"""What went otherwise than agreed is reported, with all that was asked for, and in time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import EventWord, Parties, PartName, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.text import Words
from gateway.model.verdict import Judgement
from gateway.rules.contents import held_by, lacking
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

LATE_S = 2_592_000.0
"""So long after it was due a late report is still taken note of: 30 days."""

_LATE = 1
"""The `count` of a deadline that has passed."""

_SELF = "report"
"""The kind of which a violation is owed no report: each would be owed one in turn, for ever."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of these parties has a report of it within so long."""

    when: When
    to: Annotated[Parties, Meta(min_length=1)]
    within_s: Seconds
    fields: tuple[PartName, ...] = ()
    """What a report holds: `rule`, `subjects`, `times`, …"""
    form: Words | None = None
    """How it is written: named in what is said, and checked by nobody."""


class Memory(Struct, frozen=True):
    """The reports that are owed."""

    owed: tuple[Deadline, ...] = ()


class Report(Rule):
    """Starts a deadline with what is to be reported, and ends it with a report of the same subject.

    What happens again to the subject while a report is owed stands in that one. A report that lacks
    a field is a `violation`, and counts for nothing; so is none at `within_s`, and one that comes
    later, with the time that it took. `unknown` when nobody knows to whom it went. Of a report that
    is missed itself none is owed.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._rolls = ground.rolls
        self._to = ground.rolls.named(terms.to)
        self._owed = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear what is to be reported, and what was told."""
        return self._wait.words | {EventWord.TOLD}

    def hear(self, event: Event) -> Iterable[Finding]:
        """Begin to wait, or say what was reported, and when."""
        if self._wait.meets(event):
            return self._begin(event)
        return self._told(event) if EventWord.TOLD in event.words else ()

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say what nobody has reported in time."""
        for one in self._owed.over(now.mono_ns):
            if one.count == _LATE:
                continue
            until_ns = now.mono_ns + round(LATE_S * 1e9)
            self._owed.begin(replace(one, count=_LATE, until_ns=until_ns))
            passed_s = (now.mono_ns - one.since_ns) / 1e9
            words = f"no report of it {passed_s:.0f} s after: {self._agreed()}"
            yield _finding(Judgement.VIOLATION, one, words, one.until_ns)

    def flaws(self) -> Iterator[str]:
        """Find a deadline that nobody can keep, and nobody to report to."""
        for name in self._rolls.nobody(self._terms.to):
            yield f"`{name}` is no party: to whom is reported has to be named"
        if self._terms.within_s == 0:
            yield "`within_s` of 0 makes it late the moment it happens"

    def otherwise(self) -> str:
        """Return how soon one of the parties has the report."""
        terms = self._terms
        held = f" with {', '.join(terms.fields)}" if terms.fields else ""
        who = " or ".join(terms.to)
        return f"A report of it{held} reaches {who} sooner than {terms.within_s:g} s after it."

    def keep(self) -> Memory:
        """Return the reports that are owed."""
        return Memory(self._owed.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for them."""
        if isinstance(kept, Memory):
            self._owed.restore(kept.owed)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many are owed."""
        return self._owed.bounds()

    def _begin(self, event: Event) -> Iterator[Finding]:
        own = event.verdict is not None and event.verdict.kind == _SELF
        if own or self._owed.of(event.subject) is not None:
            return
        pushed = self._owed.begin(
            Deadline(
                subject=event.subject,
                since_ns=event.at.mono_ns,
                until_ns=event.at.mono_ns + round(self._terms.within_s * 1e9),
                evidence=(event.event_id,),
            )
        )
        if pushed is not None and pushed.count != _LATE:
            words = "too many reports are owed: nobody watches any more whether this one is made"
            yield _finding(Judgement.UNKNOWN, pushed, words)

    def _told(self, event: Event) -> Iterator[Finding]:
        one = self._owed.of(event.subject)
        if one is None:
            return
        if not event.to:
            # That it is late already is known, and stands.
            if one.count != _LATE:
                words = f"it was reported, and nobody knows to whom: {self._agreed()}"
                yield _finding(Judgement.UNKNOWN, one, words)
        elif not self._to.isdisjoint(event.to):
            yield self._reported(event, one)

    def _reported(self, event: Event, one: Deadline) -> Finding:
        passed_s = (event.at.mono_ns - one.since_ns) / 1e9
        words = f"{event.to[0]} has a report of it {passed_s:.1f} s after"
        missing = lacking(self._terms.fields, held_by(event), formed=False)
        if missing:
            words = f"{words}, which lacks {', '.join(missing)}: {self._agreed()}"
            return _finding(Judgement.VIOLATION, one, words)
        self._owed.end(one.subject)
        late = one.count == _LATE or event.at.mono_ns >= one.until_ns
        judgement = Judgement.VIOLATION if late else Judgement.OK
        return _finding(judgement, one, f"{words}: {self._agreed()}")

    def _agreed(self) -> str:
        terms = self._terms
        fields = f" with {', '.join(terms.fields)}" if terms.fields else ""
        form = "" if terms.form is None else f", as {terms.form},"
        return f"one to {', '.join(terms.to)}{fields}{form} within {terms.within_s:g} s is agreed"


def _finding(
    judgement: Judgement, one: Deadline, words: str, until_ns: int | None = None
) -> Finding:
    return Finding(
        judgement=judgement,
        subject=one.subject,
        words=words,
        since_ns=one.since_ns,
        until_ns=until_ns,
        evidence=one.evidence,
    )


KIND = Report
