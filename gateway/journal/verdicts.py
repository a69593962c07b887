"""What a journal holds of a verdict: the note of it, and what it rests on. It is only read."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import closing, contextmanager

import msgspec
from msgspec import MsgspecError, Raw, Struct

from gateway.journal import sql
from gateway.journal.chain import Kept, kept_of
from gateway.journal.examining import Ask
from gateway.journal.opening import head_in
from gateway.journal.rows import ENTRY
from gateway.journal.store import looked_into
from gateway.model.asked import Stated
from gateway.model.inbound import Report
from gateway.model.verdict import VerdictNote
from gateway.rules.account import Ended, Entered

FOUND_MAX = 64
"""Verdicts of one prefix that are looked at: whoever is told of more gives another digit."""

_SHELVES = (ENTRY, "routine")
"""A verdict that something is as agreed is routine, and so is most of what it may rest on."""

_NOTE_BEGINS = b"\xaaverdict_id"
"""How the note of a verdict begins on disk, behind the byte that says how many parts it has."""

_RULING_BEGINS = b"\xa8sighting"

_STATED_BEGINS = b"\xa4fact"

Input = Report | Stated | VerdictNote
"""What a verdict may rest on."""


class Note(Struct, frozen=True):
    """One verdict as it was kept."""

    number: int
    """Of its entry."""
    told: VerdictNote


def verdicts_in(path: str, *, prefix: str) -> tuple[Note, ...]:
    """Return the verdicts whose id begins so, the first `FOUND_MAX`; raise JournalFailed."""
    found: dict[str, Note] = {}
    with looked_into(path) as ask:
        for kept in _rows(ask, (_NOTE_BEGINS,), (prefix.encode(errors="replace"),)):
            told = _note(kept.body)
            if told is not None and told.verdict_id.startswith(prefix):
                found.setdefault(told.verdict_id, Note(kept.number, told))
                if len(found) == FOUND_MAX:
                    break
    return tuple(found.values())


def evidence_in(path: str, note: Note) -> dict[str, Input | None]:
    """Return what this verdict rests on, by its ids; None for what is in no entry.

    What another rule said is named `agreement/rule/subject`: it is the last such word before this
    one. A report comes without the words of its radio system, for they may be of another release.

    Raises:
        JournalFailed: It can't be read.
    """
    wanted = note.told.verdict.evidence
    found: dict[str, Input | None] = dict.fromkeys(wanted)
    names = tuple(name.encode() for name in wanted)
    said = [name for name in wanted if name.count("/") > 1]
    with looked_into(path) as ask:
        for kept in _rows(ask, (_RULING_BEGINS, _STATED_BEGINS), names):
            one = _report(kept.body) or _stated(kept.body)
            name = _id(one)
            if name in found:
                found[name] = one
        for kept in _rows(ask, (_NOTE_BEGINS,), ()) if said else ():
            told = _note(kept.body) if kept.number < note.number else None
            if told is not None and _name(told) in said:
                found[_name(told)] = told
    return found


@contextmanager
def entered_in(path: str) -> Iterator[tuple[Ended, Iterator[Entered]]]:
    """Give how far this journal has come, and each verdict in it, by number.

    Raises:
        JournalFailed: It can't be read.
    """
    with looked_into(path) as ask:
        head = head_in(next(ask(sql.HEAD, ())))
        end = Ended(
            station=head.station,
            epoch=head.epoch,
            number_last=head.number_last,
            link_last=head.link_last,
        )
        # Whoever breaks off leaves no question open behind a file that is closed.
        with closing(_entered(ask)) as entered:
            yield end, entered


def links_at(path: str, number: int) -> frozenset[bytes]:
    """Return which link the row of this number has, by itself and by the one after it.

    None of them where both are gone, for only the newest routine is kept; raises JournalFailed.
    """
    with looked_into(path) as ask:
        head = head_in(next(ask(sql.HEAD, ())))
        links = {head.link_last} if head.number_last == number else set()
        for _, *values in ask(sql.ENTRIES, {"first": number, "limit": 2}):
            kept = kept_of(tuple(values))
            if kept is not None and kept.number == number:
                links.add(kept.link)
            elif kept is not None and kept.number == number + 1:
                links.add(kept.before)
    return frozenset(links)


def _entered(ask: Ask) -> Generator[Entered]:
    for kept in _rows(ask, (_NOTE_BEGINS,), ()):
        if _note(kept.body) is not None:
            yield Entered(
                number=kept.number,
                ordinal=kept.ordinal,
                lane=kept.lane,
                utc_ns=kept.utc_ns,
                before=kept.before,
                link=kept.link,
                note=Raw(kept.body),
            )


class _Sighting(Struct):
    report: Report


class _Ruling(Struct):
    sighting: _Sighting


def _rows(ask: Ask, begins: tuple[bytes, ...], words: Collection[bytes]) -> Iterator[Kept]:
    """Yield each entry that begins so, has one of these words in it and proves itself."""
    for shelf, *values in ask(sql.ENTRIES, sql.ROWS_ALL):
        body = values[-1]
        if shelf not in _SHELVES or not isinstance(body, bytes) or not body.startswith(begins, 1):
            continue
        if words and not any(word in body for word in words):
            continue
        kept = kept_of(tuple(values))
        if kept is not None:
            yield kept


def _note(body: bytes) -> VerdictNote | None:
    try:
        return msgspec.msgpack.decode(body, type=VerdictNote)
    except MsgspecError:  # of a later release
        return None


def _report(body: bytes) -> Report | None:
    try:
        return msgspec.msgpack.decode(body, type=_Ruling).sighting.report
    except MsgspecError:  # of a later release
        return None


def _stated(body: bytes) -> Stated | None:
    try:
        return msgspec.msgpack.decode(body, type=Stated)
    except MsgspecError:  # of a later release
        return None


def _id(found: Report | Stated | None) -> str:
    match found:
        case Report():
            return found.report_id
        case Stated():
            return found.fact.fact_id
        case _:
            return ""


def _name(note: VerdictNote) -> str:
    verdict = note.verdict
    return f"{verdict.agreement}/{verdict.rule}/{verdict.subject}"
