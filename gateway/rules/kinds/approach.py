"""Craft come near each other slowly, and nobody cuts across another's bow."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians, sin
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import CraftName, EventWord, Metres, Parties, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.apart import Apart, apart
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.picture import Craft
from gateway.rules.rule import Finding, Rule

FORGET_S = 600
"""After so long without either a pair is followed no longer."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Craft of different parties of these, so near each other, keep to this. It is advice."""

    between: Annotated[Parties, Meta(min_length=1)]
    within_m: Metres = 9_260.0
    """Over ground; farther off it is nobody's concern. Five nautical miles unless it is said."""
    max_closing_mps: Annotated[float, Meta(ge=0, le=10_000, examples=[100])] | None = None
    """The fastest that they come nearer, metres a second."""
    no_crossing_ahead_m: Metres | None = None
    """Nobody crosses another's way so near ahead of them."""
    lookahead_s: Seconds = 60.0
    """So far ahead it is looked for a crossing."""
    level_m: Metres = 914.4
    """Pairs farther apart in height are no concern; a height that nobody knows counts."""
    max_data_age_s: Seconds = 15.0
    """A place that is older says nothing."""
    craft: CraftName | None = None
    """Only craft of this class; of which nobody knows the kind, they count."""


class Memory(Struct, frozen=True):
    """The pairs that were told of."""

    told: tuple[Deadline, ...] = ()


class Approach(Rule):
    """Looks, whenever a craft says where it is, at those of other parties around it.

    `at_risk` once for each pair that does not keep to it, `ok` when it does again. It is never a
    `violation`: how near is too near, `separation` says.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._between = ground.rolls.named(terms.between)
        self._picture = ground.picture
        self._kinds = (
            None if terms.craft is None else frozenset(ground.agreement.craft[terms.craft])
        )
        self._told = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear where craft are."""
        return frozenset({EventWord.POSITION})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Look at the craft, and at all around it."""
        craft = self._picture.of(event.subject)
        if craft is None or craft.event_id != event.event_id or not self._counts(craft):
            return
        now_ns = event.at.mono_ns
        seen = {f"{one.subject}|{other.subject}" for one, other in self._pairs(craft, now_ns)}
        for one, other in self._pairs(craft, now_ns):
            yield from self._looked(one, other, now_ns)
        for told in self._told.keep():
            if craft.subject in told.subject.split("|") and told.subject not in seen:
                yield from self._parted(told.subject, now_ns)

    def tick(self, now: Moment) -> tuple[Finding, ...]:
        """Forget pairs of which nobody has heard for long."""
        for _ in self._told.over(now.mono_ns):
            pass
        return ()

    def flaws(self) -> Iterator[str]:
        """Find an approach of which nothing is asked."""
        if self._terms.max_closing_mps is None and self._terms.no_crossing_ahead_m is None:
            yield "nothing is asked: give `max_closing_mps` or `no_crossing_ahead_m`"
        if len(self._between) < _TWO:
            yield "`between` names fewer than two parties: no pair can be of different ones"

    def keep(self) -> Memory:
        """Return the pairs that were told of."""
        return Memory(self._told.keep())

    def restore(self, kept: Struct) -> None:
        """Take them up."""
        if isinstance(kept, Memory):
            self._told.restore(kept.told)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many pairs were told of."""
        return self._told.bounds()

    def _counts(self, craft: Craft) -> bool:
        if self._between.isdisjoint(craft.parties) or craft.on_ground:
            return False
        return self._kinds is None or craft.kind is None or craft.kind in self._kinds

    def _pairs(self, craft: Craft, now_ns: int) -> Iterator[tuple[Craft, Craft]]:
        """Yield the craft and each that is near it, in the order of their names."""
        age_ns = round(self._terms.max_data_age_s * 1e9)
        for other in self._picture.near(craft.position, self._terms.within_m):
            if other is craft or not self._counts(other) or now_ns - other.mono_ns > age_ns:
                continue
            if set(craft.parties) == set(other.parties):
                continue
            one, two = sorted((craft, other), key=lambda found: found.subject)
            yield one, two

    def _parted(self, name: str, now_ns: int) -> Iterator[Finding]:
        """Say that a pair is far apart, where both have just said where they are."""
        both = [self._picture.of(subject) for subject in name.split("|")]
        age_ns = round(self._terms.max_data_age_s * 1e9)
        if all(one is not None and now_ns - one.mono_ns <= age_ns for one in both):
            yield self._ended(name, "they are far from each other")

    def _looked(self, one: Craft, other: Craft, now_ns: int) -> Iterator[Finding]:
        name = f"{one.subject}|{other.subject}"
        seen = apart(one, other, now_ns)
        if seen.east_mps is None:
            return  # nobody knows how they move: what was told stands
        wrong = self._wrong(one, other, seen)
        known = self._told.of(name)
        if wrong is not None:
            until_ns = now_ns + FORGET_S * 10**9
            self._told.begin(Deadline(subject=name, since_ns=now_ns, until_ns=until_ns))
            if known is None:
                evidence = (one.event_id, other.event_id)
                yield Finding(
                    judgement=Judgement.AT_RISK, subject=name, words=wrong, evidence=evidence
                )
        elif known is not None:
            yield self._ended(name, "they keep to it")

    def _ended(self, name: str, why: str) -> Finding:
        self._told.end(name)
        return Finding(judgement=Judgement.OK, subject=name, words=f"{why} again")

    def _wrong(self, one: Craft, other: Craft, seen: Apart) -> str | None:
        far = seen.above_m is not None and abs(seen.above_m) > self._terms.level_m
        if far or seen.east_mps is None or seen.over_ground_m > self._terms.within_m:
            return None
        most, ahead_m = self._terms.max_closing_mps, self._terms.no_crossing_ahead_m
        closing_mps = _closing_mps(seen, seen.east_mps)
        if most is not None and closing_mps > most:
            words = f"they close at {closing_mps:.0f} m/s, {seen.over_ground_m:.0f} m apart"
            return f"{words}: {most:g} m/s are agreed"
        if ahead_m is None:
            return None
        for craft, sign in ((one, 1.0), (other, -1.0)):
            crossing_m = _ahead(craft, seen, sign, self._terms.lookahead_s)
            if crossing_m is not None and crossing_m < ahead_m:
                words = f"{craft.subject} will be crossed {crossing_m:.0f} m ahead"
                return f"{words}: {ahead_m:.0f} m are agreed"
        return None


_TWO = 2


def _closing_mps(seen: Apart, east_mps: float) -> float:
    """Return how fast they come nearer; below zero when they part."""
    gap_m = seen.over_ground_m
    if gap_m == 0:
        return 0.0
    return -(seen.east_m * east_mps + seen.north_m * seen.north_mps) / gap_m


def _ahead(craft: Craft, seen: Apart, sign: float, within_s: float) -> float | None:
    """Return how far ahead of a craft the other will cross its way; None when it will not.

    `seen` is the other as seen from the one; for the other itself all of it is turned round.
    """
    if craft.course_deg is None or not craft.speed_mps or seen.east_mps is None:
        return None
    course = radians(craft.course_deg)
    east, north = sin(course), cos(course)
    side_m = sign * (seen.east_m * north - seen.north_m * east)
    side_mps = sign * (seen.east_mps * north - seen.north_mps * east)
    if side_mps == 0 or not 0 < (at_s := -side_m / side_mps) <= within_s:
        return None
    ahead_m = sign * (seen.east_m * east + seen.north_m * north)
    ahead_m += sign * (seen.east_mps * east + seen.north_mps * north) * at_s
    return ahead_m if ahead_m > 0 else None


KIND = Approach
