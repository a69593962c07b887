"""A call for help is acknowledged, not too early and not too late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.model.agreement import Channels, EventWord, Parties, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

Band = Literal["lf", "mf", "hf", "vhf", "uhf"]

LATE_S = 300.0
"""So long after its window a call may still be acknowledged, late as it is: within that time a set
calls again that nobody has answered (every 3.5 to 4.5 minutes), and is awaited anew."""


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From the call on: not before `min_s`, and before `max_s` has passed."""

    min_s: Seconds = 0.0
    """Sooner is too early."""
    max_s: Seconds
    """At it, it is too late."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When this happens, these parties acknowledge it within the window of its band."""

    when: When
    who: Parties
    via: PartName = "dsc_ack"
    """The way of acknowledging that it is about."""
    window: Window | None = None
    """For bands that have none of their own; without either, nothing is awaited."""
    per_band: dict[Band, Window] = {}
    """The window of each band on which calls come."""
    channels: Channels | None = None
    """Only calls on these; None for all."""
    not_by: Parties = ()
    """Whoever may not acknowledge: it is said of them, whenever they do."""


class Memory(Struct, frozen=True):
    """The calls that wait for an acknowledgement."""

    awaited: tuple[Deadline, ...] = ()
    late: tuple[Deadline, ...] = ()
    """Those of which it was said that nobody has acknowledged them in time."""


class AckDeadline(Rule):
    """Starts a deadline with each call, ends it with an acknowledgement, and says what was missed.

    A repeat of a call that waits already starts no second one. The moment `max_s` after the call is
    too late; the moment `min_s` after it is not too early. That it is late is said, and keeps
    nobody from acknowledging it.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._who = ground.rolls.named(terms.who)
        self._not_by = ground.rolls.named(terms.not_by)
        self._channels = None if terms.channels is None else ground.dial.named(terms.channels)
        self._awaited = Deadlines()
        self._late = Deadlines()
        self._windows: dict[str | None, Window | None] = {
            band: terms.per_band.get(band, terms.window)
            for band in ("lf", "mf", "hf", "vhf", "uhf")
        }

    def hears(self) -> frozenset[EventWord]:
        """Hear the calls, and whatever ends the wait."""
        return self._wait.words | {EventWord.DISTRESS_ACK, EventWord.CANCEL}

    def hear(self, event: Event) -> Iterable[Finding]:
        """Begin to wait, or say how long the answer took."""
        if self._wait.meets(event):
            return self._begin(event)
        if EventWord.CANCEL in event.words:
            self._end(event.subject)
            return ()
        return self._answered(event) if EventWord.DISTRESS_ACK in event.words else ()

    def gate(self, request: Request) -> Finding | None:
        """Hold an acknowledgement back until it is due, and never longer."""
        if request.via != self._terms.via or request.about is None:
            return None
        call = self._awaited.of(request.about) or self._late.of(request.about)
        if call is None:
            words = f"no call of {request.about} waits for an acknowledgement"
            return Finding(judgement=Judgement.UNKNOWN, subject=request.about, words=words)
        passed_s = (request.at.mono_ns - call.since_ns) / 1e9
        if request.at.mono_ns < call.floor_ns:
            words = f"it was called {passed_s:.0f} s ago, and {self._terms.via} has to wait longer"
            return Finding(
                judgement=Judgement.DEFERRED,
                subject=request.about,
                words=words,
                since_ns=call.since_ns,
                until_ns=call.floor_ns,
                evidence=call.evidence,
            )
        words = f"it was called {passed_s:.0f} s ago"
        return Finding(
            judgement=Judgement.OK,
            subject=request.about,
            words=words,
            since_ns=call.since_ns,
            evidence=call.evidence,
        )

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say of each call that nobody has acknowledged in time."""
        for call in self._awaited.over(now.mono_ns):
            yield _late(call, "nobody has acknowledged it")
            self._late.begin(replace(call, until_ns=call.until_ns + round(LATE_S * 1e9)))
        for _ in self._late.over(now.mono_ns):
            pass

    def flaws(self) -> Iterator[str]:
        """Find windows that are closed before they open, and calls that nothing is awaited for."""
        windows = [*self._terms.per_band.items(), ("any band", self._terms.window)]
        for band, window in windows:
            if window is not None and window.max_s <= window.min_s:
                yield f"on {band} the latest time is not after the earliest"
        if not any(window for _, window in windows):
            yield "no window says when: give `window` or `per_band`"

    def otherwise(self) -> str:
        """Return when an acknowledgement is in time, band by band."""
        terms = self._terms
        windows: dict[str, Window] = dict(terms.per_band.items())
        if terms.window is not None:
            windows["any other band" if windows else "any band"] = terms.window
        spans = "; ".join(
            f"on {band} from {window.min_s:g} s after it on, and sooner than {window.max_s:g} s"
            for band, window in windows.items()
        )
        return f"{' or '.join(terms.who)} acknowledges the call: {spans}."

    def keep(self) -> Memory:
        """Return the calls that wait."""
        return Memory(self._awaited.keep(), self._late.keep())

    def restore(self, kept: Struct) -> None:
        """Go on waiting for them."""
        if isinstance(kept, Memory):
            self._awaited.restore(kept.awaited)
            self._late.restore(kept.late)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many calls wait, and how many are late."""
        yield from self._awaited.bounds()
        yield from self._late.bounds()

    def _begin(self, event: Event) -> Iterator[Finding]:
        window = self._windows.get(event.band, self._terms.window)
        elsewhere = self._channels is not None and event.channel not in self._channels
        if window is None or elsewhere or self._awaited.of(event.subject) is not None:
            return
        call = Deadline(
            subject=event.subject,
            since_ns=event.at.mono_ns,
            until_ns=event.at.mono_ns + round(window.max_s * 1e9),
            floor_s=window.min_s,
            evidence=(event.event_id,),
        )
        self._late.end(event.subject)
        pushed = self._awaited.begin(call)
        if pushed is not None:
            words = "too many calls wait: nobody watches any more whether it is acknowledged"
            yield Finding(judgement=Judgement.UNKNOWN, subject=pushed.subject, words=words)

    def _answered(self, event: Event) -> Iterator[Finding]:
        if not self._not_by.isdisjoint(event.by):
            words = f"{event.by[0]} has acknowledged it, which is not for them to do"
            yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)
        if self._who.isdisjoint(event.by):
            return
        call = self._end(event.subject)
        if call is None:
            return
        if event.at.mono_ns >= call.until_ns:
            yield _late(call, "it was acknowledged too late")
            return
        passed_s = (event.at.mono_ns - call.since_ns) / 1e9
        early = event.at.mono_ns < call.floor_ns
        words = f"{event.by[0]} has acknowledged it after {passed_s:.1f} s"
        yield Finding(
            judgement=Judgement.VIOLATION if early else Judgement.OK,
            subject=event.subject,
            words=f"{words}; not before {call.floor_s:.0f} s is agreed" if early else words,
            since_ns=call.since_ns,
            evidence=call.evidence,
        )

    def _end(self, subject: str) -> Deadline | None:
        """Wait no more; return the call when it was not known to be late."""
        self._late.end(subject)
        return self._awaited.end(subject)


def _late(call: Deadline, what: str) -> Finding:
    agreed_s = (call.until_ns - call.since_ns) / 1e9
    return Finding(
        judgement=Judgement.VIOLATION,
        subject=call.subject,
        words=f"{what}: within {agreed_s:.0f} s is agreed",
        since_ns=call.since_ns,
        until_ns=call.until_ns,
        evidence=call.evidence,
    )


KIND = AckDeadline
