"""What is told out of turn, so that a call on one port waits for no flood on another. Pure.

A lane is told by number. While more of it waits than goes at once, half of the places are given to
the ports by turns, and each port keeps its own order. What went out of turn is remembered until the
lane has come past it. Only what is on disk is here; what is not here is told by its number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Refused, Ruling

PORT_MAX = 16
"""Entries of one port and lane at hand: what it says in seconds. The next wait for their number."""

EARLY_MAX = 512
"""Numbers told out of turn, and not yet come past. With more of them all is told by number."""


class _Port(Struct):
    """What one port has to tell in one lane."""

    before: int
    """What the lane must have come past before any of these may go: it may be of this port."""
    entries: deque[Entry] = field(default_factory=deque)
    """The oldest of those behind it."""
    beyond: int = 0
    """The newest that found no room among them; 0 when there is none."""
    told: int = 0
    """The newest that went."""

    def gone(self) -> None:
        """The first of them goes, in its turn or out of it."""
        self.told = self.entries.popleft().number
        if not self.entries and self.beyond:
            self.before, self.beyond = self.beyond, 0


class Early:
    """The lanes of one pump on one connection."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._ports: dict[Lane, dict[str, _Port]] = {lane: {} for lane in lanes}
        """The port that was served last at the end."""
        self._told: dict[Lane, set[int]] = {lane: set() for lane in lanes}
        self._found: int | None = None
        """The newest number of earlier runs: of which port that is nobody has read yet."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is at hand, and how much was told out of turn."""
        every = [len(at.entries) for ports in self._ports.values() for at in ports.values()]
        yield Bound(
            of="_Port.entries",
            what="at_hand_of_port",
            held=max(every, default=0),
            limit=PORT_MAX,
            rule="the next ones of that port are told by their number",
        )
        yield Bound(
            of="Early._told",
            what="told_early",
            held=max(map(len, self._told.values())),
            limit=EARLY_MAX,
            rule="nothing more is told out of turn until the lane has come past some of them",
        )

    def put(self, entry: Entry) -> None:
        """Take note of an entry that is on disk, and not told."""
        if self._found is None:
            self._found = entry.number - 1
        name = _port_of(entry)
        at = self._ports[entry.lane].setdefault(name, _Port(before=self._found))
        if at.beyond or len(at.entries) >= PORT_MAX:
            at.beyond = entry.number
        else:
            at.entries.append(entry)

    def anew(self) -> None:
        """All is told again from the beginning: no port may overtake what it has told before."""
        for lane, ports in self._ports.items():
            self._told[lane].clear()
            for at in ports.values():
                at.before = max(at.before, at.told)

    def share(self, lane: Lane, last: int, limit: int) -> int:
        """Return how many of so many places are for what goes out of turn from there."""
        waiting = [at for at in self._ports[lane].values() if at.entries]
        # One port alone waits for nobody.
        if len(waiting) < 2 or len(self._told[lane]) + limit > EARLY_MAX:
            return 0
        if not any(at.beyond for at in waiting) and sum(len(at.entries) for at in waiting) <= limit:
            return 0
        return min(limit // 2, sum(len(at.entries) for at in waiting if at.before <= last))

    def untold(self, lane: Lane, rows: Sequence[Entry]) -> list[Entry]:
        """Come past these; return which of them did not go out of turn before."""
        told = self._told[lane]
        fresh = [row for row in rows if row.number not in told]
        for row in rows[-1:]:
            if told:
                self._told[lane] = {number for number in told if number > row.number}
            for at in self._ports[lane].values():
                while at.entries and at.entries[0].number <= row.number:
                    at.gone()
        return fresh

    def take(self, lane: Lane, last: int, limit: int) -> list[Entry]:
        """Return what goes out of turn where the lane has come so far: port by port."""
        found: list[Entry] = []
        ports = self._ports[lane]
        while len(found) < limit:
            free = (name for name, at in ports.items() if at.entries and at.before <= last)
            name = next(free, None)
            if name is None:
                break
            at = ports[name] = ports.pop(name)
            found.append(at.entries[0])
            at.gone()
        self._told[lane].update(entry.number for entry in found)
        return found


def _port_of(entry: Entry) -> str:
    """Return the port that an entry came in at; what the station itself says is of none."""
    if isinstance(entry.item, Ruling):
        return entry.item.sighting.report.heard.port
    return entry.item.port if isinstance(entry.item, Refused) else ""
