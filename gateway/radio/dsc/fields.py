"""The fields that calls are made of: text to value, or None when it can't be read. Pure."""

from __future__ import annotations

from gateway.codes.mmsi import MMSI_DIGITS
from gateway.radio.dsc.words import Area, Working

POSITION_DIGITS = 10
ABSENT = "9" * 10  # M.493-15: how a position says that there is none
PHONE_DIGITS_MAX = 18  # M.493-15, telephone number

_SYMBOL_MAX = 127
_SYMBOL_COMMANDS = 100
_POSITION_MARK = "55"  # M.493 table A1-5: this symbol says that a position follows
_FREQ_FINE_MARK = "4"
_VHF_DIGITS_MAX = 4
_VHF_NUMBERS = (*range(1, 29), *range(60, 89))  # RR appendix 18
_LAT_MINUTES_MAX = 90 * 60
_LON_MINUTES_MAX = 180 * 60


def is_digits(text: str) -> bool:
    """Say whether the text is plain digits and nothing else."""
    return text.isascii() and text.isdigit()


def code_of(text: str) -> int | None:
    """Return the symbol that a field of two digits (leading 1 dropped) or of three stands for.

    Digits that stand for no symbol come back as the number they are, which no table has.
    """
    if not is_digits(text) or len(text) > 3:
        return None
    value = int(text)
    if len(text) == 2 and value <= _SYMBOL_MAX - _SYMBOL_COMMANDS:
        return value + _SYMBOL_COMMANDS
    return value


def code_text(code: int | None) -> str:
    """Return the field for a symbol, in the printed form: two digits, leading 1 dropped."""
    if code is None:
        return ""
    if _SYMBOL_COMMANDS <= code <= _SYMBOL_MAX:
        return f"{code - _SYMBOL_COMMANDS:02d}"
    return f"{code:02d}"


def mmsi_of(text: str) -> str | None:
    """Return the MMSI in an address of ten digits: the first nine, with a 0 behind (M.493-15).

    The bare nine digits are taken as well, and so is another tenth digit: it does not change
    whose address it is.
    """
    if not is_digits(text) or len(text) not in (MMSI_DIGITS, MMSI_DIGITS + 1) or text == ABSENT:
        return None
    return text[:MMSI_DIGITS]


def is_plain_address(text: str) -> bool:
    """Say whether an address has its printed form: ten digits, the last a 0."""
    return len(text) == MMSI_DIGITS + 1 and text.endswith("0")


def minutes_of(digits: str) -> tuple[int, int, int, int] | None:
    """Return a position's signs and whole minutes: north, latitude, east, longitude.

    QaabbCCCdd: quadrant (0 NE, 1 NW, 2 SE, 3 SW), degrees and minutes (M.493-15).
    """
    if len(digits) != POSITION_DIGITS or not is_digits(digits) or digits[0] > "3":
        return None
    if digits[3] > "5" or digits[8] > "5":
        return None
    lat = int(digits[1:3]) * 60 + int(digits[3:5])
    lon = int(digits[5:8]) * 60 + int(digits[8:10])
    if lat > _LAT_MINUTES_MAX or lon > _LON_MINUTES_MAX:
        return None
    return (-1 if digits[0] in "23" else 1), lat, (-1 if digits[0] in "13" else 1), lon


def position_digits(text: str) -> str | None:
    """Return the ten digits of a field that holds a position, valid or not; else None."""
    if len(text) == POSITION_DIGITS + len(_POSITION_MARK) and text.startswith(_POSITION_MARK):
        text = text[len(_POSITION_MARK) :]
    return text if len(text) == POSITION_DIGITS and is_digits(text) else None


def is_time(text: str) -> bool:
    """Say whether the text is a time of day, hhmm."""
    return len(text) == 4 and is_digits(text) and text[:2] < "24" and text[2:] < "60"


def area_of(text: str) -> Area | None:
    """Return the area of a call: quadrant, latitude, longitude, two sides (M.493-15)."""
    if len(text) != POSITION_DIGITS or not is_digits(text) or text[0] > "3":
        return None
    lat, lon = int(text[1:3]), int(text[3:6])
    if lat > 90 or lon > 180:
        return None
    return Area(
        corner_lat_deg=-lat if text[0] in "23" else lat,
        corner_lon_deg=-lon if text[0] in "13" else lon,
        southwards_deg=int(text[6:8]),
        eastwards_deg=int(text[8:10]),
    )


def area_text(area: Area) -> str:
    """Return the ten digits of an area."""
    quadrant = 2 * (area.corner_lat_deg < 0) + (area.corner_lon_deg < 0)
    return (
        f"{quadrant}{abs(area.corner_lat_deg):02d}{abs(area.corner_lon_deg):03d}"
        f"{area.southwards_deg:02d}{area.eastwards_deg:02d}"
    )


def workings_of(text: str) -> tuple[Working, Working | None] | None:
    """Return the one or two frequencies or channels of a field (M.493 table A1-5).

    A bare number of up to four digits is a VHF channel, as some radios write it.
    """
    if not is_digits(text):
        return None
    if len(text) <= _VHF_DIGITS_MAX:
        channel = _vhf(int(text))
        return (channel, None) if channel else None
    first, rest = _cut_working(text)
    second, rest = _cut_working(rest) if rest else (None, "")
    one = _working(first)
    two = _working(second) if second else None
    if one is None or rest or (second and two is None):
        return None
    return one, two


def working_text(working: Working) -> str:
    """Return the digits of one frequency or channel."""
    if working.vhf_channel is not None:
        return f"90{int(working.vhf_channel):04d}"
    if working.hf_channel is not None:
        return f"3{working.hf_channel:05d}"
    if working.auto_channel is not None:
        return f"8{working.auto_channel:05d}"
    freq_hz = working.freq_hz or 0
    return f"4{freq_hz // 10:07d}" if freq_hz % 100 else f"{freq_hz // 100:06d}"


def _cut_working(text: str) -> tuple[str, str]:
    length = 8 if text.startswith(_FREQ_FINE_MARK) else 6
    return text[:length], text[length:]


def _working(text: str) -> Working | None:
    number = int(text[1:]) if len(text) > 1 else 0
    match len(text), text[0]:
        case 6, "0" | "1" | "2" if int(text):
            return Working(freq_hz=int(text) * 100)
        case 6, "3" if number:
            return Working(hf_channel=number)
        case 6, "8" if number:
            return Working(auto_channel=number)
        case 6, "9" if text[1] == "0":
            return _vhf(number)
        case 8, "4" if number:
            return Working(freq_hz=number * 10)
    return None


def _vhf(number: int) -> Working | None:
    """Return a VHF channel: its number, with 10 or 20 before it for one leg of a pair."""
    if number // 1000 <= 2 and number % 1000 in _VHF_NUMBERS:
        return Working(vhf_channel=str(number))
    return None
