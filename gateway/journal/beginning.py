"""The journal that a station begins its watch with: the one it had, or a new one in its place.

A journal that is damaged is no reason to hear without remembering until somebody comes. It is set
aside as it was found, a new one is begun, under a new epoch, and what the old one still owed is
told by the new one, under the same names. When that fails the new one is used all the same, and it
is tried again: until then it stands where it stood, in the file that was set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.clock import Clock
from gateway.journal import aside, outboxes, sql
from gateway.journal.chain import Kept
from gateway.journal.failed import JournalFailed
from gateway.journal.logfile import Loss, loss_of
from gateway.journal.newest import GONE_MAX, STANDING_MAX, word_in
from gateway.journal.opening import damage
from gateway.journal.rows import RANKED
from gateway.journal.shelves import Owing
from gateway.journal.store import Disk, looked_into, translated
from gateway.journal.wreck import Place, Wreck
from gateway.model.plan import JournalPlan

TAKEN_OVER_MAX = 100_000
"""Entries told again, the most urgent of the oldest; some 30 MB to remember where they stand."""


AGAIN_S = 60.0
AGAIN_S_MAX = 3600.0
"""How long after a failure a take-over is tried again; twice as long after each more, up to this.
It reads the whole file and holds the journal up for seconds: what is heard then is told unjournaled
first."""


class Begun(NamedTuple):
    """The journal that the watch begins with."""

    disk: Disk
    heritage: Heritage


class Heritage:
    """What is still owed by journals that were set aside, until the one in use owes it."""

    def __init__(self, disk: Disk, path: str, links: Sequence[str], clock: Clock) -> None:
        self.trouble: str | None = None
        """Why it could not be taken over; None once it is, or where there is nothing."""
        self._disk = disk
        self._path = path
        self._links = links
        self._clock = clock
        self._due_ns = 0
        self._pause_s = AGAIN_S

    @property
    def due(self) -> bool:
        """Whether it is time to try again."""
        return self.trouble is not None and self._clock.now().mono_ns >= self._due_ns

    def take(self) -> None:
        """Have the journal owe it, in the thread that has the disk; a failure is kept, not raised.

        Nothing is lost by one: all of it is taken over, or nothing, and then it is tried again,
        also by the next start.
        """
        try:
            with translated(self._path):
                _take_over(self._disk, self._path, self._links)
        except JournalFailed as failed:
            self.trouble = failed.reason
            self._due_ns = self._clock.now().mono_ns + int(self._pause_s * 1e9)
            self._pause_s = min(2 * self._pause_s, AGAIN_S_MAX)
        else:
            self.trouble = None


def begun(plan: JournalPlan, *, station: str, links: tuple[str, ...], clock: Clock) -> Begun:
    """Return the journal; raise when there can't be one, with what stands in the way."""
    with translated(plan.path):
        aside.settle(plan.path)
    try:
        disk = Disk(plan, station=station, links=links, clock=clock)
    except JournalFailed as failed:
        if not failed.damaged:
            raise
        _set_aside(plan.path, failed)
        disk = Disk(plan, station=station, links=links, clock=clock)
    heritage = Heritage(disk, plan.path, links, clock)
    try:
        heritage.take()
    except BaseException:
        disk.close()
        raise
    return Begun(disk, heritage)


def _set_aside(path: str, damage: JournalFailed) -> None:
    try:
        with translated(path):
            aside.set_aside(path)
    except JournalFailed as failed:
        reason = f"{damage.reason}. It could not be set aside: {failed.reason}"
        raise JournalFailed(path, reason) from damage


def _take_over(disk: Disk, path: str, links: Sequence[str]) -> None:
    """Have a journal owe what was still owed by the one before it, once.

    That one may have been damaged before its own take-over was safe: then the one before it too.
    Which file it was is written down in the same transaction, even if it owed nothing; so a journal
    beside which there are such files, and in which none is noted, has yet to do it.
    """
    set_aside = aside.newest_first(path)
    if not set_aside or disk.took_over():
        return
    with ExitStack() as held:
        sources: list[tuple[str, Callable[[], Owing]]] = []
        for away in set_aside:
            wreck = held.enter_context(Wreck(away))
            found = _wanted(wreck, links, _owed_in(away), _stood_in(away))
            if found or not sources:
                sources.append((Path(away).name, partial(_read_again, wreck, found)))
            if _took_over(away):
                break
        disk.take_over(sources)


def _took_over(away: str) -> bool:
    """Say whether this file itself had taken over what the one before it owed; in doubt, not."""
    try:
        with looked_into(away) as ask:
            return any(True for _ in ask(sql.ASIDE, ()))
    except JournalFailed:
        return False


def _wanted(
    wreck: Wreck,
    links: Sequence[str],
    owed: Callable[[str, int], bool],
    stood: Callable[[int], bool],
) -> list[tuple[Place, Sequence[str]]]:
    """Return where each entry stands that is owed to anybody, and to whom, in order of telling.

    And the newest word of each incident, owed or not.
    """
    wanted: dict[_Rank, tuple[Place, Sequence[str]]] = {}
    words: dict[str, tuple[int, _Rank, Place]] = {}
    for place, kept in wreck.entries():
        owing = [link for link in links if owed(link, kept.number)]
        rank = _RANKS[kept.lane], kept.number, kept.link
        if owing:
            wanted[rank] = place, owing
        if len(wanted) >= 2 * TAKEN_OVER_MAX:
            wanted = dict(sorted(wanted.items())[:TAKEN_OVER_MAX])
        word = word_in(kept.body) if stood(kept.number) else None
        if word is not None and _is_newer(word.revision, kept.number, words.get(word.incident)):
            words[word.incident] = word.revision, rank, place
    wanted = dict(sorted(wanted.items())[:TAKEN_OVER_MAX])
    newest = sorted(words.values(), key=lambda word: word[1][1], reverse=True)
    for _, rank, place in newest[: STANDING_MAX + GONE_MAX]:
        wanted.setdefault(rank, (place, ()))
    return [found for _, found in sorted(wanted.items())]


def _is_newer(revision: int, number: int, known: tuple[int, _Rank, Place] | None) -> bool:
    return known is None or (revision, number) > (known[0], known[1][1])


def _read_again(
    wreck: Wreck, found: Sequence[tuple[Place, Sequence[str]]]
) -> Iterator[tuple[Kept, Sequence[str]]]:
    for place, owing in found:
        for kept in wreck.at(place):
            yield kept, owing


def _owed_in(path: str) -> Callable[[str, int], bool]:
    """Return what says whether a file owes a number to a link; in doubt, it does.

    It says so itself where its tree and its outboxes prove themselves, and its log has lost no more
    than the last transaction.
    """
    try:
        with looked_into(path) as ask:
            damaged = damage(lambda question: (str(row[0]) for row in ask(question, ())))
            found = outboxes.found_in(ask)
            number_last = msgspec.convert(next(ask(sql.NUMBER_LAST, ()))[0], int)
            loss = loss_of(path, number_last=0)
            if damaged or loss is Loss.MORE:
                return _all
    except (JournalFailed, msgspec.ValidationError, StopIteration):
        return _all
    numbers = {link: {number for _, number in rows} for link, rows in found.rows.items()}
    return lambda link, number: (
        (loss is Loss.THE_LAST and number > number_last)
        or link in found.wrong
        or number in numbers.get(link, ())
    )


def _stood_in(path: str) -> Callable[[int], bool]:
    """Return what says whether a number may be the newest word of an incident; in doubt, it may.

    What was thrown away long ago may turn up in a file, and then an incident that nobody knows the
    end of: so the file is believed where it can say it.
    """
    try:
        with looked_into(path) as ask:
            numbers = {row[0] for row in ask(sql.STOOD, ())}
            number_last = msgspec.convert(next(ask(sql.NUMBER_LAST, ()))[0], int)
            if loss_of(path, number_last=0) is Loss.MORE:
                return _any
    except (JournalFailed, msgspec.ValidationError, StopIteration):
        return _any
    return lambda number: number in numbers or number > number_last


def _all(_link: str, _number: int) -> bool:
    return True


def _any(_number: int) -> bool:
    return True


_Rank = tuple[int, int, bytes]
"""Lane, number, link: the order of telling."""

_RANKS = {lane.value: rank for rank, lane in enumerate(RANKED)}
