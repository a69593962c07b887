"""Craft in a zone say who they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.codes.accuracy import stated_m
from gateway.model.agreement import EventWord, Parties, PartName, Seconds, ZoneName
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

NAMELESS = "report:"
"""How the subject of a report begins that names nobody."""

LOST_MAX = 4_096
"""Craft that have said nothing of themselves for too long. The one lost first is forgotten."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Craft of these say who they are, by one of these systems, again within `max_gap_s`."""

    who: Annotated[Parties, Meta(min_length=1)]
    systems: Annotated[tuple[PartName, ...], Meta(min_length=1, examples=[["mode_s"]])]
    """Radio systems as reports name them."""
    zone: ZoneName | None = None
    """Only in this zone; what states no height may be in it."""
    max_gap_s: Seconds = 60.0
    """At it the gap is too long."""
    exempt: tuple[Literal["ground"], ...] = ()
    """Craft on the ground are free of the rule."""


class Lost(Struct, frozen=True, kw_only=True, gc=False):
    """A craft that has said nothing of itself for too long."""

    subject: str
    since_ns: int
    seen: bool
    """Whether another system sees it all the same."""


class Memory(Struct, frozen=True):
    """When each craft in the zone is to say again who it is."""

    awaited: tuple[Deadline, ...] = ()
    lost: tuple[Lost, ...] = ()
    nameless_ns: int | None = None


class Identification(Rule):
    """Waits for each craft in the zone to say again who it is.

    A craft that falls silent is `unknown`: it may have left. It is a `violation` as soon as a
    system surely sees it in the zone that is none of these, and `ok` when it says again who it is.
    A place in the zone by which nobody is named is `unknown` of the zone, once in `max_gap_s`. What
    the station's own AIS says of its own ship shows nothing: nobody has heard it.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._who = ground.rolls.named(terms.who)
        self._zone = None if terms.zone is None else ground.zone(terms.zone)
        self._gap_ns = round(terms.max_gap_s * 1e9)
        self._awaited = Deadlines()
        self._lost: dict[str, Lost] = {}
        self._nameless_ns: int | None = None

    def hears(self) -> frozenset[EventWord]:
        """Hear where craft are."""
        return frozenset({EventWord.POSITION})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say who is in the zone without a name, and who has one again."""
        if getattr(event.report and event.report.detail, "own_ship", False):
            return
        if not self._is_inside(event):
            self._awaited.end(event.subject)
            self._lost.pop(event.subject, None)
        elif event.subject.startswith(NAMELESS):
            yield from self._nameless(event)
        elif not self._who.isdisjoint(event.of):
            said = event.system in self._terms.systems
            yield from self._named(event) if said else self._seen(event)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say who has fallen silent."""
        for craft in self._awaited.over(now.mono_ns):
            words = f"it has not said who it is for {self._terms.max_gap_s:g} s, and may have left"
            self._put(Lost(subject=craft.subject, since_ns=craft.since_ns, seen=False))
            yield self._unknown(craft.subject, words, craft.since_ns)

    def flaws(self) -> Iterator[str]:
        """Find gaps that every craft has."""
        if self._gap_ns == 0:
            yield "`max_gap_s` of 0 means that nobody ever says who they are"

    def otherwise(self) -> str:
        """Return how often a craft says who it is."""
        terms = self._terms
        return (
            f"It says who it is by {' or '.join(terms.systems)}, and again sooner than"
            f" {terms.max_gap_s:g} s after it."
        )

    def keep(self) -> Memory:
        """Return when each craft in the zone is to say again who it is."""
        return Memory(self._awaited.keep(), tuple(self._lost.values()), self._nameless_ns)

    def restore(self, kept: Struct) -> None:
        """Go on waiting."""
        if isinstance(kept, Memory):
            self._awaited.restore(kept.awaited)
            self._lost = {one.subject: one for one in kept.lost}
            self._nameless_ns = kept.nameless_ns

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft are waited for, and how many are lost."""
        yield from self._awaited.bounds()
        yield Bound(
            of="Identification._lost",
            what="craft_without_identity",
            held=len(self._lost),
            limit=LOST_MAX,
            rule="The craft lost first is forgotten, and waited for when it calls again.",
        )

    def _is_inside(self, event: Event) -> bool:
        if event.place is None:
            return False
        on_ground = getattr(event.report and event.report.detail, "on_ground", None)
        if on_ground and "ground" in self._terms.exempt:
            return False
        return self._zone is None or self._zone.holds(event.place) is not False

    def _is_surely_inside(self, event: Event) -> bool:
        """Say whether it is in the zone however wrong its place is, as far as that is known."""
        place = event.place
        if self._zone is None or place is None:
            return self._zone is None
        unsure_m = stated_m(event.system, place.accuracy_m, place.resolution_m)
        return bool(self._zone.holds(place)) and self._zone.margin_m(place) + unsure_m <= 0

    def _nameless(self, event: Event) -> Iterator[Finding]:
        last_ns, now_ns = self._nameless_ns, event.at.mono_ns
        if last_ns is None or now_ns - last_ns >= self._gap_ns:
            self._nameless_ns = now_ns
            where = self._terms.zone or "reach"
            words = f"{event.system} sees a craft in {where} that nobody can name"
            yield self._unknown(f"zone:{where}", words, now_ns)

    def _named(self, event: Event) -> Iterator[Finding]:
        now_ns = event.at.mono_ns
        pushed = self._awaited.begin(
            Deadline(subject=event.subject, since_ns=now_ns, until_ns=now_ns + self._gap_ns)
        )
        if pushed is not None:
            words = "too many craft are in the zone: nobody watches it any more"
            yield self._unknown(pushed.subject, words, pushed.since_ns)
        lost = self._lost.pop(event.subject, None)
        if lost is not None:
            words = f"it says who it is again, after {(now_ns - lost.since_ns) / 1e9:.0f} s"
            yield Finding(judgement=Judgement.OK, subject=event.subject, words=words)

    def _seen(self, event: Event) -> Iterator[Finding]:
        """Look at a craft that another system sees."""
        subject, now_ns = event.subject, event.at.mono_ns
        lost = self._lost.get(subject)
        if lost is None:
            if self._awaited.of(subject) is None:
                self._awaited.begin(
                    Deadline(subject=subject, since_ns=now_ns, until_ns=now_ns + self._gap_ns)
                )
        elif not lost.seen and self._is_surely_inside(event):
            self._put(Lost(subject=subject, since_ns=lost.since_ns, seen=True))
            silent_s = (now_ns - lost.since_ns) / 1e9
            words = (
                f"{event.system} sees it, and it has not said who it is for {silent_s:.0f} s: "
                f"{self._terms.max_gap_s:g} s at the most are agreed"
            )
            yield Finding(
                judgement=Judgement.VIOLATION, subject=subject, words=words, since_ns=lost.since_ns
            )

    def _unknown(self, subject: str, words: str, since_ns: int) -> Finding:
        return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words, since_ns=since_ns)

    def _put(self, lost: Lost) -> None:
        self._lost[lost.subject] = lost
        if len(self._lost) > LOST_MAX:
            del self._lost[next(iter(self._lost))]


KIND = Identification
