"""What the time of day of this box is worth: its steps, and how it stands beside the satellites.

Pure, and no clock is set here: the satellites are a witness, and a receiver whose weeks have rolled
over is none. Deadlines know nothing of any of this, they run on the monotonic clock. What comes out
are statements for the journal: a record is never changed, it is dated anew by a statement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from statistics import median_low
from typing import Literal

from gateway.codes.dates import utc_ns_of, utc_of
from gateway.model.inbound import (
    CLOCK_FLOOR_UTC_NS,
    STEP_NS,
    ClockOffset,
    ClockStep,
    Moment,
    Report,
)
from gateway.model.status import ClockStatus
from gateway.model.words import HELD, ClockState, Confidence

_S = 10**9

SAMPLES_MAX = 5
"""Times of one receiver that its word is the middle of: two false ones among them do no harm. One
bent sentence in 256 keeps its checksum."""

SAMPLE_NS_MAX = 30 * _S
"""Older than this a receiver's time says nothing of now."""

SPREAD_NS_MAX = 2 * _S
"""Times of one receiver that are further apart than this are no witness. A sentence comes up to a
second after the moment that it names."""

FIX_NS_MAX = 2 * _S
"""So long after its last fix a receiver's date still holds; ZDA says nothing of a fix itself."""

DIFFERS_NS = 2 * _S
"""Clock and satellites that are closer than this agree: a second is the sentence's way to us."""

GROSS_NS = 60 * _S
"""Further apart than this they differ at once. A receiver that was just switched on may not know
the leap seconds (18 s in 2026) until it has heard the almanac."""

DIFFERS_FOR_NS = 900 * _S
"""So long a difference below GROSS_NS has to last: the almanac takes 12.5 minutes."""

UNHELD_FOR_NS = 3600 * _S
"""So long after the start, or after it was lost, an NTP server is waited for in silence."""

STEPPED_FOR_NS = 3600 * _S
"""So long the alarm stands after the clock was moved."""

ROLLOVER_NS = 1024 * 7 * 86_400 * _S
"""GPS counts 1024 weeks. A receiver that has lost count is out by so much, or a multiple of it."""

ROLLOVERS_MAX = 3
"""Multiples looked for; the third was in 2038 for those who counted from 1980."""

_DAY_NS = 86_400 * _S
_GNSS_ERROR_MS = 1000
_NEAR_NS = 2 * _S
_LEAP_DAYS = {(6, 30), (12, 31), (3, 31), (9, 30)}
"""Ends of the months in which a leap second may be (ITU-R TF.460-6, annex 1, 2.1): June and
December first, then March and September."""


class Timekeeping:
    """The clock of one station through one run: its steps, its witnesses, and what they prove."""

    def __init__(self, boot: str | None) -> None:
        self.boot = boot
        """Without the name of the machine's start no statement can be made: a plain capture."""
        self.steps = 0
        self._step: ClockStep | None = None
        self._clock: ClockState | None = None
        """As of the newest moment; None before the first."""
        self._mono_ns = 0
        self._ahead_ns = 0
        """Of the time of day before the monotonic clock."""
        self._unheld_ns: int | None = None
        """Since when nobody answers for the time of day."""
        self._from_ns = 0
        """From where on records have times that nobody answered for; 0 is the machine's start."""
        self._upto_ns: int | None = None
        """Up to where they had a time that is not the present one: the newest step since then."""
        self._moved_ns = 0
        self._witnesses: dict[str, _Witness] = {}
        """One for each port that a position receiver was heard on."""
        self._told_ahead_ns: int | None = None
        """What the satellites were last said to be ahead of the monotonic clock."""
        self._differs_ns: int | None = None
        """Since when they and the time of day differ."""

    def at(self, now: Moment) -> tuple[ClockStep | ClockOffset, ...]:
        """Return what is to be stated of the clock at this moment: usually nothing."""
        if now.utc_ns is None or self.boot is None or now.mono_ns < self._mono_ns:
            return ()
        was, ahead_ns = self._clock, now.utc_ns - now.mono_ns
        moved_ns = ahead_ns - self._ahead_ns
        self._clock, self._mono_ns, self._ahead_ns = now.clock, now.mono_ns, ahead_ns
        if was is None:
            self._unheld_ns = None if now.clock in HELD else now.mono_ns
            return ()
        if was is now.clock and -STEP_NS < moved_ns < STEP_NS:
            return ()
        return tuple(self._changed(now, was, moved_ns, self.boot))

    def tick(self, now: Moment) -> tuple[ClockStep | ClockOffset, ...]:
        """Return what is to be stated of the clock, and of the satellites beside it."""
        stated = self.at(now)
        ahead_ns = self._satellites(now)
        if ahead_ns is None or abs(ahead_ns - self._ahead_ns) <= DIFFERS_NS:
            self._differs_ns = None
            return stated
        self._differs_ns = now.mono_ns if self._differs_ns is None else self._differs_ns
        told_ns = self._told_ahead_ns
        is_news = told_ns is None or abs(ahead_ns - told_ns) > DIFFERS_NS
        if now.clock in HELD or self.boot is None or not is_news:
            return stated
        self._told_ahead_ns = ahead_ns
        offset = self._offset(
            Moment(now.mono_ns, now.mono_ns + ahead_ns, ClockState.GNSS, _GNSS_ERROR_MS),
            upto_ns=None,
            offset_ns=ahead_ns - self._ahead_ns,
        )
        return (*stated, *offset)

    def hear(self, report: Report) -> None:
        """Take the time that a position receiver states, where it has a fix."""
        port = report.heard.port
        self._witnesses.setdefault(port, _Witness()).hear(report)

    def status(self, now: Moment, *, leap: Literal["insert", "delete"] | None) -> ClockStatus:
        """Return how the clock stands, for the status of the station."""
        ahead_ns = self._satellites(now)
        is_dated = ahead_ns is not None and now.utc_ns is not None
        return ClockStatus(
            state=now.clock,
            error_ms=now.error_ms,
            boot=self.boot,
            leap=leap,
            steps=self.steps,
            step_s_last=self._step.step_s if self._step else None,
            gnss=self._word(now),
            gnss_offset_s=round((ahead_ns - self._ahead_ns) / _S, 3)
            if is_dated and ahead_ns is not None
            else None,
        )

    def trouble(self, now: Moment) -> str | None:
        """Return what is wrong with the clock, for a person; None when nothing is."""
        if now.clock is ClockState.UNSET:
            return _UNSET
        step = self._step
        if step and not step.leap and now.mono_ns - step.mono_ns < STEPPED_FOR_NS:
            return _STEPPED.format(step=step)
        if self._differs(now):
            return _DIFFERS_HELD if now.clock in HELD else _DIFFERS
        if self._word(now) == "rolled_over":
            return _ROLLED_OVER
        if self._unheld_ns is not None and now.mono_ns - self._unheld_ns >= UNHELD_FOR_NS:
            return _UNHELD
        return None

    def _changed(
        self, now: Moment, was: ClockState, moved_ns: int, boot: str
    ) -> Iterator[ClockStep | ClockOffset]:
        """Yield what is to be stated of a clock that was moved, held, or let go."""
        is_held, was_held = now.clock in HELD, was in HELD
        is_step = abs(moved_ns) >= STEP_NS
        if is_step:
            self.steps += 1
            self._step = _step_of(now, moved_ns, boot)
            yield self._step
            if not was_held:
                self._upto_ns, self._moved_ns = now.mono_ns, moved_ns
        if is_held:
            if self._upto_ns is not None:
                yield from self._offset(now, upto_ns=self._upto_ns, offset_ns=self._moved_ns)
            self._unheld_ns = self._upto_ns = self._told_ahead_ns = None
        elif was_held:
            self._unheld_ns = self._from_ns = now.mono_ns
        elif is_step and was is ClockState.UNSET and self._told_ahead_ns is None:
            # Somebody has set it. That is better than 1970, and may be put right later.
            yield from self._offset(now, upto_ns=now.mono_ns, offset_ns=moved_ns)

    def _offset(
        self, true: Moment, *, upto_ns: int | None, offset_ns: int
    ) -> Iterator[ClockOffset]:
        utc = utc_of(true.utc_ns)
        if utc is not None and self.boot is not None:
            yield ClockOffset(
                boot=self.boot,
                mono_first_ns=self._from_ns,
                mono_last_ns=upto_ns,
                mono_ns=true.mono_ns,
                utc=utc,
                offset_s=round(offset_ns / _S, 3),
                source=true.clock,
                error_ms=true.error_ms,
            )

    def _satellites(self, now: Moment) -> int | None:
        """Return how far the receivers' time is ahead of the monotonic clock, if they agree."""
        found = [one.ahead_ns(now.mono_ns) for one in self._witnesses.values()]
        good = sorted(ahead_ns for ahead_ns in found if ahead_ns is not None)
        return median_low(good) if good and good[-1] - good[0] <= SPREAD_NS_MAX else None

    def _word(self, now: Moment) -> Literal["good", "none", "rolled_over", "wrong"] | None:
        """Return what the receivers are worth; None when none was ever heard."""
        if not self._witnesses:
            return None
        if self._satellites(now) is not None:
            return "good"
        refused = [one.refused_ns for one in self._witnesses.values() if one.is_refused(now)]
        if not refused or now.utc_ns is None:
            return "none"
        late_ns = [now.mono_ns + ahead_ns - now.utc_ns for ahead_ns in refused]
        return "rolled_over" if any(map(_is_rollover, late_ns)) else "wrong"

    def _differs(self, now: Moment) -> bool:
        ahead_ns = self._satellites(now)
        if self._differs_ns is None or ahead_ns is None:
            return False
        is_gross = abs(ahead_ns - self._ahead_ns) > GROSS_NS
        return is_gross or now.mono_ns - self._differs_ns >= DIFFERS_FOR_NS


def redated(
    *, boot: str | None, mono_ns: int, clock: ClockState | None, offsets: Iterable[ClockOffset]
) -> tuple[datetime, ClockOffset] | None:
    """Return when this was really heard, and who says so; None when no statement dates it anew.

    The offsets are those of one journal, in the order of their numbers: the last one counts.
    """
    if boot is None or clock is None or clock in HELD:
        return None
    last: ClockOffset | None = None
    for offset in offsets:
        upto_ns = mono_ns if offset.mono_last_ns is None else offset.mono_last_ns
        if offset.boot == boot and offset.mono_first_ns <= mono_ns <= upto_ns:
            last = offset
    if last is None:
        return None
    return last.utc + timedelta(microseconds=(mono_ns - last.mono_ns) // 1000), last


class _Witness:
    """The times that came from one port."""

    def __init__(self) -> None:
        self._fixed_ns: int | None = None
        self._samples: deque[tuple[int, int]] = deque(maxlen=SAMPLES_MAX)
        """When each was heard, and how far it is ahead of that."""
        self.refused_ns = 0
        """What the last date that can't be was ahead of the monotonic clock."""
        self._refused_at_ns: int | None = None

    def hear(self, report: Report) -> None:
        mono_ns = report.heard.mono_ns
        if report.position is not None and report.confidence is Confidence.VERIFIED:
            self._fixed_ns = mono_ns
        utc_ns = utc_ns_of(report.claimed_utc)
        if utc_ns is None or self._fixed_ns is None or mono_ns - self._fixed_ns > FIX_NS_MAX:
            return
        if CLOCK_FLOOR_UTC_NS <= utc_ns < CLOCK_FLOOR_UTC_NS + ROLLOVER_NS:
            self._samples.append((mono_ns, utc_ns - mono_ns))
        else:
            self._samples.clear()
            self.refused_ns, self._refused_at_ns = utc_ns - mono_ns, mono_ns

    def ahead_ns(self, now_ns: int) -> int | None:
        """Return the middle of its last times, when they are new and close together."""
        samples = self._samples
        if len(samples) < SAMPLES_MAX or now_ns - samples[0][0] > SAMPLE_NS_MAX:
            return None
        ahead_ns = sorted(ahead_ns for _, ahead_ns in samples)
        # One at each end may be false; the three between them have to agree.
        return ahead_ns[2] if ahead_ns[-2] - ahead_ns[1] <= SPREAD_NS_MAX else None

    def is_refused(self, now: Moment) -> bool:
        """Say whether it has just stated a date that can't be."""
        at_ns = self._refused_at_ns
        return at_ns is not None and now.mono_ns - at_ns <= SAMPLE_NS_MAX


def _step_of(now: Moment, moved_ns: int, boot: str) -> ClockStep:
    before_ns = (now.utc_ns or 0) - moved_ns
    # The kernel counts the last second of a day twice, or leaves it out; days end so twice a year.
    is_second = abs(abs(moved_ns) - _S) < _S // 10
    is_midnight = (before_ns + _NEAR_NS) % _DAY_NS < 2 * _NEAR_NS
    month_end = utc_of(before_ns - _NEAR_NS)
    is_half_year = month_end is not None and (month_end.month, month_end.day) in _LEAP_DAYS
    return ClockStep(
        boot=boot,
        mono_ns=now.mono_ns,
        utc=utc_of(now.utc_ns),
        utc_before=utc_of(before_ns),
        step_s=round(moved_ns / _S, 3),
        clock=now.clock,
        clock_error_ms=now.error_ms,
        leap=is_second and is_midnight and is_half_year,
    )


def _is_rollover(late_ns: int) -> bool:
    """Say whether a date is out by whole cycles of weeks, within a day."""
    cycles = round(late_ns / ROLLOVER_NS)
    return 1 <= abs(cycles) <= ROLLOVERS_MAX and abs(late_ns - cycles * ROLLOVER_NS) < _DAY_NS


_UNSET = (
    "the time of day was never set: records are numbered and told all the same, and are dated anew"
    " once it is known; look at the network time service"
)
_STEPPED = (
    "the time of day was moved by {step.step_s:+.1f} s at {step.utc}: see the records on clock/step"
    " and clock/offset; look at the network time service"
)
_DIFFERS = (
    "the time of day and the satellites' differ by more than 2 s, and nobody answers for the time"
    " of day: records are dated anew after the satellites; look at the network time service"
)
_DIFFERS_HELD = (
    "the time of day, which is held by NTP, and that of the satellite receiver differ by more than"
    " 2 s: look at the receiver, and at the time servers"
)
_ROLLED_OVER = (
    "the satellite receiver has lost count of the weeks: its dates are out by 1024 weeks and are"
    " not used; its maker may have a newer firmware"
)
_UNHELD = (
    "nobody has answered for the time of day for an hour: it runs free, and drifts; look at the"
    " network time service"
)
