"""The room's own story: which trouble is this? One incident for all that speaks of it.

What is heard is filed into strands, strands are linked, and what hangs together is an incident. All
of that is a function of what was heard; only alarms and orders have a history. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from msgspec.structs import replace

from gateway.correlate import lifecycle, orders, restoring, sounding
from gateway.correlate.belonging import Belonging
from gateway.correlate.changes import Change, calls_again, change_of
from gateway.correlate.leaving import Leaving, rank_of
from gateway.correlate.links import Carried
from gateway.correlate.names import names_of, proves
from gateway.correlate.standing import ACTIONS_MAX, Standing, incident_of, is_over
from gateway.correlate.strands import (
    Strand,
    begun,
    filed,
    is_about_trouble,
    is_elsewhere,
    says_the_same,
    see,
    stand_in,
    take_in,
)
from gateway.correlate.track import Track
from gateway.correlate.turns import Turns
from gateway.correlate.web import Web
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment, Sighting
from gateway.model.incident import (
    Evidence,
    Incident,
    IncidentNote,
    IncidentOrder,
    Phase,
)
from gateway.model.words import Relation

STRANDS_MAX = 4096
"""Radio systems times craft in trouble at once: what a thousand invented callers come to, each on
two radios and at two places. Some 6 kB each with all that is made of it."""

PLACES_MAX = 3
"""Places at which one name is told apart; whoever invents more of them adds to the last."""

A_NOTE_NS = 50 * 10**6
"""Of what nobody has to act on, twenty notes a second are told at most, however many incidents."""

STALE_PER_TICK = 32
"""Incidents told anew in one tick because of what others near them did."""

REPEATS_PER_TICK = 32
"""Strands linked anew in one tick because they have said the same again."""

LOOK_NS = 5 * 10**9
"""An incident is put together no more often than this for what only says the same again: the
burst of a device, one call heard by every receiver of a coast."""

TURNS_PER_TICK = 64
"""Incidents looked at in one tick because it is their turn to be told."""

PASSED_PER_TICK = 512
"""Incidents asked in one tick whether time alone has changed something, each in its round: with a
full board a round takes eight seconds, of the five minutes after which an alarm sounds again."""

DUE_PER_TICK = 32
"""Of those, how many are put together anew, or taken off the board, before the next tick."""


class Incidents:
    """Every trouble that is heard of, and how it stands."""

    def __init__(self, station: str, *, boot: str | None = None, carried: Carried) -> None:
        self._station = station
        self._boot = boot
        self._web = Web(carried)
        self.board = Belonging(self._web)
        self._leaving = Leaving()
        self._round: list[str] = []
        """Incidents that time has still to be asked about in this round."""
        self._stale: dict[str, None] = {}
        """Incidents that something near has changed for."""
        self._repeated: dict[str, None] = {}
        """Strands that have said the same again, and are to be linked anew: they are older now."""
        self._turns = Turns()
        self._evicted = 0
        self._listens_ns = 0
        """Since when somebody has listened without a break."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is remembered of troubles."""
        yield Bound(
            of="Incidents._strands",
            what="strands",
            held=len(self._web.strands),
            limit=STRANDS_MAX,
            rule="off the board goes a test, else what is closed, else what nobody has acted on, "
            "the doubted first, then what one radio says alone, then the one longest silent; all "
            "of it stays in the journal",
            evicted=self._evicted,
        )

    def standing(self) -> Iterator[Incident]:
        """Yield every incident on the board, as it stands."""
        touched = self._catch_up(list(self._repeated))
        for name in touched:
            self._rank(name)
        self._stale |= touched
        for known in self.board.standing.values():
            if known.members:
                yield self._build(known)

    def restore(
        self, kept: Iterable[Incident], now: Moment, utc: datetime | None
    ) -> list[IncidentNote]:
        """Take up what stood when the last run ended, under the same names, the newest first.

        What has been heard since belongs to it as though it had been there all the time.
        """
        back = restoring.put_back(self._web, self.board.standing, self.board.of, kept)
        for name in back.over:
            self.board.pass_on(name)
        touched = dict.fromkeys(back.over)
        touched |= self.board.regroup(back.seeds) if back.seeds else {}
        restoring.keep_alarms(self.board.standing, touched, back.fresh)
        for name in back.fresh:
            self._rank(name)
            self._leaving.silent(name)
        return list(self._told(touched, now.mono_ns, utc))

    def listens_from(self, mono_ns: int) -> None:
        """Nobody has listened just before this: no silence until then means anything."""
        self._listens_ns = max(self._listens_ns, mono_ns)

    def hear(
        self, sighting: Sighting, track: Track | None = None
    ) -> tuple[str | None, list[IncidentNote]]:
        """Return the incident that this belongs to, and each one about which something changed.

        Where a call states no place, the track of its casualty stands in.
        """
        report, heard = sighting.report, sighting.report.heard
        if not is_about_trouble(report):
            return None, self._see(sighting)
        strand, fresh = self._strand_of(sighting)
        before = strand.evidence
        take_in(strand, report, sighting.relation)
        stand_in(strand, track)
        if not fresh and self._may_wait(strand, before, heard.mono_ns):
            self._repeated[strand.name] = None
            self._leaving.heard(self.board.of[strand.name])
            return self.board.of[strand.name], []
        touched = self._linked(strand, fresh=fresh)
        notes = list(self._told(touched, heard.mono_ns, heard.utc, port=heard.port))
        self._leaving.heard(self.board.of[strand.name])
        notes += self._make_room(strand)
        self._stale |= dict.fromkeys(self.board.beside(strand, fresh=fresh))
        return self.board.of.get(strand.name), notes

    def tick(self, now: Moment, utc: datetime | None) -> list[IncidentNote]:
        """Let time pass: alarms sound again, what repeated itself is missed, what is over goes.

        No tick looks at more than a few dozen of them: what is left over waits for the next one.
        """
        touched = self._catch_up(list(islice(self._repeated, REPEATS_PER_TICK)))
        for name in list(islice(self._stale, STALE_PER_TICK)):
            del self._stale[name]
            touched[name] = None
        notes: list[IncidentNote] = []
        for name, is_gone in islice(self._passed(now.mono_ns), DUE_PER_TICK):
            if is_gone:
                notes += self._let_go(name, "over for half an hour")
            else:
                touched[name] = None
        notes += self._told(touched, now.mono_ns, utc)
        for name, port in self._turns.due(now.mono_ns, TURNS_PER_TICK):
            notes += self._told([name], now.mono_ns, utc, port=port)
        return notes

    def _passed(self, mono_ns: int) -> Iterator[tuple[str, bool]]:
        """Yield those that time alone has changed something about, and whether they are over."""
        self._round = self._round or list(reversed(self.board.standing))
        for _ in range(min(len(self._round), PASSED_PER_TICK)):
            name = self._round.pop()
            known = self.board.standing.get(name)
            if known is None or not known.members:
                continue
            if is_over(known, mono_ns):
                yield name, True
            elif self._is_due(known, mono_ns):
                yield name, False

    def order(self, order: IncidentOrder, mono_ns: int, utc: datetime | None) -> list[IncidentNote]:
        """Carry out what an operator orders.

        Raises:
            OrderRefused: it can't be done; the text says why.
        """
        standing = self.board.standing
        names, seeds = orders.carry_out(self._web, standing, order, mono_ns, utc)
        touched = dict.fromkeys(names)
        touched |= self.board.regroup(seeds, by=order.author) if seeds else {}
        for name in touched:
            done = (*self.board.standing[name].actions, orders.deed_of(order, mono_ns, utc))
            self.board.standing[name].actions = done[-ACTIONS_MAX:]
        return list(self._told(touched, mono_ns, utc, words=f"{order.verb} by {order.author}"))

    def _strand_of(self, sighting: Sighting) -> tuple[Strand, bool]:
        """Return the strand that a report belongs to, and whether it begins with it."""
        report = sighting.report
        name = filed(report)
        beside = [
            strand
            for strand in self._web.named(report.mode, name)
            if strand.evidence.system == report.system and strand.evidence.filed == name
        ]
        beside.sort(key=lambda one: (one.evidence.first_mono_ns, one.name))
        for strand in beside:
            if not is_elsewhere(strand, report):
                return strand, False
        return (beside[-1], False) if len(beside) >= PLACES_MAX else (begun(report), True)

    def _see(self, sighting: Sighting) -> list[IncidentNote]:
        """Take note of where a craft in trouble is, by whatever radio says so."""
        report, heard = sighting.report, sighting.report.heard
        if report.position is None or sighting.relation is Relation.COPY:
            return []
        touched: dict[str, None] = {}
        for name in names_of(report.sender):
            for strand in self._web.named(report.mode, name) if proves(name) else ():
                if see(strand, report):
                    touched |= self._linked(strand)
        return list(self._told(touched, heard.mono_ns, heard.utc, port=heard.port))

    def _linked(self, strand: Strand, *, fresh: bool = False) -> dict[str, None]:
        """Link a strand anew; return the incidents concerned."""
        self._repeated.pop(strand.name, None)
        return self.board.put(strand, fresh=fresh)

    def _may_wait(self, strand: Strand, before: Evidence, mono_ns: int) -> bool:
        """Say whether what was just taken in changes so little that the next tick may see to it."""
        name = self.board.of[strand.name]
        known = self.board.standing[name]
        if known.incident is None and self._turns.waits(name):
            return says_the_same(before, strand.evidence)
        if known.looked_ns is None or not 0 <= mono_ns - known.looked_ns < LOOK_NS:
            return False
        open_ = known.incident is not None and known.incident.phase in _CALLING
        return open_ and says_the_same(before, strand.evidence)

    def _catch_up(self, repeated: Iterable[str]) -> dict[str, None]:
        """Link these strands anew; return the incidents concerned."""
        touched: dict[str, None] = {}
        for name in repeated:
            self._repeated.pop(name, None)
            if name in self._web.strands:
                touched |= self._linked(self._web.strands[name])
        return touched

    def _told(
        self,
        touched: Iterable[str],
        mono_ns: int,
        utc: datetime | None,
        *,
        words: str | None = None,
        port: str = "",
    ) -> Iterator[IncidentNote]:
        """Yield a note for each of these about which something has changed."""
        for name in touched:
            known = self.board.standing.get(name)
            if known is None:
                continue
            self._rank(name)
            free = words is not None or not known.members or self.board.is_new_on_two(known)
            if not free and not self._turns.may(name, mono_ns, first=not known.is_told, port=port):
                continue
            note = self._note(known, mono_ns, utc, words) if known.members else self._ended(name)
            if note is not None:
                self._turns.took(mono_ns, port)
                yield note

    def _ended(self, name: str) -> IncidentNote | None:
        known = self.board.standing.pop(name)
        self._forget(name)
        if known.incident is None or not known.is_told:
            return None
        last = replace(
            known.incident, merged_into=known.heir, revision=known.revision + 1, possibly=()
        )
        return IncidentNote(change=f"it is one with {known.heir}", incident=last, gone=True)

    def _note(
        self, known: Standing, mono_ns: int, utc: datetime | None, words: str | None
    ) -> IncidentNote | None:
        """Return what is to be told of an incident, if anything is."""
        self._miss(known, mono_ns)
        known.looked_ns = mono_ns
        before, now = known.incident, self._build(known)
        if known.closed is not None and calls_again(before, now):
            known.closed = None
            now = self._build(known)
        sounding.sound(known, now, mono_ns, utc)
        now = replace(now, alarm=known.alarm)
        change = Change(words) if words else change_of(before, now)
        if change is None:
            return None
        wait_ns = change.wait_ns and max(change.wait_ns, len(self.board.standing) * A_NOTE_NS)
        if wait_ns and mono_ns - known.noted_ns < wait_ns:
            due_ns = known.noted_ns + wait_ns
            known.untold_ns = min(due_ns, known.untold_ns or due_ns)
            return None
        known.incident, known.noted_ns, known.untold_ns = now, mono_ns, None
        known.revision, known.is_told = now.revision, True
        return IncidentNote(change=change.words, incident=now)

    def _build(self, known: Standing) -> Incident:
        strands = self._strands(known)
        return incident_of(
            known,
            strands,
            station=self._station,
            boot=self._boot,
            possibly=self.board.related(known, strands),
            splits=self._web.splits,
            joins=list(self._web.joins.values()),
            misread=self._web.misread(strands),
        )

    def _miss(self, known: Standing, mono_ns: int) -> None:
        """Note what repeated itself and does no more."""
        for strand in self._missed(known, mono_ns):
            strand.evidence = replace(strand.evidence, lost=not strand.evidence.lost)

    def _missed(self, known: Standing, mono_ns: int) -> Iterator[Strand]:
        """Yield what has fallen silent, or is silent no more, and is not noted as that."""
        for strand in map(self._web.strands.__getitem__, known.members):
            told = strand.evidence
            if lifecycle.is_lost(told, mono_ns, self._listens_ns) != told.lost:
                yield strand

    def _is_due(self, known: Standing, mono_ns: int) -> bool:
        """Say whether time alone has changed something."""
        if known.untold_ns is not None and mono_ns >= known.untold_ns:
            return True
        if known.incident is None or not sounding.sounds(known.incident):
            return False
        if sounding.due(known.alarm, mono_ns) is not None:
            return True
        return next(self._missed(known, mono_ns), None) is not None

    def _make_room(self, newest: Strand) -> Iterator[IncidentNote]:
        """Let the least of them go when there are too many; the newest is none of them."""
        while len(self._web.strands) > STRANDS_MAX:
            least = self._leaving.least(but=self.board.of[newest.name])
            if least is None:
                return
            self._evicted += 1
            yield from self._let_go(least, "no room for so many: it is off the board")

    def _let_go(self, name: str, why: str) -> Iterator[IncidentNote]:
        known = self.board.take_off(name)
        self._forget(name)
        for strand in known.members:
            self._repeated.pop(strand, None)
        if known.incident is not None and known.is_told:
            last = replace(known.incident, revision=known.revision + 1)
            yield IncidentNote(change=why, incident=last, gone=True)

    def _rank(self, name: str) -> None:
        """Note what an incident is worth now, among those that may have to go."""
        known = self.board.standing[name]
        if known.members:
            strands = self._strands(known)
            misread = bool(self._web.misread(strands))
            self._leaving.rank(name, rank_of(known, strands, misread=misread))
        else:
            self._leaving.forget(name)

    def _strands(self, known: Standing) -> list[Strand]:
        return [self._web.strands[name] for name in sorted(known.members)]

    def _forget(self, name: str) -> None:
        """Have it wait for nothing any more."""
        self._turns.forget(name)
        self._leaving.forget(name)
        self._stale.pop(name, None)


_CALLING = frozenset({Phase.ALERTED, Phase.ACKNOWLEDGED, Phase.RELAYED})
"""Phases that a repeat of the call does not change."""
