"""From the outbox to the broker: what is on disk goes out, and is struck out once it is signed for.

At least once: whatever is not struck out is read and sent again, after whatever went wrong. Who has
to sign is the broker, or the consumer of record (receipts.py). Only numbers are held in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Protocol

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.bounds import Bound
from gateway.model.entry import Entry, Lane
from gateway.mqtt.ahead import Ahead
from gateway.mqtt.aside import Aside
from gateway.mqtt.bus import Bus, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.counts import PumpCount
from gateway.mqtt.early import Early
from gateway.mqtt.limits import PUBACK_S_MAX
from gateway.mqtt.rounds import Rounds
from gateway.mqtt.striking import ERROR_PAUSE_S, Striking
from gateway.mqtt.suspects import Suspects
from gateway.points import reached
from gateway.pulse import PULSE_S, Pulse

UNREAD_S = 15.0
"""The longest that the outbox goes unread, so that a wake-up lost to a fault of ours can't hold a
distress back for ever."""

RESTS = 5
LINK_S = 3.0
"""That pause in so many pieces, a wait for a link in pieces of so long: each says that we live."""

GIVE_WAY_S_MAX = 0.1
"""How long a batch of urgency or safety waits for distress to be out of the way. In a flood of
invented distress eighty of them a second still go out, more than any radio says."""

PROOF_S = 0.05
PROOFS_MAX = 20
"""Before an entry is told alone the connection may prove itself, by taking anything else: it is
looked so often, at this pause. Only then does its end prove something against the entry."""

UNSIGNED_MAX = 16_384
"""Entries told and not signed for that are counted; with more of them the count stands still."""


class Outbox(Protocol):
    """What is on disk and not yet taken by a link. The journal is one."""

    @property
    def epoch(self) -> str:
        """The name of the journal that numbers it."""

    async def pending(
        self,
        link: str,
        lanes: tuple[Lane, ...],
        *,
        limit: int,
        after: tuple[Lane, int] | None = None,
    ) -> tuple[Entry, ...]:
        """Return what the link has still to tell in these lanes, the urgent first, then by age."""

    async def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Strike out what has been signed for. What isn't there is no matter."""


class Pump:
    """One group of lanes of one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        link: str,
        lanes: tuple[Lane, ...],
        *,
        width: int,
        receipts: bool,
        after: Pump | None = None,
        outbox: Outbox,
        bus: Bus,
        write: Callable[[Entry, bool], Outgoing],
        count: PumpCount,
        clock: Clock,
        log: Log,
    ) -> None:
        self._link = link
        self._lanes = lanes
        self._width = width
        self._receipts = receipts
        self._outbox = outbox
        self._bus = bus
        self._write = write
        self._count = count
        self._clock = clock
        self._log = log
        self._after = after
        self._wake = asyncio.Event()
        self._rested = False
        """Whether there was nothing to send the last time."""
        self.resting = asyncio.Event()
        """Set while there is nothing to send, or nothing that may be sent yet."""
        self.pulse = Pulse(clock)
        """Not due while the disk has the next move: a disk that hangs raises its own alarm."""
        self._rounds = Rounds(lanes)
        self._aside = Aside()
        self._suspects: Suspects[int] = Suspects()
        self._ahead = Ahead(lanes)
        self._early = Early(lanes)
        self._trusted_until_ns = 0
        self._signed = Striking(link, outbox=outbox, count=count, clock=clock, log=log)
        """Signed for by the broker, and not struck out yet: never sent again by this process."""
        self._unsigned: dict[int, int] = {}
        """Told and waiting for a receipt, in this order, and since when."""

    def bounds(self) -> Iterator[Bound]:
        """Yield how many numbers are remembered; the entries themselves are on disk."""
        yield from self._suspects.bounds()
        yield from self._aside.bounds()
        yield from self._signed.bounds()
        yield from self._ahead.bounds()
        yield from self._early.bounds()
        yield Bound(
            of="Pump._unsigned",
            what="unsigned",
            held=len(self._unsigned),
            limit=UNSIGNED_MAX,
            rule="the count stands still; all are told and signed for as before",
        )

    def tell(self, entry: Entry) -> None:
        """Take note of an entry that has just been put into the outbox."""
        self._ahead.put(entry)
        self._early.put(entry)
        self._stir()

    def wake(self) -> None:
        """There is something new in the outbox, or all of it is to be told anew."""
        self._ahead.forget()
        self._stir()

    def _stir(self) -> None:
        self._wake.set()
        self.resting.clear()

    def beat(self) -> None:
        """Time has passed: look whether something is to be told again."""
        if self._rounds.due(self._clock.now().mono_ns):
            self._wake.set()

    @property
    def begun(self) -> dict[Lane, int]:
        """The last entry of each lane that was ever handed to the broker in this run."""
        return self._rounds.begun

    @property
    def unsigned(self) -> int:
        """How many entries have been handed to the broker and not signed for by the consumer."""
        return len(self._unsigned)

    @property
    def unsigned_since_ns(self) -> int | None:
        """When the longest unsigned of them was handed over for the first time in this run."""
        return next(iter(self._unsigned.values()), None)

    def awaited(self, numbers: Iterable[int]) -> set[int]:
        """Return those that were handed to the broker and wait for a receipt."""
        return {number for number in numbers if number in self._unsigned}

    def ended(self, numbers: Iterable[int]) -> None:
        """Note that these have been signed for and struck out; more receipts may follow."""
        known = 0
        for number in numbers:
            known += self._unsigned.pop(number, None) is not None
            self._cleared(number)
        if known:
            self._rounds.ended(self._clock.now().mono_ns)

    def poison(self) -> list[int]:
        """Return the entries that could not be told time and again."""
        return self._aside.poison()

    async def run(self) -> None:
        """Send what is pending whenever the link is up, and strike out what is signed for."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_for_ever())
            group.create_task(self._signed.run())

    async def _send_for_ever(self) -> None:
        while True:
            await self._connected()
            self.pulse.beat()
            await self._give_way()
            if self._rested and not self._wake.is_set():
                self._ahead.forget()
            self._wake.clear()
            try:
                self._rested = await self._send_some()
            # Whatever a failing disk raises, the lane goes on: the next reading may succeed.
            except Exception as error:  # noqa: BLE001  # see above
                self._count.errors += 1
                self._rounds.lost()  # what was read and not sent, or set aside, is read again
                self._log.error("pump_failed", lanes=self._lanes, error=repr(error))
                await self._clock.sleep(ERROR_PAUSE_S)
                continue
            if self._rested:
                await self._rest()

    async def _connected(self) -> None:
        while not self._bus.connected:
            await self._wait(self._bus.wait_connected(), LINK_S)

    async def _wait(self, until: Coroutine[None, None, object], limit_s: float) -> None:
        """Wait for this, but not for ever, and say that we do."""
        self.pulse.beat()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await until

    async def _give_way(self) -> None:
        """Let a more urgent pump come to rest first, but not for ever: a flood must not stop us."""
        if self._after is not None:
            await self._wait(self._after.resting.wait(), GIVE_WAY_S_MAX)

    async def _rest(self) -> None:
        self.resting.set()
        for _ in range(RESTS):
            if not self._wake.is_set():
                await self._wait(self._wake.wait(), UNREAD_S / RESTS)
        self.resting.clear()

    async def _send_some(self) -> bool:
        """Send a batch of what is new, else of what was in vain. True when neither is there."""
        if self._rounds.connected(self._bus.connects):
            self._aside.anew()
            self._early.anew()
        self._mistrust()
        self.pulse.rest()
        await self._signed.room()
        self.pulse.beat()
        batch, again = await self._new() + await self._pardoned(), False
        if not batch:
            batch, again = await self._in_vain(), True
        now_ns = self._clock.now().mono_ns
        await self._send_all([entry for entry in batch if self._may_go(entry, now_ns)], again)
        if batch and (self._receipts or self._aside):
            self._rounds.left(self._clock.now().mono_ns)
        return not batch

    def _mistrust(self) -> None:
        """Read every lane now and then, however much there is to tell in the other."""
        now_ns = self._clock.now().mono_ns
        if now_ns >= self._trusted_until_ns:
            self._trusted_until_ns = now_ns + int(UNREAD_S * 1e9)
            self._ahead.forget()

    async def _new(self) -> list[Entry]:
        """Return what has not been told on this connection, the urgent first."""
        found: list[Entry] = []
        for lane, last in self._rounds.new():
            if self._width > len(found):
                found += await self._next(lane, last, self._width - len(found))
        return found

    async def _next(self, lane: Lane, last: int, limit: int) -> list[Entry]:
        """Return what is to be told next in a lane: by number, and some of each port."""
        early = self._early.share(lane, last, limit) if len(self._unsigned) < UNSIGNED_MAX else 0
        while rows := await self._behind(lane, last, limit - early):
            last = rows[-1].number
            self._rounds.told(rows)
            if found := self._early.untold(lane, rows):
                out_of_turn = self._early.take(lane, last, early)
                self._expect_receipts(out_of_turn)
                return found + out_of_turn
            if self._receipts or self._aside:  # or no round would come to these
                self._rounds.left(self._clock.now().mono_ns)
        return []

    async def _pardoned(self) -> list[Entry]:
        """Return some that may go after all, and that this connection has passed already."""
        found: list[Entry] = []
        for number in self._aside.pardoned(self._width):
            for lane, last in self._rounds.new():
                if number <= last:
                    rows = await self._after_place(lane, number - 1, 1)
                    found += [row for row in rows if row.number == number]
        return found

    async def _behind(self, lane: Lane, last: int, limit: int) -> Sequence[Entry]:
        """Return what stands in the outbox behind an entry; the disk is asked only if need be."""
        rows = self._ahead.behind(lane, last, limit)
        if rows is not None:
            self._expect_receipts(rows)
            return rows
        rows = await self._after_place(lane, last, limit)
        if not rows:  # a few may be all that is whole of many
            self._ahead.read(lane, last)
        return rows

    async def _in_vain(self) -> list[Entry]:
        """Return what has been told on this connection, is not ended, and is due again."""
        for lane, last, upto in self._rounds.open(self._clock.now().mono_ns):
            rows = await self._after_place(lane, last, self._width)
            found = [row for row in rows if row.number <= upto]
            if found:
                self._rounds.passed(found[-1])
                return found
        self._rounds.closed(self._clock.now().mono_ns)
        return []

    async def _after_place(self, lane: Lane, last: int, limit: int) -> tuple[Entry, ...]:
        """Ask the disk what stands in the outbox behind an entry, and expect receipts for it."""
        self.pulse.rest()
        rows = await self._outbox.pending(self._link, (lane,), limit=limit, after=(lane, last))
        self.pulse.beat()
        reached("outbox.read")
        self._expect_receipts(rows)
        return rows

    def _expect_receipts(self, rows: Sequence[Entry]) -> None:
        """Before anything else can run: who strikes one of them out looks here afterwards."""
        now_ns = self._clock.now().mono_ns
        for row in rows if self._receipts else ():
            if len(self._unsigned) < UNSIGNED_MAX:
                self._unsigned.setdefault(row.number, now_ns)

    def _may_go(self, entry: Entry, now_ns: int) -> bool:
        return entry.number not in self._signed and self._aside.may_go(entry.number, now_ns)

    async def _send_all(self, entries: Sequence[Entry], again: bool) -> None:  # noqa: FBT001  # private, and named at the call
        """Send entries together, in their order; return once the fate of each is known."""
        self.pulse.beat(PUBACK_S_MAX + PULSE_S)
        alone = [entry for entry in entries if self._suspects.alone(entry.number)]
        async with asyncio.TaskGroup() as group:
            for entry in entries:
                if entry not in alone:
                    group.create_task(self._send(entry, again))
        for entry in alone:
            self.pulse.beat(PUBACK_S_MAX + PULSE_S)
            await self._proof()
            await self._send(entry, again)

    async def _proof(self) -> None:
        """Let the connection take something else first, but not for ever."""
        for _ in range(PROOFS_MAX):
            if self._bus.taken or not self._bus.connected:
                return
            await self._clock.sleep(PROOF_S)

    async def _send(self, entry: Entry, again: bool) -> None:  # noqa: FBT001  # see _send_all
        under_way = self._bus.connected
        try:
            await self._bus.publish(self._write(entry, again))
        except LinkLost:
            self._rounds.lost()
            if under_way:
                self._lost(entry.number)
        except PublishRefused as refusal:
            self._count.refused += 1
            self._log.error("publish_refused", number=entry.number, refusal=str(refusal))
            self._suspects.cleared(entry.number)
            self._aside.put(entry.number, self._clock.now().mono_ns)
        # Whatever a fault of ours raises, it must not hold up those beside it, nor tell them twice.
        except Exception:  # noqa: BLE001  # see above
            self._count.unwritable += 1
            self._log.exception("entry_unwritable", number=entry.number)
            self._aside.put(entry.number, self._clock.now().mono_ns)
        else:
            self._came_through(entry.number, again)
        # A broker that takes one at a time has the last of them wait for all before it.
        self.pulse.beat(PUBACK_S_MAX + PULSE_S)

    def _lost(self, number: int) -> None:
        """The connection ended with this under way: find out in time whether it was why."""
        if not self._suspects.alone(number):
            self._suspects.lost(number)
        elif self._bus.taken:
            self._log.error("entry_hung_up_on", number=number)
            self._aside.put(number, self._clock.now().mono_ns, hung_up=True)

    def _came_through(self, number: int, again: bool) -> None:  # noqa: FBT001  # see _send_all
        self._count.published += not again
        self._count.resent += again
        alone = self._suspects.alone(number)
        # One that was suspect has come through: so may the others, and at once.
        if alone and self._aside.pardon(self._suspects.alone):
            self._wake.set()
        self._cleared(number)
        if not self._receipts:
            self._signed.add(number)
        elif alone:
            self._aside.told(number, self._clock.now().mono_ns)

    def _cleared(self, number: int) -> None:
        self._aside.cleared(number)
        self._suspects.cleared(number)
