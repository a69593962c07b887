r"""Sentences of NMEA 0183 that a tracker sends on as it has them from its receiver.

    $GPRMC,145526,A,3349.0378,N,08406.2617,W,23.726,27.9,121207,4.9,W*7A
    $GPGGA,hhmmss,lat,N,lon,W,quality,…,altitude,M,…       $GPGLL,lat,N,lon,W,hhmmss,A

APRS 1.0.1 chapter 6 and appendix 1. Only a sentence whose checksum is right, and whose receiver
says that it has a fix, gives a position. The symbol would be in the destination; it is a dot.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from gateway.radio.aprs.place import MINUTE_M
from gateway.radio.aprs.words import Spot

_SENTENCE = re.compile(rb"\$([A-Z]{2}(RMC|GGA|GLL),[\x20-\x29\x2b-\x7e]{1,90})\*([0-9A-Fa-f]{2})")
_FIELDS = {b"RMC": (3, 2, b"A"), b"GGA": (2, 6, b"12345"), b"GLL": (1, 6, b"A")}
"""Where the latitude stands, where the state of the receiver, and with which it has a fix."""
_ANGLE = re.compile(rb"(\d{2,3})([0-5]\d)(?:\.(\d{1,7}))?")
_DECIMAL = re.compile(rb"-?\d{1,6}(?:\.\d{1,6})?")
_DOT = "//"


def sentence_place(said: bytes) -> Spot | None:
    """Return the place in a sentence; None when it is broken, or has none."""
    found = _SENTENCE.match(said)
    if found is None or reduce(xor, found[1], 0) != int(found[3], 16):
        return None
    fields = found[1].split(b",")
    at, state, fixed = _FIELDS[found[2]]
    if len(fields) <= max(at + 3, state) or not fields[state] or fields[state] not in fixed:
        return None
    lat, decimals = _degrees(fields[at], fields[at + 1], b"NS")
    lon, _ = _degrees(fields[at + 2], fields[at + 3], b"EW")
    if lat is None or lon is None:
        return None
    moved = found[2] == b"RMC"
    return Spot(
        coding="nmea",
        lat_deg=lat,
        lon_deg=lon,
        resolution_m=round(MINUTE_M / 2 / 10**decimals, 4),
        symbol=_DOT,
        speed_kn=_number(fields, 7) if moved else None,
        course_deg=_number(fields, 8) if moved else None,
        altitude_m=None if moved or found[2] == b"GLL" else _number(fields, 9),
    )


def _degrees(angle: bytes, half: bytes, halves: bytes) -> tuple[float | None, int]:
    """Return an angle, and how many decimals its minutes have."""
    found = _ANGLE.fullmatch(angle)
    if found is None or len(half) != 1 or half not in halves:
        return None, 0
    decimals = found[3] or b""
    minutes = float(found[2] + b"." + (decimals or b"0"))
    degrees = int(found[1]) + minutes / 60
    return (degrees if half == halves[:1] else -degrees), len(decimals)


def _number(fields: list[bytes], at: int) -> float | None:
    given = fields[at] if at < len(fields) else b""
    return float(given) if _DECIMAL.fullmatch(given) else None
