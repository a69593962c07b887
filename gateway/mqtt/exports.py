"""What a link tells of incidents in the formats of others, and which of it is next. Pure.

    map      stands beside the incident, retained, and goes with it
    event    told once for each change; what is superseded while it waits is told as it is by then

Each is made of a note alone, when its turn comes: told again it is the same, byte for byte. A fault
in making one costs that one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.export.cap import cap, reference
from gateway.export.cot import cot
from gateway.export.geojson import geojson
from gateway.export.sitrep import sitrep
from gateway.export.wording import is_over
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane
from gateway.model.incident import Incident, IncidentNote
from gateway.model.words import URGENCIES, Mode, Urgency
from gateway.mqtt.bus import Outgoing
from gateway.mqtt.topics import Topics
from gateway.mqtt.troubles import Shown, Troubles

MAP = "geojson"

EVENTS_MAX = 1024
"""Events that wait on a link: of some 350 incidents in three formats, a few megabytes. An hour of a
broker that is away is a few dozen."""

TOLD_MAX = 8192
"""Incidents of which it is remembered what has been told: as many as can stand at once."""

_NOTE = b"\xa8incident"
"""How the body of a note begins, behind the byte that counts its fields: `incident` in msgpack."""


class ExportCount(Struct):
    """What became of the exports."""

    told: int = 0
    """Exports that the broker has signed for, maps and what takes them off included."""
    failed: int = 0
    """Exports that could not be made."""
    superseded: int = 0
    """Events that a newer one of the same incident replaced before they were told."""


class Due(Struct, frozen=True, eq=False):
    """One export of one incident that is to be told."""

    topic: str
    """What it is known by while it is told: no two have the same, whatever topic they go to."""
    form: str
    entry: Entry
    revision: int
    rank: tuple[bool, int] = (False, 0)
    """No real one; how grave. The least goes first."""
    shown: Shown | None = None
    """The map that this is."""


class Exports:
    """The exports of one link."""

    def __init__(self, topics: Topics, forms: Sequence[str], *, log: Log) -> None:
        self._topics = topics
        self._has_maps = MAP in forms
        self._forms = [form for form in dict.fromkeys(forms) if form != MAP]
        self._log = log
        self._maps = Troubles(topics.incident_geojson)
        self._waiting: dict[str, Due] = {}
        self._told: OrderedDict[str, int] = OrderedDict()
        """The newest revision that was taken for each export of an incident."""
        self._evicted = 0
        self.count = ExportCount()

    def bounds(self) -> Iterator[Bound]:
        """Yield how much stands, waits and is remembered."""
        yield from (replace(bound, what="maps_shown") for bound in self._maps.bounds())
        yield Bound(
            of="Exports._waiting",
            what="exports_waiting",
            held=len(self._waiting),
            limit=EVENTS_MAX,
            rule="a test or else the least grave goes, of these the one that waits longest; each "
            "change is told on its own, and kept",
            evicted=self._evicted,
        )
        yield Bound(
            of="Exports._told",
            what="exports_told",
            held=len(self._told),
            limit=TOLD_MAX,
            rule="the oldest goes; should its note be told again, it is exported again, and the "
            "same",
        )

    def show(self, entry: Entry, note: IncidentNote) -> str | None:
        """Let the map of an incident stand as this has it; return what it is known by, if any."""
        return self._maps.put(entry, note) if self._has_maps else None

    def take(self, entry: Entry) -> str | None:
        """Have a note that is told exported, once; say what it is known by, None for nothing new.

        It is taken each time that its note is told, for a note that nobody has signed for may never
        have been exported: what is told here twice is told once.
        """
        if not self._forms or entry.lane is Lane.DISTRESS or entry.body[1:10] != _NOTE:
            return None
        try:
            told = msgspec.msgpack.decode(entry.body, type=_NoteHead).incident
            name = self._topics.incident(told.incident_id, told.mode)
        except Exception as error:  # noqa: BLE001  # the note itself has to be told all the same
            self._failed("event", error)
            return None
        if told.revision <= self._told.get(name, 0):
            return None
        self._told[name] = told.revision
        self._told.move_to_end(name)
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
        rank = (told.mode is not Mode.REAL, URGENCIES.index(told.severity))
        bare = replace(entry, item=None)
        for form in self._forms:
            self._wait(Due(f"{name}/{form}", form, bare, told.revision, rank))
        return name

    def names(self, name: str) -> Iterator[str]:
        """Yield what the events of an incident are known by."""
        return (f"{name}/{form}" for form in self._forms)

    def renew(self) -> None:
        """A new connection has to be told each map again; an event only if it still waits."""
        self._maps.renew()

    def next(self, may: Callable[[str], bool]) -> Due | None:
        """Return what is to be told next of what may be told now: the gravest, events first."""
        able = (due for due in self._waiting.values() if may(due.topic))
        event = min(able, key=lambda due: due.rank, default=None)
        if event is not None:
            return event
        shown = self._maps.next(may)
        if shown is None:
            return None
        return Due(shown.topic, MAP, shown.entry, shown.revision, shown=shown)

    def made(self, due: Due) -> Sequence[Outgoing]:
        """Return what is to be published for this; nothing where that can't be made."""
        try:
            if due.shown is not None and due.shown.gone:
                return (Outgoing(topic=due.topic, payload=b"", qos=1, retain=True),)
            note = msgspec.msgpack.decode(due.entry.body, type=IncidentNote)
            return MAKERS[due.form](note, self._topics)
        except Exception as error:  # noqa: BLE001  # a fault of ours costs this one export alone
            self._failed(due.topic, error)
            return ()

    def is_untold(self, due: Due) -> bool:
        """Say whether this is still the newest word, and to be told."""
        if due.shown is not None:
            return self._maps.is_untold(due.shown)
        return self._waiting.get(due.topic) is due

    def told(self, due: Due, *, published: bool) -> None:
        """This is done with; a newer word may have come meanwhile."""
        self.count.told += published
        if due.shown is not None:
            self._maps.told(due.shown)
        elif self._waiting.get(due.topic) is due:
            del self._waiting[due.topic]

    def _wait(self, due: Due) -> None:
        if self._waiting.pop(due.topic, None) is not None:
            self.count.superseded += 1
        elif len(self._waiting) >= EVENTS_MAX:
            least = max(self._waiting.values(), key=lambda one: one.rank)
            del self._waiting[least.topic]
            self._evicted += 1
        self._waiting[due.topic] = due

    def _failed(self, topic: str, error: Exception) -> None:
        self.count.failed += 1
        self._log.error("export_failed", topic=topic, error=repr(error))


class _Head(Struct):
    """The few words of an incident that say where and when its exports go."""

    incident_id: str
    mode: Mode
    severity: Urgency
    revision: int = 1


class _NoteHead(Struct):
    incident: _Head


class NoTime(ValueError):  # noqa: N818  # a fact about a note, named as one
    """A note without a time of day can't be sent: each format says when it was."""


def _at(note: IncidentNote) -> datetime:
    if note.utc is None:
        raise NoTime
    return note.utc


def _geojson(note: IncidentNote, topics: Topics) -> Sequence[Outgoing]:
    told = note.incident
    return (
        Outgoing(
            topic=topics.incident_geojson(told.incident_id, told.mode),
            payload=geojson(told),
            qos=1,
            retain=True,
            content_type="application/geo+json",
        ),
    )


def _cot(note: IncidentNote, topics: Topics) -> Sequence[Outgoing]:
    events = cot(note.incident, _at(note))
    return [_event(note.incident, "cot", event, "application/xml", topics) for event in events]


def _cap(note: IncidentNote, topics: Topics) -> Sequence[Outgoing]:
    told, sender = note.incident, note.incident.station
    earlier = tuple(
        reference(replace(told, revision=one.revision), one.utc, sender=sender)
        for one in note.earlier
    )
    if is_over(told) and not earlier:
        return ()  # an Alert of what is over would ring out; whoever heard of it is not known
    message = cap(told, _at(note), sender=sender, earlier=earlier)
    return (_event(told, "cap", message, "application/cap+xml", topics),)


def _sitrep(note: IncidentNote, topics: Topics) -> Sequence[Outgoing]:
    telex = sitrep(note.incident, _at(note)).encode("ascii")
    return (_event(note.incident, "sitrep", telex, "text/plain", topics),)


def _event(told: Incident, form: str, payload: bytes, kind: str, topics: Topics) -> Outgoing:
    topic = topics.out(form, told.mode)
    return Outgoing(topic=topic, payload=payload, qos=1, content_type=kind)


MAKERS: Mapping[str, Callable[[IncidentNote, Topics], Sequence[Outgoing]]] = {
    MAP: _geojson,
    "cot": _cot,
    "cap": _cap,
    "sitrep": _sitrep,
}
"""Each format by its name in the configuration."""
