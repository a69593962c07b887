"""The parameter groups of the bus that matter here, and which of their messages may be a call.

    129808  DSC call             129038  AIS class A         129040  AIS class B, extended
    127233  person overboard     129039  AIS class B         129041  AIS aid to navigation
    129801, 129802  AIS safety texts

The first five are read. Of the others no public source has the layout beyond doubt, so they are
kept, and told at once. All are fast packets. Source: canboat's database of parameter groups.
"""

from __future__ import annotations

from gateway.codes.mmsi import MMSI_DIGITS, mmsi_class

DSC_CALL = 129808
CLASS_A, CLASS_B, CLASS_B_EXTENDED, AID = 129038, 129039, 129040, 129041
AIS = frozenset({CLASS_A, CLASS_B, CLASS_B_EXTENDED, AID})
TOLD_UNREAD = frozenset({127233, 129801, 129802})
WANTED = AIS | TOLD_UNREAD | {DSC_CALL}

_DISTRESS = 112
"""Format specifier and category of a distress call (M.493)."""
_DEVICES = frozenset({"ais_sart", "mob", "epirb_ais"})
_STATUS_AT, _ACTIVE = 25, 14
"""Where class A has its navigational status, and what a locating device in use says there."""


def may_be_distress(pgn: int, octets: bytes) -> bool:
    """Say whether a message that begins like this might be a call for help."""
    if pgn == DSC_CALL:
        return len(octets) < 2 or _DISTRESS in octets[:2]
    if pgn not in AIS:
        return True
    if mmsi_class(mmsi_in(octets)) in _DEVICES:
        return True
    return pgn == CLASS_A and len(octets) > _STATUS_AT and octets[_STATUS_AT] & 0x0F == _ACTIVE


def mmsi_in(octets: bytes) -> str:
    """Return the identity behind the first octet of an AIS group."""
    return f"{int.from_bytes(octets[1:5], 'little'):0{MMSI_DIGITS}d}"
