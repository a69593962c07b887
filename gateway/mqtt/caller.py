"""An operator at a command line: sees what stands, orders, hears what came of it, and leaves.

An ordinary client of the broker: it sees and may do what the broker lets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import msgspec
from msgspec import MsgspecError, Struct

from gateway.model.command import IncidentCommand, Outcome
from gateway.model.plan import LinkPlan
from gateway.mqtt.bus import Incoming, LinkLost, Outgoing
from gateway.mqtt.client import Wire
from gateway.mqtt.payload import IncidentRecord
from gateway.mqtt.topics import ROOT, Topics

STANDING_S_MAX = 3.0
"""Until the first status: a broker far away takes a second to say what stands."""

QUIET_S = 0.3
"""Nothing more for so long after a status: that was all."""

OUTCOME_S_MAX = 5.0
"""Until the outcome: the gateway waits two seconds for a disk that hangs."""

OUTCOME = "the outcome"
"""What came in, when it can't be read."""

RECORDS_MAX = 16_384
"""Incidents that are listed: what four stations can have at once."""


class Standing(Struct, frozen=True):
    """What stood on a broker when it was asked."""

    records: tuple[IncidentRecord, ...]
    online: dict[str, bool]
    """Of each station that says something of itself."""
    unread: int
    """Records of which nothing could be made."""


class Caller:
    """One connection, and what is asked over it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def standing(self, station: str) -> Standing:
        """Return each incident of a station, or with `+` of all of them, as the broker has it."""
        root = f"{ROOT}/{station}"
        modes = ("", "test/", "exercise/")
        # The status last: what was asked for before it has been told when it comes.
        topics = [*(f"{root}/{mode}incident/+" for mode in modes), f"{root}/status"]
        await self._wire.subscribe_all(topics)
        records: dict[str, IncidentRecord] = {}
        online: dict[str, bool] = {}
        unread = 0
        async with aclosing(self._until_quiet(online)) as told:
            async for incoming in told:
                if incoming.topic.endswith("/status"):
                    online[incoming.topic.split("/")[-2]] = _online(incoming.payload)
                    continue
                record = _record(incoming.payload)
                if record is not None and len(records) < RECORDS_MAX:
                    records[incoming.topic] = record
                elif incoming.payload:
                    unread += 1
        return Standing(tuple(records.values()), online, unread)

    async def order(self, station: str, command: IncidentCommand) -> Outcome | None:
        """Give an order and return its outcome; None when none came in time."""
        topics = Topics(station)
        outcome = topics.outcome(command.command_id)
        await self._wire.subscribe_all([outcome])
        payload = msgspec.json.encode(command)
        await self._wire.publish_signed(
            Outgoing(
                topic=topics.command("incident"),
                payload=payload,
                qos=1,
                content_type="application/json",
            )
        )
        try:
            async with asyncio.timeout(OUTCOME_S_MAX):
                while True:
                    incoming = await self._next()
                    if incoming.topic == outcome and not incoming.retained:
                        return _outcome(incoming.payload)
        except TimeoutError:
            return None

    async def _until_quiet(self, online: dict[str, bool]) -> AsyncGenerator[Incoming, None]:
        """Yield what is told until a station has said how it is, and nothing more comes."""
        while True:
            try:
                async with asyncio.timeout(QUIET_S if online else STANDING_S_MAX):
                    incoming = await self._next()
            except TimeoutError:
                return
            yield incoming

    async def _next(self) -> Incoming:
        incoming = await self._wire.receive()
        self._wire.acknowledge(incoming)
        return incoming


@asynccontextmanager
async def calling(plan: LinkPlan) -> AsyncIterator[Caller]:
    """Give a connection to the broker of a link, by a name that the broker chooses.

    Raises:
        LinkLost: the broker can't be reached, or the connection ended.
        SubscribeRefused: the broker won't tell us.
        PublishRefused: the broker takes no orders from us.
        CredentialFault: a file of the plan is no use.
    """
    wire = Wire(plan, client_id="", name=f"{plan.host}:{plan.port}")
    try:
        await wire.open()
        yield Caller(wire)
    finally:
        await wire.close()


class _Status(Struct):
    state: str


_Kind = TypeVar("_Kind")


def _record(payload: bytes) -> IncidentRecord | None:
    return _decoded(payload, IncidentRecord)


def _outcome(payload: bytes) -> Outcome:
    outcome = _decoded(payload, Outcome)
    if outcome is None:
        words = "it can't be read"
        raise LinkLost(OUTCOME, words)
    return outcome


def _online(payload: bytes) -> bool:
    status = _decoded(payload, _Status)
    return status is not None and status.state == "online"


def _decoded(payload: bytes, kind: type[_Kind]) -> _Kind | None:
    try:
        # A map of msgpack never begins with a brace: that is a small number there.
        if payload[:1] == b"{":
            return msgspec.json.decode(payload, type=kind)
        return msgspec.msgpack.decode(payload, type=kind)
    except (MsgspecError, ValueError, RecursionError):
        return None
