"""First-generation beacons: C/S T.001 issue 4.

    bits  1-15  16-24  25  26  27-36  37-40     41-85      86-106  107-112  107-132  133-144
          1     sync   F   P   MID    protocol  identity,  BCH-1   short:   long:    BCH-2
                                                coarse             user's   PDF-2
                                                position

    F  format: 1 long      P  0 location, 1 user protocol (whose code is bits 37 to 39)

PDF-1 is bits 25 to 85, proven by BCH-1 (three errors put right). PDF-2 is bits 107 to 132, proven
by BCH-2 (two errors put right). A PDF-2 that is not proven says nothing, and neither does one that
is all 0 or all 1 from bit 113: ground stations blank it so.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.bch import BCH_38_26, BCH_82_61
from gateway.codes.bits import Bits, joined
from gateway.radio.cospas_sarsat import tables
from gateway.radio.cospas_sarsat.fgb_identity import identity_of
from gateway.radio.cospas_sarsat.fgb_place import DEFAULTS, is_cancel, place_of
from gateway.radio.cospas_sarsat.forms import Burst, Illegible
from gateway.radio.cospas_sarsat.words import BeaconDetail, Proof

LONG = 144
BLANK = (1 << 32) - 1
"""Bits 113 to 144: what a ground station fills up when it has heard only a short message."""

TESTS = ("user_test", "standard_test", "national_test")


class _Fields(Struct, frozen=True):
    """The two protected fields, their errors put right."""

    first: Bits
    """25 to 85."""
    second: Bits | None
    """107 to 132, of a short message 107 to 112; None when nothing proves it, or it is blank."""
    proof: Proof
    sent_hex: str


def read_first(message: Burst) -> BeaconDetail | Illegible:
    """Return what a first-generation message, or its identity alone, says."""
    if message.is_identity:
        return _detail(message, _Fields(message.bits, None, Proof(), ""))
    fields = _proven(message)
    if fields is None:
        return Illegible("its first protected field has more errors than can be put right")
    can_be = message.alone and _can_be(fields.first, message.bits.last)
    if fields.proof.corrected_1 and not can_be:
        return Illegible("with errors put right it would be no message that a beacon sends")
    return _detail(message, fields)


def _proven(message: Burst) -> _Fields | None:
    """Return the protected fields; None when not even the first is proven."""
    bits = message.bits
    right = BCH_82_61.put_right(bits(25, 106))
    if right is None:
        return None
    word, corrected = right
    first = Bits(word >> BCH_82_61.checks, first=25, last=85)
    proof = Proof(synchronised=message.synchronised, corrected_1=corrected)
    if not first(25):
        behind = bits(107, 112)
        second = Bits(behind, first=107, last=112)
        return _Fields(first, second, proof, f"{word << 6 | behind:022X}")
    if bits.last < LONG:
        return _Fields(first, None, replace(proof, damaged_2=True), f"{word << 6:022X}")
    behind = bits(107, 144)
    sent_hex = f"{word << 38 | behind:030X}"
    if behind & BLANK in (0, BLANK):
        return _Fields(first, None, proof, sent_hex)
    right = BCH_38_26.put_right(behind)
    if right is None:
        return _Fields(first, None, replace(proof, damaged_2=True), sent_hex)
    behind, corrected = right
    second = Bits(behind >> BCH_38_26.checks, first=107, last=132)
    proof = replace(proof, corrected_2=corrected)
    return _Fields(first, second, proof, f"{word << 38 | behind:030X}")


def _can_be(first: Bits, last: int) -> bool:
    """Say whether a beacon sends such a thing: noise, or a piece of something else, seldom is one.

    One that says it is long is long, a short one has a user protocol; there are no other countries.
    """
    fits = last == LONG if first(25) else bool(first(26))
    return fits and tables.COUNTRY_MIN <= first(27, 36) <= tables.COUNTRY_MAX


def _detail(message: Burst, fields: _Fields) -> BeaconDetail:
    first, second = fields.first, fields.second
    is_user = bool(first(26))
    code = first(37, 39) if is_user else first(37, 40)
    name, beacon = (
        (tables.USER[code], None)
        if is_user
        else tables.LOCATION.get(code, (f"location_{code:04b}", None))
    )
    is_long = not message.is_identity and bool(first(25))
    cancel = not is_user and code == tables.ELT_DT and is_cancel(first, second)
    said: dict[str, Any] = {"beacon": beacon, "odd": ()}
    parts = [*identity_of(first, None if cancel else second, is_long=is_long)]
    if not message.is_identity and not cancel:
        parts.append(place_of(first, second, is_long=is_long))
    for more in parts:
        said["odd"] += more.pop("odd", ())
        said |= more
    return BeaconDetail(
        generation=1,
        form="identity" if message.is_identity else "message",
        long=is_long,
        protocol=name,
        hex_id=hex_id_of(first),
        country=f"{first(27, 36):03}",
        self_test=message.self_test,
        test=said.pop("test", False) or name in TESTS,
        cancel=cancel,
        covert=name == "ship_security",
        sent_hex=fields.sent_hex or None,
        proof=fields.proof,
        **said,
    )


def hex_id_of(first: Bits) -> str:
    """Return the 15 digits by which a beacon is known: bits 26 to 85, the position at default."""
    begin, default = 86, 0
    if not first(26):
        begin, default = DEFAULTS.get(first(37, 40), (86, 0))
    kept = first(26, begin - 1)
    return f"{joined((kept, begin - 26), (default, 86 - begin)):015X}"
