"""Is this file ours to write, and what is it called? Asked before anything in it is touched."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gateway.journal import sql
from gateway.model.inbound import Moment

SCHEMA_VERSION = 1
"""Of the file. Each version has its schema_vN.sql, which takes a file there from the one before."""

APPLICATION_ID = 0x4447524A
"""Marks a database as a journal of ours, in the field that SQLite keeps for it: "DGRJ"."""

EPOCH_BYTES = 8
"""Of the epoch's name: 16 hexadecimal digits."""

FILE_MODE = 0o640
"""Positions of private craft are nobody else's business on this machine."""

_REMEDY_DAMAGED = "move it away (a new one is begun) or restore a copy of it"


def claimed(path: str, held: ExitStack) -> int:
    """Return the file, made if missing, and locked against every other gateway."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    # Closed after the database: closing any descriptor of a file drops SQLite's own locks on it.
    held.callback(os.close, file)
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def objection(number: Callable[[str], int]) -> str | None:
    """Return why this database is not ours to write; None when it is, or is empty."""
    version = number(sql.VERSION)
    if number(sql.APPLICATION) != APPLICATION_ID and (version or number(sql.COUNT_TABLES)):
        return "it is a database of another program; name another file"
    if version > SCHEMA_VERSION:
        return (
            f"a newer release wrote it (version {version}; this one knows {SCHEMA_VERSION}); "
            "run that release again, or name another file"
        )
    return None


def damage(word: Callable[[str], str]) -> str | None:
    """Return what is damaged in this database; None when nothing is."""
    fault = word(sql.CHECK)
    return None if fault == "ok" else f"it is damaged ({fault}); {_REMEDY_DAMAGED}"


def epoch_of(file: int, *, station: str, now: Moment) -> str:
    """Return a name for a new file that no other file has: by its place, its making, its owner."""
    stat = os.fstat(file)
    seed = f"{station}\0{now.utc_ns}\0{now.mono_ns}\0{stat.st_dev}\0{stat.st_ino}"
    return hashlib.blake2b(seed.encode(), digest_size=EPOCH_BYTES).hexdigest()


def words_of(error: Exception, *, is_damage: bool) -> str:
    """Return what went wrong and, where somebody can do something about it, what."""
    if isinstance(error, BlockingIOError):
        return "another gateway has it open; stop that one, or name another file"
    if isinstance(error, OSError):
        return f"{error.strerror}; name a file in a folder where this user may write"
    said = str(error) or type(error).__name__
    return f"{said}; {_REMEDY_DAMAGED}" if is_damage else said
