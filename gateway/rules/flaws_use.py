"""Channels that one rule has used, and another keeps from whoever would, or from what for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from gateway.model.agreement import Channel, Clause
from gateway.model.words import Urgency
from gateway.rules.ground import Ground
from gateway.rules.kinds import (
    ack_deadline,
    allowed_use,
    call_response,
    channel_sequence,
    comm_check,
    distress_override,
    exclusive_use,
    protected_band,
    transmit_authority,
)
from gateway.rules.purposes import can_serve_both


class _Demand(NamedTuple):
    """Somebody has to transmit on one of these channels."""

    rule: str
    what: str
    channels: frozenset[str]
    who: frozenset[str] = frozenset()
    """Empty for nobody in particular."""
    each: bool = True
    """Whether each of them has to, or any one."""
    purposes: frozenset[str] = frozenset()
    """What it serves; empty where no plan of uses is asked about it."""
    routine: bool = False
    """Whether it is of the lowest category, and may be below what a channel is for."""


class _Limit(NamedTuple):
    """These channels are for some users, purposes and modes; None for all."""

    rule: str
    channels: frozenset[str]
    who: frozenset[str] | None = None
    lets: str = ""
    """Whom it lets, for people."""
    purposes: frozenset[str] | None = None
    modes: frozenset[str] | None = None
    lowest: Urgency | None = None
    """The lowest category that may be used there."""
    exempt: frozenset[str] = frozenset()
    """Purposes that are free of all that."""


def barred(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield each use that one rule demands and another forbids, and channels closed by two."""
    clauses = ground.agreement.rules
    limits = [limit for clause in clauses if (limit := _limit(clause, ground))]
    demands = [demand for clause in clauses if (demand := _demand(clause, ground))]
    for demand in demands:
        for limit in limits:
            words = _forbidden(demand, limit)
            if words is not None:
                yield demand.rule, words
    for one, other in combinations(limits, 2):
        yield from ((one.rule, words) for words in _closed(one, other))


def _forbidden(demand: _Demand, limit: _Limit) -> str | None:
    """Return why a demand can't be met under a limit; None where it can, on one of its channels."""
    free = _serve(demand.purposes, limit.exempt)
    if free or not demand.channels or not demand.channels <= limit.channels:
        return None
    on = _named(demand.channels)
    out = frozenset() if limit.who is None else demand.who - limit.who
    if out and (demand.each or out == demand.who):
        return f"{demand.rule} has {_named(out)} {demand.what} on {on}, {limit.rule} {limit.lets}"
    if demand.purposes and not _serve(demand.purposes, limit.purposes):
        return (
            f"{demand.rule} has somebody {demand.what} on {on}, and by {limit.rule} "
            f"it is for {_named(limit.purposes or ())} alone"
        )
    if demand.routine and limit.lowest not in {None, Urgency.ROUTINE}:
        return (
            f"{demand.rule} has somebody {demand.what} on {on}, and by {limit.rule} "
            "routine traffic goes elsewhere"
        )
    return None


def _closed(one: _Limit, other: _Limit) -> Iterator[str]:
    """Yield why nothing at all may be sent on channels that are under two limits."""
    shared = one.channels & other.channels
    if not shared or one.exempt or other.exempt:
        return
    on = _named(shared)
    if one.who is not None and other.who is not None and one.who.isdisjoint(other.who):
        yield f"nobody may use {on}: {one.rule} {one.lets}, {other.rule} {other.lets}"
    if one.purposes is not None and not _serve(one.purposes, other.purposes):
        yield (
            f"{on} is for nothing: by {one.rule} for {_named(one.purposes)} alone, "
            f"by {other.rule} for {_named(other.purposes or ())} alone"
        )
    if one.modes is not None and other.modes is not None and one.modes.isdisjoint(other.modes):
        yield (
            f"{on} has no mode: by {one.rule} {_named(one.modes)} alone, "
            f"by {other.rule} {_named(other.modes)} alone"
        )


def _serve(ours: frozenset[str], theirs: frozenset[str] | None) -> bool:
    """Say whether one message may serve a purpose of each."""
    return theirs is None or any(can_serve_both(one, other) for one in ours for other in theirs)


def _limit(clause: Clause, ground: Ground) -> _Limit | None:
    """Return what a rule keeps channels for; None where it is of another kind."""
    terms, parties = clause.terms, ground.rolls.named
    match terms:
        case allowed_use.Terms() | exclusive_use.Terms():
            plan = terms if isinstance(terms, allowed_use.Terms) else None
            return _Limit(
                rule=clause.id,
                channels=ground.dial.named(terms.channels),
                who=parties(terms.who) or None,
                lets=f"lets {_named(parties(terms.who))} alone",
                purposes=None if terms.purposes is None else frozenset(terms.purposes),
                modes=frozenset(terms.modes) or None,
                lowest=None if plan is None else plan.min_category,
                exempt=frozenset(plan.exempt if plan else ()),
            )
        case transmit_authority.Terms():
            who = parties(terms.who)
            channels = ground.dial.named(terms.channels)
            return _Limit(clause.id, channels, who or None, f"lets {_named(who)} alone")
        case protected_band.Terms(action="deny", exempt=()):
            others = frozenset(ground.agreement.parties) - {*ground.rolls.own}
            return _Limit(
                clause.id, _within(terms, ground), others, "lets this station send nothing"
            )
        case _:
            return None


def _within(terms: protected_band.Terms, ground: Ground) -> frozenset[str]:
    """Return the channels of which all is in the band."""
    low_hz, high_hz = terms.band_hz
    spans = {name: _span(one) for name, one in ground.agreement.channels.items()}
    return frozenset(
        name
        for name, span in spans.items()
        if span is not None
        and low_hz - terms.margin_hz <= span[0]
        and span[1] <= high_hz + terms.margin_hz
    )


def _span(channel: Channel) -> tuple[int, int] | None:
    return channel.band_hz or (None if channel.hz is None else (channel.hz, channel.hz))


def _demand(clause: Clause, ground: Ground) -> _Demand | None:
    """Return who has to transmit by a rule, and where; None where it asks nobody to."""
    terms, parties, channels = clause.terms, ground.rolls.named, ground.dial.named
    match terms:
        case comm_check.Terms():
            purposes = frozenset({"contact", "test", "comm_check"})
            on, who = channels(terms.channels), parties(terms.who)
            return _Demand(clause.id, "try a call", on, who, purposes=purposes, routine=True)
        case call_response.Terms():
            who = parties(terms.who) or parties(terms.when.to) or parties(terms.when.between)
            return _Demand(clause.id, "answer", channels(terms.channels), who)
        case channel_sequence.Terms():
            calling = frozenset({"calling", "contact"})
            on = channels(terms.initial)
            return _Demand(clause.id, "call", on, purposes=calling, routine=True)
        case ack_deadline.Terms() if not _overridden(ground):
            on, who = channels(terms.channels or ()), parties(terms.who)
            purposes = frozenset({"distress", "distress_ack"})
            return _Demand(clause.id, "acknowledge", on, who, each=False, purposes=purposes)
        case _:
            return None


def _overridden(ground: Ground) -> bool:
    """Say whether traffic of distress is exempt from every rule that rations a channel."""
    return any(
        isinstance(clause.terms, distress_override.Terms)
        and Urgency.DISTRESS in clause.terms.categories
        for clause in ground.agreement.rules
    )


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
