"""What somebody orders over MQTT, and what came of it. No transmission: that is a door of its own.

A command bears its own name, so that it can be given twice and is carried out once; and an end, so
that one which comes late is refused, and never waits for a better moment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

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


class OutcomeState(StrEnum):
    """What came of a command."""

    ACCEPTED = "accepted"
    """It is carried out."""
    REFUSED = "refused"
    """Nothing was done."""


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
    journaled: bool | None = None
    """Whether the order is on disk; false: the disk could not take it yet, and it holds all the
    same."""
    epoch: str | None = None
    number: int | None = None
    """The number of the first record of it, when it is on disk."""
    again: bool = False
    """The same command came before: this is what came of it then."""
