"""Parts of a watch that have many doors, opened here: so the watch shows what it does."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.app.telling import Teller
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.plan import StationPlan
from gateway.mqtt.alarms import Alarms
from gateway.mqtt.link import Link


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
