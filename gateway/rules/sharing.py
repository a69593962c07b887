"""What the clauses in force of one agreement let cross to one of its parties."""

from __future__ import annotations

from msgspec import Struct

from gateway.model.place import Identity
from gateway.rules.crossing import Policy
from gateway.rules.engine import Engine
from gateway.rules.kinds.comm_check import Terms as CommCheck
from gateway.rules.kinds.contact_point import Terms as ContactPoint
from gateway.rules.kinds.share_policy import SharePolicy

HEARTBEAT_S = 60.0
"""Where no clause says how often a line gives a sign of life."""

HEARTBEAT_S_MIN = 1.0
"""No line gives more: each is kept."""

CHECK_SHARE = 0.5
"""A line is tried so much sooner than the time that is agreed: one trial may fail."""


class LineTerms(Struct, frozen=True, kw_only=True):
    """The line to one party, as the clauses in force want it kept."""

    agreement: str
    own: str
    party: str
    channel: str
    """The channel of the agreement that it is."""
    endpoint: str
    heartbeat_s: float
    check_s: float | None
    """How often it is tried; None where no clause asks for it."""


def policies_to(engine: Engine, party: str) -> tuple[Policy, ...]:
    """Return every policy on what goes to a party; none where no clause in force lets it cross."""
    return tuple(
        rule.policy
        for rule in engine.rules.values()
        if isinstance(rule, SharePolicy) and party in rule.parties
    )


def line_to(engine: Engine, party: str) -> LineTerms | None:
    """Return how the line to a party is kept; None where the agreement has none that binds us."""
    agreement, dial = engine.agreement, engine.ground.dial
    if agreement.own is None or not engine.rules:
        return None
    terms = [clause.terms for clause in agreement.rules if clause.id in engine.rules]
    points = [one for one in terms if isinstance(one, ContactPoint)]
    named = [name for one in points for name in sorted(dial.named((one.endpoint,)))]
    named += [name for name, one in agreement.channels.items() if one.endpoint is not None]
    lines = [name for name in named if agreement.channels[name].endpoint is not None]
    if not lines:
        return None
    (channel, *_) = lines
    trials = [
        one.every_s
        for one in terms
        if isinstance(one, CommCheck) and one.every_s and channel in dial.named(one.channels)
    ]
    return LineTerms(
        agreement=agreement.id,
        own=agreement.own,
        party=party,
        channel=channel,
        endpoint=str(agreement.channels[channel].endpoint),
        heartbeat_s=max(
            min((one.heartbeat_s for one in points), default=HEARTBEAT_S), HEARTBEAT_S_MIN
        ),
        check_s=min(trials) * CHECK_SHARE if trials else None,
    )


def is_ours(engine: Engine, craft: Identity | None, system: str) -> bool:
    """Say whether a craft belongs to the party that this station is."""
    rolls = engine.ground.rolls
    return not set(rolls.own).isdisjoint(rolls.of(craft, system))
