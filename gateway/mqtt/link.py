"""One broker, told everything: distress on a connection of its own, routine on another.

What is not routine is read from the outbox and signed for, by the broker or by a consumer of record
behind it. Routine goes out as it comes, or as the last known place of its craft; it is dropped, and
counted, rather than ever made to wait.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane
from gateway.model.incident import IncidentNote
from gateway.model.plan import PUBACK, LinkPlan
from gateway.mqtt.bus import Bus, Outgoing
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.commands import CommandCount, Commands, Obey
from gateway.mqtt.counts import PumpCount
from gateway.mqtt.downs import Downs
from gateway.mqtt.exports import Exports
from gateway.mqtt.late import Late
from gateway.mqtt.linkstate import LinkState
from gateway.mqtt.memory import Memory
from gateway.mqtt.outbox import Pump
from gateway.mqtt.payload import Writer
from gateway.mqtt.protection import Protection
from gateway.mqtt.receipts import Receipts
from gateway.mqtt.renewal import Renewal
from gateway.mqtt.requests import Archive, RequestCount, Requests
from gateway.mqtt.routine import Routine
from gateway.mqtt.states import States
from gateway.mqtt.topics import STATUS, Topics
from gateway.mqtt.troubles import Troubles
from gateway.pulse import PULSE_S, Pulse

DISTRESS_WIDTH = 10
"""Distress entries unsigned at once."""

URGENT_WIDTH = 8
"""Urgency and safety entries unsigned at once. With distress, a state and an unjournaled entry
they fill the window of twenty exactly: none of them ever waits for another."""

BEAT_S = 1.0
"""How often it is looked whether something is to be told again."""


class Carrier(Protocol):
    """What makes a connection of a link; tests hand in one without a network."""

    def __call__(  # noqa: PLR0913  # see MqttBus
        self,
        plan: LinkPlan,
        *,
        lane: str,
        clock: Clock,
        log: Log,
        jitter: random.Random,
        will: Callable[[], Outgoing] | None = None,
        topics: Sequence[str] = (),
        protection: Protection | None = None,
    ) -> Bus:
        """Return a connection that is not running yet."""


class Link:
    """All that one broker is told."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plan: LinkPlan,
        *,
        station: str,
        outbox: Archive,
        clock: Clock,
        log: Log,
        jitter: random.Random,
        birth: Callable[[], Struct],
        will: Callable[[], Struct],
        carrier: Carrier = MqttBus,
        obey: Obey | None = None,
    ) -> None:
        self._plan = plan
        self._station = station
        self._clock = clock
        self._log = log.bind(link=plan.name)
        self._topics = Topics(station)
        self._writer = Writer(self._topics, plan.payload, station=station)
        protection = Protection(plan.tls)
        connect = partial(carrier, plan, clock=clock, log=log, jitter=jitter)
        proven = partial(connect, protection=protection)
        self._urgent = proven(lane="distress", will=lambda: self._writer.state(STATUS, will()))
        self._routine = Routine(
            plan,
            station=station,
            bus=proven(lane="routine"),
            writer=self._writer,
            clock=clock,
            log=self._log,
        )
        self._count = PumpCount()
        self._distress = self._pump((Lane.DISTRESS,), DISTRESS_WIDTH, None, outbox)
        self._second = self._pump((Lane.URGENCY, Lane.SAFETY), URGENT_WIDTH, self._distress, outbox)
        self._receipts = self._signing(proven, outbox)
        self._requests = self._asking(proven, outbox)
        self._commands = self._ordering(proven, obey)
        self._renewal = Renewal(
            plan.name,
            protection,
            urgent=self._urgent,
            others=[bus for _, bus in self._buses if bus is not self._urgent],
            trial=lambda fresh: connect(lane="trial", protection=fresh),
            pumps=(self._distress, self._second),
            clock=clock,
            log=self._log,
        )
        self._memory = Memory(self._urgent, write=self._unjournaled, clock=clock, log=self._log)
        self._states = States(
            self._urgent,
            birth=lambda: self._writer.state(STATUS, birth()),
            troubles=Troubles(self._topics.incident),
            exports=Exports(self._topics, plan.exports, log=self._log),
            write=self._standing,
            clock=clock,
            log=self._log,
        )
        self._late, self._downs = Late(self._urgent), Downs()
        self._pulse = Pulse(clock)

    async def run(self) -> None:
        """Tell the broker until cancelled; then have it say that we left, and leave in order."""
        async with asyncio.TaskGroup() as group:
            for name, duty in self._duties():
                group.create_task(duty, name=f"{self._plan.name}: {name}")

    def tell(self, entry: Entry) -> None:
        """Take note of an entry that is on disk: have it read from there, or tell it as it is."""
        self._late.note(entry)
        self._show(entry)
        if entry.lane is Lane.DISTRESS:
            self._distress.tell(entry)
        elif entry.lane is not Lane.ROUTINE:
            self._second.tell(entry)
        else:
            self._routine.tell(entry)

    def tell_unjournaled(self, entry: Entry) -> None:
        """Tell an entry that the disk could not take, from memory."""
        self._show(entry)
        self._states.export(entry)
        if entry.lane is Lane.ROUTINE:
            self._routine.tell(entry)
        else:
            self._memory.put(entry)

    def tell_afterwards(self, entry: Entry) -> None:
        """Tell an entry that the disk took in the end once more, as late, and with its number."""
        self._late.afterwards(entry)
        self._memory.forget(entry.body)
        self.tell(entry)

    def unsigned(self, owed: Sequence[tuple[Entry, int]]) -> Sequence[tuple[Entry, int]]:
        """Return each distress without a number that is not signed for, and since when.

        What the disk owes can't be signed for by a consumer of record: it has no number.
        """
        waiting = self._memory.distress()
        if self._receipts is None:
            return waiting
        bodies = {entry.body for entry, _ in owed}
        return [*owed, *(one for one in waiting if one[0].body not in bodies)]

    def retain(self, topic_suffix: str, payload: Struct | None) -> None:
        """Let a state stand on the broker, named by its levels; None takes it off."""
        self._states.put(self._writer.state(topic_suffix, payload))

    def show(self, entry: Entry, note: IncidentNote) -> None:
        """Let an incident stand on the broker as this entry has it, and tell nobody else."""
        self._states.show(entry, note)

    def bounds(self) -> Iterator[Bound]:
        """Yield each place of this link where something waits or is remembered."""
        owners = (self._memory, self._routine.places, self._states, self._late)
        for owner in (*owners, self._distress, self._second):
            yield from owner.bounds()

    def pulses(self) -> Iterator[tuple[str, Pulse]]:
        """Return the pulse of each duty that has one, by its name; ADR 14 says which need none."""
        yield "distress pump", self._distress.pulse
        yield "urgent pump", self._second.pulse
        yield "beat", self._pulse
        yield "unjournaled", self._memory.pulse
        yield "states", self._states.pulse
        yield "certificates", self._renewal.pulse
        if self._receipts is not None:
            yield "receipts", self._receipts.pulse
        if self._requests is not None:
            yield "requests", self._requests.pulse
        if self._commands is not None:
            yield "commands", self._commands.pulse

    def poison(self) -> tuple[int, ...]:
        """Return the entries that could not be told time and again."""
        return (*self._distress.poison(), *self._second.poison())

    def unjournaled_poison(self) -> tuple[bytes, ...]:
        """Return the bodies of those without a number."""
        return self._memory.poison()

    def state(self) -> LinkState:
        """Return how this link stands now."""
        pumps = (self._distress, self._second)
        since_ns = [pump.unsigned_since_ns for pump in pumps if pump.unsigned_since_ns is not None]
        signing = self._receipts
        routine, places = self._routine.count, self._routine.places
        now_ns = self._clock.now().mono_ns
        return LinkState(
            name=self._plan.name,
            distress_connected=self._urgent.connected,
            routine_connected=self._routine.bus.connected,
            receipts_connected=signing is None or signing.bus.connected,
            retains=all(bus.retains for _, bus in self._buses),
            connects=self._urgent.connects,
            last_error=next((bus.last_error for _, bus in self._buses if bus.last_error), None),
            down=self._downs.lasting(now_ns),
            certificates=self._renewal.statuses(),
            certificates_replaced=self._renewal.renewed,
            certificate_trouble=self._renewal.trouble(),
            disputed=tuple(name for _, bus in self._buses if (name := bus.disputed)),
            published=self._count.published,
            resent=self._count.resent,
            unsigned=sum(pump.unsigned for pump in pumps),
            oldest_unsigned_s=round((now_ns - min(since_ns)) / 1e9, 1) if since_ns else None,
            receipts=signing.count.taken if signing else 0,
            receipts_refused=signing.count.refused if signing else 0,
            requests=replace(self._requests.count) if self._requests else RequestCount(),
            exports=replace(self._states.exports.count),
            commands=replace(self._commands.count) if self._commands else CommandCount(),
            poison=self.poison(),
            refused=self._count.refused + self._states.count.refused,
            unwritable=self._count.unwritable + routine.unwritable,
            outbox_errors=self._count.errors + (signing.count.errors if signing else 0),
            offered=routine.offered,
            dropped=routine.dropped,
            throttled=routine.throttled,
            conflated=places.conflated,
            overflowed=sum(bus.overflowed for _, bus in self._buses),
            unjournaled_told=self._memory.told,
            unjournaled_waiting=len(self._memory),
            unjournaled_lost=self._memory.lost,
            unjournaled_poison=self.unjournaled_poison(),
        )

    @property
    def _buses(self) -> Iterator[tuple[str, Bus]]:
        yield "distress", self._urgent
        yield "routine", self._routine.bus
        if self._receipts is not None:
            yield "receipts", self._receipts.bus
        if self._requests is not None:
            yield "requests", self._requests.bus
        if self._commands is not None:
            yield "commands", self._commands.bus

    def _pump(
        self, lanes: tuple[Lane, ...], width: int, after: Pump | None, outbox: Archive
    ) -> Pump:
        return Pump(
            self._plan.name,
            lanes,
            width=width,
            receipts=self._plan.receipts != PUBACK,
            after=after,
            outbox=outbox,
            bus=self._urgent,
            write=self._journaled,
            count=self._count,
            clock=self._clock,
            log=self._log,
        )

    def _signing(self, connect: Callable[..., Bus], outbox: Archive) -> Receipts | None:
        """Return what takes receipts; None when nobody but the broker signs."""
        if self._plan.receipts == PUBACK:
            return None
        topic = self._topics.receipt(self._plan.receipts)
        # A connection of its own: whoever may not be heard, or says too much, must not cost the
        # distress its connection.
        bus = connect(lane="receipts", topics=(topic,))
        return Receipts(
            self._plan.name,
            topic,
            bus=bus,
            outbox=outbox,
            pumps=(self._distress, self._second),
            clock=self._clock,
            log=self._log,
        )

    def _asking(self, connect: Callable[..., Bus], outbox: Archive) -> Requests | None:
        """Return what answers requests; None when no consumer is named."""
        consumer = self._plan.receipts
        if consumer == PUBACK:
            return None
        topic = self._topics.request(consumer)
        # A connection of its own again: a request takes its time, and no receipt waits for that.
        bus = connect(lane="requests", topics=(topic,))
        return Requests(
            station=self._station,
            topic=topic,
            answer_topic=self._topics.answer(consumer),
            bus=bus,
            archive=outbox,
            after=(self._distress, self._second),
            write=partial(self._unjournaled, waited=True),
            close=self._writer.closing,
            clock=self._clock,
            log=self._log,
        )

    def _ordering(self, connect: Callable[..., Bus], obey: Obey | None) -> Commands | None:
        """Return what takes commands; None where nobody may give any."""
        if obey is None or not self._plan.commands:
            return None
        # A connection of its own once more: a flood of orders is nobody's but the orderer's.
        topics = tuple(map(self._topics.command, ("incident", "statement", "transmit")))
        bus = connect(lane="commands", topics=topics)
        return Commands(
            self._topics,
            station=self._station,
            bus=bus,
            obey=obey,
            write=self._writer.closing,
            clock=self._clock,
            log=self._log,
        )

    def _duties(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        yield "distress connection", self._urgent.run()
        yield "routine connection", self._routine.bus.run()
        yield "distress pump", self._distress.run()
        yield "urgent pump", self._second.run()
        yield "beat", self._beat()
        yield "again", self._tell_again()
        yield "unjournaled", self._memory.run()
        yield "states", self._states.run()
        yield "places", self._routine.run()
        yield "birth", self._states.watch()
        if self._renewal.protection.protected:
            yield "certificates", self._renewal.run()
        if self._receipts is not None:
            yield "receipts connection", self._receipts.bus.run()
            yield "receipts", self._receipts.run()
        if self._requests is not None:
            yield "requests connection", self._requests.bus.run()
            yield "requests", self._requests.run()
        if self._commands is not None:
            yield "commands connection", self._commands.bus.run()
            yield "commands", self._commands.run()

    async def _beat(self) -> None:
        while True:
            self._pulse.beat(BEAT_S + PULSE_S)
            await self._clock.sleep(BEAT_S)
            self._distress.beat()
            self._second.beat()
            standing = ((lane, bus.connected) for lane, bus in self._buses)
            self._downs.look(standing, self._clock.now().mono_ns)

    async def _tell_again(self) -> None:
        """Have each new connection told all that is not ended."""
        seen = 0
        while True:
            seen = await self._urgent.wait_reconnected(seen)
            self._distress.wake()
            self._second.wake()

    def _show(self, entry: Entry) -> None:
        if isinstance(entry.item, IncidentNote):
            self._states.show(entry, entry.item)

    def _standing(self, entry: Entry) -> Outgoing:
        return self._writer.incident(entry, published_utc_ns=self._clock.now().utc_ns)

    def _journaled(self, entry: Entry, again: bool) -> Outgoing:  # noqa: FBT001  # as Pump calls it
        self._states.export(entry)
        return self._unjournaled(entry, again or self._late.waited(entry))

    def _unjournaled(self, entry: Entry, waited: bool) -> Outgoing:  # noqa: FBT001  # as Memory calls it
        return self._writer.record(entry, published_utc_ns=self._clock.now().utc_ns, waited=waited)
