"""Texts that are ordered of a transponder: put on the air by one that shares nothing with us."""

from __future__ import annotations

import re

import pyais
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.framing import framer_named
from gateway.model.transmission import Beacon, CannotSay, Place, Text
from gateway.model.words import Kind, Urgency
from gateway.radio import composer_named
from gateway.radio.ais.compose import (
    ADDRESSED_LETTERS_MAX,
    BROADCAST_LETTERS_MAX,
    SENTENCE_BYTES_MAX,
    compose,
)
from hardware.rig.ais_transponder import AisTransponder
from tests.rooms.radio.sayings import OWN, VHF_HZ, reports, saying

AIS_1_HZ, AIS_2_HZ = 161_975_000, 162_025_000
SHIP = "235001234"
TO_ALL = Text(category=Urgency.SAFETY, words="THIS IS SHORE")
TO_ONE = replace(TO_ALL, to=SHIP)


def ordered(action, **other):
    return saying(action, "nmea", **{"freq_hz": None, **other})


def wired(said):
    return [framer_named("nmea").wrap(body) for body in compose(said)]


def on_air(said):
    """Return the one message that a transponder sends that is given these sentences."""
    transponder = AisTransponder(OWN.mmsi)
    (event,) = [event for wire in wired(said) for event in transponder.take(wire)]
    assert event.what == "air"
    return event


def sentences(event, text):
    """Return what receivers tell of it; a letter has six bits behind the header of the message."""
    size = (72 if text.to else 40) + 6 * len(text.words)
    bits = "".join(f"{byte:08b}" for byte in event.data)
    assert len(bits) - 8 < size <= len(bits)
    assert "1" not in bits[size:]
    fill = -size % 6
    bits = bits[:size] + "0" * fill
    values = [int(bits[at : at + 6], 2) for at in range(0, len(bits), 6)]
    payload = "".join(chr(value + (48 if value < 40 else 56)) for value in values)
    pieces = [payload[at : at + 60] for at in range(0, len(payload), 60)]
    heads = [f"!AIVDM,{len(pieces)},{at},7,A" for at in range(1, len(pieces) + 1)]
    last = len(pieces) - 1
    return [
        framer_named("nmea").wrap(f"{head},{piece},{fill if at == last else 0}".encode("ascii"))
        for at, (head, piece) in enumerate(zip(heads, pieces, strict=True))
    ]


@pytest.mark.parametrize(
    ("action", "other", "said"),
    [
        (TO_ALL, {}, ["!IIBBM,1,1,0,0,14,D89CP9CPC8?B5,0"]),
        (TO_ALL, {"freq_hz": AIS_1_HZ, "number": 13}, ["!IIBBM,1,1,3,1,14,D89CP9CPC8?B5,0"]),
        (
            TO_ONE,
            {"freq_hz": AIS_2_HZ, "number": 13},
            ["!IIABM,1,1,1,235001234,2,12,D89CP9CPC8?B5,0"],
        ),
        (
            replace(TO_ONE, words="A" * 107),
            {},
            [
                f"!IIABM,3,1,0,235001234,0,12,{'1' * 47},0",
                f"!IIABM,3,2,0,,,,{'1' * 59},0",
                "!IIABM,3,3,0,,,,1,0",
            ],
        ),
        (
            replace(TO_ALL, words="A" * 117),
            {},
            [f"!IIBBM,2,1,0,0,14,{'1' * 57},0", f"!IIBBM,2,2,0,,,{'1' * 60},0"],
        ),
    ],
    ids=["all", "all on AIS 1", "one on AIS 2", "three to one", "two to all"],
)
def test_an_order_is_the_sentences_that_the_standard_has_for_it(action, other, said):
    assert [body.decode("ascii") for body in compose(ordered(action, **other))] == said


def test_what_is_told_to_all_and_to_one_is_told_as_what_it_is():
    for text in (TO_ALL, TO_ONE):
        (report,) = reports("ais", "nmea", b"".join(sentences(on_air(ordered(text)), text)))

        assert (report.kind, report.text) == (Kind.TEXT, text.words)
        assert report.sender.mmsi == OWN.mmsi
        assert (report.addressee and report.addressee.mmsi) == text.to


LETTERS = [chr(code) for code in range(0x20, 0x60) if chr(code) != "@"]


def words(most):
    found = st.text(LETTERS, min_size=1, max_size=most)
    return found.filter(lambda text: not text.endswith(" "))


SHIPS = st.integers(200_000_000, 799_999_999).map(str)
COASTS = st.integers(1_000_000, 9_999_999).map("{:09d}".format)
CATEGORIES = st.sampled_from([Urgency.DISTRESS, Urgency.URGENCY, Urgency.SAFETY])
TEXTS = st.builds(Text, category=CATEGORIES, words=words(BROADCAST_LETTERS_MAX)) | st.builds(
    Text, category=CATEGORIES, words=words(ADDRESSED_LETTERS_MAX), to=SHIPS | COASTS
)
CHANNELS = st.sampled_from([None, AIS_1_HZ, AIS_2_HZ])


@given(TEXTS, CHANNELS, st.integers(0, 1000))
def test_whatever_is_ordered_is_on_the_air_and_heard_as_it_was_ordered(text, freq_hz, number):
    said = ordered(text, freq_hz=freq_hz, number=number)
    wires = wired(said)
    event = on_air(said)
    heard = sentences(event, text)
    (report,) = reports("ais", "nmea", b"".join(heard))
    other = pyais.decode(*heard)

    assert all(len(wire) <= SENTENCE_BYTES_MAX for wire in wires)
    assert len(wires) <= 3
    assert report.text == text.words
    assert (other.msg_type, other.mmsi) == (12 if text.to else 14, int(OWN.mmsi))
    assert other.text == text.words.strip()
    whom = f"{OWN.mmsi} to {text.to or 'all'} on {'B' if freq_hz == AIS_2_HZ else 'A'}"
    assert event.words.startswith(whom)
    sequence = wires[0].split(b",")[3]
    assert {wire.split(b",")[3] for wire in wires} == {sequence}
    assert int(sequence) == number % (4 if text.to else 10)
    if text.to:
        assert (report.addressee.mmsi, other.dest_mmsi, other.seqno) == (
            text.to,
            int(text.to),
            int(sequence),
        )


CASES = [
    (saying(TO_ALL, "lines"), "no text can be ordered as lines"),
    (ordered(Beacon(place=Place(lat_deg=1, lon_deg=1))), "has no words for that"),
    (ordered(replace(TO_ALL, category=Urgency.ROUTINE)), "this is routine"),
    (ordered(replace(TO_ALL, bulletin="1")), "no bulletins"),
    (ordered(replace(TO_ALL, to="M0ABC-7")), "M0ABC-7 is no MMSI of a station"),
    (ordered(replace(TO_ALL, to="023200000")), "023200000 is no MMSI of a station"),
    (ordered(replace(TO_ALL, to="970012345")), "970012345 is no MMSI of a station"),
    (ordered(replace(TO_ALL, to=OWN.mmsi)), "can't write to itself"),
    (ordered(replace(TO_ALL, words="A" * 162)), "162 letters are more than the 161"),
    (ordered(replace(TO_ONE, words="A" * 157)), "157 letters are more than the 156"),
    (ordered(replace(TO_ALL, words="Fog")), "AIS has no letter g"),
    (ordered(replace(TO_ALL, words="A@B")), "AIS has no letter @"),
    (ordered(replace(TO_ALL, words="GRÜSSE")), "AIS has no letter Ü"),
    (ordered(replace(TO_ALL, words="A`B")), "AIS has no letter `"),
    (ordered(replace(TO_ALL, words="FOG ")), "a space at the end"),
    (ordered(TO_ALL, freq_hz=VHF_HZ), "156525000 Hz is no channel of AIS"),
    *(
        (ordered(replace(text, words=alarm)), "only a locating device")
        for text in (TO_ALL, TO_ONE)
        for alarm in ("SART ACTIVE", "MOB TEST", "EPIRB ACTIVE", "AIS TEST")
    ),
]


@pytest.mark.parametrize(
    ("said", "why"), CASES, ids=[f"{at}-{why}" for at, (_, why) in enumerate(CASES)]
)
def test_what_no_text_can_say_is_refused_with_what_does_not_fit(said, why):
    with pytest.raises(CannotSay, match=re.escape(why)):
        compose(said)


def test_whatever_is_said_to_be_sayable_can_be_said():
    composer = composer_named("ais")

    assert composer.says == ("text",)
    assert composer.compose is compose
    assert composer.dialect_fault(None) is None
    assert "there is none" in composer.dialect_fault("WIDE2-1")
