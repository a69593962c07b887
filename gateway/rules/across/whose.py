"""Whose is a station that two parties say is theirs? What it does counts for both.

A party may be a kind of station, whosever: every ship, every coast station, every aircraft. Who is
of another party too is meant to be of both. Where two parties each are somebody, it is a slip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, product

from msgspec import Struct

from gateway.model.agreement import Match, Party
from gateway.rules.across.scope import Flaw, Scope

_COUNTRY_AT = ("", "00", "0", "111", "98", "99")
"""What stands before the maritime identification digits (ITU-R M.585-9): of ships nothing, of coast
stations, groups, aircraft of rescue services, craft of a mother ship and aids to navigation."""

_DIGITS = "0123456789"
_FIRST_OF_COUNTRY = frozenset("234567")
_MMSI_DIGITS = 9
_COUNTRY_DIGITS = 3
_PLACE = re.compile(r"\[[^]]*\]|.")

_Places = tuple[frozenset[str], ...]
"""Which digits may stand in each place of an MMSI."""


class _Name(Struct, frozen=True):
    key: str
    """The key of `match`."""
    text: str


class _Number(_Name, frozen=True):
    forms: tuple[_Places, ...]


class _Address(_Name, frozen=True):
    low: str
    high: str


class _Call(_Name, frozen=True):
    begin: str


def of_whose(scope: Scope) -> Iterator[Flaw]:
    """Yield each two parties of an agreement that one station may be of, without a word of it."""
    for ground in scope.grounds:
        names = {name: _names(party) for name, party in ground.agreement.parties.items()}
        for one, other in combinations(names, 2):
            both = _shared(names[one], names[other])
            if both is not None:
                here, there = (f"{name.key} {name.text}" for name in both)
                words = f"a station may be of {other} too, by {here} here and {there} there"
                where = scope.named(ground.agreement, f"party {one}")
                yield Flaw(where, f"{words}: what it does counts for both")


def _names(party: Party) -> tuple[_Name, ...]:
    match = party.match
    return (
        *(_Number("mmsi", one, (_places(one),)) for one in match.mmsi),
        *(_of_country(mid) for mid in match.mid),
        *(_addresses(one) for one in match.icao24),
        *(_Call("callsign", one, one.removesuffix("*")) for one in match.callsign),
        *_words(match),
    )


def _words(match: Match) -> Iterator[_Name]:
    for key in ("system", "tag", "registry"):
        yield from (_Name(key, one) for one in getattr(match, key))


def _shared(ours: tuple[_Name, ...], theirs: tuple[_Name, ...]) -> tuple[_Name, _Name] | None:
    """Return the first two names that one station may have, neither of them or each a mere kind."""
    alike = {(one.key, one.text): one for one in ours}
    for one in theirs:
        if (one.key, one.text) in alike:
            return alike[one.key, one.text], one
    wide = [[one for one in names if _is_wide(one)] for names in (ours, theirs)]
    for pairs in (product(wide[0], theirs), product(ours, wide[1])):
        for one, other in pairs:
            if _meet(one, other) and _is_kind(one) == _is_kind(other):
                return one, other
    return None


def _is_wide(name: _Name) -> bool:
    """Say whether it matches more than its own text."""
    return name.key == "mid" or not name.text.isalnum()


def _meet(one: _Name, other: _Name) -> bool:
    """Say whether a station may have both names, by the same of its identities."""
    match one, other:
        case _Number(), _Number():
            return any(
                all(ours & theirs for ours, theirs in zip(form, another, strict=True))
                for form, another in product(one.forms, other.forms)
            )
        case _Address(), _Address():
            return one.low <= other.high and other.low <= one.high
        case _Call(), _Call():
            long, short = sorted((one, other), key=lambda call: len(call.begin), reverse=True)
            return long.begin.startswith(short.begin) and short.text.endswith("*")
        case _:
            return False


def _is_kind(name: _Name) -> bool:
    """Say whether it tells a kind of station, of whatever country."""
    if isinstance(name, _Address):
        return name.text == "*"
    is_one = name.key == "mid" or name.text.isdigit()
    return isinstance(name, _Number) and not is_one and _leaves_country_open(name.forms[0])


def _leaves_country_open(places: _Places) -> bool:
    """Say whether an MMSI may be of any country wherever it is one that has a country in it."""
    for before in _COUNTRY_AT:
        at = len(before)
        first, *others = places[at : at + _COUNTRY_DIGITS]
        is_such = all(digit in place for digit, place in zip(before, places, strict=False))
        is_open = first >= _FIRST_OF_COUNTRY and all(len(one) == len(_DIGITS) for one in others)
        if is_such and first & _FIRST_OF_COUNTRY and not is_open:
            return False
    return True


def _places(pattern: str) -> _Places:
    places = _PLACE.findall(pattern.replace("#", "[0-9]"))
    return tuple(frozenset(re.findall(place, _DIGITS)) for place in places)


def _of_country(mid: int) -> _Number:
    forms = (f"{before}{mid}".ljust(_MMSI_DIGITS, "#") for before in _COUNTRY_AT)
    return _Number("mid", str(mid), tuple(map(_places, forms)))


def _addresses(pattern: str) -> _Address:
    low, _, high = ("000000-FFFFFF" if pattern == "*" else pattern).partition("-")
    return _Address("icao24", pattern, low, high or low)
