"""Measure what the project promises of its speed, and print it with the machine's name.

    make bench                 all figures
    make bench ROUNDS=9        more rounds: a narrower spread

Every figure is the median over rounds with its least and greatest, on this machine as it is: other
work on it shows. Nothing here passes or fails; a goal that is missed is printed as missed.
"""

import argparse
import asyncio
import os
import platform
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from pyais import encode_dict

from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.settings import profile_named
from gateway.verbs.embedded import LOOPBACK, embedded_broker

SENTENCES = 40_000
ROUND_S_MAX = 60.0
"""A round that takes longer is stuck, and says so instead of waiting for ever."""
CRAFT = 500
COMMAND = Path(sys.executable).with_name("distress-gateway")


class Figure(msgspec.Struct):
    """One promise and what came of it."""

    name: str
    unit: str
    goal: str
    values: list[float]
    kept: Callable[[float], bool]

    def line(self) -> str:
        """Return the figure as a line of the table."""
        median = statistics.median(self.values)
        verdict = "kept" if self.kept(median) else "MISSED"
        spread = f"{min(self.values):,.1f} .. {max(self.values):,.1f}"
        found = f"{self.name:<58} {median:>10,.1f} {self.unit:<6} ({spread})"
        return f"{found}  goal {self.goal}: {verdict}"


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


def plan(folder: str, port: str, broker_port: int, positions: str) -> StationPlan:
    """Return a station that hears one tape and speaks to one broker, as shipped."""
    return StationPlan(
        station="bench",
        ports=(
            PortPlan(
                name="ais", device=port, modem="generic-ais", profile=profile_named("generic-ais")
            ),
        ),
        links=(
            LinkPlan(
                name="local",
                host=LOOPBACK,
                port=broker_port,
                client_id="bench",
                version="3.1.1",
                positions=positions,
                routine_per_s=100_000,  # the machine is measured, not the limit
            ),
        ),
        journal=JournalPlan(path=str(Path(folder, "journal.db"))),
        record=None,
        log=LogPlan(level="error"),
    )


async def stream(station: StationPlan, tape: Path) -> dict[str, float]:
    """Let the whole service hear the tape; return sentences a second, and percent not told.

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
            heard = status.ports["ais"].bytes.heard
            if heard >= size_bytes and status.journal and not status.journal.backlog:
                break
        wall_s = time.perf_counter() - began_s
        duty.cancel()
    link = status.links["local"]
    lost = link.dropped / max(1, link.dropped + link.offered)
    return {"rate": SENTENCES / wall_s, "lost": 100 * lost}


def throughput(positions: str, rounds: int) -> tuple[list[float], list[float]]:
    """Return sentences a second through the whole hallway, and what of the routine was lost.

    Each round has a process of its own, held to one core.
    """
    rates, lost = [], []
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder, "fleet.nmea")
        tape.write_bytes(b"".join(fleet(1)))
        with embedded_broker() as broker:
            for turn in range(rounds):
                station = plan(
                    str(Path(folder, str(turn))),
                    f"tape:{folder}/{turn}.nmea?speed=max",
                    broker.port_v311,
                    positions,
                )
                asked = Path(folder, "plan.msgpack")
                asked.write_bytes(msgspec.msgpack.encode(station))
                done = subprocess.run(
                    [sys.executable, __file__, "--stream", str(asked), str(tape)],
                    check=True,
                    capture_output=True,
                )
                found = msgspec.json.decode(done.stdout, type=dict[str, float])
                rates.append(found["rate"])
                lost.append(found["lost"])
    return rates, lost


def help_ms(rounds: int) -> list[float]:
    """Return how long `--help` takes."""
    found = []
    for _ in range(rounds * 3):
        began = time.perf_counter()
        subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
        found.append((time.perf_counter() - began) * 1e3)
    return found


def start_and_rest(rounds: int) -> tuple[list[float], list[float]]:
    """Return seconds from the command to `watch_begun`, and megabytes resident after a rest."""
    starts, rests = [], []
    with tempfile.TemporaryDirectory() as folder, embedded_broker() as broker:
        for turn in range(rounds):
            masters = [os.openpty() for _ in range(3)]
            config = Path(folder, f"{turn}.toml")
            config.write_text(
                "[station]\nname = 'bench'\n"
                + "".join(
                    f"[port.{name}]\ndevice = '{os.ttyname(pair[1])}'\nmodem = 'generic-{name}'\n"
                    for name, pair in zip(("dsc", "ais", "gnss"), masters, strict=True)
                )
                + f"[link.local]\nhost = '127.0.0.1'\nport = {broker.port_v311}\n"
                + "version = '3.1.1'\n"
                + f"[journal]\npath = '{folder}/{turn}.db'\n[log]\nformat = 'json'\n"
            )
            began = time.perf_counter()
            with subprocess.Popen(
                [COMMAND, "run", "--config", config], stderr=subprocess.PIPE, text=True
            ) as child:
                for line in child.stderr or ():
                    if "watch_begun" in line:
                        break
                starts.append(time.perf_counter() - began)
                time.sleep(3)
                held = Path(f"/proc/{child.pid}/status").read_text()
                rests.append(int(re.findall(r"VmRSS:\s+(\d+)", held)[0]) / 1e3)
                child.send_signal(signal.SIGTERM)
            for pair in masters:
                for end in pair:
                    os.close(end)
    return starts, rests


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--stream", nargs=2, metavar=("PLAN", "TAPE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stream:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        station = msgspec.msgpack.decode(Path(args.stream[0]).read_bytes(), type=StationPlan)
        print(msgspec.json.encode(asyncio.run(stream(station, Path(args.stream[1])))).decode())
        return
    print(machine())
    starts, rests = start_and_rest(args.rounds)
    shipped, shipped_lost = throughput("conflated", args.rounds)
    every, every_lost = throughput("every", args.rounds)
    for figure in (
        Figure(
            "AIS through the whole hallway, one core, as shipped",
            "/s",
            ">= 10,000",
            shipped,
            lambda value: value >= 10_000,
        ),
        Figure("  of the routine told, dropped", "%", "none set", shipped_lost, lambda _: True),
        Figure("the same, every report told", "/s", "none set", every, lambda _: True),
        Figure("  of the routine told, dropped", "%", "none set", every_lost, lambda _: True),
        Figure("--help", "ms", "<= 150", help_ms(args.rounds), lambda value: value <= 150),
        Figure("command to on watch, three ports", "s", "<= 1.5", starts, lambda v: v <= 1.5),
        Figure("memory at rest, three ports", "MB", "<= 60", rests, lambda value: value <= 60),
    ):
        print(figure.line(), flush=True)


def machine() -> str:
    """Name the machine."""
    found = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    model = found[0] if found else platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )


if __name__ == "__main__":
    main()
