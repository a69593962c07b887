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
from gateway.model.inbound import Chunk, Frame, Moment
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


PACKET_BYTES_MAX = 1024
"""With its check: twice what any radio sends at once; a stream without marks never ends."""

STUFFED_BYTES_MAX = 2 * PACKET_BYTES_MAX
"""SLIP may write each byte as two; COBS takes five bytes more."""

PACKET_BYTES_MIN = 4
"""Two of header, two of check."""

HALF_SAID_NS = 2 * 10**9
"""A pause within a packet that no modem makes: at 300 Bd a byte takes 33 ms."""

_CRC_START = _CRC_TURNED = 0xFFFF
_CRC_OF_WHOLE = 0x1D0F
"""Of a packet together with its check. Not nought: 0x00 behind a packet would leave it nought, and
one bent mark can add that."""
_CRC_BYTES = 2


class Delimited(ABC):
    """Cut a byte stream at a mark into stuffed packets with a CRC-16; docs/LINK.md has the bytes.

    A packet is told when the mark behind it has come. Should that be lost, it is told with the next
    mark, or when its sender has fallen silent, for its check proves that it is whole.
    """

    mark: ClassVar[int]
    stuffed_bytes_min: ClassVar[int]
    """Of a packet without a letter: what is shorter is noise."""

    def __init__(self) -> None:
        self._tail = b""
        self._blank = 0
        """Marks behind no packet: counted with the next frame."""
        self._overlong = False
        """Whether the packet that goes on has been given up: its rest is no packet of its own."""
        self._chunk = Chunk("", Moment(0), b"")
        self._out: list[Frame] = []

    @staticmethod
    @abstractmethod
    def unstuff(stuffed: bytes) -> bytes | None:
        """Return the packet with its check, or None when nobody stuffs like that."""

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their packet, or stand between two."""
        return len(self._tail) + self._blank

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its packet."""
        yield Bound(
            of="Delimited._tail",
            what="half_packet_bytes",
            held=len(self._tail),
            limit=STUFFED_BYTES_MAX,
            rule="what is longer than any packet is refused, and told if it may be a call for help",
        )

    def split(self, chunk: Chunk) -> list[Frame]:
        """Return each packet completed by this chunk, in order."""
        self._chunk, self._out = chunk, []
        if chunk.gap:
            self._give_up(Fault.CUT)
        *ended, self._tail = (self._tail + chunk.data).split(bytes([self.mark]))
        for piece in ended:
            self._end(piece)
        if len(self._tail) > STUFFED_BYTES_MAX:
            self._give_up(Fault.OVERSIZE)
            self._overlong = True
        return self._out

    def expire(self, now: Moment) -> list[Frame]:
        """Return what its sender has left without a mark: a packet if it is proven."""
        if not self.held or now.mono_ns - self._chunk.heard.mono_ns < HALF_SAID_NS:
            return []
        self._out = []
        packet = None if self._overlong else self.unstuff(self._tail)
        if packet is not None and _fault_of(packet) is None:
            self._emit(self._tail, None, packet=packet)
            self._tail = b""
        else:
            self._give_up(Fault.CUT)
        return self._out

    def _end(self, piece: bytes) -> None:
        """Emit what the mark has ended; marks of no packet are counted with the next."""
        overlong, self._overlong = self._overlong, False
        if not piece:
            self._blank += 1
        elif overlong:
            self._emit(piece, Fault.OVERSIZE, marks=1)
        elif len(piece) < self.stuffed_bytes_min:
            self._emit(piece, Fault.NOISE, marks=1)
        else:
            packet = self.unstuff(piece)
            fault = Fault.CUT if packet is None else _fault_of(packet)
            self._emit(piece, fault, packet=packet or b"", marks=1)

    def _give_up(self, fault: Fault) -> None:
        """Emit what is no whole packet and never will be."""
        tail, self._tail, self._overlong = self._tail, b"", False
        if tail or self._blank:
            self._emit(tail, fault if len(tail) >= self.stuffed_bytes_min else Fault.NOISE)

    def _emit(
        self, piece: bytes, fault: Fault | None, *, packet: bytes = b"", marks: int = 0
    ) -> None:
        kept = piece[:STUFFED_BYTES_MAX]
        self._out.append(
            Frame(
                port=self._chunk.port,
                heard=self._chunk.heard,
                body=kept if fault else packet[:-_CRC_BYTES],
                raw=kept,
                span=self._blank + len(piece) + marks,
                ordinal=len(self._out),
                fault=fault,
                integrity=Integrity.NONE if fault else Integrity.CRC,
            )
        )
        self._blank = 0


def checked(body: bytes) -> bytes:
    """Return the body with its check behind it: CRC-16/GENIBUS, the high byte first."""
    return body + (crc_hqx(body, _CRC_START) ^ _CRC_TURNED).to_bytes(_CRC_BYTES, "big")


def _fault_of(packet: bytes) -> Fault | None:
    """Judge the envelope before anyone reads the letter."""
    if len(packet) > PACKET_BYTES_MAX:
        return Fault.OVERSIZE
    right = len(packet) >= PACKET_BYTES_MIN and crc_hqx(packet, _CRC_START) == _CRC_OF_WHOLE
    return None if right else Fault.WRONG_CHECKSUM
