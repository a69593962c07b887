"""What a packet of APRS says in its own words. Absent is None."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.inbound import Detail


class Packet(Struct, frozen=True):
    """One packet as AX.25 carries it, whichever way it was written."""

    source: str
    to: str
    """The destination: of Mic-E half of the position, of others mostly the sender's software."""
    path: tuple[str, ...]
    """By whose repeaters; an asterisk behind those that have repeated it."""
    body: bytes
    """The information field."""
    kiss_port: int | None = None


class Spot(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place, and what a packet says beside it."""

    coding: str
    """plain, compressed, mic_e or nmea."""
    lat_deg: float
    lon_deg: float
    resolution_m: float
    hidden_digits: int = 0
    """How many digits of latitude and longitude were blanked; the middle of what is left is told.
    """
    symbol: str
    """Table (or overlay) and code of the symbol on the map."""
    altitude_m: float | None = None
    speed_kn: float | None = None
    course_deg: float | None = None
    range_m: float | None = None
    """How far the station can be heard, as it says."""
    datum: str | None = None
    """The letter of a `!DAO!` extension."""


class MicE(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the message bits of a Mic-E packet say."""

    meaning: str
    """emergency, priority, special, committed, returning, in_service, en_route, off_duty;
    custom_0 to custom_6; unknown when standard and custom bits are mixed."""
    bits: str
    """The bits A, B and C."""
    current: bool
    """Whether the position is told as a current one, and not as an old one."""


class Addressed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message between stations is for."""

    addressee: str
    """As it stands in the packet; of a bulletin its name."""
    number: str | None = None
    """What the sender wants acknowledged."""
    acknowledges: str | None = None
    rejects: str | None = None


class Content(Struct, frozen=True, kw_only=True):
    """What the information field of one packet says."""

    form: str
    spot: Spot | None = None
    mic_e: MicE | None = None
    exchange: Addressed | None = None
    object_name: str | None = None
    alive: bool | None = None
    time: str | None = None
    text: str | None = None
    odd: tuple[str, ...] = ()


class AprsDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="aprs"):
    """One packet of APRS (APRS Protocol Reference 1.0.1 and 1.2)."""

    form: str
    """position, mic_e, object, item, message, bulletin, status, telemetry, weather, capabilities,
    query, user_defined, nmea, maidenhead or other."""
    source: str
    to: str
    path: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    """Who has passed on what somebody else said (third-party packets), the last one first."""
    kiss_port: int | None = None
    """Which port of the modem heard it."""
    spot: Spot | None = None
    mic_e: MicE | None = None
    exchange: Addressed | None = None
    object_name: str | None = None
    """The object or item that the packet is about; then the place is its."""
    alive: bool | None = None
    """Whether the object or item is still there."""
    time: str | None = None
    """As it stands in the packet: day, hour, minute (z UTC, / local) or hour, minute, second (h).
    """
    text: str | None = None
    odd: tuple[str, ...] = ()
    """What is not as the standard has it, a sentence each."""
