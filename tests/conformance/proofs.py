"""Where a row's own value is wrong by the standard: proofs that ask nothing of the gateway.

A proof holds a value of the row against the bits of the same row, and needs three things at once:

1. read as the standard has it, the bits say what the gateway says;
2. they do not say what the row says;
3. one misreading, named by the rule, makes exactly the row's value of the same bits.

What the bits of 406 MHz beacons say is T.001 read afresh, by other code than the gateway's. Where
another decoder of the same row is asked, its word is the second reading.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.rows import Proven

Place = tuple[float, float]
Bits = Callable[[int, int], int]

DEGREES = 1e-9

SOURCE_RULE = (
    "T.001 A3.3.4 has whose position it is in bit 107 of a user-location protocol;"
    " the other decoder takes bit 111, a bit of the latitude"
)
OFFSET_RULE = (
    "T.001 A3.3.7 has four bits for the minutes and four for the seconds of an offset;"
    " the other decoder drops the last of each"
)
COARSE_RULE = (
    "T.001 A3.3.8 has offsets in bits 115 to 132 of an ELT(DT); the other decoder leaves them out"
)
REPLY_RULE = (
    "APRS 1.1 ends the number that is answered at a brace, behind which another may stand;"
    " the other decoder takes the brace along, and a third one does not"
)
EMPTY_RULE = (
    "APRS 1.1: nothing behind the brace acknowledges nothing;"
    " the other decoder tells an empty number, and a third one none"
)

_NO_PLACE_OF_THEIRS = (0b000, 0b100, 0b111)
"""Orbitography, national and test: user protocols that are no user-location protocols."""
_RLS, _ELT_DT = 0b1101, 0b1001
_ROTATING = 0b00_000
"""Bits 113 to 117 of an ELT(DT) that has an operator's letters in place of the offset."""


def judged(text: str, rule: str | None) -> str:
    """Return the disagreement, marked as the other decoder's fault where a rule proves it."""
    return text if rule is None else Proven(text, rule)


# ---- 406 MHz beacons ----------------------------------------------------------------------------


def of_source(row: dict, wanted: object, actual: object) -> str | None:
    """Return the rule by which a row has the source of a position from a bit of the latitude."""
    bits = _proven_bits(row)
    if bits is None or bits(25, 26) != 0b11 or bits(37, 39) in _NO_PLACE_OF_THEIRS:
        return None
    right, misread = _source(bits(107, 107)), _source(bits(111, 111))
    return SOURCE_RULE if (right, misread) == (actual, wanted) and right != misread else None


def _source(bit: int) -> str:
    return "INTERNAL" if bit else "EXTERNAL"


def of_place(row: dict, wanted: Place | None, actual: Place | None) -> str | None:
    """Return the rule by which a row has the offset of a position wrong, or not at all."""
    bits = _proven_bits(row)
    if bits is None or wanted is None or actual is None or bits(25, 26) != 0b10:
        return None
    protocol = bits(37, 40)
    if protocol not in (_RLS, _ELT_DT):
        return None
    if protocol == _ELT_DT and bits(113, 117) == _ROTATING:
        return None
    rule, dropped = (OFFSET_RULE, 1) if protocol == _RLS else (COARSE_RULE, 4)
    right, misread = _offset_place(bits), _offset_place(bits, dropped=dropped)
    proven = near(right, actual) and near(misread, wanted) and not near(right, wanted)
    return rule if proven else None


def _offset_place(bits: Bits, *, dropped: int = 0) -> Place:
    """Return the place in half degrees and an offset, so many bits of whose parts are dropped."""
    lat, lon = (
        (-1 if bits(coarse, coarse) else 1)
        * (bits(coarse + 1, last) / 2 + (1 if bits(sign, sign) else -1) * size / 3600)
        for coarse, last, sign, size in (
            (67, 75, 115, _offset_s(bits, 116, dropped)),
            (76, 85, 124, _offset_s(bits, 125, dropped)),
        )
    )
    return lat, lon


def _offset_s(bits: Bits, first: int, dropped: int) -> int:
    minutes, fours = bits(first, first + 3) >> dropped, bits(first + 4, first + 7) >> dropped
    return 60 * minutes + 4 * fours


def _proven_bits(row: dict) -> Bits | None:
    """Return the bits from 25 on of a long message both of whose fields the row has proven."""
    digits, check = row["input_hex"], row.get("cross_check", {})
    if len(digits) != 30 or not (check.get("bch1_ok") and check.get("bch2_ok")):
        return None
    text = f"{int(digits, 16):0120b}"
    return lambda first, last: int(text[first - 25 : last - 24], 2)


def near(one: Place, other: Place) -> bool:
    """Say whether both are the same place, but for how a computer adds."""
    return all(abs(a - b) < DEGREES for a, b in zip(one, other, strict=True))


# ---- APRS ---------------------------------------------------------------------------------------


def of_answer(row: dict, name: str, wanted: object, actual: object) -> str | None:
    """Return the rule by which a row has the number that a message answers wrong."""
    third, content = row.get("aprslib") or {}, row["input"].split("::", 1)[-1][10:]
    if name == "acknowledges" and wanted == "" and actual is None:
        empty = "{" in content and content.endswith("}")
        return EMPTY_RULE if empty and third and "ackMsgNo" not in third else None
    word = {"acknowledges": "ack", "rejects": "rej"}.get(name)
    agreed = actual is not None and (third.get("response"), third.get("msgNo")) == (word, actual)
    with_brace = wanted == f"{actual}}}" and content == f"{word}{wanted}"
    return REPLY_RULE if agreed and with_brace else None
