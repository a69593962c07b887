"""What rooms remember beside the entries: the newest word of each, by its name.

A word that is not as it was written is left out and counted: who asks begins anew there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from gateway.journal import sql
from gateway.points import reached

WORDS_MAX = 8192
"""Words remembered: two for each of 512 rules in each of eight agreements."""

PROOF_BYTES = 16

Values = tuple[object, ...]


class Database(Protocol):
    """What is asked of the database."""

    def execute(self, asked: str, values: Values, /) -> Iterable[Values]:
        """Do one thing."""

    def executemany(self, asked: str, rows: Iterable[Values], /) -> object:
        """Do one thing with many rows."""


class Recalled(Struct, frozen=True):
    """What was remembered."""

    words: dict[str, bytes]
    damaged: int = 0


class Remembered:
    """The table of them. It has no part in the reserve: what was heard goes before."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, words: Mapping[str, bytes | None]) -> None:
        """Take these for the newest words of their names; what is None is forgotten."""
        kept = [(name, _proof(name, one), one) for name, one in words.items() if one is not None]
        self._db.executemany(sql.REMEMBER, kept)
        self._db.executemany(sql.FORGET, [(name,) for name in words if words[name] is None])
        reached("journal.remembered")

    def read(self) -> Recalled:
        """Return all that is remembered."""
        words: dict[str, bytes] = {}
        damaged = 0
        for row in self._db.execute(sql.REMEMBERED, (WORDS_MAX,)):
            match row:
                case str(name), proof, bytes(body) if proof == _proof(name, body):
                    words[name] = body
                case _:
                    damaged += 1
        return Recalled(words, damaged)


def _proof(name: str, body: bytes) -> bytes:
    digest = blake2b(digest_size=PROOF_BYTES)
    digest.update(len(name.encode()).to_bytes(4) + name.encode() + body)
    return digest.digest()
