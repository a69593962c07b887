"""Where a first-generation beacon says it is, written: the twin of fgb_place.

A coarse position that the detail names is kept; else the nearest step is taken. The offset is what
is left, on the size of the coarse value; one that no offset reaches is a `CodingError`.
"""

from __future__ import annotations

from gateway.radio.cospas_sarsat import tables
from gateway.radio.cospas_sarsat.fgb_place import (
    DEFAULTS,
    LAYOUTS,
    METRES_A_DEGREE,
    NO_SECONDS,
    SECONDS_STEP,
    Coarse,
)
from gateway.radio.cospas_sarsat.words import BeaconDetail
from gateway.radio.cospas_sarsat.write_fields import CodingError, Field, Fields

_STEP_M_MAX = METRES_A_DEGREE / 60
"""A position coarser than this, one nautical mile, was told without its offset."""


def coarse_of(said: BeaconDetail, code: int) -> Fields:
    """Return the coarse position of a location protocol, bits up to 85."""
    layout, _ = LAYOUTS[code]
    if said.lat_deg is None or said.lon_deg is None:
        first, default = DEFAULTS[code]
        return ((default, 86 - first),)
    return (
        _coarse(layout, layout.lat, said.lat_deg, _coarse_s(layout, said, "lat")),
        _coarse(layout, layout.lon, said.lon_deg, _coarse_s(layout, said, "lon")),
    )


def offset_of(said: BeaconDetail, code: int) -> Fields:
    """Return the offsets of latitude and longitude: sign, minutes, seconds."""
    layout, offset = LAYOUTS[code]
    fine = said.resolution_m is None or said.resolution_m < _STEP_M_MAX
    if said.lat_deg is None or said.lon_deg is None or not fine:
        return ((1, 1), (0, offset.minutes), (NO_SECONDS, 4)) * 2
    found: list[Field] = []
    for name, value in (("lat", said.lat_deg), ("lon", said.lon_deg)):
        steps = round((abs(value) * 3600 - _coarse_s(layout, said, name)) / SECONDS_STEP)
        minutes, seconds = divmod(abs(steps), 60 // SECONDS_STEP)
        if minutes >> offset.minutes:
            raise CodingError(field=f"{name}_deg", value=value)
        found += [(steps >= 0, 1), (minutes, offset.minutes), (seconds, 4)]
    return tuple(found)


def user_place_of(said: BeaconDetail) -> Fields:
    """Return the whole position of a user-location protocol, in steps of four minutes."""
    if said.lat_deg is None or said.lon_deg is None:
        return ((0, 1), (0b1111111, 7), (0, 4), (0, 1), (0b11111111, 8), (0, 4))
    found: list[Field] = []
    for value, width in ((said.lat_deg, 7), (said.lon_deg, 8)):
        degrees, steps = divmod(round(abs(value) * 15), 15)
        found += [(value < 0, 1), (degrees, width), (steps, 4)]
    return tuple(found)


def _coarse_s(layout: Coarse, said: BeaconDetail, name: str) -> int:
    """Return the size of the coarse value in seconds of arc."""
    stated = getattr(said, f"coarse_{name}_deg")
    value = stated if stated is not None else getattr(said, f"{name}_deg")
    return int(round(abs(value) * layout.steps) * 3600 // layout.steps)


def _coarse(layout: Coarse, bits: tuple[int, int], value: float, size_s: int) -> Field:
    sign, last = bits
    width = last - sign
    if layout.steps == tables.NATIONAL_STEPS:
        degrees, minutes = divmod(size_s, 3600)
        row = degrees << 5 | minutes // 120
    else:
        row = size_s * layout.steps // 3600
    return (value < 0) << width | row, width + 1
