r"""KISS frames between a packet-radio modem (TNC) and its host, with or without SMACK's checksum.

    C0 00 82 A0 A4 A6 40 40 60 …  21 34 39 30 33 2E … C0
    F  T  BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB F

    F  FEND, C0: it ends a frame and begins the next; several in a row are one
    T  which port of the modem (upper half), and which command (lower half); 0 is a packet heard
    B  the packet; in it C0 is sent as DB DC, and DB as DB DD

Chepponis and Karn, "The KISS TNC" (1987); ports after the multi-drop extension of Karl Medcalf.
SMACK (Schurig and Barth, 1991): with bit 7 of T set, a CRC-16 of T and B stands behind B, low byte
first. A modem with sixteen ports sets that bit for ports 8 to 15 as well: until one checksum has
been right on this wire, a frame with it and without a right checksum is one of those ports.

KISS proves nothing: the modem has let through what had a right check sequence on the air, but
nobody knows of the wire from it to the gateway. Only SMACK proves that. This file knows no command:
what it can't be is left to the radio system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.codes.crc16 import crc16
from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.words import Fault, Integrity

FRAME_BYTES_MAX = 4096
"""AX.25 packets have 330 bytes, what else a modem carries 1500; escapes at most double that."""

FEND = b"\xc0"
FESC = b"\xdb"
_SENT_FEND = b"\xdb\xdc"
_SENT_FESC = b"\xdb\xdd"
_BROKEN_ESCAPE = re.compile(rb"\xdb(?![\xdc\xdd])")
_CHECKED = 0x80
"""The bit of T that announces SMACK's checksum; only packets have one."""
_COMMAND = 0x0F
_CRC_BYTES = 2


class Kiss(Cutter):
    """Cut a byte stream into KISS frames; a broken one is kept, marked with its fault."""

    kept_bytes_max: ClassVar[int] = FRAME_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self._open = False
        """Whether a FEND has come since bytes were last missing: before it all is noise."""
        self._checked = False
        """Whether a right checksum has come on this wire: then one that is wrong is a fault."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its frame."""
        yield Bound(
            of="Kiss._tail",
            what="half_frame_bytes",
            held=len(self._tail),
            limit=FRAME_BYTES_MAX,
            rule="what is longer than any frame is refused, and told if it may be a call for help",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the frame that carries this body; it begins with port and command."""
        return FEND + body.replace(FESC, _SENT_FESC).replace(FEND, _SENT_FEND) + FEND

    def _cut(self, wire: bytes) -> None:
        """Emit what stands before each FEND, and hold the frame that goes on."""
        *pieces, tail = wire.split(FEND)
        for piece in pieces:
            self._end(piece)
        if self._open:
            self._tail = tail
            if len(tail) > FRAME_BYTES_MAX:
                self._give_up(Fault.OVERSIZE)
        elif tail:
            self._emit(tail, Fault.NOISE)

    def _begin_anew(self) -> None:
        """Emit what was held; up to the next FEND all is noise, and no checksum has come yet."""
        self._give_up()
        self._open = self._checked = False

    def _end(self, piece: bytes) -> None:
        """Emit what stands before a FEND: a frame, nothing, or noise from before the first one."""
        if self._open and piece:
            self._frame(piece)
            return
        if piece:
            self._emit(piece, Fault.NOISE)
        self._open = True
        self._blank += len(FEND)

    def _frame(self, piece: bytes) -> None:
        """Emit what stands between two FENDs, its checksum looked at and left out."""
        body = _unescaped(piece) if FESC in piece else piece
        fault: Fault | None = None
        integrity = Integrity.NONE
        if len(piece) > FRAME_BYTES_MAX:
            fault = Fault.OVERSIZE
        elif _BROKEN_ESCAPE.search(piece):
            fault = Fault.ILLEGAL_CHARACTER
        elif body[0] & (_CHECKED | _COMMAND) == _CHECKED:
            if len(body) > _CRC_BYTES and crc16(body) == 0:
                self._checked, integrity = True, Integrity.CRC
                body = bytes((body[0] & ~_CHECKED,)) + body[1:-_CRC_BYTES]
            elif self._checked:
                fault = Fault.WRONG_CHECKSUM
        span = len(piece) + len(FEND)
        self._emit(FEND + piece + FEND, fault, body, span=span, integrity=integrity)

    def _give_up(self, fault: Fault = Fault.CUT) -> None:
        """Emit what is no whole frame and never will be; all up to the next FEND is noise then."""
        tail, self._tail = self._tail, b""
        if tail:
            self._open = False
            self._emit(FEND + tail, fault, _unescaped(tail), span=len(tail))
        elif self._blank:
            self._emit(b"", Fault.NOISE)


def _unescaped(piece: bytes) -> bytes:
    """Return what was meant; an escape of nothing stays as it is."""
    return piece.replace(_SENT_FEND, FEND).replace(_SENT_FESC, FESC)


FRAMER = Kiss
