"""Whose turn it is, when more incidents change than anybody can be told of. Pure.

Every call is told by itself, at once, whatever happens here. What waits for its turn is the word of
an incident as a whole, and it is told as it stands by then: changes that come meanwhile cost none.
Turns are shared by the ports that the calls come from: whatever one of them says, the others have
some of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

NOTES_FIRST = 64
"""Told at once after a quiet time: more than a ferry's rafts and all that they set off."""

NOTE_NS = 25 * 10**6
"""After those one in this time. Each is written to disk, told, and stands on every broker: at forty
a second that takes a twentieth of one processor, and the calls themselves have the rest."""

PORT_NOTES_FIRST = 8
"""Of a port that was quiet, told at once even so: a casualty, its raft, its beacon, and what each
of them says next. The common turns make up for them."""

PORT_NOTE_NS = 10**9
"""After those one in this time, of each port; sixteen ports in a flood are told less than half as
much again."""

_DEBT_MAX = 64.0
"""What has to be told takes no turn, and is made up for: so many later ones wait for it at most."""


class _Port(Struct):
    """Incidents that what this port heard has changed."""

    level: float = float(PORT_NOTES_FIRST)
    at_ns: int = 0
    first: dict[str, None] = field(default_factory=dict)
    """Those of which nobody has been told anything, the one that has waited longest first."""
    again: dict[str, None] = field(default_factory=dict)
    """Those with news, likewise."""
    newest: bool = False
    """Whether it was the newest of them that had the last turn."""

    def refill(self, mono_ns: int) -> None:
        """Let time pass."""
        more = max(mono_ns - self.at_ns, 0) / PORT_NOTE_NS
        self.level = min(self.level + more, float(PORT_NOTES_FIRST))
        self.at_ns = max(mono_ns, self.at_ns)


class Turns:
    """Incidents that have something to tell. What came of itself, in time, is of the port ""."""

    def __init__(self) -> None:
        self._level = float(NOTES_FIRST)
        self._at_ns = 0
        self._ports: dict[str, _Port] = {}  # as many as there are ports; the last served at the end

    def may(self, name: str, mono_ns: int, *, first: bool, port: str = "") -> bool:
        """Say whether this one may be told now; else it waits. News wait for what is new."""
        at = self._refill(mono_ns, port)
        common = self._level >= 1 and (first or not any(self._new()))
        if common or at.level >= 1:
            self.forget(name)
            return True
        waiting = at.first if first else at.again
        waiting.setdefault(name)
        return False

    def waits(self, name: str) -> bool:
        """Say whether this one has never been told of, and waits for its turn."""
        return any(name in port.first for port in self._ports.values())

    def took(self, mono_ns: int, port: str = "") -> None:
        """One was told: a common turn, or, where there was none, one that the port has."""
        at = self._refill(mono_ns, port)
        if self._level < 1:
            at.level = max(at.level - 1, 0.0)
        self._level = max(self._level - 1, -_DEBT_MAX)

    def forget(self, name: str) -> None:
        """This one waits no more."""
        for port in self._ports.values():
            port.first.pop(name, None)
            port.again.pop(name, None)

    def due(self, mono_ns: int, limit: int) -> Iterator[tuple[str, str]]:
        """Yield whose turns have come, one after the other, so many at the most; see next()."""
        for _ in range(limit):
            if (turn := self.next(mono_ns)) is None:
                return
            yield turn

    def next(self, mono_ns: int) -> tuple[str, str] | None:
        """Return whose turn it is now, who then waits no more, and of which port; None: nobody's.

        What is new before news, the ports by turns. Of what is new on a port the newest and the
        oldest in turn: whoever calls in the middle of a flood need not wait for all of it, and
        nobody waits for ever.
        """
        for port in self._ports:
            self._refill(mono_ns, port)
        every = self._level >= 1
        having = [name for name, at in self._ports.items() if every or at.level >= 1]
        turn = next((port for port in having if self._ports[port].first), None)
        if turn is None:
            turn = next((port for port in having if self._ports[port].again), None)
        if turn is None:
            return None
        at = self._ports[turn] = self._ports.pop(turn)
        at.newest = bool(at.first) and not at.newest
        waiting = at.first or at.again
        name = next(reversed(waiting)) if at.newest else next(iter(waiting))
        self.forget(name)
        return name, turn

    def _new(self) -> Iterator[bool]:
        return (bool(port.first) for port in self._ports.values())

    def _refill(self, mono_ns: int, port: str) -> _Port:
        passed_ns = max(mono_ns - self._at_ns, 0)
        self._level = min(self._level + passed_ns / NOTE_NS, float(NOTES_FIRST))
        self._at_ns = max(mono_ns, self._at_ns)
        at = self._ports.setdefault(port, _Port(at_ns=mono_ns))
        at.refill(mono_ns)
        return at
