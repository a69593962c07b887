"""Plant small faults where bits become words, and see how many of them the tests notice.

    make mutate                     a sample of 250 faults of each part
    make mutate SAMPLE=all          all of them
    make mutate PART=dsc SEED=2     another sample, of one part
    make mutate SAMPLE=left         what nobody noticed the last time

Which faults there are stands in planting.py, how they are tried in trying.py. Those that change
nothing that anyone could notice stand in equivalent.toml, each with its reason, and don't count.
What nobody noticed is printed. What is kept of it stands in docs/MUTATION.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import random
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from mutate.planting import Fault, Module  # noqa: E402  # found by the line above
from mutate.trying import (  # noqa: E402  # as above
    BROKEN,
    NOTICED,
    STUCK_S,
    STUCK_TIMES,
    SURVIVED,
    Seen,
    Trial,
    surveyed,
    try_anew,
    try_collected,
)

KEPT = ROOT / ".cache/mutate"
SAMPLE = 250
"""Of each part, when nobody says how many: some minutes, for a score within 4 %."""
JOBS = 2
ALL_WEATHERS = ("",)
"""What is part of the name of a vector's test: any."""
FAIR_WEATHERS = ("test_whole", "test_between_noise", "test_byte_by_byte")
"""The bent and the cut take most of the time, and find what decoders do rather than framings."""


@dataclass(frozen=True)
class Part:
    """Where its code stands, and which tests are asked."""

    folder: str
    tests: tuple[str, ...]
    radio: str = ""
    weathers: tuple[str, ...] = ALL_WEATHERS

    @property
    def where(self) -> list[str]:
        """Return the files of its tests."""
        return [*self.tests, *(["tests/test_vectors.py"] if self.weathers else [])]

    def wants(self, test: str) -> bool:
        """Say whether a test is asked."""
        if not test.startswith("tests/test_vectors.py"):
            return True
        return f"[{self.radio}" in test and any(f"::{one}" in test for one in self.weathers)


ROOMS = "tests/rooms"
PARTS = {
    "codes": Part(
        "gateway/codes", (f"{ROOMS}/codes", f"{ROOMS}/framing", f"{ROOMS}/radio"), weathers=()
    ),
    "framing": Part("gateway/framing", (f"{ROOMS}/framing",), weathers=FAIR_WEATHERS),
    "cospas_sarsat": Part(
        "gateway/radio/cospas_sarsat",
        (f"{ROOMS}/radio/test_cospas_sarsat_fields.py", f"{ROOMS}/radio/test_cospas_sarsat.py"),
        "cospas_sarsat",
    ),
    "dsc": Part(
        "gateway/radio/dsc",
        (f"{ROOMS}/radio/test_dsc.py", f"{ROOMS}/radio/test_dsc_symbols.py"),
        "dsc",
    ),
    "rules": Part(
        "gateway/rules",
        (
            f"{ROOMS}/rules",
            "tests/test_agreement_file.py",
            "tests/test_agreement_signatures.py",
            "tests/app/test_transmitting.py",
        ),
        weathers=(),
    ),
}


def modules_of(part: Part) -> list[Module]:
    """Return all modules of a part, with their faults."""
    paths = sorted((ROOT / part.folder).rglob("*.py"))
    return [Module(ROOT, str(path.relative_to(ROOT))) for path in paths]


def drawn(name: str, sample: str, seed: int) -> list[tuple[Module, Fault]]:
    """Return the faults that are tried, in the order in which they stand."""
    every = [(module, fault) for module in modules_of(PARTS[name]) for fault in module.faults]
    if sample == "left":
        left = {tuple(key) for key in json.loads((KEPT / f"{name}.left").read_text())}
        return [(module, fault) for module, fault in every if fault.key in left]
    if sample == "all" or int(sample) >= len(every):
        return every
    places = random.Random(f"{name} {seed}").sample(range(len(every)), int(sample))
    return [every[place] for place in sorted(places)]


def excused() -> dict[tuple[str, str, str, str, int], str]:
    """Return the faults that change nothing, with their reasons."""
    rows = tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8"))["fault"]
    return {
        (row["path"], row["function"], row["was"], now, turn): row["reason"]
        for row in rows
        for now in row["now"]
        for turn in row.get("turns", [0])
    }


def told_by(name: str, turn: int) -> Path:
    """Return where one of the processes writes what came of its faults, as they are tried."""
    return KEPT / f"{name}.{turn}"


def shard(asked: argparse.Namespace) -> None:
    """Try every so-manieth fault, and write a line of each."""
    os.chdir(ROOT)
    told = told_by(asked.part, asked.turn).open("w", buffering=1)
    _be_silent()
    part = PARTS[asked.part]
    seen: Seen = pickle.loads((KEPT / f"{asked.part}.seen").read_bytes())  # noqa: S301  # our own
    numbers, early, late = {}, [], []
    for number, (module, fault) in enumerate(drawn(asked.part, asked.sample, asked.seed)):
        if number % asked.jobs != asked.turn:
            continue
        tests = seen.tests_for(fault)
        limit_s = STUCK_S + STUCK_TIMES * sum(seen.took_s[test] for test in tests)
        trial = Trial(module, fault, tests, limit_s)
        numbers[fault.key] = number
        (early if seen.is_early(fault) else late).append(trial)

    def tell(trial: Trial, code: int) -> None:
        print(json.dumps([numbers[trial.fault.key], code, len(trial.tests)]), file=told)

    for trial in early:
        # Most are noticed by the tests beside them, which are collected in no time.
        own = replace(trial, tests=[one for one in trial.tests if one.startswith(part.tests[0])])
        noticed = try_anew(own, [part.tests[0]]) == NOTICED
        tell(trial, NOTICED if noticed else try_anew(trial, part.where))
    for trial in late:
        if not trial.tests:
            tell(trial, SURVIVED)
    try_collected([trial for trial in late if trial.tests], part.where, part.wants, tell)


def _be_silent() -> None:
    """Keep what pytest says of tests that fail as they should from whoever looks on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def tried(name: str, asked: argparse.Namespace) -> Iterator[tuple[Fault, int, int]]:
    """Yield each fault with what came of it and how many tests were asked, in order."""
    told = ("part", name), ("sample", asked.sample), ("seed", asked.seed), ("jobs", asked.jobs)
    words = [word for key, value in told for word in (f"--{key}", str(value))]
    running = [
        subprocess.Popen([sys.executable, __file__, *words, "--turn", str(turn)])
        for turn in range(asked.jobs)
    ]
    for one in running:
        one.wait()
    lines = [line for turn in range(asked.jobs) for line in told_by(name, turn).open()]
    came = {number: (code, tests) for number, code, tests in map(json.loads, lines)}
    for number, (_, fault) in enumerate(drawn(name, asked.sample, asked.seed)):
        yield fault, *came.get(number, (BROKEN, 0))


def interval(hits: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, in percent."""
    of = max(of, 1)
    z, share = 1.96, hits / of
    middle = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return tuple(100 * (middle + side * half) / (1 + z * z / of) for side in (-1, 1))


@dataclass
class Tally:
    """What came of the faults of a part."""

    noticed: list[Fault]
    survived: list[tuple[Fault, int]]
    """With how many tests were asked."""
    equivalent: list[Fault]
    broken: list[Fault]


def tally(name: str, asked: argparse.Namespace) -> Tally:
    """Try the faults of a part, and sort them by what came of it."""
    pardoned, found = excused(), Tally([], [], [], [])
    for fault, code, tests in tried(name, asked):
        if code == NOTICED:
            found.noticed.append(fault)
        elif code != SURVIVED:
            found.broken.append(fault)
        elif fault.key in pardoned:
            found.equivalent.append(fault)
        else:
            found.survived.append((fault, tests))
    return found


def score(name: str, asked: argparse.Namespace) -> bool:
    """Print a part's row and what nobody noticed; return whether every fault could be tried."""
    found = tally(name, asked)
    (KEPT / f"{name}.left").write_text(json.dumps([fault.key for fault, _ in found.survived]))
    there = sum(len(module.faults) for module in modules_of(PARTS[name]))
    noticed, equivalent = len(found.noticed), len(found.equivalent)
    count = noticed + len(found.survived)
    low, high = interval(noticed, count)
    print(
        f"| {name} | {there:,} | {count + equivalent:,} | {equivalent} | {noticed:,} | "
        f"{100 * noticed / max(count, 1):.1f} % | {low:.1f} to {high:.1f} % |"
    )
    for fault, tests in found.survived:
        turn = f"  (number {fault.turn})" if fault.turn else ""
        print(f"    {fault.path}:{fault.lines[0]} {fault.function}, {tests} tests{turn}")
        print(f"        {fault.was}\n        {fault.now}")
    for fault in found.broken:
        print(f"    could not be tried: {fault}")
    sys.stdout.flush()
    return not found.broken


def main() -> int:
    """Plant and count, part by part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", default=str(SAMPLE), help="of each part; or all, or left")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=sorted(PARTS))
    parser.add_argument("--turn", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=JOBS)
    asked = parser.parse_args()
    os.nice(19 - os.nice(0))
    if asked.turn is not None:
        shard(asked)
        return 0
    KEPT.mkdir(parents=True, exist_ok=True)
    stale = excused().keys() - {
        fault.key
        for part in PARTS.values()
        for module in modules_of(part)
        for fault in module.faults
    }
    for key in sorted(stale):
        print(f"equivalent.toml names what is not there: {key}")
    print("| part | faults | tried | equivalent | noticed | score | 95 % interval |")
    print("|---|---|---|---|---|---|---|", flush=True)
    whole = not stale
    for name in [asked.part] if asked.part else PARTS:
        survey(name)
        whole &= score(name, asked)
    return 0 if whole else 1


def survey(name: str) -> None:
    """Keep what the tests of a part do without any fault, found in a process of its own."""
    part = PARTS[name]
    if (pid := os.fork()) == 0:
        os.chdir(ROOT)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        seen = surveyed(part.folder, part.where, part.wants)
        (KEPT / f"{name}.seen").write_bytes(pickle.dumps(seen))
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit(f"the tests of {name} fail without any fault")


if __name__ == "__main__":
    sys.exit(main())
