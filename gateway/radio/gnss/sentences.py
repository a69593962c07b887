"""The forms of the sentences: every field by name and pattern, in the order of IEC 61162-1 ed. 4.

A table and the one rule that holds a sentence to it. Nothing here knows what a field means.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ADDRESS = re.compile(r"[A-OQ-Z][A-Z0-9](RMC|GGA|GLL|GNS|ZDA)")
"""A talker never begins with P: that marks a maker's own sentence (IEC 61162-1, address field)."""

MODES = "ADPRFEMSNV"
"""Positioning system mode indicator: all letters of RMC, GLL and GNS, and V, see GLL below."""


class Field(NamedTuple):
    """One field: what a refusal calls it, and the form it must have unless it is empty."""

    name: str
    form: re.Pattern[str]


class Sentence(NamedTuple):
    """The fields of one sentence, in the order in which they are sent."""

    fields: tuple[Field, ...]
    fewest: int
    """Fields sent by the oldest version of the standard that is still at sea."""


def wrong(form: Sentence, fields: list[str]) -> str | None:
    """Return what breaks the form of the sentence, or None."""
    if not form.fewest <= len(fields) <= len(form.fields):
        return f"{len(fields)} fields, not {form.fewest} to {len(form.fields)}"
    for number, (field, text) in enumerate(zip(form.fields, fields, strict=False), start=1):
        if not field.form.fullmatch(text):
            return f"{field.name} (field {number}) is not of the form that belongs there"
    return None


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{pattern})?")


_NUMBER = r"\d{1,7}(?:\.\d{0,9})?"
_TIME = Field("time", _form(r"(?:(?:[01]\d|2[0-3])[0-5]\d[0-5]\d|235960)(?:\.\d{0,9})?"))
_STATUS = Field("status", _form("[AV]"))
_PLACE = (
    Field("latitude", _form(r"[0-8]\d[0-5]\d(?:\.\d{0,12})?|9000(?:\.0{0,12})?")),
    Field("north or south", _form("[NS]")),
    Field("longitude", _form(r"(?:0\d|1[0-7])\d[0-5]\d(?:\.\d{0,12})?|18000(?:\.0{0,12})?")),
    Field("east or west", _form("[EW]")),
)
_MODE = Field("mode", _form(f"[{MODES}]"))
# S C U V; public test data of version 4.1 repeat the mode here, so its letters pass as well.
_NAV_STATUS = Field("navigational status", _form(f"[{MODES}CU]"))
_SATELLITES = Field("satellites", _form(r"\d{1,2}"))
_HDOP = Field("dilution of precision", _form(_NUMBER))
_ALTITUDE = Field("altitude", _form(f"-?{_NUMBER}"))
_SEPARATION = Field("geoidal separation", _form(f"-?{_NUMBER}"))
_METRES = Field("unit", _form("M"))
_AGE = Field("age of corrections", _form(_NUMBER))
_REFERENCE = Field("reference station", _form(r"\d{1,4}"))

SENTENCES = {
    "RMC": Sentence(
        (
            _TIME,
            _STATUS,
            *_PLACE,
            Field("speed", _form(_NUMBER)),
            Field("course", _form(_NUMBER)),
            Field("date", _form(r"\d{6}")),
            Field("magnetic variation", _form(_NUMBER)),
            # E or W; a Saab R4 leaves the side out and sends the mode in its place.
            Field("side of the variation", _form(f"[EW{MODES}]")),
            _MODE,
            _NAV_STATUS,
        ),
        fewest=11,
    ),
    "GGA": Sentence(
        (
            _TIME,
            *_PLACE,
            Field("quality", _form("[0-8]")),
            _SATELLITES,
            _HDOP,
            _ALTITUDE,
            _METRES,
            _SEPARATION,
            _METRES,
            _AGE,
            _REFERENCE,
            # Not in the standard; a SiRF TriG of 2015 sends a number here, others a mode.
            Field("surplus field", _form(f"{_NUMBER}|[{MODES}]")),
        ),
        fewest=13,
    ),
    "GLL": Sentence(
        (
            *_PLACE,
            _TIME,
            # A or V; a Magellan eXplorist 110 without a fix sends `N,V` for `V,N`.
            Field("status", _form("[AVN]")),
            _MODE,
        ),
        fewest=6,
    ),
    "GNS": Sentence(
        (
            _TIME,
            *_PLACE,
            # A letter for each satellite system, six of them by now.
            Field("mode", _form(f"[{MODES}]{{1,8}}")),
            _SATELLITES,
            _HDOP,
            _ALTITUDE,
            _SEPARATION,
            _AGE,
            _REFERENCE,
            _NAV_STATUS,
        ),
        fewest=12,
    ),
    "ZDA": Sentence(
        (
            _TIME,
            Field("day", _form(r"\d\d")),
            Field("month", _form(r"\d\d")),
            Field("year", _form(r"\d{4}")),
            # The standard stops at 13 h; Kiribati keeps 14.
            Field("hours of the zone", _form(r"[+-]?(?:0\d|1[0-4])")),
            Field("minutes of the zone", _form(r"[+-]?[0-5]\d")),
        ),
        fewest=4,
    ),
}
"""IEC 61162-1 ed. 4, section 8.3, one entry a sentence; every field may be empty."""
