"""What a message holds, in the words in which agreements ask for it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model.inbound import Report
from gateway.rules.event import Event

OR_UNKNOWN = "_or_unknown"
"""What may be said to be unknown: the form of a radio message has a place for it, and a person says
`position_unknown`."""


def held_by(event: Event) -> frozenset[str]:
    """Return what a message holds; of what people tell, what they say that it holds."""
    said = () if event.fact is None else event.fact.fields
    heard = () if event.report is None else _of_report(event.report)
    return frozenset((*said, *heard))


def lacking(wanted: Iterable[str], held: frozenset[str], *, formed: bool) -> list[str]:
    """Return what is missing of this; a formed message has a place for what is unknown."""
    return [field for field in wanted if not _holds(field, held, formed=formed)]


def _holds(field: str, held: frozenset[str], *, formed: bool) -> bool:
    if field in held:
        return True
    if not field.endswith(OR_UNKNOWN):
        return False
    known = field.removesuffix(OR_UNKNOWN)
    return formed or known in held or f"{known}_unknown" in held


def _of_report(report: Report) -> Iterable[str]:
    sender, casualty = report.sender, report.casualty
    if sender is not None or casualty is not None:
        yield "identity"
    if casualty is not None:
        yield "distress_id"
        if sender is not None and sender != casualty:
            yield "relayed_by"
    found = {
        "nature": report.nature,
        "position": report.position,
        "time": report.claimed_utc,
        "persons_on_board": report.persons_on_board,
        "text": report.text,
    }
    yield from (name for name, value in found.items() if value is not None)
