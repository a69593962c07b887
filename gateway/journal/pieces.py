"""A file that may be damaged, read a piece at a time.

It is not mapped into memory: there a sector that the disk can't give ends the program (SIGBUS), and
so does a file that is cut short meanwhile. Here such a part is nought, which proves nothing, and
what stands around it is read.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator

PIECE_BYTES = 65_536
"""Read at once. A search through it lets others run after a tenth of a millisecond."""

PIECES_MAX = 8
"""Held in memory, those used last: a row is read where it was found, and a long one elsewhere."""

SECTOR_BYTES = 4096
"""So much is given up where something can't be read: the kernel itself reads by the page."""


class Pieces:
    """A file; nothing at all without one."""

    def __init__(self, file: int | None) -> None:
        self.failure: OSError | None = None
        """Why some part of it could not be read; None while all could."""
        self._file = -1 if file is None else file
        self._size = 0 if file is None else os.fstat(file).st_size
        self._held: OrderedDict[int, bytes] = OrderedDict()

    def __len__(self) -> int:
        return self._size

    def read(self, start: int, end: int) -> bytes:
        """Return what stands from here to there, as far as the file goes."""
        end = min(end, self._size)
        if start >= end:
            return b""
        first, last = start // PIECE_BYTES, (end - 1) // PIECE_BYTES
        whole = b"".join(self._piece(place) for place in range(first, last + 1))
        return whole[start - first * PIECE_BYTES : end - first * PIECE_BYTES]

    def found(self, pattern: re.Pattern[bytes], length_max: int) -> Iterator[int]:
        """Yield where the pattern matches, which never matches more bytes than that."""
        for start in range(0, self._size, PIECE_BYTES):
            window = self.read(start, start + PIECE_BYTES + length_max - 1)
            for match in pattern.finditer(window):
                if match.start() < PIECE_BYTES:
                    yield start + match.start()

    def _piece(self, place: int) -> bytes:
        piece = self._held.pop(place, None)
        if piece is None:
            start = place * PIECE_BYTES
            piece = self._read(start, min(PIECE_BYTES, self._size - start))
            if len(self._held) >= PIECES_MAX:
                self._held.popitem(last=False)
        self._held[place] = piece
        return piece

    def _read(self, start: int, length: int) -> bytes:
        """Return so many bytes from the disk; nought for what it doesn't give."""
        parts = bytearray()
        most = length
        while len(parts) < length:
            left = min(most, length - len(parts))
            try:
                part = os.pread(self._file, left, start + len(parts))
            except OSError as error:
                self.failure = error
                if most > SECTOR_BYTES:
                    most = SECTOR_BYTES  # only part of it may be bad
                    continue
                part = bytes(left)
            parts += part or bytes(length - len(parts))  # nothing: it was cut short meanwhile
        return bytes(parts)
