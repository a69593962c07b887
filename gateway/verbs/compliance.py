"""`compliance`: how agreements were kept in a day or a month, and proof of such a report.

The journal is only read, also while a gateway writes it. What was reported can be proven years
later by whoever has the journal, or a copy of it as it was, and nothing else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import MsgspecError

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
from gateway.settings.agreement import agreement_named
from gateway.verbs.graph import stamp
from gateway.verbs.sheet import sheet
from gateway.verbs.telling import printable, verdict_line

REPORT_BYTES_MAX = 1 << 28
"""Of a report that is read: more than its `VERDICTS_MAX` verdicts come to."""

FAULTS_MAX = 50
"""Told one by one; the others are counted, for a page is read."""


def main(args: argparse.Namespace) -> int:
    """Write the report, or prove one; 1 when something in it does not hold."""
    agreements = [agreement_named(name) for name in args.agreement]
    try:
        if args.verify is not None:
            return _verified(args, agreements)
        account = _own(args.journal, args.day or args.month or "", agreements)
        return _written(_formed(account, args.form), args.out)
    except JournalFailed as failed:
        sys.stderr.write(f"{printable(str(failed))}\n")
    except TooManyVerdicts:
        sys.stderr.write(f"there are more than {VERDICTS_MAX} verdicts: give a shorter time\n")
    except OSError as error:
        sys.stderr.write(f"{printable(str(error.filename))}: {error.strerror}\n")
    return 1


def _own(
    path: str, period: str, agreements: Sequence[Agreement], *, upto: int | None = None
) -> Account:
    with entered_in(path) as (end, entered):
        rows = (one for one in entered if upto is None or one.number <= upto)
        return account_of(end, rows, period=period, agreements=agreements)


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


def _verified(args: argparse.Namespace, agreements: Sequence[Agreement]) -> int:
    """Print what of a report the journal does not prove; 1 when there is anything."""
    with Path(args.verify).open("rb") as file:
        body = file.read(REPORT_BYTES_MAX)
    try:
        account = account_from(body)
    except MsgspecError as error:
        sys.stderr.write(f"{printable(args.verify)}: no report of compliance: {error}\n")
        return 1
    own = _own(args.journal, account.period, agreements, upto=account.end.number_last)
    links = links_at(args.journal, account.end.number_last)
    faults = list(faults_of(account, own))
    if links - {account.end.link_last}:
        faults.append(f"entry {account.end.number_last} has another link in the journal")
    told = [f"FAILS  {fault}" for fault in faults[:FAULTS_MAX]]
    if len(faults) > FAULTS_MAX:
        told.append(f"and {len(faults) - FAULTS_MAX} more")
    told += [f"unproven  {words}" for words in _unproven(account, own, links)]
    told.append("the report does NOT hold" if faults else f"the report holds: {_count(account)}")
    sys.stdout.write("".join(f"{printable(line)}\n" for line in told))
    return 1 if faults else 0


def _unproven(account: Account, own: Account, links: frozenset[bytes]) -> Iterator[str]:
    """Yield what nothing at hand speaks for or against."""
    if not links:
        yield f"the head: entry {account.end.number_last} was routine, and is gone by now"
    texts = {rule.digest for rule in own.rules if rule.clause is not None}
    for agreement, digest in sorted(
        {(rule.agreement, rule.digest) for rule in account.rules if rule.clause is not None}
    ):
        if digest not in texts:
            yield f"the clauses of {agreement}: give the text with digest {digest}"


def _count(account: Account) -> str:
    return f"{len(account.verdicts)} verdicts, each as its entry has it, and none left out"


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
