"""How much goes through the rooms alone, on one core: bytes in, numbered reports out, nobody told.

python -m tests.bench.rooms MODEM FILE       be one round, and print what came of it
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.model.inbound import Chunk, Moment, Ruling
from gateway.model.plan import PortPlan
from gateway.pipeline import hallway
from gateway.settings import profile_named
from tests.bench.figures import MEMORY_MB_MAX, Figure, at_least, at_most, peak_mb, told
from tests.bench.spoken import beacons, bursts, packets, sky

ROOT = Path(__file__).parents[2]
CHUNK_BYTES = 4096
"""What one reading of a port brings when there is no end of it."""
CHUNK_NS = 10 * 10**6
GOALS = (
    ("Beast", "generic-mode_s", sky, 15_000),
    ("KISS", "generic-aprs", packets, 5_000),
    ("406 MHz lines of 500 beacons", "generic-cospas_sarsat", bursts, 10_000),
    ("406 MHz lines, each a new casualty,", "generic-cospas_sarsat", beacons, None),
)


def round_of(modem: str, wire: bytes) -> dict[str, float]:
    """Let one port's rooms have it all; return how many reports came, how fast, and the memory."""
    port = PortPlan(name="p", device="tape:x", modem=modem, profile=profile_named(modem))
    pipeline = hallway("bench", [port])
    reports, began_s = 0, time.perf_counter()
    for turn, at in enumerate(range(0, len(wire), CHUNK_BYTES)):
        chunk = Chunk("p", Moment(turn * CHUNK_NS), wire[at : at + CHUNK_BYTES])
        reports += sum(isinstance(item, Ruling) for item in pipeline.inbound(chunk))
    wall_s = time.perf_counter() - began_s
    return {"rate": reports / wall_s, "reports": reports, "peak_mb": peak_mb()}


def figures(rounds: int) -> Iterator[Figure]:
    """Measure what the rooms take of the radios that say most; all of 406 MHz calls for help."""
    with tempfile.TemporaryDirectory() as folder:
        for name, modem, spoken, goal in GOALS:
            wires = list(spoken(1))
            file = Path(folder, "wire")
            file.write_bytes(b"".join(wires))
            found = [_round(modem, file) for _ in range(rounds)]
            whole = all(one["reports"] >= 0.99 * len(wires) for one in found)
            rates = [one["rate"] if whole else 0.0 for one in found]
            line = f"{name} through the rooms alone, one core"
            yield at_least(line, "/s", goal, rates) if goal else told(line, "/s", rates)
            peaks = [one["peak_mb"] for one in found]
            yield at_most("  memory at its peak", "MB", MEMORY_MB_MAX, peaks)


def _round(modem: str, file: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.rooms", modem, str(file)],
        check=True,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def main() -> None:
    """Be one round."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = round_of(sys.argv[1], Path(sys.argv[2]).read_bytes())
    print(msgspec.json.encode(found).decode())


if __name__ == "__main__":
    main()
