"""One port, kept open for as long as the service runs. Its troubles are its own.

    waiting ──► opening ──► open ──► waiting        hung up, replaced, refused
                  ▲           │
                  └── silent ◄┘                     no byte for the profile's time: opened anew

While nothing stands at its place the port looks twenty times a second, so that a cable put back is
heard within a moment; anything else is tried again after a growing time. A port that is `silent`
is open all the same: it has been opened anew and still says nothing.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.inbound import Chunk
from gateway.model.plan import PortPlan
from gateway.model.words import ClockState
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse
from gateway.rules.permit import Permit
from gateway.transport import (
    KeyStuck,
    Node,
    TransmitRefused,
    Way,
    Wire,
    WireAbsent,
    WireEnded,
    WireLost,
    WriteStalled,
)
from gateway.transport.keying import Keyer
from gateway.transport.leave import NOT_OPEN, Leave, Standing
from gateway.transport.memory import NO_MODEMS, Modem
from gateway.transport.opening import way_of

LOOK_S = 0.05
"""How often a waiting port looks whether its node is back; a look costs microseconds."""

CHECK_S = 0.5
"""How often an open port checks that its name still leads to the same node."""

BACKOFF_S_MIN = 0.1
BACKOFF_S_MAX = 15.0
"""Longer would leave a repaired modem unheard; shorter would fill a log."""

BYTES_PER_S_MAX = 4_000_000
"""Ten times the fastest modem (3 Mbaud): a flood may not take the processor from other ports."""

BURST_NS = 20 * 10**6
"""How far a port may run ahead of that rate: rates are made of bursts."""

OPENING_S_MAX = 10.0 + PULSE_S
"""What any way takes to open, by its own limits, and the usual time for the rest."""


class PortState(Struct, kw_only=True):
    """How a port stands, for status and health; updated in place."""

    name: str
    device: str
    state: Literal["waiting", "opening", "open", "silent"] = "waiting"
    resolved: str | None = None
    """Where the device leads to, while it is open."""
    last_error: str | None = None
    """What last went wrong; kept while the port is open again."""
    retry_at_mono_ns: int | None = None
    open_since_utc: datetime | None = None
    """None while it is not open, or when nobody knew the time."""
    opened_mono_ns: int | None = None
    """When it was last opened."""
    reopened: int = 0
    """How often it was opened after the first time."""
    silences: int = 0
    """How often it was opened anew because nothing came."""
    refused_senders: int = 0
    """Callers turned away because another one was speaking (tcp-listen)."""
    bytes_in: int = 0
    bytes_out: int = 0
    last_byte_mono_ns: int | None = None
    tested_mono_ns: int | None = None
    """When its modem was last handed a link test."""
    transmit: Standing = Standing("never")
    """Whether it may transmit; receiving goes on whatever it says."""
    key_stuck: str | None = None
    """Why its transmitter may be keyed though nobody transmits; until its lines were seen low."""


def backoff_s(attempt: int, jitter: random.Random) -> float:
    """Return how long to wait before this attempt, counted from 0; half of it is chance."""
    longest = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2.0 ** min(attempt, 16))
    return longest * jitter.uniform(0.5, 1.0)


class Port:
    """Listens to one modem and speaks to it, through every loss of the wire."""

    def __init__(
        self,
        plan: PortPlan,
        *,
        clock: Clock,
        log: Log,
        jitter: random.Random,
        modems: Mapping[str, Modem] = NO_MODEMS,
    ) -> None:
        self._leave = Leave(plan)
        self.state = PortState(name=plan.name, device=plan.device, transmit=self._leave.standing)
        self.pulse = Pulse(clock)
        """Beaten while it listens, and while it waits for something to listen to."""
        self._plan = plan
        self._clock = clock
        self._log = log.bind(port=plan.name)
        self._jitter = jitter
        self._keyer = Keyer(plan.name, plan.device, plan.profile.transmit_s_max)
        self._turn = asyncio.Lock()
        """One transmission at a time: two at once would mix within a sentence."""
        self._way: Way = way_of(plan, clock=clock, modems=modems)
        self._wire: Wire | None = None
        self._node: Node | None = None
        self._before: Node | None = None
        """What stood there when opening last failed: anything else is a reason to try again."""
        self._attempt = 0
        self._opened = 0
        self._asked = False
        self._retry_mono_ns = 0.0
        self._check_mono_ns = 0
        self._quiet_mono_ns = 0
        """Since when nothing has come: the last byte, or the opening."""
        self._busy_mono_ns = 0
        """When all that was heard would have come in at BYTES_PER_S_MAX."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """Return what is heard, for ever; never raise but when cancelled.

        The first chunk after each opening has `gap` set. A wire that is lost within a story ends it
        with an empty chunk after a gap, so that the framer gives up what it holds at once.
        """
        try:
            while True:
                gap = True
                while data := await self._next():
                    reached("port.read")
                    yield Chunk(self.state.name, self._clock.now(), data, gap=gap)
                    gap = False
                    await self._pace(len(data))
                if not gap:
                    yield Chunk(self.state.name, self._clock.now(), b"", gap=True)
        finally:
            self.close()

    async def transmit(self, permit: Permit, data: bytes) -> None:
        """Hand this to the modem whole, once, by leave of its permit. Never tried twice.

        TransmitRefused: not a byte was handed over. WireLost or WriteStalled: nobody knows how much
        of it went out. Whoever waits for another one to end is refused once the permit has ended.
        """
        async with self._turn:
            wire = self._wire
            if wire is None:
                raise TransmitRefused(self.state.name, self._leave.standing.reason or NOT_OPEN)
            self._leave.take(permit, data, self._clock.now().mono_ns)
            # What takes no time on the air keys nothing: a link test.
            key = wire.key if permit.load.airtime_s else None
            try:
                async with self._keyer.keyed(key):
                    if key is not None:
                        await self._clock.sleep(self._plan.profile.ptt_lead_s)
                    reached("port.write_begun")
                    await wire.write(data)
                    reached("port.written")
            except KeyStuck as stuck:
                self.state.key_stuck = stuck.reason
                self._log.error("key_stuck", reason=stuck.reason)
                wire.close()  # the kernel drops it then, if anybody does
                raise
            except WriteStalled as stalled:
                self._leave.stalled()
                self._log.error("write_stalled", unsent_bytes=stalled.unsent_bytes)
                raise
            finally:
                self.state.transmit = self._leave.standing
            self.state.bytes_out += len(data)

    def recognised(self, serial: str | None, heard_mono_ns: int) -> None:
        """Take what the modem has said of itself then: a packed modem's `hello`."""
        self._leave.recognised(serial, heard_mono_ns)
        self.state.transmit = self._leave.standing

    def answered(self, heard_mono_ns: int) -> None:
        """Take the modem's answer to a link test, heard then: it heals one that had stalled."""
        self._leave.answered(heard_mono_ns)
        self.state.transmit = self._leave.standing

    def retry_now(self) -> None:
        """Try to open it at once, if it is waiting."""
        self._asked = True

    def close(self) -> None:
        """Let go of the wire and of the way. Never blocks; whoever takes chunks opens it again."""
        self._let_go()
        self._way.close()

    async def _next(self) -> bytes:
        """Return the next bytes; none when the wire was lost, or could not be had."""
        try:
            return await self._read(self._wire or await self._open())
        except WireLost as lost:
            self._lose(lost)
        except Exception as bug:  # noqa: BLE001  # our own faults must not fall on other ports
            self._log.exception("port_failed")
            self._lose(WireLost(self.state.device, f"fault of ours: {type(bug).__name__}"))
        return b""

    async def _open(self) -> Wire:
        """Open the wire when it is time to; raise WireLost."""
        await self._wait()
        state = self.state
        self._before = self._standing()
        if state.state != "silent":
            state.state = "opening"
        self.pulse.beat(OPENING_S_MAX)
        wire, self._node = await self._way.open()
        self._wire = wire
        now = self._clock.now()
        self._leave.opened(wire.adapter, now.mono_ns, has_key=wire.key is not None)
        state.transmit, state.key_stuck = self._leave.standing, None
        if state.state != "silent":
            state.state = "open"
        state.resolved = self._node.path
        state.reopened = self._opened
        state.retry_at_mono_ns = None
        state.opened_mono_ns = now.mono_ns
        if now.utc_ns is not None and now.clock is not ClockState.UNSET:
            state.open_since_utc = datetime.fromtimestamp(now.utc_ns / 1e9, UTC)
        self._opened += 1
        self._quiet_mono_ns = now.mono_ns
        self._check_mono_ns = now.mono_ns + int(CHECK_S * 1e9)
        self._log.info("port_opened", device=state.device, resolved=state.resolved)
        reached("port.opened")
        return wire

    async def _read(self, wire: Wire) -> bytes:
        """Return the next bytes of an open wire; raise WireLost."""
        data = b""
        while not data:
            self.pulse.beat()
            self._check()
            try:
                async with asyncio.timeout(self._patience_s()):
                    data = await wire.read()
            except TimeoutError:
                continue
        state = self.state
        self._quiet_mono_ns = state.last_byte_mono_ns = self._clock.now().mono_ns
        state.bytes_in += len(data)
        state.state = "open"
        self._attempt = 0
        return data

    def _check(self) -> None:
        """Raise WireLost when the port is silent for too long, or its name leads elsewhere."""
        now_ns = self._clock.now().mono_ns
        silence_s = self._plan.profile.silence_s
        if silence_s and now_ns - self._quiet_mono_ns >= silence_s * 1e9:
            raise _WireSilent(self.state.device, f"silent for {silence_s:g} s")
        if now_ns < self._check_mono_ns:
            return
        self._check_mono_ns = now_ns + int(CHECK_S * 1e9)
        self.state.refused_senders = self._way.refused_senders
        # A node that is merely gone is no reason to let go of a wire that still stands; neither
        # is a name that has become ambiguous: the open wire is the one that was meant.
        standing = self._standing()
        if standing is not None and self._node and standing.identity != self._node.identity:
            raise WireLost(self.state.device, "the node was replaced")

    def _patience_s(self) -> float:
        """Return how long to wait for bytes before checking again."""
        silence_s = self._plan.profile.silence_s
        if not silence_s:
            return CHECK_S
        left_s = silence_s - (self._clock.now().mono_ns - self._quiet_mono_ns) / 1e9
        return min(CHECK_S, max(left_s, 0.001))

    async def _wait(self) -> None:
        """Wait until it is time to open: asked to, something new stands there, or time is up."""
        while not self._asked:
            self.pulse.beat()
            left_ns = self._retry_mono_ns - self._clock.now().mono_ns
            if left_ns <= 0:
                break
            await self._clock.sleep(min(LOOK_S, left_ns / 1e9))
            standing = self._standing()
            if standing is not None and standing != self._before:
                break
        self._asked = False

    def _standing(self) -> Node | None:
        try:
            return self._way.standing()
        except WireLost:
            return None

    def _lose(self, lost: WireLost) -> None:
        """Let go of the wire and set the time of the next attempt."""
        state = self.state
        if self._wire is not None or lost.reason != state.last_error:
            self._log.warning("port_lost", device=state.device, reason=lost.reason)
        if self._wire is not None:
            self._before = self._node
        elif isinstance(lost, WireAbsent):
            self._before = None
        self._let_go()
        state.last_error = lost.reason
        if isinstance(lost, _WireSilent):
            state.state = "silent"
            state.silences += 1
            return
        state.state = "waiting"
        pause_s = backoff_s(self._attempt, self._jitter)
        self._attempt += 1
        self._retry_mono_ns = self._clock.now().mono_ns + pause_s * 1e9
        state.retry_at_mono_ns = int(self._retry_mono_ns)
        if isinstance(lost, WireEnded):
            self._retry_mono_ns, state.retry_at_mono_ns = math.inf, None

    def _let_go(self) -> None:
        wire, self._wire, self._node = self._wire, None, None
        self.state.resolved = self.state.open_since_utc = None
        self._leave.lost()
        self.state.transmit = self._leave.standing
        if wire is not None:
            wire.close()

    async def _pace(self, heard_bytes: int) -> None:
        """Wait when a flood comes in faster than any modem speaks; the sender has to wait too."""
        now_ns = self._clock.now().mono_ns
        self._busy_mono_ns = max(self._busy_mono_ns, now_ns)
        self._busy_mono_ns += heard_bytes * 10**9 // BYTES_PER_S_MAX
        if self._busy_mono_ns - now_ns > BURST_NS:
            await self._clock.sleep((self._busy_mono_ns - now_ns) / 1e9)


class _WireSilent(WireLost):
    """It stands, but says nothing: perhaps it has gone stale, so it is opened anew at once."""
