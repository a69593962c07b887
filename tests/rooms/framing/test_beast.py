"""Every byte of a stream comes out once, and a frame is cut by its type, whatever is in it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import HALF_SAID_NS
from gateway.framing.beast import (
    FRAME_BYTES_MAX,
    GPS_PROVEN_NS,
    NOISE_BYTES_MAX,
    Beast,
)
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

SHORT = b"2" + bytes(6) + b"\x5c" + b"\x5d" * 7
LONG = b"3" + b"\x1a" * 6 + b"\x1a" + b"\x8d" + b"\x1a" * 13
STATE = b"4" + bytes(21)
MODE_AC = b"1" + bytes(9)
RECEIVER = b"\xe3" + bytes(8)
ALL = [SHORT, LONG, STATE, MODE_AC, RECEIVER]
DAY_NS = 86_400 * 10**9


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Beast()
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
    wire = b"".join(map(Beast.wrap, ALL * 2))
    pieces = [wire[at : at + size] for at in range(0, len(wire), size)]
    frames, framer = split(*pieces)

    assert whole(frames) == ALL * 2
    assert {frame.fault for frame in frames} == {None}
    assert {frame.integrity for frame in frames} == {Integrity.NONE}
    assert b"".join(frame.raw for frame in frames) == wire
    assert framer.held == 0


@pytest.mark.parametrize("length", range(2, len(SHORT) + 1))
def test_a_frame_cut_short_costs_only_itself(length):
    wire = Beast.wrap(SHORT)[:length] + Beast.wrap(LONG)
    frames, framer = split(wire)

    assert whole(frames) == [LONG]
    assert frames[0].fault is Fault.CUT
    assert_accounted(frames, framer, len(wire))


@pytest.mark.parametrize("size", [1, 1000])
def test_a_frame_cut_behind_its_escape_costs_only_itself(size):
    wire = Beast.wrap(SHORT) + b"\x1a" + Beast.wrap(LONG)
    frames, framer = split(*(wire[at : at + size] for at in range(0, len(wire), size)))

    assert whole(frames) == [SHORT, LONG]
    assert_accounted(frames, framer, len(wire))


@pytest.mark.parametrize(
    ("before", "faults"),
    [
        pytest.param(b"", [], id="at the start"),
        pytest.param(Beast.wrap(SHORT), [None], id="behind a frame"),
        pytest.param(b"noise" + Beast.wrap(SHORT), [Fault.NOISE, None], id="behind noise, in step"),
        pytest.param(Beast.wrap(SHORT)[:9] + Beast.wrap(SHORT), [Fault.CUT, None], id="cut before"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_a_lone_escape_before_a_frame_is_one_byte_of_noise(before, faults, size):
    wire = before + b"\x1a" + Beast.wrap(LONG)
    frames, framer = split(*(wire[at : at + size] for at in range(0, len(wire), size)))
    found = [frame for frame in frames if frame.fault is not Fault.NOISE or frame.raw == b"\x1a"]

    assert [frame.fault for frame in found] == [
        *(one for one in faults if one is not Fault.NOISE),
        Fault.NOISE,
        None,
    ]
    assert (found[-2].raw, found[-1].body) == (b"\x1a", LONG)
    assert_accounted(frames, framer, len(wire))


def test_two_escapes_out_of_step_are_both_noise_and_begin_nothing():
    """Within a frame that was cut they are one octet of it, whatever follows."""
    wire = b"\x1a\x1a~\x1a\x1a" + Beast.wrap(SHORT)[1:] + Beast.wrap(LONG)
    frames, framer = split(wire)

    assert whole(frames) == [LONG]
    assert_accounted(frames, framer, len(wire))


@pytest.mark.parametrize("type_", [b"1", b"2", b"3", b"4", b"\xe3"])
def test_a_frame_without_its_end_is_cut_up_to_the_escape_of_the_next(type_):
    cut = b"\x1a" + type_ + b"\x1a\x1a12"
    frames, framer = split(cut + Beast.wrap(LONG))

    assert [(frame.fault, frame.raw) for frame in frames] == [
        (Fault.CUT, cut),
        (None, Beast.wrap(LONG)),
    ]
    assert framer.held == 0


def test_what_is_given_up_is_a_fault_unless_it_is_nothing_but_escapes():
    for wire, fault in ((b"\x1a", Fault.NOISE), (b"\x1a\x1a", Fault.NOISE), (b"\x1a3", Fault.CUT)):
        _, framer = split(wire)
        (frame,) = framer.expire(Moment(HALF_SAID_NS))

        assert (frame.fault, frame.raw) == (fault, wire)


def test_a_pair_of_escapes_in_noise_begins_nothing():
    wire = b"noise\x1a\x1a3 goes on" + Beast.wrap(SHORT)
    frames, framer = split(wire)

    assert whole(frames) == [SHORT]
    assert_accounted(frames, framer, len(wire))


def test_two_escapes_that_begin_no_frame_are_noise():
    frames, framer = split(b"\x1a\x1a", b"x")

    assert {frame.fault for frame in frames} == {Fault.NOISE}
    assert_accounted(frames, framer, 3)


def test_a_gap_ends_a_frame():
    frames, framer = split(Beast.wrap(SHORT)[:5], Beast.wrap(SHORT), gap_at=1)

    assert [frame.fault for frame in frames] == [Fault.CUT, None]
    assert framer.held == 0


def test_half_a_frame_is_given_up_after_a_pause():
    _, framer = split(Beast.wrap(LONG)[:9])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    assert [frame.fault for frame in framer.expire(Moment(HALF_SAID_NS))] == [Fault.CUT]
    assert framer.expire(Moment(HALF_SAID_NS * 2)) == []


@given(st.lists(st.binary(max_size=60) | st.sampled_from([Beast.wrap(one) for one in ALL])))
def test_any_bytes_are_counted(pieces):
    frames, framer = split(*pieces)

    assert_accounted(frames, framer, sum(map(len, pieces)))
    assert framer.held <= FRAME_BYTES_MAX


def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten():
    dice = random.Random(1)
    framer = Beast()
    for _ in range(300):
        wire = dice.randbytes(200) + b"\x1a3" + b"\x1a\x1a" * dice.randrange(20)
        before = framer.held
        frames = framer.split(Chunk("p", Moment(0), wire))

        assert before + len(wire) == sum(frame.span for frame in frames) + framer.held
        assert max(len(frame.raw) for frame in frames) <= NOISE_BYTES_MAX
        (bound,) = framer.bounds()
        assert bound.held == framer.held <= bound.limit
    framer.expire(Moment(HALF_SAID_NS))

    assert framer.held == 0


def stamped(of_day_ns):
    seconds, ns = divmod(of_day_ns % DAY_NS, 10**9)
    return Beast.wrap(b"2" + (seconds << 30 | ns).to_bytes(6, "big") + SHORT[7:])


def times(clock, *, utc_ns=20_000 * DAY_NS - 5 * 10**9):
    """Return the receiver's time of each frame, heard a second apart from before midnight on."""
    framer = Beast()
    for second in range(15):
        moment = Moment(second * 10**9, None if utc_ns is None else utc_ns + second * 10**9)
        (frame,) = framer.split(Chunk("p", moment, clock(moment)))
        yield None if frame.tags is None else frame.tags.time_ns


def test_a_clock_by_gps_is_told_once_it_has_agreed_for_long_also_over_midnight():
    found = list(times(lambda moment: stamped(moment.utc_ns - 3_000_000)))
    first = GPS_PROVEN_NS // 10**9

    assert found[:first] == [None] * first
    assert found[first] == 20_000 * DAY_NS + 5 * 10**9 - 3_000_000


@pytest.mark.parametrize("off_ns", [-(10**9), 10**9, 1, 0], ids=str)
def test_a_clock_by_gps_is_exact_up_to_a_second_off(off_ns):
    found = list(times(lambda moment: stamped(moment.utc_ns + off_ns)))
    utc_ns = 20_000 * DAY_NS - 5 * 10**9

    assert found[10:] == [utc_ns + second * 10**9 + off_ns for second in range(10, 15)]


@pytest.mark.parametrize("off_ns", [-(10**9) - 1, 10**9 + 1], ids=str)
def test_a_clock_more_than_a_second_off_is_none_by_gps(off_ns):
    assert set(times(lambda moment: stamped(moment.utc_ns + off_ns))) == {None}


def test_a_clock_that_ceased_to_agree_has_to_prove_itself_again():
    def clock(moment):
        return stamped(moment.utc_ns + (5 * 10**9 if moment.mono_ns == 2 * 10**9 else 0))

    found = list(times(clock))

    assert found[:13] == [None] * 13
    assert None not in found[13:]


def test_a_counter_of_12_mhz_is_no_time_of_day_although_it_passes_it():
    at_ns = DAY_NS - 5 * 10**9
    ticks = (at_ns // 10**9) << 30

    def counter(moment):
        count = ticks + moment.mono_ns * 12 // 1000
        return Beast.wrap(b"2" + count.to_bytes(6, "big") + SHORT[7:])

    assert set(times(counter)) == {None}


def test_without_a_time_of_day_there_is_none_of_the_receiver():
    assert set(times(lambda _: stamped(0), utc_ns=None)) == {None}
