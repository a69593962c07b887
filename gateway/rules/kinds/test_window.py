"""A channel is tried out at its minutes, for seconds, and not from the air."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.codes.dates import utc_of
from gateway.model.agreement import Channels, EventWord, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.model.words import ClockState, Mode
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule

_MINUTE_NS = 60 * 10**9
_EVERY_MIN = {"hour": 60, "day": 24 * 60}


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On these channels tests begin and end within these minutes, and last no longer than this."""

    channels: Channels
    minutes: Annotated[tuple[int, int], Meta(examples=[[0, 5]])] | None = None
    """From the beginning of the one to the beginning of the other, UTC. None: no test is agreed at
    any time."""
    every: Literal["hour", "day"] = "hour"
    """What the minutes are counted from."""
    max_s: Seconds | None = None
    """So long it may be on the air, at the most; None for any time that fits."""
    forbid_if: tuple[Literal["airborne"], ...] = ()
    """No test from a craft in the air, whoever consents."""
    otherwise: PartName | None = None
    """The consent with which a test may be at any time: `hotline_consent`. Without one it may not
    be outside the minutes at all."""
    exempt: tuple[Literal["self_test"], ...] = ()
    """A beacon's own self-test is free of the rule: it is sent so that nobody takes it as meant."""


class _Trial(Struct, frozen=True, kw_only=True, gc=False):
    """One test, sent or asked for."""

    at: Moment
    """When it begins."""
    lasts_s: float | None
    airborne: bool | None
    """None when nobody knows."""
    consents: tuple[str, ...]


class _Said(Struct, frozen=True, kw_only=True, gc=False):
    """What is to be said of one."""

    judgement: Judgement
    words: str
    opens_ns: int | None = None
    """When it would be within the minutes, monotonic; None when waiting doesn't help."""


class TestWindow(Rule):
    """Compares when a test begins and ends with the minutes, by a clock that may be out.

    `violation` from the air, for longer than agreed, or surely outside the minutes; `unknown`
    outside them where a consent would make it right that nobody can hear, and where the time of
    day, how long it lasts or whether it comes from the air is not told; `at_risk` so near an edge
    that the clock can't say on which side. A request outside the minutes is `deferred` to them.
    """

    terms = Terms
    __test__ = False
    """For pytest, which takes every class that is called so for one of tests."""

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = ground.dial.named(terms.channels)
        self._dial = ground.dial
        self._plan = ground.agreement.channels
        first, last = terms.minutes or (0, 0)
        self._opens_ns = first * _MINUTE_NS
        self._open_ns = (last - first) * _MINUTE_NS
        self._every_ns = _EVERY_MIN[terms.every] * _MINUTE_NS

    def hears(self) -> frozenset[EventWord]:
        """Hear what says of itself that it is a test, or of which people say so."""
        return frozenset({EventWord.TEST})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say whether a test was as agreed."""
        if event.channel not in self._channels or self._is_exempt(event):
            return
        fact = event.fact
        said = self._said(
            _Trial(
                at=event.at,
                lasts_s=None if fact is None else fact.lasts_s,
                airborne=_is_airborne(event),
                consents=() if fact is None else fact.fields,
            )
        )
        judgement, words = said.judgement, f"{event.channel} was tested {said.words}"
        if judgement is Judgement.DEFERRED and self._terms.otherwise:
            judgement = Judgement.UNKNOWN
            words = f"{words}: nobody knows whether there was {self._terms.otherwise}"
        elif judgement in {Judgement.DEFERRED, Judgement.DENIED}:
            judgement = Judgement.VIOLATION
        yield Finding(judgement=judgement, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Let a test wait for its minutes, and deny one that is never agreed."""
        channel = self._dial.of(request)
        is_test = request.purpose == EventWord.TEST or request.marked is Mode.TEST
        if not is_test or channel not in self._channels:
            return None
        said = self._said(
            _Trial(
                at=request.at,
                lasts_s=request.duration_s,
                airborne=request.airborne,
                consents=request.consents,
            )
        )
        judgement, words = said.judgement, f"{channel} would be tested {said.words}"
        if judgement is Judgement.DEFERRED:
            if said.opens_ns is None:
                judgement = Judgement.DENIED
            if self._terms.otherwise:
                words = f"{words}; {self._terms.otherwise} would do too"
        return Finding(
            judgement=judgement, subject=request.request_id, words=words, until_ns=said.opens_ns
        )

    def flaws(self) -> Iterator[str]:
        """Find minutes that never or always are, and tests that no time is long enough for."""
        terms = self._terms
        for name in sorted(self._channels):
            channel = self._plan.get(name)
            if channel is None or channel.endpoint is not None:
                yield f"`{name}` is no channel of a radio: no test is ever heard on it"
        if terms.max_s == 0:
            yield "`max_s` is 0: no test is so short"
        if terms.minutes is None:
            return
        first, last = terms.minutes
        of = _EVERY_MIN[terms.every]
        if not 0 <= first < last <= of:
            yield f"`minutes` don't begin before they end, within the {of} of the {terms.every}"
        elif last - first == of:
            yield f"`minutes` are all of the {terms.every}: no test is ever outside them"
        elif terms.max_s is not None and terms.max_s * 1e9 > self._open_ns:
            yield "`max_s` is longer than the minutes: they end every test first"

    def otherwise(self) -> str:
        """Return when a test is within its minutes."""
        terms = self._terms
        found = "A test begins and ends in no minute at all"
        if terms.minutes is not None:
            first, last = terms.minutes
            found = f"A test begins and ends in minutes {first} to {last} of the {terms.every}, UTC"
        if terms.otherwise:
            found = f"{found}, or has {terms.otherwise}"
        if terms.max_s is not None:
            found = f"{found}; it lasts {terms.max_s:g} s at the most"
        return f"{found}; it comes from the ground." if terms.forbid_if else f"{found}."

    def _is_exempt(self, event: Event) -> bool:
        detail = event.report and event.report.detail
        return "self_test" in self._terms.exempt and bool(getattr(detail, "self_test", False))

    def _said(self, trial: _Trial) -> _Said:
        """Return what is surely wrong first, then what nobody knows, then what the time says."""
        terms, timed = self._terms, self._timed(trial)
        max_s, lasts_s, grounded = terms.max_s, trial.lasts_s, "airborne" in terms.forbid_if
        if grounded and trial.airborne:
            words = "from the air, and only from the ground is agreed"
            return _Said(judgement=Judgement.DENIED, words=words)
        if max_s is not None and lasts_s is not None and lasts_s > max_s:
            words = f"for {lasts_s:g} s, and {max_s:g} s at the most are agreed"
            return _Said(judgement=Judgement.DENIED, words=words)
        if timed.judgement is Judgement.DEFERRED:
            return timed
        if grounded and trial.airborne is None:
            words = "nobody knows whether from the air, and only from the ground is agreed"
            return _Said(judgement=Judgement.UNKNOWN, words=words)
        if max_s is not None and lasts_s is None:
            words = f"nobody knows for how long, and {max_s:g} s at the most are agreed"
            return _Said(judgement=Judgement.UNKNOWN, words=words)
        return timed

    def _timed(self, trial: _Trial) -> _Said:
        """Return what the time says of it: `deferred` is outside the minutes."""
        terms, at = self._terms, trial.at
        if terms.otherwise in trial.consents:
            return _Said(judgement=Judgement.OK, words=f"with {terms.otherwise}")
        if terms.minutes is None:
            words = "although no time for it is agreed"
            return _Said(judgement=Judgement.DEFERRED, words=words)
        first, last = terms.minutes
        agreed = f"minutes {first} to {last} of the {terms.every}, UTC, are agreed"
        utc = utc_of(at.utc_ns)
        if at.utc_ns is None or utc is None or at.clock is ClockState.UNSET:
            words = f"at a time that nobody knows, and {agreed}"
            return _Said(judgement=Judgement.UNKNOWN, words=words)
        return self._placed(trial, at.utc_ns, f"at {utc:%H:%M:%S} UTC", agreed)

    def _placed(self, trial: _Trial, utc_ns: int, began: str, agreed: str) -> _Said:
        """Return on which side of the edges it is, if the clock can say."""
        at, lasts_s = trial.at, trial.lasts_s
        words = f"{began}{'' if lasts_s is None else f' for {lasts_s:g} s'}, and {agreed}"
        # What begins with the last minute's end is outside, however short it is.
        latest_ns = self._open_ns - max(round((lasts_s or 0.0) * 1e9), 1)
        into_ns = (utc_ns - self._opens_ns) % self._every_ns
        error_ns = (at.error_ms or 0) * 10**6
        if latest_ns < 0:
            return _Said(judgement=Judgement.DEFERRED, words=words)
        if error_ns <= into_ns <= latest_ns - error_ns:
            return _Said(judgement=Judgement.OK, words=words)
        if latest_ns + error_ns < into_ns < self._every_ns - error_ns:
            opens_ns = at.mono_ns + self._every_ns - into_ns + error_ns
            return _Said(judgement=Judgement.DEFERRED, words=words, opens_ns=opens_ns)
        words = f"{words}: the clock may be out by {at.error_ms} ms"
        return _Said(judgement=Judgement.AT_RISK, words=words)


def _is_airborne(event: Event) -> bool | None:
    """Return whether it came from the air; None when its radio doesn't say."""
    if event.fact is not None:
        return event.fact.airborne
    on_ground = getattr(event.report and event.report.detail, "on_ground", None)
    return None if on_ground is None else not on_ground


KIND = TestWindow
