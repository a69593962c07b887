"""What stands on the broker: retained states, the newest of each, there again after each connect.

A broker that lost its memory, or a gateway that was away, must not leave an old word standing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from msgspec import MsgspecError, Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.entry import Entry
from gateway.model.incident import IncidentNote
from gateway.mqtt.bus import Bus, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.exports import Due, Exports
from gateway.mqtt.limits import SIGNED_S_MAX
from gateway.mqtt.outbox import LINK_S
from gateway.mqtt.suspects import LOSSES_MAX, Suspects
from gateway.mqtt.topics import TopicUnsafe
from gateway.mqtt.troubles import Shown, Troubles
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

STATES_MAX = 1024
"""Topics that stand at once: half of it are the rules of agreements; ports, watches and alerts of a
large station are a tenth of the rest."""


CALM_S = 1.0
"""A state that was under way each time the connection ended waits so long on the next: by then
distress has gone out, whatever becomes of the connection."""

ASIDE_S = 15.0
ASIDE_S_MAX = 300.0
"""Pause before a state that the broker hangs up on is told again, doubled from each to the next:
what stands there is old by then, but the others stand. It begins short, for the broker may have
been ill for a while, and its word that we are away must not outlive that by much."""

REFUSED_S = 60.0
"""Pause before a state that the broker refused is told again, unless there is news of it: an access
list may be mended while we are connected, and no old word must stand until the next connection."""


class StateCount(Struct):
    """What became of the states."""

    refused: int = 0
    """Times that the broker refused a state, or hung up on it."""
    crowded_out: int = 0
    """States never told because too many stood already."""


class States:
    """All retained states of one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        bus: Bus,
        *,
        birth: Callable[[], Outgoing],
        troubles: Troubles,
        exports: Exports,
        write: Callable[[Entry], Outgoing],
        clock: Clock,
        log: Log,
    ) -> None:
        self._bus = bus
        self._birth = birth
        self._troubles = troubles
        self.exports = exports
        self._write = write
        self._clock = clock
        self._log = log
        self._told_to = 0
        """The connection that birth was told on."""
        self._standing: dict[str, Outgoing] = {}
        self._untold: dict[str, Outgoing] = {}
        self._suspects: Suspects[str] = Suspects()
        self._due_ns: dict[str, int] = {}
        """When each state that the broker refuses, or hangs up on, is told again."""
        self._wake = asyncio.Event()
        self.pulse = Pulse(clock)
        self.count = StateCount()

    def bounds(self) -> Iterator[Bound]:
        """Yield how many states stand, and how many of them are yet to be told."""
        yield from self._suspects.bounds()
        yield from self._troubles.bounds()
        yield from self.exports.bounds()
        yield Bound(
            of="States._standing",
            what="states",
            held=len(self._standing),
            limit=STATES_MAX,
            rule="a new topic is not told; no report is a state",
            evicted=self.count.crowded_out,
        )
        yield Bound(
            of="States._untold",
            what="states_untold",
            held=len(self._untold),
            limit=STATES_MAX,
            rule="a newer state replaces the one before it; none is told that does not stand",
        )

    def put(self, state: Outgoing) -> None:
        """Let this stand on its topic; one without payload takes off what stands there."""
        topic = state.topic
        if topic not in self._standing and len(self._standing) >= STATES_MAX:
            self.count.crowded_out += 1
            return
        self._standing[topic] = state
        self._untold[topic] = state
        self._try_again(topic)
        self._wake.set()

    def show(self, entry: Entry, note: IncidentNote) -> None:
        """Let an incident stand as this entry has it; one that is over is taken off."""
        self._try_again(self._troubles.put(entry, note))
        if (shown := self.exports.show(entry, note)) is not None:
            self._try_again(shown)
        self._wake.set()

    def export(self, entry: Entry) -> None:
        """Have what a note says told in the formats of others, once."""
        if (name := self.exports.take(entry)) is not None:
            for waiting in self.exports.names(name):
                self._try_again(waiting)
            self._wake.set()

    async def run(self) -> None:
        """Tell what is untold whenever the link is up, one after the other, for ever."""
        while True:
            while not self._wake.is_set():
                await self.pulse.wait(self._wake.wait(), LINK_S)
            while not self._bus.connected:
                await self.pulse.wait(self._bus.wait_connected(), LINK_S)
            self._wake.clear()
            self._renew()
            while (due := self._next()) is not None:
                self.pulse.beat()
                if self._suspects.alone(due.topic):
                    await self._clock.sleep(CALM_S)
                try:
                    await self._tell_any(due)
                except LinkLost:
                    self._wake.set()
                    break
                self._renew()

    async def watch(self) -> None:
        """See to it that each new connection is told, even if nothing changes."""
        seen = 0
        while True:
            seen = await self._bus.wait_reconnected(seen)
            self._wake.set()

    def _renew(self) -> None:
        """Tell a connection that knows nothing yet all that stands, and first that we are here."""
        if self._told_to == self._bus.connects:
            return
        self._told_to = self._bus.connects
        birth = self._birth()
        self._standing = {birth.topic: birth} | self._standing | {birth.topic: birth}
        self._untold = dict(self._standing)
        self._troubles.renew()
        self.exports.renew()
        for topic in list(self._due_ns):
            self._try_again(topic)

    def _try_again(self, topic: str) -> None:
        """Wait no longer with what was refused; what may break the connection has to."""
        if not self._suspects.alone(topic):
            self._due_ns.pop(topic, None)

    def _next(self) -> Outgoing | Shown | Due | None:
        """Return what is to be told next: how the box is, then incidents, then what others read.

        Last what may break the connection, if it is due.
        """
        now_ns = self._clock.now().mono_ns

        def is_due(topic: str) -> bool:
            return self._due_ns.get(topic, 0) <= now_ns

        def is_safe(topic: str) -> bool:
            return is_due(topic) and not self._suspects.alone(topic)

        for may in (is_safe, is_due):
            first = next((state for state in self._untold.values() if may(state.topic)), None)
            found = first or self._troubles.next(may) or self.exports.next(may)
            if found is not None:
                return found
        return None

    def _lost(self, topic: str) -> None:
        """The connection ended with this under way; see Suspects."""
        if not self._suspects.alone(topic):
            self._suspects.lost(topic)
        elif self._bus.taken:
            self.count.refused += 1
            self._log.error("state_hung_up_on", topic=topic)
            alone = self._suspects.lost(topic) - LOSSES_MAX
            pause_s = min(ASIDE_S * 2.0 ** (alone - 1), ASIDE_S_MAX)
            self._pause(topic, pause_s)

    def _pause(self, name: str, pause_s: float) -> None:
        """Tell this no sooner than so."""
        now_ns = self._clock.now().mono_ns
        if len(self._due_ns) >= STATES_MAX:  # what is due may have gone, and says nothing here
            self._due_ns = {one: due for one, due in self._due_ns.items() if due > now_ns}
        self._due_ns[name] = now_ns + int(pause_s * 1e9)

    async def _tell_any(self, due: Outgoing | Shown | Due) -> None:
        if isinstance(due, Due):
            await self._tell_export(due)
        elif isinstance(due, Shown):
            await self._tell_trouble(due)
        else:
            await self._tell(due)

    async def _tell_export(self, due: Due) -> None:
        """Tell an export; all of it again when one part of it was not taken."""
        made = self.exports.made(due)
        for one in made:
            if not await self._publish(
                one, name=due.topic, is_newest=lambda: self.exports.is_untold(due)
            ):
                return
        self.exports.told(due, published=bool(made))

    async def _tell_trouble(self, shown: Shown) -> None:
        """Tell an incident as it stands."""
        try:
            state = self._write(shown.entry)
        except (MsgspecError, TopicUnsafe) as error:  # a fault of ours must not hold up the others
            self._log.error("state_unwritable", topic=shown.topic, error=str(error))
            self._troubles.told(shown)
            return
        if await self._publish(state, is_newest=lambda: self._troubles.is_untold(shown)):
            self._troubles.told(shown)

    async def _publish(
        self, state: Outgoing, *, is_newest: Callable[[], bool], name: str | None = None
    ) -> bool:
        """Say whether the broker has taken this; what it refuses is told again later."""
        name = name or state.topic
        under_way = self._bus.connected
        self.pulse.beat(SIGNED_S_MAX + PULSE_S)
        try:
            await self._bus.publish(state)
        except LinkLost:
            if under_way:
                self._lost(name)
            raise
        except PublishRefused as refusal:
            self.count.refused += 1
            self._log.error("state_refused", refusal=str(refusal))
            self._suspects.cleared(name)
            if is_newest():
                self._pause(name, REFUSED_S)
            return False
        reached("state.told")
        self._suspects.cleared(name)
        self._due_ns.pop(name, None)
        return True

    async def _tell(self, state: Outgoing) -> None:
        if not await self._publish(state, is_newest=lambda: self._untold.get(state.topic) is state):
            return
        # A newer one may have been put meanwhile.
        if self._untold.get(state.topic) is state:
            del self._untold[state.topic]
        if not state.payload and self._standing.get(state.topic) is state:
            del self._standing[state.topic]
