"""A disk that hangs is told of, also when nothing is heard that would have to wait for it."""

from __future__ import annotations

from gateway.app.telling import JOURNAL_S_MAX
from gateway.health.board import Board
from gateway.journal.standing import StandingJournal
from gateway.model.status import AlertName

HANGS_TEXT = (
    f"the disk has answered nothing for over {JOURNAL_S_MAX:g} s. What is heard is told all the "
    "same; it is kept when the disk answers again"
)


class DiskWatch:
    """Looks whether the work on the disk goes on. A restart mends no disk, so nobody else does."""

    def __init__(self, journal: StandingJournal, board: Board) -> None:
        self._journal = journal
        self._board = board
        self._settled = -1
        self._since_ns = 0
        """Since when nothing more has been settled although something waits."""
        self._raised = False

    def look(self, mono_ns: int) -> None:
        """Raise the alarm when work waits and none is done; clear it when it goes on."""
        work = self._journal.work
        if not work.waiting or work.settled != self._settled:
            self._settled, self._since_ns = work.settled, mono_ns
            if self._raised:
                self._raised = False
                self._board.alarm(AlertName.JOURNAL, None)
        elif mono_ns - self._since_ns > JOURNAL_S_MAX * 1e9:
            self._raised = True
            self._board.alarm(AlertName.JOURNAL, HANGS_TEXT)
