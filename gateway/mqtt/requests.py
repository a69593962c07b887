"""The consumer of record asks for a range of numbers again, and can prove what it has of it.

Answered from the disk, slowly, and on a connection of its own: nothing that is told for the first
time waits for it. What comes in here may be hostile: it costs a bounded piece of work, and nobody
but itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import MsgspecError, Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.entry import Entry, Lane
from gateway.mqtt.bus import Bus, Incoming, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.limits import SIGNED_S_MAX
from gateway.mqtt.outbox import Outbox, Pump
from gateway.mqtt.ranges import (
    Account,
    Answer,
    Fault,
    Request,
    is_at_or_below,
    refusal_of,
    request_of,
)
from gateway.mqtt.topics import TopicUnsafe
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

READ_ROWS = 100
"""Rows read from the disk at a time: a few milliseconds of it."""

GIVE_WAY_S_MAX = 1.0
"""How long each of these waits until all that is told for the first time is out of the way."""

TOLD_TOGETHER = 20
"""Records under way at once. What mosquitto takes by default."""

PAUSE_S = 0.1
"""After each reading, each so many records and each request: at most two hundred records and ten
requests a second."""


class Archive(Outbox, Protocol):
    """What is on disk, told or not. The journal is one."""

    @property
    def number_last(self) -> int:
        """The newest number given."""

    async def entries(self, *, first: int = 1, limit: int) -> tuple[Entry, ...]:
        """Return what is still kept from this number on, by number; nothing damaged."""

    async def damaged(self, *, first: int, last: int) -> tuple[int, ...]:
        """Return the numbers in this range whose rows were found damaged."""


class RequestCount(Struct):
    """What became of the requests of a link."""

    answered: int = 0
    """Requests answered to the end."""
    refused: int = 0
    """Requests that could not be read, or ask for what can't be had."""
    broken_off: int = 0
    """Requests that were not answered to the end: whoever asked has to ask again."""
    records: int = 0
    """Records told in answers."""


class _Reply(Struct, frozen=True):
    """Where an answer goes, and what it is known by there."""

    topic: str
    correlation: bytes | None

    def addressed(self, outgoing: Outgoing) -> Outgoing:
        """Return a publication as part of this answer."""
        return replace(outgoing, topic=self.topic, qos=1, correlation=self.correlation)


class Requests:
    """What one consumer asks of one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        *,
        station: str,
        topic: str,
        answer_topic: str,
        bus: Bus,
        archive: Archive,
        after: Sequence[Pump],
        write: Callable[[Entry], Outgoing],
        close: Callable[[Answer], Outgoing],
        clock: Clock,
        log: Log,
    ) -> None:
        self._station = station
        self._topic = topic
        self._answer_topic = answer_topic
        self.bus = bus
        self._archive = archive
        self._after = tuple(after)
        self._write = write
        self._close = close
        self._clock = clock
        self._log = log
        self._said: Fault | None = None
        self.count = RequestCount()
        self.pulse = Pulse(clock)
        """Not due while the consumer or the disk has the next move."""

    async def run(self) -> None:
        """Answer one request after the other, for ever."""
        self.pulse.rest()
        async for incoming in self.bus.received():
            self.pulse.beat()
            reached("request.heard")
            try:
                await self._take(incoming)
            except Exception as error:  # noqa: BLE001  # whoever asked sees no end, and asks again
                self.count.broken_off += 1
                self._log.warning("request_broken_off", error=repr(error))
            self.pulse.beat()
            await self._clock.sleep(PAUSE_S)
            self.pulse.rest()

    async def _take(self, incoming: Incoming) -> None:
        if incoming.topic != self._topic or incoming.retained:
            self._refuse(Fault.KEPT if incoming.retained else Fault.TOPIC)
            return
        request = request_of(incoming)
        if isinstance(request, Fault):
            await self._tell_refusal(None, request, incoming)
            return
        fault = self._fault(request, incoming)
        if fault is not None:
            await self._tell_refusal(request, fault, incoming)
            return
        wanted = incoming.response_topic or request.response_topic or self._answer_topic
        await self._answer(request, _Reply(wanted, incoming.correlation))

    def _fault(self, request: Request, incoming: Incoming) -> Fault | None:
        wanted = incoming.response_topic or request.response_topic
        if wanted and not is_at_or_below(self._answer_topic, wanted):
            return Fault.ELSEWHERE
        return refusal_of(request, epoch=self._archive.epoch)

    def _refuse(self, reason: Fault) -> None:
        self.count.refused += 1
        # Said once, not each time: who floods us with them shall not flood the log.
        say = self._log.debug if reason == self._said else self._log.warning
        say("request_refused", reason=reason)
        self._said = reason

    async def _tell_refusal(self, asked: Request | None, fault: Fault, incoming: Incoming) -> None:
        """Say why nothing is answered, and always on the consumer's own topic."""
        self._refuse(fault)
        answer = Answer(
            station=self._station,
            epoch=self._archive.epoch,
            number_last=self._archive.number_last,
            first=asked.first if asked else None,
            last=asked.last if asked else None,
            refused=fault.value,
        )
        known_by = None if fault is Fault.TOO_LONG else incoming.correlation
        reply = _Reply(self._answer_topic, known_by)
        self.pulse.beat(SIGNED_S_MAX + PULSE_S)
        await self.bus.publish(reply.addressed(self._close(answer)))

    async def _answer(self, request: Request, reply: _Reply) -> None:
        account = Account(request, self._archive.number_last)
        first = request.first
        while first <= account.last:
            self.pulse.rest()
            rows = await self._archive.entries(first=first, limit=READ_ROWS)
            self.pulse.beat()
            wanted = [row for row in rows if self._is_wanted(row, account)]
            for place in range(0, len(wanted), TOLD_TOGETHER):
                await self._tell(wanted[place : place + TOLD_TOGETHER], account, reply)
            first = rows[-1].number + 1 if rows else account.last + 1
            await self._clock.sleep(PAUSE_S)
        self.pulse.rest()
        damaged = await self._archive.damaged(first=request.first, last=account.last)
        self.pulse.beat(SIGNED_S_MAX + PULSE_S)
        answer = account.closed(damaged, station=self._station, epoch=self._archive.epoch)
        await self.bus.publish(reply.addressed(self._close(answer)))
        self.count.answered += 1
        reached("request.answered")

    def _is_wanted(self, row: Entry, account: Account) -> bool:
        if row.number > account.last:
            return False
        if row.lane is Lane.ROUTINE and not account.request.routine:
            account.routine.add(row.number)
            return False
        return True

    async def _tell(self, rows: Sequence[Entry], account: Account, reply: _Reply) -> None:
        """Tell some records, in their order, when nothing urgent has to be told."""
        await self._give_way()
        self.pulse.beat(SIGNED_S_MAX + PULSE_S)
        lost: list[LinkLost] = []
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(self._tell_one(row, account, reply, lost))
        if lost:
            raise lost[0]
        self.pulse.beat()
        await self._clock.sleep(PAUSE_S)

    async def _tell_one(
        self, row: Entry, account: Account, reply: _Reply, lost: list[LinkLost]
    ) -> None:
        try:
            await self.bus.publish(reply.addressed(self._write(row)))
        except LinkLost as error:
            lost.append(error)
        except (PublishRefused, MsgspecError, TopicUnsafe) as error:
            account.untold.add(row.number)
            self._log.error("answer_refused", number=row.number, refusal=str(error))
        else:
            account.told.add(row.number)
            self.count.records += 1

    async def _give_way(self) -> None:
        """Let all that is urgent come to rest first; but a flood of it must not silence us."""
        for pump in self._after:
            await self.pulse.wait(pump.resting.wait(), GIVE_WAY_S_MAX)
