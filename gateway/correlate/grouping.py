"""Which strands are one incident: a function of the strands and their links alone. Pure.

Links are taken the strongest first. One by a name joins whatever an operator has not taken apart;
one by nearness joins only what can be of one casualty, and only where nothing else, which can't
be of the same one, is about as near. So the order in which reports came makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.correlate.links import SAME
from gateway.correlate.names import differ
from gateway.correlate.strands import Strand
from gateway.model.incident import Link, LinkKind, Split

MARGIN = 0.1
"""Two places that differ by less than this in weight are about as near."""


class Groups:
    """Sets of strands that grow together."""

    def __init__(self, strands: Mapping[str, Strand], splits: Sequence[Split]) -> None:
        self._head = {name: name for name in strands}
        self._members = {name: [name] for name in strands}
        self._things = {name: dict(strand.things) for name, strand in strands.items()}
        self._sides = [(frozenset(split.one), frozenset(split.other)) for split in splits]

    def of(self, name: str) -> str:
        """Return the head of the group that this strand is in."""
        return self._head[name]

    def join(self, one: str, other: str) -> None:
        """Make one group of two, unless an operator has taken them apart."""
        head, gone = sorted((self.of(one), self.of(other)))
        if head == gone or self._apart(head, gone):
            return
        for name in self._members[gone]:
            self._head[name] = head
        self._members[head] += self._members.pop(gone)
        for thing, numbers in self._things.pop(gone).items():
            self._things[head][thing] = self._things[head].get(thing, frozenset()) | numbers

    def may_be_one(self, one: str, other: str) -> bool:
        """Say whether nothing in these two groups speaks against one casualty."""
        return differ(self._things[self.of(one)], self._things[self.of(other)]) is None

    def is_a_thing(self, name: str) -> bool:
        """Say whether anything is known of what this group is."""
        return bool(self._things[self.of(name)])

    def _apart(self, one: str, other: str) -> bool:
        if not self._sides:
            return False
        here, there = set(self._members[one]), set(self._members[other])
        return any(
            (here & left and there & right) or (here & right and there & left)
            for left, right in self._sides
        )

    def all(self) -> list[frozenset[str]]:
        """Return every group."""
        return [frozenset(members) for members in self._members.values()]


def grouped(
    strands: Mapping[str, Strand], links: Iterable[Link], splits: Sequence[Split]
) -> list[frozenset[str]]:
    """Return the strands that are one incident each."""
    groups = Groups(strands, splits)
    strongest = sorted(links, key=lambda link: (-link.weight, link.one, link.other))
    for link in strongest:
        if link.kind is not LinkKind.NEARNESS and link.weight >= SAME:
            groups.join(link.one, link.other)
    near = _between(groups, (link for link in strongest if link.weight >= SAME - MARGIN))
    for link in _plain(groups, near):
        if groups.may_be_one(link.one, link.other):
            groups.join(link.one, link.other)
    return groups.all()


def _between(groups: Groups, links: Iterable[Link]) -> dict[frozenset[str], Link]:
    """Return the strongest link between each two groups, as they stand now."""
    found: dict[frozenset[str], Link] = {}
    for link in links:
        ends = frozenset((groups.of(link.one), groups.of(link.other)))
        if len(ends) == 2:  # a link within a group has one
            found.setdefault(ends, link)
    return found


def _plain(groups: Groups, near: Mapping[frozenset[str], Link]) -> list[Link]:
    """Return the links that leave no doubt which of several is meant."""
    fits = {ends: link for ends, link in near.items() if groups.may_be_one(*ends)}
    beside: dict[str, list[tuple[str, float]]] = {}
    for ends, link in fits.items():
        for end in ends:
            (other,) = ends - {end}
            if groups.is_a_thing(other):  # what may be anything is nobody's rival
                beside.setdefault(end, []).append((other, link.weight))
    return [
        link
        for ends, link in fits.items()
        if link.weight >= SAME and not _is_rivalled(groups, ends, link.weight, beside)
    ]


def _is_rivalled(
    groups: Groups,
    ends: frozenset[str],
    weight: float,
    beside: Mapping[str, list[tuple[str, float]]],
) -> bool:
    for end in ends:
        (other,) = ends - {end}
        if not groups.is_a_thing(other):
            continue
        for rival, weight_of_rival in beside.get(end, ()):
            near = rival != other and weight_of_rival >= weight - MARGIN
            if near and not groups.may_be_one(rival, other):
                return True
    return False
