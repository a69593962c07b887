"""Every byte of a stream comes out once, and only what has its semicolon is a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import HALF_SAID_NS
from gateway.framing.avr import FRAME_BYTES_MAX, Avr
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

PLAIN = b"*8DF01234E12AAA0000000068C1E2;"
CLOCK = b"@0001234567898df01234e12aaa0000000068c1e2;"


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Avr()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def faults(frames):
    return [frame.fault for frame in frames]


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_messages_are_cut_however_they_arrive(size):
    wire = (PLAIN + b"\r\n" + CLOCK) * 3
    frames, framer = split(*(wire[at : at + size] for at in range(0, len(wire), size)))

    assert [frame.raw for frame in frames] == [PLAIN, CLOCK] * 3
    assert [frame.body for frame in frames] == [PLAIN[1:-1], CLOCK[1:-1]] * 3
    assert {frame.fault for frame in frames} == {None}
    assert {frame.integrity for frame in frames} == {Integrity.NONE}
    assert_accounted(frames, framer, len(wire))


def test_a_message_is_told_before_its_line_has_ended():
    frames, framer = split(PLAIN)

    assert faults(frames) == [None]
    assert framer.held == 0


def test_what_was_wrapped_is_cut_again():
    (frame,), _ = split(Avr.wrap(PLAIN[1:-1]))

    assert frame.body == PLAIN[1:-1]


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(b"*8DF0\r\n" + PLAIN, [Fault.CUT, None], id="cut"),
        pytest.param(b"*8DF0" + PLAIN, [Fault.CUT, None], id="glued"),
        pytest.param(b"*8DxF0;" + PLAIN, [Fault.CUT, Fault.NOISE, None], id="no digit"),
        pytest.param(b"noise" + PLAIN, [Fault.NOISE, None], id="noise"),
        pytest.param(b"*;" + PLAIN, [Fault.CUT, Fault.NOISE, None], id="empty"),
        pytest.param(b"*" + b"0" * 80 + b";", [Fault.OVERSIZE], id="overlong"),
        pytest.param(b"*" + b"0" * 80, [Fault.OVERSIZE], id="overlong and endless"),
    ],
)
def test_a_broken_one_is_kept_with_its_fault(wire, expected):
    frames, framer = split(wire)

    assert faults(frames) == expected
    assert_accounted(frames, framer, len(wire))


def test_a_gap_ends_a_message():
    frames, _ = split(PLAIN[:9], PLAIN, gap_at=1)

    assert faults(frames) == [Fault.CUT, None]


def test_half_a_message_is_given_up_after_a_pause():
    _, framer = split(PLAIN[:9])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    assert faults(framer.expire(Moment(HALF_SAID_NS))) == [Fault.CUT]
    assert framer.expire(Moment(HALF_SAID_NS * 2)) == []


def test_line_ends_behind_the_last_message_are_counted():
    _, framer = split(PLAIN + b"\r\n")

    assert framer.held == 2
    assert faults(framer.expire(Moment(HALF_SAID_NS))) == [Fault.NOISE]
    assert framer.held == 0


@given(st.lists(st.binary(max_size=60) | st.sampled_from([PLAIN, CLOCK, b"*", b"@0", b"\r\n"])))
def test_any_bytes_are_counted(pieces):
    frames, framer = split(*pieces)

    assert_accounted(frames, framer, sum(map(len, pieces)))


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    framer = Avr()
    for _ in range(100):
        framer.split(Chunk("p", Moment(0), b"*" + b"0F" * 31))
        (bound,) = framer.bounds()

        assert bound.held == framer.held <= bound.limit == FRAME_BYTES_MAX
    framer.expire(Moment(HALF_SAID_NS))

    assert framer.held == 0
