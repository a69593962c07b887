"""Certificates are replaced on disk, and taken without a drop; when they run out, it is said.

New files are proven before anything is given up for them: they have to load, to be valid now, and
to be let in by the broker on a connection beside those that stand. Only then the connections are
made anew, the one for distress last, and in a moment in which nothing is under way on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.status import CertificateStatus
from gateway.mqtt.bus import Bus, CredentialFault, LinkLost
from gateway.mqtt.certificates import (
    CLOCK_UNKNOWN,
    is_clock_known,
    is_valid,
    named,
    status_of,
    troubles,
)
from gateway.mqtt.limits import GOODBYE_S_MAX
from gateway.mqtt.outbox import LINK_S, Pump
from gateway.mqtt.protection import Print, Protection
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

LOOK_S = 5.0
"""How often it is looked whether the files are others. What has just changed is looked at once more
before it is taken: certificate and key are two files, and not replaced in one step."""

AGAIN_S = 30.0
"""Pause before files that the broker did not let in are tried again."""

TRIAL_S_MAX = 20.0
"""For a connection beside those that stand: TCP, TLS and MQTT may take eight seconds each, and on
a line on which they do there is a next time."""

TRIAL_LOOK_S = 0.1
"""How often it is looked what has become of it."""

RENEW_S_MAX = 30.0
"""How long the next connection waits for the one before it to stand again."""


class Renewal:
    """The watch over the credentials of one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        link: str,
        protection: Protection,
        *,
        urgent: Bus,
        others: Sequence[Bus],
        trial: Callable[[Protection], Bus],
        pumps: Sequence[Pump],
        clock: Clock,
        log: Log,
    ) -> None:
        self._link = link
        self.protection = protection
        self._urgent = urgent
        self._others = tuple(others)
        self._trial = trial
        self._pumps = tuple(pumps)
        self._clock = clock
        self._log = log
        self._seen: Print | None = None
        self._due_ns = 0
        self._fault: str | None = None
        self.pulse = Pulse(clock)
        self.renewed = 0
        """Times that replaced files were taken."""

    async def run(self) -> None:
        """Look after the files for ever."""
        while True:
            self.pulse.beat(LOOK_S + PULSE_S)
            await self._clock.sleep(LOOK_S)
            try:
                await self._look()
            # Whatever is wrong with a file, it must not cost the link its connections.
            except Exception as error:  # noqa: BLE001  # see above
                self._log.error("certificates_unwatched", error=repr(error))

    def statuses(self) -> dict[str, CertificateStatus]:
        """Return how each certificate stands."""
        if not self.protection.certificates:
            return {}
        now = self._clock.now()
        return {name: status_of(one, now) for name, one in named(self.protection.certificates)}

    def trouble(self) -> str | None:
        """Return what is wrong with the credentials, or soon will be; None when nothing is."""
        if not self.protection.protected:
            return None
        now = self._clock.now()
        found = list(troubles(self.protection.certificates, now))
        if self.protection.refusal is not None:
            hint = "" if is_clock_known(now) else f" ({CLOCK_UNKNOWN})"
            found.append(f"no protected connection: {self.protection.refusal}{hint}")
        if self._fault is not None:
            found.append(f"the new files are not taken, and the old ones serve on: {self._fault}")
        return "; ".join(found) or None

    async def _look(self) -> None:
        seen = self.protection.seen()
        if self.protection.taken is None:  # nothing was ever good: each attempt reads anew
            return
        if seen == self.protection.taken:
            self._seen, self._fault = None, None
        elif seen != self._seen:
            self._seen, self._due_ns = seen, 0
        elif self._clock.now().mono_ns >= self._due_ns:
            self._due_ns = self._clock.now().mono_ns + int(AGAIN_S * 1e9)
            await self._replace()

    async def _replace(self) -> None:
        """Take the new files if they are good; else say why not, and leave all as it is."""
        try:
            fresh = self.protection.fresh()
            self._check(fresh)
            await self._try_out(fresh)
        except (CredentialFault, LinkLost) as error:
            say = self._log.debug if str(error) == self._fault else self._log.error
            say("certificates_refused", reason=str(error))
            self._fault = str(error)
            return
        self.protection.adopt(fresh)
        self.renewed += 1
        self._seen, self._fault = None, None
        self._log.warning("certificates_replaced", renewed=self.renewed)
        reached("certificates.taken")
        for bus in self._others:
            await self._renew(bus)
        while not all(pump.resting.is_set() for pump in self._pumps):
            for pump in self._pumps:
                await self.pulse.wait(pump.resting.wait(), LINK_S)
        await self._renew(self._urgent)

    def _check(self, fresh: Protection) -> None:
        now = self._clock.now()
        for certificate in fresh.certificates:
            if certificate.whose == "ours" and not is_valid(certificate, now):
                words = "; ".join(troubles([certificate], now))
                raise CredentialFault(certificate.file or "", words)

    async def _try_out(self, fresh: Protection) -> None:
        """Connect beside those that stand, under a name of its own, and leave again."""
        bus = self._trial(fresh)
        self.pulse.beat(TRIAL_S_MAX + PULSE_S)
        async with asyncio.TaskGroup() as group:
            attempt = group.create_task(bus.run(), name="trial of new certificates")
            for _ in range(round(TRIAL_S_MAX / TRIAL_LOOK_S)):
                if bus.connects or bus.last_error:
                    break
                await self._clock.sleep(TRIAL_LOOK_S)
            let_in = bus.connects > 0
            attempt.cancel()
        if not let_in:
            raise LinkLost(self._link, bus.last_error or f"no answer within {TRIAL_S_MAX:g} s")

    async def _renew(self, bus: Bus) -> None:
        """Have one connection made anew, and wait until it stands."""
        connects = bus.connects
        self.pulse.beat(GOODBYE_S_MAX + PULSE_S)
        await bus.renew()
        await self.pulse.wait(bus.wait_reconnected(connects), RENEW_S_MAX)
