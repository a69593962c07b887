"""What a month came to: what nobody knows is never kept, and no time is lost or doubled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.model.inbound import Moment
from gateway.model.listening import WatchState
from gateway.model.words import ClockState
from gateway.rules.availability import Account, AccountKept, Away, Month, missed
from gateway.rules.hours import Schedule

S = 10**9
ALWAYS = Schedule(())


def utc_ns(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


def at(text, mono_s=0, clock=ClockState.NTP):
    return Moment(mono_s * S, None if text is None else utc_ns(text), clock)


def counted(*steps):
    """Return the account of steps, each so many milliseconds in a state up to a time."""
    account = Account()
    for passed_ms, state, text in steps:
        clock = ClockState.NTP if text else ClockState.UNSET
        account.count(passed_ms, WatchState(state), at(text, clock=clock))
    return account


def told(account):
    return [(one.month, one.due_s, one.kept, one.unknown, one.enough) for one in account.months()]


NOV, DEC = "2026-11-15T12:00", "2026-12-01T00:00"


def test_only_what_was_kept_counts_and_what_is_unknown_is_said():
    steps = [(7000, "kept", NOV), (2000, "lapsed", NOV), (1000, "unknown", NOV)]

    assert told(counted(*steps)) == [("2026-11", 10.0, 0.7, 0.1, False)]


@pytest.mark.parametrize(("lapsed_ms", "kept", "enough"), [(10, 0.999, True), (11, 0.9989, False)])
def test_the_floor_is_999_of_a_thousand_and_no_share_is_rounded_up(lapsed_ms, kept, enough):
    """IMO resolution A.1001(25), 3.5."""
    ((_, due_s, share, _, is_enough),) = told(
        counted((10_000 - lapsed_ms, "kept", NOV), (lapsed_ms, "lapsed", NOV))
    )

    assert (due_s, share, is_enough) == (10.0, kept, enough)


@pytest.mark.parametrize(("passed_ms", "kept", "unknown"), [(10_000, 1.0, 0.0), (10_001, 0.0, 1.0)])
def test_of_time_that_nobody_watched_over_nobody_knows_anything(passed_ms, kept, unknown):
    ((*_, share, unknown_share, _),) = told(counted((passed_ms, "kept", NOV)))

    assert (share, unknown_share) == (kept, unknown)


def test_a_month_begins_and_the_one_before_is_told_beside_it():
    account = counted(
        (1000, "kept", NOV), (1000, "lapsed", DEC), (1000, "kept", "2027-01-01T00:00")
    )

    assert [month for month, *_ in told(account)] == ["2027-01", "2026-12"]


def test_time_of_no_known_month_is_counted_in_the_one_that_it_turns_out_to_be():
    account = counted((1000, "kept", None))
    assert told(account) == []
    account.count(1000, WatchState.LAPSED, at(NOV))
    account.count(2000, WatchState.UNKNOWN, at(None, clock=ClockState.UNSET))

    assert told(account) == [("2026-11", 4.0, 0.25, 0.5, False)]


def test_a_clock_that_is_set_back_was_wrong_before():
    """What was counted under the wrong date is of the month that it was."""
    account = counted((1000, "kept", NOV), (1000, "kept", "2030-01-01T00:00"), (2000, "kept", NOV))
    assert told(account) == [("2026-11", 4.0, 1.0, 0.0, True)]
    account = counted((1000, "kept", "2030-01-01T00:00"), (2000, "lapsed", NOV))
    assert told(account) == [("2026-11", 3.0, 0.33333, 0.0, False)]


BEFORE = "2026-11-30T23:59:55"


def told_over(account, *steps):
    """Return each month that is told of as over, a second in each step, `mono_s` after the last."""
    found, mono_s = [], 0
    for passed_s, text, clock in steps:
        mono_s += passed_s
        now = at(text, mono_s, clock)
        account.count(1000, WatchState.KEPT, now)
        month = account.over(now)
        found += [] if month is None else [(mono_s, month.month, month.due_s)]
    return found


NTP, FREE, UNSET = ClockState.NTP, ClockState.FREE, ClockState.UNSET


def test_a_month_is_over_once_ten_minutes_after_its_turn():
    steps = [(0, NOV, NTP), (1, DEC, NTP), (599, DEC, NTP), (1, DEC, NTP), (1, DEC, NTP)]

    assert told_over(Account(), *steps) == [(601, "2026-11", 1.0)]


def test_a_clock_that_nobody_vouches_for_has_a_day_to_be_set_right():
    steps = [(0, NOV, FREE), (1, DEC, FREE), (86_399, DEC, FREE), (1, DEC, FREE)]

    assert told_over(Account(), *steps) == [(86_401, "2026-11", 1.0)]


def test_a_clock_that_is_unset_or_steps_across_midnight_ends_no_month_and_loses_nothing():
    account = Account()
    steps = [(0, NOV, NTP), (60, None, UNSET), (60, "1970-01-01T00:00", UNSET), (700, NOV, NTP)]
    assert told_over(account, *steps) == []
    assert told(account) == [("2026-11", 4.0, 1.0, 0.0, True)]
    steps = [(0, DEC, NTP), (60, BEFORE, NTP), (60, DEC, NTP), (600, DEC, NTP)]
    assert told_over(account, *steps) == [(720, "2026-11", 6.0)]


def test_an_empty_battery_is_not_believed_and_whoever_sets_the_clock_back_is():
    account = counted((1000, "kept", NOV))
    account.count(1000, WatchState.KEPT, at("2026-08-01T00:00", clock=FREE))
    assert told(account) == [("2026-11", 2.0, 1.0, 0.0, True)]
    account.count(1000, WatchState.KEPT, at("2026-08-01T00:00"))
    assert told(account) == [("2026-08", 3.0, 1.0, 0.0, True)]


def test_a_month_that_was_told_of_and_was_not_over_is_told_of_again_when_it_is():
    account = Account()
    steps = [(0, NOV, NTP), (1, DEC, NTP), (600, DEC, NTP)]
    assert [month for _, month, _ in told_over(account, *steps)] == ["2026-11"]
    steps = [(0, NOV, NTP), (1, DEC, NTP), (600, DEC, NTP), (1, DEC, NTP)]
    assert told_over(account, *steps) == [(601, "2026-11", 4.0)]


def test_what_was_told_of_is_not_told_of_again_by_the_next_run():
    account = Account()
    told_over(account, (0, NOV, NTP), (1, DEC, NTP))
    kept = account.keep()
    anew = Account()
    anew.restore(kept, [])
    assert told_over(anew, (0, DEC, NTP), (600, DEC, NTP)) == [(600, "2026-11", 1.0)]
    again = Account()
    again.restore(anew.keep(), [])
    assert told_over(again, (0, DEC, NTP), (600, DEC, NTP)) == []


# ---- Over a restart -----------------------------------------------------------------------------


def away(text, mono_s=0, boot="b1", clock=ClockState.NTP):
    return Away(boot, mono_s * S, None if text is None else utc_ns(text), clock)


@pytest.mark.parametrize(
    ("before", "now", "boot", "passed"),
    [
        (away(NOV, 100), at("2027-05-01T00:00", 160), "b1", [("2027-05", 0), ("2027-04", 60_000)]),
        (away(NOV, 100), at(NOV, 160), "b1", [("2026-11", 60_000)]),
        (away(NOV, 100), at(NOV, 40), "b1", []),
        (away("2026-11-15T11:59", 900), at(NOV, 20), "b2", [("2026-11", 60_000)]),
        (away("2026-11-15T11:59", 900), at(NOV, 20, ClockState.FREE), "b2", [("2026-11", 20_000)]),
        (away(None, 900), at(NOV, 20), "b2", [("2026-11", 20_000)]),
        (away(NOV, 900), at(None, 20, ClockState.UNSET), "b2", [("", 20_000)]),
        (away(NOV, 900), at(None, 20, ClockState.UNSET), None, [("", 20_000)]),
        (away("2026-11-15T12:01", 900), at(NOV, 20), "b2", []),
        (
            away("2026-11-30T23:00"),
            at("2026-12-01T02:00"),
            "b2",
            [("2026-11", 3_600_000), ("2026-12", 7_200_000)],
        ),
    ],
    ids=[
        "same start, clock moved",
        "same start",
        "same start, nothing passed",
        "held clocks",
        "clock runs free",
        "clock was unknown",
        "clock is unset",
        "no name of the start",
        "clock was ahead",
        "turn of the month",
    ],
)
def test_the_time_between_two_runs_is_found_as_far_as_clocks_say_it(before, now, boot, passed):
    found = {}
    for month, due_ms in missed(before, ALWAYS, boot, now):
        found[month] = found.get(month, 0) + due_ms

    assert {month: due for month, due in found.items() if due} == {
        month: due for month, due in passed if due
    }


def test_a_year_away_is_two_months_of_which_nobody_knows():
    found = list(missed(away("2025-11-15T12:00"), ALWAYS, "b2", at(NOV)))

    assert sum(due_ms for _, due_ms in found) == 62 * 86_400_000
    assert found[0][0] == "2026-09"


@pytest.mark.parametrize(
    ("hours", "due_h"),
    [
        (("06:00-22:00",), 26),
        (("22:00-06:00",), 10),
        (("09:00-12:00", "06:00-10:00"), 6),
        (("13:00-14:00",), 2),
        (("00:00-01:00", "12:00-13:00"), 3),
    ],
    ids=["day", "night", "overlapping", "one hour", "edges"],
)
def test_of_the_time_between_only_what_was_due_counts(hours, due_h):
    """From noon to midnight, and all of the next day."""
    found = missed(away("2026-11-15T12:00"), Schedule(hours), "b2", at("2026-11-17T00:00"))

    assert sum(due_ms for _, due_ms in found) == due_h * 3_600_000


def test_what_was_counted_before_comes_before_what_this_run_has_counted():
    before = counted((1000, "kept", NOV), (3000, "kept", DEC)).keep()
    account = counted((2000, "kept", DEC))
    account.restore(before, [("2026-12", 5000)])

    assert told(account) == [
        ("2026-12", 10.0, 0.5, 0.5, False),
        ("2026-11", 1.0, 1.0, 0.0, True),
    ]


def test_the_turn_of_a_month_in_between_is_a_turn():
    account = Account()
    account.restore(
        AccountKept(Month("2026-11", 1000, 1000, 0)), [("2026-11", 500), ("2026-12", 700)]
    )

    assert told(account) == [
        ("2026-12", 0.7, 0.0, 1.0, False),
        ("2026-11", 1.5, 0.66666, 0.33333, False),
    ]
