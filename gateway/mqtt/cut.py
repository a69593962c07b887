"""An incident cut to the size in which it is told: the least of it is left out, and counted. Pure.

What is left out stands in the journal, and each report of it has been told on its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

ALWAYS = 1
"""Evidence that is never left out: the gravest, by which the incident is known."""

TRIMMED = ("links", "actions", "splits", "possibly", "nearby", "names", "doubts")
"""What is shortened when that is not enough, one after the other: the least needed first."""

COUNT_BYTES = len(',"evidence_more":') + 8
"""What the count itself takes."""

Told = Mapping[str, object]
Encode = Callable[[object], bytes]
Cost = Callable[[object], int]


def cut_to_fit(incident: Told, over_bytes: int, encode: Encode) -> Told:
    """Return the incident without so many bytes of it, at least.

    Evidence goes first, from the tail, and with it the links that lead to it.
    """
    told = dict(incident)
    cost = _cost_in(encode)
    over = _leave_out_evidence(told, over_bytes + COUNT_BYTES, cost)
    for name in TRIMMED:
        kept = list(_listed(told, name))
        while over > 0 and kept:
            over -= cost(kept.pop())
        if name in told:
            told[name] = kept
    return told


def _cost_in(encode: Encode) -> Cost:
    """Return what says how many bytes an item takes in a list, with what parts it from the next."""
    comma = len(encode((0, 0, 0))) - len(encode((0, 0))) - len(encode(0))
    return lambda item: len(encode(item)) + comma


def _leave_out_evidence(told: dict[str, object], over: int, cost: Cost) -> int:
    """Leave out evidence until there is room, and count it; return how much is still too much."""
    evidence, links = list(_listed(told, "evidence")), _listed(told, "links")
    leading: dict[object, set[int]] = defaultdict(set)
    for place, link in enumerate(links):
        for end in ("one", "other"):
            leading[link[end]].add(place)
    gone: set[int] = set()
    more = told.get("evidence_more", 0)
    left_out = more if isinstance(more, int) else 0
    while over > 0 and len(evidence) > ALWAYS:
        one = evidence.pop()
        cut = leading[one["evidence_id"]] - gone
        over -= cost(one) + sum(cost(links[place]) for place in cut)
        gone |= cut
        left_out += 1
    told["evidence"], told["evidence_more"] = evidence, left_out
    if gone:
        told["links"] = [link for place, link in enumerate(links) if place not in gone]
    return over


def _listed(told: Told, name: str) -> Sequence[Mapping[str, object]]:
    found = told.get(name, ())
    return found if isinstance(found, list | tuple) else ()
