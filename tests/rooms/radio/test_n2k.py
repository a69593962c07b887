"""NMEA 2000 over adapters: what the vectors don't hold; parts, doubts, copies, noise."""

from __future__ import annotations

import random
import time
import tomllib
from itertools import zip_longest
from pathlib import Path

import pytest
from pyais import encode_dict

from gateway.framing.actisense import Actisense
from gateway.model.inbound import Chunk, Moment, Refused, Ruling, Tick
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Integrity, Kind, Nature, Relation, Urgency
from gateway.pipeline import hallway
from gateway.radio.n2k.parts import OPEN_MESSAGES_MAX, SILENCE_NS

VECTORS = tomllib.loads((Path(__file__).parents[2] / "vectors/n2k.toml").read_text("utf-8"))
ROWS = {row["name"]: row for row in VECTORS["vector"]}
DISTRESS = ROWS["distress"]["wire"]
BINARY = [bytes.fromhex(row["wire_hex"][0]) for row in ROWS.values() if "wire_hex" in row]
CALL = bytes.fromhex(ROWS["distress-in-one-line"]["wire"][0].split()[-1])
RELAY = bytes.fromhex(ROWS["distress-relay"]["wire"][0].split()[-1])
CLASS_A = bytes.fromhex(ROWS["ais-sart-active"]["wire"][0].split()[-1])
DSC, SHIP, WIND = 129808, 129038, 130306
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


def line(pgn, octets):
    return f"A104607.912 03FF4 {pgn:05X} {octets.hex().upper()}"


def binary_of(pgn, octets):
    header = bytes([4]) + pgn.to_bytes(3, "little") + bytes([255, 3]) + bytes(4)
    inner = header + bytes([len(octets)]) + octets
    return Actisense.wrap(bytes([0x93, len(inner)]) + inner)


def parts(octets, *, pgn=DSC, source=3, sequence=0):
    """Return the RAW lines of one fast packet."""
    cut = [octets[:6], *(octets[at : at + 7].ljust(7, b"\xff") for at in range(6, len(octets), 7))]
    heads = [
        bytes([sequence << 5, len(octets)]),
        *(bytes([sequence << 5 | n]) for n in range(1, 32)),
    ]
    identifier = 4 << 26 | pgn << 8 | source
    return [
        f"10:46:07.912 R {identifier:08X} {(head + body).hex(' ').upper()}"
        for head, body in zip(heads, cut, strict=False)
    ]


@pytest.mark.parametrize("lost", range(len(DISTRESS)))
def test_a_distress_with_a_part_lost_is_told_once_and_never_guessed_at(lost):
    items = heard(*DISTRESS[:lost], *DISTRESS[lost + 1 :])

    assert reports(items) == []
    assert any(item.distress_like for item in items if isinstance(item, Refused))
    if lost:
        assert sum(item.distress_like for item in items if isinstance(item, Refused)) == 1


def test_parts_of_several_sources_and_sequences_do_not_mix():
    other = parts(RELAY, source=4, sequence=1)
    third = parts(CLASS_A, pgn=SHIP, sequence=1)
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
    firsts = [parts(CALL, source=source)[0] for source in range(OPEN_MESSAGES_MAX + 1)]
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
    ship = bytes.fromhex(ROWS["ais-class-a"]["wire"][0].split()[-1])
    stated = {"msg_type": 1, "repeat": 1, "mmsi": 235012345, "status": 0, "turn": 0, "second": 38}
    stated |= {"lat": 50.3456783, "lon": -4.1234567, "speed": 16.8, "course": 28.0, "heading": 27}
    stated |= {"accuracy": True, "maneuver": 0}
    (wire,) = encode_dict(stated, talker_id="AI", sentence_type="VDM", radio_channel="A")
    first, *_ = pipeline.inbound(Chunk("b", Moment(0), binary_of(SHIP, ship)))
    again, *_ = pipeline.inbound(Chunk("a", Moment(1), wire.encode() + b"\r\n"))

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
    (report,) = reports(heard(binary_of(DSC, bytes(bent)), framing="actisense"))

    assert (report.kind, report.nature) == (kind, nature)
    assert report.urgency is Urgency.DISTRESS


def test_an_acknowledgement_that_may_be_a_relay_says_so():
    bent = bytearray(RELAY)
    bent[7], bent[40] = 110, 127
    (report,) = reports(heard(binary_of(DSC, bytes(bent)), framing="actisense"))

    assert report.kind is Kind.ACKNOWLEDGEMENT
    assert report.confidence is Confidence.TENTATIVE
    assert any("may be a relay" in doubt for doubt in report.doubts)


def test_a_distress_is_told_however_little_of_it_came():
    for length in range(7, len(CALL)):
        items = heard(binary_of(DSC, CALL[:length]), framing="actisense")

        assert [report.urgency for report in reports(items)] == [Urgency.DISTRESS]


def test_a_second_call_is_not_put_into_the_first_one():
    """An expansion belongs to the call in its own message, whatever was heard before."""
    plain = bytearray(CALL)
    plain[39:47] = b"\xff\xff\xff\x7f" * 2
    first, second = reports(
        heard(binary_of(DSC, CALL), binary_of(DSC, bytes(plain[:60])), framing="actisense")
    )

    assert first.position is not None
    assert second.position is None
    assert second.refines is None


def test_ais_of_no_identity_or_too_short_is_kept_and_told_if_it_may_be_a_call():
    nobody = CLASS_A[:1] + b"\xff" * 4 + CLASS_A[5:]
    (one,) = heard(binary_of(SHIP, nobody), framing="actisense")
    (two,) = heard(binary_of(SHIP, CLASS_A[:20]), framing="actisense")

    assert one.distress_like
    assert two.distress_like


def test_absent_is_absent_and_a_place_off_the_earth_is_taken_out():
    absent = bytearray(CLASS_A)
    absent[5:13] = b"\xff\xff\xff\x7f" * 2
    beyond = bytearray(CLASS_A)
    beyond[9:13] = (2 * 10**9).to_bytes(4, "little")
    first, second = reports(
        heard(binary_of(SHIP, bytes(absent)), binary_of(SHIP, bytes(beyond)), framing="actisense")
    )

    assert first.position is None
    assert second.position is None
    assert "the position stated is not on the Earth" in second.doubts


@pytest.mark.parametrize(
    ("wire", "framing"),
    [
        (line(WIND, b"\x01\x02\x03\x04\x05\xfa\xff\xff"), "lines"),
        ("12:00:00.107 R 09FD0205 64 1E 01 C8 F1 FA FF FF", "lines"),
        (binary_of(WIND, b"\x01\x02\x03\x04\x05\xfa\xff\xff"), "actisense"),
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
        (binary_of(DSC, CALL)[:-4], "actisense"),
    ],
)
def test_the_remains_of_a_call_are_told_at_once(wire, framing):
    assert [item.distress_like for item in heard(wire, framing=framing)] == [True]


def test_mutated_messages_never_fail_a_decoder_nor_stop_one():
    dice = random.Random(9)
    seeds = [(DSC, CALL), (DSC, RELAY), (SHIP, CLASS_A)] + [
        (int(row["wire"][0].split()[2], 16), bytes.fromhex(row["wire"][0].split()[3]))
        for row in ROWS.values()
        if row.get("wire", [""])[0].startswith("A")
    ]
    binary, text, slowest_s = port(framing="actisense"), port(), 0.0
    for at in range(3_000):
        pgn, octets = dice.choice(seeds)
        body = bytearray(octets)
        for _ in range(dice.randrange(1, 4)):
            place = dice.randrange(len(body) + 1)
            body[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(3))
        begun = time.thread_time()
        binary.inbound(Chunk("a", Moment(at), binary_of(pgn, bytes(body))))
        slowest_s = max(slowest_s, time.thread_time() - begun)
        for wire in parts(bytes(body), pgn=pgn, sequence=at % 8)[: dice.randrange(20)]:
            begun = time.thread_time()
            text.inbound(Chunk("a", Moment(at), wire.encode() + b"\r\n"))
            slowest_s = max(slowest_s, time.thread_time() - begun)

    assert binary.ears["a"].count.decoder_errors == text.ears["a"].count.decoder_errors == 0
    assert slowest_s < 0.005


def test_noise_is_no_verified_distress():
    dice = random.Random(7)
    pipeline, found = port(framing="actisense"), []
    for at in range(10_000):
        noise = b"\x10\x02\x93" + dice.randbytes(dice.randrange(5, 60)) + b"\x10\x03"
        found += reports(pipeline.inbound(Chunk("a", Moment(at), noise)))

    assert [one for one in found if one.confidence is Confidence.VERIFIED] == []


def test_a_bent_message_is_no_verified_report():
    dice = random.Random(6)
    for wire in BINARY:
        for _ in range(100):
            bent = bytearray(wire)
            bent[dice.randrange(2, len(bent))] ^= 1 << dice.randrange(8)

            assert reports(heard(bytes(bent), framing="actisense")) == []
