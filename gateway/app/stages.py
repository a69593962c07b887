"""One order to transmit on its way: what it is, what became of it, and who waits to hear that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.command import FINAL, Outcome, OutcomeState
from gateway.model.inbound import Moment
from gateway.model.transmission import Letter, TransmissionNote, tag_of
from gateway.normalise import utc_of
from gateway.rules.governor import Wish
from gateway.rules.permit import Load, Permit


class Signed(Struct, frozen=True, kw_only=True):
    """A letter, and who stands behind it."""

    letter: Letter
    persons: tuple[str, ...] = ()
    """The author first; nobody where the station acknowledges by itself."""
    keys: tuple[str, ...] = ()


class Order(Struct, frozen=True, kw_only=True):
    """A letter that was taken, with the bytes that say it."""

    signed: Signed
    data: bytes
    """Every byte for the modem, framed."""
    numbers: tuple[int, ...] = (0,)
    """Of the messages in which the modem is told, as its link counts them."""
    load: Load
    wish: Wish
    say: str
    """What it says on the air, for a person."""

    @property
    def command_id(self) -> str:
        """Return the name under which its outcome is told."""
        return self.signed.letter.command_id

    def note(
        self,
        stage: OutcomeState,
        now: Moment,
        *,
        reason: str | None = None,
        clause: str | None = None,
        until: datetime | None = None,
    ) -> TransmissionNote:
        """Return what is kept of it at this stage."""
        return replace(
            unordered(self.signed, stage, now, reason=reason, say=self.say),
            clause=clause,
            until=until,
            sha256=self.load.sha256.hex(),
            octets=len(self.data),
            airtime_s=self.load.airtime_s,
        )


def unordered(
    signed: Signed, stage: OutcomeState, now: Moment, *, reason: str | None = None, say: str = ""
) -> TransmissionNote:
    """Return what is kept of a letter of which there are no bytes."""
    letter = signed.letter
    return TransmissionNote(
        command_id=letter.command_id,
        stage=stage,
        port=letter.port,
        action=tag_of(letter.action),
        say=say,
        reason=reason,
        persons=signed.persons,
        keys=signed.keys,
        about=letter.about,
        exercise=letter.exercise,
        mono_ns=now.mono_ns,
        utc=utc_of(now.utc_ns),
        clock=now.clock,
    )


def permitted_note(note: TransmissionNote, permit: Permit, ids: Sequence[str]) -> TransmissionNote:
    """Return the note with the leave that was given."""
    return replace(note, digests=permit.digests, rules=permit.rules, verdicts=tuple(ids))


def outcome_of(note: TransmissionNote, station: str) -> Outcome:
    """Return the note as whoever ordered it is told."""
    return Outcome(
        station=station,
        command_id=note.command_id,
        state=note.stage,
        reason=note.reason,
        action=note.action,
        port=note.port,
        clause=note.clause,
        until=note.until,
        verdicts=note.verdicts,
    )


class Stages:
    """What becomes of an order, stage by stage, for whoever follows it."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Outcome | None] = asyncio.Queue()

    def tell(self, outcome: Outcome) -> None:
        """Tell the next stage: an order has a handful of them, and ends within two minutes."""
        self._told.put_nowait(outcome)
        if outcome.state in FINAL:
            self.end()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._told.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Outcome]:
        """Yield each stage, to the last."""
        while (outcome := await self._told.get()) is not None:
            yield outcome
