"""How near two things are, in units of how well that is known and how far they may have moved."""

from __future__ import annotations

from collections.abc import Collection
from math import sqrt

from msgspec import Struct

from gateway.codes import geodesy
from gateway.codes.accuracy import RESOLUTION_SHARE
from gateway.correlate.names import AIRCRAFT, SHIP
from gateway.model.place import Position

ACCURACY_M = 500.0
"""Of a position that does not say how good it is."""

FLOOR_M = 150.0
"""Nothing is known better: antennas, datums, and ships that are that long."""

AIRCRAFT_MPS = 300.0
SHIP_MPS = 15.0
"""What a thing of this kind may do: 600 kn, 30 kn."""

DRIFT_MPS = 2.0
"""Of a raft, a beacon, a person in the water: 4 kn is a strong current with wind."""


class Fix(Struct, frozen=True, gc=False):
    """Where something was, when, how well that is known, and how fast it may move."""

    position: Position
    mono_ns: int
    known_to_m: float
    speed_mps: float


def fix_at(position: Position, mono_ns: int, things: Collection[str]) -> Fix:
    """Return where a thing of these kinds was."""
    return Fix(position, mono_ns, known_to_m(position), speed_of(things))


def speed_of(things: Collection[str]) -> float:
    """Return how fast what is so named may move, in metres a second."""
    if AIRCRAFT in things:
        return AIRCRAFT_MPS
    return SHIP_MPS if SHIP in things else DRIFT_MPS


def known_to_m(position: Position) -> float:
    """Return the radius within which a thing was that stated this."""
    if position.accuracy_m is not None:
        return max(FLOOR_M, position.accuracy_m)
    if position.resolution_m is not None:
        return max(FLOOR_M, RESOLUTION_SHARE * position.resolution_m)
    return ACCURACY_M


def distance_m(one: Fix, other: Fix) -> float:
    """Return how far apart the two places are."""
    here, there = one.position, other.position
    return geodesy.distance_m(here.lat_deg, here.lon_deg, there.lat_deg, there.lon_deg)


def reach_m(one: Fix, other: Fix) -> float:
    """Return how far apart one and the same thing may have been found at these places."""
    moved_m = max(one.speed_mps, other.speed_mps) * abs(one.mono_ns - other.mono_ns) / 1e9
    here_m, there_m = one.known_to_m, other.known_to_m
    return sqrt(here_m * here_m + there_m * there_m + moved_m * moved_m)


def is_within(one: Fix, other: Fix, reaches: float) -> bool:
    """Say whether they are fewer reaches apart than this."""
    # Asked of dozens for each call: no root and no great circle where the latitudes tell.
    here_m, there_m = one.known_to_m, other.known_to_m
    speed_mps = max(other.speed_mps, one.speed_mps)
    moved_m = speed_mps * (one.mono_ns - other.mono_ns) / 1e9
    limit = reaches * reaches * (here_m * here_m + there_m * there_m + moved_m * moved_m)
    north_m = (one.position.lat_deg - other.position.lat_deg) * geodesy.DEGREE_M
    if north_m * north_m >= limit:
        return False
    far_m = distance_m(one, other)
    return far_m * far_m < limit
