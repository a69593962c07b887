"""What stood when the last run ended, as it is taken up by this one. Pure.

Times are on the monotonic clock, which begins anew with each start of the machine. What another
start noted is moved onto this one's, all by the same, so that what came first still does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.correlate.grouping import MARGIN
from gateway.correlate.links import SAME
from gateway.correlate.sounding import fix_of
from gateway.correlate.standing import Standing
from gateway.correlate.strands import restored
from gateway.correlate.web import Web
from gateway.model.inbound import Moment
from gateway.model.incident import CLOSED, Incident, IncidentNote, LinkKind, Phase
from gateway.model.words import HELD

AT_ONCE = 16
"""Pieces of evidence that are taken up at once: some milliseconds. Incidents are taken up whole."""

LONG_AGO_NS = -(10**18)
"""Before any start of the machine: what was noted then keeps no news waiting."""

Offsets = dict[str | None, int]
"""What is added to the times of each start of the machine."""


def offsets_of(
    notes: Iterable[IncidentNote], *, boot: str | None, now: Moment, began_ns: int
) -> Offsets:
    """Return by how much the times of these notes have to be moved, by the start they are of.

    Where the time of day was held then and is held now, by what it says has passed in between.
    Else as though no time had passed: nobody knows how much, and an alarm must not be missed for a
    time of day that was never set. Nothing is later than the beginning of this run.
    """
    newest: dict[str | None, int] = {}
    dated: dict[str | None, tuple[int, int]] = {}
    for note in notes:
        start, noted_ns = note.incident.boot, _noted_ns(note)
        newest[start] = max(noted_ns, newest.get(start, noted_ns))
        if note.utc is not None and note.clock in HELD:
            ahead_ns = int(note.utc.timestamp() * 1e9) - noted_ns
            dated[start] = max((noted_ns, ahead_ns), dated.get(start, (noted_ns, ahead_ns)))
    found: Offsets = {}
    for start, last_ns in newest.items():
        latest_ns = began_ns - last_ns
        if start == boot:
            found[start] = 0
        elif start in dated and now.clock in HELD and now.utc_ns is not None:
            _, ahead_ns = dated[start]
            found[start] = min(ahead_ns - (now.utc_ns - now.mono_ns), latest_ns)
        else:
            found[start] = latest_ns
    return found


def in_bites(
    notes: Sequence[IncidentNote], offsets: Offsets, *, boot: str | None
) -> Iterator[list[Incident]]:
    """Yield what stands, a few incidents at a time, on the clock of this start of the machine.

    The newest word first: evidence that two of them name stands in that one.
    """
    bite: list[Incident] = []
    pieces = 0
    for note in reversed(notes):
        if note.gone or not note.incident.evidence:
            continue
        told = note.incident
        if bite and pieces + len(told.evidence) > AT_ONCE:
            yield bite
            bite, pieces = [], 0
        # It is put in words anew when there is something to say.
        bite.append(replace(moved(told, offsets[told.boot], boot=boot), say=""))
        pieces += len(told.evidence)
    if bite:
        yield bite


def moved(told: Incident, by_ns: int, *, boot: str | None) -> Incident:
    """Return an incident with each of its times moved onto the clock of this start."""
    if told.boot == boot and not by_ns:
        return told
    return replace(
        _moved(told, by_ns),
        boot=boot,
        alarm=_moved(told.alarm, by_ns),
        actions=tuple(_moved(action, by_ns) for action in told.actions),
        evidence=tuple(_moved(piece, by_ns) for piece in told.evidence),
    )


class Back(Struct, frozen=True):
    """Incidents that have been put back on the board."""

    fresh: dict[str, Incident]
    """Those that were not on it."""
    over: tuple[str, ...]
    """Of these, those of which all the evidence has a newer word: they have become others."""
    seeds: set[str]
    """Evidence around which it has to be seen anew what is one."""


def put_back(
    web: Web, standing: dict[str, Standing], of: dict[str, str], kept: Iterable[Incident]
) -> Back:
    """Put incidents back on the board, with their evidence and what operators ordered about it."""
    fresh = {told.incident_id: told for told in kept if told.incident_id not in standing}
    over: list[str] = []
    seeds: set[str] = set()
    for name, told in fresh.items():
        _take_up(web, told)
        pieces = frozenset(piece.evidence_id for piece in told.evidence)
        mine = pieces - of.keys()
        of |= dict.fromkeys(mine, name)
        standing[name] = _standing_as(told, mine or pieces)
        seeds |= pieces - mine
        if not mine:
            over.append(name)
    for name, incident in of.items():
        if incident in fresh:
            seeds |= {one for one in _bound_to(web, name) if not standing[of[one]].restored}
    return Back(fresh, tuple(over), seeds)


def keep_alarms(
    standing: dict[str, Standing], touched: Iterable[str], fresh: Mapping[str, Incident]
) -> None:
    """Let what has been heard since have been heard of the incidents that it turns out to be of.

    So a repeat of what is acknowledged raises nothing, and what is new raises the alarm again. What
    operators have done since stays done.
    """
    found = [(name, standing[name]) for name in touched]
    for name, known in found:
        if name in fresh:
            known.noted_ns = LONG_AGO_NS  # what ends in it must be seen in it at once
    ended = [(name, known) for name, known in found if not known.members]
    if any(name in fresh or known.actions for name, known in ended):
        return
    for name, known in found:
        if name in fresh and known.members:
            known.alarm = fresh[name].alarm
            known.closed = _closed(fresh[name])


def _bound_to(web: Web, name: str) -> Iterator[str]:
    """Yield the evidence that may be one with this."""
    links = web.strands[name].links
    return (other for other, link in links.items() if link.weight >= SAME - MARGIN)


def _closed(told: Incident) -> Phase | None:
    return told.phase if told.phase in CLOSED else None


def _standing_as(told: Incident, members: frozenset[str]) -> Standing:
    """Return what is known of an incident that was kept as this."""
    return Standing(
        members=members,
        incident=told,
        closed=_closed(told),
        alarm=told.alarm,
        actions=told.actions,
        raised_at=fix_of(told),
        noted_ns=told.last_mono_ns,
        revision=told.revision,
        split_from=told.split_from,
        restored=True,
        is_told=True,
    )


def _take_up(web: Web, told: Incident) -> None:
    web.splits += [split for split in told.splits if split not in web.splits]
    for link in told.links:
        if link.kind is LinkKind.OPERATOR:
            web.joins[frozenset((link.one, link.other))] = link
    for piece in told.evidence:
        if piece.evidence_id not in web.strands:
            web.put(restored(piece))


_Timed = TypeVar("_Timed", bound=Struct)


def _moved(told: _Timed, by_ns: int) -> _Timed:
    """Return it with each of its own times moved."""
    times = {
        name: value + by_ns
        for name in told.__struct_fields__
        if name.endswith("mono_ns") and (value := getattr(told, name)) is not None
    }
    return replace(told, **times)


def _noted_ns(note: IncidentNote) -> int:
    return note.incident.last_mono_ns if note.mono_ns is None else note.mono_ns
