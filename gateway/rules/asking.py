"""What an order to transmit asks of the agreements: in their words, with all that rules look at."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gateway.codes.mmsi import mmsi_class
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request
from gateway.model.inbound import Moment
from gateway.model.place import Identity
from gateway.model.transmission import (
    Acknowledge,
    Action,
    Adjust,
    Beacon,
    Call,
    Cancel,
    Distress,
    Drill,
    Letter,
    Relay,
    Silence,
    Text,
    To,
)
from gateway.model.words import Mode, Urgency
from gateway.rules.channels import band_of

_ANNOUNCES = {
    Urgency.DISTRESS: "distress_relay",
    Urgency.URGENCY: "urgency_announce",
    Urgency.SAFETY: "safety_announce",
    Urgency.ROUTINE: "calling",
}
"""What a call or a text of this urgency is for."""

_OF_DISTRESS = {Acknowledge: "distress_ack", Relay: "distress_relay", Cancel: "cancel"}

_WORDS = {
    "distress_ack": EventWord.DISTRESS_ACK,
    "distress_relay": EventWord.DISTRESS_RELAY,
    "cancel": EventWord.CANCEL,
    "urgency_announce": EventWord.URGENCY_CALL,
    "safety_announce": EventWord.SAFETY_CALL,
    "calling": EventWord.CALL,
    "test": EventWord.TEST,
}

DSC_VHF_S = 0.63
"""A call on channel 70: 20 dots and some 70 symbols of ten bits at 1200 Bd (M.493, annex 1)."""
DSC_MF_S = 7.2
"""The same at 100 Bd, with the longer dot pattern of a call that wakes scanners up."""

_AIR_BAUD = {"aprs": 1200, "meshtastic": 1000, "ais": 9600}
_LEAD_S = {"aprs": 0.5, "meshtastic": 0.5, "ais": 0.027}
"""What a transmission takes besides its bytes: key-up, preamble, one slot."""


class Air(Struct, frozen=True, kw_only=True):
    """What is on the other side of a port."""

    freq_hz: int | None
    system: str
    """The radio system in which it is said."""
    exercise: bool = False


def request_of(
    letter: Letter, air: Air, at: Moment, *, persons: Sequence[str], octets: int
) -> Request:
    """Return what the rules are asked: one transmission of so many bytes, ordered by these."""
    action = letter.action
    urgency, purpose = _meant(action)
    to, address = _to(action)
    distress = _distress(action)
    return Request(
        request_id=letter.command_id,
        at=at,
        freq_hz=air.freq_hz,
        mode=air.system,
        category=urgency,
        purpose=purpose,
        marked=_marked(letter, air),
        via=_via(action, air.system),
        persons=tuple(persons),
        consents=letter.consents,
        to=to,
        address=address,
        about=_about(distress, letter.about),
        fields=_fields(action, distress),
        text=action.words if isinstance(action, Text | Beacon) else "",
        language=letter.language,
        duration_s=airtime_s(action, air, octets),
    )


def told_of(request: Request) -> Fact:
    """Return what the rules are told once it was transmitted."""
    word = _WORDS.get(request.purpose)
    return Fact(
        fact_id=request.request_id,
        what=EventWord.TRANSMITTED,
        also=() if word is None else (word,),
        at=request.at,
        person=request.persons[0] if request.persons else None,
        to=request.to[0] if request.to else None,
        freq_hz=request.freq_hz,
        mode=request.mode,
        address=request.address,
        about=request.about,
        words=request.text,
        fields=request.fields,
        lasts_s=request.duration_s,
        language=request.language,
    )


def spoken_of(letter: Letter, silence: Silence, at: Moment, person: str | None) -> Fact:
    """Return what the rules are told of words that were spoken: by them silence comes and goes."""
    return Fact(
        fact_id=letter.command_id,
        what=EventWord.SPOKEN,
        at=at,
        person=person,
        channel=silence.channel,
        words=silence.words,
    )


def airtime_s(action: Action, air: Air, octets: int) -> float:
    """Return how long so many bytes keep the transmitter keyed, by estimate and rather too long.

    A link test goes to the modem and no further (docs/LINK.md, section 3).
    """
    if is_link_test(action):
        return 0.0
    if air.system in _AIR_BAUD:
        return _LEAD_S[air.system] + octets * 10 / _AIR_BAUD[air.system]
    return DSC_VHF_S if band_of(air.freq_hz) == "vhf" else DSC_MF_S


def urgency_of(action: Action) -> Urgency:
    """Return how urgent it is: what is of somebody's distress is of distress."""
    return _meant(action)[0]


def is_link_test(action: Action) -> bool:
    """Say whether a modem is asked for a sign of life, and nothing goes on the air."""
    return isinstance(action, Adjust) and action.what == "link_test"


def _meant(action: Action) -> tuple[Urgency, str]:
    match action:
        case Acknowledge() | Relay() | Cancel():
            return Urgency.DISTRESS, _OF_DISTRESS[type(action)]
        case Call() if action.test:
            return action.category, "test"
        case Call() | Text():
            return action.category, _ANNOUNCES[action.category]
        case Beacon():
            return Urgency.ROUTINE, "position"
        case Adjust() | Drill():
            return Urgency.ROUTINE, action.what
        case _:
            return Urgency.ROUTINE, "silence"


def _marked(letter: Letter, air: Air) -> Mode:
    if letter.exercise or air.exercise:
        return Mode.EXERCISE
    is_test = isinstance(letter.action, Call) and letter.action.test
    return Mode.TEST if is_test else Mode.REAL


def _via(action: Action, system: str) -> str:
    match action:
        case Acknowledge():
            return f"{system}_ack"
        case Relay():
            return f"{system}_relay"
        case Cancel():
            return f"{system}_cancel"
        case _:
            return system


def _to(action: Action) -> tuple[tuple[str, ...], Identity | None]:
    """Return to how many it goes, or to which one station."""
    match action:
        case Relay() | Call() if action.to is To.INDIVIDUAL:
            return (), _identity(action.address)
        case Relay() | Call():
            return (action.to.value,), None
        case Text() if action.to is not None:
            return (), _identity(action.to)
        case Adjust() | Drill() | Silence():
            return (), None
        case _:
            return (To.ALL_SHIPS.value,), None


def _identity(address: str | None) -> Identity | None:
    if address is None:
        return None
    found = mmsi_class(address)
    return Identity(callsign=address) if found is None else Identity(mmsi=address, mmsi_class=found)


def _distress(action: Action) -> Distress | None:
    return action.distress if isinstance(action, Acknowledge | Relay | Cancel) else None


def _about(distress: Distress | None, named: str | None) -> str | None:
    """Return the subject: a craft is called in verdicts as it is in what was heard of it."""
    return named if distress is None or distress.mmsi is None else f"mmsi:{distress.mmsi}"


def _fields(action: Action, distress: Distress | None) -> tuple[str, ...]:
    """Return what the transmission holds, as rules of content call it."""
    if isinstance(action, Beacon):
        return ("identity", "position")
    if distress is None:
        return ("identity",)
    said = {
        "distress_id": distress.mmsi,
        "nature": distress.nature,
        "position": distress.place,
        "time": distress.time,
    }
    known = (name if value is not None else f"{name}_unknown" for name, value in said.items())
    return ("identity", *known, *(("relayed_by",) if isinstance(action, Relay) else ()))
