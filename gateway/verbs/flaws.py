"""What makes no sense in agreements, each by itself and all that bind one station together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gateway.model.agreement import Agreement
from gateway.model.plan import PortPlan
from gateway.radio import radio_names
from gateway.rules import kind_named
from gateway.rules.across import flaws_across, gaps_across
from gateway.rules.across.scope import Flaw
from gateway.rules.bench import Bench
from gateway.rules.engine import Engine
from gateway.rules.flaws import flaws_of, gaps_of
from gateway.rules.flaws_untuned import untuned


def flaws_in(agreement: Agreement) -> list[Flaw]:
    """Return what makes no sense in an agreement; what is wrong with two clauses is said once."""
    said = [*_flaws_of(agreement, "")]
    return [*said, *_unsaid(said, flaws_across([_engine(agreement)], radio_names()))]


def gaps_in(agreement: Agreement) -> list[Flaw]:
    """Return where, and at which hours, nobody has to listen; each channel once."""
    said = [Flaw(gap.rule, gap.words) for gap in gaps_of(agreement)]
    more = (
        gap
        for gap in gaps_across([_engine(agreement)])
        if not any(f"{gap.where.removeprefix('channel ')} " in one.words for one in said)
    )
    return [*said, *more]


def doubts_at_station(
    agreements: Sequence[Agreement], ports: Sequence[PortPlan] = ()
) -> Iterator[Flaw]:
    """Yield what makes no sense in the agreements that bind now, each by itself and all together.

    And what of them can't be done with these ports, which are all that the station has.

    The station starts all the same, and at work the strictest counts.
    """
    engines = [engine for engine in map(_engine, agreements) if engine.rules]
    said = [
        flaw
        for engine in engines
        for flaw in _flaws_of(engine.agreement, f"{engine.agreement.id} ")
    ]
    yield from said
    alone = f"{engines[0].agreement.id} " if len(engines) == 1 else ""
    found = (*flaws_across(engines, radio_names()), *gaps_across(engines))
    across = (
        Flaw(f"{alone}{one.where}", one.words, one.other and f"{alone}{one.other}") for one in found
    )
    yield from _unsaid(said, across)
    kinds = {clause.kind: kind_named(clause.kind) for one in agreements for clause in one.rules}
    yield from (Flaw(*flaw, None) for flaw in untuned(Bench(agreements, kinds), ports))


def _flaws_of(agreement: Agreement, before: str) -> Iterator[Flaw]:
    """Yield what makes no sense in one agreement, with what stands before the id of a clause."""
    kinds = {clause.kind: kind_named(clause.kind) for clause in agreement.rules}
    ids = {clause.id for clause in agreement.rules}
    for flaw in flaws_of(agreement, kinds):
        named = ids.intersection(re.findall(r"[A-Za-z0-9-]+", flaw.words)) - {flaw.rule}
        other = f"{before}{min(named)}" if named else None
        yield Flaw(f"{before}{flaw.rule}", flaw.words, other)


def _unsaid(said: Iterable[Flaw], found: Iterable[Flaw]) -> Iterator[Flaw]:
    """Yield what is found of clauses of which nothing was said yet."""
    known = {frozenset({one.where, one.other}) for one in said}
    yield from (one for one in found if frozenset({one.where, one.other}) not in known)


def _engine(agreement: Agreement) -> Engine:
    return Engine(agreement, {clause.kind: kind_named(clause.kind) for clause in agreement.rules})
