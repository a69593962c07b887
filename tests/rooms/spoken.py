"""What tests of one radio system look at: what was heard, without what the incidents made of it."""

from __future__ import annotations

from gateway.model.incident import IncidentNote


def without_notes(items):
    """Return what came out of the hallway, but the notes of incidents."""
    return [item for item in items if not isinstance(item, IncidentNote)]
