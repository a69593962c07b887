"""What has to happen by a time: one running deadline for each subject, soonest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from msgspec import Struct

from gateway.model.bounds import Bound

RUNNING_MAX = 4_096
"""Deadlines of one rule: as many as strands are followed. The one soonest over gives way, and that
is found as `unknown`: nobody says that it was kept."""


class Deadline(Struct, frozen=True, kw_only=True, gc=False):
    """Something is awaited about a subject."""

    subject: str
    since_ns: int
    until_ns: int
    evidence: tuple[str, ...] = ()
    floor_s: float = 0.0
    """So long after `since_ns` it is too early."""
    count: int = 0
    """Of what comes in steps or repeats: how many have come, or were missed."""

    @property
    def floor_ns(self) -> int:
        """Return the first moment at which it is not too early, monotonic."""
        return self.since_ns + round(self.floor_s * 1e9)


class Deadlines:
    """The deadlines of one rule."""

    def __init__(self) -> None:
        self._running: dict[str, Deadline] = {}
        self._soonest: list[tuple[int, str]] = []
        """A heap; what was ended or moved meanwhile is passed over."""
        self.evicted = 0

    def begin(self, deadline: Deadline) -> Deadline | None:
        """Let one run, in place of any other of its subject; return one that had to give way."""
        self._running[deadline.subject] = deadline
        heappush(self._soonest, (deadline.until_ns, deadline.subject))
        self._thin()
        if len(self._running) <= RUNNING_MAX:
            return None
        self.evicted += 1
        return next(self._over(None))

    def of(self, subject: str) -> Deadline | None:
        """Return the deadline that runs for this subject."""
        return self._running.get(subject)

    def end(self, subject: str) -> Deadline | None:
        """End the deadline of a subject; return it when one was running."""
        return self._running.pop(subject, None)

    def over(self, now_ns: int) -> Iterator[Deadline]:
        """Yield, and end, each deadline that has passed: at `until_ns` it has."""
        yield from self._over(now_ns)

    def keep(self) -> tuple[Deadline, ...]:
        """Return all that runs."""
        return tuple(self._running.values())

    def restore(self, kept: Iterable[Deadline]) -> None:
        """Let all of these run."""
        for deadline in kept:
            self.begin(deadline)

    def __iter__(self) -> Iterator[Deadline]:
        return iter(self._running.values())

    def __len__(self) -> int:
        return len(self._running)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many run."""
        yield Bound(
            of="Deadlines._running",
            what="deadlines_of_rules",
            held=len(self._running),
            limit=RUNNING_MAX,
            rule="The one soonest over gives way, and its verdict is `unknown`.",
            evicted=self.evicted,
        )

    def _over(self, now_ns: int | None) -> Iterator[Deadline]:
        while self._soonest and (now_ns is None or self._soonest[0][0] <= now_ns):
            until_ns, subject = heappop(self._soonest)
            found = self._running.get(subject)
            if found is not None and found.until_ns == until_ns:
                yield self._running.pop(subject)

    def _thin(self) -> None:
        """Forget what was ended or moved before the heap holds more of it than of what runs."""
        if len(self._soonest) > 2 * len(self._running) + 64:
            self._soonest = sorted((one.until_ns, one.subject) for one in self._running.values())
