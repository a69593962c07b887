"""Packets of a Meshtastic device on its serial port or over TCP.

    94 C3 HH LL MMMMMM…        H L  length of the message, 1 to 512     M  a protobuf message

Source: meshtastic.org, "Client API (Serial/TCP/BLE)", streaming version. There is no check: what
has a start and a length counts as a packet only when it can be a message of exactly that length and
holds no other packet's beginning. What may be the next header at its end is looked at twice: a lost
byte costs one packet, and not the next one too. Between packets the device may print its log, which
is noise. This file never interprets a message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gateway.codes.protobuf import may_begin
from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.words import Fault

START = b"\x94\xc3"
HEADER_BYTES = 4
MESSAGE_BYTES_MAX = 512
"""By the standard; a longer one is taken for damage there, too."""
PACKET_BYTES_MAX = HEADER_BYTES + MESSAGE_BYTES_MAX

_REMAINS_BYTES_MIN = 8
"""Of a packet, for a fault; less is noise with two bytes in it that look like a start."""


class Meshtastic(Cutter):
    """Cut a byte stream into packets; a broken one is kept, marked with its fault."""

    kept_bytes_max: ClassVar[int] = PACKET_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self._lent = 0
        """How many bytes at the head of the tail lie in the span of the packet before."""

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their packet."""
        return len(self._tail) - self._lent

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the rest of its packet."""
        yield Bound(
            of="Meshtastic._tail",
            what="half_mesh_packet_bytes",
            held=len(self._tail),
            limit=PACKET_BYTES_MAX,
            rule="what can't be a packet any more is refused, and what may begin one stays",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the packet that carries this message."""
        return START + len(body).to_bytes(2, "big") + body

    def _cut(self, wire: bytes) -> None:
        """Emit each packet that is complete by its length."""
        self._tail = self._scan(wire, ended=False)

    def _give_up(self) -> None:
        """Emit what its sender has left half said, and whole packets behind a false start."""
        self._tail = self._scan(self._tail, ended=True)

    def _scan(self, data: bytes, *, ended: bool) -> bytes:
        """Emit what is complete; return what has to wait. When ended, nothing waits."""
        at = 0
        while at < len(data):
            start = _start(data, at, ended=ended)
            if start > at:
                self._tell(data[at:start], Fault.NOISE)
            end = _end(data, start)
            if end is not None and end <= len(data):
                end = self._whole(data[:end], start)
            elif end is not None and not ended:
                return data[start:]
            else:
                end = _start(data, start + 1, ended=ended)
                long = end - start >= _REMAINS_BYTES_MIN
                self._tell(data[start:end], Fault.CUT if long else Fault.NOISE)
            at = end
        return b""

    def _whole(self, data: bytes, start: int) -> int:
        """Emit what seems whole, unless another packet begins in it; return where to go on."""
        rival = _start(data, start + 1, ended=False)
        if len(data) - rival > HEADER_BYTES and _end(data, rival) is not None:
            self._tell(data[start:rival], Fault.CUT)
            return rival
        self._tell(data[start:], None)
        at = max(start + 1, len(data) - HEADER_BYTES)
        self._lent = len(data) - _start(data, at, ended=False)
        return len(data) - self._lent

    def _tell(self, raw: bytes, fault: Fault | None) -> None:
        """Emit these bytes, but for those that lie in the span of the packet before."""
        lent = min(self._lent, len(raw))
        self._lent -= lent
        if len(raw) > lent:
            body = None if fault else raw[HEADER_BYTES:]
            self._emit(raw, fault, body, span=len(raw) - lent)


def _start(data: bytes, at: int, *, ended: bool) -> int:
    """Return where the next start is, or may be once more has come; the end when there is none."""
    found = data.find(START, at)
    if found >= 0:
        return found
    half = not ended and len(data) > at and data[-1:] == START[:1]
    return len(data) - half


def _end(data: bytes, start: int) -> int | None:
    """Return where the packet that starts here ends; None when none does."""
    header = data[start : start + HEADER_BYTES]
    if len(header) < HEADER_BYTES:
        return len(data) + 1
    size = int.from_bytes(header[2:], "big")
    body = data[start + HEADER_BYTES : start + HEADER_BYTES + size]
    if not 1 <= size <= MESSAGE_BYTES_MAX or not may_begin(body, size):
        return None
    return start + HEADER_BYTES + size


FRAMER = Meshtastic
