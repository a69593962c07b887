"""One file (or folder) per radio system. Nothing here imports anything else here.

A radio system never fails on what it hears: what it can't read becomes `Unread`. It remembers only
what one port's later frames may complete, within a bound that its file names. One whose class says
`receive_only = True` may stand in no profile that can key a transmitter. One that says
`hands_on = True` has no words of its own: what it reads is told as the system that was on the air.
One that can be transmitted has a `COMPOSER` beside its `RADIO`; that one makes bytes, and never
reaches a port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol

from msgspec import Struct

from gateway.model.bounds import Bound
from gateway.model.inbound import Draft, Frame, Moment, Reading, Unread
from gateway.model.transmission import CannotSay, Saying
from gateway.model.words import URGENCIES, Urgency


class Radio(Protocol):
    """What every radio system can do. One radio belongs to one port."""

    name: str
    """The system, as reports say it; also the name of its file."""

    def bounds(self) -> Iterator[Bound]:
        """Yield each place where something waits or is remembered, with its bound."""

    def read(self, frame: Frame) -> tuple[Reading | Unread, ...] | None:
        """Return what this whole frame completes: nothing yet is (), not my language is None."""

    def report(self, reading: Reading) -> Draft:
        """Return what the reading means to everybody."""

    def expire(self, now: Moment) -> tuple[Reading | Unread, ...]:
        """Return what will never be completed, now that time has passed."""

    def distress_like(self, frame: Frame) -> bool:
        """Say whether this broken frame, had it been whole, might have been a call for help."""


TO_MODEM = "modem"
"""The action that is for a modem itself, whatever it transmits."""


def _no_dialect(dialect: str | None) -> str | None:
    return None if dialect is None else "there is none that this radio system could have"


class Composer(Struct, frozen=True, kw_only=True):
    """How a radio system puts into bytes what somebody orders to be transmitted."""

    says: tuple[str, ...]
    """The actions it has words for, by their `type`; a word of one may still not fit."""
    framings: tuple[str, ...]
    """What its bodies may be wrapped by."""
    compose: Callable[[Saying], tuple[bytes, ...]]
    """Return the bodies, in order, for the framing to wrap; raise CannotSay. The same saying is the
    same bytes."""
    dialect_fault: Callable[[str | None], str | None] = _no_dialect
    """Return what is wrong with the `dialect` of a profile, as a sentence without its end."""
    carries: tuple[str, ...] = ()
    """The radio systems one of which its modems transmit: `dialect` names it."""


def radio_names() -> tuple[str, ...]:
    """Return the names of all radio systems, in order."""
    names = (module.name for module in iter_modules(__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def system_names() -> tuple[str, ...]:
    """Return the names of radio systems as reports say them, in order."""
    return tuple(name for name in radio_names() if not getattr(radio_named(name), "hands_on", 0))


def receives_only(name: str) -> bool:
    """Say whether this radio system is one that nobody but a craft in distress may transmit."""
    return bool(getattr(radio_named(name), "receive_only", False))


def radio_named(name: str) -> type[Radio]:
    """Return the radio system kept in the file of that name."""
    found: type[Radio] = import_module(f"{__name__}.{name}").RADIO
    return found


def composer_named(name: str) -> Composer | None:
    """Return how this radio system is transmitted; None where it never is."""
    found: Composer | None = getattr(import_module(f"{__name__}.{name}"), "COMPOSER", None)
    return found


def composers_for(names: Iterable[str], framing: str) -> tuple[Composer, ...]:
    """Return how those of these radio systems are transmitted that this framing can carry."""
    known = set(radio_names())
    found = (composer_named(name) for name in names if name in known)
    return tuple(one for one in found if one is not None and framing in one.framings)


def words_for(names: Iterable[str], framing: str, dialect: str | None = None) -> tuple[str, ...]:
    """Return which actions there are words for in these radio systems, by this framing."""
    found = (word for one in composers_for(names, framing) for word in _says(one, dialect))
    return tuple(dict.fromkeys(found))


def _says(composer: Composer, dialect: str | None) -> tuple[str, ...]:
    carried = None if dialect not in composer.carries else composer_named(dialect)
    if carried is None:
        return composer.says
    return tuple(word for word in composer.says if word in carried.says or word == TO_MODEM)


def check_words(ordered: Urgency, heard: Urgency | None) -> None:
    """Refuse words that are heard as graver than they were ordered, and were judged as.

    Raises:
        CannotSay: they are.
    """
    if heard is not None and URGENCIES.index(heard) < URGENCIES.index(ordered):
        what = f"whoever hears these words takes them for {heard.value}, not {ordered.value}"
        why = f"{what}: order them as what they are, or choose others"
        raise CannotSay(why)
