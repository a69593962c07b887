"""Two clauses of one kind that exclude each other on one channel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TypeVar

from gateway.rules.across.scope import Flaw, Held, Scope, listed
from gateway.rules.kinds.callsign_form import Terms as CallsignForm
from gateway.rules.kinds.channel_sequence import Terms as ChannelSequence
from gateway.rules.kinds.language import Terms as Language
from gateway.rules.kinds.priority_order import Terms as PriorityOrder
from gateway.rules.kinds.silence import Terms as Silence
from gateway.rules.kinds.test_window import Terms as TestWindow
from gateway.rules.kinds.watch import Terms as Watch

_OnChannels = TypeVar("_OnChannels", CallsignForm, Language, Silence, TestWindow)

_DAY_MIN, _HOUR_MIN = 24 * 60, 60


def of_pairs(scope: Scope) -> Iterator[Flaw]:
    """Yield what two clauses of one kind can't both have."""
    yield from _spoken(scope)
    yield from _called(scope)
    yield from _tested(scope)
    yield from _silent(scope)
    yield from _ordered(scope)
    yield from _listened(scope)


def _spoken(scope: Scope) -> Iterator[Flaw]:
    for one, terms, other, also, both in _on_one_channel(scope, Language):
        if set(terms.languages).isdisjoint(also.languages):
            wants = f"has {listed(terms.languages)} spoken on {both}"
            yield one.against(other, wants, f"{listed(also.languages)} is spoken there")


def _called(scope: Scope) -> Iterator[Flaw]:
    """Call signs of which none is of both forms."""
    for one, terms, other, also, both in _on_one_channel(scope, CallsignForm):
        ours, theirs = _signs(terms), _signs(also)
        if not ours or not theirs:
            continue
        if not any(_fits(sign, another) for sign in ours for another in theirs):
            wants = f"has call signs {listed(ours)} on {both}"
            yield one.against(other, wants, f"they are {listed(theirs)}")


def _signs(terms: CallsignForm) -> tuple[str, ...]:
    """Return the call signs, or their beginnings and *."""
    return tuple(one.upper() for one in terms.assigned) or tuple(f"{one}*" for one in terms.begins)


def _fits(one: str, other: str) -> bool:
    """Say whether one call sign may be of both forms."""
    if one.endswith("*") and other.endswith("*"):
        return one.startswith(other[:-1]) or other.startswith(one[:-1])
    if one.endswith("*"):
        return other.startswith(one[:-1])
    return one.startswith(other[:-1]) if other.endswith("*") else one == other


def _tested(scope: Scope) -> Iterator[Flaw]:
    """Tests at minutes that exclude each other; with a consent they may be at any time."""
    for one, terms, other, also, both in _on_one_channel(scope, TestWindow):
        if terms.minutes is None or also.minutes is None or terms.otherwise or also.otherwise:
            continue
        if _minutes(terms).isdisjoint(_minutes(also)):
            wants = f"has tests on {both} in minutes {_said(terms)}"
            yield one.against(other, wants, f"they are in minutes {_said(also)}")


def _minutes(terms: TestWindow) -> set[int]:
    """Return the minutes of the day in which one tests."""
    first, last = terms.minutes or (0, 0)
    every = _HOUR_MIN if terms.every == "hour" else _DAY_MIN
    return {start + at for start in range(0, _DAY_MIN, every) for at in range(first, last)}


def _said(terms: TestWindow) -> str:
    first, last = terms.minutes or (0, 0)
    return f"{first} to {last} of the {terms.every}"


def _silent(scope: Scope) -> Iterator[Flaw]:
    """A silence that can't be lifted without imposing another."""
    for one, terms, other, also, both in _on_one_channel(scope, Silence):
        for first, lifts, second, imposes in (
            (one, terms, other, also),
            (other, also, one, terms),
        ):
            if all(_imposes(words, imposes) for words in lifts.lift_by):
                wants = f"has silence on {both} lifted by {listed(lifts.lift_by)}"
                yield first.against(second, wants, "that imposes it")


def _imposes(spoken: str, terms: Silence) -> bool:
    """Say whether words would impose a silence, and not lift it."""
    heard = spoken.upper()
    return any(words.upper() in heard for words in terms.impose_by) and not any(
        words.upper() in heard for words in terms.lift_by
    )


def _ordered(scope: Scope) -> Iterator[Flaw]:
    """Orders in which each of two waits for the other."""
    for (one, terms), (other, also) in scope.pairs(PriorityOrder):
        common = [name for name in dict.fromkeys(terms.order) if name in also.order]
        turned = (
            (before, after)
            for before, after in combinations(common, 2)
            if also.order.index(after) < also.order.index(before)
        )
        for before, after in list(turned)[:1]:
            wants = f"has {before} sent before {after}"
            yield one.against(other, wants, f"{after} goes before {before}")


def _listened(scope: Scope) -> Iterator[Flaw]:
    """A watch where another agreement says that there is none; in one the sequence says it."""
    for (one, watch), (other, sequence) in scope.both(Watch, ChannelSequence):
        free = other.spots(sequence.no_watch_duty)
        both = [name for spot, name in one.spots(watch.channels).items() if spot in free]
        if both and one.agreement is not other.agreement:
            yield one.against(
                other, f"wants a watch on {listed(both)}", "nobody has to listen there"
            )


def _on_one_channel(
    scope: Scope, kind: type[_OnChannels]
) -> Iterator[tuple[Held, _OnChannels, Held, _OnChannels, str]]:
    """Yield any two clauses with such terms that share channels, and which channels."""
    for (one, terms), (other, also) in scope.pairs(kind):
        theirs = other.spots(also.channels)
        both = listed(name for spot, name in one.spots(terms.channels).items() if spot in theirs)
        if both:
            yield one, terms, other, also, both
