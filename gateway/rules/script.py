"""What an officer says by voice: the forms of distress traffic, spelled as they are spoken. Pure.

47 CFR 80.1117 (acknowledgement), 80.1121 and 80.327 (relay).
"""

from __future__ import annotations

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
        *_thrice(f"MMSI {spelled(casualty)}" if casualty else "station in distress"),
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
        f"FOLLOWING RECEIVED FROM MMSI {spelled(casualty)}"
        if casualty
        else "FOLLOWING RECEIVED FROM A STATION IN DISTRESS",
        *_facts(incident),
        "OVER",
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


def _own(own: Own) -> str:
    if own.callsign is not None:
        return own.callsign
    return f"MMSI {spelled(own.mmsi)}" if own.mmsi else "this station"


def _thrice(words: str) -> tuple[str, ...]:
    return (", ".join([words] * TIMES),)
