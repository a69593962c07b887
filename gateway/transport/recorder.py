"""Tapes in a folder, one after the other: everything that comes in, the newest kept."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from gateway.model.asked import Taped
from gateway.model.inbound import Chunk, Moment
from gateway.points import reached
from gateway.transport.tape import TapeHeader, TapeWriter, moment_of

RETRY_NS = 10 * 10**9
"""How long a disk that has refused is left alone."""

_SUFFIX = ".tape"
_NUMBER_DIGITS = 8


class Recorder:
    """Records everything that comes in: tapes in a folder, the newest kept.

    They are numbered, so that a clock that was set back can't mix their order. A full or broken
    disk costs records, never the watch: it is counted, told, and tried again with a new tape, on
    which the first bytes of each port that lost some are marked as coming after a gap.
    """

    def __init__(
        self,
        directory: Path,
        header_of: Callable[[], TapeHeader],
        *,
        rotate_bytes: int,
        keep_bytes: int,
        spare_bytes: int = 0,
    ) -> None:
        self.last_error: str | None = None
        """What the disk said when it last refused; None once it takes records again."""
        self.records_lost = 0
        self._directory = directory
        self._header_of = header_of
        self._rotate_bytes = rotate_bytes
        self._keep_bytes = keep_bytes
        self._spare_bytes = spare_bytes
        """Left free on the tapes' disk for what matters more."""
        self._missed: set[str] = set()
        """Ports of which the last chunk is not on tape."""
        self._tape: TapeWriter | None = None
        self._retry_mono_ns = 0

    def write(self, heard: Taped) -> None:
        """Put this on tape; a disk that refuses is counted, not raised."""
        moment = moment_of(heard)
        if self._tape is None and moment.mono_ns < self._retry_mono_ns:
            self._lose(heard)
            return
        try:
            self._give_way()
            tape = self._tape = self._tape or self._next_tape(moment)
            tape.write(self._marked(heard))
            self.last_error = None
            if tape.bytes_written >= self._rotate_bytes:
                self._tape = None
                tape.close()
                reached("tape.rotated")
        except OSError as error:
            self._lose(heard)
            self.last_error = str(error)
            self._retry_mono_ns = moment.mono_ns + RETRY_NS
            self.close()

    def close(self) -> None:
        """End the tape."""
        tape, self._tape = self._tape, None
        if tape is not None:
            with suppress(OSError):  # a full disk may refuse, and has closed the file all the same
                tape.close()

    def _lose(self, heard: Taped) -> None:
        self.records_lost += 1
        if isinstance(heard, Chunk):
            self._missed.add(heard.port)

    def _marked(self, heard: Taped) -> Taped:
        if not isinstance(heard, Chunk) or heard.port not in self._missed:
            return heard
        self._missed.discard(heard.port)
        return replace(heard, gap=True)

    def _give_way(self) -> None:
        """Raise OSError when what is left on the disk is needed by others."""
        if self._tape is None:
            self._directory.mkdir(parents=True, exist_ok=True)
        found = os.statvfs(self._directory)
        if found.f_bavail * found.f_frsize < self._spare_bytes:
            raise OSError(
                errno.ENOSPC, f"less than {self._spare_bytes / 1e6:g} MB left, which is spared"
            )

    def _next_tape(self, moment: Moment) -> TapeWriter:
        tapes = sorted(self._directory.glob(f"*{_SUFFIX}"))
        number = 1 + max((_number_of(tape) for tape in tapes), default=0)
        name = f"{number:0{_NUMBER_DIGITS}}-{_time_of(moment)}{_SUFFIX}"
        self._make_room(tapes)
        return TapeWriter(self._directory / name, self._header_of())

    def _make_room(self, tapes: list[Path]) -> None:
        """Throw the oldest tapes away until a full new one fits as well."""
        sizes = {tape: tape.stat().st_size for tape in tapes if _number_of(tape)}
        total = sum(sizes.values()) + self._rotate_bytes
        for tape, size in sizes.items():
            if total <= self._keep_bytes:
                return
            tape.unlink()
            total -= size


def _number_of(tape: Path) -> int:
    """Return the number in a tape's name; 0 for a file that is not ours."""
    number = tape.name[:_NUMBER_DIGITS]
    return int(number) if number.isascii() and number.isdecimal() else 0


def _time_of(moment: Moment) -> str:
    if moment.utc_ns is None:
        return "time-unknown"
    heard = datetime.fromtimestamp(moment.utc_ns // 10**9, UTC)
    return f"{heard:%Y%m%dT%H%M%SZ}"
