"""Distress that nobody has signed for in time raises the alarm, on every link and in the log.

The limits are those of IMO A.1001(25) for recognised services: an alarm when the link to the rescue
centre does not stand within 60 s, a notice of non-delivery within 4 min. They run on the monotonic
clock; only what an earlier run left behind is aged by the time of day, when that is known.

A disk that fails or hangs must not blind these alarms. What it has not taken is known without it;
what it had when it last answered goes on ageing; and what it does not say for as long as a limit is
taken for the worst.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import CLOCK_FLOOR_UTC_NS, Moment, Ruling
from gateway.model.status import Alert, AlertName
from gateway.model.words import ClockState
from gateway.mqtt.link import Link
from gateway.mqtt.outbox import Outbox
from gateway.normalise import utc_of
from gateway.pulse import Pulse

UNDELIVERED_S = 60.0
"""From the journal until the alarm."""

NONDELIVERY_S = 240.0
"""From the journal until the notice that it was not delivered."""

LIMITS_S = {AlertName.UNDELIVERED: UNDELIVERED_S, AlertName.NONDELIVERY: NONDELIVERY_S}
"""Each alarm, and the age at which it is raised: the shorter first."""

LOOK_S = 1.0
"""How often the outboxes are looked into. No alarm is later than this, or earlier."""

ANSWER_S_MAX = 2.0
"""A disk that has not answered by then is looked past, until the next look."""

LOOKED_MAX = 256
"""Distress entries looked at on each link, the oldest: so many are an alarm, however many more."""

Waiting = Sequence[tuple[Entry, int]]
"""Entries, and since when on the monotonic clock each has waited."""

_REMEDY = "tell the watch by other means; then look at consumer, broker and line"


class _Mark(NamedTuple):
    mono_ns: int
    number_last: int


class Ages:
    """How long ago each entry was journaled, without remembering any of them."""

    def __init__(self, now: Moment, number_found: int) -> None:
        self.number_found = number_found
        """The newest number that earlier runs left, once there is a journal."""
        self._start = now
        self._marks = [_Mark(now.mono_ns, number_found)]
        """What the newest number was, second by second, over the longest limit; a few hundred."""

    def mark(self, mono_ns: int, number_last: int) -> None:
        """Note what the newest number is now."""
        if mono_ns - self._marks[-1].mono_ns >= int(LOOK_S * 1e9) // 2:
            self._marks.append(_Mark(mono_ns, number_last))
        horizon_ns = mono_ns - int(NONDELIVERY_S * 1e9)
        while len(self._marks) > 1 and self._marks[1].mono_ns <= horizon_ns:
            del self._marks[0]

    def since_ns(self, entry: Entry) -> int:
        """Return when an entry was journaled, or up to a second before; or a limit ago and more."""
        if entry.number <= self.number_found:
            return self._start.mono_ns - self._age_at_start_ns(entry)
        place = bisect_left(self._marks, entry.number, key=lambda mark: mark.number_last)
        return self._marks[max(place - 1, 0)].mono_ns

    def _age_at_start_ns(self, entry: Entry) -> int:
        utc_ns = self._start.utc_ns
        if utc_ns is None or self._start.clock is ClockState.UNSET or not _dated(entry):
            return 0
        return max(0, utc_ns - (entry.journaled_utc_ns or 0))


class Owed(Protocol):
    """What was told and not journaled; app/owed.py is one."""

    def distress(self) -> Waiting:
        """Return each distress that the disk has not taken."""

    def since_ns(self, entry: Entry) -> int | None:
        """Return when an entry that was journaled afterwards had been heard; None for any other."""


class Alarms:
    """What is wrong with delivery, over all links of a station."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        links: Mapping[str, Link],
        *,
        outbox: Outbox,
        number_found: Callable[[], int],
        number_last: Callable[[], int],
        clock: Clock,
        log: Log,
        put: Callable[[AlertName, Alert | None], None],
        owed: Owed,
    ) -> None:
        self._links = links
        self._outbox = outbox
        self._number_found = number_found
        self._number_last = number_last
        self._clock = clock
        self._log = log
        self._put = put
        self._ages = Ages(clock.now(), number_found())
        self._poisoned: Moment | None = None
        """Since when there is an entry that can't be told."""
        self._owed = owed
        self._seen: dict[str, tuple[Entry, ...]] = dict.fromkeys(links, ())
        """Of each link, what its outbox held when it was last read."""
        self._blind_since_ns: int | None = None
        self.pulse = Pulse(clock)

    async def run(self) -> None:
        """Look for ever; raise what is to be raised, and clear it when it is over."""
        while True:
            self.pulse.beat()
            await self._read()
            self._look()
            await self._clock.sleep(LOOK_S)

    async def _read(self) -> None:
        """Read the outboxes, as far as the disk gives them."""
        began_ns = self._clock.now().mono_ns
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                for name in self._links:
                    rows = await self._outbox.pending(name, (Lane.DISTRESS,), limit=LOOKED_MAX)
                    self._seen[name] = rows
        # An alarm that a failing disk ends would be none. What stands goes on standing.
        except Exception as error:  # noqa: BLE001  # see above
            if self._blind_since_ns is None:
                self._log.error("alarms_blind", error=repr(error))
                self._blind_since_ns = began_ns
        else:
            self._blind_since_ns = None

    def _look(self) -> None:
        now, owed = self._clock.now(), self._owed.distress()
        # Not only at the start: a journal may have had to be waited for.
        self._ages.number_found = self._number_found()
        late: dict[str, Waiting] = {
            name: [
                *((entry, self._since_ns(entry)) for entry in self._seen[name]),
                *link.unsigned(owed),
            ]
            for name, link in self._links.items()
        }
        for alert, limit_s in LIMITS_S.items():
            before_ns = now.mono_ns - int(limit_s * 1e9)
            late = {
                name: [(entry, since_ns) for entry, since_ns in rows if since_ns <= before_ns]
                for name, rows in late.items()
            }
            blind = self._blind_since_ns is not None and self._blind_since_ns <= before_ns
            self._put(alert, _undelivered(alert, late, limit_s, blind=blind))
        self._put(AlertName.POISON, self._poison(now))
        self._ages.mark(now.mono_ns, self._number_last())

    def _since_ns(self, entry: Entry) -> int:
        afterwards_ns = self._owed.since_ns(entry)
        return self._ages.since_ns(entry) if afterwards_ns is None else afterwards_ns

    def _poison(self, now: Moment) -> Alert | None:
        found = {
            name: (*link.poison(), *link.unjournaled_poison()) for name, link in self._links.items()
        }
        every = {one for poison in found.values() for one in poison}
        numbers = {one for one in every if isinstance(one, int)}
        self._poisoned = (self._poisoned or now) if every else None
        if self._poisoned is None:
            return None
        return Alert(
            name=AlertName.POISON,
            since=utc_of(self._poisoned.utc_ns),
            text=f"can't be told on {_listed(found)}, and is set aside and tried again: "
            "the log says why; look at the broker's access list and limits",
            count=len(every),
            number=min(numbers, default=None),
        )


def _undelivered(
    alert: AlertName, late: Mapping[str, Waiting], limit_s: float, *, blind: bool
) -> Alert | None:
    waiting = {entry.body: (since_ns, entry) for rows in late.values() for entry, since_ns in rows}
    if waiting:
        _, oldest = min(waiting.values(), key=lambda one: (one[0], one[1].number))
        return Alert(
            name=alert,
            since=_began(oldest),
            text=f"distress not signed for within {limit_s:g} s on {_listed(late)}: {_REMEDY}",
            count=len(waiting),
            number=oldest.number or None,
        )
    if blind:
        return Alert(
            name=alert,
            since=None,
            text=f"the journal's disk has not said for {limit_s:g} s whether a distress waits: "
            f"look whether the last ones have arrived, and {_REMEDY}",
        )
    return None


def _began(entry: Entry) -> datetime | None:
    """Return when an entry was journaled, or else heard; None when the time was not known."""
    if entry.number:
        return utc_of(entry.journaled_utc_ns) if _dated(entry) else None
    heard = entry.item.sighting.report.heard if isinstance(entry.item, Ruling) else None
    return heard.utc if heard and heard.clock is not ClockState.UNSET else None


def _dated(entry: Entry) -> bool:
    """Say whether the time of day was known when it was journaled."""
    return (entry.journaled_utc_ns or 0) >= CLOCK_FLOOR_UTC_NS


def _listed(found: Mapping[str, Sequence[object]]) -> str:
    return "link " + ", ".join(name for name, rows in found.items() if rows)
