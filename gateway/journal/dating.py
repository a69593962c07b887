"""Which entries of a journal were taken with a clock that nobody answered for, and when they were.

Nothing is rewritten: a statement further on in the same chain dates them anew, and this reads both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import MsgspecError, Struct

from gateway.correlate.timekeeping import redated
from gateway.journal import sql
from gateway.journal.chain import Kept, kept_of
from gateway.journal.examining import Ask
from gateway.journal.rows import ENTRY
from gateway.journal.store import looked_into
from gateway.model.inbound import ClockOffset, ClockStep
from gateway.model.words import ClockState

LISTED_MAX = 20
"""Of the entries dated anew, the newest; the others are counted."""


class Redated(Struct, frozen=True):
    """One entry that is dated anew."""

    number: int
    lane: str
    utc: datetime | None
    """As it stands in the entry."""
    true_utc: datetime
    source: ClockState
    error_ms: int | None


class Dating(Struct, frozen=True):
    """What the statements about the clock in a journal come to."""

    steps: int
    offsets: int
    redated: int
    """Entries dated anew. Routine is not counted, though the statements hold for it as well."""
    newest: tuple[Redated, ...]


def dating_of(path: str) -> Dating:
    """Return which entries of this journal are dated anew; raise JournalFailed."""
    with looked_into(path) as ask:
        stated = [one for kept in entries_in(ask) if (one := _statement(kept)) is not None]
        offsets = [one for one in stated if isinstance(one, ClockOffset)]
        newest: deque[Redated] = deque(maxlen=LISTED_MAX)
        count = 0
        for kept in entries_in(ask) if offsets else ():
            anew = _anew(kept, offsets)
            if anew is not None:
                count += 1
                newest.append(anew)
    return Dating(len(stated) - len(offsets), len(offsets), count, tuple(newest))


class _Heard(Struct):
    """The fields of a hearing that date it."""

    mono_ns: int
    utc: datetime | None = None
    clock: ClockState | None = None
    boot: str | None = None


class _Report(Struct):
    heard: _Heard


class _Sighting(Struct):
    report: _Report


class _Ruling(Struct):
    sighting: _Sighting


def entries_in(ask: Ask) -> Iterator[Kept]:
    """Yield each entry that proves itself, but no routine, by number."""
    for shelf, *found in ask(sql.ENTRIES, sql.ROWS_ALL):
        kept = kept_of(tuple(found)) if shelf == ENTRY else None
        if kept is not None:
            yield kept


def _statement(kept: Kept) -> ClockStep | ClockOffset | None:
    try:
        stated: ClockStep | ClockOffset = msgspec.msgpack.decode(kept.body, type=_STATEMENT)
    except MsgspecError:
        return None
    return stated


def _anew(kept: Kept, offsets: Sequence[ClockOffset]) -> Redated | None:
    try:
        body = msgspec.msgpack.decode(kept.body, type=dict[str, object])
        if "sighting" in body:
            heard = msgspec.convert(body, _Ruling).sighting.report.heard
        else:
            heard = msgspec.convert(body, _Heard)
    except MsgspecError:
        return None
    if "what" in body:
        return None
    found = redated(boot=heard.boot, mono_ns=heard.mono_ns, clock=heard.clock, offsets=offsets)
    if found is None:
        return None
    true_utc, offset = found
    return Redated(kept.number, kept.lane, heard.utc, true_utc, offset.source, offset.error_ms)


_STATEMENT = ClockStep | ClockOffset
