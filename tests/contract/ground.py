"""What a clause of the contract stands on: a broker, the line to it, and buses of one make."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from itertools import count
from pathlib import Path
from typing import NamedTuple, Protocol

import structlog

from gateway.clock import Clock
from gateway.model.plan import LinkPlan
from gateway.mqtt import carrier, client, naming
from gateway.mqtt.bus import Bus, Outgoing
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.subscriber import subscribe
from tests.contract.proxy import LOOPBACK, Proxy, proxied

WAIT_S = 8.0
LEAVE_S_MAX = 3.0
"""For a bus that is cancelled to end, however it leaves."""
_serial = (f"{os.getpid()}-{number}" for number in count(1))
"""Names that nobody has had: brokers live longer than tests, and are shared by programs."""


class Limits(NamedTuple):
    """How long what is promised may take."""

    lost_s: float = 1.0
    """Until everybody who waits knows of a lost link."""
    found_s: float = 10.0
    """Until a line that has fallen silent is found out; and until the next attempt."""
    unsigned_s: float = 16.0
    """Until a broker that answers and signs for nothing is left."""
    leave_s: float = 2.0
    """Until a bus that is cancelled has left."""


HASTE = Limits(lost_s=1.0, found_s=1.4, unsigned_s=2.0, leave_s=1.0)
"""Ten times as fast, and something for a busy machine; lost_s is no pause of anybody's."""


class Make(Protocol):
    """What makes buses of one make; none is running yet."""

    def __call__(  # what a bus has to be told
        self,
        port: int,
        version: str,
        *,
        client_id: str,
        will: Callable[[], Outgoing] | None = None,
        topics: Sequence[str] = (),
        dice: int = 1,
    ) -> Bus:
        """Return a bus."""


def ours(  # see Make
    port: int,
    version: str,
    *,
    client_id: str,
    will: Callable[[], Outgoing] | None = None,
    topics: Sequence[str] = (),
    dice: int = 1,
) -> MqttBus:
    """Return the bus that is in service."""
    return MqttBus(
        LinkPlan(name="local", host=LOOPBACK, port=port, version=version, client_id=client_id),
        lane="lane",
        clock=Clock(),
        log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
        jitter=random.Random(dice),
        will=will,
        topics=topics,
    )


def in_haste(monkeypatch) -> None:
    """Have every pause of the bus in service pass ten times as fast."""
    for module, limits in (
        (client, ("CANARY_S", "PUBACK_S_MAX", "CONNECT_S_MAX")),
        (carrier, ("RETRY_S_MIN", "RETRY_S_MAX", "STEADY_S")),
    ):
        for limit in limits:
            monkeypatch.setattr(module, limit, getattr(module, limit) / 10)
    # Cuts look like takeovers; how those are found out is no part of the contract.
    monkeypatch.setattr(naming, "TAKEOVER_S", 0.05)
    for module in (client, carrier):
        monkeypatch.setattr(module, "GOODBYE_S_MAX", 0.2)


class Ground:
    """A broker, a line to it that can be broken, and buses over it."""

    def __init__(
        self, make: Make, *, broker: int, version: str, proxy: Proxy, limits: Limits
    ) -> None:
        self._make = make
        self.broker = broker
        self.version = version
        self.proxy = proxy
        self.limits = limits
        self.topic = f"contract/{next(_serial)}"
        self._tasks: list[asyncio.Task] = []

    def bus(self, *, port: int | None = None, **over) -> Bus:
        """Return a bus over the line; over another one where a port is given."""
        client_id = f"bus{next(_serial)}"
        return self._make(port or self.proxy.port, self.version, client_id=client_id, **over)

    def word(self, payload: bytes = b"x", **over) -> Outgoing:
        """Return a publication on this clause's own topic."""
        return Outgoing(**({"topic": self.topic, "payload": payload, "qos": 1} | over))

    @contextlib.asynccontextmanager
    async def running(self, *buses: Bus, connected: bool = True) -> AsyncIterator[list]:
        """Run buses for as long as the context lasts; none may end by itself."""
        tasks = [asyncio.create_task(bus.run()) for bus in buses]
        try:
            if connected:
                async with asyncio.timeout(WAIT_S):
                    for bus in buses:
                        await bus.wait_connected()
            yield tasks
            assert not any(task.done() for task in tasks), "a bus ended by itself"
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                _, going_on = await asyncio.wait(tasks, timeout=LEAVE_S_MAX)
                for task in going_on:
                    task.cancel()
                assert not going_on, "a bus that was cancelled goes on"

    @contextlib.asynccontextmanager
    async def listening(self, *topics: str) -> AsyncIterator[list[tuple[str, bytes, bool]]]:
        """Subscribe at the broker itself; give what is told, once the subscription holds."""
        told: list[tuple[str, bytes, bool]] = []
        probe, probed = f"contract/probe/{next(_serial)}", asyncio.Event()

        async def listen() -> None:
            topics_asked = [*(topics or [self.topic]), probe]
            found = subscribe(LOOPBACK, self.broker, topics_asked, version=self.version)
            async for topic, payload, retained in found:
                if topic == probe:
                    probed.set()
                else:
                    told.append((topic, payload, retained))

        listener = self.task(listen())
        async with self.telling() as prober:
            while not probed.is_set():
                assert not listener.done(), listener.exception()
                await prober.publish(Outgoing(topic=probe, payload=b"?", qos=1))
                await asyncio.sleep(0.01)
        try:
            yield told
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def telling(self) -> AsyncIterator[MqttBus]:
        """Give a bus straight to the broker, for what others tell."""
        teller = ours(self.broker, self.version, client_id=f"teller{next(_serial)}")
        async with self.running(teller):
            yield teller

    def task(self, duty: Coroutine) -> asyncio.Task:
        """Do something beside the clause, until it ends."""
        self._tasks.append(asyncio.create_task(duty))
        return self._tasks[-1]

    async def fate(self, duty: Awaitable, *, limit_s: float) -> BaseException | object:
        """Return what something comes to; it may take so long."""
        async with asyncio.timeout(limit_s):
            return (await asyncio.gather(duty, return_exceptions=True))[0]

    async def until(self, condition: Callable[[], object], *, limit_s: float = WAIT_S) -> None:
        """Wait until a condition holds; fail when it doesn't."""
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.004)

    async def close(self) -> None:
        """End what still runs beside the clause."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


Clause = Callable[[Ground], Awaitable[None]]


AT_ONCE = 9
"""Clauses tried beside each other: they wait, most of the time."""


class Tried(NamedTuple):
    """What became of some clauses."""

    fates: dict[str, BaseException | None]
    """None for one that is kept."""
    left: list[str]
    """Faults of tasks that nobody has looked at."""


def tried(
    clauses: Mapping[str, Clause], make: Make, *, broker: int, version: str, alone: Iterable[str]
) -> Tried:
    """Hold a make of buses to these clauses, in haste; some of them one after the other."""
    fates: dict[str, BaseException | None] = {}
    left: list[str] = []

    async def one(name: str, turn: asyncio.Semaphore) -> None:
        async with turn:
            try:
                async with asyncio.timeout(4 * WAIT_S):
                    await stand(clauses[name], make, broker=broker, version=version, limits=HASTE)
            except Exception as error:  # noqa: BLE001  # whatever it is, the clause is not kept
                fates[name] = error
            else:
                fates[name] = None

    async def play() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: left.append(str(context)))
        turn = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for name in clauses.keys() - alone:
                group.create_task(one(name, turn))
        for name in clauses.keys() & alone:
            await one(name, turn)
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(play())
    return Tried({name: fates[name] for name in clauses}, left)


async def stand(clause: Clause, make: Make, *, broker: int, version: str, limits: Limits) -> None:
    """Hold a make of buses to one clause."""
    async with proxied(broker) as proxy:
        ground = Ground(make, broker=broker, version=version, proxy=proxy, limits=limits)
        try:
            await clause(ground)
        finally:
            await ground.close()


def memory_bytes() -> int:
    """Return what this program holds of the machine's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def files_open() -> int:
    """Return how many files and sockets this program holds open now."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
