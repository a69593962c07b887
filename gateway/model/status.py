"""What the box says of itself: the retained payloads `status`, `port/<port>` and `alert/<name>`.

Counts only ever rise while the program runs, and begin at 0 with it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct, field

from gateway.model.hotline import LineStatus
from gateway.model.words import ClockState


class StationState(StrEnum):
    """Whether anybody is on watch."""

    ONLINE = "online"
    OFFLINE = "offline"
    """Said by the gateway when it leaves, and by the broker (its will) when it just vanishes."""


class ClockStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the times in these reports can be trusted."""

    state: ClockState
    error_ms: int | None = None
    """How far the time of day may be out, by the kernel's word."""
    boot: str | None = None
    """The start of the machine that all `mono_ns` of this run count from."""
    leap: Literal["insert", "delete"] | None = None
    """The leap second that the kernel has been told of for the end of this day."""
    steps: int = 0
    """How often the time of day was moved by half a second or more."""
    step_s_last: float | None = None
    """How far it was moved the last time; forwards is positive."""
    gnss: Literal["good", "none", "rolled_over", "wrong"] | None = None
    """What the station's own satellite receivers are worth as witnesses of the time: `none` is no
    fix or no agreement, `rolled_over` a date that is out by 1024 weeks, `wrong` another one that
    can't be. None when no receiver was heard."""
    gnss_offset_s: float | None = None
    """How far the satellites' time is ahead of the time of day. A sentence is up to a second on its
    way, so that a few tenths below 0 are no fault."""


class SchemaRange(Struct, frozen=True, kw_only=True):
    """The versions of the published report that this gateway can send."""

    min: int
    max: int


class PortBytes(Struct, frozen=True, kw_only=True):
    """Where the bytes of a port went. What came in is always the sum of the other four."""

    heard: int = field(name="in")
    decoded: int
    refused: int
    noise: int
    held: int


class PortLink(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one port is: the payload of the retained topic `port/<port>`."""

    state: Literal["waiting", "opening", "open", "silent"]
    """`silent` is open too: nothing has come for the profile's time, so it was opened anew."""
    modem: str
    device: str
    """Where it is looked for, as configured."""
    exercise: bool = False
    """Whether all that is heard there is of an exercise."""
    last_error: str | None = None
    retry_in_s: float | None = None
    """When the next attempt is made; None when none is needed."""
    reopened: int = 0
    """How often the port was lost and taken up again."""
    transmit: Literal["never", "ready", "unproven", "dead"] = "never"
    """Whether anything may be transmitted by it: `unproven` while nobody knows that the modem there
    is the one that was meant, `dead` when it took no bytes."""
    transmit_reason: str | None = None
    """Why a port that can transmit may not now."""
    last_heard_utc: datetime | None = None


class PortStatus(PortLink, frozen=True, kw_only=True, omit_defaults=True):
    """How one port is, and what came of what was heard there."""

    bytes: PortBytes
    frames: int = 0
    reports: int = 0
    refused: int = 0
    unread: int = 0
    copies: int = 0
    suspect: int = 0
    decoder_errors: int = 0


class CertificateStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One certificate that a link depends on."""

    file: str | None = None
    not_after: datetime | None = None
    """Absent when it can't be read."""
    days_left: int | None = None
    """Whole days; absent while the time of day is not known."""


class LinkStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one broker link is."""

    connected: bool
    """Whether all connections are up: for distress, for the rest and, where a consumer of record is
    named, for its receipts."""
    retains: bool = True
    """Whether the broker keeps retained topics; false: whoever comes later learns a state only when
    it is told anew."""
    connects: int = 0
    """Connections made for distress; with each, all that is not ended is told again."""
    queued: int = 0
    """Entries that are not ended: in the outbox, signed for by nobody yet, and before it."""
    published: int = 0
    """Entries that the broker signed for."""
    resent: int = 0
    """Times that an entry was told again because its receipt had not come."""
    unsigned: int = 0
    """Entries told that the consumer of record has yet to sign for; 16384 are this many or more."""
    oldest_unsigned_s: float | None = None
    """How long ago, in this run, the first of them was told for the first time."""
    receipts: int = 0
    """Receipts that ended what they name."""
    receipts_refused: int = 0
    """Receipts that could not be read, or name what this run has not told."""
    requests: int = 0
    """Requests of the consumer of record that were answered to the end."""
    requests_refused: int = 0
    """Requests that could not be read, or ask for what can't be had."""
    requests_broken_off: int = 0
    """Requests whose answer has no end: the connection was lost, or the disk can't be read."""
    answered: int = 0
    """Records told in answers to requests."""
    crossed: int = 0
    """To another party: messages of which something crossed."""
    stayed: int = 0
    """To another party: messages of which nothing may cross."""
    withheld: dict[str, int] = {}
    """To another party: how often each field stayed here."""
    line: LineStatus | None = None
    commands: int = 0
    """Commands of operators that were carried out, or had been before."""
    commands_refused: int = 0
    """Commands that could not be read, came late, or could not be carried out."""
    outcomes_untold: int = 0
    """Outcomes of commands that the broker did not take."""
    exports: int = 0
    """Incidents told in the formats of others, as `exports` of the link names them."""
    exports_failed: int = 0
    """Of these, what could not be made. Always 0, or please report it."""
    exports_superseded: int = 0
    """Of these, what newer ones of the same incident replaced before they were told."""
    poison: int = 0
    """Entries that could not be told time and again, set aside and still tried: `alert/poison`."""
    refused: int = 0
    """Publications that the broker turned down."""
    lost: int = 0
    """Entries that were neither told nor kept. Always 0, or the disk has failed as well."""
    offered: int = 0
    """Routine records and places handed to the broker."""
    dropped: int = 0
    """Routine records that the link was not up for, or could not keep up with."""
    throttled: int = 0
    """Routine records dropped because they were over the rate of the link, `routine_per_s`."""
    conflated: int = 0
    """Places that a newer one of the same craft replaced before they were told."""
    outbox_errors: int = 0
    """Times that the outbox could not be read or struck out; what stands in it is told later."""
    overflowed: int = 0
    """Receipts, requests and commands that came with QoS 0 while a thousand others waited, and are
    forgotten: whoever sent them has to send them again."""
    certificates: dict[str, CertificateStatus] = {}
    """`ours`, that of the `authority` in our file, and that which the `broker` showed last; further
    ones of a kind are numbered: `authority-2`."""
    certificates_replaced: int = 0
    """Times that new files of certificates were taken while the program ran."""
    last_error: str | None = None


class JournalCounts(Struct, frozen=True, kw_only=True):
    """How the journal is, and what it holds."""

    number_last: int
    """The newest number given; also how many items this journal has ever taken."""
    rows: dict[str, int]
    """What it holds, by shelf: distress, urgency, safety, routine, refused, unread."""
    outbox: dict[str, int]
    """Entries that each broker link has yet to take."""
    size_bytes: int
    backlog: int = 0
    """Items handed over and not yet on disk."""
    commits: int = 0
    commit_ms_last: float = 0.0
    commit_ms_max: float = 0.0
    failures: int = 0
    """Transactions that the disk did not take."""
    last_failure: str | None = None
    free_bytes: int | None = None
    """Left on its file system for the gateway's user; None when that is not known yet."""
    reserve_bytes: int = 0
    """Held beside it for distress, urgency and safety, and not counted as left."""
    room: Literal["ample", "low", "short", "full"] = "ample"
    """`short`: routine is told and not journaled. `full`: the reserve is given up, and in use."""
    shed: int = 0
    """Routine items told and not journaled for want of room."""
    waiting: int = 0
    """Distress, urgency and safety told with `journaled: false`, and held in memory until the disk
    takes them."""
    lost: int = 0
    """Such items that memory could not hold either: they were told, and are not journaled."""
    quarantined: int = 0
    """Rows of the file that were found damaged. They are kept aside and never told."""
    aside: dict[str, int] = {}
    """Damaged journals that were set aside when this one was begun and are still there, by the name
    of the file, and how many entries of each are told again by this one."""
    link_last: str = ""
    """The link of the newest row, hexadecimal. Whoever keeps it can prove later with the journal
    that nothing up to that row was changed."""


class HealthCounts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of telling how the box is where no broker is needed for it."""

    status_file_failures: int = 0
    """Times that the status file could not be written."""
    notify_failures: int = 0
    """Words to systemd that did not get through."""
    scrapes_refused: int = 0
    """Callers at the port of the metrics that were turned away, or cut off."""


class Fill(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How full a place is; of several of one kind, the fullest."""

    held: int
    limit: int
    evicted: int = 0
    """What its rule has cost since the start, in all of one kind."""


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole of it: the payload of the retained topic `status`, and of the will in its place."""

    station: str
    state: StationState
    version: str
    epoch: str | None = None
    """The journal that numbers the entries."""
    seq: int = 0
    """Counts the statuses of this run, from 1; the will, written beforehand, has none."""
    utc: datetime | None = None
    """When this was said; None in a will, which nobody can date beforehand."""
    clock: ClockStatus | None = None
    schema: SchemaRange
    ports: dict[str, PortStatus] = {}
    links: dict[str, LinkStatus] = {}
    journal: JournalCounts | None = None
    uptime_s: float | None = None
    loop_lag_ms_max: float | None = None
    """The longest that the event loop has been held up in this run."""
    loop_lag_ms_p999: float | None = None
    """Of a thousand looks in this run 999 found it held up for no longer than this."""
    bounds: dict[str, Fill] = {}
    """How full each kind of place is in which things wait or are remembered (docs/BOUNDS.md)."""
    duties_failed: int = 0
    """Times that a fault of this program ended a duty, which is taken up again. 0, or report it."""
    incident_errors: int = 0
    """Times that a fault of this program kept a report, an order or the time from the incidents;
    none of them was lost by it. 0, or report it."""
    rule_errors: int = 0
    """Times that a rule of an agreement failed by a fault of this program, and said `unknown`. 0,
    or report it."""
    agreements: dict[str, str] = {}
    """The digest of each agreement that binds the station, by its name: an order to transmit has to
    name them all."""
    orders_refused: int = 0
    """Orders to transmit that were refused, for whatever reason."""
    health: HealthCounts | None = None
    alerts: dict[AlertName, Alert] = {}
    """What is wrong with the box itself: all that stands on `alert/<name>`."""


class AlertName(StrEnum):
    """What may be wrong with the box itself: one retained alert a name."""

    JOURNAL = "journal"
    """The disk does not take what is heard."""
    DISK = "disk"
    """The journal's disk fills up, or is full."""
    JOURNAL_DAMAGE = "journal_damage"
    """Rows of the journal were found damaged, or all of it was and was set aside."""
    RECORD = "record"
    """The tape is not written."""
    UNDELIVERED = "undelivered"
    """A distress was not signed for within 60 s."""
    NONDELIVERY = "nondelivery"
    """A distress was not signed for within 240 s."""
    POISON = "poison"
    """An entry can't be told time and again."""
    LINK = "link"
    """A connection to a broker has been down for some seconds."""
    CERTIFICATE = "certificate"
    """A certificate has run out, soon will, or is not believed."""
    CLIENT_ID = "client_id"
    """Another client at a broker bears our name."""
    FLOOD = "flood"
    """More calls for help than ever come at once, or more damaged ones than are told one by one."""
    BACKLOG = "backlog"
    """A place through which distress passes is more than half full."""
    LAG = "lag"
    """The gateway was held up for a second or more."""
    STUCK = "stuck"
    """A part of the gateway makes no progress."""
    AGREEMENT = "agreement"
    """An agreement or the file of keys can't be read, or is not signed by all who have to: nothing
    is transmitted."""
    TRANSMITTER = "transmitter"
    """A transmitter may be keyed though nobody transmits, or takes no bytes any more."""
    DEAF = "deaf"
    """A receiver hears nothing: calls on its channel are missed."""
    CLOCK = "clock"
    """The time of day was never set, was moved, runs free, or contradicts the satellites."""


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something wrong with the box itself: the payload of `alert/<name>` until it is cleared."""

    name: AlertName
    since: datetime | None
    """None when the time of day was not known."""
    text: str
    """What it is, and what can be done about it, for a person."""
    count: int | None = None
    """How many entries it concerns, where it concerns entries."""
    number: int | None = None
    """The oldest of them."""


class AlarmNote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every note of an alarm says: which one, and when."""

    name: AlertName
    boot: str | None = None
    """The start of the machine that `mono_ns` counts from."""
    mono_ns: int
    utc: datetime | None = None
    clock: ClockState
    """How far `utc` can be trusted."""
    clock_error_ms: int | None = None
    unsaid: int = 0
    """How often it was raised, told anew or cleared since the note before, and not noted: too fast
    for that."""


class AlarmRaised(
    AlarmNote, frozen=True, kw_only=True, omit_defaults=True, tag_field="alarm", tag="raised"
):
    """Something is wrong with the box itself, or more than before: what stood on `alert/…` then.

    What still stands when a run of the gateway ends is over with it, and raised again by the next.
    """

    text: str
    """What it is, and what can be done about it, for a person."""
    count: int | None = None
    """How many entries it concerned then, where it concerns entries."""
    number: int | None = None
    """The oldest of them."""


class AlarmCleared(
    AlarmNote, frozen=True, kw_only=True, omit_defaults=True, tag_field="alarm", tag="cleared"
):
    """It is over: nothing stands on `alert/…` under this name any more."""
