"""What a transmission is for, in the words that agreements use for it."""

from __future__ import annotations

from gateway.model.agreement import EventWord
from gateway.model.asked import Request
from gateway.rules.event import Event

_BY_WORD = {
    EventWord.DISTRESS_ALERT: ("distress", "distress_alert"),
    EventWord.DISTRESS_ACK: ("distress", "distress_ack"),
    EventWord.DISTRESS_RELAY: ("distress", "distress_relay"),
    EventWord.CANCEL: ("distress", "cancel"),
    EventWord.URGENCY_CALL: ("urgency", "urgency_announce"),
    EventWord.SAFETY_CALL: ("safety", "safety_announce", "msi"),
    EventWord.CALL: ("calling", "contact"),
    EventWord.GUARD_CALL: ("contact",),
    EventWord.COMM_CHECK: ("contact", "test"),
    EventWord.TEST: ("test",),
    EventWord.POSITION: ("position", "locating", "surveillance"),
    EventWord.ELT: ("elt_homing",),
}

_OF_REQUEST = {
    "distress_alert": ("distress",),
    "distress_ack": ("distress",),
    "distress_relay": ("distress",),
    "cancel": ("distress",),
    "urgency_announce": ("urgency",),
    "safety_announce": ("safety",),
    "calling": ("contact",),
}
"""A request names its own purpose; these are the wider ones that it belongs to."""


def purposes_of(event: Event) -> frozenset[str]:
    """Return every purpose that what was heard serves; what a person says of it counts as one."""
    found = {purpose for word in event.words for purpose in _BY_WORD.get(word, ())}
    said = () if event.fact is None else event.fact.fields
    return frozenset(found | {event.purpose, *said})


def purposes_of_request(request: Request) -> frozenset[str]:
    """Return every purpose that a transmission asked for serves."""
    return frozenset({request.purpose, *_OF_REQUEST.get(request.purpose, ())})


def can_serve_both(one: str, other: str) -> bool:
    """Say whether one message may serve both purposes."""
    requests = (frozenset({narrow, *wide}) for narrow, wide in _OF_REQUEST.items())
    families = (*map(frozenset, _BY_WORD.values()), *requests)
    return one == other or any({one, other} <= family for family in families)
