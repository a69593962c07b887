"""What is plugged in, under which stable name, and the line to put into gateway.toml.

No port is opened for this: opening one may key what hangs on its RTS.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, to_builtins

from gateway.transport.plugged import ROOTS, Plugged, Roots, plugged, read_line

_NOTHING = """\
No serial port is plugged in, as far as this box can see. What to check:
  the cable and its adapter     dmesg | tail, right after plugging it in
  the permission                id -nG should list dialout (or the group of the node)
  a container                   it sees only the devices it was given
Modems on TCP are not listed here: device = "tcp://host:port".
"""


class Found(Struct, frozen=True, kw_only=True):
    """One serial port, as it is told."""

    device: str
    """The name to configure: the adapter's if it is unique, else its socket's, else the node."""
    node: str
    by_id: tuple[str, ...]
    by_path: tuple[str, ...]
    vendor_id: str | None
    product_id: str | None
    vendor: str | None
    product: str | None
    serial: str | None
    adapter: str
    """What to say of it where something is transmitted by this port."""
    busy: bool | None
    """Whether a program holds it; None when that can't be seen from here."""
    console: bool
    """Whether the system itself speaks on it."""
    shared_name: bool
    """Whether another adapter claims the same by-id name."""


def main(args: argparse.Namespace, *, roots: Roots = ROOTS) -> int:
    """List what is plugged in; `--json` for programs."""
    found = survey(roots)
    if args.json:
        sys.stdout.write(json.dumps(to_builtins(found), indent=2) + "\n")
    elif found:
        sys.stdout.write("\n".join(_told(port) for port in found))
    else:
        sys.stdout.write(_NOTHING)
    return 0


def survey(roots: Roots) -> list[Found]:
    """Return every serial port with hardware behind it."""
    ports = plugged(roots)
    claims = [name for port in ports for name in port.links_under("by-id")]
    held = _held(roots)
    console = read_line(Path(roots.sys, "class/tty/console/active")).split()
    return [
        _found(port, claims, busy=_busy(port, held), console=Path(port.node).name in console)
        for port in ports
    ]


def _found(port: Plugged, claims: list[str], *, busy: bool | None, console: bool) -> Found:
    by_id, by_path = port.links_under("by-id"), port.links_under("by-path")
    unique = [name for name in by_id if claims.count(name) == 1]
    says = port.properties.get
    names = [f"by-id:{name}" for name in unique] + [f"by-path:{name}" for name in by_path]
    return Found(
        device=names[0] if names else port.node,
        node=port.node,
        by_id=by_id,
        by_path=by_path,
        vendor_id=says("ID_VENDOR_ID"),
        product_id=says("ID_MODEL_ID"),
        vendor=says("ID_VENDOR"),
        product=says("ID_MODEL"),
        serial=says("ID_SERIAL_SHORT"),
        adapter=port.adapter,
        busy=busy,
        console=console,
        shared_name=len(unique) < len(by_id),
    )


def _told(port: Found) -> str:
    """Return a few aligned lines about one port."""
    usb = f" ({port.vendor_id}:{port.product_id})" if port.vendor_id else ""
    made_by = " ".join(word for word in (port.vendor, port.product) if word)
    state = {True: "busy: a program holds it", False: "free", None: "seems free"}[port.busy]
    lines = [
        ("", port.node),
        ("what", f"{made_by or 'serial port of the board'}{usb}"),
        ("serial", port.serial or ""),
        *(("by-id", name) for name in port.by_id),
        *(("by-path", name) for name in port.by_path),
        ("state", "console of the system: not for a modem" if port.console else state),
        ("note", "another adapter claims the same by-id name" if port.shared_name else ""),
        # JSON's escapes are TOML's: a name of udev may hold a backslash.
        ("config", f"device = {json.dumps(port.device)}"),
        # A by-id name says which adapter it is; where the name doesn't, whoever transmits has to.
        ("to send", "" if port.device.startswith("by-id:") else _adapter_line(port)),
    ]
    return "".join(
        f"  {label:<9}{_plain(value)}\n" if label else f"{_plain(value)}\n"
        for label, value in lines
        if value
    )


def _adapter_line(port: Found) -> str:
    return f"adapter = {json.dumps(port.adapter)}"


def _plain(text: str) -> str:
    """Return what an adapter says of itself without anything a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


class _Held(Struct, frozen=True):
    inodes: frozenset[int]
    """Inodes of /dev under an advisory lock, as ours are."""
    nodes: frozenset[str]
    """Nodes that programs have open, as far as we may look into them."""
    all_seen: bool
    """Whether every program could be looked into."""


def _busy(port: Plugged, held: _Held) -> bool | None:
    try:
        inode = Path(port.node).stat().st_ino
    except OSError:
        return None
    if port.node in held.nodes or inode in held.inodes:
        return True
    return False if held.all_seen else None


def _held(roots: Roots) -> _Held:
    """Return what other programs hold, without touching any of it."""
    nodes: set[str] = set()
    all_seen = True
    for folder in Path(roots.proc).glob("[0-9]*/fd"):
        try:
            entries = list(folder.iterdir())
        except PermissionError:
            all_seen = False
            continue
        except OSError:
            continue  # it has ended meanwhile
        for entry in entries:
            with suppress(OSError):  # it has been closed meanwhile
                nodes.add(str(entry.readlink()))
    return _Held(_locked_inodes(roots), frozenset(nodes), all_seen)


def _locked_inodes(roots: Roots) -> frozenset[int]:
    """Return the inodes in /proc/locks: `1: FLOCK ADVISORY WRITE 812 00:06:431 0 EOF`."""
    try:
        lines = Path(roots.proc, "locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return frozenset()
    device = _device_folder(roots)
    places = (field.split(":") for line in lines for field in line.split()[5:6])
    return frozenset(
        int(place[2])
        for place in places
        if len(place) == 3 and (int(place[0], 16), int(place[1], 16)) == device
    )


def _device_folder(roots: Roots) -> tuple[int, int] | None:
    try:
        number = Path(roots.dev).stat().st_dev
    except OSError:
        return None
    return os.major(number), os.minor(number)
