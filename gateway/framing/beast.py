r"""The binary format of Mode-S Beast receivers, and of the decoders that speak it as well.

    1A 33 083E27B6CB6A 1A1A 8D40...
    EE TT CCCCCCCCCCCC SSSS PPPP...

    E  escape, 0x1A: the start of a frame. Within a frame each 0x1A is sent twice.
    T  type: `1` Mode A/C (2 octets of payload), `2` short (7) and `3` long (14) Mode S,
       `4` the receiver's own state (14), 0xE3 who received what follows (8, and nothing else)
    C  48 bits of the receiver's clock: a counter of 12 MHz; or 18 bits of seconds of the day and
       30 bits of nanoseconds, by GPS
    S  signal level, of 255
    P  payload

Body is everything behind the escape, each 0x1A once. Source: the Mode-S Beast wiki, "Data Output
Formats"; type 0xE3 observed on readsb, 2026-11. Nothing here proves a frame: the check bits of
Mode S do, which the radio system knows.

No receiver says which of the two clocks it sends. Taken for a time of day, a counter of 12 MHz
agrees with the true one for 2 s at a time, once a day; a GPS clock always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.inbound import Tags
from gateway.model.words import Fault

FRAME_BYTES_MAX = 44
"""A long frame in which each octet has to be sent twice, and its two octets of start."""

GPS_AGREES_NS = 10**9
"""So near to the box's time of day a clock by GPS is: frames come within a second."""

GPS_PROVEN_NS = 10 * 10**9
"""So long it has to agree; a counter of 12 MHz can for 2 s."""

NOISE_BYTES_MAX = 64
"""Kept of what lies between frames; it is counted whole."""

_ESCAPE = b"\x1a"
_OCTET = rb"(?:[^\x1a]|\x1a\x1a)"
_SIZES = {b"1": 9, b"2": 14, b"3": 21, b"4": 21, b"\xe3": 8}
"""Octets behind the type."""
_TYPES = b"".join(_SIZES)
_FRAME = re.compile(
    b"\x1a(?:" + b"|".join(b"%b%b{%d}" % (t, _OCTET, n) for t, n in _SIZES.items()) + b")",
    re.DOTALL,
)
_BEGUN = re.compile(b"\x1a(?:[%b]%b*+)?\x1a?" % (_TYPES, _OCTET), re.DOTALL)
"""A start, and what may follow it: a frame cut short, or one whose end has not come yet."""
_NOISE = re.compile(rb"(?:[^\x1a]|\x1a[^%b])+" % _TYPES, re.DOTALL)
_STAMPED = b"123"
_DAY_NS = 86_400 * 10**9


class Beast(Cutter):
    """Cut a byte stream into frames; one whose end never comes is kept, marked with its fault."""

    kept_bytes_max: ClassVar[int] = NOISE_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self._in_step = True
        """Whether a frame has just ended: then an escape begins one, and is no half of a pair."""
        self._agrees_ns: int | None = None
        """Since when the receiver's clock, taken for one by GPS, agrees with the time of day."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its frame."""
        yield Bound(
            of="Beast._tail",
            what="half_beast_bytes",
            held=len(self._tail),
            limit=FRAME_BYTES_MAX,
            rule="a frame ends by its type; what is no frame is counted as noise",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the bytes that carry this body over the wire."""
        return _ESCAPE + body.replace(_ESCAPE, _ESCAPE * 2)

    def _cut(self, wire: bytes) -> None:
        """Emit each frame that is complete by its type."""
        at = 0
        while at < len(wire):
            whole = _FRAME.match(wire, at)
            if whole:
                self._whole(whole[0])
                self._in_step = True
                at = whole.end()
                continue
            at = self._broken(wire, at)

    def _broken(self, wire: bytes, at: int) -> int:
        """Emit or hold what is no whole frame; return where it ends."""
        if self._in_step and wire.startswith(_ESCAPE * 2, at):
            return self._twice(wire, at)
        noise = _NOISE.match(wire, at)
        if noise:
            self._in_step = False
            self._emit(noise[0], Fault.NOISE)
            return noise.end()
        begun = _BEGUN.match(wire, at)
        end = len(wire) if begun is None else begun.end()
        if end == len(wire):
            self._tail = wire[at:]
            return end
        # A lone escape behind it is the start of the next one.
        end -= wire[end - 1 : end] == _ESCAPE
        self._emit(wire[at:end], Fault.CUT)
        return end

    def _twice(self, wire: bytes, at: int) -> int:
        """Decide on two escapes where a frame has to begin: it may have been cut behind its own."""
        behind = wire[at + 2 : at + 3]
        if not behind:
            self._tail = wire[at:]
            return len(wire)
        self._in_step = behind in _SIZES
        noise = 1 if self._in_step else 2
        self._emit(wire[at : at + noise], Fault.NOISE)
        return at + noise

    def _give_up(self) -> None:
        """Emit what is no whole frame and never will be."""
        tail, self._tail = self._tail, b""
        if tail:
            self._emit(tail, Fault.CUT if tail.strip(_ESCAPE) else Fault.NOISE)

    def _whole(self, raw: bytes) -> None:
        body = raw[1:].replace(b"\x1a\x1a", _ESCAPE)
        time_ns = self._gps_ns(body) if body[:1] in _STAMPED else None
        tags = None if time_ns is None else Tags(time_ns=time_ns)
        self._emit(raw, None, body, tags=tags)

    def _gps_ns(self, body: bytes) -> int | None:
        """Return when the receiver heard it, as soon as its clock is known to be one by GPS."""
        heard = self._chunk.heard
        if heard.utc_ns is None:
            return None
        stamp = int.from_bytes(body[1:7], "big")
        of_day_ns = (stamp >> 30) * 10**9 + (stamp & (1 << 30) - 1)
        off_ns = (of_day_ns - heard.utc_ns + _DAY_NS // 2) % _DAY_NS - _DAY_NS // 2
        if abs(off_ns) > GPS_AGREES_NS:
            self._agrees_ns = None
            return None
        if self._agrees_ns is None:
            self._agrees_ns = heard.mono_ns
        is_proven = heard.mono_ns - self._agrees_ns >= GPS_PROVEN_NS
        return heard.utc_ns + off_ns if is_proven else None


FRAMER = Beast
