"""Whom an incident is about first, where an operator has merged several casualties. Pure.

Name, place and radio are said of one of them: nobody looks for one ship where the other is.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from gateway.correlate.grouping import grouped
from gateway.correlate.links import NEAR_TO
from gateway.correlate.names import differ
from gateway.correlate.places import is_within
from gateway.correlate.strands import Strand
from gateway.model.incident import Link, Split
from gateway.model.words import URGENCIES, Confidence


def lead_of(
    strands: Sequence[Strand], joins: Sequence[Link], splits: Sequence[Split]
) -> tuple[list[Strand], int]:
    """Return the strands of the casualty that is named first, and how many others there are.

    What hangs together without an operator is of one casualty; so is what an operator has put to it
    that is no other thing, and is nowhere else.
    """
    names = {strand.name for strand in strands}
    if not any({link.one, link.other} <= names for link in joins):
        return list(strands), 0
    members = _members(strands, splits)
    first = min(members, key=_standing_of)
    lead, others = list(first), 0
    for member in members:
        if member is first:
            continue
        if _is_another(first, member):
            others += 1
        else:
            lead += member
    return lead, others


def _members(strands: Sequence[Strand], splits: Sequence[Split]) -> list[list[Strand]]:
    """Return what would be an incident of its own if no operator had joined it."""
    known = {strand.name: strand for strand in strands}
    links = [link for strand in strands for link in _within(strand, known.keys())]
    return [[known[name] for name in sorted(group)] for group in grouped(known, links, splits)]


def _within(strand: Strand, names: Container[str]) -> Iterator[Link]:
    return (
        link for link in strand.links.values() if link.one == strand.name and link.other in names
    )


def _standing_of(member: Sequence[Strand]) -> tuple[bool, bool, bool, int, int, str]:
    """Return what makes a member come first: a place, a name, trust, gravity, age."""
    told = [strand.evidence for strand in member]
    placed = [strand.evidence for strand in member if strand.fix is not None]
    return (
        not placed,
        not any(one.names for one in told),
        all(one.confidence is Confidence.SUSPECT for one in placed or told),
        min(URGENCIES.index(one.urgency) for one in told),
        *min((one.first_mono_ns, one.evidence_id) for one in told),
    )


def _is_another(lead: Sequence[Strand], member: Sequence[Strand]) -> bool:
    """Say whether a member is not of the first one's casualty: another thing, or elsewhere."""
    pairs = [(one, other) for one in lead for other in member]
    if any(differ(one.things, other.things) for one, other in pairs):
        return True
    near = [
        is_within(one.fix, other.fix, NEAR_TO)
        for one, other in pairs
        if one.fix is not None and other.fix is not None
    ]
    return bool(near) and not any(near)
