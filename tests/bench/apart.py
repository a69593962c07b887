"""What it costs to compare one more place with all that are near it, in a thin sky and a full one.

python -m tests.bench.apart COUNT      be one round, and print what came of it
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator

from gateway.model.agreement import Agreement, Basis, Clause, Match, Party
from gateway.model.inbound import Heard, Moment, Report, Sighting
from gateway.model.place import Identity, Position, Velocity
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Relation, Urgency
from gateway.rules.engine import Engine
from gateway.rules.kinds.separation import Separation, Terms
from gateway.rules.minima import Enough, Minimum
from tests.bench.figures import Figure, at_least, told

SIZES = (50, 5_000)
"""Aircraft of two parties, over a country of 1,100 by 900 km."""
PLACES = 20_000
_S = 10**9


def figures(rounds: int) -> Iterator[Figure]:
    """Measure both skies, each round in a process of its own."""
    rates: dict[int, list[float]] = {}
    for size in SIZES:
        rates[size] = [_round(size) for _ in range(rounds)]
        yield at_least(f"positions of {size:,} craft kept apart", "/s", 5_000, rates[size])
    shares = [few / many for few, many in zip(*rates.values(), strict=True)]
    yield told("  cost of one position, 5,000 craft against 50", "x", shares)


def _round(size: int) -> float:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.apart", str(size)],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(run.stdout)


def agreement() -> Agreement:
    """Return the rule of threes between two parties."""
    far = Enough(any=(Minimum(horizontal_m=5556), Minimum(vertical_m=914.4)))
    terms = Terms(
        between=("alpha", "bravo"),
        satisfied_by=far,
        max_infringement_s=180,
        lookahead_s=120,
        min_samples=2,
    )
    return Agreement(
        id="bench",
        version="1",
        digest="",
        title="bench",
        parties={
            "alpha": Party(name="Alpha", match=Match(icao24=("A00000-AFFFFF",))),
            "bravo": Party(name="Bravo", match=Match(icao24=("B00000-BFFFFF",))),
        },
        channels={},
        rules=(
            Clause(id="M07", kind="separation", terms=terms, source="bench", basis=Basis.DESIGN),
        ),
    )


def sighting_of(number: int, mono_ns: int, dice: random.Random) -> Sighting:
    """Return the next place of one aircraft on its straight way."""
    passed_s = mono_ns / _S
    report = Report(
        report_id=f"{mono_ns:032x}",
        schema=1,
        system="mode_s",
        kind=Kind.POSITION,
        urgency=Urgency.ROUTINE,
        mode=Mode.REAL,
        sender=Identity(icao24=f"{'AB'[number % 2]}{number:05X}"),
        position=Position(
            lat_deg=45 + number * 0.6180339 % 10 + passed_s * 0.0015,
            lon_deg=5 + number * 0.7548776 % 12,
            accuracy_m=30.0,
            altitude_m=304.8 * (number % 40),
        ),
        velocity=Velocity(speed_kn=dice.uniform(250, 480), course_deg=number % 360),
        heard=Heard(station="b", port="p", modem="m", mono_ns=mono_ns, clock=ClockState.FREE),
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=(),
    )
    return Sighting(report, b"", Relation.FIRST)


def main(size: int) -> None:
    """Fill the sky, time more places in it, and print how many went through in a second."""
    dice = random.Random(5)
    engine = Engine(agreement(), {"separation": Separation})
    step_ns = 5 * _S // size
    mono_ns, spent_s = 0, 0.0
    for turn in range(size + PLACES):
        mono_ns += step_ns
        sighting = sighting_of(turn % size, mono_ns, dice)
        at = Moment(mono_ns)
        began = time.perf_counter()
        engine.sighting(sighting, at)
        if turn >= size:
            spent_s += time.perf_counter() - began
    sys.stdout.write(f"{PLACES / spent_s}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
