"""Comparisons of a stated value with what stands in a report, made by what they are about."""

from __future__ import annotations

from collections.abc import Callable

Compare = Callable[[object, dict, dict], bool]
"""Of a stated value, the report and its detail: whether they agree."""

DEGREES = 1e-6
"""Of places stated with six decimals; those stated whole are nearer."""


def value_at(*path: str) -> Compare:
    """Return a comparison of a value with what stands there in the report."""

    def compare(value: object, report: dict, _detail: dict) -> bool:
        return value == within(report, path)

    return compare


def within(report: dict, path: tuple[str, ...]) -> object:
    """Return what stands there in the report; None when it is absent."""
    found: object = report
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def one_of(words: dict[object, object], *path: str) -> Compare:
    """Return a comparison by a table from the sample's words to the report's."""

    def compare(value: object, report: dict, _detail: dict) -> bool:
        return value in words and words[value] == within(report, path)

    return compare


def degrees(name: str) -> Compare:
    """Return a comparison of one half of a place; None stands for none."""

    def compare(value: object, report: dict, _detail: dict) -> bool:
        actual = within(report, ("position", name))
        if not isinstance(value, float | int) or not isinstance(actual, float | int):
            return value is actual
        return abs(value - actual) < DEGREES

    return compare


def mmsi(party: str) -> Compare:
    """Return a comparison of an identity with that of the sender or of the casualty."""

    def compare(value: object, report: dict, _detail: dict) -> bool:
        return within(report, (party, "mmsi")) == f"{int(str(value)):09d}"

    return compare


def flag(name: str) -> Compare:
    """Return a comparison with something that is said only when it is so."""

    def compare(value: object, _report: dict, detail: dict) -> bool:
        return detail.get(name, False) is value

    return compare


PLACE = {"lat": degrees("lat_deg"), "lon": degrees("lon_deg")}
