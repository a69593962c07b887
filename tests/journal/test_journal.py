"""What the journal promises while the disk is well."""

import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from gateway.journal import writer
from gateway.journal.failed import JournalFailed
from gateway.model.entry import Lane, encode_item
from gateway.model.plan import JournalPlan

ALL = (Lane.DISTRESS, Lane.URGENCY, Lane.SAFETY)


def numbers(entries):
    return [entry.number for entry in entries]


def test_numbers_follow_the_calls_without_gaps_and_go_on_after_a_restart(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            told = [journal.append([house.ruling(n), house.refusal(n)]) for n in range(50)]
            first = [number for future in told for number in numbers(await future)]
        async with house.opened(plan) as journal:
            return first, numbers(await journal.append([house.ruling(99)]))

    first, then = house.run(story())

    assert first == list(range(1, 101))
    assert then == [101]


def test_an_entry_carries_its_item_lane_body_and_the_time_of_its_commit(plan, house):
    item = house.ruling(1, "distress")

    async def story():
        async with house.opened(plan) as journal:
            (entry,) = await journal.append([item])
            (again,) = await journal.entries(limit=9)
            return journal.epoch, entry, again

    epoch, entry, again = house.run(story())

    assert (entry.epoch, entry.lane, entry.item) == (epoch, Lane.DISTRESS, item)
    assert entry.body == encode_item(item)
    assert entry.journaled_utc_ns
    assert again == msgspec.structs.replace(entry, item=None)


def test_a_body_read_back_tells_a_ruling_from_a_refusal(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1), house.refusal(2)])
            return await journal.entries(limit=9)

    ruling, refusal = (msgspec.msgpack.decode(entry.body) for entry in house.run(story()))

    assert ruling["sighting"]["report"]["raw"] == ["$CDDSC,1"]
    assert refusal["door"] == "framing"


def test_an_epoch_is_the_files_name_kept_for_its_life_and_new_for_a_new_file(plan, tmp_path, house):
    async def epoch(path):
        async with house.opened(JournalPlan(path=path)) as journal:
            return journal.epoch

    first = house.run(epoch(plan.path))
    again = house.run(epoch(plan.path))
    other = house.run(epoch(str(tmp_path / "other.db")))

    assert first == again
    assert first != other
    assert len(first) == 16


def test_the_outbox_gives_distress_before_urgency_before_safety_then_by_number(plan, house):
    lanes = ["safety", "routine", "distress", "urgency", "safety", "distress"]

    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(n, lane) for n, lane in enumerate(lanes)])
            every = await journal.pending("shore", ALL, limit=9)
            return every, await journal.pending("shore", (Lane.SAFETY,), limit=9)

    every, safety = house.run(story())

    assert numbers(every) == [3, 6, 4, 1, 5]
    assert [entry.lane for entry in every] == [
        "distress",
        "distress",
        "urgency",
        "safety",
        "safety",
    ]
    assert numbers(safety) == [1, 5]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_the_outbox_read_in_pages_is_the_outbox_read_whole(plan, house, limit):
    lanes = ["safety", "distress", "urgency", "safety", "distress", "distress", "urgency"]

    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(n, lane) for n, lane in enumerate(lanes)])
            whole = await journal.pending("local", ALL, limit=100)
            paged, after = [], None
            while page := await journal.pending("local", ALL, limit=limit, after=after):
                assert len(page) <= limit
                paged += page
                after = (page[-1].lane, page[-1].number)
            return whole, tuple(paged)

    whole, paged = house.run(story())

    assert len(whole) == len(lanes)
    assert whole == paged


def test_what_one_link_has_taken_still_waits_for_the_other_also_after_a_restart(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(n, "distress") for n in range(3)])
            await journal.strike("shore", [1, 3])
            await journal.strike("shore", [1, 77])
            await journal.strike("shore", [])
        async with house.opened(plan) as journal:
            shore = await journal.pending("shore", ALL, limit=9)
            local = await journal.pending("local", ALL, limit=9)
            return numbers(shore), numbers(local), journal.counts().outbox

    assert house.run(story()) == ([2], [1, 2, 3], {"shore": 1, "local": 3})


def test_a_link_no_longer_configured_keeps_its_outbox_and_a_new_one_begins_empty(plan, house):
    async def story():
        async with house.opened(plan, links=("old",)) as journal:
            await journal.append([house.ruling(1, "distress")])
        async with house.opened(plan, links=("new",)) as journal:
            await journal.append([house.ruling(2, "distress")])
            await journal.strike("never", [1])
            return journal.counts().outbox

    assert house.run(story()) == {"old": 1, "new": 1, "never": 0}


def test_a_refused_frame_that_looks_like_distress_is_kept_and_goes_out_behind_distress(plan, house):
    plan = msgspec.structs.replace(plan, refused_rows_max=1)

    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.refusal(n, distress_like=True) for n in range(5)])
            await journal.append([house.refusal(n) for n in range(5)])
            pending = await journal.pending("shore", (Lane.URGENCY,), limit=9)
            return numbers(pending), numbers(await journal.entries(limit=99))

    pending, kept = house.run(story())

    assert pending == [1, 2, 3, 4, 5]
    assert kept == [1, 2, 3, 4, 5, 10]


def test_a_marked_test_is_no_distress(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            return (await journal.append([house.ruling(1, "distress", mode="test")]))[0].lane

    assert house.run(story()) is Lane.SAFETY


def test_rings_keep_the_newest_and_throw_out_nothing_else(plan, house):
    plan = msgspec.structs.replace(plan, routine_rows_max=3, refused_rows_max=2)
    batch = [house.ruling(1), house.refusal(2), house.refusal(3, ""), house.ruling(4, "safety")]

    async def story():
        async with house.opened(plan) as journal:
            for _ in range(5):
                await journal.append(batch)
            return journal.counts(), numbers(await journal.entries(limit=99))

    counts, kept = house.run(story())

    assert kept == sorted([9, 13, 17, 14, 18, 15, 19, 4, 8, 12, 16, 20])
    assert counts.number_last == 20
    assert counts.rows == {
        "distress": 0, "urgency": 0, "safety": 5, "routine": 3, "refused": 2, "unread": 2,
    }  # fmt: skip


def test_a_ring_made_smaller_shrinks_and_numbers_outlive_their_rows(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(n) for n in range(100)])
        nothing = msgspec.structs.replace(plan, routine_rows_max=0)
        async with house.opened(nothing) as journal:
            await journal.append([])
            empty = await journal.entries(limit=99)
        async with house.opened(nothing) as journal:
            return empty, numbers(await journal.append([house.ruling(1)]))

    assert house.run(story()) == ((), [101])


def test_entries_are_read_from_a_number_on_and_no_more_than_asked(plan, house):
    batch = [house.ruling(1), house.refusal(2), house.refusal(3, ""), house.ruling(4, "safety")]

    async def story():
        async with house.opened(plan) as journal:
            await journal.append(batch * 3)
            return numbers(await journal.entries(first=3, limit=5))

    assert house.run(story()) == [3, 4, 5, 6, 7]


def test_one_transaction_takes_all_that_waits_and_the_counts_say_so(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            before = journal.counts()
            told = [journal.append([house.ruling(n)]) for n in range(1_000)]
            waiting = journal.backlog
            await told[-1]
            return before, waiting, journal.counts(), all(future.done() for future in told)

    before, waiting, after, all_told = house.run(story())

    assert (before.commits, before.number_last, before.backlog) == (0, 0, 0)
    assert waiting == 1_000
    assert all_told
    assert 0 < after.commits < 500
    assert (after.number_last, after.backlog, after.failures) == (1_000, 0, 0)
    assert 0 < after.commit_ms_last <= after.commit_ms_max
    assert after.size_bytes > before.size_bytes


def test_the_counts_are_right_again_after_a_restart(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1, "distress"), house.ruling(2), house.refusal(3)])
            before = journal.counts()
        async with house.opened(plan) as journal:
            return before, journal.counts()

    before, after = house.run(story())

    assert (before.number_last, before.rows, before.outbox) == (
        after.number_last, after.rows, after.outbox,
    )  # fmt: skip


def test_same_items_same_bodies(tmp_path, house):
    items = [house.ruling(1, "distress"), house.refusal(2), house.ruling(3)]

    async def bodies(name):
        async with house.opened(JournalPlan(path=str(tmp_path / name))) as journal:
            await journal.append(items)
            found = await journal.entries(limit=9)
            return [(entry.number, entry.lane, entry.body) for entry in found]

    assert house.run(bodies("a")) == house.run(bodies("b"))


def test_whoever_gives_up_waiting_harms_nobody(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            journal.append([house.ruling(1, "distress")]).cancel()
            await journal.append([house.ruling(2)])
            return numbers(await journal.entries(limit=9)), journal.backlog

    assert house.run(story()) == ([1, 2], 0)


def test_room_is_there_at_once_while_the_backlog_is_short(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await asyncio.wait_for(journal.room(), 0.1)
            told = journal.append([house.ruling(n) for n in range(writer.BACKLOG_MAX)])
            await journal.room()
            return journal.backlog, told.done()

    assert house.run(story()) == (0, True)


def test_closing_commits_what_waits_and_a_closed_journal_says_so(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            told = journal.append([house.ruling(1, "distress")])
            await journal.close()
            await journal.close()
            failures = []
            for attempt in (
                journal.append([house.ruling(2)]),
                journal.strike("shore", [1]),
                journal.entries(limit=1),
                journal.pending("shore", ALL, limit=1),
            ):
                with pytest.raises(JournalFailed, match="closed") as caught:
                    await attempt
                failures.append(caught.value)
            return numbers(await told), failures

    kept, failures = house.run(story())

    assert kept == [1]
    assert {failure.path for failure in failures} == {plan.path}
    assert not list(Path(plan.path).parent.glob("*-wal"))


def test_the_file_is_fully_synchronous_write_ahead_and_for_this_user_only(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1)])
            modes = journal._disk._db.execute("PRAGMA journal_mode").fetchone()
            return modes + journal._disk._db.execute("PRAGMA synchronous").fetchone()

    assert house.run(story()) == ("wal", 2)
    assert Path(plan.path).stat().st_mode & 0o007 == 0


def test_a_person_may_read_the_file_while_it_is_written(plan, house):
    async def story():
        async with house.opened(plan) as journal:
            await journal.append([house.ruling(1, "distress")])
            with sqlite3.connect(f"file:{plan.path}?mode=ro", uri=True) as reader:
                found = reader.execute("SELECT number, lane FROM entry").fetchall()
                await journal.append([house.ruling(2)])
            reader.close()
            return found

    assert house.run(story()) == [(1, "distress")]
