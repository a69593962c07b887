"""How a row proves itself, and its place among the others. Pure arithmetic.

The link of a row is a digest of the row and of the link before it, whichever shelf that one stands
on: one chain for the epoch. A row keeps both links, so it can be proven alone, and none can be
changed, exchanged or put in without breaking the chain. Its ordinal counts the rows of its shelf:
so that none can be taken out of the middle of a shelf where the rows beside it are long gone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from msgspec import Struct

LINK_BYTES = 16
"""Of a digest: nobody meets the same one twice by chance, and a row grows by 32 bytes only."""

TRIM = "trim"
"""Stands for the lane in the link of a record of what was thrown away."""

_OWED_MODULUS = 1 << 8 * LINK_BYTES

_OWED = struct.Struct(">qq")
_ROW = struct.Struct(">qq?q")
_TRIM = struct.Struct(">qqq")


class Kept(Struct, frozen=True, gc=False):
    """A row whose link holds."""

    number: int
    ordinal: int
    """Its place on its shelf, counted from 1; 0 when a release without a chain wrote it."""
    lane: str
    """The lane, or the ring that it lies in."""
    utc_ns: int | None
    before: bytes
    """The link of the row before it in the epoch."""
    link: bytes
    body: bytes


class Trim(Struct, frozen=True):
    """The record of entries that were thrown away: neighbours on their shelf."""

    place: int
    """Counted from 1."""
    ordinal_first: int
    ordinal_last: int
    number_first: int
    number_last: int
    utc_ns: int | None
    """When they were thrown away."""
    anchor: bytes
    """The link of the last of them."""
    before: bytes
    """The link of the trim record before."""


class Shelf(Struct):
    """How far a table of rows has come, and what is gone from its beginning."""

    ordinal_last: int = 0
    ordinal_gone: int = 0
    """The rows up to here were thrown out of the ring; the entries have trim records instead."""
    number_gone: int = 0
    link_gone: bytes = b""


class Outstanding(Struct, frozen=True):
    """What a link has yet to take, in a nutshell: proves the table that says it row by row."""

    count: int = 0
    total: int = 0
    """Of a digest of each row, so that rows may come and go in any order."""

    def more(self, link: str, rank: int, number: int) -> Outstanding:
        """Return it with one row more."""
        return Outstanding(
            self.count + 1, (self.total + _owed_of(link, rank, number)) % _OWED_MODULUS
        )

    def less(self, link: str, rank: int, number: int) -> Outstanding:
        """Return it with one row less."""
        return Outstanding(
            self.count - 1, (self.total - _owed_of(link, rank, number)) % _OWED_MODULUS
        )

    def sealed(self) -> tuple[int, bytes]:
        """Return it as it stands on disk."""
        return self.count, self.total.to_bytes(LINK_BYTES)


class Head(Struct):
    """The newest end of the chain: what the file says of itself."""

    epoch: str
    station: str
    created_utc_ns: int | None
    number_last: int
    chained_after: int
    """Rows up to this number were there before there was a chain."""
    link_last: bytes
    trim_last: int
    trim_link: bytes


def seed_of(epoch: str) -> bytes:
    """Return what stands in the place of a link before the first row of a file."""
    return blake2b(epoch.encode(), digest_size=LINK_BYTES, person=b"DGRJ epoch").digest()


def link_of(
    before: bytes, number: int, ordinal: int, lane: str, utc_ns: int | None, body: bytes
) -> bytes:
    """Return the link of a row: its checksum, which holds for all that came before as well."""
    fixed = _ROW.pack(number, ordinal, utc_ns is None, utc_ns or 0)
    whole = b"".join((before, fixed, lane.encode(), b"\0", body))
    return blake2b(whole, digest_size=LINK_BYTES, person=b"DGRJ row").digest()


def trim_link_of(trim: Trim) -> bytes:
    """Return the link of a trim record, in a chain of their own."""
    body = _TRIM.pack(trim.ordinal_last, trim.number_first, trim.number_last) + trim.anchor
    return link_of(trim.before, trim.place, trim.ordinal_first, TRIM, trim.utc_ns, body)


def seal_of(head: Head, shelves: Mapping[str, Shelf]) -> bytes:
    """Return the checksum of what the file says of itself."""
    told = (
        head.epoch, head.station, head.created_utc_ns, head.number_last, head.chained_after,
        head.link_last.hex(), head.trim_last, head.trim_link.hex(),
        *((name, shelf.ordinal_last, shelf.ordinal_gone, shelf.number_gone, shelf.link_gone.hex())
          for name, shelf in sorted(shelves.items())),
    )  # fmt: skip
    return blake2b(repr(told).encode(), digest_size=LINK_BYTES, person=b"DGRJ head").digest()


def owed_in(link: str, rows: Iterable[tuple[int, int]]) -> Outstanding:
    """Return what these rows, of rank and number, come to."""
    owed = Outstanding()
    for rank, number in rows:
        owed = owed.more(link, rank, number)
    return owed


def layout_of(version: int, tables: Iterable[tuple[str, str]]) -> bytes:
    """Return the checksum of what a database says of its tables: version, and name and words."""
    told = repr((version, *((name, words) for name, words in tables)))
    return blake2b(told.encode(), digest_size=LINK_BYTES, person=b"DGRJ layout").digest()


def _owed_of(link: str, rank: int, number: int) -> int:
    row = _OWED.pack(rank, number) + link.encode()
    return int.from_bytes(blake2b(row, digest_size=LINK_BYTES, person=b"DGRJ owed").digest())


def kept_of(values: tuple[object, ...]) -> Kept | None:
    """Return the row that these columns are; None when it is not the row that was written.

    Of a damaged file anything may come back, in any column, of any type.
    """
    match values:
        case (
            int(number),
            int(ordinal),
            str(lane),
            None | int() as utc_ns,
            bytes(before),
            bytes(link),
            bytes(body),
        ) if len(before) == LINK_BYTES and link == link_of(
            before, number, ordinal, lane, utc_ns, body
        ):
            return Kept(number, ordinal, lane, utc_ns, before, link, body)
        case _:
            return None
