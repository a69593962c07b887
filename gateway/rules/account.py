"""How an agreement was kept in a day, a month or a whole journal, and the entries that prove it.

Whoever has the journal, or a copy of it, can make the same account, and say where one that was
handed over is another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, MsgspecError, Raw, Struct
from msgspec.structs import replace

from gateway.model.agreement import Agreement, Basis, Clause
from gateway.model.endorsement import Epoch, Period, Station
from gateway.model.verdict import PASSES, Judgement, Verdict, VerdictNote

VERDICTS_MAX = 100_000
"""In one account: a page of more is read by nobody. Of more a shorter time has to be asked for;
none is ever left out in silence."""

AVAILABILITY = "availability:"
"""How the subject begins of what a watch came to in a month: `availability:bravo/vhf70/2026-11`."""

_GONE_BY = frozenset({*PASSES, Judgement.DENIED, Judgement.DEFERRED})
"""What leaves nothing standing: a request that was refused was not carried out."""

_WORD_MAX = 2**63 - 1
"""Of a number in the file of a journal."""

Link = Annotated[bytes, Meta(min_length=16, max_length=16)]
"""A digest of 16 bytes: of one that is longer nobody could say where the entry begins."""

Key = tuple[str, str, str]
"""A rule of one text: agreement, digest, rule."""


class TooManyVerdicts(Exception):  # noqa: N818  # it is an answer, not an error
    """There are more verdicts than one account holds."""


class Entered(Struct, frozen=True, kw_only=True):
    """One verdict as its journal entry has it, byte by byte: so its link can be computed again."""

    number: Annotated[int, Meta(ge=1, le=_WORD_MAX)]
    ordinal: Annotated[int, Meta(ge=0, le=_WORD_MAX)]
    lane: Annotated[str, Meta(pattern=r"\A[a-z]{1,16}\Z")]
    utc_ns: Annotated[int, Meta(ge=-_WORD_MAX, le=_WORD_MAX)] | None
    before: Link
    """The link of the row before it."""
    link: Link
    note: Raw
    """The body of the entry, a `VerdictNote` in msgpack."""

    @property
    def told(self) -> VerdictNote:
        """The verdict; raises MsgspecError when it is none."""
        return msgspec.msgpack.decode(self.note, type=VerdictNote)


class Ended(Struct, frozen=True, kw_only=True):
    """How far a journal had come."""

    station: Station
    epoch: Epoch
    number_last: Annotated[int, Meta(ge=0, le=_WORD_MAX)]
    link_last: Link


class Written(Struct, frozen=True, kw_only=True):
    """A clause in the words of the agreement."""

    words: str
    source: str
    basis: Basis


class Stands(Struct, frozen=True, kw_only=True):
    """What was not as agreed when the time of the account ended."""

    subject: str
    judgement: Judgement
    since: datetime | None
    """None where nobody knew the time."""
    number: int
    """Of the entry that said it last."""


class Ruled(Struct, frozen=True, kw_only=True):
    """What one rule found."""

    agreement: str
    version: str
    digest: str
    rule: str
    kind: str
    clause: Written | None = None
    """None where the text was not given."""
    found: dict[str, int] = {}
    """How often each judgement was told in this time."""
    untold: int = 0
    """Verdicts that were only counted, for more came than anybody reads."""
    standing: tuple[Stands, ...] = ()


class Available(Struct, frozen=True, kw_only=True):
    """What one watch came to in one month."""

    agreement: str
    rule: str
    watch: str
    month: str
    judgement: Judgement
    words: str
    number: int


class Account(Struct, frozen=True, kw_only=True):
    """The whole of it."""

    form: Literal["distress-gateway/compliance/1"] = "distress-gateway/compliance/1"
    period: Period
    """A day `2026-11-23` or a month `2026-11` in UTC; empty for the whole journal."""
    end: Ended
    undated: int
    """Verdicts said when nobody knew the time: they are of no day and no month."""
    rules: tuple[Ruled, ...]
    available: tuple[Available, ...]
    verdicts: Annotated[tuple[Entered, ...], Meta(max_length=VERDICTS_MAX)]
    """Those of this time, and those before it that stand at its end; by number."""


def account_of(
    end: Ended, entered: Iterable[Entered], *, period: str, agreements: Sequence[Agreement] = ()
) -> Account:
    """Return the account of these entries, which come by number.

    Raises:
        TooManyVerdicts: There are more than one account holds.
    """
    kept: list[Entered] = []
    open_before: dict[tuple[Key, str], list[Entered]] = {}
    undated = 0
    for one in entered:
        told = one.told
        day = _day(one, told)
        undated += not day
        if _is_within(told.verdict, day, period):
            kept.append(one)
        elif day and day[: len(period)] < period:
            _stand(open_before, one, told.verdict)
        if len(kept) + 2 * len(open_before) > VERDICTS_MAX:
            raise TooManyVerdicts
    before = [one for run in open_before.values() for one in run]
    verdicts = tuple(sorted([*before, *kept], key=lambda one: one.number))
    return Account(
        period=period,
        end=end,
        undated=undated,
        rules=tuple(_written(_ruled(verdicts, period), agreements)),
        available=tuple(_available(verdicts)),
        verdicts=verdicts,
    )


def faults_of(account: Account, own: Account) -> Iterator[str]:
    """Yield where an account is not the one that a journal gives up to the same number.

    `own` is made of that journal, and of the texts that are at hand.
    """
    if (account.end.station, account.end.epoch) != (own.end.station, own.end.epoch):
        yield (
            f"it is of epoch {account.end.epoch} of station {account.end.station}, the journal of"
            f" epoch {own.end.epoch} of station {own.end.station}"
        )
        return
    if account.end.number_last > own.end.number_last:
        yield (
            f"it goes up to entry {account.end.number_last}, the journal only up to"
            f" {own.end.number_last}"
        )
    yield from _other_entries(account, own)
    if account.undated != own.undated:
        yield f"it counts {account.undated} verdicts without a time, the journal {own.undated}"
    yield from other_sums(account)
    yield from other_clauses(account, own)


def account_from(body: bytes) -> Account:
    """Return an account as it was handed over; raises MsgspecError when it is none."""
    try:
        account = msgspec.msgpack.decode(body, type=Account)
        for one in account.verdicts:
            _stands([one])
    except (UnicodeDecodeError, RecursionError, OverflowError) as wrong:
        # Text that is none, parts within parts without end, a time outside of all calendars.
        raise MsgspecError(str(wrong)) from None
    return account


def said_at(entered: Entered, verdict: Verdict) -> datetime | None:
    """Return when it was said; where no clock was set, when the disk was asked to keep it."""
    if verdict.utc is not None or entered.utc_ns is None:
        return verdict.utc
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=entered.utc_ns // 1000)


def _day(entered: Entered, told: VerdictNote) -> str:
    utc = said_at(entered, told.verdict)
    return "" if utc is None else f"{utc:%Y-%m-%d}"


def _is_within(verdict: Verdict, day: str, period: str) -> bool:
    """Say whether it is of this time. What a month came to is said when it is over."""
    if verdict.subject.startswith(AVAILABILITY) and len(period) == len("2026-11"):
        return verdict.subject.endswith(f"/{period}")
    return day.startswith(period)


def _key(verdict: Verdict) -> Key:
    return verdict.agreement, verdict.digest, verdict.rule


def _stand(standing: dict[tuple[Key, str], list[Entered]], one: Entered, verdict: Verdict) -> None:
    """Keep the first and the last entry of what stands: since when, and how."""
    name = _key(verdict), verdict.subject
    if verdict.subject.startswith(AVAILABILITY):
        return
    if verdict.judgement in _GONE_BY:
        standing.pop(name, None)
        return
    run = standing.pop(name, [])
    is_same = bool(run) and run[0].told.verdict.judgement is verdict.judgement
    standing[name] = [run[0], one] if is_same else [one]


def _ruled(verdicts: Sequence[Entered], period: str) -> dict[Key, Ruled]:
    """Return what each rule found, by its text and name."""
    rules: dict[Key, Ruled] = {}
    found: dict[Key, Counter[str]] = {}
    standing: dict[tuple[Key, str], list[Entered]] = {}
    for one in verdicts:
        told = one.told
        verdict, key = told.verdict, _key(told.verdict)
        rule = rules.get(key) or Ruled(
            agreement=verdict.agreement,
            version=verdict.version,
            digest=verdict.digest,
            rule=verdict.rule,
            kind=verdict.kind,
        )
        counted = found.setdefault(key, Counter())
        _stand(standing, one, verdict)
        if _is_within(verdict, _day(one, told), period):
            counted[verdict.judgement.value] += 1
            rule = replace(rule, untold=rule.untold + told.untold)
        rules[key] = rule
    for (key, _), run in standing.items():
        rules[key] = replace(rules[key], standing=(*rules[key].standing, _stands(run)))
    return {key: replace(rule, found=dict(found[key])) for key, rule in rules.items()}


def _stands(run: list[Entered]) -> Stands:
    first, last = run[0].told.verdict, run[-1].told.verdict
    since = said_at(run[0], first)
    if since is not None and first.since_mono_ns is not None:
        since += timedelta(microseconds=(first.since_mono_ns - first.mono_ns) // 1000)
    return Stands(
        subject=last.subject, judgement=last.judgement, since=since, number=run[-1].number
    )


def _available(verdicts: Iterable[Entered]) -> Iterator[Available]:
    for one in verdicts:
        told = one.told
        verdict = told.verdict
        if verdict.subject.startswith(AVAILABILITY):
            watch, _, month = verdict.subject.removeprefix(AVAILABILITY).rpartition("/")
            yield Available(
                agreement=verdict.agreement,
                rule=verdict.rule,
                watch=watch,
                month=month,
                judgement=verdict.judgement,
                words=verdict.words,
                number=one.number,
            )


def _written(rules: dict[Key, Ruled], agreements: Sequence[Agreement]) -> Iterator[Ruled]:
    """Yield each rule with its clause: those of the texts at hand first, found or not."""
    left = dict(rules)
    for agreement in agreements:
        for clause in agreement.rules:
            found = left.pop((agreement.id, agreement.digest, clause.id), None)
            yield replace(found or _nothing_found(agreement, clause), clause=_words_of(clause))
    for key in sorted(left):
        yield left[key]


def _nothing_found(agreement: Agreement, clause: Clause) -> Ruled:
    return Ruled(
        agreement=agreement.id,
        version=agreement.version,
        digest=agreement.digest,
        rule=clause.id,
        kind=clause.kind,
    )


def _words_of(clause: Clause) -> Written:
    return Written(words=clause.words, source=clause.source, basis=clause.basis)


def _other_entries(account: Account, own: Account) -> Iterator[str]:
    """Yield each entry that is missing on one side, or other than on the other."""
    theirs = {one.number: one for one in account.verdicts}
    ours = {one.number: one for one in own.verdicts}
    for number in sorted(theirs.keys() | ours.keys()):
        if number not in theirs:
            yield f"entry {number} of the journal is left out"
        elif number not in ours:
            yield f"entry {number} is not in the journal, or not of this time"
        elif theirs[number] != ours[number]:
            yield f"entry {number} is not as it is in the journal"
    if len(theirs) != len(account.verdicts):
        yield "an entry stands in it twice"


def other_sums(account: Account) -> Iterator[str]:
    """Yield what the account says of its own verdicts, and doesn't follow from them."""
    due = _ruled(account.verdicts, account.period)
    for rule in account.rules:
        bare = replace(rule, clause=None)
        empty = replace(bare, found={}, untold=0, standing=())
        if bare != due.pop((rule.agreement, rule.digest, rule.rule), empty):
            yield f"what it says of {rule.agreement}/{rule.rule} does not follow from its verdicts"
    for agreement, _, name in due:
        yield f"{agreement}/{name} is left out, and has verdicts in it"
    if account.available != tuple(_available(account.verdicts)):
        yield "the availability of watches does not follow from its verdicts"


def other_clauses(account: Account, own: Account) -> Iterator[str]:
    """Yield each clause that is not written so in the text of its digest, if that is at hand."""
    ours = {(one.digest, one.rule): one.clause for one in own.rules if one.clause is not None}
    texts = {digest for digest, _ in ours}
    for rule in account.rules:
        if rule.clause is None or rule.digest not in texts:
            continue
        if rule.clause != ours.get((rule.digest, rule.rule)):
            yield f"the clause of {rule.agreement}/{rule.rule} is not written so in its text"
