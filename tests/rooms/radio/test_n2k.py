"""NMEA 2000 over adapters: what the vectors don't hold; parts, doubts, copies, counts."""

from __future__ import annotations

from itertools import zip_longest

import pytest
from n2k_made import (
    CLASS_A,
    DSC_CALL,
    class_a,
    dsc_call,
    n2k_ascii,
    ngt1,
    raw_lines,
)
from pyais import encode_dict

from gateway.model.inbound import Chunk, Moment, Refused, Ruling, Tick
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Integrity, Kind, Nature, Relation, Urgency
from gateway.pipeline import hallway
from gateway.radio.n2k.parts import OPEN_MESSAGES_MAX, SILENCE_NS

CALL = dsc_call(
    112, 112, "200100031", 105, 100, place=(-36.51234, 174.76781), time="0817", fine="74040686"
)
RELAY = dsc_call(
    116, 112, "002001234", 112, 126, place=(50.5, -4.25), casualty="200100031", end=117
)
SART = class_a(970200017, (51.06, 1.391), status=14)
DISTRESS = raw_lines(DSC_CALL, CALL)
WIND, OVERBOARD = 130306, 127233
STEP_NS = 10**6


def port(*, framing="lines", radio="n2k"):
    profile = Profile(title="test", radio=(radio,), framing=framing, proven="test")
    return hallway("test", [PortPlan(name="a", device="tape:x", modem="x", profile=profile)])


def heard(*wires, framing="lines", radio="n2k", step_ns=STEP_NS):
    pipeline, items = port(framing=framing, radio=radio), []
    for at, wire in enumerate(wires):
        sent = wire if isinstance(wire, bytes) else wire.encode() + b"\r\n"
        items += pipeline.inbound(Chunk("a", Moment(at * step_ns), sent))
    items += pipeline.tick(Tick(Moment(len(wires) * step_ns + 10**12)))
    count = pipeline.ears["a"].count
    assert count.decoder_errors == 0
    assert count.bytes_in == count.bytes_decoded + count.bytes_refused + count.bytes_noise
    return items


def reports(items):
    return [item.sighting.report for item in items if isinstance(item, Ruling)]


@pytest.mark.parametrize("lost", range(len(DISTRESS)))
def test_a_distress_with_a_part_lost_is_told_once_and_never_guessed_at(lost):
    items = heard(*DISTRESS[:lost], *DISTRESS[lost + 1 :])

    assert reports(items) == []
    assert any(item.distress_like for item in items if isinstance(item, Refused))
    if lost:
        assert sum(item.distress_like for item in items if isinstance(item, Refused)) == 1


def test_parts_of_several_sources_and_sequences_do_not_mix():
    other = raw_lines(DSC_CALL, RELAY, source=4, sequence=1)
    third = raw_lines(CLASS_A, SART, sequence=1)
    mixed = [wire for three in zip_longest(DISTRESS, other, third) for wire in three]
    found = reports(heard(*filter(None, mixed)))

    assert {(report.system, report.kind) for report in found} == {
        ("dsc", Kind.ALERT),
        ("dsc", Kind.RELAY),
        ("ais", Kind.ALERT),
    }


def test_parts_out_of_order_or_of_the_message_before_make_none():
    swapped = [DISTRESS[0], DISTRESS[2], DISTRESS[1], *DISTRESS[3:]]

    assert reports(heard(*swapped)) == []
    assert len(reports(heard(*DISTRESS[:3], *DISTRESS))) == 1


def test_a_message_waits_for_its_next_part_no_longer_than_a_silence():
    assert len(reports(heard(*DISTRESS, step_ns=SILENCE_NS))) == 1
    assert reports(heard(*DISTRESS, step_ns=SILENCE_NS + 1)) == []


def test_a_part_that_is_too_short_or_a_length_that_can_not_be_ends_the_message():
    short = [*DISTRESS[:2], DISTRESS[2][:-3], *DISTRESS[3:]]
    empty = DISTRESS[0].replace(" 00 53 ", " 00 00 ")

    assert reports(heard(*short)) == []
    assert heard(empty)[0].distress_like


def test_waiting_messages_are_bounded_and_the_oldest_is_told():
    firsts = [
        raw_lines(DSC_CALL, CALL, source=source)[0] for source in range(OPEN_MESSAGES_MAX + 1)
    ]
    pipeline, items = port(), []
    for at, wire in enumerate(firsts):
        items += pipeline.inbound(Chunk("a", Moment(at), wire.encode() + b"\r\n"))
    held = [bound for bound in pipeline.bounds() if bound.of == "FastPackets._open"]

    assert [item.reason.rpartition(": ")[2] for item in items] == ["too many messages wait"]
    assert items[0].distress_like
    assert [(bound.held, bound.evicted) for bound in held] == [(OPEN_MESSAGES_MAX, 1)]


def test_what_the_bus_tells_is_a_copy_of_what_a_radio_tells_over_nmea_0183():
    plans = [
        PortPlan(
            name=name,
            device="tape:x",
            modem="x",
            profile=Profile(title="t", radio=(radio,), framing=framing, proven="t"),
        )
        for name, radio, framing in (("a", "ais", "nmea"), ("b", "n2k", "actisense"))
    ]
    pipeline = hallway("test", plans)
    place = (43.0530017, 10.0111667)
    moving = {"course_deg": 28.0, "speed_kn": 16.8, "heading_deg": 27.0, "turn": 0}
    ship = class_a(200100033, place, status=0, repeat=3, second=38, **moving)
    stated = {"msg_type": 1, "repeat": 3, "mmsi": 200100033, "status": 0, "turn": 0, "second": 38}
    stated |= {"lat": 43.0530017, "lon": 10.0111667, "speed": 16.8, "course": 28.0, "heading": 27}
    stated |= {"maneuver": 0}
    (wire,) = encode_dict(stated, talker_id="AI", sentence_type="VDM", radio_channel="A")
    (first,) = pipeline.inbound(Chunk("b", Moment(0), ngt1(CLASS_A, ship)))
    (again,) = pipeline.inbound(Chunk("a", Moment(1), wire.encode() + b"\r\n"))

    assert first.sighting.relation is Relation.FIRST
    assert first.sighting.report.integrity is Integrity.CHECKSUM
    assert again.sighting.relation is Relation.COPY


@pytest.mark.parametrize(
    ("at", "octet", "kind", "nature"),
    [
        (7, 112, Kind.RELAY, None),
        (7, 105, Kind.RELAY, Nature.SINKING),
        (7, 110, Kind.RELAY, Nature.MAN_OVERBOARD),
    ],
)
def test_a_call_about_another_says_what_its_one_octet_can_mean(at, octet, kind, nature):
    bent = bytearray(RELAY)
    bent[at] = octet
    (report,) = reports(heard(ngt1(DSC_CALL, bytes(bent)), framing="actisense"))

    assert (report.kind, report.nature) == (kind, nature)
    assert report.urgency is Urgency.DISTRESS


def test_an_acknowledgement_that_may_be_a_relay_says_so():
    bent = bytearray(RELAY)
    bent[7], bent[40] = 110, 127
    (report,) = reports(heard(ngt1(DSC_CALL, bytes(bent)), framing="actisense"))

    assert report.kind is Kind.ACKNOWLEDGEMENT
    assert report.confidence is Confidence.TENTATIVE
    assert any("may be a relay" in doubt for doubt in report.doubts)


def test_a_distress_is_told_however_little_of_it_came():
    for length in range(7, len(CALL)):
        items = heard(ngt1(DSC_CALL, CALL[:length]), framing="actisense")

        assert [report.urgency for report in reports(items)] == [Urgency.DISTRESS]


@pytest.mark.parametrize("casualty", ["", "200100031"])
def test_whoever_calls_and_is_named_as_the_ship_in_distress_has_cancelled_nothing(casualty):
    call = dsc_call(112, 112, "200100031", 101, 100, casualty=casualty)
    (report,) = reports(heard(ngt1(DSC_CALL, call), framing="actisense"))

    assert (report.kind, report.nature) == (Kind.ALERT, Nature.FLOODING)


def test_a_second_call_is_not_put_into_the_first_one():
    """An expansion belongs to the call in its own message, whatever was heard before."""
    plain = bytearray(CALL)
    plain[23:31] = b"\xff\xff\xff\x7f" * 2
    first, second = reports(
        heard(ngt1(DSC_CALL, CALL), ngt1(DSC_CALL, bytes(plain[:62])), framing="actisense")
    )

    assert first.position is not None
    assert second.position is None
    assert second.refines is None


def test_ais_of_no_identity_or_too_short_is_kept_and_told_if_it_may_be_a_call():
    nobody = SART[:1] + b"\xff" * 4 + SART[5:]
    (one,) = heard(ngt1(CLASS_A, nobody), framing="actisense")
    (two,) = heard(ngt1(CLASS_A, SART[:20]), framing="actisense")

    assert one.distress_like
    assert two.distress_like


def test_absent_is_absent_and_a_place_off_the_earth_is_taken_out():
    absent = bytearray(SART)
    absent[5:13] = b"\xff\xff\xff\x7f" * 2
    beyond = bytearray(SART)
    beyond[9:13] = (2 * 10**9).to_bytes(4, "little")
    first, second = reports(
        heard(ngt1(CLASS_A, bytes(absent)), ngt1(CLASS_A, bytes(beyond)), framing="actisense")
    )

    assert first.position is None
    assert second.position is None
    assert "the position stated is not on the Earth" in second.doubts


def test_a_person_overboard_on_the_bus_is_told_at_once_unread():
    """Of group 127233 the number is known, and not what stands in it."""
    (item,) = heard(*raw_lines(OVERBOARD, b"1234567890"))

    assert item.distress_like
    assert item.reason == "group 127233 is not read"


@pytest.mark.parametrize(
    ("wire", "framing"),
    [
        (n2k_ascii(WIND, b"\x01\x02\x03\x04\x05\xfa\xff\xff"), "lines"),
        ("12:00:00.107 R 09FD0205 64 1E 01 C8 F1 FA FF FF", "lines"),
        (ngt1(WIND, b"\x01\x02\x03\x04\x05\xfa\xff\xff"), "actisense"),
    ],
)
def test_each_of_the_other_groups_is_counted_once_and_not_kept(wire, framing):
    pipeline = port(framing=framing)
    sent = wire if isinstance(wire, bytes) else wire.encode() + b"\r\n"
    items = [found for at in range(3) for found in pipeline.inbound(Chunk("a", Moment(at), sent))]
    count = pipeline.ears["a"].count

    assert items == []
    assert (count.frames, count.unread, count.refused, count.reports) == (3, 3, 0, 0)


@pytest.mark.parametrize(
    ("wire", "framing"),
    [
        ("17:33:21.107 R 11FB1003 00 5", "lines"),
        ("A104607.912 03FF4 1FB10 707", "lines"),
        (ngt1(DSC_CALL, CALL)[:-4], "actisense"),
    ],
)
def test_the_remains_of_a_call_are_told_at_once(wire, framing):
    assert [item.distress_like for item in heard(wire, framing=framing)] == [True]
