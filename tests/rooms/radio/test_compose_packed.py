"""Orders to a packed modem, held against the reference modem, which shares no code with them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.framing import framer_named
from gateway.model.transmission import (
    Acknowledge,
    Adjust,
    Beacon,
    Call,
    CannotSay,
    Distress,
    Place,
    To,
)
from gateway.model.words import Nature, Urgency
from gateway.radio import composer_named
from gateway.radio.packed.compose import INSIDE, compose, order_name
from hardware.rig import packed_modem as rig
from tests.rooms.radio.sayings import reports, saying

ACK = Acknowledge(
    distress=Distress(mmsi="232001122", nature=Nature.SINKING, time="1203"),
)
DSC = "$IIDSC,16,,12,10,00,9999999999,1203,2320011220,05,S,"
UNTIL_S = int(time.time()) + 600
TEST = Adjust(what="link_test")


def ordered(action=ACK, framing="cobs", **other):
    return saying(action, framing, **{"dialect": "dsc", "not_after_s": UNTIL_S, **other})


def carried(modem, body, framing, now_s=0.0):
    """Return what the reference modem says to this body, its wires unstuffed by itself."""
    wires = list(modem.hear(framer_named(framing).wrap(body), now_s))
    mark = rig.FRAMINGS[framing][0]
    return [rig.opened(piece, framing) for wire in wires for piece in wire.split(mark) if piece]


@pytest.mark.parametrize("framing", ["cobs", "slip"])
def test_the_reference_modem_carries_out_what_was_ordered_once(framing):
    modem = rig.Modem(framing)
    (body,) = compose(ordered(framing=framing, number=7))
    first, again = (carried(modem, body, framing) for _ in range(2))

    name = order_name("c-1")
    assert first[0] == (rig.ACK, 7, b"")
    assert rig.unpack(first[1][2]) == {"t": "outcome", "id": name, "done": "sent"}
    assert rig.unpack(again[1][2]) == rig.unpack(first[1][2])
    sent = [line for line in modem.log if line.startswith("sends")]
    assert sent == [f"sends dsc {DSC.encode() + b'*' + check_of(DSC)!r}"]


def check_of(sentence):
    """Return the check digits of a sentence, by arithmetic of its own."""
    check = 0
    for letter in sentence[1:]:
        check ^= ord(letter)
    return f"{check:02X}".encode()


def test_the_letter_has_what_was_ordered_and_the_end_of_its_time():
    (body,) = compose(ordered())
    kind, number, payload = rig.opened(rig.framed(rig.SAY, 0, body[2:], "cobs")[1:-1], "cobs")

    assert (kind, number, body[:2]) == (rig.SAY, 0, b"\x11\x00")
    assert rig.unpack(payload) == {
        "t": "order",
        "id": order_name("c-1"),
        "until": UNTIL_S,
        "radio": "dsc",
        "body": DSC.encode() + b"*" + check_of(DSC),
    }


def test_an_order_whose_time_is_over_is_not_carried_out():
    modem = rig.Modem("cobs")
    (body,) = compose(ordered(not_after_s=int(time.time()) - 1))

    answers = carried(modem, body, "cobs")
    assert rig.unpack(answers[1][2])["done"] == "expired"
    assert not [line for line in modem.log if line.startswith("sends")]


def test_what_the_modem_answers_is_told_under_the_name_of_the_order():
    modem = rig.Modem("cobs")
    (body,) = compose(ordered())
    wire = b"".join(modem.hear(framer_named("cobs").wrap(body), 0.0))
    (report,) = reports("packed", "cobs", wire)

    detail = report.detail
    assert (detail.said, detail.order, detail.done) == ("outcome", order_name("c-1"), "sent")


def test_a_name_is_of_one_command_and_one_of_its_orders():
    names = {order_name(command, place) for command in ("c-1", "c-2", "c-1/0") for place in (0, 1)}

    assert len(names) == 6
    assert {len(name) for name in names} == {32}


@pytest.mark.parametrize("framing", ["cobs", "slip"])
def test_a_test_of_the_line_comes_back_and_keys_nothing(framing):
    modem = rig.Modem(framing)
    (body,) = compose(ordered(TEST, framing, number=300))

    assert carried(modem, body, framing) == [(rig.ECHO, 300 % 256, body[2:])]
    assert len(body[2:]) <= 256  # docs/LINK.md, section 2
    assert not [line for line in modem.log if line.startswith("sends")]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (ordered(Adjust(what="channel", channel=16)), "no words for a channel"),
        (ordered(Adjust(what="power", power_dbm=30)), "no words for a power"),
        (ordered(dialect=None), "dialect names what the modem transmits"),
        (ordered(dialect="gnss"), "dialect names what the modem transmits"),
        (ordered(freq_hz=406_028_000), "nobody but a beacon"),
        (ordered(Beacon(place=Place(lat_deg=1, lon_deg=1))), "has no words"),
        (ordered(Call(category=Urgency.DISTRESS, to=To.ALL_SHIPS)), "never one of distress"),
        (ordered(freq_hz=None), "VHF or MF/HF"),
    ],
)
def test_what_no_modem_can_be_told_is_refused_with_what_does_not_fit(said, why):
    with pytest.raises(CannotSay, match=why):
        compose(said)


def test_a_system_without_a_composer_and_a_body_longer_than_a_packet_are_refused(monkeypatch):
    monkeypatch.setitem(INSIDE, "gnss", "nmea")
    with pytest.raises(CannotSay, match="gnss is never transmitted"):
        compose(ordered(dialect="gnss"))
    long = composer_named("dsc").__class__(
        says=(), framings=(), compose=lambda _: (b"$" + b"x" * 1000,)
    )
    monkeypatch.setattr("gateway.radio.packed.compose.composer_named", lambda _: long)
    with pytest.raises(CannotSay, match="a packet holds 1022"):
        compose(ordered())


def test_of_several_bodies_each_has_its_own_number_and_name(monkeypatch):
    two = composer_named("dsc").__class__(
        says=(), framings=(), compose=lambda _: (b"$IIDSC,1", b"$IIDSC,2")
    )
    monkeypatch.setattr("gateway.radio.packed.compose.composer_named", lambda _: two)
    modem = rig.Modem("cobs")
    bodies = compose(ordered(number=255))
    answers = [carried(modem, body, "cobs") for body in bodies]

    assert [answer[0] for answer in answers] == [(rig.ACK, 255, b""), (rig.ACK, 0, b"")]
    assert [rig.unpack(answer[1][2])["id"] for answer in answers] == [
        order_name("c-1", 0),
        order_name("c-1", 1),
    ]


@given(st.text(min_size=1, max_size=64), st.integers(0, 2**40), st.integers(0, 10**6))
def test_whatever_the_command_is_called_the_modem_reads_its_order(command, until, number):
    (body,) = compose(ordered(command_id=command, not_after_s=until, number=number))
    wire = framer_named("cobs").wrap(body)
    kind, heard, payload = rig.opened(wire.strip(b"\0"), "cobs")

    assert (kind, heard) == (rig.SAY, number % 256)
    letter = rig.unpack(payload)
    assert (letter["id"], letter["until"]) == (order_name(command), until)
    assert composer_named("packed").compose is compose
