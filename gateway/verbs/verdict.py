"""`explain verdict`: the clause, of whom and since when, by what inputs, and what would change it.

The verdict and its inputs come out of a journal, the clause out of the agreement whose digest the
verdict names: another text of the same name says nothing about it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from gateway.codes.dates import utc_of
from gateway.journal.failed import JournalFailed
from gateway.journal.verdicts import FOUND_MAX, Input, Note, evidence_in, verdicts_in
from gateway.model.agreement import Agreement, Clause
from gateway.model.asked import Fact, Stated
from gateway.model.inbound import Report
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.settings.parties import agreement_asked
from gateway.verbs.agreement import awake, clause_lines, wrapped
from gateway.verbs.graph import stamp
from gateway.verbs.incident import FAILED, MISUSED, page
from gateway.verbs.telling import one_line, printable, said, verdict_line

NO_JOURNAL = """\
a verdict is explained out of a journal: distress-gateway explain verdict ID --journal FILE
"""

LISTED_MAX = 4
"""Verdicts that are named where several may be meant."""

_REPORT_ID = re.compile(r"[0-9a-f]{32}")

_CHANGED = {
    Judgement.OK: "It is as agreed, and would not be had this not been kept:",
    Judgement.VIOLATION: "It would be no violation had this been kept:",
    Judgement.AT_RISK: "It is no violation: this can still be kept, or nobody can tell if it was:",
    Judgement.DENIED: "It would have been let through within this:",
    Judgement.DEFERRED: "It would have been let through {until}; agreed is:",
    Judgement.EXEMPT: "It would count but for {by}, which goes before; agreed is:",
    Judgement.UNKNOWN: "The rule would know, had it what the sentence says is missing; agreed is:",
}
"""What would have changed a verdict, before what is as agreed."""


class Explained(Struct, frozen=True, omit_defaults=True):
    """A verdict with all that explains it."""

    note: VerdictNote
    evidence: dict[str, Input | None]
    """What it rests on, by its ids; None for what is in no entry of the journal."""
    clause: Clause | None = None
    """The rule as it is written; None without the agreement."""
    before: Clause | None = None
    """Of what is exempt: the rule that goes before."""
    otherwise: str | None = None
    """What is as agreed."""


def main(args: argparse.Namespace) -> int:
    """Print why one verdict is what it is; 1 also when no agreement given is the one it is of."""
    if args.journal is None:
        sys.stderr.write(NO_JOURNAL)
        return MISUSED
    agreements = [agreement_asked(name, args.party) for name in args.agreement]
    try:
        notes = verdicts_in(args.journal, prefix=args.id.lower())
        if len(notes) != 1:
            sys.stderr.write(_which(args.id, notes))
            return FAILED
        evidence = evidence_in(args.journal, notes[0])
    except JournalFailed as failed:
        sys.stderr.write(f"{printable(str(failed))}\n")
        return FAILED
    verdict = notes[0].told.verdict
    found = explained(notes[0].told, evidence, agreements)
    page(found, lines(found), as_json=args.json)
    if found.clause is None and agreements:
        sys.stderr.writelines(_others(verdict, agreements))
        return FAILED
    return 0


def explained(
    note: VerdictNote,
    evidence: dict[str, Input | None],
    agreements: Sequence[Agreement] = (),
) -> Explained:
    """Return the verdict beside its clause, if one of these is the very text that it is of."""
    verdict = note.verdict
    for agreement in agreements:
        clauses = {clause.id: clause for clause in agreement.rules}
        if agreement.digest == verdict.digest and verdict.rule in clauses:
            return Explained(
                note=note,
                evidence=evidence,
                clause=clauses[verdict.rule],
                before=clauses.get(verdict.by or ""),
                otherwise=awake(agreement).rules[verdict.rule].otherwise(),
            )
    return Explained(note=note, evidence=evidence)


def lines(found: Explained) -> Iterator[str]:
    """Yield the whole of it, line by line; nothing that would not print."""
    verdict = found.note.verdict
    yield verdict_line(verdict)
    yield ""
    yield from map(printable, _head(found.note))
    yield from ("", "the clause")
    if found.clause is None:
        yield from wrapped(_where_it_stands(verdict))
    else:
        yield from clause_lines(found.clause)
    if found.before is not None:
        yield from ("", "the clause that goes before it")
        yield from clause_lines(found.before)
    yield from ("", "the inputs")
    yield from (f"    {line}" for line in _inputs(found.evidence) or ["none: time alone"])
    if found.otherwise is not None:
        yield from ("", "what would have changed it")
        yield from wrapped(_changed(verdict))
        yield from wrapped(found.otherwise)


def _head(note: VerdictNote) -> Iterator[str]:
    verdict = note.verdict
    yield f"verdict    {note.verdict_id}"
    yield f"judged     {_spaced(verdict.judgement)}{_exempt(verdict)}, of {verdict.subject}"
    yield f"before     {'nothing stood of it' if note.was is None else _spaced(note.was)}"
    yield f"said       {stamp(verdict.utc, verdict.mono_ns)}"
    for name, mono_ns in (("since", verdict.since_mono_ns), ("until", verdict.until_mono_ns)):
        if mono_ns is not None:
            yield f"{name:<10} {_at(verdict, mono_ns)}"
    if note.untold:
        yield f"untold     {note.untold} verdicts of this rule before it are only counted"
    yield f"agreement  {verdict.agreement}, version {verdict.version}"
    yield f"digest     {verdict.digest}"


def _exempt(verdict: Verdict) -> str:
    return "" if verdict.by is None else f" by {verdict.by}"


def _at(verdict: Verdict, mono_ns: int) -> str:
    """Return a moment that the verdict names, and how far it is from when it was said."""
    off_s = (mono_ns - verdict.mono_ns) / 1e9
    utc: datetime | None = None
    if verdict.utc is not None:
        utc = verdict.utc + timedelta(seconds=off_s)
    side = "before it was said" if off_s < 0 else "after it was said"
    off = f"{abs(off_s):g} s {side}" if off_s else "when it was said"
    return f"{stamp(utc, mono_ns)}, {off}"


def _where_it_stands(verdict: Verdict) -> str:
    return (
        f"rule {verdict.rule}, {_spaced(verdict.kind)}, of agreement {verdict.agreement}, version"
        f" {verdict.version}. To read it here, give the file of that very text with --agreement:"
        f" `distress-gateway agreement show` has to say of it: digest {verdict.digest}"
    )


def _others(verdict: Verdict, agreements: Sequence[Agreement]) -> Iterator[str]:
    for one in agreements:
        words = f"{one.id}, version {one.version}, has digest {one.digest}, not {verdict.digest}"
        yield f"it is not of this text: {printable(words)}\n"


def _inputs(evidence: Mapping[str, Input | None]) -> list[str]:
    return [printable(f"{name}  {_input(name, one)}") for name, one in evidence.items()]


def _input(name: str, found: Input | None) -> str:
    match found:
        case Report():
            return one_line(found)
        case Stated():
            return _fact(found.fact)
        case VerdictNote():
            return f"verdict {found.verdict_id}: {verdict_line(found.verdict).lstrip()}"
        case _ if _REPORT_ID.fullmatch(name):
            return "no entry of this journal: of routine only the newest is kept"
        case _:
            return "no entry of this journal"


def _fact(fact: Fact) -> str:
    """Return what somebody has stated: when, what, who says so, and of whom."""
    utc = utc_of(fact.at.utc_ns)
    words = f"{stamp(utc, fact.at.mono_ns)}  {_spaced(fact.what)}"
    told = {
        "by": fact.by,
        "to": fact.to,
        "on": fact.channel,
        "about": fact.about,
        "with": ", ".join(fact.fields),
    }
    words += "".join(f" {name} {value}" for name, value in told.items() if value)
    words += f': "{said(fact.words)}"' if fact.words else ""
    return f"{words}, stated by {fact.person or 'the station'}"


def _changed(verdict: Verdict) -> str:
    until = "later"
    if verdict.until_mono_ns is not None:
        until = f"from {_at(verdict, verdict.until_mono_ns)}"
    return _CHANGED[verdict.judgement].format(until=until, by=verdict.by or "another rule")


def _which(prefix: str, notes: Sequence[Note]) -> str:
    if not notes:
        words = (
            f"the journal has no verdict {prefix}; `distress-gateway verify` says if it is whole"
        )
        return f"{printable(words)}\n"
    count = f"{len(notes)} or more" if len(notes) == FOUND_MAX else str(len(notes))
    told = [note.told for note in notes[:LISTED_MAX]]
    named = "".join(f"  {one.verdict_id}  {verdict_line(one.verdict)}\n" for one in told)
    return f"{printable(prefix)} may be any of {count}; give more digits:\n{named}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
