"""What was explained, as a test vector: ready for tests/vectors, or for the report of a bug."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from gateway.model.inbound import Report
from gateway.verbs.walk import Walk

_SAID = (
    "system",
    "kind",
    "urgency",
    "mode",
    "sender",
    "casualty",
    "addressee",
    "nature",
    "position",
    "velocity",
    "persons_on_board",
    "text",
    "claimed_utc",
    "confidence",
)
"""What a report means; the rest of it is when, where and how it was heard."""


def vector(walk: Walk) -> Iterator[str]:
    """Yield the lines of the vector: what went in, and what came out as it is now."""
    reports = [ruling.sighting.report for ruling in walk.rulings]
    radios = sorted({report.system for report in reports}) or list(walk.profile.radio)
    yield f"# A test vector, for tests/vectors/{radios[0]}.toml. Correct what is wrong in it."
    yield "[[vector]]"
    yield f"name = {_toml(_name(reports))}"
    yield 'source = "observed on <radio, place, date>"'
    if walk.profile.framing != "nmea":
        yield f'framing = "{walk.profile.framing}"'
    if walk.wire.end:
        yield f"wire = [{', '.join(_wire(line) for line in walk.wire.pieces)}]"
    else:
        wires = (f"'{piece.hex(' ').upper()}'" for piece in walk.wire.pieces)
        yield f"wire_hex = [{', '.join(wires)}]"
    refused = walk.refused
    if refused:
        yield f"refused = {refused}"
    if not reports:
        yield "reports = []"
        return
    yield "reports = ["
    for report in reports:
        yield f"    {_toml(_said(report))},"
    yield "]"


def _name(reports: list[Report]) -> str:
    if not reports:
        return "refused"
    last = reports[-1]
    words = [last.urgency, last.kind, *([last.nature] if last.nature else [])]
    return "-".join(words).replace("_", "-")


def _said(report: Report) -> dict[str, object]:
    whole = msgspec.to_builtins(report)
    return {key: whole[key] for key in _SAID if key in whole}


def _wire(line: bytes) -> str:
    """Return the sentence as a TOML text; the test sends each character of it as one byte."""
    text = line.decode("latin-1")
    if text.isascii() and text.isprintable() and "'" not in text:
        return f"'{text}'"
    return '"' + "".join(_unicode_escaped(character) for character in text) + '"'


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(_toml(part) for part in value) + "]"
        case int() | float():
            return str(value)
        case _:
            return '"' + "".join(_unicode_escaped(character) for character in str(value)) + '"'


def _unicode_escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"
