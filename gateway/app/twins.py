"""The guard against loops: what we or our twin have said is no news, and goes out no second time.

A twin is another gateway that hears the same, beside us or on the next hill. What it relays we
hear, and were it relayed again it would hear us: two machines could go on for ever. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from gateway.model.bounds import Bound
from gateway.model.inbound import Report
from gateway.model.plan import TransmitPlan
from gateway.model.transmission import Acknowledge, Letter, Relay
from gateway.model.words import Kind, Urgency

CASUALTIES_MAX = 4_096
"""Craft in distress that are remembered by who has told of them: what a flood names in minutes."""

KNOWN_NS = 3600 * 10**9
"""So long after it was heard last: a casualty that calls again is heard again."""


class _Told(Struct):
    """Who has told of one casualty."""

    others_ns: int | None = None
    """When it was heard last of anybody but us and our twins; of the casualty itself, mostly."""
    ours_ns: int | None = None
    """When we or a twin were heard to relay it."""
    acknowledged_ns: int | None = None
    """When a twin was heard to acknowledge it."""
    answered_ns: int | None = None
    """When this station itself has acknowledged it, as far as its modem can tell."""


class Twins:
    """What has been heard of each casualty, and of whom."""

    def __init__(self, plan: TransmitPlan) -> None:
        self._ours = frozenset({*plan.twins, *(() if plan.mmsi is None else (plan.mmsi,))})
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._forgotten = 0

    def heard(self, report: Report, mono_ns: int) -> None:
        """Take note of who tells of somebody's distress."""
        casualty = report.casualty or report.sender
        if report.urgency is not Urgency.DISTRESS or casualty is None or casualty.mmsi is None:
            return
        told = self._told.setdefault(casualty.mmsi, _Told())
        self._told.move_to_end(casualty.mmsi)
        ours = report.sender is not None and report.sender.mmsi in self._ours
        if not ours:
            told.others_ns = mono_ns
        elif report.kind is Kind.ACKNOWLEDGEMENT:
            told.acknowledged_ns = mono_ns
        else:
            told.ours_ns = mono_ns
        self._thin()

    def sent(self, letter: Letter, mono_ns: int) -> None:
        """Take note of what this station has transmitted."""
        if isinstance(letter.action, Acknowledge) and letter.action.distress.mmsi is not None:
            self._told.setdefault(letter.action.distress.mmsi, _Told()).answered_ns = mono_ns
            self._thin()

    def answered_ns(self, casualty: str) -> int | None:
        """Return when this station has acknowledged this casualty last; None when it has not."""
        told = self._told.get(casualty)
        return None if told is None else told.answered_ns

    def refuse(self, letter: Letter, mono_ns: int) -> str | None:
        """Return why this is a relay of what was only relayed by us; None for anything else.

        Of whom nobody was heard a person may know by other ways: that is no loop.
        """
        if not isinstance(letter.action, Relay) or letter.action.distress.mmsi is None:
            return None
        told = self._told.get(letter.action.distress.mmsi)
        if told is None or _is_known(told.others_ns, mono_ns):
            return None
        if not _is_known(told.ours_ns, mono_ns):
            return None
        return "only this station or its twin has told of it: it was relayed already"

    def acknowledged(self, casualty: str, mono_ns: int) -> bool:
        """Say whether a twin, or we, have acknowledged this casualty: one machine is enough."""
        told = self._told.get(casualty)
        return told is not None and _is_known(told.acknowledged_ns, mono_ns)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many casualties are remembered."""
        yield Bound(
            of="Twins._told",
            what="casualties_told",
            held=len(self._told),
            limit=CASUALTIES_MAX,
            rule="the oldest is forgotten: then a person's order to relay it is taken",
            evicted=self._forgotten,
        )

    def _thin(self) -> None:
        while len(self._told) > CASUALTIES_MAX:
            self._told.popitem(last=False)
            self._forgotten += 1


def _is_known(heard_ns: int | None, mono_ns: int) -> bool:
    return heard_ns is not None and mono_ns - heard_ns < KNOWN_NS
