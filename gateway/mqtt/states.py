"""What stands on the broker: retained states, the newest of each, there again after each connect.

A broker that lost its memory, or a gateway that was away, must not leave an old word standing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from msgspec import Struct

from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.mqtt.bus import Bus, LinkLost, Outgoing, PublishRefused
from gateway.points import reached

STATES_MAX = 512
"""Topics that stand at once: ports, watches and alerts of a large station are a tenth of it."""


class StateCount(Struct):
    """What became of the states."""

    refused: int = 0
    """Times that the broker refused a state."""
    crowded_out: int = 0
    """States never told because too many stood already."""


class States:
    """All retained states of one link."""

    def __init__(self, bus: Bus, *, birth: Callable[[], Outgoing], log: Log) -> None:
        self._bus = bus
        self._birth = birth
        self._log = log
        self._told_to = 0
        """The connection that birth was told on."""
        self._standing: dict[str, Outgoing] = {}
        self._untold: dict[str, Outgoing] = {}
        self._wake = asyncio.Event()
        self.count = StateCount()

    def bounds(self) -> Iterator[Bound]:
        """Yield how many states stand, and how many of them are yet to be told."""
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
        self._wake.set()

    async def run(self) -> None:
        """Tell what is untold whenever the link is up, one after the other, for ever."""
        while True:
            await self._wake.wait()
            await self._bus.wait_connected()
            self._wake.clear()
            self._renew()
            while self._untold:
                try:
                    await self._tell(next(iter(self._untold.values())))
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

    async def _tell(self, state: Outgoing) -> None:
        try:
            await self._bus.publish(state)
        except PublishRefused as refusal:
            self.count.refused += 1
            self._log.error("state_refused", refusal=str(refusal))
        else:
            reached("state.told")
        # A newer one may have been put meanwhile.
        if self._untold.get(state.topic) is state:
            del self._untold[state.topic]
        if not state.payload and self._standing.get(state.topic) is state:
            del self._standing[state.topic]
