"""What the disk could not take: told from memory, marked as such. A broken disk silences nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator

from msgspec import MsgspecError, Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane
from gateway.mqtt.aside import POISON_TRIES
from gateway.mqtt.bus import Bus, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.limits import SIGNED_S_MAX
from gateway.mqtt.outbox import LINK_S
from gateway.mqtt.suspects import LOSSES_MAX
from gateway.mqtt.topics import TopicUnsafe
from gateway.pulse import PULSE_S, Pulse

UNJOURNALED_MAX = 1024
"""Entries held in memory: hours of distress traffic, and a few megabytes."""

ASIDE_S = 15.0
"""Pause before an entry that the broker refused, or may hang up on, is told again: all others, of
the disk and of this memory, have their turn meanwhile."""

LOOK_S = 1.0
"""How often it is looked whether that time has come."""

IDLE_S = 15.0
"""How often it says that it lives, while there is nothing to tell."""

_ORDER = tuple(Lane)
"""The most urgent first."""


class _Held(Struct, eq=False):
    """An entry that waits to be told."""

    entry: Entry
    waited: bool
    """Whether there was no link to tell it on when it came."""
    since_ns: int
    due_ns: int = 0
    """Not told before then."""
    tries: int = 0
    """How often it could not be told."""


class Memory:
    """Entries without a number, told in the order of their lanes."""

    def __init__(
        self, bus: Bus, *, write: Callable[[Entry, bool], Outgoing], clock: Clock, log: Log
    ) -> None:
        self._bus = bus
        self._write = write
        self._clock = clock
        self._log = log
        self._held: dict[Lane, deque[_Held]] = {lane: deque() for lane in _ORDER}
        self._wake = asyncio.Event()
        self.pulse = Pulse(clock)
        self._losses = 0
        """Connections in a row that ended with the first entry under way."""
        self.told = 0
        """Entries told with `journaled=false`."""
        self.lost = 0
        """Entries that neither the disk nor this memory could hold, or that can't be written."""

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is held."""
        yield Bound(
            of="Memory._held",
            what="unjournaled",
            held=len(self),
            limit=UNJOURNALED_MAX,
            rule="the least urgent goes; distress only where a thousand of it wait, and neither "
            "disk nor broker has taken one",
            evicted=self.lost,
            urgent=True,
        )

    def put(self, entry: Entry) -> None:
        """Hold an entry until it is told. When there is no room the least urgent goes."""
        if len(self) >= UNJOURNALED_MAX:
            self.lost += 1
            below = [lane for lane in _ORDER[_ORDER.index(entry.lane) + 1 :] if self._held[lane]]
            if not below:
                return
            self._held[below[-1]].popleft()
        now_ns = self._clock.now().mono_ns
        self._held[entry.lane].append(_Held(entry, not self._bus.connected, now_ns))
        self._wake.set()

    def forget(self, body: bytes) -> None:
        """Let go of what stands in the journal now: it is told from there, with its number."""
        for held in self._held.values():
            for one in [one for one in held if one.entry.body == body]:
                held.remove(one)

    def distress(self) -> list[tuple[Entry, int]]:
        """Return each distress that waits, and since when, the oldest first."""
        return [(one.entry, one.since_ns) for one in self._held[Lane.DISTRESS]]

    def poison(self) -> tuple[bytes, ...]:
        """Return the bodies of the entries that could not be told time and again."""
        every = (one for held in self._held.values() for one in held)
        return tuple(one.entry.body for one in every if one.tries >= POISON_TRIES)

    async def run(self) -> None:
        """Tell what is held whenever the link is up, for ever."""
        while True:
            await self.pulse.wait(self._wake.wait(), LOOK_S if len(self) else IDLE_S)
            while not self._bus.connected:
                await self.pulse.wait(self._bus.wait_connected(), LINK_S)
            self._wake.clear()
            while (first := self._next()) is not None:
                try:
                    await self._tell(first)
                except LinkLost:
                    self._wake.set()
                    break

    def _next(self) -> _Held | None:
        now_ns = self._clock.now().mono_ns
        every = (one for lane in _ORDER for one in self._held[lane])
        return next((one for one in every if one.due_ns <= now_ns), None)

    def _set_aside(self, one: _Held) -> None:
        one.tries += 1
        one.due_ns = self._clock.now().mono_ns + int(ASIDE_S * 1e9)
        self._losses = 0

    async def _tell(self, first: _Held) -> None:
        held = self._held[first.entry.lane]
        under_way = self._bus.connected
        self.pulse.beat(SIGNED_S_MAX + PULSE_S)
        try:
            await self._bus.publish(self._write(first.entry, first.waited))
        except LinkLost:
            self._losses += under_way
            if self._losses >= LOSSES_MAX:  # it may be why
                self._set_aside(first)
            raise
        except PublishRefused as refusal:
            self._log.error("unjournaled_refused", refusal=str(refusal))
            self._set_aside(first)
            return
        except (MsgspecError, TopicUnsafe):
            self._log.exception("unjournaled_unwritable")
            self.lost += 1
        # A fault of ours with one of them must not keep the others from being told.
        except Exception:  # noqa: BLE001  # see above
            self._log.exception("unjournaled_failed")
            self._set_aside(first)
            return
        else:
            self.told += 1
        self._losses = 0
        # Room may have been made meanwhile; then it is gone.
        if first in held:
            held.remove(first)
