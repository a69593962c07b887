"""Meshtastic: what the vectors don't hold, and what no input may do."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from gateway.framing.meshtastic import Meshtastic
from gateway.model.inbound import Chunk, Moment, Refused, Ruling
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Urgency
from gateway.pipeline import hallway
from gateway.radio.meshtastic.words import called_words
from tests.rooms.spoken import without_notes

VECTORS = Path(__file__).parents[2] / "vectors/meshtastic.toml"
PACKETS = {
    row["name"]: [bytes.fromhex(wire) for wire in row["wire_hex"]]
    for row in tomllib.loads(VECTORS.read_text("utf-8"))["vector"]
}
ALERT = PACKETS["alert"][0]


def port(radio="meshtastic"):
    profile = Profile(title="t", radio=(radio,), framing="meshtastic", proven="t")
    return hallway("test", [PortPlan(name="a", device="tape:x", modem="x", profile=profile)])


def heard(*wires, radio="meshtastic"):
    pipeline = port(radio)
    items = []
    for at, wire in enumerate(wires):
        items += without_notes(pipeline.inbound(Chunk("a", Moment(at), wire)))
    assert pipeline.ears["a"].count.decoder_errors == 0
    return items


def packet(*data, **above):
    """Return a packet of the mesh with these bytes as its data, and of other fields those named."""
    inner = b"".join(data)
    body = b"\x22" + bytes([len(inner)]) + inner + b"".join(above.values())
    return Meshtastic.wrap(b"\x12" + bytes([len(body)]) + body)


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("MAYDAY MAYDAY", Urgency.DISTRESS),
        ("sos? no: SOS!", Urgency.DISTRESS),
        ("PAN PAN then SOS", Urgency.DISTRESS),
        ("PAN-PAN", Urgency.URGENCY),
        ("mayday parade at noon", None),
        ("SOSUS", None),
        ("", None),
    ],
)
def test_words_of_radiotelephony(text, urgency):
    assert called_words(text) is urgency


@pytest.mark.parametrize(
    ("wire", "urgent"),
    [
        pytest.param(packet(b"\x08\x0b\x10\x05"), True, id="alert with a number for a payload"),
        pytest.param(packet(b"\x08\x03\x10\x05"), False, id="position with a number for one"),
        pytest.param(packet(b"\x08\x03\x12\x01\x00"), False, id="position that is none"),
        pytest.param(packet(b"\x08\x0b\x12\x05a"), True, id="data cut short"),
        pytest.param(packet(b"\x08\x63\x12\x01a"), False, id="application that is not read"),
        pytest.param(Meshtastic.wrap(b"\x12\x03\x08\x80\x80"), True, id="no packet"),
        pytest.param(Meshtastic.wrap(b"\x22\x02\x12\x08"), False, id="no node"),
        pytest.param(Meshtastic.wrap(b"\x22\x03\x12\x01\x08"), False, id="node of no user"),
        pytest.param(ALERT[:-3] + b"\r\nINFO  | and more of the log behind it", True, id="cut"),
    ],
)
def test_what_can_not_be_read_is_kept_and_told_if_it_may_be_an_alert(wire, urgent):
    refused = [item for item in heard(wire, ALERT) if isinstance(item, Refused)]

    assert [item.distress_like for item in refused][:1] == [urgent]


def test_an_alert_without_a_sender_or_a_text_is_an_alert():
    (item,) = heard(packet(b"\x08\x0b"))
    report = item.sighting.report

    assert (report.kind, report.urgency, report.sender, report.text) == (
        "alert",
        "distress",
        None,
        "",
    )


def test_text_that_is_no_utf_8_is_told_with_a_doubt():
    (item,) = heard(packet(b"\x08\x01\x12\x02\xff\x41"))
    report = item.sighting.report

    assert report.text == "\ufffdA"
    assert "some of its text is not UTF-8" in report.doubts


def test_infinity_is_no_strength():
    inf = packet(b"\x08\x01\x12\x01a", snr=b"\x45\x00\x00\x80\x7f", rssi=b"\x60\x00")
    (item,) = heard(inf)

    assert item.sighting.report.detail.snr_db is None
    assert item.sighting.report.heard.rssi_dbm is None


def test_an_alert_on_a_port_that_does_not_read_the_mesh_is_told_unread():
    assert [item.distress_like for item in heard(ALERT, radio="gnss")] == [True]
    assert [item.distress_like for item in heard(PACKETS["position"][0], radio="gnss")] == [False]


def test_noise_and_mutation_make_no_verified_distress():
    """Nothing proves the wire, so nothing of it is ever verified, distress or not."""
    dice = random.Random(7)
    wires = [Meshtastic.wrap(dice.randbytes(dice.randrange(1, 40))) for _ in range(3_000)]
    for _ in range(1_000):
        bent = bytearray(ALERT)
        bent[dice.randrange(4, len(bent))] ^= 1 << dice.randrange(8)
        wires.append(bytes(bent))
    found = [item.sighting.report for item in heard(*wires) if isinstance(item, Ruling)]

    assert len(found) > 100
    assert all(report.confidence is not Confidence.VERIFIED for report in found)
    assert all(report.doubts for report in found)
