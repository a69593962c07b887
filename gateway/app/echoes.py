"""What this station hears of itself: the proof that a transmission was on the air. Pure.

A receiver of ours that hears us confirms it; so does a modem that says what it has sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from gateway.app.stages import Order
from gateway.model.bounds import Bound
from gateway.model.inbound import Report
from gateway.model.plan import Own
from gateway.model.transmission import (
    Acknowledge,
    Action,
    Beacon,
    Call,
    Cancel,
    Relay,
    Text,
)
from gateway.model.words import Kind

AWAITED_NS = 60 * 10**9
"""So long after its last byte a transmission is listened for: modems queue for some seconds."""

AWAITED_MAX = 256
"""Transmissions that are listened for: the limits allow fewer in a minute."""

_KINDS: dict[type[Action], Kind] = {
    Acknowledge: Kind.ACKNOWLEDGEMENT,
    Relay: Kind.RELAY,
    Cancel: Kind.CANCELLATION,
    Call: Kind.CALL,
    Text: Kind.TEXT,
    Beacon: Kind.POSITION,
}


class _Awaited(Struct, frozen=True):
    order: Order
    until_ns: int


class Echoes:
    """The transmissions of the last minute, listened for."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._awaited: OrderedDict[str, _Awaited] = OrderedDict()

    def sent(self, order: Order, mono_ns: int) -> None:
        """Listen for this."""
        self._awaited[order.command_id] = _Awaited(order, mono_ns + AWAITED_NS)
        while len(self._awaited) > AWAITED_MAX:
            self._awaited.popitem(last=False)

    def is_own(self, report: Report) -> bool:
        """Say whether this station itself has said it."""
        sender, own = report.sender, self._own
        if sender is None:
            return False
        by_mmsi = own.mmsi is not None and sender.mmsi == own.mmsi
        return by_mmsi or (own.callsign is not None and sender.callsign == own.callsign)

    def heard(self, report: Report, mono_ns: int) -> Order | None:
        """Return which of ours this is; None for what is not, or was heard already."""
        if not self.is_own(report):
            return None
        for name, awaited in self._awaited.items():
            if awaited.until_ns >= mono_ns and _is_it(awaited.order, report):
                del self._awaited[name]
                return awaited.order
        return None

    def over(self, mono_ns: int) -> Iterator[Order]:
        """Take out and yield what nobody has heard in time."""
        while self._awaited and next(iter(self._awaited.values())).until_ns < mono_ns:
            yield self._awaited.popitem(last=False)[1].order

    def bounds(self) -> Iterator[Bound]:
        """Yield how many are listened for."""
        yield Bound(
            of="Echoes._awaited",
            what="transmissions_unheard",
            held=len(self._awaited),
            limit=AWAITED_MAX,
            rule="the oldest is listened for no longer: it stays `transmitted`",
        )


def _is_it(order: Order, report: Report) -> bool:
    """Say whether the report is this transmission: of its kind, and about the same craft."""
    action = order.signed.letter.action
    if _KINDS.get(type(action)) is not report.kind:
        return False
    if not isinstance(action, Acknowledge | Relay | Cancel):
        return True
    about = report.casualty and report.casualty.mmsi
    return about is None or about == action.distress.mmsi
