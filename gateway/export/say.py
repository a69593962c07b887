"""The incident in one line: what, who, where, how sure, how it stands.

    MAYDAY sinking, MMSI 244 123 456 NAME, 52°22.50'N 004°54.12'E, 12 NM NE of station, heard
    on DSC, AIS; not acknowledged

A test and an exercise are said before anything else. What doesn't fit is left out, the least needed
first: never what it is, whether it is meant, and how it stands.
"""

from __future__ import annotations

from gateway.export import wording
from gateway.model.incident import Incident
from gateway.model.words import Confidence

SAY_CHARACTERS_MAX = 199
"""A line of a pager, and what a speaker says in a quarter of a minute."""


def say(incident: Incident) -> str:
    """Return the incident as one line of fewer than 200 characters."""
    head = wording.what(incident)
    if incident.covert:
        head = f"COVERT, do not answer: {head}"
    mark = wording.watermark(incident)
    if mark is not None:
        head = f"{mark}: {head}"
    tail = f"; {wording.stands(incident)}"
    parts = _parts(incident)
    while parts and len(_joined(head, parts)) + len(tail) > SAY_CHARACTERS_MAX:
        worst = max(parts, key=lambda part: part[0])
        parts.remove(worst)
    return _joined(head, parts) + tail


def _parts(incident: Incident) -> list[tuple[int, str]]:
    """Return the parts in spoken order, each with its rank: the highest goes first."""
    found = [(1, wording.line(wording.who(incident), wording.WHO_CHARACTERS_MAX))]
    if incident.position is None:
        found.append((2, "position unknown"))
    else:
        found.append((2, wording.degrees_minutes(incident.position)))
    near = wording.from_station(incident)
    if near is not None:
        found.append((5, near))
    if incident.persons_on_board is not None:
        found.append((4, f"{incident.persons_on_board} on board"))
    heard = wording.first_heard_on(incident)
    if heard:
        found.append((6, f"heard on {heard}"))
    if incident.confidence is not Confidence.VERIFIED:
        found.append((3, incident.confidence.value))
    return found


def _joined(head: str, parts: list[tuple[int, str]]) -> str:
    return ", ".join([head, *(text for _, text in parts)])
