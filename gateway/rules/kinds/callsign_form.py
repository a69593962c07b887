"""Whoever speaks says who they are, in the agreed form, and is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import Channels, EventWord
from gateway.model.asked import Request
from gateway.model.text import Words
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

_READABILITY = re.compile(r"readability[ :]*([1-5])(?!\d)", re.IGNORECASE)
"""As it is reported on the air: from 1, unreadable, to 5, perfectly (RR, the SINPO code; ICAO
Annex 10 volume II 5.2.1.8.4)."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these channels call signs are of this form."""

    channels: Channels
    begins: Annotated[
        tuple[Annotated[str, Meta(pattern=r"\A[A-Z0-9]{1,15}\Z")], ...], Meta(max_length=64)
    ] = ()
    """How call signs begin; none for any."""
    assigned: tuple[Words, ...] = ()
    """The call signs of this agreement: nobody uses another, and this station says one of them."""
    readability: Annotated[int, Meta(ge=1, le=5)] | None = None
    """The least at which an exchange counts, on the scale of 1 to 5."""


class CallsignForm(Rule):
    """Holds the call signs that are heard, and those that this station would say, to their form.

    What was sent without one is `unknown`, for it may have been said and not been decoded.
    """

    terms = Terms

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._dial = ground.dial
        self._assigned = frozenset(one.upper() for one in terms.assigned)
        self._says = re.compile(
            rf"(?<!\w)(?:{'|'.join(re.escape(one) for one in sorted(self._assigned))})(?!\w)"
        )
        """Any of them, whole: RCH1 is not said by saying RCH12."""

    def hears(self) -> frozenset[EventWord]:
        """Hear every use of a channel, and how well it was understood."""
        return frozenset({EventWord.USE, EventWord.ANSWER, EventWord.COMM_CHECK})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say what is wrong with a call sign, or with how it was heard."""
        if event.channel not in self._channels:
            return
        if EventWord.USE in event.words:
            yield from self._used(event)
        elif self._terms.readability is not None and event.fact is not None:
            yield from self._understood(event, event.fact.words, self._terms.readability)

    def gate(self, request: Request) -> Finding | None:
        """Deny what does not say whose it is."""
        channel = self._dial.of(request)
        if not self._assigned or channel not in self._channels:
            return None
        said = self._says.search(request.text.upper()) is not None
        words = f"it says none of {', '.join(self._terms.assigned)} on {channel}"
        return Finding(
            judgement=Judgement.OK if said else Judgement.DENIED,
            subject=request.request_id,
            words="it says whose it is" if said else words,
        )

    def flaws(self) -> Iterator[str]:
        """Find a form that asks for nothing, or that nothing assigned has."""
        terms = self._terms
        if not terms.begins and not terms.assigned and terms.readability is None:
            yield "it asks for nothing: give `begins`, `assigned` or `readability`"
        strange = [one for one in terms.assigned if not self._is_formed(one.upper())]
        if strange:
            yield f"of `assigned`, {', '.join(strange)} does not begin as `begins` says"

    def _used(self, event: Event) -> Iterator[Finding]:
        if not self._terms.begins and not self._assigned:
            return
        sender = None if event.report is None else event.report.sender
        callsign = None if sender is None else sender.callsign
        if callsign is None:
            words = f"no call sign was heard on {event.channel}"
            yield Finding(judgement=Judgement.UNKNOWN, subject=event.subject, words=words)
            return
        known = callsign.upper()
        if self._assigned and known not in self._assigned:
            why = "is none of those that were assigned"
        elif not self._is_formed(known):
            why = f"does not begin with {', '.join(self._terms.begins)}"
        else:
            return
        words = f"{callsign} {why} on {event.channel}"
        yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)

    def _understood(self, event: Event, words: str, least: int) -> Iterator[Finding]:
        found = _READABILITY.search(words)
        if found is not None and int(found[1]) < least:
            told = f"readability {found[1]} on {event.channel}: {least} at the least is agreed"
            yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=told)

    def _is_formed(self, callsign: str) -> bool:
        return not self._terms.begins or callsign.startswith(self._terms.begins)


KIND = CallsignForm
