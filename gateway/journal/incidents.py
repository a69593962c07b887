"""Which incidents a journal has notes of, as the newest note has each. It is only read."""

from __future__ import annotations

import msgspec
from msgspec import MsgspecError

from gateway.journal.dating import entries_in
from gateway.journal.store import looked_into
from gateway.model.incident import IncidentNote

NOTES_MAX = 16_384
"""Incidents looked at, the newest: of each the last note."""


def incidents_in(path: str, *, prefix: str = "") -> tuple[IncidentNote, ...]:
    """Return the newest note of each incident whose name begins so; raise JournalFailed."""
    newest: dict[str, IncidentNote] = {}
    with looked_into(path) as ask:
        for kept in entries_in(ask):
            note = _note(kept.body)
            if note is not None and note.incident.incident_id.startswith(prefix):
                newest.pop(note.incident.incident_id, None)
                newest[note.incident.incident_id] = note
                if len(newest) > NOTES_MAX:
                    del newest[next(iter(newest))]
    return tuple(newest.values())


def _note(body: bytes) -> IncidentNote | None:
    try:
        return msgspec.msgpack.decode(body, type=IncidentNote)
    except MsgspecError:  # it is none, or one of a later release
        return None
