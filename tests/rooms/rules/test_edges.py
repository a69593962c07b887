"""What no table of cases comes to: full memories, rules without a word, texts that hold dates."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, sighting_of, tables

from gateway.model.agreement import Basis, Channel, Clause, EventWord
from gateway.model.inbound import Moment
from gateway.model.place import Identity
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState
from gateway.rules import channels, engine
from gateway.rules.channels import Dial
from gateway.rules.contents import held_by, lacking
from gateway.rules.digest import digest_of
from gateway.rules.engine import Engine
from gateway.rules.event import Event
from gateway.rules.kinds.record import Record
from gateway.rules.kinds.record import Terms as RecordTerms
from gateway.rules.parties import nobody
from gateway.rules.rule import Finding, Nothing, Rule

TABLES = tables()
AT = Moment(START_NS, None, ClockState.UNSET)


def agreement(kind="allowed_use"):
    return agreement_of(kind, TABLES[kind], cases_of(TABLES[kind])[0])


class Silent(Rule):
    """A rule that overrides nothing of what every rule has."""

    terms = Nothing
    overrides = True

    def __init__(self, terms, ground):
        pass


class Echo(Silent):
    """A rule that finds a violation in every violation, for ever."""

    overrides = False

    def hears(self):
        return frozenset({EventWord.VIOLATION, EventWord.SPOKEN})

    def hear(self, event):
        yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words="again")


class Lenient(Silent):
    """A rule that goes before others, and finds that it does not this time."""

    def hear(self, event):
        yield Finding(judgement=Judgement.OK, subject=event.subject, words="not this time")

    def gate(self, request):
        return Finding(judgement=Judgement.OK, subject=request.request_id, words="no")


def beside(**kinds):
    """Return an engine with rules of these kinds before the one of the case."""
    clauses = tuple(
        Clause(id=name, kind=name, terms=Nothing(), source="a test", basis=Basis.DESIGN)
        for name in kinds
    )
    one = agreement()
    return Engine(msgspec.structs.replace(one, rules=(*clauses, *one.rules)), {**KINDS, **kinds})


def test_a_rule_that_does_nothing_finds_nothing():
    rule = Silent(Nothing(), None)

    assert (rule.hears(), rule.hear(None), rule.gate(None)) == (frozenset(), (), None)
    assert (rule.tick(AT), rule.flaws(), rule.keep()) == ((), (), Nothing())
    assert list(rule.bounds()) == []


def test_rules_that_echo_each_other_come_to_an_end():
    said = {"what": "spoken", "fact_id": "f", "at": AT, "channel": "guard_vhf"}
    fact = msgspec.convert(said, engine.Fact)

    found = beside(echo=Echo).fact(fact)

    assert [one.rule for one in found] == ["echo"] * (1 + engine.ROUNDS_MAX)


def test_a_rule_that_could_go_before_others_and_does_not_exempts_nothing():
    asked = beside(lenient=Lenient, silent=Silent)
    said = {"system": "dsc", "kind": "alert", "urgency": "distress", "freq_hz": 156_525_000}
    found = asked.sighting(sighting_of({**said, "tag": "other"}, "r", AT), AT)
    request = {"request_id": "r", "at": AT, "channel": "vhf70", "category": "distress"}
    gated = asked.gate(msgspec.convert({**request, "purpose": "test"}, engine.Request))

    assert {one.judgement for one in found} <= {Judgement.UNKNOWN, Judgement.VIOLATION}
    assert gated.judgement is Judgement.DENIED


def test_what_words_events_have_had_is_found_anew_when_too_many_are_remembered(monkeypatch):
    monkeypatch.setattr(engine, "LISTENERS_MAX", 1)
    asked = beside(echo=Echo)
    for what in ("spoken", "answer", "spoken"):
        said = {"what": what, "fact_id": "f", "at": AT, "channel": "guard_vhf"}
        found = asked.fact(msgspec.convert(said, engine.Fact))
        assert bool(found) is (what == "spoken")


def test_frequencies_are_found_anew_when_too_many_are_remembered(monkeypatch):
    monkeypatch.setattr(channels, "FOUND_MAX", 1)
    dial = Dial(agreement())

    assert [dial.find(hz, "dsc") for hz in (156_525_000, 1, 156_525_000)] == [
        "vhf70",
        None,
        "vhf70",
    ]
    assert isinstance(agreement().channels["vhf70"], Channel)


def test_a_report_of_nobody_holds_no_identity():
    sighting = sighting_of({"system": "dsc", "text": "help"}, "r", AT)
    report = msgspec.structs.replace(sighting.report, sender=None, casualty=None)
    event = Event(words=(), at=AT, event_id="r", subject="report:r", report=report)

    assert held_by(event) == {"text"}
    assert lacking(["identity", "nature_or_unknown"], held_by(event), formed=True) == ["identity"]


def test_records_are_stated_by_people_and_by_no_radio():
    rule = Record(RecordTerms(what=("distress",), keep_s=1.0), None)

    assert list(rule.hear(Event(words=(), at=AT, event_id="r", subject="s"))) == []


def test_a_station_that_keeps_no_register_knows_nobody():
    assert nobody(Identity(mmsi="211000001")) is None


@pytest.mark.parametrize("value", [date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_text_that_holds_dates_has_a_digest(value):
    assert digest_of({"since": value}) != digest_of({"since": date(2026, 1, 2)})


def test_a_standing_that_is_no_table_is_left_out_of_the_digest():
    """The reader tells the fault; until then the digest must not fail."""
    assert digest_of({"id": "a", "status": 1}) == digest_of({"id": "a", "status": 2})
