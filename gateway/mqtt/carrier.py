"""The bus as it is in service: a connection made again whenever it ends.

Nothing under way is carried over from one connection to the next: the outbox knows what is not
signed for, and sends it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec.structs import replace

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.plan import LinkPlan
from gateway.mqtt.bus import (
    CredentialFault,
    Incoming,
    LinkLost,
    Outgoing,
    PublishRefused,
    SubscribeRefused,
)
from gateway.mqtt.client import Wire
from gateway.mqtt.limits import GOODBYE_S_MAX
from gateway.mqtt.naming import Ending, Naming
from gateway.mqtt.protection import Protection
from gateway.points import reached

RETRY_S_MIN = 0.25
RETRY_S_MAX = 15.0
"""Between attempts to connect: doubled from each to the next, and shortened by dice."""

STEADY_S = 10.0
"""A connection that lasted this long starts the pauses afresh. Two clients that share a name
throw each other out at once: they must not do it hundreds of times a second."""


class MqttBus:
    """A `Bus`: one lane's connection to one broker, made again whenever it ends."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
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
        wire: Callable[..., Wire] = Wire,
    ) -> None:
        self._plan = plan
        self._name = f"{plan.name}/{lane}"
        self._naming = Naming(f"{plan.client_id}-{lane}", jitter)
        self._clock = clock
        self._log = log.bind(link=plan.name, lane=lane)
        self._jitter = jitter
        self._will = will
        self._topics = tuple(topics)
        self._protection = protection or Protection(plan.tls)
        self._make_wire = wire
        self._renewing = False
        self._wire: Wire | None = None
        self.retains = True
        self._latest: Wire | None = None
        """The connection that stands, or the last one that did or was to."""
        self._overflowed = 0
        """On all connections before that."""
        self._up = asyncio.Event()
        self.connects = 0
        self.taken = 0
        self.last_error: str | None = None
        self._parting: int | None = None
        self._said: str | None = None

    @property
    def connected(self) -> bool:
        """True while the broker is known to answer."""
        return self._wire is not None

    @property
    def overflowed(self) -> int:
        """Publications told to us with QoS 0 that nobody fetched in time, over all connections."""
        return self._overflowed + (self._latest.overflowed if self._latest else 0)

    @property
    def disputed(self) -> str | None:
        """The name it goes by because another client bears its own; None when it is alone."""
        naming = self._naming
        return None if naming.undisputed else naming.disputed(self._clock.now().mono_ns)

    async def run(self) -> None:
        """Keep the connection until cancelled; then tell the will, if any, and leave in order."""
        failures = 0
        while True:
            before, began_ns = self.connects, self._clock.now().mono_ns
            self._parting = None
            try:
                reason = await self._once()
            except (LinkLost, SubscribeRefused, CredentialFault) as error:
                reason = error.reason if isinstance(error, LinkLost) else str(error)
            if self._renewing:
                self._renewing, failures = False, 0
                continue
            now_ns = self._clock.now().mono_ns
            ending = Ending(self.connects > before, (now_ns - began_ns) / 1e9, self._parting)
            steady = ending.stood and ending.lasted_s >= STEADY_S
            failures = 0 if steady else failures + 1
            pause_s = min(RETRY_S_MAX, RETRY_S_MIN * 2.0 ** min(failures, 8))
            pause_s *= self._jitter.uniform(0.5, 1.0)
            parted_s = self._naming.ended(ending, now_ns)
            if parted_s is not None:
                failures, pause_s = 0, parted_s
                reason = f"{reason}: another client bears our name?"
            # Said once, not each time: a broker may be away for days.
            say = self._log.debug if reason == self._said else self._log.warning
            say("link_lost", reason=reason, retry_s=round(pause_s, 2))
            self.last_error = self._said = reason
            await self._clock.sleep(pause_s)

    async def publish(self, outgoing: Outgoing) -> None:
        """Publish with QoS 1; return once the broker has signed for it with a good reason code."""
        wire = self._wire
        if wire is None:
            raise LinkLost(self._name, self.last_error or "not connected")
        reached("publish.begun")
        try:
            await wire.publish_signed(outgoing)
        except LinkLost:
            # Now, and not when our own turn comes: who publishes again as soon as the link is up
            # would go round in circles on this one, and never let us have our turn.
            self._fall(wire)
            raise
        except PublishRefused:
            self.taken += 1  # a word of the broker all the same: this connection serves
            raise
        self.taken += 1
        reached("publish.signed")

    def offer(self, outgoing: Outgoing) -> bool:
        """Publish with QoS 0, never waiting. False when there is no link or it can't keep up."""
        wire = self._wire
        return wire is not None and wire.offer(outgoing)

    async def wait_connected(self) -> None:
        """Return as soon as the link is up."""
        await self._standing()

    async def wait_reconnected(self, since: int) -> int:
        """Return `connects` as soon as it is over `since` and the link is up."""
        while self._wire is None or self.connects <= since:
            await self._up.wait()
        return self.connects

    async def renew(self) -> None:
        """Let another connection take the place of this one, at once."""
        if self._wire is not None:
            self._renewing = True
            await self._wire.close()

    async def received(self) -> AsyncIterator[Incoming]:
        """Yield what is told on our topics. It is signed for when the next one is asked for."""
        seen = 0
        while True:
            # Never the same connection twice: one that has just ended stands for a moment longer,
            # and would be listened to for ever.
            seen = await self.wait_reconnected(seen)
            wire = await self._standing()
            with contextlib.suppress(LinkLost):
                while True:
                    incoming = await wire.receive()
                    yield incoming
                    wire.acknowledge(incoming)
                    reached("receipt.acknowledged")

    async def _standing(self) -> Wire:
        """Return the connection as soon as there is one."""
        while self._wire is None:
            await self._up.wait()
        return self._wire

    async def _once(self) -> str:
        """Hold one connection, and return why it ended."""
        will = self._will() if self._will else None
        if will is not None and not self.retains:  # or the broker would not let us in
            will = replace(will, retain=False)
        client_id = self._naming.begun(self._clock.now().mono_ns)
        wire = self._make_wire(
            self._plan,
            client_id=client_id,
            name=self._name,
            will=will,
            protection=self._protection,
        )
        self._overflowed, self._latest = self.overflowed, wire
        try:
            await wire.open()
            await wire.subscribe_all(self._topics)
            _end_if_told_to()
            self._stand(wire)
            return await wire.wait_lost()
        except asyncio.CancelledError:
            if self._wire is wire:
                await self._tell_will(wire)
            raise
        finally:
            self._fall(wire)
            if wire.retains is not None:
                self.retains = wire.retains
            self._parting = wire.parting
            await wire.close()

    def _stand(self, wire: Wire) -> None:
        self._wire = wire
        self.connects += 1
        self.taken = 0
        self.retains = wire.retains is not False
        if not self.retains:
            self._log.warning("states_unretained", host=self._plan.host, port=self._plan.port)
        self._said = self._protection.refusal = None
        # Everybody who waits wakes up now; who comes later waits for the next connection.
        waited, self._up = self._up, asyncio.Event()
        waited.set()
        self._log.info("link_connected", host=self._plan.host, port=self._plan.port)
        reached("link.connected")

    def _fall(self, wire: Wire) -> None:
        """This connection is over; a newer one stands."""
        if self._wire is wire:
            self._wire = None

    async def _tell_will(self, wire: Wire) -> None:
        """Tell what the broker would have told, had we died: DISCONNECT makes it forget that."""
        if self._will is None:
            return
        with contextlib.suppress(LinkLost, PublishRefused, TimeoutError):
            async with asyncio.timeout(GOODBYE_S_MAX):
                await wire.publish_signed(self._will())


def _end_if_told_to() -> None:
    """Be cancelled, if somebody has asked for it and was not heard.

    aiomqtt waits with asyncio.wait_for, which before Python 3.12 takes an answer that comes at the
    same moment as the cancellation, and forgets the latter: we would stay for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
