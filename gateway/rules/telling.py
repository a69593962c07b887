"""Who has to be told of something in time, party by party, and what shows that they were."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.model.agreement import EventWord
from gateway.model.bounds import Bound
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.rule import Finding

DONE_S = 86_400
"""So long after somebody was told of a call its repeats are the same news."""

TO = ">"
"""Between what it is about and the party that is to be told of it."""

SHOWN = frozenset({EventWord.TOLD, EventWord.RECEIPT})


class Order(Struct, frozen=True, kw_only=True):
    """How somebody has to be told."""

    to: frozenset[str]
    within_s: float
    via: frozenset[str] | None = None
    """Channels, or lines, on which it counts; None for any."""
    fields: tuple[str, ...] = ()
    """What has to be told."""


class TellingKept(Struct, frozen=True):
    """What has to survive a restart."""

    owed: tuple[Deadline, ...] = ()
    done: tuple[Deadline, ...] = ()


class Telling:
    """What is owed to each party."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._owed, self._done = Deadlines(), Deadlines()

    def begin(self, event: Event) -> Iterator[Finding]:
        """Owe it to each party, but what they have been told or are owed already."""
        for party in sorted(self._order.to):
            name = f"{event.subject}{TO}{party}"
            if self._owed.of(name) is not None or self._done.of(name) is not None:
                continue
            until_ns = event.at.mono_ns + round(self._order.within_s * 1e9)
            pushed = self._owed.begin(
                Deadline(
                    subject=name,
                    since_ns=event.at.mono_ns,
                    until_ns=until_ns,
                    evidence=(event.event_id,),
                    count=int(event.report is not None),
                )
            )
            if pushed is not None:
                words = f"too much is owed to {party}: nobody looks any more whether they know"
                yield Finding(judgement=Judgement.UNKNOWN, subject=about(pushed), words=words)

    def shown(self, event: Event) -> Iterator[Finding]:
        """Say that somebody was told, in time or too late, or of too little."""
        order = self._order
        told = EventWord.RECEIPT not in event.words
        if order.via is not None and event.channel not in order.via:
            return
        for one in self._about(event, event.to if told else event.by):
            held = () if event.fact is None else event.fact.fields
            missing = [field for field in order.fields if field not in held] if told else []
            if missing:
                words = f"{party_of(one)} was told, but not of {', '.join(missing)}"
                yield finding(Judgement.VIOLATION, one, f"{words}: {self._agreed()}")
            else:
                yield self._settled(one, event)

    def over(self, now_ns: int) -> Iterator[Finding]:
        """Say who has not been told in time; and forget what is old news."""
        for one in self._owed.over(now_ns):
            words = f"nothing shows that {party_of(one)} was told of it: {self._agreed()}"
            yield finding(Judgement.VIOLATION, one, words)
            self._remember(one, now_ns)
        for _ in self._done.over(now_ns):
            pass

    def keep(self) -> TellingKept:
        """Return what has to survive a restart."""
        return TellingKept(self._owed.keep(), self._done.keep())

    def restore(self, kept: TellingKept) -> None:
        """Take it up."""
        self._owed.restore(kept.owed)
        self._done.restore(kept.done)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is owed, and how much is old news."""
        yield from self._owed.bounds()
        yield from self._done.bounds()

    def _about(self, event: Event, parties: Iterable[str]) -> list[Deadline]:
        """Return what this settles: by whom it is about, or by what it rests on."""
        named = set(parties) & self._order.to
        return [
            one
            for one in self._owed.keep()
            if party_of(one) in named and event.subject in (about(one), *one.evidence)
        ]

    def _settled(self, one: Deadline, event: Event) -> Finding:
        self._owed.end(one.subject)
        self._remember(one, event.at.mono_ns)
        passed_s = (event.at.mono_ns - one.since_ns) / 1e9
        in_time = event.at.mono_ns < one.until_ns
        how = "has signed for it" if EventWord.RECEIPT in event.words else "was told of it"
        words = f"{party_of(one)} {how} after {passed_s:.1f} s: {self._agreed()}"
        return finding(Judgement.OK if in_time else Judgement.VIOLATION, one, words)

    def _remember(self, one: Deadline, now_ns: int) -> None:
        """A repeat of a call is no news; what a rule says again is."""
        if one.count:
            until_ns = now_ns + DONE_S * 10**9
            self._done.begin(Deadline(subject=one.subject, since_ns=now_ns, until_ns=until_ns))

    def _agreed(self) -> str:
        return f"within {self._order.within_s:g} s is agreed"


def about(one: Deadline) -> str:
    """Return whom or what it is about."""
    return one.subject.rpartition(TO)[0]


def party_of(one: Deadline) -> str:
    """Return the party that it is owed to."""
    return one.subject.rpartition(TO)[2]


def finding(judgement: Judgement, one: Deadline, words: str) -> Finding:
    """Return what is found about something owed."""
    return Finding(
        judgement=judgement,
        subject=about(one),
        words=words,
        since_ns=one.since_ns,
        evidence=one.evidence,
    )
