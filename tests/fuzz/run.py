"""Throw much at every framing and every radio system, and print what came of it.

    make noise                 200,000 spoilt messages and a million frames of noise for each system
    make fuzz MINUTES=60       atheris, which looks for new ways through the code; x86-64 only
    .venv/bin/python tests/fuzz/run.py --target dsc/nmea --kind mutants --seed 1 --number 4711
    .venv/bin/python tests/fuzz/run.py --target dsc/nmea --file .cache/fuzz/found/dsc-nmea/crash-…

The last two have one finding again: with all that went before it, if it doesn't fail alone.
It ends with 1 when anything failed. What is kept of it stands in docs/FUZZ.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from fuzz.ground import (  # noqa: E402  # found by the line above
    INPUT_BYTES_MAX,
    REPLAY,
    SLOW_S,
    Ground,
    Outcome,
    Target,
    campaign,
    input_of,
    targets,
)

MUTANTS = 200_000
NOISE = 1_000_000
KEPT = ROOT / ".cache/fuzz"
"""The corpora that atheris has grown, and in `found` each input that failed."""
STUCK_S = 5
"""An input that takes longer is a finding of atheris's, whose own reckoning slows the house."""


def shares(kind: str, inputs: int) -> list[tuple[Target, str, int]]:
    """Return how many inputs each target has: so many a radio system, and so many a framing."""
    found = []
    for target in targets():
        ways = sum(one.radio == target.radio for one in targets()) if target.radio else 1
        if kind == "mutants" or target.radio:
            found.append((target, kind, -(-inputs // ways)))
    return found


def one(asked: tuple[Target, str, int, int]) -> Outcome:
    target, kind, inputs, seed = asked
    return campaign(target, kind, inputs, seed=seed)


def many(mutants: int, inputs: int, *, seed: int, processes: int) -> bool:
    """Throw all of it, and print a line for each target as it ends."""
    asked = [(*share, seed) for share in (*shares("mutants", mutants), *shares("noise", inputs))]
    began_s, broken = time.monotonic(), False
    print(f"{heading()}, seed {seed}\n")
    print("| target | kind | inputs | reports | distress | slowest | memory grown | failed |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for found in pool.imap(one, asked, chunksize=1):
            print(
                f"| {found.target.name} | {found.kind} | {found.inputs:,} | {found.reports:,} | "
                f"{found.distress:,} | {found.slowest_s * 1000:.1f} ms | "
                f"{found.grown_blocks:+,} blocks | {len(found.wrong)} |",
                flush=True,
            )
            for words in found.wrong:
                print(words, flush=True)
            broken = broken or bool(found.wrong)
    print(f"\n{time.monotonic() - began_s:,.0f} s with {processes} processes")
    return broken


def again(target: Target, kind: str, seed: int, number: int) -> bool:
    """Have one input again: alone, then with all that went before it."""
    wire = input_of(target, kind, seed, number)
    print(f"{target.name}, {len(wire)} bytes: {wire!r}")
    for words, before in (("alone", range(number, number)), ("in its place", range(number))):
        ground = Ground(target)
        for earlier in before:
            ground.throw(input_of(target, kind, seed, earlier))
        if fails(ground, wire, words):
            return True
    return False


def fails(ground: Ground, wire: bytes, words: str) -> bool:
    """Throw it; say what came of it."""
    try:
        took_s = ground.took_s(wire)
        slow = took_s > SLOW_S and ground.is_slow(wire)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what was looked for
        print(f"{words}: {type(error).__name__}: {error}")
        return True
    print(f"{words}: {took_s * 1000:.2f} ms; verified distress {len(ground.verified)}")
    return slow or bool(ground.verified)


# ---- atheris -------------------------------------------------------------------------------------


def look_for_ways(minutes: float) -> bool:
    """Let atheris at each target in turn, in a process of its own, for its share of the time."""
    seconds = max(1, round(minutes * 60 / len(targets())))
    began_s, broken = time.monotonic(), []
    print(f"{heading()}, {seconds} s a target\n")
    print("| target | inputs | ways found | failed |\n|---|---|---|---|", flush=True)
    for target in targets():
        words = [sys.executable, __file__, "--target", target.name, "--seconds", str(seconds)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
        lines = done.stderr.splitlines()
        tried = [line.split()[1] for line in lines if line.startswith("Done ")]
        ways = [line.partition("cov: ")[2].split()[0] for line in lines if "cov: " in line]
        failed = sorted(found_in(target).glob("*")) if done.returncode else []
        print(
            f"| {target.name} | {int((tried or ['0'])[0]):,} | {(ways or ['?'])[-1]} | "
            f"{len(failed)} |",
            flush=True,
        )
        if done.returncode:
            broken.append(target.name)
            print("\n".join(lines[-30:]))
        for path in failed:
            print(f"    {REPLAY} --target {target.name} --file {path.relative_to(ROOT)}")
    print(f"\n{time.monotonic() - began_s:,.0f} s")
    return bool(broken)


def found_in(target: Target) -> Path:
    return KEPT / "found" / target.name.replace("/", "-")


def atheris_at(target: Target, seconds: int) -> None:
    """Be the process in which atheris looks at one target; libFuzzer ends it."""
    import atheris  # noqa: PLC0415  # for nobody else: x86-64 only, and it changes the process

    for name in [name for name in sys.modules if name.partition(".")[0] in ("gateway", "fuzz")]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["gateway"]):
        ground = import_module("fuzz.ground")
        target = ground.Target(target.framing, target.radio)
        ground.Ground(target)
    grown = KEPT / "corpus" / target.name.replace("/", "-")
    for folder in (grown, found_in(target)):
        folder.mkdir(parents=True, exist_ok=True)
    for at, wires in enumerate(ground.corpus(target)):
        (grown / f"vector-{at:03}").write_bytes(b"".join(wires)[:INPUT_BYTES_MAX])

    def once(wire: bytes) -> None:
        ground.Ground(target).throw(wire)

    def spoilt(wire: bytes, size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        made = atheris.Mutate(wire, size) if dice.random() < 0.5 else ground.mutant(target, dice)
        return made[:size]

    words = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={STUCK_S}"]
    words += [f"-artifact_prefix={found_in(target)}/", "-rss_limit_mb=1024", str(grown)]
    atheris.Setup([sys.argv[0], *words], once, custom_mutator=spoilt)
    atheris.Fuzz()


def heading() -> str:
    asked = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]  # whichever git
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {done.stdout.strip() or 'unknown'}, "
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    )


def main() -> int:
    """Throw what is asked for."""
    named = {target.name: target for target in targets()}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=MUTANTS, help="for each system")
    parser.add_argument("--noise", type=int, default=NOISE, help="for each radio system")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, help="let atheris look for so long")
    parser.add_argument("--target", choices=sorted(named))
    parser.add_argument("--kind", choices=["mutants", "noise"], default="mutants")
    parser.add_argument("--number", type=int, help="have this input again")
    parser.add_argument("--file", type=Path, help="have the input in this file again")
    parser.add_argument("--seconds", type=int, help="be atheris at one target")
    asked = parser.parse_args()
    if asked.minutes is not None:
        return look_for_ways(asked.minutes)
    if asked.target is None:
        return many(asked.mutants, asked.noise, seed=asked.seed, processes=asked.processes)
    target = named[asked.target]
    if asked.file is not None:
        return fails(Ground(target), asked.file.read_bytes(), "alone")
    if asked.number is not None:
        return again(target, asked.kind, asked.seed, asked.number)
    atheris_at(target, asked.seconds or 60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
