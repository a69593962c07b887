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
from gateway.model.asked import Fact, Request, Taped
from gateway.model.inbound import Moment, Ruling, Tick
from gateway.model.plan import RegisterPlan
from gateway.model.verdict import Verdict, VerdictNote
from gateway.pipeline import NOBODY, docket_of
from gateway.rules.bench import Bench
from gateway.settings.parties import agreement_asked
from gateway.settings.register import register_of
from gateway.transport.tape import NothingRead, TapeBroken, moment_of
from gateway.verbs.published import Replayed
from gateway.verbs.replay import Replay
from gateway.verbs.telling import printable, verdict_line

_MARKS = {True: "+", False: "-"}
"""Of a verdict that only one of two agreements gives: what is added by the first, what is gone."""


def main(args: argparse.Namespace) -> int:
    """Print each verdict on the traffic of a file, and how many there were of each."""
    agreements = [agreement_asked(name, args.party) for name in args.agreement]
    register = register_of(args.register)
    against = None if args.against is None else agreement_asked(args.against, args.party)
    try:
        if against is None:
            told = list(_of(args, agreements, register))
            _print(told, as_json=args.json)
        else:
            _compare(args, agreements, against, register)
    except (TapeBroken, NothingRead) as broken:
        sys.stderr.write(f"{printable(str(broken))}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{printable(args.file)}: {error.strerror}\n")
        return 1
    return 0


def simulated(
    path: Path,
    agreements: Sequence[Agreement],
    *,
    profile: str | None = None,
    register: RegisterPlan = NOBODY,
) -> Iterator[Verdict]:
    """Yield what these agreements say of a tape or capture, in the order in which they say it."""
    for _, found in judged(path, agreements, profile=profile, register=register):
        yield from found


def judged(
    path: Path,
    agreements: Sequence[Agreement],
    *,
    profile: str | None = None,
    register: RegisterPlan = NOBODY,
) -> Iterator[tuple[Moment, list[Verdict]]]:
    """Yield each moment of a tape or capture, with what these agreements say of it.

    One that is no more than proposed is tried as though it were in force. At the end of a file of
    which nothing could be read NothingRead is raised.
    """
    bench = docket_of(map(_tried, agreements), register=register).bench
    running = Replay(path, profile=profile, register=register)
    for heard, items in running.steps():
        yield moment_of(heard), [*_judged(bench, heard, items)]
    running.end()


def _judged(bench: Bench, heard: Taped, items: Sequence[Replayed]) -> Iterator[Verdict]:
    moment = moment_of(heard)
    notes: list[VerdictNote] = []
    match heard:
        case Tick():
            notes += bench.tick(moment)
        case Fact():
            notes += bench.fact(heard)
        case Request():
            yield from bench.gate(heard).verdicts
        case _:
            pass
    for item in items:
        if isinstance(item, Ruling):
            notes += bench.sighting(item.sighting, moment)
    yield from (note.verdict for note in notes)


def _tried(agreement: Agreement) -> Agreement:
    status = agreement.status
    if status.state is not State.PROPOSED:
        return agreement
    return replace(agreement, status=replace(status, state=State.IN_FORCE))


def _of(
    args: argparse.Namespace, agreements: Sequence[Agreement], register: RegisterPlan
) -> Iterator[Verdict]:
    yield from simulated(Path(args.file), agreements, profile=args.profile, register=register)


def _compare(
    args: argparse.Namespace,
    agreements: Sequence[Agreement],
    other: Agreement,
    register: RegisterPlan,
) -> None:
    """Print what only one side says; rules are compared by what they say, not by their names."""
    ours = list(_of(args, agreements, register))
    theirs = list(_of(args, [other], register))
    common = Counter(map(_said, ours)) & Counter(map(_said, theirs))
    sides = [(True, verdict) for verdict in _without(ours, common)]
    sides += [(False, verdict) for verdict in _without(theirs, common)]
    for is_ours, verdict in sorted(sides, key=lambda side: (side[1].mono_ns, not side[0])):
        sys.stdout.write(f"{_MARKS[is_ours]} {verdict_line(verdict)}\n")
    same = common.total()
    differ = "1 verdict differs" if len(sides) == 1 else f"{len(sides)} verdicts differ"
    sides_told = "(+ of --agreement alone, - of --against alone)" if sides else ""
    sys.stdout.write(f"\n{' '.join(filter(None, (differ, sides_told)))}, {same} are the same\n")


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
    count = f"{len(verdicts)} verdict{'' if len(verdicts) == 1 else 's'}"
    sys.stdout.write(f"\n{count}{': ' if words else ''}{words}\n")
