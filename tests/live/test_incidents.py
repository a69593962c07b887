"""An officer and a station on watch: the alarm is known, silenced, joined and parted over MQTT."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import operator
import os
import random
import tty
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiomqtt
import msgspec
import pytest

from gateway import cli
from gateway.app import Service
from gateway.clock import Clock
from gateway.correlate import flooded
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.mqtt import caller
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

    def pieces(self):
        """Return how many pieces of evidence each of them has."""
        return [len(one["evidence"]) for one in self.standing().values()]

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
async def on_watch(folder, port, *, commands=True):
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
        links=(
            LinkPlan(name="local", host=LOOPBACK, port=port, client_id="gw", commands=commands),
        ),
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
        await officer.until(lambda: officer.pieces() == [2])
        held = officer.standing()[left]
        ids = [evidence["evidence_id"] for evidence in held["evidence"]]
        parted = await officer.order("split", left, evidence=ids[-1:])
        await officer.until(lambda: officer.pieces() == [1, 1])
        refused = await officer.order("split", left, evidence=["00"])

    assert set(merged["changed"]) == {one, other}
    assert [link["kind"] for link in held["links"]] == ["operator"]
    assert len(ids) == 2
    assert len(parted["changed"]) == 2
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


# ---- The command line --------------------------------------------------------------------------


class Desk:
    """The command line at an officer's desk."""

    def __init__(self, port, capsys):
        self.port = port
        self.capsys = capsys

    async def __call__(self, *words):
        """Run a verb beside the station; return its exit status and all that it said."""
        arguments = [*words, "--host", LOOPBACK, "--port", str(self.port)]
        status = await asyncio.to_thread(cli.main, arguments)
        said = self.capsys.readouterr()
        return status, said.out + said.err


@pytest.fixture
def desk(mosquitto, capsys):
    return Desk(mosquitto().port, capsys)


@on_loop
async def test_an_officer_sees_acknowledges_and_hears_at_the_command_line(desk, tmp_path):
    async with on_watch(tmp_path, desk.port) as officer:
        empty = await desk("incident", "list")
        officer.say(MAYDAY)
        (name,) = await officer.incidents(1)
        listed = await desk("incident", "list")
        shown = await desk("incident", "show", name[:5])
        acked = await desk("incident", "ack", name[:5], "--author", "Officer B", "--words", "on 16")
        await officer.until(lambda: officer.standing()[name]["alarm"]["phase"] == "acknowledged")
        listed_again = await desk("incident", "list", "--json")
        explained = await desk("explain", "incident", name[:5])
        outcome = await desk("incident", "note", name, "a boat is sent", "--json")

    assert empty == (0, "no incident stands\n")
    assert listed[0] == 0
    assert name in listed[1]
    assert "raised" in listed[1]
    assert shown[0] == 0
    assert "MMSI 338 040 079" in shown[1]
    assert acked[0] == 0
    assert acked[1].startswith("accepted, entry ")
    assert msgspec.json.decode(listed_again[1])["incident"]["alarm"]["by"] == "Officer B"
    assert explained[0] == 0
    assert "ack by Officer B: on 16" in explained[1]
    assert msgspec.json.decode(outcome[1])["state"] == "accepted"


@on_loop
async def test_an_incident_is_explained_out_of_the_journal_of_a_station_that_is_gone(
    desk, tmp_path
):
    async with on_watch(tmp_path, desk.port) as officer:
        officer.say(MAYDAY)
        (name,) = await officer.incidents(1)
        await desk("incident", "note", name, "a boat is sent", "--author", "Officer B")
    journal = ("--journal", str(tmp_path / "journal.db"))
    status, page = await desk("explain", "incident", name[:5], *journal)

    assert status == 0
    assert "note by Officer B: a boat is sent" in page
    assert (await desk("explain", "incident", "zz", *journal))[0] == 1
    assert (await desk("explain", "incident", name, "--journal", "none.db"))[0] == 1
    assert (await desk("explain", "incident"))[0] == 2


def invented(number, nature="05"):
    """Return the call of one ship of many, by itself in its part of the sea."""
    body = f"CDDSC,12,2{number:04}{number:04}0,12,{nature},00,0{number:02}00{number:03}00,2019,,,S,"
    return f"${body}*{functools.reduce(operator.xor, body.encode()):02X}\r\n".encode()


@on_loop
async def test_an_officer_closes_a_flood_and_what_called_twice_stays_open(
    desk, tmp_path, monkeypatch
):
    monkeypatch.setattr(flooded, "QUIET_S", 0.0)
    monkeypatch.setattr(flooded, "AT_ONCE", 24)
    began = datetime.now(UTC) - timedelta(seconds=1)
    async with on_watch(tmp_path, desk.port) as officer:
        for number in range(30):
            officer.say(invented(number))
        await officer.incidents(30)
        officer.say(invented(7, nature="06"))
        real = next(
            name for name, one in officer.standing().items() if "mmsi:200070007" in one["names"]
        )
        await asyncio.sleep(0.2)
        name = next(one for one in officer.standing() if one != real)
        times = [began.isoformat(), datetime.now(UTC).isoformat()]
        words = ["incident", "false-alert", name, "--flood", *times, "--author", "B"]
        asked = await desk(*words)
        untouched = {one["phase"] for one in officer.standing().values()}
        done = await desk(*words, "--words", "invented", "--yes")
        await officer.until(
            lambda: [one["phase"] for one in officer.standing().values()].count("false_alert") == 29
        )
        of_real = await desk("incident", "false-alert", real, "--flood", *times, "--yes")
        stands = officer.standing()
        told = {
            note["incident"]["incident_id"]: note["change"]
            for topic, note, _ in officer.told
            if topic.startswith("incident/") and topic.endswith("/log")
        }

    assert asked[0] == 0
    assert asked[1].startswith("29 incidents of that time are like")
    assert untouched == {"alerted"}
    assert done == (0, "closed 29 as false alerts\n")
    assert stands.pop(real)["phase"] == "alerted"
    assert {told[one] for one in stands} == {"false-alert by B"}
    assert {deed["words"] for one in stands.values() for deed in one["actions"]} == {"invented"}
    assert of_real[0] == 1
    assert "is of no flood" in of_real[1]


@on_loop
async def test_what_is_refused_ends_with_one_and_its_reason(desk, tmp_path):
    async with on_watch(tmp_path, desk.port) as officer:
        officer.say(MAYDAY)
        officer.say(OTHER)
        (one, other) = await officer.incidents(2)
        unknown = await desk("incident", "ack", "zz")
        either = await desk("incident", "show", "")
        nobody = await desk("incident", "merge", one, "zz")
        itself = await desk("incident", "merge", one, one)
        nothing = await desk("incident", "split", one, "zz")
        merged = await desk("incident", "merge", one, other, "--words", "one fire")
        (left,) = await officer.incidents(1)
        await officer.until(lambda: officer.pieces() == [2])
        pieces = [piece["evidence_id"] for piece in officer.standing()[left]["evidence"]]
        parted = await desk("incident", "split", left, pieces[1][:8])
        await officer.until(lambda: officer.pieces() == [1, 1])
        exports = {
            form: await desk("incident", "export", left, "--as", form)
            for form in ("geojson", "cot", "cap", "sitrep")
        }

    assert unknown == (
        1,
        "no incident zz stands on this broker; `incident list` names those that do\n",
    )
    assert either[0] == 1
    assert "may be any of 2" in either[1]
    assert nobody[0] == 1
    assert itself == (1, "refused: a merge needs the name of another incident\n")
    assert (nothing[0], "zz names 0 pieces" in nothing[1]) == (1, True)
    assert (merged[0], parted[0]) == (0, 0)
    assert [status for status, _ in exports.values()] == [0] * 4
    assert msgspec.json.decode(exports["geojson"][1])["type"] == "FeatureCollection"
    assert "<event" in exports["cot"][1]
    assert "<alert" in exports["cap"][1]


@on_loop
async def test_where_nobody_takes_orders_the_reason_is_said(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(caller, "OUTCOME_S_MAX", 0.5)
    async with on_watch(tmp_path, desk.port, commands=False) as officer:
        officer.say(MAYDAY)
        (name,) = await officer.incidents(1)
        unheard = await desk("incident", "resolve", name)
    offline = await desk("incident", "list", "--station", "alpha")

    assert unheard[0] == 1
    assert "does the link have `commands = true`" in unheard[1]
    assert "station alpha is offline" in offline[1]


@on_loop
async def test_an_officer_is_told_what_to_do_next_until_it_is_over(desk, tmp_path):
    async with on_watch(tmp_path, desk.port) as officer:
        officer.say(MAYDAY)
        (name,) = await officer.incidents(1)
        topic = f"incident/{name}/advice"
        await officer.until(lambda: any(told[0] == topic for told in officer.told))
        advised = await desk("incident", "advise", name[:5])
        as_json = await desk("incident", "advise", name[:5], "--json")
        await officer.order("resolve", name)
        await officer.until(lambda: (topic, None) in [told[:2] for told in officer.told])
        over = await desk("incident", "advise", name[:5])

    assert advised[0] == 0
    assert f"Tell the rescue centre of incident {name[:4]}." in advised[1]
    assert "not known: whether this station is a coast station or a ship" in advised[1]
    assert "Nothing of this is done by itself." in advised[1]
    assert msgspec.json.decode(as_json[1])["steps"][-1]["kind"] == "call_rcc"
    assert over[0] == 1
    assert "nothing is proposed" in over[1]


def test_a_broker_that_is_not_there_is_said_so(capsys):
    assert cli.main(["incident", "list", "--host", LOOPBACK, "--port", "1"]) == 1
    assert capsys.readouterr().err.startswith("the broker: ")
