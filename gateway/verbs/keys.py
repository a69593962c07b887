"""`keys`: who may order transmissions. The station's file has the public halves alone."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from gateway.model.keys import KeyName, KeyPlan, Role
from gateway.model.text import Words
from gateway.rules.signing import key_id, utc_words
from gateway.settings import load
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.keys import read_keys, written
from gateway.settings.wanted import wanted
from gateway.verbs.signing import now_utc, private_key_in, put_into
from gateway.verbs.telling import printable

_TAKEN = "a gateway that runs with it takes it within some seconds; one without keys: restart it\n"


def main(args: argparse.Namespace) -> int:
    """Do what the arguments ask for; what is wrong in a file is raised, all of it at once."""
    return _ACTIONS[args.action](args)


def keys_file(args: argparse.Namespace) -> Path:
    """Return the file of keys, as the arguments or the configuration name it."""
    if args.keys is not None:
        return Path(args.keys)
    named = load(args.config, on_watch=True).keys_file
    if named is None:
        where = str(args.config or "gateway.toml")
        what, remedy = "is missing", 'add `keys = "keys.toml"`, or say --keys FILE'
        raise BadSettings((ConfigFault(where, 0, "station.keys", what, remedy),))
    return Path(named)


def _new(args: argparse.Namespace) -> int:
    path = keys_file(args)
    known = read_keys(path) if path.exists() else ()
    key = KeyPlan(
        name=_name(path, args.name, known),
        person=args.person,
        roles=tuple(dict.fromkeys(Role(role) for role in args.role)),
        public_key="",
    )
    try:
        msgspec.convert(args.person, Words)
    except msgspec.ValidationError:
        raise _bad(path, args.name, "has no good person", f"use {wanted(Words)}") from None
    private = private_key_in(Path(args.file))
    made = msgspec.structs.replace(key, public_key=private.public)
    text = path.read_text("utf-8") if path.exists() else ""
    put_into(path, f"{text.rstrip()}\n\n{written(made)}".lstrip())
    sys.stdout.write(
        f"private key  {printable(args.file)}: it goes to {printable(made.person)}, and to nobody"
        f" else\nkey id       {key_id(made.public_key)}\n"
        f"{printable(str(path))} has the public half; {_TAKEN}"
    )
    return 0


def _list(args: argparse.Namespace) -> int:
    for key in read_keys(keys_file(args)):
        roles = ", ".join(key.roles)
        given_up = "" if key.revoked is None else f"  given up {utc_words(key.revoked)}"
        known_by = f"{key.name:<20} {key_id(key.public_key)}"
        sys.stdout.write(f"{known_by}  {printable(key.person):<24} {roles}{given_up}\n")
    return 0


def _revoke(args: argparse.Namespace) -> int:
    path = keys_file(args)
    key = next((one for one in read_keys(path) if one.name == args.name), None)
    if key is None:
        raise _bad(path, args.name, "is no key that stands there", "see `keys list`")
    if key.revoked is not None:
        sys.stdout.write(f"{key.name} was given up {utc_words(key.revoked)}\n")
        return 0
    text = path.read_text("utf-8")
    heading = re.compile(rf'^\[key\."?{re.escape(key.name)}"?\][^\n]*$', re.MULTILINE)
    line = f"revoked = {utc_words(now_utc())}"
    changed, count = heading.subn(lambda found: f"{found[0]}\n{line}", text)
    if count != 1:
        what = "stands in no table of its own"
        raise _bad(path, args.name, what, f"add `{line}` to it by hand")
    put_into(path, changed)
    sys.stdout.write(f"{key.name} is given up in {printable(str(path))}; {_TAKEN}")
    return 0


def _name(path: Path, name: str, known: tuple[KeyPlan, ...]) -> str:
    if name in {one.name for one in known}:
        what = "stands there already, and a name is never used again"
        raise _bad(path, name, what, f"name it {name}-2")
    try:
        return msgspec.convert(name, KeyName)
    except msgspec.ValidationError:
        raise _bad(path, printable(name), "is no good name", f"use {wanted(KeyName)}") from None


def _bad(path: Path, name: str, what: str, remedy: str) -> BadSettings:
    return BadSettings((ConfigFault(str(path), 0, f"key.{name}", what, remedy),))


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "new": _new,
    "list": _list,
    "revoke": _revoke,
}
