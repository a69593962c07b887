"""F25: SIGKILL between an order and its outcome: never twice, never without a verdict on disk."""

from __future__ import annotations

import json
import random
import socket
import sqlite3
import threading
import time
from base64 import b64decode
from collections import Counter, deque
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import paho.mqtt.client as paho

from gateway import cli
from gateway.journal.proving import proof_of
from gateway.model.transmission import (
    Area,
    Distress,
    Drill,
    Envelope,
    Letter,
    Relay,
    Signature,
    To,
    signed_bytes,
)
from gateway.points import POINTS
from gateway.settings.agreement import read_agreement
from gateway.settings.ed25519 import read_key
from tests.conftest import Mosquitto
from tests.faults.rig import LOOPBACK, Life
from tests.rigs import rig

WHOLE_TURNS = 25
HEARD_S = 0.4
"""Until an outcome: the gateway answers within some milliseconds, where it lives and listens."""

LIFE_S = 20.0

ORDER_S = 1.0
"""After its order a life that does not come to its point is ended: some points are passed by."""

POINTS_OF_IT = {
    "command.heard": 1,
    "journal.begun": 6,
    "journal.remembered": 6,
    "journal.appended": 4,
    "journal.sealed": 6,
    "journal.committed": 6,
    "journal.settled": 4,
    "command.answered": 4,
    "transmit.intended": 1,
    "transmit.committed": 1,
    "port.write_begun": 1,
    "port.written": 1,
    "transmit.handed": 1,
    "transmit.ended": 1,
    "told.journaled": 4,
    "publish.begun": 6,
    "publish.sent": 6,
    "publish.signed": 6,
}
"""Points between an order and its outcome, and at which of the first so many times one is died."""

SHORT = (
    *("command.heard", "journal.committed", "command.answered", "transmit.intended"),
    *("transmit.committed", "port.write_begun", "port.written", "transmit.handed"),
    "transmit.ended",
)

ALL_OUT = {"transmitted", "confirmed"}
NOTHING_OUT = {"refused", "failed", "expired"}

AGREEMENT = """\
id = "strait"
version = "1"
title = "A relay may be sent"

[parties]
station = { name = "Here", roles = ["coast"] }

[channels]
vhf70 = { hz = 156_525_000, mode = "dsc" }

[rules.S1]
kind = "distress_override"
categories = ["distress"]
source = "a test"
basis = "design"

[rules.S2]
kind = "exclusive_use"
channels = ["vhf70"]
purposes = ["distress_relay"]
modes = ["dsc"]
source = "a test"
basis = "design"
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
per_minute = 60
per_hour = 600
airtime_s_per_hour = 3600.0
"""


class Officer:
    """Signs orders, hands them in, and reads what comes of them."""

    def __init__(self, folder, port, station="alpha"):
        self._station = station
        self._key = read_key(folder / "smith.key")
        self._digest = read_agreement(folder / "strait.toml").digest
        self._told = deque()
        self._news = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(f"distress/v1/{station}/outcome/#", 1)]
        )
        self._client.on_message = self._on_message
        # Or the kernel keeps a letter back, behind the word that the outcome before it was read.
        self._client.on_socket_open = lambda _client, _userdata, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self._client.connect(LOOPBACK, port)
        self._client.loop_start()
        self._count = 0

    def _on_message(self, _client, _userdata, found):
        self._told.append(json.loads(found.payload))
        self._news.set()

    def leave(self):
        self._client.disconnect()
        self._client.loop_stop()

    def give(self, action, challenge=None, *, by="vhf"):
        """Hand in an order, and return its name."""
        self._count += 1
        now = datetime.now(UTC)
        letter = Letter(
            command_id=f"c{self._count}",
            audience=self._station,
            seq=round(now.timestamp() * 1e6),
            issued=now,
            not_after=now + timedelta(seconds=30),
            agreements=(self._digest,),
            port=by,
            action=action,
            challenge=challenge,
        )
        body = msgspec.msgpack.encode(letter)
        signed = b64decode(self._key.sign(signed_bytes(body)))
        envelope = Envelope(letter=body, signatures=(Signature(key="smith", signature=signed),))
        self._client.publish(
            f"distress/v1/{self._station}/command/transmit", msgspec.msgpack.encode(envelope), qos=1
        )
        return letter.command_id

    def outcome(self, name, limit_s):
        """Return the first that is told of this order; None when nothing comes in time."""
        end_s = time.monotonic() + limit_s
        while time.monotonic() < end_s:
            while self._told:
                said = self._told.popleft()
                if said.get("command_id") == name:
                    return said
            self._news.wait(0.02)
            self._news.clear()
        return None


class Deaths:
    """Many lives of one station, each with one order, on one journal and one radio."""

    def __init__(self, folder, officer, radio):
        self._folder, self._officer, self._radio = folder, officer, radio
        self.ordered = {}
        """The casualty that each order names: what tells it from all others on the air."""
        self.killed = 0

    def live(self, point, turn):
        """Run a station until it dies at this point of an order, or has carried it out."""
        words = ("run", "--config", str(self._folder / "gateway.toml"))
        life = Life(["tests/faults/armed.py", point, str(turn), "kill", *words])
        try:
            assert life.wait_watch() or life.ended_ns
            self._order(life)
            end_s = time.monotonic() + (LIFE_S if point == "-" else ORDER_S)
            while life.process.poll() is None and time.monotonic() < end_s:
                if point == "-" and self._settled():
                    break
                time.sleep(0.01)
        finally:
            self.killed += 1
            if point == "-":
                life.end()
            life.kill()

    def _order(self, life):
        """Give a command first, which asks for the challenge where there is one, then the order."""
        said = None
        while said is None:
            if life.process.poll() is not None:
                return
            said = self._officer.outcome(self._officer.give(Drill(what="stop")), HEARD_S)
        casualty = f"232{len(self.ordered):06d}"
        area = Area(lat_deg=52, lon_deg=-6, southwards_deg=3, eastwards_deg=5)
        relay = Relay(distress=Distress(mmsi=casualty), to=To.AREA, area=area)
        self.ordered[self._officer.give(relay, said.get("challenge"))] = casualty

    def _settled(self):
        notes = self.notes()
        return all(
            not found or found[-1]["stage"] in ALL_OUT | NOTHING_OUT | {"unknown"}
            for found in map(notes.get, self.ordered)
        )

    def notes(self):
        """Return what the journal has of each order, stage by stage."""
        found = {}
        path = f"file:{self._folder / 'journal.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=5)) as database:
            for (body,) in database.execute("SELECT body FROM entry ORDER BY number"):
                item = msgspec.msgpack.decode(body)
                if "stage" in item:
                    found.setdefault(item["command_id"], []).append(item)
        return found

    def verdicts(self):
        """Return every verdict that is on disk."""
        path = f"file:{self._folder / 'journal.db'}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=5)) as database:
            items = (
                msgspec.msgpack.decode(body)
                for (body,) in database.execute("SELECT body FROM entry")
            )
            return {item["verdict_id"] for item in items if "verdict_id" in item}

    def air(self):
        """Return how often each casualty was relayed."""
        return Counter(call.split(b",")[8].decode()[:9] for call in self._radio.air)


def test_every_point_is_one():
    assert POINTS_OF_IT.keys() <= POINTS.keys()
    assert set(SHORT) <= POINTS_OF_IT.keys()
    assert len(POINTS_OF_IT) >= 12


@contextmanager
def dying(folder):
    """Give many lives of one station, with its broker, its radio and its officer."""
    (folder / "modems").mkdir()
    (folder / "modems" / "bench-dsc.toml").write_text(MODEM)
    (folder / "strait.toml").write_text(AGREEMENT)
    key = ("--file", folder / "smith.key", "--keys", folder / "keys.toml")
    words = ("keys", "new", "smith", "--person", "Smith", "--role", "officer", *key)
    assert cli.main([str(word) for word in (*words, "--role", "instructor")]) == 0
    broker = Mosquitto(folder).start()
    try:
        with rig("dsc_radio.py") as radio:
            config = CONFIG.format(device=radio.device, host=LOOPBACK, broker=broker.port)
            (folder / "gateway.toml").write_text(config)
            officer = Officer(folder, broker.port)
            yield Deaths(folder, officer, radio)
            officer.leave()
    finally:
        broker.stop()


def test_killed_between_an_order_and_its_outcome_it_never_transmits_twice(tmp_path, whole, figure):
    """At most once, never without its verdicts on disk, and what became of it is told truly."""
    dice = random.Random(25)
    with dying(tmp_path) as deaths:
        for point, turn_max in POINTS_OF_IT.items():
            if not whole and point not in SHORT:
                continue
            for _ in range(WHOLE_TURNS if whole else 1):
                first = "command.heard#2>" if point != "command.heard" else ""
                turn = 2 if point == "command.heard" else dice.randint(1, turn_max)
                deaths.live(f"{first}{point}", turn)
        killed = deaths.killed
        deaths.live("-", 1)
        notes, air, verdicts = deaths.notes(), deaths.air(), deaths.verdicts()
        ends = Counter(found[-1]["stage"] for found in map(notes.get, deaths.ordered) if found)
        figure(
            "F25",
            f"{killed} deaths, {len(deaths.ordered)} orders: "
            f"{sum(count > 1 for count in air.values())} twice; "
            f"{sum(map(bool, air.values()))} went out, and the last word was "
            f"{', '.join(f'{count} {stage}' for stage, count in sorted(ends.items()))}",
        )

        assert len(deaths.ordered) >= killed / 2, "most lives came to their order"
        for name, casualty in deaths.ordered.items():
            _holds(notes.get(name, []), air[casualty], verdicts)
        assert proof_of(str(tmp_path / "journal.db")).holds


def _holds(stages, times, verdicts):
    """See that what is told of one order is what became of it."""
    last = stages[-1]["stage"] if stages else None
    assert times <= 1, "never twice"
    assert last is None or last in ALL_OUT | NOTHING_OUT | {"unknown"}, "it is told how it ended"
    if times:
        intent = next(one for one in stages if one["stage"] == "transmitting")
        assert set(intent["verdicts"]) <= verdicts, "never without its verdicts on disk"
        assert intent["verdicts"]
        assert last in {*ALL_OUT, "unknown"}
    else:
        assert last not in ALL_OUT
