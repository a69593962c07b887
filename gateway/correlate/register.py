"""What the station knows of who carries what: the operator's own register, asked by name."""

from __future__ import annotations

from gateway.correlate.names import BEACON_HEAD, names_of, proves
from gateway.model.place import Identity
from gateway.model.plan import RegisterPlan

_KINDS = (
    ("mmsi", "mmsi"),
    ("icao24", "icao24"),
    ("beacons", "beacon"),
    ("devices", "mmsi"),
    ("imo", "imo"),
    ("tail", "tail"),
    ("callsign", "callsign"),
    ("tag", "tag"),
)
"""Keys of a craft in the register and the kind of name each gives, the surest first."""


class Register:
    """The register by name. It is what the plan says, and never grows."""

    def __init__(self, plan: RegisterPlan) -> None:
        self._carried: dict[str, tuple[str, ...]] = {}
        self._parties: dict[str, str] = {}
        for craft in plan.craft:
            names = tuple(
                f"{kind}:{value}" for key, kind in _KINDS for value in _listed(getattr(craft, key))
            )
            for name in names:
                if craft.party is not None:
                    self._parties[name] = self._parties[_head(name)] = craft.party
                others = tuple(other for other in names if other != name)
                self._carried[name] = self._carried[_head(name)] = others

    def carried(self, name: str) -> tuple[str, ...]:
        """Return all other names of the craft that this one is of; empty when nobody wrote it."""
        return self._carried.get(name) or self._carried.get(_head(name)) or ()

    def party_of(self, identity: Identity) -> str | None:
        """Return who answers for the craft that calls itself so; None when nobody wrote it."""
        for name in filter(proves, names_of(identity)):
            party = self._parties.get(name) or self._parties.get(_head(name))
            if party is not None:
                return party
        return None


def _head(name: str) -> str:
    """Return a beacon's name by the 15 digits that head the 23; any other name as it is.

    A label may show 15 where 23 are sent, and the other way round (C/S T.018).
    """
    return name[: len("beacon:") + BEACON_HEAD] if name.startswith("beacon:") else name


def _listed(value: object) -> tuple[object, ...]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)
