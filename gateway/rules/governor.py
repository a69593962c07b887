"""One funnel for all transmitters: who goes first, how often, and nothing twice. Pure.

What is graver goes first, and takes the place of what only waits; what is being transmitted is
never broken off. On one channel one transmitter speaks at a time, whichever ports lead to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.bounds import Bound
from gateway.model.plan import TransmitPlan
from gateway.model.words import URGENCIES, Urgency

WISHES_MAX = 32
"""Orders that wait at once: a room full of officers gives fewer in the minute that one is good."""

MINUTE_NS = 60 * 10**9
HOUR_NS = 3600 * 10**9

SAME_NS = 60 * 10**9
"""The same words to the same port again within this time are an echo, or a finger that slipped."""

LISTEN_NS = 10**9
"""So long after somebody else was heard on a channel nothing but distress begins there."""

SENT_MAX = 4_096
"""Transmissions of an hour that are remembered: more than any limits allow on all ports."""

_SHARE = {
    Urgency.DISTRESS: 1.0,
    Urgency.URGENCY: 0.9,
    Urgency.SAFETY: 0.75,
    Urgency.ROUTINE: 0.5,
}
"""How much of what may be transmitted each may use up: what is graver finds room left."""


class Wish(Struct, frozen=True, kw_only=True):
    """A transmission that waits for its turn."""

    request_id: str
    port: str
    channel: str
    """What its port is tuned to: ports of one channel share its limits."""
    urgency: Urgency
    same: bytes
    """A digest of what is said, and to whom: who says it twice, says the same."""
    airtime_s: float
    asked_ns: int
    not_before_ns: int
    not_after_ns: int


class Sent(Struct, frozen=True, kw_only=True):
    """What was transmitted, as far as limits ask."""

    channel: str
    same: bytes
    at_ns: int
    airtime_s: float


class GovernorKept(Struct, frozen=True):
    """What has to survive a restart, or a loop of restarts would be a loop of transmissions."""

    sent: tuple[Sent, ...] = ()


class Governor:
    """All that waits to be transmitted, on every port."""

    def __init__(self, limits: TransmitPlan) -> None:
        self._limits = limits
        self._wishes: dict[str, Wish] = {}
        self._sending: dict[str, str] = {}
        """Channels on which one of ours is transmitted now, and which."""
        self._sent: deque[Sent] = deque(maxlen=SENT_MAX)
        self._heard_ns: dict[str, int] = {}
        """Channels, and when somebody else was heard there."""
        self._pushed = 0

    def refuse(self, wish: Wish) -> str | None:
        """Return why this can't even wait; None where it can. Nothing is changed by asking."""
        now_ns = wish.asked_ns
        twin = next((one for one in self._wishes.values() if one.same == wish.same), None)
        if twin is not None:
            return f"the same waits already, ordered as {twin.request_id}"
        again = next(
            (
                one
                for one in reversed(self._sent)
                if one.same == wish.same and now_ns - one.at_ns < SAME_NS
            ),
            None,
        )
        if again is not None:
            passed_s = (now_ns - again.at_ns) / 1e9
            return f"the same was transmitted {passed_s:.0f} s ago: after {SAME_NS // 10**9} s"
        room_ns = self._room_ns(wish, now_ns)
        if room_ns > wish.not_after_ns:
            return self._limit_in_words(wish)
        if len(self._wishes) >= WISHES_MAX and self._least(wish) is None:
            return f"{WISHES_MAX} orders wait already, and none is less urgent"
        return None

    def put(self, wish: Wish) -> Wish | None:
        """Let this wait; return what had to give way for it, less urgent and the newest."""
        pushed = self._least(wish) if len(self._wishes) >= WISHES_MAX else None
        if pushed is not None:
            self._pushed += 1
            del self._wishes[pushed.request_id]
        self._wishes[wish.request_id] = wish
        return pushed

    def defer(self, request_id: str, until_ns: int) -> None:
        """Have this wait until then: the agreements say so."""
        wish = self._wishes[request_id]
        self._wishes[request_id] = replace(wish, not_before_ns=until_ns)

    def drop(self, request_id: str) -> None:
        """Have this wait no longer."""
        self._wishes.pop(request_id, None)

    def turn(self, now_ns: int) -> Wish | None:
        """Return what may begin now: the gravest, and of these what was asked for first."""
        ready = (wish for wish in self._wishes.values() if self.ready_ns(wish, now_ns) <= now_ns)
        return min(ready, key=_order, default=None)

    def ready_ns(self, wish: Wish, now_ns: int) -> int:
        """Return when this may begin, as far as is known now."""
        if wish.channel in self._sending:
            return now_ns + LISTEN_NS
        listen_ns = 0
        if wish.urgency is not Urgency.DISTRESS:
            listen_ns = self._heard_ns.get(wish.channel, -LISTEN_NS) + LISTEN_NS
        return max(wish.not_before_ns, listen_ns, self._room_ns(wish, now_ns))

    def over(self, now_ns: int) -> tuple[Wish, ...]:
        """Take out and return what nobody wants begun any more."""
        late = tuple(one for one in self._wishes.values() if one.not_after_ns < now_ns)
        for wish in late:
            del self._wishes[wish.request_id]
        return late

    def begin(self, wish: Wish, now_ns: int) -> None:
        """Note that this is being transmitted: it counts, whatever comes of it."""
        self._wishes.pop(wish.request_id, None)
        self._sending[wish.channel] = wish.request_id
        self._sent.append(
            Sent(channel=wish.channel, same=wish.same, at_ns=now_ns, airtime_s=wish.airtime_s)
        )

    def end(self, wish: Wish) -> None:
        """Note that its channel is free again."""
        self._sending.pop(wish.channel, None)

    def heard(self, channel: str, now_ns: int) -> None:
        """Note that somebody else is on the air."""
        if channel in self._heard_ns or len(self._heard_ns) < WISHES_MAX:
            self._heard_ns[channel] = now_ns

    @property
    def waiting(self) -> tuple[Wish, ...]:
        """All that waits, in the order in which it goes."""
        return tuple(sorted(self._wishes.values(), key=_order))

    def keep(self) -> GovernorKept:
        """Return what was transmitted lately."""
        return GovernorKept(tuple(self._sent))

    def restore(self, kept: GovernorKept) -> None:
        """Count what an earlier run has transmitted."""
        self._sent.extendleft(reversed(kept.sent))

    def bounds(self) -> Iterator[Bound]:
        """Yield what waits and what is remembered."""
        yield Bound(
            of="Governor._wishes",
            what="orders_waiting",
            held=len(self._wishes),
            limit=WISHES_MAX,
            rule="a graver one takes the place of the least urgent and newest, which is told; else "
            "the next is refused",
            evicted=self._pushed,
        )
        yield Bound(
            of="Governor._sent",
            what="transmissions",
            held=len(self._sent),
            limit=SENT_MAX,
            rule="the oldest is forgotten: the limits of all ports allow fewer in an hour",
        )
        yield Bound(
            of="Governor._heard_ns",
            what="channels_heard",
            held=len(self._heard_ns),
            limit=WISHES_MAX,
            rule="a station has no more ports that transmit",
        )

    def _least(self, wish: Wish) -> Wish | None:
        """Return what gives way to this: less urgent than it, and the newest of those."""
        least = max(self._wishes.values(), key=_order)
        graver = URGENCIES.index(wish.urgency) < URGENCIES.index(least.urgency)
        return least if graver else None

    def _room_ns(self, wish: Wish, now_ns: int) -> int:
        """Return from when on the limits of its channel leave room for this."""
        share = _SHARE[wish.urgency]
        counted = [one for one in self._sent if one.channel == wish.channel]
        found = now_ns
        for span_ns, most in (
            (MINUTE_NS, self._limits.per_minute),
            (HOUR_NS, self._limits.per_hour),
        ):
            recent = [one.at_ns for one in counted if now_ns - one.at_ns < span_ns]
            allowed = max(int(most * share), 1)
            if len(recent) >= allowed:
                found = max(found, recent[len(recent) - allowed] + span_ns)
        return max(found, self._air_ns(wish, counted, now_ns, share))

    def _air_ns(self, wish: Wish, counted: list[Sent], now_ns: int, share: float) -> int:
        """Return from when on the hour has room for the time that this keys the transmitter."""
        left_s = self._limits.airtime_s_per_hour * share - wish.airtime_s
        recent = [one for one in counted if now_ns - one.at_ns < HOUR_NS]
        used_s = sum(one.airtime_s for one in recent)
        for one in recent:
            if used_s <= left_s:
                return now_ns
            used_s -= one.airtime_s
            now_ns = max(now_ns, one.at_ns + HOUR_NS)
        return now_ns if used_s <= left_s else now_ns + HOUR_NS

    def _limit_in_words(self, wish: Wish) -> str:
        limits = self._limits
        return (
            f"{wish.channel} has had what it may have: {limits.per_minute} a minute, "
            f"{limits.per_hour} and {limits.airtime_s_per_hour:g} s on the air an hour, of which "
            f"{_SHARE[wish.urgency]:.0%} are for {wish.urgency}"
        )


def _order(wish: Wish) -> tuple[int, int]:
    return URGENCIES.index(wish.urgency), wish.asked_ns
