"""What no machine can see is stated by the parties themselves, with their names and a date."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.agreement import EventWord, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.text import Words
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each of these parties states this, word for word, so often."""

    text: Words
    """What they state."""
    who: Parties = ()
    """None for every party that is not this station."""
    every_s: Seconds = 2_592_000.0
    """30 days unless it is said."""


class Memory(Struct, frozen=True):
    """When the next statement of each party is due."""

    due: tuple[Deadline, ...] = ()


class Attest(Rule):
    """Counts the days since each party has stated it, and says who is late.

    `unknown` before the first statement; `violation` where the next one did not come in time; `ok`
    with each. Whether what it states is true, nobody can tell from it.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        own = ground.rolls.own
        others = tuple(name for name in ground.agreement.parties if name not in own)
        self._who = tuple(sorted(ground.rolls.named(terms.who))) if terms.who else others
        self._due = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear what parties state."""
        return frozenset({EventWord.ATTESTED})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Take note of a statement in these words."""
        if event.fact is None or event.fact.words != self._terms.text:
            return
        for party in self._who:
            if party in event.by:
                self._await(party, event.at.mono_ns, count=1)
                who = event.fact.person or "nobody named"
                words = f"{party} has stated it, by {who}: {self._terms.text}"
                yield Finding(judgement=Judgement.OK, subject=f"party:{party}", words=words)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say whose statement is due, and who has made none yet."""
        for party in self._who:
            if self._due.of(party) is None:
                self._await(party, now.mono_ns, count=0)
                words = f"{party} has not stated it yet: {self._terms.text}"
                yield Finding(judgement=Judgement.UNKNOWN, subject=f"party:{party}", words=words)
        for one in self._due.over(now.mono_ns):
            self._await(one.subject, now.mono_ns, count=one.count)
            words = f"{one.subject} has not stated for {self._terms.every_s / 86_400:g} days"
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=f"party:{one.subject}",
                words=f"{words}: {self._terms.text}",
                since_ns=one.since_ns,
                until_ns=one.until_ns,
            )

    def flaws(self) -> Iterator[str]:
        """Find a statement that nobody makes."""
        if not self._who:
            yield "`who` names no party"

    def otherwise(self) -> str:
        """Return how often each party states it."""
        days = f"{self._terms.every_s / 86_400:g} days"
        who = " and ".join(self._who)
        return f"It is stated word for word by {who}, and again sooner than {days} after it."

    def keep(self) -> Memory:
        """Return what is due."""
        return Memory(self._due.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for it."""
        if isinstance(kept, Memory):
            self._due.restore(kept.due)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many statements are waited for."""
        return self._due.bounds()

    def _await(self, party: str, now_ns: int, *, count: int) -> None:
        until_ns = now_ns + round(self._terms.every_s * 1e9)
        self._due.begin(Deadline(subject=party, since_ns=now_ns, until_ns=until_ns, count=count))


KIND = Attest
