"""How the box is: plain counts become the status that it tells, and the event loop's lag is taken.

Pure but for the lag meter's clock. Nothing here asks anybody: whoever knows hands it in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NoReturn, Protocol

from msgspec import Struct
from msgspec.structs import asdict

from gateway.clock import Clock
from gateway.model.bounds import Bound, fill
from gateway.model.inbound import SCHEMA_VERSION, Moment
from gateway.model.status import (
    Alert,
    AlertName,
    ClockStatus,
    Fill,
    HealthCounts,
    JournalCounts,
    LinkStatus,
    PortBytes,
    PortLink,
    PortStatus,
    SchemaRange,
    StationState,
    Status,
)
from gateway.normalise import utc_of

LAG_PERIOD_S = 0.02
"""How often the loop's lag is taken. What a stall shows is short of its length by at most this."""

LAG_MS_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""Upper ends of the histogram's steps; one more step takes all that is longer."""

SCHEMA_RANGE = SchemaRange(min=SCHEMA_VERSION, max=SCHEMA_VERSION)


class Tally(Protocol):
    """What the hallway counts at one port."""

    bytes_in: int
    bytes_decoded: int
    bytes_refused: int
    bytes_noise: int
    bytes_held: int
    frames: int
    reports: int
    refused: int
    unread: int
    copies: int
    suspect: int
    decoder_errors: int


class Vitals(Struct, frozen=True, kw_only=True):
    """All that one status is made of."""

    station: str
    version: str
    """Of this program."""
    epoch: str
    seq: int
    """Which status of this run it is, counted from 1."""
    began: Moment
    """When this run began."""
    now: Moment
    ports: Mapping[str, PortStatus]
    links: Mapping[str, LinkStatus]
    journal: JournalCounts
    loop_lag_ms_max: float
    loop_lag_ms_p999: float
    bounds: Iterable[Bound]
    duties_failed: int
    incident_errors: int
    rule_errors: int
    agreements: Mapping[str, str]
    """Digests, by the names of the agreements that bind the station."""
    orders_refused: int
    health: HealthCounts
    alerts: Mapping[AlertName, Alert]
    clock: ClockStatus | None = None
    """None where nobody keeps an eye on it: then only its state is told."""


def status_of(vitals: Vitals) -> Status:
    """Return what a station on watch says of itself."""
    now = vitals.now
    return Status(
        station=vitals.station,
        state=StationState.ONLINE,
        version=vitals.version,
        epoch=vitals.epoch,
        seq=vitals.seq,
        utc=utc_of(now.utc_ns),
        clock=vitals.clock or ClockStatus(state=now.clock, error_ms=now.error_ms),
        schema=SCHEMA_RANGE,
        ports=dict(vitals.ports),
        links=dict(vitals.links),
        journal=vitals.journal,
        uptime_s=round((now.mono_ns - vitals.began.mono_ns) / 1e9, 3),
        loop_lag_ms_max=vitals.loop_lag_ms_max,
        loop_lag_ms_p999=vitals.loop_lag_ms_p999,
        bounds=fullest(vitals.bounds),
        duties_failed=vitals.duties_failed,
        incident_errors=vitals.incident_errors,
        rule_errors=vitals.rule_errors,
        agreements=dict(vitals.agreements),
        orders_refused=vitals.orders_refused,
        health=vitals.health,
        alerts=dict(vitals.alerts),
    )


def fullest(bounds: Iterable[Bound]) -> dict[str, Fill]:
    """Return how full the fullest place of each kind is, and what all of them have given up."""
    found: dict[str, Bound] = {}
    evicted: Counter[str] = Counter()
    for bound in bounds:
        evicted[bound.what] += bound.evicted
        if bound.what not in found or fill(bound) > fill(found[bound.what]):
            found[bound.what] = bound
    return {
        what: Fill(held=bound.held, limit=bound.limit, evicted=evicted[what])
        for what, bound in found.items()
    }


def absence_of(station: str, *, version: str, epoch: str | None) -> Status:
    """Return what is said of a station that is not on watch: the will, known beforehand."""
    return Status(
        station=station,
        state=StationState.OFFLINE,
        version=version,
        epoch=epoch,
        schema=SCHEMA_RANGE,
    )


def port_status(link: PortLink, tally: Tally) -> PortStatus:
    """Return how a port is, and what came of what was heard there."""
    return PortStatus(
        **asdict(link),
        bytes=PortBytes(
            heard=tally.bytes_in,
            decoded=tally.bytes_decoded,
            refused=tally.bytes_refused,
            noise=tally.bytes_noise,
            held=tally.bytes_held,
        ),
        frames=tally.frames,
        reports=tally.reports,
        refused=tally.refused,
        unread=tally.unread,
        copies=tally.copies,
        suspect=tally.suspect,
        decoder_errors=tally.decoder_errors,
    )


class LoopLag:
    """How late the event loop comes round: the longest, and a histogram of them all."""

    def __init__(self, clock: Clock) -> None:
        self.ms_max = 0.0
        """The longest of this run."""
        self.counts = [0] * (len(LAG_MS_BOUNDS) + 1)
        """How many lags were up to each of LAG_MS_BOUNDS, and how many were longer still."""
        self._clock = clock
        self._lately_ms = 0.0

    async def run(self) -> NoReturn:
        """Take the lag for as long as the program runs."""
        while True:
            began_ns = self._clock.now().mono_ns
            await self._clock.sleep(LAG_PERIOD_S)
            slept_s = (self._clock.now().mono_ns - began_ns) / 1e9
            self.note(max(0.0, (slept_s - LAG_PERIOD_S) * 1e3))

    def note(self, lag_ms: float) -> None:
        """Count one lag."""
        self.ms_max = max(self.ms_max, round(lag_ms, 3))
        self._lately_ms = max(self._lately_ms, lag_ms)
        self.counts[bisect_left(LAG_MS_BOUNDS, lag_ms)] += 1

    def longest_lately_ms(self) -> float:
        """Return the longest since this was last asked."""
        found, self._lately_ms = self._lately_ms, 0.0
        return found

    def ms_at(self, share: float) -> float:
        """Return what this share of all lags did not exceed, to the step of the histogram."""
        wanted = share * sum(self.counts)
        reached = bisect_left(list(accumulate(self.counts)), wanted)
        return (
            float(min(LAG_MS_BOUNDS[reached], self.ms_max))
            if reached < len(LAG_MS_BOUNDS)
            else self.ms_max
        )
