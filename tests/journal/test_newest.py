"""The newest word of each incident is found again: after each transaction, and any damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from incidents_made import incident

from gateway.journal import newest, sql
from gateway.journal.failed import JournalFailed
from gateway.journal.proving import proof_of
from gateway.journal.rows import ENTRY, RANKED, Row
from gateway.model.entry import Lane
from gateway.model.incident import IncidentNote

KEEP_H = 48


def note(name, revision=1, **fields):
    told = incident(incident_id=name, revision=revision)
    return IncidentNote(incident=told, change="it has moved", **fields)


async def stood(journal, limit=99):
    """Return what stood: names with their revision; those that are off the board apart."""
    found = await journal.stood(limit=limit)
    words = [(one.incident.incident_id, one.incident.revision, one.gone) for _, one in found.notes]
    return (
        {name: revision for name, revision, gone in words if not gone},
        {name for name, _, gone in words if gone},
        (found.damaged, found.unread),
    )


def changed(path, order, *values):
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        return db.execute(order, values).fetchall()


@pytest.fixture
def after(house, plan):
    """Keep these notes, end, change the file, and return what stands at the next opening."""

    def after(notes, *orders):
        async def kept():
            async with house.opened(plan) as journal:
                await journal.append(notes)

        async def found():
            async with house.opened(plan) as journal:
                return await stood(journal), journal.counts()

        house.run(kept())
        for order in orders:
            changed(plan.path, order)
        return house.run(found())

    return after


TOLD = [note("a"), note("b"), note("a", 2), note("c"), note("b", 2, gone=True)]


def test_the_newest_word_of_each_is_found_at_the_next_opening(after):
    assert after(TOLD)[0] == ({"a": 2, "c": 1}, {"b"}, (0, 0))


def test_an_older_word_that_the_disk_took_late_takes_nobodys_place(after):
    """What a failing disk could not take is journaled when it can be, behind what came since."""
    late = [note("a", 3), note("a", 2), note("b", 4, gone=True), note("b", 2)]

    assert after(late)[0] == ({"a": 3}, {"b"}, (0, 0))


def test_what_begins_again_after_its_end_stands(after):
    assert after([*TOLD, note("b", 3)])[0] == ({"a": 2, "b": 3, "c": 1}, set(), (0, 0))


def test_the_entry_of_each_is_the_one_that_was_told(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            entries = await journal.append(TOLD)
            found = await journal.stood(limit=99)
            return entries, found.notes

    entries, found = house.run(story())

    assert [entry.number for entry, _ in found] == [3, 5, 4]
    assert all(entry.body == entries[entry.number - 1].body for entry, _ in found)
    assert [one.change for _, one in found] == ["it has moved"] * 3


def test_many_are_asked_for_in_parts(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([note(f"{n:04x}") for n in range(10)])
            names, asked = [], ""
            while asked is not None:
                found = await journal.stood(after=asked, limit=4)
                names.append([one.incident.incident_id for _, one in found.notes])
                asked = found.after
            return names

    assert [len(names) for names in house.run(story())] == [4, 4, 2]


def test_a_transaction_that_fails_leaves_the_word_before_it(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([note("a")])
            journal._disk._db.execute("ALTER TABLE shelf RENAME TO elsewhere")
            with pytest.raises(JournalFailed):
                await journal.append([note("a", 2), note("b")])
            journal._disk._db.execute("ALTER TABLE elsewhere RENAME TO shelf")
            await journal.append([house.ruling(1, "distress")])
            return await stood(journal)

    assert house.run(story()) == ({"a": 1}, set(), (0, 0))


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE entry SET body = x'81' WHERE number = 3",
        "DELETE FROM entry WHERE number = 3",
        "UPDATE standing SET number = 1 WHERE incident = 'a'",
        "UPDATE standing SET number = 4 WHERE incident = 'a'",
        "UPDATE standing SET number = 999 WHERE incident = 'a'",
        "UPDATE standing SET revision = 9 WHERE incident = 'a'",
        "UPDATE standing SET gone = 1 WHERE incident = 'a'",
        "UPDATE standing SET gone = 7 WHERE incident = 'a'",
        "UPDATE standing SET incident = 'A' WHERE incident = 'a'",
    ],
)
def test_damage_costs_one_incident_its_place_and_is_counted(after, order):
    found, counts = after(TOLD, order)

    assert found == ({"c": 1}, {"b"}, (1, 0))
    assert counts.aside == {}


def test_a_value_that_was_never_written_keeps_no_station_off_watch(after, plan):
    """SQLite itself finds what a column can't hold."""
    after(TOLD)
    with closing(sqlite3.connect(plan.path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        words = "UPDATE sqlite_schema SET sql = replace(sql, 'number INTEGER', 'number ANY')"
        db.execute(f"{words} WHERE name = 'standing'")
    with closing(sqlite3.connect(plan.path, isolation_level=None)) as db:
        db.execute("UPDATE standing SET number = 'x' WHERE incident = 'a'")
        db.execute("PRAGMA writable_schema = ON")
        words = "UPDATE sqlite_schema SET sql = replace(sql, 'number ANY', 'number INTEGER')"
        db.execute(f"{words} WHERE name = 'standing'")
    assert changed(plan.path, "PRAGMA quick_check") == [("non-INTEGER value in standing.number",)]

    found, counts = after([])

    assert found == ({"c": 1}, {"b"}, (1, 0))
    assert counts.aside == {}


def test_a_note_of_another_release_is_counted_and_costs_no_other(house, plan):
    """It stays where it is: that release may come back."""
    strange = {"incident": {"incident_id": "d", "revision": 3}, "change": "?", "more": 1}
    row = Row(None, Lane.URGENCY, ENTRY, msgspec.msgpack.encode(strange))

    async def story():
        async with house.opened(plan) as journal:
            await journal.append(TOLD)
            journal._disk.write([lambda: journal._disk.append((row,))])
        async with house.opened(plan) as journal:
            return await stood(journal), await stood(journal)

    assert house.run(story()) == (({"a": 2, "c": 1}, {"b"}, (0, 1)),) * 2


def test_what_begins_like_a_note_and_is_none_is_kept_as_an_entry_and_stands_nowhere(house, plan):
    strange = msgspec.msgpack.encode({"incident": 7, "change": "?"})
    row = Row(None, Lane.URGENCY, ENTRY, strange)

    async def story():
        async with house.opened(plan) as journal:
            await journal.append(TOLD)
            journal._disk.write([lambda: journal._disk.append((row,))])
        async with house.opened(plan) as journal:
            bodies = [entry.body for entry in await journal.entries(limit=99)]
            return await stood(journal), len(bodies), bodies[-1]

    assert house.run(story()) == (({"a": 2, "c": 1}, {"b"}, (0, 0)), 6, strange)


def test_what_stands_is_kept_for_as_long_as_it_stands(house, plan, clock):
    """Its time is over and each link has taken it: all the others go."""

    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(TOLD)
            for link in house.links:
                await journal.strike(link, [1, 2, 3, 4, 5])
            for _ in range(KEEP_H + 2):
                clock.pass_h(1.0)
                await journal.append([])
            kept = [entry.number for entry in await journal.entries(limit=99)]
            return kept, await stood(journal), journal._disk._db.execute(sql.STOOD).fetchall()

    kept, found, rows = house.run(story())

    assert kept == [3, 4]
    assert found == ({"a": 2, "c": 1}, set(), (0, 0))
    assert sorted(rows) == [(3,), (4,)]
    assert proof_of(plan.path).holds


def test_no_more_are_remembered_than_there_is_room_for(after, monkeypatch):
    monkeypatch.setattr(newest, "STANDING_MAX", 2)
    monkeypatch.setattr(newest, "GONE_MAX", 1)
    ended = [note(name, 2, gone=True) for name in "xyz"]

    found, _ = after([note("a"), note("b"), note("c"), *ended])

    assert found == ({"b": 1, "c": 1}, {"z"}, (0, 0))


@pytest.mark.parametrize("rotten", ["", "standing"])
def test_what_stood_in_a_damaged_journal_stands_in_the_new_one(house, plan, rotten):
    """Also what every link has signed for; and an index that can't be read is not needed."""

    async def kept():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1, "distress"), *TOLD])
            for link in house.links:
                await journal.strike(link, [1, 2, 3, 4, 5])

    async def found():
        async with house.opened(plan) as journal:
            owed = [len(await journal.pending(link, RANKED, limit=99)) for link in house.links]
            return await stood(journal), owed, journal.counts().aside

    house.run(kept())
    with closing(sqlite3.connect(plan.path, isolation_level=None)) as db:
        db.execute("UPDATE journal SET number_last = 3")
        if rotten:
            db.execute(f"DROP TABLE {rotten}")
    told, owed, aside = house.run(found())

    assert told == ({"a": 2, "c": 1}, {"b"}, (0, 0))
    assert owed == [1, 1]
    assert aside == {"journal.db.damaged-1": 1}
    assert Path(f"{plan.path}.damaged-1").exists()
