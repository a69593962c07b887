"""Compact position reporting: 17 bits each way, and the zone left out (ICAO Doc 9871, C.2.6).

    lat_deg = zone_height * (zone + code / 2^17)

Even messages cut the globe into 60 zones from equator to equator, odd ones into 59. What zone it
is follows from one message of each kind (`of_pair`), or from a place known to be near (`near`).
On the ground zones are a quarter as high and wide, and one of several places that fit has to be
chosen by where the craft is about.
"""

from __future__ import annotations

from bisect import bisect_right
from math import acos, cos, degrees, floor, pi, sqrt

from msgspec import Struct

_STEPS = 1 << 17
_ZONES = 60
"""Of even messages; odd ones have one less."""

Place = tuple[float, float]
"""Latitude and longitude in degrees."""


class Cpr(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A place as sent: what is left of it when the zone is left out."""

    odd: bool
    lat: int
    lon: int
    surface: bool = False

    @property
    def span_deg(self) -> float:
        """How much of the globe its zones share out."""
        return 90.0 if self.surface else 360.0


def _bands() -> list[float]:
    """Return the latitudes at which the number of zones around the globe falls, from 59 to 1."""
    height = 1 - cos(pi / 30)
    return [degrees(acos(sqrt(height / (1 - cos(2 * pi / zones))))) for zones in range(59, 1, -1)]


_BANDS = _bands()


def zones_at(lat_deg: float) -> int:
    """Return how many zones of an even message go around the globe at this latitude."""
    return 59 - bisect_right(_BANDS, abs(lat_deg))


def of_pair(even: Cpr, odd: Cpr, *, newest_odd: bool, about: Place | None = None) -> Place | None:
    """Return the place that two messages of one craft tell together.

    On the ground it is the one of four that is nearest to a place where the craft is about. None
    when they lie in bands of different width: then they don't belong together.
    """
    span = even.span_deg
    if even.surface and about is None:
        return None
    zone = floor((59 * even.lat - 60 * odd.lat) / _STEPS + 0.5)
    lats = [
        _signed(span / (_ZONES - kind) * (zone % (_ZONES - kind) + code.lat / _STEPS))
        for kind, code in enumerate((even, odd))
    ]
    if about is not None:
        # The other hemisphere's is 90 degrees further south.
        lats = [min((lat, lat - 90), key=lambda one: abs(one - about[0])) for lat in lats]
    zones = zones_at(lats[0])
    if zones != zones_at(lats[1]) or any(abs(lat) > 90 for lat in lats):
        return None
    around = max(zones - newest_odd, 1)
    zone = floor((even.lon * (zones - 1) - odd.lon * zones) / _STEPS + 0.5)
    newest = odd if newest_odd else even
    lon = span / around * (zone % around + newest.lon / _STEPS)
    if about is not None:
        lon += span * floor((about[1] - lon) / span + 0.5)
    return lats[newest_odd], _signed(lon)


def near(code: Cpr, place: Place) -> Place | None:
    """Return the one place that this message may mean, within half a zone of a known one."""
    lat = _nearest(code.lat, code.span_deg / (_ZONES - code.odd), place[0])
    if abs(lat) > 90:
        return None
    width = code.span_deg / max(zones_at(lat) - code.odd, 1)
    return lat, _signed(_nearest(code.lon, width, place[1]))


def _nearest(code: int, zone_deg: float, known_deg: float) -> float:
    """Return where in its zones this code lies nearest to a known place."""
    part = code / _STEPS
    return zone_deg * (floor(known_deg / zone_deg - part + 0.5) + part)


def _signed(angle_deg: float) -> float:
    """Return the angle between -180 and 180 degrees."""
    return (angle_deg + 180) % 360 - 180
