"""A recorded tape, or a plain capture, played as though its modem were plugged in.

    tape:FILE                       in real time
    tape:FILE?port=NAME&speed=10    one port of several, ten times as fast; `max`: without waiting

What is played is heard now: its bytes carry the time of this box, never that of the tape. To work
with the recorded times, read the tape itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs

from msgspec import Struct

from gateway.clock import Clock
from gateway.model.asked import Taped
from gateway.model.inbound import Chunk
from gateway.transport import READ_BYTES_MAX, BadDevice, Key, Node, WireAbsent, WireEnded, WireLost
from gateway.transport.plugged import node_at
from gateway.transport.tape import TapeBroken, is_tape, moment_of, read_capture, read_tape

SPEED_MAX = 10_000.0
"""Beyond this it is `max`."""


class Recording(Struct, frozen=True):
    """What a `tape:` device asks for."""

    path: Path
    port: str | None
    """Which of the tape's ports; None when it has only one."""
    speed: float | None
    """Times real time; None for as fast as possible."""


async def play(
    records: Iterable[Taped], *, clock: Clock, speed: float | None
) -> AsyncIterator[Taped]:
    """Return what is on a tape, each when it is due."""
    pace = _Pace(clock, speed)
    for record in records:
        await clock.sleep(pace.left_s(moment_of(record).mono_ns))
        yield record


def recording(device: str) -> Recording:
    """Return what a `tape:` device asks for; raise BadDevice."""
    path, _, query = device.removeprefix("tape:").partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    if not path or asked.keys() - {"port", "speed"}:
        raise BadDevice(device, "not of the form tape:FILE?port=NAME&speed=NUMBER")
    speed = asked.get("speed", ["1"])[-1]
    if speed == "max":
        return Recording(Path(path), asked.get("port", [None])[-1], None)
    times = float(speed) if speed.replace(".", "", 1).isdecimal() else 0.0
    if not 0 < times <= SPEED_MAX:
        raise BadDevice(device, f"speed is a number up to {SPEED_MAX:.0f}, or `max`")
    return Recording(Path(path), asked.get("port", [None])[-1], times)


class TapeWay:
    """The way to a modem that was recorded."""

    def __init__(self, device: str, *, clock: Clock, baud: int) -> None:
        self.refused_senders = 0
        self._device = device
        self._clock = clock
        self._baud = baud
        self._recording = recording(device)

    async def open(self) -> tuple[TapeWire, Node]:
        """Put the tape in."""
        node = self.standing()
        if node is None:
            raise WireAbsent(self._device, "no such file")
        try:
            chunks = self._chunks()
        except (OSError, TapeBroken) as error:
            raise WireLost(self._device, str(error)) from error
        pace = _Pace(self._clock, self._recording.speed)
        return TapeWire(self._device, chunks, pace, clock=self._clock), node

    def standing(self) -> Node | None:
        """Return the file."""
        return node_at(str(self._recording.path))

    def close(self) -> None:
        """Nothing outlives the wire."""

    def _chunks(self) -> Iterator[Chunk]:
        path, port = self._recording.path, self._recording.port
        if not is_tape(path):
            return read_capture(path, "", baud=self._baud)
        header, records = read_tape(path)
        if port is None and len(header.ports) == 1:
            (port,) = header.ports
        if port not in header.ports:
            names = ", ".join(sorted(header.ports))
            raise WireLost(self._device, f"say which port of the tape, as ?port=…: {names}")
        return _of_port(records, port)


class TapeWire:
    """A tape that is playing."""

    def __init__(self, device: str, chunks: Iterator[Chunk], pace: _Pace, *, clock: Clock) -> None:
        self.adapter: str | None = None
        self.key: Key | None = None
        self._device = device
        self._chunks = chunks
        self._pace = pace
        self._clock = clock
        self._next: Chunk | None = None
        self._left = b""
        self._closed = False

    async def read(self) -> bytes:
        """Return the next bytes when they are due; raise WireEnded at the end."""
        while not self._left:
            chunk = self._next = self._next or self._advance()
            # Cancelled here, the chunk is still the next one.
            await self._clock.sleep(self._pace.left_s(chunk.heard.mono_ns))
            self._left, self._next = chunk.data, None
        data = self._left[:READ_BYTES_MAX]
        self._left = self._left[READ_BYTES_MAX:]
        return data

    async def write(self, data: bytes) -> None:
        """Refuse: nobody hears a tape being talked to."""
        raise WireLost(self._device, f"a tape takes no bytes; {len(data)} thrown away")

    def close(self) -> None:
        """Take the tape out."""
        self._closed = True
        self._chunks = iter(())

    def _advance(self) -> Chunk:
        try:
            chunk = next(self._chunks, None)
        except (OSError, TapeBroken) as error:
            raise WireEnded(self._device, str(error)) from error
        if chunk is None:
            raise WireEnded(self._device, "closed by us" if self._closed else "end of the tape")
        return chunk


class _Pace:
    """How long to wait for what was recorded at a certain time."""

    def __init__(self, clock: Clock, speed: float | None) -> None:
        self._clock = clock
        self._speed = speed
        self._begun: tuple[int, int] | None = None

    def left_s(self, mono_ns: int) -> float:
        """Return the time left until this is due; the first one is due at once."""
        if self._speed is None:
            return 0.0
        now_ns = self._clock.now().mono_ns
        if self._begun is None:
            self._begun = now_ns, mono_ns
        begun_ns, first_ns = self._begun
        return max(0.0, (begun_ns + (mono_ns - first_ns) / self._speed - now_ns) / 1e9)


def _of_port(records: Iterable[Taped], port: str) -> Iterator[Chunk]:
    for record in records:
        if isinstance(record, Chunk) and record.port == port:
            yield record
