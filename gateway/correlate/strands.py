"""Strands: all that one radio system has said of one craft or device in one place.

A strand takes in a report in any order: what it holds is the first, the last, the gravest or the
number of what came, so that the same reports make the same strand. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gateway.correlate.names import in_order, is_coast_station, names_of, things_of
from gateway.correlate.places import Fix, distance_m, fix_at, reach_m
from gateway.correlate.track import Track
from gateway.model.inbound import Report
from gateway.model.incident import Evidence, Link
from gateway.model.place import Position
from gateway.model.words import GRADES, URGENCIES, Confidence, Kind, Relation, Urgency

NAMES_MAX = 8
"""Names of one strand; a device gives three or four."""

LISTED_MAX = 8
"""Ports, channels, stations and doubts named on one strand, the first ones."""

TEXT_MAX = 500
"""Characters of a text that stand in an incident; the report has the whole of it."""

NAMELESS_NS = 3600 * 10**9
"""What names nobody is held to speak of one casualty within an hour, and of another in the next."""

ELSEWHERE_M = 20_000.0
"""A place so much farther than a thing can have come belongs to another that uses its name."""

_Text = TypeVar("_Text", bound=str)

_SAID = attrgetter(
    "position",
    "names",
    "natures",
    "urgency",
    "covert",
    "confidence",
    "doubts",
    "persons_on_board",
    "text",
    "acknowledged_by",
    "relayed_by",
    "cancelled_mono_ns",
    "ports",
    "channels",
    "lost",
)
"""All of a strand that is neither a number of reports nor the time of one that calls."""

_OTHERS_SPEAK = (Kind.ACKNOWLEDGEMENT, Kind.RELAY, Kind.CANCELLATION)


class Strand(Struct, gc=False):
    """A strand and how it hangs together with others."""

    evidence: Evidence
    things: dict[str, frozenset[str]]
    links: dict[str, Link]
    """To other strands, by their names."""
    twice: dict[str, float]
    """Strands of the same name at places where one thing can't have been, and how far off."""
    neighbours: tuple[str, ...] = ()
    """Names heard that differ from one of its own in one digit: a sister ship, or a misreading."""
    fix: Fix | None = None
    """Where it was last."""
    cell: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """What it goes by among strands."""
        return self.evidence.evidence_id

    def place(self) -> None:
        """Take over where the evidence says that it was last, when anybody knows."""
        told = self.evidence
        self.fix = (
            fix_at(told.position, told.position_mono_ns, self.things)
            if told.position is not None and told.position_mono_ns is not None
            else None
        )


def is_about_trouble(report: Report) -> bool:
    """Say whether this opens an incident, or belongs to one."""
    return report.urgency in (Urgency.DISTRESS, Urgency.URGENCY)


def filed(report: Report) -> str:
    """Return what all reports of one strand share, beside their system and mode."""
    about = _about(report)
    if about:
        return about[0]
    if report.kind is Kind.TEXT and report.text:
        return f"text:{hashlib.blake2b(report.text.encode(), digest_size=8).hexdigest()}"
    said_by = names_of(report.sender)
    hour = report.heard.mono_ns // NAMELESS_NS
    return f"by {said_by[0]} {hour}" if said_by else f"at {report.heard.port} {hour}"


def begun(report: Report) -> Strand:
    """Return the strand that begins with this report."""
    heard = report.heard
    names = in_order(_about(report))[:NAMES_MAX]
    empty = Evidence(
        evidence_id=report.report_id,
        filed=filed(report),
        system=report.system,
        mode=report.mode,
        names=names,
        sender=report.sender,
        casualty=report.casualty,
        urgency=report.urgency,
        first_mono_ns=heard.mono_ns,
        last_mono_ns=heard.mono_ns,
        first_utc=heard.utc,
        last_utc=heard.utc,
        last_report_id=report.report_id,
        confidence=report.confidence,
    )
    return Strand(evidence=empty, things=things_of(names), links={}, twice={})


def restored(evidence: Evidence) -> Strand:
    """Return the strand that was kept as this."""
    strand = Strand(evidence=evidence, things=things_of(evidence.names), links={}, twice={})
    strand.place()
    return strand


def fix_of(report: Report, things: Collection[str] = ()) -> Fix | None:
    """Return the place that a report states, as of when it was."""
    place = report.position
    if place is None:
        return None
    age_ns = int((place.age_s or 0) * 1e9)
    return fix_at(place, report.heard.mono_ns - age_ns, things)


def is_elsewhere(strand: Strand, report: Report) -> bool:
    """Say whether what states this place can't be the thing of this strand."""
    known, stated = strand.fix, fix_of(report, strand.things)
    if known is None or stated is None:
        return False
    return distance_m(known, stated) > ELSEWHERE_M + 2 * reach_m(known, stated)


def take_in(strand: Strand, report: Report, relation: Relation) -> None:
    """Add a report to the strand that it belongs to."""
    told, heard = strand.evidence, report.heard
    newest = (heard.mono_ns, report.report_id) >= (told.last_mono_ns, told.last_report_id)
    oldest = (heard.mono_ns, report.report_id) < (told.first_mono_ns, told.evidence_id)
    copy = relation is Relation.COPY
    changes: dict[str, object] = {
        "reports": told.reports + (not copy),
        "copies": told.copies + copy,
        "ports": _listed(told.ports, heard.port),
        "channels": _listed(told.channels, heard.channel),
        "confidence": _better(told.confidence, report.confidence),
        "urgency": _graver(told.urgency, report.urgency),
        "covert": told.covert or report.covert,
        "names": _named(told.names, _about(report)),
        "natures": _listed(told.natures, report.nature),
        "doubts": _listed(told.doubts, *report.doubts),
        "persons_on_board": _most(told.persons_on_board, report.persons_on_board),
        "lost": False,
    }
    if newest:
        changes |= {
            "last_mono_ns": heard.mono_ns,
            "last_utc": heard.utc,
            "last_report_id": report.report_id,
        }
    if newest and report.text is not None:
        changes["text"] = report.text[:TEXT_MAX]
    if oldest:
        changes |= {"first_mono_ns": heard.mono_ns, "first_utc": heard.utc}
    changes |= _stated(strand, report)
    changes |= _said(told, report, copy=copy)
    strand.evidence = replace(told, **changes)
    if strand.evidence.names != told.names:
        strand.things = things_of(strand.evidence.names)
    strand.place()


def says_the_same(one: Evidence, other: Evidence) -> bool:
    """Say whether these differ in nothing but how often, and when, it called."""
    return bool(_SAID(one) == _SAID(other))


def see(strand: Strand, report: Report) -> bool:
    """Take note of where another radio says the craft is; say whether that is news."""
    told, stated = strand.evidence, fix_of(report, strand.things)
    if stated is None or (told.position_mono_ns or -1) >= stated.mono_ns:
        return False
    if is_elsewhere(strand, report):
        return False
    strand.evidence = replace(
        told,
        position=stated.position,
        position_mono_ns=stated.mono_ns,
        position_utc=_was_there_utc(report),
        position_from=None if report.system == told.system else report.system,
    )
    strand.place()
    return True


def stand_in(strand: Strand, track: Track | None) -> None:
    """Give a strand that states no place where its craft was heard before, by whatever radio.

    It is shown with the radio that said so, and with its own time: it is not what the call says.
    """
    told = strand.evidence
    if track is None or told.position is not None:
        return
    utc = track.utc
    was_there_utc = None if utc is None else utc - timedelta(seconds=_late_s(track))
    strand.evidence = replace(
        told,
        position=track.position,
        position_mono_ns=track.mono_ns,
        position_utc=was_there_utc,
        position_from=None if track.system == told.system else track.system,
    )
    strand.place()


def _late_s(track: Track) -> float:
    """Return how much later a place was heard than it was true."""
    return (track.heard_ns - track.mono_ns) / 1e9


def _stated(strand: Strand, report: Report) -> dict[str, object]:
    """Return the place, where this report has a newer one."""
    fix, told = fix_of(report, strand.things), strand.evidence
    if fix is None:
        return {}
    if told.position_mono_ns is not None and told.position_mono_ns > fix.mono_ns:
        return {}
    if told.position_mono_ns == fix.mono_ns and _order(told.position) >= _order(fix.position):
        return {}
    return {
        "position": fix.position,
        "position_mono_ns": fix.mono_ns,
        "position_utc": _was_there_utc(report),
        "position_from": None,
    }


def _was_there_utc(report: Report) -> datetime | None:
    """Return the time of day at which the sender was where the report says."""
    utc, place = report.heard.utc, report.position
    if utc is None or place is None:
        return None
    return utc - timedelta(seconds=place.age_s or 0)


def _said(told: Evidence, report: Report, *, copy: bool) -> dict[str, object]:
    """Return what the report does to the trouble: call, acknowledge, relay or cancel."""
    mono_ns = report.heard.mono_ns
    if report.kind not in _OTHERS_SPEAK:
        return {
            "alert_mono_ns": _latest(told.alert_mono_ns, mono_ns),
            "alerts": told.alerts + (not copy),
        }
    by = names_of(report.sender)
    if _cancels(report):
        return {"cancelled_mono_ns": _latest(told.cancelled_mono_ns, mono_ns)}
    if report.kind is Kind.ACKNOWLEDGEMENT:
        return _acknowledged(told, by[:1], mono_ns)
    if report.kind is Kind.RELAY:
        return {"relayed_by": _listed(told.relayed_by, *by[:1])}
    why = f"cancelled by {by[0] if by else 'somebody'}, who is not the casualty"
    return {"doubts": _listed(told.doubts, why)}


def _acknowledged(told: Evidence, by: tuple[str, ...], mono_ns: int) -> dict[str, object]:
    """Return who has acknowledged it; the times are those of coast stations, whose part it is."""
    found: dict[str, object] = {"acknowledged_by": _listed(told.acknowledged_by, *by)}
    if any(map(is_coast_station, by)):
        first_ns = told.acknowledged_first_mono_ns
        found["acknowledged_first_mono_ns"] = (
            mono_ns if first_ns is None else min(first_ns, mono_ns)
        )
        found["acknowledged_mono_ns"] = _latest(told.acknowledged_mono_ns, mono_ns)
    return found


def _cancels(report: Report) -> bool:
    """Say whether the casualty itself says that there is none: nobody else can."""
    if report.kind not in (Kind.CANCELLATION, Kind.ACKNOWLEDGEMENT):
        return False
    sender, casualty = set(names_of(report.sender)), set(names_of(report.casualty))
    if not casualty:
        return report.kind is Kind.CANCELLATION
    return bool(sender & casualty) or (report.kind is Kind.CANCELLATION and not sender)


def _about(report: Report) -> tuple[str, ...]:
    """Return every name of whom the report is about."""
    if report.casualty is not None:
        return names_of(report.casualty)
    return () if report.kind in (*_OTHERS_SPEAK, Kind.TEXT) else names_of(report.sender)


def _listed(known: tuple[_Text, ...], *more: _Text | None) -> tuple[_Text, ...]:
    """Return what is known and what is new: the first ones in the order of the alphabet."""
    new = {one for one in more if one is not None and one not in known}
    return known if not new else tuple(sorted({*known, *new}))[:LISTED_MAX]


def _named(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """Return what it goes by, the names that prove most first."""
    if all(name in known for name in more):
        return known
    return in_order({*known, *more})[:NAMES_MAX]


def _better(one: Confidence, other: Confidence) -> Confidence:
    return min(one, other, key=GRADES.index)


def _graver(one: Urgency, other: Urgency) -> Urgency:
    return min(one, other, key=URGENCIES.index)


def _most(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)


def _latest(one: int | None, other: int) -> int:
    return other if one is None else max(one, other)


def _order(position: Position | None) -> tuple[float, float]:
    return (-1e9, -1e9) if position is None else (position.lat_deg, position.lon_deg)
