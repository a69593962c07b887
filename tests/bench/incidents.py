"""What a call costs the room of incidents with 500 of them open, and positions both rooms at once.

python -m tests.bench.incidents known|new|positions      be one round, and print what came of it
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator

from msgspec.structs import replace

from gateway.correlate.incidents import Incidents
from gateway.correlate.tracks import Tracks
from gateway.model.inbound import Moment, Report, Sighting
from gateway.model.words import Kind, Urgency
from tests.bench.figures import Figure, at_least, at_most, share_of
from tests.bench.tracks import report_of

OPEN = 500
TRACKS = 10_000
CALLS = 4_000
POSITIONS = 100_000
BATCH = 10_000
CALL_NS = 2 * 10**6
POSITION_NS = 50_000
"""Between two reports: 500 calls and 20,000 positions a second."""
_S = 10**9


def figures(rounds: int) -> Iterator[Figure]:
    """Measure each in a process of its own."""
    for what, goal_us in (("known", 60), ("new", 150)):
        found = [_round(what) for _ in range(rounds)]
        name = f"incidents: a call, {what} caller, {OPEN} open"
        yield at_most(f"{name}, mean", "us", goal_us, [one[0] for one in found])
        yield at_most("  p99", "us", 1000, [one[1] for one in found])
    rates = [_round("positions")[0] for _ in range(rounds)]
    name = f"positions into {TRACKS:,} tracks and {OPEN} open incidents"
    yield at_least(name, "/s", 20_000, rates)


def _round(what: str) -> tuple[float, float]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.incidents", what],
        check=True,
        capture_output=True,
        text=True,
    )
    first, second = map(float, run.stdout.split())
    return first, second


def _call(number: int, mono_ns: int, dice: random.Random) -> Sighting:
    """Return a call for help of one craft of the fleet, from where the fleet began."""
    report = report_of(number, 0, dice)
    heard = replace(report.heard, mono_ns=mono_ns)
    call = replace(
        report,
        report_id=f"{dice.getrandbits(128):032x}",
        system="dsc",
        kind=Kind.ALERT,
        urgency=Urgency.DISTRESS,
        heard=heard,
    )
    return Sighting(call, b"")


def _room(dice: random.Random) -> tuple[Incidents, int]:
    """Return a room with incidents of every twentieth craft, all of them told; and the time."""
    room, mono_ns = Incidents("bench", carried=lambda _name: ()), 0
    for number in range(OPEN):
        room.hear(_call(number * (TRACKS // OPEN), mono_ns := mono_ns + CALL_NS, dice))
    for _ in range(60):
        room.tick(Moment(mono_ns := mono_ns + _S), None)
    return room, mono_ns


def calls(*, known: bool) -> tuple[float, float]:
    """Return what a call took, mean and p99, in microseconds of the processor; ticks included."""
    dice = random.Random(5)
    room, mono_ns = _room(dice)
    heard = []
    for number in range(CALLS):
        craft = dice.randrange(OPEN) * (TRACKS // OPEN) if known else TRACKS + number
        heard.append(_call(craft, mono_ns := mono_ns + CALL_NS, dice))
    took_us = []
    for number, sighting in enumerate(heard):
        began_s = time.process_time()
        room.hear(sighting)
        if not number % (_S // CALL_NS):
            room.tick(Moment(sighting.report.heard.mono_ns), None)
        took_us.append((time.process_time() - began_s) * 1e6)
    return sum(took_us) / CALLS, share_of(sorted(took_us), 0.99)


def positions() -> tuple[float, float]:
    """Return how many positions a second both rooms take, of 10,000 craft, 500 in trouble."""
    dice = random.Random(5)
    room, mono_ns = _room(dice)
    tracks, spent_s = Tracks(), 0.0
    for turn in range((TRACKS + POSITIONS) // BATCH):
        batch: list[Report] = []
        for number in range(BATCH):
            craft = (turn * BATCH + number) % TRACKS
            batch.append(report_of(craft, mono_ns := mono_ns + POSITION_NS, dice))
        began_s = time.process_time()
        for report in batch:
            tracks.hear(report)
            room.hear(Sighting(report, b""))
        room.tick(Moment(mono_ns), None)
        spent_s += time.process_time() - began_s if turn else 0.0
    return POSITIONS / spent_s, 0.0


def main(what: str) -> None:
    """Be one round."""
    first, second = positions() if what == "positions" else calls(known=what == "known")
    sys.stdout.write(f"{first} {second}\n")


if __name__ == "__main__":
    main(sys.argv[1])
