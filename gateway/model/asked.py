"""What agreements are asked about, beside what radios hear."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.agreement import EventWord
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.listening import Availability
from gateway.model.place import Identity, Position
from gateway.model.words import Mode, Urgency


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened and stands in no radio message: a person, a receiver or a line says so."""

    fact_id: str
    what: EventWord
    also: tuple[EventWord, ...] = ()
    """What it is as well: a `transmitted` that is a `distress_ack`."""
    at: Moment
    by: str | None = None
    """The party that did it; None for this station."""
    person: str | None = None
    """Who says so."""
    to: str | None = None
    """The party addressed."""
    channel: str | None = None
    """A channel of the agreement, or the endpoint of a line."""
    freq_hz: int | None = None
    """Where no channel is named: each agreement finds its own."""
    mode: str | None = None
    """The radio system on that frequency."""
    address: Identity | None = None
    """The one station addressed; each agreement knows whose it is."""
    about: str | None = None
    """Whom or what it is about: the subject of a verdict, the id of a report."""
    words: str = ""
    """What was spoken; of evidence of a watch, its kind."""
    fields: tuple[str, ...] = ()
    """What it holds: position, nature, time, …"""
    starts_in_s: float | None = None
    """Of a notice: how long ahead of the activity it is given."""
    lasts_s: float | None = None
    """Of records, how long they are kept; of a check, how long it took until the answer;
    of a test, how long it was on the air from `at` on."""
    language: str | None = None
    """In which it was spoken, by its two letters (ISO 639-1)."""
    place: Position | None = None
    airborne: bool = False
    month: Availability | None = None
    """Of a `watch_month`, what it came to: by which rule stands in `about`, whose in `words`."""


class Stated(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody has stated, as it is kept, and told on `statement/<what>`."""

    fact: Fact
    boot: str | None = None
    """The start of the machine that the time in it counts from."""


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transmission that this station is asked for."""

    request_id: str
    at: Moment
    channel: str | None = None
    """A channel of the agreement; None when the frequency is in none."""
    freq_hz: int | None = None
    mode: str | None = None
    """dsc, ais, or an emission of voice."""
    category: Urgency
    purpose: str
    """distress_alert is a call of the station itself in distress; distress_ack, distress_relay,
    urgency_announce, safety_announce, calling, test, contact, position, …"""
    marked: Mode = Mode.REAL
    """Whether the message itself says that it is a test or an exercise."""
    via: str | None = None
    """dsc_ack, dsc_relay, voice, …"""
    by: str | None = None
    """The party that transmits; None for this station."""
    persons: tuple[str, ...] = ()
    """Who has authorised it."""
    consents: tuple[str, ...] = ()
    """Whose consent is on record: rcc_consent, hotline_consent, …"""
    to: tuple[str, ...] = ()
    """Parties, or all_ships, area_ships, group, individual, coast_station."""
    address: Identity | None = None
    """The one station that it goes to: its parties are added to `to`, agreement by agreement."""
    about: str | None = None
    """The subject that it answers or relays."""
    fields: tuple[str, ...] = ()
    text: str = ""
    language: str | None = None
    duration_s: float | None = None
    """How long it keys the transmitter: 0 for what a modem is told, and nobody else."""
    airborne: bool = False


Taped = Chunk | Tick | Fact | Request
"""What the rooms are told, in the order in which they are told it. A tape holds all of it."""
