"""The incident as a telex to a rescue coordination centre, in the style of SIT 185.

SIT 185 is the form in which Cospas-Sarsat mission control centres tell of beacons (C/S A.002). This
one is made by a radio station: it has the paragraphs in that order, says NIL where only satellites
could know, and says in its head that it claims no conformance. 69 columns and the characters
of ITA2, so that every telex and NBDP printer takes it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import wrap

from gateway.export import wording
from gateway.model.incident import Incident, Phase
from gateway.model.place import Position
from gateway.model.words import Mode, Urgency

COLUMNS = 69
"""The width of a telex page."""
TEXT_CHARACTERS_MAX = 240
"""Of a text of others: some four lines."""
ENTRIES_MAX = 8
"""Places, doubts, texts and names that are printed; how many there are in all is said."""

ITA2 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -?:().,'=/+")
"""The characters of International Telegraph Alphabet No. 2 that print alike (ITU-T S.1)."""

HEAD = "SIT 185 STYLE FROM A RADIO STATION, NO CONFORMANCE CLAIMED"
END = "END OF MESSAGE"

_INSTEAD = str.maketrans(
    {'"': "'", ";": ",", "_": "-", "!": ".", "[": "(", "]": ")", "{": "(", "}": ")", "°": " "}
)


def sitrep(incident: Incident, now_utc: datetime) -> str:
    """Return the telex, its lines ended by CR LF."""
    lines: list[str] = []
    for number, paragraph in enumerate(_paragraphs(incident, now_utc), 1):
        lines.extend(_set(f"{number}. ", paragraph))
    mark = wording.watermark(incident)
    if mark is not None:
        thrice = f"{mark} {mark} {mark}"
        return "\r\n".join([thrice, "NOT A REAL CALL FOR HELP", HEAD, *lines, thrice, END, ""])
    return "\r\n".join([HEAD, *lines, END, ""])


def _set(label: str, entries: list[str]) -> list[str]:
    """Return entries broken into lines: the first after its label, all within the columns."""
    indent = " " * len(label)
    lines: list[str] = []
    for entry in entries:
        first = indent if lines else label
        broken = wrap(_ita2(entry), COLUMNS, initial_indent=first, subsequent_indent=indent)
        lines.extend(broken)
    return lines


def _ita2(text: str) -> str:
    """Return text in the alphabet: letters without their marks, and ? for what it hasn't."""
    decomposed = unicodedata.normalize("NFKD", text.upper().translate(_INSTEAD))
    plain = (char for char in decomposed if not unicodedata.combining(char))
    return "".join(char if char in ITA2 else "?" for char in plain)


# ---- The paragraphs -----------------------------------------------------------------------------


def _paragraphs(incident: Incident, now_utc: datetime) -> Iterator[list[str]]:
    """Yield the sixteen paragraphs in the order of SIT 185, each as its entries."""
    names = _names(incident)
    yield [_title(incident)]
    yield [f"MSG NO {incident.revision:05} STATION REF {wording.line(incident.incident_id, 32)}"]
    yield [f"DETECTED AT {_moment(incident.opened_utc)} BY {wording.line(incident.station, 40)}"]
    yield [f"DETECTION SYSTEMS {wording.heard_on(incident) or 'NIL'}"]
    yield [f"COUNTRY {_country(incident)}"]
    yield ["USER IDENTITY", *(names or ["NIL"])]
    natures = ", ".join(wording.NATURES[nature] for nature in incident.natures[:ENTRIES_MAX])
    yield [f"EMERGENCY {natures or 'NIL'}"]
    yield ["POSITIONS", "RESOLVED NIL", *_positions(incident)]
    yield [f"POSITION PROVIDED BY {_source(incident.position)}"]
    yield ["NEXT PASS NIL, NO SATELLITE STATION"]
    beacons = [name for name in names if name.startswith("BEACON")]
    yield [f"HEX ID {', '.join(beacons) or 'NIL'} HOMING NIL"]
    yield ["ACTIVATION TYPE NIL"]
    yield ["BEACON NUMBER NIL"]
    yield ["OTHER INFORMATION RECEIVED", *_other(incident)]
    yield ["OPERATIONAL INFORMATION", *_operational(incident)]
    yield [f"REMARKS MADE {_moment(now_utc)} FROM INCIDENT REVISION {incident.revision}"]


def _title(incident: Incident) -> str:
    word = "COVERT ALERT, DO NOT CALL THE CRAFT. " if incident.covert else ""
    if incident.mode is not Mode.REAL:
        word = f"{incident.mode.name} {word}"
    call = incident.severity.value if incident.severity is Urgency.DISTRESS else "OTHER"
    return f"{word}{call} {wording.CALLS[incident.severity]} {_kind(incident)}"


def _kind(incident: Incident) -> str:
    if incident.phase in {Phase.CANCELLED, Phase.AWAITING_CONFIRMATION}:
        return "USER CANCELLATION"
    if wording.is_over(incident):
        return "CLOSED"
    return "INITIAL ALERT" if incident.revision == 1 else "UPDATE"


def _country(incident: Incident) -> str:
    mmsis = [name.removeprefix("mmsi:") for name in incident.names if name.startswith("mmsi:")]
    ships = [mmsi for mmsi in mmsis if mmsi[:1] in tuple("234567")]
    return f"MID {ships[0][:3]}" if ships else "NIL"


def _names(incident: Incident) -> list[str]:
    found = [wording.named(name).upper() for name in incident.names[:ENTRIES_MAX]]
    name = wording.called(incident)
    if name is not None:
        found.append(f"NAME {name}")
    return found


def _positions(incident: Incident) -> Iterator[str]:
    if incident.position is None:
        yield "NOT KNOWN"
    else:
        yield f"CASUALTY {_place(incident.position)} {_moment(incident.position_utc)}"
    placed = wording.placed(incident)
    for evidence, position in placed[:ENTRIES_MAX]:
        system = wording.SYSTEMS.get(evidence.system, wording.line(evidence.system, 16))
        yield f"{system} {_place(position)} {_moment(evidence.last_utc)}"
    if len(placed) > ENTRIES_MAX:
        yield f"AND {len(placed) - ENTRIES_MAX} MORE"
    near = wording.from_station(incident)
    if near is not None:
        yield near


def _place(position: Position) -> str:
    radius_m = wording.uncertainty_m(position)
    within = "ACCURACY NOT STATED" if radius_m is None else f"WITHIN {radius_m / 1852:.2f} NM"
    return f"{wording.degrees_minutes(position, mark=' ', tick='')} {within}"


def _source(position: Position | None) -> str:
    if position is None or position.source is None:
        return "NIL"
    return wording.line(position.source, 40)


def _other(incident: Incident) -> Iterator[str]:
    persons = incident.persons_on_board
    yield f"PERSONS ON BOARD {'NOT KNOWN' if persons is None else persons}"
    texts = [piece.text for piece in incident.evidence if piece.text]
    for text in texts[:ENTRIES_MAX]:
        yield f"TEXT {wording.line(text, TEXT_CHARACTERS_MAX)}"


def _operational(incident: Incident) -> Iterator[str]:
    yield f"STATE {wording.stands(incident)}"
    yield f"CONFIDENCE {wording.trust(incident)}"
    for doubt in incident.doubts[:ENTRIES_MAX]:
        yield f"DOUBT {wording.line(doubt, TEXT_CHARACTERS_MAX)}"
    for verb, stations in (
        ("ACKNOWLEDGED", incident.acknowledged_by),
        ("RELAYED", incident.relayed_by),
    ):
        for station in stations[:ENTRIES_MAX]:
            yield f"{verb} BY {wording.station(station)}"
    yield f"PIECES OF EVIDENCE {len(incident.evidence) + incident.evidence_more}"


def _moment(utc: datetime | None) -> str:
    return "TIME NOT KNOWN" if utc is None else f"{utc.astimezone(UTC):%d %b %Y %H%M} UTC"
