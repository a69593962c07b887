"""A consumer proves what it has: a real journal, a real mosquitto, and ordinary MQTT clients."""

from __future__ import annotations

import asyncio
import functools
import random
import sqlite3

import aiomqtt
import msgspec
import pytest
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.clock import Clock
from gateway.journal.front import Journal
from gateway.model.inbound import Heard, Report, Ruling, Sighting
from gateway.model.plan import JournalPlan, LinkPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from gateway.mqtt.link import Link

LOOPBACK = "127.0.0.1"
ROOT = "distress/v1/alpha"
ANSWER = f"{ROOT}/answer/rcc"
WAIT_S = 10.0
ROUTINE_ROWS = 4


def on_loop(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(2 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


class Word(msgspec.Struct):
    online: bool


def ruling(number, urgency):
    heard = Heard(station="alpha", port="p", modem="m", mono_ns=number, clock=ClockState.FREE)
    report = Report(
        report_id=f"{number:032x}",
        schema=1,
        system="dsc",
        kind=Kind.STATUS,
        urgency=urgency,
        mode=Mode.REAL,
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=("$CDDSC",),
    )
    return Ruling(Sighting(report=report, content=b"%d" % number))


async def heard(journal):
    """Journal thirty reports: each third is routine, of which the disk keeps the last four."""
    for number in range(1, 31):
        urgency = Urgency.SAFETY if number % 3 else Urgency.ROUTINE
        await journal.append([ruling(number, urgency)])


def bend(path, number):
    """Turn a bit of a row over, as a card that dies does."""
    with sqlite3.connect(path) as db:
        (body,) = db.execute("SELECT body FROM entry WHERE number = ?", (number,)).fetchone()
        bent = bytes([body[0], body[1] ^ 1, *body[2:]])
        db.execute("UPDATE entry SET body = ? WHERE number = ?", (bent, number))
    db.close()


async def request(client, first, last, *, epoch, version, topic=None):
    """Ask as a consumer does, and return the topic, the records' numbers and what closes them."""
    said = {"epoch": epoch, "first": first, "last": last}
    properties = None
    if version == "5" and topic:
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic, properties.CorrelationData = topic, b"\x00known"
    elif topic:
        said["response_topic"] = topic
    asked = msgspec.json.encode(said)
    await client.publish(f"{ROOT}/request/rcc", asked, qos=1, properties=properties)
    numbers = []
    async for told in client.messages:
        assert told.topic.value == (topic or ANSWER)
        known_by = getattr(told.properties, "CorrelationData", None)
        assert known_by == (b"\x00known" if properties else None)
        one = msgspec.json.decode(told.payload)
        if "number_last" in one:
            return numbers, one
        assert one["late"] is True
        numbers.append(one["number"])
    return None


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@on_loop
async def test_a_consumer_gets_what_is_kept_and_is_told_what_is_not(mosquitto, tmp_path, version):
    port, path = mosquitto().port, tmp_path / "journal.db"
    plan = JournalPlan(path=str(path), routine_rows_max=ROUTINE_ROWS)
    journal = await Journal.open(plan, station="alpha", links=("local",), clock=Clock())
    link = Link(
        LinkPlan(
            name="local", host=LOOPBACK, port=port, version=version, client_id="gw", receipts="rcc"
        ),
        station="alpha",
        outbox=journal,
        clock=Clock(),
        log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
        jitter=random.Random(1),
        birth=lambda: Word(online=True),
        will=lambda: Word(online=False),
    )
    await heard(journal)
    bend(path, 8)
    duty = asyncio.create_task(link.run())
    protocol = aiomqtt.ProtocolVersion.V5 if version == "5" else aiomqtt.ProtocolVersion.V311
    try:
        async with aiomqtt.Client(LOOPBACK, port, identifier="rcc", protocol=protocol) as client:
            await client.subscribe(f"{ANSWER}/#", qos=1)
            await until(lambda: all(bus.connected for _, bus in link._buses))
            ask = functools.partial(request, client, epoch=journal.epoch, version=version)
            numbers, closing = await ask(1, 30)
            below, _ = await ask(10, 12, topic=f"{ANSWER}/mine")
    finally:
        duty.cancel()
        await asyncio.gather(duty, return_exceptions=True)
        await journal.close()

    kept = [n for n in range(1, 31) if (n % 3 and n != 8) or n > 30 - 3 * ROUTINE_ROWS]
    assert numbers == kept
    assert closing["damaged"] == [8]
    assert closing["gone"] == [3, 6, 9, 12, 15, 18]
    assert (closing["told"], closing["number_last"]) == (len(kept), 30)
    assert below == [10, 11]


async def until(condition):
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)
