"""Wiring and supervision; the one module that knows everybody.

Each port is a fault domain of its own: whatever happens to one, the others stay on watch. What is
heard goes through the hallway at once, then on disk, then out; nothing here decides what it means.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gateway import __version__
from gateway.clock import Clock
from gateway.health import LoopLag, Vitals, absence_of, port_status, status_of
from gateway.journal.store import Journal
from gateway.log import Log
from gateway.model.entry import Entry, encode_item, lane_of
from gateway.model.inbound import Chunk, Item, Moment, Tick
from gateway.model.plan import PortPlan, RecordPlan, StationPlan
from gateway.model.status import Alert, LinkStatus, PortLink, Status
from gateway.mqtt.link import Link, LinkState
from gateway.normalise import utc_of
from gateway.pipeline import hallway
from gateway.transport.supervisor import Port, PortState
from gateway.transport.tape import Recorder, TapeHeader, TapePort

TICK_S = 1.0
"""How often the passing of time is an input; nothing in the rooms waits for less."""

STATUS_S = 10.0
"""The retained status is told anew at least this often, traffic or not."""

JOURNAL_S_MAX = 2.0
"""A distress that the disk has not taken by then goes out with `journaled=false`."""

PORT_RESTART_S = 1.0
"""Pause after a fault of ours in a port's task, before that port is taken up again."""


LOOK_S = 0.02
"""How often the start looks whether every port has had its first try."""

MB = 1_000_000

UNTRIED = ("waiting", "opening")


class Service:
    """One station on watch."""

    def __init__(self, plan: StationPlan, *, clock: Clock, log: Log, dice: random.Random) -> None:
        self._plan = plan
        self._clock = clock
        self._log = log
        self._dice = dice
        self.on_watch = asyncio.Event()
        """Set once the journal is open and every port has been opened, or tried in vain."""
        self._watch: _Watch | None = None

    def status(self) -> Status:
        """Return how the box is; before it is on watch, that it is not."""
        if self._watch is None:
            return absence_of(self._plan.station, version=__version__, epoch=None)
        return self._watch.status()

    async def run(self) -> None:
        """Keep watch until cancelled; then tell the brokers so and leave the journal clean."""
        plan, clock, log = self._plan, self._clock, self._log
        journal = await Journal.open(
            plan.journal,
            station=plan.station,
            links=tuple(link.name for link in plan.links),
            clock=clock,
        )
        recorder = recorder_of(plan.record, plan.station, plan.ports) if plan.record else None
        try:
            watch = _Watch(plan, journal, recorder, clock=clock, log=log, dice=self._dice)
            self._watch = watch
            async with asyncio.TaskGroup() as group:
                for name, duty in watch.duties():
                    group.create_task(duty, name=name)
                await watch.tried()
                log.info("watch_begun", station=plan.station, ports=len(plan.ports))
                self.on_watch.set()
        finally:
            if recorder is not None:
                recorder.close()
            await journal.close()


class _Handed(Struct, frozen=True):
    """Items that the journal has been asked to keep."""

    items: Sequence[Item]
    entries: asyncio.Future[tuple[Entry, ...]]
    mono_ns: int


class _Watch:
    """All that one station on watch holds in its hands."""

    def __init__(
        self,
        plan: StationPlan,
        journal: Journal,
        recorder: Recorder | None,
        *,
        clock: Clock,
        log: Log,
        dice: random.Random,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._log = log
        self._journal = journal
        self._recorder = recorder
        self._pipeline = hallway(plan.station, plan.ports)
        self._ports = tuple(Port(port, clock=clock, log=log, jitter=dice) for port in plan.ports)
        self._links = tuple(
            Link(
                link,
                station=plan.station,
                outbox=journal,
                clock=clock,
                log=log,
                jitter=dice,
                birth=self._next_status,
                will=self._absence,
            )
            for link in plan.links
        )
        self._lag = LoopLag(clock)
        self._began = clock.now()
        self._statuses = 0
        self._journal_trouble = ""
        self._told_ports: dict[str, PortLink] = {}
        self._handed: asyncio.Queue[_Handed] = asyncio.Queue()
        """With the journal, not yet told to the links; bounded by the journal's own backlog."""

    def duties(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """Return every task of the watch, by name. None of them ever ends by itself."""
        for port in self._ports:
            yield f"port {port.state.name}", self._listen(port)
        for link, plan in zip(self._links, self._plan.links, strict=True):
            yield f"link {plan.name}", link.run()
        yield "tell", self._tell()
        yield "tick", self._tick()
        yield "status", self._status()
        yield "lag", self._lag.run()

    async def _listen(self, port: Port) -> None:
        """Keep one port on watch. A fault of ours is logged and costs this port a second."""
        while True:
            try:
                async with aclosing(port.chunks()) as chunks:
                    async for chunk in chunks:
                        self._record(chunk)
                        self._keep(self._pipeline.inbound(chunk))
                        await self._journal.room()
                        await self._clock.sleep(0)  # one chunk, then everybody else's turn
            except Exception:  # noqa: BLE001  # whatever it is, it may cost the others nothing
                self._log.exception("port_failed", port=port.state.name)
                await self._clock.sleep(PORT_RESTART_S)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            tick = Tick(self._clock.now())
            self._record(tick)
            self._keep(self._pipeline.tick(tick))

    def _record(self, heard: Chunk | Tick) -> None:
        """Put what came in on tape, in the order in which the rooms hear it."""
        if self._recorder is not None:
            self._recorder.write(heard)

    def _keep(self, items: Sequence[Item]) -> None:
        """Hand items to the journal; they are told as soon as they are safe."""
        if items:
            entries = self._journal.append(items)
            self._handed.put_nowait(_Handed(items, entries, self._clock.now().mono_ns))

    async def _tell(self) -> None:
        """Tell the links what the journal has taken, in order; and what it could not take."""
        while True:
            handed = await self._handed.get()
            left_s = JOURNAL_S_MAX - (self._clock.now().mono_ns - handed.mono_ns) / 1e9
            await asyncio.wait({handed.entries}, timeout=max(left_s, 0.0))
            if not handed.entries.done():
                self._tell_unjournaled(
                    handed.items, f"no answer from the disk in {JOURNAL_S_MAX} s"
                )
                handed.entries.add_done_callback(_look_at)
            elif (failed := handed.entries.exception()) is not None:
                self._tell_unjournaled(handed.items, str(failed))
            else:
                self._tell_journaled(handed.entries.result())

    def _tell_journaled(self, entries: Sequence[Entry]) -> None:
        if self._journal_trouble:
            self._journal_trouble = ""
            self._log.warning("journal_recovered")
            self._retain("alert/journal", None)
        for link in self._links:
            for entry in entries:
                link.tell(entry)

    def _tell_unjournaled(self, items: Sequence[Item], trouble: str) -> None:
        """A broken disk must not silence a MAYDAY: publish anyway, say so, raise the alarm."""
        if not self._journal_trouble:
            self._log.error("journal_failed", trouble=trouble, items=len(items))
        self._journal_trouble = trouble
        self._retain(
            "alert/journal",
            Alert(name="journal", since=utc_of(self._clock.now().utc_ns), text=trouble),
        )
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

    def _retain(self, suffix: str, state: Struct | None) -> None:
        for link in self._links:
            link.retain(suffix, state)

    async def tried(self) -> None:
        """Wait until every port has been opened, or has been tried in vain."""
        while any(
            port.state.state in UNTRIED and not port.state.last_error for port in self._ports
        ):
            await self._clock.sleep(LOOK_S)

    async def _status(self) -> None:
        """Tell how the box is: ports as they change, the whole every so often."""
        due_ns = 0
        while True:
            now = self._clock.now()
            self._tell_ports()
            if now.mono_ns >= due_ns:
                self._retain("status", self._next_status())
                due_ns = now.mono_ns + int(STATUS_S * 1e9)
            await self._clock.sleep(TICK_S / 2)

    def _tell_ports(self) -> None:
        for port, plan in zip(self._ports, self._plan.ports, strict=True):
            told = self._told_ports.get(plan.name)
            state = _port_link(port.state, plan, self._clock.now())
            if told is None or _differ(told, state):
                self._told_ports[plan.name] = state
                self._retain(f"port/{plan.name}", state)

    def _absence(self) -> Status:
        """Return what is to be said of the station when it just vanishes."""
        return absence_of(self._plan.station, version=__version__, epoch=self._journal.epoch)

    def _next_status(self) -> Status:
        self._statuses += 1
        return self.status()

    def status(self) -> Status:
        """Return how the box is now."""
        now, journal = self._clock.now(), self._journal.counts()
        return status_of(
            Vitals(
                station=self._plan.station,
                version=__version__,
                epoch=self._journal.epoch,
                seq=self._statuses,
                began=self._began,
                now=now,
                ports={
                    plan.name: port_status(
                        _port_link(port.state, plan, now),
                        self._pipeline.ears[plan.name].count,
                    )
                    for port, plan in zip(self._ports, self._plan.ports, strict=True)
                },
                links={
                    plan.name: _link_status(link.state(), journal.outbox[plan.name])
                    for link, plan in zip(self._links, self._plan.links, strict=True)
                },
                journal=journal,
                loop_lag_ms_max=self._lag.ms_max,
            )
        )


def recorder_of(record: RecordPlan, station: str, ports: Sequence[PortPlan]) -> Recorder:
    """Return a recorder of these ports."""
    header = TapeHeader(
        station=station,
        ports={port.name: TapePort(modem=port.modem, profile=port.profile) for port in ports},
    )
    return Recorder(
        Path(record.directory),
        lambda: header,
        rotate_bytes=record.rotate_mb * MB,
        keep_bytes=record.keep_mb * MB,
    )


def _port_link(state: PortState, plan: PortPlan, now: Moment) -> PortLink:
    retry_ns, last_ns = state.retry_at_mono_ns, state.last_byte_mono_ns
    return PortLink(
        state=state.state,
        modem=plan.modem,
        device=plan.device,
        last_error=state.last_error,
        retry_in_s=None if retry_ns is None else round(max(0, retry_ns - now.mono_ns) / 1e9, 1),
        reopened=state.reopened,
        last_heard_utc=utc_of(now.utc_ns - (now.mono_ns - last_ns))
        if last_ns is not None and now.utc_ns is not None
        else None,
    )


def _link_status(state: LinkState, queued: int) -> LinkStatus:
    return LinkStatus(
        connected=state.distress_connected and state.routine_connected,
        queued=queued + state.unjournaled_waiting,
        published=state.published + state.unjournaled_told,
        refused=state.refused,
        offered=state.offered,
        dropped=state.dropped,
        conflated=state.conflated,
        last_error=state.last_error,
    )


def _differ(told: PortLink, now: PortLink) -> bool:
    """Say whether a port's news is worth telling; a clock that runs on is none."""
    still = {"retry_in_s": None, "last_heard_utc": None}
    return replace(told, **still) != replace(now, **still)


def _look_at(entries: asyncio.Future[tuple[Entry, ...]]) -> None:
    """Take note of a late answer; what it kept is in the outbox, where the links will find it."""
    if not entries.cancelled():
        entries.exception()
