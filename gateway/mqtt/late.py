"""Which entries are told late: they waited for the link, or for the disk.

A consumer sees it on the record, and need not work it out from the times.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.entry import Entry
from gateway.mqtt.bus import Bus

AFTERWARDS_MAX = 4_096
"""Numbers remembered of what was journaled after it was told; all that can be owed at once."""


class Late:
    """What one link knows of the waiting of its entries."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._prompt: tuple[int, str, int] | None = None
        """The first entry that the present connection was up for."""
        self._afterwards: OrderedDict[tuple[str, int], None] = OrderedDict()

    def bounds(self) -> Iterator[Bound]:
        """Yield how many numbers are remembered."""
        yield Bound(
            of="Late._afterwards",
            what="journaled_afterwards",
            held=len(self._afterwards),
            limit=AFTERWARDS_MAX,
            rule="the oldest goes; should it be told once more, it is not marked late for this",
        )

    def note(self, entry: Entry) -> None:
        """Take note of an entry that has just reached the disk; lanes come out of order."""
        if self._bus.connected:
            note = (self._bus.connects, entry.epoch, entry.number)
            same = self._prompt is not None and self._prompt[:2] == note[:2]
            self._prompt = min(self._prompt, note) if self._prompt and same else note

    def afterwards(self, entry: Entry) -> None:
        """Take note of an entry that the disk took only after it had been told."""
        self._afterwards[entry.epoch, entry.number] = None
        if len(self._afterwards) > AFTERWARDS_MAX:
            self._afterwards.popitem(last=False)

    def waited(self, entry: Entry) -> bool:
        """Return whether an entry was on disk before there was a link to tell it, or too late."""
        if self._prompt is None or (entry.epoch, entry.number) in self._afterwards:
            return True
        connects, epoch, number = self._prompt
        return (connects, epoch) != (self._bus.connects, entry.epoch) or entry.number < number
