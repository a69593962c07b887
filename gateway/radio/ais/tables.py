"""The code lists of AIS in the standard's terms (ITU-R M.1371-5, Annex 8). Words only.

A code without a word here is one that the standard leaves open; its number is still reported.
"""

from gateway.model.words import Nature

DEVICES = {
    "970": Nature.UNDESIGNATED,
    "972": Nature.MAN_OVERBOARD,
    "974": Nature.BEACON_EMISSION,
}
"""What a locating device means by its mere presence: AIS-SART, man overboard device, EPIRB-AIS;
by the first three digits of its MMSI (M.585)."""

NAV_STATUS = (
    "under way using engine",
    "at anchor",
    "not under command",
    "restricted manoeuvrability",
    "constrained by her draught",
    "moored",
    "aground",
    "engaged in fishing",
    "under way sailing",
    "reserved for high speed craft with dangerous goods",
    "reserved for wing in ground craft with dangerous goods",
    "power-driven vessel towing astern",
    "power-driven vessel pushing ahead or towing alongside",
    "reserved",
    "AIS-SART, MOB-AIS or EPIRB-AIS active",
    "undefined, or AIS-SART, MOB-AIS or EPIRB-AIS under test",
)
"""By navigational status, messages 1 to 3 and 27."""

SECOND_STATE = {
    60: "not available",
    61: "manual input",
    62: "dead reckoning",
    63: "inoperative",
}
"""By time stamp, where it is no second."""

MANOEUVRE = {1: "not engaged in special manoeuvre", 2: "engaged in special manoeuvre"}

TURN = {
    127: "more than 5 degrees in 30 s to starboard",
    -127: "more than 5 degrees in 30 s to port",
}
"""By rate of turn, where there is no turn indicator to measure it."""

EPFD = {
    1: "GPS",
    2: "GLONASS",
    3: "combined GPS and GLONASS",
    4: "Loran-C",
    5: "Chayka",
    6: "integrated navigation system",
    7: "surveyed",
    8: "Galileo",
    15: "internal GNSS",
}
"""By type of electronic position fixing device."""

EPFD_SOURCE = {
    1: "gnss",
    2: "gnss",
    3: "gnss",
    4: "loran",
    5: "chayka",
    6: "integrated",
    7: "surveyed",
    8: "gnss",
    15: "gnss",
}
"""The same in the words of a report's position."""

SECOND_SOURCE = {"manual input": "manual", "dead reckoning": "dead_reckoning"}

_SHIP_GROUP = {
    2: "wing in ground craft",
    4: "high speed craft",
    6: "passenger ship",
    7: "cargo ship",
    8: "tanker",
    9: "other type of ship",
}
"""By first digit of the type of ship."""

_SHIP_CARGO = {
    1: ", hazard category X",
    2: ", hazard category Y",
    3: ", hazard category Z",
    4: ", hazard category OS",
}
"""By second digit, where the first digit names a group."""

_SHIP_SPECIAL = {
    30: "fishing vessel",
    31: "towing vessel",
    32: "towing vessel, tow longer than 200 m or wider than 25 m",
    33: "dredging or underwater operations",
    34: "diving operations",
    35: "military operations",
    36: "sailing vessel",
    37: "pleasure craft",
    50: "pilot vessel",
    51: "search and rescue vessel",
    52: "tug",
    53: "port tender",
    54: "vessel with anti-pollution equipment",
    55: "law enforcement vessel",
    56: "spare for local use",
    57: "spare for local use",
    58: "medical transport",
    59: "ship of a State not party to an armed conflict",
}

AID_TYPE = (
    None,
    "reference point",
    "RACON",
    "fixed structure off shore",
    "emergency wreck marking buoy",
    "light without sectors",
    "light with sectors",
    "leading light front",
    "leading light rear",
    "beacon, cardinal north",
    "beacon, cardinal east",
    "beacon, cardinal south",
    "beacon, cardinal west",
    "beacon, port hand",
    "beacon, starboard hand",
    "beacon, preferred channel port hand",
    "beacon, preferred channel starboard hand",
    "beacon, isolated danger",
    "beacon, safe water",
    "beacon, special mark",
    "cardinal mark north",
    "cardinal mark east",
    "cardinal mark south",
    "cardinal mark west",
    "port hand mark",
    "starboard hand mark",
    "preferred channel port hand",
    "preferred channel starboard hand",
    "isolated danger",
    "safe water",
    "special mark",
    "light vessel, LANBY or rig",
)
"""By type of aid to navigation, message 21: up to 19 fixed, from 20 on floating."""


def ship_type(code: int) -> str | None:
    """Return the word for a type of ship and its cargo, or None when the code has none."""
    group = _SHIP_GROUP.get(code // 10)
    if group is not None:
        return group + _SHIP_CARGO.get(code % 10, "")
    return _SHIP_SPECIAL.get(code)
