"""How a report is said to a person at a terminal: short, in one fixed order, nothing unprintable.

The words are for eyes only. A program reads the published report instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from gateway.codes.dates import utc_of
from gateway.model.asked import Fact, Stated
from gateway.model.inbound import ClockOffset, ClockStep, Refused, Report
from gateway.model.incident import IncidentNote
from gateway.model.place import Identity, Position, Velocity
from gateway.model.verdict import Judgement, Verdict
from gateway.model.words import Mode, Relation, Urgency

_METRES_A_MINUTE = 1852.0
"""A minute of latitude is a nautical mile."""

_MINUTE_DECIMALS = 3
"""A thousandth of a minute is two metres: what is shown when the coding names no resolution."""

_MINUTE_DECIMALS_MAX = 4

_MARKS = {
    Urgency.DISTRESS: "!!! DISTRESS",
    Urgency.URGENCY: "!! URGENCY",
    Urgency.SAFETY: "! SAFETY",
    Urgency.ROUTINE: "routine",
}
_MARK_WIDTH = max(len(mark) for mark in _MARKS.values())

_JUDGEMENT_WIDTH = max(len(judgement.value) for judgement in Judgement)

_SYSTEM_WIDTH = 13
"""The longest name of a radio system, cospas_sarsat."""

_TEXT_CHARACTERS_MAX = 160
"""Of a text, on a line: a screen's width or two; a NAVTEX message has a page."""

_BOLD_RED, _BOLD, _DIM, _PLAIN = "\x1b[1;31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
_COLOURS = {
    Urgency.DISTRESS: _BOLD_RED,
    Urgency.URGENCY: _BOLD,
    Urgency.SAFETY: _BOLD,
    Urgency.ROUTINE: _DIM,
}


def one_line(report: Report, relation: Relation = Relation.FIRST, *, colour: bool = False) -> str:
    """Return the report in one line: when, how urgent, which system, what, who, where, how sure."""
    parts = [
        when(report),
        mark(report).ljust(_MARK_WIDTH),
        report.system.ljust(_SYSTEM_WIDTH),
        what(report),
        who(report),
        where(report.position) if report.position else "",
        motion(report.velocity) if report.velocity else "",
        f'"{said(report.text)}"' if report.text else "",
        "" if report.urgency is Urgency.ROUTINE else str(report.confidence),
        "" if relation is Relation.FIRST else f"({relation})",
    ]
    line = "  ".join(part for part in parts if part)
    if not colour:
        return line
    return f"{_COLOURS[report.urgency] if report.mode is Mode.REAL else _BOLD}{line}{_PLAIN}"


def refused_line(refused: Refused, *, colour: bool = False) -> str:
    """Return what was refused in one line: when, why, and the bytes themselves."""
    clock = refused.utc.strftime("%H:%M:%S") if refused.utc else f"{refused.mono_ns / 1e9:8.1f}"
    marked = "?? DISTRESS" if refused.distress_like else ("refused" if refused.reason else "unread")
    is_real = refused.mode is Mode.REAL
    if not is_real:
        marked = f"[{refused.mode.upper()}]"
    said = f"{printable(refused.reason)}: " if refused.reason else ""
    line = f"{clock}  {marked.ljust(_MARK_WIDTH)}  {said}{' '.join(refused.raw)}"
    if not colour:
        return line
    return f"{_BOLD_RED if refused.distress_like and is_real else _DIM}{line}{_PLAIN}"


def incident_line(note: IncidentNote, *, colour: bool = False) -> str:
    """Return what has changed about an incident in one line: when, which, what, and the whole.

    When is when that was noted; of a note that does not say so, when the incident was heard last.
    """
    told = note.incident
    if note.utc is None and note.mono_ns is None:
        utc, mono_ns = told.last_utc, told.last_mono_ns
    else:
        utc, mono_ns = note.utc, note.mono_ns or 0
    clock = f"{utc:%H:%M:%S}" if utc is not None else f"{mono_ns / 1e9:8.1f}"
    words = printable(f"{note.change}: {told.say}" if told.say else note.change)
    line = f"{clock}  {'== incident'.ljust(_MARK_WIDTH)}  {told.incident_id}  {words}"
    if not colour:
        return line
    return f"{_COLOURS[told.severity] if told.mode is Mode.REAL else _BOLD}{line}{_PLAIN}"


def verdict_line(verdict: Verdict) -> str:
    """Return what a rule says in one line: when, what, which rule, of whom, and why."""
    when = f"{verdict.mono_ns / 1e9:10.1f}"
    if verdict.utc is not None:
        when = verdict.utc.strftime("%H:%M:%S")
    judged = verdict.judgement.value.ljust(_JUDGEMENT_WIDTH)
    told = f"{verdict.agreement}/{verdict.rule}  {verdict.subject}: {verdict.words}"
    return printable(f"{when}  {judged}  {told}")


def statement_line(stated: Stated) -> str:
    """Return what was stated in one line: when, what, who did it to whom, and who says so."""
    fact = stated.fact
    utc = utc_of(fact.at.utc_ns)
    clock = utc.strftime("%H:%M:%S") if utc else f"{fact.at.mono_ns / 1e9:8.1f}"
    parts = [clock, "stated".ljust(_MARK_WIDTH), str(fact.what).replace("_", " "), *_of(fact)]
    return "  ".join(printable(part) for part in parts if part)


def _of(fact: Fact) -> Iterator[str]:
    yield " to ".join(filter(None, (fact.by, fact.to)))
    yield f"on {fact.channel}" if fact.channel else ""
    yield f"about {fact.about}" if fact.about else ""
    yield f'"{said(fact.words)}"' if fact.words else ""
    yield ", ".join(fact.fields)
    yield f"({fact.person})" if fact.person else ""


def clock_line(stated: ClockStep | ClockOffset) -> str:
    """Return a statement about the time of day in one line."""
    utc = f"{stated.utc:%Y-%m-%d %H:%M:%S}" if stated.utc else "no date"
    if isinstance(stated, ClockStep):
        before = f"{stated.utc_before:%Y-%m-%d %H:%M:%S}" if stated.utc_before else "no date"
        leap = ", a leap second" if stated.leap else ""
        return f"-- the clock was moved by {stated.step_s:+.3f} s, from {before} to {utc}{leap}"
    upto = "on" if stated.mono_last_ns is None else f"to {stated.mono_last_ns / 1e9:.1f}"
    return (
        f"-- what was heard from second {stated.mono_first_ns / 1e9:.1f} {upto} with a clock that"
        f" nobody answered for is dated anew by {stated.offset_s:+.3f} s, as {stated.source} says"
    )


def when(report: Report) -> str:
    """Return the time of hearing: of day when it is known, else seconds on the box's clock."""
    if report.heard.utc is not None:
        return report.heard.utc.strftime("%H:%M:%S")
    return f"{report.heard.mono_ns / 1e9:8.1f}"


def mark(report: Report) -> str:
    """Return how urgent it is; a test or an exercise never looks like the real thing."""
    if report.mode is Mode.REAL:
        return _MARKS[report.urgency]
    return f"[{report.mode.upper()}]"


def what(report: Report) -> str:
    """Return what the report is for, with the nature of distress where there is one."""
    if report.nature is None:
        return str(report.kind)
    return f"{report.kind}: {report.nature.replace('_', ' ')}"


def who(report: Report) -> str:
    """Return the casualty and whoever speaks for it, or the sender alone."""
    sender = party(report.sender) if report.sender else ""
    if report.casualty is None or report.casualty == report.sender:
        return sender or ("" if report.urgency is Urgency.ROUTINE else "nobody named")
    casualty = party(report.casualty)
    return f"{casualty} (told by {sender})" if sender else casualty


def party(identity: Identity) -> str:
    """Return the names of one party, the best known first."""
    names = [
        identity.name,
        identity.mmsi,
        identity.callsign,
        identity.icao24,
        identity.beacon_hex,
        identity.tail,
        identity.tag,
        None if identity.imo is None else f"IMO {identity.imo}",
    ]
    known = printable(" ".join(name for name in names if name)) or "unnamed"
    return f"{known} {identity.mmsi_class.replace('_', ' ')}" if identity.mmsi_class else known


def where(position: Position) -> str:
    """Return the place as charts say it: degrees and minutes, as fine as it was sent."""
    decimals = _MINUTE_DECIMALS
    if position.resolution_m:
        finest = -math.log10(2 * position.resolution_m / _METRES_A_MINUTE)
        decimals = max(0, min(_MINUTE_DECIMALS_MAX, math.ceil(finest - 1e-6)))
    latitude = _degrees_minutes(position.lat_deg, 2, decimals, "NS")
    return f"{latitude} {_degrees_minutes(position.lon_deg, 3, decimals, 'EW')}"


def motion(velocity: Velocity) -> str:
    """Return course and speed as they are said on the bridge."""
    parts = [
        "" if velocity.course_deg is None else f"{velocity.course_deg:05.1f}°",
        "" if velocity.speed_kn is None else f"{velocity.speed_kn:.1f} kn",
    ]
    return " ".join(part for part in parts if part)


def said(text: str) -> str:
    """Return what somebody has written on one line, its end left out when it is long."""
    whole = printable(" ".join(text.split()))
    if len(whole) <= _TEXT_CHARACTERS_MAX:
        return whole
    return f"{whole[: _TEXT_CHARACTERS_MAX - 1]}…"


def printable(text: str) -> str:
    """Return the text with whatever could steer a terminal written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _degrees_minutes(value_deg: float, degree_digits: int, decimals: int, signs: str) -> str:
    # Rounded once, as a whole: 59.9999' must become the next degree and not 60.000'.
    steps = round(abs(value_deg) * 60 * 10**decimals)
    degrees, rest = divmod(steps, 60 * 10**decimals)
    width = 2 + (decimals + 1 if decimals else 0)
    minutes = f"{rest / 10**decimals:0{width}.{decimals}f}"
    return f"{degrees:0{degree_digits}d}°{minutes}'{signs[value_deg < 0]}"
