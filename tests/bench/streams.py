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
from pathlib import Path

import msgspec

from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.settings import profile_named
from gateway.verbs.embedded import LOOPBACK, embedded_broker
from tests.bench.figures import MEMORY_MB_MAX, Figure, at_least, at_most, peak_mb, told
from tests.bench.spoken import beacons, calls, fleet, packets, sky
from tests.conftest import Mosquitto

ROUND_S_MAX = 60.0
"""A round that takes longer is stuck, and says so instead of waiting for ever."""
ROOT = Path(__file__).parents[2]


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
    return {"wall_s": wall_s, "lost": 100 * lost, "peak_mb": peak_mb()}


class Rounds(msgspec.Struct):
    """What came of each round of one stream."""

    rates: list[float]
    lost: list[float]
    """Of the routine, percent."""
    peaks_mb: list[float]


def rounds_of(modem: str, link: LinkPlan, wires: list[bytes], rounds: int) -> Rounds:
    """Return what came of it, in a process of its own each time, held to one core."""
    seen = Rounds([], [], [])
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
            seen.rates.append(len(wires) / found["wall_s"])
            seen.lost.append(found["lost"])
            seen.peaks_mb.append(found["peak_mb"])
    return seen


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
        shipped = rounds_of("generic-ais", link, ships, rounds)
        yield from _whole("AIS", 10_000, shipped)
        each = msgspec.structs.replace(link, positions="every")
        every = rounds_of("generic-ais", each, ships, rounds)
        yield told("the same, every report told", "/s", every.rates)
        yield told("  of the routine told, dropped", "%", every.lost)
        yield from _whole("KISS", 5_000, rounds_of("generic-aprs", link, [*packets(1)], rounds))
        yield from _whole("Beast", 15_000, rounds_of("generic-mode_s", link, [*sky(1)], rounds))
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder)).start()
        try:
            link = LinkPlan(name="local", host=LOOPBACK, port=broker.port, client_id="bench")
            signed = rounds_of("generic-nmea", link, [*calls(1)], rounds)
            found = rounds_of("generic-cospas_sarsat", link, [*beacons(1)], rounds)
        finally:
            broker.stop()
    name = "calls journaled (FULL) and signed for (QoS 1), one core"
    yield at_least(name, "/s", 2_000, signed.rates)
    yield told("the same of 406 MHz beacons, printed", "/s", found.rates)
    yield at_most("  memory at its peak", "MB", MEMORY_MB_MAX, found.peaks_mb)


def _whole(name: str, goal: float, found: Rounds) -> Iterator[Figure]:
    line = f"{name} through the whole hallway, one core, as shipped"
    yield at_least(line, "/s", goal, found.rates)
    yield told("  of the routine told, dropped", "%", found.lost)
    yield at_most("  memory at its peak", "MB", MEMORY_MB_MAX, found.peaks_mb)


def main() -> None:
    """Be one round."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    station = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=StationPlan)
    print(msgspec.json.encode(asyncio.run(stream(station, Path(sys.argv[2])))).decode())


if __name__ == "__main__":
    main()
