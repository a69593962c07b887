"""The rigs of hardware/rig for live tests: programs on ptys, with logs of what went on the air.

with rig("dsc_radio.py") as radio:
    …  # the gateway opens radio.device
    radio.tell("say CDDSC,…")
    radio.until(lambda: radio.air)
    assert radio.air == [b"$IIDSC,…"]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
WAIT_S = 10.0


class Line(NamedTuple):
    """One line of a rig's log."""

    what: str
    mono_ns: int
    data: bytes
    words: str


class Rig:
    """One rig, which a test may order about, kill and start again at the same place."""

    def __init__(self, script, folder, *options):
        name = script.removesuffix(".py")
        self.device = str(folder / f"{name}.pty")
        """A name that leads to its pty, and stays."""
        self._log = folder / f"{name}.log"
        self._errors = folder / f"{name}.errors"
        self._command = [sys.executable, "-m", f"hardware.rig.{name}"]
        self._command += ["--link", self.device, "--log", str(self._log), *map(str, options)]
        self.running = None
        self._said = ""
        """Its log as it stood when it was last looked at: the file goes with the rig."""

    def start(self):
        """Start it, and return once its pty can be opened."""
        with self._errors.open("a") as errors:
            self.running = subprocess.Popen(
                self._command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.running.stdout.readline(), self._errors.read_text()

    @property
    def air(self):
        """Everything that went on the air, in order, as bytes; also before it was started again."""
        return [line.data for line in self.lines("air")]

    @property
    def bad(self):
        """Everything that came from the gateway and is nothing to transmit."""
        return [line.data for line in self.lines("bad")]

    def lines(self, *what):
        """Return what it has logged of this; half a line is none yet."""
        if self._log.exists():
            self._said = self._log.read_text("utf-8")
        *whole, _ = self._said.split("\n")
        parted = (line.split(" ", 3) for line in whole)
        found = [
            Line(kind, int(mono_ns), bytes.fromhex(data.strip("-")), "".join(words))
            for kind, mono_ns, data, *words in parted
        ]
        return [line for line in found if line.what in what]

    def tell(self, order):
        """Say a line to its desk."""
        self.running.stdin.write(f"{order}\n")
        self.running.stdin.flush()

    def order(self, words):
        """Say a line to its desk, and return how it stands once that is carried out."""
        before = len(self.lines("is"))
        self.tell(words)
        self.until(lambda: self.lines("is")[before:])
        return self.lines("is")[before].words

    def until(self, condition, limit_s=WAIT_S):
        """Wait until this is so; a test that waits in vain fails."""
        end_s = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end_s, self._said + self._errors.read_text()
            time.sleep(0.005)

    def end(self, sign=signal.SIGKILL):
        """Stop this process, and no other."""
        self.running.send_signal(sign)
        self.running.wait(WAIT_S)
        self.running.stdin.close()
        self.running.stdout.close()
        self.lines()


@contextmanager
def rig(script, *options):
    """Give a rig at work."""
    with tempfile.TemporaryDirectory() as folder:
        made = Rig(script, Path(folder), *options)
        made.start()
        try:
            yield made
        finally:
            made.end()


@contextmanager
def host(device):
    """Open a rig's pty as a program does that knows no gateway."""
    wire = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield wire
    finally:
        os.close(wire)
