"""What is looked at before a file is touched: whose it is, of which release, and if it is whole."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import outboxes, store
from gateway.journal.chain import layout_of, owed_in
from gateway.journal.failed import JournalFailed
from gateway.journal.opening import SCHEMA_VERSION
from gateway.journal.proving import proof_of
from gateway.journal.rows import RANKED
from gateway.journal.wreck import LOCAL_BYTES_MAX, PAGE_BYTES, Wreck
from gateway.model.inbound import Moment
from gateway.model.plan import JournalPlan
from gateway.model.words import ClockState

SIZES = [*range(3_300, 4_300, 40), *range(7_300, 8_300, 70), 30_000]
"""Of items: around each place where a row has no room on its page, or on one page more."""


@pytest.fixture
def plan(tmp_path):
    return JournalPlan(path=str(tmp_path / "journal.db"))


@pytest.fixture
def begun(house, plan):
    """The path of a journal of fifty entries that was closed."""

    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(n, "distress") for n in range(50)])

    house.run(story())
    return plan.path


@pytest.fixture
def opened(house, plan):
    """Open the journal; return how many are owed, and what it counts."""

    def opened():
        async def story():
            async with house.opened(plan) as journal:
                return len(await journal.pending("shore", RANKED, limit=99)), journal.counts()

        return house.run(story())

    return opened


def changed(path, *orders):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for order in orders:
            db.execute(order)


def put(path, place, content):
    """Let these bytes stand in a file instead of what is there."""
    with Path(path).open("r+b") as file:
        file.seek(place)
        file.write(content)


def found(path, words):
    """Return where words stand in a file."""
    return Path(path).read_bytes().index(words)


@pytest.mark.parametrize(
    "orders",
    [
        ["PRAGMA application_id = 1145524811"],
        ["PRAGMA user_version = 0"],
        ["PRAGMA user_version = 2"],
        ["PRAGMA user_version = 7"],
        ["DELETE FROM journal"],
        ["UPDATE journal SET layout = x'00'"],
        ["UPDATE shelf SET ordinal_last = 3 WHERE name = 'entry'"],
    ],
)
def test_whatever_it_says_of_itself_is_proven(begun, opened, orders):
    """A mark or a version that is wrong by itself makes no file another's, or the future's."""
    changed(begun, *orders)

    owed, counts = opened()

    assert (owed, list(counts.aside)) == (50, ["journal.db.damaged-1"])


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (b"one of ours", b"one of ourz"),
        (b"tableentry", b"tableentrx"),
        (b"tablejournal", b"tablejourna\xff"),
    ],
)
def test_the_words_of_the_tables_are_proven(begun, opened, words, instead):
    put(begun, found(begun, words) if words != b"one of ours" else found(begun, b"-- "), instead)

    owed, counts = opened()

    assert (owed, list(counts.aside)) == (50, ["journal.db.damaged-1"])


@pytest.mark.parametrize(
    ("place", "content"), [(18, b"\x12"), (47, b"\x09"), (16, b"\x03"), (39, b"\x05")]
)
def test_a_file_that_says_it_may_only_be_read_or_not_at_all_is_damaged(
    begun, opened, place, content
):
    put(begun, place, content)

    owed, counts = opened()

    assert (owed, list(counts.aside)) == (50, ["journal.db.damaged-1"])


@pytest.mark.parametrize("length", [16, 60, 400])
def test_of_a_file_that_was_cut_to_nearly_nothing_a_new_one_is_begun(begun, opened, length):
    Path(begun).write_bytes(Path(begun).read_bytes()[:length])

    owed, counts = opened()

    assert (owed, counts.aside) == (0, {"journal.db.damaged-1": 0})


def test_a_file_that_somebody_else_holds_is_waited_for_and_not_set_aside(
    begun, opened, monkeypatch
):
    monkeypatch.setattr(store, "BUSY_S_MAX", 0.0)
    with closing(sqlite3.connect(begun, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalFailed, match="locked") as caught:
            opened()
        other.execute("ROLLBACK")

    assert not caught.value.damaged
    assert list(Path(begun).parent.glob("*damaged*")) == []


def newer(path):
    """Make it a journal of a release that knows one version more."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE later (what TEXT) STRICT")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
        tables = db.execute(store.sql.TABLES).fetchall()
        db.execute("UPDATE journal SET layout = ?", (layout_of(SCHEMA_VERSION + 1, tables),))
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{path}{suffix}.as-it-was")
    for suffix in ("", "-wal"):
        Path(f"{path}{suffix}.as-it-was").replace(f"{path}{suffix}")


def test_a_newer_releases_journal_is_refused_with_a_remedy_and_not_touched(begun, opened):
    """Its log neither: what that release had not brought into the file yet is still there."""
    newer(begun)
    before = [Path(f"{begun}{suffix}").read_bytes() for suffix in ("", "-wal")]

    with pytest.raises(JournalFailed) as caught:
        opened()

    assert caught.value.foreign
    versions = f"(version {SCHEMA_VERSION + 1}; this one knows {SCHEMA_VERSION})"
    assert f"{versions}; run that release again" in caught.value.reason
    assert before == [Path(f"{begun}{suffix}").read_bytes() for suffix in ("", "-wal")]
    assert before[1]


def test_what_the_log_was_before_it_was_begun_anew_is_no_loss(begun, opened):
    """The cut came while its first words were written: all that was in it is in the file."""
    with closing(sqlite3.connect(begun, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        for lane in ("safety", "distress"):
            db.execute("UPDATE entry SET lane = ?", (lane,))
        log = Path(f"{begun}-wal").read_bytes()
    Path(f"{begun}-wal").write_bytes(b"\0" * 32 + log[32:])

    assert len(log) > PAGE_BYTES
    assert opened()[1].aside == {}


def test_a_log_without_its_first_words_that_has_more_than_the_file_is_a_loss(
    begun, opened, house, plan
):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(50, "distress")])
            shutil.copy(f"{begun}-wal", f"{begun}.log")
            shutil.copy(begun, f"{begun}.file")

    house.run(story())
    Path(f"{begun}.log").replace(f"{begun}-wal")
    Path(f"{begun}.file").replace(begun)
    put(f"{begun}-wal", 12, b"\xff")

    owed, counts = opened()

    assert (owed, counts.aside) == (51, {"journal.db.damaged-1": 51})


def test_what_was_never_written_behind_the_end_of_a_log_is_no_loss(begun, opened):
    with closing(sqlite3.connect(begun, isolation_level=None)) as db:
        for lane in ("safety", "distress"):
            db.execute("UPDATE entry SET lane = ?", (lane,))
        log = Path(f"{begun}-wal").read_bytes()
    Path(f"{begun}-wal").write_bytes(log + b"\x01" * (24 + PAGE_BYTES))

    assert len(log) > PAGE_BYTES
    assert opened()[1].aside == {}


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE owed SET count = count + 1 WHERE link = 'shore'",
        "UPDATE owed SET link = 'shorf' WHERE link = 'shore'",
        "DELETE FROM owed WHERE link = 'shore'",
        "UPDATE outbox SET link = 'shorf' WHERE number = 7 AND link = 'shore'",
        "UPDATE outbox SET rank = 9 WHERE number = 7 AND link = 'shore'",
        "UPDATE outbox SET rank = 1 WHERE number = 7 AND link = 'shore'",
        "DELETE FROM outbox WHERE number = 7 AND link = 'shore'",
        "DELETE FROM outbox WHERE link = 'shore'",
    ],
)
def test_with_a_doubt_about_an_outbox_all_that_is_kept_is_owed(begun, opened, order):
    changed(begun, order)

    owed, counts = opened()

    assert owed == 50
    assert {link: count for link, count in counts.outbox.items() if count} == {
        "shore": 50,
        "local": 50,
    }
    assert (counts.quarantined, counts.aside) == (0, {})
    assert proof_of(begun).holds


def test_an_entry_that_is_owed_and_not_there_is_counted(begun, opened):
    changed(begun, "DELETE FROM entry WHERE number = 7")

    owed, counts = opened()

    assert (owed, counts.quarantined) == (49, 1)
    assert "row 7 (entry) was set aside" in str(proof_of(begun).findings)


def test_a_row_of_an_outbox_that_is_none_is_a_doubt():
    rows = [("shore", 0, 1, "distress"), (b"shore", 0, 2, "distress")]
    sealed = [("shore", *owed_in("shore", [(0, 1)]).sealed())]

    found = outboxes.found_in(lambda asked, _: rows if asked == store.sql.OUTBOXES else sealed)

    assert (found.holds, found.wrong) == (False, frozenset())


def test_rows_of_every_length_are_found_without_a_tree(house, plan):
    """In the file and in its log, on as many pages as they need."""

    async def story():
        async with house.opened(plan) as journal:
            for size in SIZES:
                item = house.refusal(size, "x" * size, distress_like=True)
                await journal.append([item, house.refusal(size)])
            with Wreck(plan.path) as wreck:
                in_log = {kept.number for kept in wreck.log_rows()}
            return await journal.entries(limit=999), in_log

    entries, in_log = house.run(story())
    with Wreck(plan.path) as wreck:
        kept = {kept.number: kept.body for _, kept in wreck.entries()}

    assert max(len(entry.body) for entry in entries) > 7 * LOCAL_BYTES_MAX
    assert kept == {entry.number: entry.body for entry in entries if entry.lane != "routine"}
    assert in_log == {entry.number for entry in entries}


def test_a_row_whose_further_pages_are_gone_is_not_found_and_the_others_are(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            for n in range(5):
                await journal.append([house.refusal(n, f"{n}" * 9_000, distress_like=True)])

    house.run(story())
    path = Path(plan.path)
    pages = [place for place in range(0, path.stat().st_size, PAGE_BYTES)
             if b"2" * 4_000 in path.read_bytes()[place : place + PAGE_BYTES]]  # fmt: skip
    put(path, pages[0], b"\xff" * 4)

    with Wreck(plan.path) as wreck:
        assert sorted(kept.number for _, kept in wreck.entries()) == [1, 2, 4, 5]


def test_what_was_written_over_the_further_pages_of_a_row_since_costs_no_row(house, plan):
    """By a transaction that the power cut tore, for one: what it wrote was never confirmed."""

    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.refusal(1, "x" * 9_000, distress_like=True)])
            shutil.copy(f"{plan.path}-wal", f"{plan.path}.log")

    house.run(story())
    log = Path(f"{plan.path}.log").read_bytes()
    frames = [log[at : at + 24 + PAGE_BYTES] for at in range(32, len(log), 24 + PAGE_BYTES)]
    [*_, further] = [frame for frame in frames if b"x" * 4_000 in frame]
    torn = further[:4] + bytes(20) + b"z" * PAGE_BYTES
    Path(f"{plan.path}-wal").write_bytes(log + torn)
    Path(plan.path).write_bytes(b"")

    with Wreck(plan.path) as wreck:
        assert {kept.number for _, kept in wreck.entries()} == {1}


def test_what_looks_like_a_row_and_is_none_is_passed_over(tmp_path):
    header = b"\x00\x1d\x06\x20\x01\x2c\x2c"
    path = tmp_path / "journal.db"
    path.write_bytes(
        header + b"\x01\x07" + header + b"\x01\x08" + header.replace(b"\x20", b"\x05")
        + b"\x81" * 20 + b"\x01\x08" + header + b"\x00" * 99
    )  # fmt: skip

    with Wreck(str(path)) as wreck:
        assert list(wreck.entries()) == []


def test_a_row_of_a_day_without_a_clock_is_found_too(house, plan):
    class Unset:
        def now(self):
            return Moment(mono_ns=0, utc_ns=None, clock=ClockState.UNSET)

    async def story():
        async with house.opened(plan, clock=Unset()) as journal:
            await journal.append([house.ruling(1, "distress")])

    house.run(story())
    with Wreck(plan.path) as wreck:
        assert [kept.utc_ns for _, kept in wreck.entries()] == [None]


@pytest.mark.parametrize("page", [4096, 5 * 4096])
def test_a_proof_says_what_is_wrong_with_a_file_that_can_be_read_in_part(begun, page):
    put(begun, page, b"\xff" * 4096)

    try:
        words = str(proof_of(begun).findings)
    except JournalFailed as failed:
        words = failed.reason

    assert "malformed" in words


def test_a_proof_says_that_an_outbox_cant_be_read(begun):
    with closing(sqlite3.connect(begun)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'outbox'").fetchone()[0]
    put(begun, (page - 1) * PAGE_BYTES, b"\xff" * PAGE_BYTES)

    failing = {one.what: str(one.faults) for one in proof_of(begun).findings if one.faults}

    assert failing.keys() == {"structure", "outboxes"}
    assert "they can't be read to their end" in failing["outboxes"]


def test_of_an_empty_file_there_is_nothing_to_prove(tmp_path):
    (tmp_path / "journal.db").touch()

    with pytest.raises(JournalFailed, match="it is empty"):
        proof_of(str(tmp_path / "journal.db"))
