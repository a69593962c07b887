"""A radio with DSC that takes calls by NMEA, keys its transmitter and logs what went on the air.

    python3 -m hardware.rig.dsc_radio --name 002191000        from the top of the tree

What it takes are DSC sentences of any talker but those of radios themselves (CD, CT, CV). In them
the second field says whom to call, and is empty for all ships; who calls is the radio's own MMSI,
its name (IEC 61162-1, notes to DSC). Each is one call: the log has the bytes of the sentence.

    say $CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E     tells the gateway of this call

The wire, the log and the other orders are those of bench.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hardware.rig.bench import Event, Sentences, main, sentence

FIELDS = 12
"""The address and eleven fields, of which the last may be left out."""
TELLS = (b"CD", b"CT", b"CV")
"""Talkers of radios: such a sentence tells of a call and orders none."""

# ITU-R M.493-15 tables A1-2 and A1-3, as the last two digits of each symbol.
FORMATS = {
    "02": "an area",
    "12": "everybody, in its own distress",
    "14": "group",
    "16": "all ships",
    "20": "station",
}
CATEGORIES = {"00": "routine", "06": "ship's business", "08": "safety", "10": "urgency"}
CATEGORIES |= {"12": "distress"}
FIRST = {"10": "acknowledgement of", "12": "relay of", "18": "test", "00": "F3E", "09": "J3E"}


class DscRadio:
    """A radio that calls what it is given."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sentences = Sentences()

    def take(self, data: bytes) -> Iterator[Event]:
        """Yield each call that is made, and what is none."""
        for text, fault in self._sentences.cut(data):
            fields = text[1:].split(b"*")[0].decode("ascii", "replace").split(",")
            why = fault or _no_order(text, fields)
            if why:
                yield Event("bad", text, why)
            else:
                yield Event("air", text, f"{self.name} {_meant(fields)}")

    def heard(self, text: str) -> bytes:
        """Return the sentence that tells of a call."""
        return sentence(text)

    def order(self, word: str, rest: str) -> str | None:
        """Have no orders of its own."""
        del word, rest


def _no_order(text: bytes, fields: list[str]) -> str:
    if not text.startswith(b"$") or fields[0][2:] != "DSC":
        return "no DSC sentence"
    if text[1:3] in TELLS:
        return "it tells of a call and orders none"
    if len(fields) not in (FIELDS, FIELDS - 1) or fields[1] not in FORMATS:
        return "no call can be made of it"
    return ""


def _meant(fields: list[str]) -> str:
    """Say a call in words."""
    kind, to, category, first, _, _, _, casualty, nature = fields[1:10]
    whom = f"{FORMATS[kind]} {to[:9]}".rstrip()
    said = f"to {whom}: {CATEGORIES.get(category, category)}, {FIRST.get(first, first)}"
    return f"{said} {casualty[:9]}, nature {nature}" if casualty else said


if __name__ == "__main__":
    sys.exit(main(__doc__, "002191000", DscRadio, sys.argv[1:]))
