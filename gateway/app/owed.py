"""What the disk owes: told with `journaled=false`, and held in memory until it is journaled.

Memory is no journal: it is bounded, and ends with the program. What is lost from it has been told,
and is counted.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Item, Lane

OWED_MAX = 4_096
"""Items held: days of distress traffic, and some 8 MB."""


class Debt(Struct, eq=False):
    """One item that the disk has not taken."""

    item: Item
    entry: Entry
    """As it was told: without a number."""
    since_ns: int
    """When it was handed to the journal for the first time, on the monotonic clock."""
    asked: bool
    """Whether the disk has been asked for it and may still take it."""


class Owed:
    """The debts of the disk, each lane in the order in which it was heard."""

    def __init__(self) -> None:
        self.lost = 0
        """Items that were told, and that neither the disk nor this memory holds."""
        self._debts: dict[Lane, deque[Debt]] = {lane: deque() for lane in Lane}
        # Only as many as can be owed at once: what is older has been signed for, or is old enough
        # for every alarm.
        self._since_ns: OrderedDict[tuple[str, int], int] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._debts.values()))

    def __iter__(self) -> Iterator[Debt]:
        """Return all debts, the most urgent lane first."""
        for debts in self._debts.values():
            yield from debts

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is owed, and how much is remembered of what was."""
        yield Bound(
            of="Owed._debts",
            what="owed_by_disk",
            held=len(self),
            limit=OWED_MAX,
            rule="the newest of the least urgent goes; it has been told",
            evicted=self.lost,
            urgent=True,
        )
        yield Bound(
            of="Owed._since_ns",
            what="paid_by_disk",
            held=len(self._since_ns),
            limit=OWED_MAX,
            rule="the oldest goes; its age is then counted from its journaling",
        )

    def put(self, debt: Debt) -> None:
        """Hold a debt. When there is no room the newest of the least urgent goes."""
        if len(self) >= OWED_MAX:
            self.lost += 1
            lane = next(lane for lane in reversed(Lane) if self._debts[lane])
            if tuple(Lane).index(lane) <= tuple(Lane).index(debt.entry.lane):
                return
            self._debts[lane].pop()
        self._debts[debt.entry.lane].append(debt)

    def due(self, limit: int) -> Sequence[Debt]:
        """Return what the disk is to be asked for now, at most `limit` of it."""
        return list(islice((debt for debt in self if not debt.asked), limit))

    def paid(self, debt: Debt, entry: Entry) -> None:
        """Strike a debt out: this is the entry that stands in the journal for it."""
        debts = self._debts[debt.entry.lane]
        if debt in debts:
            debts.remove(debt)
        else:  # there was no room for it while the disk was asked
            self.lost -= 1
        self._since_ns[entry.epoch, entry.number] = debt.since_ns
        if len(self._since_ns) > OWED_MAX:
            self._since_ns.popitem(last=False)

    def distress(self) -> Sequence[tuple[Entry, int]]:
        """Return each distress that is owed, and since when, the oldest first."""
        return [(debt.entry, debt.since_ns) for debt in self._debts[Lane.DISTRESS]]

    def since_ns(self, entry: Entry) -> int | None:
        """Return when an entry that was journaled afterwards had been heard; None for any other."""
        return self._since_ns.get((entry.epoch, entry.number))
