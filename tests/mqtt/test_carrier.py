"""The connection that is made again whenever it ends, over a wire of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import random

import structlog

from gateway.clock import Clock
from gateway.model.plan import LinkPlan
from gateway.mqtt.bus import LinkLost, Outgoing
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.exports import Exports
from gateway.mqtt.states import States
from gateway.mqtt.topics import Topics
from gateway.mqtt.troubles import Troubles

PLAN = LinkPlan(name="local", host="127.0.0.1", port=1, client_id="gw")


class Wire:
    """A connection that signs for nothing, and ends when the test says so."""

    def __init__(self, _plan, **_doors):
        self.lost = None
        self.asked_in_vain = 0
        self.parting = None
        self.overflowed = 0
        self.retains = True
        self.gone = asyncio.Event()
        self.signed = asyncio.get_running_loop().create_future()

    async def open(self):
        pass

    async def subscribe_all(self, _topics):
        pass

    async def publish_signed(self, _outgoing):
        if self.lost:
            self.asked_in_vain += 1
            assert self.asked_in_vain < 9, "round in circles"
            raise self._broken()
        await self.signed

    async def wait_lost(self):
        await self.gone.wait()
        return self.lost

    async def close(self):
        pass

    def end(self):
        """Break off as the one in service does: first who waits for a signature hears of it."""
        self.lost = "cut"
        self.signed.set_exception(self._broken())
        self.gone.set()

    def _broken(self):
        return LinkLost("local", self.lost)


def test_whoever_tells_again_as_soon_as_the_link_is_up_does_not_stop_the_world():
    """A state under way when the line is cut waits for the next connection, and so may all others.

    It asked for the link that had just ended, was told that it stood, and so on, without ever
    letting anybody else have a turn.
    """
    made, told = [], []

    def birth():
        told.append(len(made))
        return Outgoing(topic="status", payload=b"{}", qos=1)

    def wire(plan, **doors):
        made.append(Wire(plan, **doors))
        return made[-1]

    async def story():
        log = structlog.wrap_logger(structlog.testing.CapturingLogger())
        bus = MqttBus(
            PLAN, lane="distress", clock=Clock(), log=log, jitter=random.Random(1), wire=wire
        )
        states = States(
            bus,
            birth=birth,
            troubles=Troubles(Topics("alpha").incident),
            exports=Exports(Topics("alpha"), (), log=log),
            write=lambda _entry: None,
            clock=Clock(),
            log=log,
        )
        running = [asyncio.create_task(duty) for duty in (bus.run(), states.run(), states.watch())]
        await asyncio.sleep(0.01)
        made[0].end()
        async with asyncio.timeout(3):
            while len(told) < 2:
                await asyncio.sleep(0.01)
        for task in running:
            task.cancel()
        await asyncio.wait(running)

    asyncio.run(story())

    assert told == [1, 2]


def test_whoever_is_told_to_end_just_as_a_broker_grants_what_was_asked_ends():
    """Before Python 3.12 the library's wait loses one of the two, and it was the wish to end."""

    class Deaf(Wire):
        async def subscribe_all(self, _topics):
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    async def story():
        nonlocal running
        log = structlog.wrap_logger(structlog.testing.CapturingLogger())
        bus = MqttBus(
            PLAN, lane="receipts", clock=Clock(), log=log, jitter=random.Random(1), wire=Deaf
        )
        running = asyncio.create_task(bus.run())
        await asyncio.wait({running}, timeout=3)
        ended = running.cancelled()
        running.cancel()
        return ended, bus.connects

    running = None

    assert asyncio.run(story()) == (True, 0)
