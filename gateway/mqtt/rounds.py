"""When what is on disk is told: once a connection, then round by round what was in vain. Pure.

Only places in the outbox are remembered, not entries: a consumer may be away for months. An entry
is told again only after it had a whole pause to be ended in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from gateway.model.entry import Entry, Lane

RESEND_S = 15.0
"""The first pause before what was told and not ended is told again. With the pause that an entry
may have missed it makes half a minute at the most."""

RESEND_S_MAX = 60.0
"""The pause is doubled from each round to the next, up to this: the time after which distress that
nobody has signed for raises the alarm."""

BURST_S = 3.0
"""What is told so soon after a round was planned goes with it, and the round waits for it."""

RESEND_SHARE = 10
"""A pause is at least this many times as long as the round before it took, so that what a consumer
left lying for months never takes more than a tenth of a narrow link."""


class _Round(Struct):
    """One passage through all that was told up to a place in each lane."""

    planned_ns: int
    due_ns: int
    not_before_ns: int
    """However urgent it becomes: the round before took too much of the link."""
    upto: dict[Lane, int]
    passed: dict[Lane, int]
    began_ns: int | None = None
    found: bool = False


class Rounds:
    """The places of one pump in the outbox of one link."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = tuple(lanes)
        self._connects = -1
        self._told = dict.fromkeys(self._lanes, 0)
        """The last entry of each lane told on this connection."""
        self.begun = dict.fromkeys(self._lanes, 0)
        """The last entry of each lane ever handed to the broker in this run."""
        self._pause_s = RESEND_S
        self._round: _Round | None = None

    def connected(self, connects: int) -> bool:
        """Begin at the first entry when this is another connection than the last one; say so."""
        if connects == self._connects:
            return False
        self._connects = connects
        self._told = dict.fromkeys(self._lanes, 0)
        self._round = None
        self._pause_s = RESEND_S
        return True

    def lost(self) -> None:
        """Begin at the first entry: what was under way may not have arrived."""
        self._connects = -1

    def new(self) -> Iterator[tuple[Lane, int]]:
        """Give the lanes, the urgent first, and behind which entry the untold ones stand."""
        yield from self._told.items()

    def told(self, entries: Sequence[Entry]) -> None:
        """Note entries of one lane, in their order, that are being handed to the broker."""
        for entry in entries[-1:]:
            self._told[entry.lane] = entry.number
            self.begun[entry.lane] = max(self.begun[entry.lane], entry.number)

    def left(self, now_ns: int) -> None:
        """Something has been told and is not ended: see to it that a round comes soon."""
        planned = self._round
        if planned is None:
            self._plan(now_ns, not_before_ns=now_ns)
        elif planned.began_ns is None:
            soon_ns = now_ns + int(RESEND_S * 1e9)
            if now_ns - planned.planned_ns <= int(BURST_S * 1e9) or planned.due_ns > soon_ns:
                planned.due_ns = max(soon_ns, planned.not_before_ns)
                planned.upto = dict(self._told)
                self._pause_s = RESEND_S

    def ended(self, now_ns: int) -> None:
        """Somebody signs: let him finish, then tell again soon what he has missed."""
        self._pause_s = RESEND_S
        planned = self._round
        if planned is not None and planned.began_ns is None:
            latest_ns = planned.planned_ns + int(RESEND_S_MAX * 1e9)
            soon_ns = min(now_ns + int(RESEND_S * 1e9), latest_ns)
            planned.due_ns = max(soon_ns, planned.not_before_ns)

    def due(self, now_ns: int) -> bool:
        """Say whether a round is to be begun, or gone on with."""
        return self._round is not None and self._round.due_ns <= now_ns

    def open(self, now_ns: int) -> Iterator[tuple[Lane, int, int]]:
        """Give what the round has still to pass: lane, behind which entry, up to which one."""
        current = self._round
        if current is None or current.due_ns > now_ns:
            return
        current.began_ns = current.began_ns or now_ns
        for lane, upto in current.upto.items():
            if current.passed[lane] < upto:
                yield lane, current.passed[lane], upto

    def passed(self, entry: Entry) -> None:
        """The round has come as far as this entry."""
        if self._round is not None:
            self._round.passed[entry.lane] = entry.number
            self._round.found = True

    def closed(self, now_ns: int) -> None:
        """The round has passed all: plan the next, unless nothing is left."""
        last = self._round
        if last is None or last.began_ns is None:
            return
        self._round = None
        newer = self._told != last.upto
        # Those told since have had no second chance yet; theirs comes after the first pause.
        grow = last.found and not newer
        self._pause_s = min(RESEND_S_MAX, 2 * self._pause_s) if grow else RESEND_S
        if last.found or newer:
            lasted_ns = now_ns - last.began_ns
            self._plan(now_ns, not_before_ns=now_ns + RESEND_SHARE * lasted_ns)

    def _plan(self, now_ns: int, *, not_before_ns: int) -> None:
        self._round = _Round(
            planned_ns=now_ns,
            due_ns=max(now_ns + int(self._pause_s * 1e9), not_before_ns),
            not_before_ns=not_before_ns,
            upto=dict(self._told),
            passed=dict.fromkeys(self._lanes, 0),
        )
