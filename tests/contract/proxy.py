"""A line to a broker that a test may cut, bend and silence while MQTT runs over it.

It tells the packets apart both ways, keeps what it has seen, and takes its orders at run time. It
knows no MQTT library: what it reads and writes are the bytes of the standard.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from enum import Enum, IntEnum
from itertools import count
from typing import NamedTuple

LOOPBACK = "127.0.0.1"
READ_BYTES = 65_536

QUEUED_MAX = 256
"""Pieces on their way in one direction; with more of them the line takes nothing in."""


class Way(Enum):
    """Which way a packet goes."""

    UP = "to the broker"
    DOWN = "to the client"


class Kind(IntEnum):
    """The kinds of packet (MQTT 5, section 2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Packet(NamedTuple):
    """One packet of MQTT, with its header."""

    raw: bytes
    body_at: int

    @property
    def kind(self) -> Kind | int:
        """What it is; a number that no kind has is itself."""
        number = self.raw[0] >> 4
        return Kind(number) if number else number

    @property
    def body(self) -> bytes:
        """What follows the header."""
        return self.raw[self.body_at :]

    @property
    def qos(self) -> int:
        """The quality of service of a PUBLISH."""
        return self.raw[0] >> 1 & 3

    @property
    def topic(self) -> str:
        """The topic of a PUBLISH."""
        length = int.from_bytes(self.body[:2], "big")
        return self.body[2 : 2 + length].decode()

    @property
    def mid(self) -> int:
        """The packet identifier: of a PUBLISH with QoS 1 behind its topic, of others first."""
        at = 2 + int.from_bytes(self.body[:2], "big") if self.kind is Kind.PUBLISH else 0
        return int.from_bytes(self.body[at : at + 2], "big")

    @property
    def client_id(self) -> str:
        """The name in a CONNECT, of MQTT 5 or 3.1.1."""
        five = self.body[6] == 5
        at = 10 + (1 + self.body[10] if five else 0)
        length = int.from_bytes(self.body[at : at + 2], "big")
        return self.body[at + 2 : at + 2 + length].decode()

    @property
    def starts_clean(self) -> bool:
        """Whether a CONNECT asks for no session of before (MQTT 5, section 3.1.2.4)."""
        return bool(self.body[7] & 2)


def packet(head: int, body: bytes) -> bytes:
    """Return a packet of MQTT: its first byte, its length, its body."""
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((head,)) + bytes(digits) + body


def split(buffer: bytearray) -> Iterator[Packet]:
    """Take the packets that are whole off the front of what has been read."""
    while len(buffer) >= 2:
        length = shift = 0
        for at in range(1, min(len(buffer), 5)):
            length |= (buffer[at] & 0x7F) << shift
            shift += 7
            if buffer[at] < 0x80:
                break
        else:
            return
        end = at + 1 + length
        if len(buffer) < end:
            return
        found = Packet(bytes(buffer[:end]), at + 1)
        del buffer[:end]
        yield found


class Session:
    """One client's connection, and the proxy's own to the broker for it."""

    def __init__(self, proxy: Proxy, number: int, client: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.number = number
        self.client_id: str | None = None
        self.seen: dict[Way, list[Packet]] = {way: [] for way in Way}
        """What came, before any rule."""
        self.passed: dict[Way, list[Packet]] = {way: [] for way in Way}
        """What was let through as it was."""
        self.unsigned: set[int] = set()
        self.unsigned_most = 0
        """The most publications with QoS 1 that were ever up and not signed for."""
        self.silent: set[Way] = set()
        self.closed = asyncio.Event()
        """The client has closed its end, or we have."""
        self._ended = asyncio.Event()
        self._client = client
        self._ends = {Way.DOWN: client}
        self._out = {way: asyncio.Queue() for way in Way}
        self._flowing = {way: asyncio.Event() for way in Way}
        for way in Way:
            self._flowing[way].set()

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Carry both ways until either end has closed."""
        try:
            upstream, self._ends[Way.UP] = await asyncio.open_connection(LOOPBACK, self.proxy.to)
        except OSError:
            self.reset()
            return
        duties = [
            asyncio.create_task(duty)
            for duty in (
                self._take(Way.UP, reader),
                self._take(Way.DOWN, upstream),
                self._give(Way.UP),
                self._give(Way.DOWN),
                self._ended.wait(),
            )
        ]
        try:
            await asyncio.wait(duties, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for duty in duties:
                duty.cancel()
            await asyncio.gather(*duties, return_exceptions=True)
            self.cut()

    def send(self, way: Way, raw: bytes) -> None:
        """Put bytes on the line, behind what is on its way already."""
        due = asyncio.get_running_loop().time() + self.proxy.delay_s[way]
        self._out[way].put_nowait((due, raw))

    def last(self, raw: bytes) -> None:
        """Tell the client these last bytes and the end of the connection, in one segment."""
        sock = self._client.get_extra_info("socket")
        if sock.fileno() >= 0:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            self._client.write(raw)
        self.cut()

    def cut(self) -> None:
        """End the connection in order, at both ends (FIN)."""
        self._end()
        for end in self._ends.values():
            end.close()

    def reset(self) -> None:
        """End the connection at both ends as a router does that has forgotten it (RST)."""
        self._end()
        for end in self._ends.values():
            sock = end.get_extra_info("socket")
            if sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()

    def stall(self, way: Way) -> None:
        """Read nothing more that goes this way: what stands behind it fills the sockets."""
        self._flowing[way].clear()

    def flow(self) -> None:
        """Read again."""
        for flowing in self._flowing.values():
            flowing.set()

    def _end(self) -> None:
        self.closed.set()
        self._ended.set()

    async def _take(self, way: Way, reader: asyncio.StreamReader) -> None:
        """Read what goes one way, packet by packet."""
        buffer = bytearray()
        with contextlib.suppress(OSError):
            while True:
                await self._flowing[way].wait()
                chunk = await reader.read(READ_BYTES)
                await self._flowing[way].wait()
                if not chunk:
                    break
                buffer += chunk
                for found in split(buffer):
                    self._see(way, found)
                if self._out[way].qsize() > QUEUED_MAX:
                    await self._out[way].join()
        if way is Way.UP:
            self.closed.set()
        if way in self.silent:  # the other end must not learn of it
            await asyncio.Event().wait()
        await self._out[way].join()

    def _see(self, way: Way, found: Packet) -> None:
        if found.kind is Kind.CONNECT:
            self.client_id = found.client_id
        self.seen[way].append(found)
        if way in self.silent:
            return
        if way is Way.UP and found.kind is Kind.PUBLISH and found.qos:
            self.unsigned.add(found.mid)
            self.unsigned_most = max(self.unsigned_most, len(self.unsigned))
        out = self.proxy.ruled(self, way, found)
        if way is Way.DOWN and found.kind is Kind.PUBACK and out:
            self.unsigned.discard(found.mid)
        if out == found.raw:
            self.passed[way].append(found)
        if out:
            self.send(way, out)

    async def _give(self, way: Way) -> None:
        """Write what goes one way when its time has come."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                due, raw = await self._out[way].get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                self._ends[way].write(raw)
                await self._ends[way].drain()
                self._out[way].task_done()


Act = Callable[[Session, Packet], bytes | None]
"""What becomes of a packet: the bytes to pass on in its place, or None."""


class Rule:
    """What is done to packets of one kind that go one way."""

    def __init__(self, way: Way, kind: Kind, act: Act, *, times: int | None) -> None:
        self.way = way
        self.kind = kind
        self.act = act
        self.left = times
        self.met = 0

    def apply(self, session: Session, found: Packet) -> bytes | None:
        """Return what is to be passed on; what isn't concerned passes as it is."""
        if found.kind is not self.kind or self.left == 0:
            return found.raw
        self.met += 1
        if self.left is not None:
            self.left -= 1
        return self.act(session, found)


class Proxy:
    """A port of ours in front of a broker's."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.sessions: list[Session] = []
        self.knocks: list[float] = []
        """When somebody came, on the clock of the loop."""
        self.turning_away = False
        """Whoever comes is let in and reset at once."""
        self.delay_s = dict.fromkeys(Way, 0.0)
        self._rules: list[Rule] = []
        self._held: defaultdict[Rule, list[tuple[Session, bytes]]] = defaultdict(list)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = count(1)

    # -- orders about all that is said -------------------------------------------------------------

    def on(self, way: Way, kind: Kind, act: Act, *, times: int | None = None) -> Rule:
        """Do something to each packet of a kind, or to the first few, until it is lifted."""
        rule = Rule(way, kind, act, times=times)
        self._rules.append(rule)
        return rule

    def lift(self, *rules: Rule) -> None:
        """Let what these rules concern pass again."""
        for rule in rules:
            self._rules.remove(rule)

    def swallow(self, way: Way, kind: Kind, *, times: int | None = None) -> Rule:
        """Let packets of a kind vanish."""
        return self.on(way, kind, lambda _session, _packet: None, times=times)

    def hold(self, way: Way, kind: Kind) -> Rule:
        """Keep packets of a kind back until `release`."""
        rule = self.on(way, kind, lambda session, found: self._keep(rule, session, found))
        return rule

    def release(self, rule: Rule) -> None:
        """Pass on what was held back, and hold nothing more."""
        self.lift(rule)
        for session, raw in self._held.pop(rule, []):
            if session.unsigned and rule.kind is Kind.PUBACK:
                session.unsigned.discard(int.from_bytes(raw[2:4], "big"))
            session.send(rule.way, raw)

    def replace(self, way: Way, kind: Kind, raw: bytes, *, times: int | None = None) -> Rule:
        """Pass these bytes on in place of each packet of a kind."""
        return self.on(way, kind, lambda _session, _packet: raw, times=times)

    def sign_with(self, code: int) -> Rule:
        """Turn each PUBACK into one with this reason code (MQTT 5, section 3.4.2.1)."""
        return self.on(
            Way.DOWN,
            Kind.PUBACK,
            lambda _session, found: packet(0x40, found.mid.to_bytes(2, "big") + bytes((code,))),
        )

    def twice(self, way: Way, *, times: int | None = None) -> Rule:
        """Say each PUBLISH with QoS 1 twice, the second time marked as a duplicate."""

        def act(_session: Session, found: Packet) -> bytes:
            return found.raw + bytes((found.raw[0] | 0x08,)) + found.raw[1:]

        return self.on(way, Kind.PUBLISH, act, times=times)

    def truncate(self, way: Way, kind: Kind, *, keep: int) -> Rule:
        """Pass on the first bytes of the next packet of a kind, and cut there."""

        def act(session: Session, found: Packet) -> None:
            if way is Way.DOWN:
                session.last(found.raw[:keep])
            else:
                session._ends[Way.UP].write(found.raw[:keep])
                session.cut()

        return self.on(way, kind, act, times=1)

    def hang_up_with(self, kind: Kind, *, more: bytes = b"", times: int | None = None) -> Rule:
        """Let packets of a kind be the last: they, more bytes and the end in one segment."""
        return self.on(
            Way.DOWN, kind, lambda session, found: session.last(found.raw + more), times=times
        )

    def hang_up_after(self, publications: int) -> Rule:
        """Cut when so many publications have come up; the last of them doesn't reach the broker."""
        left = count(publications - 1, -1)

        def act(session: Session, found: Packet) -> bytes | None:
            if next(left) != 0:
                return found.raw
            session.cut()
            return None

        return self.on(Way.UP, Kind.PUBLISH, act)

    # -- orders about the connections that stand ---------------------------------------------------

    @property
    def open(self) -> list[Session]:
        """The connections that stand, the oldest first."""
        return [session for session in self.sessions if not session.closed.is_set()]

    def cut(self) -> None:
        """End all that stand in order (FIN)."""
        for session in self.open:
            session.cut()

    def reset(self) -> None:
        """End all that stand without a word (RST)."""
        for session in self.open:
            session.reset()

    def half_open(self, *ways: Way) -> None:
        """Swallow all that goes these ways on what stands, and let nobody notice."""
        for session in self.open:
            session.silent.update(ways or Way)

    def stall(self, way: Way) -> None:
        """Stop reading what goes this way on what stands."""
        for session in self.open:
            session.stall(way)

    def flow(self) -> None:
        """Go on reading."""
        for session in self.open:
            session.flow()

    # -- orders about whoever comes next -----------------------------------------------------------

    async def accept(self) -> None:
        """Listen; after `refuse` on the same port as before."""
        listening = socket.socket()
        # As small as they get: what stands in a socket is neither here nor there.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, self.port))
        self._server = await asyncio.start_server(self._serve, sock=listening)
        self.port = listening.getsockname()[1]

    def refuse(self) -> None:
        """Have the kernel refuse whoever comes; what stands goes on."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """End everything."""
        self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in self.sessions:
            session.reset()  # also what waits for a peer that reads nothing
        await asyncio.sleep(0)

    # -- what was seen -----------------------------------------------------------------------------

    def seen(self, way: Way, kind: Kind) -> list[Packet]:
        """Return all packets of a kind that came this way, on whichever connection."""
        return [
            found for session in self.sessions for found in session.seen[way] if found.kind is kind
        ]

    def ruled(self, session: Session, way: Way, found: Packet) -> bytes | None:
        """Return what the rules leave of a packet."""
        for rule in self._rules:
            if rule.way is way:
                out = rule.apply(session, found)
                if out != found.raw:
                    return out
        return found.raw

    def _keep(self, rule: Rule, session: Session, found: Packet) -> None:
        self._held[rule].append((session, found.raw))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.knocks.append(asyncio.get_running_loop().time())
        session = Session(self, next(self._numbers), writer)
        if self.turning_away:
            session.reset()
            return
        self.sessions.append(session)
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await session.run(reader)
        except asyncio.CancelledError:
            pass  # from close(); asyncio would have this task's end logged otherwise
        finally:
            self._tasks.discard(task)


@contextlib.asynccontextmanager
async def proxied(to: int):
    """Run a line to a broker's port for as long as the context lasts."""
    proxy = Proxy(to)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.close()
