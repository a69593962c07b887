"""The incident as an alert of the Common Alerting Protocol 1.2 (OASIS Standard, 1 July 2010).

    alert   who sends it, whether it is meant, and which earlier messages it follows
      info  what has happened, how soon, how grave, how sure
        area  the circle in which the casualty is

`status` is what the incident's mode is: a test or an exercise is never `Actual`. The first message
is an `Alert`, one that follows others an `Update`, and the one that says that it is over a
`Cancel`. A message can only follow others that it names, each by the word that `reference` makes of
it when it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from gateway.export import wording
from gateway.model.incident import Incident, Phase
from gateway.model.words import Confidence, Mode, Nature, Urgency

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"

HEADLINE_CHARACTERS_MAX = 160
"""What the standard says that a short display can show (3.2.2, headline)."""
WORD_CHARACTERS_MAX = 96
"""Of a name in an identifier or a parameter."""
TEXT_CHARACTERS_MAX = 320
"""Of a text of others: the start of it tells what it is; all of it stands in the incident."""
LINES_MAX = 8
"""Doubts and texts that are shown; a reader of alerts needs the first ones."""
REFERENCES_MAX = 32
"""Earlier messages that are named: the last ones, and all of their readers know these."""
EXPIRES = timedelta(hours=24)
"""What a beacon must last at the least; it doesn't end the trouble, only this message."""

STATUS = {Mode.REAL: "Actual", Mode.EXERCISE: "Exercise", Mode.TEST: "Test"}

SEVERITY = {
    Urgency.DISTRESS: "Extreme",
    Urgency.URGENCY: "Severe",
    Urgency.SAFETY: "Moderate",
    Urgency.ROUTINE: "Minor",
}
URGENCY = {
    Urgency.DISTRESS: "Immediate",
    Urgency.URGENCY: "Expected",
    Urgency.SAFETY: "Future",
    Urgency.ROUTINE: "Unknown",
}
CATEGORIES = {
    Nature.FIRE_EXPLOSION: "Fire",
    Nature.MEDICAL: "Health",
    Nature.PIRACY_UNLAWFUL: "Security",
}
"""Beside `Rescue` and `Transport`, which stand in every message."""

_NOT_IN_WORDS = re.compile(r"[\s,<&]+")
"""What the standard bars from identifier, sender and references (3.2.1)."""


def cap(
    incident: Incident, now_utc: datetime, *, sender: str, earlier: tuple[str, ...] = ()
) -> bytes:
    """Return the incident as one message that follows the earlier ones, each a `reference`."""
    alert = ET.Element("alert", xmlns=NAMESPACE)
    _add(alert, "identifier", _identifier(incident))
    _add(alert, "sender", _word(sender))
    _add(alert, "sent", _moment(now_utc))
    _add(alert, "status", STATUS[incident.mode])
    _add(alert, "msgType", _type(incident, earlier))
    _add(alert, "source", f"distress-gateway {_word(incident.station)}")
    if incident.covert:
        _add(alert, "scope", "Restricted")
        _add(alert, "restriction", "For the competent authority only; don't call the craft")
    else:
        _add(alert, "scope", "Public")
    if incident.mode is not Mode.REAL or wording.is_over(incident):
        _add(alert, "note", _note(incident))
    if earlier:
        _add(alert, "references", " ".join(earlier[-REFERENCES_MAX:]))
    _add(alert, "incidents", _word(incident.incident_id))
    _happened(alert, incident, now_utc)
    written: bytes = ET.tostring(alert, encoding="utf-8", xml_declaration=True)
    return written


def reference(incident: Incident, sent_utc: datetime, *, sender: str) -> str:
    """Return the word by which later messages name the one sent then: sender,identifier,sent."""
    return f"{_word(sender)},{_identifier(incident)},{_moment(sent_utc)}"


def _type(incident: Incident, earlier: tuple[str, ...]) -> str:
    if not earlier:
        return "Alert"
    return "Cancel" if wording.is_over(incident) else "Update"


def _note(incident: Incident) -> str:
    mark = wording.watermark(incident)
    words = wording.stands(incident)
    return words if mark is None else f"{mark}, not a real call for help: {words}"


# ---- What has happened --------------------------------------------------------------------------


def _happened(alert: ET.Element, incident: Incident, now_utc: datetime) -> None:
    info = ET.SubElement(alert, "info")
    _add(info, "language", "en")
    for category in _categories(incident):
        _add(info, "category", category)
    _add(info, "event", wording.what(incident))
    if incident.phase is Phase.RESOLVED:
        _add(info, "responseType", "AllClear")
    urgency, severity, certainty = _grades(incident)
    _add(info, "urgency", urgency)
    _add(info, "severity", severity)
    _add(info, "certainty", certainty)
    if incident.opened_utc is not None:
        _add(info, "onset", _moment(incident.opened_utc))
    _add(info, "expires", _moment(now_utc + EXPIRES))
    _add(info, "senderName", f"distress-gateway, station {_word(incident.station)}")
    _add(info, "headline", _headline(incident))
    _add(info, "description", "\n".join(_description(incident)))
    for name, value in _parameters(incident):
        parameter = ET.SubElement(info, "parameter")
        _add(parameter, "valueName", name)
        _add(parameter, "value", value)
    _area(info, incident)


def _categories(incident: Incident) -> list[str]:
    found = {CATEGORIES[nature] for nature in incident.natures if nature in CATEGORIES}
    if incident.covert:
        found.add("Security")
    return ["Rescue", "Transport", *sorted(found)]


def _grades(incident: Incident) -> tuple[str, str, str]:
    """Return urgency, severity and certainty: nobody is in danger by a test or a false alert."""
    if incident.mode is Mode.TEST:
        return "Unknown", "Minor", "Unlikely"
    if incident.phase is Phase.FALSE_ALERT:
        return "Past", "Minor", "Unlikely"
    urgency = "Past" if wording.is_over(incident) else URGENCY[incident.severity]
    return urgency, SEVERITY[incident.severity], _certainty(incident)


def _certainty(incident: Incident) -> str:
    """Return how sure it is: observed only when two radio systems say so."""
    if incident.confidence is Confidence.VERIFIED:
        return "Observed" if incident.corroborated else "Likely"
    return "Possible" if incident.confidence is Confidence.TENTATIVE else "Unknown"


def _headline(incident: Incident) -> str:
    mark = wording.watermark(incident)
    words = f"{wording.what(incident)}, {wording.who(incident)}"
    if mark is not None:
        words = f"{mark}: {words}"
    return wording.line(words, HEADLINE_CHARACTERS_MAX)


def _description(incident: Incident) -> Iterator[str]:
    mark = wording.watermark(incident)
    if mark is not None:
        yield f"{mark}. This is not a real call for help."
    yield f"{wording.what(incident)}: {wording.who(incident)}."
    if incident.position is None:
        yield "The position is not known."
    else:
        near = wording.from_station(incident)
        where = wording.degrees_minutes(incident.position)
        if incident.position_utc is not None:
            where += f" at {wording.stamp(incident.position_utc)}"
        yield f"Position {where}." if near is None else f"Position {where}, {near}."
    if incident.persons_on_board is not None:
        yield f"Persons on board: {incident.persons_on_board}."
    yield f"Heard on {wording.heard_on(incident) or 'radio'}; {wording.trust(incident)}."
    yield f"State: {wording.stands(incident)}."
    for doubt in incident.doubts[:LINES_MAX]:
        yield f"Doubt: {wording.line(doubt, TEXT_CHARACTERS_MAX)}."
    texts = [piece.text for piece in incident.evidence if piece.text]
    for text in texts[:LINES_MAX]:
        yield f"Text received: {wording.line(text, TEXT_CHARACTERS_MAX)}"


def _parameters(incident: Incident) -> Iterator[tuple[str, str]]:
    yield "incident", _word(incident.incident_id)
    yield "revision", str(incident.revision)
    yield "phase", incident.phase
    yield "confidence", incident.confidence
    for nature in incident.natures[:LINES_MAX]:
        yield "nature", nature
    for name in incident.names[:LINES_MAX]:
        yield "identity", wording.line(name, WORD_CHARACTERS_MAX)
    for system in incident.systems[:LINES_MAX]:
        yield "system", wording.line(system, WORD_CHARACTERS_MAX)


def _area(info: ET.Element, incident: Incident) -> None:
    """Add the circle of the place; without a place there is no area, rather than a guess."""
    position = incident.position
    if position is None:
        return
    radius_m = wording.uncertainty_m(position)
    area = ET.SubElement(info, "area")
    where = wording.degrees_minutes(position)
    if radius_m is None:
        _add(area, "areaDesc", f"{where}; how exact is not known")
    else:
        _add(area, "areaDesc", f"{where}, within {radius_m:.0f} m as stated")
    circle = f"{position.lat_deg:.7f},{position.lon_deg:.7f} {(radius_m or 0.0) / 1000:.3f}"
    _add(area, "circle", circle)


# ---- Words --------------------------------------------------------------------------------------


def _add(parent: ET.Element, name: str, text: str) -> None:
    # An element without text is a fault to strict readers; what cleaning left empty is a dash.
    ET.SubElement(parent, name).text = text or "-"


def _identifier(incident: Incident) -> str:
    return f"{_word(incident.station)}.{_word(incident.incident_id)}.{incident.revision}"


def _word(text: str) -> str:
    return _NOT_IN_WORDS.sub("_", wording.line(text, WORD_CHARACTERS_MAX)) or "_"


def _moment(utc: datetime) -> str:
    """Return a moment as the standard wants it: UTC is -00:00, never Z (3.3.2)."""
    return f"{utc.astimezone(UTC):%Y-%m-%dT%H:%M:%S}-00:00"
