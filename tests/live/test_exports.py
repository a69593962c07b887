"""What map, TAK, warning system and telex are told by a station on watch, over a real broker."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import tty
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import aiomqtt
import msgspec
import xmlschema

from gateway.app import Service
from gateway.clock import Clock
from gateway.export.cap import NAMESPACE
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.settings import profile_named

LOOPBACK = "127.0.0.1"
ROOT = "distress/v1/alpha"
WAIT_S = 10.0
MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
BEACON_TEST = b"8E8E00000100801771407783E0F66C\r\n"

SCHEMAS = Path(__file__).parents[1] / "rooms" / "export"
CAP = xmlschema.XMLSchema(SCHEMAS / "cap-1.2.xsd")
COT = xmlschema.XMLSchema(SCHEMAS / "cot-2.0.xsd")


class Reader:
    """An ordinary client that reads everything, over one run of the station after the other."""

    def __init__(self, client):
        self.client = client
        self.told = []

    async def listen(self):
        async for said in self.client.messages:
            self.told.append((said.topic.value.removeprefix(f"{ROOT}/"), said.payload))

    def on(self, topic):
        return [payload for name, payload in self.told if name == topic]

    def caps(self, prefix=""):
        """Return what each CAP message says, by its elements; each is valid."""
        found = []
        for payload in self.on(f"{prefix}out/cap"):
            CAP.validate(payload.decode())
            root = ET.fromstring(payload)  # noqa: S314  # our own words
            found.append(
                {one.tag.removeprefix(f"{{{NAMESPACE}}}"): one.text for one in root.iter()}
            )
        return found

    def cots(self, prefix=""):
        """Return the type of each CoT event; each is valid."""
        for payload in self.on(f"{prefix}out/cot"):
            COT.validate(payload.decode())
        events = map(ET.fromstring, self.on(f"{prefix}out/cot"))
        return [event.attrib["type"] for event in events]

    def maps(self):
        """Return each map of an incident, None for what takes it off."""
        return [
            msgspec.json.decode(payload) if payload else None
            for topic, payload in self.told
            if topic.endswith("/geojson")
        ]

    async def order(self, verb, incident_id):
        until = datetime.now(UTC) + timedelta(seconds=30)
        wanted = {"command_id": f"c{len(self.told)}", "verb": verb, "incident_id": incident_id}
        said = wanted | {"author": "A", "not_after": until.isoformat()}
        await self.client.publish(f"{ROOT}/command/incident", msgspec.json.encode(said), qos=1)

    async def until(self, condition):
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def reading(port):
    async with aiomqtt.Client(LOOPBACK, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(f"{ROOT}/#", qos=1)
        reader = Reader(client)
        ears = asyncio.create_task(reader.listen())
        yield reader
        ears.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ears


@asynccontextmanager
async def on_watch(folder, port, *, modem_name="generic-dsc"):
    """Run a station with one modem, and give what writes to the modem."""
    modem, gateway_end = os.openpty()
    tty.setraw(gateway_end)
    only = PortPlan(
        name="only",
        device=os.ttyname(gateway_end),
        modem=modem_name,
        profile=profile_named(modem_name),
    )
    link = LinkPlan(
        name="local",
        host=LOOPBACK,
        port=port,
        client_id="gw",
        commands=True,
        exports=("geojson", "cot", "cap", "sitrep"),
    )
    plan = StationPlan(
        station="alpha",
        ports=(only,),
        links=(link,),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=None,
        log=LogPlan(level="error"),
    )
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    duty = asyncio.create_task(service.run())
    try:
        await service.on_watch.wait()
        (made,) = service._watch._links
        async with asyncio.timeout(WAIT_S):
            while not all(bus.connected for _, bus in made._buses):
                await asyncio.sleep(0.005)
        yield lambda sentence: os.write(modem, sentence)
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
            async with asyncio.timeout(4 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


@on_loop
async def test_an_alert_its_update_and_its_cancel_name_each_other_over_a_restart(
    mosquitto, tmp_path
):
    port = mosquitto().port
    async with reading(port) as reader:
        async with on_watch(tmp_path, port) as say:
            say(MAYDAY)
            await reader.until(lambda: reader.on("out/sitrep"))
            incident_id = reader.caps()[0]["incidents"]
            await reader.order("ack", incident_id)
            await reader.until(lambda: len(reader.on("out/sitrep")) == 2)
        before = len(reader.told)
        async with on_watch(tmp_path, port):
            await reader.order("resolve", incident_id)
            await reader.until(lambda: len(reader.on("out/sitrep")) == 3)
            await reader.until(
                lambda: reader.maps()[-1]["features"][0]["properties"]["phase"] == "resolved"
            )
        caps = reader.caps()
        again = [topic for topic, _ in reader.told[before:] if topic.startswith("out/")]

    names = [f"{one['sender']},{one['identifier']},{one['sent']}" for one in caps]
    assert [one["msgType"] for one in caps] == ["Alert", "Update", "Cancel"]
    assert [one.get("references") for one in caps] == [None, names[0], " ".join(names[:2])]
    assert {one["status"] for one in caps} == {"Actual"}
    assert reader.cots()[1::2] == ["b-a-o-tbl", "b-a-o-tbl", "b-a-o-can"]
    assert sorted(again) == ["out/cap", "out/cot", "out/cot", "out/sitrep"]
    assert not [topic for topic, _ in reader.told if topic.startswith(("test/", "exercise/"))]


@on_loop
async def test_a_beacon_under_test_never_reaches_the_topics_of_real_ones(mosquitto, tmp_path):
    port = mosquitto().port
    async with reading(port) as reader:
        async with on_watch(tmp_path, port, modem_name="generic-cospas_sarsat") as say:
            say(BEACON_TEST)
            await reader.until(lambda: reader.on("test/out/sitrep") and reader.maps())
        topics = {topic.partition("/")[0] for topic, _ in reader.told}

    assert not topics & {"out", "incident"}
    assert {one["status"] for one in reader.caps("test/")} == {"Test"}
    assert set(reader.cots("test/")) == {"b-m-p-s-m"}
    assert reader.on("test/out/sitrep")[0].startswith(b"TEST TEST TEST\r\n")
    assert {one["features"][0]["properties"]["mode"] for one in reader.maps()} == {"test"}
