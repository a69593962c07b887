"""Extended squitters: the 56 bits that formats 17 and 18 carry (ICAO Doc 9871; DO-260B).

    1-4     TTTTT CCC  then eight characters of six bits          who it is
    5-8     TTTTT MMMMMMM S RRRRRRR T F  lat 17  lon 17           place on the ground
    9-18    TTTTT SS N AAAAAAAAAAAA T F  lat 17  lon 17           place in the air (0: none)
    20-22   the same, with height by GNSS
    19      TTTTT UUU  motion                                     motion in the air
    28      TTTTT UUU EEE IIIIIIIIIIIII  reserved                 emergency state and squawk
    29      TTTTT UU   target state                               accuracy; emergency (version 1)
    31      TTTTT UUU  capabilities, VVV, accuracy                version

    T  type code   C  category   M  speed   R  course and its status   S  surveillance status
    A  altitude, see altitude.py   F  odd or even   U  subtype   E  emergency state
    I  squawk, see altitude.py   V  version   N  antenna, of no interest here

Bits have the numbers of the standard: the first of these 56 is bit 1.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, degrees, hypot

from gateway.codes.bits import Bits
from gateway.codes.cpr import Cpr
from gateway.radio.mode_s import altitude
from gateway.radio.mode_s.tables import CALLSIGN, movement_kn
from gateway.radio.mode_s.words import ModeSDetail, Motion, Quality

SQUITTER_BITS = 56


def read_squitter(octets: bytes) -> ModeSDetail:
    """Return what these seven octets say."""
    bits = Bits(int.from_bytes(octets, "big"), last=SQUITTER_BITS)
    return _READERS[octets[0] >> 3](octets[0] >> 3, bits)


def _identity(code: int, bits: Bits) -> ModeSDetail:
    name = "".join(CALLSIGN[bits(first, first + 5)] for first in range(9, 57, 6)).rstrip()
    is_name = bool(name) and "#" not in name
    return ModeSDetail(
        type_code=code,
        category=f"{'_DCBA'[code]}{bits(6, 8)}",
        callsign=name if is_name else None,
        doubts=() if is_name or not name.strip("#") else ("its call sign is not well-formed",),
    )


def _on_ground(code: int, bits: Bits) -> ModeSDetail:
    return ModeSDetail(
        type_code=code,
        on_ground=True,
        cpr=_cpr(bits, surface=True),
        motion=Motion(
            speed_kn=movement_kn(bits(6, 12)),
            course_deg=bits(14, 20) * 360 / 128 if bits(13) else None,
        ),
    )


def _in_the_air(code: int, bits: Bits) -> ModeSDetail:
    return ModeSDetail(
        type_code=code,
        surveillance_status=bits(6, 7),
        altitude_ft=altitude.of_12(bits(9, 20)) if code <= 18 else None,
        height_code=bits(9, 20) if code > 18 else None,
        cpr=_cpr(bits, surface=False) if code else None,
    )


def _cpr(bits: Bits, *, surface: bool) -> Cpr:
    return Cpr(odd=bool(bits(22)), lat=bits(23, 39), lon=bits(40, 56), surface=surface)


def _motion(code: int, bits: Bits) -> ModeSDetail:
    subtype = bits(6, 8)
    rate = bits(38, 46)
    vertical = None if not rate else (rate - 1) * (-64 if bits(37) else 64)
    motion = Motion(vertical_ft_min=vertical, vertical_gnss=vertical is not None and not bits(36))
    if subtype in _OVER_GROUND:
        motion = _over_ground(bits, motion, faster=_OVER_GROUND[subtype])
    elif subtype in _THROUGH_AIR:
        motion = _through_air(bits, motion, faster=_THROUGH_AIR[subtype])
    return ModeSDetail(type_code=code, subtype=subtype, motion=motion)


_OVER_GROUND = {1: 1, 2: 4}
_THROUGH_AIR = {3: 1, 4: 4}
"""By subtype, the step of speed in knots: the second of each pair is for supersonic craft."""


def _over_ground(bits: Bits, motion: Motion, *, faster: int) -> Motion:
    if not bits(15, 24) or not bits(26, 35):
        return motion
    east = (bits(15, 24) - 1) * faster * (-1 if bits(14) else 1)
    north = (bits(26, 35) - 1) * faster * (-1 if bits(25) else 1)
    return Motion(
        speed_kn=round(hypot(east, north), 1),
        course_deg=round(degrees(atan2(east, north)) % 360, 1) % 360 if east or north else None,
        vertical_ft_min=motion.vertical_ft_min,
        vertical_gnss=motion.vertical_gnss,
    )


def _through_air(bits: Bits, motion: Motion, *, faster: int) -> Motion:
    speed = bits(26, 35)
    return Motion(
        heading_deg=round(bits(15, 24) * 360 / 1024, 1) if bits(14) else None,
        airspeed_kn=(speed - 1) * faster if speed else None,
        airspeed_true=bool(speed) and bool(bits(25)),
        vertical_ft_min=motion.vertical_ft_min,
        vertical_gnss=motion.vertical_gnss,
    )


def _emergency(code: int, bits: Bits) -> ModeSDetail:
    if bits(6, 8) != 1:
        return ModeSDetail(type_code=code, subtype=bits(6, 8))
    return ModeSDetail(
        type_code=code,
        subtype=1,
        emergency_state=bits(9, 11),
        squawk=altitude.squawk_of(bits(12, 24)),
    )


def _target(code: int, bits: Bits) -> ModeSDetail:
    subtype = bits(6, 7)
    # Subtype 0 with bit 11 set is of version 0, and means something else.
    is_version_1 = subtype == 0 and not bits(11)
    return ModeSDetail(
        type_code=code,
        subtype=subtype,
        emergency_state=bits(54, 56) if is_version_1 else None,
        quality=Quality(nac_p=bits(40, 43)) if is_version_1 or subtype == 1 else None,
    )


def _operation(code: int, bits: Bits) -> ModeSDetail:
    version = bits(41, 43)
    return ModeSDetail(
        type_code=code,
        subtype=bits(6, 8),
        quality=Quality(adsb_version=version, nac_p=bits(45, 48) if version else None),
    )


def _other(code: int, bits: Bits) -> ModeSDetail:
    return ModeSDetail(type_code=code, subtype=bits(6, 8))


_READERS: tuple[Callable[[int, Bits], ModeSDetail], ...] = (
    _in_the_air,
    *[_identity] * 4,
    *[_on_ground] * 4,
    *[_in_the_air] * 10,
    _motion,
    *[_in_the_air] * 3,
    *[_other] * 5,
    _emergency,
    _target,
    _other,
    _operation,
)
"""One a type code, 0 to 31."""
