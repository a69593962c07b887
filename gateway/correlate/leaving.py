"""Which incident goes off the board first when there is no room for another. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from gateway.correlate.standing import Standing
from gateway.correlate.strands import Strand
from gateway.model.incident import CLOSED
from gateway.model.words import Mode

_RANKS = 14


class Leaving:
    """Incidents by their worth, and in each rank in the order in which they were heard."""

    def __init__(self) -> None:
        self._ranks: tuple[OrderedDict[str, None], ...] = tuple(
            OrderedDict() for _ in range(_RANKS)
        )
        # Not plain dicts: finding the oldest key of one takes the longer the more have gone.
        self._rank: dict[str, int] = {}

    def rank(self, name: str, rank: int) -> None:
        """Let this one have a rank; one that is new in it is the last of it."""
        if self._rank.get(name) != rank:
            self.forget(name)
            self._rank[name] = rank
            self._ranks[rank][name] = None

    def heard(self, name: str) -> None:
        """Let this one be the last of its rank."""
        self._ranks[self._rank[name]].move_to_end(name)

    def silent(self, name: str) -> None:
        """Let this one be the first of its rank, if it has not ended in another."""
        rank = self._rank.get(name)
        if rank is not None:
            self._ranks[rank].move_to_end(name, last=False)

    def forget(self, name: str) -> None:
        """This one has gone."""
        rank = self._rank.pop(name, None)
        if rank is not None:
            del self._ranks[rank][name]

    def least(self, but: str) -> str | None:
        """Return the one that goes first, and is not the one excepted."""
        for held in self._ranks:
            for name in held:
                if name != but:
                    return name
        return None


def rank_of(known: Standing, strands: Sequence[Strand], *, misread: bool) -> int:
    """Return the worth of an incident among others, the least first."""
    if strands[0].evidence.mode is Mode.TEST:
        return 0
    told = known.incident
    if known.closed is not None or (told is not None and told.phase in CLOSED):
        return 1
    if misread or any(strand.twice for strand in strands):
        worth = 0
    else:
        worth = 1 + (len({strand.evidence.system for strand in strands}) > 1)
    # What nobody was told of as an incident goes before what stands on every broker.
    return 2 + 2 * worth + known.is_told + 6 * bool(known.actions)
