"""Nothing is sent in a band but what it is there for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.agreement import Channel, EventWord, PartName, Seconds
from gateway.model.asked import Request
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.emissions import SPEECH, is_voice, mode_of
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.purposes import purposes_of, purposes_of_request
from gateway.rules.rule import Finding, Rule


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From the lower to the upper of these, both of them in it, this station sends nothing."""

    band_hz: Annotated[tuple[int, int], Meta(examples=[[406_000_000, 406_100_000]])]
    """The lower edge and the upper one."""
    margin_hz: Annotated[int, Meta(ge=0, le=1_000_000_000, examples=[25_000])] = 0
    """So near to its edges is in it, too: what is sent has a width."""
    exempt: tuple[PartName, ...] = ()
    """Purposes that are free of the rule."""
    action: Literal["deny", "flag"] = "deny"
    """Whether what is asked for is denied, or let pass and told to be at risk."""
    carrier_s: Seconds | None = None
    """A channel of the band is taken for so long at the most, as receivers tell; the burst of a
    beacon takes half a second. None: nobody minds."""


class Carrier(Struct, frozen=True, kw_only=True, gc=False):
    """A channel of the band that is taken."""

    channel: str
    since_ns: int
    evidence: str
    told: bool = False


class Memory(Struct, frozen=True):
    """The channels of the band that are taken."""

    carriers: tuple[Carrier, ...] = ()


class ProtectedBand(Rule):
    """Compares the frequency of what is asked for, and of what is heard, with the band.

    What is heard in the mode of a channel that the agreement has in the band is what the band is
    for; anything else there is a `violation`. It is `unknown` where a frequency is missing, or a
    channel lies across an edge of the band.
    """

    terms = Terms
    memory = Memory

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
        low_hz, high_hz = terms.band_hz
        self._low_hz, self._high_hz = low_hz - terms.margin_hz, high_hz + terms.margin_hz
        self._plan = ground.agreement.channels
        self._within = {
            name: self._is_within(span)
            for name, channel in self._plan.items()
            if (span := _span_of(channel)) is not None
        }
        self._modes = frozenset(
            channel.mode
            for name, channel in self._plan.items()
            if channel.mode is not None and self._within.get(name, False) is not False
        )
        self._by_voice = any(is_voice(mode) for mode in self._modes)
        self._limit_ns = None if terms.carrier_s is None else round(terms.carrier_s * 1e9)
        self._carriers: dict[str, Carrier] = {}

    def hears(self) -> frozenset[EventWord]:
        """Hear every use of a channel, and which channels are taken."""
        return SPEECH | {EventWord.USE, EventWord.BUSY, EventWord.IDLE}

    def hear(self, event: Event) -> Iterator[Finding]:
        """Say what was sent in the band that it is not for."""
        if EventWord.BUSY in event.words:
            self._taken(event)
            return
        if EventWord.IDLE in event.words:
            yield from self._freed(event)
            return
        freq_hz = None if event.report is None else event.report.heard.freq_hz
        within = self._is_in(freq_hz, None if freq_hz else event.channel)
        if within is False or self._is_free(event):
            return
        if within is not None:
            words = f"{self._band()}, and {mode_of(event) or 'something'} was sent there"
            yield Finding(judgement=Judgement.VIOLATION, subject=event.subject, words=words)
        elif event.channel in self._within:
            words = f"{event.channel} lies across an edge of it: nobody knows on which side it was"
            words = f"{self._band()}, and {words}"
            yield Finding(judgement=Judgement.UNKNOWN, subject=event.subject, words=words)

    def gate(self, request: Request) -> Finding | None:
        """Deny what would be sent in the band."""
        channel = self._plan.get(request.channel or "")
        no_radio = channel is not None and channel.endpoint is not None
        within = self._is_in(request.freq_hz, request.channel)
        exempt = not purposes_of_request(request).isdisjoint(self._terms.exempt)
        if within is False or no_radio or exempt:
            return None
        subject = request.request_id
        if within is None:
            words = f"{self._band()}, and nobody says on which frequency this would be sent"
            return Finding(judgement=Judgement.UNKNOWN, subject=subject, words=words)
        judgement = Judgement.DENIED if self._terms.action == "deny" else Judgement.AT_RISK
        words = f"{self._band()}, and this would be sent there"
        return Finding(judgement=judgement, subject=subject, words=words)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say of each channel that has been taken for too long."""
        for carrier in tuple(self._carriers.values()):
            if not carrier.told and self._is_too_long(carrier, now.mono_ns):
                yield self._stands(carrier, now.mono_ns)

    def flaws(self) -> Iterator[str]:
        """Find a band that is none, and carriers that nobody could tell of."""
        if self._low_hz > self._high_hz:
            yield "`band_hz` ends before it begins"
        elif self._limit_ns is not None and True not in self._within.values():
            yield "no channel lies in the band, so nobody tells of a carrier there"

    def keep(self) -> Memory:
        """Return the channels that are taken."""
        return Memory(tuple(self._carriers.values()))

    def restore(self, kept: Struct) -> None:
        """Take them up."""
        if isinstance(kept, Memory):
            self._carriers = {
                one.channel: one for one in kept.carriers if one.channel in self._within
            }

    def _is_within(self, span: tuple[int, int]) -> bool | None:
        """Say whether frequencies are in the band; None for some of them."""
        if span[1] < self._low_hz or span[0] > self._high_hz:
            return False
        return True if self._low_hz <= span[0] and span[1] <= self._high_hz else None

    def _is_in(self, freq_hz: int | None, channel: str | None) -> bool | None:
        """Say whether it is in the band, by its frequency or its channel; None: who knows."""
        by_channel = self._within.get(channel or "")
        if freq_hz is None or by_channel is True:
            return by_channel
        return self._is_within((freq_hz, freq_hz))

    def _is_free(self, event: Event) -> bool:
        mode = mode_of(event)
        return (
            mode in self._modes
            or (mode is not None and is_voice(mode) and self._by_voice)
            or not purposes_of(event).isdisjoint(self._terms.exempt)
        )

    def _taken(self, event: Event) -> None:
        channel = event.channel or ""
        if self._limit_ns is not None and self._within.get(channel):
            carrier = Carrier(channel=channel, since_ns=event.at.mono_ns, evidence=event.event_id)
            self._carriers.setdefault(channel, carrier)

    def _freed(self, event: Event) -> Iterator[Finding]:
        carrier = self._carriers.get(event.channel or "")
        if carrier is None:
            return
        now_ns = event.at.mono_ns
        if not carrier.told and self._is_too_long(carrier, now_ns):
            yield self._stands(carrier, now_ns)
        told = self._carriers.pop(carrier.channel).told
        if told:
            lasted_s = (now_ns - carrier.since_ns) / 1e9
            words = f"{carrier.channel} is free again after {lasted_s:.1f} s"
            yield self._finding(Judgement.OK, carrier, words)

    def _is_too_long(self, carrier: Carrier, now_ns: int) -> bool:
        return self._limit_ns is not None and now_ns - carrier.since_ns >= self._limit_ns

    def _stands(self, carrier: Carrier, now_ns: int) -> Finding:
        self._carriers[carrier.channel] = Carrier(
            channel=carrier.channel,
            since_ns=carrier.since_ns,
            evidence=carrier.evidence,
            told=True,
        )
        lasts_s = (now_ns - carrier.since_ns) / 1e9
        words = f"{self._band()}, and {carrier.channel} has been taken for {lasts_s:.1f} s"
        words = f"{words}: less than {self._terms.carrier_s:g} s is agreed"
        return self._finding(Judgement.VIOLATION, carrier, words)

    def _finding(self, judgement: Judgement, carrier: Carrier, words: str) -> Finding:
        return Finding(
            judgement=judgement,
            subject=f"channel:{carrier.channel}",
            words=words,
            since_ns=carrier.since_ns,
            evidence=(carrier.evidence,),
        )

    def _band(self) -> str:
        low_hz, high_hz = self._terms.band_hz
        return f"{low_hz / 1e6:g} to {high_hz / 1e6:g} MHz is kept free"


def _span_of(channel: Channel) -> tuple[int, int] | None:
    """Return the frequencies of a channel; None of a line that is no radio."""
    if channel.band_hz is not None:
        return channel.band_hz
    return None if channel.hz is None else (channel.hz, channel.hz)


KIND = ProtectedBand
