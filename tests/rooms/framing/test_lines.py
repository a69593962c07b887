"""Every byte of a stream comes out once, and only a line with its end comes out as a line."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import HALF_SAID_NS, LINE_BYTES_MAX, framer_named
from gateway.framing.lines import Lines
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

LINE = b"FFFE2F8E3E0425A8318074FE44B735CD7B46"
END = b"\r\n"


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Lines()
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


def test_line_becomes_a_frame_that_nothing_proves():
    frames, framer = split(LINE + END)

    (frame,) = frames
    assert (frame.port, frame.heard, frame.ordinal) == ("p", Moment(0), 0)
    assert (frame.raw, frame.body) == (LINE, LINE)
    assert (frame.fault, frame.integrity) == (None, Integrity.NONE)
    assert_accounted(frames, framer, len(LINE + END))


def test_on_a_clean_line_there_is_no_noise_however_the_bytes_arrive():
    wire = (LINE + END) * 3
    frames, framer = split(*(wire[at : at + 1] for at in range(len(wire))))

    assert faults(frames) == [None] * 3
    assert framer.held == 1
    assert faults(framer.expire(Moment(HALF_SAID_NS * 2))) == [Fault.NOISE]
    assert framer.held == 0


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r\n"], ids=repr)
def test_any_line_end_is_one(end):
    frames, framer = split(b"A" + end + b"B" + end)

    assert whole(frames) == [b"A", b"B"]
    assert_accounted(frames, framer, len(b"AB" + end + end))


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(END, [], id="blank"),
        pytest.param(END + LINE + END + END, [None], id="between blanks"),
        pytest.param(b"\x00\xff" + LINE + END, [Fault.NOISE, None], id="noise before"),
        pytest.param(LINE + END + b"\x80", [None, Fault.NOISE], id="noise behind"),
        pytest.param(
            LINE[:9] + b"\x80" + LINE[10:] + END,
            [Fault.ILLEGAL_CHARACTER, Fault.NOISE, None],
            id="a byte bent",
        ),
        pytest.param(LINE + b"\x80" + END, [Fault.ILLEGAL_CHARACTER, Fault.NOISE]),
        pytest.param("né".encode() + END, [Fault.ILLEGAL_CHARACTER, Fault.NOISE]),
        pytest.param(b"A\tB" + END, [Fault.ILLEGAL_CHARACTER, Fault.NOISE, None], id="tab"),
    ],
)
def test_line(wire, expected):
    frames, framer = split(wire)

    assert faults(frames) == expected
    assert_accounted(frames, framer, len(wire))


def test_line_waits_for_its_end():
    """Half a number is another number."""
    frames, framer = split(LINE)

    assert (frames, framer.held) == ([], len(LINE))


def test_half_a_line_is_refused_when_its_sender_falls_silent():
    _, framer = split(LINE[:9])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    (frame,) = framer.expire(Moment(HALF_SAID_NS))
    assert (frame.fault, frame.raw, frame.span, framer.held) == (Fault.CUT, LINE[:9], 9, 0)
    assert framer.expire(Moment(2 * HALF_SAID_NS)) == []


def test_gap_gives_up_what_was_held():
    """What comes behind a gap is never joined to what stood before it."""
    frames, framer = split(LINE[:9], LINE[9:] + END, gap_at=1)

    assert faults(frames) == [Fault.CUT, None]
    assert_accounted(frames, framer, len(LINE + END))


def test_gap_with_nothing_held_changes_nothing():
    frames, _ = split(LINE + END, gap_at=0)

    assert faults(frames) == [None]


@pytest.mark.parametrize("step", [100, 4096, 10**6], ids=["small", "middle", "at once"])
def test_line_of_a_megabyte_is_refused_at_its_limit(step):
    wire = b"A" * 10**6 + END
    framer, frames, most = Lines(), [], 0
    for at in range(0, len(wire), step):
        frames += framer.split(Chunk("p", Moment(at), wire[at : at + step]))
        most = max(most, framer.held)

    assert set(faults(frames)) == {Fault.OVERSIZE}
    assert all(len(frame.raw) <= LINE_BYTES_MAX for frame in frames)
    assert most <= LINE_BYTES_MAX
    assert_accounted(frames, framer, len(wire))


def test_rest_of_a_line_given_up_is_no_line_and_the_next_one_is():
    frames, framer = split(b"A" * LINE_BYTES_MAX, b"AA", LINE + END + LINE + END)

    assert faults(frames) == [Fault.OVERSIZE, Fault.OVERSIZE, None]
    assert_accounted(frames, framer, LINE_BYTES_MAX + 2 + 2 * len(LINE + END))


def test_noise_behind_a_line_given_up_ends_it():
    frames, _ = split(b"A" * (LINE_BYTES_MAX + 1), b"A\x80" + LINE + END)

    assert faults(frames) == [Fault.OVERSIZE, Fault.ILLEGAL_CHARACTER, Fault.NOISE, None]
    assert faults(split(b"A" * (LINE_BYTES_MAX + 1), b"\x80" + LINE + END)[0])[-1] is None


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(4)
    flood = dice.randbytes(100_000) + b"A" * 5000
    framer, frames = Lines(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= LINE_BYTES_MAX
    after, _ = split(END + LINE + END, framer=framer)

    assert whole(after)[-1] == LINE
    assert_accounted(frames + after, framer, len(flood) + len(END + LINE + END))


@pytest.mark.parametrize("flood", [b"\n", b"\r\x00", b"A", b"A\x00", b"\xff"], ids=repr)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = flood * (65_536 // len(flood))
    begun = time.perf_counter()
    frames, framer = split(wire)

    assert time.perf_counter() - begun < 1
    assert_accounted(frames, framer, len(wire))


STREAMS = st.lists(
    st.one_of(st.sampled_from([LINE, LINE[:7], END, b"\n", b"\x80"]), st.binary(max_size=12)),
    max_size=20,
).map(b"".join)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_chunking_changes_nothing(stream, cuts):
    """However a stream is cut, the same lines come out, and every byte is counted."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    frames, framer = split(*pieces, END)
    at_once, _ = split(stream + END)

    assert_accounted(frames, framer, len(stream + END))
    assert whole(frames) == whole(at_once)
    for piece_of in {frame.heard for frame in frames}:
        ordinals = [frame.ordinal for frame in frames if frame.heard == piece_of]
        assert ordinals == list(range(len(ordinals)))


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1))
def test_wrap_is_read_back_by_split(text):
    frames, _ = split(Lines.wrap(text.encode()))

    assert whole(frames) == [text.encode()]


def test_it_is_found_by_its_name():
    assert framer_named("lines") is Lines
