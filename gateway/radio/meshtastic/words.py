"""What a node of the mesh says in its own words, and what that means. Absent is None."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.codes.dates import utc_of
from gateway.model.inbound import Detail, Draft
from gateway.model.place import Identity, Position
from gateway.model.words import Confidence, Integrity, Kind, Urgency

_DEGREE = 10_000_000
_DEGREE_M = 111_320.0
_PLACE_BITS = 32
_CALLED = re.compile(r"\b(MAYDAY|SOS|PAN[ -]PAN)\b")
"""In capitals, as they are sent; in small letters they stand in talk."""


class MeshtasticDetail(Detail, frozen=True, kw_only=True, omit_defaults=True, tag="meshtastic"):
    """One packet of the mesh, or one node out of the memory of the device."""

    port: str
    """text, alert, sensor, position, user; or node: out of the device's memory."""
    node: str | None = None
    """Whose it is, as the network writes it: an exclamation mark and eight digits."""
    to: str | None = None
    """None for everybody."""
    packet_id: int | None = None
    payload_hex: str = ""
    """What went over the air, decrypted."""
    long_name: str | None = None
    short_name: str | None = None
    licensed: bool = False
    """A radio amateur's: the long name is a call sign."""
    text: str | None = None
    lat7: int | None = None
    """Ten-millionths of a degree, as sent; `precision_bits` of the 32 are true."""
    lon7: int | None = None
    precision_bits: int | None = None
    altitude_m: int | None = None
    source: str | None = None
    """manual or gnss."""
    fixed_s: int | None = None
    """When the position was taken, seconds since 1970 UTC."""
    ground_speed: int | None = None
    """As sent: releases of the firmware differ in the unit, so no velocity is told."""
    ground_track: int | None = None
    satellites: int | None = None
    snr_db: float | None = None
    rssi_dbm: int | None = None
    hops: int | None = None
    """Between the sender and this device; 0 is heard directly."""
    heard_s: int | None = None
    """When the device last heard this node, seconds since 1970 UTC."""
    over_internet: bool = False
    """It came to some node over MQTT, and not by radio all the way."""


def called_words(text: str) -> Urgency | None:
    """Return the urgency of the words of radiotelephony in a text."""
    found = {word[0] for word in _CALLED.findall(text)}
    if found & {"M", "S"}:
        return Urgency.DISTRESS
    return Urgency.URGENCY if found else None


def draft_of(said: MeshtasticDetail) -> Draft:
    """Return what a packet means."""
    words = called_words(said.text or "") if said.port != "alert" else None
    urgency = Urgency.DISTRESS if said.port == "alert" else words or Urgency.ROUTINE
    who = Identity(
        tag=said.node,
        name=said.long_name or said.short_name,
        callsign=said.long_name if said.licensed else None,
    )
    sender = None if who == Identity() else who
    position = _position(said)
    return Draft(
        kind=_kind(said, urgency, position),
        urgency=urgency,
        sender=sender,
        casualty=sender if urgency is Urgency.DISTRESS else None,
        addressee=Identity(tag=said.to) if said.to else None,
        position=position,
        text=said.text,
        claimed_utc=_claimed(said.fixed_s),
        rssi_dbm=said.rssi_dbm,
        integrity=Integrity.NONE,
        confidence=Confidence.SUSPECT if words else Confidence.TENTATIVE,
        doubts=tuple(_doubts(said, words)),
    )


def _kind(said: MeshtasticDetail, urgency: Urgency, position: Position | None) -> Kind:
    if urgency is Urgency.DISTRESS:
        return Kind.ALERT
    if said.text is not None:
        return Kind.TEXT
    return Kind.STATUS if position is None else Kind.POSITION


def _position(said: MeshtasticDetail) -> Position | None:
    if said.lat7 is None or said.lon7 is None:
        return None
    bits = min(said.precision_bits or _PLACE_BITS, _PLACE_BITS)
    return Position(
        lat_deg=said.lat7 / _DEGREE,
        lon_deg=said.lon7 / _DEGREE,
        resolution_m=round(2 ** (_PLACE_BITS - bits) / _DEGREE * _DEGREE_M / 2, 3),
        altitude_m=said.altitude_m,
        source=said.source,
    )


def _claimed(seconds: int | None) -> str | None:
    utc = utc_of(None if seconds is None else seconds * 10**9)
    return None if utc is None else utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def _doubts(said: MeshtasticDetail, words: Urgency | None) -> Iterator[str]:
    yield "nothing proves what the device says on its wire"
    if words is not None:
        yield "only words in a text say that it is a call"
    if said.port == "alert":
        yield "the network calls it a critical alert, which may be less than distress"
    if said.port == "node":
        yield "it is out of the memory of the device"
    if said.over_internet:
        yield "it came over the internet, and not by radio all the way"
    if said.text is not None and "\ufffd" in said.text:
        yield "some of its text is not UTF-8"
