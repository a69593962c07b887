"""Last known places: of each craft only the newest is worth telling. Pure; it never waits.

Conflation touches routine positions alone. What they replace is on disk, and counted here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.entry import Entry

CRAFT_MAX = 8_192
"""Craft followed at once: the busiest strait shows a few thousand. The longest silent goes. One
that waits for a broker costs 4 KB, and so all of them 32 MB."""

Craft = str
"""A craft as one radio system names it: the topic of its last known place."""


class Positions:
    """The newest untold place of each craft, and when each was told of last."""

    def __init__(self, interval_s: float) -> None:
        self._interval_ns = int(interval_s * 1e9)
        # Not plain dicts: finding their oldest key takes the longer the more have been deleted.
        self._waiting: OrderedDict[Craft, Entry] = OrderedDict()
        self._told_ns: OrderedDict[Craft, int] = OrderedDict()
        self.conflated = 0
        """Places that a newer one replaced before they were told."""
        self.evicted = 0
        """Places never told because too many craft were about."""

    def __len__(self) -> int:
        return len(self._waiting)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft wait to be told of, and how many are followed."""
        yield Bound(
            of="Positions._waiting",
            what="places_waiting",
            held=len(self._waiting),
            limit=CRAFT_MAX,
            rule="the one that waits longest goes; routine positions only",
            evicted=self.evicted,
        )
        yield Bound(
            of="Positions._told_ns",
            what="craft_followed",
            held=len(self._told_ns),
            limit=CRAFT_MAX,
            rule="the longest silent goes; its next place is told at once",
        )

    def put(self, craft: Craft, entry: Entry) -> None:
        """Take a place to tell; it replaces what waits of the same craft."""
        waiting = self._waiting
        if craft in waiting:
            self.conflated += 1
        elif len(waiting) >= CRAFT_MAX:
            waiting.popitem(last=False)
            self.evicted += 1
        waiting[craft] = entry

    def due(self, now_ns: int, limit: int) -> list[tuple[Craft, Entry]]:
        """Return what may be told now, longest waiting first, at most `limit` of it."""
        found: list[tuple[Craft, Entry]] = []
        before_ns = now_ns - self._interval_ns
        for craft, entry in self._waiting.items():
            if self._told_ns.get(craft, before_ns) <= before_ns:
                found.append((craft, entry))
                if len(found) == limit:
                    break
        return found

    def told(self, craft: Craft, now_ns: int) -> None:
        """Note that what waits of this craft has just been told."""
        del self._waiting[craft]
        # Put last: the order of this map is the order in which craft fell silent.
        self._told_ns.pop(craft, None)
        self._told_ns[craft] = now_ns
        if len(self._told_ns) > CRAFT_MAX:
            self._told_ns.popitem(last=False)
