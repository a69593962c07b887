"""`verify`: does a journal prove itself? It is only read, also while a gateway writes it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from msgspec import json

from gateway.journal.alarmed import Alarmed, alarmed_in
from gateway.journal.dating import Dating, dating_of
from gateway.journal.failed import JournalFailed
from gateway.journal.proving import Finding, Proof, proof_of
from gateway.model.status import AlarmRaised
from gateway.verbs.telling import printable


def main(args: argparse.Namespace) -> int:
    """Print what holds of the journal and what doesn't; 1 when something doesn't."""
    try:
        proof = proof_of(args.file)
    except JournalFailed as failed:
        if args.json:
            sys.stdout.buffer.write(json.encode(_refused(failed)) + b"\n")
        else:
            sys.stderr.write(f"{printable(str(failed))}\n")
        return 1
    dating, alarmed = _dating(args.file), _alarmed(args.file)
    if args.json:
        found = {"holds": proof.holds, "proof": proof, "dating": dating, "alarms": alarmed}
        sys.stdout.buffer.write(json.encode(found) + b"\n")
    else:
        lines = [*_lines(proof), *_dated(dating), *_noted(alarmed)]
        sys.stdout.write("\n".join(lines) + "\n")
    return 0 if proof.holds else 1


def _refused(failed: JournalFailed) -> dict[str, object]:
    return {"holds": False, "path": failed.path, "reason": failed.reason}


def _lines(proof: Proof) -> Iterator[str]:
    yield f"journal    {printable(proof.path)}"
    yield f"epoch      {proof.epoch}, of station {printable(proof.station)}"
    yield f"rows       {_counts(proof.rows)}; thrown away {_counts(proof.gone)}"
    yield f"newest     number {proof.number_last}, link {proof.link_last}"
    yield ""
    for finding in proof.findings:
        yield from _finding(finding)
    yield ""
    yield "the journal holds" if proof.holds else "the journal does NOT hold"


def _dating(path: str) -> Dating | None:
    """Return what the journal states about the clock; None when it can't be read to its end."""
    try:
        return dating_of(path)
    except JournalFailed:
        return None


def _alarmed(path: str) -> Alarmed | None:
    """Return which alarms the journal has notes of; None when it can't be read to its end."""
    try:
        return alarmed_in(path)
    except JournalFailed:
        return None


def _noted(alarmed: Alarmed | None) -> Iterator[str]:
    """Yield which alarms were raised, and the newest notes of them; mostly few."""
    if alarmed is None or not alarmed.newest:
        return
    yield ""
    yield f"alarms     raised: {_counts(alarmed.raised)}"
    for note in alarmed.newest:
        said = f"{note.utc:%Y-%m-%d %H:%M:%S}" if note.utc else "no date"
        what = f"raised: {printable(note.text)}" if isinstance(note, AlarmRaised) else "cleared"
        unsaid = f" (and {note.unsaid} changes before it)" if note.unsaid else ""
        yield f"           {said}  {note.name} {what}{unsaid}"


def _dated(dating: Dating | None) -> Iterator[str]:
    """Yield which entries are to be dated otherwise than they say; mostly none."""
    if dating is None or not (dating.steps or dating.offsets):
        return
    yield ""
    yield f"clock      moved {dating.steps} times; {dating.redated} entries are dated anew"
    for anew in dating.newest:
        said = f"{anew.utc:%Y-%m-%d %H:%M:%S}" if anew.utc else "no date"
        doubt = "" if anew.error_ms is None else f", within {anew.error_ms} ms"
        yield (
            f"           {anew.number} ({printable(anew.lane)}) says {said}, and was heard"
            f" {anew.true_utc:%Y-%m-%d %H:%M:%S.%f} ({anew.source}{doubt})"
        )
    if dating.redated > len(dating.newest):
        yield f"           and {dating.redated - len(dating.newest)} before them"


def _finding(finding: Finding) -> Iterator[str]:
    verdict = "holds" if finding.holds else "FAILS"
    yield f"{verdict}  {finding.what:<10} {finding.proof}"
    for fault in finding.faults:
        yield f"         {printable(fault)}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
