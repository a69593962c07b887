r"""The binary stream of Actisense adapters for NMEA 2000 (NGT-1, and what speaks like it).

    10 02 93 LL … SS 10 03
          CC    ....

    10 02  start (DLE STX)       CC  kind of message, 93: heard on the bus
    10 03  end (DLE ETX)         LL  how many octets follow, up to the check
    SS     check: CC to SS add up to 0 modulo 256

Between start and end each 10 is sent twice. Body is CC, LL and what follows, without the check.
Kind D0 has a length of two octets, which the check covers. Source: canboat, "Actisense NGT-1
serial format"; Actisense, "NMEA 2000 Actisense Output format". This file never looks inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.words import Fault, Integrity

FRAME_BYTES_MAX = 4 + 2 * (2 + 255 + 1)
"""Start, end, and each octet of the longest message sent as two."""

_ESCAPE = b"\x10"
_START = b"\x10\x02"
_END = b"\x10\x03"
_OCTETS = re.compile(rb"(?:[^\x10]|\x10\x10)*+", re.DOTALL)
_LONG_KIND = 0xD0
_AROUND_BYTES = 3
"""Kind, length and check: what the length does not count."""


class Actisense(Cutter):
    """Cut a byte stream into messages; one whose end never comes is kept, with its fault."""

    kept_bytes_max: ClassVar[int] = FRAME_BYTES_MAX

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its message."""
        yield Bound(
            of="Actisense._tail",
            what="half_actisense_bytes",
            held=len(self._tail),
            limit=FRAME_BYTES_MAX,
            rule="what is longer than any is refused, and told if it may be a call for help",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the bytes that carry this body, its check behind it."""
        checked = body + bytes([-sum(body) & 0xFF])
        return _START + checked.replace(_ESCAPE, 2 * _ESCAPE) + _END

    def _cut(self, wire: bytes) -> None:
        """Emit each message that has come to its end, and hold the one that goes on."""
        at = 0
        while at < len(wire):
            start = wire.find(_START, at)
            if start < 0:
                start = len(wire) - wire.endswith(_ESCAPE)
            if start > at:
                self._emit(wire[at:start], Fault.NOISE)
            at = start if start + 1 >= len(wire) else self._begun(wire, start)
            if at == start:
                self._tail = wire[at:]
                return

    def _begun(self, wire: bytes, start: int) -> int:
        """Emit the message that begins here; return where it ends, or its start if it goes on."""
        found = _OCTETS.match(wire, start + len(_START))
        end = found.end() if found else len(wire)
        if wire.startswith(_END, end):
            end += len(_END)
            self._whole(wire[start:end])
            return end
        goes_on = wire[end:] in (b"", _ESCAPE)
        if goes_on and len(wire) - start <= FRAME_BYTES_MAX:
            return start
        end = len(wire) if goes_on else end
        self._emit(wire[start:end], _fault_of_half(end - start))
        return end

    def _give_up(self) -> None:
        """Emit what is no whole message and never will be."""
        tail, self._tail = self._tail, b""
        if tail:
            self._emit(tail, Fault.CUT if tail.startswith(_START) else Fault.NOISE)

    def _whole(self, raw: bytes) -> None:
        inner = raw[len(_START) : -len(_END)].replace(2 * _ESCAPE, _ESCAPE)
        fault = _fault_of(inner, len(raw))
        if fault is None:
            self._emit(raw, None, inner[:-1], integrity=Integrity.CHECKSUM)
        else:
            self._emit(raw, fault)


def _fault_of_half(size: int) -> Fault:
    return Fault.OVERSIZE if size > FRAME_BYTES_MAX else Fault.CUT


def _fault_of(inner: bytes, size: int) -> Fault | None:
    """Judge the envelope before anyone reads the letter."""
    if size > FRAME_BYTES_MAX:
        return Fault.OVERSIZE
    if len(inner) < _AROUND_BYTES:
        return Fault.CUT
    if sum(inner) & 0xFF:
        return Fault.WRONG_CHECKSUM
    short = inner[0] != _LONG_KIND and inner[1] != len(inner) - _AROUND_BYTES
    return Fault.CUT if short else None


FRAMER = Actisense
