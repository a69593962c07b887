"""Packets that are ordered of a device: read again by our own radio, and straight from the table.

The bytes of PINNED are those that the project's own Python library, 2.7.11, reads and writes alike.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.framing import framer_named
from gateway.framing.meshtastic import MESSAGE_BYTES_MAX
from gateway.model.transmission import Beacon, Call, CannotSay, Place, Text, To
from gateway.model.words import Kind, Urgency
from gateway.radio import composer_named
from gateway.radio.meshtastic.compose import TEXT_BYTES_MAX, compose, packet_id
from tests.rooms.radio.sayings import OWN, reports, saying

NODE = 0x1234ABCD
EVERYBODY = 0xFFFFFFFF
LETTER = Text(category=Urgency.ROUTINE, words="Grüße ⚓", to="!00000042")
AT = Beacon(place=Place(lat_deg=-50.5, lon_deg=-4.25))
PINNED = [
    (LETTER, "0a1d1542000000220f0801120b4772c3bcc39f6520e29a9335dfa22d8d5001"),
    (AT, "0a2115ffffffff22130803120f0dc04fe6e115608077fd2801b8012035dfa22d8d5001"),
]


def ordered(action, **other):
    return saying(action, "meshtastic", **other)


def fields(message):
    """Return the fields of a message by their numbers (protobuf.dev, Encoding), read by hand."""
    found, at = {}, 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 5:
            found[key >> 3], at = message[at : at + 4], at + 4
        elif key & 7 == 2:
            size, at = varint(message, at)
            found[key >> 3], at = message[at : at + size], at + size
        else:
            assert key & 7 == 0
            found[key >> 3], at = varint(message, at)
    assert at == len(message)
    return found


def varint(message, at):
    value = shift = 0
    while True:
        byte, at = message[at], at + 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def unsigned(four):
    return int.from_bytes(four, "little")


def whole(four):
    return int.from_bytes(four, "little", signed=True)


def heard(said):
    """Return what another device tells of the packet: it bears the number of who sent it."""
    (body,) = compose(said)
    (packet,) = fields(body).values()
    packet = b"\x0d" + NODE.to_bytes(4, "little") + packet
    size = len(packet)
    prefix = bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])
    (report,) = reports(
        "meshtastic", "meshtastic", framer_named("meshtastic").wrap(b"\x12" + prefix + packet)
    )
    return report


@pytest.mark.parametrize(("action", "wire"), PINNED, ids=["text", "position"])
def test_an_order_is_the_message_that_the_projects_own_library_writes(action, wire):
    assert compose(ordered(action)) == (bytes.fromhex(wire),)


@pytest.mark.parametrize(
    ("action", "to", "kind"),
    [
        (LETTER, "!00000042", Kind.TEXT),
        (replace(LETTER, to=None), None, Kind.TEXT),
        (AT, None, Kind.POSITION),
    ],
    ids=["one", "all", "position"],
)
def test_what_is_ordered_is_told_as_what_it_is(action, to, kind):
    report = heard(ordered(action))

    assert (report.kind, report.urgency) == (kind, Urgency.ROUTINE)
    assert report.sender.tag == "!1234abcd"
    assert (report.addressee and report.addressee.tag) == to
    assert report.detail.packet_id == packet_id("c-1")


def test_the_same_order_has_the_same_id_and_another_has_another(monkeypatch):
    assert compose(ordered(LETTER)) == compose(ordered(LETTER, number=7))
    assert len({packet_id(f"c-{turn}") for turn in range(1000)}) == 1000

    class Zero:
        def digest(self):
            return bytes(4)

    monkeypatch.setattr("gateway.radio.meshtastic.compose.blake2b", lambda *_, **__: Zero())
    assert packet_id("c-1") == 1


CASES = [
    (saying(LETTER, "kiss"), "no packet can be ordered as kiss"),
    (ordered(Call(category=Urgency.SAFETY, to=To.ALL_SHIPS)), "has no words for that"),
    (ordered(replace(LETTER, words="x" * 199 + "ü")), "201 bytes of UTF-8 are more than 200"),
    (ordered(replace(LETTER, bulletin="1")), "no bulletins"),
    (ordered(replace(LETTER, words="MAYDAY")), "takes them for distress, not routine"),
    (ordered(replace(LETTER, words="PAN-PAN")), "takes them for urgency, not routine"),
    *(
        (ordered(replace(LETTER, to=to)), f"{to} is no node")
        for to in ("M0ABC", "!1234ABCD", "!1234abc", "1234abcd", "^all", "!00000000", "!ffffffff")
    ),
    (ordered(replace(LETTER, to=f"!{OWN.node:08x}")), "can't write to itself"),
    (ordered(replace(AT, words="here")), "no room for words"),
]


@pytest.mark.parametrize(
    ("said", "why"), CASES, ids=[f"{at}-{why}" for at, (_, why) in enumerate(CASES)]
)
def test_what_no_packet_can_say_is_refused_with_what_does_not_fit(said, why):
    with pytest.raises(CannotSay, match=re.escape(why)):
        compose(said)


def test_words_of_distress_go_out_when_they_are_ordered_as_such():
    text = Text(category=Urgency.DISTRESS, words="MAYDAY RELAY, boat sinking off the point")

    assert heard(ordered(text)).urgency is Urgency.DISTRESS


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)
TO = st.none() | st.integers(1, EVERYBODY - 1).map("!{:08x}".format)


@given(WORDS, TO, st.text(min_size=1, max_size=64))
def test_whatever_is_ordered_is_heard_as_it_was_ordered(words, to, command):
    text = Text(category=Urgency.DISTRESS, words=words, to=to)
    said = ordered(text, command_id=command, own=replace(OWN, node=None))
    if len(words.encode()) > TEXT_BYTES_MAX:
        with pytest.raises(CannotSay, match="bytes of UTF-8"):
            compose(said)
        return
    (body,) = compose(said)
    assert len(body) <= MESSAGE_BYTES_MAX
    assert list(fields(body)) == [1]
    packet = fields(fields(body)[1])
    data = fields(packet[4])

    assert (list(packet), list(data)) == ([2, 4, 6, 10], [1, 2])
    assert unsigned(packet[2]) == (EVERYBODY if to is None else int(to[1:], 16))
    assert (unsigned(packet[6]), packet[10]) == (packet_id(command), 1)
    assert (data[1], data[2].decode("utf-8")) == (1, words)
    assert heard(said).text == words


PLACES = st.builds(
    Place, lat_deg=st.floats(min_value=-90, max_value=90), lon_deg=st.floats(-180, 180)
)


@given(PLACES)
def test_a_position_is_heard_where_it_was_ordered(place):
    said = ordered(Beacon(place=place))
    (body,) = compose(said)
    data = fields(fields(fields(body)[1])[4])
    position = fields(data[2])

    assert data[1] == 3
    assert abs(whole(position[1]) - place.lat_deg * 1e7) <= 0.5 + 1e-6
    assert abs(whole(position[2]) - place.lon_deg * 1e7) <= 0.5 + 1e-6
    assert (position[5], position[23]) == (1, 32)
    report = heard(said)
    assert report.position.lat_deg == pytest.approx(place.lat_deg, abs=1e-7)
    assert report.position.lon_deg == pytest.approx(place.lon_deg, abs=1e-7)


def test_whatever_is_said_to_be_sayable_can_be_said():
    composer = composer_named("meshtastic")

    assert composer.says == ("text", "position")
    assert composer.compose is compose
