"""What is under way, remembered on disk: so that after a crash it is said truthfully what it was.

An order that only waited was not transmitted, and is not taken up again: whoever ordered it may
have gone. One whose bytes were being handed over may have been: nobody can say, and it is not tried
again. What was transmitted lately counts for the limits of this run as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.journal.failed import JournalFailed
from gateway.journal.standing import StandingJournal
from gateway.log import Log
from gateway.model.command import OutcomeState
from gateway.model.inbound import Moment
from gateway.model.transmission import TransmissionNote
from gateway.normalise import utc_of
from gateway.rules.governor import Governor, GovernorKept

APART = "transmit:"
"""What names begin with that are none of a rule: an agreement's has no colon."""

LIMITS = f"{APART}limits"
ORDER = f"{APART}order/"
NUMBER = f"{APART}number/"
"""And the name of a key."""

LOOK_S = 0.25
"""How often it is looked whether the journal stands."""


UNDER_WAY = frozenset({OutcomeState.ACCEPTED, OutcomeState.QUEUED, OutcomeState.TRANSMITTING})
"""Stages after which more has to come: any other says itself what became of it."""


class Kept(msgspec.Struct, frozen=True):
    """What was transmitted lately, and in which start of the machine."""

    boot: str | None
    governor: GovernorKept


class Unfinished:
    """The memory of the way back."""

    def __init__(self, journal: StandingJournal, *, clock: Clock, log: Log) -> None:
        self._journal = journal
        self._clock = clock
        self._log = log
        self.begun = False
        """Whether it is known what the last run left."""
        self.numbers: dict[str, int] = {}
        """Of each key, the number of the last letter that was taken."""

    async def begin(self, governor: Governor) -> list[TransmissionNote]:
        """Return what became of each order that the last run left, once there is a journal."""
        words = await self._recalled()
        now = self._clock.now()
        notes = []
        for name, body in words.items():
            try:
                if name == LIMITS:
                    governor.restore(self._counted(msgspec.msgpack.decode(body, type=Kept), now))
                elif name.startswith(ORDER):
                    left = msgspec.msgpack.decode(body, type=TransmissionNote)
                    notes.append(self._said(left, now))
                elif name.startswith(NUMBER):
                    number = msgspec.msgpack.decode(body, type=int)
                    self.numbers[name.removeprefix(NUMBER)] = number
            except msgspec.DecodeError:
                self._log.error("transmission_not_read", name=name)
        self.begun = True
        return notes

    def number(self, key: str, number: int) -> asyncio.Future[None]:
        """Use this number of a key up; the answer says whether the disk has it."""
        self.numbers[key] = number
        return self._remember({f"{NUMBER}{key}": msgspec.msgpack.encode(number)})

    def waits(self, note: TransmissionNote) -> None:
        """Remember an order that waits for its turn."""
        self._remember({_name(note): msgspec.msgpack.encode(note)})

    def begins(self, note: TransmissionNote, governor: Governor) -> asyncio.Future[None]:
        """Remember what has to be on disk before the first byte; the answer says whether it is."""
        kept = Kept(self._clock.boot, governor.keep())
        return self._remember(
            {_name(note): msgspec.msgpack.encode(note), LIMITS: msgspec.msgpack.encode(kept)}
        )

    def settle(self, note: TransmissionNote) -> None:
        """Take this for what became of an order, and remember it no more once that is on disk.

        Its note is on its way to the disk before it: so none is forgotten that is not kept.
        """
        answer = self._remember({_name(note): msgspec.msgpack.encode(note)})
        answer.add_done_callback(lambda _: self._remember({_name(note): None}))

    def _remember(self, words: Mapping[str, bytes | None]) -> asyncio.Future[None]:
        answer = self._journal.remember(words, urgent=True)
        answer.add_done_callback(self._answered)
        return answer

    def _answered(self, answer: asyncio.Future[None]) -> None:
        if not answer.cancelled() and (failed := answer.exception()) is not None:
            self._log.warning("transmission_not_remembered", reason=str(failed))

    async def _recalled(self) -> Mapping[str, bytes]:
        while True:
            while not self._journal.stands:
                await self._clock.sleep(LOOK_S)
            try:
                return (await self._journal.recalled()).words
            except JournalFailed as failed:
                self._log.error("transmissions_not_read", reason=failed.reason)
                await self._clock.sleep(LOOK_S)

    def _said(self, left: TransmissionNote, now: Moment) -> TransmissionNote:
        """Return the truth about what was left at this stage."""
        if left.stage not in UNDER_WAY:
            return left
        stage, why = OutcomeState.FAILED, "the gateway began anew before its turn: order it again"
        if left.stage is OutcomeState.TRANSMITTING:
            stage = OutcomeState.UNKNOWN
            why = "the gateway ended while it was handed over: whether it went out nobody can say"
        self._log.warning("transmission_left", command_id=left.command_id, stage=stage)
        return replace(
            left,
            stage=stage,
            reason=why,
            mono_ns=now.mono_ns,
            utc=utc_of(now.utc_ns),
            clock=now.clock,
        )

    def _counted(self, kept: Kept, now: Moment) -> GovernorKept:
        """Return what counts; of another start of the machine, as though it were of this moment."""
        if kept.boot == self._clock.boot:
            return kept.governor
        return GovernorKept(tuple(replace(one, at_ns=now.mono_ns) for one in kept.governor.sent))


def _name(note: TransmissionNote) -> str:
    return f"{ORDER}{note.command_id}"
