"""What the agreements remember and how they stand: from the last run, onto the disk and the links.

A call for help, or a word of a person, changes what rules wait for: that goes to the disk at once,
behind the report itself. Routine is written down a few times a second. So a run that ends by force
leaves no silence and no deadline behind that the next one does not know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gateway.app.telling import Teller
from gateway.clock import Clock
from gateway.journal.failed import JournalFailed
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Request, Stated, Taped
from gateway.model.entry import Entry, Item
from gateway.model.inbound import Ruling
from gateway.model.verdict import VerdictNote
from gateway.model.words import Urgency
from gateway.pipeline import Pipeline
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.bench import RuleKept
from gateway.rules.docket import Gate, kept_of
from gateway.rules.permit import Load
from gateway.rules.remembering import Remembering, late, taken_up

WAIT_S_MAX = 5.0
"""So long a journal is waited for. Then the rules begin without what they remembered: who waits for
a disk that does not come watches over nothing."""

LOOK_S = 0.25
"""How often it is looked for what has changed."""

APART_NS = 100 * 10**6
"""Two hand-overs at once are so far apart, in a flood of calls too."""

HANDED_MAX = 16
"""Hand-overs that the disk has not answered: what has changed since waits until it has."""

STATE_NS = 24 * 3600 * 10**9
"""How often this station states what it keeps."""

KEPT = ("distress", "urgency", "safety", "verdicts", "tamper_evident")
"""What a journal keeps for its time; a chain of digests shows what was changed in it."""

OTHERS = ":"
"""What stands in the names of what others remember: in that of no rule."""

AGAIN_S = 10.0
"""Pause after a disk that could not take it."""


_Answer = asyncio.Future[tuple[Entry, ...]]


def _not_recorded(_one: Taped) -> None:
    """Leave it off every tape: this station records none."""


def _told_nobody(_fact: Fact) -> None:
    """Tell nobody else."""


class RuleKeeper:
    """Takes up what the rules remembered, writes down what they do, and tells how they stand."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        journal: StandingJournal,
        rooms: Pipeline,
        teller: Teller,
        *,
        keep_hours: float,
        clock: Clock,
        log: Log,
        record: Callable[[Taped], None] = _not_recorded,
    ) -> None:
        self._keep_hours = keep_hours
        self._record = record
        self._rooms = rooms
        self._stated_ns = 0
        self._journal = journal
        self._docket = rooms.docket
        self._teller = teller
        self._clock = clock
        self._log = log
        self._remembering = Remembering(rooms.docket.bench, clock.boot)
        self._handed_ns = 0
        self._began_as: Mapping[str, RuleKept] = {}
        """How each rule stood when it began without what it remembered."""
        self._answers: set[asyncio.Future[None]] = set()
        """What is with the disk: one, and more where calls came meanwhile."""
        self.told: Callable[[Fact], None] = _told_nobody
        """Who else is told of what is stated."""
        self.pulse = Pulse(clock)

    async def run(self) -> None:
        """Take up what was remembered; then look what has changed, for ever."""
        if not self._docket.bench.engines:
            return
        if not self._docket.begun:
            await self._begin()
        async with asyncio.TaskGroup() as group:
            if not self._docket.remembers:
                group.create_task(self._take_up_late(), name="rules: taken up late")
            while True:
                self.pulse.beat(AGAIN_S + PULSE_S)
                self._state_what_is_kept()
                for one in self._docket.changed():
                    self._teller.retain(f"compliance/{one.agreement}/{one.rule}", one)
                failed = not self._answers and not await self._write()
                await self._clock.sleep(AGAIN_S if failed else LOOK_S)

    def _state_what_is_kept(self) -> None:
        """State once a day what this station keeps, and for how long: rules may ask it."""
        now = self._clock.now()
        if now.mono_ns < self._stated_ns:
            return
        self._stated_ns = now.mono_ns + STATE_NS
        fact = Fact(
            fact_id=f"recorded-{now.mono_ns}",
            what=EventWord.RECORDED,
            at=now,
            fields=KEPT,
            lasts_s=self._keep_hours * 3600.0,
        )
        self.state(fact)

    def state(self, fact: Fact) -> tuple[Sequence[VerdictNote], Sequence[_Answer]]:
        """Have the rules hear what no radio says; return what they say, and what the disk will.

        It is on tape in the place in which they heard it.
        """
        notes = self._rooms.state(fact)
        self._record(fact)
        items = kept_of(fact, self._clock.boot, notes)
        answers = self._teller.keep(items)
        self.heard(items)
        self.told(fact)
        return notes, answers

    def unheard(self, channel: str | None, *, silence: bool = False) -> str | None:
        """Return why nothing that is stated of this channel is heard; None where it is."""
        return self._docket.bench.unheard(channel, silence=silence)

    def gate(self, request: Request, load: Load) -> Gate:
        """Ask the rules about a transmission; on tape it stands where they were asked."""
        if self._docket.ready:
            self._record(request)
        return self._docket.gate(request, load)

    def heard(self, items: Sequence[Item]) -> None:
        """Have what the rules remember written down at once, if any of this is no routine."""
        now = self._clock.now()
        if not self._docket.ready or now.mono_ns < self._handed_ns + APART_NS:
            return
        if len(self._answers) >= HANDED_MAX:
            return
        if any(map(_is_pressing, items)):
            self._hand_over(urgent=True)

    def end(self) -> None:
        """Hand over all that is not written down."""
        if self._docket.ready and self._docket.bench.engines:
            self._hand_over(urgent=True, every=True)

    async def _begin(self) -> None:
        """Take up what was remembered, as far as there is a disk that says it."""
        self.pulse.beat(WAIT_S_MAX + PULSE_S)
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                words = await self._recalled()
        except TimeoutError:
            self._log.error("rules_begin_without_memory", reason=f"no journal in {WAIT_S_MAX:g} s")
            self._began_as = self._docket.bench.keep()
            self._teller.keep(self._docket.begin(remembers=False))
        else:
            self._take_up(words)
            self._teller.keep(self._docket.begin())
        reached("rules.begun")

    async def _take_up_late(self) -> None:
        """Take up what was remembered once the disk says it; until then nothing is let pass."""
        words = await self._recalled()
        known = late(self._docket.bench, words, self._began_as)
        if len(known) < len(words):
            gone = ", ".join(sorted(words.keys() - known.keys()))
            self._log.error("rules_go_on_without_memory", reason="no journal in time", rules=gone)
        self._take_up(known)
        self._docket.remembers = True

    def _take_up(self, words: Mapping[str, bytes]) -> None:
        bench, now = self._docket.bench, self._clock.now()
        lost = taken_up(bench, words, boot=self._clock.boot, now=now)
        if lost:
            self._log.error("rules_begin_anew", reason="another form", rules=", ".join(lost))
        if words:
            self._log.info("rules_taken_up", count=len(words) - len(lost))
        self._forget(words.keys() - bench.keep().keys())

    async def _recalled(self) -> dict[str, bytes]:
        """Return what the journal remembers, once there is one."""
        while True:
            while not self._journal.stands:
                await self._clock.sleep(LOOK_S)
            try:
                found = await self._journal.recalled()
            except JournalFailed as failed:
                self._log.error("rules_not_read", reason=failed.reason)
                await self._clock.sleep(LOOK_S)
                continue
            if found.damaged:
                self._log.error("rules_begin_anew", reason="damaged", count=found.damaged)
            return {name: word for name, word in found.words.items() if OTHERS not in name}

    def _forget(self, names: set[str]) -> None:
        """Leave nothing behind of rules that bind this station no more."""
        if names:
            self._take(self._journal.remember(dict.fromkeys(names), urgent=False))
        for name in names:
            self._teller.retain(f"compliance/{name}", None)

    async def _write(self) -> bool:
        """Hand over what has changed, and say whether the disk took it.

        Before what was remembered is taken up nothing is handed over: it would go in its place.
        """
        answer = self._hand_over(urgent=False) if self._docket.ready else None
        if answer is None:
            return True
        await asyncio.wait({answer})
        return answer.exception() is None

    def _hand_over(self, *, urgent: bool, every: bool = False) -> asyncio.Future[None] | None:
        now = self._clock.now()
        words = self._remembering.due(now, every=every)
        if not words:
            return None
        self._handed_ns = now.mono_ns
        answer = self._journal.remember(words, urgent=urgent)
        self._take(answer)
        return answer

    def _take(self, answer: asyncio.Future[None]) -> None:
        self._answers.add(answer)
        answer.add_done_callback(self._answered)

    def _answered(self, answer: asyncio.Future[None]) -> None:
        self._answers.discard(answer)
        if answer.cancelled():
            return
        failed = answer.exception()
        if failed is not None:
            self._remembering.anew()
            self._log.warning("rules_not_written", reason=str(failed))


def _is_pressing(item: Item) -> bool:
    if isinstance(item, VerdictNote | Stated):
        return True
    return isinstance(item, Ruling) and item.sighting.report.urgency is not Urgency.ROUTINE
