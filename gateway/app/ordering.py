"""What operators order, carried out once, kept like what is heard, and answered.

The same command may come twice: over two links, or again when its outcome was not heard. It is
known by its name, and by what it orders.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from msgspec import Struct, msgpack
from msgspec.structs import replace

from gateway.app.authority import Authority
from gateway.app.outside import KeysNow
from gateway.app.ruling import RuleKeeper
from gateway.app.telling import JOURNAL_S_MAX, Teller
from gateway.app.transmitting import Transmitting
from gateway.clock import Clock
from gateway.correlate.orders import OrderRefused
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.command import Command, Outcome, OutcomeState, StatementCommand
from gateway.model.entry import Entry
from gateway.model.inbound import Moment
from gateway.model.plan import StationPlan
from gateway.model.transmission import Ordered
from gateway.mqtt.command import CommandFault, Why, late
from gateway.mqtt.commands import Followed
from gateway.pipeline import Pipeline
from gateway.transport.supervisor import Port

COMMANDS_MAX = 8192
"""Commands whose outcome is remembered: more than eight links bring in the minute for which one is
good, at ten a second each."""

USED = "its command_id is that of another command: give each a name of its own"


class Ordering:
    """Carries out commands about incidents, and hands on what people state."""

    def __init__(  # each is a door of its own, opened in one place
        self,
        pipeline: Pipeline,
        told: tuple[Teller, RuleKeeper],
        authority: Authority,
        *,
        station: str,
        clock: Clock,
        log: Log,
    ) -> None:
        self._pipeline = pipeline
        self._teller, self._rules = told
        self.authority = authority
        self._station = station
        self._clock = clock
        self._log = log
        self._known: OrderedDict[str, _Given] = OrderedDict()
        self._forgotten = 0

    async def obey(self, command: Command | Ordered) -> Outcome | Followed:
        """Return what came of a command, once the disk has it or can't take it; do it only once."""
        if isinstance(command, Ordered):
            return await self.authority.obey(command)
        await self._teller.give_way()
        order = sha256(msgpack.encode(_meant(command))).digest()
        given = self._known.get(command.command_id)
        if given is None:
            fault = late(command, self._clock.now())
            return self._refusal(command, fault) if fault else await self._first(command, order)
        if given.order != order:
            return self._refusal(command, CommandFault(Why.USED, USED, command.command_id))
        return replace(await self._settled(given), again=True)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many commands are remembered."""
        yield from self.authority.bounds()
        yield Bound(
            of="Ordering._known",
            what="commands",
            held=len(self._known),
            limit=COMMANDS_MAX,
            rule="the oldest is forgotten: by then the same command is late, and refused where "
            "anybody knows the time",
            evicted=self._forgotten,
        )

    async def _first(self, command: Command, order: bytes) -> Outcome:
        given = self._known[command.command_id] = self._given(command, order)
        while len(self._known) > COMMANDS_MAX:
            self._known.popitem(last=False)
            self._forgotten += 1
        return await self._settled(given)

    def _given(self, command: Command, order: bytes) -> _Given:
        """Carry it out, here and now."""
        if isinstance(command, StatementCommand):
            return self._stated(command, order)
        try:
            notes = self._pipeline.order(command.order(), self._clock.now())
        except OrderRefused as refused:
            fault = CommandFault(Why.ORDER, str(refused), command.command_id)
            return _Given(order, self._refusal(command, fault))
        outcome = replace(
            self._outcome(command),
            state=OutcomeState.ACCEPTED,
            changed=tuple(note.incident.incident_id for note in notes),
        )
        self._log.info(
            "order_obeyed",
            verb=command.verb,
            incident=command.incident_id,
            author=command.author,
            command_id=command.command_id,
        )
        return _Given(order, outcome, self._teller.keep(notes))

    def _stated(self, command: StatementCommand, order: bytes) -> _Given:
        """Keep what is stated, and have the rules hear it; refuse what they can't hear."""
        unheard = self._rules.unheard(command.channel)
        if unheard is not None:
            fault = CommandFault(Why.ORDER, unheard, command.command_id)
            return _Given(order, self._refusal(command, fault))
        notes, answers = self._rules.state(command.fact(self._clock.now()))
        outcome = replace(
            self._outcome(command),
            state=OutcomeState.ACCEPTED,
            verdicts=tuple(note.verdict_id for note in notes),
        )
        return _Given(order, outcome, answers)

    async def _settled(self, given: _Given) -> Outcome:
        """Return the outcome as it is once the disk has answered, or has been waited for."""
        answers = given.answers
        if given.outcome.state is OutcomeState.ACCEPTED and given.outcome.journaled is None:
            if answers:
                await asyncio.wait(answers, timeout=JOURNAL_S_MAX)
            given.outcome, given.answers = replace(given.outcome, **_kept(answers)), ()
        return given.outcome

    def _refusal(self, command: Command, fault: CommandFault) -> Outcome:
        return replace(self._outcome(command), reason=fault.reason)

    def _outcome(self, command: Command) -> Outcome:
        found = Outcome(
            station=self._station, command_id=command.command_id, state=OutcomeState.REFUSED
        )
        if isinstance(command, StatementCommand):
            return replace(found, what=command.what)
        return replace(found, verb=command.verb, incident_id=command.incident_id)


def ordering_of(  # noqa: PLR0913  # each is a door of its own, opened in one place
    plan: StationPlan,
    rooms: Pipeline,
    ports: Mapping[str, Port],
    journal: StandingJournal,
    *,
    told: tuple[Teller, RuleKeeper],
    keys: KeysNow | None,
    clock: Clock,
    log: Log,
) -> Ordering:
    """Return what takes every command of a station, with the way back behind it."""
    transmitting = Transmitting(plan, ports, journal, told=told, clock=clock, log=log)
    authority = Authority(plan, transmitting, told[0], keys=keys, clock=clock, log=log)
    return Ordering(rooms, told, authority, station=plan.station, clock=clock, log=log)


def _meant(command: Command) -> object:
    """Return what is ordered or stated, without how it came and until when it is good."""
    if isinstance(command, StatementCommand):
        return command.fact(Moment(0))
    return command.order()


class _Given(Struct):
    """A command that was given."""

    order: bytes
    """What it orders, as a digest."""
    outcome: Outcome
    answers: Sequence[asyncio.Future[tuple[Entry, ...]]] = ()
    """Of the journal, until they are in the outcome."""


def _kept(answers: Sequence[asyncio.Future[tuple[Entry, ...]]]) -> dict[str, object]:
    """Return what the journal says of an order."""
    kept = [one for one in answers if one.done() and one.exception() is None]
    if len(kept) < len(answers):
        return {"journaled": False}
    first = next((entry for one in kept for entry in one.result()), None)
    if first is None:
        return {"journaled": True}
    return {"journaled": True, "epoch": first.epoch, "number": first.number}
