"""A report of compliance as one page for any browser and any printer.

It has no script and asks nothing of any other place. Whatever a radio or a person said stands in it
as text alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from gateway.rules.account import Account, Ruled, said_at
from gateway.verbs.graph import stamp
from gateway.verbs.telling import printable

_STYLE = """\
@page { size: A4 landscape; margin: 12mm }
body { font: 10pt/1.35 sans-serif; color: #000; background: #fff; margin: 1em }
table { border-collapse: collapse; width: 100%; margin: 0 0 1.5em }
thead { display: table-header-group }
tr { break-inside: avoid }
th, td { border: 1px solid #888; padding: .25em .4em; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }
th { background: #eee }
h2 { break-after: avoid }
small { font-family: monospace }"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A browser keeps it from loading anything, even if something had got past the escaping."""


def sheet(account: Account) -> bytes:
    """Return the page."""
    return ("\n".join(_page(account)) + "\n").encode()


def _page(account: Account) -> Iterator[str]:
    title = f"How agreements were kept: {account.period or 'the whole journal'}"
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>{_text(title)}</title><style>\n{_STYLE}\n</style></head><body>"
    yield f"<h1>{_text(title)}</h1>"
    yield from _table(("what", "this report says"), _head(account))
    yield "<h2>Rules</h2>"
    columns = ("rule", "clause", "how often", "stands at the end", "digest of the agreement")
    yield from _table(columns, map(_rule, account.rules))
    if account.available:
        yield "<h2>Availability of watches</h2>"
        yield from _table(
            ("month", "rule", "watch", "judgement", "in words", "entry"), _available(account)
        )
    yield "<h2>Verdicts</h2>"
    said = ("said", "rule", "judgement", "of", "in words", "evidence", "proof")
    yield from _table(said, _verdicts(account))
    yield "</body></html>"


def _head(account: Account) -> Iterator[tuple[str, ...]]:
    end = account.end
    yield "station", end.station
    yield "epoch of the journal", end.epoch
    yield "head of the chain", f"number {end.number_last}, link {end.link_last.hex()}"
    yield "verdicts", str(len(account.verdicts))
    yield "without a time, of no day and no month", str(account.undated)


def _rule(rule: Ruled) -> tuple[str, ...]:
    clause = "the text was not given"
    if rule.clause is not None:
        clause = f"{rule.clause.words}\n[{rule.clause.basis}] {rule.clause.source}".strip()
    found = [f"{name} {count}" for name, count in rule.found.items()] or ["nothing"]
    if rule.untold:
        found.append(f"{rule.untold} more were only counted")
    standing = "\n".join(
        f"{one.judgement} of {one.subject} since {stamp(one.since)}, entry {one.number}"
        for one in rule.standing
    )
    name = f"{rule.agreement}/{rule.rule}\n{rule.kind.replace('_', ' ')}"
    return name, clause, "\n".join(found), standing, f"version {rule.version}\n{rule.digest}"


def _available(account: Account) -> Iterator[tuple[str, ...]]:
    for one in account.available:
        rule, number = f"{one.agreement}/{one.rule}", str(one.number)
        yield one.month, rule, one.watch, one.judgement, one.words, number


def _verdicts(account: Account) -> Iterator[tuple[str, ...]]:
    for entered in account.verdicts:
        told = entered.told
        verdict = told.verdict
        proof = f"verdict {told.verdict_id}\nentry {entered.number} of epoch {account.end.epoch}"
        yield (
            stamp(said_at(entered, verdict), verdict.mono_ns),
            f"{verdict.agreement}/{verdict.rule}",
            verdict.judgement,
            verdict.subject,
            verdict.words,
            "\n".join(verdict.evidence),
            f"{proof}\nlink {entered.link.hex()}",
        )


def _table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in columns)}</tr></thead><tbody>"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>"
    yield "</tbody></table>"


def _text(words: str) -> str:
    """Return words as they are shown: each line by itself, nothing that would not print."""
    return "<br>".join(escape(printable(line)) for line in words.split("\n"))
