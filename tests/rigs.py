"""The rig modems of `hardware/rig/`, each a process of its own on a pty."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

RIGS = Path(__file__).parent.parent / "hardware" / "rig"
START_S_MAX = 10.0


class Rig:
    """One rig modem at work, and what it has put on the air."""

    def __init__(self, script, *options):
        self._process = subprocess.Popen(
            [sys.executable, RIGS / script, *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.device = self._process.stdout.readline().strip()
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        self.lines.extend(line.split() for line in self._process.stdout)

    @property
    def air(self):
        """Everything that went on the air, in order, as bytes."""
        return [bytes.fromhex(line[2]) for line in list(self.lines) if line[0] == "air"]

    @property
    def bad(self):
        """Everything that came from the gateway and is nothing to transmit."""
        return [bytes.fromhex("".join(line[2:])) for line in list(self.lines) if line[0] == "bad"]

    def tell(self, order):
        """Say a line to its desk."""
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()

    def until(self, condition, limit_s=START_S_MAX):
        """Wait until this is so."""
        end_s = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end_s, f"not in time: {self.lines}"
            time.sleep(0.005)

    def end(self):
        """Stop this process, and no other."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


@contextmanager
def rig(script, *options):
    """Give a rig modem at work."""
    made = Rig(script, *options)
    try:
        yield made
    finally:
        made.end()
