"""The tables of cases in tests/agreements: a rule, a story, and what is said of it.

A table has `[parties]`, `[channels]`, `[groups]`, `[zones]`, `[craft]` as an agreement has, which
party is the station (`own`), the terms of one rule in `[rule]`, further rules in `[others]`, and
`[[case]]`s. A case may replace
`rule` and `others`, and has

    does      what the rule does, for people
    story     steps, each with `at_s` and one of `report`, `fact`, `request`
    until_s   how long time passes after the last step; it ticks once a second
    said      verdicts in their order: `at_s`, `judgement`, and what else is to be compared

A `[[flaw]]` is a `rule` that makes no sense, and what it `says` of that.

What a step does not say is that of a quiet day: everything is real and routine, the clock is held.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.model.agreement import Agreement
from gateway.model.asked import Fact, Request
from gateway.model.inbound import Heard, Moment, Report, Sighting
from gateway.model.place import Identity, Position, Velocity
from gateway.model.verdict import Verdict
from gateway.model.words import (
    ClockState,
    Confidence,
    Integrity,
    Kind,
    Mode,
    Nature,
    Relation,
    Urgency,
)
from gateway.rules import kind_named, kind_names
from gateway.rules.engine import Engine
from gateway.settings.agreement import AgreementFile
from gateway.settings.tables import TomlFile

HERE = Path(__file__).parents[2] / "agreements"

START_NS = 1_000 * 10**9
ANEW_NS = 77 * 10**9
"""How far a restart moves the monotonic clock."""

START_UTC = datetime(2026, 11, 2, 12, tzinfo=UTC)

KINDS = {name: kind_named(name) for name in kind_names()}

_SENDER = ("mmsi", "icao24", "callsign", "beacon_hex", "tag")


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """One case of one table."""

    does: str
    story: list[dict]
    said: list[dict]
    until_s: float | None = None
    rule: dict | None = None
    others: dict | None = None
    utc: datetime = START_UTC
    clock: ClockState = ClockState.NTP
    error_ms: int | None = 50


def tables() -> dict[str, dict]:
    """Return each table of cases, by the kind that it is of."""
    return {
        path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(HERE.glob("*.toml"))
    }


def cases_of(table: dict) -> list[Case]:
    return [msgspec.convert(case, Case) for case in table["case"]]


def agreement_of(kind: str, table: dict, case: Case) -> Agreement:
    """Return an agreement of one rule, `case`, and those beside it."""
    terms = table["rule"] if case.rule is None else case.rule
    others = table.get("others", {}) if case.others is None else case.others
    rule = {"kind": kind, "source": "a case", "basis": "design", **terms}
    parts = ("parties", "channels", "groups", "zones", "craft")
    root = {
        "id": "cases",
        "version": "1",
        "title": case.does,
        **{name: table.get(name, {}) for name in parts},
        "rules": {"case": rule, **others},
    }
    file = TomlFile(HERE / f"{kind}.toml", "")
    file.root = root
    return msgspec.structs.replace(AgreementFile(file).agreement(), own=table.get("own"))


def told(
    agreement: Agreement, case: Case, *, restarts: bool = False
) -> list[tuple[float, Verdict]]:
    """Play a story and return the verdicts with their times in seconds, as of one run.

    With `restarts` the engine is replaced before each step by one that knows only what was kept,
    on a machine that was started anew: its monotonic clock counts from elsewhere.
    """
    engine = Engine(agreement, KINDS)
    found: list[tuple[float, Verdict]] = []
    off_ns = 0
    for at_s, step in steps_of(case):
        if restarts:
            kept = engine.keep()
            engine = Engine(agreement, KINDS)
            assert engine.restore(kept, ANEW_NS) == ()
            off_ns += ANEW_NS
        at = moment_of(case, at_s)
        moved = msgspec.structs.replace(at, mono_ns=at.mono_ns + off_ns)
        found += ((at_s, _as_of_one_run(one, off_ns)) for one in steps_said(engine, step, moved))
    assert engine.rule_errors == 0, [verdict.words for _, verdict in found]
    return found


def _as_of_one_run(verdict: Verdict, off_ns: int) -> Verdict:
    since_ns, until_ns = verdict.since_mono_ns, verdict.until_mono_ns
    return msgspec.structs.replace(
        verdict,
        mono_ns=verdict.mono_ns - off_ns,
        since_mono_ns=None if since_ns is None else since_ns - off_ns,
        until_mono_ns=None if until_ns is None else until_ns - off_ns,
    )


def moment_of(case: Case, at_s: float) -> Moment:
    utc_ns = None
    if case.clock is not ClockState.UNSET:
        utc_ns = int(case.utc.timestamp()) * 10**9 + round(at_s * 1e9)
    return Moment(START_NS + round(at_s * 1e9), utc_ns, case.clock, case.error_ms)


def steps_of(case: Case) -> Iterator[tuple[float, dict]]:
    """Yield steps, and ticks once a second between them: a tick comes before a step of its time."""
    last_s = max((step["at_s"] for step in case.story), default=0)
    until_s = last_s if case.until_s is None else case.until_s
    second = 0
    for step in case.story:
        while second <= step["at_s"]:
            yield float(second), {}
            second += 1
        yield step["at_s"], step
    while second <= until_s:
        yield float(second), {}
        second += 1


def steps_said(engine: Engine, step: dict, at: Moment) -> list[Verdict]:
    name = f"{at.mono_ns - START_NS}"
    if "report" in step:
        return engine.sighting(sighting_of(step["report"], name, at), at)
    if "fact" in step:
        return engine.fact(msgspec.convert({"fact_id": name, "at": at, **step["fact"]}, Fact))
    if "request" in step:
        request = {"request_id": name, "at": at, **step["request"]}
        return list(engine.gate(msgspec.convert(request, Request)).verdicts)
    return engine.tick(at)


def sighting_of(said: dict, name: str, at: Moment) -> Sighting:
    """Return a report of which only what matters is said."""
    sender = Identity(**{key: said[key] for key in _SENDER if key in said})
    casualty = said.get("casualty")
    kind, urgency = Kind(said.get("kind", "position")), Urgency(said.get("urgency", "routine"))
    of_distress = kind is Kind.ALERT
    place = said.get("position")
    report = Report(
        report_id=said.get("report_id", name),
        schema=1,
        system=said["system"],
        kind=kind,
        urgency=urgency,
        mode=Mode(said.get("mode", "real")),
        sender=sender,
        casualty=Identity(mmsi=casualty) if casualty else (sender if of_distress else None),
        addressee=Identity(**said["to"]) if "to" in said else None,
        nature=Nature(said["nature"]) if "nature" in said else None,
        position=None
        if place is None
        else Position(
            lat_deg=place[0],
            lon_deg=place[1],
            altitude_m=said.get("altitude_m"),
            accuracy_m=None if said.get("accuracy") == "untold" else said.get("accuracy_m", 0.0),
            age_s=said.get("age_s"),
        ),
        velocity=Velocity(speed_kn=said["speed_kn"], course_deg=said.get("course_deg"))
        if "speed_kn" in said
        else None,
        text=said.get("text"),
        heard=Heard(
            station="case",
            port="port",
            modem="modem",
            mono_ns=at.mono_ns,
            clock=at.clock,
            freq_hz=said.get("freq_hz"),
        ),
        integrity=Integrity.CHECKSUM,
        confidence=Confidence(said.get("confidence", "verified")),
        detail=_Detail(**said["detail"]) if "detail" in said else None,
        raw=(),
    )
    return Sighting(
        report, b"", Relation(said.get("relation", "first")), incident=said.get("incident")
    )


class _Detail:
    """What a radio says in its own words; tables within it are such things too."""

    def __init__(self, **said: object) -> None:
        for name, value in said.items():
            setattr(self, name, _Detail(**value) if isinstance(value, dict) else value)
