"""What was wrong with the box, and when: each alarm raised or cleared is noted for the journal.

A note is an item like any other. So one about the disk itself waits, with what was heard, until the
disk takes it; and it raises no other alarm, because that one stands already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.model.inbound import Moment
from gateway.model.status import AlarmCleared, AlarmRaised, Alert, AlertName
from gateway.normalise import utc_of

NOTES_MAX = 4
"""Notes of one alarm within NOTES_S: it was raised and cleared twice. One that goes to and fro for
months, while no broker is there to be told, must not fill the disk."""

NOTES_S = 240.0
"""So that an alarm costs a note a minute at the most, and all of them together 10 MB a day."""

Note = AlarmRaised | AlarmCleared


class _Page(Struct):
    """What is to be noted of one alarm."""

    waiting: list[Note] = field(default_factory=list)
    """NOTES_MAX at the most; the newest takes the place of the last."""
    noted_ns: deque[int] = field(default_factory=lambda: deque(maxlen=NOTES_MAX))
    """When the last notes were made."""

    def put(self, note: Note) -> None:
        """Have this noted when its turn comes."""
        if len(self.waiting) == NOTES_MAX:
            note = replace(note, unsaid=self.waiting.pop().unsaid + 1)
        self.waiting.append(note)

    def due(self, now_ns: int) -> bool:
        """Say whether the next may be noted now."""
        recent = self.noted_ns
        is_free = len(recent) < NOTES_MAX or now_ns - recent[0] >= NOTES_S * 1e9
        return bool(self.waiting) and is_free

    def next(self, now_ns: int) -> Note:
        """Return what is noted now."""
        self.noted_ns.append(now_ns)
        return self.waiting.pop(0)


class Logbook:
    """The notes of all alarms of one station."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages = {name: _Page() for name in AlertName}

    def note(self, name: AlertName, alert: Alert | None) -> None:
        """Note that this was raised, or told anew; with None, that it was cleared."""
        self._pages[name].put(_note(name, alert, self._clock.now(), boot=self._clock.boot))

    def due(self) -> Sequence[Note]:
        """Return what is to be journaled now, in the order in which it happened."""
        now_ns = self._clock.now().mono_ns
        found: list[Note] = []
        for page in self._pages.values():
            while page.due(now_ns):
                found.append(page.next(now_ns))
        return sorted(found, key=lambda note: note.mono_ns)

    def last(self) -> Sequence[Note]:
        """Return all that is left, at the end of the watch."""
        left = [page.next(0) for page in self._pages.values() for _ in page.waiting[:]]
        return sorted(left, key=lambda note: note.mono_ns)


def _note(name: AlertName, alert: Alert | None, now: Moment, *, boot: str | None) -> Note:
    form: Callable[..., Note] = AlarmCleared
    if alert is not None:
        form = partial(AlarmRaised, text=alert.text, count=alert.count, number=alert.number)
    return form(
        name=name,
        boot=boot,
        mono_ns=now.mono_ns,
        utc=utc_of(now.utc_ns),
        clock=now.clock,
        clock_error_ms=now.error_ms,
    )
