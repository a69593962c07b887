"""What rows prove of themselves: the chain, the quarantine, and the files of earlier releases."""

import asyncio
import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.journal import chain
from gateway.journal.failed import JournalFailed
from gateway.journal.proving import proof_of
from gateway.model.entry import Lane, encode_item

ALL = (Lane.DISTRESS, Lane.URGENCY, Lane.SAFETY)
V4 = Path(__file__).with_name("v4.db.gz")
"""Written by the release before rules remembered, onto V3: 240 numbers."""
V3 = Path(__file__).with_name("v3.db.gz")
"""Written by the release before incidents were found again, onto V2: 180 numbers."""
V2 = Path(__file__).with_name("v2.db.gz")
"""Written by the release before outboxes proved themselves, onto V1: 120 numbers."""
V1 = Path(__file__).with_name("v1.db.gz")
"""Written by the release before there was a chain: 60 numbers, a ring of 4 routine rows."""


def mixed(house, first, count):
    """Return items for every shelf and lane, in turn."""
    kinds = [
        lambda n: house.ruling(n, "distress"),
        house.ruling,
        lambda n: house.ruling(n, "urgency"),
        house.refusal,
        lambda n: house.refusal(n, ""),
        lambda n: house.ruling(n, "safety"),
    ]
    return [kinds[n % len(kinds)](n) for n in range(first, first + count)]


def changed(path, order, *values):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        return other.execute(order, values).fetchall()


def failing(path):
    """Return what doesn't hold of a journal: the property, and each place."""
    return {finding.what: finding.faults for finding in proof_of(path).findings if finding.faults}


@pytest.fixture
def begun(house, plan):
    """The path of a journal with rows on every shelf, some rings of which have been trimmed."""
    plan = msgspec.structs.replace(plan, routine_rows_max=10, refused_rows_max=20)

    async def story():
        async with house.opened(plan) as journal:
            for first in range(0, 300, 50):
                await journal.append(mixed(house, first, 50))

    house.run(story())
    return plan.path


def test_a_journal_proves_itself_over_rings_and_restarts(house, plan, begun):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append(mixed(house, 300, 25))
            await journal.strike("shore", [1, 3, 6])
            return journal.counts(), proof_of(plan.path)  # while it is being written

    counts, proof = house.run(story())

    assert proof.holds, proof
    assert proof_of(begun) == proof
    assert (proof.number_last, proof.link_last) == (325, counts.link_last)
    assert sum(proof.rows.values()) + sum(proof.gone.values()) == 325
    assert proof.gone["routine"] > 0


def test_the_same_items_at_the_same_time_give_the_same_links(house, plan, tmp_path, clock):
    async def link(path, items):
        async with house.opened(msgspec.structs.replace(plan, path=str(path)), clock=clock) as one:
            one._disk._shelves.tally.head.link_last = chain.seed_of("same")
            await one.append(items)
            return one.counts().link_last

    items = mixed(house, 0, 12)
    first, again, other = (
        house.run(link(tmp_path / name, found))
        for name, found in (("a", items), ("b", items), ("c", items[1:] + items[:1]))
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("order", "what", "words"),
    [
        ("UPDATE entry SET body = x'81' WHERE number = 1", "checksums", "row 1 (entry)"),
        ("UPDATE entry SET lane = 'safety' WHERE number = 7", "checksums", "row 7 (entry)"),
        ("UPDATE entry SET journaled_utc_ns = 1 WHERE number = 7", "checksums", "row 7 (entry)"),
        ("UPDATE entry SET before = x'' WHERE number = 7", "checksums", "row 7 (entry)"),
        ("UPDATE entry SET number = 999 WHERE number = 1", "checksums", "row 999 (entry)"),
        ("DELETE FROM entry WHERE number = 1", "gaps", "row 1 of entry missing, before number 3"),
        ("DELETE FROM entry WHERE number = 7", "gaps", "row 4 of entry missing, before number 9"),
        ("DELETE FROM entry WHERE number = 300", "gaps", "row 150 of entry missing, at the end"),
        ("DELETE FROM entry", "gaps", "rows 1 to 150 of entry missing, at the end"),
        ("DELETE FROM unread WHERE number = 281", "gaps", "of unread missing, before number 287"),
        ("UPDATE journal SET number_last = 299", "head", "its checksum doesn't hold"),
        ("UPDATE owed SET count = 3 WHERE link = 'shore'", "outboxes", "that of shore is not"),
        ("DELETE FROM outbox WHERE number = 7", "outboxes", "that of local is not"),
        ("UPDATE entry SET body = x''", "checksums", "and 130 more"),
        ("UPDATE shelf SET ordinal_gone = 45 WHERE name = 'refused'", "head", "checksum"),
        ("DELETE FROM trim", "trims", "there were 1 trim records"),
        ("UPDATE trim SET number_last = 12", "trims", "trim record 1 doesn't hold"),
        ("DELETE FROM entry WHERE number = 15", "outboxes", "2 point to none"),
    ],
)
def test_whatever_is_changed_behind_the_gateways_back_is_found(begun, order, what, words):
    with_trim(begun)
    assert failing(begun) == {}

    changed(begun, order)

    assert words in " | ".join(failing(begun)[what])


def with_trim(path):
    """Put a true record of nothing thrown away into the file, so that it may be changed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        found = db.execute(
            "SELECT epoch, station, created_utc_ns, number_last, chained_after, link_last,"
            " trim_last, trim_link FROM journal"
        ).fetchone()
        head = chain.Head(*found)
        trim = chain.Trim(1, 0, 0, 0, 0, None, chain.seed_of(head.epoch), head.trim_link)
        head.trim_last, head.trim_link = 1, chain.trim_link_of(trim)
        shelves = {
            name: chain.Shelf(*values) for name, *values in db.execute("SELECT * FROM shelf")
        }
        db.execute(
            "INSERT INTO trim VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*msgspec.structs.astuple(trim), head.trim_link),
        )
        db.execute(
            "UPDATE journal SET trim_last = 1, trim_link = ?, seal = ?",
            (head.trim_link, chain.seal_of(head, shelves)),
        )


def test_a_row_exchanged_for_another_true_row_breaks_the_chain(house, plan, begun, tmp_path):
    """Each row is whole by itself; that it was not there is what the chain says."""
    other = msgspec.structs.replace(plan, path=str(tmp_path / "other.db"))

    async def story():
        async with house.opened(other) as journal:
            await journal.append(mixed(house, 500, 12))

    house.run(story())
    with closing(sqlite3.connect(begun, isolation_level=None)) as db:
        db.execute("ATTACH ? AS other", (other.path,))
        db.execute("REPLACE INTO entry SELECT * FROM other.entry WHERE number = 7")

    faults = failing(begun)

    assert faults["chain"] == ("row 8 doesn't follow row 7",) or "row 7" in faults["chain"][0]


def forged(path, number, ordinal, *, like):
    """Put a row into the file whose own link is true."""
    before, utc_ns, body = changed(
        path, "SELECT before, journaled_utc_ns, body FROM entry WHERE number = ?", like
    )[0]
    link = chain.link_of(before, number, ordinal, "distress", utc_ns, body)
    order = "REPLACE INTO entry (number, ordinal, lane, journaled_utc_ns, before, link, body)"
    values = (number, ordinal, "distress", utc_ns, before, link, body)
    changed(path, f"{order} VALUES (?, ?, ?, ?, ?, ?, ?)", *values)


@pytest.mark.parametrize(
    ("number", "ordinal", "what", "words"),
    [
        (999, 151, "chain", "row 999 stands behind the end"),
        (300, 150, "chain", "row 300 is not the end of the chain"),
        (8, 3, "gaps", "row 3 of entry stands before number 8, out of order"),
    ],
)
def test_a_true_row_where_none_belongs_is_found(begun, number, ordinal, what, words):
    forged(begun, number, ordinal, like=7)

    assert words in failing(begun)[what]


def test_a_row_that_claims_to_be_of_before_the_chain_is_found(house, plan):
    path = Path(plan.path)
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.decompress(V1.read_bytes()))

    async def opened():
        async with house.opened(plan):
            pass

    house.run(opened())
    assert failing(plan.path) == {}
    forged(plan.path, 7, 1, like=7)

    assert failing(plan.path) == {"chain": ("row 7 is of before the chain, and says otherwise",)}


def test_a_value_that_was_never_written_keeps_no_station_off_watch(house, plan, begun):
    """SQLite itself finds what a column can't hold; the row is set aside like any other."""
    with closing(sqlite3.connect(begun, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE entry SET lane = 'maydax' WHERE number = 7")
    assert changed(begun, "PRAGMA quick_check") == [("CHECK constraint failed in entry",)]

    async def story():
        async with house.opened(plan) as journal:
            owed = await journal.pending("shore", (Lane.DISTRESS,), limit=2)
            return [entry.number for entry in owed], journal.counts().quarantined

    assert house.run(story()) == ([1, 13], 1)


def test_a_row_set_aside_whose_place_is_damaged_too_excuses_no_other(house, plan, begun):
    changed(begun, "UPDATE entry SET body = x'81' WHERE number = 7")

    async def story():
        async with house.opened(plan) as journal:
            await journal.entries(limit=99)

    house.run(story())
    changed(begun, "UPDATE quarantine SET ordinal = NULL")

    assert failing(begun)["gaps"] == ("row 4 of entry missing, before number 9",)


@pytest.mark.usefixtures("begun")
def test_a_row_that_is_gone_before_it_is_set_aside_is_no_matter(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            journal._disk._shelves.damaged.append(("entry", 999))
            await journal.append([])
            return len(await journal.entries(limit=5)), journal.counts().quarantined

    assert house.run(story()) == (5, 0)


def test_a_damaged_row_is_set_aside_counted_and_never_served(house, plan, begun):
    changed(begun, "UPDATE entry SET body = x'81' WHERE number = 7")
    changed(begun, "UPDATE routine SET body = x'' WHERE number = 290")

    async def story():
        async with house.opened(plan) as journal:
            before = journal.counts()
            owed = await journal.pending("shore", (Lane.DISTRESS,), limit=3)
            entries = await journal.entries(limit=999)
            after = journal.counts()
            await journal.append([house.ruling(1, "distress")])
            return before, [each.number for each in owed], entries, after

    before, owed, entries, after = house.run(story())

    assert before.quarantined == 0
    assert owed == [1, 13, 19]
    assert not {7, 290} & {entry.number for entry in entries}
    assert (after.quarantined, after.rows["distress"]) == (2, before.rows["distress"] - 1)
    assert after.outbox == {"shore": 149, "local": 149}
    assert changed(begun, "SELECT shelf, number, body FROM quarantine") == [
        ("entry", 7, b"\x81"),
        ("routine", 290, b""),
    ]
    assert failing(begun) == {
        "checksums": ("row 7 (entry) was set aside", "row 290 (routine) was set aside")
    }


def test_a_damaged_row_is_not_served_either_by_a_disk_that_takes_nothing(house, plan, begun):
    changed(begun, "UPDATE entry SET body = x'81' WHERE number = 7")

    async def story():
        async with house.opened(plan) as journal:
            journal._disk._db.execute("ALTER TABLE quarantine RENAME TO elsewhere")
            owed = await journal.pending("shore", (Lane.DISTRESS,), limit=3)
            journal._disk._db.execute("ALTER TABLE elsewhere RENAME TO quarantine")
            return [entry.number for entry in owed], journal.counts()

    owed, counts = house.run(story())

    assert owed == [1, 13]
    assert (counts.quarantined, counts.failures) == (0, 1)


def test_a_file_of_the_release_before_is_taken_over_whole(house, plan):
    path = Path(plan.path)
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.decompress(V1.read_bytes()))
    with pytest.raises(JournalFailed, match="no links yet"):
        proof_of(plan.path)
    before = changed(
        plan.path, "SELECT number, body FROM entry UNION SELECT number, body FROM routine"
    )

    async def story():
        async with house.opened(plan) as journal:
            old = await journal.entries(limit=99)
            owed = await journal.pending("shore", ALL, limit=99)
            (new,) = await journal.append([house.ruling(60, "distress")])
            return journal.epoch, old, owed, new, journal.counts()

    epoch, old, owed, new, counts = house.run(story())

    assert epoch == "bdc908ebea8f0eb5"
    assert set(before) <= {(entry.number, entry.body) for entry in old}
    assert len(old) == counts.number_last - 1 - 6
    assert len(owed) == 27
    assert (new.number, counts.quarantined) == (61, 0)
    first = next(one.body for one in old if one.number == 1)
    told = msgspec.msgpack.decode(encode_item(house.ruling(0, "distress")))
    del told["sighting"]["incident"]  # that release knew of none
    assert msgspec.msgpack.decode(first) == told
    assert proof_of(plan.path).holds, proof_of(plan.path)


@pytest.mark.parametrize(("file", "last"), [(V2, 120), (V3, 180), (V4, 240)])
def test_the_release_before_left_a_file_that_is_taken_over_whole(house, plan, file, last):
    """With a chain, entries thrown away and on record, and different outboxes."""
    path = Path(plan.path)
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.decompress(file.read_bytes()))
    before = proof_of(plan.path)
    orders = (
        "SELECT number, body FROM entry UNION SELECT number, body FROM unread",
        "SELECT * FROM outbox",
    )
    rows, owed = (changed(plan.path, order) for order in orders)

    async def story():
        async with house.opened(plan) as journal:
            entries = {(one.number, one.body) for one in await journal.entries(limit=999)}
            found = [
                (link, one.number)
                for link in house.links
                for one in await journal.pending(link, ALL, limit=99)
            ]
            return entries, found, journal.counts()

    entries, found, counts = house.run(story())

    assert before.holds
    assert proof_of(plan.path) == before
    assert set(rows) <= entries
    assert len(entries) == sum(before.rows.values())
    assert sorted(found) == sorted((link, number) for link, _, number in owed)
    assert (counts.number_last, counts.quarantined, counts.aside) == (last, 0, {})


def test_damage_to_a_row_of_the_release_before_is_found_too(house, plan):
    path = Path(plan.path)
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.decompress(V1.read_bytes()))

    async def opened():
        async with house.opened(plan) as journal:
            return [entry.number for entry in await journal.entries(limit=3)]

    house.run(opened())
    changed(plan.path, "UPDATE entry SET body = x'81' WHERE number = 3")

    assert failing(plan.path) == {"checksums": ("row 3 (entry) is not as it was written",)}
    assert house.run(opened()) == [1, 4, 5]


def test_what_the_file_says_of_itself_is_proven_before_a_number_is_given(house, plan, begun):
    """A number is never given twice in an epoch: with a doubt about the last one begins another."""

    async def epoch():
        async with house.opened(plan) as journal:
            return journal.epoch, list(journal.counts().aside)

    before, _ = house.run(epoch())
    changed(begun, "UPDATE journal SET number_last = 3")
    after, aside = house.run(epoch())

    assert after != before
    assert aside == ["journal.db.damaged-1"]


def test_rows_are_proven_while_others_are_written(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            for first in range(0, 600, 60):
                told = journal.append(mixed(house, first, 60))
                proof = await asyncio.to_thread(proof_of, plan.path)
                assert proof.holds, proof
                await told

    house.run(story())
