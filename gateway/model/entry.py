"""What has a number and is on disk, and which lane it travels in from there."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct, msgpack

from gateway.model.asked import Stated
from gateway.model.command import OutcomeState
from gateway.model.inbound import Inbound, Refused, Ruling
from gateway.model.incident import IncidentNote
from gateway.model.status import AlarmCleared, AlarmRaised
from gateway.model.transmission import TransmissionNote
from gateway.model.verdict import PASSES, VerdictNote
from gateway.model.words import Mode, Urgency

Item = Inbound | AlarmRaised | AlarmCleared | Stated | TransmissionNote
"""What goes on disk: what comes out of the hallway, and what is noted of the box itself, stated by
people, or transmitted."""


class Lane(StrEnum):
    """The way an entry goes out: the urgent never stand behind the routine."""

    DISTRESS = "distress"
    URGENCY = "urgency"
    SAFETY = "safety"
    ROUTINE = "routine"
    """Conflated and bounded; the other lanes are kept until the broker has taken them."""


class Entry(Struct, frozen=True, gc=False):
    """An item we have promised not to forget."""

    number: int
    """Its place in the epoch, counted from 1 without gaps; 0 when the journal could not take it."""
    epoch: str
    """The name of the journal file that numbers it; new for each new file."""
    lane: Lane
    item: Item | None
    """What was handed to the journal; None when the entry was read back, the body says it all."""
    body: bytes
    """The item in msgpack: the same bytes for the same tape, configuration and version.

    A map. That of a ruling has the key `sighting`, that of a refusal the key `door`, that of a
    statement about the clock the key `what`, that of a note of an alarm the key `alarm`, that of
    an incident the key `incident`, that of a verdict the key `verdict_id`, that of a statement the
    key `fact`, that of a transmission the key `stage`. It is read back without types, so that an
    entry outlives the release whose radios named its details.
    """
    journaled_utc_ns: int | None = None
    """When the disk was asked for the commit; None when the journal could not take it."""
    follows: int | None = None
    """Number of the entry of its lane before it; None when that is not known, as of the first one
    in a run, and of what was read back."""


def lane_of(item: Item) -> Lane:
    """Return the lane of an item: a marked test never takes the distress lane."""
    if isinstance(item, Ruling):
        report = item.sighting.report
        if report.mode is Mode.REAL or report.urgency is Urgency.ROUTINE:
            return Lane(report.urgency)
        return Lane.SAFETY
    if isinstance(item, Refused):
        return _lane_of_refused(item)
    if isinstance(item, IncidentNote) and item.incident.mode is Mode.REAL:
        return Lane.URGENCY  # behind the call that it is about, and never before another one
    if _is_routine(item):
        return Lane.ROUTINE
    return Lane.SAFETY  # kept and signed for like what it is about, and in nobody's way


def _is_routine(item: Item) -> bool:
    """Say whether nobody has to sign for it."""
    if isinstance(item, VerdictNote):  # as agreed, and was: how the rule stands says it too
        return item.verdict.judgement in PASSES and item.was is None and item.request is None
    # Anybody may order in vain, as often as they like.
    return isinstance(item, TransmissionNote) and item.stage is OutcomeState.REFUSED


def _lane_of_refused(item: Refused) -> Lane:
    """Not the distress lane: a noisy line may be full of these, and no MAYDAY waits for noise."""
    if not item.distress_like or item.flood:
        return Lane.ROUTINE
    return Lane.URGENCY if item.mode is Mode.REAL else Lane.SAFETY


def encode_item(item: Item) -> bytes:
    """Return the bytes that stand for an item, on disk and for every later reader."""
    return msgpack.encode(item)
