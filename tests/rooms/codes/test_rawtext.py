"""Raw bytes as text: readable where they are, exact everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.rawtext import escape, unescape


@given(st.binary())
def test_text_turns_back_into_exactly_the_same_bytes(raw):
    assert unescape(escape(raw)) == raw


@given(st.binary())
def test_text_is_printable_ascii(raw):
    """Nothing heard can ring a bell, move a cursor or forge a line on a screen."""
    assert all(0x20 <= ord(letter) < 0x7F for letter in escape(raw))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"$GPRMC,A*6D", "$GPRMC,A*6D"),
        (b"\x00\xff\n", "\\x00\\xff\\x0a"),
        (b"\\s:rx1", "\\x5cs:rx1"),
        (b"\\x41", "\\x5cx41"),
        (b"\x1b[31m", "\\x1b[31m"),
    ],
)
def test_escapes(raw, text):
    assert escape(raw) == text
    assert unescape(text) == raw


def test_text_without_escapes_is_left_alone():
    assert unescape("\\X41 \\x4G") == b"\\X41 \\x4G"
