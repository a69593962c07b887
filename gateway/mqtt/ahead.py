"""What has just been journaled, at hand for the pump that would read it back from the disk.

Pure. An entry is given from here only when it is proven to be the next in its lane: it names the
one before it, and that is where the pump stands. Whatever doesn't fit is read from the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane

AHEAD_MAX = 64
"""Entries of one lane at hand: six batches of it. With more of them the disk is read."""


class Ahead:
    """The newest entries of some lanes, and where each lane is known to end."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._entries: dict[Lane, deque[Entry]] = {lane: deque(maxlen=AHEAD_MAX) for lane in lanes}
        self._ends: dict[Lane, int] = {}
        """Behind which entry nothing stands, but what is at hand."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how many entries are at hand, in the lane that has the most."""
        yield Bound(
            of="Ahead._entries",
            what="at_hand",
            held=max(len(entries) for entries in self._entries.values()),
            limit=AHEAD_MAX,
            rule="the oldest of a lane is read from the disk instead",
        )

    def put(self, entry: Entry) -> None:
        """Take note of an entry that is on disk; one that comes behind a newer is left there."""
        entries = self._entries[entry.lane]
        if not entries or entry.number > entries[-1].number:
            entries.append(entry)
        if entry.number > self._ends.get(entry.lane, 0):
            self._ends.pop(entry.lane, None)

    def behind(self, lane: Lane, last: int, limit: int) -> tuple[Entry, ...] | None:
        """Return what stands in the outbox behind this entry; None when only the disk knows."""
        entries = self._entries[lane]
        while entries and entries[0].number <= last:
            entries.popleft()
        if not entries and self._ends.get(lane) == last:
            return ()
        found: list[Entry] = []
        while entries and len(found) < limit and _follows(entries[0], last):
            found.append(entries.popleft())
            last = found[-1].number
        if not found:
            entries.clear()  # the disk has them too, but for what is struck out by then
            return None
        self._ends[lane] = last
        return tuple(found)

    def read(self, lane: Lane, last: int) -> None:
        """Take note that the disk has nothing behind this entry."""
        self._ends[lane] = last

    def forget(self) -> None:
        """Trust nothing but the disk, once: an entry may have been put here by nobody."""
        self._ends.clear()


def _follows(entry: Entry, last: int) -> bool:
    return entry.follows is not None and entry.follows <= last
