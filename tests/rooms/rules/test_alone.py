"""What a report proves without its journal: that it is consistent, and never that it is whole."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from gateway.journal.chain import link_of
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.rules.account import Ended, Entered, account_from, account_of
from gateway.rules.alone import faults_alone
from gateway.settings.agreement import agreement_named


def linked(one):
    """Return the entry with the link that it has to have."""
    said = one.before, one.number, one.ordinal, one.lane, one.utc_ns, bytes(one.note)
    return replace(one, link=link_of(*said))


def entered(number, ordinal, at, judgement="violation", *, lane="safety", before=b"b" * 16):
    utc = None if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC)
    verdict = Verdict(
        agreement="strait", version="1", digest="d" * 64, rule="R1", kind="watch",
        judgement=Judgement(judgement), subject="mmsi:1", words="as it is",
        mono_ns=number * 10**9, utc=utc,
    )  # fmt: skip
    note = VerdictNote(verdict_id=f"{number:032x}", verdict=verdict)
    blank = Entered(
        number=number, ordinal=ordinal, lane=lane, utc_ns=None, before=before, link=b"l" * 16,
        note=Raw(msgspec.msgpack.encode(note)),
    )  # fmt: skip
    return linked(blank)


FIRST = entered(3, 2, "2026-11-01T00:00:00")
SECOND = entered(4, 3, "2026-11-02T00:00:00", before=FIRST.link)
RING = entered(7, 1, "2026-11-03T00:00:00", "ok", lane="routine")
LAST = entered(9, 5, "2026-11-04T00:00:00")
ROWS = (FIRST, SECOND, RING, LAST)


def made(period="2026-11", rows=ROWS, last=LAST.link, **more):
    end = Ended(station="kust", epoch="e1", number_last=9, link_last=last)
    return account_of(end, rows, period=period, **more)


def found(account, agreements=()):
    return [*faults_alone(account, agreements, link_of)]


@pytest.mark.parametrize("period", ["", "2026-11", "2026-11-02"])
def test_what_a_journal_gives_contradicts_itself_nowhere(period):
    account = made(period)

    assert found(account_from(msgspec.msgpack.encode(account))) == []


def test_what_was_kept_before_there_was_a_chain_follows_nothing():
    before_it = [entered(3, 0, "2026-11-01T00:00:00"), entered(4, 0, "2026-11-01T00:00:01")]
    first_of_it = entered(5, 1, "2026-11-01T00:00:02")

    assert found(made(rows=[*before_it, first_of_it, LAST])) == []


@pytest.mark.parametrize("change", [
    {"number": 8}, {"ordinal": 4}, {"lane": "urgency"}, {"utc_ns": 1}, {"before": b"x" * 16},
    {"link": b"x" * 16}, {"note": entered(9, 5, "2026-11-04T00:00:00", "ok").note},
], ids=lambda change: next(iter(change)))  # fmt: skip
def test_no_part_of_an_entry_is_changed_unseen(change):
    account = made(rows=[*ROWS[:3], replace(LAST, **change)])

    assert "was changed: its link is not made of it" in "\n".join(found(account))


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ((FIRST, FIRST), "entry 3 stands in it twice"),
        ((SECOND, FIRST), "entry 3 stands behind entry 4"),
        ((FIRST, entered(4, 3, "2026-11-02T00:00:00")),
         "entry 4 does not follow entry 3: the chain is broken"),
        ((FIRST, entered(9, 2, "2026-11-04T00:00:00")), "entry 9 is counted before entry 3"),
        ((RING, entered(8, 1, "2026-11-04T00:00:00", "ok", lane="routine")),
         "entry 8 is counted before entry 7"),
        ((FIRST, entered(10, 5, "2026-11-04T00:00:00")), "entry 10 comes after the head, entry 9"),
        ((FIRST, entered(9, 6, "2026-11-04T00:00:00")),
         "entry 9 is the head, which has another link"),
        ((FIRST, entered(5, 4, "2026-12-04T00:00:00")),
         "entry 5 is not of this time, and nothing of it stood then"),
        ((FIRST,), "what it says of strait/R1 does not follow from its verdicts"),
    ],
)  # fmt: skip
def test_whatever_contradicts_itself_is_found(rows, fault):
    assert fault in found(replace(made(), verdicts=rows))


def test_verdicts_without_a_time_are_counted_where_they_stand():
    whole = made("", [*ROWS[:3], entered(8, 4, None, before=RING.link)])
    month = made("2026-11", [*ROWS[:3], entered(8, 4, None, before=RING.link)])

    assert (whole.undated, month.undated) == (1, 1)
    assert (found(whole), found(month)) == ([], [])
    assert found(replace(whole, undated=2)) == ["it counts 2 verdicts without a time, and has 1"]


def test_one_that_is_left_out_with_its_sums_mended_is_not_found():
    """That none is left out the journal alone proves: here it must not be said."""
    assert found(made(rows=[FIRST, RING, LAST])) == []


def test_a_clause_that_its_text_does_not_have_is_found():
    text = agreement_named("air-safety-mou")
    account = made(agreements=[text])
    clause = replace(account.rules[0].clause, words="Anything goes.")
    forged = replace(account, rules=(replace(account.rules[0], clause=clause), *account.rules[1:]))

    (fault,) = found(forged, [text])

    assert fault.endswith("is not written so in its text")
    assert found(forged) == []


@pytest.mark.parametrize("change", [
    {"number": 2**63}, {"number": 0}, {"ordinal": -1}, {"utc_ns": -(2**63)}, {"lane": "a\0b"},
    {"before": b"b" * 15}, {"link": b""},
], ids=["number", "no number", "ordinal", "utc_ns", "lane", "before", "link"])  # fmt: skip
def test_what_no_journal_can_hold_is_no_report(change):
    body = msgspec.msgpack.encode(replace(made(), verdicts=(replace(FIRST, **change),)))

    with pytest.raises(msgspec.ValidationError):
        account_from(body)


def test_whatever_bytes_are_handed_over_it_is_said_what_they_are():
    body = msgspec.msgpack.encode(made(rows=[FIRST, RING, LAST]))
    seen = set()
    for place in range(len(body)):
        for bit in range(8):
            bent = body[:place] + bytes([body[place] ^ 1 << bit]) + body[place + 1 :]
            try:
                seen.add(bool(found(account_from(bent))))
            except msgspec.MsgspecError:
                seen.add(None)

    assert seen == {None, True, False}
