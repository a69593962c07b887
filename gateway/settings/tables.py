"""TOML files and their tables, checked key by key against a struct: every fault, not the first."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import NODEFAULT, Struct, ValidationError
from msgspec.structs import FieldInfo, fields

from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.lines import KeyPath, key_lines, nearest_line
from gateway.settings.wanted import each_of, example, shown, wanted, words_of

FILE_BYTES_MAX = 1 << 20
"""A configuration is a few pages; a disk image given by mistake is not read into memory."""

_SYNTAX_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$| \(at end of document\)$")

_BARE_KEY = re.compile(r"\A[A-Za-z0-9_-]{1,64}\Z")

Table = dict[str, object]
AnyStruct = TypeVar("AnyStruct", bound=Struct)


class TomlFile:
    """One file, its tables, and every fault found in it up to now."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.root: Table = tomllib.loads(text)
        self.faults: list[ConfigFault] = []
        self._lines = key_lines(text.replace("\r\n", "\n"))

    def fault(self, at: KeyPath, what: str, remedy: str) -> None:
        """Note that something is wrong at this key."""
        self.faults.append(self.faulty(at, what, remedy))

    def faulty(self, at: KeyPath, what: str, remedy: str) -> ConfigFault:
        """Return that something is wrong at this key, for whoever tells of it."""
        key = ".".join(part if _BARE_KEY.match(part) else shown(part) for part in at)
        line = nearest_line(self._lines, at)
        return ConfigFault(file=str(self.path), line=line, key=key, what=what, remedy=remedy)

    def table(self, at: KeyPath) -> Table | None:
        """Return the table at this key: empty when it is absent, None when it is no table."""
        found = self.root
        for depth, name in enumerate(at):
            below = found.get(name, {})
            if not isinstance(below, dict):
                self.fault(at[: depth + 1], "must be a table", f"write [{'.'.join(at)}] above it")
                return None
            found = below
        return found

    def known_keys(self, at: KeyPath, table: Table, known: Collection[str]) -> None:
        """Note each key of the table that nothing here reads."""
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                listed = ", ".join(sorted(known))
                self.fault(
                    (*at, key),
                    "unknown key",
                    f"did you mean `{near[0]}`?" if near else f"known here: {listed}",
                )

    def values(
        self,
        at: KeyPath,
        struct: type[Struct],
        *,
        given: Collection[str] = (),
        tables: Collection[str] = (),
        defaults: Mapping[str, object] | None = None,
    ) -> Table:
        """Return the checked value of each field of the struct; one at fault is left out.

        Given fields are no keys of the file. Those that are tables of their own are read elsewhere.
        """
        table = self.table(at)
        if table is None:
            return {}
        apart = {*given, *tables}
        read = {field.name: field for field in fields(struct) if field.name not in apart}
        self.known_keys(at, table, {*read, *tables})
        found: Table = {}
        for name, field in read.items():
            found.update(self._value((*at, name), table, field, defaults or {}))
        return found

    def struct(self, at: KeyPath, struct: type[AnyStruct], **defaults: object) -> AnyStruct | None:
        """Return the struct that the table holds; None when a value is at fault."""
        found = self.values(at, struct, defaults=defaults)
        return msgspec.convert(found, struct) if len(found) == len(fields(struct)) else None

    def _value(
        self, at: KeyPath, table: Table, field: FieldInfo, defaults: Mapping[str, object]
    ) -> Iterator[tuple[str, object]]:
        """Give the field's name and checked value; nothing when it is at fault."""
        if field.name not in table:
            if field.name in defaults:
                yield field.name, defaults[field.name]
            elif field.default is not NODEFAULT:
                yield field.name, field.default
            elif field.default_factory is not NODEFAULT:
                yield field.name, field.default_factory()
            else:
                self.fault(at, "is missing", f"add `{field.name} = {example(field.type)}`")
            return
        value = table[field.name]
        try:
            yield field.name, msgspec.convert(value, field.type)
        except ValidationError:
            what = _wrong(value, field.type)
            near = _nearest(value, words_of(field.type))
            if near:
                remedy = f'did you mean "{near[0]}"?'
            elif field.default is NODEFAULT or field.default in (None, ()):
                remedy = f"try {example(field.type)}"
            else:
                remedy = f"the default is {shown(field.default)}"
            self.fault(at, what, remedy)


def _wrong(value: object, kind: object) -> str:
    """Return what a value has to be, and is not; of a list the first entry that is at fault."""
    each = each_of(kind)
    if isinstance(value, list) and each is not None:
        for number, one in enumerate(value, start=1):
            try:
                msgspec.convert(one, each)
            except ValidationError:
                return f"entry {number} must be {wanted(each)}; it is {shown(one)}"
    return f"must be {wanted(kind)}; it is {shown(value)}"


def _nearest(value: object, words: Collection[str]) -> list[str]:
    """Return the word that was meant, if one is near; in a list the first that is none of them."""
    written = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    wrong = next((one for one in written if one not in words), "")
    return get_close_matches(wrong, words, n=1)


def read_file(path: Path, *, if_missing: str = "name one that is there") -> TomlFile:
    """Return the file, or raise BadSettings with what keeps it from being read."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise _unreadable(path, "no such file", if_missing) from None
    except OSError as error:
        raise _unreadable(
            path, f"can't be read: {error.strerror}", "see its owner and mode"
        ) from None
    if len(raw) > FILE_BYTES_MAX:
        raise _unreadable(
            path, f"is larger than {FILE_BYTES_MAX} bytes", "name a configuration file"
        )
    try:
        return TomlFile(path, raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, "is not UTF-8 text", "save it as UTF-8", line) from None
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        found = _SYNTAX_LINE.search(text)
        line = int(found[1]) if found and found[1] else raw.count(b"\n") + 1
        what = f"is not TOML: {_SYNTAX_LINE.sub('', text)}"
        column = f" at column {found[2]}" if found and found[2] else " before the end"
        raise _unreadable(path, what, f"look{column}", line) from None
    except RecursionError:
        raise _unreadable(path, "is nested too deeply", "name a configuration file") from None


def _unreadable(path: Path, what: str, remedy: str, line: int = 0) -> BadSettings:
    return BadSettings((ConfigFault(str(path), line, "", what, remedy),))
