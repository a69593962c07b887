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

from gateway.framing import LINE_BYTES_MAX, Lined
from gateway.model.bounds import Bound
from gateway.model.words import Fault

_END = re.compile(rb"[\r\n]+")
_START = re.compile(rb"[A-Za-z0-9-]{1,9}>[A-Za-z0-9]{1,6}[-A-Za-z0-9,*]{0,400}:")
_PRINTABLE = re.compile(rb"[\x20-\x7e]")


class Tnc2(Lined):
    """Cut a byte stream into packets in text; one without its end is kept, marked as cut."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its line."""
        yield Bound(
            of="Tnc2._tail",
            what="half_line_bytes",
            held=len(self._tail),
            limit=LINE_BYTES_MAX,
            rule="what is longer than any line is refused, and told if it may be a call for help",
        )

    def _cut(self, wire: bytes) -> None:
        """Emit each line whose end has come."""
        at = 0
        for found in _END.finditer(wire):
            self._end(wire[at : found.start()], found[0])
            at = found.end()
        self._hold(wire[at:])

    def _line(self, line: bytes, fault: Fault | None, end: bytes = b"") -> None:
        """Emit a line from its header on, and what stands before that as noise."""
        found = _START.search(line)
        if found and found.start():
            self._emit(line[: found.start()], Fault.NOISE)
            line = line[found.start() :]
        elif not found and not _PRINTABLE.search(line):
            fault = Fault.NOISE
        self._emit(line, fault, span=len(line) + len(end))


FRAMER = Tnc2
