"""Which alarms about the box itself a journal has notes of. It is only read."""

from __future__ import annotations

from collections import Counter, deque

import msgspec
from msgspec import MsgspecError, Struct

from gateway.journal.chain import Kept
from gateway.journal.dating import entries_in
from gateway.journal.store import looked_into
from gateway.model.status import AlarmCleared, AlarmRaised

LISTED_MAX = 20
"""Of the notes, the newest; the others are counted."""


class Alarmed(Struct, frozen=True):
    """What the notes of alarms in a journal come to."""

    raised: dict[str, int]
    """How often each was noted as raised, or as having more to say."""
    newest: tuple[AlarmRaised | AlarmCleared, ...]


def alarmed_in(path: str) -> Alarmed:
    """Return which alarms this journal has notes of; raise JournalFailed."""
    raised: Counter[str] = Counter()
    newest: deque[AlarmRaised | AlarmCleared] = deque(maxlen=LISTED_MAX)
    with looked_into(path) as ask:
        for kept in entries_in(ask):
            note = _note(kept)
            if note is not None:
                newest.append(note)
                raised[note.name] += isinstance(note, AlarmRaised)
    return Alarmed(dict(raised), tuple(newest))


def _note(kept: Kept) -> AlarmRaised | AlarmCleared | None:
    try:
        note: AlarmRaised | AlarmCleared = msgspec.msgpack.decode(kept.body, type=_NOTE)
    except MsgspecError:  # it is none, or one of a later release
        return None
    return note


_NOTE = AlarmRaised | AlarmCleared
