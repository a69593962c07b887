"""One message of the bus, or a part of one, out of a frame of whichever adapter.

    17:33:21.107 R 09FB1004 A0 3E 74 6C 00 16 29 02                 lines of Yacht Devices, RAW
    HH:MM:SS.mmm D IIIIIIII B0 B1 …

    A173321.107 04FF7 1FB10 746C00162902…                           lines of Actisense, N2K ASCII
     HHMMSS.mmm SSDDP PPPPP B0B1…

    93 LL P  PPPPPP DD SS TTTTTTTT NN B0 B1 …                       binary of Actisense, NGT-1

    I  CAN identifier: priority 3 bits, then 18 of the parameter group (PGN), 8 of the source; of a
       group that is sent to one address, the low 8 of the group are that address
    S  source   D  direction, or destination   P  priority, PGN   T  adapter's clock   N  octets

Sources: Yacht Devices, YDNU-02 manual; Actisense, "NMEA 2000 ASCII Output format";
canboat, "Actisense NGT-1 serial format". The first tells CAN frames as they are; the others have
put the parts together, and the adapter with them what proves that these belong together.
"""

from __future__ import annotations

import re

from msgspec import Struct

from gateway.model.inbound import Frame
from gateway.model.words import Integrity


class Parcel(Struct, frozen=True, gc=False):
    """What one frame of the adapter holds."""

    pgn: int
    source: int
    octets: bytes
    whole: bool
    """False for one CAN frame, which may be a part of a message."""


def parcel_of(frame: Frame) -> Parcel | None:
    """Return what the adapter says, or None when it is no word of the bus."""
    if frame.integrity is Integrity.CHECKSUM and frame.body[:1] == _HEARD:
        return _binary(frame.body)
    line = frame.body
    found = _RAW.search(line)
    if found is not None:
        number = int(found[1], 16)
        octets = bytes.fromhex(found[2].decode("ascii"))
        return Parcel(_pgn(number), number & 0xFF, octets, whole=False)
    found = _ASCII.search(line)
    if found is not None:
        octets = bytes.fromhex(found[3].decode("ascii"))
        return Parcel(int(found[2], 16), int(found[1], 16), octets, whole=True)
    return None


_HEARD = b"\x93"
_HEADER_BYTES = 13
_RAW = re.compile(
    rb"(?<!\d)\d\d:\d\d:\d\d\.\d{3} [RT] ([01][0-9A-F]{7})((?: [0-9A-F]{2}){1,8}) *$", re.IGNORECASE
)
_ASCII = re.compile(
    rb"(?<![0-9A-Z])A\d{6}\.\d{3} ([0-9A-F]{2})[0-9A-F]{3} ([0-9A-F]{5}) ((?:[0-9A-F]{2})+) *$",
    re.IGNORECASE,
)
_TO_ALL = 240
"""PDU formats from here on are for everybody (ISO 11783-3)."""


def _pgn(identifier: int) -> int:
    group = identifier >> 8 & 0x3FFFF
    return group if group >> 8 & 0xFF >= _TO_ALL else group & 0x3FF00


def _binary(body: bytes) -> Parcel | None:
    octets = body[_HEADER_BYTES:]
    if len(body) < _HEADER_BYTES or body[_HEADER_BYTES - 1] != len(octets):
        return None
    return Parcel(int.from_bytes(body[3:6], "little"), body[7], octets, whole=True)
