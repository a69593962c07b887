"""The other party is told in time of what has happened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from gateway.model.agreement import ChannelName, EventWord, Parties, PartName, Seconds
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.rules.event import Event
from gateway.rules.ground import Ground
from gateway.rules.rule import Finding, Rule
from gateway.rules.telling import SHOWN, Order, Telling, TellingKept
from gateway.rules.when import Wait, When


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When this happens each of these parties is told so soon."""

    when: When
    to: Annotated[Parties, Meta(min_length=1)]
    within_s: Seconds
    via: ChannelName | None = None
    """Only what is told on this channel counts."""
    fields: tuple[PartName, ...] = ()
    """What they are told."""


class Notify(Rule):
    """Waits for each party to be told of it, and says what came too late, or lacked something.

    A signature of theirs shows it as well. A repeat of a call that they know of is no news for a
    day.
    """

    terms = Terms
    of_distress = True
    memory = TellingKept

    def __init__(self, terms: Terms, ground: Ground) -> None:
        self._terms = terms
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
        if event.verdict is not None and event.verdict.kind == _SELF:
            return  # of what was not told in time nobody is told: that would never end
        if self._wait.meets(event):
            yield from self._telling.begin(event)
        elif not SHOWN.isdisjoint(event.words):
            yield from self._telling.shown(event)

    def tick(self, now: Moment) -> Iterator[Finding]:
        """Say who has not been told in time."""
        return self._telling.over(now.mono_ns)

    def otherwise(self) -> str:
        """Return how soon each party knows."""
        terms = self._terms
        held = f", with {', '.join(terms.fields)}," if terms.fields else ""
        who = " and ".join(terms.to)
        return f"It is told to {who}{held} sooner than {terms.within_s:g} s after it."

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


_SELF = "notify"

KIND = Notify
