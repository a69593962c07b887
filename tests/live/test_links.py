"""Several brokers, each served on its own: what one can't take costs no other a thing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import time

import aiomqtt
import msgspec
import structlog

from gateway.clock import Clock
from gateway.journal.front import Journal
from gateway.model.inbound import Heard, Report, Ruling, Sighting
from gateway.model.plan import JournalPlan, LinkPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from gateway.mqtt.bus import Outgoing
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.link import Link
from gateway.mqtt.payload import Record
from gateway.mqtt.subscriber import subscribe

LOOPBACK = "127.0.0.1"
REPORTS = "distress/v1/alpha/report/#"
WAIT_S = 15.0

PLANS = {
    "local": {"version": "3.1.1", "payload": "json"},
    "shore": {"version": "5", "payload": "msgpack"},
    "signed": {"version": "5", "payload": "json", "receipts": "rcc"},
    "frozen": {"version": "5", "payload": "json", "keepalive_s": 5},
    "away": {"version": "5", "payload": "json"},
    "denied": {"version": "5", "payload": "msgpack"},
}
HEALTHY = ("local", "shore")


def on_loop(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(3 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


class Word(msgspec.Struct):
    online: bool


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


class Station:
    """One journal, and a link to each broker of PLANS."""

    def __init__(self, journal, ports):
        self.journal = journal
        self.links = {name: self._link(name, port) for name, port in ports.items()}
        self.told = {name: [] for name in ports}

    def _link(self, name, port):
        plan = {"name": name, "host": LOOPBACK, "port": port, "client_id": f"gw-{name}"}
        return Link(
            LinkPlan(**plan, **PLANS[name]),
            station="alpha",
            outbox=self.journal,
            clock=Clock(),
            log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
            jitter=random.Random(1),
            birth=lambda: Word(online=True),
            will=lambda: Word(online=False),
        )

    async def listen(self, name, port):
        decode = msgspec.msgpack if PLANS[name]["payload"] == "msgpack" else msgspec.json
        while True:
            with contextlib.suppress(Exception):  # it is away; it may come back
                async for _, payload, _ in subscribe(LOOPBACK, port, [REPORTS]):
                    self.told[name].append(decode.decode(payload, type=Record).number)
            await asyncio.sleep(0.05)

    async def hear(self, numbers):
        for number in numbers:
            for entry in await self.journal.append([mayday(number)]):
                for link in self.links.values():
                    link.tell(entry)

    def owed(self, name):
        return self.journal.counts().outbox[name]


@contextlib.asynccontextmanager
async def on_watch(folder, ports):
    journal = await Journal.open(
        JournalPlan(path=str(folder / "journal.db")),
        station="alpha",
        links=tuple(ports),
        clock=Clock(),
    )
    station = Station(journal, ports)
    duties = [link.run() for link in station.links.values()]
    duties += [station.listen(name, port) for name, port in ports.items()]
    tasks = [asyncio.create_task(duty) for duty in duties]
    try:
        yield station
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await journal.close()


async def sign(port, epoch, last):
    """Have the consumer of record sign for all up to a number."""
    plan = LinkPlan(name="rcc", host=LOOPBACK, port=port, client_id="rcc")
    log = structlog.wrap_logger(structlog.testing.CapturingLogger())
    bus = MqttBus(plan, lane="consumer", clock=Clock(), log=log, jitter=random.Random(2))
    task = asyncio.create_task(bus.run())
    await bus.wait_connected()
    receipt = msgspec.json.encode({"epoch": epoch, "numbers": [[1, last]]})
    await bus.publish(Outgoing(topic="distress/v1/alpha/receipt/rcc", payload=receipt, qos=1))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(condition):
    began = time.monotonic()
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)
    return time.monotonic() - began


@on_loop
async def test_each_link_is_served_in_its_own_way_and_none_waits_for_another(mosquitto, tmp_path):
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite distress/v1/alpha/status\ntopic read distress/#\n")
    brokers = {name: mosquitto() for name in ("local", "shore", "signed", "frozen", "away")}
    brokers["denied"] = mosquitto("allow_anonymous true", f"acl_file {acl}")
    ports = {name: broker.port for name, broker in brokers.items()}
    brokers["away"].kill()
    async with on_watch(tmp_path, ports) as station:
        await until(
            lambda: all(
                station.links[name].state().distress_connected for name in ports if name != "away"
            )
        )
        await until(lambda: station.links["signed"].state().receipts_connected)
        await listening(station, brokers)
        brokers["frozen"].freeze()
        await station.hear(range(1, 101))
        lasted_s = await until(lambda: all(station.owed(name) == 0 for name in HEALTHY))

        # The ones have all of it, each in its own words; the others still owe it, each for itself.
        for name in (*HEALTHY, "signed"):
            await until(lambda name=name: len(set(station.told[name])) == 100)
            assert station.told[name] == list(range(1, 101))
        assert lasted_s < 2.0
        for name in ("signed", "frozen", "away", "denied"):
            assert station.owed(name) == 100, name
        assert station.links["denied"].state().refused

        # What ends the one ends no other.
        await sign(ports["signed"], station.journal.epoch, 100)
        await until(lambda: station.owed("signed") == 0)
        assert station.owed("away") == station.owed("denied") == 100

        # Who comes back gets all of it, and what came meanwhile, and nobody else is told twice.
        brokers["frozen"].thaw()
        brokers["away"].start()
        await station.hear(range(101, 151))
        await until(lambda: station.owed("frozen") == station.owed("away") == 0)
        await until(lambda: station.owed("local") == station.owed("shore") == 0)
        for name in HEALTHY:
            await until(lambda name=name: station.told[name] == list(range(1, 151)))
        assert station.owed("denied") == 150


async def listening(station, brokers):
    """Return once each listener hears: what is published before that is lost on it."""
    for name in ("local", "shore", "signed"):
        async with aiomqtt.Client(LOOPBACK, brokers[name].port) as client:
            while 0 not in station.told[name]:
                probe = probe_of(station, name)
                await client.publish("distress/v1/alpha/report/distress/probe", probe)
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
        station.told[name].clear()


def probe_of(station, name):
    """Return a record with the number 0, which no journal gives, in the words of this link."""
    form = msgspec.msgpack if PLANS[name]["payload"] == "msgpack" else msgspec.json
    item = mayday(0)
    return form.encode(
        {
            "station": "alpha",
            "epoch": station.journal.epoch,
            "number": 0,
            "journaled": False,
            "times": {"journaled_utc": None, "published_utc": None},
            "late": False,
            "relation": "first",
            "report": msgspec.to_builtins(item.sighting.report),
        }
    )
