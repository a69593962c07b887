"""Which modem may have said this: every generic profile is asked, and their answers compared.

A reading that something proves goes before one that nothing does, and what understands more before
what understands less. Two that make as much of it, and not the same, are a question for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.model.plan import Profile
from gateway.model.words import Integrity
from gateway.settings import profile_named, profile_names
from gateway.verbs.walk import Walk, Wire

_MEANT = ("system", "kind", "urgency", "mode", "sender", "casualty", "position", "text", "detail")
"""What a report means; the rest depends on the profile by which it was read."""

_TEXT_MARKED = ("nmea", "avr")
"""Framings of text that know a message by its marks; others take any line for one."""
_BYTES_MARKED = ("actisense", "beast", "kiss", "cobs", "slip", "meshtastic", "symbols")


def generic_profiles() -> dict[str, Profile]:
    """Return the profiles that stand for every modem that speaks such a language."""
    names = (name for name in profile_names() if name.startswith("generic-"))
    return {name: profile_named(name) for name in names}


def choice(wires: Iterable[Wire], profiles: Mapping[str, Profile]) -> tuple[Walk, tuple[Walk, ...]]:
    """Return the walk that understands most, of these the simplest, and those that rival it.

    A rival makes as much of it, and something else; there is one of each kind.
    """
    walks = [Walk(name, profile, wire) for wire in wires for name, profile in profiles.items()]
    walks.sort(key=_understanding, reverse=True)
    best = walks[0]
    rivals: dict[bytes, Walk] = {}
    for walk in walks:
        if walk.rulings and _weight(walk) == _weight(best):
            rivals.setdefault(_meant(walk), walk)
    rivals.pop(_meant(best), None)
    return best, tuple(rivals.values())


def _weight(walk: Walk) -> tuple[int, int]:
    """Return how many of its reports something proves, and how many there are."""
    proven = sum(ruling.sighting.report.integrity is not Integrity.NONE for ruling in walk.rulings)
    return proven, len(walk.rulings)


def _understanding(walk: Walk) -> tuple[int, ...]:
    marks = _TEXT_MARKED if walk.wire.end else _BYTES_MARKED
    marked = walk.messages > 0 and walk.profile.framing in marks
    # Without marks anything is whole, and anything may be the rest of a call for help.
    whole = marked and walk.messages - walk.broken
    like = marked and sum(step.distress_like for step in walk.steps)
    # Where nothing is understood, the one that has asked every radio system knows most about it.
    radios = len(walk.profile.radio)
    strange, simplest = walk.unknown + walk.faulty, -radios if walk.rulings else radios
    return (*_weight(walk), whole, like, walk.known, walk.proven, marked, -strange, simplest)


def _meant(walk: Walk) -> bytes:
    """Return what was understood, without what depends on the profile."""
    reports = [msgspec.to_builtins(ruling.sighting.report) for ruling in walk.rulings]
    return msgspec.json.encode([[report.get(key) for key in _MEANT] for report in reports])
