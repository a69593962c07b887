"""What a rule waits for, and only that."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.model.agreement import EventWord, Parties, PartName, RuleName, ZoneName
from gateway.model.asked import Request
from gateway.model.words import Mode
from gateway.rules.channels import band_of
from gateway.rules.event import Event
from gateway.rules.ground import Ground


class When(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One or several kinds of events, narrowed down by what else has to be true of them."""

    type: Annotated[tuple[EventWord, ...], Meta(min_length=1, examples=[["distress_alert"]])]
    """Any one of these."""
    system: tuple[PartName, ...] = ()
    """Radio systems as reports name them; none for any."""
    band: tuple[Literal["lf", "mf", "hf", "vhf", "uhf"], ...] = ()
    """The band that it was heard on; none for any."""
    between: Parties = ()
    """From one of these to another of them."""
    to: Parties = ()
    """Addressed to one of these."""
    of: Parties = ()
    """About a craft of one of these."""
    test: bool = False
    """Whether it is about tests and exercises, instead of what is real."""
    zone: ZoneName | None = None
    """In this zone; what states no place may be anywhere, and counts."""
    protocol: tuple[PartName, ...] = ()
    """Ways of coding of a 406 MHz beacon (C/S T.001)."""
    generation: Literal[1, 2] | None = None
    """Of a 406 MHz beacon."""
    field: PartName | None = None
    """Something that a person says of it: `interception`."""
    rules: tuple[RuleName, ...] = ()
    """Of a violation: of which rules."""


class Wait:
    """The same, made ready to be asked."""

    def __init__(self, when: When, ground: Ground) -> None:
        self.when = when
        self.words = frozenset(when.type)
        self._ground = ground
        self._between = ground.rolls.named(when.between)
        self._to = ground.rolls.named(when.to)
        self._of = ground.rolls.named(when.of)

    def meets(self, event: Event) -> bool:
        """Say whether this is what the rule waits for."""
        when = self.when
        if self.words.isdisjoint(event.words) or event.test != when.test:
            return False
        return (
            (not when.system or event.system in when.system)
            and (not when.band or event.band in when.band)
            and (not when.between or self._is_between(event))
            and (not when.to or not self._to.isdisjoint(event.to))
            and (not when.of or not self._of.isdisjoint(event.of))
            and self._is_as_told(event)
        )

    def asks(self, request: Request) -> bool:
        """Say whether the rule is about this that would be sent; what it does not state counts.

        Whose craft it is about, and where that is, no request states. None is a beacon, and none
        breaks a rule before it is sent.
        """
        when = self.when
        if request.purpose not in self.words or (request.marked is not Mode.REAL) != when.test:
            return False
        if when.rules or when.protocol or when.generation is not None:
            return False
        return (
            (not when.field or when.field in request.fields)
            and (not when.to or not self._to.isdisjoint(request.to))
            and (not when.between or self._is_asked_between(request))
            and self._is_asked_on(request)
        )

    def _is_asked_between(self, request: Request) -> bool:
        rolls = self._ground.rolls
        by = rolls.own if request.by is None else rolls.named((request.by,))
        return self._joins(by, request.to)

    def _is_asked_on(self, request: Request) -> bool:
        when, dial = self.when, self._ground.dial
        channel = self._ground.agreement.channels.get(dial.of(request) or "")
        system, freq_hz = request.mode, request.freq_hz
        if channel is not None:
            system, freq_hz = system or channel.mode, freq_hz or channel.hz
        band = band_of(freq_hz)
        return (not when.system or system is None or system in when.system) and (
            not when.band or band is None or band in when.band
        )

    def _is_between(self, event: Event) -> bool:
        return self._joins(event.by, event.to)

    def _joins(self, by: Collection[str], to: Collection[str]) -> bool:
        ends = self._between
        return any(one in ends and other in ends and one != other for one in by for other in to)

    def _is_as_told(self, event: Event) -> bool:
        when = self.when
        if when.rules and (event.verdict is None or event.verdict.rule not in when.rules):
            return False
        if when.field and (event.fact is None or when.field not in event.fact.fields):
            return False
        if when.zone and event.place is not None:
            inside = self._ground.zone(when.zone).holds(event.place)
            if inside is False:
                return False
        return self._is_as_coded(event)

    def _is_as_coded(self, event: Event) -> bool:
        when, report = self.when, event.report
        detail = None if report is None else report.detail
        if when.protocol and getattr(detail, "protocol", None) not in when.protocol:
            return False
        return when.generation is None or getattr(detail, "generation", None) == when.generation
