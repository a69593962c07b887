"""The incident as Cursor-on-Target events, version 2.0: the casualty, and its alert.

    <event version type uid time start stale how [opex] [access]>     one document each
      <point lat lon hae ce le/>      9999999 where an error is not known, as the format has it
      <detail> contact, link, emergency, remarks

A distress is a casualty (`a-u-S`, `a-u-A` or `a-u-G`) with an alert (`b-a-o-tbl`); when it is over,
the alert is cancelled (`b-a-o-can`) and the casualty dropped by a stale time before its start. A
marked test is a spot on the map (`b-m-p-s-m`), never a casualty and never an alert. A covert
incident has no alert: screens would ring for it. Types and forms are those of MITRE's published
schema and developer's guide, and of what ATAK documents of its alerts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from gateway.codes.mmsi import mmsi_class
from gateway.export import wording
from gateway.export.say import say
from gateway.model.incident import Incident
from gateway.model.place import Position
from gateway.model.words import Mode, Urgency

UNKNOWN_M = "9999999.0"
"""The error of who can't say how large it is."""

STALE = timedelta(hours=24)
"""What a beacon must last at the least: nobody is saved because nothing was heard of him."""

DROPPED = timedelta(seconds=-1)
"""Stale before it starts: the format's own word for a track that is to be dropped."""

CALLSIGN_CHARACTERS_MAX = 64
"""What stands beside a symbol."""

SPOT = "b-m-p-s-m"
ALERT = "b-a-o-tbl"
CANCEL = "b-a-o-can"

OPEX = {Mode.REAL: None, Mode.EXERCISE: "e", Mode.TEST: "s"}
"""Operation, exercise or simulation; nothing stands for the first."""

AIRCRAFT = frozenset({"sar_aircraft"})


def cot(incident: Incident, now_utc: datetime) -> tuple[bytes, ...]:
    """Return the casualty's event, and its alert's or the alert's cancellation where it has one."""
    over = wording.is_over(incident)
    casualty = _event(incident, now_utc, kind=_kind(incident), stale=DROPPED if over else STALE)
    _detail(casualty, incident)
    if incident.mode is Mode.TEST or incident.covert or incident.severity is not Urgency.DISTRESS:
        return (_written(casualty),)
    kind = CANCEL if over else ALERT
    alert = _event(incident, now_utc, kind=kind, stale=STALE)
    uid = casualty.attrib["uid"]
    alert.attrib["uid"] = f"{uid}-9-1-1"
    detail = _detail(alert, incident)
    ET.SubElement(detail, "link", uid=uid, type=_kind(incident), relation="p-p")
    state = {"cancel": "true"} if over else {"type": "911 Alert"}
    ET.SubElement(detail, "emergency", state).text = _callsign(incident)
    return _written(casualty), _written(alert)


def _event(incident: Incident, now_utc: datetime, *, kind: str, stale: timedelta) -> ET.Element:
    event = ET.Element(
        "event",
        version="2.0",
        type=kind,
        uid=f"distress-gateway.{_word(incident.station)}.{_word(incident.incident_id)}",
        time=_moment(now_utc),
        start=_moment(now_utc),
        stale=_moment(now_utc + stale),
        how=_how(incident),
    )
    opex = OPEX[incident.mode]
    if opex is not None:
        event.set("opex", opex)
    if incident.covert:
        event.set("access", "restricted")
    ET.SubElement(event, "point", _point(incident.position))
    return event


def _point(position: Position | None) -> dict[str, str]:
    if position is None:
        # The format has no word for no place: 0, 0 with an unknown error, and the remarks say so.
        return {"lat": "0.0", "lon": "0.0", "hae": UNKNOWN_M, "ce": UNKNOWN_M, "le": UNKNOWN_M}
    error_m = wording.uncertainty_m(position)
    height_m = position.altitude_m
    return {
        "lat": f"{position.lat_deg:.7f}",
        "lon": f"{position.lon_deg:.7f}",
        "hae": UNKNOWN_M if height_m is None else f"{height_m:.1f}",
        "ce": UNKNOWN_M if error_m is None else f"{min(error_m, float(UNKNOWN_M)):.1f}",
        "le": UNKNOWN_M,
    }


def _detail(event: ET.Element, incident: Incident) -> ET.Element:
    detail = ET.SubElement(event, "detail")
    ET.SubElement(detail, "contact", callsign=_callsign(incident))
    remarks = [say(incident)]
    if incident.covert:
        remarks.append("Whoever threatens the craft must not learn of this: don't call it.")
    if incident.position is None:
        remarks.append("The position is not known: the point is no place.")
    ET.SubElement(detail, "remarks").text = " ".join(remarks)
    return detail


def _kind(incident: Incident) -> str:
    """Return the type of the casualty: at sea, in the air, else on the ground; a test is a spot."""
    if incident.mode is Mode.TEST:
        return SPOT
    names = [name.partition(":") for name in incident.names]
    classes = {mmsi_class(value) for kind, _, value in names if kind == "mmsi"}
    if "icao24" in {kind for kind, _, _ in names} or classes & AIRCRAFT:
        return "a-u-A"
    return "a-u-S" if classes else "a-u-G"


def _how(incident: Incident) -> str:
    """Return how the place was found: simulated, by satellites, or as good as estimated."""
    if incident.mode is not Mode.REAL:
        return "m-s"
    source = None if incident.position is None else incident.position.source
    return "m-g" if source in {"gnss", "dgnss"} else "h-e"


def _callsign(incident: Incident) -> str:
    mark = wording.watermark(incident)
    name = wording.line(wording.who(incident), CALLSIGN_CHARACTERS_MAX)
    return name if mark is None else f"{mark} {name}"


def _word(text: str) -> str:
    return wording.line(text, CALLSIGN_CHARACTERS_MAX).replace(" ", "_")


def _moment(utc: datetime) -> str:
    return f"{utc.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"


def _written(event: ET.Element) -> bytes:
    written: bytes = ET.tostring(event, encoding="utf-8", xml_declaration=True)
    return written
