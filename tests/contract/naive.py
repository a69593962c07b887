"""A bus that uses the library as its documentation shows, and nothing else.

It is no part of the product. It is kept to show that the contract says something: whoever writes
what looks right breaks most of it.

    python -m tests.contract.naive 1883 5     what comes of each clause on this broker
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from multiprocessing import get_context

import aiomqtt

from gateway.mqtt.bus import Incoming, LinkLost, Outgoing
from tests.contract.clauses import CLAUSES, FIVE_ONLY
from tests.contract.ground import tried
from tests.contract.proxy import LOOPBACK

# The contract is tried ten times as fast; the library's defaults are 10 s and 60 s, and the pause
# in its documentation is 5 s.
TIMEOUT_S = 2.0
KEEPALIVE_S = 6
INTERVAL_S = 0.5

_NAME = "naive"


class NaiveBus:
    """A loop of: connect, subscribe, read; after an error wait, and connect again."""

    def __init__(  # see Make
        self,
        port: int,
        version: str,
        *,
        client_id: str,
        will: Callable[[], Outgoing] | None = None,
        topics: Sequence[str] = (),
        dice: int = 1,  # noqa: ARG002  # the documentation throws none
    ) -> None:
        protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
        last = will() if will else None
        self._settings = {
            "hostname": LOOPBACK,
            "port": port,
            "protocol": protocol,
            "identifier": client_id,
            "will": last and aiomqtt.Will(last.topic, last.payload, last.qos, last.retain),
            "timeout": TIMEOUT_S,
            "keepalive": KEEPALIVE_S,
        }
        self._topics = topics
        self._client: aiomqtt.Client | None = None
        self._up = asyncio.Event()
        self._told: asyncio.Queue[Incoming] = asyncio.Queue()
        self._offers: set[asyncio.Task[None]] = set()
        self.connects = 0
        self.taken = 0
        self.overflowed = 0
        self.retains = True
        self.disputed: str | None = None
        self.last_error: str | None = None

    @property
    def connected(self) -> bool:
        return self._client is not None

    async def run(self) -> None:
        client = aiomqtt.Client(**self._settings)
        while True:
            try:
                async with client:
                    for topic in self._topics:
                        await client.subscribe(topic, qos=1)
                    self._client = client
                    self.connects += 1
                    self.taken = 0
                    self._up.set()
                    async for told in client.messages:
                        self._told.put_nowait(
                            Incoming(
                                topic=str(told.topic),
                                payload=told.payload,
                                qos=told.qos,
                                retained=told.retain,
                                mid=told.mid,
                            )
                        )
            except aiomqtt.MqttError as error:
                self.last_error = str(error)
            finally:
                self._client = None
                self._up.clear()
            await asyncio.sleep(INTERVAL_S)

    async def publish(self, outgoing: Outgoing) -> None:
        if self._client is None:
            raise LinkLost(_NAME, self.last_error or "not connected")
        try:
            await self._client.publish(
                outgoing.topic, outgoing.payload, outgoing.qos, outgoing.retain
            )
        except aiomqtt.MqttError as error:
            raise LinkLost(_NAME, str(error)) from error
        self.taken += 1

    def offer(self, outgoing: Outgoing) -> bool:
        if self._client is None:
            return False
        task = asyncio.create_task(self.publish(outgoing))
        self._offers.add(task)
        task.add_done_callback(self._offers.discard)
        return True

    async def received(self) -> AsyncIterator[Incoming]:
        while True:
            yield await self._told.get()

    async def wait_connected(self) -> None:
        await self._up.wait()

    async def wait_reconnected(self, since: int) -> int:
        while self._client is None or self.connects <= since:
            await asyncio.sleep(0.01)
        return self.connects


BESIDE_MAX = 8
"""Clauses tried at once, each in a program of its own: what is left of one, a reader that watches
the socket of somebody else, would break the next."""


def main(port: str, version: str) -> None:
    """Print what came of each clause: None for one that is kept; and what faults were left."""
    logging.disable()
    wanted = [name for name in CLAUSES if version == "5" or name not in FIVE_ONLY]
    hold = partial(_hold, int(port), version)
    with get_context("fork").Pool(BESIDE_MAX, maxtasksperchild=1) as programs:
        found = programs.map(hold, wanted, chunksize=1)
    json.dump(dict(zip(wanted, found, strict=True)), sys.stdout)


def _hold(port: int, version: str, name: str) -> tuple[str | None, list[str]]:
    found = tried({name: CLAUSES[name]}, NaiveBus, broker=port, version=version, alone=())
    fate = found.fates[name]
    return fate and repr(fate), found.left[:3]


if __name__ == "__main__":
    main(*sys.argv[1:])
