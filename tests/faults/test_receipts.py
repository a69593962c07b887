"""F4, F9 and receipts: a real journal, a real mosquitto, and a consumer of record that signs.

The whole form keeps to the real pauses, and takes its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import random
import time
from collections import defaultdict

import msgspec
import pytest
import structlog

from gateway.clock import Clock
from gateway.journal.front import Journal
from gateway.model.inbound import Heard, Report, Ruling, Sighting
from gateway.model.plan import JournalPlan, LinkPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from gateway.mqtt import link as link_module
from gateway.mqtt import naming, rounds
from gateway.mqtt.bus import Outgoing
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.link import Link
from gateway.mqtt.payload import Record
from tests.faults.conftest import WHOLE

LOOPBACK = "127.0.0.1"
WAIT_S = 20.0
WHOLE_S = 600.0
"""For the whole form of one test."""

RESENT_S_MAX = 30.0
"""By then all that has no receipt has been told again."""
_serial = itertools.count()


def on_loop(test):
    """Run a test on an event loop of its own, and not for ever."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(WHOLE_S if WHOLE else 2 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch, whole):
    """Have the pauses of a minute pass in seconds: it is the order of things that counts here."""
    if whole:
        return
    monkeypatch.setattr(rounds, "RESEND_S", 1.0)
    monkeypatch.setattr(rounds, "RESEND_S_MAX", 4.0)
    monkeypatch.setattr(rounds, "BURST_S", 0.2)
    monkeypatch.setattr(link_module, "BEAT_S", 0.1)
    monkeypatch.setattr(naming, "TAKEOVER_S", 0.2)  # a broker killed time and again looks like one


class Word(msgspec.Struct):
    online: bool


def bus_of(port, lane, **over):
    # Over 3.1.1 mosquitto keeps to its own window; with 5 it takes the subscriber's, a thousand.
    plan = LinkPlan(
        name="local",
        host=LOOPBACK,
        port=port,
        version="3.1.1",
        client_id=f"rcc{next(_serial)}",
    )
    log = structlog.wrap_logger(structlog.testing.CapturingLogger())
    return MqttBus(plan, lane=lane, clock=Clock(), log=log, jitter=random.Random(1), **over)


class Consumer:
    """A consumer of record: it keeps what it reads, then signs for it; copies too."""

    def __init__(self, port):
        self.bus = bus_of(port, "consumer", topics=("distress/v1/alpha/report/#",))
        self.awake = asyncio.Event()
        self.awake.set()
        self.read = []
        self.ids = defaultdict(set)

    async def run(self):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.bus.run())
            group.create_task(self._sign())

    async def _sign(self):
        async for incoming in self.bus.received():
            await self.awake.wait()
            record = msgspec.json.decode(incoming.payload, type=Record)
            self.read.append(record)
            self.ids[record.number].add(record.report.report_id)
            receipt = msgspec.json.encode({"epoch": record.epoch, "numbers": [record.number]})
            with contextlib.suppress(Exception):  # not signed: it will be told again
                await self.bus.publish(
                    Outgoing(topic="distress/v1/alpha/receipt/rcc", payload=receipt, qos=1)
                )


class Station:
    """A journal, and a link that tells what is in it."""

    def __init__(self, journal, port, **plan):
        self.journal = journal
        settings = {"name": "local", "host": LOOPBACK, "client_id": f"gw{next(_serial)}"}
        self.link = Link(
            LinkPlan(port=port, **(settings | {"receipts": "rcc"} | plan)),
            station="alpha",
            outbox=journal,
            clock=Clock(),
            log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
            jitter=random.Random(1),
            birth=lambda: Word(online=True),
            will=lambda: Word(online=False),
        )

    async def hear(self, count):
        """Journal so many maydays in a row and tell of them."""
        for _ in range(count):
            for entry in await self.journal.append([mayday(next(_serial))]):
                self.link.tell(entry)

    def open(self):
        return self.journal.counts().outbox["local"]


def mayday(number):
    heard = Heard(station="alpha", port="p", modem="m", mono_ns=number, clock=ClockState.FREE)
    report = Report(
        report_id=f"{number:032x}",
        schema=1,
        system="dsc",
        kind=Kind.ALERT,
        urgency=Urgency.DISTRESS,
        mode=Mode.REAL,
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=("$CDDSC",),
    )
    return Ruling(Sighting(report=report, content=b"%d" % number))


@contextlib.asynccontextmanager
async def on_watch(folder, port, **plan):
    """Run a station and its consumer of record until the block ends."""
    journal = await Journal.open(
        JournalPlan(path=str(folder / "journal.db")),
        station="alpha",
        links=("local",),
        clock=Clock(),
    )
    station, consumer = Station(journal, port, **plan), Consumer(port)
    tasks = [asyncio.create_task(one.run()) for one in (station.link, consumer)]
    try:
        await until(lambda: station.link.state().receipts_connected and consumer.bus.connected)
        yield station, consumer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await journal.close()


async def until(condition):
    async with asyncio.timeout(WHOLE_S if WHOLE else WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


def one_id_each(consumer):
    return all(len(ids) == 1 for ids in consumer.ids.values())


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@on_loop
async def test_a_receipt_ends_an_entry_and_nothing_else_does(mosquitto, tmp_path, version):
    broker = mosquitto()
    async with on_watch(tmp_path, broker.port, version=version) as (station, consumer):
        consumer.awake.clear()
        await station.hear(20)
        await until(lambda: station.link.state().published == 20)
        assert station.open() == station.link.state().unsigned == 20
        consumer.awake.set()
        await until(lambda: station.open() == 0)

        assert station.link.state().unsigned == station.link.state().receipts_refused == 0
        assert {record.number for record in consumer.read} == set(range(1, 21))
        assert one_id_each(consumer)


@on_loop
async def test_a_broker_killed_after_its_puback_costs_no_distress(
    mosquitto, tmp_path, whole, figure
):
    """F4: the broker has signed for all and forgets all; nobody but the journal knows of them."""
    broker = mosquitto()
    rounds_made, each = (20, 100) if whole else (3, 50)
    lasted_s = []
    async with on_watch(tmp_path, broker.port) as (station, consumer):
        for _ in range(rounds_made):
            consumer.awake.clear()
            consumer.read.clear()
            before = station.link.state().published
            await station.hear(each)
            await until(lambda before=before: station.link.state().published >= before + each)
            broker.kill()
            assert station.open() == each
            broker.start()
            began = time.monotonic()
            consumer.awake.set()
            await until(lambda: station.open() == 0)
            lasted_s.append(time.monotonic() - began)

            assert lasted_s[-1] < RESENT_S_MAX
            assert len({record.number for record in consumer.read}) >= each

        assert set(consumer.ids) == set(range(1, rounds_made * each + 1))
        assert one_id_each(consumer)
    figure(
        "F4",
        f"{rounds_made} times killed with {each} signed for: 0 of {rounds_made * each} lost; all "
        f"told again and receipted {min(lasted_s):.1f} to {max(lasted_s):.1f} s after its return",
    )


@on_loop
async def test_what_a_broker_drops_in_silence_is_found_by_its_missing_receipt(
    mosquitto, tmp_path, whole, figure
):
    """F9: a subscriber reads nothing for a while, and the broker drops what it can't queue."""
    count, queue = (3300, 1000) if whole else (300, 50)
    queued = f"max_queued_messages {queue}"
    broker = mosquitto("allow_anonymous true", queued, "max_inflight_messages 20")
    async with on_watch(tmp_path, broker.port) as (station, consumer):
        consumer.awake.clear()
        await station.hear(count)
        await until(lambda: station.link.state().published == count)
        state = station.link.state()
        assert (state.refused, station.open()) == (0, count)
        began = time.monotonic()
        consumer.awake.set()
        await until(lambda: station.open() == 0)
        lasted_s = time.monotonic() - began

        assert set(consumer.ids) == set(range(1, count + 1))
        assert one_id_each(consumer)
        dropped = count - queue - 20
        assert station.link.state().resent >= dropped
        assert all(record.late for record in consumer.read if record.number > queue + 50)
    figure(
        "F9",
        f"{count} unread, {dropped} or more of them dropped by the broker: 0 lost; all receipted "
        f"{lasted_s:.0f} s after the subscriber's return",
    )


@on_loop
async def test_what_was_unsigned_when_the_gateway_ended_is_told_again_by_the_next(
    mosquitto, tmp_path
):
    broker = mosquitto()
    async with on_watch(tmp_path, broker.port) as (station, consumer):
        consumer.awake.clear()
        await station.hear(30)
        await until(lambda: station.link.state().published == 30)

    async with on_watch(tmp_path, broker.port) as (station, consumer):
        await until(lambda: station.open() == 0)

        assert {record.number for record in consumer.read} == set(range(1, 31))
        assert all(record.late for record in consumer.read)
