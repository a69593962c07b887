"""Code lists of C/S T.001 (first generation) and C/S T.018 (second)."""

from __future__ import annotations

from gateway.model.words import Nature

SYNC_NORMAL = 0b111111111111111_000101111
"""Bits 1 to 24: bit and frame synchronisation (T.001 section 2.2.4.2)."""
SYNC_SELF_TEST = 0b111111111111111_011010000

COUNTRY_MIN, COUNTRY_MAX = 201, 775
"""The first and the last maritime identification digits (ITU-R M.585)."""

USER_MARITIME, USER_CALLSIGN, USER_AVIATION, USER_SERIAL = 0b010, 0b110, 0b001, 0b011
USER_TEST, USER_ORBITOGRAPHY, USER_NATIONAL, USER_SGB = 0b111, 0b000, 0b100, 0b101

USER_OWN = (USER_ORBITOGRAPHY, USER_NATIONAL, USER_TEST)
"""Whose bits 40 to 85 and 107 on are the country's own, and say no position that others can read.

Every other user protocol in the long form is a user-location protocol (Cospas-Sarsat's guide to
the coding of beacons, page "User Location Protocols").
"""

USER = {
    USER_ORBITOGRAPHY: "user_orbitography",
    USER_AVIATION: "user_aviation",
    USER_MARITIME: "user_maritime",
    USER_SERIAL: "user_serial",
    USER_NATIONAL: "user_national",
    USER_SGB: "user_second_generation",
    USER_CALLSIGN: "user_callsign",
    USER_TEST: "user_test",
}
"""Bits 37 to 39 when bit 26 is 1 (T.001 table A3)."""

SERIAL_OPERATOR, SERIAL_ADDRESS, SERIAL_FLOAT_FREE, SERIAL_FIXED = 0b001, 0b011, 0b010, 0b100
SERIAL = {
    0b000: "elt",
    SERIAL_OPERATOR: "elt",
    SERIAL_FLOAT_FREE: "epirb",
    SERIAL_ADDRESS: "elt",
    SERIAL_FIXED: "epirb",
    0b110: "plb",
}
"""Bits 40 to 42 of a serial user protocol; 010 floats free, 100 does not."""

STANDARD_MMSI, STANDARD_ADDRESS, STANDARD_OPERATOR = 0b0010, 0b0011, 0b0101
STANDARD_SERIAL = (0b0100, 0b0110, 0b0111)
SHIP_SECURITY, ELT_DT, RLS, STANDARD_TEST, NATIONAL_TEST = 0b1100, 0b1001, 0b1101, 0b1110, 0b1111
NATIONAL_STEPS = 30
"""Steps of two minutes in a degree: whole degrees in bits of their own, then the minutes."""
NATIONAL = (0b1000, 0b1010, 0b1011, NATIONAL_TEST)
STANDARD = (
    *(STANDARD_MMSI, STANDARD_ADDRESS, STANDARD_OPERATOR, *STANDARD_SERIAL, SHIP_SECURITY),
    STANDARD_TEST,
)

LOCATION = {
    STANDARD_MMSI: ("standard_mmsi", "epirb"),
    STANDARD_ADDRESS: ("standard_address", "elt"),
    0b0100: ("standard_serial", "elt"),
    STANDARD_OPERATOR: ("standard_operator", "elt"),
    0b0110: ("standard_serial", "epirb"),
    0b0111: ("standard_serial", "plb"),
    SHIP_SECURITY: ("ship_security", "ship_security"),
    STANDARD_TEST: ("standard_test", "test"),
    0b1000: ("national", "elt"),
    0b1010: ("national", "epirb"),
    0b1011: ("national", "plb"),
    NATIONAL_TEST: ("national_test", "test"),
    RLS: ("rls", None),
    ELT_DT: ("elt_dt", "elt_dt"),
}
"""Bits 37 to 40 when bit 26 is 0: protocol and beacon (T.001 table A5)."""

HOMING = ("none", "121.5", "sart", "other")
"""Bits 84 and 85 of a user protocol."""

NATURES_MARITIME = {
    0: Nature.UNDESIGNATED,
    1: Nature.FIRE_EXPLOSION,
    2: Nature.FLOODING,
    3: Nature.COLLISION,
    4: Nature.GROUNDING,
    5: Nature.LISTING,
    6: Nature.SINKING,
    7: Nature.DISABLED_ADRIFT,
    8: Nature.ABANDONING,
}
"""Bits 109 to 112 of a maritime user protocol (T.001 table A4)."""

RLS_BEACONS = {0b00: ("elt", 2000), 0b01: ("epirb", 1000), 0b10: ("plb", 3000), 0b11: ("test", 0)}
"""Bits 41 and 42 of an RLS protocol: beacon, and what its certificate's number lacks."""

RLS_PROVIDERS = {0b01: "galileo", 0b10: "glonass", 0b11: "bds"}

ACTIVATIONS_DT = ("manual", "automatic", "avionics", "external")
"""Bits 107 and 108 of an ELT(DT): by crew, by the beacon's sensors, by the avionics."""

FRESHNESS = ("rotating", "over 60 s", "2 to 60 s", "under 2 s")
"""Bits 113 and 114 of an ELT(DT)."""

ALTITUDES_M = (
    *(400, 800, 1200, 1600, 2200, 2800, 3400, 4000, 4800, 5600, 6600, 7600, 8800, 10_000),
)
"""Upper ends of the classes of altitude of an ELT(DT), bits 109 to 112; the next is above all."""

SGB_BEACONS = {0b000: "elt", 0b001: "epirb", 0b010: "plb", 0b011: "elt_dt", 0b111: "system"}
"""Bits 138 to 140 of a second-generation beacon (T.018 table 3.1)."""

SGB_ACTIVATIONS = ("manual", "automatic", "external")
"""Bits 194 and 195 of rotating field 0."""

SGB_TRIGGERS = {0b0001: "manual", 0b0100: "automatic", 0b1000: "avionics"}
"""Bits 186 to 189 of rotating field 1: by crew, by deceleration or deformation, by the avionics."""

DOPS = (
    *("up to 1", "over 1", "over 2", "over 3", "over 4", "over 5", "over 6", "over 7", "over 8"),
    *("over 10", "over 12", "over 15", "over 20", "over 30", "over 50", None),
)
"""Dilution of precision, four bits: each up to where the next begins (T.018 table 3.4)."""

BATTERY = ("up to 5 %", "over 5 %", "over 10 %", "over 25 %", "over 50 %", "over 75 %")
"""Bits 196 to 198: each up to where the next begins."""

BATTERY_DT = ("up to 33 %", "over 33 %", "over 66 %")
"""Bits 192 and 193 of rotating field 1."""

GNSS = ("none", "2d", "3d")
