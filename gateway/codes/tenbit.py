"""The ten-bit code of digital selective calling (ITU-R M.493-15, table A1-1).

    bits  1 to 7                8 to 10
          symbol, lowest first  how many of the seven are 0 (B elements), highest first

A symbol is a number from 0 to 127. Any one wrong bit is found, and so is any number of bits that
are wrong the same way round. Modems hand a symbol over in two bytes, 100 and its first five bits,
110 and its last five: see `framing/symbols.py`.
"""

SYMBOLS = 128
PAIR_BYTES = 2
LOST = b"\x80\xc0"
"""A symbol that did not arrive: ten times 0, which no symbol is."""

_INFORMATION = 7
_CHECKS = 3
_HALF = 5
_HALF_MASK = 0b11111
_FIRST, _SECOND = 0b100_00000, 0b110_00000


def ten_bits(symbol: int) -> int:
    """Return the ten bits of a symbol, the one sent first in the highest place."""
    sent = int(f"{symbol:07b}"[::-1], 2)
    return sent << _CHECKS | (_INFORMATION - symbol.bit_count())


def pair_of(bits: int) -> bytes:
    """Return the two bytes that carry ten bits."""
    return bytes((_FIRST | bits >> _HALF, _SECOND | bits & _HALF_MASK))


def bits_in(pair: bytes) -> int | None:
    """Return the ten bits in two bytes; None when they did not arrive."""
    return None if pair == LOST else (pair[0] & _HALF_MASK) << _HALF | pair[1] & _HALF_MASK


def symbol_of(bits: int | None) -> int | None:
    """Return the symbol of ten bits; None when their count is wrong."""
    return None if bits is None else _SYMBOL_OF.get(bits)


_SYMBOL_OF = {ten_bits(symbol): symbol for symbol in range(SYMBOLS)}
