"""Which files the journal opens, and what it says of those that it won't."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import opening, sql
from gateway.journal.failed import JournalFailed
from gateway.model.plan import JournalPlan


@pytest.fixture
def refused(house):
    """Open a file that can't be a journal; return what is said of it."""

    def refused(path, **asked):
        async def story():
            async with house.opened(JournalPlan(path=str(path)), **asked):
                pytest.fail("it was opened")

        with pytest.raises(JournalFailed) as caught:
            house.run(story())
        assert caught.value.path == str(path)
        return caught.value.reason

    return refused


@pytest.fixture
def begun(house, plan):
    """The path of a journal with something in it."""

    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(n, "distress") for n in range(500)])

    house.run(story())
    return plan.path


def test_a_folder_is_no_journal(refused, tmp_path):
    assert refused(tmp_path) == "Is a directory; name a file in a folder where this user may write"


def test_a_folder_that_cant_be_made_is_named(refused, tmp_path):
    (tmp_path / "file").touch()

    assert "name a file in a folder" in refused(tmp_path / "file" / "journal.db")


def test_a_read_only_folder_is_said_to_be_one(house, refused, tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid() != 0:
        folder.chmod(0o555)
        assert "Permission denied; name a file" in refused(folder / "journal.db")
        return
    folder.rmdir()
    with house.mounted(folder, "ro"):  # root may write anywhere else
        assert "Read-only file system; name a file" in refused(folder / "journal.db")


@pytest.mark.parametrize("content", [b"MAYDAY\n", b"MAYDAY " * 1_000], ids=["tiny", "long"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(refused, tmp_path, content):
    path = tmp_path / "journal.db"
    path.write_bytes(content)

    reason = refused(path)

    assert reason.startswith("file is not a database; move it away")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("page", [4096, 5 * 4096, 40 * 4096])
def test_a_damaged_journal_is_set_aside_as_it_was(house, plan, begun, page):
    path = Path(begun)
    whole = path.read_bytes()
    damaged = whole[:page] + b"\xff" * 4096 + whole[page + 4096 :]
    path.write_bytes(damaged)

    async def story():
        async with house.opened(plan) as journal:
            return journal.counts().aside

    assert list(house.run(story())) == ["journal.db.damaged-1"]
    assert Path(f"{begun}.damaged-1").read_bytes() == damaged


def test_another_programs_database_is_refused_and_left_as_it_is(refused, tmp_path):
    path = tmp_path / "contacts.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE person (name)")
    before = path.read_bytes()

    assert refused(path) == "it is a database of another program; name another file"
    assert path.read_bytes() == before


def test_another_stations_journal_is_refused_by_name(refused, begun):
    assert refused(begun, station="berg") == "it belongs to station kust; name another file"


def test_a_journal_that_is_open_is_refused_to_the_next_gateway(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            with pytest.raises(JournalFailed, match="another gateway has it open"):
                async with house.opened(plan):
                    pytest.fail("it was opened twice")
            return (await journal.append([house.ruling(1)]))[0].number

    assert house.run(story()) == 1


def test_a_file_system_without_a_write_ahead_log_is_refused(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(sql, "WRITE_AHEAD", "PRAGMA journal_mode = DELETE")

    reason = refused(tmp_path / "journal.db")

    assert reason == "its file system can't keep a write-ahead log (delete); use a local disk"


def test_an_empty_file_and_a_half_made_one_are_made_whole(house, tmp_path):
    """A power cut while the file was being made leaves nothing that a person must repair."""
    path = tmp_path / "journal.db"
    path.touch()
    with closing(sqlite3.connect(path)) as half:
        half.execute("PRAGMA journal_mode = WAL").fetchone()

    async def story():
        async with house.opened(JournalPlan(path=str(path))) as journal:
            return (await journal.append([house.ruling(1)]))[0].number

    assert house.run(story()) == 1


def test_a_file_without_an_identity_yet_is_given_one(house, plan):
    async def made():
        async with house.opened(plan):
            pass

    house.run(made())
    with closing(sqlite3.connect(plan.path, isolation_level=None)) as half:
        half.execute("DELETE FROM journal")

    async def story():
        async with house.opened(plan) as journal:
            return journal.epoch

    assert len(house.run(story())) == 2 * opening.EPOCH_BYTES


def test_the_schema_says_what_the_program_looks_for(begun):
    with closing(sqlite3.connect(begun)) as db:
        said = [db.execute(ask).fetchone()[0] for ask in (sql.APPLICATION, sql.VERSION)]

    assert said == [opening.APPLICATION_ID, opening.SCHEMA_VERSION]
