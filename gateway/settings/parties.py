"""Which party of an agreement a station is.

It stands in the station's own file and in no agreement: all parties sign one text, and each of them
has a station.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated

from msgspec import Meta, ValidationError, convert
from msgspec.structs import replace

from gateway.model.agreement import Agreement, AgreementName, PartyName
from gateway.model.plan import LinkPlan
from gateway.rules.bench import AGREEMENTS_MAX
from gateway.settings.agreement import agreement_named
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.places import default_config
from gateway.settings.tables import TomlFile, read_file
from gateway.settings.wanted import wanted

Sides = Annotated[
    dict[AgreementName, PartyName],
    Meta(
        max_length=AGREEMENTS_MAX,
        description="for each agreement, by its id, the party that this station is",
        examples=[{"strait": "north"}],
    ),
]

AT = ("station", "party")


def as_party(agreement: Agreement, sides: Mapping[str, str], file: TomlFile) -> Agreement:
    """Return the agreement as the party that this file says the station is; as nobody's if none.

    Raises:
        BadSettings: the agreement has no such party.
    """
    party = sides.get(agreement.id)
    if party is None:
        return agreement
    if party in agreement.parties:
        return replace(agreement, own=party)
    raise BadSettings((file.faulty((*AT, agreement.id), *_stranger(agreement, party)),))


def strangers(
    file: TomlFile, sides: Mapping[str, str], agreements: Iterable[str]
) -> tuple[ConfigFault, ...]:
    """Return a fault for each agreement of which a party is named, and that binds nobody here."""
    known = tuple(agreements)
    return tuple(
        file.faulty((*AT, name), "is no agreement of this station", _instead(name, known))
        for name in sides
        if name not in known
    )


def check_lines(
    file: TomlFile, links: Iterable[LinkPlan], agreements: Mapping[str, Agreement]
) -> tuple[ConfigFault, ...]:
    """Return a fault for each link to a party that is none of the agreement it names."""
    found = []
    for link in links:
        at = ("link", link.name)
        if link.party is None or link.agreement is None:
            continue
        agreement = agreements.get(link.agreement)
        if agreement is None:
            what = "is no agreement of this station"
            fault = (*at, "agreement"), what, _instead(link.agreement, agreements)
        elif link.party not in agreement.parties:
            fault = (*at, "party"), *_stranger(agreement, link.party)
        elif link.party == agreement.own:
            fault = (*at, "party"), "is the station's own party", "name the one at the other end"
        else:
            continue
        found.append(file.faulty(*fault))
    return tuple(found)


def agreement_asked(name: str, party: str | None) -> Agreement:
    """Return the agreement of this name or file, as the party that is asked about.

    Raises:
        BadSettings: it can't be read, or `party_asked` has a fault.
    """
    return party_asked(agreement_named(name), party)


def party_asked(agreement: Agreement, party: str | None) -> Agreement:
    """Return the agreement as this party; without one as the station's file says, if there is any.

    Raises:
        BadSettings: the agreement has no such party, or the station's file can't be read.
    """
    if party is not None:
        if party in agreement.parties:
            return replace(agreement, own=party)
        raise BadSettings((ConfigFault("--party", 0, "", *_stranger(agreement, party)),))
    path = default_config()
    if not path.exists():
        return agreement
    file = read_file(path)
    try:
        sides = convert(file.table(AT) or {}, Sides)
    except ValidationError:
        remedy = "mend it, or say --party"
        raise BadSettings((file.faulty(AT, f"must be {wanted(Sides)}", remedy),)) from None
    return as_party(agreement, sides, file)


def _stranger(agreement: Agreement, party: str) -> tuple[str, str]:
    what = f'"{party}" is no party of agreement {agreement.id}'
    return what, _instead(party, agreement.parties)


def _instead(name: str, known: Iterable[str]) -> str:
    listed = list(known)
    near = get_close_matches(name, listed, n=1)
    return f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(listed) or 'none'}"
