"""What a journal holds of a verdict: the notes that are asked for, and what each rests on."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from gateway.journal import verdicts
from gateway.journal.failed import JournalFailed
from gateway.journal.verdicts import entered_in, evidence_in, links_at, verdicts_in
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Stated
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement, Verdict, VerdictNote


def said(name, rule="M01", *, judgement=Judgement.VIOLATION, evidence=(), was=None):
    verdict = Verdict(
        agreement="strait",
        version="1",
        digest="d" * 64,
        rule=rule,
        kind="watch",
        judgement=judgement,
        subject="mmsi:200100005",
        words="nobody listens",
        mono_ns=5,
        evidence=evidence,
    )
    return VerdictNote(verdict_id=name.ljust(32, "0"), verdict=verdict, was=was)


@pytest.fixture
def kept(house, plan):
    """Keep these items, in this order; return the path of the journal."""

    def kept(*items):
        async def story():
            async with house.opened(plan) as journal:
                await journal.append(list(items))

        house.run(story())
        return plan.path

    return kept


def only(path, prefix):
    (note,) = verdicts_in(path, prefix=prefix)
    return note


def test_those_are_found_whose_id_begins_so_routine_as_well(kept, house):
    calm = said("abc", judgement=Judgement.OK)
    path = kept(said("ab"), house.ruling(1, "distress"), calm, said("b", evidence=("abc",)))

    found = {
        note.told.verdict_id.rstrip("0"): note.number for note in verdicts_in(path, prefix="a")
    }
    assert found == {"ab": 1, "abc": 3}
    assert only(path, "abc").told == calm
    assert verdicts_in(path, prefix="\udcff") == ()


def test_of_very_many_the_first_are_given(kept, monkeypatch):
    monkeypatch.setattr(verdicts, "FOUND_MAX", 2)
    path = kept(*(said(f"a{ordinal}") for ordinal in range(1, 4)))

    assert [note.number for note in verdicts_in(path, prefix="a")] == [1, 2]


def test_what_it_rests_on_is_found_where_it_was_heard_and_what_is_in_no_entry_is_none(kept, house):
    calls = [house.ruling(ordinal, "distress") for ordinal in (1, 2)]
    routine = house.ruling(3)
    names = [one.sighting.report.report_id for one in (*calls, routine)]
    stated = Stated(fact=Fact(fact_id="fact-6", what=EventWord.SPOKEN, at=Moment(mono_ns=5)))
    rests = said("a", evidence=(names[0], "fact-6", names[2], "fact-7"))
    path = kept(*calls, routine, stated, rests)

    assert evidence_in(path, only(path, "a")) == {
        names[0]: calls[0].sighting.report,
        "fact-6": stated,
        names[2]: routine.sighting.report,
        "fact-7": None,
    }


def test_of_what_another_rule_said_the_last_word_before_it_counts(kept):
    name = "strait/M01/mmsi:200100005"
    first, last, later = said("1"), said("2"), said("3")
    path = kept(first, last, said("4", "M02"), said("a", "M09", evidence=(name,)), later)

    assert evidence_in(path, only(path, "a")) == {name: last}


def test_what_another_release_wrote_and_what_is_damaged_is_passed_over(kept, house):
    calls = [house.ruling(ordinal, "distress") for ordinal in (1, 2)]
    names = [one.sighting.report.report_id for one in calls]
    path = kept(*calls, said("a", evidence=names), said("b"), said("ab"))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE entry SET body = CAST(body || x'00' AS BLOB) WHERE number = 5")
        db.execute("UPDATE entry SET body = CAST(body || x'00' AS BLOB) WHERE number = 1")

    assert [note.number for note in verdicts_in(path, prefix="a")] == [3]
    assert list(evidence_in(path, only(path, "a")).values()) == [None, calls[1].sighting.report]


def test_a_verdict_of_a_later_release_is_in_no_account(kept, monkeypatch):
    path = kept(said("a"), said("b"))
    read = verdicts._note
    monkeypatch.setattr(verdicts, "_note", lambda body: None if b"b0000" in body else read(body))

    with entered_in(path) as (end, entered):
        assert [one.number for one in entered] == [1]
    assert end.number_last == 2


def test_the_link_of_an_entry_is_told_by_itself_and_by_the_one_after_it(kept):
    path = kept(said("a"), said("b"), said("c"))
    with entered_in(path) as (end, entered):
        links = {one.number: one.link for one in entered}

    assert [links_at(path, number) for number in (1, 2, 3)] == [{links[1]}, {links[2]}, {links[3]}]
    assert end.link_last == links[3]
    assert links_at(path, 0) == {next(iter(_befores(path)))}
    assert links_at(path, 4) == frozenset()


def _befores(path):
    with entered_in(path) as (_, entered):
        return [one.before for one in entered]


@pytest.mark.parametrize("read", [verdicts._note, verdicts._report, verdicts._stated])
def test_what_begins_like_one_and_is_none_is_none(read):
    for begins in (verdicts._NOTE_BEGINS, verdicts._RULING_BEGINS, verdicts._STATED_BEGINS):
        assert read(b"\x82" + begins + b"\x01") is None
    assert verdicts._id(None) == ""


def test_what_is_no_journal_is_said_so(tmp_path):
    with pytest.raises(JournalFailed):
        verdicts_in(str(tmp_path / "none.db"), prefix="a")
