"""F24: the program hangs. Whoever watches over it notices in time, and starts it anew."""

import contextlib
import os
import pty
import signal
import socket
import subprocess
import sys
import time
import tty
from concurrent.futures import ThreadPoolExecutor

import pytest

MAYDAY = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"

CONFIG = """
[station]
name = "hangs"
[port.vhf]
device = "{device}"
modem = "generic-dsc"
[link.local]
host = "127.0.0.1"
port = 1
[journal]
path = "journal.db"
"""

CHILD = """
import asyncio, pathlib, sys, time
from gateway.cli import main
from gateway.mqtt.outbox import Pump
from gateway.points import listening

folder, wait = pathlib.Path(sys.argv[1]), Pump._wait

def block(point):
    while point == "hallway.entered" and (folder / "block").exists():
        time.sleep(0.01)

async def hang(pump, until, limit_s):
    if (folder / "pump").exists():
        until.close()
        await asyncio.Event().wait()
    await wait(pump, until, limit_s)

Pump._wait = hang
with listening(block):
    sys.exit(main(["run", "--config", str(folder / "gateway.toml")]))
"""

START_S_MAX = 20.0


class Manager:
    """What systemd does for a unit of Type=notify: start it, wait for signs of life, end it."""

    def __init__(self, folder, patience_s):
        self.folder = folder
        self._patience_s = patience_s
        self._modem, gateway_end = pty.openpty()
        tty.setraw(gateway_end)
        self._gateway_end = gateway_end
        (folder / "gateway.toml").write_text(CONFIG.format(device=os.ttyname(gateway_end)))
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(folder / "notify"))
        self.process = None

    def start(self):
        """Start it, and return how long it took to be on watch."""
        began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", CHILD, str(self.folder)],
                stderr=log,
                env=os.environ
                | {
                    "NOTIFY_SOCKET": str(self.folder / "notify"),
                    "WATCHDOG_USEC": str(int(self._patience_s * 1e6)),
                },
            )
        while "READY=1" not in self.heard(began + START_S_MAX):
            assert self.process.poll() is None, self.log()
        return time.monotonic() - began

    def heard(self, until):
        """Return the next word; an empty one when none came until then."""
        self._sock.settimeout(max(0.001, until - time.monotonic()))
        try:
            return self._sock.recv(4096).decode()
        except TimeoutError:
            return ""

    def fed_for(self, seconds):
        """Return how often it said that it lives."""
        end, lives = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            lives += self.heard(end) == "WATCHDOG=1"
        return lives

    def until_unfed(self):
        """Return how long it takes until there was no sign of life for as long as we wait."""
        began = last = time.monotonic()
        while time.monotonic() - last < self._patience_s:
            if self.heard(last + self._patience_s) == "WATCHDOG=1":
                last = time.monotonic()
            assert last - began < 60, "it is never given up"
        return time.monotonic() - began

    def abort(self):
        """End it as systemd ends a unit that shows no life."""
        self.process.send_signal(signal.SIGABRT)
        self.process.send_signal(signal.SIGCONT)
        assert self.process.wait(10) == -signal.SIGABRT

    def log(self):
        return (self.folder / "log").read_text("utf-8")

    def say(self, data):
        os.write(self._modem, data)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._sock.close()
        for end in (self._modem, self._gateway_end):
            with contextlib.suppress(OSError):
                os.close(end)


def stop(manager):
    manager.process.send_signal(signal.SIGSTOP)


def block(manager):
    (manager.folder / "block").touch()
    manager.say(MAYDAY)


def hang(manager):
    (manager.folder / "pump").touch()


HANGS = {
    "the process stopped": (stop, ""),
    "the event loop blocked": (block, "in block"),
    "one pump hung": (hang, ""),
}


@pytest.fixture
def managers(tmp_path, whole):
    """Return a manager for each way to hang, each with a folder of its own."""
    made = []
    for place in range(len(HANGS)):
        folder = tmp_path / str(place)
        folder.mkdir()
        made.append(Manager(folder, 10.0 if whole else 1.0))
    yield dict(zip(HANGS, made, strict=True))
    for manager in made:
        manager.close()


def suffered(manager, way, stack, *, quiet_s):
    """Have it hang this way, and return how long it was deaf before it was noticed, and after."""
    manager.start()
    lives = manager.fed_for(quiet_s)
    way(manager)
    noticed_s = manager.until_unfed()
    manager.abort()
    for flag in ("block", "pump"):
        (manager.folder / flag).unlink(missing_ok=True)
    assert lives, "no broker is there, and that is no hang"
    assert "Fatal Python error: Aborted" in manager.log()
    assert stack in manager.log(), "whoever reads the log sees where it hung"
    return noticed_s, manager.start(), manager.fed_for(quiet_s)


def test_a_gateway_that_hangs_says_nothing_more_and_is_started_anew(managers, whole, figure):
    """The loop blocked at a point, the process stopped, or a single duty that stands still."""
    with ThreadPoolExecutor(len(HANGS)) as crew:
        found = {
            name: crew.submit(
                suffered, managers[name], *HANGS[name], quiet_s=20.0 if whole else 1.0
            )
            for name in HANGS
        }
    patience_s = 10.0 if whole else 1.0
    for name, answer in found.items():
        noticed_s, started_s, lives = answer.result()
        figure(
            "F24",
            f"{name}: given up after {noticed_s:.1f} s (patience {patience_s:g}), "
            f"on watch again {started_s:.1f} s later",
        )
        # A duty may take five seconds between two beats, and is looked at once a second.
        assert noticed_s < patience_s + (7.5 if "pump" in name else 1.0)
        assert lives, "it lives again"
