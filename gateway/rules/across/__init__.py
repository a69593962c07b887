"""What makes no sense in several clauses together, of one agreement or of all that bind a station.

Each clause may be in order by itself, and two of them still ask for what nobody can do: what one
demands the other forbids. That is told, and changes nothing: at work the strictest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.rules.across.calls import of_calls
from gateway.rules.across.gaps import of_gaps, of_strangers
from gateway.rules.across.idle import of_idle
from gateway.rules.across.pairs import of_pairs
from gateway.rules.across.scope import Flaw, Scope
from gateway.rules.across.uses import of_uses
from gateway.rules.across.whose import of_whose
from gateway.rules.engine import Engine


def flaws_across(engines: Iterable[Engine], systems: Iterable[str]) -> Iterator[Flaw]:
    """Yield what can't stand with the rest, and what nothing is ever found by.

    Args:
        engines: All that bind at once, with the clauses that hold.
        systems: The radio systems that there are, as reports name them.
    """
    scope = Scope(engines)
    yield from of_calls(scope)
    yield from of_uses(scope)
    yield from of_pairs(scope)
    yield from of_strangers(scope)
    yield from of_whose(scope)
    yield from of_idle(scope, systems)


def gaps_across(engines: Iterable[Engine]) -> Iterator[Flaw]:
    """Yield the channels of distress on which nobody has to listen, and at which hours."""
    yield from of_gaps(Scope(engines))
