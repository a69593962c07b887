"""Agreements: one file each, read whole, with every fault in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from msgspec import NODEFAULT, Struct, ValidationError, convert, inspect
from msgspec.structs import fields

from gateway.model.agreement import (
    Agreement,
    AgreementName,
    Channel,
    ChannelName,
    Clause,
    CraftName,
    Party,
    PartyName,
    RuleName,
    Status,
    Version,
    Zone,
    ZoneName,
)
from gateway.model.text import Words
from gateway.rules import kind_named, kind_names
from gateway.rules.digest import digest_of
from gateway.rules.signing import is_weak
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.lines import KeyPath
from gateway.settings.places import shipped
from gateway.settings.references import References
from gateway.settings.tables import Table, TomlFile, read_file
from gateway.settings.wanted import wanted

PARTS_MAX = 512
"""Rules, parties, channels, groups, zones or classes of one agreement. The largest known has some
forty rules; a file with more than this was made by mistake."""

SIGNATURES_SUFFIX = ".signatures.toml"
"""The file of who has signed stands beside the agreement, under its name with this end."""

_OF_RULE = ("kind", "source", "basis", "words")
"""What every rule has beside the terms of its kind."""

_TABLES = ("status", "parties", "channels", "groups", "zones", "craft", "rules")

_NAMES: dict[str, object] = {
    "parties": PartyName,
    "channels": ChannelName,
    "groups": ChannelName,
    "zones": ZoneName,
    "craft": CraftName,
    "rules": RuleName,
}
"""What may be the name of each."""

AnyStruct = TypeVar("AnyStruct", bound=Struct)


class Heading(Struct, frozen=True, kw_only=True):
    """What stands above the tables."""

    id: AgreementName
    version: Version
    title: Words
    note: str = ""
    basis: tuple[Words, ...] = ()


def read_agreement(path: Path) -> Agreement:
    """Return the agreement kept in this file, or raise BadSettings with everything wrong in it."""
    return AgreementFile(read_file(path, if_missing="name one that is there")).agreement()


def agreement_names() -> list[str]:
    """Return the name of every agreement that comes with the gateway."""
    files = (shipped("config") / "agreements").glob("*.toml")
    return sorted(file.stem for file in files if not file.name.endswith(SIGNATURES_SUFFIX))


def agreement_named(name: str) -> Agreement:
    """Return the agreement of this name, or in the file of this path, or raise BadSettings."""
    return read_agreement(agreement_path(name))


def agreement_path(name: str) -> Path:
    """Return the file of the agreement of this name, or this path, or raise BadSettings."""
    if name in agreement_names():
        return shipped("config") / "agreements" / f"{name}.toml"
    path = Path(name)
    if path.suffix or path.exists() or not agreement_names():
        return path
    near = get_close_matches(name, agreement_names(), n=1)
    remedy = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(agreement_names())}"
    raise BadSettings((ConfigFault(name, 0, "", "no agreement has this name", remedy),))


class AgreementFile:
    """One file while it is read."""

    def __init__(self, file: TomlFile) -> None:
        self._file = file
        self._references = References(file)

    def agreement(self) -> Agreement:
        """Return what the file says, or raise BadSettings."""
        file = self._file
        heading = file.values((), Heading, tables=_TABLES)
        status = self._struct(("status",), Status)
        self._own()
        parties = self._each("parties", Party)
        made: Table = {
            **heading,
            "status": status,
            "parties": parties,
            "channels": self._each("channels", Channel),
            "groups": self._lists("groups"),
            "zones": self._each("zones", Zone),
            "craft": self._lists("craft"),
            "rules": self._rules(),
            "digest": digest_of(file.root),
        }
        self._references.check()
        self._keys(parties)
        if file.faults:
            raise BadSettings(tuple(dict.fromkeys(file.faults)))
        return Agreement(**made)  # type: ignore[arg-type]  # each was checked by its field

    def _own(self) -> None:
        """Note a station that is named in the text: the other party could not sign it as true."""
        for name, table in list((self._file.table(("parties",)) or {}).items())[:PARTS_MAX]:
            if isinstance(table, dict) and table.pop("own", None) is not None:
                remedy = f'take it out, and write [station.party] with {self._id()} = "{name}"'
                what = "is of no text that parties sign: the station says which of them it is"
                self._file.fault(("parties", name, "own"), what, f"{remedy} in gateway.toml")

    def _id(self) -> str:
        return str(self._file.root.get("id", "AGREEMENT"))

    def _keys(self, parties: Mapping[str, Party]) -> None:
        """Note each key that does not tell who has signed: of two parties, or of everybody."""
        owners: dict[str, str] = {}
        for name, party in parties.items():
            key = party.public_key
            if key is None:
                continue
            what = None
            if is_weak(key):
                what = "is a key by which anybody can sign"
            elif (owner := owners.setdefault(key, name)) != name:
                what = f'is the key of party "{owner}" too'
            if what is not None:
                remedy = "make one for each party: `distress-gateway agreement keygen FILE`"
                self._file.fault(("parties", name, "public_key"), what, remedy)

    def _each(self, kind: str, struct: type[AnyStruct]) -> dict[str, AnyStruct]:
        """Return the tables below this one, by their names."""
        found: dict[str, AnyStruct] = {}
        for name in self._names(kind):
            one = self._struct((kind, name), struct)
            if one is not None:
                found[name] = one
        return found

    def _lists(self, kind: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name in self._names(kind):
            value = (self._file.table((kind,)) or {}).get(name)
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                found[name] = tuple(value)
            else:
                self._file.fault((kind, name), "must be a list of names", 'try ["guard_vhf"]')
            if kind == "groups":
                self._references.note((kind, name), tuple[ChannelName, ...], found.get(name))
        return found

    def _rules(self) -> tuple[Clause, ...]:
        found = (self._rule(name) for name in self._names("rules"))
        return tuple(clause for clause in found if clause is not None)

    def _rule(self, name: str) -> Clause | None:
        at, file = ("rules", name), self._file
        table = file.table(at) or {}
        kind = table.get("kind")
        kinds = kind_names()
        if kind not in kinds:
            near = get_close_matches(str(kind), kinds, n=1)
            remedy = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(kinds)}"
            file.fault((*at, "kind"), "is no kind of rule" if kind else "is missing", remedy)
            return None
        terms_type = kind_named(str(kind)).terms
        head = file.values(
            at, Clause, given=("id", "terms"), tables=[one.name for one in fields(terms_type)]
        )
        terms = self._struct(at, terms_type, beside=_OF_RULE)
        if terms is None or len(head) < len(_OF_RULE):
            return None
        return Clause(id=name, terms=terms, **head)  # type: ignore[arg-type]  # checked above

    def _names(self, kind: str) -> list[str]:
        """Return the names of what is below a table, as many as there may be."""
        names = list(self._file.table((kind,)) or {})
        if len(names) > PARTS_MAX:
            self._file.fault((kind,), f"has more than {PARTS_MAX}", "make it two agreements")
        for name in names[:PARTS_MAX]:
            try:
                convert(name, _NAMES[kind])
            except ValidationError:  # it is a level of topics, and stands in lists of names
                self._file.fault((kind, name), "is no good name", f"use {wanted(_NAMES[kind])}")
        return names[:PARTS_MAX]

    def _struct(
        self, at: KeyPath, struct: type[AnyStruct], *, beside: Iterable[str] = ()
    ) -> AnyStruct | None:
        """Return the struct that a table holds, with the tables in it; None when one is at fault.

        Beside its keys stand some that are read elsewhere.
        """
        file = self._file
        table = file.table(at) or {}
        apart = {field.name: one for field in fields(struct) if (one := _struct_in(field.type))}
        found = file.values(at, struct, tables=(*apart, *beside))
        for field in fields(struct):
            if field.name not in apart:
                continue
            inner: object = field.default
            if field.name in table:
                inner = self._struct((*at, field.name), apart[field.name])
            elif inner is NODEFAULT:
                file.fault((*at, field.name), "is missing", f"add [{'.'.join((*at, field.name))}]")
            if inner is not NODEFAULT and (inner is not None or field.name not in table):
                found[field.name] = inner
        for field in fields(struct):
            self._references.note((*at, field.name), field.type, found.get(field.name))
        return struct(**found) if len(found) == len(fields(struct)) else None


def _struct_in(kind: object) -> type[Struct] | None:
    """Return the struct that a field holds; None for any other field."""
    found = inspect.type_info(kind)
    types = found.types if isinstance(found, inspect.UnionType) else (found,)
    return next((one.cls for one in types if isinstance(one, inspect.StructType)), None)
