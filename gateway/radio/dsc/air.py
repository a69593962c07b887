r"""A call as it is on the air: symbols, each sent twice (ITU-R M.493-15, annex 1, section 1).

    slot     0   1   2   3   …  12  13  14  15  16  17  18  19  …
    DX     125     125         F       F       A       …
    RX         111     110         105     104     F       F    …

DX carries the call, RX the same five slots later; 125 and 111 to 104 are its phasing. F is the
format specifier, sent twice; then A, what the format asks for; E, the end of sequence; C, the
exclusive-or of all information symbols with one F and one E; and E twice more. An expansion (ITU-R
M.821-1) follows directly: its own symbols, E and C, without phasing.

A symbol whose check bits are wrong is taken from its other copy. Where both copies are right and
differ, C decides. One symbol that is lost in both is made out of C, which then proves nothing any
more. Receivers that print what they hear write one number of three digits a symbol, ~~~ for a lost
one: with phasing as it came in, without it when they have put the copies together already.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import reduce
from itertools import product
from operator import xor

from msgspec import Struct

from gateway.codes.tenbit import PAIR_BYTES, bits_in, symbol_of, ten_bits

ENDS = {117: "R", 122: "B", 127: "S"}
"""End of sequence (M.493 table A1-3): the letters of IEC 61162-1, DSC field 10."""
SYMBOLS_MAX = 256
"""The longest call has some 90 symbols in both copies."""
SYMBOLS_MIN = 12
"""A row of fewer numbers is no call: a format, an identity and an end are more."""
CONFLICTS_MAX = 4
"""Copies that are both right and differ; of more, sixteen ways would have to be tried, or C would
be right by chance."""

_PHASING_DX = 125
_PHASING_RX = range(104, 112)
_INFORMATION_SLOT = 12
_RX_TO_BEGIN = 11
"""Slots from the first phasing character of RX to the first of the call."""
_FORMATS = 2
_COPY_SLOTS = 5
_VOTES_MIN = 3  # M.493-15 annex 1, section 3: phasing is had with three symbols in their places
_EXPANSIONS = range(100, 107)  # M.821-1
_BITS = 7
"""Of information in a symbol: what one that repeats another, or agrees with C, proves."""

_PAIRS = re.compile(rb"(?:[\x80-\x9f][\xc0-\xdf])+")
_ROW = re.compile(rb"(?<![0-9])(?:(?:0\d\d|1[01]\d|12[0-7]|~~~)(?: |$)){%d,}$" % SYMBOLS_MIN)


class Place(Struct, frozen=True):
    """One place of a sequence: what its copies say."""

    choices: tuple[int, ...]
    """None when it was lost, two when its copies differ."""
    bits: tuple[int, ...] = ()
    """The ten bits of each copy that arrived, right or wrong."""
    agreed: int = 0
    """Copies that say the same as another."""


class Sequence(Struct, frozen=True):
    """A call or an expansion, its copies put together."""

    symbols: tuple[int | None, ...]
    """From the format, once, or the first expansion code, to the end of sequence, included."""
    check: str
    """Of the error-check character: right, wrong, missing, or spent on a symbol that was lost."""
    corrected_bits: int
    proof_bits: int
    """How many bits of noise would have had to fall right."""


class Transmission(Struct, frozen=True):
    """What came in one frame: a call, its expansion, or both."""

    call: Sequence | None
    expansion: Sequence | None = None


def pairs_in(body: bytes) -> list[int | None] | None:
    """Return the ten bits of each symbol in a frame of pairs; None when it is not one."""
    if not _PAIRS.fullmatch(body):
        return None
    return [bits_in(body[at : at + PAIR_BYTES]) for at in range(0, len(body), PAIR_BYTES)]


def printed_in(body: bytes) -> list[int | None] | None:
    """Return the same of a printed line that ends in a row of symbols; None when it does not."""
    row = _ROW.search(body)
    if row is None:
        return None
    numbers = (None if text == b"~~~" else int(text) for text in row[0].split())
    return [None if number is None else ten_bits(number) for number in numbers]


def transmission_in(heard: list[int | None], *, printed: bool) -> Transmission | None:
    """Return what these symbols, given as ten bits each, say; None when they have no end."""
    heard = heard[:SYMBOLS_MAX]
    begin = _begin(heard)
    if begin is not None:
        return _transmission(_both(heard, begin))
    alone = [_place((bits,)) for bits in heard]
    if printed and alone[0].choices == alone[1].choices:
        return _transmission(alone)
    for places in (_both(heard, 0), alone):
        expansion = _expansion(places)
        if expansion is not None:
            return Transmission(None, expansion)
    return _transmission(alone) if printed else None


def _transmission(places: list[Place]) -> Transmission | None:
    end = _end_of(places)
    if end is None or end < _FORMATS:
        return None
    behind = places[end + 2 :]
    while behind and behind[0].choices[:1] and behind[0].choices[0] in ENDS:
        behind = behind[1:]
    return Transmission(_call(places, end), _expansion(behind))


def _begin(heard: list[int | None]) -> int | None:
    """Return the slot of the first format specifier: where most of the phasing puts it."""
    symbols = [symbol_of(bits) for bits in heard]
    votes: Counter[int] = Counter(
        slot + _RX_TO_BEGIN - 2 * (_PHASING_RX[-1] - symbol)
        for slot, symbol in enumerate(symbols)
        if symbol is not None and symbol in _PHASING_RX
    )
    for begin in votes:
        slots = range(max(0, begin - _INFORMATION_SLOT), begin)
        votes[begin] += sum(
            symbols[slot] == _PHASING_DX
            for slot in slots
            if slot < len(symbols) and (begin - slot) % 2 == 0
        )
    best = max(votes, key=lambda begin: (votes[begin], begin), default=-1)
    if not 0 < best < len(heard) or votes[best] < _VOTES_MIN:
        return None
    return best if _PHASING_DX in symbols[:best] else None


def _both(heard: list[int | None], begin: int) -> list[Place]:
    """Return each place of the sequence that begins in this slot, with both of its copies."""
    padded = [*heard, *[None] * _COPY_SLOTS]
    return [
        _place((heard[slot], padded[slot + _COPY_SLOTS])) for slot in range(begin, len(heard), 2)
    ]


def _place(copies: tuple[int | None, ...]) -> Place:
    found = [symbol for bits in copies if (symbol := symbol_of(bits)) is not None]
    choices = tuple(dict.fromkeys(found))
    arrived = tuple(bits for bits in copies if bits is not None)
    return Place(choices, arrived, len(found) - len(choices))


def _end_of(places: list[Place]) -> int | None:
    """Return the place of the end of sequence; of a lost one, by those that repeat it."""
    for at, place in enumerate(places[:-1]):
        if not place.choices or place.choices[0] not in ENDS:
            continue
        repeats = places[at + 1].choices[:1] == place.choices[:1]
        return at - 2 if repeats and at > 1 and not places[at - 2].choices else at
    return None


def _call(places: list[Place], end: int) -> Sequence:
    """Return the call: its two formats as one, its end as those say that repeat it."""
    again = [place.choices[0] for place in places[end + 2 : end + 4] if place.choices]
    last = places[end] if places[end].choices else Place(tuple(again[:1]))
    repeated = sum((again_end,) == last.choices for again_end in again)
    return _sequence([_joined(*places[:2]), *places[2:end], last], places[end + 1], repeated)


def _joined(one: Place, other: Place) -> Place:
    """Return two places that carry the same symbol as one."""
    found = (*one.choices, *other.choices)
    choices = tuple(dict.fromkeys(found))
    agreed = one.agreed + other.agreed + len(found) - len(choices)
    return Place(choices, one.bits + other.bits, agreed)


def _expansion(places: list[Place]) -> Sequence | None:
    if not places or not places[0].choices or places[0].choices[0] not in _EXPANSIONS:
        return None
    end = _end_of(places)
    return None if end is None else _sequence(places[: end + 1], places[end + 1], 0)


def _sequence(places: list[Place], check: Place, repeated: int) -> Sequence:
    """Return the symbols, as the error-check character proves or completes them."""
    symbols = [place.choices[0] if place.choices else None for place in places]
    lost = symbols.count(None)
    ways = 1
    if not check.choices:
        verdict = "missing"
    elif lost:
        verdict = "spent" if lost == 1 else "wrong"
        if lost == 1:
            at = symbols.index(None)
            symbols[at] = _check_of([symbol or 0 for symbol in symbols]) ^ check.choices[0]
    else:
        fitting, ways = _fitting(places, check)
        verdict = "right" if fitting else "wrong"
        symbols = list(fitting) or symbols
    agreed = repeated + sum(place.agreed for place in places)
    return Sequence(
        symbols=tuple(symbols),
        check=verdict,
        corrected_bits=sum(map(_wrong_bits, places, symbols)),
        proof_bits=_BITS * (agreed + (verdict == "right")) - (ways - 1).bit_length(),
    )


def _fitting(places: list[Place], check: Place) -> tuple[tuple[int, ...], int]:
    """Return the one way to choose between copies that the check character proves, and of how many.

    Where two ways fit, none is proven.
    """
    ways = 2 ** sum(len(place.choices) > 1 for place in (*places, check))
    if ways > 2**CONFLICTS_MAX:
        return (), ways
    found = [
        way
        for way in product(*(place.choices for place in places))
        if _check_of(way) in check.choices
    ]
    return (found[0] if len(found) == 1 else ()), ways


def _check_of(symbols: Iterable[int]) -> int:
    return reduce(xor, symbols, 0)


def _wrong_bits(place: Place, symbol: int | None) -> int:
    """Return how many bits of the copies of this place were wrong."""
    if symbol is None:
        return 0
    return sum((bits ^ ten_bits(symbol)).bit_count() for bits in place.bits)
