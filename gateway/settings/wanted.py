"""What a key wants, and what it was given, in words for the person who writes the file."""

from __future__ import annotations

from typing import get_args, get_origin

from msgspec import inspect

_SHOWN_CHARACTERS_MAX = 60


def wanted(kind: object) -> str:
    """Return what a value of this type has to be."""
    return _wanted(_plain(inspect.type_info(kind)))


def words_of(kind: object) -> tuple[str, ...]:
    """Return the closed list of words of this type; empty for any other type."""
    found, _ = _stripped(_plain(inspect.type_info(kind)))
    if isinstance(found, inspect.VarTupleType):
        found, _ = _stripped(found.item_type)
    return tuple(value for value in _values(found) if isinstance(value, str))


def each_of(kind: object) -> object | None:
    """Return the type of each entry of a list as long as one likes; None for any other type."""
    while get_origin(kind) is not tuple:
        within = [one for one in get_args(kind) if one is not type(None)]
        if not within:
            return None
        kind = within[0]
    of = get_args(kind)
    return of[0] if of[-1] is Ellipsis else None


def example(kind: object) -> str:
    """Return a good value of this type, as TOML, where the plan names one."""
    return shown(_example(_plain(inspect.type_info(kind))))


def shown(value: object) -> str:
    """Return a value as TOML says it, cut to a length that fits a line."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            escaped = value.encode("unicode_escape").decode("ascii")
            printable = value if value.isprintable() else escaped
            text = '"' + printable.replace('"', '\\"') + '"'
        case dict():
            text = "a table"
        case list() | tuple():
            text = "[" + ", ".join(shown(part) for part in value[:8]) + "]"
        case _:
            text = str(value)
    if len(text) > _SHOWN_CHARACTERS_MAX:
        return text[: _SHOWN_CHARACTERS_MAX - 1] + "…"
    return text


def _example(kind: inspect.Type) -> object:
    found, extra = _stripped(kind)
    examples = extra.get("examples")
    if isinstance(examples, list):
        return examples[0]
    if isinstance(found, inspect.VarTupleType):
        return [_example(found.item_type)]
    return next(iter(_values(found)), "…")


def _wanted(kind: inspect.Type) -> str:
    found, extra = _stripped(kind)
    if "description" in extra:
        return str(extra["description"])
    match found:
        case inspect.LiteralType() | inspect.EnumType():
            words = "one of " + ", ".join(shown(value) for value in _values(found))
        case inspect.BoolType():
            words = "true or false"
        case inspect.IntType():
            words = "a whole number" + _range(found.ge, found.le)
        case inspect.FloatType():
            words = "a number" + _range(found.ge, found.le)
        case inspect.DateTimeType():
            words = "a date and time with its zone, 2026-01-01T00:00:00Z"
        case _:
            words = _wanted_of_many(found)
    return words


def _wanted_of_many(found: inspect.Type) -> str:
    match found:
        case inspect.VarTupleType():
            words = f"a list, each {_wanted(found.item_type)}"
        case inspect.TupleType():
            each = [_wanted(one) for one in found.item_types]
            same = f", each {each[0]}" if len(set(each)) == 1 else f": {' and '.join(each)}"
            words = f"a list of {len(each)}{same}"
        case inspect.DictType():
            words = f"a table, each value {_wanted(found.value_type)}"
        case inspect.StructType():
            words = "a table of " + ", ".join(field.encode_name for field in found.fields)
        case _:
            words = "text"
    return words


def _values(kind: inspect.Type) -> tuple[object, ...]:
    """Return the closed list of values of a type; empty where there is none."""
    if isinstance(kind, inspect.EnumType):
        return tuple(member.value for member in kind.cls)
    return tuple(kind.values) if isinstance(kind, inspect.LiteralType) else ()


def _range(low: float | None, high: float | None) -> str:
    return f" from {low} to {high}" if low is not None and high is not None else ""


def _plain(kind: inspect.Type) -> inspect.Type:
    """Return the type without the None that says it may be absent: TOML has no null."""
    if isinstance(kind, inspect.UnionType):
        return next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _stripped(kind: inspect.Type) -> tuple[inspect.Type, dict[str, object]]:
    """Return the type without its annotations, and the annotations."""
    if isinstance(kind, inspect.Metadata):
        return kind.type, dict(kind.extra_json_schema or {})
    return kind, {}
