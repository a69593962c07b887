# ruff: noqa: INP001
# A script beside the pages that it writes, and no package.
"""The reference of the kinds of rules: of each its struct, its words and a clause of its cases."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import msgspec
from msgspec.inspect import (
    BoolType,
    DictType,
    EnumType,
    FloatType,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StructType,
    TupleType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)
from msgspec.structs import FieldInfo, fields
from schemas import field_words
from tables import NOTE, cell, page, table

from gateway.model.agreement import Basis, EventWord, PartName
from gateway.model.verdict import Judgement
from gateway.rules import kind_named, kind_names
from gateway.rules.rule import Rule
from gateway.settings.wanted import shown, wanted

ROOT = Path(__file__).parents[1]
CASES = "tests/agreements"

SHARED = {
    "between": "The parties: what is between two of them counts.",
    "channels": "The channels that it is about.",
    "purposes": "What they are for.",
    "to": "Who has to be told, or may be.",
    "when": "What it waits for.",
    "who": "The parties that it binds.",
    "within_s": "So soon after it.",
}
"""What a key says in every kind, where a kind has nothing to add to it."""

UNITS = {
    "_s": "seconds",
    "_m": "metres",
    "_hz": "hertz",
    "_mps": "metres a second",
}
"""A name ends in its unit."""

NAMED = {
    "parties": ("a party or a role", "parties or roles"),
    "channels": ("a channel", "channels or groups"),
    "zones": ("a zone", "zones"),
    "craft": ("a class of craft", "classes of craft"),
    "rules": ("a rule", "rules"),
}
"""What stands elsewhere in the file, under that name: one, and several."""

WORD = wanted(PartName)
"""What the reader calls what is a word here."""

FIGURES_MAX = 10_000
"""Up to here a limit is worth knowing; above it, it only keeps out what is a slip."""

FIRST = (
    "To look things up in. [AGREEMENTS.md](AGREEMENTS.md) shows how to write an agreement.",
    "A rule is a table `[rules.<id>]`, its id of 1 to 16 letters, digits and `-`.",
    "A word is of lower-case letters, digits and `_`.",
    "Each rule has these keys, and beside them those of its kind:",
)

THEN = (
    "- **monitors**: it hears what is received and what people tell, or watches time pass, and",
    "  says what it finds. It holds nothing back.",
    "- **gates**: it is asked before this station transmits.",
    "- **distress**: a call of this station itself in distress is exempt from every rule,",
    "  whatever a file says. Other distress traffic is exempt from the rules marked *exempt*,",
    "  where the agreement has a [`distress_override`](#distress_override). Rules marked *stays*",
    "  order how distress itself is worked, and go on.",
)

EXAMPLE_HEAD = '[rules.R1]\nkind = "{kind}"\nsource = "…"\nbasis = "design"'


def rules_page() -> str:
    """Return docs/RULES.md: what each kind of rule decides from what, key by key."""
    kinds = kind_names()
    lines = [
        "# Every kind of rule",
        NOTE,
        "\n".join(FIRST),
        table(("key", "what", "default", "meaning"), _OF_EVERY_RULE),
        "\n".join(THEN),
        table(
            ("kind", "what for", "does", "distress"),
            [(f"[`{kind}`](#{kind})", *_told(kind)) for kind in kinds],
        ),
        "What a rule says:",
        table(("word", "meaning"), _words(Judgement)),
    ]
    for kind in kinds:
        lines += _kind(kind)
    lines += ["# Tables inside rules"]
    for struct in _inner():
        lines += [f"## {struct.__name__}", cell(_doc(struct)), _keys(struct)]
    lines += [
        "# Basis",
        "How sure it is that a rule says what is meant, the surest first.",
        table(("word", "meaning"), _words(Basis)),
        "# Events",
        "What a rule can wait for, in `type` of its [`when`](#when).",
        table(("word", "meaning"), _words(EventWord)),
    ]
    return page(lines)


_OF_EVERY_RULE = (
    ("`kind`", "one of the kinds below", "*must be given*", "What sort of rule it is."),
    (
        "`source`",
        "text in one line",
        "*must be given*",
        "Where it is written: the article of a treaty, a clause, a letter.",
    ),
    (
        "`basis`",
        ", ".join(f"`{one.value}`" for one in Basis),
        "*must be given*",
        "How sure that is: [basis](#basis).",
    ),
    ("`words`", "text", "*none*", "The rule in the words of the agreement."),
)


def _told(kind: str) -> tuple[str, str, str]:
    rule = kind_named(kind)
    module = inspect.getmodule(rule)
    stays = "stays" if rule.of_distress else "exempt"
    return cell(str(module and module.__doc__)), _does(rule), "exempts" if rule.overrides else stays


def _does(rule: type[Rule]) -> str:
    """Return what it takes part in, by what its class has beyond what every rule has."""
    monitors = any(getattr(rule, one) is not getattr(Rule, one) for one in ("hear", "tick"))
    gates = rule.gate is not Rule.gate
    return " and ".join(word for word, does in (("monitors", monitors), ("gates", gates)) if does)


def _kind(kind: str) -> Iterator[str]:
    rule = kind_named(kind)
    about, does, _ = _told(kind)
    yield f"## {kind}"
    yield f"{about} **Clause**: {cell(_doc(rule.terms))}"
    yield f"**Decides**: {cell(_doc(rule))}"
    timed = ", and decides as time passes" if rule.tick is not Rule.tick else ""
    if rule.overrides:
        distress = "It exempts from others."
    elif rule.of_distress:
        distress = "Distress traffic stays under it: it orders how distress is worked."
    else:
        distress = "Distress traffic is exempt from it where the agreement has `distress_override`."
    yield f"It {does}{timed}. {distress}"
    yield _keys(rule.terms)
    yield f"```toml\n{example(kind)}\n```"


def example(kind: str) -> str:
    """Return the clause that the cases of this kind prove, as it stands in an agreement."""
    written = (ROOT / CASES / f"{kind}.toml").read_text("utf-8")
    (_, _, after) = written.partition("\n[rule]\n")
    lines = re.split(r"^\[(?!rule\.)", after, maxsplit=1, flags=re.MULTILINE)[0]
    clause = lines.strip().replace("[rule.", "[rules.R1.")
    return f"{EXAMPLE_HEAD.format(kind=kind)}\n{clause}"


def _inner() -> list[type[msgspec.Struct]]:
    """Return the structs that stand inside the terms of kinds, by their names."""
    found: dict[str, type[msgspec.Struct]] = {}
    ahead: list[type[msgspec.Struct]] = [kind_named(kind).terms for kind in kind_names()]
    while ahead:
        for field in fields(ahead.pop()):
            for struct in _structs_in(type_info(field.type)):
                if struct.__name__ not in found:
                    found[struct.__name__] = struct
                    ahead.append(struct)
    return [found[name] for name in sorted(found)]


def _structs_in(kind: Type) -> Iterator[type[msgspec.Struct]]:
    match _bare(kind):
        case StructType(cls=cls):
            yield cls
        case VarTupleType(item_type=inner):
            yield from _structs_in(inner)
        case DictType(value_type=inner):
            yield from _structs_in(inner)


def _keys(struct: type[msgspec.Struct]) -> str:
    words = field_words(struct)
    return table(
        ("key", "what", "default", "meaning"),
        [
            (
                f"`{field.name}`",
                cell(_what(field.name, type_info(field.type))),
                _default(field),
                cell(words.get(field.name) or SHARED[field.name]),
            )
            for field in fields(struct)
        ],
    )


def _default(field: FieldInfo) -> str:
    if field.required:
        return "*must be given*"
    default = None if field.default is msgspec.NODEFAULT else field.default
    if default is None or default == ():
        return "*none*"
    if isinstance(default, msgspec.Struct):
        return "*as below*"
    if isinstance(default, tuple):
        default = [one.value if isinstance(one, Enum) else one for one in default]
    if isinstance(default, float) and default == round(default):
        default = round(default)
    is_long = isinstance(default, int) and default >= FIGURES_MAX
    return f"`{default:_}`" if is_long else f"`{shown(default)}`"


def _what(name: str, kind: Type) -> str:
    """Return what a value has to be, in a few words, and its unit."""
    match _bare(kind):
        case VarTupleType(item_type=item):
            return _several(item) or f"a list, each {_what(name, item)}"
        case DictType(key_type=key, value_type=value):
            return f"a table, by {_what(name, key)}: {_what(name, value)}"
        case TupleType(item_types=items):
            return f"a list of {len(items)}: {_what(name, items[0])}"
        case one:
            return _one(name, one) or _described(kind).replace(WORD, "a word") or "text"


def _several(kind: Type) -> str:
    """Return what each of a list has to be; empty where there is no word for several of them."""
    named = _extra(kind, "names")
    if named:
        return NAMED[named][1]
    bare = _bare(kind)
    if isinstance(bare, EnumType | LiteralType) and not _is_event(bare):
        words = ", ".join(f"`{one}`" for one in _closed(bare))
        return f"a list of any of {words}" if "," in words else f"a list: {words}"
    return "words" if _described(kind) == WORD else "[events](#events)" if _is_event(bare) else ""


def _is_event(kind: Type) -> bool:
    return isinstance(kind, EnumType) and kind.cls is EventWord


def _one(name: str, kind: Type) -> str:
    """Return what one value has to be that is no list; empty for any text."""
    match kind:
        case StructType(cls=cls):
            return f"[{cls.__name__}](#{cls.__name__.lower()})"
        case EnumType() | LiteralType():
            return " or ".join(f"`{one}`" for one in _closed(kind))
        case FloatType() | IntType():
            return _number(name, kind)
    return "`true` or `false`" if isinstance(kind, BoolType) else ""


def _number(name: str, number: FloatType | IntType) -> str:
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
    words = unit or ("a whole number" if isinstance(number, IntType) else "a number")
    if number.le is not None and number.le <= FIGURES_MAX:
        words = f"{words}, from {number.ge:g} to {number.le:g}"
    return words


def _closed(kind: EnumType | LiteralType) -> list[object]:
    return [one.value for one in kind.cls] if isinstance(kind, EnumType) else [*kind.values]


def _bare(kind: Type) -> Type:
    """Return a type without its notes, and without the None that says that it may be absent."""
    while True:
        if isinstance(kind, Metadata):
            kind = kind.type
        elif isinstance(kind, UnionType):
            kind = next(one for one in kind.types if not isinstance(one, NoneType))
        else:
            return kind


def _noted(kind: Type) -> Iterator[Metadata]:
    """Yield the notes on a type, from the outside in."""
    while True:
        if isinstance(kind, Metadata):
            yield kind
            kind = kind.type
        elif isinstance(kind, UnionType):
            kind = next(one for one in kind.types if not isinstance(one, NoneType))
        else:
            return


def _extra(kind: Type, key: str) -> str:
    return next((str(one.extra[key]) for one in _noted(kind) if key in (one.extra or {})), "")


def _described(kind: Type) -> str:
    named = _extra(kind, "names")
    if named:
        return NAMED[named][0]
    found = (one.extra_json_schema or {} for one in _noted(kind))
    return next((str(one["description"]) for one in found if "description" in one), "")


def _words(words: type[Enum]) -> list[tuple[str, str]]:
    told = field_words(words)
    return [(f"`{one.value}`", cell(told.get(name, ""))) for name, one in words.__members__.items()]


def _doc(subject: object) -> str:
    return str(inspect.getdoc(subject))
