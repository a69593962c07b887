"""Which notes there have been of each incident, so that what follows them can name them. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.incident import IncidentNote, Noted

EARLIER_MAX = 16
"""Notes named, the first among them: some 430 bytes on disk. Who has heard an incident at all has
heard the first note of it, or one of the newest."""

INCIDENTS_MAX = 8192
"""Twice as many as can be on the board at once: in a flood what is new is noted before what it
pushes off, and the one noted longest ago may be real, with a cancel still to name what it ends."""


class Earlier:
    """The notes of every incident that stands."""

    def __init__(self) -> None:
        self._noted: OrderedDict[str, tuple[Noted, ...]] = OrderedDict()
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield of how many incidents the notes are remembered."""
        yield Bound(
            of="Earlier._noted",
            what="incidents_noted",
            held=len(self._noted),
            limit=INCIDENTS_MAX,
            rule="the one noted longest ago goes; what is exported of it next names no earlier one",
            evicted=self._evicted,
        )

    def follow(self, note: IncidentNote, utc: datetime | None) -> IncidentNote:
        """Return the note with those before it, and remember it."""
        found = replace(note, utc=utc, earlier=self._noted.get(note.incident.incident_id, ()))
        self.remember(found)
        return found

    def remember(self, note: IncidentNote) -> None:
        """Take this for the newest note of its incident; one that is gone is forgotten."""
        name = note.incident.incident_id
        if note.gone:
            self._noted.pop(name, None)
            return
        if note.utc is None:  # nothing can be sent without a time, and so nothing named
            return
        known = (*note.earlier, Noted(revision=note.incident.revision, utc=note.utc))
        if len(known) > EARLIER_MAX:
            known = (known[0], *known[-EARLIER_MAX + 1 :])
        self._noted[name] = known
        self._noted.move_to_end(name)
        if len(self._noted) > INCIDENTS_MAX:
            self._noted.popitem(last=False)
            self._evicted += 1
