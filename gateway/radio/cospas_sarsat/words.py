"""What a 406 MHz beacon says in its own words. Absent is None."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.inbound import Detail


class Proof(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the wholeness of a message was proven."""

    synchronised: bool = False
    """Whether the bits of frame synchronisation came with it, and are right."""
    corrected_1: int | None = None
    """Errors put right in the first protected field, or in all of a second-generation message;
    None when it came without check digits."""
    corrected_2: int | None = None
    """Errors put right in the second protected field; None when it is not there or not proven."""
    damaged_2: bool = False
    """Whether the second protected field came with more errors than can be put right: then nothing
    of it is told."""


class Rls(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a beacon says of the return link service."""

    provider: str | None = None
    """galileo, glonass or bds."""
    request_automatic: bool = False
    """It can ask for an acknowledgement sent by itself (type 1)."""
    request_manual: bool = False
    """It can ask for one sent by a rescue centre (type 2)."""
    received_automatic: bool = False
    """It has been told so already (type 1)."""
    received_manual: bool = False
    """It has been told so by a rescue centre (type 2)."""
    said_hex: str | None = None
    """Of the second generation: the 20 bits of the message that it has received, five digits."""


class BeaconDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="cospas_sarsat"):
    """One message of a beacon of the first (C/S T.001) or second (C/S T.018) generation."""

    generation: int
    form: str
    """message, or identity: only the hexadecimal identity was given."""
    long: bool = False
    """Of the first generation: whether it has a second protected field."""
    protocol: str
    """Which way of coding it uses; of the second generation, which kind of vessel identity."""
    beacon: str | None = None
    """elt, elt_dt, epirb, plb, ship_security, test, system; None when it does not say."""
    float_free: bool | None = None
    """Of an EPIRB that says so: whether it floats free of a sinking ship by itself."""
    hex_id: str
    """15 hexadecimal digits of the first generation, 23 of the second; positions at default."""
    aliases: tuple[str, ...] = ()
    """Other identities by which the same beacon is known."""
    country: str
    """Maritime identification digits."""
    self_test: bool = False
    """Sent as a self-test, whatever is in it."""
    test: bool = False
    """Coded with a test protocol."""
    cancel: bool = False
    """The user, or the beacon by itself, takes the alert back."""
    covert: bool = False
    """A ship security alert: nobody near the ship may learn of it."""
    mmsi: str | None = None
    icao24: str | None = None
    callsign: str | None = None
    tail: str | None = None
    operator: str | None = None
    """Aircraft operator designator, three letters."""
    epirb_ais: str | None = None
    """Last four digits of the 974 identity of the AIS in the same beacon."""
    tac: int | None = None
    """Number of the type approval certificate."""
    serial: int | None = None
    beacon_number: str | None = None
    """Which one of several on the same craft."""
    national: str | None = None
    """Bits of national use, as 0 and 1."""
    emergency_code: int | None = None
    """Four bits; of maritime beacons the IMO's nature of distress, of others flags."""
    activation: str | None = None
    """manual, automatic, automatic_or_manual, avionics, external."""
    homing: str | None = None
    """none, 121.5, sart, other; of the second generation: any."""
    position_source: str | None = None
    """internal or external navigation device; none when it has no means of knowing."""
    coarse_lat_deg: float | None = None
    coarse_lon_deg: float | None = None
    """The position of the first protected field alone."""
    lat_deg: float | None = None
    lon_deg: float | None = None
    resolution_m: float | None = None
    altitude_m: float | None = None
    altitude_above_m: float | None = None
    """Of a class of altitudes: above this, and not above altitude_m when that is there."""
    freshness: str | None = None
    """How old the position of a distress tracking ELT is, in the words of the standard."""
    position_age_s: float | None = None
    position_utc: str | None = None
    active_h: int | None = None
    """Hours since activation."""
    hdop: str | None = None
    vdop: str | None = None
    battery: str | None = None
    """What is left of it, in words."""
    gnss: str | None = None
    """none, 2d or 3d."""
    return_link: bool | None = None
    """Of the second generation: whether it can be told that it was heard."""
    rls: Rls | None = None
    rotating_field: int | None = None
    """Which one this message of the second generation carries."""
    rotating_bits: str | None = None
    """Of a rotating field without a reading here: bits 159 to 202, as 0 and 1."""
    sent_hex: str | None = None
    """All bits from 25 on (second generation: two 0 and all) as they were sent, errors put right;
    as they were heard where nothing proves them."""
    proof: Proof = Proof()
    odd: tuple[str, ...] = ()
    """What is not as the standard has it, a sentence each."""
