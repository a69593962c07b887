"""The stories of the agreements that come with the gateway: what happened, and the verdict log.

A story is a table of steps as in the tables of cases; `[[beside]]` are reports that come again and
again, `[[then]]` further steps. Its log is beside it, a line a verdict. After a change that is
meant, `PYTHONPATH=tests python -m rooms.rules.stories` writes the logs anew: read the difference.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace
from rooms.rules.cases import KINDS, Case, moment_of, steps_of, steps_said

from gateway.model.agreement import Agreement
from gateway.rules.engine import Engine
from gateway.settings.agreement import agreement_named, agreement_names

HERE = Path(__file__).parents[2] / "agreements" / "stories"


def story_of(name: str) -> Case:
    """Return what happened under the agreement of this name."""
    table = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
    steps = [*table["story"], *table.get("then", ())]
    for beside in table.get("beside", ()):
        for at_s in range(beside["from_s"], beside["to_s"], beside["every_s"]):
            for number, report in enumerate(beside["reports"]):
                steps.append({"at_s": at_s + number / 2, "report": report})
    steps.sort(key=lambda step: step["at_s"])
    return Case(does=name, story=steps, said=[], until_s=table["until_s"], utc=table["utc"])


def seen_from(name: str) -> Agreement:
    """Return the agreement of this name as the party that the station of its story is."""
    table = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
    return replace(agreement_named(name), own=table["own"])


def log_of(name: str, *, restarts: bool = False) -> Iterator[str]:
    """Yield what the rules say, a line each; with restarts on an engine that only remembers."""
    case = story_of(name)
    agreement = seen_from(name)
    engine = Engine(agreement, KINDS)
    for at_s, step in steps_of(case):
        if restarts:
            kept = engine.keep()
            engine = Engine(agreement, KINDS)
            assert engine.restore(kept, 0) == ()
        for one in steps_said(engine, step, moment_of(case, at_s)):
            said = f"{one.rule} {one.judgement} {one.subject}: {one.words}"
            evidence = [other for other in one.evidence if not other.lstrip("-").isdigit()]
            rests = f" [{', '.join(evidence)}]" if evidence else ""
            yield f"{at_s:7.1f} {said}{rests}"
    assert engine.rule_errors == 0


def written(name: str) -> Path:
    """Return where the log of a story stands."""
    return HERE / f"{name}.log"


if __name__ == "__main__":
    for one in agreement_names():
        written(one).write_text("".join(f"{line}\n" for line in log_of(one)), "utf-8")
        sys.stdout.write(f"{written(one)}\n")
