"""How much of a month a watch was kept, on the monotonic clock, month by month in UTC. Pure.

What nobody knows counts as not available, and is counted apart: a gateway that was switched off,
a process that stood still, a channel on which nothing came. IMO resolution A.1001(25), 3.5 asks for
99.9 % of a year of recognised satellite services; it is the floor here for each month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.codes.dates import utc_of
from gateway.model.inbound import Moment
from gateway.model.listening import Availability, WatchState
from gateway.model.words import HELD, ClockState
from gateway.rules.hours import DAY_MIN, Schedule

FLOOR_PER_MILLE = 999
"""IMO resolution A.1001(25), 3.5."""

STEP_MS_MAX = 10_000
"""Ticks come every half second. Of a longer step nobody knows anything."""

AWAY_NS_MAX = 62 * 24 * 3600 * 10**9
"""Longer ago nothing is told of: two months are."""

OVER_NS = 600 * 10**9
"""So long after its turn a month is over, by a clock that somebody vouches for: steps of seconds
across midnight are past by then."""

OVER_FREE_NS = 24 * 3600 * 10**9
"""By a clock that runs free it takes a day: whoever sets it right has had the time to."""

_MINUTE_NS = 60 * 10**9


class Month(Struct, frozen=True):
    """What one month has come to."""

    month: str = ""
    """`2026-11`; empty while nobody knows the time."""
    due_ms: int = 0
    kept_ms: int = 0
    unknown_ms: int = 0


class AccountKept(Struct, frozen=True):
    """What has to survive a restart."""

    running: Month
    last: Month | None = None
    told: str = ""
    """The latest month that was told of as over."""


class Away(Struct, frozen=True):
    """When something was written down, and in which start of the machine."""

    boot: str | None
    mono_ns: int
    utc_ns: int | None
    clock: ClockState


class Account:
    """The months of one watch."""

    def __init__(self) -> None:
        self._running = Month()
        self._last: Month | None = None
        self._told = ""
        self._turned_ns: int | None = None
        """When the month that runs was first looked at in this run, monotonic."""

    def count(self, passed_ms: int, state: WatchState, now: Moment) -> None:
        """Add the time that has passed up to now, in which the watch was due and stood so."""
        self._begin(_month_of(now), held=now.clock in HELD)
        known = passed_ms <= STEP_MS_MAX
        self._running = replace(
            self._running,
            due_ms=self._running.due_ms + passed_ms,
            kept_ms=self._running.kept_ms + passed_ms * (known and state is WatchState.KEPT),
            unknown_ms=self._running.unknown_ms
            + passed_ms * (not known or state is WatchState.UNKNOWN),
        )

    def months(self) -> tuple[Availability, ...]:
        """Return the month that runs and the one before it, as far as a watch was due in them."""
        return tuple(
            _availability(one)
            for one in (self._running, self._last)
            if one is not None and one.month and one.due_ms
        )

    def over(self, now: Moment) -> Availability | None:
        """Return the month before, once, when it is certain that it is over; else None."""
        last = self._last
        if last is None or last.month <= self._told or not last.due_ms:
            return None
        if self._turned_ns is None:
            self._turned_ns = now.mono_ns
        certain_ns = OVER_NS if now.clock in HELD else OVER_FREE_NS
        if not _month_of(now) or now.mono_ns - self._turned_ns < certain_ns:
            return None
        self._told = last.month
        return _availability(last)

    def keep(self) -> AccountKept:
        """Return what has to survive a restart."""
        return AccountKept(self._running, self._last, self._told)

    def restore(self, kept: AccountKept, missed: Iterable[tuple[str, int]]) -> None:
        """Take it up before what this run has counted.

        Of the time between nobody knows anything: it was `missed`, month by month.
        """
        counted = [Month(month, due_ms, 0, due_ms) for month, due_ms in missed]
        counted += [one for one in (self._last, self._running) if one is not None]
        self._running, self._last, self._told = kept.running, kept.last, kept.told
        for one in counted:
            self._begin(one.month)
            self._running = _sum(self._running, one)

    def _begin(self, month: str, *, held: bool = True) -> None:
        """Let this month run; time of no known month is counted in the one that runs.

        A clock that is set back was wrong before: what was counted under its date is of this month,
        and a month that was told of as over was not. One that runs free, and has fallen behind what
        was counted already, is not believed: its battery is empty.
        """
        running, last = self._running, self._last
        if not month or month == running.month:
            return
        if not running.month:
            self._running = replace(running, month=month)
        elif last is not None and month == last.month:
            self._running, self._last = _sum(last, running), None
            self._told = ""
        elif month > running.month:
            self._running, self._last, self._turned_ns = Month(month), running, None
        elif held:
            self._running = replace(running, month=month)


def missed(
    away: Away, schedule: Schedule, boot: str | None, now: Moment
) -> Iterator[tuple[str, int]]:
    """Yield how long the watch was due while nobody counted, month by month, in milliseconds.

    Where no clock says how long that was, it was as long at least as this machine has run.
    """
    if boot is not None and away.boot == boot:
        passed_ns = now.mono_ns - away.mono_ns
    elif away.utc_ns is None or now.utc_ns is None or not {away.clock, now.clock} <= HELD:
        passed_ns = now.mono_ns
    else:
        passed_ns = now.utc_ns - away.utc_ns
    passed_ns = min(max(passed_ns, 0), AWAY_NS_MAX)
    if not _month_of(now) or now.utc_ns is None:
        yield "", passed_ns // 10**6
        return
    at_ns = now.utc_ns - passed_ns
    while at_ns < now.utc_ns:
        end_ns = min(_day_after(at_ns), now.utc_ns)
        yield _month(at_ns), _due_ms(schedule, at_ns, end_ns)
        at_ns = end_ns


def _due_ms(schedule: Schedule, from_ns: int, to_ns: int) -> int:
    """Return how much of a part of one day was due."""
    if not schedule.spans:
        return (to_ns - from_ns) // 10**6
    day_ns = from_ns - from_ns % (DAY_MIN * _MINUTE_NS)
    due_ns, upto_ns = 0, from_ns
    for begin, end in sorted(_within_a_day(schedule)):
        since_ns = max(day_ns + begin * _MINUTE_NS, upto_ns)
        upto_ns = max(min(day_ns + end * _MINUTE_NS, to_ns), upto_ns)
        due_ns += max(upto_ns - since_ns, 0)
    return due_ns // 10**6


def _within_a_day(schedule: Schedule) -> Iterator[tuple[int, int]]:
    """Yield what is due as spans of minutes from midnight to midnight."""
    for first, last in schedule.spans:
        if first < last:
            yield first, last
        else:
            yield from ((first, DAY_MIN), (0, last))


def _day_after(utc_ns: int) -> int:
    day_ns = DAY_MIN * _MINUTE_NS
    return utc_ns - utc_ns % day_ns + day_ns


def _month_of(now: Moment) -> str:
    if now.utc_ns is None or now.clock is ClockState.UNSET:
        return ""
    return _month(now.utc_ns)


def _month(utc_ns: int) -> str:
    utc = utc_of(utc_ns)
    return "" if utc is None else f"{utc:%Y-%m}"


def _sum(one: Month, other: Month) -> Month:
    return Month(
        one.month,
        one.due_ms + other.due_ms,
        one.kept_ms + other.kept_ms,
        one.unknown_ms + other.unknown_ms,
    )


def _availability(one: Month) -> Availability:
    return Availability(
        month=one.month,
        due_s=one.due_ms / 1e3,
        kept=one.kept_ms * 100_000 // one.due_ms / 1e5,
        unknown=round(one.unknown_ms / one.due_ms, 5),
        enough=one.kept_ms * 1000 >= one.due_ms * FLOOR_PER_MILLE,
    )
