"""What a Mode S transponder says in its own words. Absent is None; no logic stands here.

Place and motion over the ground stand in the report, in everybody's words; so does the call sign.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.codes.cpr import Cpr
from gateway.model.inbound import Detail


class Receiver(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the receiver says of the reception."""

    ticks: int | None = None
    """Its clock, 48 bits: at 12 MHz, or by GPS; then it is in `heard.receiver_utc` as well."""
    signal: int | None = None
    """Level of 255; no unit, receivers differ."""
    computed: bool = False
    """True when no transmission was heard: a network made the message up from several stations'."""


class Emergency(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is wrong, by squawk, by emergency state, or by both."""

    squawk: str | None = None
    """7500, 7600 or 7700."""
    state: int | None = None
    """The emergency state as sent, 1 to 7; what it means depends on `adsb_version`."""
    state_words: str | None = None
    confirmed: bool = False
    """Whether an extended squitter says so, or two replies that are 0.75 s apart."""
    again: bool = False
    """True when the craft said so lately, and an alert told it then."""


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where a craft is, by this message or by one that came before."""

    lat_deg: float
    lon_deg: float
    resolution_m: float
    accuracy_m: float | None = None
    """95 % radius, by the accuracy category that the craft has stated."""
    age_s: float | None = None
    """How old it is when an alert brings it along; None when this message tells it."""


class Motion(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How a craft moves."""

    speed_kn: float | None = None
    """Over the ground."""
    course_deg: float | None = None
    heading_deg: float | None = None
    """Magnetic or true, as the craft has it (DO-260B, 2.2.3.2.6.3)."""
    airspeed_kn: int | None = None
    airspeed_true: bool = False
    """Whether it is the true airspeed, not the indicated one."""
    vertical_ft_min: int | None = None
    """Positive upwards."""
    vertical_gnss: bool = False
    """Whether it is by GNSS, not by the barometer."""


class Quality(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a craft says of its ADS-B unit."""

    adsb_version: int | None = None
    """0 is DO-260, 1 DO-260A, 2 DO-260B, 3 DO-260C."""
    nac_p: int | None = None
    """Accuracy category of its positions."""


class ModeSDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="mode_s"):
    """One message of a Mode S transponder, or a line that a receiver made of some."""

    form: str = "message"
    """message, or line: a BaseStation line of text."""
    df: int | None = None
    """Downlink format."""
    address: str = ""
    """Six hexadecimal digits."""
    anonymous: bool = False
    """True when the address is none of ICAO's: made up by the craft or a ground station."""
    type_code: int | None = None
    subtype: int | None = None
    capability: int | None = None
    control: int | None = None
    """CF of downlink format 18: who made the message, and whose the address is."""
    callsign: str | None = None
    category: str | None = None
    """Emitter category, A0 to D7."""
    squawk: str | None = None
    """Mode A code, four octal digits."""
    flight_status: int | None = None
    """0 airborne, 1 on the ground, 2 and 3 the same with an alert, 4 alert and ident, 5 ident. An
    alert is any change of the squawk: no emergency by itself."""
    surveillance_status: int | None = None
    """1 permanent alert: an emergency code is set; 2 temporary alert; 3 ident."""
    on_ground: bool | None = None
    altitude_ft: int | None = None
    """By the barometer, at the standard pressure of 1013.25 hPa."""
    height_code: int | None = None
    """GNSS height as sent, 12 bits: readers disagree whether it means feet or metres."""
    cpr: Cpr | None = None
    motion: Motion | None = None
    emergency_state: int | None = None
    """As sent, 0 to 7."""
    emergency: Emergency | None = None
    quality: Quality | None = None
    place: Place | None = None
    receiver: Receiver | None = None
    doubts: tuple[str, ...] = ()
