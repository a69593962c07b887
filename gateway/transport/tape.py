"""Tapes: everything heard, with its times, as it came in. The only importer of msgpack.

A tape is a stream of msgpack values, which any msgpack library can read:

    {"tape": "distress-gateway", "version": 3, "station": …, "ports": {…}, "boot": …, "crc": …}
    ["c", port, mono_ns, utc_ns, clock, error_ms, gap, data, crc]   bytes heard: a Chunk
    ["t", mono_ns, utc_ns, clock, error_ms, crc]                    the passing of time: a Tick
    ["s", mono_ns, utc_ns, clock, error_ms, {what: …}, crc]         what was stated: a Fact
    ["q", mono_ns, utc_ns, clock, error_ms, {purpose: …}, crc]      what was to be sent: a Request

Version 1 had neither `boot` nor `error_ms`, version 2 neither statements nor requests.

`crc` is the CRC-32 of the same value packed without it: a tape is evidence, and a damaged one says
so instead of telling another story. Each file stands alone; one that was cut by a power loss gives
all that is before the cut.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import IO, TypeVar

import msgpack  # type: ignore[import-untyped]  # it ships without types
import msgspec
from msgspec import Struct

from gateway.model.asked import Fact, Request, Taped
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.plan import Profile
from gateway.model.words import ClockState
from gateway.transport import READ_BYTES_MAX

VERSION = 3
"""Raised when an older reader would misunderstand; every older version stays readable."""

RECORD_BYTES_MAX = 1024 * 1024
"""The header of 100 ports is some 50 kB; a chunk is 4 kB."""

CHUNK_BYTES_MAX = 65_536
"""Room for tapes that other tools write."""

RECORD_STARTS = {
    1: (b"\x98\xa1c", b"\x95\xa1t"),
    2: (b"\x99\xa1c", b"\x96\xa1t"),
    3: (b"\x99\xa1c", b"\x96\xa1t", b"\x97\xa1s", b"\x97\xa1q"),
}
"""How a record begins, by version: an array of so many values, the first of which is its kind."""

_MAGIC = "distress-gateway"
_BITS_PER_CHARACTER = 10
"""A start bit, eight bits, a stop bit."""
_ERROR_MS_AT = {"c": 5, "t": 4}
"""Where `error_ms` stands in a record; in version 1 it was not there."""
_Said = TypeVar("_Said", Fact, Request)
_FRAME_BYTES_MAX = 1024
"""What of a record is not bytes heard: times, and a name of 32 characters at most."""


class TapePort(Struct, frozen=True):
    """One port that a tape was recorded from."""

    modem: str
    profile: Profile
    played: bool = False
    """Whether it was a tape itself, played as though it were now."""
    exercise: bool = False
    """Whether all that was heard there is of an exercise."""


class TapeHeader(Struct, frozen=True):
    """Whose tape it is, and what is needed to understand it."""

    station: str
    ports: dict[str, TapePort]
    boot: str | None = None
    """The start of the machine that its monotonic times count from; None on older tapes."""
    position: tuple[float, float] | None = None
    """Where the station stands, latitude and longitude in degrees."""


class TapeStart(Struct, frozen=True):
    """How a tape begins."""

    header: TapeHeader
    version: int
    offset: int
    """Where its records begin."""


class TapeBroken(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """A tape can't be read from here on; what came before it is good."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: byte {self.offset}: {self.reason}"


class NothingRead(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """A file is no tape, and no capture either: there is no whole frame in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: is no tape, and nothing in it could be read"


class TapeWriter:
    """Writes one tape. An existing file is never overwritten.

    Each record goes to the kernel at once, so that a killed gateway leaves a whole tape.
    """

    def __init__(self, path: Path, header: TapeHeader) -> None:
        packed = _packed_header(header)
        self.bytes_written = 0
        self._file = path.open("xb", buffering=0)
        try:
            self._put(packed)
        except OSError:
            self._file.close()
            with suppress(OSError):  # a tape that has not begun is none
                path.unlink()
            raise

    def write(self, heard: Taped) -> None:
        """Put this on the tape; raise OSError when the disk does not take it."""
        self._put(_packed_row(heard))

    def close(self) -> None:
        """End the tape."""
        self._file.close()

    def _put(self, packed: bytes) -> None:
        written = self._file.write(packed)
        self.bytes_written += written
        if written < len(packed):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def moment_of(one: Taped) -> Moment:
    """Return when this was heard, stated or asked."""
    match one:
        case Chunk():
            return one.heard
        case Tick():
            return one.now
        case Fact() | Request():
            return one.at


def is_tape(path: Path) -> bool:
    """Whether this file starts as our tapes do."""
    start = _pack("tape") + _pack(_MAGIC)
    with path.open("rb") as file:
        return file.read(1 + len(start))[1:] == start


def read_tape(path: Path) -> tuple[TapeHeader, Iterator[Taped]]:
    """Return whose tape it is, and all that is on it; raise TapeBroken where it can't go on."""
    start = read_start(path)
    return start.header, read_records(path, start, start.offset)


def read_start(path: Path) -> TapeStart:
    """Return whose tape it is, and where its records begin; raise TapeBroken."""
    with path.open("rb") as file:
        return _read_header(path, file)


def read_records(path: Path, start: TapeStart, offset: int) -> Iterator[Taped]:
    """Yield the records from this place on; raise TapeBroken where it can't go on."""
    end = path.stat().st_size
    with path.open("rb") as file:
        file.seek(offset)
        unpacker = _unpacker(file)
        begin = 0
        for fields in _values(path, unpacker, end=end - offset, offset=offset):
            if not isinstance(fields, list) or fields[-1:] != [_crc(fields[:-1])]:
                raise TapeBroken(path, offset + begin, "damaged: wrong checksum")
            try:
                yield _heard(fields, start.version)
            except msgspec.ValidationError as error:
                raise TapeBroken(path, offset + begin, f"not understood: {error}") from error
            begin = unpacker.tell()


def record_at(whole: mmap, place: int, version: int) -> Taped | None:
    """Return the record that begins here, or None when no whole one does."""
    unpacker = _unpacker(None)
    unpacker.feed(whole[place : place + CHUNK_BYTES_MAX + _FRAME_BYTES_MAX])
    try:
        fields = next(unpacker)
        is_whole = isinstance(fields, list) and fields[-1:] == [_crc(fields[:-1])]
        return _heard(fields, version) if is_whole else None
    except (StopIteration, ValueError, msgpack.UnpackException, msgspec.ValidationError):
        return None


def read_capture(path: Path, port: str, *, baud: int = 4800) -> Iterator[Chunk]:
    """Return a file of plain bytes, as other tools write them, in chunks.

    Nobody knows when they were heard: the monotonic time is that at which the last byte of a chunk
    would have come in over a line of that speed, the time of day is unknown. An empty chunk after a
    gap ends it, so that the framer gives up what it still holds.
    """
    byte_ns = _BITS_PER_CHARACTER * 10**9 // baud
    mono_ns = 0
    with path.open("rb") as file:
        while data := file.read(READ_BYTES_MAX):
            mono_ns += len(data) * byte_ns
            yield Chunk(port, Moment(mono_ns), data)
    yield Chunk(port, Moment(mono_ns + 1), b"", gap=True)


class _ChunkRow(Struct, array_like=True, tag="c", forbid_unknown_fields=True):
    port: str
    mono_ns: int
    utc_ns: int | None
    clock: ClockState
    error_ms: int | None
    gap: bool
    data: bytes
    crc: int


class _TickRow(Struct, array_like=True, tag="t", forbid_unknown_fields=True):
    mono_ns: int
    utc_ns: int | None
    clock: ClockState
    error_ms: int | None
    crc: int


class _SaidRow(Struct, array_like=True, forbid_unknown_fields=True):
    """What was stated or asked, as its fields with their names: more of them may come."""

    mono_ns: int
    utc_ns: int | None
    clock: ClockState
    error_ms: int | None
    said: dict[str, object]
    crc: int


class _FactRow(_SaidRow, tag="s"):
    """A statement."""


class _RequestRow(_SaidRow, tag="q"):
    """A request."""


class _HeaderRow(Struct, forbid_unknown_fields=True):
    tape: str
    version: int
    station: str
    ports: dict[str, TapePort]
    crc: int
    boot: str | None = None
    position: tuple[float, float] | None = None


def _packed_header(header: TapeHeader) -> bytes:
    fields = {
        "tape": _MAGIC,
        "version": VERSION,
        "station": header.station,
        "ports": msgspec.to_builtins(header.ports),
        "boot": header.boot,
        # An earlier release refuses a key that it does not know: left out where nothing is known.
        **({} if header.position is None else {"position": header.position}),
    }
    return _pack({**fields, "crc": _crc(fields)})


def _packed_row(heard: Taped) -> bytes:
    moment = moment_of(heard)
    times = [moment.mono_ns, moment.utc_ns, str(moment.clock), moment.error_ms]
    fields: list[object]
    match heard:
        case Chunk():
            fields = ["c", heard.port, *times, heard.gap, heard.data]
        case Tick():
            fields = ["t", *times]
        case Fact():
            fields = ["s", *times, _said(heard)]
        case Request():
            fields = ["q", *times, _said(heard)]
    return _pack([*fields, _crc(fields)])


def _said(one: Fact | Request) -> dict[str, object]:
    """Return what it says beside its moment, which stands in front of it."""
    said: dict[str, object] = msgspec.to_builtins(one)
    return {name: value for name, value in said.items() if name != "at"}


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed


def _crc(fields: object) -> int:
    return zlib.crc32(_pack(fields))


def _read_header(path: Path, file: IO[bytes]) -> TapeStart:
    unpacker = _unpacker(file)
    fields = next(_values(path, unpacker, end=path.stat().st_size), None)
    if not isinstance(fields, dict) or fields.get("tape") != _MAGIC:
        raise TapeBroken(path, 0, "not a tape of the distress gateway")
    version = fields.get("version")
    if version not in RECORD_STARTS:
        raise TapeBroken(path, 0, f"tape version {version!r}; this release reads 1 to {VERSION}")
    if fields.pop("crc", None) != _crc(fields):
        raise TapeBroken(path, 0, "damaged header: wrong checksum")
    try:
        row = msgspec.convert({**fields, "crc": 0}, _HeaderRow)
    except msgspec.ValidationError as error:
        raise TapeBroken(path, 0, f"header not understood: {error}") from error
    header = TapeHeader(station=row.station, ports=row.ports, boot=row.boot, position=row.position)
    return TapeStart(header, row.version, unpacker.tell())


def _heard(fields: list[object], version: int) -> Taped:
    if version == 1:
        fields.insert(_ERROR_MS_AT.get(str(fields[0]), 0), None)
    row = msgspec.convert(fields, _ChunkRow | _TickRow | _FactRow | _RequestRow)
    moment = Moment(row.mono_ns, row.utc_ns, row.clock, row.error_ms)
    if isinstance(row, _ChunkRow):
        return Chunk(row.port, moment, row.data, gap=row.gap)
    if isinstance(row, _FactRow):
        return _as(Fact, row.said, moment)
    if isinstance(row, _RequestRow):
        return _as(Request, row.said, moment)
    return Tick(moment)


def _as(what: type[_Said], said: dict[str, object], at: Moment) -> _Said:
    """Return what was said; ValidationError for what only a later release knows."""
    strange = said.keys() - set(what.__struct_fields__)
    if strange:
        reason = f"unknown to this release: {', '.join(sorted(strange))}"
        raise msgspec.ValidationError(reason)
    return msgspec.convert({**said, "at": msgspec.to_builtins(at)}, what)


def _values(
    path: Path, unpacker: msgpack.Unpacker, *, end: int, offset: int = 0
) -> Iterator[object]:
    """Return the values of a stream that should be `end` bytes long."""
    while True:
        begin = unpacker.tell()
        try:
            value = next(unpacker)
        except StopIteration:
            if end > begin:
                raise TapeBroken(path, offset + begin, "cut short") from None
            return
        except (ValueError, msgpack.UnpackException) as error:
            reason = f"damaged: {error or type(error).__name__}"
            raise TapeBroken(path, offset + begin, reason) from error
        yield value


def _unpacker(file: IO[bytes] | None) -> msgpack.Unpacker:
    return msgpack.Unpacker(
        file,
        read_size=READ_BYTES_MAX,
        raw=False,
        timestamp=0,
        strict_map_key=True,
        max_buffer_size=RECORD_BYTES_MAX,
        max_bin_len=CHUNK_BYTES_MAX,
        max_str_len=CHUNK_BYTES_MAX,
        max_array_len=256,
        max_map_len=256,
        max_ext_len=0,
    )
