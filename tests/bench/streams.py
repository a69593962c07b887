"""How much goes through the whole service in a second, on one core: a process of its own each time.

python -m tests.bench.streams PLAN TAPE      be one round, and print what came of it
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec
from pyais import encode_dict

from gateway.app import Service
from gateway.clock import Clock
from gateway.framing.kiss import Kiss
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.radio.aprs.content import write_position
from gateway.radio.aprs.mice import write_mic_e
from gateway.radio.aprs.packet import Packet, write_packet
from gateway.settings import profile_named
from gateway.verbs.embedded import LOOPBACK, embedded_broker
from tests.bench.figures import Figure, at_least, told
from tests.conftest import Mosquitto
from tests.faults.traffic import Traffic

SENTENCES = 40_000
CALLS = 20_000
ROUND_S_MAX = 60.0
"""A round that takes longer is stuck, and says so instead of waiting for ever."""
CRAFT = 500
ROOT = Path(__file__).parents[2]


def fleet(seed: int) -> Iterator[bytes]:
    """Yield a busy roadstead: mostly positions, some names, base stations and texts."""
    dice = random.Random(seed)
    for number in range(SENTENCES):
        mmsi = 200_000_000 + dice.randrange(CRAFT)
        lat, lon = dice.uniform(50, 52), dice.uniform(0, 3)
        common = {"mmsi": mmsi, "lat": lat, "lon": lon, "second": number % 60}
        kind = dice.choices((1, 3, 18, 4, 24, 14), (55, 20, 12, 8, 4, 1))[0]
        fields: dict[str, object] = {"type": kind, **common}
        if kind in (1, 3, 18):
            fields |= {"speed": dice.uniform(0, 20), "course": dice.uniform(0, 359)}
        elif kind == 24:
            fields = {"type": 24, "partno": 0, "mmsi": mmsi, "shipname": f"SHIP {mmsi % 1000}"}
        elif kind == 14:
            fields = {"type": 14, "mmsi": mmsi, "text": "NAVIGATION WARNING"}
        for line in encode_dict(fields, talker_id="AI", radio_channel="AB"[number % 2]):
            yield f"{line}\r\n".encode()


def calls(seed: int) -> Iterator[bytes]:
    """Yield what must be told one by one: distress, urgency and safety calls, all different."""
    for sentence in islice(Traffic(seed).urgent(), CALLS):
        yield sentence.wire


def packets(seed: int) -> Iterator[bytes]:
    """Yield a busy channel of packet radio: what moves, what stands, and what they say."""
    dice = random.Random(seed)
    for number in range(SENTENCES):
        lat, lon = dice.uniform(50, 52), dice.uniform(0, 3)
        source, path = f"N{number % CRAFT}CALL"[:6], ("WIDE1-1*", "WIDE2-1")
        to, body = write_mic_e(lat, lon, comment=b"on watch")
        kind = dice.choices(("mic_e", "position", "status"), (50, 40, 10))[0]
        if kind == "position":
            to, body = "APRS", write_position(lat, lon, comment="088/036on watch")
        elif kind == "status":
            to, body = "APRS", b">on watch %d" % number
        yield Kiss.wrap(write_packet(Packet(source, to, path, body)))


def plan(folder: str, port: str, modem: str, link: LinkPlan) -> StationPlan:
    """Return a station that hears one tape and speaks to one broker."""
    return StationPlan(
        station="bench",
        ports=(PortPlan(name="tape", device=port, modem=modem, profile=profile_named(modem)),),
        links=(link,),
        journal=JournalPlan(path=str(Path(folder, "journal.db"))),
        record=None,
        log=LogPlan(level="error"),
    )


async def stream(station: StationPlan, tape: Path) -> dict[str, float]:
    """Let the whole service hear the tape; return what it took, and percent not told.

    The tape is put in place once the broker is connected: until then its port finds nothing.
    """
    device = Path(station.ports[0].device.removeprefix("tape:").partition("?")[0])
    size_bytes = tape.stat().st_size
    service = Service(
        station,
        clock=Clock(),
        log=set_up(level="error", as_json=True),
        dice=random.Random(1),
    )
    async with asyncio.timeout(ROUND_S_MAX), asyncio.TaskGroup() as group:
        duty = group.create_task(service.run())
        await service.on_watch.wait()
        while not service.status().links["local"].connected:
            await asyncio.sleep(0.02)
        device.symlink_to(tape)
        began_s = time.perf_counter()
        while True:
            await asyncio.sleep(0.02)
            status = service.status()
            heard = status.ports["tape"].bytes.heard
            journal = status.journal
            if heard >= size_bytes and journal and not journal.backlog + journal.outbox["local"]:
                break
        wall_s = time.perf_counter() - began_s
        duty.cancel()
    link = status.links["local"]
    lost = link.dropped / max(1, link.dropped + link.offered)
    return {"wall_s": wall_s, "lost": 100 * lost}


def rounds_of(
    modem: str, link: LinkPlan, wires: list[bytes], rounds: int
) -> tuple[list[float], list[float]]:
    """Return sentences a second through the whole hallway, and what of the routine was lost.

    Each round has a process of its own, held to one core.
    """
    rates, lost = [], []
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder, "all.nmea")
        tape.write_bytes(b"".join(wires))
        for turn in range(rounds):
            device = f"tape:{folder}/{turn}.nmea?speed=max"
            station = plan(str(Path(folder, str(turn))), device, modem, link)
            asked = Path(folder, "plan.msgpack")
            asked.write_bytes(msgspec.msgpack.encode(station))
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.streams", str(asked), str(tape)],
                check=True,
                stdout=subprocess.PIPE,
                cwd=ROOT,
            )
            found = msgspec.json.decode(done.stdout, type=dict[str, float])
            rates.append(len(wires) / found["wall_s"])
            lost.append(found["lost"])
    return rates, lost


def figures(rounds: int) -> Iterator[Figure]:
    """Measure what goes through: positions as they come, and calls that must not be lost."""
    ships = list(fleet(1))
    with embedded_broker() as broker:
        link = LinkPlan(
            name="local",
            host=LOOPBACK,
            port=broker.port_v311,
            client_id="bench",
            version="3.1.1",
            routine_per_s=100_000,  # the machine is measured, not the limit
        )
        shipped, shipped_lost = rounds_of("generic-ais", link, ships, rounds)
        yield at_least("AIS through the whole hallway, one core, as shipped", "/s", 10_000, shipped)
        yield told("  of the routine told, dropped", "%", shipped_lost)
        each = msgspec.structs.replace(link, positions="every")
        every, every_lost = rounds_of("generic-ais", each, ships, rounds)
        yield told("the same, every report told", "/s", every)
        yield told("  of the routine told, dropped", "%", every_lost)
        heard, heard_lost = rounds_of("generic-aprs", link, list(packets(1)), rounds)
        yield at_least("KISS through the whole hallway, one core, as shipped", "/s", 5_000, heard)
        yield told("  of the routine told, dropped", "%", heard_lost)
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder)).start()
        try:
            link = LinkPlan(name="local", host=LOOPBACK, port=broker.port, client_id="bench")
            rates, _ = rounds_of("generic-nmea", link, list(calls(1)), rounds)
        finally:
            broker.stop()
    yield at_least("calls journaled (FULL) and signed for (QoS 1), one core", "/s", 2_000, rates)


def main() -> None:
    """Be one round."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    station = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=StationPlan)
    print(msgspec.json.encode(asyncio.run(stream(station, Path(sys.argv[2])))).decode())


if __name__ == "__main__":
    main()
