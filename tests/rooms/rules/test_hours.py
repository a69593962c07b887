"""Hours of the day: their edges, midnight, and a clock that can't tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.model.inbound import Moment
from gateway.model.words import ClockState
from gateway.rules.hours import Schedule, whole_days


def at(clock, error_ms=None, state=ClockState.NTP):
    utc = datetime.fromisoformat(f"2026-11-02T{clock}").replace(tzinfo=UTC)
    return Moment(0, int(utc.timestamp() * 1000) * 10**6, state, error_ms)


@pytest.mark.parametrize(
    ("hours", "clock", "holds"),
    [
        (["06:00-22:00"], "05:59:59.999", False),
        (["06:00-22:00"], "06:00:00", True),
        (["06:00-22:00"], "21:59:59.999", True),
        (["06:00-22:00"], "22:00:00", False),
        (["22:00-06:00"], "23:59:59", True),
        (["22:00-06:00"], "00:00:00", True),
        (["22:00-06:00"], "06:00:00", False),
        (["00:00-12:00", "12:00-13:00"], "12:00:00", True),
        ([], "12:00:00", True),
    ],
)
def test_the_first_moment_belongs_to_it_and_the_last_does_not(hours, clock, holds):
    assert Schedule(hours).holds(at(clock)) is holds


@pytest.mark.parametrize(
    ("clock", "error_ms", "holds"),
    [
        ("05:59:59.900", 50, False),
        ("05:59:59.900", 100, None),
        ("06:00:00.100", 101, None),
        ("06:00:00.100", 100, True),
        ("14:00:00", 8 * 3_600_000 - 1, True),
        ("14:00:00", 8 * 3_600_000, None),
        ("14:00:00", 20 * 3_600_000, None),
        ("23:00:00", 3_600_000, False),
        ("23:00:00", 7 * 3_600_000 + 1, None),
    ],
)
def test_so_near_an_edge_that_the_clock_can_not_say_nobody_knows(clock, error_ms, holds):
    assert Schedule(["06:00-22:00"]).holds(at(clock, error_ms)) is holds


def test_without_a_time_of_day_nobody_knows_but_where_it_is_always_due():
    assert Schedule(["06:00-22:00"]).holds(Moment(0)) is None
    assert Schedule(["06:00-22:00"]).holds(at("12:00:00", state=ClockState.UNSET)) is None
    assert Schedule([]).holds(Moment(0)) is True


def test_from_an_hour_to_itself_is_the_whole_day_and_is_told():
    assert Schedule(["06:00-06:00"]).holds(at("05:59:59")) is True
    assert list(whole_days(["22:00-06:00", "06:00-06:00"])) == ["06:00-06:00"]
