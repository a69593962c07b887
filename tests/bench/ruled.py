"""What some sixty rules cost: each sighting asked of three shipped agreements, ever more craft.

python -m tests.bench.ruled RADIO COUNT     be one round, and print what came of it
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from msgspec.structs import replace

from gateway.model.agreement import Agreement
from gateway.model.inbound import Heard, Moment, Report, Sighting
from gateway.model.place import Identity, Position, Velocity
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Relation, Urgency
from gateway.rules import kind_named
from gateway.rules.engine import Engine
from gateway.settings.agreement import agreement_named
from tests.bench.figures import Figure, at_most, told

NAMES = ("gmdss-coast-station", "aero-guard", "air-safety-mou")
BY_PLACE = frozenset({"separation", "approach", "keep_out", "identification"})
"""Kinds that compare places: what they cost stands in tests/bench/apart.py."""
SIZES = (10, 10_000)
RADIOS = {"ais": 161_975_000, "dsc": 156_525_000}
SIGHTINGS = 20_000
_S = 10**9


def figures(rounds: int) -> Iterator[Figure]:
    """Measure few craft and many, each round in a process of its own."""
    count = len(agreement().rules)
    for radio in RADIOS:
        costs = {size: [_round(radio, size) for _ in range(rounds)] for size in SIZES}
        for size, found in costs.items():
            yield at_most(
                f"{count} rules on one {radio} sighting, {size:,} craft", "us", 20.0, found
            )
        shares = [many / few for few, many in zip(*costs.values(), strict=True)]
        yield told(f"  cost with {SIZES[1]:,} craft against {SIZES[0]}", "x", shares)


def _round(radio: str, size: int) -> float:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.ruled", radio, str(size)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(run.stdout)


def agreement() -> Agreement:
    """Return all rules of three agreements in one, but those that compare places."""
    first, *others = map(agreement_named, NAMES)
    parts = {
        name: {key: one for other in (first, *others) for key, one in getattr(other, name).items()}
        for name in ("parties", "channels", "groups", "zones", "craft")
    }
    rules = tuple(
        clause
        for other in (first, *others)
        for clause in other.rules
        if clause.kind not in BY_PLACE
    )
    return replace(first, own="station", rules=rules, **parts)


def sighting_of(radio: str, number: int, size: int, dice: random.Random) -> tuple[Sighting, Moment]:
    """Return the next call of one craft; each calls in its turn, twenty a second in all."""
    at = Moment(number * _S // 20, 1_800_000_000 * _S + number * _S // 20, ClockState.NTP, 50)
    is_place = radio == "ais"
    report = Report(
        report_id=f"{number:032x}",
        schema=1,
        system=radio,
        kind=Kind.POSITION if is_place else Kind.CALL,
        urgency=Urgency.ROUTINE,
        mode=Mode.REAL,
        sender=Identity(mmsi=f"{211_000_000 + number % size}"),
        position=Position(lat_deg=50 + dice.random(), lon_deg=dice.random()) if is_place else None,
        velocity=Velocity(speed_kn=10.0, course_deg=90.0) if is_place else None,
        heard=Heard(
            station="bench",
            port="p",
            modem="m",
            mono_ns=at.mono_ns,
            clock=at.clock,
            freq_hz=RADIOS[radio],
        ),
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=(),
    )
    return Sighting(report, b"", Relation.FIRST), at


def main(radio: str, size: int) -> float:
    """Return the median cost of one sighting, in microseconds, once all craft are known."""
    asked = agreement()
    engine = Engine(asked, {clause.kind: kind_named(clause.kind) for clause in asked.rules})
    dice, number = random.Random(1), 0
    for number in range(max(size, 1_000)):
        engine.sighting(*sighting_of(radio, number, size, dice))
    costs = []
    for later in range(number + 1, number + 1 + SIGHTINGS):
        sighting, at = sighting_of(radio, later, size, dice)
        began_ns = time.perf_counter_ns()
        engine.sighting(sighting, at)
        costs.append(time.perf_counter_ns() - began_ns)
    return statistics.median(costs) / 1e3


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], int(sys.argv[2])):.3f}\n")
