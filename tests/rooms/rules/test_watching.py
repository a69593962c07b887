"""Kinds that wait, beyond what a table can say: what is too much, and a day and a half."""

from __future__ import annotations

import msgspec
import pytest
from rooms.rules.cases import (
    KINDS,
    START_NS,
    agreement_of,
    cases_of,
    sighting_of,
    tables,
)

from gateway.model.asked import Fact
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState
from gateway.rules import deadlines
from gateway.rules.engine import Engine
from gateway.rules.kinds.record import STATED_S

TABLES = tables()


def engine_of(kind, **parts):
    (case, *_) = cases_of(TABLES[kind])
    agreement = agreement_of(kind, TABLES[kind], case)
    return Engine(msgspec.structs.replace(agreement, **parts), KINDS)


def at(second):
    return Moment(START_NS + round(second * 1e9), None, ClockState.UNSET)


def heard(engine, second, **said):
    return engine.sighting(sighting_of(said, f"r{second}", at(second)), at(second))


def told(engine, second, **said):
    return engine.fact(msgspec.convert({"fact_id": f"f{second}", "at": at(second), **said}, Fact))


MAYDAY = {"system": "dsc", "kind": "alert", "urgency": "distress", "freq_hz": 156_525_000}
SECURITY = {"system": "cospas_sarsat", "kind": "alert", "urgency": "distress"}


@pytest.mark.parametrize(
    ("kind", "call", "name"),
    [
        ("watch_on_event", MAYDAY, "mmsi"),
        ("covert", {**SECURITY, "detail": {"protocol": "ship_security"}}, "beacon_hex"),
        ("ack_deadline", MAYDAY, "mmsi"),
        ("repeat_expect", MAYDAY, "mmsi"),
        ("notify", MAYDAY, "mmsi"),
        ("false_alert_cancel", {**MAYDAY, "kind": "cancellation"}, "mmsi"),
    ],
)
def test_more_than_can_be_followed_is_unknown_and_not_passed_over(monkeypatch, kind, call, name):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 2)
    engine = engine_of(kind)
    found = []
    for number in range(3):
        found += heard(engine, number, **call, **{name: f"21100000{number}"})

    unknown = [one.subject for one in found if one.judgement is Judgement.UNKNOWN]
    assert unknown == [f"{name}:211000000"]


def test_more_calls_than_can_be_waited_for_are_unknown(monkeypatch):
    monkeypatch.setattr(deadlines, "RUNNING_MAX", 1)
    engine = engine_of("call_response")
    said = {"what": "guard_call", "by": "alpha", "to": "bravo", "channel": "guard_vhf"}
    assert told(engine, 0, **said) == []
    (unknown,) = told(engine, 1, **said)

    assert (unknown.subject, unknown.judgement) == ("party:bravo", Judgement.UNKNOWN)


def test_old_news_is_news_again_after_a_day():
    engine = engine_of("notify")
    heard(engine, 0, **MAYDAY, mmsi="211000001")
    assert len(engine.tick(at(60))) == 1
    assert heard(engine, 70, **MAYDAY, mmsi="211000001") == []
    assert engine.tick(at(86_460)) == []
    heard(engine, 86_461, **MAYDAY, mmsi="211000001")

    assert len(engine.tick(at(86_521))) == 1


def test_records_of_which_nothing_is_stated_for_a_day_and_a_half_are_unknown():
    engine = engine_of("record")
    fields = ["distress", "verdicts", "tamper_evident"]
    assert engine.tick(at(0)) == []
    (kept,) = told(engine, 1, what="recorded", fields=fields, lasts_s=2_592_000)
    assert engine.tick(at(STATED_S + 0.999)) == []
    (silent,) = engine.tick(at(STATED_S + 1))
    assert engine.tick(at(STATED_S + 2)) == []
    (again,) = told(engine, STATED_S + 3, what="recorded", fields=fields, lasts_s=2_592_000)

    assert (kept.judgement, again.judgement) == (Judgement.OK, Judgement.OK)
    assert (silent.judgement, silent.since_mono_ns) == (Judgement.UNKNOWN, at(1).mono_ns)


def test_a_covert_call_is_forgotten_a_week_after_it_was_heard_last():
    engine = engine_of("covert")
    call = {**SECURITY, "detail": {"protocol": "ship_security"}, "beacon_hex": "ADCD00800404040"}
    (first,) = heard(engine, 0, **call)
    week_s = 7 * 86_400
    assert heard(engine, 100, **call) == []
    assert engine.tick(at(week_s + 99)) == []
    assert heard(engine, week_s + 99.5, **call) == []
    engine.tick(at(2 * week_s + 100))
    (anew,) = heard(engine, 2 * week_s + 101, **call)

    assert first.judgement is anew.judgement is Judgement.OK


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("watch", "`who` names no party"),
        ("watch_on_event", "`who` names no party"),
        ("covert", "nobody is ever told"),
        ("attest", "`who` names no party"),
        ("comm_check", "`who` names no party"),
    ],
)
def test_a_rule_about_nobody_makes_no_sense(kind, says):
    """No file can say so: a party that is named has to be there. What is made otherwise can."""
    assert says in " ".join(flaw for _, flaw in engine_of(kind, parties={}).flaws())


def test_a_channel_that_leads_nowhere_makes_no_sense():
    engine = engine_of("watch_on_event")
    channels = {
        name: msgspec.structs.replace(one, traffic=None)
        for name, one in engine.agreement.channels.items()
    }

    (flaw,) = engine_of("watch_on_event", channels=channels).flaws()
    assert flaw[1] == "`traffic` is asked for, and no channel has one"
