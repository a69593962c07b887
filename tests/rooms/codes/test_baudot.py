"""The alphabet of 406 MHz beacons: C/S T.001 table A1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.baudot import LETTER, baudot_row, baudot_text

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALL = LETTERS + " -/0123456789"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("A", 0b111000),
        ("WHR", 0b111001_100101_101010),
        ("0 ", 0b001101_100100),
        ("-/", 0b011000_010111),
        ("", 0),
    ],
)
def test_codes_are_those_of_the_table(text, row):
    assert baudot_row(text) == row
    assert baudot_text(row, len(text)) == text


@given(st.text(alphabet=ALL, max_size=9))
def test_what_was_written_is_read(text):
    assert baudot_text(baudot_row(text), len(text)) == text


@given(st.text(alphabet=LETTERS + " ", max_size=5))
def test_letters_alone_do_without_the_bit_that_says_letter(text):
    assert baudot_text(baudot_row(text, bits=5), len(text), bits=5) == text


def test_every_character_has_one_code_and_the_first_bit_tells_letters_from_figures():
    codes = {character: baudot_row(character) for character in ALL}

    assert len(set(codes.values())) == len(ALL)
    assert all(bool(codes[character] & LETTER) == (character in LETTERS + " ") for character in ALL)


def test_a_code_that_is_in_no_table_makes_no_text():
    known = {baudot_row(character) for character in ALL}
    strange = [code for code in range(64) if code not in known]

    assert strange
    assert all(baudot_text(code << 6 | baudot_row("A"), 2) is None for code in strange)


def test_a_character_without_a_code_is_not_written():
    with pytest.raises(KeyError):
        baudot_row("a")
    with pytest.raises(KeyError):
        baudot_row("1", bits=5)
