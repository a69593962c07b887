"""Every byte of a stream of symbols comes out once, and a call comes out with its last symbol."""

from __future__ import annotations

import random

import pytest

from gateway.codes.tenbit import LOST, SYMBOLS, bits_in, pair_of, symbol_of, ten_bits
from gateway.framing import HALF_SAID_NS, framer_named
from gateway.framing.symbols import CALL_BYTES_MAX, Symbols
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

PHASING = [125, 111, 125, 110, 125, 109, 125, 108, 125, 107, 125, 106]
END = [127, 1, 49, 2, 127, 127, 127, 49]
CALL = [*PHASING, 112, 105, 112, 104, 36, 112, *END]


def pairs(symbols):
    return b"".join(pair_of(ten_bits(symbol)) for symbol in symbols)


WIRE = pairs(CALL)


def split(*pieces, framer=None, gap_at=None):
    framer = framer or Symbols()
    frames = []
    for at, piece in enumerate(pieces):
        frames += framer.split(Chunk("p", Moment(at), piece, gap=at == gap_at))
    return frames, framer


def whole(frames):
    return [frame.body for frame in frames if frame.fault is None]


def assert_accounted(frames, framer, size):
    """Every byte lies in the span of exactly one frame, or is held."""
    assert sum(frame.span for frame in frames) + framer.held == size


def test_the_framing_is_found_by_its_name():
    assert framer_named("symbols") is Symbols
    assert Symbols.wrap(WIRE) == WIRE


def test_the_code_is_that_of_the_standard():
    """Seven bits, lowest first, and how many of them are 0: worked values of M.493 table A1-1."""
    assert ten_bits(0) == 0b0000000_111
    assert ten_bits(112) == 0b0000111_100
    assert ten_bits(127) == 0b1111111_000
    assert [symbol_of(ten_bits(symbol)) for symbol in range(SYMBOLS)] == list(range(SYMBOLS))


def test_any_one_wrong_bit_is_found():
    bent = [ten_bits(symbol) ^ 1 << bit for symbol in range(SYMBOLS) for bit in range(10)]

    assert not [bits for bits in bent if symbol_of(bits) is not None]
    assert symbol_of(bits_in(LOST)) is None


def test_a_call_is_told_with_its_last_symbol():
    frames, framer = split(WIRE[:-1])
    assert (frames, framer.held) == ([], len(WIRE) - 1)

    (frame,), framer = split(WIRE[-1:], framer=framer)
    assert (frame.body, frame.span, frame.fault) == (WIRE, len(WIRE), None)
    assert (frame.integrity, framer.held) == (Integrity.NONE, 0)


def test_how_the_bytes_arrive_changes_nothing():
    frames, framer = split(*(WIRE[at : at + 1] for at in range(len(WIRE))))

    assert whole(frames) == [WIRE]
    assert_accounted(frames, framer, len(WIRE))


def test_what_follows_directly_is_a_frame_of_its_own():
    more = pairs([100, 127, 12, 127, *END])
    frames, framer = split(WIRE + more)

    assert whole(frames) == [WIRE, more]
    assert_accounted(frames, framer, len(WIRE + more))


@pytest.mark.parametrize("place", [-8, -4, -3, -2])
def test_one_end_of_sequence_may_be_lost(place):
    at = len(WIRE) + 2 * place
    wire = WIRE[:at] + LOST + WIRE[at + 2 :]
    frames, _ = split(wire)

    assert whole(frames) == [wire]


@pytest.mark.parametrize("half", [0, 1])
def test_a_symbol_with_one_half_bent_is_lost_and_keeps_its_place(half):
    wire = bytearray(WIRE)
    wire[20 + half] ^= 0x80
    frames, framer = split(bytes(wire))

    assert whole(frames) == [WIRE[:20] + LOST + WIRE[22:]]
    assert_accounted(frames, framer, len(wire))


def test_noise_ends_a_call_and_is_counted():
    frames, framer = split(b"~~\x80" + WIRE[:20] + b"\r\n" + WIRE)

    assert [frame.fault for frame in frames] == [Fault.NOISE, None, Fault.NOISE, None]
    assert whole(frames) == [WIRE[:20], WIRE]
    assert_accounted(frames, framer, len(WIRE) + 25)


def test_half_a_call_comes_out_when_the_modem_falls_silent():
    _, framer = split(WIRE[:21])

    assert framer.expire(Moment(HALF_SAID_NS - 1)) == []
    frames = framer.expire(Moment(HALF_SAID_NS))
    assert [(frame.fault, frame.span) for frame in frames] == [(None, 20), (Fault.NOISE, 1)]
    assert framer.held == 0
    assert framer.expire(Moment(2 * HALF_SAID_NS)) == []


def test_what_came_before_a_gap_is_no_part_of_what_comes_behind():
    frames, framer = split(WIRE[:20], WIRE, gap_at=1)

    assert whole(frames) == [WIRE[:20], WIRE]
    assert_accounted(frames, framer, len(WIRE) + 20)


def test_flood_of_symbols_is_counted_held_within_bounds_and_then_forgotten():
    framer, dice, size, frames = Symbols(), random.Random(1), 0, []
    for _ in range(200):
        wire = pairs(dice.randrange(100) for _ in range(97))
        size += len(wire)
        frames += framer.split(Chunk("p", Moment(0), wire))
        (bound,) = framer.bounds()
        assert bound.held <= bound.limit == CALL_BYTES_MAX
    frames += framer.expire(Moment(HALF_SAID_NS))

    assert_accounted(frames, framer, size)
    assert framer.held == 0


def test_no_noise_breaks_the_count():
    dice = random.Random(2)
    framer, size, frames = Symbols(), 0, []
    for _ in range(2000):
        wire = dice.randbytes(dice.randrange(1, 40))
        size += len(wire)
        frames += framer.split(Chunk("p", Moment(0), wire, gap=dice.random() < 0.1))

    assert_accounted(frames, framer, size)


def test_noise_before_half_a_symbol_is_told_at_once():
    frames, framer = split(b"~~" + WIRE[:1])

    assert [(frame.fault, frame.raw) for frame in frames] == [(Fault.NOISE, b"~~")]
    assert framer.held == 1


def test_a_bent_first_half_of_a_symbol_costs_only_it_however_the_bytes_arrive():
    bent = WIRE[:20] + bytes((WIRE[20] ^ 0x40,)) + WIRE[21:]
    frames, framer = split(*(bent[at : at + 1] for at in range(len(bent))))

    assert whole(frames) == [WIRE[:20] + LOST + WIRE[22:]]
    assert_accounted(frames, framer, len(bent))


def test_a_call_as_long_as_any_is_told_before_it_grows_further():
    frames, framer = split(pairs([1]) * (CALL_BYTES_MAX // 2) + pairs([1]))

    assert [len(frame.raw) for frame in frames] == [CALL_BYTES_MAX]
    assert framer.held == 2


@pytest.mark.parametrize("lost", range(8))
def test_the_shortest_end_of_a_sequence_ends_it_with_any_one_of_its_signs_lost(lost):
    symbols = [pair_of(ten_bits(symbol)) for symbol in END]
    wire = b"".join(LOST if at == lost else symbol for at, symbol in enumerate(symbols))
    begun = pairs([112]) if lost == 0 else b""
    frames, framer = split(begun + wire)

    assert whole(frames) == [begun + wire]
    assert framer.held == 0
