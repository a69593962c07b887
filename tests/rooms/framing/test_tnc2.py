"""Every byte of a stream comes out once, and a packet begins with its header."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import HALF_SAID_NS, LINE_BYTES_MAX, framer_named
from gateway.framing.tnc2 import Tnc2
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

LINE = b"N0CALL-7>APRS,WIDE1-1*:>on \x1c\xff watch"
END = b"\r\n"


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Tnc2()
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


def test_line_of_any_bytes_is_a_frame_that_nothing_proves():
    (frame,), framer = split(LINE + END)

    assert (frame.body, frame.raw, frame.span) == (LINE, LINE, len(LINE + END))
    assert (frame.fault, frame.integrity, framer.held) == (None, Integrity.NONE, 0)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(END, [], id="blank"),
        pytest.param(b"[0.3] " + LINE + END, [Fault.NOISE, None], id="printed before it"),
        pytest.param(b"\x00\xff~~" + LINE + END, [Fault.NOISE, None], id="noise before"),
        pytest.param(b"# a server" + END, [None], id="no packet"),
        pytest.param(b"\x00\xff" + END, [Fault.NOISE], id="nothing that can be read"),
        pytest.param(LINE + b"A" * LINE_BYTES_MAX + END, [Fault.OVERSIZE], id="long"),
    ],
)
def test_line(wire, expected):
    frames, framer = split(wire)

    assert faults(frames) == expected
    assert_accounted(frames, framer, len(wire))


def test_half_a_line_is_refused_when_its_sender_falls_silent():
    _, framer = split(LINE[:25])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    (frame,) = framer.expire(Moment(HALF_SAID_NS))
    assert (frame.fault, frame.raw, framer.held) == (Fault.CUT, LINE[:25], 0)


def test_gap_gives_up_what_was_held():
    frames, framer = split(LINE[:25], LINE + END, gap_at=1)

    assert faults(frames) == [Fault.CUT, None]
    assert_accounted(frames, framer, 25 + len(LINE + END))


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(4)
    flood = dice.randbytes(50_000) + b"A" * 5000
    framer, frames = Tnc2(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= LINE_BYTES_MAX
    after, _ = split(END + LINE + END, framer=framer)

    assert whole(after)[-1] == LINE
    assert_accounted(frames + after, framer, len(flood) + len(END + LINE + END))


@pytest.mark.parametrize("flood", [b"\n", b"A", b"A>", b"A>A,", b"A>A,A" * 100], ids=repr)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = (flood * (1000 // len(flood)) + b"\n") * 64
    begun = time.perf_counter()
    frames, framer = split(wire)

    assert time.perf_counter() - begun < 1
    assert_accounted(frames, framer, len(wire))


STREAMS = st.lists(
    st.one_of(st.sampled_from([LINE, LINE[:7], END, b"\n"]), st.binary(max_size=12)),
    max_size=20,
).map(b"".join)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_chunking_changes_nothing(stream, cuts):
    """However a stream is cut, the same lines come out, and every byte is counted."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    frames, framer = split(*(stream[a:b] for a, b in pairwise(edges)), END)
    at_once, _ = split(stream + END)

    assert_accounted(frames, framer, len(stream + END))
    assert whole(frames) == whole(at_once)


def test_wrap_is_read_back_by_split():
    assert whole(split(Tnc2.wrap(LINE))[0]) == [LINE]


def test_it_is_found_by_its_name():
    assert framer_named("tnc2") is Tnc2
