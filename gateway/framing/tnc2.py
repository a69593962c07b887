r"""Packets as lines of text, in the form that packet-radio modems and servers of APRS print.

    [0.3] N0CALL-7>SUQU5P,WIDE1-1*:`(_fn"Oj/<CR><LF>
    NNNNNNSSSSSSSSSSSSSSSSSSSSSSSSSBBBBBBBBBBBBBLLLLLLLL

    N  what a program prints before it: noise
    S  start: who, to whom, by whose repeaters; the repeaters used are marked with an asterisk
    B  the packet's contents: any byte but a line end
    L  line end: CR, LF or both

The header is the start mark. A line without one is a frame too, for it may be a damaged packet, or
what a program says beside the packets. Nothing here proves a line, and it is told when its end has
come, never before. This file never interprets what is behind the header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Frame, Moment
from gateway.model.words import Fault

LINE_BYTES_MAX = 1024
"""Servers of APRS print up to 512; a stream without line ends never ends."""

HALF_SAID_NS = 2 * 10**9
"""A pause within a line that no modem makes: at 300 Bd a byte takes 33 ms."""

_END = re.compile(rb"[\r\n]+")
_START = re.compile(rb"[A-Za-z0-9-]{1,9}>[A-Za-z0-9]{1,6}[-A-Za-z0-9,*]{0,400}:")
_PRINTABLE = re.compile(rb"[\x20-\x7e]")


class Tnc2:
    """Cut a byte stream into packets in text; one without its end is kept, marked as cut."""

    def __init__(self) -> None:
        self._tail = b""
        self._blank = 0
        """Bytes of line ends behind no line: counted with the next frame."""
        self._overlong = False
        """Whether the line that goes on has been given up: its rest is no packet of its own."""
        self._chunk = Chunk("", Moment(0), b"")
        self._out: list[Frame] = []

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their line, or stand between two."""
        return len(self._tail) + self._blank

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its line."""
        yield Bound(
            of="Tnc2._tail",
            what="half_line_bytes",
            held=len(self._tail),
            limit=LINE_BYTES_MAX,
            rule="what is longer than any line is refused, and told if it may be a call for help",
        )

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each line completed by this chunk, in order."""
        self._chunk, self._out = chunk, []
        if chunk.gap:
            self._give_up(Fault.CUT)
        stream, at = self._tail + chunk.data, 0
        for found in _END.finditer(stream):
            self._end(stream[at : found.start()], found[0])
            at = found.end()
        self._tail = stream[at:]
        if len(self._tail) > LINE_BYTES_MAX:
            self._give_up(Fault.OVERSIZE)
            self._overlong = True
        return self._out

    def expire(self, now: Moment) -> list[Frame]:
        """Return the line that its sender has left half said."""
        if not self.held or now.mono_ns - self._chunk.heard.mono_ns < HALF_SAID_NS:
            return []
        self._out = []
        self._give_up(Fault.CUT)
        return self._out

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the line that carries this body."""
        return body + b"\r\n"

    def _end(self, line: bytes, end: bytes) -> None:
        """Emit the line that has come to its end; ends of no line are counted with the next."""
        overlong, self._overlong = self._overlong or len(line) > LINE_BYTES_MAX, False
        if line:
            self._line(line, Fault.OVERSIZE if overlong else None, end)
        else:
            self._blank += len(end)

    def _give_up(self, fault: Fault) -> None:
        """Emit what is no whole line and never will be."""
        tail, self._tail = self._tail, b""
        self._overlong = False
        if tail:
            self._line(tail, fault, b"")
        elif self._blank:
            self._emit(b"", Fault.NOISE)

    def _line(self, line: bytes, fault: Fault | None, end: bytes) -> None:
        """Emit a line from its header on, and what stands before that as noise."""
        found = _START.search(line)
        if found and found.start():
            self._emit(line[: found.start()], Fault.NOISE)
            line = line[found.start() :]
        elif not found and not _PRINTABLE.search(line):
            fault = Fault.NOISE
        self._emit(line, fault, end=end)

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


FRAMER = Tnc2
