"""Modified Baudot code of 406 MHz beacons (C/S T.001, table A1): six bits a character.

Of letters the first bit is 1, of figures 0. Where only letters can stand, it is left out.
"""

from __future__ import annotations

LETTER = 0b100000
"""The bit that tells letters from figures."""

_CHARACTERS = {
    0b111000: "A",
    0b110011: "B",
    0b101110: "C",
    0b110010: "D",
    0b110000: "E",
    0b110110: "F",
    0b101011: "G",
    0b100101: "H",
    0b101100: "I",
    0b111010: "J",
    0b111110: "K",
    0b101001: "L",
    0b100111: "M",
    0b100110: "N",
    0b100011: "O",
    0b101101: "P",
    0b111101: "Q",
    0b101010: "R",
    0b110100: "S",
    0b100001: "T",
    0b111100: "U",
    0b101111: "V",
    0b111001: "W",
    0b110111: "X",
    0b110101: "Y",
    0b110001: "Z",
    0b100100: " ",
    0b011000: "-",
    0b010111: "/",
    0b001101: "0",
    0b011101: "1",
    0b011001: "2",
    0b010000: "3",
    0b001010: "4",
    0b000001: "5",
    0b010101: "6",
    0b011100: "7",
    0b001100: "8",
    0b000011: "9",
}
_CODES = {character: code for code, character in _CHARACTERS.items()}


def baudot_text(row: int, count: int, *, bits: int = 6) -> str | None:
    """Return the text of so many characters; None when one of them is in no table."""
    letter = LETTER if bits < LETTER.bit_length() else 0
    codes = [row >> (bits * place) & ((1 << bits) - 1) for place in range(count - 1, -1, -1)]
    found = [_CHARACTERS.get(code | letter) for code in codes]
    return None if None in found else "".join(str(one) for one in found)


def baudot_row(text: str, *, bits: int = 6) -> int:
    """Return the bits of a text.

    Raises:
        KeyError: a character has no code, or none of so few bits.
    """
    row = 0
    for character in text:
        code = _CODES[character]
        if bits < LETTER.bit_length() and not code & LETTER:
            raise KeyError(character)
        row = row << bits | code & ((1 << bits) - 1)
    return row
