"""What stood when the last run ended: read from the journal, put back on the board, and shown.

A box that is started anew is deaf for no longer for it: ports are listened to meanwhile, and what
they say is of what stood before, once that is back. Nothing here decides what belongs to what.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.correlate.restoring import in_bites, offsets_of
from gateway.journal.failed import JournalFailed
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.entry import Entry, Item
from gateway.model.incident import IncidentNote
from gateway.mqtt.link import Link
from gateway.pipeline import Pipeline
from gateway.points import reached

READ_AT_ONCE = 256
"""Incidents of one question to the disk: a megabyte or two, some hundredths of a second."""

SHOWN_AT_ONCE = 64
"""Incidents shown on each link before everybody else has a turn: some milliseconds."""

LOOK_S = 0.1
"""How often it is seen whether there is a journal, where it has to be waited for."""

AGAIN_S = 10.0
"""Pause after a disk that could not answer."""

Known = tuple[Entry, IncidentNote]


class Restorer:
    """Takes up what stood, once the journal is there."""

    def __init__(
        self,
        journal: StandingJournal,
        pipeline: Pipeline,
        links: Sequence[Link],
        *,
        keep: Callable[[Sequence[Item]], object],
        clock: Clock,
        log: Log,
    ) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._links = links
        self._keep = keep
        self._clock = clock
        self._log = log
        self._began = clock.now()

    async def run(self) -> None:
        """Take it up once; again where a journal that was set aside is taken over only later."""
        whole = False
        while not whole:
            while not self._journal.stands:
                await self._clock.sleep(LOOK_S)
            whole = self._journal.untaken is None
            try:
                known = await self._read()
            except JournalFailed as failed:
                self._log.error("incidents_not_read", reason=failed.reason)
                await self._clock.sleep(AGAIN_S)
                whole = False
                continue
            await self._show(known)
            for _, note in known:
                self._pipeline.earlier.remember(note)
            await self._take_up([note for _, note in known])
            reached("incidents.restored")
            while not whole and self._journal.untaken is not None:
                await self._clock.sleep(LOOK_S)

    async def _read(self) -> list[Known]:
        """Return all that stood, the newest word last; at most as many as the journal indexes."""
        known: list[Known] = []
        damaged = unread = 0
        after: str | None = ""
        while after is not None:
            found = await self._journal.stood(after=after, limit=READ_AT_ONCE)
            known += found.notes
            damaged, unread, after = damaged + found.damaged, unread + found.unread, found.after
        if damaged or unread:
            self._log.error("incidents_lost", damaged=damaged, unread=unread)
        if known:
            gone = sum(note.gone for _, note in known)
            self._log.info("incidents_found", standing=len(known) - gone, gone=gone)
        return sorted(known, key=lambda one: one[0].number)

    async def _show(self, known: Sequence[Known]) -> None:
        """Have each stand on its topic, and what is over be taken off: it may not have been."""
        for first in range(0, len(known), SHOWN_AT_ONCE):
            for entry, note in known[first : first + SHOWN_AT_ONCE]:
                for link in self._links:
                    link.show(entry, note)
            await self._clock.sleep(0)

    async def _take_up(self, notes: Sequence[IncidentNote]) -> None:
        """Put what stands back on the board, a bite at a time, and keep what that changes."""
        now, boot = self._clock.now(), self._clock.boot
        offsets = offsets_of(notes, boot=boot, now=now, began_ns=self._began.mono_ns)
        for bite in in_bites(notes, offsets, boot=boot):
            self._keep(self._pipeline.restore(bite, self._clock.now()))
            await self._clock.sleep(0)
