"""Whose is it? Which parties of an agreement a station of any radio belongs to."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping

from gateway.codes.mmsi import mmsi_class
from gateway.model.agreement import Match, Party
from gateway.model.bounds import Bound
from gateway.model.place import Identity

KNOWN_MAX = 16_384
"""Stations whose parties are remembered: more than are heard in an hour, at 200 bytes each. What is
forgotten is found out again."""

_MID_AT = {"ship": 0, "coast": 2, "group": 1, "sar_aircraft": 3, "craft": 2, "aid_to_navigation": 2}
"""Where the maritime identification digits of each class of MMSI begin (ITU-R M.585-9)."""

Registry = Callable[[Identity], str | None]
"""Says whom the operator's register takes a craft to belong to."""


def nobody(_identity: Identity) -> str | None:
    """Answer for a station that keeps no register."""
    return None


class Rolls:
    """Who belongs to whom, asked for every message and remembered."""

    def __init__(
        self,
        parties: Mapping[str, Party],
        registry: Registry = nobody,
        *,
        own: str | None = None,
    ) -> None:
        self._tests = tuple((name, _test(party.match)) for name, party in parties.items())
        self._registry = registry
        self._known: OrderedDict[tuple[Identity | None, str | None], tuple[str, ...]] = (
            OrderedDict()
        )
        self._named = {
            name: tuple(
                party for party, plan in parties.items() if party == name or name in plan.roles
            )
            for name in {*parties, *(role for plan in parties.values() for role in plan.roles)}
        }
        self.own = () if own is None else (own,)
        """The party that this station is; empty where it is none of them."""

    def of(self, identity: Identity | None, system: str | None) -> tuple[str, ...]:
        """Return the parties that a station belongs to, in the order of the agreement."""
        key = (identity, system)
        found = self._known.get(key)
        if found is None:
            found = tuple(
                name for name, test in self._tests if test(identity, system, self._registry)
            )
            self._known[key] = found
            if len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return found

    def named(self, names: Iterable[str]) -> frozenset[str]:
        """Return the parties that have these names or roles."""
        return frozenset(party for name in names for party in self._named.get(name, ()))

    def nobody(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of these names that no party has: `addressee`, where nothing tells who."""
        return tuple(name for name in names if not self._named.get(name))

    def bounds(self) -> Iterator[Bound]:
        """Yield how many stations are remembered."""
        yield Bound(
            of="Rolls._known",
            what="stations_of_parties",
            held=len(self._known),
            limit=KNOWN_MAX,
            rule="The one remembered first is forgotten; its parties are found out again.",
        )


def mid_of(mmsi: str) -> int | None:
    """Return the maritime identification digits; None where the class of the MMSI has none."""
    start = _MID_AT.get(mmsi_class(mmsi) or "")
    return None if start is None else int(mmsi[start : start + 3])


_Test = Callable[[Identity | None, str | None, Registry], bool]


def _test(match: Match) -> _Test:
    """Return what says whether a station is one of these."""
    mmsi = re.compile("|".join(pattern.replace("#", "[0-9]") for pattern in match.mmsi) or r"(?!)")
    calls = re.compile("|".join(map(_call_pattern, match.callsign)) or r"(?!)")
    ranges = tuple(map(_addresses, match.icao24))

    def is_one(identity: Identity | None, system: str | None, registry: Registry) -> bool:
        if system in match.system:
            return True
        if identity is None:
            return False
        return (
            (identity.mmsi is not None and _by_mmsi(identity.mmsi))
            or (identity.callsign is not None and calls.fullmatch(identity.callsign) is not None)
            or (identity.icao24 is not None and _by_address(identity.icao24))
            or (identity.tag is not None and identity.tag in match.tag)
            or (bool(match.registry) and registry(identity) in match.registry)
        )

    def _by_mmsi(number: str) -> bool:
        return mmsi.fullmatch(number) is not None or (
            bool(match.mid) and mid_of(number) in match.mid
        )

    def _by_address(address: str) -> bool:
        return any(low <= address <= high for low, high in ranges)

    return is_one


def _call_pattern(pattern: str) -> str:
    return re.escape(pattern[:-1]) + ".*" if pattern.endswith("*") else re.escape(pattern)


def _addresses(pattern: str) -> tuple[str, str]:
    """Return the lowest and highest address: six digits are in order as text, too."""
    low, _, high = ("000000-FFFFFF" if pattern == "*" else pattern).partition("-")
    return low, high or low
