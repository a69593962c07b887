"""Bands in which this station transmits nothing, whatever it is asked."""

from __future__ import annotations

BEACONS_HZ = (406_000_000, 406_100_000)
"""For beacons in distress, and nobody else (Radio Regulations 5.266)."""


def is_for_beacons(freq_hz: int) -> bool:
    """Say whether this frequency lies in the band of distress beacons, its edges included."""
    low, high = BEACONS_HZ
    return low <= freq_hz <= high
