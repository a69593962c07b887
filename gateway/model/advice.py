"""What procedure proposes to do about a call for help. Values only; a person decides, and signs."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from gateway.model.transmission import Acknowledge, Cancel, Relay, Silence

Proposed = Acknowledge | Relay | Cancel | Silence
"""What of all that may be ordered is ever proposed."""


class StepKind(StrEnum):
    """What a step is."""

    ACKNOWLEDGE = "acknowledge"
    """Acknowledge it now, with the call that stands ready."""
    WAIT = "wait"
    """Acknowledge it, and not before the moment named."""
    LISTEN = "listen"
    """Listen on a channel, for the time named; nothing is to be transmitted but by voice."""
    RELAY = "relay"
    """Pass it on, to whom the step says."""
    SILENCE = "silence"
    """Impose, restrict or lift silence by voice, and state it to the gateway."""
    CANCEL = "cancel"
    """Take back an alert of this station itself, where it was false."""
    CALL_RCC = "call_rcc"
    """Tell the rescue coordination centre, by telephone or however it is reached."""


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step, as a person can take it."""

    kind: StepKind
    words: str
    """What to do, as a sentence."""
    why: str
    """The clause of an agreement, or the standard that says so."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    """By the time of day, in whole seconds within the window; None where nobody knows it, or there
    is no such moment."""
    port: str | None = None
    """By which the call that stands ready goes out."""
    action: Proposed | None = None
    """The call that stands ready, for `distress-gateway send`; None where there is none to make."""
    script: tuple[str, ...] = ()
    """What to say by voice, line by line."""


class Advice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is proposed about one incident: the payload of `incident/<id>/advice`."""

    station: str
    incident_id: str
    revision: int
    """Of the incident that it is about."""
    steps: tuple[Step, ...]
    """In the order in which they are taken."""
    unknown: tuple[str, ...] = ()
    """What would have to be known to say more."""
