"""Where several wait to transmit, what matters most goes first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import EventWord, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.verdict import Judgement
from gateway.model.words import URGENCIES, Urgency
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.purposes import purposes_of_request
from gateway.rules.rule import Finding, Rule

TURNS_MAX = 256
"""Transmissions that are asked for at once: more than a station sends in an hour. The least of them
that came last is forgotten: nothing waits for it any more, and it goes when it is asked for again.
"""

_FIRST = -1
"""The rank of distress: before all that an order can name."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On each channel what stands earlier in this order goes before what stands later."""

    order: Annotated[
        tuple[PartName, ...],
        Meta(min_length=1, max_length=64, examples=[["distress", "urgency", "safety", "routine"]]),
    ]
    """Categories and purposes; what is several of them goes by the first."""
    preempt: bool = False
    """Whether what is being sent gives way to what goes before it, or is sent to its end. To
    distress everything gives way."""
    hold_s: Seconds = 60.0
    """So long a transmission counts as being sent when nobody says how long it takes, nor that it
    is over."""


class Turn(Struct, frozen=True, kw_only=True, gc=False):
    """A transmission that was asked for."""

    request_id: str
    channel: str
    rank: int
    until_ns: int
    """Then it counts no longer."""
    sending: bool
    """Whether it was let pass; else it waits."""


class Memory(Struct, frozen=True):
    """What is being sent, and what waits."""

    turns: tuple[Turn, ...] = ()


class PriorityOrder(Rule):
    """Defers what is asked for while something waits or is sent on its channel that goes before it.

    Of equal rank all may go. A turn ends when the station says that it has transmitted, or with the
    time it takes; who is next is told at once. It is `unknown` where a request says no channel, or
    the order names nothing that it is. What another rule denies counts as asked for all the same.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._dial = ground.dial
        self._ranks = {name: rank for rank, name in reversed([*enumerate(terms.order)])}
        self._turns: dict[str, Turn] = {}
        self.evicted = 0

    def hears(self) -> frozenset[EventWord]:
        """Hear that the station has transmitted."""
        return frozenset({EventWord.TRANSMITTED})

    def hear(self, event: Event) -> Iterator[Finding]:
        """End the turn of what was transmitted, and say whose turn it is now."""
        # A station names what it has sent by the request, whatever it was about; a person by that.
        ended = self._turns.pop(event.event_id, None) or self._turns.pop(event.subject, None)
        self._forget(event.at.mono_ns)
        if ended is None:
            return
        waiting = [turn for turn in self._on(ended.channel) if not turn.sending]
        first = min(waiting, key=lambda turn: turn.rank, default=None)
        if first is not None and not self._before(first):
            words = f"nothing goes before it on {first.channel} any more: it is its turn"
            yield Finding(judgement=Judgement.OK, subject=first.request_id, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Let it pass, or defer it until what goes before it has been sent."""
        channel, rank = self._dial.of(request), self._rank(request)
        if channel is None or rank is None:
            words = f"`order` names nothing that it is: {request.category.value}, {request.purpose}"
            if channel is None:
                words = "nobody says on which channel: it has no place in the order"
            return Finding(judgement=Judgement.UNKNOWN, subject=request.request_id, words=words)
        now_ns = request.at.mono_ns
        self._forget(now_ns)
        lasts_s = self._terms.hold_s if request.duration_s is None else request.duration_s
        turn = Turn(
            request_id=request.request_id,
            channel=channel,
            rank=rank,
            until_ns=now_ns + round(lasts_s * 1e9),
            sending=True,
        )
        before = self._before(turn)
        return self._deferred(turn, before, now_ns) if before else self._let(turn)

    def flaws(self) -> Iterator[str]:
        """Find orders that leave something out, or put anything before distress."""
        order = self._terms.order
        missing = [one.value for one in URGENCIES[1:] if one.value not in order]
        if missing:
            yield f"`order` does not name {', '.join(missing)}: nothing of it can be sent"
        if order[0] != Urgency.DISTRESS.value:
            yield f"distress goes before all else, and `order` begins with {order[0]}"
        if len(self._ranks) < len(order):
            yield "`order` names something twice: only the first place counts"
        if not self._terms.hold_s:
            yield "`hold_s` is 0: nothing waits for what says no duration"

    def keep(self) -> Memory:
        """Return what is being sent, and what waits."""
        return Memory(tuple(self._turns.values()))

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._turns = {turn.request_id: turn for turn in kept.turns}

    def bounds(self) -> Iterator[Bound]:
        """Yield how many are asked for."""
        yield Bound(
            of="PriorityOrder._turns",
            what="turns_of_rules",
            held=len(self._turns),
            limit=TURNS_MAX,
            rule="The least of them that came last is forgotten; it is asked for again.",
            evicted=self.evicted,
        )

    def _rank(self, request: Request) -> int | None:
        if request.category is Urgency.DISTRESS:
            return _FIRST
        names = {request.category.value, *purposes_of_request(request)}
        return min((self._ranks[name] for name in names & self._ranks.keys()), default=None)

    def _on(self, channel: str) -> list[Turn]:
        return [turn for turn in self._turns.values() if turn.channel == channel]

    def _before(self, turn: Turn) -> list[Turn]:
        """Return what has to be sent before this, the first in order first."""
        if turn.rank == _FIRST:
            return []
        before = [
            other
            for other in self._on(turn.channel)
            if other.request_id != turn.request_id
            and (
                other.rank < turn.rank
                or (other.sending and other.rank > turn.rank and not self._terms.preempt)
            )
        ]
        return sorted(before, key=lambda other: other.rank)

    def _deferred(self, turn: Turn, before: list[Turn], now_ns: int) -> Finding:
        """Let it wait: what comes later and is less waits for it, too."""
        until_ns = max(other.until_ns for other in before)
        hold_ns = round(self._terms.hold_s * 1e9)
        self._put(replace(turn, sending=False, until_ns=until_ns + hold_ns))
        first, waits_s = before[0], (until_ns - now_ns) / 1e9
        words = f"{self._name(first)} goes before {self._name(turn)} on {turn.channel}"
        if first.rank > turn.rank:
            words = f"{self._name(first)} is being sent on {turn.channel}, and nothing breaks in"
        return Finding(
            judgement=Judgement.DEFERRED,
            subject=turn.request_id,
            words=f"{words}: it waits {waits_s:.0f} s at the most",
            until_ns=until_ns,
            evidence=(first.request_id,),
        )

    def _let(self, turn: Turn) -> Finding:
        """Let it pass; what is being sent and is less waits again."""
        words = f"nothing goes before {self._name(turn)} on {turn.channel}"
        hold_ns = round(self._terms.hold_s * 1e9)
        for other in self._on(turn.channel):
            if other.sending and other.rank > turn.rank:
                again = replace(other, sending=False, until_ns=turn.until_ns + hold_ns)
                self._turns[other.request_id] = again
                words = f"{words}; {other.request_id} ({self._name(other)}) gives way"
        self._put(turn)
        return Finding(judgement=Judgement.OK, subject=turn.request_id, words=words)

    def _put(self, turn: Turn) -> None:
        self._turns.pop(turn.request_id, None)
        self._turns[turn.request_id] = turn
        if len(self._turns) > TURNS_MAX:
            least = max(reversed(self._turns.values()), key=lambda other: other.rank)
            del self._turns[least.request_id]
            self.evicted += 1

    def _forget(self, now_ns: int) -> None:
        """Forget what was sent by now, or was asked for and never again."""
        for turn in tuple(self._turns.values()):
            if turn.until_ns <= now_ns:
                del self._turns[turn.request_id]

    def _name(self, turn: Turn) -> str:
        return Urgency.DISTRESS.value if turn.rank == _FIRST else self._terms.order[turn.rank]


KIND = PriorityOrder
