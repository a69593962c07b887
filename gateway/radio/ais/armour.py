"""Payload to bits, bits to text: the one door to the pyais library.

Six bits a character: `0` to `W` are 0 to 39, "`" to `w` are 40 to 63 (IEC 61162-1, VDM). Taking
the armour off can't fail on a payload of that alphabet; `assembly.py` lets no other one through.
The fields are read by our own tables, not by those of pyais 3.3, which fold codes that they don't
know into "undefined", cut vendor names, add half a character to texts, scale message 17 wrongly
and let the numbers through that mean "not available".
"""

from pyais import bit_vector

Bits = bit_vector
"""Fields by position and width: `get(start, width)`, `get_signed(start, width)`, `len()`."""

_CHARACTERS = tuple(chr(code + 64) if code < 32 else chr(code) for code in range(64))
"""The six-bit alphabet of text (M.1371-5, Annex 8, table 47)."""


def bits_of(payload: bytes, fill: int) -> Bits:
    """Return the bits of a payload, without those that only fill its last character."""
    return Bits(payload, fill)


def text_at(bits: Bits, start: int, characters: int) -> str:
    """Return the text of that many characters, whole but for the padding at its end."""
    return characters_at(bits, start, characters).rstrip("@ ")


def name_at(bits: Bits, start: int, characters: int) -> str | None:
    """Return the name that ends at the first `@`, or None when there is none."""
    return characters_at(bits, start, characters).partition("@")[0].rstrip(" ") or None


def characters_at(bits: Bits, start: int, characters: int) -> str:
    """Return that many characters as they stand, padding and all."""
    get = bits.get
    return "".join([_CHARACTERS[get(at, 6)] for at in range(start, start + 6 * characters, 6)])
