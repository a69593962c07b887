"""Incidents for the tests of exports: one plain one, and any that may ever be."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from gateway.model.incident import (
    AlarmPhase,
    Evidence,
    Incident,
    IncidentAlarm,
    Link,
    LinkKind,
    Phase,
)
from gateway.model.place import Identity, Position
from gateway.model.words import Confidence, Mode, Nature, Urgency

NOW_UTC = datetime(2026, 11, 22, 23, 6, 1, 250_000, tzinfo=UTC)

PLACE = Position(lat_deg=52.375, lon_deg=4.902, accuracy_m=926.0, source="gnss")


def evidence(name="a", **fields):
    wanted = {
        "evidence_id": name,
        "filed": "mmsi:244123456",
        "system": "dsc",
        "mode": Mode.REAL,
        "names": ("mmsi:244123456",),
        "casualty": Identity(mmsi="244123456", name="NORTH STAR"),
        "urgency": Urgency.DISTRESS,
        "position": PLACE,
        "first_mono_ns": 0,
        "last_mono_ns": 1,
        "last_utc": NOW_UTC,
        "last_report_id": name,
        "confidence": Confidence.VERIFIED,
    }
    return Evidence(**(wanted | fields))


def incident(**fields):
    wanted = {
        "incident_id": "0123456789abcdef",
        "station": "north",
        "mode": Mode.REAL,
        "phase": Phase.ALERTED,
        "severity": Urgency.DISTRESS,
        "confidence": Confidence.VERIFIED,
        "names": ("mmsi:244123456",),
        "natures": (Nature.SINKING,),
        "systems": ("dsc", "ais"),
        "position": PLACE,
        "position_utc": NOW_UTC,
        "station_distance_m": 22_224.0,
        "station_bearing_deg": 44.0,
        "opened_mono_ns": 0,
        "opened_utc": NOW_UTC,
        "last_mono_ns": 1,
        "last_utc": NOW_UTC,
        "evidence": (evidence(),),
    }
    return Incident(**(wanted | fields))


# ---- Any incident -------------------------------------------------------------------------------

NASTY = st.sampled_from(
    (
        "",
        " ",
        "]]>",
        "<alert>&amp;</alert>",
        "\"'`\\",
        "\x00\x1b[2J\r\n\u2028\x85",
        "\ud800\udfff\ufffe\uffff",
        "\u202egnp.exe\u200b\ufeff",
        "🆘 ÄßŁ \ufdfa 遭難",
        "e" + "\u0301" * 500,
        "x" * 10_000,
        "\x07" * 10_000,
        "a, b c,<&> " * 900,
        "NNNN ZCZC END OF MESSAGE",
    )
)
TEXTS = st.one_of(NASTY, st.text(max_size=60))
ANGLES = st.sampled_from((0.0, -0.0, 1e-9, 59.999999, 89.9999, 90.0, -90.0, -45.5))
POSITIONS = st.builds(
    Position,
    lat_deg=st.one_of(ANGLES, st.floats(-90, 90)),
    lon_deg=st.one_of(st.sampled_from((180.0, -180.0, 179.9999, 0.0)), st.floats(-180, 180)),
    accuracy_m=st.none() | st.sampled_from((0.0, 10.0, 600_000.0, 1e12)) | st.floats(0, 500_000),
    resolution_m=st.none() | st.floats(0, 2_000),
    altitude_m=st.none() | st.floats(-500, 20_000),
    source=st.none() | st.sampled_from(("gnss", "manual")) | TEXTS,
)
NAMES = st.one_of(
    st.sampled_from(("mmsi:244123456", "mmsi:111244001", "icao24:A39657", "beacon:" + "F" * 23)),
    st.builds("{}:{}".format, st.sampled_from(("callsign", "tail", "tag", "odd")), TEXTS),
    TEXTS,
)


def few(strategy, most=4):
    return st.lists(strategy, max_size=most).map(tuple)


EVIDENCE = st.builds(
    evidence,
    name=st.text("0123456789abcdef", min_size=32, max_size=32),
    system=st.sampled_from(("dsc", "ais", "cospas_sarsat", "mode_s")) | TEXTS,
    mode=st.sampled_from(Mode),
    names=few(NAMES),
    casualty=st.none() | st.builds(Identity, name=st.none() | TEXTS),
    natures=few(st.sampled_from(Nature)),
    position=st.none() | POSITIONS,
    last_utc=st.none() | st.just(NOW_UTC),
    text=st.none() | TEXTS,
)


@st.composite
def incidents(draw):
    """Return any incident, with what radios and operators may have put into it."""
    pieces = draw(few(EVIDENCE, 5)) * draw(st.sampled_from((1, 1, 1, 20)))
    ends = st.sampled_from([piece.evidence_id for piece in pieces] or ["none"])
    kinds = st.sampled_from(LinkKind)
    links = few(
        st.builds(Link, kind=kinds, weight=st.floats(0, 1), one=ends, other=ends, words=TEXTS)
    )
    return incident(
        mode=draw(st.sampled_from(Mode)),
        phase=draw(st.sampled_from(Phase)),
        severity=draw(st.sampled_from(Urgency)),
        covert=draw(st.booleans()),
        confidence=draw(st.sampled_from(Confidence)),
        corroborated=draw(st.booleans()),
        doubts=draw(few(TEXTS, 12)),
        names=draw(few(NAMES, 12)),
        others=draw(st.integers(0, 12)),
        natures=draw(few(st.sampled_from(Nature), 15)),
        systems=draw(few(st.sampled_from(("dsc", "ais")) | TEXTS, 12)),
        position=draw(st.none() | POSITIONS),
        position_utc=draw(st.none() | st.just(NOW_UTC)),
        opened_utc=draw(st.none() | st.just(NOW_UTC)),
        station_distance_m=draw(st.none() | st.floats(0, 2e7)),
        station_bearing_deg=draw(st.none() | st.floats(0, 360)),
        persons_on_board=draw(st.none() | st.integers(0, 9999)),
        acknowledged_by=draw(few(NAMES, 12)),
        calls_on=draw(st.booleans()),
        relayed_by=draw(few(NAMES, 12)),
        alert_lost=draw(st.booleans()),
        alarm=IncidentAlarm(phase=draw(st.sampled_from(AlarmPhase))),
        evidence=pieces,
        links=draw(st.just(())) if not pieces else draw(links),
        merged_into=draw(st.none() | TEXTS),
        revision=draw(st.integers(1, 99_999)),
        say="",
    )
