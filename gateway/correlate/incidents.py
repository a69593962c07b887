"""The room's own story: which trouble is this? One incident for all that speaks of it.

What is heard is filed into strands, strands are linked, and what hangs together is an incident. All
of that is a function of what was heard; only alarms and orders have a history. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import nsmallest

from msgspec.structs import replace

from gateway.correlate import lifecycle, orders, restoring, sounding
from gateway.correlate.changes import Change, calls_again, change_of
from gateway.correlate.links import MAYBE, Carried
from gateway.correlate.names import names_of, proves
from gateway.correlate.standing import ACTIONS_MAX, Standing, id_of, incident_of, is_over, worth
from gateway.correlate.strands import (
    Strand,
    begun,
    filed,
    is_about_trouble,
    is_elsewhere,
    see,
    take_in,
)
from gateway.correlate.turns import Turns
from gateway.correlate.web import Web
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment, Sighting
from gateway.model.incident import (
    Incident,
    IncidentNote,
    IncidentOrder,
    Link,
    OrderVerb,
    Related,
)
from gateway.model.words import Relation

STRANDS_MAX = 4096
"""Radio systems times craft in trouble at once: what a thousand invented callers come to, each on
two radios and at two places. Some 6 kB each with all that is made of it."""

LEAST_AT_ONCE = 256
"""Let go together, for looking for the least of thousands takes milliseconds."""

PLACES_MAX = 3
"""Places at which one name is told apart; whoever invents more of them adds to the last."""

RELATED_MAX = 8
"""Incidents shown as possibly related, the nearest ones."""

A_NOTE_NS = 50 * 10**6
"""Of what nobody has to act on, twenty notes a second are told at most, however many incidents."""

STALE_PER_TICK = 64
"""Incidents told anew in one tick because of what others near them did."""


TURNS_PER_TICK = 64
"""Incidents looked at in one tick because it is their turn to be told."""


class Incidents:
    """Every trouble that is heard of, and how it stands."""

    def __init__(self, station: str, *, boot: str | None = None, carried: Carried) -> None:
        self._station = station
        self._boot = boot
        self._web = Web(carried)
        self._standing: dict[str, Standing] = {}
        self._of: dict[str, str] = {}
        """The incident that each strand is in."""
        self._stale: dict[str, None] = {}
        """Incidents that something near has changed for."""
        self._turns = Turns()
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is remembered of troubles."""
        yield Bound(
            of="Incidents._strands",
            what="strands",
            held=len(self._web.strands),
            limit=STRANDS_MAX,
            rule="off the board goes a test, else what is closed, else what nobody has acted on, "
            "the doubted first, then the one longest silent; all of it stays in the journal",
            evicted=self._evicted,
        )

    def standing(self) -> Iterator[Incident]:
        """Yield every incident on the board, as it stands."""
        for known in self._standing.values():
            yield self._build(known)

    def restore(
        self, kept: Iterable[Incident], now: Moment, utc: datetime | None
    ) -> list[IncidentNote]:
        """Take up what stood when the last run ended, under the same names, the newest first.

        What has been heard since belongs to it as though it had been there all the time.
        """
        back = restoring.put_back(self._web, self._standing, self._of, kept)
        for name in back.over:
            self._pass_on(name)
        touched = dict.fromkeys(back.over) | (self._regroup(back.seeds) if back.seeds else {})
        restoring.keep_alarms(self._standing, touched, back.fresh)
        return list(self._told(touched, now.mono_ns, utc))

    def hear(self, sighting: Sighting) -> tuple[str | None, list[IncidentNote]]:
        """Return the incident that this belongs to, and each one about which something changed."""
        report = sighting.report
        if not is_about_trouble(report):
            return None, self._see(sighting)
        strand, fresh = self._strand_of(sighting)
        take_in(strand, report, sighting.relation)
        regroup = self._web.put(strand) or fresh
        touched = self._regroup({strand.name}) if regroup else {self._of[strand.name]: None}
        notes = list(self._told(touched, report.heard.mono_ns, report.heard.utc))
        notes += self._make_room(strand)
        self._stale |= {self._of[name]: None for name in strand.links if name in self._of}
        return self._of.get(strand.name), notes

    def tick(self, now: Moment, utc: datetime | None) -> list[IncidentNote]:
        """Let time pass: alarms sound again, what repeated itself is missed, what is over goes."""
        touched: dict[str, None] = {}
        for name in list(self._stale)[:STALE_PER_TICK]:
            del self._stale[name]
            touched |= {name: None} if name in self._standing else {}
        gone = []
        for name, known in self._standing.items():
            if self._is_due(known, now.mono_ns):
                touched[name] = None
            if is_over(known, now.mono_ns):
                gone.append(name)
        notes = [note for name in gone for note in self._let_go(name, "over for half an hour")]
        for name in gone:
            touched.pop(name, None)
        notes += self._told(touched, now.mono_ns, utc)
        for _ in range(TURNS_PER_TICK):
            turn = self._turns.next(now.mono_ns)
            notes += self._told([turn] if turn else [], now.mono_ns, utc)
        return notes

    def order(self, order: IncidentOrder, mono_ns: int, utc: datetime | None) -> list[IncidentNote]:
        """Carry out what an operator orders.

        Raises:
            OrderRefused: it can't be done; the text says why.
        """
        known = orders.known(self._standing, order.incident_id)
        seeds: set[str] = set()
        if order.verb is OrderVerb.MERGE:
            other = orders.known(self._standing, order.other or "")
            seeds = orders.join(self._web, known, other, order)
        elif order.verb is OrderVerb.SPLIT:
            seeds = orders.take_apart(self._web, known, order, utc)
        else:
            orders.act(known, order, mono_ns, utc)
        touched = {order.incident_id: None} | (self._regroup(seeds) if seeds else {})
        for name in touched:
            done = (*self._standing[name].actions, orders.deed_of(order, mono_ns, utc))
            self._standing[name].actions = done[-ACTIONS_MAX:]
        return list(self._told(touched, mono_ns, utc, words=f"{order.verb} by {order.author}"))

    def _strand_of(self, sighting: Sighting) -> tuple[Strand, bool]:
        """Return the strand that a report belongs to, and whether it begins with it."""
        report = sighting.report
        beside = [
            strand
            for strand in self._web.named(report.mode, filed(report))
            if strand.evidence.system == report.system and strand.evidence.filed == filed(report)
        ]
        beside.sort(key=lambda one: (one.evidence.first_mono_ns, one.name))
        for strand in beside:
            if not is_elsewhere(strand, report):
                return strand, False
        return (beside[-1], False) if len(beside) >= PLACES_MAX else (begun(report), True)

    def _see(self, sighting: Sighting) -> list[IncidentNote]:
        """Take note of where a craft in trouble is, by whatever radio says so."""
        report = sighting.report
        if report.position is None or sighting.relation is Relation.COPY or not self._standing:
            return []
        touched: dict[str, None] = {}
        for name in names_of(report.sender):
            for strand in self._web.named(report.mode, name) if proves(name) else ():
                if see(strand, report):
                    regroup = self._web.put(strand)
                    touched |= (
                        self._regroup({strand.name}) if regroup else {self._of[strand.name]: None}
                    )
        return list(self._told(touched, report.heard.mono_ns, report.heard.utc))

    def _regroup(self, seeds: set[str]) -> dict[str, None]:
        """Put together anew what hangs together with these; return the incidents concerned."""
        around = set(seeds)
        for name in seeds:
            around |= self._standing_of(name)
        groups = self._web.together(around)
        before = {self._of[name] for group in groups for name in group if name in self._of}
        groups += self._left_out(before, groups)
        after = {id_of([self._web.strands[name] for name in group]): group for group in groups}
        for name, group in after.items():
            if name not in before:
                self._begin(name, group)
            self._standing[name].members = group
        for name, group in after.items():
            self._of |= dict.fromkeys(group, name)
        for name in sorted(before - after.keys()):
            self._pass_on(name)
        return dict.fromkeys([*after, *sorted(before - after.keys())])

    def _left_out(self, names: set[str], groups: list[frozenset[str]]) -> list[frozenset[str]]:
        """Return what of these incidents was too much to be looked at together."""
        found = frozenset().union(*groups)
        rests = (self._standing[name].members - found for name in sorted(names))
        return [rest for rest in rests if rest]

    def _standing_of(self, strand: str) -> frozenset[str]:
        """Return all that stood together with this strand."""
        name = self._of.get(strand)
        return frozenset() if name is None else self._standing[name].members

    def _begin(self, name: str, group: frozenset[str]) -> None:
        """Begin an incident; one that leaves another takes its alarm and its story with it."""
        earlier = min((self._of[one] for one in group if one in self._of), default=None)
        if earlier is None or self._standing[earlier].incident is None:
            self._standing[name] = Standing(members=group)
            return
        left = self._standing[earlier]
        self._standing[name] = replace(left, members=group, split_from=earlier)

    def _pass_on(self, name: str) -> None:
        """Let an incident end in the one that all of it stands in now."""
        gone = self._standing[name]
        heir_name = self._of[min(gone.members)]
        heir = self._standing[heir_name]
        heir.alarm = sounding.louder(heir.alarm, gone.alarm)
        heir.actions = tuple(
            sorted({*heir.actions, *gone.actions}, key=lambda deed: (deed.mono_ns, deed.verb))
        )
        heir.closed = heir.closed if gone.closed is not None else None
        # Should the name stand again one day, its revisions still grow.
        heir.revision = max(heir.revision, gone.revision + 1)
        gone.members = frozenset()

    def _told(
        self,
        touched: Iterable[str],
        mono_ns: int,
        utc: datetime | None,
        *,
        words: str | None = None,
    ) -> Iterator[IncidentNote]:
        """Yield a note for each of these about which something has changed."""
        for name in touched:
            known = self._standing.get(name)
            if known is None:
                continue
            free = words is not None or not known.members or self._is_new_on_two(known)
            if not free and not self._turns.may(name, mono_ns, first=known.incident is None):
                continue
            note = self._note(known, mono_ns, utc, words) if known.members else self._ended(name)
            if note is not None:
                self._turns.took(mono_ns)
                yield note

    def _is_new_on_two(self, known: Standing) -> bool:
        """Say whether a second radio system confirms it now: in any flood that is told at once."""
        if known.incident is not None and known.incident.corroborated:
            return False
        return len({self._web.strands[name].evidence.system for name in known.members}) > 1

    def _ended(self, name: str) -> IncidentNote | None:
        known = self._standing.pop(name)
        self._turns.forget(name)
        if known.incident is None:
            return None
        heir = self._of[known.incident.evidence[0].evidence_id]
        last = replace(known.incident, merged_into=heir, revision=known.revision + 1, possibly=())
        return IncidentNote(change=f"it is one with {heir}", incident=last, gone=True)

    def _note(
        self, known: Standing, mono_ns: int, utc: datetime | None, words: str | None
    ) -> IncidentNote | None:
        """Return what is to be told of an incident, if anything is."""
        self._miss(known, mono_ns)
        before, now = known.incident, self._build(known)
        if known.closed is not None and calls_again(before, now):
            known.closed = None
            now = self._build(known)
        sounding.sound(known, now, mono_ns, utc)
        now = replace(now, alarm=known.alarm)
        change = Change(words) if words else change_of(before, now)
        if change is None:
            return None
        wait_ns = change.wait_ns and max(change.wait_ns, len(self._standing) * A_NOTE_NS)
        if wait_ns and mono_ns - known.noted_ns < wait_ns:
            due_ns = known.noted_ns + wait_ns
            known.untold_ns = min(due_ns, known.untold_ns or due_ns)
            return None
        known.incident, known.noted_ns, known.untold_ns = now, mono_ns, None
        known.revision = now.revision
        return IncidentNote(change=change.words, incident=now)

    def _build(self, known: Standing) -> Incident:
        strands = [self._web.strands[name] for name in sorted(known.members)]
        return incident_of(
            known,
            strands,
            station=self._station,
            boot=self._boot,
            possibly=self._possibly(strands, known.members),
            splits=self._web.splits,
            joins=list(self._web.joins.values()),
        )

    def _possibly(self, strands: Iterable[Strand], members: frozenset[str]) -> tuple[Related, ...]:
        best: dict[str, Link] = {}
        for strand in strands:
            for name, link in strand.links.items():
                if name in members or name not in self._of or link.weight < MAYBE:
                    continue
                other = self._of[name]
                if other not in best or link.weight > best[other].weight:
                    best[other] = link
        found = sorted(best.items(), key=lambda one: (-one[1].weight, one[0]))
        return tuple(Related(incident_id=name, link=link) for name, link in found[:RELATED_MAX])

    def _miss(self, known: Standing, mono_ns: int) -> None:
        """Note what repeated itself and does no more."""
        for name in known.members:
            strand = self._web.strands[name]
            lost = lifecycle.is_lost(strand.evidence, mono_ns)
            if lost != strand.evidence.lost:
                strand.evidence = replace(strand.evidence, lost=lost)

    def _is_due(self, known: Standing, mono_ns: int) -> bool:
        """Say whether time alone has changed something."""
        if known.untold_ns is not None and mono_ns >= known.untold_ns:
            return True
        if known.incident is None or not sounding.sounds(known.incident):
            return False
        if sounding.due(known.alarm, mono_ns) is not None:
            return True
        return any(
            lifecycle.is_lost(told, mono_ns) != told.lost
            for told in (self._web.strands[name].evidence for name in known.members)
        )

    def _make_room(self, newest: Strand) -> list[IncidentNote]:
        """Let the least of them go when there are too many; the newest is none of them."""
        if len(self._web.strands) <= STRANDS_MAX:
            return []
        others = (name for name in self._standing if name != self._of[newest.name])
        least = nsmallest(LEAST_AT_ONCE, others, key=lambda name: worth(self._standing[name]))
        self._evicted += len(least)
        why = "no room for so many: it is off the board"
        return [note for name in least for note in self._let_go(name, why)]

    def _let_go(self, name: str, why: str) -> Iterator[IncidentNote]:
        known = self._standing.pop(name)
        self._turns.forget(name)
        for strand in known.members:
            self._web.take_out(strand)
            self._of.pop(strand, None)
        if known.incident is not None:
            last = replace(known.incident, revision=known.revision + 1)
            yield IncidentNote(change=why, incident=last, gone=True)
