"""What of a message may cross to another party, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, floor, radians

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.geodesy import DEGREE_M
from gateway.model.place import Position


class Policy(Struct, frozen=True, kw_only=True):
    """What may cross to one party."""

    allow: frozenset[str] | None = None
    """Kinds of messages; None for all."""
    redact: frozenset[str] = frozenset()
    """Fields that never cross."""
    position_grid_m: float = 0.0
    max_age_s: float | None = None
    """What is older stays here."""


class Parcel(Struct, frozen=True, kw_only=True):
    """A message on its way to another party."""

    what: str
    """distress, separation_alert, comm_check, …"""
    fields: Mapping[str, object]
    of_distress: bool = False
    """Then it is of any kind and age, and its place is as exact as it is known."""
    age_s: float = 0.0


class Crossing(Struct, frozen=True, kw_only=True):
    """What crosses of it, and what doesn't."""

    fields: Mapping[str, object] | None
    """None when nothing does."""
    withheld: tuple[str, ...] = ()
    """Fields that stay here, in order."""
    words: str = ""
    """Why nothing crosses, or what is coarser than it is known."""


def crossing(parcel: Parcel, policy: Policy) -> Crossing:
    """Return what of a message may cross; a redacted field stays here whatever it is about."""
    withheld = tuple(sorted(parcel.fields.keys() & policy.redact))
    kept = {name: value for name, value in parcel.fields.items() if name not in policy.redact}
    if parcel.of_distress:
        return Crossing(fields=kept, withheld=withheld)
    why = _why_not(parcel, policy)
    if why is not None:
        return Crossing(fields=None, withheld=tuple(sorted(parcel.fields)), words=why)
    if policy.position_grid_m <= 0:
        return Crossing(fields=kept, withheld=withheld)
    coarse = {name: _coarse(value, policy.position_grid_m) for name, value in kept.items()}
    words = f"places are on a grid of {policy.position_grid_m:g} m" if coarse != kept else ""
    return Crossing(fields=coarse, withheld=withheld, words=words)


def on_grid(position: Position, grid_m: float) -> Position:
    """Return the middle of the square of the grid that a place is in; no exacter one can be told.

    The squares are the same for all places: what stands at their edge doesn't show by the one it
    is in where it was before.
    """
    lat_deg, lat_step = _middle(position.lat_deg, grid_m / DEGREE_M)
    lat_deg = max(-90.0, min(90.0, lat_deg))
    # All places of one row have one width of square, or the width would tell the latitude.
    lon_deg, _ = _middle(position.lon_deg, lat_step / max(0.01, cos(radians(lat_deg))))
    lon_deg = (lon_deg + 180.0) % 360.0 - 180.0
    return replace(
        position, lat_deg=lat_deg, lon_deg=lon_deg, accuracy_m=None, resolution_m=grid_m / 2
    )


def _why_not(parcel: Parcel, policy: Policy) -> str | None:
    if policy.allow is not None and parcel.what not in policy.allow:
        return f"{parcel.what} is none of what may cross: {', '.join(sorted(policy.allow))}"
    if policy.max_age_s is not None and parcel.age_s > policy.max_age_s:
        return f"it is {parcel.age_s:.0f} s old, and {policy.max_age_s:g} s are agreed"
    return None


def _coarse(value: object, grid_m: float) -> object:
    return on_grid(value, grid_m) if isinstance(value, Position) else value


def _middle(degrees: float, step: float) -> tuple[float, float]:
    return (floor(degrees / step) + 0.5) * step, step
