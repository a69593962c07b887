"""One trouble, one incident: what every radio said of it, why it belongs together, how it stands.

An incident is a pure function of what was heard and of what operators ordered. Nothing in it is
ever deleted: evidence that leaves an incident stands in another, and a link that was undone stays
in the list with who undid it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from gateway.model.place import Identity, Position
from gateway.model.words import ClockState, Confidence, Mode, Nature, Urgency


class Phase(StrEnum):
    """How far the trouble itself has come, by the procedures of radio."""

    ALERTED = "alerted"
    ACKNOWLEDGED = "acknowledged"
    """A coast station has signed for the call, and the casualty has not called since. Nobody has
    been rescued by that. A ship's acknowledgement leads to nothing: her part is to listen."""
    RELAYED = "relayed"
    """Somebody else has passed it on, which is no acknowledgement."""
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    """The casualty itself has cancelled it, once: an operator, or its cancel on another radio, has
    still to confirm."""
    CANCELLED = "cancelled"
    RESOLVED = "resolved"
    FALSE_ALERT = "false_alert"


CLOSED = frozenset({Phase.CANCELLED, Phase.RESOLVED, Phase.FALSE_ALERT})
"""The phases in which nobody is waited for any more. Silence never leads to one of them."""


class AlarmPhase(StrEnum):
    """How the alarm stands with those on watch, beside the trouble itself (IEC 62923)."""

    NONE = "none"
    """None was ever raised: a test, an exercise, or what may not sound here."""
    RAISED = "raised"
    SILENCED = "silenced"
    """The sound is off until a time; then it is raised again."""
    ACKNOWLEDGED = "acknowledged"
    TRANSFERRED = "transferred"
    """Somebody else has taken it over."""
    CLEARED = "cleared"


class LinkKind(StrEnum):
    """Why two pieces of evidence are held to speak of one trouble."""

    SAME_IDENTITY = "same_identity"
    """The same number or name: MMSI, 24-bit address, beacon, call sign, hull marking."""
    REGISTERED = "registered"
    """The operator's own register says that one carries the other."""
    BEACON_ALIAS = "beacon_alias"
    """The 15-digit identity of a beacon is the head of the 23-digit one (C/S T.018)."""
    PAIRED_BEACON = "paired_beacon"
    """The last four digits that a second-generation beacon gives of its EPIRB-AIS (C/S T.018)."""
    PARENT_CRAFT = "parent_craft"
    """A craft whose MMSI is derived from that of its parent ship (ITU-R M.585)."""
    NEARNESS = "nearness"
    """Where both are, in units of how well that is known and how far either can have moved."""
    OPERATOR = "operator"
    """An operator said so."""


class Split(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an operator has taken apart: no link leads from one side to the other any more."""

    one: tuple[str, ...]
    other: tuple[str, ...]
    """The evidence of either side, by `evidence_id`."""
    by: str
    utc: datetime | None = None


class Link(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why two pieces of evidence belong together, or may."""

    kind: LinkKind
    weight: float
    """0 to 1; see docs/decisions."""
    one: str
    other: str
    """The evidence that it links, by `evidence_id`."""
    distance_m: float | None = None
    age_s: float | None = None
    """Between the times at which the two were heard last."""
    words: str
    """The reason as a sentence for a person."""
    undone_by: str | None = None
    """The operator who said that it is wrong."""
    undone_utc: datetime | None = None


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """All that one radio system has said of one craft or device in one place.

    The call, its repeats, its refinements, acknowledgements, relays and cancellations.
    """

    evidence_id: str
    """The `report_id` of the first report of it."""
    filed: str
    """What further reports of it are known by: mostly the first of its names."""
    system: str
    mode: Mode
    names: tuple[str, ...]
    """Whom it is about, each as `kind:value`, the one that proves most first."""
    sender: Identity | None = None
    """Who sent the first report of it."""
    casualty: Identity | None = None
    urgency: Urgency
    natures: tuple[Nature, ...] = ()
    covert: bool = False
    position: Position | None = None
    """The newest one stated."""
    position_mono_ns: int | None = None
    position_utc: datetime | None = None
    """When it was there; the age that the message states is taken off."""
    position_from: str | None = None
    """The radio system that stated it, when that is another one: a track of the same craft."""
    first_mono_ns: int
    last_mono_ns: int
    """When it was heard first and last, on the clock of the incident's `boot`."""
    first_utc: datetime | None = None
    last_utc: datetime | None = None
    alert_mono_ns: int | None = None
    """When it called for help the last time; None when only others spoke of it."""
    alerts: int = 0
    """Calls for help, repeats included."""
    reports: int = 0
    """Reports of it altogether, copies left out."""
    copies: int = 0
    last_report_id: str
    ports: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    acknowledged_by: tuple[str, ...] = ()
    """Stations that acknowledged it, by their names: `mmsi:00…` is a coast station."""
    acknowledged_first_mono_ns: int | None = None
    acknowledged_mono_ns: int | None = None
    """When a coast station acknowledged it first and last."""
    relayed_by: tuple[str, ...] = ()
    cancelled_mono_ns: int | None = None
    """When the casualty itself cancelled it last."""
    persons_on_board: int | None = None
    text: str | None = None
    confidence: Confidence
    """The best of its reports."""
    doubts: tuple[str, ...] = ()
    lost: bool = False
    """It repeated itself and has not been heard for three of its intervals. It is not over."""


class Related(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Another incident that may be the same trouble: shown, and not merged."""

    incident_id: str
    link: Link


class Action(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What an operator did about an incident."""

    verb: str
    author: str
    mono_ns: int
    utc: datetime | None = None
    words: str | None = None
    """Why, or to whom, in the operator's words."""


class IncidentAlarm(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The alarm of an incident, which is not its phase: a noise that ends is no rescue."""

    phase: AlarmPhase = AlarmPhase.NONE
    since_mono_ns: int = 0
    since_utc: datetime | None = None
    until_mono_ns: int | None = None
    """When a silence ends."""
    until_utc: datetime | None = None
    by: str | None = None
    """Who silenced, acknowledged, took over or cleared it."""
    why: str | None = None
    """Why it was raised, raised again or cleared."""
    raised: int = 0
    """How often it was raised."""
    escalated: bool = False
    """Nobody acknowledged it in time."""


class Nearby(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A craft near the trouble, from where it was heard last."""

    name: str
    """As `kind:value`."""
    system: str
    distance_m: float
    bearing_deg: float
    """From the casualty to it."""
    age_s: float
    """How old its place was."""


class Incident(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One trouble as it stands."""

    incident_id: str
    """Stable: made of its first report. 16 hexadecimal digits."""
    station: str
    mode: Mode
    phase: Phase
    severity: Urgency
    """The gravest of its evidence; a merge never lowers it."""
    covert: bool = False
    """Whoever threatens the craft must not learn of it: no alarm sounds here."""
    confidence: Confidence
    corroborated: bool = False
    """Two radio systems say so."""
    doubts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Every name of the casualty, as `kind:value`, the best known first; where there are others,
    those of the one that the position is of come before theirs."""
    others: int = 0
    """Casualties beside the one that is named first: an operator has merged what is not one."""
    natures: tuple[Nature, ...] = ()
    systems: tuple[str, ...] = ()
    position: Position | None = None
    position_evidence: str | None = None
    """The evidence that the position is from."""
    position_utc: datetime | None = None
    station_distance_m: float | None = None
    """From the station to the casualty."""
    station_bearing_deg: float | None = None
    nearby: tuple[Nearby, ...] = ()
    """The craft heard nearest to it, the nearest first."""
    persons_on_board: int | None = None
    opened_mono_ns: int
    opened_utc: datetime | None = None
    last_mono_ns: int
    last_utc: datetime | None = None
    boot: str | None = None
    """The start of the machine that each `mono_ns` counts from."""
    acknowledged_by: tuple[str, ...] = ()
    """By radio, whoever it was: `mmsi:00…` is a coast station."""
    calls_on: bool = False
    """It has called on after a coast station acknowledged it: it may not hear that station."""
    relayed_by: tuple[str, ...] = ()
    alert_lost: bool = False
    """All that called has fallen silent before its time. It is not over."""
    alarm: IncidentAlarm = IncidentAlarm()
    evidence: tuple[Evidence, ...]
    """The gravest and newest first; more than there is room for is counted."""
    evidence_more: int = 0
    links: tuple[Link, ...] = ()
    splits: tuple[Split, ...] = ()
    """What an operator has taken apart, of which one side stands here."""
    possibly: tuple[Related, ...] = ()
    actions: tuple[Action, ...] = ()
    merged_into: str | None = None
    """The incident that all of this stands in now; then this one is over."""
    split_from: str | None = None
    revision: int = 1
    say: str = ""
    """One line for a speaker or a pager, under 200 characters."""


class Noted(Struct, frozen=True, kw_only=True, gc=False):
    """That there was a note of an incident, and when: what exports name it by."""

    revision: int
    utc: datetime


class IncidentNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An incident after something about it has changed, as it goes on disk."""

    incident: Incident
    """First, so that its name stands at a fixed place on disk: there the journal finds it."""
    change: str
    """What has changed, in words."""
    gone: bool = False
    """It is over for so long that it is taken off the board."""
    mono_ns: int | None = None
    """When it was noted, on the clock of the incident's `boot`."""
    utc: datetime | None = None
    clock: ClockState | None = None
    """How far `utc` can be trusted: only where it can, the next start of the machine dates by it
    what this one has noted."""
    earlier: tuple[Noted, ...] = ()
    """The notes before this one: the first of them, and the newest. What follows others in the
    formats of others names them, also after a restart."""


class OrderVerb(StrEnum):
    """What an operator can order about an incident."""

    ACK = "ack"
    """The alarm is known; the trouble goes on."""
    SILENCE = "silence"
    """No sound for a while."""
    TRANSFER = "transfer"
    """Somebody else, named in the words, has taken it over."""
    RESOLVE = "resolve"
    """It is over."""
    FALSE_ALERT = "false-alert"
    CONFIRM_CANCEL = "confirm-cancel"
    """The casualty's own cancellation is confirmed, as by voice."""
    REOPEN = "reopen"
    MERGE = "merge"
    """With another incident: both are one trouble."""
    SPLIT = "split"
    """The evidence named is another trouble."""
    NOTE = "note"


class IncidentOrder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator orders about an incident. Every order is kept with its author."""

    verb: OrderVerb
    incident_id: str
    author: str
    words: str | None = None
    """Why, or to whom."""
    other: str | None = None
    """The incident that it is merged with."""
    evidence: tuple[str, ...] = ()
    """What is split off, by `evidence_id`."""
    silence_s: float = 300.0
    flood_from: datetime | None = None
    flood_until: datetime | None = None
    """Of a false alert: beside the incident itself, what was heard in this time, and is of a flood
    of single calls with which nobody has dealt."""
