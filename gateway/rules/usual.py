"""How much a receiver usually decodes at this hour of the day, learned from itself. Pure.

For each of the 24 hours of the day (UTC) the counts of the last fortnight are remembered. Usual is
the second lowest of them: one day on which a road was empty counts for nothing, and a change of the
traffic that is not far is learned in two days. With fewer than a week nothing is said. An hour
counts only when it was listened to from end to end and the clock was believed.

What is far under the usual teaches nothing: a deaf receiver would be usual by the third day. Its
counts are put aside; when this hour of the day was so for a fortnight without a break, the traffic
has changed for good, and they are what is usual.
"""

from __future__ import annotations

from msgspec import Struct

from gateway.model.inbound import Moment
from gateway.model.words import ClockState

HOURS = 24
HOUR_MS = 3_600_000
HOUR_NS = HOUR_MS * 10**6

DAYS_MAX = 14
DAYS_MIN = 7
"""Of fewer days no minimum says what is usual."""

RANK = 1
"""Which of the counts is usual, the lowest being 0."""

WHOLE_MS = 3_590_000
"""So much of an hour was listened to where all of it was: a restart of some seconds is in it."""

STEP_MS_MAX = 10_000
"""Ticks come every half second. A longer step is no time that anybody has listened in."""

EXPECTED_MIN = 20
"""Where so many are usual and none comes, chance is out of the question: one in 10^8."""

SILENT_NS_MIN = 600 * 10**9
"""Ships pass and come in company: for less than ten minutes no silence means anything."""

HOUR_MIN = 50
"""An hour in which fewer are usual says nothing by its sum."""

FAR_UNDER = 0.1
"""Of what is usual: less than this in a whole hour is no quiet day."""

NORMAL_MS = 600_000
"""More than half of the usual for ten minutes on end is what a receiver hears that is well."""

NORMAL_MIN = 4
"""So many more than that half have come by then, and not two that passed by chance."""

OVER_MAX = 8
"""What came before has no more weight: in minutes of deafness it is forgotten."""


class Low(Struct, frozen=True):
    """Far fewer come than usual."""

    words: str
    since_ns: int


class UsualKept(Struct, frozen=True):
    """What has to survive a restart. A time ago counts from when it was written down."""

    days: tuple[tuple[int, ...], ...] = ()
    """Of each hour of the day the counts of past days, the oldest first."""
    hour: int | None = None
    """Hours since 1970 of the hour that is being counted."""
    count: int = 0
    listened_ms: int = 0
    aside: tuple[tuple[int, ...], ...] = ()
    """Of each hour of the day the counts of the days on which it was far under the usual."""
    was_low: bool = False
    expected_ms: int = 0
    silent_ms: int = 0
    low: str | None = None
    low_ms: int = 0


class Usual:
    """What is usual for one receiver, and whether this hour is far under it."""

    def __init__(self) -> None:
        self._days: tuple[list[int], ...] = tuple([] for _ in range(HOURS))
        self._aside: tuple[list[int], ...] = tuple([] for _ in range(HOURS))
        self._hour: int | None = None
        self._count = 0
        self._listened_ms = 0
        self._was_low = False
        """Whether it was found low at any time of this hour."""
        self._expected_ms = 0
        """What was usual since the last one came, times the milliseconds of an hour."""
        self._since_ns: int | None = None
        """When the last one came, or listening began anew."""
        self._last_ns: int | None = None
        self._low: Low | None = None
        """What the last whole hour was found to be."""
        self._over_ms, self._normal_ms = 0, 0
        """By how many there are more than half of the usual, in calls times the milliseconds of an
        hour; and for how long there have been more."""

    @property
    def count(self) -> int:
        """How many were decoded in this hour of the day up to now."""
        return self._count

    def heard(self, at: Moment) -> None:
        """Count one."""
        self._count += 1
        self._over_ms = min(self._over_ms + HOUR_MS, OVER_MAX * HOUR_MS)
        self._expected_ms, self._since_ns = 0, at.mono_ns

    def tick(self, now: Moment, *, listens: bool) -> None:
        """Let time pass, in which it listened or did not."""
        before, self._last_ns = self._last_ns, now.mono_ns
        passed_ms = 0 if before is None else max(now.mono_ns - before, 0) // 10**6
        hour = _hour_of(now)
        if hour != self._hour:
            self._turn(hour, now)
        if self._since_ns is None:
            self._since_ns = now.mono_ns
        if not listens or passed_ms > STEP_MS_MAX:
            self._expected_ms, self._since_ns = 0, now.mono_ns
            self._over_ms, self._normal_ms = 0, 0
        else:
            self._listened_ms += passed_ms
            self._weigh(passed_ms, self.usual(now))
        self._was_low = self._was_low or self.low(now) is not None

    def begin_anew(self) -> None:
        """Take nothing of what was found for what is: another receiver may be there now."""
        self._low = None
        self._expected_ms, self._since_ns = 0, self._last_ns

    def usual(self, now: Moment) -> int | None:
        """Return how many are usual in this hour of the day; None while nobody knows."""
        hour = _hour_of(now)
        return None if hour is None else self._usual(hour)

    def low(self, now: Moment) -> Low | None:
        """Return by how much it is under what is usual; None where it is not, or nobody knows."""
        since_ns = self._since_ns
        if since_ns is None or self._expected_ms < EXPECTED_MIN * HOUR_MS:
            return self._low
        if now.mono_ns - since_ns < SILENT_NS_MIN:
            return self._low
        words = "nothing was decoded where twenty and more are usual at this hour of the day"
        return Low(words, since_ns)

    def keep(self) -> UsualKept:
        """Return what has to survive a restart."""
        last_ns, low = self._last_ns or 0, self._low
        silent_ns = 0 if self._since_ns is None else max(last_ns - self._since_ns, 0)
        return UsualKept(
            days=tuple(map(tuple, self._days)),
            hour=self._hour,
            count=self._count,
            listened_ms=self._listened_ms,
            aside=tuple(map(tuple, self._aside)),
            was_low=self._was_low,
            expected_ms=self._expected_ms,
            silent_ms=silent_ns // 10**6,
            low=None if low is None else low.words,
            low_ms=0 if low is None else max(last_ns - low.since_ns, 0) // 10**6,
        )

    def restore(self, kept: UsualKept, now: Moment) -> None:
        """Take it up, and go on with the hour that was being counted, if it is still that one.

        What was silent before, and has been since, is silent on end.
        """
        silent = not self._count
        for known, learned in zip(self._days, kept.days, strict=False):
            known[:] = [*learned, *known][-DAYS_MAX:]
        for known, learned in zip(self._aside, kept.aside, strict=False):
            known[:] = [*learned, *known][-DAYS_MAX:]
        if self._hour in (None, kept.hour):
            self._hour = kept.hour
            self._count += kept.count
            self._listened_ms += kept.listened_ms
            self._was_low = self._was_low or kept.was_low
        if kept.low is not None and self._low is None:
            self._low = Low(kept.low, now.mono_ns - kept.low_ms * 10**6)
        if silent:
            self._expected_ms += kept.expected_ms
            self._since_ns = (self._since_ns or now.mono_ns) - kept.silent_ms * 10**6

    def _usual(self, hour: int) -> int | None:
        known = self._days[hour % HOURS]
        return sorted(known)[RANK] if len(known) >= DAYS_MIN else None

    def _weigh(self, passed_ms: int, usual: int | None) -> None:
        """Weigh what comes against what is usual: silence, and whether it is well again."""
        if usual is None:
            self._over_ms, self._normal_ms = 0, 0
            return
        self._expected_ms += usual * passed_ms
        self._over_ms -= usual * passed_ms // 2
        if self._over_ms <= 0:
            self._over_ms, self._normal_ms = 0, 0
            return
        self._normal_ms += passed_ms
        if self._normal_ms >= NORMAL_MS and self._over_ms >= NORMAL_MIN * HOUR_MS:
            self._low = None

    def _turn(self, hour: int | None, now: Moment) -> None:
        """Learn the hour that is over, and begin the next."""
        over = self._hour
        if over is not None and hour == over + 1 and self._listened_ms >= WHOLE_MS:
            self._judge(over, now)
            self._learn(over % HOURS, is_low=self.low(now) is not None)
        self._hour, self._count, self._listened_ms = hour, 0, 0
        self._was_low = False

    def _judge(self, hour: int, now: Moment) -> None:
        """Find whether a whole hour was low; one in which few are usual says nothing."""
        usual = self._usual(hour)
        if usual is None or usual < HOUR_MIN:
            return
        if self._count >= usual * FAR_UNDER:
            self._low = None
            return
        since_ns = now.mono_ns - HOUR_NS if self._low is None else self._low.since_ns
        words = f"{self._count} were decoded in an hour in which {usual} are usual"
        self._low = Low(words, since_ns)

    def _learn(self, hour: int, *, is_low: bool) -> None:
        """Learn how many there were, or put it aside where it is low; what was low is neither."""
        known, aside = self._days[hour], self._aside[hour]
        if is_low:
            aside.append(self._count)
        elif not self._was_low:
            aside.clear()
            known.append(self._count)
            del known[:-DAYS_MAX]
        if len(aside) >= DAYS_MAX:
            known[:], self._low = aside, None
            aside.clear()


def _hour_of(now: Moment) -> int | None:
    """Return the hours since 1970; None when nobody knows the time."""
    if now.utc_ns is None or now.clock is ClockState.UNSET:
        return None
    return now.utc_ns // HOUR_NS
