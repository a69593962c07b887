"""Not everybody may transmit on a channel, nor without having been told to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import Channels, Parties, PartName
from gateway.model.asked import Request
from gateway.model.verdict import Judgement
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

PAIR = 2
"""Persons of whom one alone can't make this station transmit."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these channels these parties alone transmit, and only with what is asked for below."""

    channels: Channels
    who: Annotated[Parties, Meta(min_length=1)]
    authorisation: PartName | None = None
    """The consent that has to be on record for it: `duty_officer`. None: who may, may."""
    two_person: bool = False
    """Whether two different persons have to authorise it."""


class TransmitAuthority(Rule):
    """Denies a transmission to a party that may not, and one that nobody has authorised.

    A person who has signed twice is one. It is `unknown` whose station this is where the agreement
    doesn't say: then nobody transmits.
    """

    terms = Terms

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own
        self._dial = ground.dial
        self._plan = ground.agreement.channels

    def gate(self, request: Request) -> Finding | None:
        """Deny what this station may not send, or not yet."""
        channel = self._dial.of(request)
        if channel not in self._channels:
            return None
        judgement, words = self._judged(channel, request)
        return Finding(judgement=judgement, subject=request.request_id, words=words)

    def flaws(self) -> Iterator[str]:
        """Find channels on which there is nothing to authorise."""
        for name in sorted(self._channels):
            channel = self._plan.get(name)
            if channel is None:
                yield f"`{name}` is no channel of its own: nobody is ever asked about it"
            elif channel.receive_only and not self._who.isdisjoint(self._own):
                yield f"`{name}` is only listened to, and `who` lets this station transmit"
        if not self._who:
            yield "`who` names no party"

    def _judged(self, channel: str, request: Request) -> tuple[Judgement, str]:
        terms = self._terms
        by = self._own if request.by is None else (request.by,)
        if not by:
            return Judgement.UNKNOWN, f"nobody knows whose station would transmit on {channel}"
        if self._who.isdisjoint(by):
            words = f"{by[0]} may not transmit on {channel}: {', '.join(terms.who)} do"
            return Judgement.DENIED, words
        if terms.authorisation is not None and terms.authorisation not in request.consents:
            words = (
                f"{terms.authorisation} has to be on record to transmit on {channel}, and is not"
            )
            return Judgement.DENIED, words
        persons = {name for person in request.persons if (name := person.strip().casefold())}
        if terms.two_person and len(persons) < PAIR:
            words = f"{PAIR} persons have to authorise it to transmit on {channel}"
            return Judgement.DENIED, f"{words}; so far: {len(persons)}"
        return Judgement.OK, f"{by[0]} may transmit on {channel}"


KIND = TransmitAuthority
