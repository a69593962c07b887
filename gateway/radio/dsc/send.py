"""Symbols as they go on the air: phasing, each symbol twice, the error-check character.

The twin of what `air` puts together. Nothing here reaches a transmitter: only a port's writer does,
with a permit.
"""

from __future__ import annotations

from functools import reduce
from operator import xor

from gateway.codes.tenbit import LOST, pair_of, ten_bits
from gateway.radio.dsc.figures import expansion_symbols, symbols_told
from gateway.radio.dsc.words import DscDetail
from gateway.radio.dsc.write import call_texts

_PHASING_DX = [125] * 6
_PHASING_RX = [*range(111, 103, -1)]


def write_symbols(
    call: DscDetail, sets: tuple[tuple[str, str], ...] = ()
) -> tuple[int | None, ...]:
    """Return each slot of the transmission that says this call and, behind it, these data sets."""
    symbols = symbols_told(call_texts(call), sender=call.self_id, addressee=call.address_id)
    end = symbols[-1]
    dx = [symbols[0], *symbols, reduce(xor, symbols), end, end]
    if sets:
        more = expansion_symbols(sets)
        dx += [*more, reduce(xor, more), more[-1], more[-1]]
    return _slots([*_PHASING_DX, *dx], [*_PHASING_RX, *dx])


def _slots(dx: list[int], rx: list[int]) -> tuple[int, ...]:
    """Return both copies in turn, up to the last error-check character of RX."""
    return tuple(slot for pair in zip(dx, rx[: len(dx)], strict=True) for slot in pair)


def write_pairs(slots: tuple[int | None, ...]) -> bytes:
    """Return the bytes in which a modem would hand these slots over."""
    return b"".join(LOST if slot is None else pair_of(ten_bits(slot)) for slot in slots)


def write_printed(slots: tuple[int | None, ...]) -> bytes:
    """Return the line in which a receiver would print these slots."""
    return b" ".join(b"~~~" if slot is None else b"%03d" % slot for slot in slots)
