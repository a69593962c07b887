"""The account of an agreement: what falls into a day or a month, what stands, what is forged."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.rules import account as accounts
from gateway.rules.account import (
    Ended,
    Entered,
    TooManyVerdicts,
    account_from,
    account_of,
    faults_of,
)
from gateway.settings.agreement import agreement_named

END = Ended(station="kust", epoch="e1", number_last=99, link_last=b"l" * 16)


def entered(number, at, judgement="violation", subject="mmsi:1", **more):
    utc = None if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC)
    verdict = Verdict(
        agreement="strait", version="1", digest="d" * 64, rule=more.pop("rule", "R1"),
        kind="watch", judgement=Judgement(judgement), subject=subject, words="as it is",
        mono_ns=number * 10**9, utc=utc, **more,
    )  # fmt: skip
    note = VerdictNote(verdict_id=f"{number:032x}", verdict=verdict, untold=number % 2)
    return Entered(
        number=number, ordinal=number, lane="safety", utc_ns=None, before=b"b" * 16,
        link=number.to_bytes(16), note=Raw(msgspec.msgpack.encode(note)),
    )  # fmt: skip


ROWS = (
    entered(2, "2026-10-31T23:59:59", since_mono_ns=10**9),
    entered(4, "2026-10-31T23:59:59", subject="mmsi:2"),
    entered(5, "2026-11-01T00:00:00", subject="mmsi:2"),
    entered(6, "2026-11-02T12:00:00", "ok", subject="mmsi:2"),
    entered(7, "2026-11-30T23:59:59", "denied", subject="request:1"),
    entered(8, "2026-12-01T00:00:00", "ok"),
    entered(9, "2026-12-01T00:00:01", "ok", "availability:bravo/vhf70/2026-11", rule="W1"),
    entered(10, None, subject="mmsi:3"),
)


def made(period, rows=ROWS, **more):
    return account_of(END, rows, period=period, **more)


@pytest.mark.parametrize(
    ("period", "numbers", "found"),
    [
        ("", [2, 4, 5, 6, 7, 8, 9, 10], {"violation": 4, "ok": 2, "denied": 1}),
        ("2026-11", [2, 4, 5, 6, 7, 9], {"violation": 1, "ok": 1, "denied": 1}),
        ("2026-11-01", [2, 4, 5], {"violation": 1}),
        ("2026-11-02", [2, 4, 5, 6], {"ok": 1}),
        ("2026-12-01", [2, 8, 9], {"ok": 1}),
        ("2026-09", [], None),
    ],
)
def test_a_time_has_its_own_verdicts_and_what_stood_before_it(period, numbers, found):
    account = made(period)

    assert [one.number for one in account.verdicts] == numbers
    assert next((rule.found for rule in account.rules if rule.rule == "R1"), None) == found
    assert account.undated == 1


def test_what_stands_at_the_end_stands_since_it_began():
    (rule, _) = made("2026-11").rules
    assert [(one.subject, one.number) for one in rule.standing] == [("mmsi:1", 2)]
    assert rule.standing[0].since == datetime(2026, 10, 31, 23, 59, 58, tzinfo=UTC)

    (rule,) = made("2026-11-01").rules
    assert [(one.subject, one.number) for one in rule.standing] == [("mmsi:1", 2), ("mmsi:2", 5)]
    assert rule.standing[1].since == datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
    assert [one.subject for one in made("").rules[0].standing] == ["mmsi:3"]
    assert made("").rules[0].standing[0].since is None


def test_what_was_said_before_a_clock_was_set_is_of_the_day_on_which_it_was_kept():
    kept = replace(entered(3, None), utc_ns=1_793_491_200 * 10**9)

    assert [one.number for one in made("2026-11-01", [kept]).verdicts] == [3]


def test_availability_is_of_the_month_that_it_is_about():
    (one,) = made("2026-11").available

    assert (one.rule, one.watch, one.month, one.number) == ("W1", "bravo/vhf70", "2026-11", 9)
    assert made("2026-12").available == ()


def test_more_than_one_account_holds_is_refused_and_not_left_out(monkeypatch):
    monkeypatch.setattr(accounts, "VERDICTS_MAX", 8)
    assert len(made("").verdicts) == 8
    monkeypatch.setattr(accounts, "VERDICTS_MAX", 7)

    with pytest.raises(TooManyVerdicts):
        made("")


def test_an_account_that_was_handed_over_is_the_same():
    account = made("2026-11")

    read = account_from(msgspec.msgpack.encode(account))

    assert list(faults_of(read, account)) == []
    assert read == account


def test_a_note_that_is_none_is_no_account():
    broken = replace(made(""), verdicts=(replace(ROWS[0], note=Raw(b"\x80")),))

    with pytest.raises(msgspec.MsgspecError):
        account_from(msgspec.msgpack.encode(broken))


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"\x91" * 100_000 + b"\x80", "recursion"),
        (bytes(ROWS[0].note).replace(b"mmsi:1", b"mmsi\xa5\xa5"), "utf-8"),
        (bytes(entered(2, "9999-12-31T23:59:59", since_mono_ns=10**11).note), "out of range"),
    ],
    ids=["parts without end", "no text", "no time"],
)  # fmt: skip
def test_what_can_not_be_said_is_no_account(note, reason):
    broken = replace(made(""), verdicts=(replace(ROWS[0], note=Raw(note)),))

    with pytest.raises(msgspec.MsgspecError, match=reason):
        account_from(msgspec.msgpack.encode(broken))


def _ruled(account, **change):
    return replace(account, rules=(replace(account.rules[0], **change), *account.rules[1:]))


@pytest.mark.parametrize(
    ("forge", "fault"),
    [
        (lambda a: replace(a, end=replace(END, epoch="e2")), "it is of epoch e2 of station kust"),
        (lambda a: replace(a, end=replace(END, station="x")), "it is of epoch e1 of station x"),
        (lambda a: replace(a, end=replace(END, number_last=100)), "it goes up to entry 100"),
        (lambda _: made("2026-11", [*ROWS[:2], *ROWS[3:]]), "entry 5 of the journal is left out"),
        (lambda _: made("2026-11", [*ROWS, entered(11, "2026-11-09T00:00:00")]),
         "entry 11 is not in the journal, or not of this time"),
        (lambda _: made("2026-11", [*ROWS[:2], entered(5, "2026-11-01T00:00:00", "at_risk"),
                                    *ROWS[3:]]), "entry 5 is not as it is in the journal"),
        (lambda a: replace(a, verdicts=(replace(a.verdicts[0], link=b"x" * 16), *a.verdicts[1:])),
         "entry 2 is not as it is in the journal"),
        (lambda a: replace(a, verdicts=(a.verdicts[0], *a.verdicts)), "stands in it twice"),
        (lambda a: replace(a, undated=0), "it counts 0 verdicts without a time, the journal 1"),
        (lambda a: _ruled(a, found={"ok": 3}), "what it says of strait/R1 does not follow"),
        (lambda a: _ruled(a, standing=()), "what it says of strait/R1 does not follow"),
        (lambda a: _ruled(a, rule="R9"), "strait/R1 is left out, and has verdicts in it"),
        (lambda a: replace(a, available=()), "availability of watches does not follow"),
    ],
)  # fmt: skip
def test_whatever_is_forged_is_found(forge, fault):
    own = made("2026-11")

    assert fault in "\n".join(faults_of(forge(own), own))


def test_the_clauses_of_a_text_stand_in_its_order_also_where_nothing_was_found():
    agreement = agreement_named("air-safety-mou")

    account = made("", agreements=[agreement])

    named = [(rule.agreement, rule.rule) for rule in account.rules]
    first = [(agreement.id, clause.id) for clause in agreement.rules]
    assert named == [*first, ("strait", "R1"), ("strait", "W1")]
    assert account.rules[0].clause.source == agreement.rules[0].source
    assert (account.rules[0].found, account.rules[-1].clause) == ({}, None)
    assert list(faults_of(account, account)) == []


def test_a_clause_that_its_text_does_not_have_is_found():
    own = made("", agreements=[agreement_named("air-safety-mou")])
    clause = replace(own.rules[0].clause, words="Anything goes.")

    (fault,) = faults_of(_ruled(own, clause=clause), own)

    assert fault.endswith("is not written so in its text")
