"""An incident in words: how it stands, what it is made of, and why that is held to be one trouble.

What a radio or an operator said is shown as text that prints, whatever they sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gateway.export.say import say
from gateway.export.wording import degrees_minutes, named, station, trust
from gateway.model.incident import Evidence, Incident, IncidentAlarm, Link, Related
from gateway.verbs.telling import printable

SHORT = 8
"""Digits of a name that are shown where the whole stands elsewhere."""


def shown(incident: Incident) -> Iterator[str]:
    """Yield the whole of it: how it stands, its evidence, its links, what was done."""
    yield from map(printable, _shown(incident))


def explained(incident: Incident) -> Iterator[str]:
    """Yield the graph: each piece, each link with what it weighs, what was undone, and by whom."""
    yield from map(printable, _explained(incident))


def stamp(utc: datetime | None, mono_ns: int | None = None) -> str:
    """Return a time of day, or what the box's clock said where nobody knew it."""
    if utc is not None:
        return f"{utc:%Y-%m-%d %H:%M:%S}Z"
    return "no time" if mono_ns is None else f"{mono_ns / 1e9:.1f} s after the box began"


def _shown(incident: Incident) -> Iterator[str]:
    yield from _head(incident)
    for title, lines in (
        ("evidence", _evidence(incident)),
        ("belongs together because", _reasons(incident)),
        ("doubts", iter(incident.doubts)),
        ("possibly the same trouble, not merged", _possibly(incident)),
        ("done", _deeds(incident)),
    ):
        yield from _block(title, lines)


def _explained(incident: Incident) -> Iterator[str]:
    yield from _head(incident)
    for title, lines in (
        ("evidence: all that one radio system said of one craft", _evidence(incident)),
        ("links", (line for link in incident.links for line in _link(link))),
        ("taken apart by operators", _splits(incident)),
        ("possibly related, and why it is not merged", _related(incident)),
        ("how the alarm came to where it is", _alarm_story(incident)),
    ):
        yield from _block(title, lines, none="none")


def _head(incident: Incident) -> Iterator[str]:
    yield incident.say or say(incident)
    yield ""
    yield f"incident   {incident.incident_id} of station {incident.station}"
    yield f"mode       {incident.mode}" + ("; covert: don't answer" if incident.covert else "")
    yield f"phase      {incident.phase.replace('_', ' ')}"
    yield f"alarm      {_alarm(incident.alarm)}"
    yield f"trust      {trust(incident)}"
    yield f"opened     {stamp(incident.opened_utc, incident.opened_mono_ns)}"
    yield f"last heard {stamp(incident.last_utc, incident.last_mono_ns)}"
    if incident.position is not None:
        yield f"where      {degrees_minutes(incident.position)}"
    for what, say_of, names in (
        ("names", named, incident.names),
        ("acked by", station, incident.acknowledged_by),
        ("relayed by", station, incident.relayed_by),
    ):
        if names:
            yield f"{what:<10} {', '.join(map(say_of, names))}"
    if incident.calls_on:
        yield "calls on   after a coast station acknowledged it: it may not hear that station"
    if incident.merged_into is not None:
        yield f"now        part of {incident.merged_into}"
    if incident.split_from is not None:
        yield f"split from {incident.split_from}"


def _alarm(alarm: IncidentAlarm) -> str:
    words = [f"{alarm.phase}, since {stamp(alarm.since_utc)}"]
    if alarm.by is not None:
        words.append(f"by {alarm.by}")
    if alarm.until_utc is not None:
        words.append(f"until {stamp(alarm.until_utc)}")
    if alarm.why is not None:
        words.append(alarm.why)
    if alarm.escalated:
        words.append("nobody acknowledged it in time")
    return ", ".join(words)


def _block(title: str, lines: Iterator[str], none: str | None = None) -> Iterator[str]:
    told = [*lines] or ([none] if none else [])
    if told:
        yield ""
        yield title
        yield from (f"  {line}" for line in told)


def _evidence(incident: Incident) -> Iterator[str]:
    for one in incident.evidence:
        names = ", ".join(named(name) for name in one.names) or "nobody named"
        yield f"{one.evidence_id}"
        yield f"  {one.system}, {one.urgency}, {one.confidence}: {names}"
        yield f"  {_counted(one)}"
        yield from (f"  {line}" for line in _said(one))
    if incident.evidence_more:
        yield f"and {incident.evidence_more} more, for which there was no room; the journal has it"


def _counted(one: Evidence) -> str:
    first = stamp(one.first_utc, one.first_mono_ns)
    last = stamp(one.last_utc, one.last_mono_ns)
    copies = f", {one.copies} copies" if one.copies else ""
    return f"first {first}, last {last}; {one.reports} reports, {one.alerts} of them calls{copies}"


def _said(one: Evidence) -> Iterator[str]:
    if one.natures:
        yield f"nature: {', '.join(nature.replace('_', ' ') for nature in one.natures)}"
    if one.position is not None:
        yield f"at {degrees_minutes(one.position)}"
    if one.text is not None:
        yield f'says "{one.text}"'
    yield from _heard_of(one)
    for doubt in one.doubts:
        yield f"doubt: {doubt}"


def _heard_of(one: Evidence) -> Iterator[str]:
    """Yield what came of the calls, as the radio has it."""
    if one.acknowledged_by:
        yield f"acknowledged by {', '.join(map(station, one.acknowledged_by))}"
    if one.relayed_by:
        yield f"relayed by {', '.join(map(station, one.relayed_by))}"
    if one.cancelled_mono_ns is not None:
        yield "cancelled by the casualty itself"
    if one.lost:
        yield "fallen silent before its time; that is no end"


def _reasons(incident: Incident) -> Iterator[str]:
    for link in incident.links:
        undone = "" if link.undone_by is None else f" (undone by {link.undone_by})"
        yield f"{_ends(link)}: {link.words}{undone}"


def _link(link: Link) -> Iterator[str]:
    yield f"{_ends(link)}: {link.words}"
    facts = [f"{link.kind.replace('_', ' ')}", f"weight {link.weight:.2f}"]
    if link.distance_m is not None:
        facts.append(f"{link.distance_m / 1852:.2f} NM apart")
    if link.age_s is not None:
        facts.append(f"{link.age_s:.0f} s apart")
    if link.undone_by is not None:
        facts.append(f"UNDONE by {link.undone_by} at {stamp(link.undone_utc)}")
    yield f"  {', '.join(facts)}"


def _splits(incident: Incident) -> Iterator[str]:
    for split in incident.splits:
        one, other = (", ".join(name[:SHORT] for name in side) for side in (split.one, split.other))
        yield f"{one} from {other}, by {split.by} at {stamp(split.utc)}"


def _possibly(incident: Incident) -> Iterator[str]:
    for other in incident.possibly:
        yield f"{other.incident_id}: {other.link.words}"


def _related(incident: Incident) -> Iterator[str]:
    for other in incident.possibly:
        yield other.incident_id
        yield from (f"  {line}" for line in _link(other.link))
        yield f"  not merged: {_why_apart(incident, other)}"


def _why_apart(incident: Incident, other: Related) -> str:
    ends = {other.link.one, other.link.other}
    for split in incident.splits:
        if ends & {*split.one} and ends & {*split.other}:
            return f"{split.by} has taken them apart"
    if other.link.undone_by is not None:
        return f"{other.link.undone_by} has said that the link is wrong"
    return f"a weight of {other.link.weight:.2f} is too little to be sure; an operator may merge"


def _alarm_story(incident: Incident) -> Iterator[str]:
    alarm = incident.alarm
    yield f"opened {stamp(incident.opened_utc, incident.opened_mono_ns)}; raised {_times(alarm)}"
    yield from _deeds(incident)
    yield f"now {_alarm(alarm)}"


def _times(alarm: IncidentAlarm) -> str:
    return "once" if alarm.raised == 1 else f"{alarm.raised} times"


def _deeds(incident: Incident) -> Iterator[str]:
    for deed in incident.actions:
        words = "" if deed.words is None else f": {deed.words}"
        when = stamp(deed.utc, deed.mono_ns)
        yield f"{when}  {deed.verb} by {deed.author}{words}"


def _ends(link: Link) -> str:
    return f"{link.one[:SHORT]} - {link.other[:SHORT]}"
