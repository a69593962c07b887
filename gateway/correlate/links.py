"""Why two strands may be of one trouble: each reason with its weight, and in words. Pure.

A link between two strands depends on nothing but the two, and is the same whichever comes first.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from gateway.correlate.names import BEACON, PAIRED, differ, proves
from gateway.correlate.places import distance_m, is_within, reach_m
from gateway.correlate.strands import ELSEWHERE_M, Strand
from gateway.model.incident import Link, LinkKind

SAME = 0.7
"""From this weight on two strands are of one incident, unless something speaks against it."""

MAYBE = 0.3
"""From this weight on they are possibly related: shown, and not merged."""

SURE = 1.0
ALIAS = 0.95
"""A 15-digit identity that is the head of a 23-digit one: also that of a beacon programmed anew."""

PAIRED_NEAR = 0.9
PAIRED_FAR = 0.5
"""Four digits in common: one in ten thousand by chance, and beacons come in numbers."""

PARENT = 0.6
"""The MMSI of a craft names its parent's country, and does not prove the ship."""

NEAR = 0.85
OTHERS = 0.5
"""Two ships side by side are never one, however near: shown, in case one of them has helped."""

NEAR_FROM, NEAR_TO = 1.0, 4.0
"""Distance in units of the reach: up to the first nearness weighs all, at the second nothing."""

BLUR_M = 20_000.0
"""With more reach than this, nearness means the less, the more it is."""

FAR_M = 5_000.0
"""Farther apart than this, nearness means the less, the farther it is, whatever the reach: an
aircraft is within reach of everybody around it, and hardly any of them is on board."""

APART_NS_MAX = 6 * 3600 * 10**9
"""Heard farther apart in time, things are not near each other, wherever they were."""

MISREAD_NS = 10 * 10**9
"""One call and its copies, which come seconds later over a network."""

Carried = Callable[[str], tuple[str, ...]]
"""What the operator's register says that the thing of this name carries, or is carried by."""


def link_between(one: Strand, other: Strand, carried: Carried) -> Link | None:
    """Return the strongest reason why these may be of one trouble, or None."""
    first, second = (one, other) if one.name < other.name else (other, one)
    near = _nearness(first, second)
    found = None
    if near is None or not near.is_elsewhere:
        found = _identity(first, second, carried, near)
    if found is None and near is not None and near.reaches < NEAR_TO:
        found = _near(first, second, near)
    if found is None or found[1] < MAYBE:
        return None
    kind, weight, words = found
    age_ns = abs(first.evidence.last_mono_ns - second.evidence.last_mono_ns)
    return Link(
        kind=kind,
        weight=round(weight, 3),
        one=first.name,
        other=second.name,
        distance_m=None if near is None else round(near.far_m),
        age_s=round(age_ns / 1e9, 1),
        words=words,
    )


def may_be_near(one: Strand, other: Strand) -> bool:
    """Say whether nearness may link these two; without it only names can."""
    here, there = one.fix, other.fix
    return here is not None and there is not None and is_within(here, there, NEAR_TO)


def far_apart(one: Strand, other: Strand) -> float | None:
    """Return how far apart one name is used where one thing can't have been, or None."""
    if _shared(one, other) is None:
        return None
    near = _nearness(one, other)
    return near.far_m if near is not None and near.is_elsewhere else None


def may_be_misread(one: Strand, other: Strand) -> bool:
    """Say whether the first may be the second, its number misread in one digit, or imitated.

    Heard on the same radio at about the same time, with the rest alike, and no more often: a digit
    that is misread is not misread again. Two sister ships in two places are both real.
    """
    told, others = one.evidence, other.evidence
    gap_ns = max(told.first_mono_ns, others.first_mono_ns) - min(
        told.last_mono_ns, others.last_mono_ns
    )
    if told.system != others.system or gap_ns > MISREAD_NS or told.reports > others.reports:
        return False
    shared = bool({*told.natures} & {*others.natures})
    if told.natures and others.natures and not shared:
        return False
    here, there = one.fix, other.fix
    if here is None or there is None:
        return shared
    return is_within(here, there, NEAR_FROM)


class _Near(Struct, frozen=True, gc=False):
    """How near two strands are."""

    far_m: float
    reach_m: float
    recent: bool
    """Whether they were heard soon enough after each other for nearness to mean anything."""

    @property
    def reaches(self) -> float:
        """The distance in units of the reach."""
        return self.far_m / self.reach_m if self.recent else float("inf")

    @property
    def is_elsewhere(self) -> bool:
        """Whether one thing can't have been at both."""
        return self.far_m > ELSEWHERE_M + 2 * self.reach_m


_Found = tuple[LinkKind, float, str]


def _identity(first: Strand, second: Strand, carried: Carried, near: _Near | None) -> _Found | None:
    """Return the link by names."""
    name = _shared(first, second)
    if name is not None:
        return LinkKind.SAME_IDENTITY, SURE, f"both are {_spoken(name)}"
    registered = _registered(first, second, carried) or _registered(second, first, carried)
    if registered is not None:
        return registered
    heads = first.things.get(BEACON, NONE) & second.things.get(BEACON, NONE)
    if heads:
        words = f"the beacon identities have the head {min(heads)} in common"
        return LinkKind.BEACON_ALIAS, ALIAS, words
    is_near = near is not None and near.reaches <= NEAR_TO
    return _pair(first, second, is_near=is_near) or (_parent(first, second) if is_near else None)


NONE: frozenset[str] = frozenset()


def _shared(one: Strand, other: Strand) -> str | None:
    """Return a name of both that proves something."""
    theirs = other.evidence.names
    return next((name for name in one.evidence.names if name in theirs and proves(name)), None)


def _registered(one: Strand, other: Strand, carried: Carried) -> _Found | None:
    """Return the link by the register; it may know only the longer form of the other's name."""
    for name in one.evidence.names:
        for goes in carried(name):
            if goes in other.evidence.names:
                words = f"the register says that {_spoken(name)} goes with {_spoken(goes)}"
                return LinkKind.REGISTERED, SURE, words
    return None


def _pair(first: Strand, second: Strand, *, is_near: bool) -> _Found | None:
    for beacon, device in ((first, second), (second, first)):
        for digits in _values(beacon, PAIRED):
            if any(_is_paired(mmsi, digits) for mmsi in _values(device, "mmsi")):
                words = f"the 406 MHz beacon names an EPIRB-AIS that ends in {digits}"
                return LinkKind.PAIRED_BEACON, PAIRED_NEAR if is_near else PAIRED_FAR, words
    return None


def _is_paired(mmsi: str, digits: str) -> bool:
    return mmsi.startswith("974") and mmsi.endswith(digits)


def _parent(first: Strand, second: Strand) -> _Found | None:
    for ship, craft in ((first, second), (second, first)):
        for number in craft.things.get("craft", ()):
            if any(mmsi[:3] == number[2:5] for mmsi in ship.things.get("ship", ())):
                words = f"a craft of a parent ship of country {number[2:5]}, near such a ship"
                return LinkKind.PARENT_CRAFT, PARENT, words
    return None


def _nearness(first: Strand, second: Strand) -> _Near | None:
    here, there = first.fix, second.fix
    if here is None or there is None:
        return None
    recent = abs(here.mono_ns - there.mono_ns) <= APART_NS_MAX
    return _Near(distance_m(here, there), reach_m(here, there), recent)


def _near(first: Strand, second: Strand, near: _Near) -> _Found | None:
    z = near.reaches
    share = min(1.0, (NEAR_TO - z) / (NEAR_TO - NEAR_FROM))
    weight = NEAR * share * min(1.0, BLUR_M / near.reach_m, FAR_M / max(FAR_M, near.far_m))
    if weight < MAYBE:
        return None
    words = f"{z:.1f} times as far apart as one and the same thing may seem to be"
    against = differ(first.things, second.things)
    if against is None:
        return LinkKind.NEARNESS, weight, words
    return LinkKind.NEARNESS, min(weight, OTHERS), f"{words}, but {against}"


def _values(strand: Strand, kind: str) -> list[str]:
    head = f"{kind}:"
    return [name[len(head) :] for name in strand.evidence.names if name.startswith(head)]


def _spoken(name: str) -> str:
    kind, _, value = name.partition(":")
    return f"{kind} {value}"
