"""The places that one radio system told of one thing: the one to go by, and one that is doubted.

What can't be reached in the time is kept as the other candidate. It takes over when it repeats and
the first one falls silent; until then both stand, and it is said so.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from gateway.codes.geodesy import distance_m
from gateway.correlate.pace import MOST_M, Sort, known_m, lasts_ns, moves_mps
from gateway.model.inbound import Report
from gateway.model.place import Position, Velocity

REPEATS = 2
"""What was told once may be a bent bit; what was told so often is meant."""

SLACK_S = 10.0
"""Receivers and networks hold a report so long: two may seem nearer in time than they were."""

DOUBT_NS = 900 * 10**9
"""So long a place that can't be is shown as a doubt."""

_DEGREE_M = 111_320.0
"""A degree of a great circle is not longer: for a first look without trigonometry."""


class Fix(Struct, frozen=True, kw_only=True, gc=False):
    """One place as it was told."""

    system: str
    sort: Sort
    position: Position
    velocity: Velocity | None
    mono_ns: int
    """When it was there: its hearing, less the age that it states."""
    heard_ns: int
    utc: datetime | None
    report_id: str
    lasts_ns: int
    known_m: float
    suspect: bool
    doubts: tuple[str, ...]

    def timed_out(self, mono_ns: int) -> bool:
        """Say whether it is older than its sort and system allow."""
        return mono_ns - self.mono_ns > self.lasts_ns

    def uncertainty_m(self, mono_ns: int) -> float:
        """Return the radius within which the thing is now.

        Once it has timed out it may have done anything that is usual for its sort.
        """
        age_ns = max(0, mono_ns - self.mono_ns)
        rate_mps = moves_mps(self.velocity, self.sort)
        fresh_ns = min(age_ns, self.lasts_ns)
        stale_mps = max(rate_mps, self.sort.usual_mps)
        moved_m = (rate_mps * fresh_ns + stale_mps * (age_ns - fresh_ns)) / 1e9
        return min(MOST_M, self.known_m + moved_m)


def fix_of(report: Report, position: Position, sort: Sort, *, suspect: bool) -> Fix:
    """Return the place of a report."""
    heard = report.heard
    age_ns = 0 if position.age_s is None else max(0, int(position.age_s * 1e9))
    return Fix(
        system=report.system,
        sort=sort,
        position=position,
        velocity=report.velocity,
        mono_ns=heard.mono_ns - age_ns if age_ns else heard.mono_ns,
        heard_ns=heard.mono_ns,
        utc=heard.utc,
        report_id=report.report_id,
        lasts_ns=lasts_ns(report, sort),
        known_m=known_m(report.system, position),
        suspect=suspect,
        doubts=report.doubts,
    )


class Slot:
    """What one system says with one degree of belief: suspect places never displace the others."""

    __slots__ = ("good", "heard", "other", "repeats")

    def __init__(self, first: Fix) -> None:
        self.good = first
        self.heard = 1
        self.other: Fix | None = None
        """The newest one that can't be of the same thing as the good one."""
        self.repeats = 0
        """Places that agree with the other one, itself included."""

    def put(self, fix: Fix) -> bool:
        """Take a place; say whether it is in doubt because no such thing moves so fast."""
        self.heard += 1
        if not is_jump(self.good, fix):
            if is_newer(fix, self.good):
                self.good = fix
            return False
        other = self.other
        if other is None or is_jump(other, fix):
            if other is None or is_newer(fix, other):
                self.other, self.repeats = fix, 1
        else:
            self.repeats += 1
            self.other = fix if is_newer(fix, other) else other
        if self._has_taken_over(fix.mono_ns) and self.other is not None:
            self.good, self.other, self.repeats = self.other, self.good, 0
        return True

    def shown(self, mono_ns: int) -> Fix:
        """Return the place to go by at this time."""
        return self.other if self.other and self._has_taken_over(mono_ns) else self.good

    def is_proven(self) -> bool:
        """Say whether it is more than one place that is suspect."""
        return not self.good.suspect or self.heard >= REPEATS

    def doubt(self, mono_ns: int) -> str | None:
        """Return what speaks against the place that is shown, in words."""
        shown = self.shown(mono_ns)
        beside = self.other if shown is self.good else self.good
        if beside is None or mono_ns - beside.mono_ns > DOUBT_NS:
            return None
        far_km = apart_m(shown, beside) / 1000
        apart_s = abs(shown.mono_ns - beside.mono_ns) / 1e9
        return (
            f"{shown.system} also placed it {far_km:.0f} km away within {apart_s:.0f} s, "
            f"which is faster than {_a(shown.sort.name)} can be: two may use one identity"
        )

    def _has_taken_over(self, mono_ns: int) -> bool:
        other = self.other
        return (
            other is not None
            and self.repeats >= REPEATS
            and is_newer(other, self.good)
            and self.good.timed_out(mono_ns)
        )


def is_newer(one: Fix, other: Fix) -> bool:
    """Say which of two places counts, the same whichever came in first."""
    if one.mono_ns != other.mono_ns:
        return one.mono_ns > other.mono_ns
    return (one.heard_ns, one.report_id) > (other.heard_ns, other.report_id)


def apart_m(one: Fix, other: Fix) -> float:
    """Return the distance between two places."""
    here, there = one.position, other.position
    return distance_m(here.lat_deg, here.lon_deg, there.lat_deg, there.lon_deg)


def is_jump(one: Fix, other: Fix) -> bool:
    """Say whether no such thing can have been at both places at these times."""
    apart_s = abs(one.mono_ns - other.mono_ns) / 1e9 + SLACK_S
    reach_m = one.known_m + other.known_m + max(one.sort.top_mps, other.sort.top_mps) * apart_s
    here, there = one.position, other.position
    degrees = abs(here.lat_deg - there.lat_deg) + abs(here.lon_deg - there.lon_deg)
    return degrees * _DEGREE_M > reach_m and apart_m(one, other) > reach_m


def _a(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
