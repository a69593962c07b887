"""The closed lists: every word a report may use, one meaning each.

Nothing here is text for people: subscribers match on these words, so a word is never renamed.
"""

from enum import StrEnum


class ClockState(StrEnum):
    """How far the box's own time of day can be trusted."""

    UNSET = "unset"
    """The clock is before this release was made, so it was never set."""
    FREE = "free"
    """Set at some time, and not known to be held to a reference now."""
    NTP = "ntp"
    """The kernel says that the clock is held to a reference: by NTP, or what does its work."""
    GNSS = "gnss"
    """The kernel says that it holds the clock to a receiver's pulse itself."""


HELD = frozenset({ClockState.NTP, ClockState.GNSS})
"""The states in which the time of day is somebody's word, and not only what was left running."""


class Fault(StrEnum):
    """What is wrong with a frame; a frame without a fault is whole and proven."""

    NOISE = "noise"
    """Bytes between messages: not even the start of one."""
    NO_CHECKSUM = "no checksum"
    UNREADABLE_CHECKSUM = "unreadable checksum"
    WRONG_CHECKSUM = "wrong checksum"
    ILLEGAL_CHARACTER = "illegal character"
    BROKEN_TAG_BLOCK = "broken tag block"
    OVERSIZE = "oversize"
    CUT = "cut short"


class Integrity(StrEnum):
    """How the wholeness of a message was proven."""

    BCH = "bch"
    CRC = "crc"
    CHECKSUM = "checksum"
    PARITY = "parity"
    NONE = "none"


class Kind(StrEnum):
    """What a report is for."""

    ALERT = "alert"
    ACKNOWLEDGEMENT = "acknowledgement"
    RELAY = "relay"
    CANCELLATION = "cancellation"
    CALL = "call"
    POSITION = "position"
    TEXT = "text"
    STATUS = "status"


class Urgency(StrEnum):
    """The four priorities of radio, highest first (Radio Regulations article 53)."""

    DISTRESS = "distress"
    URGENCY = "urgency"
    SAFETY = "safety"
    ROUTINE = "routine"


URGENCIES = tuple(Urgency)
"""The gravest first: wherever two are compared, it is by this."""


class Mode(StrEnum):
    """Whether a report is meant: only a marked test is a test, only an exercise of ours is one."""

    REAL = "real"
    TEST = "test"
    EXERCISE = "exercise"


class Confidence(StrEnum):
    """How far a report can be believed. It grades; it never hides."""

    VERIFIED = "verified"
    TENTATIVE = "tentative"
    SUSPECT = "suspect"


GRADES = tuple(Confidence)
"""The best believed first: wherever two are compared, it is by this."""


class Nature(StrEnum):
    """The nature of distress: one list for all radio systems."""

    FIRE_EXPLOSION = "fire_explosion"
    FLOODING = "flooding"
    COLLISION = "collision"
    GROUNDING = "grounding"
    LISTING = "listing"
    SINKING = "sinking"
    DISABLED_ADRIFT = "disabled_adrift"
    UNDESIGNATED = "undesignated"
    ABANDONING = "abandoning"
    PIRACY_UNLAWFUL = "piracy_unlawful"
    MAN_OVERBOARD = "man_overboard"
    BEACON_EMISSION = "beacon_emission"
    MEDICAL = "medical"
    COMMS_LOST = "comms_lost"
    DOWNED = "downed"


class Relation(StrEnum):
    """How a report stands to what was heard before it."""

    FIRST = "first"
    COPY = "copy"
    """The same transmission, heard again by another receiver or way."""
    REFINEMENT = "refinement"
    """The sender's own addition to an earlier report, such as a finer position."""
