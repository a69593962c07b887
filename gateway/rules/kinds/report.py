"""What has happened is reported in writing to those who look at it afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import ChannelName, EventWord, Parties, PartName, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.text import Words
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.telling import SHOWN, Order, Telling, TellingKept
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of each of these a report goes to these parties so soon."""

    when: When
    to: Annotated[Parties, Meta(min_length=1)]
    within_s: Seconds
    via: ChannelName | None = None
    """Only a report on this channel, or line, counts."""
    fields: tuple[PartName, ...] = ()
    """What it holds."""
    form: Words | None = None
    """The form that it is written in: it is named to whoever writes it."""


class Report(Rule):
    """Waits for the report to each party, and says which came too late, or lacked something.

    It is `notify` with more time: hours and days, over restarts of the station. Another violation
    of a subject of which a report is due already is part of that report.
    """

    terms = Terms
    of_distress = True
    memory = TellingKept

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._wait = Wait(terms.when, ground)
        via = None if terms.via is None else ground.dial.named((terms.via,))
        self._telling = Telling(
            Order(
                to=ground.rolls.named(terms.to),
                within_s=terms.within_s,
                via=via,
                fields=terms.fields,
            )
        )

    def hears(self) -> frozenset[EventWord]:
        """Hear what is to be told, and that it was."""
        return self._wait.words | SHOWN

    def hear(self, event: Event) -> Iterator[Finding]:
        """Owe it to each party, or say that one was told."""
        if self._wait.meets(event):
            yield from self._telling.begin(event)
        elif not SHOWN.isdisjoint(event.words):
            yield from self._telling.shown(event)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say who has not been told in time."""
        return self._telling.over(now.mono_ns)

    def keep(self) -> TellingKept:
        """Return what is owed."""
        return self._telling.keep()

    def restore(self, kept: Struct) -> None:
        """Take it up."""
        if isinstance(kept, TellingKept):
            self._telling.restore(kept)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much is owed."""
        return self._telling.bounds()


KIND = Report
