"""When an entry is old enough to be thrown away. Nothing here knows the disk.

A clock that was wrong must cost nobody a distress call. So the monotonic clock decides wherever it
can: what was there when this run was as old as the retention is older than that, whatever the time
of day says. Only for rows of earlier runs the time of day is asked, and only while the kernel
answers for it: a clock that runs free may be years ahead. Then they wait like those of this run.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from gateway.model.inbound import CLOCK_FLOOR_UTC_NS, Moment
from gateway.model.words import HELD

BITE_ROWS = 256
"""Entries looked at in one transaction: some milliseconds, whatever the card."""

EVERY_S = 3600
"""How often the entries are gone through, so that trim records stay few."""

_HOUR_NS = 3600 * 10**9


class Ripe(Struct, frozen=True):
    """Which entries are old enough."""

    number_proven: int
    """All up to this one: so old is this run itself."""
    number_dated: int
    """Up to this one, those with a time of day in between the following."""
    utc_ns_min: int
    utc_ns_max: int


class Retention:
    """The rounds of one run through the entries."""

    def __init__(self, *, keep_hours: int, number_last: int) -> None:
        self.after = 0
        """The last number looked at in this round."""
        self._keep_ns = keep_hours * _HOUR_NS
        self._number_before = number_last
        """What earlier runs left."""
        # One mark a round, and none is older than the retention: 87 600 of ten years at most.
        self._marks: deque[tuple[int, int]] = deque()
        self._number_proven = 0
        self._due_ns = 0

    def due(self, now: Moment, *, number_last: int) -> Ripe | None:
        """Return what may be thrown away, when it is time to look; then not again for a while."""
        if now.mono_ns < self._due_ns:
            return None
        self._due_ns = now.mono_ns + EVERY_S * 10**9
        if not self._marks or self.after == 0:
            self._marks.append((now.mono_ns, number_last))
        while self._marks and self._marks[0][0] <= now.mono_ns - self._keep_ns:
            self._number_proven = self._marks.popleft()[1]
        is_held = now.utc_ns is not None and now.clock in HELD
        return Ripe(
            number_proven=self._number_proven,
            number_dated=self._number_before if is_held else 0,
            utc_ns_min=CLOCK_FLOOR_UTC_NS,
            utc_ns_max=(now.utc_ns or 0) - self._keep_ns,
        )

    def looked(self, *, rows: int, after: int) -> None:
        """Take note of how far a bite came; one that was not full ends the round."""
        self.after = after if rows == BITE_ROWS else 0
        if self.after:
            self._due_ns = 0
