"""Tests belong into some minutes of the hour, so that nobody takes them for a call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.agreement import Channels, EventWord, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

HOUR_NS = 3_600 * 10**9
_MINUTE_NS = 60 * 10**9

CONSENT_S = 3_600
"""So long the word of whoever has to be asked holds: until the next window."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these channels one tests from this minute of each hour until that one, UTC."""

    channels: Channels
    minutes: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=60)], ...], Meta(max_length=2, examples=[[0, 5]])
    ]
    """The first minute belongs to it, the last does not; without any, nobody ever tests there."""
    max_s: Seconds | None = None
    """So long a test lasts at the most."""
    forbid_if: tuple[Literal["airborne"], ...] = ()
    """When nobody tests at all."""
    otherwise: PartName = "deny"
    """With this consent one may test at any time: `coordinate_with_site`, `hotline_consent`. With
    `deny` there is none."""


class Memory(Struct, frozen=True):
    """The channels for which there is consent."""

    consents: tuple[Deadline, ...] = ()


class TestWindow(Rule):
    """Compares the minute of a test with the window, as far as the clock can tell.

    Heard outside of it is a `violation`; so near its edge that the clock may be wrong `at_risk`;
    without a time of day `unknown`. This station's own is `deferred` to the next window, and has
    to end within it.
    """

    terms = Terms
    memory = Memory
    __test__ = False
    """For pytest, which takes every class that is called so for one of tests."""

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._dial = ground.dial
        first, last = terms.minutes if len(terms.minutes) == _TWO else (0, 0)
        self._first_ns, self._last_ns = first * _MINUTE_NS, last * _MINUTE_NS
        self._consents = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear tests, and consents to them."""
        return frozenset({EventWord.TEST, EventWord.CONSENT})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say that a test was outside of its window, or too long."""
        channel = event.channel
        if channel is None or channel not in self._channels:
            return
        said = () if event.fact is None else event.fact.fields
        if EventWord.CONSENT in event.words:
            if self._terms.otherwise in said:
                until_ns = event.at.mono_ns + CONSENT_S * 10**9
                self._consents.begin(
                    Deadline(subject=channel, since_ns=event.at.mono_ns, until_ns=until_ns)
                )
            return
        wrong = self._wrong(event, channel)
        if wrong is not None:
            judgement, why = wrong
            words = f"a test on {channel} {why}"
            yield Finding(judgement=judgement, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Let a test wait for its window."""
        channel = self._dial.of(request)
        if request.purpose != EventWord.TEST or channel not in self._channels:
            return None
        judgement, words, until_ns = self._judged(request, channel)
        return Finding(
            judgement=judgement, subject=request.request_id, words=words, until_ns=until_ns
        )

    def tick(self, now: Moment) -> tuple[Finding, ...]:
        """Forget consents that are too old."""
        for _ in self._consents.over(now.mono_ns):
            pass
        return ()

    def flaws(self) -> Iterator[str]:
        """Find a window that is none."""
        if len(self._terms.minutes) == 1:
            yield "`minutes` needs the first and the last, or none"
        elif self._terms.minutes and self._last_ns <= self._first_ns:
            yield "the window is over before it begins"
        elif self._terms.max_s and self._terms.max_s * 1e9 > self._last_ns - self._first_ns > 0:
            yield "a test may last longer than the window does"

    def keep(self) -> Memory:
        """Return the consents."""
        return Memory(self._consents.keep())

    def restore(self, kept: Struct) -> None:
        """Take them up."""
        if isinstance(kept, Memory):
            self._consents.restore(kept.consents)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many consents hold."""
        return self._consents.bounds()

    def _wrong(self, event: Event, channel: str) -> tuple[Judgement, str] | None:
        fact = event.fact
        if fact is not None and fact.airborne and "airborne" in self._terms.forbid_if:
            return Judgement.VIOLATION, "was sent in flight, which is never agreed"
        lasts_s, max_s = None if fact is None else fact.lasts_s, self._terms.max_s
        if lasts_s is not None and max_s is not None and lasts_s > max_s:
            return Judgement.VIOLATION, f"lasted {lasts_s:g} s: {max_s:g} s are agreed"
        if self._consents.of(channel) is not None:
            return None
        return self._when(event.at)

    def _when(self, at: Moment) -> tuple[Judgement, str] | None:
        """Return what is wrong with the time of a test."""
        if self._last_ns <= self._first_ns:
            return Judgement.VIOLATION, "was sent, and there is no window for any"
        if at.utc_ns is None or at.clock is ClockState.UNSET:
            return Judgement.UNKNOWN, "was sent at a time of day that nobody knows"
        inside = self._inside(at.utc_ns, at.error_ms or 0)
        if inside is None:
            return (
                Judgement.AT_RISK,
                f"may have been outside: the clock may be {at.error_ms} ms out",
            )
        if inside:
            return None
        return Judgement.VIOLATION, f"was outside of its window: {self._agreed()}"

    def _judged(self, request: Request, channel: str) -> tuple[Judgement, str, int | None]:
        terms = self._terms
        if request.airborne and "airborne" in terms.forbid_if:
            return Judgement.DENIED, "nobody tests in flight", None
        if terms.max_s is not None and request.duration_s is None:
            return Judgement.UNKNOWN, f"it does not say how long it lasts: {terms.max_s:g} s", None
        lasts_s = request.duration_s or 0.0
        if terms.max_s is not None and lasts_s > terms.max_s:
            return Judgement.DENIED, f"it lasts {lasts_s:g} s: {terms.max_s:g} s are agreed", None
        consent = terms.otherwise in request.consents or self._consents.of(channel) is not None
        if terms.otherwise != "deny" and consent:
            return Judgement.OK, f"{terms.otherwise} is on record", None
        if self._last_ns <= self._first_ns:
            return Judgement.DENIED, f"there is no window for tests on {channel}", None
        return self._in_time(request.at, lasts_s)

    def _in_time(self, at: Moment, lasts_s: float) -> tuple[Judgement, str, int | None]:
        if at.utc_ns is None or at.clock is ClockState.UNSET:
            return Judgement.UNKNOWN, "nobody knows the time of day", None
        out_ns = (at.error_ms or 0) * 10**6
        past_ns, lasts_ns = at.utc_ns % HOUR_NS, round(lasts_s * 1e9)
        if self._first_ns + out_ns <= past_ns and past_ns + lasts_ns + out_ns <= self._last_ns:
            return Judgement.OK, f"it is in its window: {self._agreed()}", None
        begins_ns = (self._first_ns + out_ns - past_ns) % HOUR_NS or HOUR_NS
        words = f"it waits for its window: {self._agreed()}"
        return Judgement.DEFERRED, words, at.mono_ns + begins_ns

    def _inside(self, utc_ns: int, error_ms: int) -> bool | None:
        """Say whether it is in the window; None where the clock can't tell."""
        said = {
            self._first_ns <= (utc_ns + off_ms * 10**6) % HOUR_NS < self._last_ns
            for off_ms in (-error_ms, 0, error_ms)
        }
        return said.pop() if len(said) == 1 else None

    def _agreed(self) -> str:
        first, last = self._terms.minutes
        return f"minutes {first} to {last} of each hour are agreed"


_TWO = 2

KIND = TestWindow
