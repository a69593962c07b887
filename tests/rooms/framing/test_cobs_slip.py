"""Every byte of a stream comes out once; a packet comes out whole, or with its fault."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.stuffing import stuff_cobs, stuff_slip, unstuff_cobs, unstuff_slip
from gateway.framing import (
    HALF_SAID_NS,
    PACKET_BYTES_MAX,
    STUFFED_BYTES_MAX,
    checked,
    framer_named,
)
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity
from hardware.rig import packed_modem

BODY = b"\x11\x00\x81\xa1t\xc0\xdb"
MARKS = {"cobs": b"\x00", "slip": b"\xc0"}
each = pytest.mark.parametrize("framing", sorted(MARKS))


def split(framing, *pieces, framer=None, gap_at=None):
    framer = framer or framer_named(framing)()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def wrapped(framing, body=BODY):
    return framer_named(framing).wrap(body)


def faults(frames):
    return [frame.fault for frame in frames]


def whole(frames):
    return [frame.body for frame in frames if frame.fault is None]


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


@each
def test_packet_becomes_a_frame_that_its_check_proves(framing):
    frames, framer = split(framing, wrapped(framing))

    (frame,) = frames
    assert (frame.port, frame.heard, frame.ordinal) == ("p", Moment(0), 0)
    assert (frame.body, frame.raw) == (BODY, wrapped(framing)[1:-1])
    assert (frame.fault, frame.integrity) == (None, Integrity.CRC)
    assert_accounted(frames, framer, len(wrapped(framing)))


@each
def test_one_mark_between_two_packets_is_enough(framing):
    wire = wrapped(framing)[1:] + wrapped(framing)[1:]
    frames, framer = split(framing, wire)

    assert whole(frames) == [BODY] * 2
    assert_accounted(frames, framer, len(wire))


@each
def test_on_a_clean_line_there_is_no_noise_however_the_bytes_arrive(framing):
    wire = wrapped(framing) * 3
    frames, framer = split(framing, *(wire[at : at + 1] for at in range(len(wire))))

    assert faults(frames) == [None] * 3
    assert framer.held == 0
    assert framer.expire(Moment(HALF_SAID_NS * 9)) == []


@pytest.mark.parametrize(
    ("framing", "piece", "fault"),
    [
        pytest.param("cobs", b"\x04\x11\x11\x11", Fault.NOISE, id="cobs, too short"),
        pytest.param("slip", b"\x11\x11\x11", Fault.NOISE, id="slip, too short"),
        pytest.param("cobs", b"\x09\x11\x11\x11\x11", Fault.CUT, id="cobs, beyond the end"),
        pytest.param("slip", b"\x11\x11\x11\xdb", Fault.CUT, id="slip, half an escape"),
        pytest.param("slip", b"\x11\xdb\x11\x11", Fault.CUT, id="slip, escape of anything"),
        pytest.param("cobs", b"\x05\x11\x11\x11\x11", Fault.WRONG_CHECKSUM, id="cobs, check"),
        pytest.param("slip", b"\x11\x11\x11\x11", Fault.WRONG_CHECKSUM, id="slip, check"),
        pytest.param("cobs", b"\x01\x01\x01\x02\x11", Fault.WRONG_CHECKSUM, id="cobs, noughts"),
    ],
)
def test_piece_that_is_no_packet_is_kept_with_its_fault(framing, piece, fault):
    mark = MARKS[framing]
    wire = mark + piece + mark + wrapped(framing)
    frames, framer = split(framing, wire)

    assert faults(frames) == [fault, None]
    assert (frames[0].raw, frames[0].integrity) == (piece, Integrity.NONE)
    assert_accounted(frames, framer, len(wire))


@each
def test_nought_behind_a_packet_is_not_overlooked(framing):
    """One bent mark makes such a byte, and a check with the remainder nought would still hold."""
    stuff = {"cobs": stuff_cobs, "slip": stuff_slip}[framing]
    mark = MARKS[framing]
    frames, _ = split(framing, mark + stuff(checked(BODY) + b"\x00") + mark)

    assert faults(frames) == [Fault.WRONG_CHECKSUM]


@each
def test_packet_whose_last_mark_is_lost_is_told_when_its_sender_falls_silent(framing):
    wire = wrapped(framing)[:-1]
    frames, framer = split(framing, wire)

    assert (frames, framer.held) == ([], len(wire))
    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    (frame,) = framer.expire(Moment(HALF_SAID_NS))
    assert (frame.fault, frame.body, frame.span, framer.held) == (None, BODY, len(wire), 0)


@each
def test_half_a_packet_is_refused_when_its_sender_falls_silent(framing):
    wire = wrapped(framing)[:-3]
    _, framer = split(framing, wire)

    (frame,) = framer.expire(Moment(HALF_SAID_NS))
    assert (frame.fault, frame.span, framer.held) == (Fault.CUT, len(wire), 0)
    assert framer.expire(Moment(2 * HALF_SAID_NS)) == []


@each
def test_gap_gives_up_what_was_held(framing):
    """What comes behind a gap is never joined to what stood before it."""
    wire = wrapped(framing)
    frames, framer = split(framing, wire[:7], wire[7:] + wire, gap_at=1)

    assert frames[0].fault is Fault.CUT
    assert whole(frames) == [BODY]
    assert_accounted(frames, framer, 2 * len(wire))


@each
def test_longest_packet_is_read_and_a_longer_one_refused(framing):
    mark, longest = MARKS[framing], b"\x11" * (PACKET_BYTES_MAX - 2)
    wire = wrapped(framing, longest) + wrapped(framing, longest + b"\x11") + mark
    frames, framer = split(framing, wire)

    assert faults(frames) == [None, Fault.OVERSIZE]
    assert frames[0].body == longest
    assert_accounted(frames, framer, len(wire))


@each
@pytest.mark.parametrize("step", [100, 4096, 10**6], ids=["small", "middle", "at once"])
def test_packet_of_a_megabyte_is_refused_at_its_limit_and_the_next_is_read(framing, step):
    wire = b"\x41" * 10**6 + wrapped(framing)
    framer, frames, most = framer_named(framing)(), [], 0
    for at in range(0, len(wire), step):
        frames += framer.split(Chunk("p", Moment(at), wire[at : at + step]))
        most = max(most, framer.held)

    assert whole(frames) == [BODY]
    assert set(faults(frames[:-1])) <= {Fault.OVERSIZE, Fault.CUT, Fault.WRONG_CHECKSUM}
    assert all(len(frame.raw) <= STUFFED_BYTES_MAX for frame in frames)
    assert most <= STUFFED_BYTES_MAX
    assert_accounted(frames, framer, len(wire))


@each
def test_flood_of_garbage_is_counted_held_within_bounds_and_then_forgotten(framing):
    dice = random.Random(4)
    flood = dice.randbytes(100_000) + b"A" * 5000
    framer, frames = framer_named(framing)(), []
    for at in range(0, len(flood), 777):
        frames += framer.split(Chunk("p", Moment(at), flood[at : at + 777]))
        assert framer.held <= STUFFED_BYTES_MAX
    after, _ = split(framing, wrapped(framing), framer=framer)

    assert whole(after)[-1] == BODY
    assert_accounted(frames + after, framer, len(flood) + len(wrapped(framing)))


@each
@pytest.mark.parametrize(
    "flood", [b"\x00", b"\xc0", b"A\x00", b"A\xc0", b"\xff", b"\xdb"], ids=repr
)
def test_flood_of_one_thing_is_walked_in_step_with_its_length(framing, flood):
    """No input of 64 kB, the most a port hands over at once, takes longer than a second."""
    wire = flood * (65_536 // len(flood))
    begun = time.perf_counter()
    frames, framer = split(framing, wire)

    assert time.perf_counter() - begun < 1
    assert_accounted(frames, framer, len(wire))


STREAMS = st.lists(
    st.one_of(
        st.sampled_from([wrapped("cobs"), wrapped("slip"), wrapped("cobs")[:5], b"\0", b"\xc0"]),
        st.binary(max_size=12),
    ),
    max_size=20,
).map(b"".join)


@each
@given(stream=STREAMS, cuts=st.lists(st.integers(0, 300), max_size=12))
def test_chunking_changes_nothing(framing, stream, cuts):
    """However a stream is cut, the same packets come out, and every byte is counted."""
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    frames, framer = split(framing, *pieces, MARKS[framing])
    at_once, _ = split(framing, stream + MARKS[framing])

    assert_accounted(frames, framer, len(stream) + 1)
    assert whole(frames) == whole(at_once)


@given(packet=st.binary(max_size=600) | st.integers(0, 600).map(lambda size: b"\x41" * size))
def test_stuffing_is_taken_back_keeps_its_mark_out_and_another_hand_does_it_alike(packet):
    for mark, stuff, unstuff, other in (
        (0x00, stuff_cobs, unstuff_cobs, packed_modem.cobs),
        (0xC0, stuff_slip, unstuff_slip, packed_modem.slip),
    ):
        assert unstuff(stuff(packet)) == packet
        assert mark not in stuff(packet)
        assert stuff(packet) == other(packet)


@given(stuffed=st.binary(max_size=40))
def test_what_one_hand_refuses_to_unstuff_so_does_the_other(stuffed):
    for mark, unstuff, other in (
        (0x00, unstuff_cobs, packed_modem.uncobs),
        (0xC0, unstuff_slip, packed_modem.unslip),
    ):
        if mark in stuffed:
            assert unstuff(stuffed) is None
            continue
        try:
            expected = other(stuffed)
        except ValueError:
            expected = None

        assert unstuff(stuffed) == expected


@each
@given(body=st.binary(min_size=2, max_size=PACKET_BYTES_MAX - 2))
def test_wrap_is_read_back_by_split(framing, body):
    frames, _ = split(framing, wrapped(framing, body))

    assert whole(frames) == [body]


def test_check_is_that_of_the_catalogue():
    """The check value of CRC-16/GENIBUS is 0xD64E."""
    assert checked(b"123456789")[-2:] == b"\xd6\x4e"
