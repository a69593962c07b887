"""Which way leads to a device, and what can be said of a device before it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from gateway.clock import Clock
from gateway.model.plan import PortPlan
from gateway.transport import BadDevice, Way, WireAbsent, WireLost
from gateway.transport.memory import MemoryWay, Modem
from gateway.transport.playing import TapeWay, recording
from gateway.transport.plugged import ROOTS, Finder, Roots
from gateway.transport.serial import SerialWay
from gateway.transport.tape import TapeBroken, is_tape, read_tape
from gateway.transport.tcp import TcpListenWay, TcpWay, host_and_port

_NUMBERED = ("ttyUSB", "ttyACM")
"""Nodes numbered in the order in which the kernel happens to find them."""


class Doubt(Struct, frozen=True):
    """Something to tell about a device before the service is started."""

    words: str
    fatal: bool
    """Whether it can't work as things are; else it may, once something is plugged in."""
    passing: bool = False
    """Whether it hangs on what happens to be plugged in now, and not on what was written."""

    def __str__(self) -> str:
        return self.words


def way_of(plan: PortPlan, *, clock: Clock, modems: Mapping[str, Modem]) -> Way:
    """Return the way to this port's device; raise BadDevice."""
    device = plan.device
    match scheme_of(device):
        case "tcp":
            return TcpWay(device, clock=clock)
        case "tcp-listen":
            return TcpListenWay(device, clock=clock)
        case "tape":
            return TapeWay(device, clock=clock, baud=plan.profile.baud)
        case "memory":
            return MemoryWay(device, modems.get(device.partition(":")[2]))
        case "" | "by-id" | "by-path" | "udev":
            return SerialWay(plan)
        case unknown:
            raise BadDevice(device, f"unknown scheme `{unknown}:`")


def check_device(device: str, *, roots: Roots = ROOTS) -> list[Doubt]:
    """Return what is to be told of this device now; nothing is opened and nobody is called."""
    scheme = scheme_of(device)
    check = _CHECKS.get(scheme) if device else None
    if check is None:
        known = ", ".join(f"{name}:" for name in sorted(_CHECKS) if name)
        words = f"`{device}` is neither a path from / nor of a known scheme: {known}"
        return [Doubt(words, fatal=True)]
    try:
        return check(device, roots)
    except BadDevice as bad:
        return [Doubt(str(bad), fatal=True)]


def scheme_of(device: str) -> str:
    """Return what stands before the first colon; empty for a path."""
    return "" if device.startswith("/") else device.partition(":")[0]


def _check_node(device: str, roots: Roots) -> list[Doubt]:
    try:
        node = Finder(device, roots=roots).find()
    except WireAbsent as absent:
        return [Doubt(f"{absent.reason}: `distress-gateway ports` lists what is", fatal=False)]
    except WireLost as lost:
        return [
            Doubt(f"{lost.reason}; name it by its socket, `by-path:…`", fatal=True, passing=True)
        ]
    return _check_access(node.path, roots)


def _check_path(device: str, roots: Roots) -> list[Doubt]:
    found = _check_node(device, roots)
    if not found and Path(device).name.startswith(_NUMBERED):
        words = (
            f"{device} may be another modem after the next start; `distress-gateway ports` helps"
        )
        return [Doubt(words, fatal=False)]
    return found


def _check_access(path: str, roots: Roots) -> list[Doubt]:
    if not Path(path).is_char_device() or _is_other(path, roots):
        return [Doubt(f"{path} is no serial port", fatal=True, passing=True)]
    if not os.access(path, os.R_OK | os.W_OK):
        return [Doubt(f"{path}: no permission; join the group of the node", fatal=False)]
    return []


def _is_other(path: str, roots: Roots) -> bool:
    """Say whether the kernel knows this node for something else than a terminal: /dev/null, say."""
    number = Path(path).stat().st_rdev
    kind = Path(roots.sys, "dev/char", f"{os.major(number)}:{os.minor(number)}", "subsystem")
    return kind.exists() and kind.resolve().name != "tty"


def _check_tcp(device: str, _roots: Roots) -> list[Doubt]:
    host_and_port(device)
    return []


def _check_tape(device: str, _roots: Roots) -> list[Doubt]:
    wanted = recording(device)
    if not wanted.path.is_file():
        return [Doubt(f"no file {wanted.path}", fatal=False)]
    try:
        if not is_tape(wanted.path):
            words = f"{wanted.path} is no tape: its bytes are played as if a modem said them"
            return [Doubt(words, fatal=False)]
        header, _ = read_tape(wanted.path)
    except (OSError, TapeBroken) as error:
        return [Doubt(str(error), fatal=False)]
    if wanted.port in header.ports or (wanted.port is None and len(header.ports) == 1):
        return []
    return [
        Doubt(
            f"say which port of the tape, as ?port=…: {', '.join(sorted(header.ports))}",
            fatal=False,
        )
    ]


def _check_memory(device: str, _roots: Roots) -> list[Doubt]:
    return [Doubt(f"{device} is for tests: no modem speaks there", fatal=False)]


_CHECKS: Mapping[str, Callable[[str, Roots], list[Doubt]]] = {
    "": _check_path,
    "by-id": _check_node,
    "by-path": _check_node,
    "udev": _check_node,
    "tcp": _check_tcp,
    "tcp-listen": _check_tcp,
    "tape": _check_tape,
    "memory": _check_memory,
}
