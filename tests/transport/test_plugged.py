"""Names that stay: found in trees of /dev, /sys and udev's records as real boxes have them."""

import os
from pathlib import Path

import pytest

from gateway.transport import BadDevice, Node, WireAbsent, WireLost
from gateway.transport.opening import check_device
from gateway.transport.plugged import (
    SCANS_SKIPPED_MAX,
    Finder,
    Roots,
    adapter_at,
    node_at,
    plugged,
)

FTDI = {
    "idVendor": "0403",
    "idProduct": "6001",
    "manufacturer": "FTDI",
    "product": "FT232R USB UART",
    "serial": "A50285BI",
}
CLONE = {"idVendor": "1a86", "idProduct": "7523", "product": "USB Serial"}
CLONE_NAME = "usb-1a86_USB_Serial-if00-port0"
FTDI_NAME = "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"


class Box:
    """A box whose sockets are folders."""

    def __init__(self, folder: Path) -> None:
        self.roots = Roots(
            dev=str(folder / "dev"),
            sys=str(folder / "sys"),
            udev=str(folder / "udev"),
            proc=str(folder / "proc"),
        )
        self.folder = folder
        for name in ("dev/serial/by-id", "dev/serial/by-path", "sys/class/tty", "udev", "proc"):
            (folder / name).mkdir(parents=True)

    def plug_in(self, node: str, socket: str, usb: dict[str, str], by_id: str, *, udev=True):
        """Do what kernel and udev do when an adapter is put into a socket."""
        minor = int(node[-1])
        device = self.folder / "sys/devices/usb1" / socket
        tty = device / f"{socket}:1.0" / node / "tty" / node
        tty.mkdir(parents=True)
        for attribute, value in usb.items():
            (device / attribute).write_text(value + "\n")
        (device / f"{socket}:1.0" / "bInterfaceNumber").write_text("00\n")
        (tty / "dev").write_text(f"188:{minor}\n")
        (tty / "device").symlink_to(device / f"{socket}:1.0" / node)
        (self.folder / "sys/class/tty" / node).symlink_to(tty)
        (self.folder / "dev" / node).symlink_to(os.ttyname(self.slave()))
        by_path = f"pci-0-usb-0:{socket}:1.0-port0"
        if udev:
            links = self.folder / "dev/serial"
            (links / "by-path" / by_path).symlink_to(f"../../{node}")
            (links / "by-id" / by_id).unlink(missing_ok=True)  # the last one takes the name
            (links / "by-id" / by_id).symlink_to(f"../../{node}")
            (self.folder / "udev" / f"c188:{minor}").write_text(
                f"S:serial/by-id/{by_id}\nS:serial/by-path/{by_path}\nI:1\n"
                f"E:ID_BUS=usb\nE:ID_VENDOR_ID={usb['idVendor']}\nE:ID_PATH=pci-0-{socket}\nG:x\n"
            )

    def slave(self) -> int:
        master, slave = os.openpty()
        self.opened = [*getattr(self, "opened", []), master, slave]
        return slave

    def board_port(self, node: str, uart_type: str) -> None:
        tty = self.folder / "sys/devices/serial8250" / node
        tty.mkdir(parents=True)
        (tty / "dev").write_text("4:64\n")
        (tty / "type").write_text(uart_type + "\n")
        (tty / "device").symlink_to(self.folder / "sys/devices/serial8250")
        (self.folder / "sys/class/tty" / node).symlink_to(tty)
        (self.folder / "dev" / node).symlink_to(os.ttyname(self.slave()))

    def node(self, name: str) -> str:
        return os.path.realpath(self.folder / "dev" / name)


@pytest.fixture
def box(tmp_path):
    box = Box(tmp_path)
    yield box
    for descriptor in getattr(box, "opened", []):
        os.close(descriptor)


@pytest.fixture
def furnished(box):
    """Two clones without serial numbers, one honest adapter, a UART and an empty place."""
    box.plug_in("ttyUSB0", "1-1", FTDI, FTDI_NAME)
    box.plug_in("ttyUSB1", "1-2", CLONE, CLONE_NAME)
    box.plug_in("ttyUSB2", "1-3", CLONE, CLONE_NAME)
    box.board_port("ttyS0", "4")
    box.board_port("ttyS1", "0")
    return box


def test_only_ports_with_hardware_are_listed(furnished):
    found = plugged(furnished.roots)

    assert [Path(port.node).name for port in found] == ["ttyS0", "ttyUSB0", "ttyUSB1", "ttyUSB2"]
    assert found[1].properties["ID_SERIAL_SHORT"] == "A50285BI"
    assert found[1].links_under("by-id") == (FTDI_NAME,)
    assert found[0].properties == {}


@pytest.mark.parametrize(
    ("device", "node"),
    [
        (f"by-id:{FTDI_NAME}", "ttyUSB0"),
        ("by-path:pci-0-usb-0:1-2:1.0-port0", "ttyUSB1"),
        ("udev:ID_PATH=pci-0-1-3", "ttyUSB2"),
        ("udev:ID_VENDOR_ID=0403,ID_BUS=usb", "ttyUSB0"),
        ("udev:ID_SERIAL_SHORT=A50285BI", "ttyUSB0"),
        ("{dev}/serial/by-id/" + FTDI_NAME, "ttyUSB0"),
        ("{dev}/ttyUSB2", "ttyUSB2"),
    ],
)
def test_a_name_leads_to_its_node(furnished, device, node):
    device = device.format(dev=furnished.roots.dev)
    finder = Finder(device, roots=furnished.roots)

    assert finder.find().path == furnished.node(node)
    assert finder.standing().path == furnished.node(node)
    assert [doubt for doubt in check_device(device, roots=furnished.roots) if doubt.fatal] == []


@pytest.mark.parametrize(
    "device",
    [
        f"by-id:{CLONE_NAME}",
        "{dev}/serial/by-id/" + CLONE_NAME,
        "udev:ID_VENDOR_ID=1a86",
        "udev:ID_BUS=usb",
    ],
)
def test_a_name_that_fits_two_is_refused_never_guessed(furnished, device):
    """Identical adapters claim one by-id name, and udev gives it to whichever came last."""
    device = device.format(dev=furnished.roots.dev)
    with pytest.raises(WireLost, match=r"ambiguous.*ttyUSB1, .*ttyUSB2") as refused:
        Finder(device, roots=furnished.roots).find()
    assert not isinstance(refused.value, WireAbsent)

    (doubt,) = check_device(device, roots=furnished.roots)
    assert doubt.fatal
    assert "by-path" in str(doubt)


def test_an_identical_adapter_plugged_in_later_makes_a_name_ambiguous(box):
    box.plug_in("ttyUSB1", "1-2", CLONE, CLONE_NAME)
    finder = Finder(f"by-id:{CLONE_NAME}", roots=box.roots)
    before = finder.find()
    box.plug_in("ttyUSB2", "1-3", CLONE, CLONE_NAME)

    assert finder.standing() != before
    with pytest.raises(WireLost, match="ambiguous"):
        finder.find()


@pytest.mark.parametrize(
    ("node", "adapter"),
    [("ttyUSB0", "0403:6001:A50285BI"), ("ttyUSB1", "1a86:7523:"), ("ttyS0", "none")],
)
def test_the_adapter_at_a_node_is_what_the_kernel_has_found_there(furnished, node, adapter):
    assert adapter_at(node_at(furnished.node(node)), furnished.roots) == adapter


def test_a_node_under_another_name_is_known_by_its_number(furnished):
    """As in a container, to which one node is given under a name of its own."""
    node = Node("/dev/radio", (1, 2, os.makedev(188, 0)))

    assert adapter_at(node, furnished.roots) == "0403:6001:A50285BI"


def test_a_virtual_wire_has_no_adapter_and_what_nobody_knows_may_have_any(box):
    assert adapter_at(node_at(os.ttyname(box.slave())), box.roots) == "none"
    assert adapter_at(Node("/dev/ttyUSB7", (1, 2, os.makedev(188, 7))), box.roots) is None


def test_without_udev_the_kernel_itself_is_asked(box):
    """In a container there are no udev records: sysfs tells the same."""
    box.plug_in("ttyUSB0", "1-1", FTDI, FTDI_NAME, udev=False)
    finder = Finder("udev:ID_VENDOR_ID=0403,ID_USB_INTERFACE_NUM=00", roots=box.roots)

    assert finder.find().path == box.node("ttyUSB0")


@pytest.mark.parametrize(
    "device", ["by-id:usb-nothing", "by-path:nowhere", "udev:ID_MODEL=x", "{dev}/ttyUSB9"]
)
def test_a_device_that_is_not_plugged_in_is_a_warning(furnished, device):
    device = device.format(dev=furnished.roots.dev)
    finder = Finder(device, roots=furnished.roots)
    with pytest.raises(WireAbsent):
        finder.find()
    assert finder.standing() is None

    (doubt,) = check_device(device, roots=furnished.roots)
    assert not doubt.fatal


def test_a_searched_node_is_found_again_soon_after_its_return(furnished):
    """A search is skipped while nothing changes, and never for longer than a second."""
    finder = Finder("udev:ID_PATH=pci-0-1-1", roots=furnished.roots)
    node = furnished.folder / "dev/ttyUSB0"
    target = node.readlink()
    before = finder.find()
    node.unlink()
    assert [finder.standing() for _ in range(50)] == [None] * 50
    node.symlink_to(target)

    looks = 1
    while finder.standing() is None:
        looks += 1
    assert looks <= SCANS_SKIPPED_MAX
    assert finder.find() == before


@pytest.mark.parametrize(
    "device",
    [
        "",
        "ttyUSB0",
        "usb:1",
        "by-id:",
        "by-id:../../etc/passwd",
        "by-path:a/b",
        "udev:",
        "udev:ID_MODEL",
        "udev:ID_MODEL=,ID_BUS=usb",
        "tcp://",
        "tcp://host",
        "tcp://host:port",
        "tcp://host:70000",
        "tcp://host:1/path",
        "tcp-listen://:2000",
        "tape:",
        "tape:a?speed=0",
        "tape:a?speed=-1",
        "tape:a?speed=nan",
        "tape:a?speed=99999999",
        "tape:a?loop=1",
        "/etc/passwd",
        "/",
    ],
)
def test_a_device_that_can_never_work_is_an_error(device):
    (doubt,) = check_device(device)

    assert doubt.fatal
    assert str(doubt)


@pytest.mark.parametrize(
    "device",
    ["tcp://ais.example:10110", "tcp://[::1]:2000", "tcp-listen://127.0.0.1:2000"],
)
def test_nobody_is_called_to_check_a_device(device):
    assert check_device(device) == []


def test_a_device_of_tests_is_not_ready():
    (doubt,) = check_device("memory:bench")

    assert not doubt.fatal
    assert "for tests" in str(doubt)


def test_a_node_that_the_kernel_knows_for_something_else_is_no_port():
    if not Path("/sys/dev/char/1:3/subsystem").exists():
        pytest.skip("no sysfs here")
    (doubt,) = check_device("/dev/null")

    assert doubt.fatal
    assert str(doubt) == "/dev/null is no serial port"


def test_a_file_that_is_no_tape_is_said_to_be_none(tmp_path):
    plain, damaged = tmp_path / "plain", tmp_path / "damaged.tape"
    plain.write_bytes(b"$GPGLL,5503.00,N,01016.00,E,101530,A*29\r\n")
    tape = (Path(__file__).parents[2] / "config/demo/strait.tape").read_bytes()
    damaged.write_bytes(tape.replace(b"generic-dsc", b"generic-dsd", 1))
    whole = tmp_path / "whole.tape"
    whole.write_bytes(tape)

    words = {
        device: [(doubt.words, doubt.fatal) for doubt in check_device(device)]
        for device in (
            *(f"tape:{path}" for path in (plain, damaged, whole)),
            f"tape:{whole}?port=gnss",
            f"tape:{whole}?port=nope",
        )
    }
    which = (
        "say which port of the tape, as ?port=…: aircraft, ais-mast, ais-quay, beacon-406, buoys, "
        "bus, gnss, lifeboat, mesh, mf-dsc, navtex, packet, packet-text, vhf-dsc"
    )

    assert list(words.values()) == [
        [(f"{plain} is no tape: its bytes are played as if a modem said them", False)],
        [(f"{damaged}: byte 0: damaged header: wrong checksum", False)],
        [(which, False)],
        [],
        [(which, False)],
    ]


def test_a_numbered_node_is_advised_against(furnished):
    """After the next start, ttyUSB0 may be another radio."""
    (doubt,) = check_device(f"{furnished.roots.dev}/ttyUSB0", roots=furnished.roots)

    assert not doubt.fatal
    assert "another modem" in str(doubt)


def test_a_wrong_name_is_refused_where_a_port_is_made(port_of):
    for device in ("usb:1", "tcp://host", "udev:x", "tape:a?speed=0"):
        with pytest.raises(BadDevice):
            port_of(device)
