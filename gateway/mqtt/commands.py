"""Operators order, and are told what came of it, on the link on which they did.

One command after the other, on a connection of its own: nothing that is told waits for it. What
comes in here may be hostile: it costs a bounded piece of work, and delays nobody but itself. Up to
`INBOX_MAX` wait in memory, the rest at the broker; what waited for too long is refused as late.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.command import Command, Outcome, OutcomeState
from gateway.model.transmission import Ordered
from gateway.mqtt.bus import Bus, Incoming, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.command import CommandFault, Why, command_of, letter_of, statement_of
from gateway.mqtt.limits import SIGNED_S_MAX
from gateway.mqtt.ranges import CORRELATION_BYTES_MAX, is_at_or_below
from gateway.mqtt.topics import Topics
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

PAUSE_S = 0.1
"""After each command, when many come: ten a second are more than a room full of officers gives."""

BURST = 20
"""So many at once wait for nothing: a challenge and its answer come within milliseconds."""

OBEYED_S_MAX = 10.0
"""Until a command is carried out and the disk has been waited for: a few seconds at the most."""

FOLLOWED_MAX = 64
"""Orders whose later outcomes are awaited at once; they wait for two minutes at the most. Those of
any more are told on `transmission/<port>` alone."""


class Followed(Struct, frozen=True):
    """What came of a command first, and where what comes of it later is heard."""

    outcome: Outcome
    later: AsyncIterable[Outcome]


Obey = Callable[[Command | Ordered], Awaitable[Outcome | Followed]]
"""What carries out a command, or refuses to."""


class CommandCount(Struct):
    """What became of the commands of a link."""

    accepted: int = 0
    """Commands carried out; those that came again are counted again."""
    refused: int = 0
    """Commands that could not be read, came late, or could not be carried out."""
    unanswered: int = 0
    """Outcomes that could not be told: whoever ordered asks again, with the same `command_id`."""


class Commands:
    """What is ordered on one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        topics: Topics,
        *,
        station: str,
        bus: Bus,
        obey: Obey,
        write: Callable[[Outcome], Outgoing],
        clock: Clock,
        log: Log,
    ) -> None:
        self._topics = topics
        self._readers: Mapping[str, Callable[[Incoming], Command | Ordered | CommandFault]] = {
            topics.command("incident"): command_of,
            topics.command("statement"): statement_of,
            topics.command("transmit"): letter_of,
        }
        self._station = station
        self.bus = bus
        self._obey = obey
        self._write = write
        self._clock = clock
        self._log = log
        self._said: Why | None = None
        self._followed = 0
        self._paid_ns = 0
        """Until when all that came would have taken, at one pause after each."""
        self.count = CommandCount()
        self.pulse = Pulse(clock)
        """Not due while the operator has the next move."""

    async def run(self) -> None:
        """Take one command after the other, for ever."""
        self.pulse.rest()
        async with asyncio.TaskGroup() as group:
            async for incoming in self.bus.received():
                self.pulse.beat(OBEYED_S_MAX + PULSE_S)
                reached("command.heard")
                taken = await self._taken(incoming)
                outcome = taken.outcome if isinstance(taken, Followed) else taken
                self.pulse.beat(2 * SIGNED_S_MAX + PULSE_S)
                await self._answer(outcome, incoming)
                if isinstance(taken, Followed) and self._followed < FOLLOWED_MAX:
                    group.create_task(self._follow(taken.later, incoming))
                self.pulse.beat()
                pause_s = self._pause_s()
                if pause_s > 0:
                    await self._clock.sleep(pause_s)
                self.pulse.rest()

    def _pause_s(self) -> float:
        """Return how long to wait after a command: nothing as long as few have come."""
        now_ns = self._clock.now().mono_ns
        self._paid_ns = max(self._paid_ns, now_ns) + round(PAUSE_S * 1e9)
        return max((self._paid_ns - now_ns) / 1e9 - BURST * PAUSE_S, 0.0)

    async def _follow(self, later: AsyncIterable[Outcome], incoming: Incoming) -> None:
        """Tell each outcome that comes later, to the last."""
        self._followed += 1
        try:
            async for outcome in later:
                await self._answer(outcome, incoming)
        finally:
            self._followed -= 1

    async def _taken(self, incoming: Incoming) -> Outcome | Followed:
        """Return what came of a command; a fault of ours in it costs this command alone."""
        command = self._command(incoming)
        if isinstance(command, CommandFault):
            return self._refused(command.why, command.reason, command.command_id)
        try:
            taken = await self._obey(command)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next one is taken
            reason = f"a fault of the gateway: {type(error).__name__}; whether it is done, look"
            return self._refused(Why.ORDER, reason, command.command_id)
        outcome = taken.outcome if isinstance(taken, Followed) else taken
        if outcome.state is OutcomeState.REFUSED:
            return self._refused(Why.ORDER, outcome.reason or "", outcome.command_id, outcome)
        self.count.accepted += 1
        self._said = None
        return taken

    def _command(self, incoming: Incoming) -> Command | Ordered | CommandFault:
        command = self._readers.get(incoming.topic, command_of)(incoming)
        known_by = command.command_id
        if incoming.topic not in self._readers:
            return CommandFault(Why.TOPIC, "it came on another topic", known_by)
        if incoming.retained:
            reason = "the broker had kept it: nobody orders beforehand; take it off (retain)"
            return CommandFault(Why.KEPT, reason, known_by)
        wanted = incoming.response_topic
        if wanted is not None and not is_at_or_below(self._topics.outcomes, wanted):
            reason = f"its response topic is not below {self._topics.outcomes}"
            return CommandFault(Why.ELSEWHERE, reason, known_by)
        return command

    def _refused(
        self, why: Why, reason: str, command_id: str | None, outcome: Outcome | None = None
    ) -> Outcome:
        self.count.refused += 1
        # Said once, not each time: who floods us with them shall not flood the log.
        say = self._log.debug if why is self._said else self._log.warning
        say("command_refused", reason=reason, command_id=command_id)
        self._said = why
        return outcome or Outcome(
            station=self._station,
            command_id=command_id,
            state=OutcomeState.REFUSED,
            reason=reason,
        )

    async def _answer(self, outcome: Outcome, incoming: Incoming) -> None:
        """Tell the outcome under the command's name, and where else it is wanted."""
        told = self._write(outcome)
        correlation = incoming.correlation
        known_by = None if len(correlation or b"") > CORRELATION_BYTES_MAX else correlation
        topics = [] if outcome.command_id is None else [self._topics.outcome(outcome.command_id)]
        wanted = incoming.response_topic
        if wanted and wanted not in topics and is_at_or_below(self._topics.outcomes, wanted):
            topics.append(wanted)
        for topic in topics:
            try:
                await self.bus.publish(replace(told, topic=topic, correlation=known_by))
            except (LinkLost, PublishRefused) as error:
                self.count.unanswered += 1
                self._log.warning("outcome_untold", reason=str(error))
        reached("command.answered")
