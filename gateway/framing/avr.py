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

from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Frame, Moment
from gateway.model.words import Fault

FRAME_BYTES_MAX = 64
"""The longest has 42; vendors add a few digits."""

HALF_SAID_NS = 2 * 10**9
"""A pause within a message that no receiver makes: at 9600 Bd a character takes 1 ms."""

NOISE_BYTES_MAX = 64
"""Kept of what lies between messages; it is counted whole."""

_PIECES = re.compile(
    rb"(?P<blank>[\r\n]+)|(?P<whole>[*@][0-9A-Fa-f]+;)|(?P<begun>[*@][0-9A-Fa-f]*)|[^*@\r\n]+"
)


class Avr:
    """Cut a byte stream into messages; one that is cut short is kept, marked with its fault."""

    def __init__(self) -> None:
        self._tail = b""
        self._blank = 0
        """Bytes of line ends behind no message: counted with the next frame."""
        self._chunk = Chunk("", Moment(0), b"")
        self._out: list[Frame] = []

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their message, or stand between two."""
        return len(self._tail) + self._blank

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its message."""
        yield Bound(
            of="Avr._tail",
            what="half_avr_bytes",
            held=len(self._tail),
            limit=FRAME_BYTES_MAX,
            rule="what is longer than any message is refused",
        )

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each message completed by this chunk, in order."""
        self._chunk, self._out = chunk, []
        if chunk.gap:
            self._give_up()
        wire, self._tail = self._tail + chunk.data, b""
        for piece in _PIECES.finditer(wire):
            if piece.lastgroup == "blank":
                self._blank += len(piece[0])
            elif piece.lastgroup == "whole":
                is_overlong = len(piece[0]) > FRAME_BYTES_MAX
                self._emit(piece[0], Fault.OVERSIZE if is_overlong else None)
            elif piece.lastgroup is None:
                self._emit(piece[0], Fault.NOISE)
            elif piece.end() < len(wire):
                self._emit(piece[0], Fault.CUT)
            elif len(piece[0]) > FRAME_BYTES_MAX:
                self._emit(piece[0], Fault.OVERSIZE)
            else:
                self._tail = piece[0]
        return self._out

    def expire(self, now: Moment) -> list[Frame]:
        """Return the message that its sender has left half said."""
        if not self.held or now.mono_ns - self._chunk.heard.mono_ns < HALF_SAID_NS:
            return []
        self._out = []
        self._give_up()
        return self._out

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the line that carries these digits."""
        return b"*" + body + b";\r\n"

    def _give_up(self) -> None:
        """Emit what is no whole message and never will be."""
        tail, self._tail = self._tail, b""
        if tail or self._blank:
            self._emit(tail, Fault.CUT if tail else Fault.NOISE)

    def _emit(self, raw: bytes, fault: Fault | None) -> None:
        kept = raw[:NOISE_BYTES_MAX]
        self._out.append(
            Frame(
                port=self._chunk.port,
                heard=self._chunk.heard,
                body=kept[1:-1] if fault is None else kept,
                raw=kept,
                span=self._blank + len(raw),
                ordinal=len(self._out),
                fault=fault,
            )
        )
        self._blank = 0


FRAMER = Avr
