"""What it costs to follow one more place, with few tracks and with many. No wire and no disk.

python -m tests.bench.tracks COUNT      be one round, and print what came of it
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from gateway.correlate.tracks import TRACKS_MAX, Tracks
from gateway.model.inbound import Heard, Report
from gateway.model.place import Identity, Position, Velocity
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from tests.bench.figures import Figure, at_least, told

SIZES = (1_000, 10_000, TRACKS_MAX, 100_000)
"""Craft; of more than there can be tracks each has its place, and the longest silent go."""
PLACES = 200_000
BATCH = 20_000
NEAREST = 200
_S = 10**9


def figures(rounds: int) -> Iterator[Figure]:
    """Measure each number of tracks in a process of its own, and the greatest against the least."""
    rates: dict[int, list[float]] = {}
    for size in SIZES:
        found = [_round(size) for _ in range(rounds)]
        rates[size] = [rate for rate, _, _ in found]
        yield at_least(f"positions of {size:,} craft into their tracks", "/s", 40_000, rates[size])
        yield told(
            f"  memory of {min(size, TRACKS_MAX):,} tracks", "MB", [held for _, held, _ in found]
        )
        yield told(
            f"  nearest of {min(size, TRACKS_MAX):,} tracks", "us", [took for _, _, took in found]
        )
    shares = [few / many for few, many in zip(rates[1_000], rates[TRACKS_MAX], strict=True)]
    yield told(f"  cost of one position, {TRACKS_MAX:,} tracks against 1,000", "x", shares)


def _round(size: int) -> tuple[float, float, float]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.tracks", str(size)],
        check=True,
        capture_output=True,
        text=True,
    )
    rate, held, took = map(float, run.stdout.split())
    return rate, held, took


def reports(size: int, count: int, dice: random.Random, from_ns: int) -> list[Report]:
    """Return places of a fleet between Norway and Portugal, each a little further on."""
    return [report_of(number % size, from_ns + number * 50_000, dice) for number in range(count)]


def report_of(number: int, mono_ns: int, dice: random.Random) -> Report:
    lat_deg, lon_deg = 40 + number * 0.6180339 % 20, -10 + number * 0.7548776 % 18
    hop = mono_ns / _S * 1e-4
    return Report(
        report_id=f"{mono_ns:032x}",
        schema=1,
        system="ais",
        kind=Kind.POSITION,
        urgency=Urgency.ROUTINE,
        mode=Mode.REAL,
        sender=Identity(mmsi=f"{200_000_000 + number}", mmsi_class="ship"),
        position=Position(lat_deg=lat_deg + hop, lon_deg=lon_deg + hop, accuracy_m=10.0),
        velocity=Velocity(speed_kn=dice.uniform(0, 25), course_deg=45.0),
        heard=Heard(station="b", port="p", modem="m", mono_ns=mono_ns, clock=ClockState.FREE),
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=("!AIVDM",),
    )


def main(size: int) -> None:
    """Fill the tracks, time more places into them, and print the rate, memory and a search."""
    dice = random.Random(5)
    tracks = Tracks()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mono_ns, spent_s = 0, 0.0
    for begun in range(0, size, BATCH):
        for number in range(begun, min(size, begun + BATCH)):
            tracks.hear(report_of(number, mono_ns := mono_ns + 50_000, dice))
    held_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    for turn in range(PLACES // BATCH):
        batch = [
            report_of((turn * BATCH + number) % size, mono_ns := mono_ns + 50_000, dice)
            for number in range(BATCH)
        ]
        began = time.perf_counter()
        for report in batch:
            tracks.hear(report)
        spent_s += time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(NEAREST):
        tracks.nearest(dice.uniform(41, 59), dice.uniform(-9, 7), mono_ns)
    took_us = (time.perf_counter() - began) / NEAREST * 1e6
    sys.stdout.write(f"{PLACES / spent_s} {held_kb / 1e3} {took_us}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
