"""Craft stay out of a zone, and so far away from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import (
    CraftName,
    EventWord,
    Metres,
    Parties,
    PartName,
    Seconds,
    ZoneName,
)
from gateway.model.bounds import Bound
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.picture import Craft
from gateway.rules.rule import Finding, Rule

STANDING_MAX = 4_096
"""Craft that are not where they should be, or may not be. The one found first is forgotten."""

_ANYWHERE_M = 1e9
"""Higher than anything flies."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Craft of these stay outside the zone, and `margin_m` away from its edge."""

    zone: ZoneName
    """Where they may not be."""
    who: Annotated[Parties, Meta(min_length=1)]
    margin_m: Metres = 0.0
    """Over ground; at it is far enough."""
    floor_m: float | None = None
    """Below this height it is no matter; None for the ground."""
    ceiling_m: float | None = None
    """Above this height it is no matter."""
    craft: CraftName | None = None
    """Only craft of this class; of which nobody knows the kind, they count."""
    exempt: tuple[PartName, ...] = ()
    """Activities that a party may give notice of: the craft that it names is free of the rule."""
    notice_s: Seconds = 86_400.0
    """For how long, where the notice does not say."""


class Astray(Struct, frozen=True, kw_only=True, gc=False):
    """One craft that is not clear of the zone."""

    subject: str
    judgement: Judgement
    since_ns: int


class Noticed(Struct, frozen=True, kw_only=True, gc=False):
    """A craft that is free of the rule."""

    subject: str
    until_ns: int
    by: tuple[str, ...] = ()
    """Whose notice it is: nobody gives it of the craft of another."""


class Memory(Struct, frozen=True):
    """Craft that are not clear of the zone, and those that notice was given of."""

    standing: tuple[Astray, ...] = ()
    noticed: tuple[Noticed, ...] = ()


class KeepOut(Rule):
    """Measures how far each craft is from the edge, whenever it says where it is.

    `violation` once it is surely nearer than agreed, `at_risk` while its place is too unsure to
    tell, `unknown` when its height is missing and would settle it, `ok` when it is clear again. A
    craft is free of the rule once its party has given notice of it with a word of `exempt`, and for
    as long as that holds: what stood of it is `exempt` from then on.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._who = ground.rolls.named(terms.who)
        self._picture = ground.picture
        self._zone = ground.zone(terms.zone)
        self._bounds = ground.agreement.zones[terms.zone]
        self._kinds = (
            None if terms.craft is None else frozenset(ground.agreement.craft[terms.craft])
        )
        self._standing: dict[str, Astray] = {}
        self._noticed: dict[str, Noticed] = {}

    def hears(self) -> frozenset[EventWord]:
        """Hear where craft are, and of what notice is given."""
        return frozenset({EventWord.POSITION, EventWord.NOTICE})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say when a craft comes too near the zone, and when it is clear again."""
        if EventWord.NOTICE in event.words:
            yield from self._notice(event)
            return
        craft = self._picture.of(event.subject)
        if craft is None or craft.event_id != event.event_id or not self._counts(craft, event):
            return
        judgement, words = self._judged(craft)
        stood = self._standing.get(craft.subject)
        if judgement is (Judgement.OK if stood is None else stood.judgement):
            return
        since_ns = event.at.mono_ns
        if judgement is Judgement.OK:
            del self._standing[craft.subject]
        else:
            self._put(Astray(subject=craft.subject, judgement=judgement, since_ns=since_ns))
        yield Finding(judgement=judgement, subject=craft.subject, words=words, since_ns=since_ns)

    def flaws(self) -> Iterator[str]:
        """Find heights between which there is nothing."""
        low_m, high_m = self._heights()
        if low_m >= high_m:
            yield "nothing is between the floor and the ceiling"

    def otherwise(self) -> str:
        """Return how far outside is far enough."""
        terms = self._terms
        return f"It is {terms.margin_m:.0f} m or more outside the edge of {terms.zone}."

    def keep(self) -> Memory:
        """Return the craft that are not clear of the zone, and those that notice was given of."""
        return Memory(tuple(self._standing.values()), tuple(self._noticed.values()))

    def restore(self, kept: Struct) -> None:
        """Take them up."""
        if isinstance(kept, Memory):
            self._standing = {one.subject: one for one in kept.standing}
            self._noticed = {one.subject: one for one in kept.noticed}

    def bounds(self) -> Iterator[Bound]:
        """Yield how many craft are remembered."""
        yield Bound(
            of="KeepOut._standing",
            what="craft_in_zones",
            held=len(self._standing),
            limit=STANDING_MAX,
            rule="The craft found first is forgotten.",
        )
        yield Bound(
            of="KeepOut._noticed",
            what="craft_exempt_from_zones",
            held=len(self._noticed),
            limit=STANDING_MAX,
            rule="The craft found first is forgotten.",
        )

    def _counts(self, craft: Craft, event: Event) -> bool:
        if self._who.isdisjoint(craft.parties):
            return False
        noticed = self._noticed.get(craft.subject)
        if noticed is not None and not set(noticed.by).isdisjoint(craft.parties):
            if event.at.mono_ns < noticed.until_ns:
                return False
            del self._noticed[craft.subject]
        return self._kinds is None or craft.kind is None or craft.kind in self._kinds

    def _judged(self, craft: Craft) -> tuple[Judgement, str]:
        terms = self._terms
        far_m, unsure_m = self._zone.margin_m(craft.position), craft.unsure_m
        where = f"{far_m:.0f} m outside" if far_m >= 0 else f"{-far_m:.0f} m inside"
        words = f"it is {where} {terms.zone}, and {terms.margin_m:.0f} m outside is agreed"
        if far_m - unsure_m >= terms.margin_m or self._is_at_height(craft) is False:
            return Judgement.OK, f"{words}: it is clear"
        if self._is_at_height(craft) is None:
            return Judgement.UNKNOWN, f"{words} for some heights, and nobody knows how high it is"
        if far_m + unsure_m >= terms.margin_m and unsure_m:
            return Judgement.AT_RISK, f"{words}: its place may be wrong by {unsure_m:.0f} m"
        return Judgement.VIOLATION, words

    def _is_at_height(self, craft: Craft) -> bool | None:
        low_m, high_m = self._heights()
        if low_m == -_ANYWHERE_M and high_m == _ANYWHERE_M:
            return True
        return None if craft.altitude_m is None else low_m <= craft.altitude_m <= high_m

    def _heights(self) -> tuple[float, float]:
        floors = (self._bounds.floor_m, self._terms.floor_m, -_ANYWHERE_M)
        ceilings = (self._bounds.ceiling_m, self._terms.ceiling_m, _ANYWHERE_M)
        return (
            max(floor for floor in floors if floor is not None),
            min(ceiling for ceiling in ceilings if ceiling is not None),
        )

    def _notice(self, event: Event) -> Iterator[Finding]:
        fact = event.fact
        if fact is None or fact.about is None or self._who.isdisjoint(event.by):
            return
        craft = self._picture.of(fact.about)
        if craft is not None and set(event.by).isdisjoint(craft.parties):
            return
        if set(self._terms.exempt).isdisjoint(fact.fields):
            return
        holds_s = self._terms.notice_s if fact.lasts_s is None else fact.lasts_s
        until_ns = event.at.mono_ns + round(holds_s * 1e9)
        self._noticed[fact.about] = Noticed(subject=fact.about, until_ns=until_ns, by=event.by)
        if len(self._noticed) > STANDING_MAX:
            del self._noticed[next(iter(self._noticed))]
        stood = self._standing.pop(fact.about, None)
        if stood is not None:
            yield Finding(
                judgement=Judgement.EXEMPT,
                subject=stood.subject,
                words=f"notice was given of it, for {holds_s:.0f} s",
                since_ns=stood.since_ns,
                until_ns=until_ns,
                evidence=(event.event_id,),
            )

    def _put(self, craft: Astray) -> None:
        self._standing[craft.subject] = craft
        if len(self._standing) > STANDING_MAX:
            del self._standing[next(iter(self._standing))]


KIND = KeepOut
