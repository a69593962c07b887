"""A station whose radio is unplugged says so within the agreed gap, and what it learned stays."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
import tty
from contextlib import asynccontextmanager

import aiomqtt
import msgspec
import pytest

from gateway.app import Service, listening
from gateway.clock import Clock
from gateway.framing import framer_named
from gateway.journal.front import Journal
from gateway.log import set_up
from gateway.model.listening import ChannelWatch, WatchState
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.radio.packed import write_letter, write_packet
from gateway.radio.packed.letters import Health, Hello
from gateway.radio.packed.packet import Packet, PacketKind
from gateway.settings import profile_named
from gateway.settings.agreement import read_agreement

LOOPBACK = "127.0.0.1"
ROOT = "distress/v1/alpha"
WAIT_S = 10.0
GAP_S = 2.0
AGREEMENT = f"""\
id = "coast"
version = "1"
title = "A watch on channel 70"

[status]
state = "in_force"

[parties]
station = {{ name = "Here", roles = ["coast"], match = {{ mmsi = ["002320000"] }} }}

[channels]
vhf70 = {{ hz = 156_525_000, mode = "dsc" }}

[rules.W1]
kind = "watch"
channels = ["vhf70"]
who = ["station"]
max_gap_s = {GAP_S}
evidence = ["receiver_heartbeat", "idle_noise_sample"]
source = "a test"
basis = "design"
"""
LETTERS = (Hello(modem="vhf-1", start=1), Health(up_s=1, noise_dbm=-118.0, antenna="ok"))


class Radio:
    """A packed modem on a pty that can be pulled out and put back at the same place."""

    def __init__(self, folder):
        self.device = folder / "vhf"
        self._ends = ()
        self._number = 0
        self.plug_in()

    def plug_in(self):
        self._ends = os.openpty()
        tty.setraw(self._ends[1])
        self.device.symlink_to(os.ttyname(self._ends[1]))

    def pull(self):
        self.device.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)
        self._ends = ()

    def live(self):
        """Say who and how it is."""
        for letter in LETTERS:
            body = write_packet(Packet(PacketKind.TELL, self._number % 256, write_letter(letter)))
            self._number += 1
            os.write(self._ends[0], framer_named("cobs").wrap(body))


@pytest.fixture
def radio(tmp_path):
    made = Radio(tmp_path)
    yield made
    made.pull()


def plan_of(folder, port):
    path = folder / "coast.toml"
    path.write_text(AGREEMENT)
    facts = msgspec.structs.replace(profile_named("generic-packed"), freq_hz=156_525_000)
    vhf = PortPlan(name="vhf", device=str(folder / "vhf"), modem="generic-packed", profile=facts)
    return StationPlan(
        station="alpha",
        ports=(vhf,),
        links=(LinkPlan(name="local", host=LOOPBACK, port=port, client_id="gw"),),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=None,
        log=LogPlan(level="error"),
        agreements=(msgspec.structs.replace(read_agreement(path), own="station"),),
    )


@asynccontextmanager
async def on_watch(plan):
    """Run a station; give what is told, each with the time at which it came."""
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=Clock(), log=log, dice=random.Random(1))
    told = []
    duty = asyncio.create_task(service.run())
    port = plan.links[0].port
    try:
        async with aiomqtt.Client(LOOPBACK, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(f"{ROOT}/#", qos=1)
            ears = asyncio.create_task(_listen(client, told))
            await service.on_watch.wait()
            yield told
            ears.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ears
    finally:
        duty.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await duty


async def _listen(client, told):
    async for said in client.messages:
        payload = msgspec.json.decode(said.payload) if said.payload else None
        told.append((said.topic.value.removeprefix(f"{ROOT}/"), payload, time.monotonic_ns()))


async def found(told, topic, holds):
    """Return the first of this topic that holds, and what came before it is forgotten."""
    async with asyncio.timeout(WAIT_S):
        while True:
            for place, (name, payload, at_ns) in enumerate(told):
                if name == topic and holds(payload):
                    del told[: place + 1]
                    return payload, at_ns
            await asyncio.sleep(0.01)


def stands(state):
    return lambda payload: payload is not None and payload["state"] == state


def is_there(payload):
    return payload is not None


def is_gone(payload):
    return payload is None


def test_a_radio_that_is_unplugged_is_told_within_the_agreed_gap_and_heard_again(
    mosquitto, tmp_path, radio
):
    async def story():
        async with on_watch(plan_of(tmp_path, mosquitto().port)) as told:
            first, _ = await found(told, "watch/vhf70", stands("unknown"))
            radio.live()
            kept, _ = await found(told, "watch/vhf70", stands("kept"))
            ruling, _ = await found(
                told, "compliance/coast/W1", lambda one: one["judgement"] == "ok"
            )
            radio.live()
            radio.pull()
            pulled_ns = time.monotonic_ns()
            lapsed, lapsed_ns = await found(told, "watch/vhf70", stands("lapsed"))
            told_of = [one for one in told if one[0] == "alert/deaf"]
            alert, alert_ns = (
                told_of[0][1:] if told_of else await found(told, "alert/deaf", is_there)
            )
            took_s = [(at_ns - pulled_ns) / 1e9 for at_ns in (lapsed_ns, alert_ns)]
            radio.plug_in()
            await found(told, "alert/deaf", is_gone)
            radio.live()
            again, _ = await found(told, "watch/vhf70", stands("kept"))
            return first, kept, ruling, lapsed, alert, took_s, again

    first, kept, ruling, lapsed, alert, took_s, again = asyncio.run(story())

    assert first["watches"][0]["why"].startswith("nothing has shown for 2 s")
    watch = msgspec.convert(kept, ChannelWatch).watches[0]
    shown = {one.kind: one for one in watch.evidence}
    assert {"bytes_heard", "receiver_heartbeat", "idle_noise_sample"} <= shown.keys()
    assert shown["idle_noise_sample"].says == "-118 dBm"
    assert 0 <= shown["receiver_heartbeat"].age_s < GAP_S
    assert (watch.state, watch.own, watch.gap_s) == (WatchState.KEPT, True, GAP_S)
    assert ruling["found"]["ok"] >= 1
    assert max(took_s) < GAP_S
    assert "port vhf is deaf: the port is not open" in alert["text"]
    assert lapsed["watches"][0]["why"].startswith("port vhf is deaf")
    assert again["watches"][0]["months"][0]["kept"] < 1


def test_what_was_learned_and_what_the_month_came_to_outlives_a_run(
    mosquitto, tmp_path, radio, monkeypatch
):
    monkeypatch.setattr(listening, "KEEP_S", 0.05)
    plan = plan_of(tmp_path, mosquitto().port)

    async def run(lasts_s):
        async with on_watch(plan) as told:
            radio.live()
            await found(told, "watch/vhf70", stands("kept"))
            await asyncio.sleep(lasts_s)

    async def remembered():
        journal = await Journal.open(plan.journal, station="alpha", links=("local",), clock=Clock())
        try:
            return (await journal.recalled()).words
        finally:
            await journal.close()

    def due_ms():
        word = asyncio.run(remembered())["listening:months"]
        kept = msgspec.msgpack.decode(word, type=listening.WatchesKept)
        return kept.accounts["coast/W1/station/vhf70"].running.due_ms

    began_s = time.monotonic()
    asyncio.run(run(0.6))
    first = due_ms()
    asyncio.run(run(0.6))

    assert 0 < first < due_ms() <= (time.monotonic() - began_s) * 1e3
