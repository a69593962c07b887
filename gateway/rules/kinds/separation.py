"""Craft of different parties keep a safe distance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import CraftName, EventWord, Parties, Seconds, ZoneName
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.apart import Apart, apart, said
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.minima import Enough, Stage, agreed, kept_to, when
from gateway.rules.picture import Craft
from gateway.rules.rule import Finding, Rule

PAIRS_MAX = 4_096
"""Pairs that are too near, or soon will be: more than any controller could look at. The one
followed longest gives way."""

CLEAR_SHARE = 1.05
"""A pair is clear again this much farther apart than the minimum: nothing flutters at the edge."""

AHEAD_SHARE = 1.25
"""So much farther it is looked ahead for a pair that was told to be at risk already."""

SILENT_S_MAX = 600.0
"""After this a pair of which one says no more where it is, is followed no longer."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Craft of different parties of these are so far apart, or nearer for so long at the most."""

    between: Annotated[Parties, Meta(min_length=1)]
    satisfied_by: Enough
    """What is far enough."""
    max_infringement_s: Seconds = 0.0
    """So long they may be nearer; at 0 it is a violation at once."""
    lookahead_s: Seconds = 0.0
    """So far ahead it is said that they will come too near, if both go on as they do."""
    max_data_age_s: Seconds = 15.0
    """A place that is older proves nothing."""
    craft: CraftName | None = None
    """Only craft of this class; of which nobody knows the kind, they count."""
    zone: ZoneName | None = None
    """Only pairs of which one is in this zone, or may be."""
    min_samples: Annotated[int, Meta(ge=1, le=100)] = 1
    """Places that have to be heard of each before either is believed to be too near."""


class Pair(Struct, frozen=True, kw_only=True, gc=False):
    """Two craft that are not clear of each other."""

    one: str
    other: str
    stage: Stage
    began_ns: int
    """When it was followed first."""
    since_ns: int | None = None
    """Since when they are too near."""
    due_ns: int | None = None
    """When that is too long."""
    blind_since_ns: int | None = None
    """While nobody knows, the clock stands still."""
    broken: bool = False

    @property
    def subject(self) -> str:
        """Return the name of the pair."""
        return f"{self.one}|{self.other}"


class Memory(Struct, frozen=True):
    """The pairs that are followed."""

    pairs: tuple[Pair, ...] = ()


class View(Struct, frozen=True, gc=False):
    """What is seen of a pair now."""

    stage: Stage
    words: str


class Separation(Rule):
    """Compares each craft, whenever it says where it is, with those of other parties around it.

    `at_risk` before they come too near; `at_risk` in words that say that they infringe, once they
    surely are; `violation` when that has lasted for as long as is agreed; `unknown` when a place
    is too old, too new, or a height is missing which would settle it; `ok` when they are apart
    again. Both are carried on to now by their course and speed. At the minimum is far enough.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._between = ground.rolls.named(terms.between)
        self._picture = ground.picture
        self._zone = None if terms.zone is None else ground.zone(terms.zone)
        self._kinds = (
            None if terms.craft is None else frozenset(ground.agreement.craft[terms.craft])
        )
        self._minima = terms.satisfied_by.any or terms.satisfied_by.all
        horizontal = [one.horizontal_m for one in self._minima if one.horizontal_m is not None]
        vertical = [one.vertical_m for one in self._minima if one.vertical_m is not None]
        self._horizontal_m = max(horizontal, default=0.0)
        self._vertical_m = max(vertical) if terms.satisfied_by.any and vertical else None
        self._agreed = agreed(terms.satisfied_by)
        self._age_ns = round(terms.max_data_age_s * 1e9)
        self._pairs: dict[str, Pair] = {}
        self._of: dict[str, dict[str, None]] = {}
        self.evicted = 0

    def hears(self) -> frozenset[EventWord]:
        """Hear where craft are."""
        return frozenset({EventWord.POSITION})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Look at the craft, and at all that are or were near it."""
        craft = self._picture.of(event.subject)
        if craft is None or craft.event_id != event.event_id or not self._counts(craft):
            return
        now_ns = event.at.mono_ns
        names = dict(self._of.get(craft.subject, {}))
        names.update((other.subject, None) for other in self._around(craft))
        for name in names:
            other = self._picture.of(name)
            if other is not None:
                yield from self._looked(craft, other, now_ns)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which pairs nobody knows any more about, and which were too near for too long."""
        for pair in tuple(self._pairs.values()):
            one, other = self._picture.of(pair.one), self._picture.of(pair.other)
            if one is None or other is None:
                self._drop(pair)
                continue
            silent_ns = now.mono_ns - min(one.mono_ns, other.mono_ns)
            if silent_ns > SILENT_S_MAX * 1e9:
                self._drop(pair)
            elif silent_ns > self._age_ns and pair.stage is not Stage.BLIND:
                yield self._stood(pair, View(Stage.BLIND, self._stale(silent_ns)), now.mono_ns)
            elif pair.stage is Stage.NEAR and _is_over(pair, now.mono_ns):
                words = said(apart(one, other, now.mono_ns))
                yield self._stood(pair, View(Stage.BROKEN, words), now.mono_ns)

    def flaws(self) -> Iterator[str]:
        """Find minima that say nothing, or that no two craft could keep to."""
        enough = self._terms.satisfied_by
        if bool(enough.any) == bool(enough.all):
            yield "`satisfied_by` needs either `any` or `all`"
        if any((one.horizontal_m is None) == (one.vertical_m is None) for one in self._minima):
            yield "each minimum is either `horizontal_m` or `vertical_m`"
        if self._horizontal_m == 0:
            yield "no `horizontal_m` says up to where craft are near each other"
        if any(one.vertical_m for one in enough.all):
            yield "`vertical_m` under `all` lets no two craft fly at one height anywhere: use `any`"
        if self._age_ns == 0:
            yield "`max_data_age_s` of 0 means that nobody ever knows where craft are"
        if len(self._between) < 2:
            yield "`between` names fewer than two parties: no pair can be of different ones"

    def otherwise(self) -> str:
        """Return how far apart is far enough."""
        agreed, limit_s = self._agreed, self._terms.max_infringement_s
        least = f"They are {agreed} apart: exactly so far is far enough."
        if limit_s == 0:
            return least
        return f"{least} They may be nearer, but for less than {limit_s:g} s."

    def keep(self) -> Memory:
        """Return the pairs that are followed."""
        return Memory(tuple(self._pairs.values()))

    def restore(self, kept: Struct) -> None:
        """Go on following them."""
        if isinstance(kept, Memory):
            for pair in kept.pairs:
                self._put(pair)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many pairs are followed."""
        yield Bound(
            of="Separation._pairs",
            what="pairs_too_near",
            held=len(self._pairs),
            limit=PAIRS_MAX,
            rule="The pair followed longest gives way, and is found anew when either calls.",
            evicted=self.evicted,
        )

    def _counts(self, craft: Craft) -> bool:
        if self._between.isdisjoint(craft.parties) or craft.on_ground:
            return False
        return self._kinds is None or craft.kind is None or craft.kind in self._kinds

    def _around(self, craft: Craft) -> Iterator[Craft]:
        """Yield who may be, or come, too near: the faster of a pair looks for the slower."""
        reach_m = self._horizontal_m * CLEAR_SHARE + craft.unsure_m
        reach_m += 2 * (craft.speed_mps or 0.0) * (self._terms.lookahead_s + self._age_ns / 1e9)
        height_m, limit_m, climb_mps = craft.altitude_m, self._vertical_m, craft.climb_mps or 0.0
        for other in self._picture.near(craft.position, reach_m):
            if other.parties == craft.parties or other is craft:
                continue
            if craft.mono_ns - other.mono_ns > SILENT_S_MAX * 1e9:
                continue
            if limit_m is not None and height_m is not None and other.altitude_m is not None:
                climbs_mps = abs(climb_mps) + abs(other.climb_mps or 0.0)
                gap_m = abs(other.altitude_m - height_m)
                if gap_m >= limit_m + climbs_mps * (self._terms.lookahead_s + self._age_ns / 1e9):
                    continue
            if self._counts(other) and set(craft.parties) != set(other.parties):
                yield other

    def _looked(self, craft: Craft, other: Craft, now_ns: int) -> Iterator[Finding]:
        one, two = sorted((craft, other), key=lambda found: found.subject)
        pair = self._pairs.get(f"{one.subject}|{two.subject}")
        view = self._view(one, two, now_ns, pair)
        if pair is None:
            if view.stage is Stage.CLEAR:
                return
            pair = Pair(one=one.subject, other=two.subject, stage=Stage.CLEAR, began_ns=now_ns)
        if view.stage is Stage.NEAR and self._goes_on(pair, now_ns):
            view = View(Stage.BROKEN, view.words)
        if view.stage is not pair.stage:
            yield self._stood(pair, view, now_ns)

    def _goes_on(self, pair: Pair, now_ns: int) -> bool:
        """Say whether what is too near is so for too long already."""
        if pair.since_ns is None:
            return self._terms.max_infringement_s == 0
        return pair.broken or (pair.stage is not Stage.BLIND and _is_over(pair, now_ns))

    def _view(self, one: Craft, other: Craft, now_ns: int, pair: Pair | None) -> View:
        """Return how near they are, by all that is known."""
        held = pair is not None and pair.since_ns is not None
        share = CLEAR_SHARE if held else 1.0
        seen = apart(one, other, now_ns)
        stage = self._stage(seen, share, unsure_m=0.0 if held else seen.unsure_m)
        at_s = self._ahead(seen, told=pair is not None) if stage is Stage.CLEAR else None
        if stage is Stage.CLEAR and at_s is None and pair is None:
            return View(Stage.CLEAR, "")
        words = said(seen)
        if stage is Stage.CLEAR:
            if at_s is None:
                return View(Stage.CLEAR, words)
            stage, words = Stage.RISK, f"{words}, and will be too near in {at_s:.0f} s"
        if self._is_elsewhere(one, other):
            return View(Stage.CLEAR, words)
        silent_ns = now_ns - min(one.mono_ns, other.mono_ns)
        if silent_ns > self._age_ns:
            return View(Stage.BLIND, self._stale(silent_ns))
        fixes = min(one.fixes, other.fixes)
        if fixes < self._terms.min_samples:
            words = f"{words}, by {fixes} of {self._terms.min_samples} places that are needed"
            return View(Stage.BLIND, words)
        return View(stage, words)

    def _stage(self, seen: Apart, share: float, *, unsure_m: float) -> Stage:
        found = {kept_to(one, seen, share, unsure_m) for one in self._minima}
        first, last = Stage.CLEAR, Stage.NEAR
        if self._terms.satisfied_by.all:
            first, last = last, first
        order = (first, Stage.BLIND, Stage.RISK)
        return next((stage for stage in order if stage in found), last)

    def _ahead(self, seen: Apart, *, told: bool) -> float | None:
        """Return in how many seconds they will be too near; None when they will not."""
        within_s = self._terms.lookahead_s * (AHEAD_SHARE if told else 1.0)
        if within_s == 0:
            return None
        share = CLEAR_SHARE if told else 1.0
        spans = [when(one, seen, share, within_s) for one in self._minima]
        if self._terms.satisfied_by.all:
            return min((span[0] for span in spans if span is not None), default=None)
        both = [span for span in spans if span is not None]
        if len(both) < len(spans):
            return None
        start = max(span[0] for span in both)
        return start if start < min(span[1] for span in both) else None

    def _is_elsewhere(self, one: Craft, other: Craft) -> bool:
        zone = self._zone
        return zone is not None and all(
            zone.holds(craft.position, craft.altitude_m) is False for craft in (one, other)
        )

    def _stale(self, silent_ns: int) -> str:
        limit_s = self._terms.max_data_age_s
        return f"where one of them is, is {silent_ns / 1e9:.0f} s old, and {limit_s:g} s are agreed"

    def _stood(self, pair: Pair, view: View, now_ns: int) -> Finding:
        """Take note of what a pair has come to, and say it."""
        since_ns, due_ns, stage = pair.since_ns, pair.due_ns, view.stage
        if since_ns is None and stage in _TOO_NEAR:
            since_ns = now_ns
            due_ns = now_ns + round(self._terms.max_infringement_s * 1e9)
        elif pair.blind_since_ns is not None and due_ns is not None:
            due_ns += now_ns - pair.blind_since_ns
        after = replace(
            pair,
            stage=stage,
            since_ns=since_ns,
            due_ns=due_ns,
            blind_since_ns=now_ns if stage is Stage.BLIND else None,
            broken=pair.broken or stage is Stage.BROKEN,
        )
        if stage is Stage.RISK:
            after = replace(after, since_ns=None, due_ns=None, broken=False)
        if stage is Stage.CLEAR:
            self._drop(pair)
        else:
            self._put(after)
        return self._finding(after, view, now_ns)

    def _finding(self, pair: Pair, view: View, now_ns: int) -> Finding:
        stage, limit_s = view.stage, self._terms.max_infringement_s
        due = f"{self._agreed} is agreed"
        words = f"{view.words}: {due}"
        if stage in _TOO_NEAR and pair.since_ns is not None:
            lasts_s = (now_ns - pair.since_ns) / 1e9
            words = f"they infringe, {view.words} for {lasts_s:.0f} s: {due}, or {limit_s:g} s"
        elif stage is Stage.BLIND:
            words = f"nobody knows whether they are too near: {view.words}"
        elif stage is Stage.CLEAR:
            words = f"they are clear of each other, {view.words}: {due}"
        seen = (self._picture.of(pair.one), self._picture.of(pair.other))
        return Finding(
            judgement=_JUDGED[stage],
            subject=pair.subject,
            words=words,
            since_ns=pair.since_ns,
            until_ns=pair.due_ns if stage is Stage.NEAR else None,
            evidence=tuple(craft.event_id for craft in seen if craft is not None),
        )

    def _put(self, pair: Pair) -> None:
        self._pairs[pair.subject] = pair
        self._of.setdefault(pair.one, {})[pair.other] = None
        self._of.setdefault(pair.other, {})[pair.one] = None
        if len(self._pairs) > PAIRS_MAX:
            self._drop(next(iter(self._pairs.values())))
            self.evicted += 1

    def _drop(self, pair: Pair) -> None:
        del self._pairs[pair.subject]
        for one, other in ((pair.one, pair.other), (pair.other, pair.one)):
            del self._of[one][other]
            if not self._of[one]:
                del self._of[one]


_TOO_NEAR = frozenset({Stage.NEAR, Stage.BROKEN})

_JUDGED = {
    Stage.CLEAR: Judgement.OK,
    Stage.RISK: Judgement.AT_RISK,
    Stage.BLIND: Judgement.UNKNOWN,
    Stage.NEAR: Judgement.AT_RISK,
    Stage.BROKEN: Judgement.VIOLATION,
}


def _is_over(pair: Pair, now_ns: int) -> bool:
    return pair.due_ns is not None and now_ns >= pair.due_ns


KIND = Separation
