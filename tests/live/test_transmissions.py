"""A station that may transmit, an officer with a key, and a radio: from the letter to the air."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import msgspec
import pytest
from rigs import rig

from gateway import cli
from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.model.plan import (
    JournalPlan,
    LinkPlan,
    LogPlan,
    PortPlan,
    StationPlan,
    TransmitPlan,
)
from gateway.model.words import ClockState
from gateway.settings import load, profile_named
from gateway.settings.agreement import read_agreement
from gateway.settings.keys import read_keys
from gateway.verbs import send

HERE = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
ROOT = "distress/v1/alpha"
WAIT_S = 15.0
SHIP = "232123456"
HEARD = "$CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E*6E"
MAYDAY = "say CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E"
BANDS = {
    "vhf": 156_525_000,
    "mf": 2_187_500,
    "hf": 8_414_500,
    "drill": 156_525_000,
    "aprs": 144_800_000,
    "ais": 161_975_000,
}
MODEMS = {
    "aprs": ("kiss_tnc.py", "generic-aprs-transmit"),
    "ais": ("ais_transponder.py", "generic-ais-transmit"),
}
RADIO = ("dsc_radio.py", "generic-dsc-transmit")
AGREEMENT = """\
id = "strait"
version = "1"
title = "A coast station, and a silence on its calling channels"

[parties]
station = { name = "Here", roles = ["coast"], match = { mmsi = ["002320000"] } }
ships = { name = "Ships", roles = ["ship"], match = { mid = [232] } }

[channels]
vhf70 = { hz = 156_525_000, mode = "dsc" }
mf_dsc = { hz = 2_187_500, mode = "dsc" }
hf8_dsc = { hz = 8_414_500, mode = "dsc" }
aprs = { hz = 144_800_000, mode = "aprs" }
ais1 = { hz = 161_975_000, mode = "ais" }

[groups]
dsc = ["vhf70", "mf_dsc", "hf8_dsc"]

[rules.S1]
kind = "distress_override"
categories = ["distress"]
source = "a test"
basis = "design"

[rules.S2]
kind = "exclusive_use"
channels = ["dsc"]
purposes = ["distress_ack", "distress_relay", "calling", "test"]
modes = ["dsc"]
source = "a test"
basis = "design"

[rules.S6]
kind = "exclusive_use"
channels = ["aprs", "ais1"]
purposes = ["safety_announce"]
modes = ["aprs", "ais"]
source = "a test"
basis = "design"

[rules.S3]
kind = "ack_deadline"
who = ["station"]
when = { type = ["distress_alert"], system = ["dsc"] }
per_band = { vhf = { max_s = 300 }, mf = { min_s = 60, max_s = 165 } }
source = "a test"
basis = "design"

[rules.S4]
kind = "silence"
channels = ["dsc"]
impose_by = ["SEELONCE MAYDAY"]
lift_by = ["SEELONCE FEENEE"]
may_speak = ["distressed", "controlling"]
review_after_s = 1800
source = "a test"
basis = "design"

[rules.S5]
kind = "relay"
if_no_ack_s = 0
who = ["station"]
to_many = ["all_ships"]
via = "dsc_relay"
form = "MAYDAY RELAY"
when = { type = ["distress_alert"], system = ["dsc"] }
forbid_to = { hf = [{ to = "all_ships" }] }
source = "a test"
basis = "design"
"""


class Desk:
    """An officer at a command line, beside a station with its radios."""

    def __init__(self, folder, broker):
        self.folder, self.broker = folder, broker
        self.told = []

    def make_keys(self):
        for name, role in (("smith", "officer"), ("drill", "instructor")):
            words = ("keys", "new", name, "--person", name, "--role", role)
            files = ("--file", self.folder / f"{name}.key", "--keys", self.folder / "keys.toml")
            assert cli.main([str(word) for word in (*words, *files)]) == 0

    def typed(self, *words, by, key):
        where = ("--host", LOOPBACK, "--port", self.broker, "--station", "alpha")
        keys = ("--key", self.folder / f"{key}.key", "--keys", self.folder / "keys.toml")
        return [str(word) for word in ("send", *words, "--by", by, *keys, *where)]

    async def send(self, *words, by="vhf", key="smith"):
        """Type a command; return its exit status."""
        return await asyncio.to_thread(cli.main, self.typed(*words, by=by, key=key))

    async def hand_in(self, *words, by="vhf", key="smith"):
        """Hand in what that command would, and wait for nothing."""
        args = cli._parser().parse_args(self.typed(*words, by=by, key=key))
        status = next(said for name, said in self.told if name == "status")
        letter = send.letter_of(args, "alpha", status.get("agreements", {}))
        envelope = send.sealed(letter, send.pens_of(args))
        topic = f"{ROOT}/command/transmit"
        await self.client.publish(topic, msgspec.json.encode(envelope), qos=1)

    def stages(self, port):
        """Return each stage that was told of the orders of a port."""
        topic = f"transmission/{port}"
        return [said["note"] for name, said in self.told if name == topic]

    def states(self, port):
        return [one["stage"] for one in self.stages(port)]

    async def until(self, condition):
        async with asyncio.timeout(WAIT_S):
            while not condition():
                await asyncio.sleep(0.005)


class HeldClock(Clock):
    """The box's own clock, held to a reference whatever this machine says of its own."""

    def now(self):
        return msgspec.structs.replace(super().now(), clock=ClockState.NTP)


@asynccontextmanager
async def on_watch(folder, broker, *names, agreement=AGREEMENT, more=()):
    """Run a station with these radios and more ports, and give its officer."""
    path = folder / "strait.toml"
    path.write_text(agreement)
    desk = Desk(folder, broker)
    desk.make_keys()
    with contextlib.ExitStack() as rigs:
        desk.radios = {name: rigs.enter_context(rig(MODEMS.get(name, RADIO)[0])) for name in names}
        plan = StationPlan(
            station="alpha",
            ports=(*(_port(name, one.device) for name, one in desk.radios.items()), *more),
            links=(
                LinkPlan(name="local", host=LOOPBACK, port=broker, client_id="gw", commands=True),
            ),
            journal=JournalPlan(path=str(folder / "journal.db")),
            record=None,
            log=LogPlan(level="error"),
            transmit=TransmitPlan(mmsi="002320000", callsign="M0ABC"),
            agreements=(msgspec.structs.replace(read_agreement(path), own="station"),),
            keys=read_keys(folder / "keys.toml"),
        )
        async with _serving(plan, desk):
            yield desk


def _port(name, device):
    modem = MODEMS.get(name, RADIO)[1]
    return PortPlan(
        name=name,
        device=device,
        adapter="none",
        modem=modem,
        profile=msgspec.structs.replace(profile_named(modem), freq_hz=BANDS[name]),
        exercise=name == "drill",
    )


@asynccontextmanager
async def _serving(plan, desk):
    log = set_up(level="critical", as_json=True)
    service = Service(plan, clock=HeldClock(), log=log, dice=random.Random(1))
    duty = asyncio.create_task(service.run())
    try:
        async with aiomqtt.Client(
            LOOPBACK, desk.broker, protocol=aiomqtt.ProtocolVersion.V5
        ) as client:
            await client.subscribe(f"{ROOT}/#", qos=1)
            desk.client, desk.service = client, service
            ears = asyncio.create_task(_listen(client, desk.told))
            await service.on_watch.wait()
            (link,) = service._watch._links
            await desk.until(lambda: all(bus.connected for _, bus in link._buses))
            await desk.until(lambda: service._watch._transmitting.unfinished.begun)
            await desk.until(lambda: any(name == "status" for name, _ in desk.told))
            yield
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
        told.append((said.topic.value.removeprefix(f"{ROOT}/"), payload))


async def mayday(desk, port):
    """Have a radio tell of an alert, and return the incident that it makes."""
    desk.radios[port].tell(MAYDAY)
    await desk.until(lambda: any(name.startswith("incident/") for name, _ in desk.told))
    return next(name for name, _ in desk.told if name.startswith("incident/")).split("/")[1]


def scene(story):
    async def limited():
        async with asyncio.timeout(4 * WAIT_S):
            await story()

    asyncio.run(limited())


def test_a_mayday_on_vhf_is_acknowledged_by_one_signed_command(mosquitto, tmp_path, capfd):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, "vhf") as desk:
            incident = await mayday(desk, "vhf")
            assert await desk.send("ack", "--about", incident[:6]) == 0
            await desk.until(lambda: desk.radios["vhf"].air)
            await desk.until(lambda: "transmitted" in desk.states("vhf"))

            (call,) = desk.radios["vhf"].air
            assert SHIP.encode() in call
            assert desk.radios["vhf"].bad == []
            assert desk.states("vhf") == ["accepted", "transmitting", "transmitted"]
            assert desk.stages("vhf")[1]["verdicts"]
            assert desk.stages("vhf")[1]["persons"] == ["smith"]

    scene(story)
    assert "transmitted" in capfd.readouterr().out


def test_too_early_on_mf_it_waits_for_the_floor(mosquitto, tmp_path):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, "mf") as desk:
            await mayday(desk, "mf")
            await desk.hand_in("ack", "--mmsi", SHIP, by="mf")
            await desk.until(lambda: "queued" in desk.states("mf"))
            queued = next(one for one in desk.stages("mf") if one["stage"] == "queued")
            until = datetime.fromisoformat(queued["until"])

            assert queued["clause"] == "strait/S3"
            assert timedelta(seconds=50) < until - datetime.now(UTC) <= timedelta(seconds=60)
            assert desk.radios["mf"].air == []

    scene(story)


@pytest.mark.parametrize(
    ("port", "words"),
    [("aprs", ("Gale warning", "--bulletin", "1")), ("ais", ("GALE WARNING",))],
    ids=["aprs", "ais"],
)
def test_a_text_is_said_by_packet_radio_and_by_ais(mosquitto, tmp_path, port, words):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, port) as desk:
            await desk.hand_in("text", "safety", *words, by=port)
            await desk.until(lambda: desk.radios[port].air)
            await desk.until(lambda: "transmitted" in desk.states(port))
            (line,) = desk.radios[port].lines("air")

            assert words[0] in line.words
            assert desk.radios[port].bad == []

    scene(story)


@contextlib.contextmanager
def packed_modem():
    """Run the reference modem of the packed link; give its port, and the lines that it prints."""
    command = [sys.executable, "hardware/rig/packed_modem.py", "--serial", "17-0042"]
    command += ["--say", json.dumps({"t": "raw", "radio": "dsc", "body": {"ascii": HEARD}})]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True) as running:
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(running.stdout), daemon=True)
        modem = "generic-packed-transmit"
        try:
            port = PortPlan(
                name="packed",
                device=running.stdout.readline().strip(),
                adapter="none",
                modem=modem,
                modem_serial="17-0042",
                profile=msgspec.structs.replace(profile_named(modem), freq_hz=BANDS["vhf"]),
            )
            reader.start()
            yield port, lines
        finally:
            running.kill()
            reader.join()


def test_a_packed_modem_says_who_it_is_then_calls_once_and_says_that_it_has(mosquitto, tmp_path):
    """It is tested on its line before, which no clause names and which keys nothing."""

    async def story():
        with packed_modem() as (port, lines):
            async with on_watch(tmp_path, mosquitto().port, more=(port,)) as desk:
                (wire,) = desk.service._watch._ports
                await desk.until(lambda: wire.state.transmit.now == "ready")
                assert await desk.send("modem", "link_test", by="packed") == 0
                await desk.until(lambda: desk.states("packed")[-1:] == ["confirmed"])
                await desk.until(lambda: any(name.startswith("incident/") for name, _ in desk.told))
                await desk.hand_in("ack", "--mmsi", SHIP, by="packed")
                await desk.until(lambda: desk.states("packed").count("confirmed") == 2)
                why = [one.get("reason") for one in desk.stages("packed")]

                (call,) = (line for line in lines if line.startswith("sends"))
                assert SHIP in call
                assert "its modem has answered" in why
                assert why[-1] == "its modem has sent it"

    scene(story)


def test_a_relay_to_all_ships_is_refused_on_hf(mosquitto, tmp_path, capfd):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, "hf") as desk:
            incident = await mayday(desk, "hf")
            relay = ("relay", "--about", incident, "--to", "all_ships")

            assert await desk.send(*relay, by="hf") == 1
            await desk.until(lambda: desk.states("hf") == ["refused"])
            assert desk.radios["hf"].air == []

    scene(story)
    assert "strait/S5" in capfd.readouterr().err


def test_silence_stops_a_routine_call_and_no_distress_relay(mosquitto, tmp_path, capfd):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, "vhf") as desk:
            incident = await mayday(desk, "vhf")
            statement = {
                "command_id": "s1",
                "what": "spoken",
                "channel": "vhf70",
                "words": "SEELONCE MAYDAY",
                "author": "smith",
                "not_after": (datetime.now(UTC) + timedelta(seconds=30)).isoformat(),
            }
            await desk.client.publish(
                f"{ROOT}/command/statement", msgspec.json.encode(statement), qos=1
            )
            await desk.until(lambda: any(name == "statement/spoken" for name, _ in desk.told))
            routine = ("call", "routine", "--to", "individual", "--address", "232000001")
            relay = ("relay", "--about", incident, "--to", "all_ships")

            assert await desk.send(*routine) == 1
            assert await desk.send(*relay) == 0
            (call,) = desk.radios["vhf"].air
            assert call.startswith(b"$IIDSC,16,")

    scene(story)
    assert "is silent until SEELONCE FEENEE" in capfd.readouterr().err


def test_nothing_of_an_exercise_reaches_a_real_transmitter(mosquitto, tmp_path):
    async def story():
        async with on_watch(tmp_path, mosquitto().port, "vhf", "drill") as desk:
            desk.radios["drill"].tell(MAYDAY)
            desk.radios["vhf"].tell(MAYDAY)
            await desk.until(
                lambda: any(name.startswith("exercise/incident/") for name, _ in desk.told)
            )
            ack = ("ack", "--mmsi", SHIP, "--exercise")

            assert await desk.send(*ack, by="drill") == 1, "no exercise runs"
            assert await desk.send("exercise", "start", by="drill", key="drill") == 0
            assert await desk.send(*ack, by="vhf") == 1
            assert await desk.send("ack", "--mmsi", SHIP, by="drill") == 1
            assert desk.radios["vhf"].air == []
            assert desk.radios["drill"].air == []

    scene(story)


CONFIG = """\
[station]
name = "alpha"
agreements = ["strait.toml"]
party = {{ strait = "station" }}
keys = "keys.toml"

[port.vhf]
device = "{device}"
modem = "bench-dsc"
freq_hz = 156_525_000
adapter = "none"

[link.local]
host = "{host}"
port = {broker}
commands = true

[journal]
path = "journal.db"

[transmit]
mmsi = "002320000"
"""
MODEM = """\
title = "A radio on the bench"
radio = "dsc"
framing = "nmea"
baud = 4800
silence_s = 0
transmit = true
proven = "this test"
"""
PUBLIC = "ed25519:O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
SPOILT = {
    "good": (lambda text: text, True),
    "gone": (lambda _text: None, False),
    "corrupt": (lambda text: text.replace("[channels]", "[channels"), False),
    "of another form": (lambda text: text.replace('kind = "silence"', 'kind = "quiet"'), False),
    "ended": (lambda text: f'{text}\n[status]\nstate = "terminated"\n', False),
    "proposed": (lambda text: f'{text}\n[status]\nstate = "proposed"\n', False),
    "swapped for one that nobody has signed": (
        lambda text: text.replace(
            'roles = ["coast"]', f'roles = ["coast"], public_key = "{PUBLIC}"'
        ),
        False,
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_without_its_agreement_a_station_hears_and_keeps_everything_and_transmits_nothing(
    mosquitto, tmp_path, how
):
    spoil, transmits = SPOILT[how]

    async def story():
        desk = Desk(tmp_path, mosquitto().port)
        desk.make_keys()
        text = spoil(AGREEMENT)
        if text is not None:
            (tmp_path / "strait.toml").write_text(text)
        (tmp_path / "modems").mkdir()
        (tmp_path / "modems" / "bench-dsc.toml").write_text(MODEM)
        with rig("dsc_radio.py") as radio:
            desk.radios = {"vhf": radio}
            path = tmp_path / "gateway.toml"
            path.write_text(CONFIG.format(device=radio.device, host=LOOPBACK, broker=desk.broker))
            async with _serving(load(path, on_watch=True), desk):
                await mayday(desk, "vhf")
                await desk.hand_in("ack", "--mmsi", SHIP, "--nature", "sinking")
                await desk.until(lambda: any(name.startswith("outcome/") for name, _ in desk.told))
                outcome = next(said for name, said in desk.told if name.startswith("outcome/"))
                await asyncio.sleep(0.2)

        assert bool(radio.air) == transmits
        assert (outcome["state"] == "accepted") == transmits
        assert transmits or outcome["reason"]
        assert any(name == "report/distress/dsc" for name, _ in desk.told)

    scene(story)


def test_a_radio_that_hangs_is_heard_and_spoken_to_no_more(mosquitto, tmp_path):
    """What it never takes may have gone out: nobody says that it did not."""

    async def story():
        async with on_watch(tmp_path, mosquitto().port, "vhf") as desk:
            incident = await mayday(desk, "vhf")
            desk.radios["vhf"].tell("stall")
            assert await desk.send("ack", "--about", incident) == 0, "the kernel has taken it"
            desk.radios["vhf"].tell("go on")
            await desk.until(lambda: desk.radios["vhf"].air)
            assert len(desk.radios["vhf"].air) == 1

    scene(story)
