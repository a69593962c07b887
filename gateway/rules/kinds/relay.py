"""A call that nobody acknowledges is passed on, to whom it should be and not to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord, Parties, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.text import Words
from gateway.model.verdict import Judgement
from gateway.rules.channels import band_of
from gateway.rules.deadlines import Deadline, Deadlines
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.when import Wait, When

KNOWN_S = 86_400
"""So long it is remembered of a call that it was acknowledged, or is due to be passed on."""

ASKED = "rcc_request"
"""The consent with which a call is passed on whatever has become of it: its centre asks for it."""

Whom = Literal["all_ships", "area_ships", "group", "individual", "coast_station"]
Band = Literal["lf", "mf", "hf", "vhf", "uhf"]


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These parties pass such a call on when nobody has acknowledged it for so long."""

    when: When
    if_no_ack_s: Seconds
    who: Annotated[Parties, Meta(min_length=1)]
    to: Annotated[tuple[Whom, ...], Meta(min_length=1)]
    """To whom alone."""
    via: PartName = "dsc_relay"
    """The way of relaying that it is about."""
    forbid_to: dict[Band, tuple[Whom, ...]] = {}
    """To whom never, band by band."""
    form: Words | None = None
    """The words for it: they are named to whoever speaks."""


class Memory(Struct, frozen=True):
    """The calls that wait, that are due, and that are acknowledged."""

    waiting: tuple[Deadline, ...] = ()
    due: tuple[Deadline, ...] = ()
    acknowledged: tuple[Deadline, ...] = ()


class Relay(Rule):
    """Waits for an acknowledgement, says when a relay is due, and holds one back until then.

    `at_risk` once it is due, until it is passed on, acknowledged or taken back; `violation` of one
    that these parties have passed on too early. What its rescue centre asks for may go at once.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._who = ground.rolls.named(terms.who)
        self._own = ground.rolls.own
        self._plan = ground.agreement.channels
        self._never: dict[str | None, frozenset[str]] = {
            band: frozenset(whom) for band, whom in terms.forbid_to.items()
        }
        self._dial = ground.dial
        self._waiting, self._due, self._acknowledged = Deadlines(), Deadlines(), Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear calls, and what becomes of them."""
        ends = {EventWord.DISTRESS_ACK, EventWord.CANCEL, EventWord.DISTRESS_RELAY}
        return self._wait.words | ends

    def hear(self, event: Event) -> Iterator[Finding]:
        """Begin to wait, or say what has become of a call."""
        if EventWord.DISTRESS_RELAY in event.words:
            yield from self._relayed(event)
        elif not {EventWord.DISTRESS_ACK, EventWord.CANCEL}.isdisjoint(event.words):
            yield from self._over(event)
        elif self._wait.meets(event):
            yield from self._called(event)

    def gate(self, request: Request) -> Finding | None:
        """Hold a relay back until it is due, and deny one to whom it should not go."""
        if request.via != self._terms.via or self._who.isdisjoint(self._own):
            return None
        judgement, words, until_ns = self._judged(request)
        subject = request.about or request.request_id
        return Finding(judgement=judgement, subject=subject, words=words, until_ns=until_ns)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which call is due to be passed on."""
        for call in self._waiting.over(now.mono_ns):
            self._remember(self._due, call.subject, now.mono_ns)
            agreed = f"{', '.join(self._terms.who)} to pass it on to {', '.join(self._terms.to)}"
            form = "" if self._terms.form is None else f", as {self._terms.form}"
            yield Finding(
                judgement=Judgement.AT_RISK,
                subject=call.subject,
                words=f"nobody has acknowledged it for {self._terms.if_no_ack_s:g} s: it is for "
                f"{agreed}{form}",
                since_ns=call.since_ns,
                evidence=call.evidence,
            )
        for old in (self._due, self._acknowledged):
            for _ in old.over(now.mono_ns):
                pass

    def flaws(self) -> Iterator[str]:
        """Find a relay that may go to nobody."""
        for band, never in self._terms.forbid_to.items():
            if set(self._terms.to) <= set(never):
                yield f"on {band} it may go to nobody: all of `to` is in `forbid_to`"
        if not self._who:
            yield "`who` names no party"

    def keep(self) -> Memory:
        """Return what is known of calls."""
        return Memory(self._waiting.keep(), self._due.keep(), self._acknowledged.keep())

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, Memory):
            self._waiting.restore(kept.waiting)
            self._due.restore(kept.due)
            self._acknowledged.restore(kept.acknowledged)

    def bounds(self) -> Iterator[Bound]:
        """Yield of how many calls something is known."""
        for one in (self._waiting, self._due, self._acknowledged):
            yield from one.bounds()

    def _called(self, event: Event) -> Iterator[Finding]:
        subject = event.subject
        if any(one.of(subject) for one in (self._waiting, self._due, self._acknowledged)):
            return
        until_ns = event.at.mono_ns + round(self._terms.if_no_ack_s * 1e9)
        pushed = self._waiting.begin(
            Deadline(
                subject=subject,
                since_ns=event.at.mono_ns,
                until_ns=until_ns,
                evidence=(event.event_id,),
            )
        )
        if pushed is not None:
            words = "too many calls wait: nobody looks any more whether this one is passed on"
            yield Finding(judgement=Judgement.UNKNOWN, subject=pushed.subject, words=words)

    def _over(self, event: Event) -> Iterator[Finding]:
        self._waiting.end(event.subject)
        if EventWord.DISTRESS_ACK in event.words:
            self._remember(self._acknowledged, event.subject, event.at.mono_ns)
        if self._due.end(event.subject) is not None:
            words = "it needs no relay any more: it was acknowledged, or taken back"
            yield Finding(judgement=Judgement.OK, subject=event.subject, words=words)

    def _relayed(self, event: Event) -> Iterator[Finding]:
        call = self._waiting.of(event.subject)
        by = next((party for party in event.by if party in self._who), None)
        if self._due.end(event.subject) is not None:
            who = by or next(iter(event.by), "somebody")
            words = f"{who} has passed it on"
            yield Finding(judgement=Judgement.OK, subject=event.subject, words=words)
        elif call is not None and by is not None:
            passed_s = (event.at.mono_ns - call.since_ns) / 1e9
            words = f"{by} has passed it on after {passed_s:.1f} s"
            yield Finding(
                judgement=Judgement.VIOLATION,
                subject=event.subject,
                words=f"{words}: {self._terms.if_no_ack_s:g} s without an acknowledgement agreed",
                since_ns=call.since_ns,
                evidence=call.evidence,
            )

    def _judged(self, request: Request) -> tuple[Judgement, str, int | None]:
        astray = self._astray(request)
        if astray is not None:
            return Judgement.DENIED, astray, None
        if ASKED in request.consents:
            return Judgement.OK, "the rescue centre asks for it", None
        return self._due_now(request.about or "")

    def _astray(self, request: Request) -> str | None:
        """Return to whom it would go and should not."""
        to = ", ".join(request.to) or "nobody named"
        if not set(self._terms.to) & set(request.to):
            return f"it would go to {to}: to {', '.join(self._terms.to)} is agreed"
        never = self._never.get(self._band(request), frozenset())
        return None if never.isdisjoint(request.to) else f"it would go to {to}: never on this band"

    def _due_now(self, about: str) -> tuple[Judgement, str, int | None]:
        if self._acknowledged.of(about) is not None:
            words = f"{about} was acknowledged: it needs no relay, but where its centre asks for it"
            return Judgement.DENIED, words, None
        call = self._waiting.of(about)
        if call is not None:
            words = f"it may yet be acknowledged: {self._terms.if_no_ack_s:g} s are agreed"
            return Judgement.DEFERRED, words, call.until_ns
        if self._due.of(about) is not None:
            return Judgement.OK, "nobody has acknowledged it", None
        return Judgement.UNKNOWN, f"no call of {about or 'anybody'} was heard", None

    def _band(self, request: Request) -> str | None:
        channel = self._plan.get(self._dial.of(request) or "")
        return band_of(request.freq_hz if channel is None else channel.hz)

    def _remember(self, where: Deadlines, subject: str, now_ns: int) -> None:
        until_ns = now_ns + KNOWN_S * 10**9
        where.begin(Deadline(subject=subject, since_ns=now_ns, until_ns=until_ns))


KIND = Relay
