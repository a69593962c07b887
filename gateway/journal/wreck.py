"""A damaged journal, read without SQLite: rows prove themselves, so none needs a tree to be found.

Wherever in the file or its log the bytes of a row may stand, they are tried; whatever is not the
row that was written fails its link. What was thrown away long ago may turn up as well, and a row
may turn up more than once: told twice is better than not at all.

The form of a row is that of sqlite.org/fileformat2.html, section 2: a record of

    length of the header | NULL (the number) | lane | time | body | ordinal | 16 bytes | 16 bytes

before which stands the number. What has no room on its page goes on over a list of others.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self

from gateway.journal.chain import LINK_BYTES, Kept, kept_of
from gateway.journal.pieces import Pieces
from gateway.journal.rows import RINGS

PAGE_BYTES = 4096
"""Of a page, as SQLite makes them by itself."""

LOG_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES
"""Of a page in the log."""

LOCAL_BYTES_MAX = PAGE_BYTES - 35
LOCAL_BYTES_MIN = (PAGE_BYTES - 12) * 32 // 255 - 23
"""How much of a long row stands on its own page; the rest goes on elsewhere."""

_HEADER = re.compile(
    rb"\x00([\x19\x1b\x1d]?)([\x00-\x06\x08\x09])([\x80-\xff]{0,2}[\x00-\x7f])"
    rb"([\x00-\x06\x08\x09])\x2c\x2c"
)
"""The header of a row, behind the byte that tells its length. It begins with one certain byte, so
it is found at a gigabyte a second; its third part is so short that no body is over a megabyte."""

_HEADER_BYTES_MAX = 9

_INT_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
"""Of a whole number, by its type; 0 is NULL, 8 and 9 are the numbers 0 and 1 themselves."""

_TEXT, _BLOB = 13, 12
"""The least types of a text and of bytes; each two more are a byte more."""

_NUMBER_BYTES_MAX = 8


class Place(NamedTuple):
    """Where a row was found."""

    in_log: bool
    start: int


class Wreck:
    """A journal file and its log, or what is left of them."""

    def __init__(self, path: str) -> None:
        with ExitStack() as held:
            self._file = _opened(Path(path), held)
            self.log = _opened(Path(f"{path}-wal"), held)
            self._held = held.pop_all()
        self._frames: dict[int, list[int]] = {}
        """Where the log has each page that it has, the oldest first."""
        self._ends: list[int] = []
        """Where the frames stand that ended a transaction."""
        for at in range(LOG_HEADER_BYTES, len(self.log) - FRAME_BYTES + 1, FRAME_BYTES):
            page, pages = self.log.read(at, at + 4), self.log.read(at + 4, at + 8)
            self._frames.setdefault(int.from_bytes(page), []).append(at)
            if any(pages):
                self._ends.append(at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._held.close()

    def log_rows(self) -> Iterator[Kept]:
        """Yield every row of the log that proves itself."""
        return (kept for _, kept in self._rows(in_log=True, entries=False))

    def proves_a_row(self) -> bool:
        """Say whether there is any row in it that proves itself."""
        return any(
            True for in_log in (False, True) for _ in self._rows(in_log=in_log, entries=False)
        )

    def entries(self) -> Iterator[tuple[Place, Kept]]:
        """Yield every entry that proves itself, and where it stands; the same one more than once.

        Nothing but the place has to be remembered: at() reads it again.
        """
        yield from self._rows(in_log=False, entries=True)
        yield from self._rows(in_log=True, entries=True)

    def at(self, place: Place) -> Iterator[Kept]:
        """Yield the row at a place."""
        content = self.log if place.in_log else self._file
        yield from self._row(content, place.start, entries=True)

    def _rows(self, *, in_log: bool, entries: bool) -> Iterator[tuple[Place, Kept]]:
        content = self.log if in_log else self._file
        for place in content.found(_HEADER, _HEADER_BYTES_MAX):
            for kept in self._row(content, place, entries=entries):
                yield Place(in_log, place), kept

    def _row(self, content: Pieces, place: int, *, entries: bool) -> Iterator[Kept]:
        """Yield the row with the header at this place, once, if it proves itself."""
        found = _HEADER.match(content.read(place, place + _HEADER_BYTES_MAX))
        if found is None or (entries and not found[1]):
            return
        start, header = place - 1, 1 + found.end()
        body = _whole(found[3]) - _BLOB
        if start < 1 or content.read(start, place)[0] != header or body < 0 or body % 2:
            return
        lane = (found[1][0] - _TEXT) // 2 if found[1] else 0
        time, ordinal = found[2][0], found[4][0]
        sizes = (lane, _INT_BYTES[time], body // 2, _INT_BYTES[ordinal], LINK_BYTES, LINK_BYTES)
        number = _number_before(content, start)
        for payload in self._payloads(content, start, header + sum(sizes)):
            parts = list(_cut(payload[header:], sizes))
            words = [parts[0].decode(errors="replace")] if lane else RINGS
            for word in words:
                values = (
                    number, _int_of(ordinal, parts[3]), word, _int_of(time, parts[1]),
                    parts[4], parts[5], parts[2],
                )  # fmt: skip
                kept = kept_of(values)
                if kept is not None:
                    yield kept
                    return

    def _payloads(self, content: Pieces, start: int, length: int) -> Iterator[bytes]:
        """Yield the bytes of a row; where it goes on elsewhere, as it may have been then."""
        if length <= LOCAL_BYTES_MAX:
            yield content.read(start, start + length)
            return
        local = LOCAL_BYTES_MIN + (length - LOCAL_BYTES_MIN) % (PAGE_BYTES - 4)
        if local > LOCAL_BYTES_MAX:
            local = LOCAL_BYTES_MIN
        end_own = start + local
        own, onward = content.read(start, end_own), content.read(end_own, end_own + 4)
        for end in self._moments(start if content is self.log else 0):
            yield own + _chain(onward, length - local, partial(self._page, end))

    def _moments(self, start: int) -> Iterator[int]:
        """Yield how far the log may be read for what goes on elsewhere.

        To the end of the transaction that wrote the row; to the end; or not at all. What came after
        that transaction may have been torn, or have put something else on those pages.
        """
        later = bisect_left(self._ends, start - FRAME_BYTES + 1)
        if start and later < len(self._ends):
            yield self._ends[later]
        yield len(self.log)
        yield 0

    def _page(self, end: int, number: int) -> bytes:
        """Return a page as the log has it up to here, or else the file."""
        frames = self._frames.get(number, [])
        place = bisect_right(frames, end) - 1
        if place < 0:
            return self._file.read(max(0, number - 1) * PAGE_BYTES, number * PAGE_BYTES)
        at = frames[place] + FRAME_HEADER_BYTES
        return self.log.read(at, at + PAGE_BYTES)


def _opened(path: Path, held: ExitStack) -> Pieces:
    if not path.exists():
        return Pieces(None)
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    held.callback(os.close, file)
    return Pieces(file)


def _chain(onward: bytes, length: int, page: Callable[[int], bytes]) -> bytes:
    """Return what goes on over a list of pages; less, where the list is broken."""
    parts: list[bytes] = []
    while length > 0:
        content = page(int.from_bytes(onward))
        if len(content) < PAGE_BYTES:
            break
        onward = content[:4]
        parts.append(content[4 : 4 + length])
        length -= len(parts[-1])
    return b"".join(parts)


def _cut(payload: bytes, sizes: tuple[int, ...]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield payload[at : at + size]
        at += size


def _int_of(kind: int, content: bytes) -> int | None:
    if kind == 0:
        return None
    return kind - 8 if kind >= 8 else int.from_bytes(content, signed=True)


def _whole(varint: bytes) -> int:
    """Return a whole number of seven bits a byte."""
    number = 0
    for byte in varint:
        number = number << 7 | byte & 0x7F
    return number


def _number_before(content: Pieces, end: int) -> int:
    """Return the number that ends here; the byte before it ends another, and is below 0x80."""
    before = content.read(max(0, end - _NUMBER_BYTES_MAX), end)
    start = len(before) - 1
    while start > 0 and before[start - 1] >= 0x80:
        start -= 1
    return _whole(before[start:])
