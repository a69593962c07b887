"""Not everybody may acknowledge a call for help."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord, Parties, PartName
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call is acknowledged this way by these parties alone, or by others with a consent."""

    via: PartName = "dsc_ack"
    """The way of acknowledging that it is about."""
    who: Annotated[Parties, Meta(min_length=1)]
    """Who may."""
    otherwise: PartName | None = None
    """The consent that others need: `rcc_consent`. Without one they may not at all."""
    systems: tuple[PartName, ...] = ("dsc",)
    """Radio systems on which an acknowledgement is heard that goes this way."""


class AckAuthority(Rule):
    """Compares who acknowledges, or wants to, with who may; nobody known is `unknown`."""

    terms = Terms
    of_distress = True

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own

    def hears(self) -> frozenset[EventWord]:
        """Hear acknowledgements."""
        return frozenset({EventWord.DISTRESS_ACK})

    def hear(self, event: Event) -> tuple[Finding, ...]:
        """Say who has acknowledged that may not; that a consent was given can't be heard."""
        if event.test or event.system not in self._terms.systems:
            return ()
        if not event.by:
            words = "nobody knows whose station has acknowledged it"
            return (_finding(Judgement.UNKNOWN, event.subject, words),)
        if not self._who.isdisjoint(event.by):
            return ()
        words = f"{event.by[0]} has acknowledged it: {', '.join(self._terms.who)} do"
        if self._terms.otherwise is None:
            return (_finding(Judgement.VIOLATION, event.subject, words),)
        words = f"{words}, others with {self._terms.otherwise}, which is not heard on the air"
        return (_finding(Judgement.UNKNOWN, event.subject, words),)

    def gate(self, request: Request) -> Finding | None:
        """Deny an acknowledgement to who may not, or has no consent."""
        terms = self._terms
        if request.via != terms.via:
            return None
        by = self._own if request.by is None else (request.by,)
        subject = request.about or request.request_id
        if not self._who.isdisjoint(by):
            return _finding(Judgement.OK, subject, f"{terms.via} is for this station to give")
        if terms.otherwise is None:
            words = f"{terms.via} is for {', '.join(terms.who)} alone"
            return _finding(Judgement.DENIED, subject, words)
        if terms.otherwise in request.consents:
            return _finding(Judgement.OK, subject, f"{terms.otherwise} is on record")
        words = f"{terms.via} is for {', '.join(terms.who)}, or needs {terms.otherwise}"
        return _finding(Judgement.DENIED, subject, words)

    def otherwise(self) -> str:
        """Return who may acknowledge."""
        terms = self._terms
        consent = "" if terms.otherwise is None else f", or somebody else with {terms.otherwise}"
        return f"{' or '.join(terms.who)} acknowledges it by {terms.via}{consent}."


def _finding(judgement: Judgement, subject: str, words: str) -> Finding:
    return Finding(judgement=judgement, subject=subject, words=words)


KIND = AckAuthority
