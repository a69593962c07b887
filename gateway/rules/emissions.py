"""In which mode was it sent? As its radio says; what only people tell of was spoken."""

from __future__ import annotations

from gateway.model.agreement import EventWord
from gateway.rules.event import Event

VOICE = "voice"
"""What was spoken, when nobody says by which emission."""

SPEECH = frozenset({EventWord.SPOKEN, EventWord.GUARD_CALL})
"""What only people say, and so was sent by voice."""


def mode_of(event: Event) -> str | None:
    """Return the radio system of what was heard, or that it was spoken; None when nobody knows."""
    return event.system if SPEECH.isdisjoint(event.words) else VOICE


def is_voice(mode: str) -> bool:
    """Say whether it is telephony: of an emission the third sign is E (RR appendix 1)."""
    return mode == VOICE or (len(mode) == len("g3e") and mode.endswith("e"))
