"""Does what each link is owed prove itself? Two tables say it, and must say the same.

The outbox says it row by row, `owed` in a count and a sum. One bit that falls over in either of
them makes them differ, so no delivery is lost without anybody knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from gateway.journal import sql
from gateway.journal.chain import owed_in
from gateway.journal.rows import RANKED

Values = tuple[object, ...]


class Found(Struct, frozen=True):
    """What both tables say."""

    rows: dict[str, set[tuple[int, int]]]
    """Rank and number of what stands in the outbox of each link, in the lane of its entry."""
    links: frozenset[str]
    """Every link that `owed` knows; another name in the outbox is none."""
    wrong: frozenset[str]
    """Those of which the two tables say different things."""
    numbers: frozenset[int]
    """Every number that is owed to a link whose rows prove themselves."""
    holds: bool
    """Whether all proves itself, and each row points to an entry of its rank."""


def found_in(ask: Callable[[str, Values], Iterable[Values]]) -> Found:
    """Read both tables, and compare them."""
    ranks = {lane.value: rank for rank, lane in enumerate(RANKED)}
    said: dict[str, set[tuple[int, int]]] = {}
    astray = False
    for link, rank, number, lane in ask(sql.OUTBOXES, ()):
        match link, rank, number:
            case str(), int(), int():
                said.setdefault(link, set()).add((rank, number))
                astray = astray or ranks.get(str(lane)) != rank
            case _:
                astray = True
    sealed = {str(link): (count, total) for link, count, total in ask(sql.OWED, ())}
    wrong = {
        link
        for link in {*said, *sealed}
        if sealed.get(link) != owed_in(link, said.get(link, ())).sealed()
    }
    return Found(
        rows=said,
        links=frozenset(sealed),
        wrong=frozenset(wrong),
        numbers=frozenset(
            number for link, rows in said.items() if link not in wrong for _, number in rows
        ),
        holds=not wrong and not astray,
    )
