r"""From what a receiver prints to the bits that the beacon sent.

Receivers print hexadecimal digits, in groups or in one row, alone on a line or behind a label; or
they frame the same bytes. How many digits there are says what they are:

    digits  bytes  what
    36      18     first generation, bits 1 to 144: with synchronisation
    30      15     first generation, bits 25 to 144
    28      14     first generation, short: bits 1 to 112
    22      11     first generation, short: bits 25 to 112
    63      32     second generation, two bits 00 (self-test: 10) and bits 1 to 250
    51             the same up to bit 202, without check digits; only behind a label `GSR`
    15             identity, first generation: bits 26 to 85, positions at default; only behind `ID`
    23             identity, second generation; only behind `ID`

What proves nothing by itself needs its label: a message that was cut short must not be taken for an
identity. A row of digits of any other length may be the remains of a message, and of a distress.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.bits import Bits
from gateway.radio.cospas_sarsat.tables import SYNC_NORMAL, SYNC_SELF_TEST

_FIRST_BIT = 25
_LONG, _SHORT = 144, 112
_LINE_BYTES_MAX = 256
"""Beyond this no receiver prints a message."""
_GROUP_DIGITS = range(4, 11)
"""A row may be printed in groups of so many, a blank between two; the last group may be shorter."""
_REMAINS_DIGITS_MIN = 11
"""Half of the shortest message: from here on a row may be the remains of one."""
_DECIMAL_DIGITS_MIN = 20
"""Of decimal digits alone: shorter ones are times and counters, and one message in a thousand."""
_DIFFERENT_MIN = 5
"""Of different digits; filler has one or two."""

_FGB = {36: (1, _LONG), 30: (_FIRST_BIT, _LONG), 28: (1, _SHORT), 22: (_FIRST_BIT, _SHORT)}
_SGB = {63: 250, 51: 202}
_IDENTITIES = {15: 1, 23: 2}
_LABELS = {15: b"ID", 23: b"ID", 51: b"GSR"}
"""How the word has to end that stands right in front of so many digits."""
_BARE = {*_FGB, *_SGB} - _LABELS.keys()
_BYTES = {18: 36, 15: 30, 14: 28, 11: 22, 32: 63}
"""Bytes of a framed message, and how many digits they are; the first of 64 is 0."""

_TOKENS = re.compile(rb"[0-9A-Za-z]+|[^0-9A-Za-z]+")
_DIGITS = re.compile(rb"[0-9A-Fa-f]+")
_RUNS = re.compile(rb"[0-9A-Fa-f]{%d,}" % _REMAINS_DIGITS_MIN)


class Burst(Struct, frozen=True):
    """The bits of one message, or of an identity."""

    generation: int
    bits: Bits
    digits: str
    """As printed, in capitals, without blanks."""
    is_identity: bool = False
    synchronised: bool = False
    self_test: bool = False
    alone: bool = True
    """False when what may be remains of another message stands in the same line: then it may be a
    piece itself."""


class Illegible(Struct, frozen=True):
    """Digits of the right number that no beacon sends."""

    reason: str


def message_in(body: bytes) -> Burst | Illegible | None:
    """Return the message in a line or a frame; None when nothing in it looks like one."""
    framed = _framed(body)
    if framed is not None:
        return _burst(framed)
    printed = _printed(body)
    if printed is None or isinstance(printed, Illegible):
        return printed
    digits, alone = printed
    message = _burst(digits)
    return replace(message, alone=alone) if isinstance(message, Burst) else message


def _burst(found: str) -> Burst | Illegible:
    value = int(found, 16)
    if len(found) in _IDENTITIES:
        generation = _IDENTITIES[len(found)]
        first = 26 if generation == 1 else 1
        bits = Bits(value, first=first, last=first - 1 + 4 * len(found))
        return Burst(generation, bits, found, is_identity=True)
    if len(found) in _SGB:
        return _second(value, _SGB[len(found)], found)
    return _first(value, *_FGB[len(found)], found)


def _first(value: int, first: int, last: int, digits: str) -> Burst | Illegible:
    bits = Bits(value, first=first, last=last)
    self_test = synchronised = False
    if first == 1:
        sync = bits(1, _FIRST_BIT - 1)
        if sync not in (SYNC_NORMAL, SYNC_SELF_TEST):
            return Illegible("its first 24 bits are no synchronisation of a beacon")
        synchronised, self_test = True, sync == SYNC_SELF_TEST
    return Burst(1, bits, digits, synchronised=synchronised, self_test=self_test)


def _second(value: int, length: int, digits: str) -> Burst | Illegible:
    pad = value >> length
    if pad not in (0b00, 0b10):
        return Illegible("the two bits in front are neither 00 nor 10")
    bits = Bits(value & ((1 << length) - 1), last=length)
    return Burst(2, bits, digits, self_test=pad == 0b10)


def _framed(body: bytes) -> str | None:
    """Return the digits of a message that came as bytes."""
    if len(body) not in _BYTES or (body.isascii() and body.decode("ascii").isprintable()):
        return None
    return body.hex().upper()[-_BYTES[len(body)] :]


def _printed(body: bytes) -> tuple[str, bool] | Illegible | None:
    """Return the one row of digits that is a message, and whether there are no others like it."""
    line = body[:_LINE_BYTES_MAX]
    rows = list(_rows(line))
    bare = [row for _, row in rows if len(row) in _BARE and not _is_filler(row)]
    named = [
        row for label, row in rows if len(row) in _LABELS and label.endswith(_LABELS[len(row)])
    ]
    remains = [found for found in _RUNS.findall(line) if _may_be_remains(found)]
    others = [found for found in remains if found not in (*bare, *named)]
    if len(bare) == 1:
        return bare[0].decode("ascii").upper(), not others
    if not bare and len(named) == 1 and not others:
        return named[0].decode("ascii").upper(), True
    if bare or remains:
        return Illegible("digits that are no whole message of a beacon")
    return None


def _rows(line: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each row of digits with the word in front of it, groups put together."""
    label, row, group, between = b"", b"", 0, b""
    for token in _TOKENS.findall(line):
        if not token[:1].isalnum():
            between = token
            continue
        is_digits = _DIGITS.fullmatch(token) is not None
        if is_digits and between == b" " and len(token) <= group and len(row) % group == 0:
            row += token
            continue
        if row:
            yield label, row
            label, row = b"", b""
        if is_digits:
            row, group = token, len(token) if len(token) in _GROUP_DIGITS else 0
        else:
            label, group = token.upper(), 0
    if row:
        yield label, row


def _may_be_remains(run: bytes) -> bool:
    """Say whether this row of digits may be of a message, and is no time, counter or filler."""
    return not _is_filler(run) and (len(run) >= _DECIMAL_DIGITS_MIN or not run.isdigit())


def _is_filler(run: bytes) -> bool:
    """Say whether there is next to nothing in it: noughts alone have their check digits right."""
    return len(set(run)) < _DIFFERENT_MIN
