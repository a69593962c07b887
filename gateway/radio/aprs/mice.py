r"""Mic-E: half of the position stands where the destination belongs, the other half in the packet.

    S 3 2 U 6 T            `  ( _ f   n " O   j /   comment
    1 2 3 4 5 6            I  D M H   V W C   S T

    1-6  the digits of the latitude, and in each a bit more:
         1 2 3  message bits A, B, C    4  north    5  longitude + 100    6  west
    I    ` or 1C: current    ' or 1D: old
    D M H  longitude: degrees, minutes, hundredths, each + 28
    V W C  speed and course: tens of knots; knots and hundreds of degrees; degrees, each + 28
    S T  symbol code, symbol table
    xxx}  anywhere in the comment: altitude in metres above -10000, to the base 91

    characters of 1-3   0-9 L          bit 0         P-Y Z   bit 1, standard    A-J K  bit 1, custom
                        (L, K, Z: a digit that is blanked; of 4-6 only 0-9 L and P-Z)

APRS 1.0.1 chapter 10, APRS 1.2. Bits 000 are an emergency whatever else the packet says; standard
and custom bits mixed mean nothing. Where the position can't be, the rest is told without it.
"""

from __future__ import annotations

import re

from gateway.radio.aprs.place import base91, finer, half_step_m, middle, with_altitude
from gateway.radio.aprs.words import Content, MicE, Packet, Spot

TYPES = frozenset(b"`'\x1c\x1d")
EMERGENCY = "emergency"

_CURRENT = frozenset(b"`\x1c")
_MEANINGS = (
    *(EMERGENCY, "priority", "special", "committed"),
    *("returning", "in_service", "en_route", "off_duty"),
)
"""By the bits A, B and C of standard messages."""
_DESTINATION = re.compile(r"[0-9A-LP-Z]{3}[0-9LP-Z]{3}(?:-\d+)?\Z")
_MOTION = re.compile(rb"[\x1c-\x7f]{3}")
_LONGITUDE = re.compile(rb"[\x26-\x7f][\x26-\x61][\x1c-\x7f]")
_SYMBOL = re.compile(rb"[\x21-\x7e][/\\A-Z0-9a-j]")
_TELEMETRY = re.compile(rb"\|[\x21-\x7b]{4,14}\|")
_ALTITUDE = re.compile(rb"([\x21-\x7b]{3})\}")
_HEAD_BYTES = 9
_LAT_MAX = 90


def is_mic_e(packet: Packet) -> bool:
    """Say whether this is Mic-E: by its first byte, and by what stands for a destination."""
    return (
        packet.body[:1] != b"" and packet.body[0] in TYPES and bool(_DESTINATION.match(packet.to))
    )


def message_bits(to: str) -> MicE:
    """Return what the first three characters of a destination say."""
    bits = "".join("0" if digit in "0123456789L" else "1" for digit in to[:3])
    standard = any("P" <= digit <= "Z" for digit in to[:3])
    custom = any("A" <= digit <= "K" for digit in to[:3])
    meaning = _MEANINGS[int(bits, 2)]
    if standard and custom:
        meaning = "unknown"
    elif custom:
        meaning = f"custom_{7 - int(bits, 2)}"
    return MicE(meaning=meaning, bits=bits, current=True)


def mic_e(packet: Packet) -> Content:
    """Return what a Mic-E packet says."""
    said = packet.body
    bits = message_bits(packet.to)
    bits = MicE(meaning=bits.meaning, bits=bits.bits, current=said[0] in _CURRENT)
    rest = said[_HEAD_BYTES:]
    spot = _spot(packet.to, said)
    if spot is None:
        odd = ("the position in it can't be",)
        return Content(form="mic_e", mic_e=bits, text=None, odd=odd)
    plain = _TELEMETRY.sub(b"", rest) if b"|" in rest else rest
    return Content(form="mic_e", mic_e=bits, spot=_with_comment(spot, plain))


def comment_of(said: bytes) -> bytes:
    """Return what stands behind the coded part of a Mic-E packet, its altitude left out."""
    return _ALTITUDE.sub(b"", said[_HEAD_BYTES:], count=1)


def _with_comment(spot: Spot, comment: bytes) -> Spot:
    found = _ALTITUDE.search(comment)
    if found:
        spot = _raised(spot, float(base91(found[1]) - 10_000))
    elif b"/A=" in comment:
        spot = with_altitude(spot, comment)
    return finer(spot, comment) if b"!" in comment else spot


def _raised(spot: Spot, altitude_m: float) -> Spot:
    return Spot(
        coding=spot.coding,
        lat_deg=spot.lat_deg,
        lon_deg=spot.lon_deg,
        resolution_m=spot.resolution_m,
        hidden_digits=spot.hidden_digits,
        symbol=spot.symbol,
        altitude_m=altitude_m,
        speed_kn=spot.speed_kn,
        course_deg=spot.course_deg,
    )


def _spot(to: str, said: bytes) -> Spot | None:
    """Return the place; None when it can't be."""
    if not (_LONGITUDE.match(said, 1) and _MOTION.match(said, 4) and _SYMBOL.match(said, 7)):
        return None
    lat = _latitude(to)
    if lat is None:
        return None
    lat_deg, hidden = lat
    lon_deg = _longitude(said, hidden, offset=to[4] >= "P")
    if lon_deg > 180:
        return None
    speed_kn, course_deg = _motion(said)
    return Spot(
        coding="mic_e",
        lat_deg=lat_deg if to[3] >= "P" else -lat_deg,
        lon_deg=-lon_deg if to[5] >= "P" else lon_deg,
        resolution_m=half_step_m(hidden),
        hidden_digits=hidden,
        symbol=f"{said[8]:c}{said[7]:c}",
        speed_kn=speed_kn,
        course_deg=course_deg,
    )


def _latitude(to: str) -> tuple[float, int] | None:
    """Return the latitude without its sign, and how many digits of it are blanked."""
    digits = "".join(_DIGITS[digit] for digit in to[:6])
    hidden = len(digits) - len(digits.rstrip(" "))
    digits = digits.rstrip(" ").ljust(6, "0")
    if " " in digits or hidden > 4:
        return None
    minutes = int(digits[2:]) / 100
    if minutes >= 60:
        return None
    degrees = int(digits[:2]) + middle(minutes, hidden) / 60
    return (degrees, hidden) if degrees <= _LAT_MAX else None


_DIGITS = {
    **{str(digit): str(digit) for digit in range(10)},
    **{chr(ord("A") + digit): str(digit) for digit in range(10)},
    **{chr(ord("P") + digit): str(digit) for digit in range(10)},
    **dict.fromkeys("KLZ", " "),
}


def _longitude(said: bytes, hidden: int, *, offset: bool) -> float:
    """Return the longitude without its sign."""
    degrees = said[1] - 28 + (100 if offset else 0)
    if 180 <= degrees <= 189:
        degrees -= 80
    elif 190 <= degrees <= 199:
        degrees -= 190
    minutes = said[2] - 28
    if minutes >= 60:
        minutes -= 60
    return degrees + middle(minutes + (said[3] - 28) / 100, hidden) / 60


def _motion(said: bytes) -> tuple[float, float | None]:
    """Return speed and course; a course of 0 is not known, and 360 is north."""
    tens, both, degrees = (byte - 28 for byte in said[4:7])
    speed = tens * 10 + both // 10
    course = both % 10 * 100 + degrees
    speed -= 800 if speed >= 800 else 0
    course -= 400 if course >= 400 else 0
    return float(speed), float(course % 360) if 0 < course <= 360 else None


def write_mic_e(
    lat_deg: float, lon_deg: float, *, bits: str = "111", symbol: str = "/>", comment: bytes = b""
) -> tuple[str, bytes]:
    """Return destination and contents of a Mic-E packet that stands still."""
    lat = round(abs(lat_deg) * 6000)
    digits = f"{lat // 6000:02}{lat % 6000:04}"
    lon = round(abs(lon_deg) * 6000)
    degrees, minutes = divmod(lon, 6000)
    flags = [int(bit) for bit in bits] + [lat_deg >= 0, degrees < 10 or degrees >= 100, lon_deg < 0]
    to = "".join(
        chr(ord("P") + int(digit)) if flag else digit
        for digit, flag in zip(digits, flags, strict=True)
    )
    if degrees < 10:
        coded = degrees + 90
    elif degrees >= 110:
        coded = degrees - 100
    else:
        coded = degrees - 20 if degrees >= 100 else degrees
    whole, hundredths = divmod(minutes, 100)
    place = (coded + 28, whole + (88 if whole < 10 else 28), hundredths + 28)
    head = bytes((ord("`"), *place, *(28 + 80, 28, 28)))
    return to, head + symbol[1].encode("ascii") + symbol[0].encode("ascii") + comment
