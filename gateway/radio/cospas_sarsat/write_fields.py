"""Fields of a beacon's message to be written: each a value and how many bits it is given."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.codes.baudot import baudot_row
from gateway.radio.cospas_sarsat.words import BeaconDetail

Field = tuple[int, int]
Fields = tuple[Field, ...]


class CodingError(ValueError):
    """A field has no room for what is to stand in it."""

    def __init__(self, *, field: str, value: object) -> None:
        super().__init__(f"{field}: {value!r}")
        self.field = field
        self.value = value


def number(said: BeaconDetail, field: str, width: int) -> Field:
    """Return a number that the detail holds under this name; 0 when it holds none."""
    value = getattr(said, field)
    found = int(value or 0)
    if found < 0 or found >> width:
        raise CodingError(field=field, value=value)
    return found, width


def one_of(said: BeaconDetail, field: str, codes: Mapping[str, int]) -> int:
    """Return the code of the word that the detail holds under this name."""
    word = getattr(said, field)
    if word not in codes:
        raise CodingError(field=field, value=word)
    return codes[word]


def digits_of(text: str, count: int, *, bits: int = 6) -> Field:
    """Return the field of so many characters."""
    if len(text) != count:
        raise CodingError(field="text", value=text)
    try:
        return baudot_row(text, bits=bits), count * bits
    except KeyError:
        raise CodingError(field="text", value=text) from None


def country_of(said: BeaconDetail) -> int:
    """Return the maritime identification digits as a number."""
    if not said.country.isdigit() or int(said.country) >> 10:
        raise CodingError(field="country", value=said.country)
    return int(said.country)


def six_of(said: BeaconDetail) -> str:
    """Return the last six digits of the MMSI; its first three are the country's."""
    mmsi = said.mmsi or f"{country_of(said):03}000000"
    if len(mmsi) != 9 or not mmsi.isdigit() or int(mmsi[:3]) != country_of(said):
        raise CodingError(field="mmsi", value=said.mmsi)
    return mmsi[3:]
