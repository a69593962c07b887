"""A call for help goes on to whoever can send help, and they sign for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import ChannelName, EventWord, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.telling import SHOWN, Order, Telling, TellingKept, finding, party_of
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each such call has reached these parties so soon."""

    when: When
    to: Annotated[Parties, Meta(min_length=1)]
    within_s: Seconds
    via: ChannelName | None = None
    """Only what goes this way counts."""
    proof: bool = True
    """Whether they have to sign for it; without it, that they were told is enough."""
    retry_s: Seconds | None = None
    """So often it is said that they have not signed yet, and to tell them again."""


class Memory(Struct, frozen=True):
    """What is on its way."""

    telling: TellingKept = TellingKept()
    again: tuple[Deadline, ...] = ()


class Forward(Rule):
    """Waits for the signature of each party under each call, and says when to tell them again.

    A repeat of a call that they have signed for is no news for a day. `at_risk` at each retry;
    `violation` at the limit; a signature after it is one as well, and is told.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        via = None if terms.via is None else ground.dial.named((terms.via,))
        to = ground.rolls.named(terms.to)
        self._telling = Telling(Order(to=to, within_s=terms.within_s, via=via, proof=terms.proof))
        self._again = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear calls, and who has signed for them."""
        return self._wait.words | SHOWN

    def hear(self, event: Event) -> Iterator[Finding]:
        """Let one be on its way, or say that it has come."""
        if self._wait.meets(event):
            before = {one.subject for one in self._telling.owed()}
            yield from self._telling.begin(event)
            for one in self._telling.owed():
                if one.subject not in before:
                    self._retry(one.subject, event.at.mono_ns)
        elif not SHOWN.isdisjoint(event.words):
            yield from self._telling.shown(event)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say who has to be told again, and who was not told in time."""
        yield from self._telling.over(now.mono_ns)
        owed = {one.subject: one for one in self._telling.owed()}
        for due in self._again.over(now.mono_ns):
            one = owed.get(due.subject)
            if one is not None:
                passed_s = (now.mono_ns - one.since_ns) / 1e9
                words = f"{party_of(one)} has not signed for {passed_s:.0f} s: tell them again"
                yield finding(Judgement.AT_RISK, one, words)
                self._retry(due.subject, now.mono_ns)

    def flaws(self) -> Iterator[str]:
        """Find a retry that never comes."""
        retry_s = self._terms.retry_s
        if retry_s is not None and retry_s >= self._terms.within_s:
            yield "`retry_s` is not before `within_s`: nobody is ever told again"

    def keep(self) -> Memory:
        """Return what is on its way."""
        return Memory(self._telling.keep(), self._again.keep())

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._telling.restore(kept.telling)
            self._again.restore(kept.again)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is on its way."""
        yield from self._telling.bounds()
        yield from self._again.bounds()

    def _retry(self, name: str, now_ns: int) -> None:
        if self._terms.retry_s:
            until_ns = now_ns + round(self._terms.retry_s * 1e9)
            self._again.begin(Deadline(subject=name, since_ns=now_ns, until_ns=until_ns))


KIND = Forward
