"""Two rules of which one demands what the other forbids: nobody can keep to both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any, Generic, NamedTuple, TypeVar, get_args

from msgspec import Struct

from gateway.rules.flaws_overlap import may_be_one
from gateway.rules.ground import Ground
from gateway.rules.hours import DAY_MIN
from gateway.rules.kinds import (
    ack_authority,
    ack_deadline,
    call_response,
    callsign_form,
    covert,
    forward,
    language,
    notify,
    priority_order,
    relay,
    report,
    share_policy,
    silence,
    test_window,
)

_Asked = TypeVar("_Asked", bound=Struct)

_BANDS: tuple[ack_deadline.Band, ...] = get_args(ack_deadline.Band)
_HOUR_MIN = 60


class Side(NamedTuple, Generic[_Asked]):
    """One of the two rules."""

    id: str
    terms: _Asked


_Check = Callable[[Ground, Side[Any], Side[Any]], Iterator[str]]


def quarrels(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield each two rules that can't both be kept, under the one that stands first, and why."""
    sides = [Side(clause.id, clause.terms) for clause in ground.agreement.rules]
    for one, other in combinations(sides, 2):
        for first, second in ((one, other), (other, one)):
            check = _CHECKS.get((type(first.terms), type(second.terms)))
            if check is not None:
                yield from ((one.id, words) for words in check(ground, first, second))
            if type(first.terms) is type(second.terms):
                break  # what holds for two of a kind is looked for both ways by its check


def _authority(
    ground: Ground, one: Side[ack_deadline.Terms], other: Side[ack_authority.Terms]
) -> Iterator[str]:
    who, may = ground.rolls.named(one.terms.who), ground.rolls.named(other.terms.who)
    free = one.terms.via != other.terms.via or other.terms.otherwise is not None
    if who and not free and who.isdisjoint(may):
        yield (
            f"by {one.id} {_named(who)} acknowledges by {one.terms.via}, "
            f"by {other.id} {_named(may)} alone may"
        )


def _deadlines(
    ground: Ground, one: Side[ack_deadline.Terms], other: Side[ack_deadline.Terms]
) -> Iterator[str]:
    for soon, late in ((one, other), (other, one)):
        who = ground.rolls.named(soon.terms.who)
        if who and who <= ground.rolls.named(late.terms.not_by):
            yield f"by {soon.id} {_named(who)} acknowledges a call, by {late.id} never does"
        theirs = bool(who) and who <= ground.rolls.named(late.terms.who)
        meet = may_be_one(soon.terms.when, late.terms.when, ground.rolls)
        if theirs and meet and _same_channels(ground, one, other):
            yield from _too_early(soon, late)


def _too_early(soon: Side[ack_deadline.Terms], late: Side[ack_deadline.Terms]) -> Iterator[str]:
    """Yield the bands on which the last moment of one is before the first of the other."""
    for band in _BANDS:
        last = soon.terms.per_band.get(band, soon.terms.window)
        first = late.terms.per_band.get(band, late.terms.window)
        heard = all(band in (one.terms.when.band or _BANDS) for one in (soon, late))
        if heard and last is not None and first is not None and last.max_s <= first.min_s:
            yield (
                f"by {soon.id} a call on {band} is acknowledged before {last.max_s:g} s, "
                f"by {late.id} not before {first.min_s:g} s"
            )


def _same_channels(
    ground: Ground, one: Side[ack_deadline.Terms], other: Side[ack_deadline.Terms]
) -> bool:
    ours, theirs = one.terms.channels, other.terms.channels
    if ours is None or theirs is None:
        return True
    return not ground.dial.named(ours).isdisjoint(ground.dial.named(theirs))


_Answering = ack_deadline.Terms | relay.Terms | call_response.Terms
_Telling = forward.Terms | notify.Terms | report.Terms


def _answered(ground: Ground, one: Side[_Answering], other: Side[covert.Terms]) -> Iterator[str]:
    if other.terms.no_reply and may_be_one(one.terms.when, other.terms.when, ground.rolls):
        yield f"{one.id} has a call answered or passed on of which {other.id} lets nothing be sent"


def _betrayed(ground: Ground, one: Side[_Telling], other: Side[covert.Terms]) -> Iterator[str]:
    may = ground.rolls.named(other.terms.to)
    told = ground.rolls.named(one.terms.to) - may
    if told and may and may_be_one(one.terms.when, other.terms.when, ground.rolls):
        yield f"{one.id} has {_named(told)} told of a call, {other.id} nobody but {_named(may)}"


def _withheld(
    ground: Ground, one: Side[notify.Terms | report.Terms], other: Side[share_policy.Terms]
) -> Iterator[str]:
    told = ground.rolls.named(one.terms.to) & ground.rolls.named(other.terms.to)
    held = set(one.terms.fields) & set(other.terms.redact)
    if told and held:
        yield (
            f"{one.id} has {_named(told)} told {_named(held)}, "
            f"and by {other.id} that never crosses to them"
        )


def _relays(ground: Ground, one: Side[relay.Terms], other: Side[relay.Terms]) -> Iterator[str]:
    ours, theirs = one.terms, other.terms
    who = ground.rolls.named(ours.who) & ground.rolls.named(theirs.who)
    if not who or ours.via != theirs.via or not may_be_one(ours.when, theirs.when, ground.rolls):
        return
    let = [_addressed(ground, terms) for terms in (ours, theirs)]
    both = let[0] & let[1]
    if not both:
        yield (
            f"by {one.id} {_named(who)} passes a call on to {_named(let[0])} alone, "
            f"by {other.id} to {_named(let[1])} alone"
        )
        return
    for band in _BANDS:
        barred = [_barred(terms, band) for terms in (ours, theirs)]
        own = [some <= never for some, never in zip(let, barred, strict=True)]
        if both <= barred[0] | barred[1] and not any(own):
            yield (
                f"on {band} {_named(who)} may pass a call on to nobody: "
                f"{one.id} and {other.id} forbid all that both let"
            )


def _addressed(ground: Ground, terms: relay.Terms) -> frozenset[str]:
    """Return the parties, and the ways to address many, that a relay may go to."""
    return ground.rolls.named(terms.to) | frozenset(terms.to_many)


def _barred(terms: relay.Terms, band: relay.Band) -> frozenset[str]:
    """Return the ways to address many that are never for a band; what a consent frees is not."""
    return frozenset(one.to for one in terms.forbid_to.get(band, ()) if one.unless is None)


def _hushed(ground: Ground, one: Side[silence.Terms], other: Side[silence.Terms]) -> Iterator[str]:
    shared = _shared(ground, one.terms.channels, other.terms.channels)
    for first, second in ((one, other), (other, one)):
        begins = {*first.terms.impose_by, *first.terms.restrict_by}
        both = begins & {*second.terms.lift_by}
        if shared and both:
            yield (
                f"by {first.id} `{min(both)}` begins silence on {_named(shared)}, "
                f"by {second.id} it ends it"
            )


def _tongues(
    ground: Ground, one: Side[language.Terms], other: Side[language.Terms]
) -> Iterator[str]:
    shared = _shared(ground, one.terms.channels, other.terms.channels)
    if shared and {*one.terms.languages}.isdisjoint(other.terms.languages):
        yield (
            f"on {_named(shared)} {one.id} has {_named(one.terms.languages)} spoken, "
            f"{other.id} {_named(other.terms.languages)}, and no language is in both"
        )


def _callsigns(
    ground: Ground, one: Side[callsign_form.Terms], other: Side[callsign_form.Terms]
) -> Iterator[str]:
    shared = _shared(ground, one.terms.channels, other.terms.channels)
    ours, theirs = _formed(one.terms, other.terms), _formed(other.terms, one.terms)
    if shared and not (ours and theirs):
        yield f"on {_named(shared)} no call sign is as both {one.id} and {other.id} ask"


def _formed(terms: callsign_form.Terms, other: callsign_form.Terms) -> bool:
    """Say whether a call sign of the one may be one of the other, as far as these tell."""
    assigned = {one.upper() for one in terms.assigned}
    allowed = {one.upper() for one in other.assigned}
    if assigned and allowed and assigned.isdisjoint(allowed):
        return False
    if assigned and other.begins:
        return any(one.startswith(other.begins) for one in assigned)
    pairs = ((one, begin) for one in terms.begins for begin in other.begins)
    return not (terms.begins and other.begins) or any(
        one.startswith(begin) or begin.startswith(one) for one, begin in pairs
    )


def _orders(
    _ground: Ground, one: Side[priority_order.Terms], other: Side[priority_order.Terms]
) -> Iterator[str]:
    place = {name: rank for rank, name in enumerate(other.terms.order)}
    shared = [name for name in dict.fromkeys(one.terms.order) if name in place]
    for first, second in combinations(shared, 2):
        if place[first] > place[second]:
            yield f"{one.id} sends {first} before {second}, {other.id} {second} before {first}"
            return


def _windows(
    ground: Ground, one: Side[test_window.Terms], other: Side[test_window.Terms]
) -> Iterator[str]:
    shared = _shared(ground, one.terms.channels, other.terms.channels)
    ours, theirs = _minutes(one.terms), _minutes(other.terms)
    if shared and (ours or theirs) and ours.isdisjoint(theirs):
        yield (
            f"on {_named(shared)} no minute for tests is in both: {one.id} has "
            f"{_window(one.terms)}, {other.id} {_window(other.terms)}"
        )


def _minutes(terms: test_window.Terms) -> frozenset[int]:
    """Return the minutes of the day at which tests are agreed."""
    if terms.minutes is None:
        return frozenset()
    of = _HOUR_MIN if terms.every == "hour" else DAY_MIN
    first, last = terms.minutes
    return frozenset(minute for minute in range(DAY_MIN) if first <= minute % of < last)


def _window(terms: test_window.Terms) -> str:
    if terms.minutes is None:
        return "none at any time"
    return f"minutes {terms.minutes[0]} to {terms.minutes[1]} of the {terms.every}"


def _shared(ground: Ground, ours: Iterable[str], theirs: Iterable[str]) -> frozenset[str]:
    return ground.dial.named(ours) & ground.dial.named(theirs)


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


_CHECKS: dict[tuple[type[Struct], type[Struct]], _Check] = {
    (ack_deadline.Terms, ack_authority.Terms): _authority,
    (ack_deadline.Terms, ack_deadline.Terms): _deadlines,
    (ack_deadline.Terms, covert.Terms): _answered,
    (relay.Terms, covert.Terms): _answered,
    (call_response.Terms, covert.Terms): _answered,
    (forward.Terms, covert.Terms): _betrayed,
    (notify.Terms, covert.Terms): _betrayed,
    (report.Terms, covert.Terms): _betrayed,
    (notify.Terms, share_policy.Terms): _withheld,
    (report.Terms, share_policy.Terms): _withheld,
    (relay.Terms, relay.Terms): _relays,
    (silence.Terms, silence.Terms): _hushed,
    (language.Terms, language.Terms): _tongues,
    (callsign_form.Terms, callsign_form.Terms): _callsigns,
    (priority_order.Terms, priority_order.Terms): _orders,
    (test_window.Terms, test_window.Terms): _windows,
}
"""What is asked of two rules of these kinds."""
