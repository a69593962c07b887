"""All strands and the links between them, and which of them may be linked to a new one. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import chain, islice, zip_longest
from math import ceil, cos, floor, radians
from string import digits
from typing import TypeVar

from gateway.correlate.grouping import MARGIN, grouped
from gateway.correlate.links import (
    SAME,
    Carried,
    far_apart,
    link_between,
    may_be_misread,
    may_be_near,
)
from gateway.correlate.names import BEACON_HEAD, PAIRED, differ
from gateway.correlate.places import Fix
from gateway.correlate.strands import Strand
from gateway.model.incident import Link, LinkKind, Split
from gateway.model.words import Mode

CELL_DEG = 0.5
"""Thirty nautical miles: what is farther off than a cell is never near enough to be shown."""

NEIGHBOURS_MAX = 48
"""Strands around it that a strand is compared with, the newest of each cell first. A ferry's rafts
are fewer; in a flood of invented calls there may be more."""

LINKS_MAX = 8
"""Links of one strand to what may be related, and no more. Those by a name are all kept."""

JOINS_MAX = 12
"""Links of one strand that join by nearness. More rivals for one place need not be known."""

TOGETHER_MAX = 128
"""Strands that are grouped together, in some milliseconds; only an invented crowd has so many."""

_SHIPS = "234567"
"""First digits of the MMSIs of ships (M.585)."""

_MID_END = len("mmsi:244")
_NEIGHBOURS_NAMED = 3

_POLE = 0.02
_POLAR_COLUMNS = 15
"""The cosine at which cells grow no wider, and how many of them then go round the pole: what is
across it is near."""

_ROW_MAX = 180
_WIDTHS_DEG = {
    row: CELL_DEG / max(_POLE, cos(radians((row + 0.5) * CELL_DEG)))
    for row in range(-_ROW_MAX - 1, _ROW_MAX + 2)
}
"""How wide the cells of each row are, the rows beside the last ones included."""

_COLUMNS = {row: ceil(360.0 / width_deg) for row, width_deg in _WIDTHS_DEG.items()}

Key = tuple[Mode, str]
Cell = tuple[Mode, int, int]
_Place = TypeVar("_Place", Key, Cell)


class Web:
    """Strands by their names, by place, and by what links them."""

    def __init__(self, carried: Carried) -> None:
        self.carried = carried
        self.strands: dict[str, Strand] = {}
        self._by_key: dict[Key, dict[str, None]] = {}
        self._by_cell: dict[Cell, dict[str, None]] = {}
        self.joins: dict[frozenset[str], Link] = {}
        """What operators have joined."""
        self.splits: list[Split] = []
        """What operators have taken apart."""

    def named(self, mode: Mode, name: str) -> list[Strand]:
        """Return the strands that go by this name."""
        return [self.strands[one] for one in self._by_key.get((mode, name), ())]

    def put(self, strand: Strand) -> frozenset[str]:
        """Take a strand in, or what has changed of it; return what that may group anew, if any."""
        self.strands[strand.name] = strand
        mode = strand.evidence.mode
        for key in _keys(strand):
            names = self._by_key.setdefault((mode, key), {})
            if strand.name not in names:
                self._look_beside(strand, key)
            names.setdefault(strand.name)
        self._place(strand)
        return self._link(strand)

    def take_out(self, name: str) -> None:
        """Forget a strand and its links."""
        strand = self.strands.pop(name)
        mode = strand.evidence.mode
        for key in _keys(strand):
            _drop(self._by_key, (mode, key), name)
        if strand.cell is not None:
            _drop(self._by_cell, (mode, *strand.cell), name)
        for other in (*strand.links, *strand.twice):
            if other in self.strands:
                self.strands[other].links.pop(name, None)
                self.strands[other].twice.pop(name, None)

    def misread(self, strands: Iterable[Strand]) -> frozenset[str]:
        """Return the names heard that a name of these strands may be a misreading of."""
        return frozenset(
            name
            for strand in strands
            for name in strand.neighbours
            for other in self.named(strand.evidence.mode, name)
            if may_be_misread(strand, other)
        )

    def neighbours(self, strand: Strand) -> Iterator[str]:
        """Yield the strands whose name differs in one digit from that of this one."""
        for name in strand.neighbours:
            yield from self._by_key.get((strand.evidence.mode, name), ())

    def together(self, seeds: Iterable[str]) -> list[frozenset[str]]:
        """Return the strands that hang together with these, as incidents."""
        found: dict[str, Strand] = {}
        open_ends = [name for name in seeds if name in self.strands]
        while open_ends and len(found) < TOGETHER_MAX:
            name = open_ends.pop()
            if name not in found:
                found[name] = self.strands[name]
                open_ends += self._bound_to(name)
        links = [
            link
            for name in found
            for link in self.links_of(name)
            if link.one == name and link.other in found
        ]
        return grouped(found, links, [*self.splits, *_apart(found)])

    def links_of(self, name: str) -> Iterator[Link]:
        """Yield every link of a strand, an operator's included."""
        yield from self.strands[name].links.values()
        yield from (link for ends, link in self.joins.items() if name in ends)

    def _bound_to(self, name: str) -> Iterator[str]:
        for link in self.links_of(name):
            if link.weight >= SAME - MARGIN:
                yield from {link.one, link.other} - {name}

    def _place(self, strand: Strand) -> None:
        fix, mode = strand.fix, strand.evidence.mode
        cell = None if fix is None else _cell(fix)
        if cell == strand.cell:
            return
        if strand.cell is not None:
            _drop(self._by_cell, (mode, *strand.cell), strand.name)
        if cell is not None:
            self._by_cell.setdefault((mode, *cell), {})[strand.name] = None
        strand.cell = cell

    def _link(self, strand: Strand) -> frozenset[str]:
        """Find the links of a strand anew; return whom it is about where one that may join changes.

        Beside itself that is what it was linked to, and is no more: something else may have it now.
        """
        before = {name: link.weight for name, link in strand.links.items()}
        for name in before:
            del strand.links[name]
            self.strands[name].links.pop(strand.name, None)
        named = self._candidates(strand)
        for name in named:
            self._tell_twice(strand, self.strands[name])
        for other in chain(map(self.strands.__getitem__, named), self._beside(strand, named)):
            link = link_between(strand, other, self.carried)
            if link is not None and _has_room(strand, link) and _has_room(other, link):
                strand.links[other.name] = other.links[strand.name] = link
        old = _binding(before)
        new = _binding({name: link.weight for name, link in strand.links.items()})
        return frozenset({strand.name, *(old.keys() - new.keys())} if old != new else ())

    def _tell_twice(self, strand: Strand, other: Strand) -> None:
        far_m = far_apart(strand, other)
        if far_m is not None:
            strand.twice[other.name] = other.twice[strand.name] = far_m

    def _look_beside(self, strand: Strand, name: str) -> None:
        """Note which names heard differ in one digit from this one of a new strand."""
        mode = strand.evidence.mode
        for other in _one_digit_off(name):
            if (mode, other) not in self._by_key:
                continue
            for neighbour in self.named(mode, other):
                strand.neighbours = _noted(strand.neighbours, other)
                neighbour.neighbours = _noted(neighbour.neighbours, name)

    def _candidates(self, strand: Strand) -> dict[str, None]:
        """Return the strands that names may link to this one, wherever they are."""
        found: dict[str, None] = {}
        mode = strand.evidence.mode
        goes_with = (other for name in strand.evidence.names for other in self.carried(name))
        for key in (*_keys(strand), *(key for name in goes_with for key in _keys_of(name))):
            found |= self._by_key.get((mode, key), {})
        found.pop(strand.name, None)
        return found

    def _beside(self, strand: Strand, named: Container[str]) -> Iterator[Strand]:
        """Yield the other strands that their place may link to this one, the newest of each cell.

        Where either has no room for another that is only shown, it is not worth while to look at
        two that can't be one.
        """
        mode = strand.evidence.mode
        cells = [self._by_cell.get((mode, *cell), {}) for cell in _around(strand.fix)]
        turns = chain.from_iterable(zip_longest(*map(reversed, filter(None, cells))))
        names = (name for name in turns if name and name not in named and name != strand.name)
        for name in islice(names, NEIGHBOURS_MAX):
            other = self.strands[name]
            full = len(strand.links) >= LINKS_MAX or len(other.links) >= LINKS_MAX
            if not (full and differ(strand.things, other.things)) and may_be_near(strand, other):
                yield other


def _keys(strand: Strand) -> Iterator[str]:
    """Yield what others are found by that may be of the same thing."""
    yield strand.evidence.filed
    for name in strand.evidence.names:
        yield from _keys_of(name)


def _keys_of(name: str) -> Iterator[str]:
    kind, _, value = name.partition(":")
    yield name
    if kind == "beacon":
        yield f"head:{value[:BEACON_HEAD]}"
    elif kind == PAIRED:
        yield f"pair:{value}"
    elif kind == "mmsi" and value.startswith("974"):
        yield f"pair:{value[-4:]}"


def _one_digit_off(name: str) -> Iterator[str]:
    """Yield the MMSIs that differ from this one in one digit behind those of the country."""
    if not name.startswith("mmsi:") or name[5] not in _SHIPS:
        return
    for place in range(_MID_END, len(name)):
        head, tail = name[:place], name[place + 1 :]
        yield from (head + digit + tail for digit in digits if digit != name[place])


def _noted(known: tuple[str, ...], name: str) -> tuple[str, ...]:
    return known if name in known else tuple(sorted((*known, name)))[:_NEIGHBOURS_NAMED]


def _apart(found: dict[str, Strand]) -> Iterator[Split]:
    """Yield what can't be one thing although it goes by one name."""
    for name, strand in found.items():
        for other in strand.twice:
            if name < other and other in found:
                yield Split(one=(name,), other=(other,), by="")


def _has_room(strand: Strand, link: Link) -> bool:
    if link.weight < SAME:
        return len(strand.links) < LINKS_MAX
    if link.kind is not LinkKind.NEARNESS or len(strand.links) < JOINS_MAX:
        return True
    kept = strand.links.values()
    return sum(one.kind is LinkKind.NEARNESS and one.weight >= SAME for one in kept) < JOINS_MAX


def _binding(weights: dict[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if weight >= SAME - MARGIN}


def _cell(fix: Fix) -> tuple[int, int]:
    row = min(_ROW_MAX, max(-_ROW_MAX, floor(fix.position.lat_deg / CELL_DEG)))
    return row, _column(row, fix.position.lon_deg)


def _column(row: int, lon_deg: float) -> int:
    return floor((lon_deg % 360.0) / _WIDTHS_DEG[row]) % _COLUMNS[row]


def _around(fix: Fix | None) -> Iterator[tuple[int, int]]:
    if fix is None:
        return
    row, _ = _cell(fix)
    for beside in (row - 1, row, row + 1):
        middle, count = _column(beside, fix.position.lon_deg), _COLUMNS[beside]
        steps = range(count) if count <= _POLAR_COLUMNS else (-1, 0, 1)
        yield from {(beside, (middle + step) % count): None for step in steps}


def _drop(index: dict[_Place, dict[str, None]], key: _Place, name: str) -> None:
    names = index.get(key)
    if names is not None:
        names.pop(name, None)
        if not names:
            del index[key]
