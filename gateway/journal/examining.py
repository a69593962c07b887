"""Is this file a journal of ours, and whole? Asked before anything in it is touched.

It is only read: what is somebody else's, of a newer release or damaged stays as it was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.journal import sql
from gateway.journal.chain import layout_of, seal_of
from gateway.journal.failed import JournalFailed
from gateway.journal.logfile import Loss, loss_of
from gateway.journal.opening import (
    APPLICATION_ID,
    CHAINED_SINCE,
    LAYOUT_SINCE,
    REMEDY_DAMAGED,
    damage,
    head_in,
    objection,
    shelves_in,
)
from gateway.journal.wreck import Wreck

Ask = Callable[[str, tuple[object, ...] | Mapping[str, object]], Iterator[tuple[object, ...]]]
"""Asks the database something, and gives the rows that it answers."""

MAGIC = b"SQLite format 3\0"
MARK = slice(68, 72)
"""Where SQLite keeps the mark that says whose a database is."""

FORMS = slice(18, 20)
"""Where it says which forms of the file may be written and read: by rollback or by a log."""

CONTENT_BYTES_MIN = 512
"""The smallest page of SQLite: a shorter file has nothing in it."""

OWN_TABLES = 4
"""What COUNT_OWN_TABLES finds in a journal, whatever its mark says."""

_OF_WORDS = ("no such ", "unsupported file format")
"""How SQLite begins to say that the words of a table are not as they were written."""


class Refusal(Struct, frozen=True):
    """Why a file can't be the journal."""

    reason: str
    foreign: bool = False
    """Somebody else's: no waiting mends that."""
    damaged: bool = False
    """Ours, and not as it was written."""


def refusal(ask: Ask, path: str, *, station: str) -> Refusal | None:
    """Return why this file can't be the journal; None when it can."""
    try:
        return next(_refusals(ask, path, station), None)
    except JournalFailed as failed:
        if not failed.damaged and not failed.reason.startswith(_OF_WORDS):
            raise
        reason = failed.reason if failed.damaged else f"{failed.reason}; {REMEDY_DAMAGED}"
        return Refusal(reason, damaged=_is_ours(path))


def refusals_of_kind(ask: Ask) -> Iterator[Refusal]:
    """Yield why this is no journal that this release knows, the first reason first."""
    said = objection(lambda question: msgspec.convert(_one(ask, question), int))
    if said is not None and _one(ask, sql.APPLICATION) != APPLICATION_ID:
        is_ours = _one(ask, sql.COUNT_OWN_TABLES) == OWN_TABLES
        yield _damaged("its mark is damaged") if is_ours else Refusal(said, foreign=True)
    version = msgspec.convert(_one(ask, sql.VERSION), int)
    if not _says_its_layout(ask, version):
        yield _damaged("what it says of its tables is damaged")
    if said is not None:
        yield Refusal(said, foreign=True)


def _refusals(ask: Ask, path: str, station: str) -> Iterator[Refusal]:
    yield from refusals_of_kind(ask)
    if not set(_begin(path)[FORMS]) <= {1, 2}:
        yield _damaged("what it says of its form is damaged")  # SQLite would only read it
    damaged = damage(lambda question: (str(row[0]) for row in ask(question, ())))
    if damaged is not None:
        yield Refusal(damaged, damaged=True)
    version = msgspec.convert(_one(ask, sql.VERSION), int)
    if version >= CHAINED_SINCE:
        yield from _refusals_of_head(ask, path, station)
    elif version:
        for (named,) in ask(sql.STATION, ()):
            if named != station:
                yield Refusal(f"it belongs to station {named}; name another file", foreign=True)
    else:
        with Wreck(path) as wreck:
            if any(wreck.log_rows()):
                yield _damaged("its log has lost its beginning")


def _refusals_of_head(ask: Ask, path: str, station: str) -> Iterator[Refusal]:
    found = list(ask(sql.HEAD, ()))
    if not found:
        if _one(ask, sql.COUNT_NUMBERED):
            yield _damaged("its name is gone")
        return
    head = head_in(found[0])
    if _one(ask, sql.SEAL) != seal_of(head, shelves_in(ask(sql.SHELVES, ()))):
        yield _damaged("what it says of itself is damaged")
    if loss_of(path, number_last=head.number_last) is not Loss.NOTHING:
        yield _damaged("its log is damaged before its end")
    if head.station != station:
        yield Refusal(f"it belongs to station {head.station}; name another file", foreign=True)


def _damaged(what: str) -> Refusal:
    return Refusal(f"{what}; {REMEDY_DAMAGED}", damaged=True)


def _says_its_layout(ask: Ask, version: int) -> bool:
    """Say whether the words of the tables are those that a release of this version wrote."""
    tables = [(str(name), str(words)) for name, words in ask(sql.TABLES, ())]
    if not tables:
        return version == 0
    if not _one(ask, sql.HAS_LAYOUT):
        return 0 < version < LAYOUT_SINCE
    written = [row[0] for row in ask(sql.LAYOUT, ())]
    # Between its making and its naming a file has no row that could say it.
    return version >= LAYOUT_SINCE and written in ([], [layout_of(version, tables)])


def _is_ours(path: str) -> bool:
    """Say whether a file that SQLite can't read is a journal of ours, by what is left of it."""
    begin = _begin(path)
    if begin[MARK] == b"DGRJ" or (len(begin) < CONTENT_BYTES_MIN and MAGIC.startswith(begin[:16])):
        return True
    with Wreck(path) as wreck:
        return wreck.proves_a_row()


def _begin(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(CONTENT_BYTES_MIN)


def _one(ask: Ask, question: str) -> object:
    return next(ask(question, ()))[0]
