"""The code lists of digital selective calling: what each symbol means. No behaviour.

Symbols are numbers from 0 to 127 (ITU-R M.493-15, annex 1); those that command are 100 and above.
A code that no table here has is kept as a number and never given a meaning.
"""

from __future__ import annotations

from gateway.model.words import Kind, Nature, Urgency

FORMAT_DISTRESS = 112
FORMAT_AREA = 102
FORMAT_AUTOMATIC = 123

FORMATS = {  # ITU-R M.493-15, format specifier
    102: "area",
    112: "distress",
    114: "group",
    116: "all_ships",
    120: "individual",
    121: "non_calling",
    123: "individual_automatic",
}

CATEGORY_DISTRESS = 112

CATEGORIES = {  # M.493 table A1-3
    100: "routine",
    108: "safety",
    110: "urgency",
    112: "distress",
}

URGENCIES = {
    100: Urgency.ROUTINE,
    108: Urgency.SAFETY,
    110: Urgency.URGENCY,
    112: Urgency.DISTRESS,
}

NATURES = {  # M.493 table A1-3; 112 is left out by some printings of M.493-16, and still heard
    100: Nature.FIRE_EXPLOSION,
    101: Nature.FLOODING,
    102: Nature.COLLISION,
    103: Nature.GROUNDING,
    104: Nature.LISTING,
    105: Nature.SINKING,
    106: Nature.DISABLED_ADRIFT,
    107: Nature.UNDESIGNATED,
    108: Nature.ABANDONING,
    109: Nature.PIRACY_UNLAWFUL,
    110: Nature.MAN_OVERBOARD,
    112: Nature.BEACON_EMISSION,
}

NOTHING = 126
"""The symbol for "no information" in any place (M.493 table A1-3)."""

DISTRESS_ACKNOWLEDGED = 110
DISTRESS_RELAYED = 112
ABOUT_ANOTHER = (DISTRESS_ACKNOWLEDGED, DISTRESS_RELAYED)
TEST = 118
POSITION_UPDATE = 121

TELECOMMANDS_1 = {  # M.493 table A1-3, first telecommand
    100: "f3e_g3e",
    101: "f3e_g3e_duplex",
    103: "polling",
    104: "unable_to_comply",
    105: "end_of_call",
    106: "data",
    109: "j3e",
    110: "distress_acknowledgement",
    112: "distress_relay",
    113: "f1b_j2b_fec",
    115: "f1b_j2b_arq",
    118: "test",
    121: "position_or_registration_update",
}

TELECOMMANDS_2 = {  # M.493 table A1-3, second telecommand; 120 to 125 since M.493-16
    100: "no_reason",
    101: "congestion",
    102: "busy",
    103: "queue",
    104: "barred",
    105: "no_operator",
    106: "temporarily_no_operator",
    107: "equipment_disabled",
    108: "channel_unable",
    109: "mode_unable",
    110: "not_party_to_armed_conflict",
    111: "medical_transport",
    112: "payphone",
    113: "facsimile",
    **dict.fromkeys(range(120, 126), "remaining_acs"),
}

ENDS = {  # M.493 table A1-3: symbols 117, 122 and 127; letters of IEC 61162-1, DSC field 10
    "R": "acknowledgement_requested",
    "B": "acknowledgement",
    "S": "end",
}

END_LETTERS = {word: letter for letter, word in ENDS.items()}

KINDS = {
    "distress_alert": Kind.ALERT,
    "distress_acknowledgement": Kind.ACKNOWLEDGEMENT,
    "distress_relay": Kind.RELAY,
    "self_cancellation": Kind.CANCELLATION,
    "test": Kind.CALL,
    "position_request": Kind.CALL,
    "position_report": Kind.POSITION,
    "urgency_call": Kind.CALL,
    "safety_call": Kind.CALL,
    "routine_call": Kind.CALL,
}
"""Every purpose a call can have here, and what it is to everybody."""

ALERTS = ("distress_alert", "self_cancellation")
"""The purposes that speak of the sender's own distress."""

ABOUT_ANOTHERS_DISTRESS = ("distress_acknowledgement", "distress_relay")

ABOUT_DISTRESS = (*ALERTS, *ABOUT_ANOTHERS_DISTRESS)

FLAGS = {"Q": "query", "R": "reply", "A": "automatic"}  # IEC 61162-1, DSE field 3

POSITION_FINE = "00"
POSITION_ORIGIN = "01"
SPEED = "02"
COURSE = "03"
STATION = "04"
AREA_FINE = "05"
PERSONS = "06"

EXPANSIONS = {  # ITU-R M.821-1, less the leading 1
    POSITION_FINE: "enhanced position",
    POSITION_ORIGIN: "source and datum",
    SPEED: "speed",
    COURSE: "course",
    STATION: "station identity",
    AREA_FINE: "enhanced area",
    PERSONS: "persons on board",
}

SOURCE_INVALID = "00"

SOURCES = {  # ITU-R M.821-1 table 4
    "00": "invalid",
    "01": "dgnss",
    "02": "gnss",
    "03": "loran_differential",
    "04": "loran",
    "05": "glonass",
    "06": "radar",
    "07": "decca",
    "08": "other",
}

DATUMS = {"00": "wgs84", "01": "wgs72", "02": "other"}  # ITU-R M.821-1
