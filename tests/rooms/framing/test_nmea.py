"""Every byte of a stream comes out once, and only proven sentences come out as proven."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.checksum import nmea_checksum
from gateway.framing import framer_named
from gateway.framing.nmea import SENTENCE_BYTES_MAX, Nmea
from gateway.model.inbound import Chunk, Moment, Tags
from gateway.model.words import Fault, Integrity

RMC = b"$GPRMC,042504.900,A,4012.1002,N,00440.4650,E,0.00,334.28,110321,,,A*6D"
DSC = b"$CDDSC,12,5031105200,,05,00,2380814428,1800,,,R,E*6C"
AIS = b"!AIVDM,1,1,,A,>>QK2khE0U8:1@E=@0,4*52"
END = b"\r\n"


def sentence(body: bytes, start: bytes = b"$") -> bytes:
    return start + body + b"*%02X" % nmea_checksum(body)


def tag(body: bytes) -> bytes:
    return b"\\" + body + b"*%02X\\" % nmea_checksum(body)


def split(*pieces: bytes, framer=None, gap_at=None):
    framer = framer or Nmea()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def faults(frames):
    return [frame.fault for frame in frames]


def whole(frames):
    return [(frame.raw, frame.body, frame.tags) for frame in frames if frame.fault is None]


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


def test_sentence_becomes_a_proven_frame():
    frames, framer = split(RMC + END)

    (frame,) = frames
    assert (frame.port, frame.heard, frame.ordinal) == ("p", Moment(0), 0)
    assert (frame.raw, frame.body) == (RMC, RMC[1:-3])
    assert (frame.fault, frame.integrity, frame.tags) == (None, Integrity.CHECKSUM, None)
    assert frame.span + framer.held == len(RMC + END)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(RMC[:-3], [Fault.NO_CHECKSUM], id="no checksum"),
        pytest.param(RMC[:-2], [Fault.UNREADABLE_CHECKSUM], id="star alone"),
        pytest.param(RMC[:-1], [Fault.UNREADABLE_CHECKSUM], id="one digit"),
        pytest.param(RMC[:-2] + b"XY", [Fault.UNREADABLE_CHECKSUM], id="digits of no number"),
        pytest.param(RMC[:-2] + b"+6", [Fault.UNREADABLE_CHECKSUM], id="a sign is no digit"),
        pytest.param(RMC[:-2] + b"6E", [Fault.WRONG_CHECKSUM], id="wrong"),
        pytest.param(RMC[:-2] + b"6d", [None], id="lower case"),
        pytest.param(sentence(b"GPTXT,\x00"), [Fault.ILLEGAL_CHARACTER], id="NUL"),
        pytest.param(sentence(b"GPTXT,\xff"), [Fault.ILLEGAL_CHARACTER], id="0xFF"),
        pytest.param(sentence("GPTXT,né".encode()), [Fault.ILLEGAL_CHARACTER], id="UTF-8"),
        pytest.param(sentence(b"GPTXT,\r"), [Fault.ILLEGAL_CHARACTER], id="return inside"),
        pytest.param(sentence(b"GPTXT,5$"), [Fault.ILLEGAL_CHARACTER], id="reserved dollar"),
        pytest.param(sentence(b"GPTXT,5!"), [Fault.ILLEGAL_CHARACTER], id="reserved bang"),
        pytest.param(sentence(b"GPTXT,5\\"), [Fault.ILLEGAL_CHARACTER], id="reserved backslash"),
        pytest.param(sentence(b"PGRMT,%n%s%x"), [None], id="percents are only text"),
        pytest.param(b"$", [Fault.NOISE], id="lone start mark"),
        pytest.param(b"$gp,1", [Fault.NOISE], id="no address"),
        pytest.param(b"# a comment", [Fault.NOISE], id="no sentence at all"),
        pytest.param(RMC + DSC, [None, None], id="two glued"),
        pytest.param(RMC[:30] + DSC, [Fault.NO_CHECKSUM, None], id="cut and glued"),
        pytest.param(RMC + RMC + AIS, [None, None, None], id="three glued"),
        pytest.param(b"1550303566167726840 " + AIS, [Fault.NOISE, None], id="time before"),
        pytest.param(AIS + b",raishub,1342569600", [None, Fault.NOISE], id="station behind"),
        pytest.param(
            AIS + b",d-089,S1234,x0,T12.34,r003669930,1325376000",
            [None, Fault.NOISE],
            id="coast guard's fields behind",
        ),
    ],
)
def test_line(wire, expected):
    frames, framer = split(wire + END)

    assert faults(frames) == expected
    assert_accounted(frames, framer, len(wire + END))


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(tag(b"s:rx1,c:1700000000"), Tags("rx1", 1_700_000_000 * 10**9), id="seconds"),
        pytest.param(tag(b"c:1700000000123"), Tags(None, 1_700_000_000_123 * 10**6), id="ms"),
        pytest.param(tag(b"g:1-2-73874,n:5,s:r1"), Tags("r1", None, "1-2-73874"), id="group"),
        pytest.param(tag(b"c:soon,s:,x"), Tags(), id="nothing of use"),
        pytest.param(tag(b"c:" + b"9" * 14), Tags(), id="time beyond all clocks"),
        pytest.param(tag("c:١٢".encode()), Tags(), id="digits of another alphabet"),
        pytest.param(tag(b"s:rx1").lower(), Tags("rx1"), id="checksum in lower case"),
        pytest.param(tag(b"s:host:2000"), Tags("host:2000"), id="value with a colon"),
    ],
)
def test_tag_block_goes_with_its_sentence(wire, expected):
    frames, framer = split(wire + AIS + END)

    (frame,) = frames
    assert (frame.fault, frame.tags) == (None, expected)
    assert (frame.raw, frame.body) == (wire + AIS, AIS[1:-3])
    assert_accounted(frames, framer, len(wire + AIS + END))


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"\\s:rx1*00\\", id="wrong checksum"),
        pytest.param(b"\\s:rx1\\", id="no checksum"),
        pytest.param(b"\\s:rx1*zz\\", id="unreadable checksum"),
        pytest.param(b"\\s:rx1,c:1700000000*", id="no end"),
        pytest.param(tag(b"s:rx1") + b" ", id="not right before the sentence"),
        pytest.param(tag(b"s:rx*1"), id="two asterisks"),
        pytest.param(b"\\s:rx1*%02X\\\\" % nmea_checksum(b"s:rx1"), id="two ends"),
        pytest.param(b"\\s:rx1*%02X" % nmea_checksum(b"s:rx1"), id="no end"),
        pytest.param(tag(b"s:rx1") + END, id="on a line of its own"),
    ],
)
def test_broken_tag_block_costs_only_itself(wire):
    frames, framer = split(wire + AIS + END)

    assert faults(frames) == [Fault.BROKEN_TAG_BLOCK, None]
    assert frames[1].tags is None
    assert_accounted(frames, framer, len(wire + AIS + END))


def test_a_tag_block_before_a_broken_one_is_refused_once():
    wire = tag(b"s:one") + b"\\s:two*00\\" + AIS + END
    frames, framer = split(wire)

    assert faults(frames) == [Fault.BROKEN_TAG_BLOCK, Fault.BROKEN_TAG_BLOCK, None]
    assert (frames[2].raw, frames[2].tags) == (AIS, None)
    assert_accounted(frames, framer, len(wire))


@pytest.mark.parametrize("behind", [b"  ", b"\t", b"XX", b"X"], ids=repr)
def test_what_stands_between_checksum_and_line_end_is_noise(behind):
    frames, _ = split(RMC + behind + END)

    assert faults(frames) == [None, Fault.NOISE]
    assert frames[1].raw.startswith(behind)


@pytest.mark.parametrize("line", [b"  ", b"\t", b"XX"], ids=repr)
def test_a_line_of_anything_but_its_end_is_noise(line):
    frames, framer = split(line + END)

    assert [(frame.fault, frame.span) for frame in frames] == [(Fault.NOISE, len(line + END))]
    assert framer.held == 0


def test_a_sentence_without_a_checksum_says_what_it_says():
    frames, _ = split(RMC[:-3] + END)

    assert [(frame.fault, frame.body) for frame in frames] == [(Fault.NO_CHECKSUM, RMC[1:-3])]


def test_of_two_tag_blocks_the_second_counts():
    frames, framer = split(tag(b"s:one") + tag(b"s:two") + AIS + END)

    assert faults(frames) == [Fault.BROKEN_TAG_BLOCK, None]
    assert frames[1].tags == Tags("two")
    assert_accounted(frames, framer, len(tag(b"s:one") + tag(b"s:two") + AIS + END))


@pytest.mark.parametrize("end", [b"", b"\r", b"\r\xff", b"*$", b"\r$GP"], ids=repr)
@pytest.mark.parametrize("before", [b"", b"\x00\x00", AIS, tag(b"s:rx1")], ids=repr)
def test_sentence_is_told_without_its_line_end(before, end):
    """A call for help is not kept until the next one comes because two bytes were lost."""
    wire = before + DSC + end
    for pieces in ([wire], [before + DSC, end], [wire[at : at + 1] for at in range(len(wire))]):
        frames, framer = split(*pieces)

        assert whole(frames)[-1][1] == DSC[1:-3]
        assert_accounted(frames, framer, len(wire))


def test_next_sentence_is_not_lost_behind_one_without_its_line_end():
    frames, framer = split(DSC + b"\r$G", b"PRMC" + RMC[6:] + b"\r", AIS[:1], AIS[1:])

    assert [frame.raw for frame in frames if frame.fault is None] == [DSC, RMC, AIS]
    assert_accounted(frames, framer, len(DSC + RMC + AIS) + 2)


@pytest.mark.parametrize(
    "tail",
    [b"*6C", b"$*24", b"$CDDSC,12*00", b"$CDDSC*3", b"$CDDSC*", tag(b"s:rx1"), b"no star"],
    ids=["no start", "no address", "wrong", "half", "no digit", "tag block", "text"],
)
def test_what_is_not_proven_waits(tail):
    frames, framer = split(tail)

    assert frames == []
    assert framer.held == len(tail)


def test_line_ends_count_with_the_next_frame():
    """On a clean line there is no noise, however the bytes arrive."""
    wire = (RMC + END) * 2 + b"\n\r\n" + RMC + END
    frames, framer = split(*(wire[at : at + 1] for at in range(len(wire))))

    assert faults(frames) == [None, None, None]
    assert framer.held == len(END)
    assert_accounted(frames, framer, len(wire))


def test_gap_gives_up_what_was_held():
    """What comes behind a gap is never joined to what stood before it."""
    frames, framer = split(RMC[:20], RMC[20:] + END, gap_at=1)

    assert faults(frames) == [Fault.CUT, Fault.NOISE]
    assert_accounted(frames, framer, len(RMC + END))


def test_gap_leaves_nothing_held():
    frames, framer = split(RMC, END, b"", gap_at=2)

    assert faults(frames) == [None, Fault.NOISE]
    assert framer.held == 0
    assert_accounted(frames, framer, len(RMC + END))


def test_gap_with_nothing_held_changes_nothing():
    frames, _ = split(RMC + END, gap_at=0)

    assert faults(frames) == [None]


def test_gap_cuts_a_tag_block():
    frames, framer = split(tag(b"s:rx1"), AIS + END, gap_at=1)

    assert faults(frames) == [Fault.BROKEN_TAG_BLOCK, None]
    assert_accounted(frames, framer, len(tag(b"s:rx1") + AIS + END))


@pytest.mark.parametrize("step", [1000, 4096, 10**7], ids=["small", "middle", "at once"])
def test_sentence_of_a_megabyte_is_refused_at_its_limit(step):
    wire = b"$GPTXT," + b"A" * 10**6 + END
    framer, frames, most = Nmea(), [], 0
    for at in range(0, len(wire), step):
        frames += framer.split(Chunk("p", Moment(at), wire[at : at + step]))
        most = max(most, framer.held)

    assert set(faults(frames)) <= {Fault.OVERSIZE, Fault.NO_CHECKSUM, Fault.NOISE}
    assert frames[0].fault is Fault.OVERSIZE
    assert all(len(frame.raw) <= SENTENCE_BYTES_MAX for frame in frames)
    assert most <= SENTENCE_BYTES_MAX
    assert_accounted(frames, framer, len(wire))


def test_oversize_sentence_is_no_sentence_though_its_checksum_is_right():
    wire = sentence(b"GPTXT," + b"A" * SENTENCE_BYTES_MAX) + END
    frames, framer = split(wire)

    assert faults(frames) == [Fault.OVERSIZE]
    assert_accounted(frames, framer, len(wire))


def test_noise_behind_a_sentence_does_not_make_it_oversize():
    wire = RMC + b"\x80" * 2 * SENTENCE_BYTES_MAX + END
    frames, framer = split(wire)

    assert faults(frames) == [None, Fault.NOISE]
    assert_accounted(frames, framer, len(wire))


@pytest.mark.parametrize("cut", range(len(DSC)))
@pytest.mark.parametrize("size", [SENTENCE_BYTES_MAX - 1, SENTENCE_BYTES_MAX, 3000])
def test_sentence_at_the_end_of_a_flood_is_heard(cut, size):
    """The limit never falls between a start mark and its sentence."""
    frames, framer = split(b"\x80" * size, DSC[:cut], DSC[cut:] + END)

    assert whole(frames) == [(DSC, DSC[1:-3], None)]
    assert_accounted(frames, framer, size + len(DSC + END))


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(4)
    flood = dice.randbytes(200_000)
    framer, frames = Nmea(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= SENTENCE_BYTES_MAX
    after, _ = split(END + RMC + END, framer=framer)

    assert all(frame.fault is not None for frame in frames)
    assert whole(after)[-1][0] == RMC
    assert_accounted(frames + after, framer, len(flood) + len(END + RMC + END))


@pytest.mark.parametrize(
    "flood",
    [b"\n", b"\r", b"$", b"$AAA", b"\\s:", b"*", b"\x00", b"$AAA,*00"],
    ids=["lines", "returns", "starts", "addresses", "tags", "stars", "NUL", "sentences"],
)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = flood * (65_536 // len(flood))
    begun = time.perf_counter()
    frames, framer = split(wire)

    assert time.perf_counter() - begun < 1
    assert not whole(frames)
    assert_accounted(frames, framer, len(wire))


TOKENS = st.sampled_from(
    [
        *(RMC, DSC, AIS, RMC[:-1], AIS[3:], sentence(b"GPTXT,\x00")),
        *(END, b"\n", b"\r", b"$", b"!", b"\\", b"*", b",x", b"\x00\xff"),
        *(tag(b"s:rx1,c:1700000000"), b"\\s:rx1*5A\\"),
    ]
)
STREAMS = st.lists(st.one_of(TOKENS, st.binary(max_size=12)), max_size=20).map(b"".join)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 400), max_size=12))
def test_chunking_changes_nothing(stream, cuts):
    """However a stream is cut, the same proven sentences come out, and every byte is counted."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    frames, framer = split(*pieces, END)
    at_once, _ = split(stream + END)

    assert_accounted(frames, framer, len(stream + END))
    assert whole(frames) == whole(at_once)
    for piece_of in {frame.heard for frame in frames}:
        ordinals = [frame.ordinal for frame in frames if frame.heard == piece_of]
        assert ordinals == list(range(len(ordinals)))


@given(stream=st.binary(max_size=4000), cuts=st.lists(st.integers(0, 4000), max_size=8))
def test_any_bytes_are_counted(stream, cuts):
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    frames, framer = split(*pieces)

    assert framer.held <= SENTENCE_BYTES_MAX + stream.count(b"\n") + stream.count(b"\r")
    assert_accounted(frames, framer, len(stream))


@given(st.binary(min_size=3, max_size=60).map(lambda b: b"GPT" + b))
def test_wrap_is_read_back_by_split(text):
    body = bytes(byte for byte in text if 0x20 <= byte < 0x7F and byte not in b"$!\\*")
    frames, _ = split(Nmea.wrap(b"$" + body))

    assert [frame.body for frame in frames] == [body]
    assert frames[0].fault is None


def test_each_framing_is_found_by_its_name():
    assert framer_named("nmea") is Nmea
