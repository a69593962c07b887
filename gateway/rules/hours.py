"""Hours of the day, in UTC: when something is due, as far as the clock can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta

from gateway.model.inbound import Moment
from gateway.model.words import ClockState

Hours = Annotated[
    tuple[
        Annotated[
            str,
            Meta(
                pattern=r"\A(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z",
                description="from when until when in UTC, as 06:00-22:00; midnight is 00:00,"
                " and for the whole day the key is left out",
                examples=["06:00-22:00"],
            ),
        ],
        ...,
    ],
    Meta(max_length=24),
]
"""The first minute belongs to it, the last does not; from 22:00 to 06:00 goes past midnight. From
an hour to itself is the whole day, which is better said by no entry. Midnight is 00:00."""

DAY_MIN = 24 * 60
_DAY_MS = DAY_MIN * 60_000


class Schedule:
    """When something is due; without hours it always is."""

    def __init__(self, hours: Iterable[str]) -> None:
        self.spans = tuple(_span(one) for one in hours)

    def holds(self, now: Moment) -> bool | None:
        """Say whether it is due; None when nobody knows the time of day, or so near an edge."""
        if not self.spans:
            return True
        if now.utc_ns is None or now.clock is ClockState.UNSET:
            return None
        error_ms = now.error_ms or 0
        first_ms = now.utc_ns // 10**6 - error_ms
        edges = (minute * 60_000 for span in self.spans for minute in span)
        if any(0 < ((edge - first_ms) % _DAY_MS or _DAY_MS) <= 2 * error_ms for edge in edges):
            return None
        return self._holds(first_ms % _DAY_MS)

    def _holds(self, at_ms: int) -> bool:
        minute = at_ms // 60_000
        return any(
            first <= minute < last if first < last else minute >= first or minute < last
            for first, last in self.spans
        )


def whole_days(hours: Iterable[str]) -> Iterator[str]:
    """Yield the entries that end when they begin: all day, where somebody may have meant never."""
    for entry in hours:
        first, last = _span(entry)
        if first == last:
            yield entry


def _span(hours: str) -> tuple[int, int]:
    first, _, last = hours.partition("-")
    return _minute(first), _minute(last)


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
