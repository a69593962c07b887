"""Every byte of a stream comes out once; a message is one when its check and length hold."""

from __future__ import annotations

import random
import time

import pytest

from gateway.framing import HALF_SAID_NS
from gateway.framing.actisense import FRAME_BYTES_MAX, Actisense
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

BODY = b"\x93\x06\x10\x10\x02\x10\x03\x7f"
LONGEST = b"\x93\xff" + b"\x10" * 255
LONG_KIND = b"\xd0\x00\x05abc"


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Actisense()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def whole(frames):
    return [frame.body for frame in frames if frame.fault is None]


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_what_was_wrapped_is_cut_again_however_it_arrives(size):
    bodies = [BODY, LONGEST, LONG_KIND] * 2
    wire = b"".join(map(Actisense.wrap, bodies))
    frames, framer = split(*(wire[at : at + size] for at in range(0, len(wire), size)))

    assert whole(frames) == bodies
    assert {frame.integrity for frame in frames} == {Integrity.CHECKSUM}
    assert b"".join(frame.raw for frame in frames) == wire
    assert framer.held == 0


def test_each_octet_that_is_cut_off_leaves_no_message():
    wire = Actisense.wrap(BODY)
    for length in range(1, len(wire)):
        frames, framer = split(wire[:length])
        frames += framer.expire(Moment(HALF_SAID_NS))

        assert whole(frames) == []
        assert_accounted(frames, framer, length)
        assert framer.held == 0


def test_no_bent_bit_makes_another_message():
    wire = Actisense.wrap(BODY)
    for bit in range(8 * len(wire)):
        bent = bytearray(wire)
        bent[bit // 8] ^= 1 << bit % 8
        frames, framer = split(bytes(bent), wire)

        assert whole(frames)[-1:] == [BODY]
        assert set(whole(frames)) == {BODY}
        assert_accounted(frames, framer, 2 * len(wire))


@pytest.mark.parametrize(
    ("wire", "fault"),
    [
        (b"\x10\x02\x93\x01\x00\x6d\x10\x03", Fault.WRONG_CHECKSUM),
        (b"\x10\x02\x93\x02\x00\x6b\x10\x03", Fault.CUT),
        (b"\x10\x02\x10\x03", Fault.CUT),
        (b"\x10\x02\x93\x01\x10\x7f\x10\x03", Fault.CUT),
        (b"\x10\x02" + b"\x93" * FRAME_BYTES_MAX + b"\x10\x03", Fault.OVERSIZE),
        (b"abc", Fault.NOISE),
    ],
)
def test_what_is_no_message_says_why(wire, fault):
    frames, framer = split(wire, Actisense.wrap(BODY))

    assert frames[0].fault is fault
    assert frames[0].integrity is Integrity.NONE
    assert whole(frames) == [BODY]
    assert_accounted(frames, framer, len(wire) + len(Actisense.wrap(BODY)))


def test_a_gap_ends_what_was_begun():
    wire = Actisense.wrap(BODY)
    frames, _ = split(wire[:5], wire[5:] + wire, gap_at=1)

    assert frames[0].fault is Fault.CUT
    assert whole(frames) == [BODY]


def test_nothing_is_given_up_before_its_time():
    _, framer = split(Actisense.wrap(BODY)[:5])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    assert [frame.fault for frame in framer.expire(Moment(HALF_SAID_NS))] == [Fault.CUT]
    assert framer.expire(Moment(2 * HALF_SAID_NS)) == []


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(4)
    flood = b"".join(dice.randbytes(dice.randrange(900)) + b"\x10\x02" for _ in range(900))
    framer, frames = Actisense(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= FRAME_BYTES_MAX
    frames += framer.expire(Moment(len(flood) + HALF_SAID_NS))
    noise = [frame for frame in frames if frame.fault is Fault.NOISE]
    wire = Actisense.wrap(BODY)
    after, _ = split(wire, framer=framer)

    assert all(len(frame.raw) <= FRAME_BYTES_MAX for frame in noise)
    assert whole(after) == [BODY]
    assert_accounted(frames + after, framer, len(flood) + len(wire))


@pytest.mark.parametrize("flood", [b"\x10", b"\x10\x02", b"\x10\x02\x93", b"A"], ids=repr)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = flood * (65_536 // len(flood))
    begun = time.perf_counter()
    frames, framer = split(wire)
    frames += framer.expire(Moment(HALF_SAID_NS))

    assert time.perf_counter() - begun < 1
    assert_accounted(frames, framer, len(wire))
