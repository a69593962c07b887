"""Where a damaged journal goes: beside its place, under a name of its own, never over another file.

The file gets its second name before it loses the first (hard links), its log and itself, and only
then is the place free. So a power cut at any moment leaves either the damaged file in its place,
which is then set aside again, or the place free; and never a file without its log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gateway.journal.failed import JournalFailed
from gateway.journal.opening import claimed
from gateway.points import reached

ASIDE_MAX = 8
"""Damaged files kept beside a journal. They are evidence, so none is ever deleted here; but a disk
that has damaged so many needs a person, and must not be filled by them."""

LOG = "-wal"
UNDO = "-journal"
INDEX = "-shm"

_SUFFIX = re.compile(r"\.damaged-\d{1,9}(-wal)?\Z")


def set_aside(path: str) -> str:
    """Give a damaged file and its log another name, and return it; raise when that can't be."""
    with ExitStack() as held:
        claimed(path, held)
        away = _linked_as(Path(path)) or _free(Path(path))
        for suffix in (LOG, UNDO, ""):
            _link(Path(f"{path}{suffix}"), Path(f"{away}{suffix}"))
        _sync(Path(path).parent)
        reached("journal.linked_aside")
        Path(path).unlink()
        reached("journal.set_away")
        for suffix in (LOG, UNDO, INDEX):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        _sync(Path(path).parent)
    return str(away)


def settle(path: str) -> None:
    """Set a log aside whose file is gone: SQLite would delete it, with whatever is only there."""
    log = Path(f"{path}{LOG}")
    if not _size(log) or _size(Path(path)):
        return
    if not any(log.samefile(name) for name in _names(Path(path)) if name.name.endswith(LOG)):
        _link(log, Path(f"{_free(Path(path))}{LOG}"))
        _sync(log.parent)
    log.unlink()
    _sync(log.parent)


def newest_first(path: str) -> list[str]:
    """Return the names of the damaged files, of their logs alone if need be, the last one first."""
    numbers = sorted({_number(name) for name in _names(Path(path))}, reverse=True)
    return [f"{path}.damaged-{number}" for number in numbers]


def still_there(path: str, noted: Iterable[tuple[object, ...]]) -> dict[str, int]:
    """Return the names of those that were set aside and are there yet, themselves or their logs."""
    names = {str(name): msgspec.convert(told, int) for name, told in noted}
    there = {name.name.removesuffix(LOG) for name in _names(Path(path))}
    return {name: told for name, told in names.items() if name in there}


def _free(path: Path) -> Path:
    numbers = {_number(name) for name in _names(path)}
    if len(numbers) >= ASIDE_MAX:
        reason = f"there are {len(numbers)} damaged files beside it already; move those away"
        raise JournalFailed(str(path), reason)
    return Path(f"{path}.damaged-{max(numbers, default=0) + 1}")


def _linked_as(path: Path) -> Path | None:
    """Return the name that an earlier attempt gave the file before it was cut short."""
    for name in _names(path):
        if not name.name.endswith(LOG) and path.samefile(name):
            return name
    return None


def _names(path: Path) -> list[Path]:
    """Return every file that was set aside beside this one, and every log: none else."""
    found = path.parent.iterdir() if path.parent.is_dir() else ()
    return [
        name
        for name in found
        if name.name.startswith(f"{path.name}.damaged-") and _SUFFIX.search(name.name)
    ]


def _number(name: Path) -> int:
    return int(name.name.removesuffix(LOG).rpartition("-")[2])


def _link(path: Path, name: Path) -> None:
    if _size(path) and not (name.exists() and path.samefile(name)):
        os.link(path, name)  # raises where there is a file of that name


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
