"""A call that nobody may learn of but the authority: a ship's security alert, a hijacking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord, Parties, PartName
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

COVERT_S = 7 * 86_400
"""So long after it was heard last a call is kept covert: longer than hijackings last."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Such a call is told to these parties alone."""

    when: When
    to: Annotated[Parties, Meta(min_length=1)]
    no_local_alarm: bool = True
    """Nothing rings where those on board, or on the quay, could hear of it."""
    no_reply: bool = True
    """Nothing is sent to the craft, nor about it on the air."""
    redact: tuple[PartName, ...] = ()
    """What is told to nobody else of this craft meanwhile."""


class Memory(Struct, frozen=True):
    """The craft of which nobody may learn."""

    covert: tuple[Deadline, ...] = ()


class Covert(Rule):
    """Holds back every transmission towards, or about, a craft that calls covertly.

    What is told to anybody else, or sent all the same, is a `violation`. Only the authority ends
    it: whoever is in control of the craft may take the call back.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._to = ground.rolls.named(terms.to)
        self._covert = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear such calls, and whatever may give them away."""
        return self._wait.words | {EventWord.TOLD, EventWord.TRANSMITTED}

    def hear(self, event: Event) -> Iterator[Finding]:
        """Begin to keep it covert, or say what gave it away."""
        if self._wait.meets(event):
            yield from self._begin(event)
        elif self._covert.of(event.subject) is not None:
            yield from self._given_away(event)

    def gate(self, request: Request) -> Finding | None:
        """Deny what the craft, or those around it, could hear, or what is to stay here."""
        known = None if request.about is None else self._covert.of(request.about)
        if known is None:
            return None
        to_authority = bool(request.to) and self._to.issuperset(request.to)
        kept_back = sorted(set(self._terms.redact) & set(request.fields))
        if to_authority:
            judgement, words = Judgement.OK, f"{', '.join(request.to)} may know of it"
        elif self._terms.no_reply:
            words = f"its call is covert: nothing is sent to it or about it but to {self._agreed()}"
            judgement = Judgement.DENIED
        elif kept_back:
            judgement = Judgement.DENIED
            words = f"its call is covert: {', '.join(kept_back)} is told to {self._agreed()} alone"
        else:
            judgement, words = Judgement.OK, "a covert call may be answered here"
        return Finding(
            judgement=judgement, subject=request.request_id, words=words, evidence=known.evidence
        )

    def hides(self, names: frozenset[str]) -> bool:
        """Say whether one of them calls covertly."""
        return any(one.subject.partition(":")[2] in names for one in self._covert)

    def tick(self, now: Moment) -> tuple[Finding, ...]:
        """Forget what was over long ago."""
        for _ in self._covert.over(now.mono_ns):
            pass
        return ()

    def flaws(self) -> Iterator[str]:
        """Find a call that is told to nobody."""
        if not self._to:
            yield "`to` names no party: nobody is ever told"

    def keep(self) -> Memory:
        """Return the craft of which nobody may learn."""
        return Memory(self._covert.keep())

    def restore(self, kept: Struct) -> None:
        """Keep it from them."""
        if isinstance(kept, Memory):
            self._covert.restore(kept.covert)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft there are."""
        return self._covert.bounds()

    def _begin(self, event: Event) -> Iterator[Finding]:
        known = self._covert.of(event.subject)
        pushed = self._covert.begin(
            Deadline(
                subject=event.subject,
                since_ns=event.at.mono_ns if known is None else known.since_ns,
                until_ns=event.at.mono_ns + COVERT_S * 10**9,
                evidence=(event.event_id,) if known is None else known.evidence,
            )
        )
        if known is None:
            words = f"covert: told to {self._agreed()} alone"
            words += "; no alarm here" if self._terms.no_local_alarm else ""
            words += "; no answer" if self._terms.no_reply else ""
            yield Finding(judgement=Judgement.OK, subject=event.subject, words=words)
        if pushed is not None:
            words = "too many calls are covert: nobody keeps this one any more"
            yield Finding(judgement=Judgement.UNKNOWN, subject=pushed.subject, words=words)

    def _given_away(self, event: Event) -> Iterator[Finding]:
        if EventWord.TOLD in event.words and not self._to.issuperset(event.to or ("nobody",)):
            whom = ", ".join(event.to) or "somebody"
            words = f"{whom} was told of a covert call: {self._agreed()} alone is agreed"
        elif EventWord.TRANSMITTED in event.words and self._terms.no_reply:
            words = "something was sent about a covert call: no answer is agreed"
        else:
            return
        yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)

    def _agreed(self) -> str:
        return ", ".join(self._terms.to)


KIND = Covert
