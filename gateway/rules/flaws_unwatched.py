"""Channels on which nobody has to listen at some hour, although others count on it.

This is no flaw of the text: an airfield closes at night. It is told, for who calls at that hour
calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.rules.ground import Ground
from gateway.rules.hours import DAY_MIN, Schedule
from gateway.rules.kinds import ack_deadline, call_response, channel_sequence, watch

_HOUR_MIN = 60


def gaps(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield each channel with hours at which no rule has anybody listen, the hours and the rules.

    Asked about are channels that are watched at other hours, those of one group with them, and
    those on which a call is begun, answered or acknowledged. A channel of several of which any one
    is watched counts as watched; so does one of which the agreement says who else listens there.
    Every day is like any other: `hours` know no days of the week.
    """
    watches = {
        clause.id: clause.terms
        for clause in ground.agreement.rules
        if isinstance(clause.terms, watch.Terms) and ground.rolls.named(clause.terms.who)
    }
    counted = _counted_on(ground)
    for channel in sorted(_asked_about(ground, watches.values()) | counted.keys()):
        by = [name for name, one in watches.items() if channel in ground.dial.named(one.channels)]
        open_min = _unwatched(watches[name] for name in by)
        if open_min and ground.agreement.channels[channel].watched_by is None:
            where = (*by, *counted.get(channel, ()), *watches)[0]
            yield where, _words(channel, open_min, by, counted.get(channel, ()))


def _asked_about(ground: Ground, watches: Iterable[watch.Terms]) -> frozenset[str]:
    """Return the channels that are watched, and those of one group with them."""
    watched = ground.dial.named(name for one in watches for name in one.channels)
    groups = map(frozenset, ground.agreement.groups.values())
    found = watched.union(*(group for group in groups if group & watched))
    excused = ground.dial.named(
        name
        for clause in ground.agreement.rules
        if isinstance(clause.terms, channel_sequence.Terms)
        for name in clause.terms.no_watch_duty
    )
    return found - excused


def _counted_on(ground: Ground) -> dict[str, tuple[str, ...]]:
    """Return the channels on which rules count on somebody who hears a call, and these rules."""
    found: dict[str, tuple[str, ...]] = {}
    for clause in ground.agreement.rules:
        terms = clause.terms
        names: tuple[str, ...] = ()
        if isinstance(terms, channel_sequence.Terms):
            names = terms.initial
        elif isinstance(terms, ack_deadline.Terms | call_response.Terms):
            names = terms.channels or ()
        for channel in ground.dial.named(names):
            found[channel] = (*found.get(channel, ()), clause.id)
    return found


def _unwatched(watches: Iterable[watch.Terms]) -> frozenset[int]:
    """Return the minutes of the day at which none of these is due."""
    every = frozenset(range(DAY_MIN))
    due: set[int] = set()
    for one in watches:
        for first, last in Schedule(one.hours).spans or ((0, DAY_MIN),):
            end = last if first < last else last + DAY_MIN
            due.update(minute % DAY_MIN for minute in range(first, end))
    return every - due


def _words(channel: str, open_min: frozenset[int], by: list[str], counting: Iterable[str]) -> str:
    hours = ", ".join(_spans(open_min)) or "at any hour"
    words = f"nobody has to listen on {channel} {hours}"
    words += f": {', '.join(by)} says who does at other hours" if by else ""
    on_it = ", ".join(counting)
    return f"{words}; counted on by {on_it}" if on_it else words


def _spans(minutes: frozenset[int]) -> Iterator[str]:
    """Yield minutes as spans of the day; none where they are all of it."""
    firsts = sorted(minute for minute in minutes if (minute - 1) % DAY_MIN not in minutes)
    for first in firsts:
        last = first
        while last % DAY_MIN in minutes:
            last += 1
        yield f"from {_clock(first)} to {_clock(last % DAY_MIN)} UTC"


def _clock(minute: int) -> str:
    return f"{minute // _HOUR_MIN:02d}:{minute % _HOUR_MIN:02d}"
