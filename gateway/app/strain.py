"""Signs of strain: places for urgent things that fill up, and an event loop that is held up."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.health import LoopLag
from gateway.health.board import Board
from gateway.model.bounds import Bound, fill
from gateway.model.status import AlertName

FILL_RAISED = 0.5
"""So full a place for urgent things raises the alarm: the other half is left to act in."""

FILL_CLEARED = 0.25
"""So empty it has to be before the alarm goes: a queue that swings must not ring each time."""

LAG_MS_RAISED = 1_000.0
"""A loop held up so long raises the alarm: after 0.85 s a port of 38 400 baud has lost bytes."""

LAG_QUIET_S = 60.0
"""The alarm goes when it has not been held up for so long."""


class Strain:
    """Looks for strain, and raises and clears the alarms for it."""

    def __init__(self, lag: LoopLag, board: Board) -> None:
        self._lag = lag
        self._board = board
        self._held_up_ns: int | None = None
        """When it was last held up for too long."""

    def look(self, bounds: Iterable[Bound], mono_ns: int) -> None:
        """Look at the places and at the loop."""
        self._look_at_places([bound for bound in bounds if bound.urgent])
        self._look_at_loop(mono_ns)

    def _look_at_places(self, urgent: list[Bound]) -> None:
        standing = AlertName.BACKLOG in self._board.standing
        threshold = FILL_CLEARED if standing else FILL_RAISED
        full = [bound for bound in urgent if fill(bound) > threshold]
        listed = ", ".join(f"{bound.what} {bound.held} of {bound.limit}" for bound in full)
        words = (
            f"more waits than should: {listed}. Distress goes on, and routine may be given up; "
            "look at the disk and the brokers, and at which port is so busy"
        )
        self._board.alarm(AlertName.BACKLOG, words if full else None)

    def _look_at_loop(self, mono_ns: int) -> None:
        lag_ms = self._lag.longest_lately_ms()
        if lag_ms >= LAG_MS_RAISED:
            self._held_up_ns = mono_ns
        elif self._held_up_ns is not None and mono_ns - self._held_up_ns > LAG_QUIET_S * 1e9:
            self._held_up_ns = None
        if self._held_up_ns is None:
            self._board.alarm(AlertName.LAG, None)
        elif lag_ms >= LAG_MS_RAISED:
            words = (
                f"the gateway was held up for {lag_ms / 1e3:.1f} s; ports may have lost bytes. "
                "See what else runs on this box, and report this if nothing does"
            )
            self._board.alarm(AlertName.LAG, words, anew=True)
