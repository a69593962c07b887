"""How fast things of a sort move, how often they are heard, how well they know where they are.

From these follow how far a place may be out by now, and when it is no longer one to go by.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.codes.accuracy import stated_m
from gateway.codes.mmsi import mmsi_class
from gateway.model.inbound import Report
from gateway.model.place import Identity, Position, Velocity

KN_MPS = 1852 / 3600


class Sort(Struct, frozen=True, gc=False):
    """One sort of craft or device."""

    name: str
    top_mps: float
    """Faster than this it can't be: a place farther off is no move of the same one."""
    usual_mps: float
    """How fast it may have gone on when it did not say."""
    drift_mps: float
    """How fast it moves when it says that it has stopped: wind and stream, swinging at anchor."""
    helps: bool
    """Whether it is a craft that may be asked to go and look."""


SHIP = Sort("ship", 52.0, 10.0, 0.5, helps=True)
"""102 kn is the most that AIS can state (M.1371-5 table 45); 20 kn is a fast merchant ship."""
SMALL = Sort("small craft", 52.0, 8.0, 1.0, helps=True)
AIRCRAFT = Sort("aircraft", 700.0, 250.0, 1.0, helps=True)
"""Twice the speed of sound; 490 kn is an airliner."""
DEVICE = Sort("device", 60.0, 2.0, 2.0, helps=False)
"""It drifts at 4 kn at the most, and may be lifted into a helicopter while it sends."""
FIXED = Sort("fixed", 5.0, 0.0, 0.0, helps=False)
"""A base station or an aid to navigation: it stands, and a buoy swings."""
OTHER = Sort("other", 350.0, 15.0, 0.5, helps=False)
"""Packet and mesh radios say nothing of what carries them: a house, a car, a boat or a balloon."""

_BY_MMSI = {
    "coast": FIXED,
    "aid_to_navigation": FIXED,
    "ais_sart": DEVICE,
    "mob": DEVICE,
    "epirb_ais": DEVICE,
    "amrd": DEVICE,
    "sar_aircraft": AIRCRAFT,
    "craft": SMALL,
    "handheld": SMALL,
    "ship": SHIP,
    "group": SHIP,
}

_CLASS_B = frozenset({18, 19, 24})
"""AIS messages that only class B sends (M.1371-5 table 46)."""

_FAR_MESSAGE = 27
"""For satellites: seldom, and coarse."""

_S = 10**9
MISSED = 6
"""Intervals that may go by in silence: one message in two is lost at the edge of the range."""

LEAST_S = 60.0
"""Below this nothing times out: a receiver that shares its time slots misses several in a row."""

STOPPED_KN = 3.0
"""M.1371-5 table 1: at anchor and not faster than this, class A reports every 3 minutes."""

_A_INTERVALS_S = ((23.0, 2.0), (14.0, 6.0), (STOPPED_KN, 10.0), (-1.0, 180.0))
"""Class A: above so many knots, every so many seconds (M.1371-5 table 1). One that lies still is
given the interval of one at anchor, which not all of them say that they are."""

_B_INTERVALS_S = ((2.0, 30.0), (-1.0, 180.0))
"""Class B: the slower of its two kinds, CS (M.1371-5 table 2)."""

_OF_SYSTEM_S = {
    "mode_s": 60.0,
    "aprs": 4200.0,
    "meshtastic": 2700.0,
    "dsc": 900.0,
    "cospas_sarsat": 600.0,
    "packed": 900.0,
}
"""When a place told by a system that has no intervals of its own is no longer to be gone by:

mode_s         two places a second, and one a minute is still a craft in cover
aprs           a beacon every 30 minutes at the least by common use, one missed, and some
meshtastic     a place every 15 minutes by default, three times
dsc            a call repeats after 3.5 to 4.5 minutes, three times
cospas_sarsat  a burst every 50 seconds, a dozen missed behind the waves
packed         nothing is laid down: as for a call
"""

_ELSE_S = 600.0
_DEVICE_S = 360.0
"""A locating device sends a burst each minute (M.1371-5 annex 9): six of them."""
_FAR_S = 1080.0
"""Message 27 comes every 3 minutes (M.1371-5 annex 4)."""
_FIXED_S = 1080.0
"""An aid to navigation reports every 3 minutes (M.1371-5 table 2)."""

LEAST_M = 10.0
"""Antennas are not where the craft is, and nobody's datum is better."""

MOST_M = 20_037_508.0
"""Half around the Earth: farther away nothing is."""


def sort_of(report: Report, whose: Identity) -> Sort:
    """Return what sort of thing this is that the report gives a place of."""
    if whose.mmsi is not None:
        found = _BY_MMSI.get(mmsi_class(whose.mmsi) or "", SHIP)
        return SMALL if found is SHIP and _message_type(report) in _CLASS_B else found
    if whose.beacon_hex is not None:
        return DEVICE
    if whose.icao24 is not None or report.system == "mode_s":
        return AIRCRAFT
    return SHIP if whose.imo is not None or report.system == "dsc" else OTHER


def lasts_ns(report: Report, sort: Sort) -> int:
    """Return how long the place of this report may be gone by."""
    if report.system != "ais":
        seconds = _OF_SYSTEM_S.get(report.system, _ELSE_S)
    elif sort is FIXED:
        seconds = _FIXED_S
    elif sort is DEVICE:
        seconds = _DEVICE_S
    elif _message_type(report) == _FAR_MESSAGE:
        seconds = _FAR_S
    else:
        seconds = max(LEAST_S, MISSED * _interval_s(report.velocity, sort))
    return int(seconds) * _S


def known_m(system: str, position: Position) -> float:
    """Return the radius within which a thing was that stated this, when it stated it."""
    return max(LEAST_M, stated_m(system, position.accuracy_m, position.resolution_m))


def moves_mps(velocity: Velocity | None, sort: Sort) -> float:
    """Return how fast it may be leaving the place that it stated."""
    if velocity is None or velocity.speed_kn is None:
        return sort.usual_mps
    return max(sort.drift_mps, min(sort.top_mps, velocity.speed_kn * KN_MPS))


def _interval_s(velocity: Velocity | None, sort: Sort) -> float:
    """Return how often AIS reports at that speed; without one, as it does in the harbour."""
    speed_kn = 0.0 if velocity is None or velocity.speed_kn is None else velocity.speed_kn
    table = _B_INTERVALS_S if sort is SMALL else _A_INTERVALS_S
    return next(interval_s for above_kn, interval_s in table if speed_kn > above_kn)


def _message_type(report: Report) -> int | None:
    """Return the number of an AIS message: of a detail only its radio knows the type of."""
    found = getattr(report.detail, "message_type", None) if report.system == "ais" else None
    return found if isinstance(found, int) else None
