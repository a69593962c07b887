"""What a NAVTEX message means to everybody: its subject, its words and the places it names. Pure.

54-28.0N 012-30.0E   5428N 01230E   54-44,2N 014-02,9E   54 28.5N 012 30.1E
54-28-30N 012-30-15E                                      seconds, too
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.model.inbound import Draft
from gateway.model.place import Position
from gateway.model.words import Confidence, Kind, Nature, Urgency
from gateway.radio.navtex.words import Mention, NavtexDetail

MENTIONS_MAX = 64
"""An area has a dozen corners; a page of a list has fewer places than this."""
BAD_SHARE_MAX = 0.04
"""A receiver takes a message for received with less than this (ITU-R M.540, IEC 61097-6)."""

SUBJECTS = {  # ITU-R M.540, subject indicators; IMO NAVTEX manual
    "A": "navigational_warning",
    "B": "meteorological_warning",
    "C": "ice_report",
    "D": "search_and_rescue",
    "E": "meteorological_forecast",
    "F": "pilot_service",
    "G": "ais_service",
    "H": "loran",
    "I": "unused",
    "J": "gnss",
    "K": "other_electronic_aid",
    "L": "navigational_warning_additional",
    "V": "special_service",
    "W": "special_service",
    "X": "special_service",
    "Y": "special_service",
    "Z": "no_message_on_hand",
}
"""D is search and rescue, piracy, and waves and quakes; it and A, B and L can't be rejected."""

FREQUENCIES_HZ = {1: 490_000, 2: 518_000, 3: 4_209_500}  # IEC 61162-1, NRX field 5

_RESCUE = "D"
_URGENCIES = {"A": Urgency.SAFETY, "B": Urgency.SAFETY, "C": Urgency.SAFETY, "L": Urgency.SAFETY}
_DISTRESS = re.compile(
    r"\b(?:MAYDAY|DISTRESS|OVERBOARD|SINKING|CAPSIZED|ON FIRE"
    r"|ABANDON(?:ED|ING)?|UNDER ATTACK|HIJACK(?:ED|ING)?)\b"
)
_MAYDAY = re.compile(r"\bMAYDAY\b")
_NATURES = (
    (re.compile(r"\b(?:PIRA(?:CY|TES?|TICAL)|HIJACK\w*|ARMED ROBBERY)\b"), Nature.PIRACY_UNLAWFUL),
    (re.compile(r"\bOVERBOARD\b"), Nature.MAN_OVERBOARD),
    (re.compile(r"\b(?:ON FIRE|EXPLOSION)\b"), Nature.FIRE_EXPLOSION),
    (re.compile(r"\b(?:SINKING|SANK)\b"), Nature.SINKING),
    (re.compile(r"\bABANDON\w*\b"), Nature.ABANDONING),
    (re.compile(r"\bAGROUND\b"), Nature.GROUNDING),
    (re.compile(r"\b(?:ADRIFT|DISABLED)\b"), Nature.DISABLED_ADRIFT),
    (re.compile(r"\b(?:EPIRB|PLB|BEACON)\b"), Nature.BEACON_EMISSION),
)
"""First match holds."""

_ANGLE = (
    r"(?P<{0}_deg>\d{{{1}}})[- ]?(?P<{0}_min>[0-5]\d)"
    r"(?:[.,](?P<{0}_part>\d{{1,3}})|-(?P<{0}_s>[0-5]\d))?"
)
_PLACE = re.compile(
    rf"(?<![\d.-]){_ANGLE.format('lat', 2)} ?(?P<north>[NS])[\s,/]{{0,4}}"
    rf"{_ANGLE.format('lon', 3)} ?(?P<east>[EW])(?![A-Z])"
)
_HALF_MINUTE_M = 926.0
_HALF_SECOND_M = 15.4
_DATED = re.compile(r"\b(?P<day>[0-3]\d)(?P<hour>[01]\d|2[0-3])(?P<minute>[0-5]\d) ?(?:UTC|Z)\b")


def mentions_in(text: str) -> tuple[Mention, ...]:
    """Return each place that the text names, with where it stands."""
    found = (mention for match in _PLACE.finditer(text) if (mention := _mention(match)))
    return tuple(mention for mention, _ in zip(found, range(MENTIONS_MAX), strict=False))


def _mention(match: re.Match[str]) -> Mention | None:
    lat, lat_half_m = _angle(match, "lat")
    lon, lon_half_m = _angle(match, "lon")
    if lat > 90 or lon > 180:
        return None
    return Mention(
        lat_deg=-lat if match["north"] == "S" else lat,
        lon_deg=-lon if match["east"] == "W" else lon,
        resolution_m=max(lat_half_m, lon_half_m),
        begin=match.start(),
        end=match.end(),
    )


def _angle(match: re.Match[str], name: str) -> tuple[float, float]:
    """Return degrees, and half the step in which they are written, as metres of latitude."""
    degrees, minutes = int(match[f"{name}_deg"]), int(match[f"{name}_min"])
    part, seconds = match[f"{name}_part"], match[f"{name}_s"]
    if seconds is not None:
        return degrees + minutes / 60 + int(seconds) / 3600, _HALF_SECOND_M
    parts = int(part) / 10 ** len(part) if part else 0.0
    return degrees + (minutes + parts) / 60, _HALF_MINUTE_M / 10 ** len(part or "")


def draft_of(said: NavtexDetail) -> Draft:
    """Return what a message means: a text, as urgent as its subject and its words."""
    urgency, by_words = _urgency(said)
    called = urgency in (Urgency.DISTRESS, Urgency.URGENCY)
    doubts = tuple(_doubts(said))
    if by_words:
        doubts = (*doubts, "that somebody is in distress is taken from its words alone")
    return Draft(
        kind=Kind.TEXT,
        urgency=urgency,
        nature=_nature(said.text) if called else None,
        position=_position(said) if called else None,
        text=said.text or None,
        claimed_utc=_claimed(said.text),
        freq_hz=FREQUENCIES_HZ.get(said.frequency_code or 0),
        confidence=Confidence.TENTATIVE if doubts else Confidence.VERIFIED,
        doubts=doubts,
    )


def _urgency(said: NavtexDetail) -> tuple[Urgency, bool]:
    """Return how urgent it is, and whether only its words say that somebody is in distress."""
    rescue = said.subject_code == _RESCUE
    if (rescue and _DISTRESS.search(said.text)) or _MAYDAY.search(said.text):
        return Urgency.DISTRESS, True
    if rescue or said.number == 0:
        return Urgency.URGENCY, False
    if said.subject is None:
        return Urgency.SAFETY, False
    return _URGENCIES.get(said.subject_code or "", Urgency.ROUTINE), False


def _nature(text: str) -> Nature | None:
    return next((nature for words, nature in _NATURES if words.search(text)), None)


def _position(said: NavtexDetail) -> Position | None:
    """Return the place of those in need; when the text names several, nobody knows which."""
    if len(said.mentions) != 1:
        return None
    place = said.mentions[0]
    return Position(
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        resolution_m=place.resolution_m,
        source="text",
    )


def _claimed(text: str) -> str | None:
    """Return the time of day in front of the text; it names no year."""
    found = _DATED.search(text[:80])
    return f"{found['hour']}:{found['minute']}Z" if found else None


def _doubts(said: NavtexDetail) -> Iterator[str]:
    if said.form == "text":
        yield "nothing proves printed text"
    if said.subject is None:
        yield "its subject can't be read"
    if said.status == "V":
        yield "the receiver calls it invalid"
    if said.bad_characters > said.characters * BAD_SHARE_MAX:
        yield f"{said.bad_characters} of its {said.characters} characters were not received"
    if not said.ended:
        yield "its end did not come"
    total, heard = said.sentences_total or 0, said.sentences_heard or 0
    if heard < total:
        yield f"{total - heard} of its {total} sentences did not come"
