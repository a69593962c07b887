"""What a craft or device goes by, and which of two names can't be of one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.codes.mmsi import mmsi_class
from gateway.model.place import Identity

BEACON_HEAD = 15
"""The 15-digit identity of a second-generation beacon is the head of its 23-digit one (T.018)."""

PAIRED = "epirb_ais"
"""A name that proves nothing by itself: four digits, of which there are ten thousand."""

_KINDS = (
    ("mmsi", "mmsi"),
    ("icao24", "icao24"),
    ("beacon_hex", "beacon"),
    ("imo", "imo"),
    ("tail", "tail"),
    ("callsign", "callsign"),
    ("tag", "tag"),
    ("epirb_ais", PAIRED),
)
"""Fields of an identity and the kind of name each is, the one that proves most first."""

_RANK = {kind: rank for rank, (_, kind) in enumerate(_KINDS)}

_THINGS = {
    "ship": "ship",
    "craft": "craft",
    "sar_aircraft": "aircraft",
    "handheld": "handheld",
    "ais_sart": "sart",
    "mob": "mob device",
    "epirb_ais": "epirb-ais",
    "amrd": "amrd",
}
"""What a class of MMSI numbers: one ship has one, and so has one device."""

_NOBODY = "000000000"
"""What a set sends into which no MMSI was put: many do."""

SHIP, AIRCRAFT, BEACON = "ship", "aircraft", "beacon"


def names_of(identity: Identity | None) -> tuple[str, ...]:
    """Return each name as `kind:value`, the one that proves most first."""
    if identity is None:
        return ()
    found = [(kind, getattr(identity, field)) for field, kind in _KINDS]
    return tuple([f"{kind}:{value}" for kind, value in found if value not in (None, _NOBODY)])


def is_coast_station(name: str) -> bool:
    """Say whether this names one, whose part it is to acknowledge a call (M.541)."""
    kind, _, value = name.partition(":")
    return kind == "mmsi" and mmsi_class(value) == "coast"


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return names, the ones that prove most first."""
    return tuple(sorted(names, key=lambda name: (_RANK.get(name.partition(":")[0], 0), name)))


def proves(name: str) -> bool:
    """Say whether what shares this name is one thing."""
    return not name.startswith((f"{PAIRED}:", "tag:"))


def things_of(names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return what kinds of things are named, and by which numbers."""
    found: dict[str, set[str]] = {}
    for name in names:
        kind, _, value = name.partition(":")
        thing = _thing(kind, value)
        if thing is not None:
            number = value[:BEACON_HEAD] if thing == BEACON else value
            found.setdefault(thing, set()).add(number)
    return {thing: frozenset(numbers) for thing, numbers in found.items()}


def differ(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> str | None:
    """Return why these can't be of one casualty by their nearness alone, or None."""
    for thing, numbers in one.items():
        others = other.get(thing)
        if others is not None and not numbers & others:
            return f"they are two different things of a kind: {thing}"
    if (SHIP in one and AIRCRAFT in other) or (AIRCRAFT in one and SHIP in other):
        return "one is a ship and the other an aircraft"
    return None


def _thing(kind: str, value: str) -> str | None:
    if kind == "mmsi":
        return _THINGS.get(mmsi_class(value) or "")
    if kind == "icao24":
        return AIRCRAFT
    return BEACON if kind == "beacon" else None
