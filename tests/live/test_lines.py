"""Two parties, a gateway and a broker each, and the line between them: what crosses it."""

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

from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.settings import profile_named
from gateway.settings.agreement import read_agreement

LOOPBACK = "127.0.0.1"
WAIT_S = 20.0
MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
AIS = b"!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\r\n"
OUTAGE_S = 3.0
RULE = 'source = "a test"\nbasis = "design"\n'
AGREEMENT = f"""\
id = "strait"
version = "1"
title = "A line between two parties"

[status]
state = "STATE"

[parties]
alpha = {{ name = "Alpha", roles = ["party"], match = {{ tag = ["alpha"] }} }}
bravo = {{ name = "Bravo", roles = ["party"], match = {{ tag = ["bravo"] }} }}

[channels]
vhf70 = {{ hz = 156_525_000, mode = "dsc" }}
hotline = {{ endpoint = "hotline/alpha-bravo" }}

[rules.L1]
kind = "contact_point"
who = ["party"]
endpoint = "hotline"
heartbeat_s = 1
max_outage_s = {OUTAGE_S}
{RULE}
[rules.L2]
kind = "comm_check"
who = ["party"]
channels = ["hotline"]
every_s = 60
answer_within_s = 5
{RULE}
[rules.L3]
kind = "notify"
when = {{ type = ["distress_alert"] }}
to = ["bravo"]
within_s = 10
via = "hotline"
{RULE}
[rules.L4]
kind = "share_policy"
to = ["party"]
allow = ["position", "call"]
redact = ["sensor"]
position_grid_m = 1000
{RULE}
[rules.L5]
kind = "call_response"
when = {{ type = ["call"] }}
within_s = 60
{RULE}
"""


def on_loop(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(5 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


class Told:
    """What one broker is told, by topic."""

    def __init__(self):
        self.all = []

    async def listen(self, port):
        async with aiomqtt.Client(LOOPBACK, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe("distress/v1/#", qos=1)
            async for said in client.messages:
                payload = None
                with contextlib.suppress(msgspec.DecodeError):  # taken off, or forged
                    payload = msgspec.json.decode(said.payload)
                self.all.append((said.topic.value.removeprefix("distress/v1/"), payload))

    def on(self, topic):
        return [payload for name, payload in self.all if name == topic and payload is not None]

    async def found(self, topic, holds=lambda _payload: True):
        async with asyncio.timeout(WAIT_S):
            while True:
                for payload in self.on(topic):
                    if holds(payload):
                        return payload
                await asyncio.sleep(0.02)


class Station:
    """A gateway of one party with a DSC and an AIS receiver, on watch."""

    def __init__(self, folder, own, other, *, broker, line, state="in_force"):
        self.own, self.other = own, other
        home = folder / own
        home.mkdir()
        path = home / "strait.toml"
        path.write_text(AGREEMENT.replace("STATE", state))
        self.agreement = msgspec.structs.replace(read_agreement(path), own=own)
        self._ends = {name: os.openpty() for name in ("dsc", "ais")}
        self._plan = StationPlan(
            station=own,
            ports=tuple(self._port(name) for name in self._ends),
            links=(
                LinkPlan(
                    name="local",
                    host=LOOPBACK,
                    port=broker,
                    client_id=f"{own}-local",
                    commands=True,
                ),
                LinkPlan(
                    name="line",
                    host=LOOPBACK,
                    port=line,
                    client_id=f"{own}-line",
                    exports=(),
                    party=other,
                    agreement="strait",
                    position_interval_s=0,
                ),
            ),
            journal=JournalPlan(path=str(home / "journal.db")),
            record=None,
            log=LogPlan(level="error"),
            agreements=(self.agreement,),
        )

    def _port(self, name):
        _, gateway_end = self._ends[name]
        tty.setraw(gateway_end)
        facts = profile_named(f"generic-{name}")
        if name == "dsc":
            facts = msgspec.structs.replace(facts, freq_hz=156_525_000)
        device = os.ttyname(gateway_end)
        return PortPlan(name=name, device=device, modem=f"generic-{name}", profile=facts)

    def hear(self, name, said):
        os.write(self._ends[name][0], said)

    @asynccontextmanager
    async def on_watch(self):
        log = set_up(level="critical", as_json=True)
        service = Service(self._plan, clock=Clock(), log=log, dice=random.Random(self.own))
        duty = asyncio.create_task(service.run())
        try:
            await service.on_watch.wait()
            yield service
        finally:
            duty.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await duty


@asynccontextmanager
async def two_parties(mosquitto, folder, **how):
    """Run two brokers; the line is at that of bravo. Give both stations, and what each is told."""
    ports = mosquitto().port, mosquitto().port
    heard = Told(), Told()
    ears = [asyncio.create_task(one.listen(port)) for one, port in zip(heard, ports, strict=True)]
    alpha = Station(folder, "alpha", "bravo", broker=ports[0], line=ports[1], **how)
    bravo = Station(folder, "bravo", "alpha", broker=ports[1], line=ports[1], **how)
    try:
        yield alpha, bravo, *heard, ports
    finally:
        for ear in ears:
            ear.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ear


def standing(payload, subject, judgement):
    """Say whether a rule stands so; what is as agreed is not listed."""
    listed = {one["subject"]: one["judgement"] for one in payload.get("standing", ())}
    return listed.get(subject, "ok") == judgement


def open_both(payload):
    return payload["judgement"] == "ok"


def of(what):
    return lambda payload: payload["what"] == what


@on_loop
async def test_a_line_is_kept_tried_and_its_failure_found_in_time(mosquitto, tmp_path):
    async with two_parties(mosquitto, tmp_path) as (alpha, bravo, at_alpha, at_bravo, _):
        assert alpha.agreement.digest == bravo.agreement.digest
        async with alpha.on_watch():
            async with bravo.on_watch():
                await at_alpha.found("alpha/compliance/strait/L1", open_both)
                await at_bravo.found("bravo/compliance/strait/L1", open_both)
                check = await at_alpha.found("alpha/statement/comm_check")
                await at_alpha.found("alpha/compliance/strait/L2", open_both)
            since = asyncio.get_running_loop().time()
            await at_alpha.found(
                "alpha/compliance/strait/L1",
                lambda payload: standing(payload, "hotline/bravo", "violation"),
            )
            lasted_s = asyncio.get_running_loop().time() - since

    fact = check["statement"]["fact"]
    assert (fact["by"], fact["to"], fact["channel"]) == ("alpha", "bravo", "hotline")
    assert 0 < fact["lasts_s"] < 5
    assert OUTAGE_S - 2 < lasted_s < OUTAGE_S + 3


@on_loop
async def test_places_cross_on_a_grid_and_a_call_for_help_as_it_is_and_is_signed_for(
    mosquitto, tmp_path
):
    async with (
        two_parties(mosquitto, tmp_path) as (alpha, bravo, at_alpha, at_bravo, _),
        bravo.on_watch(),
        alpha.on_watch(),
    ):
        await at_alpha.found("alpha/compliance/strait/L1", open_both)
        alpha.hear("ais", AIS)
        alpha.hear("dsc", MAYDAY)
        here = await at_alpha.found("alpha/report/distress/dsc")
        place = await at_bravo.found("alpha/hotline/bravo/routine", of("position"))
        call = await at_bravo.found("alpha/hotline/bravo/shared", of("distress"))
        told = await at_bravo.found("bravo/statement/told")
        receipt = await at_alpha.found("alpha/statement/receipt")
        await at_alpha.found("alpha/compliance/strait/L3", open_both)
        status = await at_alpha.found(
            "alpha/status", lambda one: one["links"]["line"].get("line", {}).get("receipts")
        )

    assert place["fields"]["position"]["resolution_m"] == 500
    assert {"raw", "detail", "sensor", "witnesses"} <= {*place["withheld"]}
    assert place["fields"].keys().isdisjoint(place["withheld"])
    report = here["report"]
    whole = ("position", "raw", "nature", "casualty", "sender", "detail", "urgency")
    assert {name: call["fields"].get(name) for name in whole} == {
        name: report.get(name) for name in whole
    }
    assert call["withheld"] == ["sensor", "witnesses"]
    fact = told["statement"]["fact"]
    assert (fact["by"], fact["about"], fact["person"]) == ("alpha", report["report_id"], "alpha")
    assert "nature disabled_adrift" in fact["words"]
    assert receipt["statement"]["fact"]["about"] == report["report_id"]
    # Of all that alpha tells its own broker, the other party's has only what went over the line.
    names = {name for name, _ in at_bravo.all if name.startswith("alpha/")}
    assert names <= {f"alpha/hotline/bravo/{word}" for word in WORDS}
    line = status["links"]["line"]
    assert line["crossed"] > 2
    assert line["withheld"]["sensor"] >= 1


WORDS = ("heartbeat", "check", "echo", "receipt", "shared", "routine")


@on_loop
async def test_without_an_agreement_in_force_nothing_but_a_call_for_help_crosses(
    mosquitto, tmp_path
):
    async with two_parties(mosquitto, tmp_path, state="terminated") as found:
        alpha, _, at_alpha, at_bravo, _ = found
        async with alpha.on_watch():
            alpha.hear("ais", AIS)
            await at_alpha.found("alpha/position/ais/366053209")
            alpha.hear("dsc", MAYDAY)
            call = await at_bravo.found("alpha/hotline/bravo/shared", of("distress"))
            await asyncio.sleep(1.5)

    assert "withheld" not in call
    shared = [one["what"] for name, one in at_bravo.all if name.startswith("alpha/")]
    assert {*shared} == {"distress"}


@on_loop
async def test_an_officer_calls_over_the_line_and_what_is_forged_there_is_refused(
    mosquitto, tmp_path
):
    async with (
        two_parties(mosquitto, tmp_path) as (alpha, bravo, at_alpha, at_bravo, ports),
        alpha.on_watch(),
        bravo.on_watch(),
    ):
        await at_alpha.found("alpha/compliance/strait/L1", open_both)
        async with aiomqtt.Client(
            LOOPBACK, ports[1], protocol=aiomqtt.ProtocolVersion.V5
        ) as mallory:
            for topic, payload in FORGED:
                await mallory.publish(f"distress/v1/{topic}", payload, qos=1)
        async with aiomqtt.Client(
            LOOPBACK, ports[0], protocol=aiomqtt.ProtocolVersion.V5
        ) as officer:
            order = {
                "command_id": "c-1",
                "what": "call",
                "author": "Officer A",
                "not_after": datetime.now(UTC) + timedelta(seconds=30),
                "to": "bravo",
                "channel": "hotline",
                "words": "come up on channel 16",
            }
            await officer.publish(
                "distress/v1/alpha/command/statement", msgspec.json.encode(order), qos=1
            )
        call = await at_bravo.found("bravo/statement/call")
        status = await at_bravo.found(
            "bravo/status",
            lambda one: one["links"]["line"]["line"].get("refused", 0) >= REFUSED,
        )

    fact = call["statement"]["fact"]
    assert (fact["by"], fact["to"], fact["words"]) == ("alpha", "bravo", "come up on channel 16")
    assert at_bravo.on("bravo/statement/receipt") == []
    assert at_bravo.on("bravo/statement/consent") == []
    assert refused(status) == REFUSED


def refused(status):
    return status["links"]["line"].get("line", {}).get("refused", 0)


FORGED = (
    ("x/hotline/bravo/receipt", b'{"station": "x", "message_id": "00000000", "re": "11111111"}'),
    ("x/hotline/bravo/echo", b'{"station": "x", "message_id": "00000001", "re": "11111111"}'),
    ("x/hotline/bravo/consent", b'{"station": "x", "message_id": "00000002"}'),
    ("x/hotline/bravo/call", b'{"station": "x", "message_id": "00000003", "by": "bravo"}'),
    ("x/hotline/bravo/told", b"\xc1"),
    ("x/hotline/bravo/shared", b'{"station": "x"' + b" " * 20_000 + b"}"),
    ("bravo/hotline/bravo/call", b'{"station": "bravo", "message_id": "00000004"}'),
)
REFUSED = len(FORGED) - 1
"""A consent is not even listened to."""
