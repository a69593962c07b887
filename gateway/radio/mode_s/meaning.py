"""What a message of a transponder means to everybody."""

from __future__ import annotations

from gateway.model.inbound import Draft
from gateway.model.place import Identity, Position, Velocity
from gateway.model.words import Confidence, Integrity, Kind, Urgency
from gateway.radio.mode_s.memory import gravest
from gateway.radio.mode_s.words import ModeSDetail

SINGLE = "one reply says so; it is confirmed by another, or by an extended squitter"
FREQ_HZ = 1_090_000_000


def draft_of(said: ModeSDetail) -> Draft:
    """Return what a message means: an alert when something is wrong, else a place or a state."""
    sender = _sender(said)
    alert = said.emergency is not None and not said.emergency.again
    kind, urgency, nature = Kind.STATUS, Urgency.ROUTINE, None
    if said.emergency is not None and alert:
        kind = Kind.ALERT
        version = None if said.quality is None else said.quality.adsb_version
        urgency, nature = gravest(said.emergency, version)
    elif said.place is not None and said.place.age_s is None:
        kind = Kind.POSITION
    doubts = _doubts(said)
    return Draft(
        kind=kind,
        urgency=urgency,
        sender=sender,
        casualty=sender if alert else None,
        nature=nature,
        position=_position(said),
        velocity=_velocity(said),
        freq_hz=FREQ_HZ,
        integrity=_integrity(said),
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
        covert=said.emergency is not None and is_covert(said),
    )


def is_covert(said: ModeSDetail) -> bool:
    """Say whether somebody on board must not learn that it was understood."""
    wrong = said.emergency
    return wrong is not None and (wrong.squawk == "7500" or wrong.state == UNLAWFUL_STATE)


UNLAWFUL_STATE = 5


def _sender(said: ModeSDetail) -> Identity:
    if said.anonymous:
        return Identity(tag=f"~{said.address}", callsign=said.callsign)
    return Identity(icao24=said.address, callsign=said.callsign)


def _position(said: ModeSDetail) -> Position | None:
    place = said.place
    if place is None:
        return None
    return Position(
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        resolution_m=place.resolution_m,
        accuracy_m=place.accuracy_m,
        age_s=place.age_s,
    )


def _velocity(said: ModeSDetail) -> Velocity | None:
    motion = said.motion
    if motion is None:
        return None
    known = (motion.speed_kn, motion.course_deg, motion.heading_deg)
    if known == (None, None, None):
        return None
    return Velocity(speed_kn=known[0], course_deg=known[1], heading_deg=known[2])


def _integrity(said: ModeSDetail) -> Integrity:
    if said.form != "message":
        return Integrity.NONE
    return Integrity.CRC if said.df in (11, 17, 18) else Integrity.PARITY


def _doubts(said: ModeSDetail) -> tuple[str, ...]:
    wrong = said.emergency
    is_single = wrong is not None and not wrong.confirmed and said.form == "message"
    return (*said.doubts, SINGLE) if is_single else said.doubts
