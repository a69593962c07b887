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

from gateway.model.advice import Advice
from gateway.model.command import FINAL, IncidentCommand, Outcome, OutcomeState
from gateway.model.plan import LinkPlan
from gateway.model.transmission import Drill, Envelope, Letter, Silence
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

LATER_S_MAX = 10.0
"""Beyond the end of an order to transmit: the longest call takes seven seconds on the air."""

HEARD_S_MAX = 3.0
"""After the last byte, until a modem or a receiver has confirmed it: few do."""

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
    agreements: dict[str, dict[str, str]] = {}
    """Of each station that is online, the digests of what binds it."""


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
        agreements: dict[str, dict[str, str]] = {}
        unread = 0
        async with aclosing(self._until_quiet(online)) as told:
            async for incoming in told:
                if incoming.topic.endswith("/status"):
                    name = incoming.topic.split("/")[-2]
                    status = _decoded(incoming.payload, _Status) or _Status("offline")
                    online[name] = status.state == "online"
                    agreements[name] = status.agreements
                    continue
                record = _record(incoming.payload)
                if record is not None and len(records) < RECORDS_MAX:
                    records[incoming.topic] = record
                elif incoming.payload:
                    unread += 1
        return Standing(tuple(records.values()), online, unread, agreements)

    async def advice(self, station: str, incident: str) -> Advice | None:
        """Return what stands proposed about an incident; None where nothing does."""
        topic = Topics(station).incident_advice(incident)
        await self._wire.subscribe_all([topic])
        try:
            async with asyncio.timeout(QUIET_S):
                while (incoming := await self._next()).topic != topic:
                    continue
        except TimeoutError:
            return None
        return _decoded(incoming.payload, Advice)

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
        return await self._outcome_within(OUTCOME_S_MAX, outcome)

    async def hand_in(self, letter: Letter, envelope: Envelope) -> AsyncIterator[Outcome]:
        """Hand in an order to transmit, and yield what becomes of it, to the last that comes."""
        topics = Topics(letter.audience)
        outcome = topics.outcome(letter.command_id)
        await self._wire.subscribe_all([outcome])
        await self._wire.publish_signed(
            Outgoing(
                topic=topics.command("transmit"),
                payload=msgspec.json.encode(envelope),
                qos=1,
                content_type="application/json",
            )
        )
        waits_s = OUTCOME_S_MAX
        while True:
            said = await self._outcome_within(waits_s, outcome)
            if said is None:
                return
            if not said.again:  # what is told once more changes nothing
                yield said
                if said.state in FINAL or isinstance(letter.action, Drill | Silence):
                    return
                good_s = (letter.not_after - letter.issued).total_seconds()
                is_out = said.state is OutcomeState.TRANSMITTED
                waits_s = HEARD_S_MAX if is_out else good_s + LATER_S_MAX

    async def _outcome_within(self, limit_s: float, topic: str) -> Outcome | None:
        """Return the next that is told there; None when nothing is in time."""
        try:
            async with asyncio.timeout(limit_s):
                while True:
                    incoming = await self._next()
                    if incoming.topic == topic and not incoming.retained:
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
    agreements: dict[str, str] = {}


_Kind = TypeVar("_Kind")


def _record(payload: bytes) -> IncidentRecord | None:
    return _decoded(payload, IncidentRecord)


def _outcome(payload: bytes) -> Outcome:
    outcome = _decoded(payload, Outcome)
    if outcome is None:
        words = "it can't be read"
        raise LinkLost(OUTCOME, words)
    return outcome


def _decoded(payload: bytes, kind: type[_Kind]) -> _Kind | None:
    try:
        # A map of msgpack never begins with a brace: that is a small number there.
        if payload[:1] == b"{":
            return msgspec.json.decode(payload, type=kind)
        return msgspec.msgpack.decode(payload, type=kind)
    except (MsgspecError, ValueError, RecursionError):
        return None
