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

from gateway.framing import LINE_BYTES_MAX, Lined
from gateway.model.bounds import Bound
from gateway.model.words import Fault

_PIECES = re.compile(rb"[\r\n]+|[\x20-\x7e]+|[^\r\n\x20-\x7e]+")
_PRINTABLE = re.compile(rb"[\x20-\x7e]")
_ENDS = (b"\r", b"\n")


class Lines(Lined):
    """Cut a byte stream into lines; one without its end is kept, marked with its fault."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its line."""
        yield Bound(
            of="Lines._tail",
            what="half_line_bytes",
            held=len(self._tail),
            limit=LINE_BYTES_MAX,
            rule="what is longer than any line is refused, and told if it may be a call for help",
        )

    def _cut(self, wire: bytes) -> None:
        """Emit each line whose end has come; what is not printable stands between lines."""
        line = b""
        pieces = _PIECES.findall(wire)
        for piece, behind in zip(pieces, [*pieces[1:], b""], strict=False):
            if piece[:1] in _ENDS:
                self._end(line, piece)
                line = b""
            elif not _PRINTABLE.match(piece):
                self._overlong = False
                self._emit(piece, Fault.NOISE)
            elif not behind or behind[:1] in _ENDS:
                line = piece
            else:
                self._overlong = False
                self._emit(piece, Fault.ILLEGAL_CHARACTER)
        self._hold(line)


FRAMER = Lines
