"""An officer and a station on watch: the alarm is known, silenced, joined and parted over MQTT."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import tty
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiomqtt
import msgspec
import pytest

from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.settings import profile_named

LOOPBACK = "127.0.0.1"
ROOT = "distress/v1/alpha"
WAIT_S = 10.0
MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
OTHER = b"$CDDSC,12,2440000010,12,05,00,0523000500,2019,,,S,E*64\r\n"


class Officer:
    """An ordinary client, and all that it was told."""

    def __init__(self, client, modem):
        self.client = client
        self.modem = modem
        self.told = []

    async def listen(self):
        async for said in self.client.messages:
            payload = msgspec.json.decode(said.payload) if said.payload else None
            self.told.append((said.topic.value.removeprefix(f"{ROOT}/"), payload, said.retain))

    def say(self, sentence):
        os.write(self.modem, sentence)

    async def incidents(self, count):
        """Return what stands, as soon as there are so many."""
        await self.until(lambda: len(self.standing()) == count)
        return self.standing()

    def standing(self):
        found = {}
        for topic, payload, _ in self.told:
            if topic.startswith("incident/") and topic.count("/") == 1:
                found.pop(topic, None)
                if payload is not None:
                    found[topic] = payload["incident"]
        return {one["incident_id"]: one for one in found.values()}

    async def order(self, verb, incident_id, *, name=None, retain=False, **said):
        """Give an order, and return its outcome."""
        name = name or f"c{len(self.told)}"
        until = datetime.now(UTC) + timedelta(seconds=30)
        wanted = {"command_id": name, "verb": verb, "incident_id": incident_id, "author": "A"}
        command = msgspec.json.encode(wanted | {"not_after": until.isoformat()} | said)
        before = len(self.told)
        await self.client.publish(f"{ROOT}/command/incident", command, qos=1, retain=retain)
        topic = f"outcome/{name}"
        await self.until(lambda: any(told[0] == topic for told in self.told[before:]))
        return next(told[1] for told in self.told[before:] if told[0] == topic)

    async def until(self, condition):
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def on_watch(folder, port):
    """Run a station with a DSC modem, and an officer who hears all of it."""
    modem, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    dsc = PortPlan(
        name="dsc",
        device=os.ttyname(gateway_end),
        modem="generic-dsc",
        profile=profile_named("generic-dsc"),
    )
    plan = StationPlan(
        station="alpha",
        ports=(dsc,),
        links=(LinkPlan(name="local", host=LOOPBACK, port=port, client_id="gw", commands=True),),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=None,
        log=LogPlan(level="error"),
    )
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    duty = asyncio.create_task(service.run())
    try:
        async with aiomqtt.Client(LOOPBACK, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(f"{ROOT}/#", qos=1)
            officer = Officer(client, modem)
            officer.service = service
            ears = asyncio.create_task(officer.listen())
            await service.on_watch.wait()
            (link,) = service._watch._links
            await officer.until(lambda: all(bus.connected for _, bus in link._buses))
            yield officer
            ears.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ears
    finally:
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty
        os.close(modem)
        os.close(gateway_end)


def on_loop(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(3 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


@on_loop
async def test_an_officer_acknowledges_a_mayday_and_everybody_sees_who_did(mosquitto, tmp_path):
    async with on_watch(tmp_path, mosquitto().port) as officer:
        officer.say(MAYDAY)
        (incident_id,) = await officer.incidents(1)
        outcome = await officer.order("ack", incident_id, author="Officer B", words="called back")
        await officer.until(
            lambda: officer.standing()[incident_id]["alarm"]["phase"] == "acknowledged"
        )
        stands = officer.standing()[incident_id]
        again = await officer.order("ack", incident_id, name=outcome["command_id"])

    assert (outcome["state"], outcome["journaled"]) == ("accepted", True)
    assert outcome["changed"] == [incident_id]
    assert (stands["alarm"]["by"], stands["phase"]) == ("Officer B", "alerted")
    assert [(deed["verb"], deed["author"]) for deed in stands["actions"]] == [("ack", "Officer B")]
    logged = [p for topic, p, _ in officer.told if topic == f"incident/{incident_id}/log"]
    assert [p["number"] for p in logged if p["change"].startswith("ack")] == [outcome["number"]]
    assert again["state"] == "refused", "another author: another order under a used name"


@on_loop
async def test_two_calls_are_merged_and_split_again(mosquitto, tmp_path):
    async with on_watch(tmp_path, mosquitto().port) as officer:
        officer.say(MAYDAY)
        officer.say(OTHER)
        (one, other) = await officer.incidents(2)
        merged = await officer.order("merge", one, other=other, words="the same fire")
        (left,) = await officer.incidents(1)
        held = officer.standing()[left]
        ids = [evidence["evidence_id"] for evidence in held["evidence"]]
        parted = await officer.order("split", left, evidence=ids[-1:])
        both = await officer.incidents(2)
        refused = await officer.order("split", left, evidence=["00"])

    assert set(merged["changed"]) == {one, other}
    assert [link["kind"] for link in held["links"]] == ["operator"]
    assert len(ids) == 2
    assert len(parted["changed"]) == 2
    assert {len(stands["evidence"]) for stands in both.values()} == {1}
    assert (refused["state"], "journaled" in refused) == ("refused", False)
    assert "a split needs some of the evidence" in refused["reason"]


@on_loop
async def test_an_order_that_the_broker_kept_is_refused_and_never_obeyed(mosquitto, tmp_path):
    port = mosquitto().port
    async with aiomqtt.Client(LOOPBACK, port) as client:
        command = {
            "command_id": "old",
            "verb": "resolve",
            "incident_id": "0a",
            "author": "A",
            "not_after": (datetime.now(UTC) + timedelta(seconds=30)).isoformat(),
        }
        await client.publish(
            f"{ROOT}/command/incident", msgspec.json.encode(command), qos=1, retain=True
        )
    async with on_watch(tmp_path, port) as officer:
        await officer.until(lambda: any(told[0] == "outcome/old" for told in officer.told))
        (outcome,) = [payload for topic, payload, _ in officer.told if topic == "outcome/old"]

    assert outcome["state"] == "refused"
    assert "the broker had kept it" in outcome["reason"]


@pytest.mark.parametrize("count", [300])
@on_loop
async def test_a_flood_of_orders_delays_no_call(mosquitto, tmp_path, count):
    """What is heard amid hundreds of orders is told while nearly all of them still wait."""
    async with on_watch(tmp_path, mosquitto().port) as officer:
        officer.say(OTHER)
        (incident_id,) = await officer.incidents(1)
        until = (datetime.now(UTC) + timedelta(seconds=50)).isoformat()
        for number in range(count):
            said = {"command_id": f"f{number}", "verb": "note", "incident_id": incident_id}
            said |= {"author": "A", "words": "x" * 400, "not_after": until}
            await officer.client.publish(
                f"{ROOT}/command/incident", msgspec.json.encode(said), qos=0
            )
        officer.say(MAYDAY)
        await officer.incidents(2)
        done = officer.service.status().links["local"].commands

    assert done < count / 2
