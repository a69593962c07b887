"""From the journal to the links: told when it is safe, and all the same when the disk fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct

from gateway.app.owed import OWED_MAX, Debt, Owed
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.failed import JournalFailed
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.asked import Stated
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Item, Lane, encode_item, lane_of
from gateway.model.inbound import Refused, Ruling
from gateway.model.incident import IncidentNote
from gateway.model.status import AlertName
from gateway.model.transmission import TransmissionNote
from gateway.model.verdict import VerdictNote
from gateway.mqtt.link import Link
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

JOURNAL_S_MAX = 2.0
"""A distress that the disk has not taken by then goes out with `journaled=false`."""

AGAIN_S = 1.0
"""How often the disk is asked again for what it owes."""

AGAIN_ITEMS = 256
"""Asked for at once, as soon as it has taken one again."""

LAST_S_MAX = 1.5
"""How long a disk may take at the end, for what it has been handed and then for what it owes."""

NO_ANSWER = f"no answer from the disk in {JOURNAL_S_MAX:g} s"

IN_MEMORY = "What is heard is told all the same, and held in memory until the disk takes it."

HANDED_MAX = 65_536
"""Batches of one kind with the journal and not yet told. Distress, of which each is a batch, can't
come to so many: a disk is waited for two seconds, and on a slow one each port has four chunks a
second. A batch of routine beyond it is given up."""


TOLD_AT_ONCE = 16
"""Items of batches that the disk has taken, told before everybody else has a turn: a millisecond or
two of it. Batch by batch, one a turn, would leave them behind what is heard."""

CALLS_FEW = 8
"""Calls in one chunk that don't wait for room at the journal: what a modem says in a second. A
chunk full of them waits as any other does."""

GIVE_WAY_S_MAX = 0.05
"""How long routine waits for calls to be told. It is a few milliseconds on a good disk; on a bad
one, or in a flood of invented calls, each port still says a kilobyte each time: over 150 kbit/s."""


class Teller:
    """Hands items to the journal, and entries to the links."""

    def __init__(
        self,
        journal: StandingJournal,
        links: Sequence[Link],
        *,
        board: Board,
        clock: Clock,
        log: Log,
    ) -> None:
        self._journal = journal
        self._links = links
        self._board = board
        self._clock = clock
        self._log = log
        # Two, so that no call waits until thousands of positions have been told.
        self._urgent = _Waiting(asyncio.Queue(), asyncio.Event(), Pulse(clock))
        self._routine = _Waiting(asyncio.Queue(), asyncio.Event(), Pulse(clock))
        self._again_pulse = Pulse(clock)
        """Of what asks the disk again; not due while the disk has the next move."""
        self.owed = Owed()
        """What was told and is not journaled, but routine."""
        self.shed = 0
        """Routine items told and not journaled for want of room."""
        self.failing = False
        """Whether a journal that stands has failed what was handed to it last."""

    def pulses(self) -> Iterator[tuple[str, Pulse]]:
        """Return the pulse of each way of telling, by its name."""
        yield "tell urgent", self._urgent.pulse
        yield "tell routine", self._routine.pulse
        yield "journal afterwards", self._again_pulse

    def keep(self, items: Sequence[Item]) -> Sequence[asyncio.Future[tuple[Entry, ...]]]:
        """Hand items to the journal, and return what it will answer; they are told when safe."""
        answers = []
        for together in _batches(items):
            routine = lane_of(together[0]) is Lane.ROUTINE
            waiting = self._routine if routine else self._urgent
            if routine and waiting.queue.qsize() >= HANDED_MAX:
                waiting.given_up += len(together)
                continue
            entries = self._journal.append(together)
            waiting.queue.put_nowait(_Handed(together, entries, self._clock.now().mono_ns))
            waiting.told.clear()
            waiting.pulse.expect()
            answers.append(entries)
        return answers

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits to be told."""
        yield Bound(
            of="_Waiting.queue",
            what="handed_urgent",
            held=self._urgent.queue.qsize(),
            limit=HANDED_MAX,
            rule="none is ever refused; none waits longer than two seconds for a disk that answers "
            "nothing, and so it can't be full",
            urgent=True,
        )
        yield Bound(
            of="_Waiting.queue",
            what="handed_routine",
            held=self._routine.queue.qsize(),
            limit=HANDED_MAX,
            rule="a batch is given up, neither journaled nor told",
            evicted=self._routine.given_up,
        )
        yield from self.owed.bounds()

    async def give_way(self) -> None:
        """Wait until each call that was kept has been told, but not for long.

        Where everything comes at once, the processor is what calls would stand in line for.
        """
        if not self._urgent.told.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(GIVE_WAY_S_MAX):
                    await self._urgent.told.wait()

    async def run(self) -> None:
        """Tell the links what the journal has taken, and what it could not take."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_all(self._urgent), name="tell: urgent")
            group.create_task(self._tell_all(self._routine), name="tell: routine")

    async def _tell_all(self, waiting: _Waiting) -> None:
        """Tell what waits here, in order, for ever."""
        told = 0
        while True:
            if waiting.in_hand is None:
                if waiting.queue.empty():
                    waiting.pulse.rest()
                    waiting.told.set()
                waiting.in_hand = await waiting.queue.get()
            handed = (
                waiting.in_hand
            )  # what a fault of the other way interrupted is waited for again
            waiting.pulse.beat(JOURNAL_S_MAX + PULSE_S)
            if not handed.entries.done():
                left_s = JOURNAL_S_MAX - (self._clock.now().mono_ns - handed.mono_ns) / 1e9
                await asyncio.wait({handed.entries}, timeout=max(left_s, 0.0))
                told = 0
            elif told >= TOLD_AT_ONCE:
                await self._clock.sleep(0)
                told = 0
            if waiting is self._routine and not told:  # once a bite: calls may come without end
                await self.give_way()
            waiting.in_hand = None  # what can't be told must not be tried for ever
            told += len(handed.items)
            self._tell(handed)

    def _tell(self, handed: _Handed) -> None:
        """Tell this as the disk has answered, or has not."""
        if not handed.entries.done():
            self._tell_unjournaled(handed, NO_ANSWER)
        elif (failed := handed.entries.exception()) is not None:
            is_shed = isinstance(failed, JournalFailed) and failed.shed
            self._tell_unjournaled(handed, None if is_shed else str(failed))
        else:
            self._tell_journaled(handed.entries.result())

    async def journal_afterwards(self) -> None:
        """Ask the disk again for what it owes, the most urgent first, for ever."""
        limit = 1
        while True:
            self._again_pulse.beat(AGAIN_S + PULSE_S)
            await self._clock.sleep(AGAIN_S)
            while due := self.owed.due(limit):
                answers = self._ask_again(due)
                self._again_pulse.rest()
                await asyncio.wait(answers)
                if any(answer.exception() for answer in answers):
                    limit = 1
                    break
                limit = AGAIN_ITEMS

    async def end(self) -> None:
        """Ask the disk a last time for what it has not taken."""
        handed = [*self._urgent.left(), *self._routine.left()]
        if handed:
            await asyncio.wait([one.entries for one in handed], timeout=LAST_S_MAX)
        for one in handed:
            if not one.entries.done() or one.entries.exception() is not None:
                self._owe(one)
        if due := self.owed.due(OWED_MAX):
            await asyncio.wait(self._ask_again(due), timeout=LAST_S_MAX)

    def say_what_is_lost(self) -> None:
        """Log what the disk still owes when it is asked for nothing more.

        What it has refused is lost with the program. What it never answered for it may yet have.
        """
        for debt in self.owed:
            event = "entry_in_doubt" if debt.asked else "entry_lost"
            self._log.error(event, lane=str(debt.entry.lane), **_names(debt.item))

    def _ask_again(self, debts: Sequence[Debt]) -> list[asyncio.Future[tuple[Entry, ...]]]:
        answers = []
        for debt in debts:
            debt.asked = True
            answer = self._journal.append((debt.item,))
            answer.add_done_callback(partial(self._answered, (debt,)))
            answers.append(answer)
        return answers

    def _answered(self, debts: Sequence[Debt], answer: asyncio.Future[tuple[Entry, ...]]) -> None:
        """Tell what the disk took in the end once more, with its number; its names are the same."""
        if answer.exception() is not None:
            for debt in debts:
                debt.asked = False
            return
        self.failing = False
        if debts:
            reached("told.afterwards")
        for debt, entry in zip(debts, answer.result(), strict=bool(debts)):
            self.owed.paid(debt, entry)
            for link in self._links:
                link.tell_afterwards(entry)

    def _tell_journaled(self, entries: Sequence[Entry]) -> None:
        self.failing = False
        reached("told.journaled")
        for link in self._links:
            for entry in entries:
                link.tell(entry)

    def _tell_unjournaled(self, handed: _Handed, trouble: str | None) -> None:
        """A broken disk must not silence a MAYDAY: publish anyway, say so, raise the alarm.

        Routine that the journal does not want is no trouble of its own: the disk's alarm stands.
        """
        if trouble is None:
            self.shed += len(handed.items)
        else:
            self.failing = self._journal.stands
            self._board.alarm(AlertName.JOURNAL, f"{trouble}. {IN_MEMORY}")
        reached("told.unjournaled")
        for entry in self._owe(handed):
            for link in self._links:
                link.tell_unjournaled(entry)

    def _owe(self, handed: _Handed) -> Sequence[Entry]:
        """Hold what is not routine until the disk has it; return the entries without numbers."""
        epoch, asked = self._journal.epoch, not handed.entries.done()
        entries = [
            Entry(number=0, epoch=epoch, lane=lane_of(item), item=item, body=encode_item(item))
            for item in handed.items
        ]
        debts = [
            Debt(item, entry, handed.mono_ns, asked)
            for item, entry in zip(handed.items, entries, strict=True)
            if entry.lane is not Lane.ROUTINE
        ]
        for debt in debts:
            self.owed.put(debt)
        if asked:  # routine has been told, and is owed to nobody
            handed.entries.add_done_callback(partial(self._answered, debts))
        return entries

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


def passes_by(items: Sequence[Item]) -> bool:
    """Say whether these wait for no room: a few calls, where routine of another port takes it."""
    return len(items) <= CALLS_FEW and all(lane_of(item) is not Lane.ROUTINE for item in items)


def _names(item: Item) -> dict[str, object]:
    """Return what finds an item again where it was told."""
    found: dict[str, object]
    match item:
        case Refused():
            found = {"port": item.port, "reason": item.reason}
        case Ruling():
            found = {"report_id": item.sighting.report.report_id}
        case IncidentNote():
            found = {"incident": item.incident.incident_id, "revision": item.incident.revision}
        case VerdictNote():
            found = {"verdict_id": item.verdict_id, "rule": item.verdict.rule}
        case Stated():
            found = {"fact_id": item.fact.fact_id, "what": item.fact.what}
        case TransmissionNote():
            found = {"command_id": item.command_id, "stage": item.stage}
        case _:
            found = {"stated": type(item).__name__, "mono_ns": item.mono_ns}
    return found


class _Handed(Struct, frozen=True):
    """Items that the journal has been asked to keep."""

    items: Sequence[Item]
    entries: asyncio.Future[tuple[Entry, ...]]
    mono_ns: int


class _Waiting(Struct):
    """What is with the journal and not yet told."""

    queue: asyncio.Queue[_Handed]
    told: asyncio.Event
    """Set while nothing waits."""
    pulse: Pulse
    given_up: int = 0
    """Items neither journaled nor told, because too much waited. Routine alone."""
    in_hand: _Handed | None = None

    def left(self) -> Iterator[_Handed]:
        """Take out all that has not been told."""
        if self.in_hand is not None:
            yield self.in_hand
        while not self.queue.empty():
            yield self.queue.get_nowait()
