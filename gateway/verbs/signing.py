"""`agreement keygen`, `sign` and `verify`: who has signed what is agreed, and proof of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct
from msgspec.structs import replace

from gateway.clock import Clock
from gateway.codes.dates import utc_of
from gateway.model.agreement import Agreement, State
from gateway.model.signature import Check, Checked, Consent, Signature, Signatures, Takeover
from gateway.rules.signing import all_signed, checked, consents, key_id, statement, unsigned
from gateway.rules.succession import succession
from gateway.settings.agreement import AgreementFile, agreement_path
from gateway.settings.ed25519 import Key, new_key, proves, read_key
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.signatures import read_signatures, signatures_path, written
from gateway.settings.tables import TomlFile, read_file
from gateway.verbs.telling import printable

_IN = "    "


class Opened(Struct, frozen=True):
    """An agreement, with its file and with who has signed it."""

    path: Path
    file: TomlFile
    agreement: Agreement
    signatures: Signatures

    def checked(self) -> tuple[Checked, ...]:
        """Return what the signature of each party is worth."""
        return checked(self.agreement, self.signatures, proves)


def opened(name: str) -> Opened:
    """Return the agreement of this name or file and who has signed it, or raise BadSettings."""
    path = agreement_path(name)
    file = read_file(path, if_missing="name one that is there")
    agreement = AgreementFile(file).agreement()
    return Opened(path, file, agreement, read_signatures(path, agreement))


def keygen(args: argparse.Namespace) -> int:
    """Make a private key in a file that only this user may read; never over another file."""
    path = Path(args.file)
    key = private_key_in(path)
    sys.stdout.write(
        f"private key  {printable(str(path))}: only this user may read it; keep a copy under lock\n"
        f"key id       {key_id(key.public)}\n"
        "into the agreement, below [parties.NAME] of the party that it is of:\n"
        f'{_IN}public_key = "{key.public}"\n'
    )
    return 0


def private_key_in(path: Path) -> Key:
    """Make a key and put its private half into a new file that only this user may read."""
    key = new_key()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            _filled(path, file, key.pem)
    except FileExistsError:
        what = "is there already, and a key that was written over signs nothing any more"
        raise _bad(path, what, "name a new file") from None
    except OSError as error:
        raise _bad(path, f"can't be written: {error.strerror}", "name another place") from None
    return key


def sign(args: argparse.Namespace) -> int:
    """Put the signature of one party into the file beside the agreement."""
    this = opened(args.name)
    key = read_key(Path(args.key))
    if args.instead_of is None:
        must_be_of(this, args.party, key, args.key)
        signatures = _signed(this, args.party, key)
    else:
        other = opened(args.instead_of)
        _must_differ(this, other)
        must_be_of(other, args.party, key, args.key)
        signatures = _consented(this, other.agreement, args.party, key)
    put_into(signatures_path(this.path), written(signatures, this.path.name))
    after = replace(this, signatures=signatures)
    if args.instead_of is not None:
        sys.stdout.write(f"{args.party} agrees that it takes the place of {args.instead_of}\n")
    sys.stdout.write("\n".join(_told(after)) + "\n")
    return 0


def verify(args: argparse.Namespace) -> int:
    """Say of each party whether it has signed this very text; 0 when all have."""
    this = opened(args.name)
    sys.stdout.write("\n".join(_told(this)) + "\n")
    good = all_signed(this.checked())
    if args.instead_of is not None:
        other = opened(args.instead_of).agreement
        for one in consents(other, this.agreement, this.signatures, proves):
            if one.signature is not None:
                sys.stdout.write(f"{_IN}going from {other.version}: {_party(one)}\n")
        found = succession(_held(other), _held(this.agreement), this.signatures, proves)
        words = {Takeover.TAKES: "may take its place", Takeover.PROPOSED: "stays proposed"}
        sys.stdout.write(f"{words.get(found.takeover, 'refused')}: {found.words}\n")
        good = good and found.takeover is Takeover.TAKES
    return 0 if good else 1


def signed_words(found: tuple[Checked, ...]) -> str:
    """Return who has signed, as a part of a line; empty when nobody has to."""
    asked = [one.party for one in found if one.check is not Check.NOT_ASKED]
    missing = unsigned(found)
    if not asked:
        return ""
    if not missing:
        return f"signed by all of {len(asked)}"
    good = [name for name in asked if name not in missing]
    by = f"signed by {', '.join(good)}" if good else "signed by nobody"
    return f"{by}, not by {', '.join(missing)}"


def party_lines(found: tuple[Checked, ...]) -> Iterator[str]:
    """Yield a line for each party: signed by which key when, or what is wrong."""
    width = max((len(one.party) for one in found), default=0)
    for one in found:
        yield f"{_IN}{printable(one.party).ljust(width)}  {_check(one)}"


def _held(agreement: Agreement) -> Agreement:
    """Return what is proposed as if it held: what is asked is whether it could."""
    status = agreement.status
    state = State.IN_FORCE if status.state is State.PROPOSED else status.state
    return replace(agreement, status=replace(status, state=state))


def _told(this: Opened) -> Iterator[str]:
    agreement, found = this.agreement, this.checked()
    yield f"{agreement.id} {agreement.version}, digest {agreement.digest}"
    yield from party_lines(found)
    yield signed_words(found) or "nobody has to sign: no party of it has a public_key"
    # Whoever was to sign, and whose key was forgotten, is to be missed here.
    others = [name for name, party in agreement.parties.items() if party.public_key is None]
    if others and found:
        yield f"not asked, for want of a public_key: {', '.join(others)}"


def _party(one: Checked) -> str:
    return f"{printable(one.party)}  {_check(one)}"


def _check(one: Checked) -> str:
    signature = one.signature
    if signature is None:
        return f"missing: has not signed with key {one.key}"
    at = f"{signature.signed_utc.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    match one.check:
        case Check.SIGNED:
            return f"signed {at} by key {signature.key}"
        case Check.CHANGED:
            return (
                f"wrong: the text was changed after it signed version {signature.version},"
                f" {at}, of digest {signature.digest[:16]}…"
            )
        case Check.WRONG_KEY:
            return f"wrong key: signed by {signature.key}, and its key here is {one.key}"
        case Check.FALSE:
            return f"wrong: damaged or made up, key {signature.key} has signed nothing like it"
        case _:
            return "counts for nothing: it has no public_key in this agreement"


def must_be_of(this: Opened, party: str, key: Key, key_file: str) -> None:
    """Raise BadSettings unless the agreement says that this key is the party's."""
    file, parties = this.file, this.agreement.parties
    if party not in parties:
        near = get_close_matches(party, parties, n=1)
        listed = f"there are: {', '.join(parties)}"
        file.fault(
            ("parties",),
            f'has no party "{printable(party)}"',
            f"did you mean `{near[0]}`?" if near else listed,
        )
    elif (public := parties[party].public_key) is None:
        file.fault(
            ("parties", party),
            "has no public_key, so nobody could prove its signature",
            f'add `public_key = "{key.public}"`, before anybody signs',
        )
    elif public != key.public:
        file.fault(
            ("parties", party, "public_key"),
            f"is key {key_id(public)}, and {printable(key_file)} is key {key_id(key.public)}",
            "sign with the key of this party",
        )
    if file.faults:
        raise BadSettings(tuple(file.faults))


def _must_differ(this: Opened, other: Opened) -> None:
    if this.agreement.id != other.agreement.id:
        other.file.fault(
            ("id",),
            f'is "{other.agreement.id}", and that which is to take its place'
            f' is "{this.agreement.id}"',
            "name another version of the same agreement",
        )
    elif this.agreement.digest == other.agreement.digest:
        other.file.fault(
            ("version",), "is the very text that is to take its place", "name the one in place"
        )
    if other.file.faults:
        raise BadSettings(tuple(other.file.faults))


def _signed(this: Opened, party: str, key: Key) -> Signatures:
    blank = Signature(
        key=key_id(key.public),
        version=this.agreement.version,
        digest=this.agreement.digest,
        signed_utc=now_utc(),
        signature="",
    )
    made = replace(blank, signature=key.sign(statement(this.agreement.id, party, blank)))
    return replace(this.signatures, signatures={**this.signatures.signatures, party: made})


def _consented(this: Opened, place: Agreement, party: str, key: Key) -> Signatures:
    blank = Consent(
        key=key_id(key.public),
        version=this.agreement.version,
        digest=this.agreement.digest,
        signed_utc=now_utc(),
        signature="",
        instead_of=place.digest,
    )
    made = replace(blank, signature=key.sign(statement(this.agreement.id, party, blank)))
    return replace(this.signatures, instead={**this.signatures.instead, party: made})


def now_utc(*, whole: bool = True) -> datetime:
    """Return the time of day, to the second where it is `whole`: all that a person signs by."""
    utc = utc_of(Clock().now().utc_ns)
    if utc is None:
        what = "the clock of this box was never set, and a signature says when it was made"
        raise BadSettings((ConfigFault("clock", 0, "", what, "set it, see `timedatectl`"),))
    return utc.replace(microsecond=0) if whole else utc


def put_into(path: Path, content: str | bytes) -> None:
    """Put it into the file at one stroke: after a power cut it is the old one or the new."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            _filled(beside, file, content.encode() if isinstance(content, str) else content)
        beside.replace(path)
    except OSError as error:
        raise _bad(path, f"can't be written: {error.strerror}", "see the folder's mode") from None


def _filled(path: Path, file: BinaryIO, content: bytes) -> None:
    """Write all of it to the disk, or leave no file."""
    try:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _bad(path: Path, what: str, remedy: str) -> BadSettings:
    return BadSettings((ConfigFault(str(path), 0, "", what, remedy),))
