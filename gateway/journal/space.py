"""Room on the journal's file system: how much is left, and a reserve that is held for distress.

A full disk refuses even a DELETE, so room can't be made once it is needed. It is held beforehand: a
file beside the journal that nobody reads, given up when distress, urgency or safety finds no room.
Routine must not take that room, so it is shed before. Used by the writer's thread alone.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from gateway.clock import Clock
from gateway.journal.opening import FILE_MODE

SUFFIX = "-reserve"

LOW_SHARE = 0.2
"""Less than this share of the file system left is worth a warning."""

LOW_BYTES_MAX = 2_000_000_000
"""With more than this left nobody is warned: a fifth of a large disk is years of distress, and an
alarm that always stands is read by nobody."""

OPEN_BYTES = 1_000_000
"""What opening a journal may take: its index, and the first pages of its log."""

SHED_NS = 10 * 10**9
"""How long routine is shed at least after a commit found no room. A quota shows in no figure, and
would else be run into each second."""

PROBE_BYTES = 1_000_000
"""Asked for to see whether there is a quota in the way: more than any commit needs but a burst's,
and less than matters to anybody."""

_NO_ROOM = (errno.EDQUOT, errno.ENOSPC)

Room = Literal["ample", "low", "short", "full"]
"""Of room there is: enough · enough for now · none for routine · none but what the reserve gave."""


class Space:
    """What is left, and the reserve. Nothing here raises: the next commit says what is wrong."""

    def __init__(self, path: str, *, reserve_bytes: int, clock: Clock) -> None:
        self.free_bytes: int | None = None
        """Left for this user, besides the reserve; None before the first look."""
        self.short = False
        """Whether routine is to be told and not journaled."""
        self._folder = Path(path).parent
        self._reserve = Path(f"{path}{SUFFIX}")
        self._reserve_bytes = reserve_bytes
        self._clock = clock
        self._total_bytes = 0
        self._held = False
        self._released = False
        self._short_until_ns = 0

    @property
    def held_bytes(self) -> int:
        """How much is held in reserve now."""
        return self._reserve_bytes if self._held else 0

    @property
    def room(self) -> Room:
        """How much room there is, in a word."""
        if self.short:
            return "full" if self._released else "short"
        low_bytes = min(self._total_bytes * LOW_SHARE, LOW_BYTES_MAX)
        return "low" if (self.free_bytes or 0) < low_bytes else "ample"

    def found(self) -> None:
        """Take over the reserve of an earlier run; give it up where there's no room to open in."""
        with suppress(OSError):
            stat = self._reserve.stat()
            # In units of 512 bytes, whatever the file system's own.
            is_allocated = stat.st_blocks * 512 >= self._reserve_bytes
            self._held = stat.st_size == self._reserve_bytes and is_allocated
            if not self._held:  # of another size, or never made to its end: it holds nothing for us
                self._give_up()
        self._measure()
        if self._held and (self.free_bytes or 0) < OPEN_BYTES:
            self.ran_out(urgent=True)

    def look(self) -> None:
        """See what is left; shed routine or take it again, and make the reserve where it fits."""
        self._measure()
        if self.free_bytes is None:
            return
        if not self._held and self.free_bytes >= 2 * self._reserve_bytes:
            self._make()
            self._measure()
        if not self.short:
            self.short = self.free_bytes < self._reserve_bytes
        elif self._clock.now().mono_ns >= self._short_until_ns:
            # More than what it was shed at, so that it is not shed again by its own first rows; and
            # where no reserve can be made, as much as that would have taken.
            ample_bytes = (2 if self._held else 3) * self._reserve_bytes
            # Nor while the reserve that was given up can't be made again: then a quota stands in
            # the way, and what room is left of it is not for routine.
            self.short = self._released or self.free_bytes < ample_bytes

    def ran_out(self, *, urgent: bool) -> bool:
        """Shed routine: a commit found no room. Say whether the reserve now makes some for it."""
        self.short = True
        self._short_until_ns = self._clock.now().mono_ns + SHED_NS
        if not urgent or not self._held:
            return False
        self._give_up()
        self._released = True
        return True

    def refuses(self) -> bool:
        """Say whether the kernel refuses this user any more room.

        SQLite knows of no quota: to it that is an error of the disk, and to statvfs nothing at all.
        """
        try:
            # Without a name: nothing is left behind, whatever happens.
            flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
            file = os.open(self._folder, flags, FILE_MODE)
            try:
                os.posix_fallocate(file, 0, PROBE_BYTES)
            finally:
                os.close(file)
        except OSError as error:
            return error.errno in _NO_ROOM
        return False

    def _measure(self) -> None:
        with suppress(OSError):
            found = os.statvfs(self._folder)
            self.free_bytes = found.f_bavail * found.f_frsize
            # As df counts: without what is set aside for root.
            total = found.f_blocks - found.f_bfree + found.f_bavail
            self._total_bytes = total * found.f_frsize

    def _make(self) -> None:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            file = os.open(self._reserve, flags, FILE_MODE)
            try:
                os.ftruncate(file, self._reserve_bytes)
                os.posix_fallocate(file, 0, self._reserve_bytes)
            finally:
                os.close(file)
        except OSError:
            self._give_up()  # half of one is in everybody's way, and holds nothing
        else:
            self._held, self._released = True, False

    def _give_up(self) -> None:
        self._held = False
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)
