"""What an officer says by voice: the forms of distress traffic, spelled as they are spoken. Pure.

47 CFR 80.1117 (acknowledgement), 80.1121 (relay), 80.325 (silence), 80.335 (cancelling); PAN PAN
three times for urgency (Radio Regulations 33). Words of silence are those of the agreement.
"""

from __future__ import annotations

from datetime import datetime

from gateway.model.incident import Incident
from gateway.model.place import Position
from gateway.model.plan import Own

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "niner")
TIMES = 3
"""Names are said so often: the first time nobody listens."""


def received(casualty: str | None, own: Own) -> tuple[str, ...]:
    """Return how a distress call is acknowledged by voice."""
    return (
        "MAYDAY",
        *_thrice(_caller(casualty)),
        "THIS IS",
        *_thrice(_own(own)),
        "RECEIVED MAYDAY",
    )


def relayed(incident: Incident, casualty: str | None, own: Own) -> tuple[str, ...]:
    """Return how somebody's distress is passed on by voice."""
    return (
        *_thrice("MAYDAY RELAY"),
        "THIS IS",
        *_thrice(_own(own)),
        f"FOLLOWING RECEIVED FROM {_caller(casualty)} AT {_hour(incident.opened_utc)}",
        *_facts(incident),
        "OVER",
    )


def silence(words: str, own: Own, *, casualty: str | None = None) -> tuple[str, ...]:
    """Return how silence is imposed, restricted or lifted; then it says whose distress it was."""
    whose = () if casualty is None else (f"MMSI {spelled(casualty)}",)
    return ("MAYDAY", *_thrice("ALL STATIONS"), "THIS IS", *_thrice(_own(own)), *whose, words)


def cancelled(incident: Incident, own: Own) -> tuple[str, ...]:
    """Return how this station takes its own alert back by voice."""
    return (
        *_thrice("ALL STATIONS"),
        "THIS IS",
        *_thrice(_own(own)),
        f"MMSI {spelled(own.mmsi)}",
        f"POSITION {_place(incident.position)}",
        f"CANCEL MY DISTRESS ALERT OF {_hour(incident.opened_utc)}",
        "OVER",
    )


def urgent(incident: Incident, caller: str | None, own: Own) -> tuple[str, ...]:
    """Return how somebody's urgency is passed on by voice, where it is asked for."""
    return (
        *_thrice("PAN PAN"),
        *_thrice("ALL STATIONS"),
        "THIS IS",
        *_thrice(_own(own)),
        f"FOLLOWING RECEIVED FROM {_caller(caller)}",
        f"POSITION {_place(incident.position)}",
        "OVER",
    )


def told(incident: Incident, casualty: str | None) -> tuple[str, ...]:
    """Return what the rescue centre is told, by telephone."""
    return (
        f"DISTRESS OF {_caller(casualty)}",
        f"HEARD AT {_hour(incident.opened_utc)} BY {', '.join(incident.systems) or 'not known'}",
        *_facts(incident),
    )


def spelled(digits: str | None) -> str:
    """Return digits as they are spoken, one by one; what is none of them stays."""
    return " ".join(
        _DIGITS[int(one)] if one.isascii() and one.isdigit() else one for one in digits or ""
    )


def _facts(incident: Incident) -> tuple[str, ...]:
    """Return position, nature and persons, and say of each that it is not known."""
    natures = ", ".join(nature.replace("_", " ") for nature in incident.natures)
    persons = incident.persons_on_board
    return (
        f"POSITION {_place(incident.position)}",
        f"NATURE OF DISTRESS {natures or 'not known'}",
        f"PERSONS ON BOARD {'not known' if persons is None else persons}",
    )


def _place(position: Position | None) -> str:
    if position is None:
        return "not known"
    lat = _minutes(position.lat_deg, 2, ("north", "south"))
    return f"{lat}, {_minutes(position.lon_deg, 3, ('east', 'west'))}"


def _minutes(degrees: float, width: int, names: tuple[str, str]) -> str:
    """Return degrees and minutes to the tenth, digit by digit."""
    tenths = round(abs(degrees) * 600)
    whole, rest = divmod(tenths, 600)
    minutes = f"{rest // 10:02d} decimal {rest % 10}"
    words = " ".join(
        spelled(part) if part.isdigit() else part for part in f"{whole:0{width}d} degrees".split()
    )
    said = " ".join(spelled(part) if part.isdigit() else part for part in minutes.split())
    return f"{words} {said} minutes {names[degrees < 0]}"


def _hour(utc: datetime | None) -> str:
    return "A TIME NOT KNOWN" if utc is None else f"{spelled(f'{utc:%H%M}')} UTC"


def _caller(mmsi: str | None) -> str:
    return "A STATION NOT KNOWN" if mmsi is None else f"MMSI {spelled(mmsi)}"


def _own(own: Own) -> str:
    if own.callsign is not None:
        return own.callsign
    return f"MMSI {spelled(own.mmsi)}" if own.mmsi else "this station"


def _thrice(words: str) -> tuple[str, ...]:
    return (", ".join([words] * TIMES),)
