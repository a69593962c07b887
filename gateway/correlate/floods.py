"""Floods: more calls for help than ever come at once. They are flagged; nothing whole is held back.

calls       whole ones, by who calls. All of them pass, always: a flood may be invented, and one
            of it may be real. That it is one is said when too many different callers are heard.
fragments   frames that may be a call and can't be read. The first of each port pass, and then
            so many a minute. The others are kept with the refused frames, of which the newest
            stay, and are not told one by one: they may not fill the disk.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from gateway.model.bounds import Bound
from gateway.model.inbound import Report
from gateway.model.words import Mode, Urgency

CALLERS_FLOOD = 24
"""Different callers within the window: more than the rafts and lifejackets of a ferry."""

CALLERS_MAX = 256
"""Callers remembered. That there are too many is known long before."""

WINDOW_NS = 600 * 10**9
"""How long a caller counts: a real one is heard again within it (DSC repeats within 5 min)."""

FRAGMENTS_FIRST = 64
"""Of a port that was quiet: a call, its repeats and its acknowledgements, all of them damaged."""

FRAGMENT_NS = 10 * 10**9
"""After those one passes in this time: some 9000 a day and port, a few megabytes on disk."""

CALM_NS = 60 * 10**9
"""A flood of fragments is over when for so long none had to stand back."""


class _Port(Struct):
    """The fragments of one port."""

    level: float
    """How many may pass now."""
    at_ns: int
    held_back_ns: int | None = None
    """When one last had to stand back."""


class Floods:
    """What calls, and what may be calls, have come in lately. Time is that of the frames."""

    def __init__(self) -> None:
        self._ports: dict[str, _Port] = {}  # as many as there are ports
        self._callers: OrderedDict[str, int] = OrderedDict()
        self._evicted = 0

    def bounds(self) -> Iterator[Bound]:
        """Yield how many callers are remembered."""
        yield Bound(
            of="Floods._callers",
            what="callers",
            held=len(self._callers),
            limit=CALLERS_MAX,
            rule="the one longest silent goes; its calls have been told, and so are its next ones",
            evicted=self._evicted,
        )

    def called(self, report: Report) -> None:
        """Take note of who calls for help."""
        if report.urgency is not Urgency.DISTRESS or report.mode is not Mode.REAL:
            return
        sender = report.sender
        name = "" if sender is None else sender.mmsi or sender.beacon_hex or sender.callsign or ""
        self._callers.pop(name, None)
        self._callers[name] = report.heard.mono_ns
        if len(self._callers) > CALLERS_MAX:
            self._callers.popitem(last=False)
            self._evicted += 1

    def fragment_passes(self, port: str, mono_ns: int) -> bool:
        """Say whether one more frame that may be a call, and can't be read, is told by itself."""
        state = self._ports.setdefault(port, _Port(level=FRAGMENTS_FIRST, at_ns=mono_ns))
        more = max(0, mono_ns - state.at_ns) / FRAGMENT_NS
        state.level = min(FRAGMENTS_FIRST, state.level + more)
        state.at_ns = mono_ns
        if state.level < 1:
            state.held_back_ns = mono_ns
            return False
        state.level -= 1
        return True

    def callers(self, mono_ns: int) -> int:
        """Return how many different ones have called within the window."""
        return sum(mono_ns - heard_ns <= WINDOW_NS for heard_ns in self._callers.values())

    def ports(self, mono_ns: int) -> list[str]:
        """Return the ports that bring more fragments than are told one by one."""
        return [
            port
            for port, state in self._ports.items()
            if state.held_back_ns is not None and mono_ns - state.held_back_ns <= CALM_NS
        ]
