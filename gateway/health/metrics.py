"""The status as Prometheus reads it: text exposition format 0.0.4. Pure.

Made by walking the status, so that no count can be forgotten: what is a number there has a line
here, named by the fields that lead to it. What it means stands in docs/SCHEMA.md, by those names.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import fields

from gateway.model.status import Alert, Status

PREFIX = "distress_gateway"

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

GAUGES = frozenset(
    {
        *("backlog", "count", "held", "limit", "max", "min", "number", "outbox", "poison"),
        *("aside", "error_ms", "free_bytes", "reserve_bytes", "waiting"),
        *("days_left", "quarantined", "queued", "rows", "size_bytes", "unsigned"),
    }
)
"""Whole numbers of the status that may fall as well; all others only rise, as model/status.py says.
What is no whole number may always fall."""

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, str, Labels, float]
"""Name, type, labels, value."""


def exposition(status: Status) -> str:
    """Return the whole status as text."""
    families: dict[tuple[str, str], list[str]] = {}
    for name, kind, labels, value in (_about(status), *_walk(status, PREFIX, ())):
        families.setdefault((name, kind), []).append(f"{name}{_braced(labels)} {_number(value)}")
    lines: list[str] = []
    for (name, kind), found in families.items():
        lines += [f"# TYPE {name} {kind}", *found]
    return "\n".join(lines) + "\n"


def _about(status: Status) -> Sample:
    labels = (
        ("station", status.station),
        ("version", status.version),
        ("epoch", status.epoch or ""),
    )
    return f"{PREFIX}_info", "gauge", labels, 1.0


def _walk(struct: Struct, name: str, labels: Labels) -> Iterator[Sample]:
    """Yield all that is a number, a state or a time, however deep it stands."""
    for field in fields(struct):
        value, called = getattr(struct, field.name), field.encode_name
        if isinstance(value, dict):
            one = called.removesuffix("s")
            for key, part in value.items():
                yield from _told(part, called, f"{name}_{one}", (*labels, (one, str(key))))
        else:
            yield from _told(value, called, f"{name}_{called}", labels)


def _told(value: object, field: str, name: str, labels: Labels) -> Iterator[Sample]:
    """Yield one value under this name; nothing, where it is neither number, state nor time."""
    if isinstance(value, Alert):
        yield name, "gauge", labels, 1.0
    match value:
        case Struct():
            yield from _walk(value, name, labels)
        case int() if field not in GAUGES and not isinstance(value, bool):
            yield f"{name}_total", "counter", labels, float(value)
        case int() | float():
            yield name, "gauge", labels, float(value)
        case datetime():
            yield f"{name}_timestamp_seconds", "gauge", labels, value.timestamp()
        case str() if field == "state":
            yield name, "gauge", (*labels, (field, str(value))), 1.0
        case _:
            return


def _braced(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
