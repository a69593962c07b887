"""What an account proves by itself, where nobody has the journal that it was made of.

No secret is in a link: whoever forges an entry with care computes its link again, and whoever
leaves one out mends the sums. So what holds here is whole and consistent, and not yet true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from gateway.model.agreement import Agreement
from gateway.rules.account import (
    Account,
    Ended,
    Entered,
    account_of,
    other_clauses,
    other_sums,
)

LinkOf = Callable[[bytes, int, int, str, int | None, bytes], bytes]
"""Asked with the link before, number, ordinal, lane, time and body: which link has the entry?"""

_RING = "routine"
"""The lane of what is as agreed: it lies on a shelf of its own, with ordinals of its own."""


def faults_alone(
    account: Account, agreements: Sequence[Agreement], link_of: LinkOf
) -> Iterator[str]:
    """Yield where an account can't be one that any journal gives, with the texts at hand."""
    yield from _broken(account.verdicts, link_of)
    yield from _disordered(account.verdicts)
    yield from _behind_the_head(account.verdicts, account.end)
    ordered = sorted(account.verdicts, key=lambda one: one.number)
    own = account_of(account.end, ordered, period=account.period, agreements=agreements)
    numbers = {one.number for one in own.verdicts}
    for one in ordered:
        if one.number not in numbers:
            yield f"entry {one.number} is not of this time, and nothing of it stood then"
    # Those without a time are in the account of a whole journal alone.
    if not account.period and account.undated != own.undated:
        yield f"it counts {account.undated} verdicts without a time, and has {own.undated}"
    yield from other_sums(account)
    yield from other_clauses(account, own)


def _broken(verdicts: Iterable[Entered], link_of: LinkOf) -> Iterator[str]:
    for one in verdicts:
        link = link_of(one.before, one.number, one.ordinal, one.lane, one.utc_ns, bytes(one.note))
        if link != one.link:
            yield f"entry {one.number} was changed: its link is not made of it"


def _disordered(verdicts: Sequence[Entered]) -> Iterator[str]:
    for one, after in pairwise(verdicts):
        if after.number == one.number:
            yield f"entry {one.number} stands in it twice"
        elif after.number < one.number:
            yield f"entry {after.number} stands behind entry {one.number}"
        elif _is_next(one, after) and after.before != one.link:
            yield f"entry {after.number} does not follow entry {one.number}: the chain is broken"
    for is_ring in (False, True):
        shelf = [one for one in verdicts if one.ordinal and (one.lane == _RING) is is_ring]
        for one, after in pairwise(shelf):
            if one.number < after.number and after.ordinal <= one.ordinal:
                yield f"entry {after.number} is counted before entry {one.number}"


def _is_next(one: Entered, after: Entered) -> bool:
    """Say whether one is chained to the other. Ordinal 0 is of before there was a chain."""
    return after.number == one.number + 1 and one.ordinal > 0 and after.ordinal > 0


def _behind_the_head(verdicts: Iterable[Entered], end: Ended) -> Iterator[str]:
    for one in verdicts:
        if one.number > end.number_last:
            yield f"entry {one.number} comes after the head, entry {end.number_last}"
        elif one.number == end.number_last and one.link != end.link_last:
            yield f"entry {one.number} is the head, which has another link"
