"""Modems at the other end of TCP: NMEA over TCP, or the raw bytes of ser2net.

    tcp://HOST:PORT           we call; a receiver, ser2net or another gateway answers
    tcp-listen://HOST:PORT    they call; one sender at a time, because the bytes of two would mix
                              within a sentence and nobody could say who said what

A second sender is turned away and counted. Only when it calls from the same address as the first,
and that one has been silent for TAKEOVER_S, does it take over: that is a sender that was switched
off and on, whose old connection nobody ended.
"""

from __future__ import annotations

import asyncio
import os
import socket
from urllib.parse import urlsplit

from gateway.clock import Clock
from gateway.transport import (
    READ_BYTES_MAX,
    WRITE_BYTES_MAX,
    WRITE_S_MAX,
    BadDevice,
    Key,
    Node,
    WireAbsent,
    WireLost,
    WriteStalled,
)

CONNECT_S_MAX = 5.0
"""A host that has not answered by then is tried again later."""

BACKLOG_MAX = 8
"""Callers the kernel lets wait; each is answered or turned away at once."""

TAKEOVER_S = 10.0
"""Silence after which a sender at the same address may take its own place again."""

_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),  # asked after this many silent seconds,
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),  # then this often,
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),  # and given up after so many: 25 s in all
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000),  # ms; the same for what we send
)


def host_and_port(device: str) -> tuple[str, int]:
    """Return where that is; raise BadDevice."""
    parts = urlsplit(device)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or port is None or parts.path or parts.query:
        raise BadDevice(device, f"not of the form {parts.scheme}://HOST:PORT")
    return host, port


class TcpWay:
    """The way to a modem that answers a call."""

    def __init__(self, device: str, *, clock: Clock) -> None:
        self.refused_senders = 0
        self._device = device
        self._clock = clock
        self._host, self._port = host_and_port(device)

    async def open(self) -> tuple[TcpWire, Node]:
        """Call it."""
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, limit=READ_BYTES_MAX
                )
        except TimeoutError:
            raise WireLost(self._device, f"no answer in {CONNECT_S_MAX:.0f} s") from None
        except OSError as error:
            raise WireLost(self._device, _words(error)) from error
        return TcpWire(self._device, reader, writer, clock=self._clock), Node(self._device, ())

    def standing(self) -> Node:
        """Return a node that never changes: only calling tells whether anyone is there."""
        return Node(self._device, ())

    def close(self) -> None:
        """Nothing outlives the wire."""


class TcpListenWay:
    """The way to a modem that calls us."""

    def __init__(self, device: str, *, clock: Clock) -> None:
        self.refused_senders = 0
        self._device = device
        self._clock = clock
        self._host, self._port = host_and_port(device)
        self._server: asyncio.Server | None = None
        self._speaking: TcpWire | None = None
        self._calls = 0

    async def open(self) -> tuple[TcpWire, Node]:
        """Return the wire to the sender that has called."""
        if self._server is None:
            try:
                self._server = await asyncio.start_server(
                    self._called,
                    self._host,
                    self._port,
                    limit=READ_BYTES_MAX,
                    backlog=BACKLOG_MAX,
                    reuse_address=True,
                )
            except OSError as error:
                raise WireLost(self._device, _words(error)) from error
        node = self.standing()
        if self._speaking is None or node is None:
            raise WireAbsent(self._device, "listening; no sender has called")
        return self._speaking, node

    def standing(self) -> Node | None:
        """Return the call that is being listened to; each call is another node."""
        if self._speaking is None or self._speaking.closed:
            return None
        return Node(f"{self._device} from {self._speaking.peer}", (self._calls,))

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._speaking is not None:
            self._speaking.close()

    def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = TcpWire(self._device, reader, writer, clock=self._clock)
        speaking = self._speaking
        if speaking is not None and not speaking.closed:
            if speaking.peer != wire.peer or speaking.silent_s < TAKEOVER_S:
                self.refused_senders += 1
                wire.close()
                return
            speaking.close()
        self._speaking = wire
        self._calls += 1


class TcpWire:
    """An open connection."""

    def __init__(
        self,
        device: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        clock: Clock,
    ) -> None:
        self.adapter: str | None = None
        self.key: Key | None = None
        self._device = device
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._heard_mono_ns = clock.now().mono_ns
        self._unsent_bytes = 0
        self._turn = asyncio.Lock()
        self.peer: str = (writer.get_extra_info("peername") or ("somewhere",))[0]
        """The address at the other end, without its port."""
        writer.transport.set_write_buffer_limits(high=0)  # so that drain() means "all taken"
        line: socket.socket = writer.get_extra_info("socket")
        for level, option, value in _KEEPALIVE:
            line.setsockopt(level, option, value)

    @property
    def closed(self) -> bool:
        """Whether it was let go of, by us."""
        return self._writer.is_closing()

    @property
    def silent_s(self) -> float:
        """For how long nothing has come."""
        return (self._clock.now().mono_ns - self._heard_mono_ns) / 1e9

    async def read(self) -> bytes:
        """Return the next bytes; raise WireLost."""
        try:
            data = await self._reader.read(READ_BYTES_MAX)
        except OSError as error:
            raise WireLost(self._device, _words(error)) from error
        if not data:
            raise WireLost(self._device, "closed by us" if self.closed else "hung up")
        self._heard_mono_ns = self._clock.now().mono_ns
        return data

    async def write(self, data: bytes) -> None:
        """Hand these bytes over whole; raise WriteStalled or WireLost."""
        if self.closed:
            raise WireLost(self._device, "closed by us")
        if self._unsent_bytes + len(data) > WRITE_BYTES_MAX:
            raise WriteStalled(self._device, len(data))
        self._unsent_bytes += len(data)
        try:
            async with asyncio.timeout(WRITE_S_MAX), self._turn:
                self._writer.write(data)
                await self._writer.drain()
        except TimeoutError:
            # What waits here can't be taken back but by hanging up.
            self._writer.transport.abort()
            raise WriteStalled(self._device, len(data), waited_s=WRITE_S_MAX) from None
        except OSError as error:
            raise WireLost(self._device, _words(error)) from error
        finally:
            self._unsent_bytes -= len(data)

    def close(self) -> None:
        """Hang up at once; unsent bytes are thrown away."""
        self._writer.transport.abort()


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
