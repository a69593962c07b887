"""What this station hears of itself: the proof that a transmission was on the air. Pure.

A receiver of ours that hears us confirms it; so does a packed modem that says it has sent it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

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
from gateway.radio.packed.compose import order_name
from gateway.rules.asking import is_link_test

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


class _Awaited(Struct):
    order: Order
    until_ns: int
    unsent: set[str]
    """Names of its messages that a packed modem has yet to say anything of."""

    def ends(self, message: str, *, sent: bool) -> bool:
        """Take what became of a message; say whether nothing more is to come of the order."""
        if message not in self.unsent:
            return False
        self.unsent.discard(message)
        return not (sent and self.unsent)


class Echoes:
    """The transmissions of the last minute, listened for."""

    def __init__(self, own: Own) -> None:
        self._own = own
        self._awaited: OrderedDict[str, _Awaited] = OrderedDict()

    def sent(self, order: Order, mono_ns: int) -> None:
        """Listen for this."""
        unsent = {order_name(order.command_id, place) for place in range(len(order.numbers))}
        self._awaited[order.command_id] = _Awaited(order, mono_ns + AWAITED_NS, unsent)
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

    def answered(self, port: str) -> Order | None:
        """Return which link test the modem at a port has answered."""
        return self._found(port, lambda one: is_link_test(one.order.signed.letter.action))

    def refused(self, port: str, number: int) -> Order | None:
        """Return whose message with this number the modem at a port can't take."""
        return self._found(port, lambda one: number in one.order.numbers)

    def ended(self, port: str, message: str, *, sent: bool) -> Order | None:
        """Return of which order this message was: once all of it is sent, or some of it is not."""
        return self._found(port, lambda one: one.ends(message, sent=sent))

    def over(self, mono_ns: int) -> Iterator[Order]:
        """Take out and yield what nobody has heard in time."""
        while self._awaited and next(iter(self._awaited.values())).until_ns < mono_ns:
            yield self._awaited.popitem(last=False)[1].order

    def _found(self, port: str, is_it: Callable[[_Awaited], bool]) -> Order | None:
        """Take out what was handed to this port and answers to this."""
        for name, awaited in self._awaited.items():
            if awaited.order.signed.letter.port == port and is_it(awaited):
                del self._awaited[name]
                return awaited.order
        return None

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
