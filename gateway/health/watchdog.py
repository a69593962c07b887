"""The watchdog: whoever started us hears that we live only while every stage makes progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from gateway.clock import Clock
from gateway.health.board import Board
from gateway.health.notify import Notify
from gateway.log import Log
from gateway.model.status import AlertName

LOOK_S = 1.0
"""How often the pulses are felt, unless systemd's patience is shorter than four looks."""

LOOKS_PER_PATIENCE = 4
"""So that one sign of life that is late costs nobody the watch."""

STUCK_TEXT = (
    "{stages}: no progress. If it stays so the service manager starts the gateway anew, where one "
    "watches over it; if none does, restart it, and report this with the log"
)


class Watchdog:
    """Feels all pulses, and says that we live, or which stage doesn't."""

    def __init__(
        self,
        late: Callable[[int], Iterable[str]],
        words: Callable[[], str],
        *,
        notify: Notify,
        board: Board,
        clock: Clock,
        log: Log,
    ) -> None:
        self._stages_late = late
        self._words = words
        self._said = ""
        self._notify = notify
        self._board = board
        self._clock = clock
        self._log = log
        self._late: tuple[str, ...] = ()
        patience_s = notify.watchdog_s or LOOK_S * LOOKS_PER_PATIENCE
        self._look_s = min(LOOK_S, patience_s / LOOKS_PER_PATIENCE)

    async def run(self) -> NoReturn:
        """Look for as long as the program runs."""
        while True:
            self.look()
            await self._clock.sleep(self._look_s)

    def look(self) -> None:
        """Say that we live if every stage does; name those that don't."""
        before = self._late
        self._late = tuple(self._stages_late(self._clock.now().mono_ns))
        if not self._late:
            self._notify.alive()
        words = f"stuck: {', '.join(self._late)}" if self._late else self._words()
        if words != self._said:
            self._said = words
            self._notify.status(words)
        # Raised at the second look: after a stop of the whole process all are late at the first.
        stuck = [name for name in self._late if name in before]
        if stuck and self._late != before:
            self._log.error("stages_stuck", stages=stuck)
        trouble = STUCK_TEXT.format(stages=", ".join(stuck)) if stuck else None
        self._board.alarm(AlertName.STUCK, trouble)
