"""Measure what the project promises of its speed, and print it with the machine's name.

    make bench                 all figures
    make bench ROUNDS=9        more rounds: a narrower spread

Every figure is the median over rounds with its least and greatest, on this machine as it is: other
work on it shows. Nothing here passes or fails; a goal that is missed is printed as missed.
"""

from __future__ import annotations

import argparse
from itertools import chain

from tests.bench import apart, incidents, ordered, rooms, ruled, starts, streams, tracks, waits
from tests.bench.figures import machine

OUTAGE_S = 300.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--outage", type=float, default=OUTAGE_S, metavar="SECONDS")
    args = parser.parse_args()
    print(machine(), flush=True)
    for figure in chain(
        starts.figures(args.rounds),
        rooms.figures(args.rounds),
        streams.figures(args.rounds),
        tracks.figures(args.rounds),
        apart.figures(args.rounds),
        ruled.figures(args.rounds),
        incidents.figures(args.rounds),
        ordered.figures(args.rounds),
        waits.figures(args.rounds, args.outage),
    ):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
