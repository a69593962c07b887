"""`distress-gateway ports`: what is plugged in, told so that it can be pasted."""

import argparse
import fcntl
import json
from pathlib import Path

import pytest

from gateway.transport.plugged import Roots
from gateway.verbs.ports import main


@pytest.fixture
def box(tmp_path):
    """Two clones in two sockets, and an adapter with a serial number of hostile letters."""
    for folder in ("dev/serial/by-id", "dev/serial/by-path", "class/tty", "udev", "proc"):
        (tmp_path / folder).mkdir(parents=True)
    for number, name in enumerate(("clone", "clone", "honest\\x2f")):
        node = f"ttyUSB{number}"
        tty = tmp_path / "class/tty" / node
        (tty / "device").mkdir(parents=True)
        (tty / "dev").write_text(f"188:{number}\n")
        (tmp_path / "dev" / node).write_text("")
        (tmp_path / "udev" / f"c188:{number}").write_text(
            f"S:serial/by-id/{name}\nS:serial/by-path/socket-{number}\n"
            "E:ID_VENDOR_ID=0403\nE:ID_MODEL_ID=6001\nE:ID_VENDOR=FTDI\nE:ID_MODEL=FT232R\n"
            "E:ID_SERIAL_SHORT=A\x1b[31mB\n"
        )
    return Roots(
        dev=str(tmp_path / "dev"),
        sys=str(tmp_path),
        udev=str(tmp_path / "udev"),
        proc=str(tmp_path / "proc"),
    )


def listed(roots, capsys, *, as_json=True):
    assert main(argparse.Namespace(json=as_json), roots=roots) == 0
    told = capsys.readouterr().out
    return json.loads(told) if as_json else told


def test_each_port_has_a_name_that_is_its_own(box, capsys):
    """The adapter's name where it is unique, else the socket's."""
    found = listed(box, capsys)

    assert [port["device"] for port in found] == [
        "by-path:socket-0",
        "by-path:socket-1",
        "by-id:honest\\x2f",
    ]
    assert [port["shared_name"] for port in found] == [True, True, False]
    assert (found[0]["vendor_id"], found[0]["product_id"]) == ("0403", "6001")
    assert found[0]["adapter"] == "0403:6001:A\x1b[31mB"
    assert found[0]["serial"] == "A\x1b[31mB"


def test_people_get_a_line_to_paste_and_nothing_that_a_terminal_obeys(box, capsys):
    told = listed(box, capsys, as_json=False)

    assert '  config   device = "by-id:honest\\\\x2f"\n' in told
    assert '  config   device = "by-path:socket-0"\n  to send  adapter = "0403:6001:A' in told
    assert told.count("to send") == 2  # the third one's name says which adapter it is
    assert "FTDI FT232R (0403:6001)" in told
    assert "another adapter claims the same by-id name" in told
    assert "\x1b" not in told
    assert not any(len(line) > 100 for line in told.splitlines())


def test_a_port_that_a_program_holds_is_busy(box, tmp_path, capsys):
    """Seen from outside: by its lock, or among the files that a program has open."""
    (tmp_path / "proc/77/fd").mkdir(parents=True)
    (tmp_path / "proc/77/fd/3").symlink_to(tmp_path / "dev/ttyUSB1")
    with (tmp_path / "dev/ttyUSB0").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with open("/proc/locks", encoding="ascii") as locks:  # noqa: PTH123  # the real one
            (tmp_path / "proc/locks").write_text(locks.read())
        found = listed(box, capsys)

    assert [port["busy"] for port in found] == [True, True, False]


def test_what_can_not_be_seen_is_not_said(box, tmp_path, capsys, monkeypatch):
    """A program of another user may hold the port: then nobody says that it is free."""
    (tmp_path / "proc/77/fd").mkdir(parents=True)
    seen = Path.iterdir

    def iterdir(folder):
        if folder.name == "fd":
            raise PermissionError
        return seen(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)

    assert [port["busy"] for port in listed(box, capsys)] == [None] * 3
    assert "seems free" in listed(box, capsys, as_json=False)


def test_a_console_is_no_place_for_a_modem(box, tmp_path, capsys):
    (tmp_path / "class/tty/console").mkdir()
    (tmp_path / "class/tty/console/active").write_text("tty0 ttyUSB2\n")

    assert [port["console"] for port in listed(box, capsys)] == [False, False, True]
    assert "console of the system" in listed(box, capsys, as_json=False)


def test_nothing_plugged_in_says_what_to_check(tmp_path, capsys):
    empty = Roots(dev=str(tmp_path), sys=str(tmp_path), udev=str(tmp_path), proc=str(tmp_path))
    told = listed(empty, capsys, as_json=False)

    assert listed(empty, capsys) == []
    for word in ("cable", "dialout", "dmesg"):
        assert word in told
