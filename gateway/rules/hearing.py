"""Does what was decoded show that a receiver hears its channel? Pure.

A modem hands on more than it hears: what its own station sends, where its own receiver of
satellites is, what the instruments of the ship say. All of that comes with the antenna cut off.
"""

from __future__ import annotations

from gateway.model.inbound import Report
from gateway.model.plan import PortPlan

ON_AIR = frozenset({"ais", "aprs", "cospas_sarsat", "dsc", "meshtastic", "mode_s", "navtex"})
"""The radio systems that agreements may name as the mode of a channel."""

INSTRUMENTS = frozenset({"gnss", "n2k", "shipboard"})
"""What comes over the wires of a ship, or from satellites, on whatever port."""

PACKED = "packed"
"""Under this name a packed modem hands on what it has decoded itself, whatever the system."""


def listens(port: PortPlan) -> bool:
    """Say whether a receiver is there: a tape has none, and an exercise is on no air."""
    return not (port.played or port.exercise or port.device.startswith("tape:"))


def shows_hearing(report: Report, mode: str | None) -> bool:
    """Say whether this shows that a receiver hears a channel of this mode.

    On a channel of speech, or one of which nobody has agreed what is sent there, anything off the
    air does.
    """
    if getattr(report.detail, "own_ship", False) or report.system in INSTRUMENTS:
        return False
    return mode not in ON_AIR or report.system in (mode, PACKED)
