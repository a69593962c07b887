"""The packed link: what the vectors don't hold, the worked bytes, answers, and the rig's modem."""

from __future__ import annotations

import os
import random
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.framing import framer_named
from gateway.model.inbound import Chunk, Moment, Refused, Ruling
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Relation, Urgency
from gateway.pipeline import hallway
from gateway.radio import radio_names
from gateway.radio.packed import read_letter, write_letter, write_packet
from gateway.radio.packed.letters import Ask, Order
from gateway.radio.packed.packet import Packet, PacketKind, read_packet
from hardware.rig import packed_modem as rig
from tests.rooms.spoken import without_notes

ROOT = Path(__file__).parents[3]
WORKED = re.compile(r"^(cobs|slip) (\w+) (\d+) (\{.*\})\n((?:    [0-9A-F ]+\n)+)", re.MULTILINE)
KINDS = {name: kind for kind, name in rig.NAMES.items()}
ALERT = {"t": "report", "kind": "alert", "urgency": "distress", "rx": {"proof": "crc"}}
MAYDAY = b"$CVDSC,12,3601234560,12,05,00,1474712519,0817,,,S,E,*51"


def port(*, framing="cobs", radio="packed"):
    profile = Profile(title="test", radio=(radio,), framing=framing, proven="test")
    return hallway("test", [PortPlan(name="a", device="tape:x", modem="x", profile=profile)])


def said(payload, *, kind=rig.SAY, number=0, framing="cobs"):
    payload = payload if isinstance(payload, bytes) else rig.pack(payload)
    return rig.framed(kind, number, payload, framing)


def heard(*wires, framing="cobs"):
    pipeline = port(framing=framing)
    items = []
    for at, wire in enumerate(wires):
        items += without_notes(pipeline.inbound(Chunk("a", Moment(at * 10**9), wire)))
    assert pipeline.ears["a"].count.decoder_errors == 0
    return items


def reports(items):
    return [item.sighting.report for item in items if isinstance(item, Ruling)]


# ---- docs/LINK.md -------------------------------------------------------------------------------


def worked():
    """Return what each worked example is of, its letter, and its bytes."""
    found = WORKED.findall((ROOT / "docs/LINK.md").read_text("utf-8"))
    assert len(found) == 8
    for framing, kind, number, text, digits in found:
        yield framing, KINDS[kind], int(number), rig.letter_of(text), bytes.fromhex(digits)


def test_the_worked_bytes_are_what_the_reference_modem_says():
    for framing, kind, number, letter, wire in worked():
        payload = letter if isinstance(letter, bytes) else rig.pack(letter)

        assert rig.framed(kind, number, payload, framing) == wire
        assert rig.opened(wire.strip(rig.FRAMINGS[framing][0]), framing) == (kind, number, payload)


def test_the_worked_bytes_are_what_the_gateway_reads_and_would_write():
    for framing, kind, number, letter, wire in worked():
        (frame,) = framer_named(framing)().split(Chunk("a", Moment(0), wire))
        packet = read_packet(frame.body)

        assert (packet.kind, packet.number) == (kind, number)
        if isinstance(letter, bytes):
            assert packet.payload == letter
        else:
            assert rig.unpack(write_letter(read_letter(packet.payload))) == letter
        assert framer_named(framing).wrap(write_packet(packet)) == wire


def test_every_key_and_kind_of_the_link_stands_in_its_page():
    page = (ROOT / "docs/LINK.md").read_text("utf-8")
    letters = (ROOT / "gateway/radio/packed/letters.py").read_text("utf-8")
    keys = re.findall(r"^    ([a-z]\w*): ", letters, re.MULTILINE)

    assert len(keys) > 40
    assert [key for key in keys if f"`{key}`" not in page] == []
    assert [kind for kind in PacketKind if f"| {kind:d} | {kind.name} |" not in page] == []


# ---- Reports and letters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "confidence", "doubt"),
    [
        ({"rx": {"proof": "parity"}}, Confidence.TENTATIVE, "only parity proves"),
        ({"rx": {"proof": "hope"}}, Confidence.TENTATIVE, "names no proof"),
        ({"rx": {}}, Confidence.TENTATIVE, "names no proof"),
        ({"lat7": 1}, Confidence.TENTATIVE, "half of a position"),
        ({"lon7": 1}, Confidence.TENTATIVE, "half of a position"),
        ({"lat7": 0, "lon7": 0}, Confidence.TENTATIVE, "no position is known"),
        ({"speed_kn": -1.0}, Confidence.TENTATIVE, "can't be"),
        ({"rx": {"proof": "checksum"}}, Confidence.VERIFIED, None),
    ],
)
def test_a_distress_is_told_however_doubtful_and_says_why(more, confidence, doubt):
    (report,) = reports(heard(said({**ALERT, **more})))

    assert (report.urgency, report.confidence) == (Urgency.DISTRESS, confidence)
    assert any(doubt in one for one in report.doubts) if doubt else report.doubts == ()


def test_what_is_covert_taken_back_or_relayed_is_told_as_that():
    who, whose = {"mmsi": "002320001"}, {"mmsi": "232123456"}
    (covert,) = reports(heard(said({**ALERT, "covert": True})))
    (back,) = reports(heard(said({**ALERT, "kind": "cancellation", "who": whose})))
    (relay,) = reports(heard(said({**ALERT, "kind": "relay", "who": who, "whose": whose})))
    (blind,) = reports(heard(said({**ALERT, "kind": "relay", "who": who})))

    assert covert.covert
    assert (back.kind, back.casualty.mmsi) == ("cancellation", "232123456")
    assert (relay.sender.mmsi, relay.casualty.mmsi) == ("002320001", "232123456")
    assert blind.casualty is None


@pytest.mark.parametrize(
    ("payload", "urgent"),
    [
        pytest.param(b"\xc1", False, id="no msgpack"),
        pytest.param(b"", False, id="nothing"),
        pytest.param({"kind": "alert"}, True, id="of no kind"),
        pytest.param({"t": "report", "kind": "alert"}, True, id="without urgency"),
        pytest.param({**ALERT, "kind": "scream"}, True, id="kind that is none"),
        pytest.param({**ALERT, "urgency": "high"}, True, id="urgency that is none"),
        pytest.param({**ALERT, "lat7": "50"}, True, id="text for a number"),
        pytest.param(rig.pack(ALERT) + b"\x00", True, id="more behind it"),
        pytest.param(rig.pack(ALERT)[:-1], True, id="cut short"),
        pytest.param(b"\x91" * 900, False, id="nested too deeply"),
        pytest.param(b"\x81\xa1x" + b"\x91" * 900 + b"\xc0", False, id="nested where unknown"),
        pytest.param(b"\x81\xa1t\xa6\xff\xff\xff\xff\xff\xff", False, id="no UTF-8"),
        pytest.param({"t": "raw", "radio": "telepathy", "body": b"x"}, True, id="no such radio"),
        pytest.param({"t": "raw", "radio": "packed", "body": b"x"}, True, id="link in the link"),
        pytest.param({"t": "raw", "radio": "dsc", "body": MAYDAY[:-1] + b"2"}, True, id="check"),
        pytest.param({"t": "raw", "radio": "dsc", "body": b"$"}, True, id="start mark alone"),
        pytest.param({"t": "raw", "radio": "ais", "body": MAYDAY}, True, id="of another system"),
        pytest.param({"t": "ask", "what": "hello"}, False, id="asks"),
        pytest.param({"t": "order", "id": "1", "until": 1, "radio": "x", "body": b""}, False),
    ],
)
def test_a_letter_that_can_not_be_read_is_kept_and_told_if_it_may_be_a_call(payload, urgent):
    (item,) = heard(said(payload))

    assert isinstance(item, Refused)
    assert item.reason
    assert item.distress_like is urgent


@pytest.mark.parametrize("body", [b"\x21\x00\x80", b"\x1f\x00\x80", b"\x10\x00\x80"])
def test_a_packet_of_another_version_or_kind_may_be_a_call(body):
    (item,) = heard(framer_named("cobs").wrap(body))

    assert isinstance(item, Refused)
    assert item.distress_like


def test_a_broken_packet_is_told_when_words_of_a_call_stand_in_it():
    for letter, urgent in ((ALERT, True), ({"t": "health", "up_s": 5}, False)):
        wire = bytearray(said(letter))
        wire[-2] ^= 0x40
        (item,) = heard(bytes(wire))

        assert isinstance(item, Refused)
        assert item.distress_like is urgent


def test_a_call_on_a_port_that_does_not_read_the_link_is_told_unread():
    pipeline = port(radio="gnss")
    (call,) = without_notes(pipeline.inbound(Chunk("a", Moment(0), said(ALERT))))
    (other,) = without_notes(
        pipeline.inbound(Chunk("a", Moment(1), said({"t": "health", "up_s": 1})))
    )

    assert (call.distress_like, other.distress_like) == (True, False)


def test_said_again_for_want_of_an_acknowledgement_it_is_a_copy():
    relations = [item.sighting.relation for item in heard(*[said(ALERT)] * 3)]

    assert relations == [Relation.FIRST, Relation.COPY, Relation.COPY]


def test_what_is_carried_is_a_copy_of_what_another_port_heard_plainly():
    """The same call by a plain modem and by a packed one is one transmission."""
    profiles = (("packed", "cobs"), ("dsc", "nmea"))
    pipeline = hallway(
        "test",
        [
            PortPlan(
                name=radio,
                device="tape:x",
                modem="x",
                profile=Profile(title="t", radio=(radio,), framing=framing, proven="t"),
            )
            for radio, framing in profiles
        ],
    )
    letter = {"t": "raw", "radio": "dsc", "body": MAYDAY, "rx": {"rssi_dbm": -90}}
    (first,) = without_notes(pipeline.inbound(Chunk("packed", Moment(0), said(letter))))
    (second,) = without_notes(pipeline.inbound(Chunk("dsc", Moment(10**9), MAYDAY + b"\r\n")))

    assert first.sighting.report.heard.rssi_dbm == -90
    assert second.sighting.relation is Relation.COPY
    assert [witness.port for witness in second.sighting.witnesses] == ["packed", "dsc"]


def test_any_system_can_be_carried_and_none_fails():
    """Whatever a modem calls a frame, and whatever is in it, no decoder raises."""
    dice = random.Random(6)
    bodies = [MAYDAY, b"56E6804002202009655250", b"", b"\x00" * 300, b"$*00", b"!AIVDM,1*00"]
    for radio in radio_names():
        for body in [*bodies, *(dice.randbytes(dice.randrange(60)) for _ in range(40))]:
            heard(said({"t": "raw", "radio": radio, "body": body}))


def test_numbers_that_begin_anew_or_come_again_are_not_missing():
    def health(number):
        return said({"t": "health", "up_s": number}, number=number, kind=rig.TELL)

    def hello(start):
        return said({"t": "hello", "modem": "m", "start": start}, number=0)

    def gaps(*wires):
        return [r.detail.missing for r in reports(heard(*wires)) if r.detail.said == "gap"]

    assert gaps(health(254), hello(1), health(1)) == []
    assert gaps(hello(1), health(1), hello(1), health(2)) == []
    assert gaps(health(3), health(4), health(3), health(5)) == []
    assert gaps(health(255), health(0), health(2)) == [1]
    assert gaps(health(0), health(127)) == [126]


def test_slip_carries_the_same_letters():
    (report,) = reports(heard(said(ALERT, framing="slip", number=192), framing="slip"))

    assert (report.urgency, report.detail.number) == (Urgency.DISTRESS, 192)


# ---- Noise and mutation -------------------------------------------------------------------------


@pytest.mark.parametrize("framing", ["cobs", "slip"])
def test_noise_is_no_verified_distress(framing):
    dice, found = random.Random(7), []
    mark = rig.FRAMINGS[framing][0]
    pipeline = port(framing=framing)
    for at in range(200):
        noise = mark.join(dice.randbytes(dice.randrange(5, 40)) for _ in range(25))
        found += reports(without_notes(pipeline.inbound(Chunk("a", Moment(at), noise))))

    assert [r for r in found if (r.urgency, r.confidence) == ("distress", "verified")] == []


# ---- The reference modem ------------------------------------------------------------------------


def peer(modem, *packets):
    """Return what the reference modem answers to what the gateway would say."""
    wrap = framer_named(modem.framing).wrap
    answers = []
    for packet in packets:
        for wire in modem.hear(wrap(write_packet(packet)), 0.0):
            stuffed = wire.strip(rig.FRAMINGS[modem.framing][0])
            answers.append(rig.opened(stuffed, modem.framing))
    return answers


@pytest.mark.parametrize("framing", ["cobs", "slip"])
def test_the_reference_modem_answers_what_a_gateway_may_say(framing):
    modem = rig.Modem(framing)
    ask = Packet(PacketKind.SAY, 0, write_letter(Ask(what="hello")))
    late = Order(id="a1", until=1, radio="dsc", body=b"x")
    order = Packet(PacketKind.SAY, 1, write_letter(late))
    again = Packet(PacketKind.SAY, 2, write_letter(late))
    test = Packet(PacketKind.TEST, 3, b"\x00\xc0\xdb\xff")
    unreadable = Packet(PacketKind.SAY, 4, b"\xc1")
    answers = peer(modem, ask, order, again, test, unreadable)

    assert [answer[:2] for answer in answers] == [
        *((rig.ACK, 0), (rig.SAY, 0), (rig.ACK, 1), (rig.SAY, 1), (rig.ACK, 2), (rig.SAY, 2)),
        *((rig.ECHO, 3), (rig.NAK, 4)),
    ]
    outcomes = [rig.unpack(answers[place][2]) for place in (3, 5)]
    assert outcomes == [{"t": "outcome", "id": "a1", "done": "expired"}] * 2
    assert answers[6][2] == test.payload


def test_the_reference_modem_says_a_letter_three_times_unless_it_is_acknowledged():
    modem = rig.Modem("cobs")
    wire = modem.letter(ALERT, 0.0)
    later = [list(modem.again(now_s)) for now_s in (0.5, 1.0, 2.0, 3.0, 4.0)]

    assert later == [[], [wire], [wire], [], []]
    assert modem.lost == 1

    modem.letter(ALERT, 5.0)
    assert peer(modem, Packet(PacketKind.ACK, 1)) == []
    assert list(modem.again(9.0)) == []


def test_the_reference_modem_carries_out_an_order_once():
    modem = rig.Modem("cobs")
    order = write_letter(Order(id="a", until=2**39, radio="dsc", body=MAYDAY))
    answers = peer(modem, *(Packet(PacketKind.SAY, at, order) for at in range(3)))

    assert [rig.unpack(one[2])["done"] for one in answers if one[0] == rig.SAY] == ["sent"] * 3
    assert len([line for line in modem.log if line.startswith("sends")]) == 1


def test_the_reference_modem_says_its_serial_number_where_it_has_one():
    said = [
        rig.unpack(rig.opened(modem.hello(0).strip(b"\0"), "cobs")[2]).get("serial")
        for modem in (rig.Modem("cobs"), rig.Modem("cobs", serial="17-0042"))
    ]

    assert said == [None, "17-0042"]


def test_the_rig_speaks_to_the_gateway_on_a_pty():
    """The script itself: its first line is its pty, and what it says there are reports."""
    script = [sys.executable, str(ROOT / "hardware/rig/packed_modem.py"), "--demo"]
    with subprocess.Popen([*script, "--seconds", "30"], stdout=subprocess.PIPE, text=True) as run:
        try:
            wire = os.open(run.stdout.readline().strip(), os.O_RDWR | os.O_NOCTTY)
            pipeline, found, begun = port(), [], time.monotonic()
            os.write(wire, framer_named("cobs").wrap(write_packet(Packet(PacketKind.TEST, 5))))
            while len(found) < 5 and time.monotonic() - begun < 20:
                if select.select([wire], [], [], 1)[0]:
                    chunk = Chunk("a", Moment(0), os.read(wire, 4096))
                    found += reports(without_notes(pipeline.inbound(chunk)))
            os.close(wire)
        finally:
            run.kill()

    assert [report.system for report in found] == ["packed", "packed", "packed", "dsc", "packed"]
    assert [report.kind for report in found[:3]] == ["status", "status", "alert"]
    assert found[2].mode == "test"
    assert found[4].detail.said == "echo"


@pytest.mark.parametrize("options", [["--help"], ["--bytes", '{"t":"hello","modem":"m"}']])
def test_the_rig_explains_itself(options, capsys):
    try:
        status = rig.main(options)
    except SystemExit as end:
        status = end.code

    assert status == 0
    out = capsys.readouterr().out
    assert "docs/LINK.md" in out or out.startswith("00 ")
