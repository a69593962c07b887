"""Which incidents are of a flood of invented calls, and may be closed by one order. Pure.

A real call may be among them. So nothing is closed that was heard twice or on two radios, that
anybody has answered or an operator dealt with, that the register knows, or that had no time to call
again; and nothing of which there are not many alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from gateway.correlate.floods import CALLERS_FLOOD, WINDOW_NS
from gateway.correlate.lifecycle import QUIET_DSC_NS
from gateway.correlate.links import Carried
from gateway.model.incident import Action, AlarmPhase, Evidence, IncidentAlarm
from gateway.model.words import Mode

AT_ONCE = 64
"""Incidents that one order closes: each is noted by itself, in a millisecond or two, and the next
call must not wait. Who orders it orders again for the rest. More than two floods' worth: of those,
wherever it is cut, the rest is a flood as well."""

QUIET_S = QUIET_DSC_NS / 1e9
"""What is heard later than so long ago is not closed so: one that is real calls again in it."""

_UNTOUCHED = (AlarmPhase.RAISED, AlarmPhase.SILENCED)


def why_not(heard_from: datetime, heard_until: datetime, utc: datetime | None) -> str | None:
    """Return why this stretch of time can't be asked for, or None."""
    if utc is None:
        return "the box does not know the time of day, and can't tell what was heard when"
    if heard_until <= heard_from:
        return "the flood ends before it begins"
    if heard_until > utc - timedelta(seconds=QUIET_S):
        return (
            f"a real call is heard again within {QUIET_S / 60:.1f} min: end the flood before that"
        )
    return None


def is_single(
    evidence: Sequence[Evidence],
    alarm: IncidentAlarm,
    actions: Sequence[Action],
    carried: Carried,
) -> bool:
    """Say whether one call is all that was heard of an incident, and nobody has dealt with it."""
    if len(evidence) != 1 or actions or alarm.phase not in _UNTOUCHED:
        return False
    told = evidence[0]
    answered = told.acknowledged_by or told.relayed_by or told.cancelled_mono_ns is not None
    once = told.reports == 1 and told.alerts == 1 and told.mode is Mode.REAL
    return once and not answered and not told.covert and not any(map(carried, told.names))


def flood_of(
    singles: Iterable[Evidence], heard_from: datetime, heard_until: datetime, wanted: str
) -> list[str]:
    """Return the flood that a piece of evidence is of, the oldest first; empty when it is of none.

    Each was heard in the stretch, and is one of so many within ten minutes as make a flood.
    """
    names, _ = _flood(singles, heard_from, heard_until, wanted)
    return names


def at_once(
    singles: Iterable[Evidence], heard_from: datetime, heard_until: datetime, wanted: str
) -> list[str]:
    """Return what one order closes of that flood: what it leaves is a flood as well, or nothing."""
    names, cuts = _flood(singles, heard_from, heard_until, wanted)
    if len(names) <= AT_ONCE:
        return names
    return names[: max(cut for cut in cuts if cut <= AT_ONCE)]


def _flood(
    singles: Iterable[Evidence], heard_from: datetime, heard_until: datetime, wanted: str
) -> tuple[list[str], list[int]]:
    """Return the flood, and where it may be cut: from there on as many come as make one."""
    inside = sorted(
        (told.first_mono_ns, told.evidence_id)
        for told in singles
        if told.first_utc is not None and heard_from <= told.first_utc <= heard_until
    )
    starts = [
        first
        for first in range(len(inside) - CALLERS_FLOOD + 1)
        if inside[first + CALLERS_FLOOD - 1][0] - inside[first][0] <= WINDOW_NS
    ]
    for begin, end in _runs(starts):
        names = [name for _, name in inside[begin:end]]
        if wanted in names:
            return names, [start - begin for start in starts if begin < start < end]
    return [], []


def _runs(starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where each flood begins and ends; two that have calls in common are one."""
    begin = end = 0
    for start in starts:
        if end and start >= end:
            yield begin, end
        if start >= end:
            begin = start
        end = start + CALLERS_FLOOD
    if end:
        yield begin, end
