"""How the journal's disk is, also when nothing is heard that would have to wait for it."""

from __future__ import annotations

from gateway.app.telling import IN_MEMORY, JOURNAL_S_MAX, Teller
from gateway.health.board import Board
from gateway.journal.standing import StandingJournal
from gateway.model.status import AlertName, JournalCounts

HANGS_TEXT = (
    f"the disk has answered nothing for over {JOURNAL_S_MAX:g} s. What is heard is told all the "
    "same; it is kept when the disk answers again"
)

ROOM_TEXTS = {
    "low": "{free} left on the journal's disk. {remedy} before it is full",
    "short": "{free} left on the journal's disk: routine is told and no longer journaled; "
    "distress, urgency and safety are. {remedy} now",
    "full": "the journal's disk is full, with {free} left: the reserve is given up, and in use for "
    "distress, urgency and safety alone; when that is full as well, they are told with "
    "`journaled: false`. {remedy} now",
}
"""What is said of each step on the way to a full disk."""

REMEDY_ROOM = (
    "Delete what does not belong there, have fewer tapes kept (`keep_mb`), or fit a larger disk"
)

ASIDE_TEXT = (
    "the journal was damaged and is set aside as {name}; {told} entries of it are told again; "
    "keep it, look at it with `distress-gateway verify`, and replace the card"
)

UNTAKEN_TEXT = (
    "what a damaged journal still owed could not be taken over by the new one: {why}; it is not "
    "told until it is, and is tried again, each hour at the least; leave the files beside the "
    "journal where they are, and see that the disk has room"
)

DAMAGE_TEXT = (
    "rows of the journal found damaged and set aside: {count}; they are told to nobody; "
    "look at them with `distress-gateway verify`, and replace the card if there are more"
)

LOOK_NS_MAX = 10**9
"""Counted of the time since the last look, which is half a second ago unless the program stood."""


class DiskWatch:
    """Looks whether the work on the disk goes on. A restart mends no disk, so nobody else does."""

    def __init__(self, journal: StandingJournal, teller: Teller, board: Board) -> None:
        self._journal = journal
        self._teller = teller
        self._board = board
        self._settled = -1
        self._since_ns = self._looked_ns = 0
        """Since when nothing more has been settled although something waits."""
        self._room_told: str | None = None
        self._absence_told: str | None = None
        """Why there is no journal, as it was said last."""
        self._damage_told: str | None = None

    def look(self, mono_ns: int) -> None:
        """Raise the alarms for a disk that is not there, hangs or fills up; clear them after it."""
        counts = self._journal.counts()
        if not self._journal.stands:
            # Told anew when it is no longer the same: from no answer at all to a reason, say.
            anew = self._absence_told not in (None, counts.last_failure)
            self._absence_told = counts.last_failure
            trouble = f"{counts.last_failure}. {IN_MEMORY}"
            self._board.alarm(AlertName.JOURNAL, trouble, anew=anew)
        elif self._hangs(mono_ns):
            self._board.alarm(AlertName.JOURNAL, HANGS_TEXT)
        elif not self._teller.failing and not self._teller.owed:
            self._board.alarm(AlertName.JOURNAL, None)
        if counts.room != self._room_told:
            self._room_told = counts.room
            self._board.alarm(AlertName.DISK, _words_for_room(counts), anew=True)
        self._tell_damage(counts)

    def _tell_damage(self, counts: JournalCounts) -> None:
        """Raise the alarm for each damaged row, and each damaged journal, that was set aside."""
        told = [ASIDE_TEXT.format(name=name, told=told) for name, told in counts.aside.items()]
        if self._journal.untaken is not None:
            told.append(UNTAKEN_TEXT.format(why=self._journal.untaken))
        if counts.quarantined:
            told.append(DAMAGE_TEXT.format(count=counts.quarantined))
        trouble = "; ".join(told) or None
        if trouble != self._damage_told:
            self._damage_told = trouble
            self._board.alarm(AlertName.JOURNAL_DAMAGE, trouble, anew=True)

    def _hangs(self, mono_ns: int) -> bool:
        work = self._journal.work
        # What stopped us from looking stopped the disk's answers from being heard, and is no fault
        # of the disk: it answers for so much of the time.
        self._since_ns += max(0, mono_ns - self._looked_ns - LOOK_NS_MAX)
        self._looked_ns = mono_ns
        if not work.waiting or work.settled != self._settled:
            self._settled, self._since_ns = work.settled, mono_ns
        return mono_ns - self._since_ns > JOURNAL_S_MAX * 1e9


def _words_for_room(counts: JournalCounts) -> str | None:
    """Return what is to be said of the room on the disk; None when there is enough."""
    words = ROOM_TEXTS.get(counts.room)
    free = f"{(counts.free_bytes or 0) / 1e6:.1f} MB"
    return words and words.format(free=free, remedy=REMEDY_ROOM)
