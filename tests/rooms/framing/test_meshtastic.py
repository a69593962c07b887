"""Every byte of a stream comes out once, and one damaged packet costs no other."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import HALF_SAID_NS
from gateway.framing.meshtastic import (
    HEADER_BYTES,
    MESSAGE_BYTES_MAX,
    START,
    Meshtastic,
)
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

BODY = b"\x08\x07\x12\x0a\x0d\xcd\xab\x34\x12\x15\xff\xff\xff\xff"
WIRE = Meshtastic.wrap(BODY)


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Meshtastic()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def faults(frames):
    return [frame.fault for frame in frames]


def whole(frames):
    return [frame.body for frame in frames if frame.fault is None]


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


def test_packet_becomes_a_frame_that_nothing_proves():
    frames, framer = split(WIRE)

    (frame,) = frames
    assert (frame.port, frame.heard, frame.ordinal) == ("p", Moment(0), 0)
    assert (frame.body, frame.raw, frame.span) == (BODY, WIRE, len(WIRE))
    assert (frame.fault, frame.integrity, framer.held) == (None, Integrity.NONE, 0)


def test_on_a_clean_line_there_is_no_noise_however_the_bytes_arrive():
    wire = WIRE * 3
    frames, framer = split(*(wire[at : at + 1] for at in range(len(wire))))

    assert faults(frames) == [None] * 3
    assert framer.held == 0


@pytest.mark.parametrize("lost", range(len(WIRE)))
def test_a_lost_byte_costs_one_packet_and_not_the_next(lost):
    wire = WIRE[:lost] + WIRE[lost + 1 :] + WIRE + WIRE
    frames, framer = split(wire)
    frames += framer.expire(Moment(HALF_SAID_NS))

    assert whole(frames)[-2:] == [BODY] * 2
    assert len(whole(frames)) <= 3
    assert_accounted(frames, framer, len(wire))


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(b"INFO | boot\r\n" + WIRE, [Fault.NOISE, None], id="log before"),
        pytest.param(WIRE + b"INFO", [None, Fault.NOISE], id="log behind"),
        pytest.param(START + b"\x00\x00" + WIRE, [Fault.NOISE, None], id="of no length"),
        pytest.param(START + b"\x02\x01" + WIRE, [Fault.NOISE, None], id="too long"),
        pytest.param(START + WIRE, [Fault.NOISE, None], id="start twice"),
        pytest.param(START + b"\x00\x0a" + b"\xff" * 10 + WIRE, [Fault.CUT, None], id="no message"),
        pytest.param(WIRE[:12] + WIRE, [Fault.CUT, None], id="cut"),
    ],
)
def test_stream(wire, expected):
    frames, framer = split(wire)

    assert faults(frames) == expected
    assert_accounted(frames, framer, len(wire))


def test_half_a_packet_is_refused_when_its_sender_falls_silent_and_a_whole_one_in_it_told():
    begun = START + b"\x01\xf4\x12\xe8\x03" + WIRE
    frames, framer = split(START + b"\x01\xf4\x12\xf0\x03" + WIRE)

    assert (frames, framer.held) == ([], len(begun))
    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    assert faults(framer.expire(Moment(HALF_SAID_NS))) == [Fault.NOISE, None]
    assert framer.held == 0


def test_gap_gives_up_what_was_held():
    """What comes behind a gap is never joined to what stood before it."""
    frames, framer = split(WIRE[:9], WIRE[9:] + WIRE, gap_at=1)

    assert faults(frames) == [Fault.CUT, Fault.NOISE, None]
    assert_accounted(frames, framer, 2 * len(WIRE))


def test_longest_message_is_read():
    body = b"\x12\xfd\x03" + b"\x94\xc3" * 254 + b"\x00"
    frames, _ = split(Meshtastic.wrap(body))

    assert len(body) == MESSAGE_BYTES_MAX
    assert whole(frames) == [body]


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(4)
    flood = b"".join(dice.randbytes(dice.randrange(9)) + START for _ in range(9_000))
    framer, frames = Meshtastic(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= HEADER_BYTES + MESSAGE_BYTES_MAX
    frames += framer.expire(Moment(len(flood) + HALF_SAID_NS))
    after, _ = split(WIRE, framer=framer)

    assert whole(after) == [BODY]
    assert_accounted(frames + after, framer, len(flood) + len(WIRE))


@pytest.mark.parametrize("flood", [b"\x94", START, START + b"\x02\x00\x12\xfd\x03", b"A"], ids=repr)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = flood * (65_536 // len(flood))
    begun = time.perf_counter()
    frames, framer = split(wire)
    frames += framer.expire(Moment(HALF_SAID_NS))

    assert time.perf_counter() - begun < 1
    assert_accounted(frames, framer, len(wire))


STREAMS = st.lists(
    st.one_of(st.sampled_from([WIRE, WIRE[:7], START, b"\x94", b"log\n"]), st.binary(max_size=12)),
    max_size=20,
).map(b"".join)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 300), max_size=12))
def test_chunking_changes_nothing(stream, cuts):
    """However a stream is cut, the same packets come out, and every byte is counted."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    frames, framer = split(*pieces)
    frames += framer.expire(Moment(HALF_SAID_NS * 2))
    at_once, other = split(stream)
    at_once += other.expire(Moment(HALF_SAID_NS * 2))

    assert_accounted(frames, framer, len(stream))
    assert whole(frames) == whole(at_once)
