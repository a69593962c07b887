r"""What a packet of APRS means to everybody: which is a call for help, and what the others are.

    what calls for help                                      it is                 believed
    Mic-E message bits 000                                   distress              as its proof
    symbol \! or an overlay with !                            distress              suspect
    the word EMERGENCY, in capitals                          distress              suspect
    sent to EMERGENCY, EM, ALARM or ALERT                    distress              suspect
    sent to WARNING or WXALARM                               safety                suspect

Only Mic-E has a call for help of its own (APRS 1.0.1 chapter 10). The other forms are what stations
of the network take for one, and are often something else: an office's name, a store of sandbags.
Verified is only what a checksum proves all the way to the gateway: KISS and text have none.
"""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.inbound import Draft
from gateway.model.place import Identity, Position, Velocity, velocity_of
from gateway.model.words import Confidence, Kind, Nature, Urgency
from gateway.radio.aprs.mice import EMERGENCY
from gateway.radio.aprs.words import AprsDetail, Spot

CALLS_FOR_HELP = frozenset({"EMERGENCY", "EM", "ALARM", "ALERT"})
WARNINGS = frozenset({"WARNING", "WXALARM"})
"""Destinations and addressees that receiving programs sound an alarm for."""

_WORD = re.compile(r"\bEMERGENCY\b")
_NOT_PROVEN = "nothing proves the way from the modem to the gateway"
_ABOUT_OTHERS = frozenset({"object", "item"})
_WEATHER_OFFICE = ("NWS", "SKY", "CWA", "BOM")


class Alarm(Struct, frozen=True):
    """A call for help, as far as one packet tells."""

    urgency: Urgency
    doubt: str | None = None
    """Why it may be none; None for the one form that the standard has for it."""


def alarm_of(said: AprsDetail) -> Alarm | None:
    """Return the call for help that a packet is, or None when it is none."""
    if said.mic_e and said.mic_e.meaning == EMERGENCY:
        return Alarm(Urgency.DISTRESS)
    if said.spot and said.spot.symbol[1] == "!" and said.spot.symbol[0] != "/":
        return Alarm(Urgency.DISTRESS, "only its symbol on the map says emergency")
    if said.text and _WORD.search(said.text):
        return Alarm(Urgency.DISTRESS, "only a word in its text says emergency")
    called = {said.exchange.addressee} if said.exchange else set()
    called |= set() if said.mic_e else {said.to.partition("-")[0]}
    if called & CALLS_FOR_HELP:
        return Alarm(Urgency.DISTRESS, "only whom it is sent to says emergency")
    if called & WARNINGS:
        return Alarm(Urgency.SAFETY, "only whom it is sent to says warning")
    return None


def draft_of(said: AprsDetail, *, proven: bool) -> Draft:
    """Return what a packet means; it is proven when a checksum says so up to the gateway."""
    doubts = said.odd if proven else (*said.odd, _NOT_PROVEN)
    if said.gates:
        doubts = (*doubts, f"{said.gates[-1]} says that {said.source} says so")
    draft = Draft(
        kind=_kind(said),
        urgency=_urgency(said),
        sender=Identity(callsign=said.source),
        addressee=_addressee(said),
        position=None if said.spot is None else _position(said.spot),
        velocity=None if said.spot is None else _velocity(said.spot),
        text=said.text,
        claimed_utc=_claimed_utc(said.time),
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
    )
    alarm = alarm_of(said)
    return draft if alarm is None else _raised(draft, said, alarm)


def _raised(draft: Draft, said: AprsDetail, alarm: Alarm) -> Draft:
    """Return the draft as the call for help that it is, or may be."""
    if alarm.urgency is not Urgency.DISTRESS:
        return replace(draft, urgency=alarm.urgency, **_doubted(draft, alarm))
    about = Identity(name=said.object_name) if said.object_name else draft.sender
    return replace(
        draft,
        kind=Kind.CANCELLATION if said.alive is False else Kind.ALERT,
        urgency=Urgency.DISTRESS,
        casualty=about,
        nature=None if said.alive is False else Nature.UNDESIGNATED,
        **_doubted(draft, alarm),
    )


def _doubted(draft: Draft, alarm: Alarm) -> dict[str, object]:
    if alarm.doubt is None:
        return {}
    return {"confidence": Confidence.SUSPECT, "doubts": (alarm.doubt, *draft.doubts)}


def _kind(said: AprsDetail) -> Kind:
    if said.form in ("message", "bulletin") and said.exchange:
        if said.text:
            return Kind.TEXT
        return Kind.ACKNOWLEDGEMENT if said.exchange.acknowledges else Kind.STATUS
    if said.spot is None or said.form in _ABOUT_OTHERS:
        return Kind.STATUS
    return Kind.POSITION


def _urgency(said: AprsDetail) -> Urgency:
    """Return safety for the warnings of weather offices; all else of APRS is routine."""
    office = said.form == "bulletin" and said.exchange
    if office and office.addressee.startswith(_WEATHER_OFFICE):
        return Urgency.SAFETY
    return Urgency.ROUTINE


def _addressee(said: AprsDetail) -> Identity | None:
    if said.form != "message" or said.exchange is None or not said.exchange.addressee:
        return None
    return Identity(callsign=said.exchange.addressee)


def _position(spot: Spot) -> Position:
    return Position(
        lat_deg=spot.lat_deg,
        lon_deg=spot.lon_deg,
        resolution_m=spot.resolution_m,
        altitude_m=spot.altitude_m,
    )


def _velocity(spot: Spot) -> Velocity | None:
    return velocity_of(speed_kn=spot.speed_kn, course_deg=spot.course_deg)


def _claimed_utc(time: str | None) -> str | None:
    """Return what the packet says of its time, as far as it is UTC: the day stays in the detail."""
    if time is None or time[-1] not in "zh":
        return None
    first, second, third = int(time[:2]), int(time[2:4]), int(time[4:6])
    if time[-1] == "h":
        return f"{time[:2]}:{time[2:4]}:{time[4:6]}Z" if _is_time(first, second, third) else None
    return f"{time[2:4]}:{time[4:6]}Z" if _is_time(second, third, 0) else None


def _is_time(hour: int, minute: int, second: int) -> bool:
    return hour < 24 and minute < 60 and second < 60
