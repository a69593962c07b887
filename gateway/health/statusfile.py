"""The status as a file: for whoever looks after the box itself, with no broker in between.

It belongs into /run, which is memory: it is written on the event loop, and not synchronised. Who
reads it finds the whole of one status, never half of one.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from gateway.model.status import Status

MODE = 0o644
"""Whoever is on the box may read it: it has no position and no name of a person in it."""


class StatusFile:
    """One file, replaced whole each time."""

    def __init__(self, path: str) -> None:
        self.failures = 0
        """Times that it could not be written. It costs nobody anything but this file."""
        self._path = Path(path)
        # In the same folder, or the replacement would be no single step.
        self._fresh = self._path.with_name(f".{self._path.name}.fresh")

    def write(self, status: Status) -> None:
        """Let this status stand in the file; a failure is counted, not raised."""
        try:
            with self._fresh.open("wb") as file:
                os.fchmod(file.fileno(), MODE)
                file.write(msgspec.json.encode(status) + b"\n")
            self._fresh.replace(self._path)
        except OSError:
            self.failures += 1
            with suppress(OSError):
                self._fresh.unlink()
