"""What a packet means: which one calls for help, what is written is read back, nothing fails."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.crc16 import crc16
from gateway.framing.kiss import Kiss
from gateway.model.inbound import Chunk, Moment, Refused, Ruling
from gateway.model.plan import PortPlan, Profile
from gateway.pipeline import hallway
from gateway.radio.aprs.content import write_answer, write_message, write_position
from gateway.radio.aprs.mice import write_mic_e
from gateway.radio.aprs.packet import (
    THIRD_PARTY_MAX,
    AddressError,
    Packet,
    packet_in,
    write_packet,
    write_text,
)
from tests.rooms.spoken import without_notes

NOISE_FRAMES = int(os.environ.get("NOISE_FRAMES", "5000"))
VECTORS = Path(__file__).parents[2] / "vectors/aprs.toml"


def station(framing="kiss"):
    profile = Profile(title="test", radio=("aprs",), framing=framing, proven="test")
    return hallway("test", [PortPlan(name="a", device="tape:x", modem="x", profile=profile)])


def items_of(wire, framing="kiss", pipeline=None):
    return without_notes((pipeline or station(framing)).inbound(Chunk("a", Moment(0), wire)))


def report_of(body, *, to="APRS", checked=False):
    """Return the report of a packet with these contents."""
    frame = write_packet(Packet("N0CALL-7", to, (), body))
    (item,) = items_of(smack(frame) if checked else Kiss.wrap(frame))
    return item.sighting.report


def smack(frame):
    frame = bytes((frame[0] | 0x80,)) + frame[1:]
    found = crc16(frame)
    return Kiss.wrap(frame + bytes((found & 0xFF, found >> 8)))


# ---- Calls for help -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "meaning"),
    [
        ("572XVW", "emergency"),
        ("57LZZZ", "emergency"),
        ("PPPXVW", "off_duty"),
        ("PP0XVW", "en_route"),
        ("00PXVW", "priority"),
        ("AAAXVW", "custom_0"),
        ("00AXVW", "custom_6"),
        ("P0AXVW", "unknown"),
    ],
)
def test_message_bits(to, meaning):
    """APRS 1.0.1 chapter 10: 000 is an emergency, standard and custom bits mixed are nothing."""
    report = report_of(b"`z)Ll\x1c\x1c>/", to=to, checked=True)

    assert report.detail.mic_e.meaning == meaning
    assert (report.kind == "alert") == (meaning == "emergency")
    assert report.confidence == "verified"


@pytest.mark.parametrize("body", [b"` )Ll\x1c\x1c>/", b"`z)L", b"'"], ids=["space", "cut", "bare"])
def test_emergency_without_a_place_that_can_be_is_one(body):
    report = report_of(body, to="572XVW", checked=True)

    assert (report.kind, report.urgency, report.position) == ("alert", "distress", None)
    assert report.confidence == "tentative"


@pytest.mark.parametrize(
    ("body", "to"),
    [
        (b">EMERGENCY at the pier", "APRS"),
        (b"!4903.50N\\07201.75W!", "APRS"),
        (b"!4903.50NE07201.75W!", "APRS"),
        (b">help", "ALERT"),
        (b":EM       :help", "APRS"),
    ],
)
def test_what_may_be_a_call_for_help_is_told_as_one_and_doubted(body, to):
    report = report_of(body, to=to, checked=True)

    assert (report.kind, report.urgency, report.confidence) == ("alert", "distress", "suspect")
    assert report.doubts


@pytest.mark.parametrize("body", [b">no emergency", b"!4903.50N/07201.75W!", b">EMERGENCYS"])
def test_what_is_none_is_told_as_none(body):
    assert report_of(body).urgency == "routine"


def test_object_in_distress_is_the_casualty_and_its_end_a_cancellation():
    alive = report_of(b";CAPSIZED *092345z4903.50N\\07201.75W!")
    over = report_of(b";CAPSIZED _092345z4903.50N\\07201.75W!")

    assert (alive.kind, alive.casualty.name) == ("alert", "CAPSIZED")
    assert (over.kind, over.nature) == ("cancellation", None)


@pytest.mark.parametrize("cut", [0, 2, 7])
def test_broken_emergency_is_told_at_once(cut):
    to, body = write_mic_e(57.5, -4.2, bits="000")
    wire = Kiss.wrap(write_packet(Packet("N0CALL", to, (), body)))
    (item,) = items_of(wire[: -2 - cut] + b"\xdb\xc0")

    assert isinstance(item, Refused)
    assert item.distress_like


# ---- Passed on ----------------------------------------------------------------------------------


def test_packet_is_read_through_gates_and_no_deeper_than_anyone_passes_one_on():
    to, body = write_mic_e(57.5, -4.2, bits="000")
    inner = write_text(Packet("N0CALL", to, (), body))
    told = {}
    for depth in (1, THIRD_PARTY_MAX - 1, THIRD_PARTY_MAX, 200):
        packet = b"}" + b"}".join([b"GATE>APRS,WIDE1-1*:"] * (depth - 1) + [inner])
        told[depth] = report_of(packet, checked=True)

    assert told[1].sender.callsign == "N0CALL"
    assert told[1].kind == told[THIRD_PARTY_MAX].kind == "alert"
    assert told[1].confidence == "tentative"
    assert len(told[200].detail.gates) == THIRD_PARTY_MAX
    assert told[200].kind == "status"


def test_repeated_packet_is_a_copy_of_what_was_heard_first():
    pipeline = station()
    for path in ((), ("WIDE1-1*",)):
        wire = Kiss.wrap(write_packet(Packet("N0CALL", "APRS", path, b">here")))
        (item,) = items_of(wire, pipeline=pipeline)

    assert item.sighting.relation == "copy"


# ---- Written and read back ----------------------------------------------------------------------

PLACES = {"lat_deg": st.floats(-89.9, 89.9), "lon_deg": st.floats(-179.9, 179.9)}


@given(**PLACES, bits=st.sampled_from(["000", "001", "110", "111"]))
def test_mic_e_is_read_back(lat_deg, lon_deg, bits):
    to, body = write_mic_e(lat_deg, lon_deg, bits=bits)
    report = report_of(body, to=to)

    assert report.position.lat_deg == pytest.approx(lat_deg, abs=0.5 / 6000 + 1e-9)
    assert report.position.lon_deg == pytest.approx(lon_deg, abs=0.5 / 6000 + 1e-9)
    assert report.detail.mic_e.bits == bits


@given(**PLACES)
def test_position_is_read_back(lat_deg, lon_deg):
    report = report_of(write_position(lat_deg, lon_deg, comment="ok"))

    assert report.position.lat_deg == pytest.approx(lat_deg, abs=0.5 / 6000 + 1e-9)
    assert report.position.lon_deg == pytest.approx(lon_deg, abs=0.5 / 6000 + 1e-9)
    assert report.text == "ok"


def test_message_and_its_answers_are_read_back():
    said = report_of(write_message("N0BODY-15", "all well", number="7")).detail
    yes, no = (
        report_of(write_answer("N0BODY-15", "7", accepted=it)).detail for it in (True, False)
    )

    assert (said.text, said.exchange.addressee, said.exchange.number) == (
        "all well",
        "N0BODY-15",
        "7",
    )
    assert (yes.exchange.acknowledges, no.exchange.rejects) == ("7", "7")


def test_packet_is_read_back_as_frame_and_as_text():
    packet = Packet("N0CALL-15", "APRS-1", ("WIDE1-1*", "WIDE2"), b"=x\xc0\xdb\x1c", 5)
    without = Packet("N0CALL-15", "APRS-1", ("WIDE1-1*", "WIDE2"), b"=x\xc0\xdb\x1c")

    assert packet_in(write_packet(packet)) == packet
    assert packet_in(write_text(packet)) == without


@pytest.mark.parametrize(
    ("source", "path"),
    [("n0call", ()), ("TOOLONG", ()), ("", ()), ("A-16", ()), ("A-x", ()), ("A", ("B",) * 9)],
)
def test_what_ax25_has_no_place_for_is_not_written(source, path):
    with pytest.raises(AddressError):
        write_packet(Packet(source, "APRS", path, b""))


# ---- Whatever comes -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["any bytes", "a header"])
def test_noise_is_never_a_verified_distress(kind):
    """Any bytes; and behind a right header and the type of Mic-E, which noise hardly makes."""
    dice, pipeline = random.Random(11), station()
    head = write_packet(Packet("N0CALL", "572XVW", (), b"`"))
    told = 0
    for _ in range(NOISE_FRAMES):
        noise = dice.randbytes(dice.randint(1, 40))
        wire = Kiss.wrap(noise if kind == "any bytes" else head + noise)
        for item in items_of(wire, pipeline=pipeline):
            if isinstance(item, Ruling):
                report = item.sighting.report
                told += report.urgency == "distress" and report.confidence == "verified"

    assert told == 0
    assert pipeline.ears["a"].count.decoder_errors == 0
