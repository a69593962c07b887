"""Every byte of a stream comes out once, and only what stands between two FENDs is a frame."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.crc16 import crc16
from gateway.framing import HALF_SAID_NS, framer_named
from gateway.framing.kiss import FRAME_BYTES_MAX, Kiss
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

BODY = b"\x00packet"
WIRE = b"\xc0\x00packet\xc0"


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Kiss()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def faults(frames):
    return [frame.fault for frame in frames]


def whole(frames):
    return [frame.body for frame in frames if frame.fault is None]


def checked(body):
    """Return the frame with SMACK's checksum."""
    body = bytes((body[0] | 0x80,)) + body[1:]
    found = crc16(body)
    return Kiss.wrap(body + bytes((found & 0xFF, found >> 8)))


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


def test_frame_is_one_that_nothing_proves():
    (frame,), framer = split(WIRE)

    assert (frame.body, frame.raw, frame.span) == (BODY, WIRE, len(WIRE))
    assert (frame.fault, frame.integrity, framer.held) == (None, Integrity.NONE, 0)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(WIRE + WIRE, [None, None], id="two"),
        pytest.param(WIRE + WIRE[1:], [None, None], id="one FEND between them"),
        pytest.param(b"\xc0\xc0\xc0" + WIRE, [None], id="many FENDs"),
        pytest.param(b"banner\r\n" + WIRE, [Fault.NOISE, None], id="before the first FEND"),
        pytest.param(b"\xc0\x00a\xdbb\xc0", [Fault.ILLEGAL_CHARACTER], id="escape of nothing"),
        pytest.param(b"\xc0\x00a\xdb\xc0", [Fault.ILLEGAL_CHARACTER], id="escape at the end"),
        pytest.param(b"\xc0\xff\xc0", [None], id="another command"),
        pytest.param(b"\xc0" + b"U" * (FRAME_BYTES_MAX + 1) + b"\xc0", [Fault.OVERSIZE], id="long"),
    ],
)
def test_stream(wire, expected):
    frames, framer = split(wire)

    assert faults(frames) == expected
    assert_accounted(frames, framer, len(wire))


def test_escapes_are_undone():
    assert whole(split(b"\xc0\x00\xdb\xdc\xdb\xdd\xdb\xdd\xdc\xc0")[0]) == [b"\x00\xc0\xdb\xdb\xdc"]


def test_right_checksum_proves_a_frame_and_is_left_out():
    (frame,), _ = split(checked(b"\x20packet"))

    assert (frame.body, frame.integrity, frame.fault) == (b"\x20packet", Integrity.CRC, None)


def test_wrong_checksum_is_a_fault_where_one_has_been_right():
    wire = checked(BODY)
    bent = wire.replace(b"pack", b"pbck")

    assert faults(split(wire, bent)[0]) == [None, Fault.WRONG_CHECKSUM]


def test_port_above_seven_is_no_checksum_where_none_has_been_right():
    (frame,), _ = split(b"\xc0\x80packet\xc0")

    assert (frame.body, frame.integrity, frame.fault) == (b"\x80packet", Integrity.NONE, None)


def test_half_a_frame_is_refused_when_the_modem_falls_silent_and_its_rest_is_noise():
    _, framer = split(WIRE[:4])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    (frame,) = framer.expire(Moment(HALF_SAID_NS))
    assert (frame.fault, frame.span, framer.held) == (Fault.CUT, 4, 0)
    assert faults(split(WIRE[4:] + WIRE, framer=framer)[0]) == [Fault.NOISE, None]


def test_gap_gives_up_what_was_held_and_forgets_the_checksums():
    frames, framer = split(checked(BODY), WIRE[:4], b"rest" + WIRE + b"\x80packet\xc0", gap_at=2)

    assert faults(frames) == [None, Fault.CUT, Fault.NOISE, None, None]
    assert_accounted(frames, framer, len(checked(BODY)) + 4 + 4 + len(WIRE) + 8)


def test_idle_fends_are_counted_as_noise_in_the_end():
    _, framer = split(WIRE + b"\xc0\xc0")

    assert framer.held == 2
    assert faults(framer.expire(Moment(HALF_SAID_NS))) == [Fault.NOISE]
    assert framer.held == 0


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(4)
    flood = dice.randbytes(50_000) + b"\xc0" + b"A" * 50_000
    framer, frames = Kiss(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= FRAME_BYTES_MAX + 1
    after, _ = split(b"\xc0" + WIRE, framer=framer)

    assert whole(after)[-1] == BODY
    assert_accounted(frames + after, framer, len(flood) + 1 + len(WIRE))


@pytest.mark.parametrize("flood", [b"\xc0", b"\xc0\xdb", b"\xdb", b"\xc0\x80AA", b"U"], ids=repr)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = flood * (65_536 // len(flood))
    begun = time.perf_counter()
    frames, framer = split(wire)

    assert time.perf_counter() - begun < 1
    assert_accounted(frames, framer, len(wire))


STREAMS = st.lists(
    st.one_of(st.sampled_from([WIRE, WIRE[:4], checked(BODY), b"\xc0"]), st.binary(max_size=12)),
    max_size=20,
).map(b"".join)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_chunking_changes_nothing(stream, cuts):
    """However a stream is cut, the same frames come out, and every byte is counted."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    frames, framer = split(*(stream[a:b] for a, b in pairwise(edges)), b"\xc0")
    at_once, _ = split(stream + b"\xc0")

    assert_accounted(frames, framer, len(stream) + 1)
    assert whole(frames) == whole(at_once)


@given(st.binary(max_size=40))
def test_wrap_is_read_back_by_split(inside):
    assert whole(split(Kiss.wrap(b"\x10" + inside))[0]) == [b"\x10" + inside]


def test_it_is_found_by_its_name():
    assert framer_named("kiss") is Kiss
