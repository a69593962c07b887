"""What holds for all radios: a report is dated, named, and free of the impossible.

Every value outside its physical range becomes None here, and the report says so in its doubts.
Nothing is ever corrected, and a report is never lost for a bad value.
"""

from __future__ import annotations

import hashlib

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.dates import utc_of
from gateway.codes.rawtext import escape
from gateway.model.inbound import SCHEMA_VERSION, Draft, Frame, Heard, Moment, Reading, Report
from gateway.model.place import Position, Velocity
from gateway.model.words import Confidence, Mode

__all__ = ["Place", "normalise", "report_id", "utc_of"]

_REPORT_ID_BYTES = 16


class Place(Struct, frozen=True, kw_only=True):
    """Where a port stands: what is known of every frame heard there."""

    station: str
    port: str
    modem: str
    channel: str | None = None
    freq_hz: int | None = None
    boot: str | None = None
    """The start of the machine that the monotonic times count from; None for a capture."""
    exercise: bool = False
    """Whether all that is heard here is of an exercise, whatever it says of itself."""


def normalise(draft: Draft, reading: Reading, place: Place) -> Report:
    """Return the report of this reading, heard at this place."""
    position, velocity, doubts = _possible(draft)
    frames = reading.frames
    return Report(
        report_id=report_id(place.station, frames),
        schema=SCHEMA_VERSION,
        system=reading.system,
        kind=draft.kind,
        urgency=draft.urgency,
        mode=Mode.EXERCISE if place.exercise else draft.mode,
        sender=draft.sender,
        casualty=draft.casualty,
        addressee=draft.addressee,
        nature=draft.nature,
        position=position,
        velocity=velocity,
        persons_on_board=draft.persons_on_board,
        text=draft.text,
        claimed_utc=draft.claimed_utc,
        heard=_heard(frames[-1], draft, place),
        integrity=draft.integrity or frames[-1].integrity,
        corrected_bits=draft.corrected_bits,
        confidence=_lowered(draft.confidence)
        if len(doubts) > len(draft.doubts)
        else draft.confidence,
        doubts=doubts,
        covert=draft.covert,
        refines=report_id(place.station, reading.refines) if reading.refines else None,
        detail=reading.said,
        raw=tuple(escape(frame.raw) for frame in frames),
    )


def report_id(station: str, frames: tuple[Frame, ...]) -> str:
    """Return the stable name of what these frames make: station, port, slot of reception, bytes."""
    last = frames[-1]
    slot = f"{station}\0{last.port}\0{last.heard.mono_ns}\0{last.heard.utc_ns}\0{last.ordinal}\0"
    digest = hashlib.blake2b(slot.encode(), digest_size=_REPORT_ID_BYTES)
    for frame in frames:
        digest.update(frame.raw)
    return digest.hexdigest()


def _heard(frame: Frame, draft: Draft, place: Place) -> Heard:
    moment: Moment = frame.heard
    tags = frame.tags
    return Heard(
        station=place.station,
        port=place.port,
        modem=place.modem,
        mono_ns=moment.mono_ns,
        utc=utc_of(moment.utc_ns),
        clock=moment.clock,
        clock_error_ms=moment.error_ms,
        boot=place.boot,
        channel=draft.channel or place.channel,
        freq_hz=draft.freq_hz or place.freq_hz,
        rssi_dbm=draft.rssi_dbm,
        receiver=tags.source if tags else None,
        receiver_utc=utc_of(tags.time_ns) if tags else None,
    )


def _possible(draft: Draft) -> tuple[Position | None, Velocity | None, tuple[str, ...]]:
    """Return position and velocity with the impossible taken out, and the doubts, old and new."""
    doubts = draft.doubts
    position, velocity = draft.position, draft.velocity
    if position is not None and not (
        -90 <= position.lat_deg <= 90 and -180 <= position.lon_deg <= 180
    ):
        doubts = (*doubts, "the position stated is not on the Earth")
        position = None
    elif position is not None and position.lat_deg == 0 == position.lon_deg:
        doubts = (*doubts, "0° N 0° E is stated, as is done where no position is known")
    if velocity is not None:
        bad = [
            name
            for name, top in (("speed_kn", 10_000.0), ("course_deg", 360.0), ("heading_deg", 360.0))
            if (value := getattr(velocity, name)) is not None and not 0 <= value <= top
        ]
        if bad:
            doubts = (*doubts, f"the {' and '.join(bad)} stated can't be")
            velocity = replace(velocity, **dict.fromkeys(bad))
    return position, velocity, doubts


def _lowered(confidence: Confidence) -> Confidence:
    return Confidence.TENTATIVE if confidence is Confidence.VERIFIED else confidence
