"""From the journal to the links: told when it is safe, and all the same when the disk fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from msgspec import Struct

from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.standing import StandingJournal
from gateway.model.entry import Entry, Lane, encode_item, lane_of
from gateway.model.inbound import Item
from gateway.model.status import AlertName
from gateway.mqtt.link import Link
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

JOURNAL_S_MAX = 2.0
"""A distress that the disk has not taken by then goes out with `journaled=false`."""


class Teller:
    """Hands items to the journal, and entries to the links."""

    def __init__(
        self, journal: StandingJournal, links: Sequence[Link], *, board: Board, clock: Clock
    ) -> None:
        self._journal = journal
        self._links = links
        self._board = board
        self._clock = clock
        # Two, so that no call waits until thousands of positions have been told.
        self._urgent = _Waiting(asyncio.Queue(), Pulse(clock))
        self._routine = _Waiting(asyncio.Queue(), Pulse(clock))

    def pulses(self) -> Iterator[tuple[str, Pulse]]:
        """Return the pulse of each way of telling, by its name."""
        yield "tell urgent", self._urgent.pulse
        yield "tell routine", self._routine.pulse

    def keep(self, items: Sequence[Item]) -> None:
        """Hand items to the journal; they are told as soon as they are safe."""
        for together in _batches(items):
            entries = self._journal.append(together)
            routine = lane_of(together[0]) is Lane.ROUTINE
            waiting = self._routine if routine else self._urgent
            waiting.queue.put_nowait(_Handed(together, entries, self._clock.now().mono_ns))
            waiting.pulse.expect()

    async def run(self) -> None:
        """Tell the links what the journal has taken, and what it could not take."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_all(self._urgent), name="tell: urgent")
            group.create_task(self._tell_all(self._routine), name="tell: routine")

    async def _tell_all(self, waiting: _Waiting) -> None:
        """Tell what waits here, in order, for ever."""
        while True:
            if waiting.queue.empty():
                waiting.pulse.rest()
            handed = await waiting.queue.get()
            waiting.pulse.beat(JOURNAL_S_MAX + PULSE_S)
            left_s = JOURNAL_S_MAX - (self._clock.now().mono_ns - handed.mono_ns) / 1e9
            await asyncio.wait({handed.entries}, timeout=max(left_s, 0.0))
            if not handed.entries.done():
                self._tell_unjournaled(
                    handed.items, f"no answer from the disk in {JOURNAL_S_MAX} s"
                )
                handed.entries.add_done_callback(self._tell_late)
            elif (failed := handed.entries.exception()) is not None:
                self._tell_unjournaled(handed.items, str(failed))
            else:
                self._tell_journaled(handed.entries.result())

    def _tell_late(self, answer: asyncio.Future[tuple[Entry, ...]]) -> None:
        """Tell what the disk took in the end once more, with its number; its names are the same."""
        if not answer.cancelled() and answer.exception() is None:
            self._tell_journaled(answer.result())

    def _tell_journaled(self, entries: Sequence[Entry]) -> None:
        self._board.alarm(AlertName.JOURNAL, None)
        reached("told.journaled")
        for link in self._links:
            for entry in entries:
                link.tell(entry)

    def _tell_unjournaled(self, items: Sequence[Item], trouble: str) -> None:
        """A broken disk must not silence a MAYDAY: publish anyway, say so, raise the alarm."""
        words = f"{trouble}. What is heard is told all the same, and kept nowhere."
        self._board.alarm(AlertName.JOURNAL, words)
        reached("told.unjournaled")
        for item in items:
            entry = Entry(
                number=0,
                epoch=self._journal.epoch,
                lane=lane_of(item),
                item=item,
                body=encode_item(item),
            )
            for link in self._links:
                link.tell_unjournaled(entry)

    def alarm(self, name: str, trouble: str | None, *, anew: bool = False) -> None:
        """Raise the box's own alarm of this name, or clear it; see `Board.alarm`."""
        self._board.alarm(AlertName(name), trouble, anew=anew)

    def retain(self, suffix: str, state: Struct | None) -> None:
        """Let a state stand on every broker; None takes it off."""
        for link in self._links:
            link.retain(suffix, state)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield what goes to the journal together: nothing together with what is urgent.

    A call to the journal is kept whole or not at all, and a routine item that can't be kept must
    not cost a distress its place.
    """
    if all(lane_of(item) is Lane.ROUTINE for item in items):
        if items:
            yield items
        return
    for item in items:
        yield (item,)


class _Handed(Struct, frozen=True):
    """Items that the journal has been asked to keep."""

    items: Sequence[Item]
    entries: asyncio.Future[tuple[Entry, ...]]
    mono_ns: int


class _Waiting(Struct, frozen=True):
    """What is with the journal and not yet told; bounded by the journal's own backlog."""

    queue: asyncio.Queue[_Handed]
    pulse: Pulse
