"""What every kind of rule can do. One rule is one clause of one agreement at work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import getdoc
from typing import ClassVar, Protocol

from msgspec import Struct

from gateway.model.agreement import EventWord
from gateway.model.asked import Request
from gateway.model.bounds import Bound
from gateway.model.inbound import Moment
from gateway.model.verdict import Judgement
from gateway.rules.event import Event
from gateway.rules.ground import Ground


class Finding(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule has found; the engine adds which rule of which agreement it was, and when."""

    judgement: Judgement
    subject: str
    words: str
    """The reason as a sentence for a person: what was done, what is agreed, with both figures."""
    since_ns: int | None = None
    """Since when it is so, monotonic."""
    until_ns: int | None = None
    """Of `deferred` not before, of what is awaited not after; monotonic."""
    evidence: tuple[str, ...] = ()
    """The `event_id`s that it rests on; the event that was just heard is added by itself."""


class Nothing(Struct, frozen=True):
    """The memory of a rule that has none."""


class Quiet(Struct, frozen=True, kw_only=True):
    """How silence stands on a channel, and by which words it comes and goes."""

    channel: str
    """As the agreement calls it."""
    phase: str | None
    """`silent` or `restricted`; None while it is free."""
    impose_by: str
    restrict_by: str | None
    lift_by: str
    clause: str = ""
    """`agreement/rule`: the engine adds it."""


class Rule(Protocol):
    """A clause at work. A kind overrides what it needs; what it leaves out finds nothing.

    It is asked by one engine, in one order, and has no clock: the same events and ticks give the
    same findings. A finding is given when something is decided, or changes; never for each tick.
    """

    terms: ClassVar[type[Struct]]
    """What the clause may ask, key by key."""
    of_distress: ClassVar[bool] = False
    """Whether it orders how distress is worked: then distress traffic is not exempt from it.
    A call of a station that is itself in distress is exempt from every rule, whatever it says."""
    overrides: ClassVar[bool] = False
    """Whether it exempts from other rules what it finds `exempt`."""
    adds: ClassVar[bool] = False
    """Whether `restore` adds to what it has found since, so that it may come at any time."""
    memory: ClassVar[type[Struct]] = Nothing
    """What has to survive a restart. Monotonic times in it have names that end in `_ns`."""

    def __init__(self, terms: Struct, ground: Ground) -> None: ...

    def hears(self) -> frozenset[EventWord]:
        """Return the words of the events that this rule wants to hear."""
        return frozenset()

    def hear(self, event: Event) -> Iterable[Finding]:
        """Return what is found now that this has happened."""
        del event
        return ()

    def gate(self, request: Request) -> Finding | None:
        """Return what is found of a transmission asked for; None when the rule is not about it."""
        del request
        return None

    def hides(self, names: frozenset[str]) -> bool:
        """Say whether nobody but an authority may learn of the craft with one of these names.

        Args:
            names: Without their kinds: the digits of an MMSI, a beacon, an address.
        """
        del names
        return False

    def quiet(self, channel: str) -> Quiet | None:
        """Return how silence stands on a channel; None where this rule has no word for it."""
        del channel
        return None

    def tick(self, now: Moment) -> Iterable[Finding]:
        """Return what is found now that time has passed; asked about once a second."""
        del now
        return ()

    def flaws(self) -> Iterable[str]:
        """Return what makes no sense in the clause as it is written, a sentence each."""
        return ()

    def otherwise(self) -> str:
        """Return what is as agreed, in sentences with the figures of the clause.

        Whoever asks why a verdict is what it is reads here what would have changed it.
        """
        sentence, *_ = (getdoc(self.terms) or "").split("\n\n")
        return " ".join(sentence.split())

    def keep(self) -> Struct:
        """Return what has to survive a restart."""
        return Nothing()

    def restore(self, kept: Struct) -> None:
        """Take up what was kept; its monotonic times are of this run already."""
        del kept

    def bounds(self) -> Iterator[Bound]:
        """Yield each place in which something waits or is remembered."""
        yield from ()
