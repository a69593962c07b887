"""The operator's register: which craft goes by which names, and what it carries."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import fields

from gateway.model.plan import CraftPlan, RegisterPlan
from gateway.settings.faults import BadSettings, ConfigFault
from gateway.settings.tables import read_file

CRAFT_MAX = 10_000
"""A national fleet; each costs a kilobyte."""


def read_register(path: Path) -> tuple[RegisterPlan, tuple[ConfigFault, ...]]:
    """Return what this file says, and every fault in it; BadSettings when it can't be read."""
    file = read_file(path, if_missing="make it, or take `register` out of gateway.toml")
    file.known_keys((), file.root, ("craft",))
    tables = file.table(("craft",)) or {}
    if len(tables) > CRAFT_MAX:
        file.fault(("craft",), f"more than {CRAFT_MAX} of them", "leave out who never comes here")
    craft: list[CraftPlan] = []
    taken: dict[tuple[str, object], str] = {}
    for key in list(tables)[:CRAFT_MAX]:
        at = ("craft", key)
        found = file.values(at, CraftPlan, given=("key",))
        if len(found) < len(fields(CraftPlan)) - 1:
            continue
        made = msgspec.convert({"key": key, **found}, CraftPlan)
        names = [*_names(made)]
        if not names:
            file.fault(at, "has no name that a radio could tell", "add `mmsi`, `icao24`, `beacons`")
        for field, kind, value in names:
            first = taken.setdefault((kind, value), key)
            if first != key:
                what = f"has {value}, which is in [craft.{first}] already"
                file.fault((*at, field), what, "one name is of one craft: take it out of one")
        craft.append(made)
    return RegisterPlan(craft=tuple(craft)), tuple(file.faults)


def register_of(path: str | None) -> RegisterPlan:
    """Return the register in this file, none for none; BadSettings with every fault in it."""
    if path is None:
        return RegisterPlan()
    register, faults = read_register(Path(path))
    if faults:
        raise BadSettings(faults)
    return register


def _names(craft: CraftPlan) -> list[tuple[str, str, object]]:
    """Return key, kind and value of each name; a device's MMSI is an MMSI."""
    one = ("mmsi", "icao24", "imo", "tail", "callsign", "tag")
    found = [(key, key, getattr(craft, key)) for key in one if getattr(craft, key) is not None]
    found += [("beacons", "beacon", value) for value in craft.beacons]
    return found + [("devices", "mmsi", value) for value in craft.devices]
