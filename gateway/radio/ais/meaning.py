"""Words to meaning: which AIS message is a call for help, and what the others are for.

    identity        said in message 1 (status)   said in message 14       it means
    970, 972, 974   14                           … ACTIVE                 real alert
    970, 972, 974   15                           … TEST                   test
    970, 972, 974   anything else                any other text           real alert, tentative
    any other       any                          … ACTIVE, … TEST         real, test; tentative
    any other       14                           —                        real alert, suspect

M.1371-5 Annex 9 (AIS-SART), M.585 Annex 2 (identities). A place is not needed, and a test from an
identity that called for help lately is real. Nothing here remembers; `__init__.py` does.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.mmsi import MMSI_DIGITS, mmsi_class
from gateway.model.inbound import Draft
from gateway.model.place import Identity
from gateway.model.words import Confidence, Kind, Mode, Nature, Urgency
from gateway.radio.ais.armour import Bits
from gateway.radio.ais.decode import callsign_of, name_of, odd_length, text_of
from gateway.radio.ais.place import date_of, date_stated, position_of, velocity_of
from gateway.radio.ais.said import AisDetail
from gateway.radio.ais.tables import DEVICES, EPFD_SOURCE, SECOND_SOURCE

_ACTIVE, _UNDER_TEST = 14, 15
"""Navigational status of a locating device."""
_DEVICE_MESSAGES = frozenset({1, 2, 3, 14, 27})
"""What may carry a status or a text; a locating device sends only messages 1 and 14."""
_ALARM_TEXT = re.compile("(SART|MOB|EPIRB|AIS) (ACTIVE|TEST)")
_NATURE_BY_WORD = {
    "SART": Nature.UNDESIGNATED,
    "MOB": Nature.MAN_OVERBOARD,
    "EPIRB": Nature.BEACON_EMISSION,
    "AIS": Nature.UNDESIGNATED,
}
_CHANNELS = {"A": ("AIS1", 161_975_000), "B": ("AIS2", 162_025_000)}
_CHANNELS |= {"1": _CHANNELS["A"], "2": _CHANNELS["B"]}
_IMO_MIN, _IMO_MAX = 1_000_000, 9_999_999
"""IMO numbers have seven digits; what is above is a number of the flag State."""
_NAMED = frozenset({5, 19, 21, 24})
_DATED = frozenset({4, 11})
"""The messages that carry names, and those that carry a date."""


class Marking(StrEnum):
    """What a call for help says of itself."""

    ACTIVE = "active"
    TEST = "test"
    NONE = "none"


class Alarm(Struct, frozen=True):
    """A call for help, as far as one message tells."""

    nature: Nature
    marking: Marking
    confidence: Confidence = Confidence.VERIFIED
    doubt: str | None = None


def alarm_of(said: AisDetail, text: str | None) -> Alarm | None:
    """Return the call for help that this message is, or None when it is none."""
    device = DEVICES.get(said.mmsi[:3])
    status = said.fix.nav_status_code if said.fix else None
    words = _ALARM_TEXT.fullmatch(text) if text and said.message_type == 14 else None
    if words:
        marking = Marking.ACTIVE if words[2] == "ACTIVE" else Marking.TEST
        if device:
            return Alarm(device, marking)
        doubt = "the words of a locating device, but not the identity of one"
        return Alarm(_NATURE_BY_WORD[words[1]], marking, Confidence.TENTATIVE, doubt)
    if device:
        return _alarm_of_device(said.message_type, status, device)
    if status == _ACTIVE:
        doubt = "the status of a locating device, but not the identity of one"
        return Alarm(Nature.UNDESIGNATED, Marking.ACTIVE, Confidence.SUSPECT, doubt)
    return None


def draft_of(said: AisDetail, bits: Bits, doubts: tuple[str, ...]) -> Draft:
    """Return what the message means to everybody; its assembly may have left doubts."""
    draft = _plain(said, bits, (*_doubts(said, bits), *doubts))
    alarm = alarm_of(said, draft.text)
    return draft if alarm is None else _raised(draft, alarm, recently_active=said.recently_active)


def _plain(said: AisDetail, bits: Bits, doubts: tuple[str, ...]) -> Draft:
    """Return the draft of a message that calls nobody for help."""
    text = text_of(bits)
    fix, to = said.fix, said.exchange.to if said.exchange else ()
    position = position_of(
        bits,
        accurate=fix is not None and fix.position_accurate is True,
        source=SECOND_SOURCE.get(fix.second_state or "") or EPFD_SOURCE.get(said.epfd_code or 0)
        if fix
        else None,
    )
    kind = Kind.STATUS if position is None else Kind.POSITION
    channel, freq_hz = _CHANNELS.get(said.channel or "", (None, None))
    return Draft(
        kind=kind if text is None else Kind.TEXT,
        urgency=Urgency.ROUTINE if text is None else Urgency.SAFETY,
        sender=_sender(said, bits),
        addressee=_identity(to[0]) if len(to) == 1 else None,
        position=position,
        velocity=velocity_of(bits),
        text=text or None,
        claimed_utc=date_of(bits),
        channel=channel,
        freq_hz=freq_hz,
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
    )


def _raised(draft: Draft, alarm: Alarm, *, recently_active: bool) -> Draft:
    """Return the draft as the call for help that it is."""
    doubts = (alarm.doubt, *draft.doubts) if alarm.doubt else draft.doubts
    mode = Mode.TEST if alarm.marking is Marking.TEST else Mode.REAL
    if mode is Mode.TEST and recently_active:
        mode = Mode.REAL
        doubts = ("marked as a test, but the same identity called for help lately", *doubts)
    confidence = alarm.confidence
    if doubts and confidence is Confidence.VERIFIED:
        confidence = Confidence.TENTATIVE
    return replace(
        draft,
        kind=Kind.ALERT,
        urgency=Urgency.DISTRESS,
        mode=mode,
        casualty=draft.sender,
        nature=alarm.nature,
        confidence=confidence,
        doubts=doubts,
    )


def _alarm_of_device(message_type: int, status: int | None, nature: Nature) -> Alarm:
    if status == _ACTIVE:
        return Alarm(nature, Marking.ACTIVE)
    if status == _UNDER_TEST:
        return Alarm(nature, Marking.TEST)
    if message_type in _DEVICE_MESSAGES:
        doubt = "a locating device that says neither active nor test; what is unmarked is real"
        return Alarm(nature, Marking.NONE, Confidence.TENTATIVE, doubt)
    doubt = f"a locating device does not send message {message_type}"
    return Alarm(nature, Marking.NONE, Confidence.SUSPECT, doubt)


def _doubts(said: AisDetail, bits: Bits) -> tuple[str, ...]:
    length = odd_length(bits)
    doubts = (length,) if length else ()
    if len(said.mmsi) != MMSI_DIGITS:
        doubts = (*doubts, f"the MMSI stated, {said.mmsi}, has more than nine digits")
    if said.message_type in _DATED and not date_of(bits) and date_stated(bits):
        doubts = (*doubts, "the date stated can't be")
    return doubts


def _sender(said: AisDetail, bits: Bits) -> Identity | None:
    if said.message_type not in _NAMED:
        return _identity(said.mmsi)
    imo = said.craft.imo_field if said.craft else None
    known = len(said.mmsi) == MMSI_DIGITS
    return Identity(
        mmsi=said.mmsi if known else None,
        mmsi_class=mmsi_class(said.mmsi) if known else None,
        imo=imo if imo is not None and _IMO_MIN <= imo <= _IMO_MAX else None,
        callsign=callsign_of(bits),
        name=name_of(bits),
    )


def _identity(mmsi: str) -> Identity | None:
    if len(mmsi) != MMSI_DIGITS:
        return None
    return Identity(mmsi=mmsi, mmsi_class=mmsi_class(mmsi))
