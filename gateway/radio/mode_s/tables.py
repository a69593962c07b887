"""Code lists of Mode S and ADS-B. Numbers are those of ICAO Doc 9871 and RTCA DO-260B."""

from __future__ import annotations

from itertools import pairwise

from gateway.model.words import Nature, Urgency

UNLAWFUL = "7500"

SQUAWKS: dict[str, Nature] = {
    UNLAWFUL: Nature.PIRACY_UNLAWFUL,
    "7600": Nature.COMMS_LOST,
    "7700": Nature.UNDESIGNATED,
}
"""ICAO Annex 10 volume IV."""

Trouble = tuple[str, Urgency, Nature | None]

_UNTIL_2: dict[int, Trouble] = {
    1: ("general emergency", Urgency.DISTRESS, Nature.UNDESIGNATED),
    2: ("lifeguard or medical flight", Urgency.URGENCY, Nature.MEDICAL),
    3: ("minimum fuel", Urgency.URGENCY, None),
    4: ("no communications", Urgency.DISTRESS, Nature.COMMS_LOST),
    5: ("unlawful interference", Urgency.DISTRESS, Nature.PIRACY_UNLAWFUL),
    6: ("downed aircraft", Urgency.DISTRESS, Nature.DOWNED),
}
"""ICAO Doc 9871, register 6,1, subtype 1."""

_FROM_3: dict[int, Trouble] = {
    **_UNTIL_2,
    2: ("lost link of an unmanned aircraft", Urgency.URGENCY, None),
    6: ("aircraft in distress, found automatically", Urgency.DISTRESS, Nature.UNDESIGNATED),
    7: ("aircraft in distress, said by hand", Urgency.DISTRESS, Nature.UNDESIGNATED),
}
"""DO-260C gives three states another meaning. Not confirmed by its text: by descriptions of it."""


def trouble_of(state: int, version: int | None) -> Trouble | None:
    """Return what an emergency state means in this version; None for none, or a reserved one."""
    return (_FROM_3 if version is not None and version >= 3 else _UNTIL_2).get(state)


CALLSIGN = "#ABCDEFGHIJKLMNOPQRSTUVWXYZ##### ###############0123456789######"
"""Six bits a character (Annex 10 volume IV); # stands for what is none."""

NAC_P_M = {
    11: 3.0,
    10: 10.0,
    9: 30.0,
    8: 92.6,
    7: 185.2,
    6: 555.6,
    5: 926.0,
    4: 1852.0,
    3: 3704.0,
    2: 7408.0,
    1: 18520.0,
}
"""95 % radius of an accuracy category for position (DO-260B)."""

MOVEMENT_KN = (
    (2, 0.125, 0.125),
    (9, 1.0, 0.25),
    (13, 2.0, 0.5),
    (39, 15.0, 1.0),
    (94, 70.0, 2.0),
    (109, 100.0, 5.0),
    (125, 0.0, 0.0),
)
"""From which code on, from which speed on, and its step (Doc 9871, table A-2-6)."""


def movement_kn(code: int) -> float | None:
    """Return the speed on the ground that a code stands for."""
    if code == 1:
        return 0.0
    for (first, least_kn, step_kn), (beyond, _, _) in pairwise(MOVEMENT_KN):
        if first <= code < beyond:
            return least_kn + (code - first) * step_kn
    return None
