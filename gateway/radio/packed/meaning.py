"""What a letter means to everybody: its words turned into the vocabulary of all radios. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeVar

from gateway.codes.dates import utc_of
from gateway.codes.mmsi import mmsi_class
from gateway.model.inbound import Draft
from gateway.model.place import Identity, Position, velocity_of
from gateway.model.words import Confidence, Integrity, Kind, Mode, Nature, Urgency
from gateway.radio.packed.letters import Hearing, Party, Report

_Word = TypeVar("_Word", bound=StrEnum)

PROVEN = {
    "bch": Integrity.BCH,
    "crc": Integrity.CRC,
    "checksum": Integrity.CHECKSUM,
    "parity": Integrity.PARITY,
}
_WEAK = frozenset({Integrity.PARITY, Integrity.NONE})
"""One wrong bit of two passes a parity; what nothing proves may be noise."""
_LAT7_MAX = 900_000_000
_DEGREE = 10_000_000
_HALF_STEP_M = 0.0056
"""Half a ten-millionth of a degree of latitude."""


def wrong_with(letter: Report) -> str | None:
    """Return why a report can't be told, or None."""
    for what, said, words in (
        ("kind", letter.kind, Kind),
        ("urgency", letter.urgency, Urgency),
    ):
        if _word(words, said) is None:
            return f"{said!r} is no {what} of the link"
    return None


def draft_of(letter: Report) -> Draft:
    """Return what a report of the modem means."""
    kind, urgency = Kind(letter.kind), Urgency(letter.urgency)
    hearing = letter.rx or Hearing()
    integrity = PROVEN.get(hearing.proof or "", Integrity.NONE)
    who, whose = identity_of(letter.who), identity_of(letter.whose)
    doubts = tuple(_doubts(letter, integrity))
    weak = integrity in _WEAK or len(doubts) > 0
    return Draft(
        kind=kind,
        urgency=urgency,
        mode=Mode.TEST if letter.test else Mode.REAL,
        sender=who,
        casualty=whose or (who if urgency is Urgency.DISTRESS and kind in _BY_ITSELF else None),
        addressee=identity_of(letter.to),
        nature=_word(Nature, letter.nature),
        position=_position(letter),
        velocity=velocity_of(speed_kn=letter.speed_kn, course_deg=letter.course_deg),
        persons_on_board=letter.pob,
        text=letter.text,
        claimed_utc=_claimed(letter.said_at),
        channel=hearing.channel,
        freq_hz=hearing.freq_hz,
        rssi_dbm=hearing.rssi_dbm,
        integrity=integrity,
        corrected_bits=hearing.fixed,
        confidence=Confidence.TENTATIVE if weak else Confidence.VERIFIED,
        doubts=doubts,
        covert=letter.covert,
    )


_BY_ITSELF = frozenset({Kind.ALERT, Kind.CANCELLATION, Kind.POSITION, Kind.TEXT, Kind.CALL})
"""Who says one of these in distress, and names nobody else, speaks of itself."""


def identity_of(party: Party | None) -> Identity | None:
    """Return the same names in the words of all radios."""
    if party is None:
        return None
    return Identity(
        mmsi=party.mmsi,
        mmsi_class=mmsi_class(party.mmsi) if party.mmsi else None,
        imo=party.imo,
        callsign=party.callsign,
        icao24=party.icao24,
        beacon_hex=party.beacon,
        tail=party.tail,
        name=party.name,
        tag=party.tag,
    )


def _word(words: type[_Word], said: str | None) -> _Word | None:
    return next((word for word in words if word.value == said), None)


def _position(letter: Report) -> Position | None:
    if letter.lat7 is None or letter.lon7 is None or abs(letter.lat7) > _LAT7_MAX:
        return None
    return Position(
        lat_deg=letter.lat7 / _DEGREE,
        lon_deg=letter.lon7 / _DEGREE,
        accuracy_m=letter.acc_m,
        resolution_m=_HALF_STEP_M,
        altitude_m=letter.alt_m,
        source=letter.fix_from,
        age_s=letter.fix_age_s,
    )


def _claimed(said_at: int | None) -> str | None:
    utc = utc_of(None if said_at is None else said_at * 10**9)
    return None if utc is None else utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def _doubts(letter: Report, integrity: Integrity) -> Iterator[str]:
    if integrity is Integrity.NONE:
        yield "the modem names no proof of what it heard"
    elif integrity is Integrity.PARITY:
        yield "only parity proves what the modem heard"
    if letter.nature is not None and _word(Nature, letter.nature) is None:
        yield f"no nature of distress is called {letter.nature!r}"
    if (letter.lat7 is None) != (letter.lon7 is None):
        yield "half of a position is stated"
    elif letter.lat7 is not None and abs(letter.lat7) > _LAT7_MAX:
        yield "the position stated is not on the Earth"
    if letter.who and letter.who.mmsi and mmsi_class(letter.who.mmsi) is None:
        yield f"no numbering plan has the MMSI {letter.who.mmsi}"
