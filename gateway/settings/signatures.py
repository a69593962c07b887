"""The file of who has signed an agreement, beside it: read whole, with every fault in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import fields, replace

from gateway.model.agreement import Agreement, AgreementName, State
from gateway.model.signature import Consent, Signature, Signatures, Takeover
from gateway.rules.signing import keys_of, utc_words
from gateway.rules.succession import succession
from gateway.settings.agreement import PARTS_MAX, SIGNATURES_SUFFIX
from gateway.settings.effective import toml
from gateway.settings.faults import BadSettings
from gateway.settings.lines import KeyPath
from gateway.settings.tables import TomlFile, read_file

AnySignature = TypeVar("AnySignature", bound=Signature)


class Heading(Struct, frozen=True, kw_only=True):
    """What stands above the tables."""

    agreement: AgreementName


def signatures_path(agreement: Path) -> Path:
    """Return the file beside an agreement in which it stands who has signed."""
    return agreement.with_name(agreement.name.removesuffix(".toml") + SIGNATURES_SUFFIX)


def read_signatures(path: Path, agreement: Agreement) -> Signatures:
    """Return who has signed the agreement in this file, or raise BadSettings; at first nobody."""
    beside = signatures_path(path)
    if not beside.exists():
        return Signatures(agreement=agreement.id)
    file = read_file(beside)
    heading = file.values((), Heading, tables=("signatures", "instead"))
    if heading and heading["agreement"] != agreement.id:
        file.fault(
            ("agreement",),
            f'signs "{heading["agreement"]}", and the agreement beside it is "{agreement.id}"',
            "move it to the agreement that it belongs to",
        )
    signatures = dict(_each(file, "signatures", Signature))
    instead = dict(_each(file, "instead", Consent))
    if file.faults:
        raise BadSettings(tuple(dict.fromkeys(file.faults)))
    return Signatures(agreement=agreement.id, signatures=signatures, instead=instead)


def as_signed(path: Path, agreement: Agreement) -> tuple[Agreement, str | None]:
    """Return the agreement as far as it binds, and why it is no more than proposed.

    A fault in the file of signatures is a reason and stops nobody: a box that starts at night has
    to hear calls, whatever another party has put beside an agreement.
    """
    if not keys_of(agreement):
        return agreement, None
    # A station whose agreements name no keys is not to wait for a library of them.
    from gateway.settings.ed25519 import proves  # noqa: PLC0415  # as said above

    try:
        found = succession(None, agreement, read_signatures(path, agreement), proves)
    except BadSettings as bad:
        return _proposed(agreement), f"its signatures can't be read: {bad.faults[0]}"
    if found.takeover is Takeover.TAKES:
        return agreement, None
    return _proposed(agreement), found.words


def _proposed(agreement: Agreement) -> Agreement:
    return replace(agreement, status=replace(agreement.status, state=State.PROPOSED))


def written(signatures: Signatures, beside: str) -> str:
    """Return the text of the file that says who has signed the agreement of this file name."""
    lines = [
        f"# Who has signed {beside}: written by `distress-gateway agreement sign`,",
        "# proven by `distress-gateway agreement verify`.",
        f"agreement = {toml(signatures.agreement)}",
    ]
    for kind, tables in (("signatures", signatures.signatures), ("instead", signatures.instead)):
        for party, signature in tables.items():
            lines += ["", f"[{kind}.{bare_or_quoted(party)}]", *table_lines(signature)]
    return "\n".join(lines) + "\n"


def bare_or_quoted(name: str) -> str:
    """Return a name as a key: bare where TOML allows it."""
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else toml(name)


def table_lines(signature: Signature) -> Iterator[str]:
    """Yield each field of a signature as its table has it."""
    for field in fields(signature):
        value = getattr(signature, field.name)
        text = utc_words(value) if isinstance(value, datetime) else toml(value)
        yield f"{field.name} = {text}"


def signature_at(file: TomlFile, at: KeyPath, struct: type[AnySignature]) -> AnySignature | None:
    """Return the signature that the table holds; None when a value is at fault."""
    one = file.struct(at, struct)
    if one is None:
        return None
    try:
        utc_words(one.signed_utc)
    except OverflowError:
        # TOML has 0001-01-01T00:00:00+01:00, which is in no year that we could say in UTC.
        file.fault((*at, "signed_utc"), "is in no year from 1 to 9999 in UTC", "ask for it again")
        return None
    return one


def _each(
    file: TomlFile, kind: str, struct: type[AnySignature]
) -> Iterator[tuple[str, AnySignature]]:
    names = list(file.table((kind,)) or {})
    if len(names) > PARTS_MAX:
        file.fault((kind,), f"has more than {PARTS_MAX}", "an agreement has no more parties")
    for name in names[:PARTS_MAX]:
        one = signature_at(file, (kind, name), struct)
        if one is not None:
            yield name, one
