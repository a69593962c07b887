r"""Lines of text: printable characters, and a line end.

    FFFE2F8E3E0425A8318074FE44B735CD7B46<CR><LF>
    BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBLLLLLLLL

    B  body: printable ASCII
    L  line end: CR, LF or both

Nothing here proves a line: a radio system that is read from lines brings check digits of its own,
or its reports are no better than tentative. What is not printable stands between lines, and is
noise. A line is told when its end has come, never before: half a number is another number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Frame, Moment
from gateway.model.words import Fault

LINE_BYTES_MAX = 1024
"""Receivers print some 80 characters; a stream without line ends never ends."""

HALF_SAID_NS = 2 * 10**9
"""A pause within a line that no modem makes: at 300 Bd a byte takes 33 ms."""

_PIECES = re.compile(rb"[\r\n]+|[\x20-\x7e]+|[^\r\n\x20-\x7e]+")
_PRINTABLE = re.compile(rb"[\x20-\x7e]")
_ENDS = (b"\r", b"\n")


class Lines:
    """Cut a byte stream into lines; one without its end is kept, marked with its fault."""

    def __init__(self) -> None:
        self._tail = b""
        self._blank = 0
        """Bytes of line ends behind no line: counted with the next frame."""
        self._overlong = False
        """Whether the line that goes on has been given up: its rest is no line of its own."""
        self._chunk = Chunk("", Moment(0), b"")
        self._out: list[Frame] = []

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their line, or stand between two."""
        return len(self._tail) + self._blank

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its line."""
        yield Bound(
            of="Lines._tail",
            what="half_line_bytes",
            held=len(self._tail),
            limit=LINE_BYTES_MAX,
            rule="what is longer than any line is refused, and told if it may be a call for help",
        )

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each line completed by this chunk, in order."""
        self._chunk, self._out = chunk, []
        if chunk.gap:
            self._give_up(Fault.CUT, self._tail)
        pieces = _PIECES.findall(self._tail + chunk.data)
        self._tail = b""
        for piece, behind in zip(pieces, [*pieces[1:], b""], strict=False):
            if piece[:1] in _ENDS:
                self._end(piece)
            elif not _PRINTABLE.match(piece):
                self._overlong = False
                self._emit(piece, Fault.NOISE)
            elif not behind or behind[:1] in _ENDS:
                self._tail = piece
            else:
                self._give_up(Fault.ILLEGAL_CHARACTER, piece)
        if len(self._tail) > LINE_BYTES_MAX:
            self._give_up(Fault.OVERSIZE, self._tail)
            self._overlong = True
        return self._out

    def expire(self, now: Moment) -> list[Frame]:
        """Return the line that its sender has left half said."""
        if not self.held or now.mono_ns - self._chunk.heard.mono_ns < HALF_SAID_NS:
            return []
        self._out = []
        self._give_up(Fault.CUT, self._tail)
        return self._out

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the line that carries this body."""
        return body + b"\r\n"

    def _end(self, end: bytes) -> None:
        """Emit the line that has come to its end; ends of no line are counted with the next."""
        line, self._tail = self._tail, b""
        overlong, self._overlong = self._overlong or len(line) > LINE_BYTES_MAX, False
        if line:
            self._emit(line, Fault.OVERSIZE if overlong else None, end=end)
        else:
            self._blank += len(end)

    def _give_up(self, fault: Fault, line: bytes) -> None:
        """Emit what is no whole line and never will be."""
        self._tail, self._overlong = b"", False
        if line or self._blank:
            self._emit(line, fault if line else Fault.NOISE)

    def _emit(self, line: bytes, fault: Fault | None, *, end: bytes = b"") -> None:
        kept = line[:LINE_BYTES_MAX]
        self._out.append(
            Frame(
                port=self._chunk.port,
                heard=self._chunk.heard,
                body=kept,
                raw=kept,
                span=self._blank + len(line) + len(end),
                ordinal=len(self._out),
                fault=fault,
            )
        )
        self._blank = 0


FRAMER = Lines
