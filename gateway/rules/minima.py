"""What is far enough between two craft, and whether they keep to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import Metres
from gateway.rules.apart import Apart, Span


class Minimum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One distance that is far enough: at it, or beyond."""

    horizontal_m: Metres | None = None
    """Over ground."""
    vertical_m: Metres | None = None
    """Between their heights as both report them."""


_NOISE_M = 0.01
"""3,000 ft between two flight levels is that also after both became metres: nothing is as sure."""

Minima = Annotated[tuple[Minimum, ...], Meta(max_length=8, examples=[[{"horizontal_m": 5556}]])]


class Enough(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is far enough: `any` one of these, or `all` of those."""

    any: Minima = ()
    """Whichever of them holds, they are far enough apart."""
    all: Minima = ()
    """Each of them has to hold."""


class Stage(StrEnum):
    """How near a pair is."""

    CLEAR = "clear"
    RISK = "risk"
    """It will be too near, or may be by as much as places are unsure."""
    BLIND = "blind"
    """It may be too near, and something is missing."""
    NEAR = "near"
    BROKEN = "broken"
    """Too near for longer than is agreed."""


def kept_to(one: Minimum, seen: Apart, share: float, unsure_m: float) -> Stage:
    """Return how near they are by one minimum alone."""
    if one.horizontal_m is None:
        if seen.above_m is None:
            return Stage.BLIND
        limit_m = (one.vertical_m or 0.0) * share - _NOISE_M
        return Stage.NEAR if abs(seen.above_m) < limit_m else Stage.CLEAR
    gap_m, limit_m = seen.over_ground_m, one.horizontal_m * share - _NOISE_M
    if gap_m + unsure_m < limit_m:
        return Stage.NEAR
    return Stage.RISK if gap_m - unsure_m < limit_m else Stage.CLEAR


def when(one: Minimum, seen: Apart, share: float, within_s: float) -> Span | None:
    """Return when they will be too near by one minimum alone."""
    if one.horizontal_m is None:
        return seen.level_within((one.vertical_m or 0.0) * share - _NOISE_M, within_s)
    return seen.nearer_than(one.horizontal_m * share - _NOISE_M, within_s)


def agreed(enough: Enough) -> str:
    """Return what is far enough, in words."""
    far = [
        f"{one.vertical_m or 0:.0f} m in height"
        if one.horizontal_m is None
        else f"{one.horizontal_m:.0f} m over ground"
        for one in enough.any or enough.all
    ]
    return (" and " if enough.all else " or ").join(far)
