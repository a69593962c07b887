"""The tables of rows: what is put there, what is taken out, and the chain through all of it.

Everything here happens within a transaction of store.py, which puts the tally back when it fails.
Nothing here interprets an item beyond the lane it travels in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.journal import outboxes, sql
from gateway.journal.chain import (
    Head,
    Kept,
    Outstanding,
    Shelf,
    Trim,
    kept_of,
    link_of,
    owed_in,
    seal_of,
    trim_link_of,
)
from gateway.journal.newest import Newest
from gateway.journal.retention import BITE_ROWS, Retention, Ripe
from gateway.journal.rows import ENTRY, RANKED, RINGS, Row
from gateway.journal.writer import BACKLOG_FULL
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Moment

TRIM_ROWS_MAX = 2 * BACKLOG_FULL
"""Rows that one transaction drops from a ring: always more than it can add, so a ring that was made
smaller shrinks, without holding a commit up for long."""

SHELVES = (ENTRY, *RINGS)
OUTBOX = "outbox"

LANES = {**{lane.value: lane for lane in RANKED}, **dict.fromkeys(RINGS, Lane.ROUTINE)}
"""What stands in the link of a row for its lane, or its ring."""

Values = tuple[object, ...]
Owing = Iterable[tuple[Kept, Sequence[str]]]
"""Entries of another journal, and the links that each is owed to."""

Cursor = tuple[Lane, int]
"""Lane and number of the last entry already seen."""


class Answer(Protocol):
    """What the database answers."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def __iter__(self) -> Iterator[Values]:
        """Return the rows that were found."""


class Database(Protocol):
    """What is asked of the database."""

    def execute(self, asked: str, values: Values | Mapping[str, object], /) -> Answer:
        """Do one thing."""

    def executemany(self, asked: str, rows: Iterable[Values], /) -> Answer:
        """Do one thing with many rows."""


class Tally(Struct):
    """What the file holds and how far it has come, kept beside it so that nobody has to count."""

    head: Head
    shelves: dict[str, Shelf]
    rows: dict[str, int]
    owed: dict[str, Outstanding]
    quarantined: int
    owed_anew: set[str] = msgspec.field(default_factory=set)
    """Links whose outbox this transaction has changed."""
    moved: set[str] = msgspec.field(default_factory=set)
    """Shelves that it has changed."""
    lane_last: dict[Lane, int] = msgspec.field(default_factory=dict)
    """The newest number of each lane, as far as this run has given any."""

    def copy(self) -> Tally:
        """Return a tally that may be changed without changing this one."""
        shelves = {name: replace(shelf) for name, shelf in self.shelves.items()}
        return replace(
            self,
            head=replace(self.head),
            shelves=shelves,
            rows={**self.rows},
            owed={**self.owed},
            owed_anew={*self.owed_anew},
            moved={*self.moved},
            lane_last={**self.lane_last},
        )


class Shelves:
    """All tables of rows, and the outbox that points to them."""

    def __init__(
        self,
        db: Database,
        tally: Tally,
        *,
        links: tuple[str, ...],
        rows_max: Mapping[str, int],
        keep_hours: int,
    ) -> None:
        self.tally = tally
        self.damaged: list[tuple[str, object]] = []
        """Shelf and number of each row that was read, is not as it was written, and still there."""
        self._begun: dict[str, list[Values]] = {}
        """Rows of this transaction that are not in their tables yet, by their shelf."""
        self.newest = Newest(db)
        self._db = db
        self._links = links
        self._rows_max = rows_max
        self._retention = Retention(keep_hours=keep_hours, number_last=tally.head.number_last)

    def append(self, rows: Sequence[Row], utc_ns: int | None) -> tuple[Entry, ...]:
        """Number the rows and link each to the one before; they reach their shelves together."""
        tally, head = self.tally, self.tally.head
        number, link = head.number_last, head.link_last
        shelved: dict[str, list[Values]] = {}
        entries: list[Entry] = []
        for row in rows:
            number, before = number + 1, link
            shelf = tally.shelves[row.shelf]
            shelf.ordinal_last = ordinal = shelf.ordinal_last + 1
            is_entry = row.shelf == ENTRY
            word = row.lane.value if is_entry else row.shelf
            link = link_of(before, number, ordinal, word, utc_ns, row.body)
            place = (number, ordinal, word) if is_entry else (number, ordinal)
            shelved.setdefault(row.shelf, []).append((*place, utc_ns, before, link, row.body))
            self.newest.note(row, number)
            tally.rows[word] += 1
            follows = tally.lane_last.get(row.lane)
            tally.lane_last[row.lane] = number
            entries.append(Entry(number, head.epoch, row.lane, row.item, row.body, utc_ns, follows))
        for name, values in shelved.items():
            self._begun.setdefault(name, []).extend(values)
        if ENTRY in shelved:
            self._owe(entries)
        head.number_last, head.link_last = number, link
        return tuple(entries)

    def flush(self) -> None:
        """Put what this transaction has numbered so far where it belongs.

        To be done before anything is put to the test of a savepoint, or asks for what is there.
        """
        begun, self._begun = self._begun, {}
        self.tally.moved.update(begun.keys() - {OUTBOX})
        for name, values in begun.items():
            self._put(sql.INSERT_ROWS[name], values)
        self.newest.flush()

    def back_to(self, before: Tally) -> None:
        """Forget what a transaction that failed has done."""
        self.tally = before
        self._begun = {}
        self.newest.forget()

    def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Take the numbers out of the link's outbox; those that aren't there are no matter."""
        self.flush()
        owed = self.tally.owed.get(link, Outstanding())
        for number in numbers:
            for (rank,) in self._db.execute(sql.STRIKE, (link, number)):
                owed = owed.less(link, msgspec.convert(rank, int), number)
        self._owes(link, owed)

    def pending(
        self, link: str, lanes: tuple[Lane, ...], *, limit: int, after: Cursor | None
    ) -> tuple[Entry, ...]:
        """Return what the link has yet to take, in the order of sending; nothing damaged."""
        rank_first, seen = (RANKED.index(after[0]), after[1]) if after else (0, 0)
        found: list[Entry] = []
        for rank, lane in enumerate(RANKED):
            if lane in lanes and rank >= rank_first:
                number = seen if rank == rank_first else 0
                found += self._proven(sql.PENDING, (link, rank, number, limit - len(found)))
        return tuple(found)

    def entries(self, *, first: int, limit: int) -> tuple[Entry, ...]:
        """Return what is still kept, by number; nothing damaged."""
        return tuple(self._proven(sql.ENTRIES, {"first": first, "limit": limit}))

    def quarantined(self, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers in this range, as far as they can be read, that were set aside."""
        found = self._db.execute(sql.DAMAGED, (first, last, last - first + 1))
        return tuple(msgspec.convert(number, int) for (number,) in found)

    def set_aside(self, utc_ns: int | None) -> bool:
        """Move damaged rows into quarantine, and out of the outboxes; say whether any moved."""
        damaged, self.damaged = self.damaged, []
        moved = 0
        for shelf, number in damaged:
            self._db.execute(sql.SET_ASIDE[shelf], (utc_ns, number))
            moved += self._db.execute(sql.DELETE_ROW[shelf], (number,)).rowcount
            if shelf == ENTRY and isinstance(number, int):
                self._forget([number])
        if moved:
            # Which lane to count them off is not known: that column may be the damaged one.
            self.tally.rows = counted(self._db.execute(sql.COUNT_ROWS, ()), self.tally.rows)
            self.tally.quarantined += moved
        return moved > 0

    def take_over(self, name: str, entries: Owing, utc_ns: int | None) -> None:
        """Number entries of another journal anew, and write down how many came from it."""
        told = 0
        for kept, owing in entries:
            row = Row(None, Lane(kept.lane), ENTRY, kept.body)
            numbers = [entry.number for entry in self.append((row,), kept.utc_ns)]
            for link in self._links:
                if link not in owing:
                    self.strike(link, numbers)
            told += bool(owing)
        self._db.execute(sql.NOTE_ASIDE, (name, utc_ns, told))

    def owed_holds(self) -> bool:
        """Say whether what each link is owed proves itself."""
        return outboxes.found_in(self._db.execute).holds

    def mend(self, utc_ns: int | None) -> None:
        """Owe a link of which that doesn't hold all that is kept.

        An entry that is owed and not there is counted as set aside: it is lost, and not silently.
        """
        found = outboxes.found_in(self._db.execute)
        kept = list(self._proven(sql.KEPT, ()))
        damaged = {number for _, number in self.damaged}
        self.set_aside(utc_ns)
        every = {(RANKED.index(entry.lane), entry.number) for entry in kept}
        astray = found.numbers - {number for _, number in every} - damaged
        self._db.executemany(sql.GONE_ASTRAY, [(utc_ns, number) for number in sorted(astray)])
        self.tally.quarantined += len(astray)
        self._db.execute(sql.CLEAR_OUTBOX, ())
        self._db.execute(sql.CLEAR_OWED, ())
        for link in found.links | set(self._links):
            said = found.rows.get(link, set())
            is_known = link in self._links or bool(said)  # else its very name is damaged
            rows = every if is_known and link in found.wrong else every & said
            self._put(sql.INSERT_ROWS[OUTBOX], [(link, *row) for row in sorted(rows)])
            self.tally.owed[link] = owed_in(link, rows)
            self.tally.owed_anew.add(link)

    def ring_excess(self, ring: str) -> int:
        """Return how many rows this ring has to give up now."""
        return min(self.tally.rows[ring] - self._rows_max[ring], TRIM_ROWS_MAX)

    def trim_ring(self, ring: str) -> None:
        """Throw the oldest rows out of a ring, and keep where the rest begins."""
        excess = self.ring_excess(ring)
        for number, ordinal, link in self._db.execute(sql.RING_EDGE[ring], (excess - 1,)):
            gone = self._db.execute(sql.TRIM_RING[ring], (number,)).rowcount
            if gone > excess:  # the caller puts them back
                out_of_order = f"the ring {ring} is out of order"
                raise ValueError(out_of_order)
            self.tally.rows[ring] -= gone
            shelf = self.tally.shelves[ring]
            shelf.number_gone = msgspec.convert(number, int)
            shelf.ordinal_gone = msgspec.convert(ordinal, int)
            shelf.link_gone = msgspec.convert(link, bytes)
            self.tally.moved.add(ring)

    def ripe(self, now: Moment) -> Ripe | None:
        """Return which entries may be thrown away, when it is time to look."""
        return self._retention.due(now, number_last=self.tally.head.number_last)

    def trim_entries(self, ripe: Ripe, utc_ns: int | None) -> None:
        """Throw away one bite of entries that are old enough and told to all; write down which."""
        asked: dict[str, object] = {
            **msgspec.structs.asdict(ripe),
            "links": msgspec.json.encode(self._links).decode(),
            "after": self._retention.after,
            "limit": BITE_ROWS,
        }
        rows = list(self._db.execute(sql.RIPE, asked))
        if rows:
            self._retention.looked(rows=len(rows), after=msgspec.convert(rows[-1][1], int))
        gone: list[Kept] = []
        for is_ripe, *values in rows:
            kept = kept_of(tuple(values))
            if kept is None:
                self.damaged.append((ENTRY, values[0]))
            elif is_ripe:
                gone.append(kept)
        for kept in gone:
            self._db.execute(sql.DELETE_ROW[ENTRY], (kept.number,))
            self.tally.rows[kept.lane] -= 1
        self._forget([kept.number for kept in gone])
        for run in _runs(gone):
            self._write_down(run, utc_ns)
        self.newest.trimmed()

    def seal(self) -> None:
        """Write down how far everything has come."""
        head, shelves = self.tally.head, self.tally.shelves
        self._db.executemany(
            sql.SET_SHELF,
            [
                (shelf.ordinal_last, shelf.ordinal_gone, shelf.number_gone, shelf.link_gone, name)
                for name, shelf in shelves.items()
                if name in self.tally.moved
            ],
        )
        self.tally.moved.clear()
        anew = sorted(self.tally.owed_anew)
        self._db.executemany(
            sql.SET_OWED, [(link, *self.tally.owed[link].sealed()) for link in anew]
        )
        self.tally.owed_anew.clear()
        told = (head.number_last, head.link_last, head.trim_last, head.trim_link)
        self._db.execute(sql.SET_HEAD, (*told, seal_of(head, shelves)))

    def _owe(self, entries: Sequence[Entry]) -> None:
        """Put what is not routine into the outbox of each link."""
        ranked = [
            (RANKED.index(entry.lane), entry.number)
            for entry in entries
            if entry.lane is not Lane.ROUTINE
        ]
        for link in self._links:
            owed = self.tally.owed[link]
            for rank, number in ranked:
                owed = owed.more(link, rank, number)
            self._begun.setdefault(OUTBOX, []).extend((link, *row) for row in ranked)
            self._owes(link, owed)

    def _put(self, orders: Mapping[int, str], rows: Sequence[Values]) -> None:
        """Put rows into a table, as many at a time as there is an order for."""
        begin = 0
        for at_once, order in orders.items():
            while len(rows) - begin >= at_once:
                end = begin + at_once
                self._db.execute(order, tuple(chain.from_iterable(rows[begin:end])))
                begin = end

    def _owes(self, link: str, owed: Outstanding) -> None:
        if self.tally.owed.get(link) != owed:
            self.tally.owed[link] = owed
            self.tally.owed_anew.add(link)

    def _forget(self, numbers: Sequence[int]) -> None:
        """Take the numbers out of every outbox, also of links that are no longer configured."""
        for link in tuple(self.tally.owed):
            self.strike(link, numbers)

    def _proven(self, question: str, values: Values | Mapping[str, object]) -> Iterator[Entry]:
        epoch = self.tally.head.epoch
        for shelf, *found in self._db.execute(question, values):
            kept = kept_of(tuple(found))
            if kept is None:
                self.damaged.append((str(shelf), found[0]))
            else:
                lane = LANES[kept.lane]
                yield Entry(kept.number, epoch, lane, None, kept.body, kept.utc_ns)

    def _write_down(self, run: Sequence[Kept], utc_ns: int | None) -> None:
        head = self.tally.head
        trim = Trim(
            place=head.trim_last + 1,
            ordinal_first=run[0].ordinal,
            ordinal_last=run[-1].ordinal,
            number_first=run[0].number,
            number_last=run[-1].number,
            utc_ns=utc_ns,
            anchor=run[-1].link,
            before=head.trim_link,
        )
        head.trim_last, head.trim_link = trim.place, trim_link_of(trim)
        self._db.execute(sql.INSERT_TRIM, (*msgspec.structs.astuple(trim), head.trim_link))


def counted(found: Iterable[Values], names: Iterable[str]) -> dict[str, int]:
    """Return the counts by name; a name that a damaged row made up is left out."""
    counts = {str(name): msgspec.convert(count, int) for name, count in found}
    return {name: counts.get(name, 0) for name in names}


def _runs(gone: Sequence[Kept]) -> Iterator[list[Kept]]:
    """Yield the rows in runs without a hole on their shelf."""
    run: list[Kept] = []
    for kept in gone:
        if run and kept.ordinal != run[-1].ordinal + bool(kept.ordinal):
            yield run
            run = []
        run.append(kept)
    if run:
        yield run
