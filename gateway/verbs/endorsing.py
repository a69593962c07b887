"""Signing a report of compliance for a party, and telling who has signed one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.agreement import Agreement
from gateway.model.endorsement import Endorsed, Endorsement, Signer, Worth
from gateway.rules.account import Account
from gateway.rules.endorsing import endorsed, endorsed_line, subject_of
from gateway.rules.signing import key_id
from gateway.settings.ed25519 import Key, proves, read_key
from gateway.settings.endorsements import (
    endorsements_path,
    read_endorsements,
    written_endorsements,
)
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.verbs.signing import must_be_of, now_utc, opened, put_into


class Signing(Struct, frozen=True):
    """Who is to sign, in which text, with what."""

    party: str
    agreement: Agreement
    key: Key

    @property
    def signer(self) -> Signer:
        """The party, as it is named in the file beside the report."""
        return self.agreement.id, self.party


def must_make_sense(args: argparse.Namespace) -> None:
    """Raise BadSettings with what of the command line does not go together."""
    faults = [ConfigFault(name, 0, "", what, remedy) for name, what, remedy in _senseless(args)]
    if faults:
        raise BadSettings(tuple(faults))


def _senseless(args: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    is_signed = args.key is not None or args.party is not None
    if args.journal is None and args.verify is None and args.sign is None:
        yield "--journal", "is missing", "name a journal, or the copy of one"
    if args.verify is not None and is_signed:
        yield "--verify", "only looks, and signs nothing", "leave out --key and --party, or --sign"
        return
    if (args.sign is not None or is_signed) and (args.key is None or args.party is None):
        yield "--sign", "asks who signs, and with what", "add --party NAME --key FILE"
    if args.sign is not None or is_signed:
        if len(args.agreement) != 1:
            what = f"is of a party of one agreement, and {len(args.agreement)} are named"
            yield "--party", what, "name that which has its public_key; --sign it for the others"
        if args.sign is None and (args.form != "msgpack" or args.out is None):
            what = "signs a report in a file, in msgpack alone"
            yield "--key", what, "add --form msgpack -o FILE"


def signing_of(args: argparse.Namespace) -> Signing:
    """Return who is to sign, or raise BadSettings unless the agreement says that the key is its."""
    this = opened(args.agreement[0])
    key = read_key(Path(args.key))
    must_be_of(this, args.party, key, args.key)
    return Signing(args.party, this.agreement, key)


def must_be_unsigned(report: Path) -> None:
    """Raise BadSettings where a report would be written over one that has been signed."""
    beside = endorsements_path(report)
    if beside.exists():
        what = f"has been signed: {beside.name} stands beside it"
        remedy = "name another file, or sign this report with --sign"
        raise BadSettings((ConfigFault(str(report), 0, "", what, remedy),))


def must_tell_of(signing: Signing, account: Account, report: Path) -> None:
    """Raise BadSettings where a report says nothing of the text in which the party stands."""
    text = signing.agreement
    if not any((one.agreement, one.digest) == (text.id, text.digest) for one in account.rules):
        what = f"says nothing of {text.id} {text.version}, digest {text.digest}"
        remedy = "name the agreement that it is about, or make it with this one"
        raise BadSettings((ConfigFault(str(report), 0, "", what, remedy),))


def signed(signing: Signing, report: Path, body: bytes, account: Account) -> None:
    """Put the party's signature into the file beside the report; those of others stay."""
    subject, text = subject_of(body, account), signing.agreement
    blank = Endorsement(
        key=key_id(signing.key.public),
        version=text.version,
        digest=text.digest,
        signed_utc=now_utc(),
        signature="",
        report=subject.report,
        station=subject.station,
        epoch=subject.epoch,
        period=subject.period,
    )
    made = replace(blank, signature=signing.key.sign(endorsed_line(signing.signer, blank)))
    given = {**read_endorsements(report), signing.signer: made}
    put_into(endorsements_path(report), written_endorsements(given, report.name))


def found_beside(
    report: Path, body: bytes, account: Account, agreements: Sequence[Agreement]
) -> tuple[Endorsed, ...]:
    """Return what each signature beside a report is worth; raise BadSettings of a broken file."""
    subject, given = subject_of(body, account), read_endorsements(report)
    return tuple(endorsed(subject, given, agreements, proves))


def told(found: Iterable[Endorsed]) -> Iterator[tuple[str, str]]:
    """Yield of each signature how it stands, `FAILS` where it is not good, and why."""
    for one in found:
        yield _HOW.get(one.worth, "FAILS"), _words(one)


_HOW: Mapping[Worth, str] = {
    Worth.SIGNED: "signed",
    Worth.MISSING: "unsigned",
    Worth.NO_TEXT: "unproven",
}


def _words(one: Endorsed) -> str:
    agreement, party = one.signer
    given = one.given
    if given is None:
        return f"{party} of {agreement} has not signed it with key {one.key}"
    at = f"{given.signed_utc.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    if one.worth is Worth.SIGNED:
        return f"{at} by {party}, key {one.key}, as a party of {agreement} {given.version}"
    return f"the signature of {party} of {agreement}: {_why(one, given, at)}"


def _why(one: Endorsed, given: Endorsement, at: str) -> str:
    match one.worth:
        case Worth.OTHER_REPORT:
            return (
                f"given {at} under another report, of {given.period or 'the whole journal'}, with"
                f" SHA-256 {given.report[:16]}…: this one was changed after, or is another"
            )
        case Worth.OTHER_TEXT:
            return f"given as a party of the text with digest {given.digest}: name that one"
        case Worth.WRONG_KEY:
            return f"made with key {given.key}, and its key in the agreement is {one.key}"
        case Worth.FALSE:
            return f"damaged or made up, key {given.key} has signed nothing like it"
        case Worth.NO_PARTY:
            return "counts for nothing: the agreement has no public_key of such a party"
        case _:
            return f"give the text with digest {given.digest}"
