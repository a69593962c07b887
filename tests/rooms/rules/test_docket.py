"""What agreements say as it leaves the rooms: labels, notes, their pace, and what waits."""

from __future__ import annotations

import msgspec
import pytest
from rooms.rules.cases import KINDS, START_NS, agreement_of, cases_of, sighting_of, tables

from gateway.model.asked import Fact, Request, Stated
from gateway.model.entry import Lane, lane_of
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState, Urgency
from gateway.rules import docket as room
from gateway.rules.bench import Bench
from gateway.rules.docket import Docket, kept_of
from gateway.rules.permit import Load

TABLE = tables()["allowed_use"]
AT = Moment(START_NS, None, ClockState.UNSET)
WRONG = {"system": "dsc", "kind": "position", "freq_hz": 156_525_000, "tag": "alpha"}


def docket(*, begun=True):
    agreement = agreement_of("allowed_use", TABLE, cases_of(TABLE)[1])
    return Docket(Bench([agreement], KINDS), begun=begun)


def heard(number=0, at_s=0.0, **said):
    at = Moment(START_NS + round(at_s * 1e9), None, ClockState.UNSET)
    named = {"mmsi": f"21100{number:04}"}
    return sighting_of({**WRONG, **named, **said}, f"r{number}", at), at


def test_what_is_heard_comes_out_as_it_was_with_every_verdict_on_it():
    sighting, at = heard()
    ruling, notes = docket().judge(sighting, at)

    assert ruling.sighting is sighting
    assert [one.judgement for one in ruling.verdicts] == [Judgement.VIOLATION]
    assert [note.verdict for note in notes] == [*ruling.verdicts]
    assert lane_of(notes[0]) is Lane.SAFETY


def test_the_same_verdict_has_the_same_name_and_another_one_another():
    (first,), (again,), (other,) = (docket().judge(*heard(number))[1] for number in (1, 1, 2))

    assert first.verdict_id == again.verdict_id != other.verdict_id
    assert len(first.verdict_id) == 32


def test_a_note_says_what_stood_before():
    at_desk = docket()
    notes = [note for _ in range(2) for note in at_desk.judge(*heard())[1]]

    assert [note.was for note in notes] == [None, Judgement.VIOLATION]


@pytest.mark.parametrize(
    ("judgement", "was", "lane"),
    [
        (Judgement.OK, None, Lane.ROUTINE),
        (Judgement.EXEMPT, None, Lane.ROUTINE),
        (Judgement.OK, Judgement.VIOLATION, Lane.SAFETY),
        (Judgement.AT_RISK, None, Lane.SAFETY),
        (Judgement.UNKNOWN, None, Lane.SAFETY),
    ],
)
def test_only_what_was_and_is_as_agreed_may_be_left_out_on_the_way(judgement, was, lane):
    (note,) = docket().judge(*heard())[1]
    verdict = msgspec.structs.replace(note.verdict, judgement=judgement)

    assert lane_of(msgspec.structs.replace(note, verdict=verdict, was=was)) is lane


def calling(**said):
    return Request(
        request_id="q", at=AT, category=Urgency.ROUTINE, purpose="calling", channel="vhf70", **said
    )


def test_nothing_is_let_pass_before_the_rules_have_begun():
    load = Load(port="vhf", sha256=b"", airtime_s=0.6, not_after_mono_ns=START_NS + 10**9)
    found = docket(begun=False).gate(calling(), load)

    assert found.permit is None
    assert found.gated == docket(begun=False).would(calling())
    assert (found.gated.judgement, found.gated.verdicts) == (Judgement.UNKNOWN, ())


def test_what_was_asked_once_is_judged_as_it_was_and_would_be_now():
    at_desk = docket()
    notes = at_desk.asked(calling())

    assert [note.verdict.judgement for note in notes] == [Judgement.OK]
    assert [note.verdict for note in notes] == [*docket().would(calling()).verdicts]


def test_an_exercise_is_on_no_air_and_breaks_no_agreement():
    at_desk = docket()
    ruling, notes = at_desk.judge(*heard(mode="exercise"))

    assert (ruling.verdicts, notes) == ((), [])
    assert at_desk.bench.compliance("cases", "case").found == {}


def test_what_comes_before_the_rules_have_begun_waits_and_is_judged_then():
    at_desk = docket(begun=False)
    for number in range(3):
        ruling, notes = at_desk.judge(*heard(number))
        assert (ruling.verdicts, notes) == ((), [])
    assert at_desk.tick(AT) == []
    assert at_desk.changed() == []

    notes = at_desk.begin()

    assert [note.verdict.evidence for note in notes] == [("r0",), ("r1",), ("r2",)]
    assert at_desk.begin() == []
    assert at_desk.judge(*heard(4))[0].verdicts
    assert [one.rule for one in at_desk.changed()] == ["case"]
    assert at_desk.changed() == []


def test_what_people_state_waits_with_what_is_heard_in_its_order():
    table = tables()["silence"]
    agreement = agreement_of("silence", table, cases_of(table)[0])
    at_desk = Docket(Bench([agreement], KINDS), begun=False)
    for words in ("SEELONCE MAYDAY", "SEELONCE FEENEE"):
        said = {"fact_id": words, "at": AT, "what": "spoken", "channel": "vhf16", "words": words}
        assert at_desk.fact(msgspec.convert(said, Fact)) == []

    notes = at_desk.begin()
    (anew,) = at_desk.fact(msgspec.convert({**said, "words": "SEELONCE DISTRESS"}, Fact))

    assert [note.verdict.words for note in notes] == ["vhf16 is silent", "vhf16 is free again"]
    assert anew.verdict.words == "vhf16 is silent"


def test_what_waits_is_bounded_and_what_finds_no_room_is_told_all_the_same(monkeypatch):
    monkeypatch.setattr(room, "WAITING_MAX", 2)
    at_desk = docket(begun=False)
    rulings = [at_desk.judge(*heard(number))[0] for number in range(5)]

    assert len(rulings) == 5
    bound = next(one for one in at_desk.bounds() if one.of == "Docket._waiting")
    assert (bound.held, bound.evicted) == (2, 3)
    assert len(at_desk.begin()) == 2


def test_a_station_without_agreements_waits_for_nothing():
    at_desk = Docket(Bench((), {}), begun=False)

    assert at_desk.begun
    assert at_desk.judge(*heard())[0].verdicts == ()


def test_a_flood_of_verdicts_is_told_at_the_pace_of_readers_and_the_others_are_counted():
    at_desk = docket()
    rulings, notes = [], []
    for number in range(1_000):
        ruling, told = at_desk.judge(*heard(number, at_s=number / 100))
        rulings.append(ruling)
        notes += told

    assert all(ruling.verdicts for ruling in rulings)
    assert len(notes) == room.TOLD_MAX + int(9.99 * room.TOLD_PER_S)
    found = at_desk.bench.compliance("cases", "case").found["violation"]
    last = int(notes[-1].verdict.evidence[0][1:])
    assert found == 1_000
    assert len(notes) + sum(note.untold for note in notes) == last + 1


def sign(**said):
    return msgspec.convert(
        {"fact_id": "f", "what": "watch_evidence", "at": Moment(0), "words": "loop_test", **said},
        Fact,
    )


def test_a_sign_of_a_receiver_is_kept_where_a_verdict_rests_on_it_and_a_word_of_a_person_always():
    note = object()

    assert kept_of(sign(), "b1", []) == []
    assert kept_of(sign(), "b1", [note]) == [Stated(fact=sign(), boot="b1"), note]
    assert kept_of(sign(person="A. Smith"), "b1", []) == [
        Stated(fact=sign(person="A. Smith"), boot="b1")
    ]
    assert kept_of(sign(what="recorded"), "b1", []) == [
        Stated(fact=sign(what="recorded"), boot="b1")
    ]
