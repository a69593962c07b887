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

from gateway.codes.crc16 import crc16
from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Frame, Moment
from gateway.model.words import Fault, Integrity

FRAME_BYTES_MAX = 4096
"""AX.25 packets have 330 bytes, what else a modem carries 1500; escapes at most double that."""

HALF_SAID_NS = 2 * 10**9
"""A pause within a frame that no modem makes: at 300 Bd a byte takes 33 ms."""

FEND = b"\xc0"
FESC = b"\xdb"
_SENT_FEND = b"\xdb\xdc"
_SENT_FESC = b"\xdb\xdd"
_BROKEN_ESCAPE = re.compile(rb"\xdb(?![\xdc\xdd])")
_CHECKED = 0x80
"""The bit of T that announces SMACK's checksum; only packets have one."""
_COMMAND = 0x0F
_CRC_BYTES = 2


class Kiss:
    """Cut a byte stream into KISS frames; a broken one is kept, marked with its fault."""

    def __init__(self) -> None:
        self._tail = b""
        self._blank = 0
        """FENDs behind no frame: counted with the next one."""
        self._open = False
        """Whether a FEND has come since bytes were last missing: before it all is noise."""
        self._checked = False
        """Whether a right checksum has come on this wire: then one that is wrong is a fault."""
        self._chunk = Chunk("", Moment(0), b"")
        self._out: list[Frame] = []

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their frame, or stand between two."""
        return len(self._tail) + self._blank

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its frame."""
        yield Bound(
            of="Kiss._tail",
            what="half_frame_bytes",
            held=len(self._tail),
            limit=FRAME_BYTES_MAX,
            rule="what is longer than any frame is refused, and told if it may be a call for help",
        )

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each frame completed by this chunk, in order."""
        self._chunk, self._out = chunk, []
        if chunk.gap:
            self._give_up(Fault.CUT)
            self._open = self._checked = False
        *pieces, tail = (self._tail + chunk.data).split(FEND)
        self._tail = b""
        for piece in pieces:
            self._end(piece)
        if not self._open:
            self._emit_noise(tail)
        elif len(tail) > FRAME_BYTES_MAX:
            self._tail = tail
            self._give_up(Fault.OVERSIZE)
        else:
            self._tail = tail
        return self._out

    def expire(self, now: Moment) -> list[Frame]:
        """Return the frame that the modem has left half said."""
        if not self.held or now.mono_ns - self._chunk.heard.mono_ns < HALF_SAID_NS:
            return []
        self._out = []
        self._give_up(Fault.CUT)
        return self._out

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the frame that carries this body; it begins with port and command."""
        return FEND + body.replace(FESC, _SENT_FESC).replace(FEND, _SENT_FEND) + FEND

    def _end(self, piece: bytes) -> None:
        """Emit what stands before a FEND: a frame, nothing, or noise from before the first one."""
        if not self._open:
            self._emit_noise(piece)
            self._open = True
            self._blank = len(FEND)
        elif not piece:
            self._blank += len(FEND)
        elif len(piece) > FRAME_BYTES_MAX:
            self._emit(piece, _unescaped(piece), Fault.OVERSIZE, end=FEND)
        elif _BROKEN_ESCAPE.search(piece):
            self._emit(piece, _unescaped(piece), Fault.ILLEGAL_CHARACTER, end=FEND)
        else:
            self._whole(piece, _unescaped(piece) if FESC in piece else piece)

    def _whole(self, piece: bytes, body: bytes) -> None:
        """Emit a whole frame, its checksum looked at and left out."""
        if body[0] & (_CHECKED | _COMMAND) != _CHECKED:
            self._emit(piece, body, None, end=FEND)
        elif len(body) > _CRC_BYTES and crc16(body) == 0:
            self._checked = True
            bare = bytes((body[0] & ~_CHECKED,)) + body[1:-_CRC_BYTES]
            self._emit(piece, bare, None, end=FEND, integrity=Integrity.CRC)
        else:
            self._emit(piece, body, Fault.WRONG_CHECKSUM if self._checked else None, end=FEND)

    def _give_up(self, fault: Fault) -> None:
        """Emit what is no whole frame and never will be; all up to the next FEND is noise then."""
        tail, self._tail = self._tail, b""
        if tail:
            self._open = False
            self._emit(tail, _unescaped(tail), fault)
        elif self._blank:
            self._emit(b"", b"", Fault.NOISE)

    def _emit_noise(self, noise: bytes) -> None:
        if noise or self._blank:
            self._emit(noise, noise, Fault.NOISE)

    def _emit(
        self,
        piece: bytes,
        body: bytes,
        fault: Fault | None,
        *,
        end: bytes = b"",
        integrity: Integrity = Integrity.NONE,
    ) -> None:
        raw = piece if fault is Fault.NOISE else FEND + piece + end
        self._out.append(
            Frame(
                port=self._chunk.port,
                heard=self._chunk.heard,
                body=body[:FRAME_BYTES_MAX],
                raw=raw[:FRAME_BYTES_MAX],
                span=self._blank + len(piece) + len(end),
                ordinal=len(self._out),
                fault=fault,
                integrity=integrity,
            )
        )
        self._blank = 0


def _unescaped(piece: bytes) -> bytes:
    """Return what was meant; an escape of nothing stays as it is."""
    return piece.replace(_SENT_FEND, FEND).replace(_SENT_FESC, FESC)


FRAMER = Kiss
