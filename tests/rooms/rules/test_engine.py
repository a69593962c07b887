"""What holds for every rule, whatever it asks: by all the agreements in the tables of cases."""

from __future__ import annotations

import random

import msgspec
import pytest
from rooms.rules.cases import (
    KINDS,
    START_NS,
    agreement_of,
    cases_of,
    moment_of,
    sighting_of,
    tables,
    told,
)

from gateway.model.agreement import Basis, Clause, EventWord, State, Status
from gateway.model.asked import Fact, Request
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState, Urgency
from gateway.rules import standing
from gateway.rules.bench import Bench
from gateway.rules.engine import IN_DISTRESS, OFF_THE_AIR, Engine
from gateway.rules.rule import Finding, Rule

TABLES = tables()
AGREEMENTS = [
    pytest.param(agreement_of(kind, table, case), case, id=f"{kind}-{case.does}")
    for kind, table in TABLES.items()
    for case in cases_of(table)
]

PERMITS = {Judgement.OK, Judgement.EXEMPT}


def requests(agreement, purpose):
    """Yield requests of this purpose on each channel, in each category, at each moment of a day."""
    channels = [*agreement.channels, None]
    return [
        Request(
            request_id="r",
            at=Moment(START_NS + hour * 3_600 * 10**9, None, ClockState.UNSET),
            channel=channel,
            category=category,
            purpose=purpose,
            airborne=hour == 0,
            duration_s=1e6,
        )
        for channel in channels
        for category in Urgency
        for hour in (0, 7)
    ]


@pytest.mark.parametrize(("agreement", "case"), AGREEMENTS)
def test_no_rule_whatever_stands_before_a_call_of_the_station_in_distress(agreement, case):
    engine = Engine(agreement, KINDS)
    for step in case.story:
        _play(engine, step, case)

    for request in requests(agreement, IN_DISTRESS):
        gated = engine.gate(request)
        assert {verdict.judgement for verdict in gated.verdicts} <= PERMITS
        assert gated.judgement in PERMITS


@pytest.mark.parametrize(("agreement", "case"), AGREEMENTS)
def test_what_is_heard_goes_on_as_it_came_whatever_the_rules_say(agreement, case):
    engine = Engine(agreement, KINDS)
    sightings = [step["report"] for step in case.story if "report" in step]

    for number, said in enumerate(sightings):
        at = moment_of(case, number)
        sighting = sighting_of(said, "r", at)
        before = msgspec.structs.asdict(sighting)
        engine.sighting(sighting, at)
        assert msgspec.structs.asdict(sighting) == before


@pytest.mark.parametrize(("agreement", "case"), AGREEMENTS)
def test_the_same_story_gives_the_same_verdicts(agreement, case):
    assert told(agreement, case) == told(agreement, case)


@pytest.mark.parametrize(("agreement", "case"), AGREEMENTS)
def test_nothing_heard_and_no_clock_never_give_ok(agreement, case):
    engine = Engine(agreement, KINDS)
    found = [
        verdict
        for second in range(0, 4_000, 100)
        for verdict in engine.tick(Moment(START_NS + second * 10**9, None, ClockState.UNSET))
    ]

    assert Judgement.OK not in {verdict.judgement for verdict in found}, case.does
    assert engine.rule_errors == 0


@pytest.mark.parametrize("state", [State.PROPOSED, State.TERMINATED, State.SUSPENDED])
@pytest.mark.parametrize(("agreement", "case"), AGREEMENTS)
def test_an_agreement_that_does_not_bind_says_nothing(agreement, case, state):
    resting = msgspec.structs.replace(agreement, status=Status(state=state))

    assert told(resting, case) == []


@pytest.mark.parametrize(("agreement", "case"), AGREEMENTS)
def test_a_suspended_one_says_what_the_rules_that_it_keeps_say(agreement, case):
    kept = Status(
        state=State.SUSPENDED, on_suspend_keep=tuple(clause.id for clause in agreement.rules)
    )

    assert told(msgspec.structs.replace(agreement, status=kept), case) == told(agreement, case)


def test_exactly_the_rules_that_are_kept_outlive_a_suspension():
    (agreement, _), *_ = (param.values for param in AGREEMENTS)
    rules = tuple(
        msgspec.structs.replace(clause, id=f"R{number}")
        for number, clause in enumerate(agreement.rules * 5)
    )
    dice = random.Random(5)
    for _ in range(20):
        kept = tuple(clause.id for clause in rules if dice.random() < 0.5)
        status = Status(state=State.SUSPENDED, on_suspend_keep=kept)
        engine = Engine(msgspec.structs.replace(agreement, rules=rules, status=status), KINDS)
        assert tuple(engine.rules) == kept


# ---- Rules that fail ----------------------------------------------------------------------------


class Failing(Rule):
    """A rule with a fault of ours in each of its doors."""

    terms = msgspec.defstruct("Terms", [])

    def __init__(self, terms, ground):
        pass

    def hears(self):
        return frozenset(EventWord)

    def hear(self, event):
        raise RuntimeError(event.subject)

    def gate(self, request):
        raise RuntimeError(request.request_id)

    def tick(self, now):
        yield Finding(judgement=Judgement.AT_RISK, subject="s", words="before it failed")
        raise RuntimeError(str(now.mono_ns))


def failing():
    table = TABLES["allowed_use"]
    agreement = agreement_of("allowed_use", table, cases_of(table)[0])
    clause = Clause(
        id="F", kind="failing", terms=Failing.terms(), source="a test", basis=Basis.DESIGN
    )
    rules = (clause, *agreement.rules)
    return Engine(msgspec.structs.replace(agreement, rules=rules), {**KINDS, "failing": Failing})


AT = Moment(START_NS, None, ClockState.UNSET)


def test_a_rule_that_fails_is_unknown_and_costs_no_other_rule():
    engine = failing()
    said = {"system": "dsc", "kind": "position", "freq_hz": 156_525_000, "tag": "alpha"}

    found = engine.sighting(sighting_of(said, "r", AT), AT)

    assert [(one.rule, one.judgement) for one in found] == [
        ("F", Judgement.UNKNOWN),
        ("case", Judgement.VIOLATION),
        ("F", Judgement.UNKNOWN),
    ]
    assert "RuntimeError" in found[0].words
    assert engine.rule_errors == 2


def test_what_a_rule_said_before_it_failed_is_not_lost():
    found = failing().tick(AT)

    assert [one.judgement for one in found] == [Judgement.AT_RISK, Judgement.UNKNOWN]


def test_a_rule_that_fails_permits_nothing_but_a_call_of_the_station_in_distress():
    request = Request(
        request_id="r", at=AT, channel="vhf70", category=Urgency.ROUTINE, purpose="calling"
    )

    assert failing().gate(request).judgement is Judgement.UNKNOWN
    in_distress = msgspec.structs.replace(request, purpose=IN_DISTRESS)
    assert failing().gate(in_distress).judgement in PERMITS


def test_what_keys_nothing_is_within_every_rule_of_the_air():
    request = Request(
        request_id="r",
        at=AT,
        channel="vhf70",
        category=Urgency.ROUTINE,
        purpose="link_test",
        duration_s=0,
    )
    found = failing().gate(request)

    assert found.judgement in PERMITS
    assert {one.by for one in found.verdicts} == {OFF_THE_AIR}
    on_air = msgspec.structs.replace(request, duration_s=0.1)
    assert failing().gate(on_air).judgement not in PERMITS


def test_a_memory_of_another_release_begins_anew_and_is_named():
    table = TABLES["ack_deadline"]
    agreement = agreement_of("ack_deadline", table, cases_of(table)[0])
    engine = Engine(agreement, KINDS)

    assert engine.restore({"case": b"\x93\x01\x02\x03", "gone": b""}, 0) == ("case",)


# ---- Several agreements --------------------------------------------------------------------------


def bench(*cases, state=State.IN_FORCE):
    found = []
    for number, (kind, which) in enumerate(cases):
        table = TABLES[kind]
        agreement = agreement_of(kind, table, cases_of(table)[which])
        status = msgspec.structs.replace(agreement.status, state=state)
        found.append(msgspec.structs.replace(agreement, id=f"a{number}", status=status))
    return Bench(found, KINDS)


def ask(bench, **said):
    request = {"channel": "vhf70", "category": Urgency.ROUTINE, "purpose": "calling", **said}
    return bench.gate(Request(request_id="r", at=AT, **request))


def test_of_several_agreements_the_strictest_counts():
    lenient, strict = ("allowed_use", 0), ("allowed_use", 7)

    assert ask(bench(lenient)).judgement is Judgement.OK
    assert ask(bench(lenient, strict)).judgement is Judgement.DENIED
    assert ask(bench(strict, lenient)).judgement is Judgement.DENIED


def test_what_no_agreement_names_is_no_channel_to_transmit_on():
    assert ask(bench(("allowed_use", 0)), channel="vhf99").judgement is Judgement.DENIED
    assert ask(bench(), channel="vhf70").judgement is Judgement.DENIED
    assert ask(bench(), channel=None, purpose=IN_DISTRESS).judgement in PERMITS


@pytest.mark.parametrize("state", [State.PROPOSED, State.TERMINATED])
def test_what_does_not_bind_opens_no_channel(state):
    station = bench(("allowed_use", 0), state=state)

    assert ask(station).judgement is Judgement.DENIED
    assert ask(station, purpose=IN_DISTRESS).judgement in PERMITS


def test_how_a_rule_stands_is_the_gravest_of_what_is_not_as_agreed():
    station = bench(("allowed_use", 1))
    stands = station.compliance("a0", "case")
    assert (stands.judgement, stands.mono_ns) == (Judgement.UNKNOWN, 0)
    for number in range(12):
        said = {"system": "dsc", "freq_hz": 156_525_000, "tag": "alpha", "name": str(number)}
        sighting = sighting_of({**said, "mmsi": f"21100{number:04}"}, "r", AT)
        station.sighting(sighting, AT)

    stands = station.compliance("a0", "case")
    assert stands.judgement is Judgement.VIOLATION
    assert (len(stands.standing), stands.others) == (8, 4)
    assert stands.found == {"violation": 12}
    assert station.compliance("a0", "none") is None


def test_subjects_that_stand_are_bounded_and_the_one_said_first_is_forgotten(monkeypatch):
    monkeypatch.setattr(standing, "STANDING_MAX", 3)
    station = bench(("allowed_use", 1))
    for number in (1, 2, 3, 1, 4, 5):
        said = {"system": "dsc", "freq_hz": 156_525_000, "tag": "alpha"}
        station.sighting(sighting_of({**said, "mmsi": f"21100000{number}"}, "r", AT), AT)

    stands = station.compliance("a0", "case")
    assert [one.subject[-1] for one in stands.standing] == ["1", "4", "5"]
    bound = next(one for one in station.bounds() if one.of == "Standing._open")
    assert (bound.held, bound.evicted) == (3, 2)


def test_it_says_of_which_channels_nothing_is_heard():
    table = TABLES["silence"]
    table = {**table, "rule": {**table["rule"], "channels": ["vhf16"]}}
    agreement = agreement_of("silence", table, cases_of(table)[0])
    at = Bench([agreement], KINDS)

    assert [at.unheard(one) for one in ("vhf16", "vhf06", None)] == [None] * 3
    words = "no agreement in force names a channel vhf61; known: mf_rt, vhf06, vhf16"
    assert at.unheard("vhf61") == words
    words = "no clause on silence in force is about a channel vhf06; known: vhf16"
    assert at.unheard("vhf06", silence=True) == words
    assert at.unheard("vhf16", silence=True) is None


def test_without_an_agreement_in_force_what_is_stated_is_for_the_record_and_silence_for_nothing():
    for at in (Bench((), {}), bench(("silence", 0), state=State.PROPOSED)):
        assert at.unheard("vhf61") is None
        assert at.unheard("vhf16", silence=True).endswith("; it would change nothing")


def test_what_was_denied_was_not_done_and_does_not_stand():
    station = bench(("allowed_use", 0))
    assert ask(station, purpose="test").judgement is Judgement.DENIED

    stands = station.compliance("a0", "case")
    assert (stands.judgement, stands.standing, stands.found) == (
        Judgement.UNKNOWN,
        (),
        {"denied": 1},
    )


def _play(engine, step, case):
    at = moment_of(case, step["at_s"])
    if "report" in step:
        engine.sighting(sighting_of(step["report"], "r", at), at)
    elif "fact" in step:
        engine.fact(msgspec.convert({"fact_id": "f", "at": at, **step["fact"]}, Fact))
    else:
        engine.tick(at)
