"""A station that is bound by an agreement: what its rules say is told, kept, and known again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tty
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiomqtt
import msgspec

from gateway.app import Service
from gateway.clock import Clock
from gateway.journal.front import Journal
from gateway.log import set_up
from gateway.model.asked import Stated
from gateway.model.entry import encode_item
from gateway.model.inbound import Ruling
from gateway.model.incident import IncidentNote
from gateway.model.plan import (
    JournalPlan,
    LinkPlan,
    LogPlan,
    PortPlan,
    RecordPlan,
    StationPlan,
)
from gateway.model.verdict import VerdictNote
from gateway.mqtt.payload import RulingRecord
from gateway.settings import profile_named
from gateway.settings.agreement import read_agreement
from gateway.verbs.replay import Replay

LOOPBACK = "127.0.0.1"
ROOT = "distress/v1/alpha"
WAIT_S = 10.0
MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
AGREEMENT = """\
id = "coast"
version = "1"
title = "A watch on channel 70"

[status]
state = "in_force"

[parties]
station = {{ name = "Here", roles = ["coast"], match = {{ mmsi = ["002320000"] }} }}

[channels]
vhf70 = {{ hz = 156_525_000, mode = "dsc" }}

[rules.A1]
kind = "ack_deadline"
who = ["station"]
when = {{ type = ["distress_alert"], system = ["dsc"] }}
per_band = {{ vhf = {{ max_s = {max_s} }} }}
source = "a test"
basis = "design"
"""


@asynccontextmanager
async def on_watch(folder, port, max_s, *, record=None):
    """Run a station with a DSC modem; give what is told, and how to let the modem say something."""
    path = folder / "coast.toml"
    path.write_text(AGREEMENT.format(max_s=max_s))
    modem, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    facts = profile_named("generic-dsc")
    facts = msgspec.structs.replace(facts, freq_hz=156_525_000)
    dsc = PortPlan(name="dsc", device=os.ttyname(gateway_end), modem="generic-dsc", profile=facts)
    plan = StationPlan(
        station="alpha",
        ports=(dsc,),
        links=(LinkPlan(name="local", host=LOOPBACK, port=port, client_id="gw", commands=True),),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=record,
        log=LogPlan(level="error"),
        agreements=(msgspec.structs.replace(read_agreement(path), own="station"),),
    )
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    told = []
    duty = asyncio.create_task(service.run())
    try:
        async with aiomqtt.Client(LOOPBACK, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(f"{ROOT}/#", qos=1)
            ears = asyncio.create_task(_listen(client, told))
            await service.on_watch.wait()
            yield told, lambda said: os.write(modem, said)
            ears.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ears
    finally:
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty
        os.close(modem)
        os.close(gateway_end)


async def _listen(client, told):
    async for said in client.messages:
        payload = msgspec.json.decode(said.payload) if said.payload else None
        told.append((said.topic.value.removeprefix(f"{ROOT}/"), payload))


async def found(told, topic, holds=lambda _payload: True):
    async with asyncio.timeout(WAIT_S):
        while True:
            for name, payload in told:
                if name == topic and payload is not None and holds(payload):
                    return payload
            await asyncio.sleep(0.01)


def violated(payload):
    return payload["judgement"] == "violation"


def test_a_call_that_nobody_acknowledges_is_told_kept_and_stands(mosquitto, tmp_path):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, max_s=1) as (told, say):
            first = await found(told, "compliance/coast/A1")
            kept = await found(told, "statement/recorded")
            assert kept["statement"]["fact"]["lasts_s"] == 48 * 3600
            say(MAYDAY)
            ruling = await found(told, "ruling/coast/A1")
            stands = await found(told, "compliance/coast/A1", violated)
            report = await found(told, "report/distress/dsc")
            return first, ruling, stands, report

    first, ruling, stands, report = asyncio.run(story())

    assert first["judgement"] == "unknown"
    verdict = msgspec.convert(ruling, RulingRecord).note.verdict
    assert verdict.judgement == "violation"
    assert verdict.evidence == (report["report"]["report_id"],)
    assert (ruling["journaled"], ruling["number"] > 0) == (True, True)
    assert [one["subject"] for one in stands["standing"]] == [verdict.subject]


def test_the_tape_of_a_watch_has_what_was_stated_and_gives_the_same_verdicts(mosquitto, tmp_path):
    port = mosquitto().port
    tapes = RecordPlan(directory=str(tmp_path / "tapes"))

    async def story():
        async with on_watch(tmp_path, port, max_s=60, record=tapes) as (told, say):
            await found(told, "statement/recorded")
            say(MAYDAY)
            await found(told, "report/distress/dsc")
            await stated(port, what="distress_ack", about="mmsi:338040079", words="by radio")
            await found(told, "compliance/coast/A1", lambda one: one["judgement"] == "ok")

    asyncio.run(story())
    (tape,) = (tmp_path / "tapes").iterdir()
    agreement = msgspec.structs.replace(read_agreement(tmp_path / "coast.toml"), own="station")
    again = [item for _, item in Replay(tape, agreements=[agreement]).entries()]

    assert [encode_item(item) for item in again] == asyncio.run(bodies(tmp_path))
    assert [type(item) for item in again] == [Stated, Ruling, IncidentNote, Stated, VerdictNote]
    assert again[3].fact.person == "Officer B"
    assert again[4].verdict.judgement == "ok"


async def stated(port, **said):
    """State something on a broker, as an officer does."""
    later = datetime.now(UTC) + timedelta(seconds=30)
    command = {"command_id": "s1", "author": "Officer B", "not_after": later, **said}
    async with aiomqtt.Client(LOOPBACK, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        payload = msgspec.json.encode(command)
        await client.publish(f"{ROOT}/command/statement", payload, qos=1)


async def bodies(folder):
    """Return what stands in the journal, entry by entry, but for alarms: a tape has none."""
    plan = JournalPlan(path=str(folder / "journal.db"))
    journal = await Journal.open(plan, station="alpha", links=("local",), clock=Clock())
    try:
        kept = [entry.body for entry in await journal.entries(limit=1000)]
    finally:
        await journal.close()
    return [body for body in kept if "alarm" not in msgspec.msgpack.decode(body)]


def test_a_deadline_that_runs_when_the_station_ends_runs_on_in_the_next_run(mosquitto, tmp_path):
    async def story():
        port = mosquitto().port
        async with on_watch(tmp_path, port, max_s=3) as (told, say):
            await found(told, "compliance/coast/A1")
            say(MAYDAY)
            await found(told, "report/distress/dsc")
            early = [topic for topic, _ in told if topic.startswith("ruling")]
        async with on_watch(tmp_path, port, max_s=3) as (told, _say):
            ruling = await found(told, "ruling/coast/A1")
            stands = await found(told, "compliance/coast/A1", violated)
            return early, ruling, stands

    early, ruling, stands = asyncio.run(story())

    assert early == []
    assert "3 s" in ruling["note"]["verdict"]["words"]
    assert stands["found"] == {"violation": 1}
