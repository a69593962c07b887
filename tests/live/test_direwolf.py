"""What we write, direwolf's decoder reads as we do. Skipped where it is not installed."""

from __future__ import annotations

import random
import re
import shutil
import subprocess

import pytest

from gateway.model.plan import Own
from gateway.model.transmission import Beacon, Place, Text
from gateway.model.words import Urgency
from gateway.radio import composer_named
from gateway.radio.aprs.compose import message_number
from gateway.radio.aprs.content import write_answer, write_message, write_position
from gateway.radio.aprs.mice import write_mic_e
from gateway.radio.aprs.packet import Packet, packet_in, write_text
from tests.rooms.radio.sayings import saying

DECODER = shutil.which("decode_aprs")
PLACES = 200
DEGREES = 0.00006 / 60 + 0.5 / 6000

pytestmark = pytest.mark.skipif(
    DECODER is None, reason="decode_aprs is not installed: it comes with Debian's direwolf"
)


def read(*packets):
    """Return what direwolf says of each of these packets."""
    lines = b"".join(write_text(packet) + b"\n" for packet in packets)
    done = subprocess.run([DECODER], input=lines, capture_output=True, check=False, timeout=30)
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", done.stdout.decode("latin-1"))
    return [part for part in text.split("\nN0CALL>") if part.strip()]


def degrees(said):
    """Return the place that it prints, in degrees."""
    lat, lon = re.findall(r"([NSEW]) (\d+) (\d\d\.\d+)", said)[:2]
    return [
        (int(whole) + float(minutes) / 60) * (-1 if half in "SW" else 1)
        for half, whole, minutes in (lat, lon)
    ]


def test_places_and_emergencies_are_read_as_they_were_meant():
    dice = random.Random(3)
    places = [(dice.uniform(-89, 89), dice.uniform(-179, 179)) for _ in range(PLACES)]
    packets = []
    for number, place in enumerate(places):
        to, body = write_mic_e(*place, bits="000" if number % 2 else "111")
        packets.append(Packet("N0CALL", to, (), body))
        packets.append(Packet("N0CALL", "APRS", (), write_position(*place)))
    said = [part for part in read(*packets) if re.search(r"[NS] \d+ \d", part)]

    assert len(said) == len(packets)
    for number, place in enumerate(places):
        for part in said[2 * number : 2 * number + 2]:
            assert degrees(part) == pytest.approx(place, abs=DEGREES)
        assert ("Emergency" in said[2 * number]) == bool(number % 2)


def test_messages_and_their_answers_are_read_as_they_were_meant():
    bodies = (
        write_message("N0BODY", "all well", number="7"),
        write_answer("N0BODY", "7"),
        write_answer("N0BODY", "7", accepted=False),
    )
    said = "".join(read(*(Packet("N0CALL", "APRS", (), body) for body in bodies)))

    assert 'APRS Message 7 for "N0BODY"' in said
    assert 'ACK message 7 for "N0BODY"' in said
    assert 'REJ message 7 for "N0BODY"' in said


def test_what_is_ordered_is_read_as_it_was_meant():
    orders = (
        Text(category=Urgency.ROUTINE, words="engine repaired", to="M0ABC-7"),
        Text(category=Urgency.ROUTINE, words="gale warning", bulletin="3"),
        Text(category=Urgency.ROUTINE, words="open day", bulletin="Q"),
        Text(category=Urgency.ROUTINE, words="tide late", bulletin="3SHORE"),
        Beacon(place=Place(lat_deg=50.5, lon_deg=-4.25), words="harbour office"),
    )
    own = Own(callsign="N0CALL")
    bodies = [
        composer_named("aprs").compose(saying(order, "kiss", own=own, dialect="WIDE2-1"))
        for order in orders
    ]
    said = read(*(packet_in(body) for (body,) in bodies))

    assert f'Message {message_number("c-1")} for "M0ABC-7"' in said[-5]
    for part, order in zip(said[-5:], orders, strict=True):
        assert part.strip().splitlines()[-1].partition("{")[0] == order.words
    assert degrees(said[-1]) == pytest.approx((50.5, -4.25), abs=DEGREES)
