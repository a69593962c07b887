"""From the outbox to the broker: what is on disk goes out, and is struck out once it is signed for.

At least once: whatever is not struck out is read and sent again, after whatever went wrong. Nothing
is held in memory here that the disk doesn't have, but numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import MsgspecError, Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.model.entry import Entry, Lane
from gateway.mqtt.bus import Bus, LinkLost, Outgoing, PublishRefused
from gateway.mqtt.topics import TopicUnsafe

RETRY_S = 15.0
"""Pause before an entry that the broker refused is tried again; and the longest that the outbox
goes unread, so that a wake-up lost to a fault of ours can't hold a distress back for ever."""

ERROR_PAUSE_S = 1.0
"""Pause after the outbox could not be read or struck out."""

GIVE_WAY_S_MAX = 1.0
"""How long a batch of urgency or safety waits for distress to be out of the way."""

NUMBERS_MAX = 1024
"""Entries set aside as refused, or signed for and not struck out yet. With so many the lane stands
still, as it must: its head can't be told, and the alarm about that is up."""


class Outbox(Protocol):
    """What is on disk and not yet taken by a link. The journal is one."""

    async def pending(self, link: str, lanes: tuple[Lane, ...], *, limit: int) -> tuple[Entry, ...]:
        """Return what the link has still to tell in these lanes, the urgent first, then by age."""

    async def strike(self, link: str, numbers: Sequence[int]) -> None:
        """Strike out what the link's broker has signed for."""


class PumpCount(Struct):
    """What went through the pumps of a link."""

    published: int = 0
    """Entries that the broker signed for."""
    refused: int = 0
    """Times that the broker refused an entry."""
    unwritable: int = 0
    """Entries that no record could be made of. A fault of this program: always 0, or report it."""
    errors: int = 0
    """Times that the outbox could not be read or struck out."""


class Pump:
    """One group of lanes of one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        link: str,
        lanes: tuple[Lane, ...],
        *,
        width: int,
        after: Pump | None = None,
        outbox: Outbox,
        bus: Bus,
        write: Callable[[Entry], Outgoing],
        count: PumpCount,
        clock: Clock,
        log: Log,
    ) -> None:
        self._link = link
        self._lanes = lanes
        self._width = width
        self._outbox = outbox
        self._bus = bus
        self._write = write
        self._count = count
        self._clock = clock
        self._log = log
        self._after = after
        self._wake = asyncio.Event()
        self.resting = asyncio.Event()
        """Set while there is nothing to send, or nothing that may be sent yet."""
        self._aside: dict[int, int] = {}
        """Refused entries, and when each may be tried again."""
        self._signed: set[int] = set()
        """Signed for, and not struck out yet: never sent again by this process."""

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()
        self.resting.clear()

    async def run(self) -> None:
        """Send what is pending whenever the link is up, for ever."""
        while True:
            await self._bus.wait_connected()
            await self._give_way()
            self._wake.clear()
            try:
                rest = await self._send_pending()
            # Whatever a failing disk raises, the lane goes on: the next reading may succeed.
            except Exception as error:  # noqa: BLE001  # see above
                self._count.errors += 1
                self._log.error("pump_failed", lanes=self._lanes, error=repr(error))
                await self._clock.sleep(ERROR_PAUSE_S)
                continue
            if rest:
                await self._rest()

    async def _give_way(self) -> None:
        """Let a more urgent pump come to rest first, but not for ever: a flood must not stop us."""
        if self._after is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GIVE_WAY_S_MAX):
                    await self._after.resting.wait()

    async def _rest(self) -> None:
        self.resting.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETRY_S):
                await self._wake.wait()
        self.resting.clear()

    async def _send_pending(self) -> bool:
        """Send one batch and strike it out. True when there is nothing more to do for now."""
        now_ns = self._clock.now().mono_ns
        self._aside = {n: when for n, when in self._aside.items() if when > now_ns}
        skipped = self._aside.keys() | self._signed
        width = min(self._width, NUMBERS_MAX - len(skipped))
        batch: list[Entry] = []
        if width > 0:
            pending = await self._outbox.pending(
                self._link, self._lanes, limit=width + len(skipped)
            )
            batch = [entry for entry in pending if entry.number not in skipped][:width]
        await self._send_all(batch)
        if self._signed:
            await self._outbox.strike(self._link, sorted(self._signed))
            self._signed.clear()
        return not batch

    async def _send_all(self, entries: Sequence[Entry]) -> None:
        """Send entries together, in their order; return once the fate of each is known."""
        async with asyncio.TaskGroup() as group:
            for entry in entries:
                group.create_task(self._send(entry))

    async def _send(self, entry: Entry) -> None:
        try:
            await self._bus.publish(self._write(entry))
        except LinkLost:
            return
        except PublishRefused as refusal:
            self._count.refused += 1
            self._log.error("publish_refused", number=entry.number, refusal=str(refusal))
        except (MsgspecError, TopicUnsafe):
            self._count.unwritable += 1
            self._log.exception("entry_unwritable", number=entry.number)
        else:
            self._count.published += 1
            self._signed.add(entry.number)
            return
        self._aside[entry.number] = self._clock.now().mono_ns + int(RETRY_S * 1e9)
