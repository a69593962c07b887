"""`explain incident` and `explain verdict`: why they are what they are.

An incident by a broker or out of a journal; a verdict out of a journal, beside its agreement.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from gateway.journal.failed import JournalFailed
from gateway.journal.incidents import incidents_in
from gateway.model.incident import IncidentNote
from gateway.verbs import incident, verdict
from gateway.verbs.graph import explained
from gateway.verbs.telling import printable

NO_NAME = "say which {0}: distress-gateway explain {0} ID\n"


def main(args: argparse.Namespace) -> int:
    """Explain one thing by its name; 1 when there is none, or more than one of that name."""
    if len(args.raw) != 2:  # the word, and the name
        sys.stderr.write(NO_NAME.format(args.raw[0]))
        return incident.MISUSED
    args.id = args.raw[1]
    return ASKED[args.raw[0]](args)


def _incident(args: argparse.Namespace) -> int:
    """Print the graph of one incident."""
    args.action = "explain"
    if args.journal is None:
        return incident.main(args)
    try:
        notes = incidents_in(args.journal, prefix=args.id.lower())
    except JournalFailed as failed:
        sys.stderr.write(f"{printable(str(failed))}\n")
        return incident.FAILED
    if len(notes) != 1:
        sys.stderr.write(f"{_which(args.id, notes)}\n")
        return incident.FAILED
    return incident.page(notes[0], explained(notes[0].incident), as_json=args.json)


def _which(prefix: str, notes: tuple[IncidentNote, ...]) -> str:
    if not notes:
        return printable(f"the journal has no note of an incident {prefix}")
    names = ", ".join(note.incident.incident_id for note in notes[:4])
    return printable(f"{prefix} may be any of {len(notes)}: {names}; give more digits")


ASKED: dict[str, Callable[[argparse.Namespace], int]] = {
    "incident": _incident,
    "verdict": verdict.main,
}
"""What can be explained that is no message."""
