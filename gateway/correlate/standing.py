"""What an incident comes to: its strands put together, for those who have to act. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gateway.correlate.lifecycle import all_lost, called_on, calls_after, cancels, phase_of
from gateway.correlate.members import lead_of
from gateway.correlate.names import in_order
from gateway.correlate.places import Fix
from gateway.correlate.strands import Strand
from gateway.model.incident import (
    CLOSED,
    Action,
    Evidence,
    Incident,
    IncidentAlarm,
    Link,
    Phase,
    Related,
    Split,
)
from gateway.model.place import Position
from gateway.model.words import GRADES, URGENCIES, Confidence, Mode

ID_DIGITS = 16

ACTIONS_MAX = 64
"""Orders of one incident that are shown, the newest; all of them are in the journal."""

DOUBTS_MAX = 8
NAMES_MAX = 16

GONE_NS = 1800 * 10**9
"""An incident that is closed, or a test, is taken off the board after so long a silence. A beacon
may go on sending for two days after the rescue: so long as it does, it stays."""


class Standing(Struct, gc=False):
    """What is known of an incident beside its evidence."""

    members: frozenset[str]
    incident: Incident | None = None
    """As it was told last."""
    closed: Phase | None = None
    alarm: IncidentAlarm = IncidentAlarm()
    actions: tuple[Action, ...] = ()
    raised_at: Fix | None = None
    """Where the alarm placed it."""
    noted_ns: int = 0
    looked_ns: int | None = None
    """When it was last put together, whether or not there was something to tell."""
    untold_ns: int | None = None
    """Until when something that has changed may wait to be told."""
    revision: int = 0
    split_from: str | None = None
    is_told: bool = False
    """Whether anybody was told of it under its own name; what was split off was not yet."""
    parted: str | None = None
    """Why it has to sound as a trouble of its own, until it does: nobody has acknowledged it so."""
    parts: frozenset[str] = frozenset()
    """What has left it before, by its name: what comes and goes sounds for that once."""
    sounded: frozenset[str] = frozenset()
    """Radio systems and natures it has sounded for, though they may have left it since."""
    restored: bool = False
    """It was taken up from the run before, or is a part of what was."""
    heir: str | None = None
    """The incident that all of this stands in now."""


def id_of(strands: Sequence[Strand]) -> str:
    """Return the name of an incident: that of what was heard first of it."""
    first = min(strands, key=lambda strand: (strand.evidence.first_mono_ns, strand.name))
    return first.name[:ID_DIGITS]


def incident_of(  # noqa: PLR0913  # each is a part of it, put together in one place
    known: Standing,
    strands: Sequence[Strand],
    *,
    station: str,
    boot: str | None,
    possibly: tuple[Related, ...],
    splits: Sequence[Split],
    joins: Sequence[Link],
    misread: frozenset[str],
) -> Incident:
    """Return the incident that these strands are."""
    evidence = [strand.evidence for strand in strands]
    evidence.sort(key=_weight_of)
    last, first = max(evidence, key=_last), min(evidence, key=_first)
    lead, others = lead_of(strands, joins, splits)
    place, where_from = best_place(lead)
    doubts, shown = _doubts(strands, misread)
    heard = _heard_on(evidence)
    return Incident(
        incident_id=id_of(strands),
        station=station,
        mode=first.mode,
        phase=phase_of(evidence, known.closed),
        severity=min((told.urgency for told in evidence), key=URGENCIES.index),
        covert=any(told.covert for told in evidence),
        confidence=_confidence(evidence, heard, doubted=bool(doubts)),
        corroborated=len(heard) > 1,
        doubts=(*doubts, *shown)[:DOUBTS_MAX],
        names=_named(lead, evidence),
        others=others,
        natures=tuple(sorted({nature for told in evidence for nature in told.natures})),
        systems=tuple(sorted({told.system for told in evidence})),
        position=place,
        position_evidence=None if where_from is None else where_from.evidence_id,
        position_utc=None if where_from is None else where_from.position_utc,
        persons_on_board=max(
            (told.persons_on_board for told in evidence if told.persons_on_board is not None),
            default=None,
        ),
        opened_mono_ns=first.first_mono_ns,
        opened_utc=first.first_utc,
        last_mono_ns=last.last_mono_ns,
        last_utc=last.last_utc,
        boot=boot,
        acknowledged_by=_all(told.acknowledged_by for told in evidence),
        calls_on=any(map(called_on, evidence)),
        relayed_by=_all(told.relayed_by for told in evidence),
        alert_lost=all_lost(evidence),
        alarm=known.alarm,
        evidence=tuple(evidence),
        links=_links_within(strands, joins),
        splits=_splits_of(strands, splits),
        possibly=possibly,
        actions=known.actions[-ACTIONS_MAX:],
        split_from=known.split_from,
        revision=known.revision + 1,
    )


def best_place(strands: Sequence[Strand]) -> tuple[Position | None, Evidence | None]:
    """Return the place known best by now: fine, and not long ago for how fast the thing moves."""
    fixes = [(strand.fix, strand) for strand in strands if strand.fix is not None]
    if not fixes:
        return None, None
    now_ns = max(fix.mono_ns for fix, _ in fixes)

    def spread_m(found: tuple[Fix, Strand]) -> tuple[bool, float, str]:
        fix, strand = found
        age_s = (now_ns - fix.mono_ns) / 1e9
        suspect = strand.evidence.confidence is Confidence.SUSPECT
        return suspect, fix.known_to_m + fix.speed_mps * age_s, strand.name

    fix, strand = min(fixes, key=spread_m)
    return fix.position, strand.evidence


def _named(lead: Sequence[Strand], evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return every name, those of the casualty that is named first before the others."""
    first = {name for strand in lead for name in strand.evidence.names}
    rest = {name for told in evidence for name in told.names} - first
    return (*in_order(first), *in_order(rest))[:NAMES_MAX]


def _heard_on(evidence: Sequence[Evidence]) -> set[str]:
    """Return the systems on which it called, but for what is not believed."""
    return {
        told.system
        for told in evidence
        if told.alerts and told.confidence is not Confidence.SUSPECT
    }


def _confidence(evidence: Sequence[Evidence], heard: set[str], *, doubted: bool) -> Confidence:
    """Return how far it can be believed: a second system raises that, signs of a fake lower it."""
    grade = min(GRADES.index(told.confidence) for told in evidence)
    grade += doubted - (len(heard) > 1)
    return GRADES[min(max(grade, 0), len(GRADES) - 1)]


def _doubts(
    strands: Sequence[Strand], misread: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what speaks against the incident as a whole, a sentence each, and what is only shown.

    A number that differs from another in one digit says nothing by itself: sister ships have such.
    """
    found: set[str] = set()
    shown: set[str] = set()
    for strand in strands:
        for far_m in strand.twice.values():
            name = strand.evidence.names[0].replace(":", " ", 1)
            found.add(f"{name} is also heard {far_m / 1852:.0f} NM away")
        for other in strand.neighbours:
            words = f"its number differs in one digit from that of {other.replace(':', ' ', 1)}"
            if other in misread:
                found.add(f"{words}, which said the same at that time: one may be misread")
            else:
                shown.add(words)
    evidence = [strand.evidence for strand in strands]
    cancelled = cancels(evidence)
    if cancelled and calls_after(evidence, cancelled):
        found.add("it calls on after it was cancelled")
    return tuple(sorted(found)), tuple(sorted(shown))


def _links_within(strands: Sequence[Strand], joins: Sequence[Link]) -> tuple[Link, ...]:
    names = {strand.name for strand in strands}
    found = {
        (link.one, link.other): link
        for strand in strands
        for link in strand.links.values()
        if link.one in names and link.other in names
    }
    found |= {(link.one, link.other): link for link in joins if {link.one, link.other} <= names}
    return tuple(sorted(found.values(), key=lambda link: (-link.weight, link.one, link.other)))


def _splits_of(strands: Sequence[Strand], splits: Sequence[Split]) -> tuple[Split, ...]:
    names = {strand.name for strand in strands}
    return tuple(split for split in splits if names & {*split.one, *split.other})


def _weight_of(told: Evidence) -> tuple[int, int, str]:
    return URGENCIES.index(told.urgency), -told.last_mono_ns, told.evidence_id


def _first(told: Evidence) -> tuple[int, str]:
    return told.first_mono_ns, told.evidence_id


def _last(told: Evidence) -> tuple[int, str]:
    return told.last_mono_ns, told.evidence_id


def _all(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in lists for name in names}))


def is_over(known: Standing, mono_ns: int) -> bool:
    """Say whether it may be taken off the board."""
    told = known.incident
    if told is None or mono_ns - told.last_mono_ns < GONE_NS:
        return False
    return told.mode is Mode.TEST or told.phase in CLOSED
