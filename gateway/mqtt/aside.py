"""Entries that could not be told, so that others pass; tried again ever more rarely. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from gateway.model.bounds import Bound

RETRY_S = 15.0
"""Pause before an entry is told again that the broker refused, or that was told out of turn."""

POISON_TRIES = 3
"""An entry that could not be told so often in a row is poison: a person has to look at it."""

POISON_S = 300.0
"""Pause before poison is tried again: once the broker is mended, nothing here needs a restart."""

HUNG_UP_S = 60.0
"""The same, where the broker hangs up on it: shorter, for a line that broke at the wrong moments
may have been mistaken for that. One connection a minute is what it costs."""

NUMBERS_MAX = 1024
"""Entries whose troubles are remembered one by one; what is set aside beyond it is tried again in
each round."""


class _Trouble(Struct):
    tries: int
    due_ns: int
    pardoned: bool = False


class Aside:
    """The numbers of one pump that could not be told."""

    def __init__(self) -> None:
        self._troubles: dict[int, _Trouble] = {}

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self._troubles)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many numbers are remembered; the entries themselves are on disk."""
        yield Bound(
            of="Aside._troubles",
            what="set_aside",
            held=len(self._troubles),
            limit=NUMBERS_MAX,
            rule="what is set aside beyond it is not remembered, and so tried again each round",
        )

    def poison(self) -> list[int]:
        """Return those that could not be told time and again."""
        return [number for number, one in self._troubles.items() if one.tries >= POISON_TRIES]

    def may_go(self, number: int, now_ns: int) -> bool:
        """Say whether this is not set aside, or due again."""
        trouble = self._troubles.get(number)
        return trouble is None or trouble.due_ns <= now_ns

    def put(self, number: int, now_ns: int, *, hung_up: bool = False) -> None:
        """Set this aside, for longer where it has been before."""
        before = self._troubles.get(number)
        tries = 1 if before is None else before.tries + 1
        poison_s = HUNG_UP_S if hung_up else POISON_S
        self._put(number, tries, now_ns, RETRY_S if tries < POISON_TRIES else poison_s)

    def told(self, number: int, now_ns: int) -> None:
        """This has been told out of turn: give it a whole pause to be ended in."""
        self._put(number, 0, now_ns, RETRY_S)

    def anew(self) -> None:
        """All is told from the beginning: what was told before may go like the rest."""
        for number in [number for number, one in self._troubles.items() if not one.tries]:
            self.cleared(number)

    def _put(self, number: int, tries: int, now_ns: int, pause_s: float) -> None:
        if number in self._troubles or len(self._troubles) < NUMBERS_MAX:
            self._troubles[number] = _Trouble(tries, now_ns + int(pause_s * 1e9))

    def cleared(self, number: int) -> None:
        """This has been told after all, or is ended."""
        self._troubles.pop(number, None)

    def pardon(self, chosen: Callable[[int], bool]) -> bool:
        """Let those that are chosen go at once; say whether there was any."""
        pardoned = [one for number, one in self._troubles.items() if chosen(number)]
        for one in pardoned:
            one.due_ns, one.pardoned = 0, True
        return bool(pardoned)

    def pardoned(self, limit: int) -> list[int]:
        """Return some that were pardoned, each of them once."""
        found = [number for number, one in self._troubles.items() if one.pardoned][:limit]
        for number in found:
            self._troubles[number].pardoned = False
        return found
