"""Mode S beside an independent decoder: what both read of messages of dice is the same."""

from __future__ import annotations

import random

import pytest
import rs1090

from gateway.codes.crc24 import parity
from gateway.radio.mode_s.decode import read_burst
from gateway.radio.mode_s.forms import burst_in

MESSAGES = 1500
ADDRESS = 0xF01234
TYPES = (*range(1, 5), *range(5, 9), *range(9, 19), 19, 28)
SUBTYPES = {19: 1, 28: 1}
"""Of supersonic craft it takes the steps for knots; of other subtypes of 28 it reads a squawk."""
METRES = 0x40
"""The bit of an altitude in metres: it is read there, and not here."""
STATES = {
    "none": 0,
    "general": 1,
    "medical": 2,
    "minimum_fuel": 3,
    "no_communication": 4,
    "unlawful_interference": 5,
    "downed_aircraft": 6,
    "reserved": 7,
}


def messages(form):
    """Yield messages of dice in this downlink format, each with check bits that hold."""
    dice = random.Random(form)
    for turn in range(MESSAGES):
        body = bytearray(dice.randbytes(11 if form >= 16 else 4))
        body[0] = form << 3 | (0 if form == 18 else body[0] & 7)
        if form in (17, 18):
            code = TYPES[turn % len(TYPES)]
            body[4] = code << 3 | SUBTYPES.get(code, body[4]) & 7
        if form in (0, 4, 16, 20):
            body[3] &= ~METRES
        over = 0 if form in (11, 17, 18) else ADDRESS
        yield bytes(body) + (parity(bytes(body)) ^ over).to_bytes(3, "big")


def ours(octets):
    words = read_burst(burst_in(octets.hex().encode())).words
    motion, cpr = words.motion, words.cpr
    return {
        "icao24": words.address.lower(),
        "squawk": words.squawk,
        "altitude": words.altitude_ft,
        "callsign": words.callsign,
        "lat_cpr": cpr and cpr.lat,
        "lon_cpr": cpr and cpr.lon,
        "parity": cpr and ("odd" if cpr.odd else "even"),
        "groundspeed": motion and motion.speed_kn,
        "track": motion and motion.course_deg,
        "heading": motion and motion.heading_deg,
        "vertical_rate": motion and motion.vertical_ft_min,
        "emergency_state": words.emergency_state,
    }


def theirs(said):
    found = {key: value for key, value in said.items() if value is not None}
    if "emergency_state" in found:
        found["emergency_state"] = STATES[found["emergency_state"]]
    if "#" in found.get("callsign", ""):
        del found["callsign"]
    return found


def differing(octets):
    """Yield what both read, and read otherwise."""
    said = rs1090.decode(octets.hex())
    if said is None:
        return  # it refuses all of a message for one field that it can't read
    wanted = theirs(said)
    for name, actual in ours(octets).items():
        if name in wanted and not same(name, wanted[name], actual):
            yield name, wanted[name], actual


def same(name, wanted, actual):
    if name in ("groundspeed", "track", "heading"):
        return actual is not None and abs(actual - wanted) < 0.06
    if name == "callsign":
        return (actual or "").replace(" ", "") == wanted.replace(" ", "")
    return actual == wanted


@pytest.mark.parametrize("form", [0, 4, 5, 11, 16, 17, 18, 20, 21])
def test_both_read_the_same(form):
    found = [(octets.hex(), *one) for octets in messages(form) for one in differing(octets)]

    assert found == []
