"""Fields of protocol buffers come out whole; what is no message is None, and never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.protobuf import (
    NUMBER_MAX,
    fields_of,
    may_begin,
    signed,
    write_field,
    write_fixed32,
)


def varint(value):
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*said, value])


def field(number, value, form):
    key = varint(number << 3 | form)
    if form == 2:
        return key + varint(len(value)) + value
    return key + (varint(value) if form == 0 else value.to_bytes({1: 8, 5: 4}[form], "little"))


FIELDS = st.lists(
    st.integers(1, NUMBER_MAX).flatmap(
        lambda number: st.one_of(
            st.tuples(st.just(number), st.integers(0, 2**64 - 1), st.sampled_from([0, 1])),
            st.tuples(st.just(number), st.integers(0, 2**32 - 1), st.just(5)),
            st.tuples(st.just(number), st.binary(max_size=40), st.just(2)),
        )
    ),
    max_size=8,
)


@given(fields=FIELDS)
def test_what_was_written_is_read_and_the_last_of_a_number_counts(fields):
    message = b"".join(field(*one) for one in fields)

    assert fields_of(message) == {number: value for number, value, _ in fields}


@given(st.integers(1, NUMBER_MAX), st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_what_is_written_is_the_form_of_its_value(number, value, inside):
    assert write_field(number, value) == field(number, value, 0)
    assert write_field(number, inside) == field(number, inside, 2)


@given(st.integers(1, NUMBER_MAX), st.integers(-(2**31), 2**32 - 1))
def test_four_bytes_are_read_as_the_number_that_was_written(number, value):
    written = write_fixed32(number, value)

    assert written == field(number, value % 2**32, 5)
    assert signed(fields_of(written)[number], 32) == signed(value % 2**32, 32)


@given(fields=FIELDS)
def test_every_beginning_of_a_message_may_begin_it_and_nothing_longer_does(fields):
    message = b"".join(field(*one) for one in fields)

    assert all(may_begin(message[:cut], len(message)) for cut in range(len(message) + 1))
    assert not may_begin(message + b"\x08\x01", len(message))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_none(noise):
    """What is a message may begin one of its size; what is none does not."""
    assert (fields_of(noise) is not None) == may_begin(noise, len(noise))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(b"\x00\x01", id="number 0"),
        pytest.param(b"\x0b", id="group"),
        pytest.param(b"\x0c", id="end of a group"),
        pytest.param(b"\x0e\x01", id="form 6"),
        pytest.param(b"\x08", id="no value"),
        pytest.param(b"\x08\x80", id="half a value"),
        pytest.param(b"\x08" + b"\x80" * 10 + b"\x01", id="value of eleven bytes"),
        pytest.param(b"\x12\x05abcd", id="too short"),
        pytest.param(b"\x0d\x01\x02\x03", id="three bytes of four"),
        pytest.param(b"\xff\xff\xff\xff\xff\x01\x00", id="number too large"),
    ],
)
def test_no_message(wrong):
    assert fields_of(wrong) is None
    assert not may_begin(wrong, len(wrong))


@pytest.mark.parametrize(
    ("value", "bits", "expected"),
    [(2**32 - 1, 32, -1), (2**31 - 1, 32, 2**31 - 1), (2**64 - 97, 64, -97), (5, 64, 5)],
)
def test_sign(value, bits, expected):
    assert signed(value, bits) == expected
