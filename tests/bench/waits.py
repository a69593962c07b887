"""How long a call waits: until it is on disk, until a subscriber has it, behind a flood.

The real process on four ptys, a real mosquitto, and a subscriber that signs; it, and who speaks,
share the machine with the gateway. Times are those of one monotonic clock, from just before a
sentence is handed to the kernel.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from tests.bench.figures import MEMORY_MB_MAX, Figure, at_least, at_most, share_of, told
from tests.bench.spoken import fleet
from tests.faults.rig import Rig, Setting
from tests.faults.test_outage import Outage, outage

WATCHED = str(Path(__file__).with_name("watched.py"))
SPEAK_S = 10.0
QUEUED = 20_000
"""Routine reports that stand before a call for help."""

EVERY = "positions = 'every'\nroutine_per_s = 100000"
"""All of it is told: the machine is measured, not the limit."""


class Seen(msgspec.Struct):
    """What one run showed."""

    kept_ms: list[float]
    told_ms: list[float]
    lag_ms: dict[str, float]
    peak_mb: float


def figures(rounds: int, outage_s: float) -> Iterator[Figure]:
    """Measure waits, a flood and an outage."""
    mixed = [_spoken(100, share=0.02) for _ in range(rounds)]
    kept = "last byte to journaled, 100/s mixed on 4 ptys"
    yield at_most(f"{kept}, p99", "ms", 15, [share_of(seen.kept_ms, 0.99) for seen in mixed])
    yield at_most(f"{kept}, p99.9", "ms", 50, [share_of(seen.kept_ms, 0.999) for seen in mixed])
    for per_s in (100, 500):
        each = [_spoken(per_s, share=None) for _ in range(rounds)]
        name = f"last byte to subscriber, QoS 1, FULL, {per_s}/s"
        yield told(f"{name}, p50", "ms", [share_of(seen.told_ms, 0.5) for seen in each])
        yield at_most(f"{name}, p99", "ms", 25, [share_of(seen.told_ms, 0.99) for seen in each])
    floods = [_flooded() for _ in range(rounds)]
    behind = f"distress behind {QUEUED:,} routine, p99"
    yield at_most(behind, "ms", 50, [share_of(seen.told_ms, 0.99) for seen in floods])
    lags = [seen.lag_ms["0.999"] for seen in floods]
    yield at_most("event loop late under that flood, p99.9", "ms", 50, lags)
    away = _outage(outage_s)
    name = f"broker away for {outage_s:g} s at 20/s"
    yield told(f"{name}: came in, all told", "", [away.missed])
    yield at_most(f"{name}: last distress after it", "s", 2, [away.distress_s])
    yield at_least(f"{name}: drain", "/s", 300, [away.drain_per_s])
    yield at_most(f"{name}: memory grown", "MB", 20, [away.grown_mb])
    peaks = [away.peak_mb, *(seen.peak_mb for seen in (*mixed, *floods))]
    yield at_most("memory at its peak in all of these", "MB", MEMORY_MB_MAX, [max(peaks)])


def _spoken(per_s: float, *, share: float | None) -> Seen:
    """Have the modems speak evenly: mixed with this share of distress, or nothing but calls."""
    with _watched(Setting()) as (rig, file):
        life = rig.live_by(WATCHED, str(file))
        traffic = rig.traffic.urgent() if share is None else rig.traffic.mixed(share=share)
        rig.speaker.speak(traffic, per_s=per_s)
        time.sleep(SPEAK_S)
        rig.speaker.hush()
        rig.settled()
        return _seen(rig, file, life.memory_mb("VmHWM"))


def _flooded() -> Seen:
    """Have one port say thousands of positions at once, each to be told, and another call for help.

    Who floods is a process of its own, which the pty makes wait: so they are queued all the time.
    """
    with _watched(Setting(link=EVERY)) as (rig, file):
        life = rig.live_by(WATCHED, str(file))
        ships = file.with_name("ships.nmea")
        ships.write_bytes(b"".join(islice(fleet(1), QUEUED)))
        master = rig.modems["ais"].master
        with subprocess.Popen(
            [sys.executable, "-I", "-c", FLOOD, str(ships), str(master)], pass_fds=[master]
        ) as flood:
            while flood.poll() is None:
                rig.say(rig.traffic.distress("dsc"))
                time.sleep(0.02)
        rig.settled()
        return _seen(rig, file, life.memory_mb("VmHWM"))


def _outage(seconds: float) -> Outage:
    with _watched(Setting()) as (rig, _):
        return outage(rig, seconds)


def _seen(rig: Rig, file: Path, peak_mb: float) -> Seen:
    rig.life.end()
    found = json.loads(file.read_text())
    spoken = rig.ledger.spoken
    kept_ms = sorted(
        (kept_ns - said_ns) / 1e6
        for words, all_kept_ns in found["kept_ns"].items()
        for kept_ns, said_ns in zip(all_kept_ns, spoken.get(words, ()), strict=False)
    )
    return Seen(kept_ms, rig.ledger.waits_ms(), found["lag_ms"], peak_mb)


@contextmanager
def _watched(setting: Setting) -> Iterator[tuple[Rig, Path]]:
    """Give a rig in a folder of its own, and the file for what is seen from inside."""
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder), setting) as rig:
        rig.ledger.spoken = {}
        yield rig, Path(folder, "watched.json")


FLOOD = """
import os, sys
master = int(sys.argv[2])
os.set_blocking(master, True)
with open(sys.argv[1], "rb") as ships:
    while lines := ships.read(4096):
        while lines:
            lines = lines[os.write(master, lines):]
"""
