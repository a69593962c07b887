"""Tapes: everything heard, with its times, as it came in. The only importer of msgpack.

A tape is a stream of msgpack values, which any msgpack library can read:

    {"tape": "distress-gateway", "version": 2, "station": …, "ports": {…}, "boot": …, "crc": …}
    ["c", port, mono_ns, utc_ns, clock, error_ms, gap, data, crc]    bytes heard: a Chunk
    ["t", mono_ns, utc_ns, clock, error_ms, crc]                     the passing of time: a Tick

Version 1 had neither `boot` nor `error_ms`.

`crc` is the CRC-32 of the same value packed without it: a tape is evidence, and a damaged one says
so instead of telling another story. Each file stands alone; one that was cut by a power loss gives
all that is before the cut.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgpack  # type: ignore[import-untyped]  # it ships without types
import msgspec
from msgspec import Struct

from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.plan import Profile
from gateway.model.words import ClockState
from gateway.points import reached
from gateway.transport import READ_BYTES_MAX

VERSION = 2
"""Raised when an older reader would misunderstand; every older version stays readable."""

RECORD_BYTES_MAX = 1024 * 1024
"""The header of 100 ports is some 50 kB; a chunk is 4 kB."""

CHUNK_BYTES_MAX = 65_536
"""Room for tapes that other tools write."""

RETRY_NS = 10 * 10**9
"""How long a disk that has refused is left alone."""

_MAGIC = "distress-gateway"
_BITS_PER_CHARACTER = 10
"""A start bit, eight bits, a stop bit."""
_ERROR_MS_AT = {"c": 5, "t": 4}
"""Where `error_ms` stands in a record; in version 1 it was not there."""
_SUFFIX = ".tape"
_NUMBER_DIGITS = 8


class TapePort(Struct, frozen=True):
    """One port that a tape was recorded from."""

    modem: str
    profile: Profile
    played: bool = False
    """Whether it was a tape itself, played as though it were now."""


class TapeHeader(Struct, frozen=True):
    """Whose tape it is, and what is needed to understand it."""

    station: str
    ports: dict[str, TapePort]
    boot: str | None = None
    """The start of the machine that its monotonic times count from; None on older tapes."""


class TapeBroken(Exception):  # noqa: N818  # named for what happened, as all our exceptions are
    """A tape can't be read from here on; what came before it is good."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: byte {self.offset}: {self.reason}"


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

    def write(self, heard: Chunk | Tick) -> None:
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


class Recorder:
    """Records everything that comes in: tapes in a folder, the newest kept.

    They are numbered, so that a clock that was set back can't mix their order. A full or broken
    disk costs records, never the watch: it is counted, told, and tried again with a new tape, on
    which the first bytes of each port that lost some are marked as coming after a gap.
    """

    def __init__(
        self,
        directory: Path,
        header_of: Callable[[], TapeHeader],
        *,
        rotate_bytes: int,
        keep_bytes: int,
        spare_bytes: int = 0,
    ) -> None:
        self.last_error: str | None = None
        """What the disk said when it last refused; None once it takes records again."""
        self.records_lost = 0
        self._directory = directory
        self._header_of = header_of
        self._rotate_bytes = rotate_bytes
        self._keep_bytes = keep_bytes
        self._spare_bytes = spare_bytes
        """Left free on the tapes' disk for what matters more."""
        self._missed: set[str] = set()
        """Ports of which the last chunk is not on tape."""
        self._tape: TapeWriter | None = None
        self._retry_mono_ns = 0

    def write(self, heard: Chunk | Tick) -> None:
        """Put this on tape; a disk that refuses is counted, not raised."""
        moment = heard.heard if isinstance(heard, Chunk) else heard.now
        if self._tape is None and moment.mono_ns < self._retry_mono_ns:
            self._lose(heard)
            return
        try:
            self._give_way()
            tape = self._tape = self._tape or self._next_tape(moment)
            tape.write(self._marked(heard))
            self.last_error = None
            if tape.bytes_written >= self._rotate_bytes:
                self._tape = None
                tape.close()
                reached("tape.rotated")
        except OSError as error:
            self._lose(heard)
            self.last_error = str(error)
            self._retry_mono_ns = moment.mono_ns + RETRY_NS
            self.close()

    def close(self) -> None:
        """End the tape."""
        tape, self._tape = self._tape, None
        if tape is not None:
            with suppress(OSError):  # a full disk may refuse, and has closed the file all the same
                tape.close()

    def _lose(self, heard: Chunk | Tick) -> None:
        self.records_lost += 1
        if isinstance(heard, Chunk):
            self._missed.add(heard.port)

    def _marked(self, heard: Chunk | Tick) -> Chunk | Tick:
        if isinstance(heard, Tick) or heard.port not in self._missed:
            return heard
        self._missed.discard(heard.port)
        return msgspec.structs.replace(heard, gap=True)

    def _give_way(self) -> None:
        """Raise OSError when what is left on the disk is needed by others."""
        if self._tape is None:
            self._directory.mkdir(parents=True, exist_ok=True)
        found = os.statvfs(self._directory)
        if found.f_bavail * found.f_frsize < self._spare_bytes:
            raise OSError(
                errno.ENOSPC, f"less than {self._spare_bytes / 1e6:g} MB left, which is spared"
            )

    def _next_tape(self, moment: Moment) -> TapeWriter:
        tapes = sorted(self._directory.glob(f"*{_SUFFIX}"))
        number = 1 + max((_number_of(tape) for tape in tapes), default=0)
        name = f"{number:0{_NUMBER_DIGITS}}-{_time_of(moment)}{_SUFFIX}"
        self._make_room(tapes)
        return TapeWriter(self._directory / name, self._header_of())

    def _make_room(self, tapes: list[Path]) -> None:
        """Throw the oldest tapes away until a full new one fits as well."""
        sizes = {tape: tape.stat().st_size for tape in tapes if _number_of(tape)}
        total = sum(sizes.values()) + self._rotate_bytes
        for tape, size in sizes.items():
            if total <= self._keep_bytes:
                return
            tape.unlink()
            total -= size


def is_tape(path: Path) -> bool:
    """Whether this file starts as our tapes do."""
    start = _pack("tape") + _pack(_MAGIC)
    with path.open("rb") as file:
        return file.read(1 + len(start))[1:] == start


def read_tape(path: Path) -> tuple[TapeHeader, Iterator[Chunk | Tick]]:
    """Return whose tape it is, and all that is on it; raise TapeBroken where it can't go on."""
    with path.open("rb") as file:
        header, version, offset = _read_header(path, file)
    return header, _rows(path, version, offset)


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


class _HeaderRow(Struct, forbid_unknown_fields=True):
    tape: str
    version: int
    station: str
    ports: dict[str, TapePort]
    crc: int
    boot: str | None = None


def _packed_header(header: TapeHeader) -> bytes:
    fields = {
        "tape": _MAGIC,
        "version": VERSION,
        "station": header.station,
        "ports": msgspec.to_builtins(header.ports),
        "boot": header.boot,
    }
    return _pack({**fields, "crc": _crc(fields)})


def _packed_row(heard: Chunk | Tick) -> bytes:
    moment = heard.heard if isinstance(heard, Chunk) else heard.now
    times = [moment.mono_ns, moment.utc_ns, str(moment.clock), moment.error_ms]
    if isinstance(heard, Chunk):
        fields = ["c", heard.port, *times, heard.gap, heard.data]
    else:
        fields = ["t", *times]
    return _pack([*fields, _crc(fields)])


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed


def _crc(fields: object) -> int:
    return zlib.crc32(_pack(fields))


def _read_header(path: Path, file: IO[bytes]) -> tuple[TapeHeader, int, int]:
    unpacker = _unpacker(file)
    fields = next(_values(path, unpacker, end=path.stat().st_size), None)
    if not isinstance(fields, dict) or fields.get("tape") != _MAGIC:
        raise TapeBroken(path, 0, "not a tape of the distress gateway")
    version = fields.get("version")
    if version not in (1, VERSION):
        raise TapeBroken(path, 0, f"tape version {version!r}; this release reads 1 to {VERSION}")
    if fields.pop("crc", None) != _crc(fields):
        raise TapeBroken(path, 0, "damaged header: wrong checksum")
    try:
        row = msgspec.convert({**fields, "crc": 0}, _HeaderRow)
    except msgspec.ValidationError as error:
        raise TapeBroken(path, 0, f"header not understood: {error}") from error
    header = TapeHeader(station=row.station, ports=row.ports, boot=row.boot)
    return header, row.version, unpacker.tell()


def _rows(path: Path, version: int, offset: int) -> Iterator[Chunk | Tick]:
    end = path.stat().st_size
    with path.open("rb") as file:
        file.seek(offset)
        unpacker = _unpacker(file)
        begin = 0
        for fields in _values(path, unpacker, end=end - offset, offset=offset):
            if not isinstance(fields, list) or fields[-1:] != [_crc(fields[:-1])]:
                raise TapeBroken(path, offset + begin, "damaged: wrong checksum")
            try:
                yield _heard(fields, version)
            except msgspec.ValidationError as error:
                raise TapeBroken(path, offset + begin, f"not understood: {error}") from error
            begin = unpacker.tell()


def _heard(fields: list[object], version: int) -> Chunk | Tick:
    if version == 1:
        fields.insert(_ERROR_MS_AT.get(str(fields[0]), 0), None)
    row = msgspec.convert(fields, _ChunkRow | _TickRow)
    moment = Moment(row.mono_ns, row.utc_ns, row.clock, row.error_ms)
    if isinstance(row, _ChunkRow):
        return Chunk(row.port, moment, row.data, gap=row.gap)
    return Tick(moment)


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


def _unpacker(file: IO[bytes]) -> msgpack.Unpacker:
    return msgpack.Unpacker(
        file,
        read_size=READ_BYTES_MAX,
        raw=False,
        timestamp=0,
        strict_map_key=True,
        max_buffer_size=RECORD_BYTES_MAX,
        max_bin_len=CHUNK_BYTES_MAX,
        max_str_len=CHUNK_BYTES_MAX,
        max_array_len=64,
        max_map_len=256,
        max_ext_len=0,
    )


def _number_of(tape: Path) -> int:
    """Return the number in a tape's name; 0 for a file that is not ours."""
    number = tape.name[:_NUMBER_DIGITS]
    return int(number) if number.isascii() and number.isdecimal() else 0


def _time_of(moment: Moment) -> str:
    if moment.utc_ns is None:
        return "time-unknown"
    heard = datetime.fromtimestamp(moment.utc_ns // 10**9, UTC)
    return f"{heard:%Y%m%dT%H%M%SZ}"
