"""The border of a link to another party: the one place through which such a link publishes.

It stands between the link and its connections. Whatever the link has to tell comes here, as it
would go to any broker; only what the sieve lets through goes on. The rest is signed for here, so
that it is struck out and never tried again, and counted field by field.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from msgspec import Struct, field

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.hotline import Shared
from gateway.model.plan import LinkPlan
from gateway.mqtt.bus import Bus, Incoming, Outgoing
from gateway.mqtt.protection import Protection
from gateway.mqtt.sieve import Sieve, Sifted


class BorderCount(Struct):
    """What became of what a link had to tell another party."""

    crossed: int = 0
    """Messages of which something crossed."""
    stayed: int = 0
    """Messages of which nothing did."""
    withheld: Counter[str] = field(default_factory=Counter)
    """Fields that stayed here, by their names."""


class _Makes(Protocol):
    """What makes a connection of a link; see `gateway.mqtt.link.Carrier`."""

    def __call__(  # noqa: PLR0913  # see MqttBus
        self,
        plan: LinkPlan,
        *,
        lane: str,
        clock: Clock,
        log: Log,
        jitter: random.Random,
        will: Callable[[], Outgoing] | None = None,
        topics: Sequence[str] = (),
        protection: Protection | None = None,
    ) -> Bus: ...


class Border:
    """What one party may be told, asked for everything that a link publishes."""

    def __init__(
        self,
        sieve: Sieve,
        *,
        clock: Clock,
        crossed: Callable[[Shared], None] = lambda _shared: None,
    ) -> None:
        self._sieve = sieve
        self._clock = clock
        self._crossed = crossed
        self.count = BorderCount()

    def carrier(self, makes: _Makes) -> _Makes:
        """Return what makes connections that publish nothing but what may cross."""

        def made(  # noqa: PLR0913  # see MqttBus
            plan: LinkPlan,
            *,
            lane: str,
            clock: Clock,
            log: Log,
            jitter: random.Random,
            will: Callable[[], Outgoing] | None = None,  # noqa: ARG001  # see below
            topics: Sequence[str] = (),
            protection: Protection | None = None,
        ) -> Bus:
            # No will: the broker of the other party would publish it, and nobody has sifted it.
            bus = makes(
                plan,
                lane=lane,
                clock=clock,
                log=log,
                jitter=jitter,
                topics=topics,
                protection=protection,
            )
            return BorderBus(bus, self)

        return made

    def sift(self, outgoing: Outgoing) -> Sifted:
        """Return what may go instead of this."""
        return self._sieve.sift(outgoing, self._clock.now().utc_ns)

    def gone(self, sifted: Sifted) -> None:
        """Count what has crossed, or has stayed for good."""
        self.count.withheld.update(sifted.withheld)
        self.count.crossed += sifted.outgoing is not None
        self.count.stayed += sifted.outgoing is None

    def signed(self, sifted: Sifted) -> None:
        """Take note that the broker has what crossed."""
        if sifted.shared is not None:
            self._crossed(sifted.shared)


class BorderBus:
    """A `Bus` on which nothing goes out but what may cross."""

    def __init__(self, bus: Bus, border: Border) -> None:
        self._bus = bus
        self._border = border

    @property
    def connected(self) -> bool:
        """See `Bus`."""
        return self._bus.connected

    @property
    def connects(self) -> int:
        """See `Bus`."""
        return self._bus.connects

    @property
    def taken(self) -> int:
        """See `Bus`."""
        return self._bus.taken

    @property
    def retains(self) -> bool:
        """See `Bus`."""
        return self._bus.retains

    @property
    def overflowed(self) -> int:
        """See `Bus`."""
        return self._bus.overflowed

    @property
    def last_error(self) -> str | None:
        """See `Bus`."""
        return self._bus.last_error

    @property
    def disputed(self) -> str | None:
        """See `Bus`."""
        return self._bus.disputed

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await self._bus.run()

    async def publish(self, outgoing: Outgoing) -> None:
        """Publish what may cross of this; what stays here is as good as signed for."""
        sifted = self._border.sift(outgoing)
        if sifted.outgoing is not None:
            await self._bus.publish(sifted.outgoing)
            self._border.signed(sifted)
        self._border.gone(sifted)

    def offer(self, outgoing: Outgoing) -> bool:
        """Publish what may cross of this with QoS 0, never waiting."""
        sifted = self._border.sift(outgoing)
        taken = sifted.outgoing is None or self._bus.offer(sifted.outgoing)
        if taken:
            self._border.gone(sifted)
        return taken

    async def renew(self) -> None:
        """See `Bus`."""
        await self._bus.renew()

    def received(self) -> AsyncIterator[Incoming]:
        """See `Bus`: what comes in is for whoever reads it to judge."""
        return self._bus.received()

    async def wait_connected(self) -> None:
        """See `Bus`."""
        await self._bus.wait_connected()

    async def wait_reconnected(self, since: int) -> int:
        """See `Bus`."""
        return await self._bus.wait_reconnected(since)
