"""What rooms remember in the journal: the newest word of each, and no damaged one."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from gateway.clock import Clock
from gateway.journal.failed import JournalFailed
from gateway.journal.remembered import Recalled
from gateway.journal.standing import StandingJournal


def remembered(house, plan, *words, order=None):
    """Remember these, one after the other; damage the file; return what the next run recalls."""

    async def kept():
        async with house.opened(plan) as journal:
            for one in words:
                await journal.remember(one, urgent=False)

    async def found():
        async with house.opened(plan) as journal:
            return await journal.recalled()

    house.run(kept())
    if order is not None:
        with closing(sqlite3.connect(plan.path, isolation_level=None)) as db:
            db.execute(order)
    return house.run(found())


def test_the_newest_word_of_each_is_there_after_a_restart(house, plan):
    found = remembered(house, plan, {"a": b"1", "b": b"1"}, {"a": b"2", "c": b""}, {"b": None})

    assert found == Recalled({"a": b"2", "c": b""})


@pytest.mark.parametrize(
    "order",
    [
        "UPDATE remembered SET body = x'32' WHERE name = 'a'",
        "UPDATE remembered SET name = 'A' WHERE name = 'a'",
        "UPDATE remembered SET proof = x'' WHERE name = 'a'",
    ],
)
def test_a_damaged_word_is_counted_and_costs_no_other(house, plan, order):
    assert remembered(house, plan, {"a": b"1", "b": b"1"}, order=order) == Recalled({"b": b"1"}, 1)


def test_a_word_is_kept_though_an_entry_beside_it_can_not_be(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            await journal.remember({"a": b"1"}, urgent=False)
            journal._disk._db.execute("ALTER TABLE shelf RENAME TO elsewhere")
            late = journal.append([house.ruling(2)]), journal.remember({"a": b"2"}, urgent=True)
            entries, word = await asyncio.gather(*late, return_exceptions=True)
            journal._disk._db.execute("ALTER TABLE elsewhere RENAME TO shelf")
            return type(entries), word, await journal.recalled()

    assert house.run(story()) == (JournalFailed, None, Recalled({"a": b"2"}))


def test_a_journal_that_is_closed_or_not_there_takes_no_word_and_says_so(house, plan):
    async def story():
        async with house.opened(plan) as journal:
            pass
        standing = StandingJournal(plan, station="kust", links=(), clock=Clock())
        for one in (journal, standing):
            with pytest.raises(JournalFailed):
                await one.remember({"a": b"1"}, urgent=True)
        return await standing.recalled()

    assert house.run(story()) == Recalled({})
