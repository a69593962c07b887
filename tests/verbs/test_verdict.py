"""`explain verdict`: a verdict out of a journal, beside the very text that it is of."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway import cli
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Stated
from gateway.model.inbound import Moment, Ruling, Tick
from gateway.model.plan import JournalPlan
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.rules import kind_named
from gateway.rules.bench import Bench
from gateway.settings.agreement import read_agreement
from gateway.verbs.replay import Replay
from gateway.verbs.verdict import explained, lines

HOUSE = runpy.run_path(str(Path(__file__).parents[1] / "journal/conftest.py"))
STRAIT = Path(__file__).parents[2] / "config" / "demo" / "strait.tape"

AGREEMENT = """\
id = "strait"
version = "1"
title = "Watch in the strait"
[parties]
station = { name = "This station", match = { mmsi = ["00#######"] } }
[channels]
vhf70 = { hz = 156_525_000, mode = "dsc" }
[rules.quick]
kind = "ack_deadline"
words = "Whoever calls for help is answered at once."
who = ["station"]
when = { type = ["distress_alert"], system = ["dsc"] }
window = { max_s = 30 }
source = "a test"
basis = "design"
[rules.first]
kind = "distress_override"
categories = ["distress"]
source = "a test"
basis = "design"
[rules.report]
kind = "notify"
when = { type = ["violation"], rules = ["quick"] }
to = ["station"]
within_s = 60
source = "a test"
basis = "design"
"""
"""The alert on the tape is acknowledged after 42 s."""


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("agreed") / "strait.toml"
    path.write_text(AGREEMENT)
    return path


@pytest.fixture(scope="module")
def notes(text):
    """Return what is kept of the tape of the demonstration under this agreement."""
    agreement = read_agreement(text)
    bench = Bench([agreement], {one.kind: kind_named(one.kind) for one in agreement.rules})
    found = []
    for heard, items in Replay(STRAIT, profile=None).steps():
        if isinstance(heard, Tick):
            found += bench.tick(heard.now)
        for item in items:
            if isinstance(item, Ruling):
                found += [item, *bench.sighting(item.sighting, heard.heard)]
    return found


@pytest.fixture(scope="module")
def journal(tmp_path_factory, notes):
    path = tmp_path_factory.mktemp("kept") / "journal.db"

    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(path))) as journal:
            await journal.append(notes)

    asyncio.run(story())
    return path


def id_of(notes, rule):
    return next(
        note.verdict_id
        for note in notes
        if isinstance(note, VerdictNote) and note.verdict.rule == rule
    )


def told(journal, name, *more):
    return cli.main(["explain", "verdict", name, "--journal", str(journal), *map(str, more)])


def test_the_clause_of_whom_since_when_by_what_and_what_would_have_changed_it(
    journal, notes, text, capsys
):
    assert told(journal, id_of(notes, "quick"), "--agreement", text) == 0

    page = capsys.readouterr().out
    for words in (
        "12:00:36  violation  strait/quick  mmsi:200100005: nobody has acknowledged it",
        f"verdict    {id_of(notes, 'quick')}\n",
        "judged     violation, of mmsi:200100005\n",
        "before     nothing stood of it\n",
        "12:00:36Z\n",
        "12:00:06Z, 30 s before it was said\n",
        "12:00:36Z, when it was said\n",
        "agreement  strait, version 1\n",
        f"digest     {read_agreement(text).digest}\n",
        "the clause\nquick  ack deadline\n    Whoever calls for help is answered at once.\n",
        "    window: max s 30\n",
        "    [chosen here] a test\n",
        "the inputs\n    ",
        "!!! DISTRESS  dsc            alert: ",
        "what would have changed it\n    It would be no violation had this been kept:\n",
        "    station acknowledges the call: on any band from 0 s after it on, and sooner than",
    ):
        assert words in page, page


def test_what_another_rule_said_is_an_input_and_time_alone_has_none(journal, notes, text, capsys):
    quick = id_of(notes, "quick")
    told(journal, id_of(notes, "report"), "--agreement", text)

    page = capsys.readouterr().out
    assert f"    strait/quick/mmsi:200100005  verdict {quick}: 12:00:36  violation" in page


def test_without_an_agreement_it_says_which_text_to_look_for(journal, notes, text, capsys):
    assert told(journal, id_of(notes, "quick")[:8].upper()) == 0

    page = " ".join(capsys.readouterr().out.split())
    assert "rule quick, ack deadline, of agreement strait, version 1. To read it here, " in page
    assert page.count(read_agreement(text).digest) == 2
    assert "what would have changed it" not in page


def test_another_text_of_the_same_name_is_not_taken_for_it(journal, notes, text, capsys, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(AGREEMENT.replace("max_s = 30", "max_s = 31"))
    name = id_of(notes, "quick")

    assert told(journal, name, "--agreement", other) == 1
    found = capsys.readouterr()
    assert "max s" not in found.out
    assert "it is not of this text: strait, version 1, has digest" in found.err
    assert told(journal, name, "--agreement", other, "--agreement", text) == 0
    assert "max s 30" in capsys.readouterr().out


def test_as_json_it_is_one_line_with_all_of_it(journal, notes, text, capsys):
    assert told(journal, id_of(notes, "quick"), "--agreement", text, "--json") == 0

    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["note"]["verdict_id"] == id_of(notes, "quick")
    assert found["clause"]["terms"]["window"] == {"min_s": 0.0, "max_s": 30.0}
    assert [one["system"] for one in found["evidence"].values()] == ["dsc"]
    assert found["otherwise"]


def test_what_is_not_there_and_what_may_be_several_is_said_so(journal, tmp_path, capsys):
    assert told(journal, "no such") == 1
    assert "the journal has no verdict no such; " in capsys.readouterr().err
    assert told(journal, "") == 1
    assert "may be any of 2; give more digits:\n  " in capsys.readouterr().err
    assert told(tmp_path / "none.db", "a") == 1
    assert "none.db" in capsys.readouterr().err


def test_of_a_great_many_it_says_so(journal, capsys, monkeypatch):
    monkeypatch.setattr("gateway.verbs.verdict.FOUND_MAX", 2)

    assert told(journal, "") == 1
    assert "may be any of 2 or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["explain", "verdict"], "say which verdict: distress-gateway explain verdict ID"),
        (["explain", "verdict", "9c31"], "a verdict is explained out of a journal"),
    ],
)
def test_what_is_missing_is_asked_for(given, says, capsys):
    assert cli.main(given) == 2
    assert says in capsys.readouterr().err


# ---- Each judgement ------------------------------------------------------------------------------


def note(judgement, *, was=None, untold=0, **more):
    verdict = Verdict(
        agreement="strait",
        version="1",
        digest="d" * 64,
        rule="quick",
        kind="ack_deadline",
        judgement=judgement,
        subject="mmsi:200100005\x1b",
        words="so it is",
        mono_ns=100 * 10**9,
        **more,
    )
    return VerdictNote(verdict_id="a" * 32, verdict=verdict, was=was, untold=untold)


CHANGED = {
    Judgement.OK: "would not be had this not been kept",
    Judgement.VIOLATION: "It would be no violation",
    Judgement.AT_RISK: "It is no violation",
    Judgement.DENIED: "let through within this",
    Judgement.DEFERRED: "let through from 160.0 s after the box began, 60 s after it was said;",
    Judgement.EXEMPT: "It would count but for first, which goes before",
    Judgement.UNKNOWN: "what the sentence says is missing",
}


@pytest.mark.parametrize("judgement", Judgement)
def test_each_judgement_says_what_would_have_changed_it(judgement, text):
    agreement = read_agreement(text)
    one = note(judgement, until_mono_ns=160 * 10**9, by="first")
    one = replace(one, verdict=replace(one.verdict, digest=agreement.digest))
    found = explained(one, {}, [agreement])

    page = " ".join(" ".join(lines(found)).split())
    assert CHANGED[judgement] in page
    assert "the clause that goes before it first distress override" in page
    assert "the inputs none: time alone" in page
    assert "by first, of mmsi:200100005\\x1b" in page


def test_what_is_nowhere_in_the_journal_is_named_by_its_id():
    one = note(Judgement.DEFERRED, was=Judgement.AT_RISK, untold=3)
    page = "\n".join(lines(explained(one, {"f" * 32: None, "fact-7": None})))

    assert f"    {'f' * 32}  no entry of this journal" in page
    assert "    fact-7  no entry of this journal\n" in f"{page}\n"
    assert "before     at risk" in page
    assert "untold     3 verdicts of this rule before it are only counted" in page


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (
            Fact(
                fact_id="f",
                what=EventWord.SPOKEN,
                at=Moment(mono_ns=5, utc_ns=1_793_707_200 * 10**9),
                by="A",
                to="B",
                channel="ch16",
                about="mmsi:2",
                fields=("position",),
                words="\tOVER",
                person="Officer A",
            ),
            'f  2026-11-03 12:00:00Z  spoken by A to B on ch16 about mmsi:2 with position: "OVER"',
        ),
        (
            Fact(fact_id="f", what=EventWord.WATCH_SET, at=Moment(mono_ns=5 * 10**9)),
            "f  5.0 s after the box began  watch set",
        ),
    ],
    ids=["whole", "bare"],
)
def test_what_somebody_has_stated_is_told_with_who_says_so(fact, says):
    page = [*lines(explained(note(Judgement.OK), {"f": Stated(fact=fact)}))]

    assert f"    {says}, stated by {fact.person or 'the station'}" in page
