"""A channel is for some uses, and for some users."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.agreement import Channels, EventWord, Fields, Parties, PartName
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.purposes import purposes_of, purposes_of_request
from gateway.rules.rule import Finding, Rule

_RANK = {urgency: rank for rank, urgency in enumerate(Urgency)}
"""Distress first."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these channels nothing but these purposes, users, categories and modes."""

    channels: Channels
    purposes: Fields | None = None
    who: Parties = ()
    """None for everybody."""
    min_category: Urgency | None = None
    """The lowest that may be used here: with `safety` routine traffic goes elsewhere."""
    modes: tuple[PartName, ...] = ()
    """dsc, ais, or emissions of voice; none for any."""
    exempt: tuple[PartName, ...] = ()
    """Purposes that are free of the rule."""


class AllowedUse(Rule):
    """Compares each use of the channels with the plan; who nobody can name is `unknown`."""

    terms = Terms

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own

    def hears(self) -> frozenset[EventWord]:
        """Hear every use of a channel, by radio or by what people say was spoken."""
        return frozenset({EventWord.USE, EventWord.GUARD_CALL})

    def hear(self, event: Event) -> tuple[Finding, ...]:
        """Say what in a use is outside the plan."""
        if event.channel not in self._channels:
            return ()
        purposes = purposes_of(event)
        if not purposes.isdisjoint(self._terms.exempt):
            return ()
        wrong = self._wrong(purposes, event.category, event.system)
        if wrong is None and self._who and self._who.isdisjoint(event.by):
            if not event.by:
                words = f"nobody knows whose station has used {event.channel}"
                return (_finding(Judgement.UNKNOWN, event.subject, words),)
            wrong = f"{event.by[0]} may not use it"
        if wrong is None:
            return ()
        words = f"{event.channel} was used, and {wrong}"
        return (_finding(Judgement.VIOLATION, event.subject, words),)

    def gate(self, request: Request) -> Finding | None:
        """Deny what is outside the plan."""
        if request.channel not in self._channels:
            return None
        purposes = purposes_of_request(request)
        if not purposes.isdisjoint(self._terms.exempt):
            return None
        wrong = self._wrong(purposes, request.category, request.mode)
        by = self._own if request.by is None else (request.by,)
        if wrong is None and self._who and self._who.isdisjoint(by):
            wrong = "this station may not use it"
        if wrong is None:
            words = f"{request.channel} is for this"
            return _finding(Judgement.OK, request.request_id, words)
        words = f"{request.channel} can't be used, for {wrong}"
        return _finding(Judgement.DENIED, request.request_id, words)

    def _wrong(self, purposes: frozenset[str], category: Urgency, mode: str | None) -> str | None:
        terms = self._terms
        if terms.purposes is not None and purposes.isdisjoint(terms.purposes):
            return f"it is for {', '.join(terms.purposes)} alone"
        if terms.min_category is not None and _RANK[category] > _RANK[terms.min_category]:
            return f"{category.value} traffic is below {terms.min_category.value}"
        if terms.modes and mode is not None and mode not in terms.modes:
            return f"{mode} is none of its modes: {', '.join(terms.modes)}"
        return None


def _finding(judgement: Judgement, subject: str, words: str) -> Finding:
    return Finding(judgement=judgement, subject=subject, words=words)


KIND = AllowedUse
