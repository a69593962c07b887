"""How the watch on a channel stands: the retained payload of `watch/<channel>`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class WatchState(StrEnum):
    """Whether somebody listens, as far as it can be shown."""

    KEPT = "kept"
    """Something has shown it within the agreed gap."""
    LAPSED = "lapsed"
    """It is known that nobody does: every receiver of the channel is deaf."""
    UNKNOWN = "unknown"
    """Nothing shows that anybody does, and nothing that nobody does."""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sign of a receiver, the newest of its kind."""

    kind: str
    """`bytes_heard`, `decoded_call`, `decode_rate`, `receiver_heartbeat`, `idle_noise_sample`,
    `signal_strength`, `loop_test`, or what somebody has stated."""
    by: str
    """The port that it came from; of what was stated, who says so."""
    age_s: float
    proves: Literal["line", "modem", "receiver", "word"]
    """How far it reaches: the cable, the modem behind it, its receiver on the air, or somebody's
    word. What proves the line alone keeps no watch."""
    says: str | None = None
    """What it said, with its unit."""


class Availability(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How much of a month the watch was kept."""

    month: str
    """`2026-11`, UTC."""
    due_s: float
    """How long it was due in this month, since it was first looked at."""
    kept: float
    """The share of that in which it was kept, from 0 to 1, rounded down."""
    unknown: float
    """The share in which nobody knows: it is not available either, and stands beside `kept`."""
    enough: bool
    """Whether `kept` is 0.999 or more, the floor of IMO resolution A.1001(25), 3.5."""


class PartyWatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the watch of one party on the channel stands, by one rule of one agreement."""

    agreement: str
    rule: str
    """The clause that asks for it; where two ask for one party and channel, each stands alone."""
    party: str
    own: bool = False
    """Whether the party is this station."""
    state: WatchState
    since: datetime | None = None
    """None where nobody knew the time."""
    since_mono_ns: int
    why: str
    """The reason as a sentence for a person."""
    gap_s: float
    """What is agreed: so long after the last evidence it is no longer shown."""
    due: bool | None = True
    """Whether the watch is due now; None when nobody knows the time."""
    evidence: tuple[Evidence, ...] = ()
    """The newest of each kind and port, the youngest first."""
    months: tuple[Availability, ...] = ()
    """The month that runs, and the one before it; where any of several channels is enough, or so
    many of them, of all of these together. The rule judges a month by this very account."""


class ChannelWatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the watch on one channel stands, by every agreement that names it."""

    channel: str
    state: WatchState
    """Of this station's own watch, the gravest of those that are due now; `unknown` where it has
    none there."""
    utc: datetime | None = None
    """When this was said: ages count from here."""
    mono_ns: int
    watches: tuple[PartyWatch, ...]
