"""The table [transmit]: how the station is called on the air, and how much it may say."""

from __future__ import annotations

from collections.abc import Collection

from gateway.model.plan import TransmitPlan
from gateway.settings.tables import TomlFile

AT = ("transmit",)


def read_transmit(file: TomlFile, ports: Collection[str]) -> TransmitPlan:
    """Return the plan; one with nothing in it where the table is at fault."""
    plan = file.struct(AT, TransmitPlan)
    if plan is None:
        return TransmitPlan()
    for name in plan.acknowledges:
        if name not in ports:
            what = f'"{name}" is no port of this station'
            file.fault((*AT, "acknowledges"), what, f"there are: {', '.join(ports)}")
    if plan.per_minute > plan.per_hour:
        what = f"per_minute = {plan.per_minute} is more than per_hour = {plan.per_hour}"
        file.fault((*AT, "per_hour"), what, "allow at least as many in an hour")
    return plan
