"""A date that is told and read back is the same moment; what is no whole date is none."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes.dates import utc_ns_of, utc_of

END_NS = 253_402_300_799 * 10**9
"""The last second of the year 9999."""


@given(st.integers(0, END_NS // 1000))
def test_a_date_is_read_back_to_the_microsecond(micros):
    told = utc_of(micros * 1000)

    assert told is not None
    assert utc_ns_of(told.isoformat()) == micros * 1000


@pytest.mark.parametrize(
    ("utc_ns", "told"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_783_425_600_123_456_789, datetime(2026, 7, 7, 12, 0, 0, 123456, tzinfo=UTC)),
        (END_NS, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (-1, None),
        (END_NS + 1, None),
        (None, None),
    ],
)
def test_a_moment_is_a_date_until_the_calendar_of_most_programs_ends(utc_ns, told):
    assert utc_of(utc_ns) == told


@pytest.mark.parametrize(
    ("claimed", "utc_ns"),
    [
        ("2026-07-07T12:00:00+00:00", 1_783_425_600_000_000_000),
        ("2026-07-07T12:00:00.25+00:00", 1_783_425_600_250_000_000),
        ("2026-07-07T14:00:00+02:00", 1_783_425_600_000_000_000),
        ("1969-12-31T23:59:59+00:00", -1_000_000_000),
        ("2026-07-07T12:00:60+00:00", None),
        ("2026-07-07", None),
        ("12:00:00", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_full_date_with_its_time_is_a_moment(claimed, utc_ns):
    assert utc_ns_of(claimed) == utc_ns
