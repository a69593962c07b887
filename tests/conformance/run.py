"""Hold the gateway against test data that nobody in this project wrote.

    python tests/conformance/run.py [PATH]

PATH is the folder of vectors; by default $VECTORS, or `../shared/vectors` beside the repository.
Each `check_*.py` beside this file offers `FILES`, a table from the name of a file below PATH
(wildcards may stand in it) to a function of its path that returns rows: `(id, trust,
disagreements)` or `(id, trust, disagreements, fields_tried)`. Disagreements are a tuple of
sentences, each opening with the field it is about; empty when all agree, None when the row lies
outside of what this gateway does.

Every file is tried, and every disagreement stays one: a reason kept in `reasons.toml` explains it
and never turns it into an agreement. A row that differs in nothing but what `proofs.py` proves to
be the other decoder's fault is counted apart, neither as agreed nor as disagreed, and every rule is
printed with how often it proved one. The exit status is 1 when a file is claimed by nobody, a goal
is missed, a disagreement has no reason, or a reason has no disagreement any more.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from tests.conformance.rows import Check, Proven, Row

HERE = Path(__file__).resolve().parent
DEFAULT = HERE.parents[2] / "shared" / "vectors"
FAMILIES = ("adsb", "ais", "aprs", "beacon406", "dsc", "framing", "gnss_nmea", "navtex", "spec")
"""Folders, and files of their name: `spec.json`."""
COMPANIONS = ("README*", "*.meta.json", "*.chk")
"""Files that speak about the data beside them."""
SHOWN_MAX = 10
"""Disagreements without a reason printed for one file; the rest are counted."""


@dataclass(frozen=True)
class Goal:
    """What must be reached by one family."""

    family: str
    what: str
    percent: float


GOALS = (
    *(Goal(family, "rows", 99.0) for family in FAMILIES),
    Goal("adsb", "A rows", 99.0),
    Goal("ais", "A fields", 99.9),
    Goal("aprs", "A fields", 99.0),
    Goal("beacon406", "A fields", 99.0),
    Goal("dsc", "A rows", 100.0),
    Goal("framing", "A rows", 100.0),
    Goal("gnss_nmea", "A fields", 99.5),
    Goal("gnss_nmea", "bad checksums refused", 100.0),
    Goal("navtex", "A rows", 99.0),
    Goal("spec", "A rows", 100.0),
)
BAD_CHECKSUM = "bad checksum"
"""How the id of a row ends whose only merit is to be refused."""


@dataclass
class Count:
    """What came of some rows."""

    tried: int = 0
    agreed: int = 0
    proven: int = 0
    """In which only another decoder's proven faults differ."""
    disagreed: int = 0
    explained: int = 0
    out_of_scope: int = 0
    parts: dict[str, list[int]] = field(default_factory=dict)
    """For what goals speak of: how many agreed, and of how many."""
    rules: Counter[str] = field(default_factory=Counter)
    """How often each rule proved a fault of another decoder."""

    def part(self, what: str, agreed: int, tried: int) -> None:
        """Count towards a goal."""
        pair = self.parts.setdefault(what, [0, 0])
        pair[0] += agreed
        pair[1] += tried

    def row(self, row_id: str, trust: str, *, agreed: bool) -> None:
        """Count a row that agrees or does not."""
        self.agreed += agreed
        self.disagreed += not agreed
        self.part("rows", agreed, 1)
        if row_id.endswith(BAD_CHECKSUM):
            self.part("bad checksums refused", agreed, 1)
        elif trust == "A":
            self.part("A rows", agreed, 1)

    def add(self, other: Count) -> None:
        """Count what another has counted."""
        for name in ("tried", "agreed", "proven", "disagreed", "explained", "out_of_scope"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.rules += other.rules
        for what, (agreed, tried) in other.parts.items():
            self.part(what, agreed, tried)

    def words(self) -> str:
        """Say it on one line."""
        line = (
            f"tried {self.tried:>6}  agreed {self.agreed:>6}  other's proven fault {self.proven:>3}"
            f"  disagreed {self.disagreed:>4} (explained {self.explained})"
            f"  out of scope {self.out_of_scope}"
        )
        for what, (agreed, tried) in sorted(self.parts.items()):
            line += f"  {what} {agreed}/{tried} = {percent(agreed, tried):.3f} %"
        if self.proven:
            line += f"  proven faults counted in: {percent(self.agreed, self.tried):.3f} % of rows"
        return line


@dataclass
class Reason:
    """Why some rows can't agree. All that is given must match: file, id, field."""

    file: str
    ids: tuple[str, ...]
    field: str
    reason: str
    used: int = 0

    def explains(self, file: str, row_id: str, disagreement: str) -> bool:
        """Say whether this is the reason, and remember that it was needed."""
        found = (
            fnmatchcase(file, self.file)
            and any(fnmatchcase(row_id, wanted) for wanted in self.ids)
            and fnmatchcase(disagreement, f"{self.field}*")
        )
        self.used += found
        return found


def main(arguments: list[str]) -> int:
    """Try every file; print a line for each; return the exit status."""
    root = Path(arguments[0] if arguments else os.environ.get("VECTORS", DEFAULT))
    if not root.is_dir():
        say(f"no vectors at {root}: name their folder, here or in $VECTORS")
        return 1
    reasons = kept_reasons()
    faults: list[str] = []
    totals = {family: Count() for family in FAMILIES}
    checks = kept_checks()
    for file in files(root):
        check = next((check for name, check in checks if fnmatchcase(file, name)), None)
        if check is None:
            faults.append(f"{file}: no checker claims this file")
            continue
        count, unexplained = judge(file, check(root / file), reasons)
        totals[Path(file).parts[0].removesuffix(".json")].add(count)
        say(f"{file:<52} {count.words()}")
        faults += unexplained[:SHOWN_MAX]
        if len(unexplained) > SHOWN_MAX:
            faults.append(f"{file}: and {len(unexplained) - SHOWN_MAX} more without a reason")
    say("")
    for family, count in totals.items():
        say(f"{family:<52} {count.words()}")
    for family, count in totals.items():
        for rule, times in count.rules.items():
            say(f"{family}: proven {times}: {rule}")
    faults += missed_goals(totals)
    faults += [f"reasons.toml: needed by nothing: {r.reason}" for r in reasons if not r.used]
    say("")
    say("\n".join(faults) if faults else "every goal reached, every disagreement explained")
    return 1 if faults else 0


def files(root: Path) -> Iterator[str]:
    """Yield the name of each file of the families, companions left out."""
    for family in FAMILIES:
        for path in sorted([*root.glob(f"{family}.json"), *(root / family).rglob("*")]):
            if path.is_file() and not any(fnmatchcase(path.name, name) for name in COMPANIONS):
                yield path.relative_to(root).as_posix()


def kept_checks() -> list[tuple[str, Check]]:
    """Return what the checkers beside this file offer."""
    found: list[tuple[str, Check]] = []
    for path in sorted(HERE.glob("check_*.py")):
        spec = spec_from_file_location(f"conformance_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up there
        spec.loader.exec_module(module)
        found += module.FILES.items()
    return found


def kept_reasons() -> list[Reason]:
    """Return the reasons on file."""
    whole = tomllib.loads((HERE / "reasons.toml").read_text(encoding="utf-8"))
    return [
        Reason(
            file=row["file"],
            ids=tuple(row.get("ids", ["*"])),
            field=row.get("field", ""),
            reason=row["reason"],
        )
        for row in whole["reason"]
    ]


def judge(file: str, rows: list[Row], reasons: list[Reason]) -> tuple[Count, list[str]]:
    """Return the count of a file, and each disagreement that no reason explains."""
    count, unexplained = Count(), []
    for row_id, trust, disagreements, *fields in rows:
        if disagreements is None:
            count.out_of_scope += 1
            continue
        count.tried += 1
        proven = [text for text in disagreements if isinstance(text, Proven)]
        differing = [text for text in disagreements if not isinstance(text, Proven)]
        count.rules.update(text.rule for text in proven)
        if proven and not differing:
            count.proven += 1
        else:
            count.row(row_id, trust, agreed=not differing)
        if trust == "A" and fields:
            tried = fields[0] - len(proven)
            count.part("A fields", max(0, tried - len(differing)), tried)
        missing = [text for text in differing if not any_explains(reasons, file, row_id, text)]
        count.explained += bool(differing) and not missing
        unexplained += [f"{file} {row_id}: {text}" for text in missing]
    return count, unexplained


def any_explains(reasons: list[Reason], file: str, row_id: str, text: str) -> bool:
    """Say whether any reason explains it; each that does is counted as needed."""
    return sum(reason.explains(file, row_id, text) for reason in reasons) > 0


def missed_goals(totals: dict[str, Count]) -> Iterator[str]:
    """Yield each goal that was not reached; a goal that nothing counted towards is missed."""
    for goal in GOALS:
        agreed, tried = totals[goal.family].parts.get(goal.what, (0, 0))
        if not tried or percent(agreed, tried) < goal.percent:
            yield (
                f"{goal.family}: {goal.what} {agreed}/{tried} = {percent(agreed, tried):.3f} %,"
                f" wanted {goal.percent} %"
            )


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def percent(part: int, whole: int) -> float:
    """Return the part in per cent; nothing of nothing is nothing."""
    return 100 * part / whole if whole else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
