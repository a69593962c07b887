"""`agreement`: what is agreed, in words for people, what makes no sense in it, and who signed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from functools import partial
from textwrap import wrap
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from gateway.model.agreement import Agreement, Channel, Clause, Party, State, Zone
from gateway.model.signature import Checked
from gateway.rules import kind_named
from gateway.rules.engine import Engine
from gateway.rules.signing import key_id, keys_of, unsigned
from gateway.settings.agreement import agreement_named, agreement_names
from gateway.settings.parties import party_asked
from gateway.verbs.flaws import flaws_in, gaps_in
from gateway.verbs.signing import keygen, opened, party_lines, sign, signed_words, verify
from gateway.verbs.telling import printable
from gateway.verbs.timeline import graph

_Part = TypeVar("_Part")

_WIDTH = 100
_IN = "    "

_BASIS = {
    "confirmed": "read in its text",
    "secondary": "told by who has read it",
    "reported": "told by the press",
    "sister": "from an agreement of this form",
    "design": "chosen here",
    "unconfirmed": "recalled, found nowhere",
}
"""How firm a figure is, in words."""


def main(args: argparse.Namespace) -> int:
    """Do what is asked; what is wrong in a file is raised, all of it at once."""
    return _ACTIONS[args.action](args)


def _list(_args: argparse.Namespace) -> int:
    for one in map(agreement_named, agreement_names()):
        sys.stdout.write(f"{one.id:<22}{one.version:<9}{one.title}\n")
    return 0


def _show(args: argparse.Namespace) -> int:
    for one in [opened(name) for name in args.name]:
        agreement = party_asked(one.agreement, args.party)
        lines = [*shown(agreement), *_signatures(one.checked())]
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _check(args: argparse.Namespace) -> int:
    doubtful = 0
    for one in [opened(name) for name in args.name]:
        agreement, found = party_asked(one.agreement, args.party), one.checked()
        flaws = [*_flaws(agreement), *_unsigned(agreement, found)]
        doubtful += bool(flaws)
        gaps = [(gap.where, gap.words) for gap in gaps_in(in_force(agreement))]
        found_words = _counted(flaws, "flaw") if flaws else "good"
        words = f"{_counted(agreement.rules, 'rule')}, {found_words}"
        words += f", {_counted(gaps, 'gap')} in who listens" if gaps else ""
        signed = f"; {by}" if (by := signed_words(found)) else ""
        side = f", as party {agreement.own}" if agreement.own else ""
        sys.stdout.write(f"{agreement.id} {agreement.version}{side}: {words}{signed}\n")
        sys.stdout.write("".join(f"{_IN}{where}: {flaw}\n" for where, flaw in [*flaws, *gaps]))
    return 1 if doubtful else 0


def _counted(found: Sized, what: str) -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "check": _check,
    "graph": graph,
    "keygen": keygen,
    "sign": sign,
    "verify": verify,
}


def _flaws(agreement: Agreement) -> Iterator[tuple[str, str]]:
    """Yield what makes no sense as it is written, and why; it loads all the same."""
    yield from ((flaw.where, flaw.words) for flaw in flaws_in(in_force(agreement)))


def awake(agreement: Agreement) -> Engine:
    """Return its rules at work, those too that rest now: they may be in force tomorrow."""
    kinds = {clause.kind: kind_named(clause.kind) for clause in agreement.rules}
    return Engine(in_force(agreement), kinds)


def in_force(agreement: Agreement) -> Agreement:
    """Return it as it would be in force."""
    status = msgspec.structs.replace(agreement.status, state=State.IN_FORCE)
    return msgspec.structs.replace(agreement, status=status)


def _unsigned(agreement: Agreement, found: tuple[Checked, ...]) -> Iterator[tuple[str, str]]:
    """Yield that it says of itself to hold, where not all have signed it."""
    state, missing = agreement.status.state, unsigned(found)
    if missing and state is not State.PROPOSED:
        wanting = tuple(one for one in found if one.party in missing)
        why = "; ".join(" ".join(line.split()) for line in party_lines(wanting))
        yield "status", f"it says that it is {_words(state)}, and is no more than proposed: {why}"


def _signatures(found: tuple[Checked, ...]) -> Iterator[str]:
    if found:
        yield from ("", "Signatures", *party_lines(found))


def shown(agreement: Agreement) -> Iterator[str]:
    """Yield an agreement in words, line by line."""
    status = agreement.status
    since = f" since {status.since:%Y-%m-%d %H:%M}Z" if status.since else ""
    if status.state is State.IN_FORCE and not keys_of(agreement):
        since += "; nobody signs it, for no party has a public_key"
    yield printable(agreement.title)
    yield f"{agreement.id}, version {printable(agreement.version)}, {_words(status.state)}{since}"
    yield f"digest {agreement.digest}"
    yield from wrapped(agreement.note)
    for text in agreement.basis:
        yield from wrapped(f"rests on {text}")
    yield from _section("Parties", agreement.parties, partial(_party, agreement))
    yield from _section("Channels", agreement.channels, _channel)
    groups = {name: ", ".join(channels) for name, channels in agreement.groups.items()}
    yield from _section("Groups of channels", groups, str)
    yield from _section("Zones", agreement.zones, _zone)
    yield from ("", "Rules")
    for clause in agreement.rules:
        yield ""
        yield from clause_lines(clause, kept=clause.id in status.on_suspend_keep)


def _section(
    title: str, parts: Mapping[str, _Part], words: Callable[[_Part], str]
) -> Iterator[str]:
    if not parts:
        return
    yield from ("", title)
    width = max(map(len, parts))
    for name, part in parts.items():
        yield f"{_IN}{name.ljust(width)}  {words(part)}"


def _party(agreement: Agreement, party: Party) -> str:
    words = [printable(party.name)]
    if agreement.own is not None and party is agreement.parties[agreement.own]:
        words.append("this station")
    if party.roles:
        words.append(_listed(party.roles))
    known = [f"{name} {_value(value)}" for name, value in _given(party.match)]
    if known:
        words.append("known by " + ", ".join(known))
    if party.public_key is not None:
        words.append(f"signs with key {key_id(party.public_key)}")
    if party.binds:
        words.append(f"answers for {_listed(party.binds)}")
    return "; ".join(words)


def _channel(channel: Channel) -> str:
    words = []
    if channel.hz is not None:
        words.append(_hertz(channel.hz))
    if channel.band_hz is not None:
        words.append(" to ".join(map(_hertz, channel.band_hz)))
    if channel.endpoint is not None:
        words.append(f"line {printable(channel.endpoint)}")
    if channel.mode is not None:
        words.append(channel.mode)
    if channel.purpose:
        words.append(f"for {_listed(channel.purpose)}")
    if channel.traffic is not None:
        words.append(f"then {channel.traffic}")
    if channel.receive_only:
        words.append("nobody transmits")
    words += [f"watched by {printable(one)}" for one in (channel.watched_by,) if one is not None]
    return ", ".join(words)


def _zone(zone: Zone) -> str:
    if zone.centre is not None:
        words = f"{zone.radius_m or 0:g} m around {zone.centre[0]:g}, {zone.centre[1]:g}"
    else:
        form = "polygon" if zone.width_m is None else f"corridor of {zone.width_m:g} m"
        corners = " ".join(f"{lat:g},{lon:g}" for lat, lon in zone.points)
        words = f"{form} {corners}"
    for name, height_m in (("above", zone.floor_m), ("below", zone.ceiling_m)):
        words += "" if height_m is None else f", {name} {height_m:g} m"
    return words


def clause_lines(clause: Clause, *, kept: bool = False) -> Iterator[str]:
    """Yield one rule as it is written: its words, what it asks, its source and how firm that is."""
    mark = ", also while suspended" if kept else ""
    yield f"{clause.id}  {_words(clause.kind)}{mark}"
    yield from wrapped(clause.words)
    for name, value in _given(clause.terms):
        yield from wrapped(f"{_words(name)}: {_value(value)}")
    yield from wrapped(f"[{_BASIS[clause.basis.value]}] {clause.source}")


def _given(struct: Struct) -> Iterator[tuple[str, object]]:
    """Yield what is said in a struct, without what is left at its default."""
    for field in fields(struct):
        value = getattr(struct, field.name)
        if value is not None and value not in ((), {}, field.default):
            yield field.name, value


def _value(value: object) -> str:
    match value:
        case Struct():
            return ", ".join(f"{_words(name)} {_value(one)}" for name, one in _given(value))
        case dict():
            return "; ".join(f"{key}: {_value(one)}" for key, one in value.items())
        case tuple() | list():
            return _listed(value)
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return printable(str(value))


def _listed(values: Iterable[object]) -> str:
    return ", ".join(_value(value) for value in values)


def _hertz(hz: int) -> str:
    return f"{hz / 1e6:g} MHz" if hz >= 1e6 * 30 else f"{hz / 1e3:g} kHz"


def _words(name: str) -> str:
    return name.replace("_", " ")


def wrapped(text: str) -> list[str]:
    """Return text in lines of a page's width, set in; nothing for no text."""
    return wrap(
        printable(text), _WIDTH, initial_indent=_IN, subsequent_indent=_IN, break_long_words=False
    )
