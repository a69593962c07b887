"""Wiring and supervision; the one place that knows everybody.

Each duty is a fault domain of its own: whatever happens to one port or one broker, the others stay
on watch. What is heard goes through the hallway at once, then on disk, then out; nothing here
decides what it means.

    watch.py     the duties of a station on watch
    telling.py   from the journal to the links, and what happens when the disk fails
    restoring.py what stood when the last run ended
    looking.py   what fails beside the way of a report
    listening.py whether the receivers hear, and how each watch stands
    advising.py  the next step of the procedure, for each distress that stands open
    disk.py      a disk that hangs is told of, also when nothing is heard
    strain.py    queues that fill up, and a loop that is held up
    views.py     how ports and links stand, as the status says it
    parts.py     parts of a watch that have many doors
    outside.py   what all that is connected to
    troubles.py  what is wrong with links, as alerts say it

The way back:

    authority.py     who orders it, and may he
    transmitting.py  a signed letter becomes a transmission, at most once
    taking.py        from a letter to an order, with its bytes
    composing.py     the bytes that say a letter to one port's modem
    stages.py        an order on its way, and what became of it
    unfinished.py    what is under way, remembered on disk
    echoes.py        what this station hears of itself
    twins.py         the guard against loops
    automatic.py     an acknowledgement that it gives by itself, where a port is named for it
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

from gateway import __version__
from gateway.app.outside import Outside
from gateway.app.watch import Watch
from gateway.clock import Clock
from gateway.health import absence_of
from gateway.health.watchdog import Watchdog
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.plan import MB, PortPlan, RecordPlan, StationPlan
from gateway.model.status import Status
from gateway.points import reached
from gateway.transport.recorder import Recorder
from gateway.transport.recording import Recording
from gateway.transport.tape import TapeHeader, TapePort

SPARED_RESERVES = 4
"""So many times the journal's reserve the tapes leave free. The journal sheds routine at one, and
takes it again at two with the reserve made anew: tapes come to an end first and begin last."""

AS_IT_IS = Outside()
"""Serial ports, brokers on the network, a thread on the disk."""


class Service:
    """One station on watch."""

    def __init__(
        self,
        plan: StationPlan,
        *,
        clock: Clock,
        log: Log,
        dice: random.Random,
        outside: Outside = AS_IT_IS,
    ) -> None:
        self._plan = plan
        self._notify = outside.notify
        self._clock = clock
        self._log = log
        self._dice = dice
        self._outside = outside
        self.on_watch = asyncio.Event()
        """Set once every port has been opened, or tried in vain. The journal stands by then, or the
        disk has had its two seconds."""
        self._watch: Watch | None = None

    def status(self) -> Status:
        """Return how the box is; before it is on watch, that it is not."""
        if self._watch is None:
            return absence_of(self._plan.station, version=__version__, epoch=None)
        return self._watch.status()

    async def run(self) -> None:
        """Keep watch until cancelled; then tell the brokers so and leave the journal clean."""
        plan = self._plan
        journal = StandingJournal(
            plan.journal,
            station=plan.station,
            links=tuple(link.name for link in plan.links),
            clock=self._clock,
            opener=self._outside.opener,
        )
        try:
            await journal.open()
            await self._keep_watch(journal)
        finally:
            await journal.close()
            if self._watch is not None:
                self._watch.say_what_is_lost()

    async def _keep_watch(self, journal: StandingJournal) -> None:
        """Stand every duty until cancelled; then tell the brokers so."""
        plan, clock, log = self._plan, self._clock, self._log
        recorder = self._recording()
        try:
            watch = Watch(
                plan,
                journal,
                recorder,
                clock=clock,
                log=log,
                dice=self._dice,
                outside=self._outside,
            )
            self._watch = watch
            async with asyncio.TaskGroup() as group:
                for name, duty in watch.duties():
                    group.create_task(watch.stand(name, duty), name=name)
                dog = Watchdog(
                    watch.late,
                    watch.words,
                    notify=self._notify,
                    board=watch.board,
                    clock=clock,
                    log=log,
                )
                group.create_task(watch.stand("watchdog", dog.run), name="watchdog")
                await watch.tried()
                log.info("watch_begun", station=plan.station, ports=len(plan.ports))
                self._notify.ready()
                self.on_watch.set()
        finally:
            self._notify.stopping()
            if self._watch is not None:
                await self._watch.end()
                self._watch.leave()
            if recorder is not None:
                await asyncio.to_thread(recorder.close)
            reached("watch.ended")

    def _recording(self) -> Recording | None:
        if self._plan.record is None:
            return None
        return recording_of(self._plan, self._plan.record, boot=self._clock.boot)


def recording_of(plan: StationPlan, record: RecordPlan, *, boot: str | None) -> Recording:
    """Return what records all ports of a station, in a thread of its own."""
    spare_bytes = SPARED_RESERVES * plan.journal.reserve_mb * MB
    recorder = recorder_of(record, plan, plan.ports, boot=boot, spare_bytes=spare_bytes)
    return Recording(recorder)


def recorder_of(
    record: RecordPlan,
    plan: StationPlan,
    ports: Sequence[PortPlan],
    *,
    boot: str | None,
    spare_bytes: int = 0,
) -> Recorder:
    """Return a recorder of these ports, which leaves so much of the disk free."""
    header = TapeHeader(
        station=plan.station,
        position=plan.position,
        ports={
            port.name: TapePort(
                modem=port.modem,
                profile=port.profile,
                played=port.played,
                exercise=port.exercise,
            )
            for port in ports
        },
        boot=boot,
    )
    return Recorder(
        Path(record.directory),
        lambda: header,
        rotate_bytes=record.rotate_mb * MB,
        keep_bytes=record.keep_mb * MB,
        spare_bytes=spare_bytes,
    )
