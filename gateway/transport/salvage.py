"""A damaged tape, read on behind the damage: what is whole is told, what is lost is counted.

Each record proves itself by its checksum, so one that is found behind the damage is one that was
written. Nothing is repaired, and a tape whose header is damaged stays unread.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from gateway.model.asked import Taped
from gateway.model.inbound import Chunk
from gateway.transport.tape import (
    RECORD_STARTS,
    TapeBroken,
    TapeHeader,
    TapeStart,
    moment_of,
    read_records,
    read_start,
    record_at,
)

LOST_MAX = 1000
"""Places of damage told apart; a tape with more is a broken disk. The last one takes the others."""


class Lost(Struct):
    """One place where a tape is damaged, and how much of it can't be read."""

    offset: int
    reason: str
    span: int
    """Bytes up to the next whole record, or to the end."""


class Salvage:
    """One tape that is read as far as it can be, over every damage."""

    def __init__(self, path: Path) -> None:
        self.lost: list[Lost] = []
        """Where it was damaged; complete once all records have been read."""
        self._path = path
        self._start = read_start(path)

    @property
    def header(self) -> TapeHeader:
        """Whose tape it is."""
        return self._start.header

    def records(self) -> Iterator[Taped]:
        """Yield all that is whole; behind a damage each port first hears that there was a gap."""
        offset: int | None = self._start.offset
        is_gap = False
        while offset is not None:
            try:
                for heard in read_records(self._path, self._start, offset):
                    if is_gap:
                        yield from self._gaps(heard)
                        is_gap = False
                    yield heard
            except TapeBroken as broken:
                offset = _next_record(self._path, self._start, broken.offset + 1)
                self._note(broken, offset)
                is_gap = True
            else:
                return

    def _gaps(self, heard: Taped) -> Iterator[Chunk]:
        """Yield what makes each framer give up a message whose other half may be lost."""
        moment = moment_of(heard)
        for port in self.header.ports:
            yield Chunk(port, moment, b"", gap=True)

    def _note(self, broken: TapeBroken, offset: int | None) -> None:
        end = self._path.stat().st_size if offset is None else offset
        span = end - broken.offset
        if len(self.lost) < LOST_MAX:
            self.lost.append(Lost(broken.offset, broken.reason, span))
        else:
            self.lost[-1].span += span


def _next_record(path: Path, start: TapeStart, offset: int) -> int | None:
    """Return where the next whole record begins; None when there is none."""
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole,
    ):
        ahead = {sign: whole.find(sign, offset) for sign in RECORD_STARTS[start.version]}
        while found := {sign: place for sign, place in ahead.items() if place >= 0}:
            sign = min(found, key=found.__getitem__)
            place = found[sign]
            if record_at(whole, place, start.version) is not None:
                return place
            ahead = found | {sign: whole.find(sign, place + 1)}
    return None
