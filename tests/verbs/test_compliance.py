"""`compliance`: a report out of a journal, and what another who has that journal says of it."""

from __future__ import annotations

import asyncio
import html.parser
import runpy
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gateway import cli
from gateway.model.plan import JournalPlan
from gateway.model.verdict import Judgement, Verdict, VerdictNote
from gateway.rules.account import account_from
from gateway.settings.agreement import read_agreement

HOUSE = runpy.run_path(str(Path(__file__).parents[1] / "journal/conftest.py"))

AGREEMENT = """\
id = "strait"
version = "1"
title = "Watch in the strait"
[parties]
station = { name = "This station", match = { mmsi = ["00#######"] } }
[channels]
vhf70 = { hz = 156_525_000, mode = "dsc" }
[rules.first]
kind = "distress_override"
words = "Distress goes before all."
categories = ["distress"]
source = "a test"
basis = "design"
"""

EVIL = '<script src="http://x/y.js">alert(1)</script>\x1b[2J'


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("agreed") / "strait.toml"
    path.write_text(AGREEMENT)
    return path


def note(number, day, text, **more):
    verdict = Verdict(
        agreement="strait", version="1", digest=read_agreement(text).digest, rule="first",
        kind="distress_override", mono_ns=number, utc=datetime(2026, 11, day, 12, tzinfo=UTC),
        **{"judgement": Judgement.VIOLATION, "subject": "mmsi:1", "words": EVIL, **more},
    )  # fmt: skip
    return VerdictNote(verdict_id=f"{number:032x}", verdict=verdict)


@pytest.fixture
def journal(tmp_path, text):
    path = tmp_path / "journal.db"
    kept = [
        HOUSE["ruling"](1, "distress"),
        note(1, 22, text, evidence=("a" * 32,)),
        note(2, 23, text, judgement=Judgement.OK),
        note(3, 23, text, subject="availability:station/vhf70/2026-10", words="99 %"),
    ]

    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(path))) as journal:
            await journal.append(kept)

    asyncio.run(story())
    return path


@pytest.fixture
def report(journal, text, tmp_path):
    path = tmp_path / "report.msgpack"
    asked = ["compliance", "--journal", str(journal), "--form", "msgpack", "-o", str(path)]
    assert cli.main([*asked, str(text)]) == 0
    return path


def proven(report, journal, *more):
    asked = ["compliance", "--verify", str(report), "--journal", str(journal)]
    return cli.main([*asked, *map(str, more)])


def test_in_words_it_has_the_clause_the_counts_and_the_proof_of_each(journal, text, capsys):
    assert cli.main(["compliance", "--journal", str(journal), str(text)]) == 0

    page = capsys.readouterr().out
    for words in (
        "how agreements were kept: the whole journal\nstation    kust\n",
        f"digest {read_agreement(text).digest}\n    Distress goes before all.\n",
        "    [design] a test\n    found: violation 2, ok 1\n",
        "    2026-10  station/vhf70  violation  99 % (entry 4)\n",
        f"verdict {1:032x}, entry 2, link ",
        f"by {'a' * 32}",
    ):
        assert words in page, page
    assert "\x1b" not in page


def test_of_a_day_it_says_what_stood_at_its_end(journal, capsys):
    assert cli.main(["compliance", "--journal", str(journal), "--day", "2026-11-22"]) == 0

    page = capsys.readouterr().out
    assert "    stands: violation of mmsi:1 since 2026-11-22 12:00:00Z, entry 2\n" in page
    assert "availability" not in page


def test_the_page_loads_nothing_and_runs_nothing(journal, text, tmp_path):
    out = tmp_path / "page.html"
    asked = ["compliance", "--journal", str(journal), "--form", "html", "-o", str(out)]
    assert cli.main([*asked, str(text)]) == 0

    found = []
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    page = out.read_text()
    parser.feed(page)
    assert {tag for tag, _ in found} <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2"),
        *("table", "thead", "tbody", "tr", "th", "td", "br"),
    }
    assert not any({"src", "href", "style"} & attributes.keys() for _, attributes in found)
    assert "&lt;script src=" in page
    assert "Availability of watches" in page
    assert "\x1b" not in page


def test_a_report_holds_against_its_journal_also_when_that_goes_on(report, journal, text, capsys):
    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(journal))) as opened:
            await opened.append([note(4, 23, text)])

    asyncio.run(story())

    assert proven(report, journal, text) == 0
    said = capsys.readouterr().out
    assert said == "the report holds: 3 verdicts, each as its entry has it, and none left out\n"


def test_clauses_without_their_text_are_told_as_unproven(report, journal, text, capsys):
    assert proven(report, journal) == 0

    digest = read_agreement(text).digest
    assert f"unproven  the clauses of strait: give the text with digest {digest}\n" in (
        capsys.readouterr().out
    )


def test_a_forged_clause_head_or_verdict_is_named(report, journal, text, capsys):
    account = account_from(report.read_bytes())
    rule = account.rules[0]
    forged = replace(
        account,
        end=replace(account.end, link_last=b"x" * 16),
        rules=(replace(rule, clause=replace(rule.clause, words="Anything goes.")),),
        verdicts=account.verdicts[1:],
    )
    report.write_bytes(msgspec.msgpack.encode(forged))

    assert proven(report, journal, text) == 1
    said = capsys.readouterr().out
    for words in (
        "FAILS  entry 2 of the journal is left out\n",
        "FAILS  what it says of strait/first does not follow from its verdicts\n",
        "FAILS  the clause of strait/first is not written so in its text\n",
        "FAILS  entry 4 has another link in the journal\n",
        "the report does NOT hold\n",
    ):
        assert words in said, said


def test_an_entry_that_was_changed_in_the_journal_proves_nothing(report, journal, text, capsys):
    with closing(sqlite3.connect(journal, isolation_level=None)) as db:
        db.execute("UPDATE entry SET body = x'81' WHERE number = 2")

    assert proven(report, journal, text) == 1
    assert "FAILS  entry 2 is not in the journal" in capsys.readouterr().out


def test_what_is_no_report_or_no_journal_is_refused(report, journal, tmp_path, capsys):
    junk = tmp_path / "junk"
    junk.write_bytes(b"\x81\xa1")

    assert proven(junk, journal) == 1
    assert "no report of compliance" in capsys.readouterr().err
    assert proven(tmp_path / "none", journal) == 1
    assert "No such file" in capsys.readouterr().err
    assert proven(report, junk) == 1
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "time", [["--day", "2026-11-31"], ["--month", "2026-1"], ["--day", "2026-11"]]
)
def test_a_time_that_is_none_is_refused(time, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["compliance", "--journal", "x", *time])

    assert ended.value.code == 2
    assert "is like 2026-11" in capsys.readouterr().err
