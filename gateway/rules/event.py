"""What a rule hears: one thing that happened, in the words of one agreement."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.agreement import EventWord
from gateway.model.asked import Fact
from gateway.model.inbound import Moment, Report
from gateway.model.place import Position
from gateway.model.verdict import Verdict
from gateway.model.words import Urgency


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One thing that happened. Parties and channels are those of one agreement, by their names."""

    words: tuple[EventWord, ...]
    """What it is; a beacon of an aircraft is a `distress_alert`, a `beacon` and an `elt`."""
    at: Moment
    event_id: str
    """Of the report, fact or verdict: evidence."""
    subject: str
    """Whom it is about, `mmsi:…`, `icao24:…`: the casualty where there is one, else the sender."""
    channel: str | None = None
    band: str | None = None
    """mf, hf, vhf or uhf; None when nobody knows the frequency."""
    system: str | None = None
    by: tuple[str, ...] = ()
    """The parties that it comes from; empty when nobody knows."""
    to: tuple[str, ...] = ()
    """The parties that it is addressed to; empty for everybody."""
    of: tuple[str, ...] = ()
    """The parties of the craft that it is about."""
    category: Urgency = Urgency.ROUTINE
    purpose: str = ""
    test: bool = False
    incident: str | None = None
    place: Position | None = None
    report: Report | None = None
    fact: Fact | None = None
    verdict: Verdict | None = None
    """What another rule said, where this is a violation."""
