"""What nobody does although it matters: channels that nobody watches, parties nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.model.agreement import Channel, Match
from gateway.rules.across.scope import Flaw, Held, Scope, Spot, listed, spot_of
from gateway.rules.channels import TRAFFIC
from gateway.rules.ground import Ground
from gateway.rules.hours import DAY_MIN, Schedule
from gateway.rules.kinds.ack_authority import Terms as AckAuthority
from gateway.rules.kinds.ack_deadline import Terms as AckDeadline
from gateway.rules.kinds.allowed_use import Terms as AllowedUse
from gateway.rules.kinds.approach import Terms as Approach
from gateway.rules.kinds.exclusive_use import Terms as ExclusiveUse
from gateway.rules.kinds.identification import Terms as Identification
from gateway.rules.kinds.keep_out import Terms as KeepOut
from gateway.rules.kinds.relay import Terms as Relay
from gateway.rules.kinds.separation import Terms as Separation
from gateway.rules.kinds.test_rate import Terms as TestRate
from gateway.rules.kinds.watch import Terms as Watch
from gateway.rules.kinds.watch_on_event import Terms as WatchOnEvent

_OF_DISTRESS = frozenset({"distress", "distress_alert"})
"""Purposes of a channel on which somebody may call for help."""

_BY_USER = (AckAuthority, AckDeadline, AllowedUse, ExclusiveUse, Identification, KeepOut, Relay)
"""Kinds that hold a transmission against the party that it comes from."""


def of_strangers(scope: Scope) -> Iterator[Flaw]:
    """Yield duties of parties that nobody recognises."""
    for held in scope.clauses:
        yield from _unknown(held)


def of_gaps(scope: Scope) -> Iterator[Flaw]:
    """Yield channels of distress, once each, and the hours in which nobody listens there."""
    watched = _watched(scope)
    told: set[Spot] = set()
    elsewhere = {spot for _, _, spot, channel in _channels(scope) if channel.watched_by is not None}
    for ground, name, spot, channel in _channels(scope):
        if spot in told | elsewhere or _OF_DISTRESS.isdisjoint(channel.purpose):
            continue
        told.add(spot)
        where = scope.named(ground.agreement, f"channel {name}")
        hours = _hours(set(range(DAY_MIN)) - watched.get(spot, set()))
        remedy = "give it a `watch`, or say in `watched_by` who does"
        if spot not in watched:
            yield Flaw(where, f"is for distress, and nobody has to listen there: {remedy}")
        elif hours:
            words = f"is for distress, and nobody has to listen there {hours} UTC"
            yield Flaw(where, f"{words}: {remedy}")


def _channels(scope: Scope) -> Iterator[tuple[Ground, str, Spot, Channel]]:
    for ground in scope.grounds:
        for name, channel in ground.agreement.channels.items():
            yield ground, name, spot_of(ground.agreement, name), channel


def _watched(scope: Scope) -> dict[Spot, set[int]]:
    """Return the minutes of the day in which somebody listens, channel by channel."""
    found: dict[Spot, set[int]] = {}
    for held, watch in scope.of(Watch):
        for spot in held.spots(watch.channels):
            found.setdefault(spot, set()).update(_minutes(watch.hours))
    for held, after in scope.of(WatchOnEvent):
        # One listens there once there is something to hear: that is at every hour.
        plan = held.agreement.channels.values() if TRAFFIC in after.channels else ()
        traffic = [channel.traffic for channel in plan if channel.traffic is not None]
        for spot in held.spots((*after.channels, *traffic)):
            found[spot] = set(range(DAY_MIN))
    return found


def _minutes(hours: Iterable[str]) -> set[int]:
    """Return the minutes of the day that these hours are; all of them without any."""
    spans = Schedule(hours).spans or ((0, DAY_MIN),)
    return {
        minute % DAY_MIN
        for first, last in spans
        for minute in range(first, last if first < last else last + DAY_MIN)
    }


def _hours(minutes: set[int]) -> str:
    """Return minutes of the day as hours, in words; nothing for none."""
    first = [minute for minute in sorted(minutes) if (minute - 1) % DAY_MIN not in minutes]
    spans = []
    for start in first:
        end = next(at for at in range(start, start + DAY_MIN) if at % DAY_MIN not in minutes)
        spans.append(f"from {_clock(start)} to {_clock(end % DAY_MIN)}")
    return " and ".join(spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _unknown(held: Held) -> Iterator[Flaw]:
    """Parties with a duty by which they could never be found, for nothing is theirs."""
    parties = held.agreement.parties
    unknown = [
        name
        for name in sorted(held.parties(_bound(held)))
        if parties[name].match == Match() and name not in held.ground.rolls.own
    ]
    if unknown:
        words = f"nobody can tell what comes from {listed(unknown)}: give them a `match`"
        yield Flaw(held.name, words)


def _bound(held: Held) -> tuple[str, ...]:
    """Return the parties that a clause holds to what is heard of them."""
    terms = held.clause.terms
    if isinstance(terms, (Approach, Separation)):
        return terms.between
    if isinstance(terms, (*_BY_USER, TestRate)):
        return terms.who
    return ()
