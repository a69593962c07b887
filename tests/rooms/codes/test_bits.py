"""Bits are counted as the standards count them: from 1, both ends included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.bits import Bits, joined


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [(1, 1, 1), (1, 4, 0b1010), (2, 3, 0b01), (8, 8, 1), (5, 8, 0b0011), (1, 8, 0b1010_0011)],
)
def test_fields_have_both_ends(first, last, expected):
    assert Bits(0b1010_0011, last=8)(first, last) == expected


def test_a_single_bit_is_asked_for_by_its_number():
    assert [Bits(0b101, last=3)(place) for place in (1, 2, 3)] == [1, 0, 1]


def test_a_row_may_begin_later_than_with_bit_1():
    assert Bits(0b1101, first=25, last=28)(25, 26) == 0b11
    assert Bits(0b1101, first=25, last=28)(27) == 0


@given(st.lists(st.tuples(st.integers(min_value=0), st.integers(1, 40)), min_size=1, max_size=9))
def test_what_was_joined_is_found_in_its_place(fields):
    row, at = joined(*fields), 1
    bits = Bits(row, last=sum(width for _, width in fields))
    for value, width in fields:
        assert bits(at, at + width - 1) == value & ((1 << width) - 1)
        at += width
