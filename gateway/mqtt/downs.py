"""Which connections of a link have been down for too long. Pure."""

from __future__ import annotations

from collections.abc import Iterable

DOWN_S = 4.0
"""A connection that is down for so long raises the alarm: with the ten seconds in which a broker
that says nothing is found out, a quarter of a minute. The first attempts to connect again are over
by then."""


class Downs:
    """When each connection that is down was first found so."""

    def __init__(self) -> None:
        self._since_ns: dict[str, int] = {}

    def look(self, lanes: Iterable[tuple[str, bool]], now_ns: int) -> None:
        """Note which connections stand now."""
        for lane, stands in lanes:
            if stands:
                self._since_ns.pop(lane, None)
            else:
                self._since_ns.setdefault(lane, now_ns)

    def lasting(self, now_ns: int) -> tuple[str, ...]:
        """Return those that have been down for DOWN_S and longer."""
        found = self._since_ns.items()
        return tuple(lane for lane, since_ns in found if now_ns - since_ns >= DOWN_S * 1e9)
