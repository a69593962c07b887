"""Who, what and where in the words of a watch officer; texts of others made fit to be shown.

What a radio brought may hold anything: control characters, marks that turn the direction of
writing, ten kilobytes. Every text of others goes through `line` before it stands in an export.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

from gateway.codes.geodesy import NM_M
from gateway.codes.mmsi import mmsi_class
from gateway.model.incident import CLOSED, AlarmPhase, Evidence, Incident, Phase
from gateway.model.place import Position
from gateway.model.words import Mode, Nature, Urgency

CALLS = {
    Urgency.DISTRESS: "MAYDAY",
    Urgency.URGENCY: "PAN PAN",
    Urgency.SAFETY: "SECURITE",
    Urgency.ROUTINE: "routine call",
}
"""The spoken sign of each priority (Radio Regulations, articles 32 and 33)."""

NATURES = {
    Nature.FIRE_EXPLOSION: "fire or explosion",
    Nature.FLOODING: "flooding",
    Nature.COLLISION: "collision",
    Nature.GROUNDING: "grounding",
    Nature.LISTING: "listing",
    Nature.SINKING: "sinking",
    Nature.DISABLED_ADRIFT: "disabled and adrift",
    Nature.UNDESIGNATED: "undesignated distress",
    Nature.ABANDONING: "abandoning",
    Nature.PIRACY_UNLAWFUL: "piracy or unlawful interference",
    Nature.MAN_OVERBOARD: "person overboard",
    Nature.BEACON_EMISSION: "beacon emission",
    Nature.MEDICAL: "medical",
    Nature.COMMS_LOST: "communications lost",
    Nature.DOWNED: "downed aircraft",
}

SYSTEMS = {
    "ais": "AIS",
    "aprs": "APRS",
    "cospas_sarsat": "406 MHz beacon",
    "dsc": "DSC",
    "gnss": "GNSS",
    "meshtastic": "Meshtastic",
    "mode_s": "Mode S",
    "navtex": "NAVTEX",
    "packed": "packed link",
    "shipboard": "ship's equipment",
}

KINDS = {
    "mmsi": "MMSI",
    "icao24": "aircraft",
    "beacon": "beacon",
    "imo": "IMO",
    "tail": "marking",
    "callsign": "call sign",
    "tag": "known as",
    "epirb_ais": "EPIRB-AIS ending",
}
"""What each kind of name is called."""

MMSI_DIGITS = 9

WHO_CHARACTERS_MAX = 48
"""An MMSI with the twenty characters of a ship's name, or a beacon's 23 digits."""

POINTS = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)

STATIONS = {
    "coast": "coast station",
    "sar_aircraft": "aircraft",
    "ship": "ship",
    "handheld": "handheld",
    "craft": "craft",
}
"""What a station is called that speaks of somebody else, by its MMSI."""

_CALLING = (Phase.ALERTED, Phase.ACKNOWLEDGED, Phase.RELAYED)

PHASES = {
    Phase.ALERTED: "not acknowledged",
    Phase.ACKNOWLEDGED: "acknowledged by a coast station",
    Phase.RELAYED: "relayed, not acknowledged",
    Phase.AWAITING_CONFIRMATION: "cancelled by itself, not confirmed",
    Phase.CANCELLED: "cancelled",
    Phase.RESOLVED: "resolved",
    Phase.FALSE_ALERT: "false alert",
}


def line(text: str, length_max: int) -> str:
    """Return foreign text as one line of printable characters, cut to a length with a mark."""
    # Four times as much is read as can stand: what is cut need not be cleaned.
    composed = unicodedata.normalize("NFC", text[: 4 * length_max])
    printable = "".join(char if char.isprintable() else " " for char in composed)
    cleaned = " ".join(printable.split())
    if len(cleaned) <= length_max and len(text) <= 4 * length_max:
        return cleaned
    return cleaned[: length_max - 3].rstrip() + "..."


def is_over(incident: Incident) -> bool:
    """Say whether nobody is waited for in this incident any more."""
    return incident.phase in CLOSED or incident.merged_into is not None


def watermark(incident: Incident) -> str | None:
    """Return the word that must stand before all others, or None for what is meant."""
    return None if incident.mode is Mode.REAL else incident.mode.name


def what(incident: Incident) -> str:
    """Return the call and the nature of the trouble, its first two where it has more."""
    natures = " and ".join(NATURES[nature] for nature in incident.natures[:2])
    return f"{CALLS[incident.severity]} {natures}".rstrip()


def named(name: str) -> str:
    """Return one `kind:value` name as it is said: an MMSI in groups of three."""
    kind, _, value = name.partition(":")
    if kind == "mmsi" and len(value) == MMSI_DIGITS:
        value = f"{value[:3]} {value[3:6]} {value[6:]}"
    return f"{KINDS.get(kind, line(kind, 12))} {line(value, 24)}"


def called(incident: Incident) -> str | None:
    """Return the name that the craft gave of itself, the gravest evidence first."""
    for evidence in _of_first(incident):
        if evidence.casualty is not None and evidence.casualty.name:
            return line(evidence.casualty.name, 40) or None
    return None


def _of_first(incident: Incident) -> tuple[Evidence, ...]:
    """Return the evidence of the casualty that is named first, where an operator merged several."""
    if not incident.others or not incident.names:
        return incident.evidence
    first, place = incident.names[0], incident.position_evidence
    return tuple(
        piece for piece in incident.evidence if first in piece.names or piece.evidence_id == place
    )


def who(incident: Incident) -> str:
    """Return the casualty by its best number and its name, or that it is unknown.

    Where an operator has merged several it is that one of which the place is, and their number.
    """
    number = named(incident.names[0]) if incident.names else ""
    beside = ""
    if incident.others:
        beside = f"and {incident.others} other{'s' * (incident.others > 1)}"
        number = number or "unidentified"
    name = called(incident) or ""
    if beside:  # the name is cut where all has no room: never that there are others
        room = max(WHO_CHARACTERS_MAX - len(number) - len(beside) - 2, 0)
        name = line(name, room) if room > len("...") else ""
    return " ".join(part for part in (number, name, beside) if part) or "unidentified"


def heard_on(incident: Incident) -> str:
    """Return the radio systems that say so."""
    return _spoken(incident.systems)


def first_heard_on(incident: Incident) -> str:
    """Return the radio systems that speak of the casualty that is named first."""
    if not incident.others:
        return heard_on(incident)
    return _spoken(sorted({piece.system for piece in _of_first(incident)}))


def _spoken(systems: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(SYSTEMS.get(name, line(name, 16)) for name in systems[:6]))


def station(name: str) -> str:
    """Return a station by what its number says that it is: only one on the coast signs for all."""
    if ":" not in name:
        return line(name, 40)
    return (
        f"{STATIONS.get(_sort(name), 'station')} {named(name).removeprefix(KINDS['mmsi']).strip()}"
    )


def _sort(name: str) -> str:
    kind, _, value = name.partition(":")
    return (mmsi_class(value) if kind == "mmsi" else None) or ""


def _come(incident: Incident) -> str:
    """Return how far the trouble has come, and who has acknowledged it by radio."""
    phase, by = incident.phase, incident.acknowledged_by
    words = PHASES[phase]
    if phase not in _CALLING or not by:
        return words
    who_did = next((name for name in by if _sort(name) == "coast"), None)
    relayed = phase is Phase.RELAYED
    if who_did is None:
        lacking = f"acknowledged by {station(by[0])}, by no coast station"
        return f"relayed, {lacking}" if relayed else lacking
    if incident.calls_on and phase is not Phase.ACKNOWLEDGED:
        lacking = f"calls on after {station(who_did)} acknowledged it"
        return f"relayed, {lacking}" if relayed else lacking
    words = f"acknowledged by {station(who_did)}"
    return f"{words} and relayed" if relayed else words


def stands(incident: Incident) -> str:
    """Return how the trouble stands, and who has taken it over."""
    if incident.merged_into is not None:
        return f"now part of incident {line(incident.merged_into, 32)}"
    words = _come(incident)
    if incident.alert_lost and not is_over(incident):
        words += ", fallen silent"
    if incident.alarm.phase is AlarmPhase.TRANSFERRED and not is_over(incident):
        words += ", taken over by others"
    return words


def trust(incident: Incident) -> str:
    """Return how far it can be believed."""
    words = str(incident.confidence.value)
    return f"{words}, two systems agree" if incident.corroborated else words


def degrees_minutes(position: Position, *, mark: str = "°", tick: str = "'") -> str:
    """Return a place in degrees and hundredths of minutes, as charts have it."""
    lat = _sexagesimal(position.lat_deg, "NS", width=2, mark=mark, tick=tick)
    return f"{lat} {_sexagesimal(position.lon_deg, 'EW', width=3, mark=mark, tick=tick)}"


def from_station(incident: Incident) -> str | None:
    """Return how far and where from the station the casualty is, or None."""
    distance_m, bearing_deg = incident.station_distance_m, incident.station_bearing_deg
    if incident.position is None or distance_m is None or bearing_deg is None:
        return None
    if not (isfinite(distance_m) and isfinite(bearing_deg)):
        return None
    miles = distance_m / NM_M
    far = f"{miles:.1f}" if miles < 10 else f"{miles:.0f}"
    return f"{far} NM {POINTS[round(bearing_deg / 22.5) % 16]} of station"


def uncertainty_m(position: Position) -> float | None:
    """Return how far off the place may be by what its sender and its coding say, or None."""
    known = [
        value
        for value in (position.accuracy_m, position.resolution_m)
        if value is not None and isfinite(value) and value >= 0
    ]
    return max(known, default=None)


def placed(incident: Incident) -> tuple[tuple[Evidence, Position], ...]:
    """Return each piece of evidence that has a place, with it."""
    return tuple((piece, piece.position) for piece in incident.evidence if piece.position)


def stamp(utc: datetime) -> str:
    """Return a time of day to the second, in UTC, as a chronometer says it."""
    return utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sexagesimal(angle_deg: float, signs: str, *, width: int, mark: str, tick: str) -> str:
    # Rounded once, as a whole number of hundredths, so that no minute is ever written as 60.
    hundredths = round(abs(angle_deg) * 6000)
    whole, rest = divmod(hundredths, 6000)
    return f"{whole:0{width}}{mark}{rest / 100:05.2f}{tick}{signs[angle_deg < 0]}"
