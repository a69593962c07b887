"""What is plugged in, and which node bears a name: read from /dev, /sys and udev's own records.

Names that survive a reboot, a reset and another socket order:

    by-id:NAME            /dev/serial/by-id/NAME: the adapter, wherever it is plugged
    by-path:NAME          /dev/serial/by-path/NAME: the socket, whatever is plugged there
    udev:KEY=value,…      the one serial port with all these udev properties

A name that fits two adapters is refused, never guessed: the wrong radio would be heard, or keyed.
No port is ever opened here, because opening one may key what hangs on its RTS.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from gateway.transport import BadDevice, Node, WireAbsent, WireLost

SCANS_SKIPPED_MAX = 20
"""A search is repeated at least this often even if the folders seem unchanged: twice a second."""

RECORD_BYTES_MAX = 65_536
"""A udev record or a sysfs attribute is some hundred bytes long."""

NO_ADAPTER = "none"
"""What stands for the adapter of a port that has none."""

PTY_MAJORS = range(136, 144)
"""Unix98 pseudo-terminals (Linux Documentation/admin-guide/devices.txt)."""

_USB_WALK_MAX = 12
"""Folders between a serial port and its USB device in sysfs; a deep chain of hubs has nine."""

_USB_PROPERTIES = {
    "ID_VENDOR_ID": "idVendor",
    "ID_MODEL_ID": "idProduct",
    "ID_SERIAL_SHORT": "serial",
    "ID_VENDOR": "manufacturer",
    "ID_MODEL": "product",
    "ID_USB_INTERFACE_NUM": "bInterfaceNumber",
}
"""The attribute of sysfs that tells a property of udev: a container has no udev to ask."""


class Roots(Struct, frozen=True):
    """Where the kernel and udev tell what there is. Tests bring folders of their own."""

    dev: str = "/dev"
    sys: str = "/sys"
    udev: str = "/run/udev/data"
    proc: str = "/proc"


ROOTS = Roots()


class Plugged(Struct, frozen=True):
    """One serial port of this box."""

    node: str
    number: str
    """Major and minor, `188:0`, the key of udev's record."""
    properties: dict[str, str]
    """udev's properties, or as many of them as sysfs tells."""
    links: tuple[str, ...]
    """The names udev wants it to have; of two identical adapters both claim one name."""

    @property
    def adapter(self) -> str:
        """Return `vendor:product:serial` of its adapter; `none` where it is a port of the board."""
        says = self.properties.get
        if not says("ID_VENDOR_ID"):
            return NO_ADAPTER
        return f"{says('ID_VENDOR_ID')}:{says('ID_MODEL_ID', '')}:{says('ID_SERIAL_SHORT', '')}"

    def links_under(self, folder: str) -> tuple[str, ...]:
        """Return its names in /dev/serial/by-id or by-path."""
        start = f"serial/{folder}/"
        return tuple(link.removeprefix(start) for link in self.links if link.startswith(start))


class Finder:
    """Finds the node that bears one name, again and again; BadDevice when it is no name."""

    def __init__(self, device: str, *, roots: Roots) -> None:
        self._device = device
        self._roots = roots
        for folder in ("by-id", "by-path"):
            # The long way of writing the same name gets the same care.
            device = device.replace(f"{roots.dev}/serial/{folder}/", f"{folder}:", 1)
        scheme, _, wanted = device.partition(":")
        self._scheme, self._wanted = ("", device) if device.startswith("/") else (scheme, wanted)
        self._properties = properties_of(device) if self._scheme == "udev" else {}
        if not self._wanted:
            raise BadDevice(device, "names nothing")
        if self._scheme in {"by-id", "by-path"} and Path(self._wanted).name != self._wanted:
            raise BadDevice(device, f"not of the form {self._scheme}:NAME")
        self._found: tuple[str, Node] | None = None
        self._folders: tuple[int, ...] = ()
        self._skipped = 0

    def find(self) -> Node:
        """Return the one node of that name; raise WireAbsent, or WireLost when there are two."""
        fitting = self._fitting()
        if len(fitting) > 1:
            raise WireLost(self._device, f"ambiguous: fits {', '.join(sorted(fitting))}")
        path = fitting[0] if fitting else self._path()
        node = node_at(path) if path else None
        if node is None:
            raise WireAbsent(self._device, "nothing of that name is plugged in")
        self._found = path, node
        return node

    def standing(self) -> Node | None:
        """Return the node of that name, looking no further than needed; raise WireLost."""
        path = self._path()
        if path:
            return node_at(path)
        if self._found is not None:
            found_at, found = self._found
            again = node_at(found_at)
            if again is not None and again.identity == found.identity:
                return again
            self._found = None
        if self._unchanged():
            return None
        try:
            return self.find()
        except WireAbsent:
            return None

    def _path(self) -> str:
        """Return the path this name stands for; empty when it must be searched for."""
        if self._scheme == "udev":
            return ""
        if self._scheme in {"by-id", "by-path"}:
            return f"{self._roots.dev}/serial/{self._scheme}/{self._wanted}"
        return self._device

    def _fitting(self) -> list[str]:
        """Return every node that lays claim to this name."""
        if self._scheme == "udev":
            return [
                port.node
                for port in plugged(self._roots)
                if self._properties.items() <= port.properties.items()
            ]
        if self._scheme in {"by-id", "by-path"}:
            claimed = [
                port.node
                for port in plugged(self._roots)
                if self._wanted in port.links_under(self._scheme)
            ]
            return claimed if len(claimed) > 1 else []
        return []

    def _unchanged(self) -> bool:
        """Whether nothing has come or gone since the last search, so that none is needed."""
        folders = tuple(_changed_ns(folder) for folder in (self._roots.dev, self._roots.udev))
        self._skipped = self._skipped + 1 if folders == self._folders else SCANS_SKIPPED_MAX
        self._folders = folders
        if self._skipped < SCANS_SKIPPED_MAX:
            return True
        self._skipped = 0
        return False


def plugged(roots: Roots) -> list[Plugged]:
    """Return every serial port with hardware behind it, in the order of their names."""
    folder = Path(roots.sys, "class/tty")
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
    found = (_plugged(name, folder / name, roots) for name in names)
    return [port for port in found if port is not None]


def node_at(path: str) -> Node | None:
    """Return what stands at this path, symbolic links followed; None when nothing does."""
    try:
        found = Path(path).stat()
        return Node(
            path=os.path.realpath(path),
            identity=(found.st_dev, found.st_ino, found.st_rdev),
            changed_ns=found.st_ctime_ns,
        )
    except OSError:
        return None


def adapter_at(node: Node, roots: Roots) -> str | None:
    """Return the adapter of the port that this node is; None when nobody can tell."""
    number = node.identity[2]
    words = f"{os.major(number)}:{os.minor(number)}"
    for port in plugged(roots):
        if port.number == words or os.path.realpath(port.node) == node.path:
            return port.adapter
    return NO_ADAPTER if os.major(number) in PTY_MAJORS else None


def properties_of(device: str) -> dict[str, str]:
    """Return the properties asked for in `udev:KEY=value,KEY=value`; raise BadDevice."""
    pairs = [part.partition("=") for part in device.removeprefix("udev:").split(",")]
    if not all(key and value for key, _, value in pairs):
        raise BadDevice(device, "not of the form udev:KEY=value,KEY=value")
    return {key: value for key, _, value in pairs}


def read_line(path: Path) -> str:
    """Return the one line of a sysfs attribute; empty when it can't be had."""
    return _text(path).strip()


def _plugged(name: str, entry: Path, roots: Roots) -> Plugged | None:
    """Return this terminal when it is a serial port with hardware behind it."""
    # A virtual terminal has no device; a UART of type 0 is a place on the board left empty.
    if not (entry / "device").exists() or read_line(entry / "type") == "0":
        return None
    number = read_line(entry / "dev")
    record = _text(Path(roots.udev, f"c{number}")).splitlines()
    properties = _usb_properties(entry / "device")
    properties |= properties_in(record)
    links = {line[2:] for line in record if line.startswith("S:")}
    node = f"{roots.dev}/{name}"
    links |= _links_to(node, roots)
    return Plugged(node=node, number=number, properties=properties, links=tuple(sorted(links)))


def properties_in(record: list[str]) -> dict[str, str]:
    """Return the properties in a udev record, whose lines for them start with `E:`."""
    pairs = [line[2:].partition("=") for line in record if line.startswith("E:")]
    return {key: value for key, equals, value in pairs if equals}


def _usb_properties(device: Path) -> dict[str, str]:
    """Return what the USB device says of itself, walking up from the port to it."""
    found: dict[str, str] = {}
    folder = Path(os.path.realpath(device))
    for _ in range(_USB_WALK_MAX):
        for key, attribute in _USB_PROPERTIES.items():
            if key not in found and (value := read_line(folder / attribute)):
                found[key] = value
        if "ID_VENDOR_ID" in found:
            return found
        folder = folder.parent
    return {}


def _links_to(node: str, roots: Roots) -> set[str]:
    """Return the names that lead here, for a box whose udev records can't be read."""
    found: set[str] = set()
    for folder in ("serial/by-id", "serial/by-path"):
        try:
            entries = list(os.scandir(f"{roots.dev}/{folder}"))
        except OSError:
            continue
        found |= {
            f"{folder}/{entry.name}"
            for entry in entries
            if os.path.realpath(entry.path) == os.path.realpath(node)
        }
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(RECORD_BYTES_MAX).decode("utf-8", "replace")
    except OSError:
        return ""


def _changed_ns(folder: str) -> int:
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0
