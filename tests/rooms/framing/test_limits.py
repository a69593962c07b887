"""What every way of cutting a stream promises at the limits of length, silence and waiting."""

from __future__ import annotations

import pytest

from gateway.codes.stuffing import stuff_cobs, stuff_slip
from gateway.framing import (
    HALF_SAID_NS,
    LINE_BYTES_MAX,
    PACKET_BYTES_MAX,
    STUFFED_BYTES_MAX,
    avr,
    beast,
    checked,
    framer_named,
    kiss,
    meshtastic,
    nmea,
    symbols,
)
from gateway.model.inbound import Chunk, Moment
from gateway.model.words import Fault, Integrity

SENTENCE = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E"
CALL = bytes.fromhex("9fd3 97d8 88c1") * 3
GOOD = {
    "avr": b"8D4840D6202CC371C32CE0576098",
    "beast": b"2" + bytes(6) + b"\x5c" + b"\x5d" * 7,
    "cobs": b"\x11\x00\x81\xa1t\xc0\xdb",
    "kiss": b"\x00packet",
    "lines": b"FFFE2F8E3E0425A8318074FE44B735CD7B46",
    "meshtastic": b"\x0a\x09\x08\x01\x10\x02\x18\x03\x20\x04\x28",
    "nmea": SENTENCE,
    "slip": b"\x11\x00\x81\xa1t\xc0\xdb",
    "symbols": CALL,
    "tnc2": b"N0CALL>APRS,WIDE1-1*:!4903.50N/07201.75W-",
}
"""A body of each framing."""
WAITS = {
    "avr": ("Avr._tail", "half_avr_bytes", avr.FRAME_BYTES_MAX),
    "beast": ("Beast._tail", "half_beast_bytes", beast.FRAME_BYTES_MAX),
    "cobs": ("Delimited._tail", "half_packet_bytes", STUFFED_BYTES_MAX),
    "kiss": ("Kiss._tail", "half_frame_bytes", kiss.FRAME_BYTES_MAX),
    "lines": ("Lines._tail", "half_line_bytes", LINE_BYTES_MAX),
    "meshtastic": ("Meshtastic._tail", "half_mesh_packet_bytes", meshtastic.PACKET_BYTES_MAX),
    "nmea": ("Nmea._tail", "half_sentence_bytes", nmea.SENTENCE_BYTES_MAX),
    "slip": ("Delimited._tail", "half_packet_bytes", STUFFED_BYTES_MAX),
    "symbols": ("Symbols._raw", "half_call_bytes", symbols.CALL_BYTES_MAX),
    "tnc2": ("Tnc2._tail", "half_line_bytes", LINE_BYTES_MAX),
}
"""Where each keeps what waits, as the status calls it, and how much of it at the most."""
LONG_AFTER_NS = 5_000 * 10**9
each = pytest.mark.parametrize("name", sorted(GOOD))


def fed(framer, *pieces, at_ns=LONG_AFTER_NS):
    return [frame for one in pieces for frame in framer.split(Chunk("p", Moment(at_ns), one))]


def whole(frames):
    return [frame.body for frame in frames if frame.fault is None]


def body_of(name):
    """Return what a frame says: a sentence without its start mark."""
    return GOOD[name].removeprefix(b"$")


def half_of(name):
    """Return a message of which the end is missing."""
    wire = framer_named(name).wrap(GOOD[name]).rstrip(b"\r\n")
    return wire[: len(wire) // 2]


@each
def test_a_new_framer_holds_nothing_and_has_nothing_to_give_up(name):
    framer = framer_named(name)()

    assert framer.held == 0
    assert framer.expire(Moment(LONG_AFTER_NS)) == []


@each
def test_what_waits_is_told_by_its_name_with_its_limit(name):
    framer = framer_named(name)()
    fed(framer, half_of(name))
    (bound,) = framer.bounds()

    assert (bound.of, bound.what, bound.limit) == WAITS[name]
    assert 0 < bound.held == len(getattr(framer, bound.of.partition(".")[2]))
    assert bound.held <= framer.held
    assert bound.rule


@each
def test_half_a_message_waits_two_seconds_and_no_longer(name):
    framer = framer_named(name)()
    fed(framer, half_of(name))
    held = framer.held

    assert framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS - 1)) == []
    assert framer.held == held > 0
    frames = framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS))
    assert sum(frame.span for frame in frames) == held
    assert framer.held == 0
    assert framer.expire(Moment(LONG_AFTER_NS + 9 * HALF_SAID_NS)) == []


@each
def test_a_message_behind_a_half_one_is_whole_however_long_the_silence_was(name):
    framer = framer_named(name)()
    fed(framer, half_of(name))
    framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS))
    late_ns = LONG_AFTER_NS + 2 * HALF_SAID_NS
    frames = fed(framer, framer_named(name).wrap(GOOD[name]), at_ns=late_ns)
    frames += framer.expire(Moment(late_ns + HALF_SAID_NS))

    assert whole(frames) == [body_of(name)]


def longest(name):
    """Return a message that is as long as any, and one that is a byte longer, each on the wire."""
    wrap = framer_named(name).wrap
    sizes = {
        "avr": lambda more: b"*" + b"A" * (avr.FRAME_BYTES_MAX - 2 + more) + b";",
        "cobs": lambda more: wrap(b"A" * (PACKET_BYTES_MAX - 2 + more)),
        "kiss": lambda more: wrap(b"\x00" + b"A" * (kiss.FRAME_BYTES_MAX - 1 + more)),
        "lines": lambda more: wrap(b"A" * (LINE_BYTES_MAX + more)),
        "nmea": lambda more: wrap(SENTENCE + b"A" * (1024 - len(SENTENCE) - 3 + more)),
        "slip": lambda more: wrap(b"A" * (PACKET_BYTES_MAX - 2 + more)),
        "tnc2": lambda more: wrap(b"A>B:" + b"A" * (LINE_BYTES_MAX - 4 + more)),
    }
    return sizes[name](0), sizes[name](1)


@pytest.mark.parametrize("name", ["avr", "cobs", "kiss", "lines", "nmea", "slip", "tnc2"])
@pytest.mark.parametrize("size", [1, 10_000])
def test_the_longest_message_is_whole_and_one_byte_more_is_refused(name, size):
    """What is refused takes nothing with it that comes behind it."""
    for wire, faults in zip(longest(name), ([None], [Fault.OVERSIZE]), strict=True):
        framer = framer_named(name)()
        frames = fed(framer, *(wire[at : at + size] for at in range(0, len(wire), size)))
        refused = {frame.fault for frame in frames} - {Fault.NOISE}

        assert refused == set(faults)
        assert sum(frame.span for frame in frames) + framer.held == len(wire)
        behind = fed(framer, framer_named(name).wrap(GOOD[name]))
        assert whole(behind) == [body_of(name)]


def test_the_longest_mesh_packet_is_whole_and_one_byte_more_is_refused():
    for more, count in ((0, 1), (1, 0)):
        size = meshtastic.MESSAGE_BYTES_MAX + more
        message = b"\x0a" + bytes((size - 3 & 0x7F | 0x80, size - 3 >> 7)) + b"A" * (size - 3)
        frames = fed(meshtastic.Meshtastic(), meshtastic.Meshtastic.wrap(message))

        assert len(whole(frames)) == count


@pytest.mark.parametrize(("name", "stuff"), [("cobs", stuff_cobs), ("slip", stuff_slip)])
def test_the_rest_of_a_refused_packet_is_no_packet_of_its_own(name, stuff):
    framer = framer_named(name)()
    mark = framer.wrap(b"")[:1]
    packet = stuff(checked(GOOD[name]))
    frames = fed(framer, b"\x01" * STUFFED_BYTES_MAX, b"\x01", packet + mark, packet + mark)

    assert [frame.fault for frame in frames] == [Fault.OVERSIZE, Fault.OVERSIZE, None]


@pytest.mark.parametrize("name", ["cobs", "slip"])
def test_a_packet_whose_mark_never_came_is_told_after_a_pause_and_is_proven(name):
    framer = framer_named(name)()
    fed(framer, framer.wrap(GOOD[name])[:-1])
    (frame,) = framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS))

    assert (frame.body, frame.fault, frame.integrity) == (GOOD[name], None, Integrity.CRC)


@pytest.mark.parametrize("name", ["lines", "tnc2"])
def test_the_rest_of_a_refused_line_is_no_line_of_its_own(name):
    framer = framer_named(name)()
    wire = framer.wrap(GOOD[name])
    frames = fed(framer, b"A" * (LINE_BYTES_MAX + 1), wire, wire)

    assert {frame.fault for frame in frames[:-1]} == {Fault.OVERSIZE}
    assert (frames[-1].fault, frames[-1].body) == (None, GOOD[name])


@pytest.mark.parametrize("noise", [b"\x80", b"A\x80"], ids=["noise", "broken by noise"])
def test_a_refused_line_ends_where_noise_stands(noise):
    framer = framer_named("lines")()
    wire = framer.wrap(GOOD["lines"])
    frames = fed(framer, b"A" * (LINE_BYTES_MAX + 1), noise + wire)

    assert whole(frames) == [GOOD["lines"]]


def test_what_is_kept_of_noise_has_a_limit_and_its_span_none():
    framer = framer_named("avr")()
    for size in (avr.NOISE_BYTES_MAX, avr.NOISE_BYTES_MAX + 1):
        (frame,) = fed(framer, b"~" * size)

        assert frame.span == size
        assert len(frame.raw) == avr.NOISE_BYTES_MAX


@pytest.mark.parametrize("name", ["cobs", "slip"])
def test_a_packet_with_a_wrong_check_is_shown_as_it_stood_on_the_wire(name):
    framer = framer_named(name)()
    wire = framer.wrap(GOOD[name])
    bent = wire[:4] + bytes((wire[4] ^ 1,)) + wire[5:]
    (frame,) = fed(framer, bent)

    assert (frame.fault, frame.integrity) == (Fault.WRONG_CHECKSUM, Integrity.NONE)
    assert frame.body == frame.raw == bent[1:-1]


@pytest.mark.parametrize(("name", "least"), [("cobs", 5), ("slip", 4)])
def test_what_is_shorter_than_any_packet_is_noise_when_it_is_given_up(name, least):
    for size, fault in ((least - 1, Fault.NOISE), (least, Fault.CUT)):
        framer = framer_named(name)()
        fed(framer, b"\x02" * size)
        (frame,) = framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS))

        assert (frame.fault, frame.span) == (fault, size)


def test_half_a_kiss_frame_is_shown_without_its_escapes():
    framer = kiss.Kiss()
    fed(framer, b"\xc0\x00a\xdb\xdcb")
    (frame,) = framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS))

    assert (frame.fault, frame.raw, frame.body) == (
        Fault.CUT,
        b"\xc0\x00a\xdb\xdcb",
        b"\x00a\xc0b",
    )


@pytest.mark.parametrize(
    ("name", "blank"),
    [
        ("avr", b"\r\n"),
        ("cobs", b"\0\0"),
        ("kiss", b"\xc0\xc0"),
        ("lines", b"\r\n"),
        ("nmea", b"\r\n"),
        ("slip", b"\xc0\xc0"),
        ("tnc2", b"\r\n"),
    ],
)
def test_marks_between_which_nothing_stands_are_counted_after_a_pause(name, blank):
    framer = framer_named(name)()

    assert fed(framer, blank) == []
    assert framer.held == len(blank)
    (frame,) = framer.expire(Moment(LONG_AFTER_NS + HALF_SAID_NS))
    assert (frame.fault, frame.raw, frame.span) == (Fault.NOISE, b"", len(blank))
    assert framer.held == 0
