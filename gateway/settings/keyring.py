"""Who may order transmissions, as the file of keys has it now: who gave a key up orders no more.

A thread of its own looks at the file, for a disk may hang, and what is heard waits for no disk.
"""

from __future__ import annotations

import threading
from pathlib import Path

from gateway.model.keys import KeyPlan
from gateway.settings.faults import BadSettings
from gateway.settings.keys import read_keys

LOOK_S = 1.0
"""How often it is looked whether the file is another one."""


class KeyRing:
    """The keys of a file, read anew whenever it has changed."""

    def __init__(self, path: Path, keys: tuple[KeyPlan, ...]) -> None:
        """Begin with the keys that were read before; what has changed since is found at once."""
        self._path = path
        self._known: tuple[KeyPlan, ...] | str = keys
        self._mark: tuple[int, int, int] | None = (0, 0, 0)

    def known(self) -> tuple[KeyPlan, ...] | str:
        """Return the keys, the same tuple until they change; or why nobody can know them."""
        return self._known

    def look(self) -> None:
        """Read the file if it is not the one that was read last."""
        mark = self._marked()
        if mark == self._mark:
            return
        try:
            self._known = read_keys(self._path)
        except BadSettings as bad:
            self._known = f"the keys can't be read: {bad.faults[0]}"
        except Exception as trouble:  # noqa: BLE001  # whatever it is: old keys must not count on
            self._known = f"the keys can't be read: {self._path}: {trouble}"
        self._mark = mark  # after the reading: what was written meanwhile is read again

    def watch(self) -> None:
        """Look for ever, in a thread that keeps nobody from ending."""
        threading.Thread(target=self._watch, name="keys", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_S):
            self.look()

    def _marked(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_ctime_ns, found.st_size
