"""Is this file ours to write, and what is it called? Asked before anything in it is touched."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gateway.journal import sql
from gateway.journal.chain import (
    Head,
    Outstanding,
    Shelf,
    layout_of,
    link_of,
    owed_in,
    seal_of,
    seed_of,
)
from gateway.journal.rows import ENTRY, RINGS
from gateway.model.inbound import Moment

SCHEMA_VERSION = 5
"""Of the file. Each version has its schema_vN.sql, which takes a file there from the one before."""

CHAINED_SINCE, LAYOUT_SINCE = 2, 3
"""The versions from which on the rows of a file are chained, and its tables prove their words."""

APPLICATION_ID = 0x4447524A
"""Marks a database as a journal of ours, in the field that SQLite keeps for it: "DGRJ"."""

EPOCH_BYTES = 8
"""Of the epoch's name: 16 hexadecimal digits."""

FILE_MODE = 0o640
"""Positions of private craft are nobody else's business on this machine."""

_OF_A_ROW = re.compile(
    r"(CHECK constraint failed|(NULL|non-[A-Z]+) value) in "
    r"(entry|routine|refused|unread|outbox|owed|standing)(\.\w+)?\Z"
)
"""What SQLite says of a row with a value that was never written. Its link says so too, and the row
is set aside when it is read, or the outbox written anew, or one incident is not taken up again: no
reason to do without the journal."""

REMEDY_DAMAGED = "move it away (a new one is begun) or restore a copy of it"


def claimed(path: str, held: ExitStack) -> int:
    """Return the file, made if missing, and locked against every other gateway."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    # Closed after the database: closing any descriptor of a file drops SQLite's own locks on it.
    held.callback(os.close, file)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def objection(number: Callable[[str], int]) -> str | None:
    """Return why this database is not ours to write; None when it is, or is empty."""
    version = number(sql.VERSION)
    if number(sql.APPLICATION) != APPLICATION_ID and (version or number(sql.COUNT_TABLES)):
        return "it is a database of another program; name another file"
    if version > SCHEMA_VERSION:
        return (
            f"a newer release wrote it (version {version}; this one knows {SCHEMA_VERSION}); "
            "run that release again, or name another file"
        )
    return None


def damage(words: Callable[[str], Iterable[str]]) -> str | None:
    """Return what is damaged in this database; None when nothing is but single rows."""
    for fault in words(sql.CHECK):
        if fault != "ok" and not _OF_A_ROW.match(fault):
            return f"it is damaged ({fault}); {REMEDY_DAMAGED}"
    return None


def epoch_of(file: int, *, station: str, now: Moment) -> str:
    """Return a name for a new file that no other file has: by its place, its making, its owner."""
    stat = os.fstat(file)
    seed = f"{station}\0{now.utc_ns}\0{now.mono_ns}\0{stat.st_dev}\0{stat.st_ino}"
    return hashlib.blake2b(seed.encode(), digest_size=EPOCH_BYTES).hexdigest()


def head_of(epoch: str, station: str, now: Moment, *, number_last: int = 0) -> Head:
    """Return what a file says of itself before there is anything in its chain."""
    return Head(
        epoch=epoch,
        station=station,
        created_utc_ns=now.utc_ns,
        number_last=number_last,
        chained_after=number_last,
        link_last=seed_of(epoch),
        trim_last=0,
        trim_link=seed_of(epoch),
    )


def head_in(found: tuple[object, ...]) -> Head:
    """Return what the file says of itself."""
    return msgspec.convert(dict(zip(Head.__struct_fields__, found, strict=True)), Head)


def shelves_in(found: Iterable[tuple[object, ...]]) -> dict[str, Shelf]:
    """Return how far each shelf has come."""
    columns = ("name", *Shelf.__struct_fields__)
    rows = [dict(zip(columns, values, strict=True)) for values in found]
    return {str(row.pop("name")): msgspec.convert(row, Shelf) for row in rows}


def owed_from(found: Iterable[tuple[object, ...]]) -> dict[str, Outstanding]:
    """Return what the file says that each link is owed."""
    rows = [msgspec.convert(values, tuple[str, int, bytes]) for values in found]
    return {link: Outstanding(count, int.from_bytes(total)) for link, count, total in rows}


def words_of(error: Exception, *, is_damage: bool) -> str:
    """Return what went wrong and, where somebody can do something about it, what."""
    if isinstance(error, BlockingIOError):
        return "another gateway has it open; stop that one, or name another file"
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return f"{error.strerror}; look at the disk with `dmesg`, and replace it"
    if isinstance(error, OSError):
        return f"{error.strerror}; name a file in a folder where this user may write"
    said = str(error) or type(error).__name__
    return f"{said}; {REMEDY_DAMAGED}" if is_damage else said


def _first_seal(epoch: str, station: str, created_utc_ns: int | None, number_last: int) -> bytes:
    made = Moment(mono_ns=0, utc_ns=created_utc_ns)
    shelves = {name: Shelf() for name in (ENTRY, *RINGS)}
    return seal_of(head_of(epoch, station, made, number_last=number_last), shelves)


def _owed_total(link: str, rows: str) -> bytes:
    return owed_in(link, msgspec.json.decode(rows, type=list[tuple[int, int]])).sealed()[1]


def _layout(version: int, tables: str) -> bytes:
    return layout_of(version, msgspec.json.decode(tables, type=list[tuple[str, str]]))


SCHEMA_FUNCTIONS: tuple[tuple[str, int, Callable[..., bytes]], ...] = (
    ("chain_seed", 1, seed_of),
    ("row_link", 6, link_of),
    ("first_seal", 4, _first_seal),
    ("owed_total", 2, _owed_total),
    ("layout_of", 2, _layout),
)
"""What the schema calls by these names, and how many arguments each takes."""
