"""BaseStation text, known as SBS: a line that a receiver's program made of a message.

    MSG,5,1,1,4CA2D6,1,2026/11/22,20:00:00.000,2026/11/22,20:00:00.010,,35000,,,,,,,0,0,0,0

    fields, from 0: 0 MSG   1 which message   4 address   10 call sign   11 altitude, ft
    12 speed, kn   13 course   14 latitude   15 longitude   16 climb, ft/min   17 squawk
    18 alert   19 emergency   20 ident   21 on the ground: -1 or 1 for yes

No standard; fields as dump1090 and its kin print them (observed 2026-11). Nothing proves a line.
"""

from __future__ import annotations

import re

from gateway.radio.mode_s.words import ModeSDetail, Motion, Place

FIELDS = 22
_ADDRESS = re.compile(r"[0-9A-F]{6}\Z")
_SQUAWK = re.compile(r"[0-7]{4}\Z")
_NUMBER = re.compile(r"[+-]?\d{1,7}(?:\.\d{1,9})?\Z", re.ASCII)
_CALLSIGN = re.compile(r"[A-Z0-9 ]{1,8}\Z")
_YES = {"-1", "1"}
_PRINTED_M = 5.6
"""Half the step of the four decimals that are printed at least."""
DOUBT = "a receiver's program says so, and nothing proves its line"


def read_line(body: bytes) -> tuple[ModeSDetail, bytes] | None:
    """Return what a line says, and what of it is the craft's; None when it is no such line.

    Session, flight and the receiver's times are its own: two receivers print others.
    """
    at = body.find(b"MSG,")
    if at < 0:
        return None
    fields = [one.strip() for one in body[at:].decode("ascii", "replace").split(",")]
    address = fields[4].upper() if len(fields) == FIELDS else ""
    if not _ADDRESS.match(address):
        return None
    content = ",".join((fields[1], address, *fields[10:]))
    return _said(address, fields), content.encode("ascii", "replace")


def _said(address: str, fields: list[str]) -> ModeSDetail:
    altitude = _number(fields[11])
    climb = _number(fields[16])
    motion = Motion(
        speed_kn=_number(fields[12]),
        course_deg=_number(fields[13]),
        vertical_ft_min=None if climb is None else round(climb),
    )
    return ModeSDetail(
        form="line",
        address=address,
        callsign=fields[10] if _CALLSIGN.match(fields[10]) else None,
        altitude_ft=None if altitude is None else round(altitude),
        motion=None if motion == Motion() else motion,
        place=_place(fields[14], fields[15]),
        squawk=fields[17] if _SQUAWK.match(fields[17]) else None,
        emergency_state=1 if fields[19] in _YES and fields[17] not in _TOLD else None,
        on_ground=fields[21] in _YES if fields[21] else None,
        doubts=(DOUBT,),
    )


_TOLD = {"7500", "7600", "7700"}
"""Squawks for which the flag says nothing more."""


def _place(lat: str, lon: str) -> Place | None:
    lat_deg, lon_deg = _number(lat), _number(lon)
    if lat_deg is None or lon_deg is None:
        return None
    return Place(lat_deg=lat_deg, lon_deg=lon_deg, resolution_m=_PRINTED_M)


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.match(text) else None
