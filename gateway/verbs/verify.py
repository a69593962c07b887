"""`verify`: does a journal prove itself? It is only read, also while a gateway writes it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from msgspec import json

from gateway.journal.failed import JournalFailed
from gateway.journal.proving import Finding, Proof, proof_of
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
    if args.json:
        sys.stdout.buffer.write(json.encode({"holds": proof.holds, "proof": proof}) + b"\n")
    else:
        sys.stdout.write("\n".join(_lines(proof)) + "\n")
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


def _finding(finding: Finding) -> Iterator[str]:
    verdict = "holds" if finding.holds else "FAILS"
    yield f"{verdict}  {finding.what:<10} {finding.proof}"
    for fault in finding.faults:
        yield f"         {printable(fault)}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
