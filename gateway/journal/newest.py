"""The newest word of each incident: an index into entries that prove themselves.

It is written in the transaction of the note that it points to. A row that is damaged costs that one
incident its place on the board of the next run, is counted, and stops nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec
from msgspec import MsgspecError, Struct

from gateway.journal import sql
from gateway.journal.chain import Kept, kept_of
from gateway.journal.rows import Row
from gateway.model.entry import Entry, Lane
from gateway.model.incident import IncidentNote

STANDING_MAX = 4096
"""Incidents that stand: as many strands as the room of incidents has, and each has one at least.
Beyond it the word that is oldest goes: what has room for no more has taken that one off too."""

GONE_MAX = 1024
"""Incidents that are off the board and may yet stand on a broker: what ends while a link is down
and nobody is there, or in a flood just before a power cut. The newest are kept."""

_BEGINS = b"\xa8incident"
"""How a note begins on disk, behind the byte that says how many parts it has."""

Values = tuple[object, ...]


class Database(Protocol):
    """What is asked of the database."""

    def execute(self, asked: str, values: Values | Mapping[str, object], /) -> Iterable[Values]:
        """Do one thing."""

    def executemany(self, asked: str, rows: Iterable[Values], /) -> object:
        """Do one thing with many rows."""


class Word(Struct, frozen=True):
    """What a note says of which incident."""

    incident: str
    revision: int
    gone: bool


class Stood(Struct, frozen=True):
    """Some of the incidents that an earlier run has noted, as they were noted last."""

    notes: tuple[tuple[Entry, IncidentNote], ...]
    """Those that are off the board included: they have to go from their topics."""
    damaged: int
    """Rows that point to no entry that proves itself, or to one of something else."""
    unread: int
    """Notes in the form of another release, which this one can't read."""
    after: str | None
    """Where the next question begins; None when these were the last."""


class Newest:
    """The index, and what the transaction under way will put into it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._begun: list[Values] = []

    def note(self, row: Row, number: int) -> None:
        """Take note of a row that has been given this number, if it is a word of an incident."""
        word = _word_of(row)
        if word is not None:
            self._begun.append((word.incident, number, word.revision, word.gone))

    def flush(self) -> None:
        """Put what this transaction has noted into the index, as far as there is room."""
        if self._begun:
            self._db.executemany(sql.SET_STANDING, self._begun)
            self.forget()
            self._db.execute(sql.LIMIT_STANDING, (False, STANDING_MAX))
            self._db.execute(sql.LIMIT_STANDING, (True, GONE_MAX))

    def forget(self) -> None:
        """Forget what a transaction that failed has noted."""
        self._begun = []

    def trimmed(self) -> None:
        """Forget incidents that are off the board, and whose notes were thrown away."""
        self._db.execute(sql.TRIM_STANDING, ())

    def read(self, epoch: str, *, after: str, limit: int) -> Stood:
        """Return the newest words, by the name of the incident; the first is after this one."""
        rows = list(self._db.execute(sql.STANDING, (after, limit)))
        notes: list[tuple[Entry, IncidentNote]] = []
        damaged = unread = 0
        for incident, revision, gone, *values in rows:
            kept = kept_of(tuple(values))
            if kept is None or word_in(kept.body) != _row_word(incident, revision, gone):
                damaged += 1
                continue
            note = note_in(kept.body)
            if note is None:
                unread += 1
            else:
                notes.append((_entry(kept, epoch), note))
        last = str(rows[-1][0]) if len(rows) == limit else None
        return Stood(tuple(notes), damaged, unread, last)


def word_in(body: bytes) -> Word | None:
    """Return what the bytes of an item say of an incident; None when they are of something else."""
    if not body.startswith(_BEGINS, 1):
        return None
    try:
        head = msgspec.msgpack.decode(body, type=_NoteHead)
    except MsgspecError:
        return None
    return Word(head.incident.incident_id, head.incident.revision, head.gone)


def note_in(body: bytes) -> IncidentNote | None:
    """Return the note; None when another release wrote it in a form that this one can't read."""
    try:
        return msgspec.msgpack.decode(body, type=IncidentNote)
    except MsgspecError:
        return None


def _word_of(row: Row) -> Word | None:
    if isinstance(row.item, IncidentNote):
        told = row.item.incident
        return Word(told.incident_id, told.revision, row.item.gone)
    return None if row.item is not None else word_in(row.body)


def _row_word(incident: object, revision: object, gone: object) -> Word | None:
    match incident, revision, gone:
        case str(), int(), 0 | 1:
            return Word(incident, revision, bool(gone))
        case _:
            return None


def _entry(kept: Kept, epoch: str) -> Entry:
    return Entry(kept.number, epoch, Lane(kept.lane), None, kept.body, kept.utc_ns)


class _IncidentHead(Struct):
    """As much of an incident as says which word this is."""

    incident_id: str
    revision: int = 1


class _NoteHead(Struct):
    incident: _IncidentHead
    gone: bool = False
