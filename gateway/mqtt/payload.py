"""What subscribers read: an entry becomes a record, in JSON or msgpack. Pure.

A record is always written from the entry's body, never from the item that was in memory: so it
says the same when it is told again after a restart, but for the time of telling and `late`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.model.asked import Stated
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import ClockOffset, ClockStep, Refused, Report, Witness
from gateway.model.incident import Incident
from gateway.model.status import AlarmCleared, AlarmRaised
from gateway.model.transmission import TransmissionNote
from gateway.model.verdict import Verdict, VerdictNote
from gateway.model.words import Mode, Relation, Urgency
from gateway.mqtt.bus import Outgoing
from gateway.mqtt.cut import cut_to_fit
from gateway.mqtt.topics import Topics
from gateway.normalise import utc_of

LATE_S = 5.0
"""A record told later than this after it was heard says `late`: somebody may have acted since."""

POSITION_EXPIRY_S = 900
"""A last known place older than this is taken off the board (five times the slowest AIS report)."""

INCIDENT_BYTES_MAX = 16_000
"""A record of an incident, whole: small enough for a broker, a pager's gateway and a thin line."""

CONTENT_TYPES = {"json": "application/json", "msgpack": "application/msgpack"}


class Times(Struct, frozen=True, kw_only=True):
    """When this box did what; `heard` is in the report itself."""

    journaled_utc: datetime | None
    """When the disk was asked to keep it."""
    published_utc: datetime | None
    """When it was handed to the broker this time."""


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every record says of itself."""

    station: str
    epoch: str
    """The journal that numbers it."""
    number: int
    """Its place in the epoch, without gaps; 0 when the journal could not take it."""
    journaled: bool
    """False when the disk failed and this was told all the same."""
    times: Times
    late: bool
    """True when it waited: for a broker, or longer than a few seconds for anything else."""


class Record(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """One report as told on `report/…`, `exercise/report/…` and `position/…`."""

    relation: Relation
    first_id: str | None = None
    """The first report of this transmission, when this is a copy of it."""
    witnesses: tuple[Witness, ...] = ()
    """Everyone who has heard this transmission up to now, the first one first."""
    verdicts: tuple[Verdict, ...] = ()
    report: Report


class RefusedRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """One frame that may be a call for help and can't be read, as told on `refused/<port>`."""

    refused: Refused


class ClockRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """What is stated about the time of day of this box, as told on `clock/step`, `clock/offset`."""

    statement: ClockStep | ClockOffset


class AlarmRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """A trouble of the box itself that began or is over, as told on `alarm/…`."""

    note: AlarmRaised | AlarmCleared


class IncidentRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """One incident after a change, as it stands on `incident/<id>` and is told on its `log`.

    At most 16 kB: evidence for which there is no room is counted in `evidence_more`.
    """

    change: str
    """What has changed, in words."""
    gone: bool = False
    """It is over for so long that it is taken off the board."""
    incident: Incident


class RulingRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule of an agreement says, as told on `ruling/<agreement>/<rule>`."""

    note: VerdictNote


class StatementRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody has stated that no radio says, as told on `statement/<what>`."""

    statement: Stated


class TransmissionRecord(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """What came of an order to transmit, as told on `transmission/<port>`."""

    note: TransmissionNote


class Writer:
    """Writes what one link tells."""

    def __init__(self, topics: Topics, form: Literal["json", "msgpack"], *, station: str) -> None:
        self.topics = topics
        self._station = station
        self._content_type = CONTENT_TYPES[form]
        encoder = msgspec.json.Encoder() if form == "json" else msgspec.msgpack.Encoder()
        self._encode = encoder.encode

    def record(self, entry: Entry, *, published_utc_ns: int | None, waited: bool) -> Outgoing:
        """Return the record of an entry, on the topic of its lane, urgency, mode and system.

        Raises:
            msgspec.MsgspecError: the body is not what a journal of ours holds.
            TopicUnsafe: it names a port or a system that can't be.
        """
        topic, payload = self._record(entry, published_utc_ns, waited=waited)
        return Outgoing(
            topic=topic,
            payload=payload,
            qos=0 if entry.lane is Lane.ROUTINE else 1,
            content_type=self._content_type,
        )

    def position(
        self, entry: Entry, topic: str, *, published_utc_ns: int | None, retain: bool
    ) -> Outgoing:
        """Return the same record as the last known place of its craft."""
        _, payload = self._record(entry, published_utc_ns, waited=False)
        return Outgoing(
            topic=topic,
            payload=payload,
            qos=0,
            retain=retain,
            expiry_s=POSITION_EXPIRY_S,
            content_type=self._content_type,
        )

    def incident(self, entry: Entry, *, published_utc_ns: int | None) -> Outgoing:
        """Return the same record as the incident as it stands; with it gone, what takes it off."""
        body = msgspec.msgpack.decode(entry.body, type=_NoteHead)
        topic = self.topics.incident(body.incident.incident_id, body.incident.mode)
        payload = b""
        if not body.gone:
            _, payload = self._record(entry, published_utc_ns, waited=False)
        return Outgoing(
            topic=topic,
            payload=payload,
            qos=1,
            retain=True,
            content_type=None if body.gone else self._content_type,
        )

    def state(self, suffix: str, state: Struct | None) -> Outgoing:
        """Return a retained state, or with None what takes it off the broker again."""
        return Outgoing(
            topic=self.topics.under(suffix),
            payload=b"" if state is None else self._encode(state),
            qos=1,
            retain=True,
            content_type=None if state is None else self._content_type,
        )

    def closing(self, answer: Struct) -> Outgoing:
        """Return what closes an answer; whoever asked says on which topic."""
        return Outgoing(
            topic=self.topics.root,
            payload=self._encode(answer),
            qos=1,
            content_type=self._content_type,
        )

    def _record(
        self, entry: Entry, published_utc_ns: int | None, *, waited: bool
    ) -> tuple[str, bytes]:
        topic, heard, again = self._told(entry)
        published = utc_of(published_utc_ns)
        record = again(
            station=self._station,
            epoch=entry.epoch,
            number=entry.number,
            journaled=entry.number > 0,
            times=Times(journaled_utc=utc_of(entry.journaled_utc_ns), published_utc=published),
            late=waited or _overdue(heard, published),
        )
        payload = self._encode(record)
        if isinstance(record, _IncidentAgain) and len(payload) > INCIDENT_BYTES_MAX:
            spare = len(payload) - INCIDENT_BYTES_MAX
            incident = cut_to_fit(_told_again(record), spare, self._encode)
            payload = self._encode(replace(record, incident=incident))
        return topic, payload

    def _told(self, entry: Entry) -> tuple[str, datetime | None, Callable[..., Envelope]]:
        """Return where an entry is told, when it was heard, and its record but for the envelope.

        What the box says of itself was heard by nobody: that is late only when it waited.
        """
        body = msgspec.msgpack.decode(entry.body, type=dict[str, object])
        stated = self._told_by_nobody(body)
        if stated is not None:
            return stated
        if "incident" in body:
            return self._told_incident(body)
        if "sighting" not in body:
            frame = msgspec.convert(body, _RefusedHead)
            topic = self.topics.refused(frame.port, frame.mode)
            return topic, frame.utc, partial(_RefusedAgain, refused=body)
        ruling = msgspec.convert(body, _Ruling)
        sighting = ruling.sighting
        head = msgspec.convert(sighting.report, _Head)
        again = partial(
            _RecordAgain,
            relation=sighting.relation,
            first_id=sighting.first_id,
            witnesses=sighting.witnesses,
            verdicts=ruling.verdicts,
            report=sighting.report,
        )
        return self.topics.report(head.urgency, head.system, head.mode), head.heard.utc, again

    def _told_by_nobody(
        self, body: dict[str, object]
    ) -> tuple[str, None, Callable[..., Envelope]] | None:
        """Return where something goes that was heard on no radio; None for all else."""
        if "what" in body:
            return self.topics.clock(str(body["what"])), None, partial(_ClockAgain, statement=body)
        if "alarm" in body:
            return self.topics.alarm(str(body["alarm"])), None, partial(_AlarmAgain, note=body)
        if "fact" in body:
            what = msgspec.convert(body, _StatedHead).fact.what
            return self.topics.statement(what), None, partial(_StatementAgain, statement=body)
        if "stage" in body:
            topic = self.topics.transmission(str(body["port"]))
            return topic, None, partial(_TransmissionAgain, note=body)
        if "verdict_id" in body:
            verdict = msgspec.convert(body, _VerdictNoteHead).verdict
            topic = self.topics.ruling(verdict.agreement, verdict.rule)
            return topic, None, partial(_RulingAgain, note=body)
        return None

    def _told_incident(
        self, body: Mapping[str, object]
    ) -> tuple[str, None, Callable[..., Envelope]]:
        note = msgspec.convert(body, _NoteHead)
        topic = self.topics.incident_log(note.incident.incident_id, note.incident.mode)
        again = partial(
            _IncidentAgain, change=note.change, gone=note.gone, incident=body["incident"]
        )
        return topic, None, again


def _overdue(heard: datetime | None, published: datetime | None) -> bool:
    """Return whether telling took too long; a clock that was set back in between says nothing."""
    if heard is None or published is None:
        return False
    return (published - heard).total_seconds() > LATE_S


class _RecordAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    """A record as written: field for field the published one, its report untouched since disk."""

    relation: Relation
    first_id: str | None = None
    witnesses: tuple[dict[str, object], ...] = ()
    verdicts: tuple[dict[str, object], ...] = ()
    report: dict[str, object]


class _RefusedAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    refused: dict[str, object]


class _ClockAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    statement: dict[str, object]


class _AlarmAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    note: dict[str, object]


class _RulingAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    note: dict[str, object]


class _TransmissionAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    note: dict[str, object]


class _StatementAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    statement: dict[str, object]


class _IncidentAgain(Envelope, frozen=True, kw_only=True, omit_defaults=True):
    change: str
    gone: bool = False
    incident: object


def _told_again(record: _IncidentAgain) -> Mapping[str, object]:
    """Return the incident, word for word as it was written."""
    return msgspec.convert(record.incident, dict[str, object])


class _IncidentHead(Struct):
    """The few words of an incident that say where it goes."""

    incident_id: str
    mode: Mode


class _NoteHead(Struct, kw_only=True):
    incident: _IncidentHead
    change: str
    gone: bool = False


class _FactHead(Struct):
    what: str


class _StatedHead(Struct):
    fact: _FactHead


class _VerdictHead(Struct):
    """The few words of a verdict that say where it goes."""

    agreement: str
    rule: str


class _VerdictNoteHead(Struct):
    verdict: _VerdictHead


class _Heard(Struct):
    utc: datetime | None = None


class _Head(Struct):
    """The few words of a report that say where it goes."""

    urgency: Urgency
    mode: Mode
    system: str
    heard: _Heard


class _RefusedHead(Struct):
    port: str
    utc: datetime | None = None
    mode: Mode = Mode.REAL


class _Sighting(Struct):
    report: dict[str, object]
    relation: Relation
    first_id: str | None = None
    witnesses: tuple[dict[str, object], ...] = ()


class _Ruling(Struct):
    sighting: _Sighting
    verdicts: tuple[dict[str, object], ...] = ()
