"""Can one event be what two rules wait for? What of an event follows from what it is called."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model.agreement import EventWord
from gateway.rules.events import BEACONS, TRANSPONDERS
from gateway.rules.parties import Rolls
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

_AT_ONCE = (
    _BY_BEACONS | {EventWord.DISTRESS_ALERT},
    _BY_TRANSPONDERS | {EventWord.DISTRESS_ALERT},
    frozenset({EventWord.VIOLATION, EventWord.SEPARATION_VIOLATION}),
)
"""What one event may be called at once."""


def systems_of(when: When, word: EventWord) -> frozenset[str] | None:
    """Return the radio systems on which this can be heard; None for any, empty for none."""
    found = [frozenset(when.system)] if when.system else []
    if word in _BY_BEACONS or when.protocol or when.generation is not None:
        found.append(frozenset({BEACONS}))
    if word in _BY_TRANSPONDERS:
        found.append(frozenset({TRANSPONDERS}))
    return frozenset.intersection(*found) if found else None


def may_be_one(one: When, other: When, rolls: Rolls) -> bool:
    """Say whether one event may be what both wait for, as far as what they ask for tells.

    In two zones it may be only where they are the same: nobody asks here whether they overlap.
    """
    if one.test != other.test or not _may_be_called_both(one, other):
        return False
    narrowed = (
        (one.band, other.band),
        (one.protocol, other.protocol),
        (one.rules, other.rules),
        (_given(one.generation), _given(other.generation)),
        (_given(one.zone), _given(other.zone)),
        (rolls.named(one.to), rolls.named(other.to)),
        (rolls.named(one.of), rolls.named(other.of)),
        (rolls.named(one.between), rolls.named(other.between)),
    )
    return all(not ours or not theirs or set(ours) & set(theirs) for ours, theirs in narrowed)


def _may_be_called_both(one: When, other: When) -> bool:
    return any(
        _share(systems_of(one, word), systems_of(other, another))
        for word in one.type
        for another in other.type
        if word == another or any({word, another} <= names for names in _AT_ONCE)
    )


def _share(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


def _given(value: object) -> Iterable[object]:
    return () if value is None else (value,)
