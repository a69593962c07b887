"""Which incidents stand on a broker, and which of them is to be told next. Pure.

Each stands as it was told last: what changes while it waits is told once, as it is by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.entry import Entry
from gateway.model.incident import Incident, IncidentNote
from gateway.model.words import URGENCIES, Mode

INCIDENTS_MAX = 8192
"""Twice the incidents that there can be at once: those that are over have to be taken off too."""


Rank = tuple[bool, bool, int, bool]
"""Over; no real one; how grave; told before on this connection. The least goes first."""


class Shown(Struct, eq=False):
    """One incident on its topic."""

    topic: str
    entry: Entry
    rank: Rank
    gone: bool
    revision: int
    """Of two words the one with the higher is the newer: a number is given when the disk has it."""


class Troubles:
    """The incidents of one link."""

    def __init__(self, topic: Callable[[str, Mode], str]) -> None:
        self._topic = topic
        """Where each stands, by its name and mode."""
        self._standing: dict[str, Shown] = {}
        """By topic, the one that changed last at the end."""
        self._untold: dict[Rank, dict[str, Shown]] = {}
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield how many incidents stand."""
        yield Bound(
            of="Troubles._standing",
            what="incidents_shown",
            held=len(self._standing),
            limit=INCIDENTS_MAX,
            rule="one that is over, a test or else the least grave goes, of these the one that "
            "changed longest ago; each change is told on its own, and kept",
            evicted=self._evicted,
        )

    def put(self, entry: Entry, note: IncidentNote) -> str:
        """Let an incident stand as this says; return its topic. An older word changes nothing."""
        told = note.incident
        topic = self._topic(told.incident_id, told.mode)
        before = self._standing.pop(topic, None)
        if before is not None and _is_older(told.revision, entry, before):
            self._standing[topic] = before
            return topic
        seen = before is not None and before.rank[-1]
        # Without the item: the body says it all, and is held once however many links there are.
        rank = _rank(told, note, seen=seen)
        shown = Shown(topic, replace(entry, item=None), rank, note.gone, told.revision)
        if before is not None:
            self._drop(before)
        elif len(self._standing) >= INCIDENTS_MAX:
            self._make_room()
        self._standing[topic] = shown
        self._untold.setdefault(shown.rank, {})[topic] = shown
        return topic

    def renew(self) -> None:
        """A new connection knows nothing: all is told again, of the equally grave the newest first.

        It was not there when the older ones changed, and those on watch want the newest.
        """
        self._untold = {}
        for shown in reversed(self._standing.values()):
            shown.rank = (*shown.rank[:-1], False)
            self._untold.setdefault(shown.rank, {})[shown.topic] = shown

    def next(self, may: Callable[[str], bool]) -> Shown | None:
        """Return what is to be told next of the topics that may be told now."""
        for rank in sorted(self._untold):
            for shown in self._untold[rank].values():
                if may(shown.topic):
                    return shown
        return None

    def is_untold(self, shown: Shown) -> bool:
        """Say whether this is still the newest word, and to be told."""
        return self._untold.get(shown.rank, {}).get(shown.topic) is shown

    def told(self, shown: Shown) -> None:
        """This has been told; a newer word may have come meanwhile."""
        self._drop(shown)
        standing = self._standing.get(shown.topic)
        if standing is not shown:
            return
        if shown.gone:
            del self._standing[shown.topic]
        else:
            shown.rank = (*shown.rank[:-1], True)

    def _drop(self, shown: Shown) -> None:
        waiting = self._untold.get(shown.rank, {})
        if waiting.get(shown.topic) is shown:
            del waiting[shown.topic]
            if not waiting:
                del self._untold[shown.rank]

    def _make_room(self) -> None:
        least = max(self._standing.values(), key=lambda shown: shown.rank[:-1])
        self._drop(self._standing.pop(least.topic))
        self._evicted += 1


def _rank(told: Incident, note: IncidentNote, *, seen: bool) -> Rank:
    return (note.gone, told.mode is not Mode.REAL, URGENCIES.index(told.severity), seen)


def _is_older(revision: int, entry: Entry, known: Shown) -> bool:
    """Say whether this word came before; what has no number is told as it comes."""
    if revision != known.revision:
        return revision < known.revision
    return bool(entry.number and known.entry.number) and entry.number < known.entry.number
