"""What a port needs before anything may be transmitted by it: to know whom it speaks to."""

from __future__ import annotations

from gateway.model.plan import PortPlan
from gateway.settings.lines import KeyPath
from gateway.settings.tables import TomlFile

_SERIAL = ("/", "by-id:", "by-path:", "udev:")
_PORTS_VERB = "as `distress-gateway ports` says it"


def check_wiring(file: TomlFile, at: KeyPath, plan: PortPlan) -> None:
    """Note what is wrong with how this port says which adapter and which modem it is for."""
    if plan.profile.transmit:
        _check_speaking(file, at, plan)
    serial = plan.device.startswith(_SERIAL)
    if plan.profile.ptt is not None and not serial:
        line = plan.profile.ptt.upper()
        what = f"has no {line}, and {plan.modem} is keyed by it"
        file.fault((*at, "device"), what, "name a serial port")
    if plan.adapter is not None and not serial:
        what = "is that of a serial port, and the device is none"
        file.fault((*at, "adapter"), what, "leave it out")
    if plan.modem_serial is not None and not plan.profile.hello:
        what = f"is never said: {plan.modem} has no `hello`"
        file.fault((*at, "modem_serial"), what, "leave it out")


def _check_speaking(file: TomlFile, at: KeyPath, plan: PortPlan) -> None:
    if plan.device.startswith("tcp-listen:"):
        what = f"lets anybody call, and {plan.modem} can transmit"
        file.fault((*at, "device"), what, "call the modem: `tcp://…`")
    if plan.adapter is None and not plan.pinned:
        what = f"may be another adapter one day, and {plan.modem} can transmit"
        file.fault((*at, "device"), what, f"add `adapter`, {_PORTS_VERB}")
    if plan.modem_serial is None and plan.profile.hello:
        what = "says who it is before it transmits, and nobody has said who it has to be"
        file.fault((*at, "modem"), what, "add `modem_serial`, as its `hello` says it")
