"""How often something has happened of late: the newest times of each subject."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.model.bounds import Bound

SUBJECTS_MAX = 4_096
"""Of which the times are remembered: as many as strands are followed."""


class Mark(Struct, frozen=True, gc=False):
    """One time at which it happened."""

    at_ns: int
    event_id: str


class Counted(Struct, frozen=True, gc=False):
    """The times of one subject, the oldest first."""

    subject: str
    marks: tuple[Mark, ...]


class Counting:
    """How often in a period, subject by subject; of each no more times than anybody asks about."""

    def __init__(self, period_s: float, marks_max: int) -> None:
        self._period_ns = round(period_s * 1e9)
        self._marks_max = marks_max
        self._of: OrderedDict[str, deque[Mark]] = OrderedDict()
        self.evicted = 0

    def note(self, subject: str, mark: Mark) -> None:
        """Take note that it has happened."""
        marks = self._of.setdefault(subject, deque(maxlen=self._marks_max))
        marks.append(mark)
        self._of.move_to_end(subject)
        if len(self._of) > SUBJECTS_MAX:
            self._of.popitem(last=False)
            self.evicted += 1

    def within(self, subject: str, now_ns: int) -> tuple[Mark, ...]:
        """Return the times of the last period; what happened a whole period ago is out of it."""
        marks = self._of.get(subject)
        if marks is None:
            return ()
        while marks and marks[0].at_ns <= now_ns - self._period_ns:
            marks.popleft()
        if not marks:
            del self._of[subject]
        return tuple(marks)

    def forget(self, subject: str) -> None:
        """Begin anew with this one."""
        self._of.pop(subject, None)

    def keep(self) -> tuple[Counted, ...]:
        """Return all that is remembered."""
        return tuple(Counted(subject, tuple(marks)) for subject, marks in self._of.items())

    def restore(self, kept: Iterable[Counted]) -> None:
        """Take up what was remembered."""
        for one in kept:
            for mark in one.marks:
                self.note(one.subject, mark)

    def bounds(self) -> Iterator[Bound]:
        """Yield of how many subjects the times are remembered."""
        yield Bound(
            of="Counting._of",
            what="subjects_counted",
            held=len(self._of),
            limit=SUBJECTS_MAX,
            rule="The one longest ago is forgotten, and counted from the beginning.",
            evicted=self.evicted,
        )
