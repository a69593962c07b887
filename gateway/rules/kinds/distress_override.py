"""Nothing stands before a call for help."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Traffic of these categories is exempt from every rule that rations a channel.

    It is not exempt from rules that order how distress itself is worked: who acknowledges and
    when, who relays to whom, how a false alert is taken back.
    """

    categories: Annotated[tuple[Urgency, ...], Meta(min_length=1, examples=[["distress"]])] = (
        Urgency.DISTRESS,
    )
    """What goes before the other rules."""


class DistressOverride(Rule):
    """Exempts by the category that a message, or a request, has."""

    terms = Terms
    overrides = True

    def __init__(self, terms: Terms, ground: Ground) -> None:
        del ground
        self._categories = frozenset(terms.categories)

    def hear(self, event: Event) -> tuple[Finding, ...]:
        """Exempt what is of a category."""
        return self._exempt(event.category, event.subject)

    def gate(self, request: Request) -> Finding | None:
        """Exempt what is of a category."""
        return next(iter(self._exempt(request.category, request.request_id)), None)

    def _exempt(self, category: Urgency, subject: str) -> tuple[Finding, ...]:
        if category not in self._categories:
            return ()
        words = f"{category.value} traffic goes before every rule that rations a channel"
        return (Finding(judgement=Judgement.EXEMPT, subject=subject, words=words),)


KIND = DistressOverride
