"""A call for help that nobody acknowledges is passed on: not too early, and to the right ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

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

SETTLED_S = 3_600.0
"""So long after it was settled a repeat of a call is still the same call: a set repeats its alert
every few minutes until it hears that somebody has it."""

Band = Literal["lf", "mf", "hf", "vhf", "uhf"]
Many = Literal["all_ships", "area_ships", "group"]
"""Whom one call can be addressed to that is for many."""

_BY_FORMAT = {"all_ships": "all_ships", "area": "area_ships", "group": "group"}
"""What a decoder calls the format of a call to many (ITU-R M.493), and what agreements call it."""

_PURPOSE = "distress_relay"


class Forbidden(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to address a relay that is not for this band."""

    to: Many
    """To whom it is not sent."""
    unless: PartName | None = None
    """The consent with which it is for this band after all: `casualty_cannot_send`."""


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When nobody has acknowledged this for so long, these parties relay it to those."""

    when: When
    if_no_ack_s: Seconds
    """At 0 it is relayed at once, and no acknowledgement changes that."""
    within_s: Seconds = 300.0
    """How long they have from then on."""
    who: Annotated[Parties, Meta(min_length=1)]
    to: Parties = ()
    """Whoever of these it is sent to."""
    to_many: tuple[Many, ...] = ()
    """Or to many at once, in one of these ways."""
    via: PartName = "dsc_relay"
    """Of what this station sends: only that counts."""
    forbid_to: dict[Band, tuple[Forbidden, ...]] = {}
    """Ways to address it that are not for a band, whatever `to_many` says."""
    form: Words | None = None
    """Its wording: named in what is said, and checked by nobody."""


class Stage(IntEnum):
    """How far a call has come; kept as the `count` of its deadline."""

    WAITING = 0
    """It may still be acknowledged."""
    DUE = 1
    LATE = 2
    RELAYED = 3
    ACKNOWLEDGED = 4


class Memory(Struct, frozen=True):
    """The calls, and how far each has come."""

    calls: tuple[Deadline, ...] = ()


class Relay(Rule):
    """Waits for an acknowledgement of each call, then for its relay, and says what went otherwise.

    `at_risk` once a relay is due, `ok` when it comes in time, `violation` when it comes too early,
    too late, after an acknowledgement, or goes to whom it should not. `unknown` where nobody knows
    who has relayed it, to whom, or whether the call was acknowledged. The moment `if_no_ack_s`
    after the call is not too early; `within_s` after that is too late. A cancellation ends it.
    """

    terms = Terms
    of_distress = True
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._wait = Wait(terms.when, ground)
        self._rolls = ground.rolls
        self._plan = ground.agreement.channels
        self._who = ground.rolls.named(terms.who)
        self._to = ground.rolls.named(terms.to)
        self._calls = Deadlines()

    def hears(self) -> frozenset[EventWord]:
        """Hear the calls, their relays, and whatever makes a relay needless."""
        heard = (EventWord.DISTRESS_ACK, EventWord.DISTRESS_RELAY, EventWord.CANCEL)
        return self._wait.words.union(heard)

    def hear(self, event: Event) -> Iterable[Finding]:
        """Begin to wait, or say what became of the call."""
        if self._wait.meets(event):
            return self._called(event)
        if event.test != self._terms.when.test:
            return ()
        if EventWord.CANCEL in event.words:
            return self._over(self._calls.end(event.subject), "was taken back")
        if EventWord.DISTRESS_ACK in event.words:
            return self._acknowledged(event)
        return self._relayed(event) if EventWord.DISTRESS_RELAY in event.words else ()

    def gate(self, request: Request) -> Finding | None:
        """Hold a relay back until it is due, and deny one that goes to whom it should not."""
        terms = self._terms
        by = self._rolls.own if request.by is None else (request.by,)
        if request.purpose != _PURPOSE or request.via != terms.via or self._who.isdisjoint(by):
            return None
        subject = request.about or request.request_id
        found = self._aim(
            self._rolls.named(request.to),
            request.to,
            self._band_of(request),
            frozenset(request.consents),
        )
        if found is not None:
            said, words = found
            denied = Judgement.DENIED if said is Judgement.VIOLATION else said
            return Finding(judgement=denied, subject=subject, words=words)
        call = self._calls.of(subject)
        if call is None:
            words = f"no call of {subject} is known: nobody knows whether it was acknowledged"
            return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)
        passed_s = (request.at.mono_ns - call.since_ns) / 1e9
        judgement, words = Judgement.OK, f"it was called {passed_s:.0f} s ago"
        until_ns = None
        if call.count == Stage.ACKNOWLEDGED:
            judgement, words = Judgement.DENIED, "it was acknowledged, and needs no relay"
        elif request.at.mono_ns < call.floor_ns:
            judgement, until_ns = Judgement.DEFERRED, call.floor_ns
            words = f"{words}: a relay waits {terms.if_no_ack_s:g} s for an acknowledgement"
        return Finding(
            judgement=judgement,
            subject=subject,
            words=words,
            since_ns=call.since_ns,
            until_ns=until_ns,
            evidence=call.evidence,
        )

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say which calls are to be relayed, and which nobody has relayed in time."""
        for call in self._calls.over(now.mono_ns):
            if call.count == Stage.WAITING:
                until_ns = call.floor_ns + round(self._terms.within_s * 1e9)
                due = replace(call, count=Stage.DUE, until_ns=until_ns)
                self._calls.begin(due)
                yield _finding(Judgement.AT_RISK, due, self._asked(), until_ns)
            elif call.count == Stage.DUE:
                self._settle(call, Stage.LATE, now.mono_ns)
                passed_s = (now.mono_ns - call.since_ns) / 1e9
                words = f"nobody has relayed it {passed_s:.0f} s after the call: {self._agreed()}"
                yield _finding(Judgement.VIOLATION, call, words, call.until_ns)

    def flaws(self) -> Iterator[str]:
        """Find a relay that nobody sends, that goes to nobody, or that is late as soon as due."""
        for name in self._rolls.nobody((*self._terms.who, *self._terms.to)):
            yield f"`{name}` is no party: whose relay it is, and to whom, has to be named"
        if not self._to and not self._terms.to_many:
            yield "it goes to nobody: give `to` or `to_many`"
        if self._terms.within_s == 0:
            yield "`within_s` of 0 makes it late the moment it is due"

    def otherwise(self) -> str:
        """Return when a relay is due, and to whom."""
        terms = self._terms
        return (
            f"Where nobody has acknowledged the call {terms.if_no_ack_s:g} s after it, and no"
            f" sooner, {' or '.join(terms.who)} relays it to"
            f" {' or '.join((*terms.to, *terms.to_many))}, sooner than {terms.within_s:g} s after"
            " that."
        )

    def keep(self) -> Memory:
        """Return the calls."""
        return Memory(self._calls.keep())

    def restore(self, kept: Struct) -> None:
        """Go on with them."""
        if isinstance(kept, Memory):
            self._calls.restore(kept.calls)

    def bounds(self) -> Iterator[Bound]:
        """Yield how many calls are followed."""
        return self._calls.bounds()

    def _called(self, event: Event) -> Iterator[Finding]:
        known = self._calls.of(event.subject)
        if known is not None:
            if known.count >= Stage.LATE:
                self._settle(known, Stage(known.count), event.at.mono_ns)
            return
        wait_s = self._terms.if_no_ack_s
        yield from self._put(
            Deadline(
                subject=event.subject,
                since_ns=event.at.mono_ns,
                until_ns=event.at.mono_ns + round(wait_s * 1e9),
                floor_s=wait_s,
                evidence=(event.event_id,),
            )
        )

    def _acknowledged(self, event: Event) -> Iterator[Finding]:
        call = self._calls.of(event.subject)
        if call is not None and self._terms.if_no_ack_s > 0:
            self._settle(call, Stage.ACKNOWLEDGED, event.at.mono_ns)
            yield from self._over(call, "was acknowledged")

    def _over(self, call: Deadline | None, how: str) -> Iterator[Finding]:
        """Say that a relay which was due is so no longer."""
        if call is not None and call.count == Stage.DUE:
            yield _finding(Judgement.OK, call, f"it {how}, and needs no relay any more")

    def _relayed(self, event: Event) -> Iterator[Finding]:
        call = self._calls.of(event.subject)
        if not event.by:
            if call is not None and call.count < Stage.RELAYED:
                words = "it was relayed, and nobody knows by whom"
                yield _finding(Judgement.UNKNOWN, call, words)
        elif not self._who.isdisjoint(event.by):
            now_ns = event.at.mono_ns
            if call is None:
                # Its repeats would say the same again: it is followed from here on.
                call = Deadline(subject=event.subject, since_ns=now_ns, until_ns=now_ns)
                yield self._judged(event, Judgement.UNKNOWN, "and its call was not heard here")
                yield from self._put(_settled(call, Stage.RELAYED, now_ns))
                return
            self._settle(call, Stage.RELAYED, now_ns)
            if call.count != Stage.RELAYED:
                judgement, words = self._timed(call, now_ns)
                yield self._judged(event, judgement, words, call)

    def _timed(self, call: Deadline, now_ns: int) -> tuple[Judgement, str]:
        passed_s = (now_ns - call.since_ns) / 1e9
        words = f"{passed_s:.1f} s after the call: {self._agreed()}"
        if call.count == Stage.ACKNOWLEDGED:
            return Judgement.VIOLATION, f"{words}, and it was acknowledged"
        late_ns = call.floor_ns + round(self._terms.within_s * 1e9)
        in_time = call.floor_ns <= now_ns < late_ns
        return (Judgement.OK if in_time else Judgement.VIOLATION), words

    def _judged(
        self, event: Event, judgement: Judgement, words: str, call: Deadline | None = None
    ) -> Finding:
        """Return what is found of a relay, by when it came and to whom it goes."""
        detail = None if event.report is None else event.report.detail
        sent = _BY_FORMAT.get(getattr(detail, "format", None) or "")
        told = () if event.fact is None or event.fact.to is None else (event.fact.to,)
        ways = told if sent is None else (sent,)
        words = f"{event.by[0]} has relayed it, {words}"
        aim = self._aim(frozenset(event.to), ways, event.band, None)
        if aim is not None:
            said, why = aim
            words = f"{words}; {why}"
            judgement = judgement if judgement is Judgement.VIOLATION else said
        return Finding(
            judgement=judgement,
            subject=event.subject,
            words=words,
            since_ns=None if call is None else call.since_ns,
            evidence=() if call is None else call.evidence,
        )

    def _aim(
        self,
        parties: frozenset[str],
        said: Iterable[str],
        band: str | None,
        consents: frozenset[str] | None,
    ) -> tuple[Judgement, str] | None:
        """Return what is wrong with whom it goes to; None when nothing is.

        Of what is heard nobody knows which consents were given: `consents` is None.
        """
        many = [way for way in _BY_FORMAT.values() if way in said]
        if not many and not parties:
            return Judgement.UNKNOWN, f"to whom it goes is not known: {self._whom()} is agreed"
        wrong = sorted(parties - self._to)
        found = [one for way in many if (one := self._aimed(way, band, consents)) is not None]
        if wrong:
            found.append((Judgement.VIOLATION, f"it goes to {wrong[0]}: {self._whom()} is agreed"))
        return min(found, key=lambda one: one[0] is Judgement.UNKNOWN, default=None)

    def _aimed(
        self, way: str, band: str | None, consents: frozenset[str] | None
    ) -> tuple[Judgement, str] | None:
        """Return what is wrong with a call to many."""
        barred = {
            at: one for at, every in self._terms.forbid_to.items() for one in every if one.to == way
        }
        if barred and band is None:
            return Judgement.UNKNOWN, f"it goes to {way}, on a band that nobody knows"
        here = next((one for at, one in barred.items() if at == band), None)
        if here is not None:
            return _barred(here, band, consents)
        if way in self._terms.to_many:
            return None
        return Judgement.VIOLATION, f"it goes to {way}: {self._whom()} is agreed"

    def _band_of(self, request: Request) -> str | None:
        plan = self._plan.get(request.channel or "")
        return band_of(request.freq_hz if plan is None or plan.hz is None else plan.hz)

    def _settle(self, call: Deadline, stage: Stage, now_ns: int) -> None:
        self._calls.begin(_settled(call, stage, now_ns))

    def _put(self, call: Deadline) -> Iterator[Finding]:
        pushed = self._calls.begin(call)
        if pushed is not None and pushed.count < Stage.LATE:
            words = "too many calls wait: nobody watches any more whether it is relayed"
            yield _finding(Judgement.UNKNOWN, pushed, words)

    def _asked(self) -> str:
        terms = self._terms
        why = "a relay is asked for"
        if terms.if_no_ack_s > 0:
            why = f"nobody has acknowledged it for {terms.if_no_ack_s:g} s"
        form = "" if terms.form is None else f', as "{terms.form}"'
        who = ", ".join(terms.who)
        return f"{why}: {who} relays it to {self._whom()} within {terms.within_s:g} s{form}"

    def _agreed(self) -> str:
        first_s = self._terms.if_no_ack_s
        return f"from {first_s:g} s to {first_s + self._terms.within_s:g} s after it is agreed"

    def _whom(self) -> str:
        return ", ".join((*self._terms.to, *self._terms.to_many))


def _barred(
    one: Forbidden, band: str | None, consents: frozenset[str] | None
) -> tuple[Judgement, str] | None:
    """Return what is wrong with a call to many that is not for this band."""
    if one.unless is None:
        return Judgement.VIOLATION, f"it goes to {one.to}, which is not for {band}"
    words = f"it goes to {one.to}, which on {band} needs {one.unless}"
    if consents is None:
        return Judgement.UNKNOWN, f"{words}: that is not heard on the air"
    return None if one.unless in consents else (Judgement.VIOLATION, words)


def _settled(call: Deadline, stage: Stage, now_ns: int) -> Deadline:
    return replace(call, count=int(stage), until_ns=now_ns + round(SETTLED_S * 1e9))


def _finding(
    judgement: Judgement, call: Deadline, words: str, until_ns: int | None = None
) -> Finding:
    return Finding(
        judgement=judgement,
        subject=call.subject,
        words=words,
        since_ns=call.since_ns,
        until_ns=until_ns,
        evidence=call.evidence,
    )


KIND = Relay
