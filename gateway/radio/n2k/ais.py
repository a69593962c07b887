"""AIS on the bus: the message as it went over the air, made again out of its parameter group.

    octet    0 RRMMMMMM    1 MMSI 4    5 longitude 4    9 latitude 4    13 SSSSSSIA
    129038   14 course 2   16 speed 2   18 state, receiver 3   21 heading 2   23 turn 2
             25 --VVNNNN, V special manoeuvre
    129039   14 course 2   16 speed 2   18 state, receiver 3   21 heading 2   23 regional 1
             24 flags      25 state's selector
    129040   14 course 2   16 speed 2   18 regional 2   20 type 1   21 heading 2   23 device 1
             24 length 2   26 beam 2    28 to starboard 2   30 to bow 2   32 name 20   52 flags 2
    129041   14 length 2   16 beam 2    18 to starboard 2   20 to bow 2   22 AVOTTTTT
             23 device     24 status    25 receiver         26 name, its length and coding before it

    R  repeat   M  message of M.1371   S  second   I  RAIM   A  accurate   N  navigational status
    of an aid: A  assigned   V  virtual   O  off position   T  type

Low octet first. Units: 1e-7 degrees, 1e-4 rad, 0.01 m/s, 0.1 m, 3.125e-5 rad/s; all finer than
those of the air, so that rounding gives back what was sent, but for slow turns. A value with all
bits set is absent. Source: canboat's database of parameter groups; the message: ITU-R M.1371-5,
Annex 8. What it means is not decided here.
"""

from __future__ import annotations

from math import copysign, degrees, sqrt

from gateway.codes.bits import joined
from gateway.radio.n2k.groups import AID, CLASS_A, CLASS_B, CLASS_B_EXTENDED

OCTETS_MIN = {CLASS_A: 26, CLASS_B: 26, CLASS_B_EXTENDED: 54, AID: 27}

_MESSAGES = {CLASS_A: (1, 2, 3), CLASS_B: (18,), CLASS_B_EXTENDED: (19,), AID: (21,)}
_MMSI_MAX = (1 << 30) - 1
_LON_NONE, _LAT_NONE = 181 * 600_000, 91 * 600_000
_LON_MOST, _LAT_MOST = (1 << 27) - 1, (1 << 26) - 1
"""What the fields of the air hold: what is beyond is not on the Earth, there as here."""
_KNOTS = 3600 / 1852
_SPEED_MOST, _SPEED_NONE = 1022, 1023
_COURSE_NONE, _HEADING_NONE = 3600, 511
_TURN_NONE, _TURN_MOST, _TURN_FACTOR = -128, 126, 4.733
_NAME_CHARACTERS = 20
_EXTENSION_CHARACTERS_MAX = 14
_OWN = 2
"""Receivers from here on are the craft's own transmitter."""

Field = tuple[int, int]
"""A value, and how many bits it is given."""


def sentence_of(pgn: int, octets: bytes) -> bytes | None:
    """Return the body of the sentence that would tell it, or None when it is no message."""
    if len(octets) < OCTETS_MIN[pgn] or _unsigned(octets, 1, 4) > _MMSI_MAX:
        return None
    fields = _LAYOUTS[pgn](octets)
    width = sum(bits for _, bits in fields)
    fill = -width % 6
    row = joined(*fields, (0, fill))
    sixes = [row >> at & 0x3F for at in range(width + fill - 6, -6, -6)]
    payload = bytes(six + 48 if six < 40 else six + 56 for six in sixes)
    receiver = _receiver(pgn, octets)
    own = b"VDO" if receiver >= _OWN else b"VDM"
    return b"AI%b,1,1,,%b,%b,%d" % (own, b"AB"[receiver & 1 : (receiver & 1) + 1], payload, fill)


def _head(pgn: int, octets: bytes) -> tuple[Field, ...]:
    """Return message, repeat and MMSI; a message that the group does not carry is its own."""
    message = octets[0] & 0x3F
    known = _MESSAGES[pgn]
    message = message if message in known else known[0]
    return (message, 6), (octets[0] >> 6, 2), (_unsigned(octets, 1, 4), 30)


def _place(octets: bytes) -> tuple[Field, ...]:
    lon = _scaled(octets, 5, absent=_LON_NONE, most=_LON_MOST)
    lat = _scaled(octets, 9, absent=_LAT_NONE, most=_LAT_MOST)
    return (octets[13], 1), (lon, 28), (lat, 27)


def _class_a(octets: bytes) -> tuple[Field, ...]:
    return (
        *_head(CLASS_A, octets),
        (octets[25], 4),
        (_turn(octets), 8),
        (_speed(octets), 10),
        *_place(octets),
        (_course(octets), 12),
        (_heading(octets), 9),
        (octets[13] >> 2, 6),
        (octets[25] >> 4, 2),
        (0, 3),
        (octets[13] >> 1, 1),
        (_unsigned(octets, 18, 3), 19),
    )


def _class_b(octets: bytes) -> tuple[Field, ...]:
    flags = octets[24]
    return (
        *_head(CLASS_B, octets),
        (octets[23], 8),
        (_speed(octets), 10),
        *_place(octets),
        (_course(octets), 12),
        (_heading(octets), 9),
        (octets[13] >> 2, 6),
        (flags, 2),
        *((flags >> bit, 1) for bit in range(2, 8)),
        (octets[13] >> 1, 1),
        (octets[25], 1),
        (_unsigned(octets, 18, 3), 19),
    )


def _class_b_extended(octets: bytes) -> tuple[Field, ...]:
    length, beam, starboard, bow = (_metres(octets, at) for at in (24, 26, 28, 30))
    return (
        *_head(CLASS_B_EXTENDED, octets),
        (octets[18], 8),
        (_speed(octets), 10),
        *_place(octets),
        (_course(octets), 12),
        (_heading(octets), 9),
        (octets[13] >> 2, 6),
        (octets[19], 4),
        *_letters(octets[32:52], _NAME_CHARACTERS),
        (octets[20], 8),
        *_sizes(length, beam, starboard, bow),
        (octets[23] >> 4, 4),
        (octets[13] >> 1, 1),
        (octets[52], 1),
        (octets[52] >> 1, 1),
        (0, 4),
    )


def _aid(octets: bytes) -> tuple[Field, ...]:
    length, beam, starboard, bow = (_metres(octets, at) for at in (14, 16, 18, 20))
    name = octets[28 : 26 + octets[26]].rstrip(b"\xff\x00 @")
    more = name[_NAME_CHARACTERS:][:_EXTENSION_CHARACTERS_MAX]
    return (
        *_head(AID, octets),
        (octets[22], 5),
        *_letters(name, _NAME_CHARACTERS),
        *_place(octets),
        *_sizes(length, beam, starboard, bow),
        (octets[23] >> 1, 4),
        (octets[13] >> 2, 6),
        (octets[22] >> 5, 1),
        (octets[24], 8),
        (octets[13] >> 1, 1),
        (octets[22] >> 6, 1),
        (octets[22] >> 7, 1),
        (0, 1),
        *_letters(more, len(more)),
        (0, 6 * len(more) % 8 and 8 - 6 * len(more) % 8),
    )


_LAYOUTS = {
    CLASS_A: _class_a,
    CLASS_B: _class_b,
    CLASS_B_EXTENDED: _class_b_extended,
    AID: _aid,
}


def _receiver(pgn: int, octets: bytes) -> int:
    if pgn == AID:
        return octets[25] & 0x1F
    if pgn == CLASS_B_EXTENDED:
        return _unsigned(octets, 52, 2) >> 6 & 0x1F
    return octets[20] >> 3


def _unsigned(octets: bytes, at: int, size: int) -> int:
    return int.from_bytes(octets[at : at + size], "little")


def _scaled(octets: bytes, at: int, *, absent: int, most: int) -> int:
    """Return ten-thousandths of a minute."""
    value = int.from_bytes(octets[at : at + 4], "little", signed=True)
    if value == 0x7FFFFFFF:
        return absent
    return max(-most, min(most, round(value * 6 / 100)))


def _course(octets: bytes) -> int:
    value = _unsigned(octets, 14, 2)
    return _COURSE_NONE if value >= 0xFFFD else round(degrees(value * 1e-4) * 10) % 3600


def _speed(octets: bytes) -> int:
    value = _unsigned(octets, 16, 2)
    return _SPEED_NONE if value >= 0xFFFD else min(_SPEED_MOST, round(value * _KNOTS / 10))


def _heading(octets: bytes) -> int:
    value = _unsigned(octets, 21, 2)
    return _HEADING_NONE if value >= 0xFFFD else round(degrees(value * 1e-4)) % 360


def _turn(octets: bytes) -> int:
    value = int.from_bytes(octets[23:25], "little", signed=True)
    if value >= 0x7FFD:
        return _TURN_NONE
    coded = round(_TURN_FACTOR * sqrt(abs(degrees(value * 3.125e-5) * 60)))
    return int(copysign(min(coded, _TURN_MOST + 1), value))


def _metres(octets: bytes, at: int) -> int:
    value = _unsigned(octets, at, 2)
    return 0 if value >= 0xFFFD else round(value / 10)


def _sizes(length: int, beam: int, starboard: int, bow: int) -> tuple[Field, ...]:
    """Return the distances to bow, stern, port and starboard."""
    return (
        (min(bow, 511), 9),
        (min(max(length - bow, 0), 511), 9),
        (min(max(beam - starboard, 0), 63), 6),
        (min(starboard, 63), 6),
    )


def _letters(text: bytes, count: int) -> tuple[Field, ...]:
    """Return that many six-bit characters; what the alphabet lacks is its filler."""
    found = text.upper()[:count].ljust(count, b"@")
    return tuple((code & 0x3F if 0x20 <= code < 0x60 else 0, 6) for code in found)
