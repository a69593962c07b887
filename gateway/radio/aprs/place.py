r"""Places in plain and in compressed form, and what is said behind them.

    4903.50N/07201.75W-        YYYYYYYSXXXXXXXXC        plain; digits may be blanked from the right
    /5L!!<*e7>7P[              SYYYYXXXXCcsT            compressed: numbers of base 91

    Y  latitude        S  symbol table, or overlay      cs  course and speed, altitude, or range
    X  longitude       C  symbol code                   T   which of them, and what the fix was

    088/036                    course in degrees, speed in knots      PHG5132, RNG0050
    /A=001234                  altitude in feet, anywhere
    !W5x!, !w8X!               one more digit of latitude and longitude each, or two of base 91

APRS 1.0.1 chapters 6 (places), 7 (extensions) and 9 (compressed); APRS 1.1 and 1.2 (`!DAO!`).
A course of 000 and blanks mean that it is not known. Of weather stations (symbol `_`) course and
speed are the wind's, and stay in the text.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from gateway.radio.aprs.words import Spot

FOOT_M = 0.3048
_MILE_M = 1609.344
MINUTE_M = 1852.0
_HALF_STEPS_M = tuple(step * MINUTE_M / 2 for step in (0.01, 0.1, 1, 10, 60))
"""By how many digits are blanked."""
_HALF_STEP_COMPRESSED_M = 0.3
"""Of longitude: 1/190463 of a degree, 0.58 m, at the equator."""
_HALF_STEP_DIGIT_M, _HALF_STEP_91_M = 0.926, 0.102
"""With a third digit of the minutes; with two of base 91."""
_MIDDLES = (0.0, 0.05, 0.5, 5.0, 30.0)
"""The middle of what blanked digits may stand for, in minutes."""
_LAT_STEPS_A_DEGREE, _LON_STEPS_A_DEGREE = 380_926, 190_463
_WEATHER = "_"

PLAIN_BYTES, COMPRESSED_BYTES = 19, 13

_PLAIN = re.compile(
    rb"(\d\d)([0-5 ][0-9 ]\.[0-9 ]{2})([NSns])([/\\0-9A-Za-z])"
    rb"([01]\d\d)([0-5 ][0-9 ]\.[0-9 ]{2})([EWew])([\x21-\x7e])"
)
_COMPRESSED = re.compile(
    rb"([/\\A-Za-j])([\x21-\x7b]{8})([\x21-\x7e])([\x20-\x7c])([\x20-\x7c])(.)"
)
_MOTION = re.compile(rb"([0-9. ]{3})/([0-9. ]{3})")
_RANGE = re.compile(rb"RNG(\d{4})")
_ALTITUDE = re.compile(rb"/A=(-\d{5}|\d{6})")
_DATUM = re.compile(rb"!(?:([A-Z])(\d)(\d)|([a-z])([\x21-\x7b])([\x21-\x7b]))!")
_BLANKS = re.compile(rb"([0-9.]*)[ .]*")


def place_at(said: bytes) -> tuple[Spot, bytes] | None:
    """Return the place that this begins with, and the rest; None when it is none."""
    if said[:1].isdigit():
        return _plain(said)
    return _compressed(said)


def finer(spot: Spot, said: bytes) -> Spot:
    """Return the place with what a `!DAO!` in this text adds to it."""
    *_, found = (None, *_DATUM.finditer(said))
    if found is None:
        return spot
    if found[1]:
        adds = [int(digit) * 0.001 for digit in found.group(2, 3)]
        datum, half_step_m = found[1], _HALF_STEP_DIGIT_M
    else:
        adds = [(digit[0] - 33) / 91 * 0.01 for digit in found.group(5, 6)]
        datum, half_step_m = found[4].upper(), _HALF_STEP_91_M
    if spot.hidden_digits:
        return replace(spot, datum=datum.decode("ascii"))
    return replace(
        spot,
        lat_deg=_further(spot.lat_deg, adds[0]),
        lon_deg=_further(spot.lon_deg, adds[1]),
        resolution_m=half_step_m,
        datum=datum.decode("ascii"),
    )


def _further(degrees: float, minutes: float) -> float:
    return degrees + minutes / 60 if degrees >= 0 else degrees - minutes / 60


def base91(digits: bytes) -> int:
    """Return the number that these digits make."""
    number = 0
    for digit in digits:
        number = number * 91 + digit - 33
    return number


def _plain(said: bytes) -> tuple[Spot, bytes] | None:
    found = _PLAIN.match(said)
    if found is None:
        return None
    hidden = max(_hidden(found[2]), _hidden(found[6]))
    lat = int(found[1]) + _minutes(found[2], hidden) / 60
    lon = int(found[5]) + _minutes(found[6], hidden) / 60
    spot = Spot(
        coding="plain",
        lat_deg=-lat if found[3] in b"Ss" else lat,
        lon_deg=-lon if found[7] in b"Ww" else lon,
        resolution_m=_HALF_STEPS_M[hidden],
        hidden_digits=hidden,
        symbol=(found[4] + found[8]).decode("ascii"),
    )
    return _extended(spot, said[found.end() :])


def _hidden(minutes: bytes) -> int:
    """Return how many digits are blanked, counted from the leftmost one that is."""
    at = minutes.find(b" ")
    return 0 if at < 0 else (4, 3, 2, 2, 1)[at]


def _minutes(digits: bytes, hidden: int) -> float:
    if not hidden:
        return float(digits)
    kept = digits[: (5, 4, 2, 1, 0)[hidden]]
    tens = 10 if hidden == 3 else 1
    return (float(kept) if kept else 0.0) * tens + _MIDDLES[hidden]


def half_step_m(hidden: int) -> float:
    """Return how fine a place is of which so many digits are blanked."""
    return _HALF_STEPS_M[hidden]


def middle(minutes: float, hidden: int) -> float:
    """Return the middle of what minutes may be of which so many digits are blanked."""
    step = (0.01, 0.1, 1.0, 10.0, 60.0)[hidden]
    return minutes if not hidden else int(minutes / step + 1e-9) * step + _MIDDLES[hidden]


def _extended(spot: Spot, rest: bytes) -> tuple[Spot, bytes]:
    """Return the place with course, speed, range, altitude and finer digits, and the rest."""
    motion = None if spot.symbol[1] == _WEATHER else _MOTION.match(rest)
    if motion:
        course, speed = motion.groups()
        spot = replace(spot, course_deg=_course(course), speed_kn=_number(speed))
        rest = rest[motion.end() :]
    elif found := _RANGE.match(rest):
        spot = replace(spot, range_m=int(found[1]) * _MILE_M)
        rest = rest[found.end() :]
    return finer(with_altitude(spot, rest), rest) if rest else spot, rest


def with_altitude(spot: Spot, rest: bytes) -> Spot:
    """Return the place with the altitude that stands in this text, if there is one."""
    found = _ALTITUDE.search(rest)
    return replace(spot, altitude_m=round(int(found[1]) * FOOT_M, 2)) if found else spot


def _number(digits: bytes) -> float | None:
    return float(digits) if digits.isdigit() else None


def _course(digits: bytes) -> float | None:
    """Return the course; 000 says that it is not known, and 360 is north."""
    course = _number(digits)
    return None if not course or course > 360 else course % 360


def _compressed(said: bytes) -> tuple[Spot, bytes] | None:
    found = _COMPRESSED.match(said)
    if found is None:
        return None
    table, digits, code, first, second, kind = found.groups()
    if b"a" <= table <= b"j":  # overlays 0 to 9
        table = bytes((table[0] - ord("a") + ord("0"),))
    spot = Spot(
        coding="compressed",
        lat_deg=90 - base91(digits[:4]) / _LAT_STEPS_A_DEGREE,
        lon_deg=-180 + base91(digits[4:]) / _LON_STEPS_A_DEGREE,
        resolution_m=_HALF_STEP_COMPRESSED_M,
        symbol=(table + code).decode("ascii"),
    )
    spot = _moved(spot, first[0], second[0], kind[0])
    rest = said[found.end() :]
    return finer(with_altitude(spot, rest), rest) if rest else spot, rest


_GGA = 0x10
_SOURCE = 0x18
"""The bits of T that say which sentence the fix came from."""
_RANGE_MARK = ord("{")


def _moved(spot: Spot, first: int, second: int, kind: int) -> Spot:
    """Return the place with what cs and T say (APRS 1.0.1 chapter 9)."""
    if first == ord(" ") or second == ord(" "):
        return spot
    if kind - 33 & _SOURCE == _GGA:
        return replace(
            spot, altitude_m=round(1.002 ** ((first - 33) * 91 + second - 33) * FOOT_M, 2)
        )
    if first == _RANGE_MARK:
        return replace(spot, range_m=round(2 * 1.08 ** (second - 33) * _MILE_M, 1))
    if first < _RANGE_MARK and spot.symbol[1] != _WEATHER:
        speed_kn = round(1.08 ** (second - 33) - 1, 3)
        return replace(spot, course_deg=float((first - 33) * 4), speed_kn=speed_kn)
    return spot


def write_place(lat_deg: float, lon_deg: float, *, symbol: str = "/-") -> bytes:
    """Return a place in plain form."""
    lat, south = _written(lat_deg, 2)
    lon, west = _written(lon_deg, 3)
    return f"{lat}{'NS'[south]}{symbol[0]}{lon}{'EW'[west]}{symbol[1]}".encode("ascii")


def _written(degrees: float, digits: int) -> tuple[str, bool]:
    hundredths = round(abs(degrees) * 6000)
    whole, minutes = divmod(hundredths, 6000)
    return f"{whole:0{digits}}{minutes // 100:02}.{minutes % 100:02}", degrees < 0
