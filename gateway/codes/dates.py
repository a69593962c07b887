"""Dates as nanoseconds since 1970 UTC, and back. No clock is asked here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
_UTC_NS_MAX = 253_402_300_799 * 10**9
"""The end of the year 9999, where the calendar of most programs ends."""


def utc_of(utc_ns: int | None) -> datetime | None:
    """Return the time of day, to the microsecond, or None when it isn't known."""
    if utc_ns is None or not 0 <= utc_ns <= _UTC_NS_MAX:
        return None
    return _EPOCH + timedelta(microseconds=utc_ns // 1000)


def utc_ns_of(claimed: str | None) -> int | None:
    """Return a full date with its time; a time alone, or the 60th second of a minute, is none."""
    if claimed is None or "T" not in claimed:
        return None
    try:
        since = datetime.fromisoformat(claimed) - _EPOCH
    except ValueError:
        return None
    return (since.days * _DAY_S + since.seconds) * 10**9 + since.microseconds * 1000
