"""A disk under SQLite that remembers every write, and can say what a power cut would have left.

What is recorded: each write, truncation and synchronisation of each file, and what was made and
deleted in its folder. What a cut may leave of it: all that was synchronised; of the rest any part,
each write kept, dropped, or torn, at a sector or at a byte, or its room without its content. So
writes come in any order, by omission. The disk is honest: what it says is synchronised, is.

`Sqlite3` has the shape of the module sqlite3, as far as the journal asks for it.
"""

import itertools
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import apsw

SECTOR_BYTES = 512
"""The smallest that a card writes at once."""

_NAMES = itertools.count()
"""Each virtual file system that SQLite knows needs a name of its own."""


class Op(NamedTuple):
    """One thing that was asked of the disk."""

    kind: str
    """write, truncate, sync, create or delete."""
    name: str
    place: int = 0
    content: bytes = b""


class Node:
    """A file: what is safe of it, and what has been asked since."""

    def __init__(self, content: bytes = b"") -> None:
        self.safe = bytearray(content)
        self.pending: list[Op] = []

    def sync(self) -> None:
        """Make safe what is pending."""
        for op in self.pending:
            _apply(self.safe, op)
        self.pending.clear()

    def left(self, temper: "Temper") -> bytes:
        """Return what a cut leaves of it."""
        content = bytearray(self.safe)
        for op in self.pending:
            for part in temper.parts(op, len(content)):
                _apply(content, part)
        return bytes(content)


class Folder:
    """The files of a folder, as far as they are safe, and what has been asked since."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._safe = {name: Node(content) for name, content in files.items()}
        self._now = dict(self._safe)
        self._pending: list[tuple[str, Node | None]] = []
        self._fresh: set[str] = set()
        """Logs that were made, and have not been synchronised since."""

    def take(self, op: Op) -> None:
        """Do one thing that was recorded."""
        if op.kind == "create":
            node = Node()
            self._now[op.name] = node
            self._pending.append((op.name, node))
            self._fresh.add(op.name)
        elif op.kind == "delete":
            self._now.pop(op.name, None)
            self._pending.append((op.name, None))
            if op.place:
                self._sync()
        elif op.kind == "sync":
            self._now[op.name].sync()
            # With the first synchronisation of a log of its own making SQLite does its folder too.
            if op.name in self._fresh and not op.name.endswith(".db"):
                self._sync()
        else:
            self._now[op.name].pending.append(op)

    def left(self, temper: "Temper") -> dict[str, bytes]:
        """Return the files that a cut leaves, by name."""
        found = dict(self._safe)
        for name, node in self._pending:
            if not temper.keeps():
                continue
            if node is None:
                found.pop(name, None)
            else:
                found[name] = node
        return {name: node.left(temper) for name, node in found.items()}

    def _sync(self) -> None:
        self._safe = dict(self._now)
        self._pending.clear()
        self._fresh.clear()


class Temper:
    """How the disk takes the cut."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._keep = dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        self._tear = dice.choice((0.0, 0.0, 0.2, 0.8))

    def keeps(self) -> bool:
        """Say whether something not synchronised is there all the same."""
        return self._dice.random() < self._keep

    def parts(self, op: Op, length: int) -> Iterator[Op]:
        """Yield what is there of something that was asked, in a file of this length."""
        if not self.keeps():
            return
        if op.kind == "truncate" or self._dice.random() >= self._tear:
            yield op
            return
        how = self._dice.choice(("byte", "sector", "sectors", "room"))
        if how == "byte":
            yield _span(op, 0, self._dice.randrange(len(op.content)))
        elif how == "sector":
            edge = self._dice.randint(1, len(op.content) // SECTOR_BYTES + 1) * SECTOR_BYTES
            yield _span(op, 0, edge - op.place % SECTOR_BYTES)
        elif how == "sectors":
            yield from self._sectors(op)
        else:  # the file has grown, and what belongs there has not come
            grown = _span(op, length - op.place, len(op.content))
            yield grown._replace(content=bytes(len(grown.content)))

    def _sectors(self, op: Op) -> Iterator[Op]:
        """Yield every other sector of it, as the dice fall."""
        first = -(op.place % SECTOR_BYTES)
        for start in range(first, len(op.content), SECTOR_BYTES):
            if self._dice.random() < 0.5:
                yield _span(op, start, start + SECTOR_BYTES)


def _span(op: Op, low: int, high: int) -> Op:
    """Return a part of a write."""
    low = max(0, low)
    return op._replace(place=op.place + low, content=op.content[low : max(low, high)])


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.place :]
        content.extend(bytes(op.place - len(content)))
        return
    if not op.content:
        return
    end = op.place + len(op.content)
    if end > len(content):
        content.extend(bytes(end - len(content)))
    content[op.place : end] = op.content


class Platter:
    """The disk below one folder, which takes note of what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.ops: list[Op] = []
        self.vfs = f"platter-{next(_NAMES)}"
        self._folder = folder
        self._begun = {path.name: path.read_bytes() for path in folder.iterdir()}
        self._known = set(self._begun)
        self._vfs = _Vfs(self)

    def close(self) -> None:
        """Have SQLite forget this disk."""
        self._vfs.unregister()

    def folder(self) -> Folder:
        """Return the folder as it was before anything was recorded."""
        return Folder(self._begun)

    def opened(self, name: str) -> None:
        """Note that a file is open; one that was not there has been made."""
        if name not in self._known:
            self._known.add(name)
            self.ops.append(Op("create", name))

    def deleted(self, name: str, *, synced: bool) -> None:
        """Note that a file was deleted, and whether its folder was synchronised."""
        self._known.discard(name)
        self.ops.append(Op("delete", name, int(synced)))


class _Vfs(apsw.VFS):
    def __init__(self, platter: Platter) -> None:
        super().__init__(platter.vfs, "")
        self._platter = platter

    def xOpen(self, name, flags):  # noqa: N802  # SQLite's name
        return _File(self._platter, name, flags)

    def xDelete(self, filename, syncdir):  # noqa: N802  # SQLite's name
        super().xDelete(filename, syncdir)
        self._platter.deleted(Path(filename).name, synced=syncdir)


class _File(apsw.VFSFile):
    def __init__(self, platter: Platter, name, flags) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._ops = platter.ops
        self._name = Path(path).name if path else ""
        """Without one it is a temporary file: no part of anything that must last."""
        super().__init__("", name, flags)
        if self._name:
            platter.opened(self._name)

    def xWrite(self, data, offset):  # noqa: N802  # SQLite's name
        super().xWrite(data, offset)
        if self._name:
            self._ops.append(Op("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize):  # noqa: N802  # SQLite's name
        super().xTruncate(newsize)
        self._ops.append(Op("truncate", self._name, newsize))

    def xSync(self, flags):  # noqa: N802  # SQLite's name
        super().xSync(flags)
        self._ops.append(Op("sync", self._name))


class Sqlite3:
    """As the module sqlite3, on such a disk."""

    Error = sqlite3.Error
    DatabaseError = sqlite3.DatabaseError
    OperationalError = sqlite3.OperationalError
    SQLITE_FULL = sqlite3.SQLITE_FULL

    def __init__(self, platter: Platter) -> None:
        self._platter = platter

    def connect(
        self, path: str, *, uri: bool = False, **asked: object
    ) -> "Connection | sqlite3.Connection":
        """Open a database; by an address it is opened only to be read, which needs no disk."""
        if uri:
            return sqlite3.connect(path, uri=True, **asked)
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        with _translated():
            return Connection(apsw.Connection(path, flags=flags, vfs=self._platter.vfs))


class Connection:
    """As sqlite3.Connection."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self.text_factory: object = str

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun."""
        return self._db.in_transaction

    def execute(self, asked: str, values=()) -> "Cursor":
        """Do one thing."""
        return self._do(lambda cursor: cursor.execute(asked, values))

    def executemany(self, asked: str, rows) -> "Cursor":
        """Do one thing with many rows."""
        return self._do(lambda cursor: cursor.executemany(asked, rows))

    def executescript(self, script: str) -> None:
        """Do many things."""
        self.execute(script)

    def create_function(self, name: str, arity: int, function, *, deterministic: bool) -> None:
        """Let SQL call this function."""
        self._db.create_scalar_function(name, function, arity, deterministic=deterministic)

    def rollback(self) -> None:
        """End a transaction, if there is one, with nothing done."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        with _translated():
            self._db.close()

    def _do(self, work) -> "Cursor":
        before = self._db.total_changes()
        with _translated():
            cursor = work(self._db.cursor())
        return Cursor(cursor, self._db.total_changes() - before)


class Cursor:
    """As sqlite3.Cursor."""

    def __init__(self, cursor: apsw.Cursor, rowcount: int) -> None:
        self._cursor = cursor
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[tuple]:
        with _translated():
            yield from self._cursor

    def fetchone(self) -> tuple | None:
        """Return the next row."""
        return next(iter(self), None)


class _translated:  # noqa: N801  # used as a statement
    """Raises what the module sqlite3 would."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind, error, _trace) -> None:
        if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
            raise sqlite3.DatabaseError(str(error)) from error
        if isinstance(error, apsw.Error):
            raise sqlite3.OperationalError(str(error)) from error
