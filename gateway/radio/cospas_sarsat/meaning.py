"""What a beacon means to everybody: its words turned into the vocabulary of all radios. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, log2

from gateway.codes.bch import BCH_38_26, BCH_82_61, BCH_250_202, Bch
from gateway.codes.mmsi import mmsi_class
from gateway.model.inbound import Draft
from gateway.model.place import Identity, Position
from gateway.model.words import Confidence, Integrity, Kind, Mode, Nature, Urgency
from gateway.radio.cospas_sarsat import tables
from gateway.radio.cospas_sarsat.words import BeaconDetail

PROOF_BITS_MIN = 21.0
"""A message is believed when noise would pass for it no oftener than once in two million: as often
as it has the check digits of a short message right. Each error put right costs some of that."""

_SYNC_BITS = 23.0
"""24 bits, of two values."""


def draft_of(said: BeaconDetail) -> Draft:
    """Return what a message of a beacon means."""
    who = identity_of(said)
    doubts = _doubts(said)
    system = said.beacon == "system" or said.protocol == "user_orbitography"
    nature = None if system or said.cancel else _nature(said)
    return Draft(
        kind=_kind(said, system=system),
        urgency=Urgency.ROUTINE if system else Urgency.DISTRESS,
        mode=Mode.TEST if said.self_test or said.test else Mode.REAL,
        sender=who,
        casualty=None if system else who,
        nature=nature,
        position=_position(said),
        claimed_utc=said.position_utc,
        integrity=Integrity.NONE if said.proof.corrected_1 is None else Integrity.BCH,
        corrected_bits=(said.proof.corrected_1 or 0) + (said.proof.corrected_2 or 0),
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
        covert=said.covert,
    )


def identity_of(said: BeaconDetail) -> Identity:
    """Return every name that the beacon gives its craft."""
    return Identity(
        mmsi=said.mmsi,
        mmsi_class=mmsi_class(said.mmsi) if said.mmsi else None,
        callsign=said.callsign,
        icao24=said.icao24 if not _blank_address(said) else None,
        beacon_hex=said.hex_id,
        epirb_ais=said.epirb_ais,
        tail=said.tail,
    )


def _blank_address(said: BeaconDetail) -> bool:
    return said.icao24 in ("000000", "FFFFFF")


def _kind(said: BeaconDetail, *, system: bool) -> Kind:
    if system:
        return Kind.STATUS
    return Kind.CANCELLATION if said.cancel else Kind.ALERT


def _nature(said: BeaconDetail) -> Nature:
    """Return the nature of distress (T.001 table A4), else what the kind of beacon stands for."""
    code = said.emergency_code
    if said.covert:
        return Nature.PIRACY_UNLAWFUL
    if code is not None and said.protocol in ("user_maritime", "user_callsign"):
        return tables.NATURES_MARITIME.get(code, Nature.BEACON_EMISSION)
    if code is not None:
        for flag, nature in _FLAGS:
            if code & flag:
                return nature
    # A distress tracking ELT speaks in flight.
    return Nature.DOWNED if said.beacon == "elt" else Nature.BEACON_EMISSION


_FLAGS = (
    (0b1000, Nature.FIRE_EXPLOSION),
    (0b0100, Nature.MEDICAL),
    (0b0010, Nature.DISABLED_ADRIFT),
)
"""Bits 109, 110 and 111 of protocols that are not maritime."""


def _position(said: BeaconDetail) -> Position | None:
    if said.lat_deg is None or said.lon_deg is None:
        return None
    return Position(
        lat_deg=said.lat_deg,
        lon_deg=said.lon_deg,
        resolution_m=said.resolution_m,
        altitude_m=said.altitude_m if said.generation == 2 else None,
        source=said.position_source,
        age_s=said.position_age_s,
    )


def proof_bits(said: BeaconDetail) -> float:
    """Return how many bits of noise would have had to fall right for this message."""
    proof = said.proof
    bits = _SYNC_BITS if proof.synchronised else 0.0
    if said.generation == 2:
        return bits + _bits_of(BCH_250_202, proof.corrected_1)
    return bits + _bits_of(BCH_82_61, proof.corrected_1) + _bits_of(BCH_38_26, proof.corrected_2)


def _bits_of(code: Bch, corrected: int | None) -> float:
    if corrected is None:
        return 0.0
    return code.checks - log2(sum(comb(code.length, errors) for errors in range(corrected + 1)))


def _doubts(said: BeaconDetail) -> tuple[str, ...]:
    """Return why it is believed less, a sentence each."""
    return (*said.odd, *_doubts_of_proof(said), *_doubts_of_words(said))


def _doubts_of_proof(said: BeaconDetail) -> Iterator[str]:
    if said.form == "identity":
        yield "only the identity of a beacon, without check digits"
    elif said.proof.corrected_1 is None:
        yield "it came without check digits"
    elif proof_bits(said) < PROOF_BITS_MIN:
        yield "so many errors were put right that noise might pass for it"
    if said.proof.damaged_2:
        yield "its second field has more errors than can be put right, and is left out"
    elif said.proof.corrected_2 == BCH_38_26.corrects:
        yield "of second fields with two errors put right, one in six is right by chance"


def _doubts_of_words(said: BeaconDetail) -> Iterator[str]:
    if said.generation == 2 and said.self_test:
        yield "that it is a self-test stands in a bit that nothing proves"
    if said.emergency_code is not None:
        yield "its emergency code stands in bits that nothing proves"
    if not tables.COUNTRY_MIN <= int(said.country) <= tables.COUNTRY_MAX:
        yield f"no country has the digits {said.country}"
    if said.mmsi is not None and mmsi_class(said.mmsi) is None:
        yield f"no numbering plan has the MMSI {said.mmsi}"
