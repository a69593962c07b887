"""One broker, told everything: distress on a connection of its own, routine on another.

What is not routine is read from the outbox and signed for. Routine goes out as it comes, or as the
last known place of its craft; it is dropped, and counted, rather than ever made to wait.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from msgspec import MsgspecError, Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.entry import Entry, Lane
from gateway.model.inbound import Report, Ruling
from gateway.model.plan import LinkPlan
from gateway.model.words import Kind, Mode, Relation
from gateway.mqtt.bus import Bus, Outgoing
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.memory import Memory
from gateway.mqtt.outbox import Outbox, Pump, PumpCount
from gateway.mqtt.payload import Writer
from gateway.mqtt.positions import Positions
from gateway.mqtt.states import States
from gateway.mqtt.topics import STATUS, Topics, TopicUnsafe, name_of

DISTRESS_WIDTH = 10
"""Distress entries unsigned at once."""

URGENT_WIDTH = 8
"""Urgency and safety entries unsigned at once. With distress, a state and an unjournaled entry
they fill the window of twenty exactly: none of them ever waits for another."""

FLUSH_S = 0.1
"""How often last known places are told."""

FLUSH_MAX = 100
"""Places told each time: ten times what both AIS channels can carry (75 slots a second)."""


class Carrier(Protocol):
    """What makes a connection of a link; tests hand in one without a network."""

    def __call__(
        self,
        plan: LinkPlan,
        *,
        lane: str,
        clock: Clock,
        log: Log,
        jitter: random.Random,
        will: Callable[[], Outgoing] | None = None,
    ) -> Bus:
        """Return a connection that is not running yet."""


class LinkState(Struct, frozen=True, kw_only=True):
    """How a link stands, for the station's status."""

    name: str
    distress_connected: bool
    routine_connected: bool
    connects: int
    """Connections of the distress lane made since the start."""
    last_error: str | None
    published: int
    """Entries that the broker signed for."""
    refused: int
    """Times that the broker refused an entry or a state."""
    unwritable: int
    """Entries that no record could be made of. Always 0, or please report it."""
    outbox_errors: int
    """Times that the outbox could not be read or struck out."""
    offered: int
    """Routine records and places handed to the broker."""
    dropped: int
    """Routine records that the link was not up for, or could not keep up with."""
    conflated: int
    """Places that a newer one of the same craft replaced before they were told."""
    evicted: int
    """Places never told because too many craft were about."""
    places_waiting: int
    unjournaled_told: int
    unjournaled_waiting: int
    unjournaled_lost: int


class Link:
    """All that one broker is told."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        plan: LinkPlan,
        *,
        station: str,
        outbox: Outbox,
        clock: Clock,
        log: Log,
        jitter: random.Random,
        birth: Callable[[], Struct],
        will: Callable[[], Struct],
        carrier: Carrier = MqttBus,
    ) -> None:
        self._plan = plan
        self._station = station
        self._clock = clock
        self._log = log.bind(link=plan.name)
        self._topics = Topics(station)
        self._writer = Writer(self._topics, plan.payload, station=station)
        self._urgent = carrier(
            plan,
            lane="distress",
            clock=clock,
            log=log,
            jitter=jitter,
            will=lambda: self._writer.state(STATUS, will()),
        )
        self._routine = carrier(plan, lane="routine", clock=clock, log=log, jitter=jitter)
        self._count = PumpCount()
        self._distress = self._pump((Lane.DISTRESS,), DISTRESS_WIDTH, None, outbox)
        self._second = self._pump((Lane.URGENCY, Lane.SAFETY), URGENT_WIDTH, self._distress, outbox)
        self._memory = Memory(self._urgent, write=self._unjournaled, clock=clock, log=self._log)
        self._states = States(
            self._urgent, birth=lambda: self._writer.state(STATUS, birth()), log=self._log
        )
        self._positions = Positions(plan.position_interval_s)
        self._prompt: tuple[int, str, int] | None = None
        self._offered = 0
        self._dropped = 0

    async def run(self) -> None:
        """Tell the broker until cancelled; then have it say that we left, and leave in order."""
        async with asyncio.TaskGroup() as group:
            for name, duty in (
                ("distress connection", self._urgent.run()),
                ("routine connection", self._routine.run()),
                ("distress pump", self._distress.run()),
                ("urgent pump", self._second.run()),
                ("unjournaled", self._memory.run()),
                ("states", self._states.run()),
                ("places", self._tell_places()),
                ("birth", self._states.watch()),
            ):
                group.create_task(duty, name=f"{self._plan.name}: {name}")

    def tell(self, entry: Entry) -> None:
        """Take note of an entry that is on disk: have it read from there, or tell it as it is."""
        self._note(entry)
        if entry.lane is Lane.DISTRESS:
            self._distress.wake()
        elif entry.lane is not Lane.ROUTINE:
            self._second.wake()
        else:
            self._tell_routine(entry)

    def tell_unjournaled(self, entry: Entry) -> None:
        """Tell an entry that the disk could not take, from memory."""
        if entry.lane is Lane.ROUTINE:
            self._tell_routine(entry)
        else:
            self._memory.put(entry)

    def retain(self, topic_suffix: str, payload: Struct | None) -> None:
        """Let a state stand on the broker, named by its levels; None takes it off."""
        self._states.put(self._writer.state(topic_suffix, payload))

    def state(self) -> LinkState:
        """Return how this link stands now."""
        return LinkState(
            name=self._plan.name,
            distress_connected=self._urgent.connected,
            routine_connected=self._routine.connected,
            connects=self._urgent.connects,
            last_error=self._urgent.last_error or self._routine.last_error,
            published=self._count.published,
            refused=self._count.refused + self._states.count.refused,
            unwritable=self._count.unwritable,
            outbox_errors=self._count.errors,
            offered=self._offered,
            dropped=self._dropped,
            conflated=self._positions.conflated,
            evicted=self._positions.evicted,
            places_waiting=len(self._positions),
            unjournaled_told=self._memory.told,
            unjournaled_waiting=len(self._memory),
            unjournaled_lost=self._memory.lost,
        )

    def _pump(
        self, lanes: tuple[Lane, ...], width: int, after: Pump | None, outbox: Outbox
    ) -> Pump:
        return Pump(
            self._plan.name,
            lanes,
            width=width,
            after=after,
            outbox=outbox,
            bus=self._urgent,
            write=self._journaled,
            count=self._count,
            clock=self._clock,
            log=self._log,
        )

    async def _tell_places(self) -> None:
        """Tell the newest place of each craft, no more often than the plan says."""
        retain = self._plan.version == "5"  # nothing would ever take it off a 3.1.1 broker again
        while True:
            await self._clock.sleep(FLUSH_S)
            now = self._clock.now()
            if not self._routine.connected:
                continue
            for topic, entry in self._positions.due(now.mono_ns, FLUSH_MAX):
                place = self._writer.position(
                    entry, topic, published_utc_ns=now.utc_ns, retain=retain
                )
                if not self._routine.offer(place):
                    break
                self._offered += 1
                self._positions.told(topic, now.mono_ns)

    def _tell_routine(self, entry: Entry) -> None:
        """Tell a report as the place of its craft, or as it is, or both, as the plan says."""
        if not isinstance(entry.item, Ruling):
            return
        sighting = entry.item.sighting
        first = sighting.relation is not Relation.COPY
        topic = self._place_of(sighting.report)
        if topic is not None and first:
            self._positions.put(topic, entry)
        if self._plan.positions == "every" or (first and topic is None):
            self._offer(entry)

    def _place_of(self, report: Report) -> str | None:
        """Return the topic of the craft's last known place; None when this report states none."""
        if report.kind is not Kind.POSITION or report.mode is not Mode.REAL:
            return None
        name = self._station if report.system == "gnss" else name_of(report.sender)
        if name is None or report.position is None:
            return None
        try:
            return self._topics.position(report.system, name)
        except TopicUnsafe:
            return None

    def _offer(self, entry: Entry) -> None:
        if not self._routine.connected:
            self._dropped += 1
            return
        try:
            record = self._writer.record(
                entry, published_utc_ns=self._clock.now().utc_ns, waited=False
            )
        except (MsgspecError, TopicUnsafe):
            self._count.unwritable += 1
            self._log.exception("entry_unwritable", number=entry.number)
            return
        if self._routine.offer(record):
            self._offered += 1
        else:
            self._dropped += 1

    def _journaled(self, entry: Entry) -> Outgoing:
        return self._unjournaled(entry, self._waited(entry))

    def _unjournaled(self, entry: Entry, waited: bool) -> Outgoing:  # noqa: FBT001  # as Memory calls it
        return self._writer.record(entry, published_utc_ns=self._clock.now().utc_ns, waited=waited)

    def _note(self, entry: Entry) -> None:
        """Remember the first entry that this connection was up for."""
        present = (self._urgent.connects, entry.epoch)
        if self._urgent.connected and (self._prompt is None or self._prompt[:2] != present):
            self._prompt = (*present, entry.number)

    def _waited(self, entry: Entry) -> bool:
        """Return whether an entry was on disk before there was a link to tell it on."""
        if self._prompt is None:
            return True
        connects, epoch, number = self._prompt
        return (connects, epoch) != (self._urgent.connects, entry.epoch) or entry.number < number
