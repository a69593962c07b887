"""What follows of an event from what it is called: who can hear it, and by which radio."""

from __future__ import annotations

from gateway.model.agreement import EventWord
from gateway.rules.events import BEACONS, TRANSPONDERS
from gateway.rules.when import When

_BY_TRANSPONDERS = frozenset(
    {
        EventWord.SQUAWK_7500,
        EventWord.SQUAWK_7600,
        EventWord.SQUAWK_7700,
        EventWord.ADSB_EMERGENCY,
    }
)
_BY_BEACONS = frozenset({EventWord.BEACON, EventWord.ELT})

BY_RADIO = (
    _BY_TRANSPONDERS
    | _BY_BEACONS
    | {
        EventWord.HEARD,
        EventWord.USE,
        EventWord.POSITION,
        EventWord.TEST,
        EventWord.DISTRESS_ALERT,
        EventWord.DISTRESS_ACK,
        EventWord.DISTRESS_RELAY,
        EventWord.CANCEL,
        EventWord.URGENCY_CALL,
        EventWord.SAFETY_CALL,
        EventWord.CALL,
    }
)
"""What a decoder tells of. All else is stated by people, receivers and other rules, and has no
system, no band and no mark of a test."""


def systems_of(when: When, word: EventWord) -> frozenset[str] | None:
    """Return the radio systems on which this can be heard; None for any, empty for none."""
    found = [frozenset(when.system)] if when.system else []
    if word in _BY_BEACONS or when.protocol or when.generation is not None:
        found.append(frozenset({BEACONS}))
    if word in _BY_TRANSPONDERS:
        found.append(frozenset({TRANSPONDERS}))
    return frozenset.intersection(*found) if found else None
