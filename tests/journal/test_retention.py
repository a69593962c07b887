"""When distress, urgency and safety may be thrown away, and what is written down about it."""

import msgspec
import pytest

from gateway.journal import retention, sql
from gateway.journal.proving import proof_of
from gateway.model.words import ClockState

KEEP_H = 48


async def later(journal, clock, hours, step_h=1.0):
    """Let hours pass; something routine is heard now and then."""
    for _ in range(round(hours / step_h)):
        clock.pass_h(step_h)
        await journal.append([])


async def kept(journal):
    return [entry.number for entry in await journal.entries(limit=9999)]


def urgent(house, count):
    return [house.ruling(n, ("distress", "urgency", "safety")[n % 3]) for n in range(count)]


async def told(journal, numbers, links=("shore", "local")):
    for link in links:
        await journal.strike(link, numbers)


def test_what_every_link_has_taken_goes_after_its_time_and_not_before(house, plan, clock):
    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 6))
            await told(journal, [1, 2, 3, 5])
            await journal.strike("shore", [6])
            await later(journal, clock, KEEP_H - 1)
            before = await kept(journal)
            await later(journal, clock, 3)
            return before, await kept(journal), journal.counts()

    before, after, counts = house.run(story())
    proof = proof_of(plan.path)

    assert before == [1, 2, 3, 4, 5, 6]
    assert after == [4, 6]
    assert (counts.rows["distress"], counts.rows["urgency"], counts.rows["safety"]) == (1, 0, 1)
    assert counts.outbox == {"shore": 1, "local": 2}
    assert proof.holds, proof
    assert proof.gone["entry"] == 4
    assert proof.findings[-2].proof == "2 records of entries thrown away"


def test_a_record_of_what_went_excuses_nothing_else(house, plan, clock):
    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 6))
            await told(journal, [4, 5])
            await later(journal, clock, KEEP_H + 2)
            journal._disk._db.execute("DELETE FROM entry WHERE number IN (1, 3, 6)")

    house.run(story())
    faults = {one.what: one.faults for one in proof_of(plan.path).findings if one.faults}

    assert faults["gaps"] == (
        "row 1 of entry missing, before number 2",
        "row 3 of entry missing, at the end",
        "row 6 of entry missing, at the end",
    )


def test_an_outbox_of_a_link_no_longer_configured_keeps_nothing(house, plan, clock):
    async def story():
        async with house.opened(plan, links=("old", "new"), clock=clock) as journal:
            await journal.append(urgent(house, 3))
            await told(journal, [1, 2, 3], links=("new",))
        async with house.opened(plan, links=("new",), clock=clock) as journal:
            await later(journal, clock, KEEP_H + 2)
            return await kept(journal), journal.counts().outbox

    assert house.run(story()) == ([], {"old": 0, "new": 0})
    assert proof_of(plan.path).holds


def test_rows_of_an_earlier_run_are_judged_by_the_time_of_day(house, plan, clock):
    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 2))
            await told(journal, [1, 2])
            clock.pass_h(1.5)
            await journal.append(urgent(house, 2))
            await told(journal, [3, 4])
        clock.mono_h, clock.utc_h = 0.0, clock.utc_h + KEEP_H - 1  # the box was off meanwhile
        clock.state = ClockState.NTP
        async with house.opened(plan, clock=clock) as journal:
            await journal.append([])
            return await kept(journal)

    assert house.run(story()) == [3, 4]


def test_a_clock_that_runs_free_judges_no_row_of_an_earlier_run(house, plan, clock):
    """It may have come up 1024 weeks ahead; then the rows wait until this run is old enough."""

    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 2))
            await told(journal, [1, 2])
        clock.mono_h, clock.utc_h = 0.0, clock.utc_h + 1024 * 7 * 24
        async with house.opened(plan, clock=clock) as journal:
            await later(journal, clock, KEEP_H - 1)
            before = await kept(journal)
            await later(journal, clock, 3)
            return before, await kept(journal)

    assert house.run(story()) == ([1, 2], [])


@pytest.mark.parametrize("leap_h", [-1e5, -20.0, 20.0, 24 * 365 * 20.0])
def test_a_clock_that_leaps_costs_no_entry_of_this_run(house, plan, clock, leap_h):
    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 3))
            await told(journal, [1, 2, 3])
            clock.utc_h += leap_h
            await later(journal, clock, KEEP_H - 1)
            before = await kept(journal)
            await later(journal, clock, 3)
            return before, await kept(journal)

    assert house.run(story()) == ([1, 2, 3], [])


def test_an_unset_clock_judges_nothing_and_what_it_dated_waits_for_proof(house, plan, clock):
    async def story():
        clock.utc_h, clock.state = -400_000.0, ClockState.UNSET
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 3))
            await told(journal, [1, 2, 3])
        async with house.opened(plan, clock=clock) as journal:
            clock.utc_h, clock.state = 100.0, ClockState.FREE
            await later(journal, clock, KEEP_H - 1)
            before = await kept(journal)
            await later(journal, clock, 3)
            return before, await kept(journal)

    assert house.run(story()) == ([1, 2, 3], [])


def test_a_longer_time_may_be_asked_for(house, plan, clock):
    plan = msgspec.structs.replace(plan, keep_hours=100)

    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 1))
            await told(journal, [1])
            await later(journal, clock, 99)
            before = await kept(journal)
            await later(journal, clock, 3)
            return before, await kept(journal)

    assert house.run(story()) == ([1], [])


def test_many_go_in_bites_and_the_records_of_it_stay_few(house, plan, clock):
    count = 3 * retention.BITE_ROWS + 5

    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, count))
            await told(journal, range(1, count + 1))
            await later(journal, clock, KEEP_H + 1, step_h=KEEP_H + 1)
            left = []
            for _ in range(5):
                left.append(len(await kept(journal)))
                await journal.append([])
            return left

    assert house.run(story()) == [count - retention.BITE_ROWS * n for n in (1, 2, 3)] + [0, 0]
    assert proof_of(plan.path).holds
    assert proof_of(plan.path).gone["entry"] == count


def test_a_damaged_entry_is_set_aside_and_not_thrown_away(house, plan, clock):
    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 3))
            await told(journal, [1, 2, 3])
            journal._disk._db.execute("UPDATE entry SET body = x'81' WHERE number = 2")
            await later(journal, clock, KEEP_H + 2)
            return await kept(journal), journal.counts().quarantined

    assert house.run(story()) == ([], 1)
    faults = [finding.faults for finding in proof_of(plan.path).findings if finding.faults]
    assert faults == [("row 2 (entry) was set aside",)]


def test_a_round_that_fails_costs_nobody_a_commit_and_is_tried_again(
    house, plan, clock, monkeypatch
):
    async def story():
        async with house.opened(plan, clock=clock) as journal:
            await journal.append(urgent(house, 3))
            await told(journal, [1, 2, 3])
            with monkeypatch.context() as patch:
                patch.setattr(sql, "INSERT_TRIM", "INSERT INTO nowhere VALUES (1)")
                await later(journal, clock, KEEP_H + 1)
                failed = await kept(journal), journal.counts().failures
            await later(journal, clock, 2)
            return failed, await kept(journal)

    assert house.run(story()) == (([1, 2, 3], 2), [])
    assert proof_of(plan.path).holds
