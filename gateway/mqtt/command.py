"""What a command says, or why it can't be taken. Pure.

The envelope comes before the letter: how it came, how long it is, which keys it has, what they say,
and whether it comes in time.
"""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import MsgspecError, Struct

from gateway.model.agreement import EventWord
from gateway.model.command import TOLD_BY_PEOPLE, Command, IncidentCommand, StatementCommand
from gateway.model.inbound import Moment
from gateway.model.incident import OrderVerb
from gateway.model.transmission import Envelope, Letter, Ordered
from gateway.model.words import HELD, ClockState
from gateway.mqtt.bus import Incoming
from gateway.mqtt.ranges import CORRELATION_BYTES_MAX
from gateway.mqtt.topics import TopicUnsafe, level

COMMAND_BYTES_MAX = 16_384
"""64 pieces of evidence by their longest names, and 500 characters of the longest kind."""

AHEAD_S_MAX = 60.0
"""How far ahead the end of a command may be: whoever orders something waits for the outcome."""

FREE_S_MAX = 600.0
"""How far a clock that was set once, and is held by nothing, may be out: a plain crystal takes two
months for it. An order of this morning is late by any such clock."""

REASON_MAX = 300
"""Of what is wrong in a letter: it may quote what came in."""

SHOWN_CHARACTERS_MAX = 32
"""Of a word that nobody knows, in the reason."""


_Command = TypeVar("_Command", IncidentCommand, StatementCommand)
_Read = TypeVar("_Read")
_Forms = tuple[msgspec.json.Decoder[_Read], msgspec.msgpack.Decoder[_Read]]


class Why(StrEnum):
    """The kinds of reason for which a command is refused."""

    TOPIC = "topic"
    KEPT = "kept"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    ELSEWHERE = "elsewhere"
    LATE = "late"
    USED = "used"
    ORDER = "order"


class CommandFault(Struct, frozen=True):
    """Why a command is refused."""

    why: Why
    reason: str
    """For a person, with what would help."""
    command_id: str | None = None
    """As far as it could be read."""


def command_of(incoming: Incoming) -> IncidentCommand | CommandFault:
    """Return what is ordered about an incident, or why that can't be read."""
    said = _read(incoming)
    if isinstance(said, CommandFault):
        return said
    verb = said.get("verb")
    if isinstance(verb, str) and verb not in _VERBS:
        return _unreadable(f"unknown verb {_near(verb, _VERBS)}", said)
    command = _converted(said, IncidentCommand)
    if isinstance(command, CommandFault):
        return command
    lacks = _lacking(command)
    return command if lacks is None else _unreadable(lacks, said)


def statement_of(incoming: Incoming) -> StatementCommand | CommandFault:
    """Return what is stated, or why that can't be read."""
    said = _read(incoming)
    if isinstance(said, CommandFault):
        return said
    what = said.get("what")
    if isinstance(what, str) and what not in _STATED:
        return _unreadable(f"`what` can't be {_near(what, _STATED)}", said)
    return _converted(said, StatementCommand)


def letter_of(incoming: Incoming) -> Ordered | CommandFault:
    """Return an order to transmit, or why that can't be read. Who it is from is not looked at.

    A letter that could be read in two ways is refused by whoever reads it here: its very bytes are
    what is signed, and they are read once.
    """
    fault = _oversize(incoming)
    if fault is not None:
        return fault
    try:
        envelope: Envelope = _either(incoming.payload, _ENVELOPES)
        letter: Letter = _either(envelope.letter, _LETTERS)
    except (MsgspecError, ValueError, RecursionError) as error:
        return CommandFault(Why.UNREADABLE, f"it is no order to transmit: {error}"[:REASON_MAX])
    if _name(letter.command_id) is None:
        reason = "command_id can't be a level of a topic: no / # or +, and only what prints"
        return CommandFault(Why.UNREADABLE, reason)
    return Ordered(envelope=envelope, letter=letter)


def late(command: Command, now: Moment) -> CommandFault | None:
    """Return why a command does not come in time; None where it does, or nobody knows the time."""
    if now.utc_ns is None or now.clock is ClockState.UNSET:
        return None
    slack_s = 0.0 if now.clock in HELD else FREE_S_MAX
    ahead_s = command.not_after.timestamp() - now.utc_ns / 1e9
    if ahead_s < -slack_s:
        reason = f"it comes {-ahead_s:.1f} s after its end (not_after): give it anew"
    elif ahead_s > AHEAD_S_MAX + slack_s:
        reason = f"its end (not_after) is {ahead_s:.0f} s ahead, of {AHEAD_S_MAX:g} at the most"
    else:
        return None
    return CommandFault(Why.LATE, f"{reason}; the clocks may differ", command.command_id)


def _read(incoming: Incoming) -> dict[str, object] | CommandFault:
    """Return what is in the envelope."""
    fault = _oversize(incoming)
    if fault is not None:
        return fault
    try:
        return _either(incoming.payload, _PLAIN)
    except (MsgspecError, ValueError, RecursionError):
        return CommandFault(Why.UNREADABLE, "it is neither JSON nor msgpack of a command")


def _oversize(incoming: Incoming) -> CommandFault | None:
    if len(incoming.payload) > COMMAND_BYTES_MAX:
        return CommandFault(Why.TOO_LONG, f"it is longer than {COMMAND_BYTES_MAX} bytes")
    if len(incoming.correlation or b"") > CORRELATION_BYTES_MAX:
        reason = f"its correlation data is longer than {CORRELATION_BYTES_MAX} bytes"
        return CommandFault(Why.TOO_LONG, reason)
    return None


def _either(payload: bytes, forms: _Forms[_Read]) -> _Read:
    """Return what stands in it, in whichever of the two forms it is."""
    # A map of msgpack never begins with a brace or a blank: those are small numbers there.
    as_json = payload.lstrip(b" \t\r\n")[:1] == b"{"
    return forms[0].decode(payload) if as_json else forms[1].decode(payload)


def _converted(said: dict[str, object], kind: type[_Command]) -> _Command | CommandFault:
    known = kind.__struct_fields__
    unknown = next((key for key in said if key not in known), None)
    if unknown is not None:
        return _unreadable(f"unknown key {_near(unknown, known)}", said)
    try:
        command = msgspec.convert(said, kind)
    except (MsgspecError, ValueError, OverflowError) as error:
        return _unreadable(str(error), said)
    if _name(said.get("command_id")) is None:
        return _unreadable(
            "command_id can't be a level of a topic: no / # or +, and only what prints", said
        )
    return command


def _unreadable(reason: str, said: dict[str, object]) -> CommandFault:
    return CommandFault(Why.UNREADABLE, reason, _name(said.get("command_id")))


def _lacking(command: IncidentCommand) -> str | None:
    """Return what this verb needs and has not got."""
    if (command.flood_from is None) != (command.flood_until is None):
        return "a flood needs `flood_from` and `flood_until`"
    if command.flood_from is not None and command.verb is not OrderVerb.FALSE_ALERT:
        return f"{command.verb} is ordered of one incident: only a false alert may be of a flood"
    for key, verbs in _NEEDED.items():
        if command.verb in verbs and not getattr(command, key):
            return f"{command.verb} needs `{key}`"
    return None


def _name(said: object) -> str | None:
    try:
        return level(said) if isinstance(said, str) else None
    except TopicUnsafe:
        return None


def _near(word: str, known: tuple[str, ...]) -> str:
    shown = f"`{word[:SHOWN_CHARACTERS_MAX].encode('unicode_escape').decode()}`"
    near = get_close_matches(word[:SHOWN_CHARACTERS_MAX], known, n=1)
    return f"{shown}; " + (f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}")


_NEEDED = {
    "words": (OrderVerb.NOTE, OrderVerb.TRANSFER),
    "other": (OrderVerb.MERGE,),
    "evidence": (OrderVerb.SPLIT,),
}
"""What a verb can't be without; the rest is for the room of incidents to say."""

_VERBS = tuple(verb.value for verb in OrderVerb)
_STATED = tuple(word.value for word in EventWord if word in TOLD_BY_PEOPLE)
_PLAIN = msgspec.json.Decoder(dict[str, object]), msgspec.msgpack.Decoder(dict[str, object])
_ENVELOPES = msgspec.json.Decoder(Envelope), msgspec.msgpack.Decoder(Envelope)
_LETTERS = msgspec.json.Decoder(Letter), msgspec.msgpack.Decoder(Letter)
