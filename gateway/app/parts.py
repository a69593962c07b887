"""Parts of a watch that have many doors, opened here: so the watch shows what it does."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from gateway.app.listening import Listening
from gateway.app.outside import Outside
from gateway.app.ruling import RuleKeeper
from gateway.app.telling import Teller
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.plan import StationPlan
from gateway.mqtt.alarms import Alarms
from gateway.mqtt.link import Link
from gateway.pipeline import Pipeline
from gateway.transport.supervisor import Port


def ports_of(
    plan: StationPlan, outside: Outside, *, clock: Clock, log: Log, jitter: random.Random
) -> tuple[Port, ...]:
    """Return the ports of a station, in their order."""
    return tuple(
        Port(one, clock=clock, log=log, jitter=jitter, modems=outside.modems) for one in plan.ports
    )


def alarms_of(  # noqa: PLR0913  # each is a door of its own, opened in one place
    plan: StationPlan,
    links: Sequence[Link],
    journal: StandingJournal,
    teller: Teller,
    *,
    board: Board,
    clock: Clock,
    log: Log,
) -> Alarms:
    """Return what sees to it that distress is signed for."""
    return Alarms(
        {link.name: made for link, made in zip(plan.links, links, strict=True)},
        outbox=journal,
        number_found=lambda: journal.number_found,
        number_last=lambda: journal.number_last,
        clock=clock,
        log=log,
        put=board.put,
        owed=teller.owed,
    )


def listening_of(  # noqa: PLR0913  # each is a door of its own, opened in one place
    plan: StationPlan,
    ports: Mapping[str, Port],
    rooms: Pipeline,
    journal: StandingJournal,
    *,
    told: tuple[Teller, RuleKeeper],
    board: Board,
    clock: Clock,
    log: Log,
) -> Listening:
    """Return what sees whether the receivers of a station hear."""
    return Listening(
        plan,
        {name: port.state for name, port in ports.items()},
        rooms.docket,
        journal,
        told=told,
        board=board,
        clock=clock,
        log=log,
    )
