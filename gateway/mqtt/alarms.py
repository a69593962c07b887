"""Distress that nobody has signed for in time raises the alarm, on every link and in the log.

The limits are those of IMO A.1001(25) for recognised services: an alarm when the link to the rescue
centre does not stand within 60 s, a notice of non-delivery within 4 min. They run on the monotonic
clock; only what an earlier run left behind is aged by the time of day, when that is known.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.clock import CLOCK_FLOOR_UTC_NS, Clock
from gateway.log import Log
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Moment
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

LOOKED_MAX = 256
"""Distress entries looked at on each link, the oldest: so many are an alarm, however many more."""

_REMEDY = "tell the watch by other means; then look at consumer, broker and line"


class _Mark(NamedTuple):
    mono_ns: int
    number_last: int


class Ages:
    """How long ago each entry was journaled, without remembering any of them."""

    def __init__(self, now: Moment, number_last: int) -> None:
        self._start = now
        self._start_last = number_last
        self._marks = [_Mark(now.mono_ns, number_last)]
        """What the newest number was, second by second, over the longest limit; a few hundred."""

    def mark(self, mono_ns: int, number_last: int) -> None:
        """Note what the newest number is now."""
        if mono_ns - self._marks[-1].mono_ns >= int(LOOK_S * 1e9) // 2:
            self._marks.append(_Mark(mono_ns, number_last))
        horizon_ns = mono_ns - int(NONDELIVERY_S * 1e9)
        while len(self._marks) > 1 and self._marks[1].mono_ns <= horizon_ns:
            del self._marks[0]

    def age_s(self, entry: Entry, mono_ns: int) -> float:
        """Return how long ago an entry was journaled, up to a second more; or a limit and more."""
        return (mono_ns - self._since_ns(entry)) / 1e9

    def _since_ns(self, entry: Entry) -> int:
        if entry.number <= self._start_last:
            return self._start.mono_ns - self._age_at_start_ns(entry)
        place = bisect_left(self._marks, entry.number, key=lambda mark: mark.number_last)
        return self._marks[max(place - 1, 0)].mono_ns

    def _age_at_start_ns(self, entry: Entry) -> int:
        utc_ns = self._start.utc_ns
        if utc_ns is None or self._start.clock is ClockState.UNSET or not _dated(entry):
            return 0
        return max(0, utc_ns - (entry.journaled_utc_ns or 0))


class Alarms:
    """What is wrong with delivery, over all links of a station."""

    def __init__(
        self,
        links: Mapping[str, Link],
        *,
        outbox: Outbox,
        number_last: Callable[[], int],
        clock: Clock,
        log: Log,
        put: Callable[[AlertName, Alert | None], None],
    ) -> None:
        self._links = links
        self._outbox = outbox
        self._number_last = number_last
        self._clock = clock
        self._log = log
        self._put = put
        self._ages = Ages(clock.now(), number_last())
        self._poisoned: Moment | None = None
        """Since when there is an entry that can't be told."""
        self._blind = False
        self.pulse = Pulse(clock)
        """Not due while the disk has the next move."""

    async def run(self) -> None:
        """Look for ever; raise what is to be raised, and clear it when it is over."""
        while True:
            try:
                await self._look()
                self._blind = False
            # An alarm that a failing disk ends would be none. What stands goes on standing.
            except Exception as error:  # noqa: BLE001  # see above
                if not self._blind:
                    self._log.error("alarms_blind", error=repr(error))
                self._blind = True
            self.pulse.beat()
            await self._clock.sleep(LOOK_S)

    async def _look(self) -> None:
        self.pulse.rest()
        late: dict[str, Sequence[Entry]] = {}
        for name in self._links:
            late[name] = await self._outbox.pending(name, (Lane.DISTRESS,), limit=LOOKED_MAX)
        self.pulse.beat()
        now = self._clock.now()
        for alert, limit_s in LIMITS_S.items():
            late = {
                name: [row for row in rows if self._ages.age_s(row, now.mono_ns) >= limit_s]
                for name, rows in late.items()
            }
            self._put(alert, _undelivered(alert, late, limit_s))
        self._put(AlertName.POISON, self._poison(now))
        self._ages.mark(now.mono_ns, self._number_last())

    def _poison(self, now: Moment) -> Alert | None:
        found = {name: link.state().poison for name, link in self._links.items()}
        numbers = {number for poison in found.values() for number in poison}
        self._poisoned = (self._poisoned or now) if numbers else None
        if self._poisoned is None:
            return None
        return Alert(
            name=AlertName.POISON,
            since=utc_of(self._poisoned.utc_ns),
            text=f"can't be told on {_listed(found)}, and is set aside and tried again: "
            "the log says why; look at the broker's access list",
            count=len(numbers),
            number=min(numbers),
        )


def _undelivered(
    alert: AlertName, late: Mapping[str, Sequence[Entry]], limit_s: float
) -> Alert | None:
    entries = {entry.number: entry for rows in late.values() for entry in rows}
    if not entries:
        return None
    oldest = entries[min(entries)]
    return Alert(
        name=alert,
        since=utc_of(oldest.journaled_utc_ns) if _dated(oldest) else None,
        text=f"distress not signed for within {limit_s:g} s on {_listed(late)}: {_REMEDY}",
        count=len(entries),
        number=oldest.number,
    )


def _dated(entry: Entry) -> bool:
    """Say whether the time of day was known when it was journaled."""
    return (entry.journaled_utc_ns or 0) >= CLOCK_FLOOR_UTC_NS


def _listed(found: Mapping[str, Sequence[object]]) -> str:
    return "link " + ", ".join(name for name, rows in found.items() if rows)
