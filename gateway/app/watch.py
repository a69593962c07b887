"""The duties of a station on watch: listen, let time pass, tell how the box is."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing
from functools import partial

from msgspec.structs import replace

from gateway import __version__
from gateway.app.advising import Advising
from gateway.app.authority import binding_digests
from gateway.app.disk import DiskWatch
from gateway.app.lines import lines_of
from gateway.app.looking import Looking
from gateway.app.ordering import ordering_of
from gateway.app.outside import Outside
from gateway.app.parts import alarms_of, listening_of, ports_of
from gateway.app.restoring import Restorer
from gateway.app.ruling import RuleKeeper
from gateway.app.strain import Strain
from gateway.app.taking import stands_aside
from gateway.app.telling import Teller, passes_by
from gateway.app.views import PortNews, health_counts, in_words, port_link
from gateway.clock import Clock
from gateway.health import LoopLag, Vitals, absence_of, port_status, status_of
from gateway.health.board import Board
from gateway.health.metrics import exposition
from gateway.health.scrape import Scrape
from gateway.health.statusfile import StatusFile
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.asked import Taped
from gateway.model.bounds import Bound
from gateway.model.inbound import Chunk, Tick
from gateway.model.plan import LinkPlan, StationPlan
from gateway.model.status import Alert, AlertName, Status
from gateway.mqtt.link import Link
from gateway.pipeline import hallway_of
from gateway.points import reached
from gateway.pulse import Pulse
from gateway.transport.recording import Recording
from gateway.transport.supervisor import Port

TICK_S = 1.0
"""How often the passing of time is an input; nothing in the rooms waits for less."""

STATUS_S = 10.0
"""The retained status is told anew at least this often, traffic or not."""

RESTART_S = 1.0
"""Pause after a fault of ours in one duty, before it is taken up again."""

END_NS = 3600 * 10**9
"""Told to the rooms when the watch ends: longer than any of them waits for anything."""

LOOK_S = 0.02
"""How often the start looks whether every port has had its first try."""

UNTRIED = ("waiting", "opening")
"""States of a port that has not been opened; with an error it has been tried."""

Duty = Callable[[], Coroutine[None, None, object]]
"""A task of the watch, begun anew whenever it fails."""


class Watch:
    """All that one station on watch holds in its hands."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plan: StationPlan,
        journal: StandingJournal,
        recorder: Recording | None,
        *,
        clock: Clock,
        log: Log,
        dice: random.Random,
        outside: Outside,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._log = log
        self._journal = journal
        self._recorder = recorder
        self._pipeline = hallway_of(plan, boot=clock.boot)
        self._lines = lines_of(plan, self._pipeline, outside, clock, log, dice)
        self._ports = ports_of(plan, outside, clock=clock, log=log, jitter=dice)
        self._links = tuple(self._link(link, dice) for link in plan.links)
        self._lag = LoopLag(clock)
        self._tick_pulse, self._status_pulse = Pulse(clock), Pulse(clock)
        self._began, self._statuses, self._duties_failed = clock.now(), 0, 0
        self._file = StatusFile(plan.health.status_file) if plan.health.status_file else None
        self._notify, self._scrape = outside.notify, self._scraping(plan.health.prometheus_port)
        self._alerts_written: Mapping[AlertName, Alert] = {}
        self._news = PortNews([port.state for port in self._ports], plan.ports)
        self.board = Board(self._links, clock=clock, log=log)
        self._teller = Teller(journal, self._links, board=self.board, clock=clock, log=log)
        self._rules = self._rule_keeper()
        ports = {port.state.name: port for port in self._ports}
        rooms, told = self._pipeline, (self._teller, self._rules)
        self._ordering = ordering_of(
            plan, rooms, ports, journal, told=told, keys=outside.keys, clock=clock, log=log
        )
        self._authority = self._ordering.authority
        self._transmitting = self._authority.transmitting
        self._advising = Advising(plan, rooms, self._teller, self._transmitting, clock=clock)
        self._alarms = alarms_of(
            plan, self._links, journal, self._teller, board=self.board, clock=clock, log=log
        )
        self._restorer = Restorer(
            journal, rooms, self._links, keep=self._teller.keep, clock=clock, log=log
        )
        self._listening = listening_of(
            plan, ports, rooms, journal, told=told, board=self.board, clock=clock, log=log
        )
        self._looking = self._eye()

    def _link(self, plan: LinkPlan, dice: random.Random) -> Link:
        return Link(
            plan,
            station=self._plan.station,
            outbox=self._journal,
            clock=self._clock,
            log=self._log,
            jitter=dice,
            birth=self._next_status,
            will=self._absence,
            carrier=self._lines.carrier(plan.name),
            obey=lambda command: self._lines.obeying(command, self._ordering.obey),
        )

    def duties(self) -> Iterator[tuple[str, Duty]]:
        """Return every duty of the watch, by name.

        The taking up of incidents ends, and that of rules where no agreement binds.
        """
        for port in self._ports:
            yield f"port {port.state.name}", partial(self._listen, port)
        for link, plan in zip(self._links, self._plan.links, strict=True):
            yield f"link {plan.name}", link.run
        yield from self._lines.duties()
        yield "journal", self._journal.run
        yield "incidents", self._restorer.run
        yield "rules", self._rules.run
        yield "transmitting", self._transmitting.run
        yield "advising", self._advising.run
        yield "listening", self._listening.run
        yield "tell", self._teller.run
        yield "journal afterwards", self._teller.journal_afterwards
        yield "tick", self._tick
        yield "status", self._status
        yield "alarms", self._alarms.run
        yield "lag", self._lag.run
        if self._scrape is not None:
            yield "metrics", self._scrape.run

    def _rule_keeper(self) -> RuleKeeper:
        found = RuleKeeper(
            self._journal,
            self._pipeline,
            self._teller,
            keep_hours=self._plan.journal.keep_hours,
            clock=self._clock,
            log=self._log,
            record=self._record,
        )
        self._lines.state = found.state
        return found

    def _eye(self) -> Looking:
        disk = DiskWatch(self._journal, self._teller, self.board)
        return Looking(
            self._pipeline,
            self._links,
            self._ports,
            self._recorder,
            disk=disk,
            strain=Strain(self._lag, self.board),
            bounds=self.bounds,
            aside=stands_aside(self._plan),
            board=self.board,
            clock=self._clock,
        )

    def _scraping(self, port: int | None) -> Scrape | None:
        if port is None:
            return None
        return Scrape(port, lambda: exposition(self.status()), clock=self._clock, log=self._log)

    def late(self, mono_ns: int) -> Iterator[str]:
        """Return the stages that have made no progress for too long.

        The disk is none of them. When it hangs, what is heard is told all the same, the alarm says
        so, and a gateway started anew would find it no better.
        """
        pulses = [(f"port {port.state.name}", port.pulse) for port in self._ports]
        pulses += [*self._teller.pulses(), ("transmitting", self._transmitting.pulse)]
        pulses += [("alarms", self._alarms.pulse), ("rules", self._rules.pulse)]
        pulses += [*self._lines.pulses(), ("advising", self._advising.pulse)]
        pulses += [("listening", self._listening.pulse)]
        pulses += [("tick", self._tick_pulse), ("status", self._status_pulse)]
        for link, plan in zip(self._links, self._plan.links, strict=True):
            pulses += [(f"link {plan.name}: {name}", pulse) for name, pulse in link.pulses()]
        yield from (name for name, pulse in pulses if pulse.late(mono_ns))
        if self._journal.work.ended:
            yield "journal"

    async def stand(self, name: str, duty: Duty) -> None:
        """Do a duty; a fault of ours in it is logged, costs it a second, and no other duty."""
        while True:
            try:
                await duty()
            except Exception:  # noqa: BLE001  # whatever it is, the others stay on watch
                self._log.exception("duty_failed", duty=name)
                self._duties_failed += 1
                await self._clock.sleep(RESTART_S)
            else:
                return

    async def _listen(self, port: Port) -> None:
        async with aclosing(port.chunks()) as chunks:
            async for chunk in chunks:
                reached("hallway.entered")
                items = self._pipeline.inbound(chunk)
                reached("hallway.left")
                self._teller.keep(items)
                self._record(chunk)
                for ear in (self._rules, self._transmitting, self._listening):
                    ear.heard(items)
                if not passes_by(items):
                    await self._journal.room()
                    await self._teller.give_way()
                await self._clock.sleep(0)  # one chunk, then everybody else's turn

    async def _tick(self) -> None:
        while True:
            self._tick_pulse.beat()
            await self._clock.sleep(TICK_S)
            tick = Tick(self._clock.now())
            self._teller.keep(self._pipeline.tick(tick))
            self._record(tick)

    def give_up_what_is_half_said(self) -> None:
        """Keep what still waits for its other half: nobody will be here to hear it."""
        now = self._clock.now()
        for port in self._plan.ports:
            chunk = Chunk(port.name, now, b"", gap=True)
            self._teller.keep(self._pipeline.inbound(chunk))
            self._record(chunk)
        # No time of day: an hour that nobody has seen must not look like a clock that was moved.
        end = Tick(replace(now, mono_ns=now.mono_ns + END_NS, utc_ns=None))
        self._teller.keep(self._pipeline.tick(end))
        self._record(end)

    async def end(self) -> None:
        """Keep what was heard to the last."""
        self.give_up_what_is_half_said()
        self._teller.keep(self.board.logbook.last())
        self._rules.end()
        self._listening.end()
        await self._teller.end()

    def say_what_is_lost(self) -> None:
        """Say what could not be kept, once the journal is closed."""
        self._teller.say_what_is_lost()

    def _record(self, heard: Taped) -> None:
        """Put what came in on tape, in the order in which the rooms hear it."""
        if self._recorder is not None:
            self._recorder.write(heard)

    async def tried(self) -> None:
        """Wait until every port has been opened, or has been tried in vain."""
        while any(
            port.state.state in UNTRIED and not port.state.last_error for port in self._ports
        ):
            await self._clock.sleep(LOOK_S)

    async def _status(self) -> None:
        """Tell how the box is: ports as they change, the whole every so often."""
        self._looking.look()  # first: what still is true is not taken off, not even for a moment
        self.board.clear_what_is_not([AlertName.JOURNAL, AlertName.JOURNAL_DAMAGE])
        due_ns = 0
        while True:
            self._status_pulse.beat()
            now = self._clock.now()
            self._tell_ports()
            self._teller.keep(self.board.logbook.due())
            due = now.mono_ns >= due_ns
            if due or self._alerts_written != self.board.standing:
                self._write(self.status)
            if due:
                self._teller.retain("status", self._next_status())
                due_ns = now.mono_ns + int(STATUS_S * 1e9)
            await self._clock.sleep(TICK_S / 2)
            self._looking.look()

    def _tell_ports(self) -> None:
        for name, state in self._news.since(self._clock.now()):
            self._teller.retain(f"port/{name}", state)

    def bounds(self) -> Iterator[Bound]:
        """Yield each place that lives as long as this watch and in which things wait."""
        yield from self._pipeline.bounds()
        yield from self._journal.bounds()
        yield from self._teller.bounds()
        for owner in (
            self._ordering,
            self._transmitting,
            self._advising,
            self._lines,
            self._listening,
        ):
            yield from owner.bounds()
        if self._recorder is not None:
            yield from self._recorder.bounds()
        for link in self._links:
            yield from link.bounds()

    def _write(self, status: Callable[[], Status]) -> None:
        """Put this status into the file; without one nobody is asked for it."""
        self._alerts_written = dict(self.board.standing)
        if self._file is not None:
            self._file.write(status())

    def leave(self) -> None:
        """Say in the file that nobody is on watch any more."""
        self._write(self._absence)

    def words(self) -> str:
        """Return how the box is in one line."""
        return in_words(
            [port.state for port in self._ports],
            [link.state() for link in self._links],
            self.board.standing,
        )

    def _absence(self) -> Status:
        """Return what is to be said of the station when it just vanishes."""
        return absence_of(self._plan.station, version=__version__, epoch=self._journal.epoch)

    def _next_status(self) -> Status:
        self._statuses += 1
        return self.status()

    def status(self) -> Status:
        """Return how the box is now."""
        now, teller = self._clock.now(), self._teller
        journal = replace(
            self._journal.counts(),
            shed=teller.shed,
            waiting=len(teller.owed),
            lost=teller.owed.lost,
        )
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
                        port_link(port.state, plan, now),
                        self._pipeline.ears[plan.name].count,
                    )
                    for port, plan in zip(self._ports, self._plan.ports, strict=True)
                },
                links=self._lines.standing(self._links, journal.outbox),
                journal=journal,
                loop_lag_ms_max=self._lag.ms_max,
                loop_lag_ms_p999=self._lag.ms_at(0.999),
                bounds=self.bounds(),
                duties_failed=self._duties_failed,
                incident_errors=self._pipeline.incident_errors,
                rule_errors=self._pipeline.docket.bench.rule_errors,
                agreements=binding_digests(self._plan),
                orders_refused=self._authority.refused,
                health=health_counts(self._file, self._notify, self._scrape),
                alerts=self.board.standing,
                clock=self._pipeline.timekeeping.status(now, leap=self._clock.held.leap),
            )
        )
