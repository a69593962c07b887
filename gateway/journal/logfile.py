"""Has the log beside a journal lost something that was in it? SQLite itself doesn't say.

After a power cut SQLite reads the write-ahead log up to the first frame that doesn't hold, and
takes the rest for what the cut tore. So one bit that falls over in the middle of a log takes all
behind it away, without a word, and its numbers would be given again. A transaction that had been
ended, behind the place where SQLite stopped, is therefore taken for damage. The very last one may
as well have been torn by the cut before anybody was told of it; nobody can say, and new numbers
cost nothing.

The forms of both files are those of sqlite.org/walformat.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from gateway.journal.pieces import Pieces
from gateway.journal.wreck import FRAME_BYTES, FRAME_HEADER_BYTES, LOG_HEADER_BYTES, Wreck

_INDEX_FRAMES = struct.Struct("=I")
_INDEX_FRAMES_AT = 16
"""Where the index beside the log, in the order of this machine, says how many frames hold."""

_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
"""How a log begins; the least bit says that its checksums are made of big-endian words."""

_SALTS = slice(16, 24)
"""Where a log says which one it is; each frame of it says the same."""
_FRAME_SALTS = slice(8, 16)
_PAGES_ONCE_ENDED = slice(4, 8)
"""Not nought in the last frame of a transaction."""


class Loss(Enum):
    """What a log has lost that was in it."""

    NOTHING = 0
    THE_LAST = 1
    """The last transaction, which may as well never have been confirmed."""
    MORE = 2
    """What is left may be of any time, and need not fit together."""


def loss_of(path: str, *, number_last: int) -> Loss:
    """Return what the log has lost that was in it. SQLite has it open."""
    index = Path(f"{path}-shm")
    with Wreck(path) as wreck:
        log, header = wreck.log, wreck.log.read(0, LOG_HEADER_BYTES)
        if log.failure is not None:  # it may have lost anything: no disk to go on with
            raise log.failure
        if len(header) < LOG_HEADER_BYTES or not index.exists():
            return Loss.NOTHING
        if not _holds(header):
            # Torn when the log was begun anew: then all that was in it is in the file as well.
            beyond = any(row.number > number_last for row in wreck.log_rows())
            return Loss.MORE if beyond else Loss.NOTHING
        with index.open("rb") as file:
            file.seek(_INDEX_FRAMES_AT)
            (held,) = _INDEX_FRAMES.unpack(file.read(_INDEX_FRAMES.size))
        frames = _frames_beyond(log, held, header[_SALTS])
        return _lost(frames)


def _lost(frames: Iterator[bool]) -> Loss:
    """Return what these frames were, each of which ended a transaction or didn't."""
    if not any(frames):
        return Loss.NOTHING
    return Loss.THE_LAST if next(frames, None) is None else Loss.MORE


def _holds(header: bytes) -> bool:
    """Say whether the first words of a log are as they were written."""
    order = ">" if header[3] & 1 else "<"
    words = struct.unpack(f"{order}6I", header[:24])
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return header[:4] in _MAGIC and struct.unpack(">2I", header[24:]) == (first, second)


def _frames_beyond(log: Pieces, held: int, salts: bytes) -> Iterator[bool]:
    """Yield whether it ended a transaction, for each frame of this log behind those that hold.

    One that was never written is the end: no fallen bit makes that of a frame.
    """
    first = LOG_HEADER_BYTES + held * FRAME_BYTES
    for start in range(first, len(log) - FRAME_BYTES + 1, FRAME_BYTES):
        frame = log.read(start, start + FRAME_HEADER_BYTES)
        bent = int.from_bytes(frame[_FRAME_SALTS]) ^ int.from_bytes(salts)
        if bent.bit_count() > 1:
            return
        yield any(frame[_PAGES_ONCE_ENDED])
