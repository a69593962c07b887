"""What rules remember over a restart, as it is written down: every kind, on another clock."""

from __future__ import annotations

import msgspec
import pytest
from rooms.rules.cases import (
    KINDS,
    agreement_of,
    cases_of,
    moment_of,
    sighting_of,
    steps_of,
    tables,
)

from gateway.model.asked import Fact, Request
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState
from gateway.rules import remembering as room
from gateway.rules.bench import Bench
from gateway.rules.remembering import Remembering, taken_up

TABLES = tables()
BY_PLACE = {"separation", "keep_out", "identification", "approach"}
"""Kinds that ask where craft are: nobody is known to be anywhere until they are heard again."""

STORIES = [
    pytest.param(agreement_of(kind, table, case), case, id=f"{kind}-{case.does}")
    for kind, table in TABLES.items()
    if kind not in BY_PLACE
    for case in cases_of(table)
]
S = 10**9


def played(agreement, case, *, restarts):
    """Return the verdicts; with restarts each step is another run, on a machine started anew."""
    bench, off_ns, found = Bench([agreement], KINDS), 0, []
    last, last_s = moment_of(case, 0), 0
    for number, (at_s, step) in enumerate(steps_of(case)):
        at = moment_of(case, at_s)
        now = msgspec.structs.replace(at, mono_ns=at.mono_ns + off_ns)
        if restarts and number:
            words = Remembering(bench, f"boot {number - 1}").due(last, every=True)
            bench = Bench([agreement], KINDS)
            off_ns -= 77 * S if number % 2 else -77 * S
            now = msgspec.structs.replace(at, mono_ns=at.mono_ns + off_ns)
            # Taken up at the moment of the last one: so much time has passed by any clock.
            begun = msgspec.structs.replace(last, mono_ns=moment_of(case, last_s).mono_ns + off_ns)
            assert taken_up(bench, words, boot=f"boot {number}", now=begun) == ()
        last, last_s = now, at_s
        found += [
            (at_s, one.judgement, one.subject, one.words) for one in said(bench, step, now, at_s)
        ]
    assert bench.rule_errors == 0
    return found


def said(bench, step, at, at_s):
    name = f"{round(at_s * 1e9)}"
    if "report" in step:
        notes = bench.sighting(sighting_of(step["report"], name, at), at)
    elif "fact" in step:
        notes = bench.fact(msgspec.convert({"fact_id": name, "at": at, **step["fact"]}, Fact))
    elif "request" in step:
        request = {"request_id": name, "at": at, **step["request"]}
        return bench.gate(msgspec.convert(request, Request)).verdicts
    else:
        notes = bench.tick(at)
    return [note.verdict for note in notes]


@pytest.mark.parametrize(("agreement", "case"), STORIES)
def test_what_is_written_down_and_taken_up_gives_the_same_verdicts(agreement, case):
    assert played(agreement, case, restarts=True) == played(agreement, case, restarts=False)


# ---- One silence, imposed before a restart -------------------------------------------------------


def silence(kind="silence"):
    table = TABLES[kind]
    return agreement_of(kind, table, cases_of(table)[0])


def at(mono_s, utc_s=None, clock=ClockState.NTP):
    if utc_s is None:
        return Moment(int(mono_s * S), None, ClockState.UNSET)
    return Moment(int(mono_s * S), int(utc_s * S), clock, 50)


def imposed(now):
    """Return a bench on which silence was imposed now."""
    bench = Bench([silence()], KINDS)
    fact = {"fact_id": "f", "at": now, "what": "spoken", "channel": "vhf16"}
    bench.fact(msgspec.convert({**fact, "words": "SEELONCE MAYDAY"}, Fact))
    return bench


def since(bench, now):
    """Return since when the channel is silent, in seconds; None when it is free."""
    request = {"request_id": "r", "at": now, "channel": "vhf16", "category": "routine"}
    gated = bench.gate(msgspec.convert({**request, "purpose": "calling"}, Request))
    (verdict,) = gated.verdicts
    return verdict.since_mono_ns / S if verdict.judgement is Judgement.DENIED else None


@pytest.mark.parametrize(
    ("then", "boot", "now", "expected_s"),
    [
        (at(100, 5_000), "a", at(160, 5_060), 100),
        (at(100), "a", at(160), 100),
        (at(100, 5_000), "b", at(10, 5_060), 10 - 60),
        (at(100, 5_000, ClockState.FREE), "b", at(10, 5_060), 10),
        (at(100, 5_000), "b", at(10, 5_060, ClockState.FREE), 10),
        (at(100, 5_000), "b", at(10, 4_000), 10),
        (at(100), "b", at(10), 10),
    ],
    ids=[
        *("same start of the machine", "same start, no time of day", "another start, held clock"),
        *("it was not held then", "it is not held now", "it was set back", "nobody knows the time"),
    ],
)
def test_times_are_moved_onto_the_clock_of_this_start(then, boot, now, expected_s):
    words = Remembering(imposed(then), "a").due(then)
    bench = Bench([silence()], KINDS)

    assert taken_up(bench, words, boot=boot, now=now) == ()
    assert bench.compliance("cases", "case").found == {"ok": 1}
    assert since(bench, now) == expected_s


def test_only_what_has_changed_is_handed_over_and_all_of_it_when_asked_anew():
    bench = Bench([silence()], KINDS)
    book = Remembering(bench, "a")

    assert [*book.due(at(1))] == ["cases/case"]
    assert book.due(at(2)) == {}
    bench = imposed(at(2))
    book = Remembering(bench, "a")
    book.due(at(3))
    assert book.due(at(4)) == {}
    book.anew()
    assert [*book.due(at(5))] == ["cases/case"]


def test_what_is_large_is_handed_over_seldom_but_at_the_end(monkeypatch):
    monkeypatch.setattr(room, "LARGE_BYTES", 1)
    bench = Bench([silence()], KINDS)
    book = Remembering(bench, "a")
    book.due(at(100))
    for second in (101, 105):
        fact = {"fact_id": "f", "at": at(second), "what": "spoken", "channel": "vhf16"}
        words = "SEELONCE MAYDAY" if second == 101 else "SEELONCE FEENEE"
        bench.fact(msgspec.convert({**fact, "words": words}, Fact))
        assert book.due(at(second)) == {}
    assert [*book.due(at(109.9))] == []
    assert [*book.due(at(109.9), every=True)] == ["cases/case"]
    bench.fact(msgspec.convert({**fact, "words": "SEELONCE MAYDAY", "at": at(112)}, Fact))
    assert [*book.due(at(119.8))] == []
    assert [*book.due(at(119.9))] == ["cases/case"]


def test_what_is_of_another_form_begins_anew_and_is_named_and_costs_no_other():
    words = Remembering(imposed(at(1)), "a").due(at(1))
    (body,) = words.values()
    word = msgspec.msgpack.decode(body)

    def change(**to):
        kept = {**word["kept"], **to}
        return {"cases/case": msgspec.msgpack.encode({**word, "kept": kept})}

    for spoilt in (
        {"cases/case": b"\xc1"},
        change(memory=b"\xc1"),
        change(standing=b"\xc1"),
        change(standing=msgspec.msgpack.encode({"found": 1})),
    ):
        bench = Bench([silence()], KINDS)
        assert taken_up(bench, {**spoilt, "gone/G": body}, boot="a", now=at(2)) == ("cases/case",)
        assert bench.rule_errors == 0


def test_what_was_kept_of_another_kind_of_rule_is_passed_over():
    words = Remembering(imposed(at(1)), "a").due(at(1))
    bench = Bench([silence("ack_deadline")], KINDS)

    assert taken_up(bench, words, boot="a", now=at(2)) == ()
    assert bench.compliance("cases", "case").found == {}


def test_a_whole_start_is_moved_by_the_same():
    """What one rule remembers of another's deed stays before or behind it."""
    early, late = imposed(at(100, 5_000)), imposed(at(100, 5_000))
    first = Remembering(early, "a").due(at(100, 5_000))
    second = Remembering(late, "a").due(at(130, 5_031))  # the clock was slewed meanwhile
    both = {**first, "x/y": second["cases/case"]}
    bench = Bench([silence()], KINDS)

    taken_up(bench, both, boot="b", now=at(10, 5_100))

    assert since(bench, at(10, 5_100)) == 100 + (5_031 - 130) - (5_100 - 10)
