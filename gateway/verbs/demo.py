"""`demo`: the whole gateway on one machine, without hardware.

A tape speaks through virtual modems into the real service; the real service publishes to a broker;
an ordinary MQTT client subscribes, and what it receives is printed. Nothing here is simulated but
the radios.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from gateway import __version__
from gateway.app import Service
from gateway.clock import Clock
from gateway.log import set_up
from gateway.model.inbound import Report
from gateway.model.incident import IncidentNote
from gateway.model.plan import (
    JournalPlan,
    LinkPlan,
    LogPlan,
    PortPlan,
    StationPlan,
)
from gateway.model.words import Kind, Urgency
from gateway.mqtt.payload import IncidentRecord, Record, RefusedRecord
from gateway.mqtt.subscriber import subscribe
from gateway.mqtt.topics import name_of
from gateway.radio import system_names
from gateway.settings import shipped
from gateway.transport.tape import TapeHeader, read_tape
from gateway.verbs.embedded import LOOPBACK, BrokerFailed, Listening, embedded_broker
from gateway.verbs.ending import end_on
from gateway.verbs.telling import incident_line, one_line, refused_line
from gateway.verbs.virtual import VirtualModems

TAPE = "demo/strait.tape"
STATION = "demo"

ROUTINE_A_LINE = 50
"""So many routine reports after the first of each craft are told in one line."""

_REPEATED = (Kind.POSITION, Kind.STATUS)
"""What a craft or station says of itself again and again."""


def main(args: argparse.Namespace) -> int:
    """Run the demonstration until it is stopped, or for `args.seconds`."""
    tape = shipped("config") / TAPE
    header, _ = read_tape(tape)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="distress-gateway-") as folder,
            embedded_broker(args.port) as broker,
            VirtualModems(header.ports) as modems,
        ):
            plan = _plan(header, modems, broker, folder)
            if not args.json:
                _say_hello(plan, broker)
            asyncio.run(_demonstrate(plan, modems, broker, tape=tape, args=args))
    except BrokerFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


async def _demonstrate(
    plan: StationPlan,
    modems: VirtualModems,
    broker: Listening,
    *,
    tape: Path,
    args: argparse.Namespace,
) -> None:
    clock = Clock()
    log = set_up(level="error", as_json=False)
    service = Service(plan, clock=clock, log=log, dice=random.Random())  # noqa: S311  # for back-off
    try:
        async with asyncio.timeout(args.seconds), asyncio.TaskGroup() as group:
            end_on(signal.SIGTERM)
            group.create_task(_print(broker, as_json=args.json), name="subscriber")
            group.create_task(service.run(), name="service")
            await service.on_watch.wait()
            for turn in itertools.count(1):
                if turn > 1 and not args.json:
                    print("\nThe tape starts again.\n", flush=True)
                _, heard = read_tape(tape)
                await modems.play(heard, speed=args.speed, clock=clock)
    except (TimeoutError, asyncio.CancelledError):
        pass  # time is up, or somebody has seen enough


async def _print(broker: Listening, *, as_json: bool) -> None:
    """Be the ordinary MQTT client: subscribe to everything, print what comes."""
    eyes = Eyes(colour=sys.stdout.isatty())
    async for topic, payload, _ in subscribe(
        LOOPBACK, broker.port_v311, ("distress/v1/#",), version="3.1.1"
    ):
        line = _json_line(topic, payload) if as_json else eyes.line(topic, payload)
        if line:
            print(line, flush=True)


def _json_line(topic: str, payload: bytes) -> str:
    """Return topic and payload as one line of JSON; the payload of a state taken off is null."""
    received = {"topic": topic, "payload": msgspec.Raw(payload or b"null")}
    return msgspec.json.encode(received).decode()


class Eyes:
    """What a person wants to see of it all: each report, but of routine only each craft's first."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour
        self._craft: set[tuple[str, str]] = set()
        self._more = 0
        self._unheard = set(system_names())

    def line(self, topic: str, payload: bytes) -> str:
        """Return the line for one message; empty for what only confirms what was shown."""
        what = topic.split("/")[3]
        if payload and what in ("report", "exercise", "position"):
            record = msgspec.json.decode(payload, type=Record)
            return "\n".join(filter(None, (self._shown(record), self._heard_now(record.report))))
        if payload and what == "refused":
            refused = msgspec.json.decode(payload, type=RefusedRecord)
            return refused_line(refused.refused, colour=self._colour)
        if topic.endswith("/log"):
            told = msgspec.json.decode(payload, type=IncidentRecord)
            note = IncidentNote(
                change=told.change,
                incident=told.incident,
                gone=told.gone,
                utc=told.times.journaled_utc,
            )
            return incident_line(note, colour=self._colour)
        return ""

    def _shown(self, record: Record) -> str:
        report = record.report
        if report.urgency is Urgency.ROUTINE and report.kind in _REPEATED:
            craft = (report.system, name_of(report.sender) or "")
            if craft in self._craft or not (report.sender or report.position):
                return self._counted()
            self._craft.add(craft)
        return one_line(report, record.relation, colour=self._colour)

    def _counted(self) -> str:
        """Count what is not shown; return the line that says so, now and then."""
        self._more += 1
        if self._more < ROUTINE_A_LINE:
            return ""
        count, self._more = self._more, 0
        return f"          ({count} more routine reports of {len(self._craft)} craft and stations)"

    def _heard_now(self, report: Report) -> str:
        """Return, once, that every radio system there is has been heard."""
        if not self._unheard:
            return ""
        self._unheard.discard(report.system)
        if self._unheard:
            return ""
        names = system_names()
        return f"          (all {len(names)} radio systems have been heard: {', '.join(names)})"


def _plan(
    header: TapeHeader,
    modems: VirtualModems,
    broker: Listening,
    folder: str,
) -> StationPlan:
    return StationPlan(
        station=STATION,
        position=header.position,
        ports=tuple(
            PortPlan(
                name=name,
                device=modems.devices[name],
                modem=port.modem,
                profile=port.profile,
                played=True,
                exercise=port.exercise,
            )
            for name, port in header.ports.items()
        ),
        links=(
            LinkPlan(
                name="local",
                host=LOOPBACK,
                port=broker.port_v311,
                version="3.1.1",
                client_id=f"distress-gateway-{STATION}",
            ),
        ),
        journal=JournalPlan(path=str(Path(folder, "journal.db"))),
        record=None,
        log=LogPlan(level="error"),
    )


def _say_hello(plan: StationPlan, broker: Listening) -> None:
    modems = "\n".join(
        f"  {port.name:<12} {port.device:<12} {port.profile.title}" for port in plan.ports
    )
    print(
        f"Distress gateway {__version__}: a demonstration. The radio traffic comes from a tape.\n"
        f"\n"
        f"The modems, each on a virtual port:\n"
        f"\n"
        f"{modems}\n"
        f"\n"
        f"The broker: {LOOPBACK}:{broker.port_v311} (MQTT 3.1.1), :{broker.port_v5} (MQTT 5)."
        f" Look for yourself, from another terminal:\n"
        f"\n"
        f"  mosquitto_sub -h {LOOPBACK} -p {broker.port_v311} -t 'distress/v1/#' -v\n"
        f"\n"
        f"What an ordinary MQTT subscriber receives: when, how urgent, by which radio system, what,"
        f" who,\nwhere, and how sure; of routine the first of each craft; and, after ==, what the"
        f" gateway holds\nto be one trouble, each time that something about it changes.\n",
        flush=True,
    )
