"""What makes no sense in an agreement as it is written: in one rule, and between two of them.

Asked by a person who writes one, never while it is at work: so each kind is known here by what its
clause may ask, and a station that runs loads nothing of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.model.agreement import Agreement
from gateway.rules.engine import Engine
from gateway.rules.flaws_between import quarrels
from gateway.rules.flaws_never import idle
from gateway.rules.flaws_unwatched import gaps
from gateway.rules.flaws_use import barred
from gateway.rules.ground import Ground
from gateway.rules.rule import Rule


class Flaw(NamedTuple):
    """One thing that makes no sense."""

    rule: str
    """Where it was found; of two rules the one that stands first."""
    words: str
    """What is wrong, for who writes it; another rule is named by its number."""


def flaws_of(agreement: Agreement, kinds: Mapping[str, type[Rule]]) -> Iterator[Flaw]:
    """Yield what makes no sense: what each rule says of itself, which never bind, which quarrel.

    Of a rule that finds itself at fault it is not said as well that it never binds.
    """
    engine = Engine(agreement, kinds)
    own = [Flaw(*flaw) for flaw in engine.flaws()]
    at_fault = {flaw.rule for flaw in own}
    yield from own
    yield from (Flaw(*flaw) for flaw in idle(engine.ground) if flaw[0] not in at_fault)
    for between in (quarrels, barred):
        yield from (Flaw(*flaw) for flaw in between(engine.ground))


def gaps_of(agreement: Agreement) -> Iterator[Flaw]:
    """Yield the hours at which nobody has to listen where somebody counts on it.

    They are apart from what makes no sense: parties may agree that nobody listens at night.
    """
    yield from (Flaw(*gap) for gap in gaps(Ground(agreement)))
