"""`verify`: what it says of a journal, in words and as JSON, and how it ends."""

import asyncio
import json
import runpy
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import cli
from gateway.model.plan import JournalPlan
from gateway.model.status import AlarmCleared, AlarmRaised, AlertName

HOUSE = runpy.run_path(str(Path(__file__).parents[1] / "journal/conftest.py"))


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal.db"

    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(path))) as journal:
            await journal.append([HOUSE["ruling"](n, "distress") for n in range(30)])

    asyncio.run(story())
    return path


def changed(path, order):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(order)


def test_a_whole_journal_holds(journal, capsys):
    before = journal.read_bytes()

    status = cli.main(["verify", str(journal)])

    said = capsys.readouterr().out
    assert status == 0
    assert "of station kust" in said
    assert "rows       entry 30, routine 0" in said
    assert said.endswith("the journal holds\n")
    assert "FAILS" not in said
    assert journal.read_bytes() == before


def test_what_does_not_hold_is_told_place_by_place(journal, capsys):
    changed(journal, "UPDATE entry SET body = x'81' WHERE number = 3")
    changed(journal, "DELETE FROM entry WHERE number BETWEEN 7 AND 9")

    status = cli.main(["verify", str(journal)])

    said = capsys.readouterr().out
    assert status == 1
    assert "FAILS  checksums  29 rows" not in said
    assert "FAILS  checksums  27 rows\n         row 3 (entry) is not as it was written\n" in said
    assert "rows 7 to 9 of entry missing, before number 10" in said
    assert "holds  structure" in said
    assert said.endswith("the journal does NOT hold\n")


def test_the_alarms_that_the_journal_has_notes_of_are_told_the_newest_last(journal, capsys):
    at = {"name": AlertName.LINK, "utc": datetime(2026, 11, 20, 12, tzinfo=UTC), "clock": "ntp"}
    notes = [
        AlarmRaised(mono_ns=1, text="link shore\x1b[2J is down", **at),
        AlarmCleared(mono_ns=2, unsaid=7, **at),
    ]

    async def story():
        async with HOUSE["opened"](JournalPlan(path=str(journal))) as opened:
            await opened.append(notes)

    asyncio.run(story())
    status = cli.main(["verify", str(journal)])
    words = capsys.readouterr().out
    cli.main(["verify", "--json", str(journal)])
    alarms = json.loads(capsys.readouterr().out)["alarms"]

    assert status == 0
    assert "alarms     raised: link 1\n" in words
    assert "2026-11-20 12:00:00  link raised: link shore" in words
    assert "\x1b" not in words
    assert words.endswith("2026-11-20 12:00:00  link cleared (and 7 changes before it)\n")
    assert alarms["raised"] == {"link": 1}
    assert [one["alarm"] for one in alarms["newest"]] == ["raised", "cleared"]


def test_a_flood_of_faults_is_counted(journal, capsys):
    changed(journal, "UPDATE entry SET body = x'81'")

    status = cli.main(["verify", str(journal)])

    assert status == 1
    assert "         and 10 more\n" in capsys.readouterr().out


def test_json_is_one_line_with_the_same(journal, capsys):
    whole = cli.main(["verify", "--json", str(journal)]), json.loads(capsys.readouterr().out)
    changed(journal, "DELETE FROM entry WHERE number = 30")
    broken = cli.main(["verify", "--json", str(journal)]), json.loads(capsys.readouterr().out)

    assert (whole[0], whole[1]["holds"], whole[1]["proof"]["number_last"]) == (0, True, 30)
    assert (broken[0], broken[1]["holds"]) == (1, False)
    faults = {one["what"]: one["faults"] for one in broken[1]["proof"]["findings"]}
    assert faults["gaps"] == ["row 30 of entry missing, at the end"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"the shopping list", "file is not a database"),
        (b"", "it is empty"),
    ],
)
def test_a_file_that_is_no_journal_is_said_to_be_none(tmp_path, capsys, content, reason):
    path = tmp_path / "journal.db"
    if content is not None:
        path.write_bytes(content)

    plain = cli.main(["verify", str(path)]), capsys.readouterr().err
    as_json = cli.main(["verify", "--json", str(path)]), json.loads(capsys.readouterr().out)

    assert plain[0] == as_json[0] == 1
    assert reason in plain[1]
    assert as_json[1]["holds"] is False
    assert reason in as_json[1]["reason"]
    assert path.exists() == (content is not None)


def test_a_torn_file_is_told_as_far_as_it_can_be_read(journal, capsys):
    raw = bytearray(journal.read_bytes())
    page = raw.index(b"sighting") // 4096 * 4096
    raw[page : page + 4096] = bytes(4096)
    journal.write_bytes(raw)

    status = cli.main(["verify", str(journal)])

    assert status == 1
    assert "FAILS  structure" in capsys.readouterr().out
