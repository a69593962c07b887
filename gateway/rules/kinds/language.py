"""What is spoken on a channel is spoken in a language that everybody there knows."""

from __future__ import annotations

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


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These languages are spoken on these channels."""

    channels: Channels
    languages: Annotated[
        tuple[
            Annotated[
                str,
                Meta(
                    pattern=r"\A[a-z]{2}\Z",
                    description="the two letters of a language (ISO 639-1)",
                    examples=["en"],
                ),
            ],
            ...,
        ],
        Meta(min_length=1, max_length=16),
    ]
    """Any of these will do."""
    phrasebook: Words | None = None
    """The phrases to be used: they are named in what is said."""


class Language(Rule):
    """Compares the language of what is spoken with those agreed, as a person tells it.

    What this station would say has to name its language: a text without one is `unknown`.
    """

    terms = Terms

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._dial = ground.dial

    def hears(self) -> frozenset[EventWord]:
        """Hear what was spoken, as people tell it."""
        return frozenset({EventWord.SPOKEN, EventWord.GUARD_CALL, EventWord.ANSWER})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say that another language was spoken."""
        spoken = None if event.fact is None else event.fact.language
        if event.channel not in self._channels or spoken is None:
            return
        if spoken not in self._terms.languages:
            words = f"{spoken} was spoken on {event.channel}: {self._agreed()}"
            yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Deny what nobody there would understand."""
        channel = self._dial.of(request)
        if channel not in self._channels or not (request.text or request.language):
            return None
        if request.language is None:
            judgement = Judgement.UNKNOWN
            words = f"it does not say in which language it is: {self._agreed()}"
        elif request.language in self._terms.languages:
            judgement, words = Judgement.OK, f"{request.language} is spoken on {channel}"
        else:
            judgement = Judgement.DENIED
            words = f"it is in {request.language}, and goes out on {channel}: {self._agreed()}"
        return Finding(judgement=judgement, subject=request.request_id, words=words)

    def _agreed(self) -> str:
        agreed = f"{', '.join(self._terms.languages)} agreed"
        phrases = self._terms.phrasebook
        return agreed if phrases is None else f"{agreed}, in the phrases of {phrases}"


KIND = Language
