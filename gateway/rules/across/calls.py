"""Calls for help: what one clause wants done with a call, and another forbids."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gateway.rules.across.meeting import may_be_one
from gateway.rules.across.scope import Flaw, Held, Scope, listed
from gateway.rules.kinds.ack_authority import Terms as AckAuthority
from gateway.rules.kinds.ack_deadline import Band, Window
from gateway.rules.kinds.ack_deadline import Terms as AckDeadline
from gateway.rules.kinds.covert import Terms as Covert
from gateway.rules.kinds.forward import Terms as Forward
from gateway.rules.kinds.notify import Terms as Notify
from gateway.rules.kinds.relay import Terms as Relay
from gateway.rules.kinds.report import Terms as Report
from gateway.rules.kinds.share_policy import Terms as SharePolicy
from gateway.rules.when import When

_BANDS: tuple[Band, ...] = ("lf", "mf", "hf", "vhf", "uhf")


class Told(Struct, frozen=True, kw_only=True):
    """A clause by which parties are told of something, and of what of it."""

    held: Held
    when: When
    to: frozenset[str]
    fields: tuple[str, ...] = ()
    each: bool = True
    """Whether each of them is told, or one of them is enough."""

    def each_of(self, some: frozenset[str]) -> list[str]:
        """Return these parties, where they can't be left out for others."""
        return sorted(some) if self.each or some == self.to else []


def of_calls(scope: Scope) -> Iterator[Flaw]:
    """Yield what two clauses want of one call, and can't both have."""
    yield from _windows(scope)
    yield from _nobody_acknowledges(scope)
    yield from _relayed_too_soon(scope)
    yield from _answered_covertly(scope)
    yield from _told_covertly(scope)
    yield from _redacted(scope)


def _windows(scope: Scope) -> Iterator[Flaw]:
    """An acknowledgement that is too late for one before it is due for another."""
    for (one, terms), (other, also) in scope.pairs(AckDeadline):
        same = one.shared(one.parties(terms.who), other, other.parties(also.who))
        if not same or not _may_be_one_call(one, terms, other, also):
            continue
        for first, early, second, late in ((one, terms, other, also), (other, also, one, terms)):
            for (max_s, min_s), bands in _apart(early, late).items():
                wants = f"wants a call on {listed(bands)} acknowledged before {max_s:g} s"
                yield first.against(second, wants, f"nobody acknowledges it before {min_s:g} s")


def _apart(early: AckDeadline, late: AckDeadline) -> dict[tuple[float, float], list[str]]:
    """Return the bands on which one window is over before the other opens, by both edges."""
    found: dict[tuple[float, float], list[str]] = {}
    for band in _BANDS:
        one, other = _window(early, band), _window(late, band)
        if one is not None and other is not None and one.max_s <= other.min_s:
            found.setdefault((one.max_s, other.min_s), []).append(band)
    return found


def _window(terms: AckDeadline, band: Band) -> Window | None:
    """Return when a call on this band is acknowledged; None when it awaits none there."""
    if terms.when.band and band not in terms.when.band:
        return None
    return terms.per_band.get(band, terms.window)


def _may_be_one_call(one: Held, terms: AckDeadline, other: Held, also: AckDeadline) -> bool:
    if not may_be_one(one, terms.when, other, also.when):
        return False
    if terms.channels is None or also.channels is None:
        return True
    return bool(one.spots(terms.channels).keys() & other.spots(also.channels).keys())


def _nobody_acknowledges(scope: Scope) -> Iterator[Flaw]:
    """Calls that those who have to acknowledge them may not."""
    for (one, terms), (other, may) in scope.both(AckDeadline, AckAuthority):
        who = one.parties(terms.who)
        if terms.via != may.via or may.otherwise is not None:
            continue
        if who and one.outside(who, other, other.parties(may.who)) == who:
            wants = f"wants {listed(terms.who)} to acknowledge by {terms.via}"
            yield one.against(other, wants, f"nobody does but {listed(may.who)}")
    for (one, terms), (other, also) in scope.both(AckDeadline, AckDeadline):
        who = one.parties(terms.who)
        if who and one.shared(who, other, other.parties(also.not_by)) == who:
            wants = f"wants {listed(terms.who)} to acknowledge"
            yield one.against(other, wants, f"it is not for {listed(also.not_by)} to do")


def _relayed_too_soon(scope: Scope) -> Iterator[Flaw]:
    """A relay that is due before anybody may acknowledge the call."""
    for (one, relay), (other, terms) in scope.both(Relay, AckDeadline):
        if not may_be_one(one, relay.when, other, terms.when):
            continue
        floors: dict[float, list[str]] = {}
        for band in _BANDS:
            window = _window(terms, band)
            heard = not relay.when.band or band in relay.when.band
            if heard and window is not None and window.min_s >= relay.if_no_ack_s > 0:
                floors.setdefault(window.min_s, []).append(band)
        for min_s, bands in floors.items():
            after = f"after {relay.if_no_ack_s:g} s without an acknowledgement"
            wants = f"passes a call on {listed(bands)} on {after}"
            yield one.against(other, wants, f"nobody acknowledges it before {min_s:g} s")


def _answered_covertly(scope: Scope) -> Iterator[Flaw]:
    """Calls that are to be answered, or passed on, and to which nothing may be sent."""
    wanted: list[tuple[Held, When, str]] = [
        *((held, terms.when, "acknowledged") for held, terms in scope.of(AckDeadline)),
        *((held, terms.when, "passed on by radio") for held, terms in scope.of(Relay)),
    ]
    for covert, terms in scope.of(Covert):
        for held, when, what in wanted:
            if terms.no_reply and may_be_one(held, when, covert, terms.when):
                forbids = "nothing is sent about some of them: they are covert"
                yield held.against(covert, f"wants calls {what}", forbids)


def _told_covertly(scope: Scope) -> Iterator[Flaw]:
    """Calls that one party alone may learn of, and another is told of."""
    told = [
        *_told(scope),
        *(
            Told(held=held, when=terms.when, to=held.parties(terms.to))
            for held, terms in scope.of(Covert)
        ),
    ]
    for covert, terms in scope.of(Covert):
        for one in told:
            if one.held is covert or not may_be_one(one.held, one.when, covert, terms.when):
                continue
            others = one.each_of(one.to - covert.parties(terms.to))
            if others:
                forbids = f"nobody learns of some of them but {listed(terms.to)}"
                yield one.held.against(covert, f"tells {listed(others)} of calls", forbids)


def _redacted(scope: Scope) -> Iterator[Flaw]:
    """Fields that a party has to be told, and that never cross to it."""
    for one in _told(scope):
        for policy, terms in scope.of(SharePolicy):
            both = one.each_of(one.to & policy.parties(terms.to))
            kept_back = [field for field in one.fields if field in terms.redact]
            if both and kept_back:
                wants = f"wants {listed(both)} told of {listed(kept_back)}"
                yield one.held.against(policy, wants, "that never crosses to them")


def _told(scope: Scope) -> Iterator[Told]:
    """Yield each clause by which parties are told of something."""
    for held, notify in scope.of(Notify):
        to = held.parties(notify.to)
        yield Told(held=held, when=notify.when, to=to, fields=notify.fields)
    for held, forward in scope.of(Forward):
        yield Told(held=held, when=forward.when, to=held.parties(forward.to), each=False)
    for held, report in scope.of(Report):
        to = held.parties(report.to)
        yield Told(held=held, when=report.when, to=to, fields=report.fields, each=False)
