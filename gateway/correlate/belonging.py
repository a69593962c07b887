"""Which strands stand in which incident: found anew as they are linked, and taken apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from gateway.correlate import sounding
from gateway.correlate.links import MAYBE
from gateway.correlate.standing import Standing, id_of
from gateway.correlate.strands import Strand
from gateway.correlate.web import Web
from gateway.model.incident import Incident, Link, Related

RELATED_MAX = 8
"""Incidents shown as possibly related, the nearest ones."""


class Belonging:
    """Every incident that stands, and what belongs to it."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self.standing: dict[str, Standing] = {}
        self.of: dict[str, str] = {}
        """The incident that each strand is in."""

    def put(self, strand: Strand, *, fresh: bool = False) -> dict[str, None]:
        """Link a strand, or what has changed of it; return the incidents concerned."""
        seeds = {*self._web.put(strand)}
        if fresh:
            seeds.add(strand.name)
        return self.regroup(seeds) if seeds else {self.of[strand.name]: None}

    def regroup(self, seeds: set[str], *, by: str | None = None) -> dict[str, None]:
        """Put together anew what hangs together with these; return the incidents concerned.

        Because of what was heard, or as somebody has ordered.
        """
        around = set(seeds)
        for name in seeds:
            around |= self._with(name)
        groups = self._web.together(around)
        before = {self.of[name] for group in groups for name in group if name in self.of}
        groups += self._left_out(before, groups)
        after = {id_of([self._web.strands[name] for name in group]): group for group in groups}
        for name, group in after.items():
            if name not in before:
                self._begin(name, group, by)
            self.standing[name].members = group
        for name, group in after.items():
            self.of |= dict.fromkeys(group, name)
        for name in sorted(before - after.keys()):
            self.pass_on(name)
        return dict.fromkeys([*after, *sorted(before - after.keys())])

    def heard(self, told: Incident) -> Incident:
        """Return an incident as it was told, with what was heard of its evidence since.

        That it calls again is told minutes later, and each call counts for when it is answered.
        """
        strands = self._web.strands
        evidence = tuple(
            one if one.evidence_id not in strands else strands[one.evidence_id].evidence
            for one in told.evidence
        )
        return replace(told, evidence=evidence)

    def pass_on(self, name: str) -> None:
        """Let an incident end in the one that all of it stands in now."""
        gone = self.standing[name]
        gone.heir = self.of[min(gone.members)]
        heir = self.standing[gone.heir]
        heir.alarm = sounding.louder(heir.alarm, gone.alarm)
        heir.actions = tuple(
            sorted({*heir.actions, *gone.actions}, key=lambda deed: (deed.mono_ns, deed.verb))
        )
        heir.closed = heir.closed if gone.closed is not None else None
        # Should the name stand again one day, its revisions still grow.
        heir.revision = max(heir.revision, gone.revision + 1)
        gone.members = frozenset()

    def take_off(self, name: str) -> Standing:
        """Forget an incident and its strands; return how it stood."""
        known = self.standing.pop(name)
        for strand in known.members:
            self._web.take_out(strand)
            self.of.pop(strand, None)
        return known

    def beside(self, strand: Strand, *, fresh: bool) -> Iterator[str]:
        """Yield the incidents that something links to this strand, or a number like its own."""
        alike = self._web.neighbours(strand) if fresh else ()
        return (self.of[name] for name in (*strand.links, *alike) if name in self.of)

    def is_new_on_two(self, known: Standing) -> bool:
        """Say whether a second radio system confirms it now: in any flood that is told at once."""
        if known.incident is not None and known.incident.corroborated:
            return False
        return len({self._web.strands[name].evidence.system for name in known.members}) > 1

    def related(self, known: Standing, strands: Iterable[Strand]) -> tuple[Related, ...]:
        """Return the incidents that may be the same trouble as this one, of these strands."""
        best: dict[str, Link] = {}
        for strand in strands:
            for name, link in strand.links.items():
                if name in known.members or name not in self.of or link.weight < MAYBE:
                    continue
                other = self.of[name]
                if other not in best or link.weight > best[other].weight:
                    best[other] = link
        found = sorted(best.items(), key=lambda one: (-one[1].weight, one[0]))
        return tuple(Related(incident_id=name, link=link) for name, link in found[:RELATED_MAX])

    def _left_out(self, names: set[str], groups: list[frozenset[str]]) -> list[frozenset[str]]:
        """Return what of these incidents was too much to be looked at together."""
        found = frozenset().union(*groups)
        rests = (self.standing[name].members - found for name in sorted(names))
        return [rest for rest in rests if rest]

    def _with(self, strand: str) -> frozenset[str]:
        """Return all that stood together with this strand."""
        name = self.of.get(strand)
        return frozenset() if name is None else self.standing[name].members

    def _begin(self, name: str, group: frozenset[str], by: str | None) -> None:
        """Begin an incident; one that leaves another takes its alarm and its story with it.

        Who has acknowledged the whole, or closed it, may never have seen this as a trouble of its
        own: it sounds. What leaves without an order does so once, however often it comes back.
        """
        earlier = min((self.of[one] for one in group if one in self.of), default=None)
        if earlier is None or self.standing[earlier].incident is None:
            self.standing[name] = Standing(members=group)
            return
        left = self.standing[earlier]
        self.standing[name] = part = replace(
            left, members=group, split_from=earlier, heir=None, is_told=False, parts=frozenset()
        )
        if by is not None:
            part.closed = None
        if by is not None or name not in left.parts:
            part.parted = f"it was split from {earlier}" + (f" by {by}" if by else "")
        left.parts |= {name}
