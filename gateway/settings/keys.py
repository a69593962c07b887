"""The file of keys: who may order this station to transmit. Read whole, with every fault in it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import fields

from gateway.model.keys import KeyName, KeyPlan
from gateway.rules.signing import is_weak, utc_words
from gateway.settings.effective import toml
from gateway.settings.faults import BadSettings
from gateway.settings.tables import TomlFile, read_file
from gateway.settings.wanted import wanted

KEYS_MAX = 256
"""More than a rescue centre has officers, with the keys that they had before."""

_MAKE = "`distress-gateway keys new` makes it"


def read_keys(path: Path) -> tuple[KeyPlan, ...]:
    """Return the keys in this file, or raise BadSettings with every fault in it.

    A file that anybody on the box may write is refused: whoever can write there could give the
    order to transmit to himself.
    """
    file = read_file(path, if_missing=f"{_MAKE}, or take `keys` out of gateway.toml")
    if path.stat().st_mode & stat.S_IWOTH:
        file.fault((), "may be written by anybody", f"chmod o-w {path}")
    file.known_keys((), file.root, ("key",))
    found = tuple(_each(file))
    taken: dict[str, str] = {}
    for one in found:
        at = ("key", one.name, "public_key")
        first = taken.setdefault(one.public_key, one.name)
        if first != one.name:
            file.fault(at, f"is that of [key.{first}] already", "one key is of one person")
        if is_weak(one.public_key):
            file.fault(at, "is one by which anybody can sign", _MAKE)
    if file.faults:
        raise BadSettings(tuple(file.faults))
    return found


def _each(file: TomlFile) -> Iterator[KeyPlan]:
    names = list(file.table(("key",)) or {})
    if len(names) > KEYS_MAX:
        file.fault(("key",), f"more than {KEYS_MAX} of them", "leave out who was given up long ago")
    for name in names[:KEYS_MAX]:
        at = ("key", name)
        try:
            msgspec.convert(name, KeyName)
        except msgspec.ValidationError:
            file.fault(at, "is no good name", f"use {wanted(KeyName)}")
            continue
        values = file.values(at, KeyPlan, given=("name",))
        if len(values) == len(fields(KeyPlan)) - 1:
            yield msgspec.convert({"name": name, **values}, KeyPlan)


def written(key: KeyPlan) -> str:
    """Return the table of one key, as it stands in the file."""
    lines = [
        f"[key.{toml(key.name) if '.' in key.name else key.name}]",
        f"person = {toml(key.person)}",
        f"roles = {toml(tuple(str(role) for role in key.roles))}",
        f"public_key = {toml(key.public_key)}",
    ]
    if key.revoked is not None:
        lines.append(f"revoked = {utc_words(key.revoked)}")
    return "\n".join(lines) + "\n"
