"""Where one message ends and the next begins. One file per way of cutting a stream.

A framer never fails and never loses count: every byte it is given comes out in the span of
exactly one frame, or is still held. Nothing here knows what a message means.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from binascii import crc_hqx
from collections.abc import Iterator
from importlib import import_module
from typing import ClassVar, Protocol

from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Frame, Moment, Tags
from gateway.model.words import Fault, Integrity


class Framer(Protocol):
    """What every way of framing can do. One framer belongs to one port."""

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their message."""

    def bounds(self) -> Iterator[Bound]:
        """Yield each place where something waits, with its bound."""

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each frame completed by this chunk, in order."""

    def expire(self, now: Moment) -> list[Frame]:
        """Return what will never be completed, now that nothing has come for so long."""

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the bytes that carry this body over the wire."""


def framer_named(name: str) -> type[Framer]:
    """Return the framing kept in the file of that name."""
    found: type[Framer] = import_module(f"{__name__}.{name}").FRAMER
    return found


HALF_SAID_NS = 2 * 10**9
"""A pause within a message that no sender makes: at 300 Bd a byte takes 33 ms, at 100 Bd a symbol
100 ms."""


class Cutter(ABC):
    """What every way of cutting a stream of bytes has: what it holds, and how it tells of it."""

    kept_bytes_max: ClassVar[int]
    """Of one frame; its span counts it whole."""

    def __init__(self) -> None:
        self._tail = b""
        """What waits for the rest of its message."""
        self._blank = 0
        """Bytes between messages that are no noise: counted with the next frame."""
        self._chunk = Chunk("", Moment(0), b"")
        self._out: list[Frame] = []

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their message, or stand between two."""
        return len(self._tail) + self._blank

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each message completed by this chunk, in order."""
        self._chunk, self._out = chunk, []
        if chunk.gap:
            self._begin_anew()
        wire, self._tail = self._tail + chunk.data, b""
        self._cut(wire)
        return self._out

    def expire(self, now: Moment) -> list[Frame]:
        """Return the message that its sender has left half said."""
        if not self.held or now.mono_ns - self._chunk.heard.mono_ns < HALF_SAID_NS:
            return []
        self._out = []
        self._fall_silent()
        return self._out

    @abstractmethod
    def _cut(self, wire: bytes) -> None:
        """Emit what is complete, and hold what has to wait."""

    @abstractmethod
    def _give_up(self) -> None:
        """Emit what was held: it will never be completed."""

    def _begin_anew(self) -> None:
        """Emit what was held: the bytes that would have completed it are missing."""
        self._give_up()

    def _fall_silent(self) -> None:
        """Emit what was held: nothing has come for so long that no more of it will."""
        self._give_up()

    def _emit(
        self,
        raw: bytes,
        fault: Fault | None,
        body: bytes | None = None,
        *,
        span: int | None = None,
        integrity: Integrity = Integrity.NONE,
        tags: Tags | None = None,
    ) -> None:
        """Emit a frame, and count with it what stood before; unless told, raw is body and span."""
        chunk, limit, size = self._chunk, self.kept_bytes_max, len(raw)
        kept = raw if size <= limit else raw[:limit]
        self._out.append(
            # By place: by name it takes 1.4 times as long, for every frame.
            Frame(
                chunk.port,
                chunk.heard,
                kept if body is None else body[:limit],
                kept,
                self._blank + (size if span is None else span),
                len(self._out),
                fault,
                integrity,
                tags,
            )
        )
        self._blank = 0


LINE_BYTES_MAX = 1024
"""Receivers print some 80 characters, servers of APRS up to 512; a stream without line ends never
ends."""


class Lined(Cutter):
    """Cut a byte stream at line ends; a line that is longer than any is refused with its rest."""

    kept_bytes_max: ClassVar[int] = LINE_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self._overlong = False
        """Whether the line that goes on has been given up: its rest is no line of its own."""

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the line that carries this body."""
        return body + b"\r\n"

    def _hold(self, line: bytes) -> None:
        """Hold the line that goes on, unless it is longer than any."""
        self._tail = line
        if len(line) > LINE_BYTES_MAX:
            self._give_up(Fault.OVERSIZE)
            self._overlong = True

    def _end(self, line: bytes, end: bytes) -> None:
        """Emit the line that has come to its end; ends of no line are counted with the next."""
        overlong, self._overlong = self._overlong or len(line) > LINE_BYTES_MAX, False
        if line:
            self._line(line, Fault.OVERSIZE if overlong else None, end)
        else:
            self._blank += len(end)

    def _give_up(self, fault: Fault = Fault.CUT) -> None:
        """Emit what is no whole line and never will be."""
        tail, self._tail, self._overlong = self._tail, b"", False
        if tail:
            self._line(tail, fault)
        elif self._blank:
            self._emit(b"", Fault.NOISE)

    def _line(self, line: bytes, fault: Fault | None, end: bytes = b"") -> None:
        """Emit a line with what has ended it."""
        self._emit(line, fault, span=len(line) + len(end))


PACKET_BYTES_MAX = 1024
"""With its check: twice what any radio sends at once; a stream without marks never ends."""

STUFFED_BYTES_MAX = 2 * PACKET_BYTES_MAX
"""SLIP may write each byte as two; COBS takes five bytes more."""

PACKET_BYTES_MIN = 4
"""Two of header, two of check."""

_CRC_START = _CRC_TURNED = 0xFFFF
_CRC_OF_WHOLE = 0x1D0F
"""Of a packet together with its check. Not nought: 0x00 behind a packet would leave it nought, and
one bent mark can add that."""
_CRC_BYTES = 2
_MARK_BYTES = 1


class Delimited(Cutter):
    """Cut a byte stream at a mark into stuffed packets with a CRC-16; docs/LINK.md has the bytes.

    A packet is told when the mark behind it has come. Should that be lost, it is told with the next
    mark, or when its sender has fallen silent, for its check proves that it is whole.
    """

    kept_bytes_max: ClassVar[int] = STUFFED_BYTES_MAX
    mark: ClassVar[int]
    stuffed_bytes_min: ClassVar[int]
    """Of a packet without a letter: what is shorter is noise."""

    def __init__(self) -> None:
        super().__init__()
        self._overlong = False
        """Whether the packet that goes on has been given up: its rest is no packet of its own."""

    @staticmethod
    @abstractmethod
    def unstuff(stuffed: bytes) -> bytes | None:
        """Return the packet with its check, or None when nobody stuffs like that."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its packet."""
        yield Bound(
            of="Delimited._tail",
            what="half_packet_bytes",
            held=len(self._tail),
            limit=STUFFED_BYTES_MAX,
            rule="what is longer than any packet is refused, and told if it may be a call for help",
        )

    def _cut(self, wire: bytes) -> None:
        """Emit each packet that a mark has ended."""
        *ended, self._tail = wire.split(bytes([self.mark]))
        for piece in ended:
            self._end(piece)
        if len(self._tail) > STUFFED_BYTES_MAX:
            self._give_up(Fault.OVERSIZE)
            self._overlong = True

    def _fall_silent(self) -> None:
        """Emit what its sender has left without a mark: a packet if it is proven."""
        packet = None if self._overlong else self.unstuff(self._tail)
        if packet is not None and _fault_of(packet) is None:
            self._emit(self._tail, None, packet[:-_CRC_BYTES], integrity=Integrity.CRC)
            self._tail = b""
        else:
            self._give_up()

    def _end(self, piece: bytes) -> None:
        """Emit what the mark has ended; marks of no packet are counted with the next."""
        overlong, self._overlong = self._overlong, False
        if not piece:
            self._blank += _MARK_BYTES
        elif overlong:
            self._emit(piece, Fault.OVERSIZE, span=len(piece) + _MARK_BYTES)
        elif len(piece) < self.stuffed_bytes_min:
            self._emit(piece, Fault.NOISE, span=len(piece) + _MARK_BYTES)
        else:
            packet = self.unstuff(piece)
            fault = Fault.CUT if packet is None else _fault_of(packet)
            body = packet[:-_CRC_BYTES] if packet and not fault else None
            integrity = Integrity.NONE if fault else Integrity.CRC
            span = len(piece) + _MARK_BYTES
            self._emit(piece, fault, body, span=span, integrity=integrity)

    def _give_up(self, fault: Fault = Fault.CUT) -> None:
        """Emit what is no whole packet and never will be."""
        tail, self._tail, self._overlong = self._tail, b"", False
        if tail or self._blank:
            self._emit(tail, fault if len(tail) >= self.stuffed_bytes_min else Fault.NOISE)


def checked(body: bytes) -> bytes:
    """Return the body with its check behind it: CRC-16/GENIBUS, the high byte first."""
    return body + (crc_hqx(body, _CRC_START) ^ _CRC_TURNED).to_bytes(_CRC_BYTES, "big")


def _fault_of(packet: bytes) -> Fault | None:
    """Judge the envelope before anyone reads the letter."""
    if len(packet) > PACKET_BYTES_MAX:
        return Fault.OVERSIZE
    right = len(packet) >= PACKET_BYTES_MIN and crc_hqx(packet, _CRC_START) == _CRC_OF_WHOLE
    return None if right else Fault.WRONG_CHECKSUM
