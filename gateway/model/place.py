"""Where and who: the values that every radio system's reports share."""

from __future__ import annotations

from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One party to a message, by every name the message gives it. Absent names are None."""

    mmsi: str | None = None
    """Nine digits, leading zeros kept (ITU-R M.585)."""
    mmsi_class: str | None = None
    """What the MMSI's first digits say it is: ship, coast, group, ais_sart, … (ITU-R M.585)."""
    imo: int | None = None
    """IMO number of the ship."""
    callsign: str | None = None
    icao24: str | None = None
    """24-bit aircraft address, six upper-case hexadecimal digits."""
    beacon_hex: str | None = None
    """15- or 23-digit hexadecimal identity of a 406 MHz beacon."""
    epirb_ais: str | None = None
    """Last four digits of the 974 identity of the AIS in the same beacon (C/S T.018)."""
    tail: str | None = None
    """Hull or registration marking."""
    name: str | None = None
    tag: str | None = None
    """What an agreement or a network calls this party."""


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A place on the Earth, WGS 84 unless a datum is named."""

    lat_deg: float
    lon_deg: float
    accuracy_m: float | None = None
    """What the sender claims, or its class allows, as the 95 % radius."""
    resolution_m: float | None = None
    """Half the step of the coding: the position can't be better than this."""
    altitude_m: float | None = None
    source: str | None = None
    """Where the sender got it: gnss, dgnss, manual, radar, …"""
    datum: str | None = None
    """Named only when the message names one."""
    age_s: float | None = None
    """How old the position was when it was sent."""


class Velocity(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Motion over the ground."""

    speed_kn: float | None = None
    course_deg: float | None = None
    heading_deg: float | None = None
    turn_deg_min: float | None = None
    """Rate of turn, positive to starboard, in degrees a minute."""


def velocity_of(*, speed_kn: float | None, course_deg: float | None) -> Velocity | None:
    """Return the motion that is stated; None when neither part of it is."""
    if speed_kn is None and course_deg is None:
        return None
    return Velocity(speed_kn=speed_kn, course_deg=course_deg)
