"""What parties say to each other over the line between them, gateway to gateway."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord
from gateway.model.command import Line, Words

MessageId = Annotated[str, Meta(min_length=8, max_length=64, pattern=r"\A[0-9a-f]+\Z")]
About = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
FieldName = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[a-z][a-z0-9_]*\Z")]

FieldValue = Annotated[object, Meta(extra_json_schema={"description": "As in a report."})]


class LineWord(StrEnum):
    """What may be said over the line: the last level of its topic."""

    HEARTBEAT = "heartbeat"
    """The line is open."""
    CHECK = "check"
    """Answer this at once: the line is being tried."""
    ECHO = "echo"
    """The answer to a check."""
    SHARED = "shared"
    """What is known here and waits for a receipt: a call for help, who was too near whom."""
    ROUTINE = "routine"
    """What is known here and may cross besides: places, calls. No gateway listens to it."""
    RECEIPT = "receipt"
    """What was shared has arrived."""
    CALL = "call"
    """A person calls the other party over the line."""
    GUARD_CALL = "guard_call"
    """A person says that the other party was called on a guard frequency."""
    ANSWER = "answer"
    """A person answers a call."""
    TOLD = "told"
    """A person tells the other party of something."""
    NOTICE = "notice"
    """A person gives notice of an activity."""


SIGNS = frozenset({LineWord.HEARTBEAT, LineWord.CHECK, LineWord.ECHO, LineWord.RECEIPT})
"""What gateways say of the line itself: they hold no field that could be withheld."""

TOLD_TO = frozenset({LineWord.SHARED, LineWord.ROUTINE})
"""Words under which something that was heard crosses."""

SAID_BY_PEOPLE = {
    LineWord.CALL: EventWord.CALL,
    LineWord.GUARD_CALL: EventWord.GUARD_CALL,
    LineWord.ANSWER: EventWord.ANSWER,
    LineWord.TOLD: EventWord.TOLD,
    LineWord.NOTICE: EventWord.NOTICE,
}
"""What an officer states to the other party goes over the line, and is this to the rules there. A
consent is none of them: nobody's gate is to open at a word from outside."""


class LineMessage(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Any word on `hotline/<party>/<word>` but `shared` and `routine`."""

    station: Line
    """Whose gateway says it; whose it is, the line says."""
    message_id: MessageId
    re: MessageId | None = None
    """The message that it answers or signs for."""
    about: About | None = None
    """Whom or what it is about."""
    words: Words | None = None
    said_utc: datetime | None = None
    """The time of day there; nothing rests on it here."""
    fields: Annotated[tuple[FieldName, ...], Meta(max_length=64)] = ()
    """What was told, by the names of its fields."""
    starts_in_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Of a notice: how long ahead of the activity it is given."""


class Shared(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What crosses to the other party, on `hotline/<party>/shared` and `…/routine`."""

    station: Line
    message_id: MessageId
    """The `report_id` or `verdict_id` of what is told."""
    what: FieldName
    """distress, separation_alert, position, …"""
    about: About
    of_distress: bool = False
    fields: dict[str, FieldValue]
    """What the agreement lets cross, by the names of a report or verdict. `time` is when it was
    heard; `sensor` how."""
    withheld: Annotated[tuple[FieldName, ...], Meta(max_length=64)] = ()
    """Fields that stay with whoever tells it."""
    words: Annotated[str, Meta(max_length=500)] = ""
    """What is coarser than it is known."""


class LineStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the line to another party is, over which gateways speak to each other."""

    party: str
    connected: bool
    heard_s: float | None = None
    """How long ago the other party gave its last sign of life in this run."""
    check_s: float | None = None
    """How long the answer to the last check took that was answered."""
    checks_unanswered: int = 0
    heard: int = 0
    """Messages of the other party that were taken."""
    refused: int = 0
    """Messages that could not be read, that the broker had kept, or that answer nothing of ours."""
    receipts: int = 0
    """Calls for help and alerts that the other party's gateway has signed for."""
    unsaid: int = 0
    """Words of officers that did not reach the broker in time, or may not cross."""


def is_pressing(shared: Shared) -> bool:
    """Say whether somebody waits for it to be signed for: a call for help, or too near a pass."""
    return shared.of_distress or shared.what == SEPARATION_ALERT


SEPARATION_ALERT = "separation_alert"
