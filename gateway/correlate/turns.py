"""Whose turn it is, when more incidents change than anybody can be told of. Pure.

Every call is told by itself, at once, whatever happens here. What waits for its turn is the word of
an incident as a whole, and it is told as it stands by then: changes that come meanwhile cost none.
"""

from __future__ import annotations

NOTES_FIRST = 64
"""Told at once after a quiet time: more than a ferry's rafts and all that they set off."""

NOTE_NS = 25 * 10**6
"""After those one in this time. Each is written to disk, told, and stands on every broker: at forty
a second that takes a twentieth of one processor, and the calls themselves have the rest."""

_DEBT_MAX = 64.0
"""What has to be told takes no turn, and is made up for: so many later ones wait for it at most."""


class Turns:
    """Incidents that have something to tell."""

    def __init__(self) -> None:
        self._level = float(NOTES_FIRST)
        self._at_ns = 0
        self._first: dict[str, None] = {}
        """Those of which nobody has been told anything, the one that has waited longest first."""
        self._again: dict[str, None] = {}
        """Those with news, likewise."""
        self._newest = False

    def may(self, name: str, mono_ns: int, *, first: bool) -> bool:
        """Say whether this one may be told now; else it waits. News wait for what is new."""
        self._refill(mono_ns)
        if self._level >= 1 and (first or not self._first):
            self.forget(name)
            return True
        waiting = self._first if first else self._again
        waiting.setdefault(name)
        return False

    def waits(self, name: str) -> bool:
        """Say whether this one has never been told of, and waits for its turn."""
        return name in self._first

    def took(self, mono_ns: int) -> None:
        """One was told."""
        self._refill(mono_ns)
        self._level = max(self._level - 1, -_DEBT_MAX)

    def forget(self, name: str) -> None:
        """This one waits no more."""
        self._first.pop(name, None)
        self._again.pop(name, None)

    def next(self, mono_ns: int) -> str | None:
        """Return whose turn it is now, who then waits no more; None when nobody's is.

        What is new before news. Of what is new the newest and the oldest in turn: whoever calls in
        the middle of a flood need not wait for all of it, and nobody waits for ever.
        """
        self._refill(mono_ns)
        if self._level < 1:
            return None
        waiting = self._first or self._again
        if not waiting:
            return None
        self._newest = waiting is self._first and not self._newest
        name = next(reversed(waiting)) if self._newest else next(iter(waiting))
        self.forget(name)
        return name

    def _refill(self, mono_ns: int) -> None:
        passed_ns = max(mono_ns - self._at_ns, 0)
        self._level = min(self._level + passed_ns / NOTE_NS, float(NOTES_FIRST))
        self._at_ns = max(mono_ns, self._at_ns)
