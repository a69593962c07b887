"""May one event be what two clauses wait for?"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model.agreement import EventWord, Parties
from gateway.rules.across.scope import Held
from gateway.rules.events import BEACONS, TRANSPONDERS
from gateway.rules.when import When

_TOGETHER = (
    {EventWord.ELT, EventWord.BEACON, EventWord.DISTRESS_ALERT},
    {EventWord.SQUAWK_7500, EventWord.ADSB_EMERGENCY, EventWord.DISTRESS_ALERT},
    {EventWord.SQUAWK_7600, EventWord.ADSB_EMERGENCY, EventWord.DISTRESS_ALERT},
    {EventWord.SQUAWK_7700, EventWord.ADSB_EMERGENCY, EventWord.DISTRESS_ALERT},
    {EventWord.VIOLATION, EventWord.SEPARATION_VIOLATION},
)
"""Words that one event may have at once."""

SYSTEM_OF = {
    EventWord.BEACON: BEACONS,
    EventWord.ELT: BEACONS,
    EventWord.SQUAWK_7500: TRANSPONDERS,
    EventWord.SQUAWK_7600: TRANSPONDERS,
    EventWord.SQUAWK_7700: TRANSPONDERS,
    EventWord.ADSB_EMERGENCY: TRANSPONDERS,
}
"""What only one radio system tells of."""


def may_be_one(one: Held, when: When, other: Held, also: When) -> bool:
    """Say whether an event may meet both; what is not said of it, it may be."""
    if when.test != also.test or not _meet(when.band, also.band):
        return False
    if not _meet(when.protocol, also.protocol):
        return False
    if when.generation != also.generation and when.generation and also.generation:
        return False
    if one.agreement is other.agreement and not _same_ends(one, when, also):
        return False
    return any(_are_one(word, when, another, also) for word in when.type for another in also.type)


def systems_of(word: EventWord, when: When) -> frozenset[str] | None:
    """Return the radio systems that tell of it, as it is waited for; None for any."""
    found = frozenset(when.system) or None
    told = SYSTEM_OF.get(word) or (BEACONS if when.protocol or when.generation else None)
    if told is None:
        return found
    return frozenset({told}) if found is None else found & {told}


def _are_one(word: EventWord, when: When, another: EventWord, also: When) -> bool:
    if word is not another and not any({word, another} <= words for words in _TOGETHER):
        return False
    systems, others = systems_of(word, when), systems_of(another, also)
    return systems is None or others is None or bool(systems & others)


def _meet(ones: Iterable[str], others: Iterable[str]) -> bool:
    """Say whether something is among both; an empty one is all there is."""
    return not ones or not others or not set(ones).isdisjoint(others)


def _same_ends(held: Held, when: When, also: When) -> bool:
    def meet(ones: Parties, others: Parties) -> bool:
        return _meet(held.parties(ones), held.parties(others))

    return (
        meet(when.to, also.to)
        and meet(when.of, also.of)
        and meet(when.between, also.between)
        and _meet(when.rules, also.rules)
    )
