"""What a journal holds and says of itself, counted when it is opened; a new one is given its name.

From then on the tally is kept beside the file, so that nobody has to count again.
"""

from __future__ import annotations

import msgspec
from msgspec import structs

from gateway.journal import opening, sql
from gateway.journal.chain import Head, Outstanding, Shelf, layout_of, seal_of
from gateway.journal.shelves import LANES, Database, Tally, counted
from gateway.model.inbound import Moment
from gateway.points import reached


def tally_of(
    db: Database, file: int, *, station: str, links: tuple[str, ...], now: Moment
) -> Tally:
    """Return what the database in this file holds."""
    shelves = opening.shelves_in(db.execute(sql.SHELVES, ()))
    found = next(iter(db.execute(sql.HEAD, ())), None)
    if found is None:
        head = opening.head_of(opening.epoch_of(file, station=station, now=now), station, now)
        _name(db, head, shelves)
    else:
        head = opening.head_in(found)
    owed = opening.owed_from(db.execute(sql.OWED, ()))
    (quarantined,) = next(iter(db.execute(sql.COUNT_QUARANTINE, ())))
    return Tally(
        head,
        shelves,
        rows=counted(db.execute(sql.COUNT_ROWS, ()), LANES),
        owed={**dict.fromkeys(links, Outstanding()), **owed},
        quarantined=msgspec.convert(quarantined, int),
    )


def _name(db: Database, head: Head, shelves: dict[str, Shelf]) -> None:
    tables = [(str(name), str(words)) for name, words in db.execute(sql.TABLES, ())]
    layout = layout_of(opening.SCHEMA_VERSION, tables)
    db.execute(sql.INSERT_HEAD, (*structs.astuple(head), seal_of(head, shelves), layout))
    reached("journal.named")
