"""The agreements that bind a station, as [station] names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from gateway.model.agreement import Agreement
from gateway.model.plan import LinkPlan
from gateway.rules.bench import RULES_MAX
from gateway.settings.agreement import agreement_names, agreement_path, read_agreement
from gateway.settings.faults import BadSettings
from gateway.settings.parties import as_party, check_lines, strangers
from gateway.settings.signatures import as_signed
from gateway.settings.tables import TomlFile

AT = ("station", "agreements")


class Binding(Struct, frozen=True):
    """What binds the station."""

    names: tuple[str, ...]
    """A shipped agreement bears its name, any other that of its file."""
    agreements: tuple[Agreement, ...]
    doubts: tuple[str, ...]
    """Why one of them is no more than proposed."""


def read_binding(
    file: TomlFile,
    names: Sequence[str],
    *,
    sides: Mapping[str, str],
    links: Sequence[LinkPlan] = (),
    absolute: Callable[[str], str],
    aside: Callable[[str, BadSettings], None],
) -> Binding:
    """Return the agreements of these names, each as the party that this station is in it.

    One that can't be read, or has no such party, is told to `aside`.
    """
    shown = [name if name in agreement_names() else absolute(name) for name in names]
    found: dict[str, Agreement] = {}
    doubts: list[str] = []
    for name in shown:
        try:
            path = agreement_path(name)
            read, doubt = as_signed(path, read_agreement(path))
            one = as_party(read, sides, file)
        except BadSettings as bad:
            aside(f"agreement {name}", bad)
            continue
        if one.id in found:
            what = f"{name} is agreement {one.id}, which stands there already"
            file.fault(AT, what, "name each once")
        found[one.id] = one
        if doubt is not None:
            doubts.append(f"{one.id} {one.version} is kept proposed: {doubt}")
    astray = () if len(found) < len(shown) else strangers(file, sides, found)
    if astray:
        aside("the parties", BadSettings(astray))
    unknown = check_lines(file, links, found)
    if unknown and len(found) == len(shown):
        aside("the links to parties", BadSettings(unknown))
    if sum(len(one.rules) for one in found.values()) > RULES_MAX:
        what = f"have more than {RULES_MAX} rules together"
        file.fault(AT, what, "bind this station to fewer")
    return Binding(tuple(shown), tuple(found.values()), tuple(doubts))
