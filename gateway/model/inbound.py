"""What a thing is called after each inbound door. Every coat keeps the one before in its pocket."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from gateway.model.incident import IncidentNote
from gateway.model.place import Identity, Position, Velocity
from gateway.model.verdict import Verdict, VerdictNote
from gateway.model.words import (
    ClockState,
    Confidence,
    Fault,
    Integrity,
    Kind,
    Mode,
    Nature,
    Relation,
    Urgency,
)

SCHEMA_VERSION = 1
"""Version of the published report; raised when a field changes its meaning or goes away."""


CLOCK_FLOOR_UTC_NS = 1_793_491_200 * 10**9
"""2026-11-01: no box runs this release earlier, so an earlier clock was never set."""

STEP_NS = 500_000_000
"""A time of day that moved so far beside the monotonic clock was set, by whomever: NTP lets a clock
run faster or slower to mend less than half a second."""


class Moment(Struct, frozen=True, gc=False):
    """When something happened, as this box's clocks told it."""

    mono_ns: int
    """Nanoseconds on the monotonic clock; for intervals, never for dates."""
    utc_ns: int | None = None
    """Nanoseconds since 1970-01-01 UTC; None when nobody knows (a plain capture)."""
    clock: ClockState = ClockState.UNSET
    error_ms: int | None = None
    """How far `utc_ns` may be out, by the kernel's word; None when nobody answers for it."""


class Chunk(Struct, frozen=True, gc=False):
    """Bytes as they fell off the wire, whole messages or not."""

    port: str
    heard: Moment
    data: bytes
    gap: bool = False
    """True when bytes may be missing before these: the port has just been (re)opened."""


class Tick(Struct, frozen=True, gc=False):
    """The passing of time, as an input like any other."""

    now: Moment


class Tags(Struct, frozen=True, gc=False):
    """What a TAG block in front of a sentence says (NMEA 0183 v4.10, section 7)."""

    source: str | None = None
    """`s:` the station or receiver that heard it."""
    time_ns: int | None = None
    """`c:` when that receiver heard it, nanoseconds since 1970 UTC."""
    group: str | None = None
    """`g:` the identity of the group of sentences that belong together."""


class Frame(Struct, frozen=True, gc=False):
    """One message as sent, still in the radio's own alphabet; a broken one carries its fault."""

    port: str
    heard: Moment
    body: bytes
    """The message without its envelope (start mark, checksum, line end)."""
    raw: bytes
    """The exact bytes of the message, cut at the framing's limit; the line end is left out."""
    span: int
    """How many bytes of the wire this frame accounts for."""
    ordinal: int
    """Its place among the frames of the same chunk; tells twins in one chunk apart."""
    fault: Fault | None = None
    integrity: Integrity = Integrity.NONE
    tags: Tags | None = None


class Detail(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a radio system says in its own words; each system derives its own."""


class Reading(Struct, frozen=True, gc=False):
    """What one message of one radio system says, in that system's own terms."""

    frames: tuple[Frame, ...]
    """The frames it was read from, in the order in which they were heard; never empty."""
    system: str
    said: Detail
    content: bytes
    """What went over the air, whole and canonical: equal for two receivers of one transmission."""
    refines: tuple[Frame, ...] = ()
    """The frames of the earlier reading that this one completes."""


class Unread(Struct, frozen=True, gc=False):
    """A whole frame that no report can be made of. It is counted, and kept but for one case."""

    frames: tuple[Frame, ...]
    reason: str
    """What stood in the way, in words; empty when no decoder speaks this language."""
    distress_like: bool = False
    """True when, had it been readable, it might have been a call for help."""
    kept: bool = True
    """False for what is plainly of no radio and comes a thousand times a second: counted only."""


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """What a reading means to everybody, before the house has dated and checked it."""

    kind: Kind
    urgency: Urgency
    mode: Mode = Mode.REAL
    sender: Identity | None = None
    casualty: Identity | None = None
    addressee: Identity | None = None
    nature: Nature | None = None
    position: Position | None = None
    velocity: Velocity | None = None
    persons_on_board: int | None = None
    text: str | None = None
    claimed_utc: str | None = None
    channel: str | None = None
    freq_hz: int | None = None
    rssi_dbm: float | None = None
    integrity: Integrity | None = None
    """How the radio system itself proved it; None when its framing did."""
    corrected_bits: int = 0
    confidence: Confidence = Confidence.VERIFIED
    doubts: tuple[str, ...] = ()
    covert: bool = False


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who heard it, where, how and when. Never mixed with what the message claims."""

    station: str
    port: str
    modem: str
    """The profile of the modem, a file in hardware/modems."""
    mono_ns: int
    utc: datetime | None = None
    """Time of day of this box; None when it was not known."""
    clock: ClockState
    clock_error_ms: int | None = None
    """How far `utc` may be out, by the kernel's word; None when nobody answers for it."""
    boot: str | None = None
    """The start of the machine that `mono_ns` counts from; see the statements on `clock/…`."""
    channel: str | None = None
    freq_hz: int | None = None
    rssi_dbm: float | None = None
    receiver: str | None = None
    """The receiver's own name, from a TAG block."""
    receiver_utc: datetime | None = None
    """The receiver's own time of hearing, from a TAG block."""


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One thing heard, in the one vocabulary shared by every radio system. Absent is None."""

    report_id: str
    """Stable: the same on retry, restart and replay. 32 hexadecimal digits."""
    schema: int
    system: str
    """dsc, ais, gnss, …: the name of the decoder."""
    kind: Kind
    urgency: Urgency
    mode: Mode
    sender: Identity | None = None
    """Who transmitted."""
    casualty: Identity | None = None
    """Who is in distress, if anybody; not always the sender."""
    addressee: Identity | None = None
    """Whom it was sent to; None means everybody, or that the modem does not say."""
    nature: Nature | None = None
    position: Position | None = None
    """Of the casualty in a distress message, of the sender otherwise; where the detail names an
    object that the message is about, of that."""
    velocity: Velocity | None = None
    persons_on_board: int | None = None
    text: str | None = None
    claimed_utc: str | None = None
    """What the message itself says of its time: `[YYYY-MM-DDT]HH:MM[:SS[.fff]]Z`."""
    heard: Heard
    integrity: Integrity
    corrected_bits: int = 0
    confidence: Confidence
    doubts: tuple[str, ...] = ()
    """Why the confidence is not higher, a sentence each."""
    covert: bool = False
    """Whoever threatens the craft must not learn of it: no alarm, no answer towards the craft."""
    refines: str | None = None
    """The report that this one completes."""
    detail: Detail | None = None
    """The system's own words; see the schema of the system."""
    raw: tuple[str, ...]
    """The exact messages as heard, one text each; other than printable ASCII as \\xNN."""


class Witness(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One hearing of a transmission that was heard more than once."""

    report_id: str
    port: str
    mono_ns: int
    receiver: str | None = None
    rssi_dbm: float | None = None


class Sighting(Struct, frozen=True, gc=False):
    """A report with its place in the story: first word, copy, or refinement."""

    report: Report
    content: bytes
    relation: Relation = Relation.FIRST
    first_id: str | None = None
    """The first report of this transmission, when this is a copy of it."""
    witnesses: tuple[Witness, ...] = ()
    """Everyone who has heard this transmission up to now, the first one first."""
    incident: str | None = None
    """The trouble that it belongs to; see `incident/<id>`."""


class Ruling(Struct, frozen=True, gc=False):
    """A sighting and what the agreements say about it, rule by rule."""

    sighting: Sighting
    verdicts: tuple[Verdict, ...] = ()


class Refused(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something heard that no report was made of: kept, counted, told, never guessed at."""

    port: str
    mono_ns: int
    utc: datetime | None = None
    clock: ClockState | None = None
    """How far `utc` can be trusted; None in what earlier builds kept."""
    clock_error_ms: int | None = None
    boot: str | None = None
    """The start of the machine that `mono_ns` counts from."""
    reason: str
    door: str
    """Where it was stopped: `framing` (not whole) or `radio` (whole, not readable)."""
    distress_like: bool = False
    """True when, had it been readable, it might have been a call for help."""
    flood: bool = False
    """True for one of so many such on its port that it is kept, and not told by itself."""
    mode: Mode = Mode.REAL
    """`exercise` when it was heard on a port of an exercise; a test can't be told from it."""
    raw: tuple[str, ...]
    span: int
    """How many bytes of the wire it stands for; raw may be cut shorter."""


class ClockStep(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="what", tag="step"
):
    """The time of day of this box was moved: what stands in records before is of another time."""

    boot: str
    """The start of the machine that `mono_ns` counts from."""
    mono_ns: int
    """When it was noticed."""
    utc: datetime | None = None
    """The time of day afterwards."""
    utc_before: datetime | None = None
    """What the time of day would have been."""
    step_s: float
    """How far it was moved; forwards is positive."""
    clock: ClockState
    """How far the time of day can be trusted now."""
    clock_error_ms: int | None = None
    leap: bool = False
    """True when it was one second at the turn of a quarter: a leap second, and no fault."""


class ClockOffset(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="what", tag="offset"
):
    """What time it really was: dates the records that were taken with a clock nobody answered for.

    It holds for each record with this `boot`, with `clock` unset or free, and with `mono_ns` from
    `mono_first_ns` to `mono_last_ns`: that was heard at `utc + (its mono_ns - this mono_ns)`. Of
    several that hold for one record, the one with the highest number counts.
    """

    boot: str
    mono_first_ns: int
    """0 for all since the machine was started."""
    mono_last_ns: int | None = None
    """None when it holds for what follows as well."""
    mono_ns: int
    utc: datetime
    """The true time of day at `mono_ns`."""
    offset_s: float
    """What it was ahead of the clock that the newest of these records were taken with."""
    source: ClockState
    """Who says so: ntp or gnss; free when somebody has just set a clock that was never set."""
    error_ms: int | None = None
    """How far `utc` may be out; None when nobody answers for it. What was heard long before may be
    out by some 0.4 s more for each hour: that is how well a plain crystal keeps time."""


Inbound = Ruling | Refused | ClockStep | ClockOffset | IncidentNote | VerdictNote
"""What comes out of the hallway."""
