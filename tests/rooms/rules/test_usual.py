"""What is usual at an hour of the day is learned slowly, forgotten slowly, and never guessed."""

from __future__ import annotations

import pytest

from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules.usual import DAYS_MAX, DAYS_MIN, HOUR_NS, HOURS, Usual

NOON_NS = 490_000 * HOUR_NS
"""Some hour since 1970, at its first moment."""
STEP_S = 10


def at(hour, second=0.0, clock=ClockState.NTP):
    """Return a moment so far after the first hour."""
    passed_ns = hour * HOUR_NS + round(second * 1e9)
    return Moment(passed_ns, NOON_NS + passed_ns, clock)


def listen(usual, hour, count, *, listens=True, clock=ClockState.NTP):
    """Listen through an hour, in which so many are decoded, evenly."""
    for step in range(3600 // STEP_S):
        usual.tick(at(hour, step * STEP_S, clock), listens=listens)
        told = count * (step + 1) * STEP_S // 3600 - count * step * STEP_S // 3600
        for _ in range(told):
            usual.heard(at(hour, step * STEP_S, clock))


def learned(counts):
    """Return what has heard so many at the first hour of each day, and nothing at the others."""
    usual = Usual()
    for day, count in enumerate(counts):
        listen(usual, day * HOURS, count)
        usual.tick(at(day * HOURS + 1), listens=True)
    return usual


def test_for_a_week_nothing_is_usual():
    assert learned([100] * (DAYS_MIN - 1)).usual(at(0)) is None
    assert learned([100] * DAYS_MIN).usual(at(0)) == 100


def test_one_day_that_was_out_counts_for_nothing_and_two_do():
    assert learned([100, 0, *[100] * 6]).usual(at(0)) == 100
    assert learned([100, 0, 40, *[100] * 6]).usual(at(0)) == 40
    assert learned([*[100] * DAYS_MIN, 40, 40]).usual(at(0)) == 40


def test_each_hour_of_the_day_has_its_own():
    usual = learned([100] * DAYS_MIN)

    assert usual.usual(at(1)) is None


def test_what_is_remembered_is_a_fortnight():
    usual = learned([60, 60, *[100] * DAYS_MAX])

    assert usual.usual(at(0)) == 100
    assert max(map(len, usual.keep().days)) == DAYS_MAX


@pytest.mark.parametrize(("listens", "clock"), [(False, ClockState.NTP), (True, ClockState.UNSET)])
def test_an_hour_without_ears_or_without_a_clock_teaches_nothing(listens, clock):
    usual = learned([100] * DAYS_MIN)
    before = usual.keep().days
    listen(usual, DAYS_MIN * HOURS, 0, listens=listens, clock=clock)
    usual.tick(at(DAYS_MIN * HOURS + 1), listens=True)

    assert usual.keep().days == before


def test_an_hour_in_which_the_process_stood_still_teaches_nothing():
    usual = learned([100] * DAYS_MIN)
    before = usual.keep().days
    usual.tick(at(DAYS_MIN * HOURS), listens=True)
    usual.tick(at(DAYS_MIN * HOURS, 3599), listens=True)
    usual.tick(at(DAYS_MIN * HOURS + 1), listens=True)

    assert usual.keep().days == before


def silence(usual, hour, until_s):
    """Say when nothing heard in this hour is found to be too little, in seconds; None for not."""
    for step in range(until_s // STEP_S + 1):
        now = at(hour, step * STEP_S)
        usual.tick(now, listens=True)
        if usual.low(now) is not None:
            return step * STEP_S
    return None


@pytest.mark.parametrize(
    ("usually", "found_s"),
    [(0, None), (19, None), (40, 1800), (120, 600), (3600, 600)],
    ids=["never", "seldom", "sometimes", "often", "always"],
)
def test_silence_is_low_only_where_twenty_are_usual_and_for_ten_minutes(usually, found_s):
    usual = learned([usually] * DAYS_MIN)

    assert silence(usual, DAYS_MIN * HOURS, 3590) == found_s


def test_silence_ends_with_what_is_heard_and_counts_no_time_without_ears():
    usual = learned([120] * DAYS_MIN)
    hour = DAYS_MIN * HOURS
    assert silence(usual, hour, 600) == 600
    usual.heard(at(hour, 601))
    assert usual.low(at(hour, 601)) is None
    usual.tick(at(hour, 1300), listens=False)
    assert usual.low(at(hour, 1300)) is None


@pytest.mark.parametrize(("count", "is_low"), [(99, True), (100, False)])
def test_a_whole_hour_with_less_than_a_tenth_is_low(count, is_low):
    usual = learned([1000] * DAYS_MIN)
    hour = DAYS_MIN * HOURS
    listen(usual, hour, count)
    now = at(hour + 1)
    usual.tick(now, listens=True)
    low = usual.low(now)

    assert (low is not None) is is_low
    if low is not None:
        assert (low.since_ns, low.words) == (
            hour * HOUR_NS,
            "99 were decoded in an hour in which 1000 are usual",
        )


def test_an_hour_in_which_few_are_usual_is_never_low():
    usual = learned([49] * DAYS_MIN)
    hour = DAYS_MIN * HOURS
    listen(usual, hour, 1)
    usual.heard(at(hour, 3599))
    usual.tick(at(hour + 1), listens=True)

    assert usual.low(at(hour + 1)) is None


def test_two_low_hours_are_low_since_the_first_and_what_is_put_in_then_is_not():
    usual = Usual()
    for day in range(DAYS_MIN):
        for hour in (0, 1):
            listen(usual, day * HOURS + hour, 1000)
        usual.tick(at(day * HOURS + 2), listens=True)
    for hour in (0, 1):
        listen(usual, DAYS_MIN * HOURS + hour, 20)
    now = at(DAYS_MIN * HOURS + 2)
    usual.tick(now, listens=True)
    assert usual.low(now).since_ns == DAYS_MIN * HOURS * HOUR_NS
    usual.tick(at(DAYS_MIN * HOURS + 2, 1), listens=False)
    assert usual.low(now) is not None
    usual.begin_anew()
    assert usual.low(now) is None


def days(usual, first, count, per_hour):
    """Listen through whole days, each hour of which has so many."""
    for hour in range(first * HOURS, (first + count) * HOURS):
        listen(usual, hour, per_hour)
    usual.tick(at((first + count) * HOURS), listens=True)
    return at((first + count) * HOURS)


@pytest.mark.parametrize("per_hour", [0, 5])
def test_a_deaf_receiver_is_not_forgotten_by_a_restart_nor_learned_in_days(per_hour):
    usual = Usual()
    days(usual, 0, 8, 200)
    now = days(usual, 8, 3, per_hour)
    since_ns = usual.low(now).since_ns
    anew = Usual()
    anew.tick(now, listens=True)
    anew.restore(usual.keep(), now)
    assert anew.low(now).since_ns == pytest.approx(since_ns, abs=1e9)
    now = days(anew, 11, 5, per_hour)

    assert anew.low(now) is not None
    assert anew.usual(now) == 200


def test_a_change_for_good_is_learned_once_it_has_lasted_for_a_fortnight():
    usual = Usual()
    days(usual, 0, 8, 200)
    now = days(usual, 8, DAYS_MAX - 1, 10)
    assert (usual.usual(now), usual.low(now) is not None) == (200, True)
    now = days(usual, 8 + DAYS_MAX - 1, 1, 10)

    assert (usual.usual(now), usual.low(now)) == (10, None)
    assert not any(usual.keep().aside)


def test_a_day_that_is_well_again_begins_the_fortnight_anew():
    usual = Usual()
    days(usual, 0, 8, 200)
    days(usual, 8, DAYS_MAX - 1, 10)
    days(usual, 8 + DAYS_MAX - 1, 2, 200)
    now = days(usual, 8 + DAYS_MAX + 1, 1, 10)

    assert usual.usual(now) == 200


def repaired(usual, hour, per_hour, second=0):
    """Say how long after its repair a low receiver is found well, in seconds; None for not."""
    found = None
    for step in range(3600 // STEP_S):
        now = at(hour, second + step * STEP_S)
        for _ in range(per_hour * (step + 1) * STEP_S // 3600 - per_hour * step * STEP_S // 3600):
            usual.heard(now)
        usual.tick(now, listens=True)
        if found is None and usual.low(now) is None:
            found = step * STEP_S
    return found


@pytest.mark.parametrize(
    ("usually", "per_hour", "found_s"),
    [(1000, 1000, 600), (200, 200, 610), (60, 60, 660), (200, 10, None)],
)
def test_what_is_repaired_is_well_after_ten_minutes_of_the_usual(usually, per_hour, found_s):
    usual = Usual()
    now = days(usual, 0, 8, usually)
    listen(usual, 8 * HOURS, 0)
    usual.tick(now := at(8 * HOURS + 1), listens=True)
    assert usual.low(now) is not None
    found = repaired(usual, 8 * HOURS + 1, per_hour)

    assert found == (None if found_s is None else pytest.approx(found_s, abs=70))
    assert found is None or found >= 600


def test_at_an_hour_of_which_nothing_is_known_nothing_is_found_to_be_well():
    usual = learned([200] * DAYS_MIN)
    listen(usual, DAYS_MIN * HOURS, 0)

    assert repaired(usual, DAYS_MIN * HOURS + 1, 400) is None


def test_silence_goes_on_over_a_restart():
    usual = learned([40] * DAYS_MIN)
    hour = DAYS_MIN * HOURS
    assert silence(usual, hour, 1500) is None
    anew = Usual()
    anew.restore(usual.keep(), at(hour, 1500))
    for second in range(1500, 1810, STEP_S):
        anew.tick(at(hour, second), listens=True)
    assert anew.low(at(hour, 1800)).since_ns == at(hour).mono_ns
    heard = Usual()
    heard.heard(at(hour, 1500))
    heard.restore(usual.keep(), at(hour, 1500))
    for second in range(1500, 1810, STEP_S):
        heard.tick(at(hour, second), listens=True)
    assert heard.low(at(hour, 1800)) is None


def test_an_hour_that_was_silent_for_too_long_is_not_learned():
    """Where forty are usual its sum says nothing; the half hour without one does."""
    usual = learned([40] * DAYS_MIN)
    before = usual.keep().days
    listen(usual, DAYS_MIN * HOURS, 0)
    usual.tick(at(DAYS_MIN * HOURS + 1), listens=True)

    assert usual.keep().days == before


def test_what_is_learned_outlives_a_restart_and_so_does_the_hour_that_is_counted():
    usual = learned([100] * DAYS_MIN)
    hour = DAYS_MIN * HOURS
    usual.tick(at(hour, -STEP_S), listens=True)
    for step in range(180):
        usual.tick(at(hour, step * STEP_S), listens=True)
        usual.heard(at(hour, step * STEP_S))
    kept = usual.keep()
    anew = Usual()
    anew.tick(at(hour, 1800), listens=True)
    anew.heard(at(hour, 1801))
    anew.restore(kept, at(hour, 1801))
    for step in range(181, 360):
        anew.tick(at(hour, step * STEP_S), listens=True)
        if step % 30 == 0:
            anew.heard(at(hour, step * STEP_S))
    anew.tick(at(hour + 1), listens=True)

    assert anew.usual(at(0)) == 100
    assert anew.keep().days[NOON_NS // HOUR_NS % HOURS][-1] == 186


def test_the_hour_of_another_time_is_not_gone_on_with():
    kept = learned([100] * DAYS_MIN).keep()
    anew = Usual()
    anew.tick(at(500), listens=True)
    anew.restore(kept, at(500))

    assert anew.keep().hour == NOON_NS // HOUR_NS + 500
    assert (anew.count, anew.keep().days) == (0, kept.days)
