"""A message holds at least what whoever acts on it has to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from gateway.model.agreement import EventWord, Fields
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.contents import held_by, lacking
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Such a message holds these."""

    when: When
    fields: Fields
    """`identity`, `distress_id`, `nature`, `position`, `time`, `relayed_by`, …; with `_or_unknown`
    behind it, it may be said to be unknown."""
    action: Literal["flag", "deny"] = "flag"
    """What becomes of one of this station's that lacks some; of distress it is flagged alone."""


class MinContent(Rule):
    """Compares what a message holds with what is agreed, and names what it lacks."""

    terms = Terms
    of_distress = True

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)

    def hears(self) -> frozenset[EventWord]:
        """Hear such messages."""
        return self._wait.words

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say what one lacks."""
        if not self._wait.meets(event):
            return
        missing = lacking(self._terms.fields, held_by(event), formed=event.report is not None)
        if missing:
            words = f"it lacks {', '.join(missing)}: {self._agreed()}"
            yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Flag or deny what lacks something; nothing of distress is ever held back for it."""
        if not self._wait.asks(request):
            return None
        missing = lacking(self._terms.fields, frozenset(request.fields), formed=False)
        subject = request.request_id
        if not missing:
            return Finding(judgement=Judgement.OK, subject=subject, words="it holds what is agreed")
        deny = self._terms.action == "deny" and request.category is not Urgency.DISTRESS
        return Finding(
            judgement=Judgement.DENIED if deny else Judgement.VIOLATION,
            subject=subject,
            words=f"it lacks {', '.join(missing)}: {self._agreed()}",
        )

    def _agreed(self) -> str:
        return f"{', '.join(self._terms.fields)} agreed"


KIND = MinContent
