"""The consumer of record signs: only then is an entry delivered, and struck out of the outbox.

A broker's signature proves neither that anything was written nor that anybody was told. What comes
in here may be hostile: it ends nothing that this run has not told, and costs nobody but itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, MsgspecError, Struct

from gateway.clock import Clock
from gateway.log import Log
from gateway.mqtt.bus import Bus, Incoming
from gateway.mqtt.outbox import Outbox, Pump
from gateway.mqtt.striking import ERROR_PAUSE_S
from gateway.points import reached
from gateway.pulse import Pulse

RECEIPT_BYTES_MAX = 16_384
"""A thousand spans of numbers, in JSON. Whoever has more to sign for signs twice."""

SPANS_MAX = 1024
"""Numbers and spans in one receipt."""

NUMBERS_MAX = 10_000
"""Entries that one receipt ends: one transaction of a few milliseconds."""

UNTOLD_MAX = 256
"""Entries not yet told that a receipt is compared with; what lies behind them is not ended."""


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the consumer of record signs for, told by it on `receipt/<consumer>`."""

    epoch: Annotated[str, Meta(min_length=1, max_length=64)]
    """That of the records."""
    # No limits on the numbers here: msgspec 0.22 has a fixed tuple of limited numbers end the
    # program at the next collection of garbage. numbers_of() keeps them.
    numbers: Annotated[tuple[int | tuple[int, int], ...], Meta(min_length=1, max_length=SPANS_MAX)]
    """Numbers of records, and spans of them: first and last. At most 10 000 in all."""


class Fault(StrEnum):
    """Why a receipt is refused."""

    TOPIC = "it came on another topic"
    KEPT = "the broker had kept it: nobody signs beforehand"
    TOO_LONG = "it is longer than a receipt can be"
    NO_RECEIPT = "it is no receipt: in JSON or msgpack, an epoch, and 1 to 1024 numbers or spans"
    EPOCH = "it is for another epoch"
    NO_SPAN = "a span ends before it begins, or begins before 1"
    TOO_MANY = "it names more entries than a receipt can"
    UNTOLD = "it names what this run of the gateway has not told"


class ReceiptCount(Struct):
    """What became of the receipts of a link."""

    taken: int = 0
    """Receipts that ended what they name."""
    refused: int = 0
    """Receipts that could not be read, or name what this run has not told."""
    errors: int = 0
    """Times that the outbox could not be read or struck out."""


class Receipts:
    """What one consumer signs on one link."""

    def __init__(  # noqa: PLR0913  # each is a door of its own, opened in one place
        self,
        link: str,
        topic: str,
        *,
        bus: Bus,
        outbox: Outbox,
        pumps: Sequence[Pump],
        clock: Clock,
        log: Log,
    ) -> None:
        self._link = link
        self._topic = topic
        self.bus = bus
        self._outbox = outbox
        self._pumps = tuple(pumps)
        self._clock = clock
        self._log = log
        self._said: Fault | None = None
        self.count = ReceiptCount()
        self.pulse = Pulse(clock)
        """Not due while the consumer or the disk has the next move."""

    async def run(self) -> None:
        """Take receipts for ever. The broker is told that one came when it is on disk."""
        self.pulse.rest()
        async for incoming in self.bus.received():
            self.pulse.beat()
            reached("receipt.heard")
            numbers = self._read(incoming)
            if isinstance(numbers, Fault):
                self._refuse(numbers)
            else:
                await self._end(numbers)
            self.pulse.rest()

    def _read(self, incoming: Incoming) -> set[int] | Fault:
        if incoming.topic != self._topic:
            return Fault.TOPIC
        if incoming.retained:
            return Fault.KEPT
        return numbers_of(incoming.payload, epoch=self._outbox.epoch)

    async def _end(self, numbers: set[int]) -> None:
        """End what is signed for and has been told; until that is on disk nothing else happens."""
        while (known := await self._struck(numbers)) is None:
            await self._clock.sleep(ERROR_PAUSE_S)
        reached("receipt.struck")
        for pump in self._pumps:
            pump.ended(known)
        self.count.taken += bool(known)
        if len(known) < len(numbers):
            self._refuse(Fault.UNTOLD)

    async def _struck(self, numbers: set[int]) -> set[int] | None:
        """Strike out what is known of these, and return it; None when the disk doesn't serve."""
        self.pulse.rest()
        try:
            known = await self._told(numbers)
            if known:
                await self._outbox.strike(self._link, sorted(known))
        except Exception as error:  # noqa: BLE001  # whatever it is, the next attempt may succeed
            self.count.errors += 1
            self._log.error("receipt_failed", error=repr(error))
            return None
        finally:
            self.pulse.beat()
        return known

    async def _told(self, numbers: set[int]) -> set[int]:
        """Return those that have been handed to the broker in this run."""
        waiting = {number for pump in self._pumps for number in pump.awaited(numbers)}
        return waiting | await self._told_long_ago(numbers - waiting)

    async def _told_long_ago(self, numbers: set[int]) -> set[int]:
        """Return those handed to the broker of which no pump knows any more: ended, or too many."""
        begun = {lane: last for pump in self._pumps for lane, last in pump.begun.items()}
        last_of_all = max(begun.values())
        known = {number for number in numbers if number <= last_of_all}
        for lane, last in begun.items():
            if known and max(known) > last:
                untold = await self._outbox.pending(
                    self._link, (lane,), limit=UNTOLD_MAX, after=(lane, last)
                )
                if len(untold) == UNTOLD_MAX:
                    known = {number for number in known if number < untold[-1].number}
                known -= {entry.number for entry in untold}
        return known

    def _refuse(self, reason: Fault) -> None:
        self.count.refused += 1
        # Said once, not each time: who floods us with them shall not flood the log.
        say = self._log.debug if reason == self._said else self._log.warning
        say("receipt_refused", reason=reason)
        self._said = reason


def numbers_of(payload: bytes, *, epoch: str) -> set[int] | Fault:
    """Return the numbers that a receipt for this epoch names, or why it is none."""
    if len(payload) > RECEIPT_BYTES_MAX:
        return Fault.TOO_LONG
    try:
        # A map of msgpack never begins with a brace or a blank: those are small numbers there.
        decoder = _JSON if payload.lstrip(b" \t\r\n")[:1] == b"{" else _MSGPACK
        receipt = decoder.decode(payload)
    except (MsgspecError, ValueError, RecursionError):
        return Fault.NO_RECEIPT
    if receipt.epoch != epoch:
        return Fault.EPOCH
    spans = [(one, one) if isinstance(one, int) else one for one in receipt.numbers]
    if any(not 1 <= first <= last for first, last in spans):
        return Fault.NO_SPAN
    if sum(last - first + 1 for first, last in spans) > NUMBERS_MAX:
        return Fault.TOO_MANY
    return {number for first, last in spans for number in range(first, last + 1)}


_JSON = msgspec.json.Decoder(Receipt)
_MSGPACK = msgspec.msgpack.Decoder(Receipt)
