"""How well a place is known that was stated by radio, also where nothing is said of that."""

from __future__ import annotations

SYSTEM_M = {
    "ais": 100.0,
    "mode_s": 200.0,
    "aprs": 100.0,
    "meshtastic": 100.0,
    "dsc": 2000.0,
    "cospas_sarsat": 5000.0,
}
"""How well a system knows a place that says nothing of it: AIS calls more than 10 m low accuracy
(ITU-R M.1371-5, annex 8, table 47); Mode S is taken for 0.1 NM; a call by DSC has whole minutes
(ITU-R M.493-15); a beacon may be placed by satellites alone (5 km, C/S G.003)."""

UNKNOWN_M = 500.0
"""Of any other system."""

FIX_M = 10.0
"""Of a place from a receiver of satellites that says nothing of it: 8 m over all the world is what
GPS promises for 95 % (SPS Performance Standard, 2020, section 3.8)."""

RESOLUTION_SHARE = 1.5
"""The corner of a step lies about so much farther from its middle than its side."""

_SAYS_NOTHING = frozenset({"ais", "mode_s"})
"""Systems that state places in fine steps whether or not they are known so well."""


def stated_m(system: str | None, accuracy_m: float | None, resolution_m: float | None) -> float:
    """Return the radius within which a thing was that stated this, when it stated it.

    Args:
        system: The radio system by which it was stated.
        accuracy_m: What the sender claims, as a radius; None where it claims nothing.
        resolution_m: Half the step of the coding; None where nobody knows.
    """
    usual_m = SYSTEM_M.get(system or "", UNKNOWN_M)
    if accuracy_m is None and resolution_m is None:
        return usual_m
    if accuracy_m is None:
        accuracy_m = usual_m if system in _SAYS_NOTHING else FIX_M
    return max(accuracy_m, RESOLUTION_SHARE * (resolution_m or 0.0))
