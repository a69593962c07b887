"""A track: where one thing is, as far as is known."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from gateway.model.place import Position, Velocity
from gateway.model.words import Mode


class Track(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where one thing is, as far as is known at one moment."""

    name: str
    """What it is filed under, as `kind:value`."""
    names: tuple[str, ...]
    """All its names, the one that proves most first."""
    mode: Mode
    system: str
    """The radio system that the place is from."""
    sort: str
    """ship, small craft, aircraft, device, fixed or other."""
    position: Position
    velocity: Velocity | None = None
    mono_ns: int
    """When it was there; the age that the message states is taken off."""
    heard_ns: int
    utc: datetime | None = None
    """When it was heard."""
    report_id: str
    age_s: float
    uncertainty_m: float
    """Within this radius it is now, for all that is known."""
    timed_out: bool = False
    """Older than its system and its speed allow: where it was, and not where it is."""
    suspect: bool = False
    """The reports of it are suspect themselves."""
    doubts: tuple[str, ...] = ()
    """What speaks against it, a sentence each."""
