"""`simulate`: what agreements would have said of recorded traffic, and where two of them differ."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from gateway.model.agreement import Agreement, State
from gateway.model.inbound import Moment, Ruling, Tick
from gateway.model.verdict import Verdict
from gateway.rules import kind_named
from gateway.rules.bench import Bench
from gateway.settings.parties import agreement_asked
from gateway.transport.tape import TapeBroken
from gateway.verbs.replay import Replay
from gateway.verbs.telling import printable, verdict_line

_MARKS = {True: "+", False: "-"}
"""Of a verdict that only one of two agreements gives: what is added by the first, what is gone."""


def main(args: argparse.Namespace) -> int:
    """Print each verdict on the traffic of a file, and how many there were of each."""
    agreements = [agreement_asked(name, args.party) for name in args.agreement]
    against = None if args.against is None else agreement_asked(args.against, args.party)
    try:
        if against is None:
            told = list(simulated(Path(args.file), agreements, profile=args.profile))
            _print(told, as_json=args.json)
        else:
            _compare(args, agreements, against)
    except TapeBroken as broken:
        sys.stderr.write(f"{printable(str(broken))}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{printable(args.file)}: {error.strerror}\n")
        return 1
    return 0


def simulated(
    path: Path, agreements: Sequence[Agreement], *, profile: str | None = None
) -> Iterator[Verdict]:
    """Yield what these agreements say of a tape or capture, in the order in which they say it."""
    for _, found in judged(path, agreements, profile=profile):
        yield from found


def judged(
    path: Path, agreements: Sequence[Agreement], *, profile: str | None = None
) -> Iterator[tuple[Moment, list[Verdict]]]:
    """Yield each moment of a tape or capture, with what these agreements say of it.

    One that is no more than proposed is tried as though it were in force.
    """
    kinds = {clause.kind: kind_named(clause.kind) for one in agreements for clause in one.rules}
    bench = Bench(map(_tried, agreements), kinds)
    for heard, items in Replay(path, profile=profile).steps():
        moment = heard.now if isinstance(heard, Tick) else heard.heard
        notes = [*bench.tick(moment)] if isinstance(heard, Tick) else []
        for item in items:
            if isinstance(item, Ruling):
                notes += bench.sighting(item.sighting, moment)
        yield moment, [note.verdict for note in notes]


def _tried(agreement: Agreement) -> Agreement:
    status = agreement.status
    if status.state is not State.PROPOSED:
        return agreement
    return replace(agreement, status=replace(status, state=State.IN_FORCE))


def _compare(args: argparse.Namespace, agreements: Sequence[Agreement], other: Agreement) -> None:
    """Print what only one side says; rules are compared by what they say, not by their names."""
    path = Path(args.file)
    ours = list(simulated(path, agreements, profile=args.profile))
    theirs = list(simulated(path, [other], profile=args.profile))
    common = Counter(map(_said, ours)) & Counter(map(_said, theirs))
    sides = [(True, verdict) for verdict in _without(ours, common)]
    sides += [(False, verdict) for verdict in _without(theirs, common)]
    for is_ours, verdict in sorted(sides, key=lambda side: (side[1].mono_ns, not side[0])):
        sys.stdout.write(f"{_MARKS[is_ours]} {verdict_line(verdict)}\n")
    same = common.total()
    sys.stdout.write(f"\n{len(sides)} verdicts differ, {same} are the same\n")


def _said(verdict: Verdict) -> tuple[int, str, str, str]:
    return verdict.mono_ns, verdict.kind, verdict.judgement.value, verdict.subject


def _without(
    verdicts: Iterable[Verdict], common: Counter[tuple[int, str, str, str]]
) -> Iterator[Verdict]:
    left = Counter(common)
    for verdict in verdicts:
        key = _said(verdict)
        if left[key] > 0:
            left[key] -= 1
        else:
            yield verdict


def _print(verdicts: Sequence[Verdict], *, as_json: bool) -> None:
    for verdict in verdicts:
        line = msgspec.json.encode(verdict).decode() if as_json else verdict_line(verdict)
        sys.stdout.write(f"{line}\n")
    if as_json:
        return
    counted = Counter(verdict.judgement.value for verdict in verdicts)
    words = ", ".join(f"{count} {judgement}" for judgement, count in counted.most_common())
    sys.stdout.write(f"\n{len(verdicts)} verdicts{': ' if words else ''}{words}\n")
