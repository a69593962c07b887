"""`compliance`: how agreements were kept in a day or a month, and proof of such a report.

The journal is only read, also while a gateway writes it. What was reported can be proven years
later by whoever has the journal, or a copy of it as it was, and nothing else. Without one it can be
proven that the report is consistent, and who has signed it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import MsgspecError, Struct

from gateway.journal.chain import link_of
from gateway.journal.failed import JournalFailed
from gateway.journal.verdicts import entered_in, links_at
from gateway.model.agreement import Agreement
from gateway.rules.account import (
    VERDICTS_MAX,
    Account,
    Ruled,
    TooManyVerdicts,
    account_from,
    account_of,
    faults_of,
    said_at,
)
from gateway.rules.alone import faults_alone
from gateway.settings.agreement import agreement_named
from gateway.verbs.endorsing import (
    Signing,
    found_beside,
    must_be_unsigned,
    must_make_sense,
    must_tell_of,
    signed,
    signing_of,
    told,
)
from gateway.verbs.graph import stamp
from gateway.verbs.sheet import sheet
from gateway.verbs.signing import put_into
from gateway.verbs.telling import printable, verdict_line

REPORT_BYTES_MAX = 1 << 28
"""Of a report that is read: more than its `VERDICTS_MAX` verdicts come to."""

FAULTS_MAX = 50
"""Told one by one; the others are counted, for a page is read."""

_JOURNAL_ASKED = (
    "that no verdict is left out, and that each entry is one of the journal: give it with --journal"
)


class NoReport(Exception):  # noqa: N818  # a fact of the file, not a mistake of ours
    """What was handed over is no report."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        remedy = "name what `compliance --form msgpack -o FILE` has written"
        return f"{self.name}: no report of compliance: {self.reason}; {remedy}"


class Handed(Struct, frozen=True):
    """A report as it was handed over, and the texts at hand."""

    path: Path
    body: bytes
    account: Account
    agreements: tuple[Agreement, ...]


class Proof(Struct, frozen=True):
    """What is said of a report without asking who has signed it."""

    faults: tuple[str, ...]
    unproven: tuple[str, ...]
    words: str
    """When there is no fault."""


def main(args: argparse.Namespace) -> int:
    """Write the report, sign or prove one; 1 when something in it does not hold."""
    must_make_sense(args)
    agreements = tuple(agreement_named(name) for name in args.agreement)
    try:
        if args.verify is not None:
            return _verified(args, agreements)
        if args.sign is not None:
            return _signed(args, agreements)
        return _reported(args, agreements)
    except (JournalFailed, NoReport) as said:
        sys.stderr.write(f"{printable(str(said))}\n")
    except TooManyVerdicts:
        sys.stderr.write(f"there are more than {VERDICTS_MAX} verdicts: give a shorter time\n")
    except OSError as error:
        sys.stderr.write(f"{printable(str(error.filename))}: {error.strerror}\n")
    return 1


def _reported(args: argparse.Namespace, agreements: tuple[Agreement, ...]) -> int:
    signing = None if args.key is None else signing_of(args)
    if args.out is not None:
        must_be_unsigned(Path(args.out))
    account = _own(args.journal, args.day or args.month or "", agreements)
    body = _formed(account, args.form)
    if signing is None:
        return _written(body, args.out)
    this = Handed(Path(args.out), body, account, agreements)
    must_tell_of(signing, account, this.path)
    # The report is on the disk before anybody's word for it is.
    put_into(this.path, body)
    return _endorsed(signing, this)


def _own(
    path: str, period: str, agreements: Sequence[Agreement], *, upto: int | None = None
) -> Account:
    with entered_in(path) as (end, entered):
        rows = (one for one in entered if upto is None or one.number <= upto)
        with suppress(TooManyVerdicts):
            return account_of(end, rows, period=period, agreements=agreements)
    # Raised in there it would be taken for something that is wrong with the journal.
    raise TooManyVerdicts


def _formed(account: Account, form: str) -> bytes:
    if form == "msgpack":
        return msgspec.msgpack.encode(account)
    if form == "html":
        return sheet(account)
    return ("\n".join(lines(account)) + "\n").encode()


def _written(body: bytes, out: str | None) -> int:
    if out is None:
        sys.stdout.buffer.write(body)
    else:
        Path(out).write_bytes(body)
    return 0


def _signed(args: argparse.Namespace, agreements: tuple[Agreement, ...]) -> int:
    """Sign a report for one party; 1, and nothing signed, when something in it does not hold."""
    signing, this = signing_of(args), _handed(args.sign, agreements)
    must_tell_of(signing, this.account, this.path)
    proof, found = _proof(this, args.journal), found_beside(*_beside(this))
    # What stands there in the party's own name goes.
    of_others = told(one for one in found if one.signer != signing.signer)
    faults = [*(words for how, words in of_others if how == "FAILS"), *proof.faults]
    if faults:
        _print([*_failing(faults), "the report does NOT hold, and was not signed"])
        return 1
    _print(_unproven_lines(proof.unproven))
    return _endorsed(signing, this)


def _endorsed(signing: Signing, this: Handed) -> int:
    signed(signing, this.path, this.body, this.account)
    _print(f"{how}  {words}" for how, words in told(found_beside(*_beside(this))))
    return 0


def _verified(args: argparse.Namespace, agreements: tuple[Agreement, ...]) -> int:
    """Print what of a report does not hold, and who has signed it; 1 when there is anything."""
    this = _handed(args.verify, agreements)
    proof, found = _proof(this, args.journal), [*told(found_beside(*_beside(this)))]
    forged = [words for how, words in found if how == "FAILS"]
    _print(_failing([*forged, *proof.faults]))
    _print(_unproven_lines(proof.unproven))
    _print(f"{how}  {words}" for how, words in found if how != "FAILS")
    if proof.faults:
        _print(["the report does NOT hold"])
    else:
        _print([f"{proof.words}; a signature beside it does NOT hold" if forged else proof.words])
    return 1 if forged or proof.faults else 0


def _handed(name: str, agreements: tuple[Agreement, ...]) -> Handed:
    path = Path(name)
    with path.open("rb") as file:
        body = file.read(REPORT_BYTES_MAX)
    try:
        return Handed(path, body, account_from(body), agreements)
    except MsgspecError as error:
        raise NoReport(name, str(error)) from None


def _beside(this: Handed) -> tuple[Path, bytes, Account, tuple[Agreement, ...]]:
    return this.path, this.body, this.account, this.agreements


def _proof(this: Handed, journal: str | None) -> Proof:
    """Return what the journal says of a report; without one, what it says of itself."""
    account, agreements = this.account, this.agreements
    count = len(account.verdicts)
    if journal is None:
        return Proof(
            faults=tuple(faults_alone(account, agreements, link_of)),
            unproven=(_JOURNAL_ASKED, *_clauses_unproven(account, agreements)),
            words=f"nothing in the report is wrong by itself: {count} verdicts",
        )
    own = _own(journal, account.period, agreements, upto=account.end.number_last)
    links = links_at(journal, account.end.number_last)
    faults = [*faults_of(account, own)]
    if links - {account.end.link_last}:
        faults.append(f"entry {account.end.number_last} has another link in the journal")
    gone = f"the head: entry {account.end.number_last} was routine, and is gone by now"
    return Proof(
        faults=tuple(faults),
        unproven=(*(() if links else (gone,)), *_clauses_unproven(account, agreements)),
        words=f"the report holds: {count} verdicts, each as its entry has it, and none left out",
    )


def _clauses_unproven(account: Account, agreements: Iterable[Agreement]) -> Iterator[str]:
    """Yield of which clauses nothing at hand speaks for or against."""
    texts = {agreement.digest for agreement in agreements}
    for name, digest in sorted(
        {(rule.agreement, rule.digest) for rule in account.rules if rule.clause is not None}
    ):
        if digest not in texts:
            yield f"the clauses of {name}: give the text with digest {digest}"


def _failing(faults: Sequence[str]) -> Iterator[str]:
    yield from (f"FAILS  {fault}" for fault in faults[:FAULTS_MAX])
    if len(faults) > FAULTS_MAX:
        yield f"and {len(faults) - FAULTS_MAX} more"


def _unproven_lines(unproven: Iterable[str]) -> Iterator[str]:
    return (f"unproven  {words}" for words in unproven)


def _print(told_lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{printable(line)}\n" for line in told_lines))


def lines(account: Account) -> Iterator[str]:
    """Yield the report, line by line; nothing that would not print."""
    yield from map(printable, _lines(account))


def _lines(account: Account) -> Iterator[str]:
    end = account.end
    yield f"how agreements were kept: {account.period or 'the whole journal'}"
    yield f"station    {end.station}"
    yield f"epoch      {end.epoch}"
    yield f"head       number {end.number_last}, link {end.link_last.hex()}"
    if account.undated:
        yield f"no time    {account.undated} verdicts: they are of no day and no month"
    for rule in account.rules:
        yield ""
        yield from _rule(rule)
    if account.available:
        yield from ("", "availability of watches")
    for one in account.available:
        yield f"    {one.month}  {one.watch}  {one.judgement}  {one.words} (entry {one.number})"
    yield from ("", "verdicts" if account.verdicts else "no verdicts")
    for entered in account.verdicts:
        told = entered.told
        at = said_at(entered, told.verdict)
        day = "no date   " if at is None else f"{at:%Y-%m-%d}"
        yield f"    {day} {verdict_line(told.verdict).lstrip()}"
        proof = f"entry {entered.number}, link {entered.link.hex()}"
        yield f"        verdict {told.verdict_id}, {proof}"
        if told.verdict.evidence:
            yield f"        by {', '.join(told.verdict.evidence)}"


def _rule(rule: Ruled) -> Iterator[str]:
    kind = rule.kind.replace("_", " ")
    yield f"{rule.agreement}/{rule.rule}  {kind}, version {rule.version}, digest {rule.digest}"
    if rule.clause is not None:
        if rule.clause.words:
            yield f"    {rule.clause.words}"
        yield f"    [{rule.clause.basis}] {rule.clause.source}"
    found = ", ".join(f"{name} {count}" for name, count in rule.found.items())
    untold = f"; {rule.untold} more were only counted" if rule.untold else ""
    yield f"    found: {found or 'nothing'}{untold}"
    for one in rule.standing:
        since = f"since {stamp(one.since)}, entry {one.number}"
        yield f"    stands: {one.judgement} of {one.subject} {since}"
