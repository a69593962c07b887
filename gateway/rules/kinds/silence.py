"""While distress is worked on a channel, everybody else is silent there."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from gateway.model.agreement import Channels, EventWord, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.text import Words
from gateway.model.verdict import Judgement
from gateway.model.words import Urgency
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Quiet, Rule

Spoken = Annotated[tuple[Words, ...], Meta(max_length=16, examples=[["SEELONCE MAYDAY"]])]


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """These words impose silence on these channels, restrict it, and lift it; nothing else does."""

    channels: Channels
    impose_by: Annotated[Spoken, Meta(min_length=1)]
    """From these on everybody else is silent."""
    restrict_by: Spoken = ()
    """After these, traffic that can't wait may be worked: urgency and safety."""
    lift_by: Annotated[Spoken, Meta(min_length=1)]
    """After these the channel is free again."""
    may_speak: tuple[PartName, ...] = ("distressed", "controlling", "assisting")
    """What a message or a request has to say of itself (`fields`) to be of the distress."""
    review_after_s: Seconds | None = None
    """So long after it was imposed the operator is asked whether it still holds. It goes on."""


_SPOKEN = {"SILENCE": "SEELONCE", "FINI": "FEENEE", "PRUDENCE": "PRUDONCE"}
"""French words of procedure, and how they are pronounced (Radio Regulations, Article 32)."""


class Phase(StrEnum):
    """How it stands on one channel."""

    SILENT = "silent"
    RESTRICTED = "restricted"


class Hush(Struct, frozen=True, kw_only=True, gc=False):
    """A channel on which silence was imposed."""

    channel: str
    phase: Phase
    since_ns: int
    evidence: str
    reviewed: bool = False


class Memory(Struct, frozen=True):
    """The channels that are silent."""

    silent: tuple[Hush, ...] = ()


class Silence(Rule):
    """Free, silent, restricted, free again: by the words that were spoken, and by no timer.

    Silence is imposed by words that stand anywhere in what was spoken. It is eased or lifted only
    by words with which it ended: who says that FEENEE was not said yet lifts nothing. Neither case
    nor what stands between words counts, and SILENCE FINI is what is pronounced SEELONCE FEENEE.
    Of words on a channel that nobody names, silence is imposed on all channels of the rule, and
    lifted on none: it is `unknown` which was meant.
    """

    terms = Terms
    memory = Memory
    adds = True

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        self._channels = tuple(sorted(ground.dial.named(terms.channels)))
        self._silent: dict[str, Hush] = {}

    def hears(self) -> frozenset[EventWord]:
        """Hear words of procedure, and every use of a channel."""
        return frozenset({EventWord.SPOKEN, EventWord.USE, EventWord.GUARD_CALL})

    def hear(self, event: Event) -> Iterator[Finding]:
        """Take words of procedure; say who speaks although it is silent."""
        spoken = "" if event.fact is None else event.fact.words
        if EventWord.SPOKEN in event.words:
            yield from self._spoken(event, spoken)
            return
        hush = self._silent.get(event.channel or "")
        if hush is None or self._is_of_distress(event):
            return
        if hush.phase is Phase.RESTRICTED and event.category is not Urgency.ROUTINE:
            return
        words = f"{event.channel} was used while it is {hush.phase.value}"
        yield self._finding(Judgement.VIOLATION, event.subject, words, hush)

    def gate(self, request: Request) -> Finding | None:
        """Deny what is not of the distress while it is silent; nobody knows when that ends."""
        hush = self._silent.get(request.channel or "")
        if request.channel not in self._channels:
            return None
        subject = request.request_id
        if hush is None:
            words = f"{request.channel} is free"
            return Finding(judgement=Judgement.OK, subject=subject, words=words)
        urgent = request.category is not Urgency.ROUTINE
        if not {*request.fields}.isdisjoint(self._terms.may_speak):
            return self._finding(Judgement.OK, subject, "it is of the distress", hush)
        if urgent and hush.phase is Phase.RESTRICTED:
            return self._finding(Judgement.OK, subject, "what can't wait may be worked", hush)
        words = f"{request.channel} is {hush.phase.value} until {self._terms.lift_by[0]} is said"
        return self._finding(Judgement.DENIED, subject, words, hush)

    def quiet(self, channel: str) -> Quiet | None:
        """Return how silence stands on a channel, and the first words of each kind."""
        if channel not in self._channels:
            return None
        hush, terms = self._silent.get(channel), self._terms
        return Quiet(
            channel=channel,
            phase=None if hush is None else hush.phase.value,
            impose_by=terms.impose_by[0],
            restrict_by=next(iter(terms.restrict_by), None),
            lift_by=terms.lift_by[0],
        )

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Ask the operator, once, whether a silence that is old still holds."""
        after_s = self._terms.review_after_s
        if after_s is None:
            return
        for hush in tuple(self._silent.values()):
            if not hush.reviewed and now.mono_ns - hush.since_ns >= round(after_s * 1e9):
                self._silent[hush.channel] = replace(hush, reviewed=True)
                words = f"{hush.channel} is silent for {after_s:.0f} s: does it still hold?"
                yield self._finding(Judgement.UNKNOWN, f"channel:{hush.channel}", words, hush)

    def flaws(self) -> Iterator[str]:
        """Find words that would both impose and lift: what is said to lift it goes first."""
        for words in (*self._terms.impose_by, *self._terms.restrict_by):
            if _ended(self._terms.lift_by, words):
                yield f"`{words}` both imposes and lifts it"

    def otherwise(self) -> str:
        """Return who may speak, and by which words silence ends."""
        terms = self._terms
        ends = " or ".join(f'"{words}"' for words in terms.lift_by)
        eased = " or ".join(f'"{words}"' for words in terms.restrict_by)
        also = f"; from {eased} on urgency and safety too" if eased else ""
        return (
            f"Nobody but {', '.join(terms.may_speak)} transmits on {', '.join(terms.channels)} from"
            f" the words that impose silence until {ends} is spoken there{also}."
        )

    def keep(self) -> Memory:
        """Return the channels that are silent."""
        return Memory(tuple(self._silent.values()))

    def restore(self, kept: Struct) -> None:
        """Go on with the silence, beside what was imposed since: a restart lifts nothing."""
        if isinstance(kept, Memory):
            self._silent = {hush.channel: hush for hush in kept.silent} | self._silent

    def _spoken(self, event: Event, spoken: str) -> Iterator[Finding]:
        lifts = _ended(self._terms.lift_by, spoken)
        restricts = _ended(self._terms.restrict_by, spoken)
        imposes = _said(self._terms.impose_by, spoken)
        named = event.channel in self._channels
        if event.channel is not None and not named:
            return
        channels = (event.channel,) if event.channel is not None else self._channels
        if lifts and event.channel is None:
            words = "it was said that silence ends, and nobody says on which channel: it goes on"
            yield Finding(judgement=Judgement.UNKNOWN, subject="channel:unknown", words=words)
        elif lifts or restricts or imposes:
            phase = None if lifts else Phase.RESTRICTED if restricts else Phase.SILENT
            for channel in channels:
                yield from self._turned(channel, phase, event)

    def _turned(self, channel: str, phase: Phase | None, event: Event) -> Iterator[Finding]:
        before = self._silent.pop(channel, None)
        subject = f"channel:{channel}"
        if phase is None:
            if before is not None:
                yield self._finding(Judgement.OK, subject, f"{channel} is free again", before)
            return
        since_ns = event.at.mono_ns if before is None else before.since_ns
        evidence = event.event_id if before is None else before.evidence
        hush = Hush(channel=channel, phase=phase, since_ns=since_ns, evidence=evidence)
        self._silent[channel] = hush
        if before is None or before.phase is not phase:
            yield self._finding(Judgement.OK, subject, f"{channel} is {phase.value}", hush)

    def _is_of_distress(self, event: Event) -> bool:
        said = () if event.fact is None else event.fact.fields
        return event.category is Urgency.DISTRESS or not {*said}.isdisjoint(self._terms.may_speak)

    def _finding(self, judgement: Judgement, subject: str, words: str, hush: Hush) -> Finding:
        return Finding(
            judgement=judgement,
            subject=subject,
            words=words,
            since_ns=hush.since_ns,
            evidence=(hush.evidence,),
        )


def _said(any_of: Spoken, spoken: str) -> bool:
    """Say whether some of these words were spoken."""
    return any(_plain(words) in _plain(spoken) for words in any_of)


def _ended(any_of: Spoken, spoken: str) -> bool:
    """Say whether what was spoken ended with some of these words."""
    return any(_plain(spoken).endswith(_plain(words)) for words in any_of)


def _plain(words: str) -> str:
    """Return the words in one spelling, each between two blanks."""
    heard = "".join(one if one.isalnum() else " " for one in words.upper()).split()
    return f" {' '.join(_SPOKEN.get(one, one) for one in heard)} "


KIND = Silence
