"""Have storms: one by its seed, or many, and print what came of them.

    .venv/bin/python tests/storms/run.py --seed 123          one, with its last events
    .venv/bin/python tests/storms/run.py --seeds 1000        many, on every core
    make storms SEEDS=1000

It ends with 1 when a promise was broken. A seed that broke one is kept in tests/storms/seeds.txt,
and is had again with each `make test`.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from storms.world import LONG_S, SHORT, World  # noqa: E402  # found by the line above

STORMS_A_PROCESS = 50
"""Then a fresh one takes over, so that a leak of ours is no leak of the gateway's."""

SETTINGS = {"long": {"length_s": LONG_S}, "short": SHORT}


def one(asked):
    """Have one storm; return what came of it, and how long it took of the processor."""
    seed, form = asked
    began_s = time.process_time()
    outcome = World(seed, **SETTINGS[form]).run()
    return outcome, time.process_time() - began_s


def replay(seed, form, *, verbose):
    """Have one storm and tell all of it."""
    outcome = World(seed, **SETTINGS[form], verbose=verbose).run()
    print("\n".join(outcome.trace))
    print(f"\n{told(outcome)}\ndigest of all events: {outcome.digest}")
    return bool(outcome.breaches)


def told(outcome):
    """Return what came of one storm, in words."""
    words = f"seed {outcome.seed}: {outcome.virtual_s:.0f} s, {outcome.lives} lives"
    return "\n".join([words, *(f"    {breach}" for breach in outcome.breaches)])


def remedy(outcome, form):
    """Return how to see a storm again."""
    return (
        f"    commit {commit()}, again with: "
        f".venv/bin/python tests/storms/run.py --{form} --seed {outcome.seed}"
    )


def commit():
    """Return which commit this is."""
    asked = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]  # whichever git
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def many(seeds, form, *, minutes, processes):
    """Have many storms, and print a table of what came of them."""
    began_s, found, busy_s, broken = time.monotonic(), [], 0.0, []
    with get_context("spawn").Pool(processes, maxtasksperchild=STORMS_A_PROCESS) as pool:
        for outcome, took_s in pool.imap_unordered(one, [(seed, form) for seed in seeds]):
            found.append(outcome)
            busy_s += took_s
            if outcome.breaches:
                broken.append(outcome)
                print(told(outcome), remedy(outcome, form), sep="\n", flush=True)
            wall_s = time.monotonic() - began_s
            if len(found) % max(1, len(seeds) // 50) == 0:
                hours = sum(each.virtual_s for each in found) / 3600
                print(
                    f"{len(found)} of {len(seeds)} storms, {hours:,.0f} virtual hours in "
                    f"{wall_s:,.0f} s, {len(broken)} broken",
                    flush=True,
                )
            if wall_s > minutes * 60:
                print(f"{minutes} minutes are over")
                break
        wall_s = time.monotonic() - began_s
        pool.terminate()
    report(found, broken, wall_s=wall_s, busy_s=busy_s, processes=processes)
    return bool(broken)


def report(found, broken, *, wall_s, busy_s, processes):
    """Print the table."""
    virtual_s = sum(each.virtual_s for each in found)
    seeds = [each.seed for each in found]
    troubles, tally, excused = (
        sum((getattr(each, name) for each in found), Counter())
        for name in ("troubles", "tally", "excused")
    )
    lines = [
        ("commit", commit()),
        ("machine", f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version[:6]}"),
        ("storms", f"{len(found):,} seeds, {len(broken)} with a broken promise"),
        ("virtual time", f"{virtual_s / 3600:,.1f} h in {wall_s:,.0f} s"),
        ("speed", f"{virtual_s / wall_s:,.0f} x real time with {processes} processes"),
        ("speed of one core", f"{virtual_s / busy_s:,.0f} x real time"),
        ("lives of the gateway", f"{sum(each.lives for each in found):,}"),
        ("troubles", f"{sum(troubles.values()):,}"),
        *((f"    {name}", f"{count:,}") for name, count in sorted(troubles.items())),
        *((name, f"{count:,}") for name, count in sorted(tally.items())),
        *((f"excused: {name}", f"{count:,}") for name, count in sorted(excused.items())),
    ]
    print()
    for name, words in lines:
        print(f"{name:<58} {words}")
    print(
        f"\n{len(found):,} storms (seeds {min(seeds)} to {max(seeds)}), {virtual_s / 3600:,.0f} h "
        f"in {wall_s:,.0f} s ({virtual_s / wall_s:,.0f} x real time with {processes} processes), "
        f"{len(broken)} with a broken promise; commit {commit()}"
    )


def main():
    """Have the storms that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="have this one, and tell its last events")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of many")
    parser.add_argument("--short", action="store_true", help="the form within `make test`")
    parser.add_argument("--long", action="store_true", help="two hours each, as by default")
    parser.add_argument("--minutes", type=float, default=180.0, help="begin none after these")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--verbose", action="store_true", help="with the log and each telling")
    asked = parser.parse_args()
    form = "short" if asked.short else "long"
    if asked.seed is not None:
        return replay(asked.seed, form, verbose=asked.verbose)
    seeds = range(asked.first, asked.first + asked.seeds)
    return many(seeds, form, minutes=asked.minutes, processes=asked.processes)


if __name__ == "__main__":
    sys.exit(main())
