"""What somebody orders over MQTT, and what came of it. Letters to transmit: `transmission`.

A command bears its own name, so that it can be given twice and is carried out once; and an end, so
that one which comes late is refused, and never waits for a better moment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.model.incident import IncidentOrder, OrderVerb

EVIDENCE_MAX = 64
"""Pieces of evidence that one order names; an incident of more is split twice."""

Line = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[0-9a-f]+\Z")]


class IncidentCommand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator orders about an incident, told by them on `command/incident`."""

    command_id: Line
    """The name that whoever gives it has chosen, and under which the outcome is told. The same one
    again is answered again, and not carried out twice."""
    verb: OrderVerb
    incident_id: Name
    author: Line
    """Who orders it; the order is kept with this name."""
    not_after: Annotated[datetime, Meta(tz=True)]
    """It is refused after this time, which is at most 60 s ahead; ten minutes after it where the
    station's clock is held by nothing, and never where it was not set."""
    words: Words | None = None
    """Why, or to whom: a note and a transfer need them."""
    other: Name | None = None
    """The incident that it is merged with."""
    evidence: Annotated[tuple[Name, ...], Meta(max_length=EVIDENCE_MAX)] = ()
    """What is split off, by `evidence_id`."""
    silence_s: Annotated[float, Meta(ge=1, le=3600)] = 300.0
    """How long it is silent: an hour at the most."""
    flood_from: Annotated[datetime, Meta(tz=True)] | None = None
    flood_until: Annotated[datetime, Meta(tz=True)] | None = None
    """Of a false alert: all of a flood that was heard in this time, a few dozen an order. The
    incident that it names is any one heard in it; give a new order until it is refused."""

    def order(self) -> IncidentOrder:
        """Return what is to be done, without how it came."""
        return IncidentOrder(
            verb=self.verb,
            incident_id=self.incident_id,
            author=self.author,
            words=self.words,
            other=self.other,
            evidence=self.evidence,
            silence_s=self.silence_s,
            flood_from=self.flood_from,
            flood_until=self.flood_until,
        )


Part = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[a-z][a-z0-9_]*\Z")]

TOLD_BY_PEOPLE = frozenset(EventWord) - {
    *(EventWord.HEARD, EventWord.POSITION, EventWord.RECORDED, EventWord.WATCH_MONTH),
    *(EventWord.VIOLATION, EventWord.SEPARATION_VIOLATION),
}
"""What a statement may be: the rest only a receiver, a rule or the station itself can say."""


class StatementCommand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody states that no radio tells the gateway, told by them on `command/statement`.

    Rules of agreements hear it. It is kept with its author's name; whether it is true, nobody
    checks.
    """

    command_id: Line
    """The name that whoever gives it has chosen, and under which the outcome is told."""
    what: EventWord
    """`spoken`, `guard_call`, `answer`, `watch_set`, `told`, `receipt`, `comm_check`, …"""
    also: Annotated[tuple[EventWord, ...], Meta(max_length=8)] = ()
    """What it is as well: a `transmitted` that is a `call`."""
    author: Line
    """Who states it."""
    not_after: Annotated[datetime, Meta(tz=True)]
    """It is refused after this time, as every command is."""
    by: Part | None = None
    """The party that did it, by its name in the agreement; absent for this station."""
    to: Part | None = None
    """The party addressed."""
    channel: Line | None = None
    """A channel of the agreement, or the endpoint of a line."""
    about: Line | None = None
    """Whom or what it is about: the subject of a verdict, `mmsi:…`, the id of a report."""
    words: Words | None = None
    """What was spoken; of evidence of a watch, its kind."""
    fields: Annotated[tuple[Part, ...], Meta(max_length=64)] = ()
    """What it holds: position, nature, time, …"""
    starts_in_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Of a notice: how long ahead of the activity it is given."""
    lasts_s: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    """Of a check, how long it took until the answer; of a test, how long it was on the air."""
    language: Annotated[str, Meta(pattern=r"\A[a-z]{2}\Z")] | None = None
    """In which it was spoken, by its two letters (ISO 639-1)."""
    airborne: bool = False

    def fact(self, at: Moment) -> Fact:
        """Return what it is to the rules; the same command is the same fact."""
        name = blake2b(f"{self.author}/{self.command_id}".encode(), digest_size=16)
        return Fact(
            fact_id=name.hexdigest(),
            what=self.what,
            also=self.also,
            at=at,
            by=self.by,
            person=self.author,
            to=self.to,
            channel=self.channel,
            about=self.about,
            words=self.words or "",
            fields=self.fields,
            starts_in_s=self.starts_in_s,
            lasts_s=self.lasts_s,
            language=self.language,
            airborne=self.airborne,
        )


Command = IncidentCommand | StatementCommand


class OutcomeState(StrEnum):
    """What came of a command."""

    ACCEPTED = "accepted"
    """It is carried out."""
    REFUSED = "refused"
    """Nothing was done."""
    QUEUED = "queued"
    """It waits for its turn to be transmitted, or for the time that the agreements name."""
    TRANSMITTING = "transmitting"
    """The disk has it, and its bytes are being handed to the modem."""
    TRANSMITTED = "transmitted"
    """The modem has taken every byte."""
    CONFIRMED = "confirmed"
    """The modem says that it has sent it, or it was heard on the air."""
    FAILED = "failed"
    """Not a byte of it reached a modem."""
    EXPIRED = "expired"
    """Its end came before its turn: not a byte of it reached a modem."""
    UNKNOWN = "unknown"
    """Some of it may have been transmitted: nobody can say. It is not tried again."""


FINAL = frozenset(OutcomeState) - {
    *(OutcomeState.ACCEPTED, OutcomeState.QUEUED, OutcomeState.TRANSMITTING),
    OutcomeState.TRANSMITTED,
}
"""After which of an order to transmit nothing more comes. What was transmitted may be confirmed,
or its modem says that it has not sent it."""


class Outcome(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a command, told on `outcome/<command_id>`."""

    station: str
    command_id: str | None = None
    """Absent when the command could not be read so far."""
    state: OutcomeState
    reason: str | None = None
    """Why it was refused."""
    verb: OrderVerb | None = None
    incident_id: str | None = None
    changed: tuple[str, ...] = ()
    """Every incident that the order has changed."""
    what: EventWord | None = None
    """What was stated."""
    action: str | None = None
    """What was ordered to be transmitted: ack, relay, call, …"""
    port: str | None = None
    clause: str | None = None
    """The rule that has refused or deferred it, as `agreement/rule`."""
    until: datetime | None = None
    """Of what is queued: not before this."""
    verdicts: tuple[str, ...] = ()
    """Every verdict that was given on it at once, by `verdict_id`."""
    journaled: bool | None = None
    """Whether the order is on disk; false: the disk could not take it yet, and it holds all the
    same."""
    epoch: str | None = None
    number: int | None = None
    """The number of the first record of it, when it is on disk."""
    again: bool = False
    """The same command came before: this is what came of it then. Of an order to transmit it is
    what comes of the second: nothing, and the first goes on."""
    challenge: str | None = None
    """Of an order to transmit: sign it anew with this, as the station can't know when it was
    signed."""
