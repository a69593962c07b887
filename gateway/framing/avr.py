r"""The text format of Mode S receivers, known as AVR or raw: a mark, digits, a semicolon.

    *8D4840D6202CC371C32CE0576098;<CR><LF>
    @00FA12B3C4D58D4840D6202CC371C32CE0576098;<CR><LF>
    MDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDELLLLLLLL

    M  mark: `*`, or `@` when twelve digits of the receiver's clock stand before the message
    D  hexadecimal digits of either case: the body
    E  end: a semicolon
    L  line end, if any

Source: the Mode-S Beast wiki, "Data Output Formats". A message is told as soon as its semicolon
has come; line ends that follow are counted with the frame behind them. Nothing here proves a
message: the check bits of Mode S do, which the radio system knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.words import Fault

FRAME_BYTES_MAX = 64
"""The longest has 42; vendors add a few digits."""

NOISE_BYTES_MAX = 64
"""Kept of what lies between messages; it is counted whole."""

_PIECES = re.compile(
    rb"(?P<blank>[\r\n]+)|(?P<whole>[*@][0-9A-Fa-f]+;)|(?P<begun>[*@][0-9A-Fa-f]*)|[^*@\r\n]+"
)


class Avr(Cutter):
    """Cut a byte stream into messages; one that is cut short is kept, marked with its fault."""

    kept_bytes_max: ClassVar[int] = NOISE_BYTES_MAX

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its message."""
        yield Bound(
            of="Avr._tail",
            what="half_avr_bytes",
            held=len(self._tail),
            limit=FRAME_BYTES_MAX,
            rule="what is longer than any message is refused",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the line that carries these digits."""
        return b"*" + body + b";\r\n"

    def _cut(self, wire: bytes) -> None:
        """Emit each message whose semicolon has come; line ends are counted with the next."""
        for piece in _PIECES.finditer(wire):
            if piece.lastgroup == "blank":
                self._blank += len(piece[0])
            elif piece.lastgroup == "whole":
                self._whole(piece[0])
            elif piece.lastgroup is None:
                self._emit(piece[0], Fault.NOISE)
            elif piece.end() < len(wire):
                self._emit(piece[0], Fault.CUT)
            elif len(piece[0]) > FRAME_BYTES_MAX:
                self._emit(piece[0], Fault.OVERSIZE)
            else:
                self._tail = piece[0]

    def _whole(self, raw: bytes) -> None:
        if len(raw) > FRAME_BYTES_MAX:
            self._emit(raw, Fault.OVERSIZE)
        else:
            self._emit(raw, None, raw[1:-1])

    def _give_up(self) -> None:
        """Emit what is no whole message and never will be."""
        tail, self._tail = self._tail, b""
        if tail or self._blank:
            self._emit(tail, Fault.CUT if tail else Fault.NOISE)


FRAMER = Avr
