"""What the streams are made of: a busy sky, a busy channel, a busy roadstead, and beacons."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from pyais import encode_dict

from gateway.codes.bits import joined
from gateway.framing.kiss import Kiss
from gateway.radio.aprs.content import write_position
from gateway.radio.aprs.mice import write_mic_e
from gateway.radio.aprs.packet import Packet, write_packet
from gateway.radio.cospas_sarsat.words import BeaconDetail
from gateway.radio.cospas_sarsat.write import write_beacon
from tests.faults.traffic import Traffic
from tests.tapes import systems

SENTENCES = 40_000
CALLS = 20_000
CRAFT = 500
AIRCRAFT_FIRST = 0xF00000
"""The block of addresses that no state assigns begins here."""


def fleet(seed: int) -> Iterator[bytes]:
    """Yield a busy roadstead: mostly positions, some names, base stations and texts."""
    dice = random.Random(seed)
    for number in range(SENTENCES):
        mmsi = 200_000_000 + dice.randrange(CRAFT)
        lat, lon = dice.uniform(50, 52), dice.uniform(0, 3)
        common = {"mmsi": mmsi, "lat": lat, "lon": lon, "second": number % 60}
        kind = dice.choices((1, 3, 18, 4, 24, 14), (55, 20, 12, 8, 4, 1))[0]
        fields: dict[str, object] = {"type": kind, **common}
        if kind in (1, 3, 18):
            fields |= {"speed": dice.uniform(0, 20), "course": dice.uniform(0, 359)}
        elif kind == 24:
            fields = {"type": 24, "partno": 0, "mmsi": mmsi, "shipname": f"SHIP {mmsi % 1000}"}
        elif kind == 14:
            fields = {"type": 14, "mmsi": mmsi, "text": "NAVIGATION WARNING"}
        for line in encode_dict(fields, talker_id="AI", radio_channel="AB"[number % 2]):
            yield f"{line}\r\n".encode()


def calls(seed: int) -> Iterator[bytes]:
    """Yield what must be told one by one: distress, urgency and safety calls, all different."""
    for sentence in islice(Traffic(seed).urgent(), CALLS):
        yield sentence.wire


def packets(seed: int) -> Iterator[bytes]:
    """Yield a busy channel of packet radio: what moves, what stands, and what they say."""
    dice = random.Random(seed)
    for number in range(SENTENCES):
        lat, lon = dice.uniform(50, 52), dice.uniform(0, 3)
        source, path = f"N{number % CRAFT}CALL"[:6], ("WIDE1-1*", "WIDE2-1")
        to, body = write_mic_e(lat, lon, comment=b"on watch")
        kind = dice.choices(("mic_e", "position", "status"), (50, 40, 10))[0]
        if kind == "position":
            to, body = "APRS", write_position(lat, lon, comment="088/036on watch")
        elif kind == "status":
            to, body = "APRS", b">on watch %d" % number
        yield Kiss.wrap(write_packet(Packet(source, to, path, body)))


def sky(seed: int) -> Iterator[bytes]:
    """Yield a busy sky as a Beast tells it: squitters of each kind, and replies to radars."""
    dice = random.Random(seed)
    for number in range(SENTENCES):
        craft = dice.randrange(CRAFT)
        address = f"{AIRCRAFT_FIRST + craft:06X}"
        kind = dice.choices(("here", "place", "motion", "name", "squawk"), (30, 30, 15, 5, 20))[0]
        odd = dice.random() < 0.5
        lat, lon = systems.cpr(50 + craft / 250, craft / 200, odd=odd)
        east, north = dice.randrange(1, 400), dice.randrange(1, 400)
        message = {
            "here": systems.acquisition(address),
            "place": systems.squitter(
                address,
                joined((11, 5), (0, 3), (0xC38, 12), (0, 1), (odd, 1), (lat, 17), (lon, 17)),
            ),
            "motion": systems.squitter(
                address, joined((19, 5), (1, 3), (0, 6), (east, 10), (0, 1), (north, 10), (0, 21))
            ),
            "name": systems.squitter(address, systems.name_of(f"TEST {craft:03}")),
            "squawk": systems.reply(f"{craft % 8}{craft % 7}00", address),
        }[kind]
        yield systems.beast(number / 5000, message)


def beacons(seed: int) -> Iterator[bytes]:
    """Yield the lines of as many beacons of the first generation, each with its place."""
    dice = random.Random(seed)
    for number in range(CALLS):
        said = BeaconDetail(
            generation=1,
            form="message",
            long=True,
            protocol="standard_mmsi",
            beacon="epirb",
            hex_id="",
            country="200",
            mmsi=f"200{number:06}",
            beacon_number="0",
            position_source="internal",
            homing="121.5",
            lat_deg=dice.uniform(-60, 60),
            lon_deg=dice.uniform(-170, 170),
        )
        yield f"{write_beacon(said)}\r\n".encode()


def bursts(seed: int) -> Iterator[bytes]:
    """Yield as many lines, but of a fleet's beacons, each burst after burst from where it is."""
    fleet_of = list(islice(beacons(seed), CRAFT))
    for number in range(CALLS):
        yield fleet_of[number % CRAFT]
