r"""NMEA 0183 / IEC 61162-1 sentences: a start mark, a body, a checksum, a line end.

    \\s:rx1,c:1700000000*5A\\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24<CR><LF>
    TTTTTTTTTTTTTTTTTTTTTTTTSBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB CCCLLLLLLLL

    T  TAG block between backslashes, with a checksum of its own (NMEA 0183 v4.10, section 7)
    S  start mark: `$`, or `!` for encapsulated sentences
    B  body: printable ASCII without the reserved `$ ! * \\`
    C  asterisk and two hexadecimal digits: the exclusive-or of the body
    L  line end; whatever stands between checksum and line end is noise

A sentence is told as soon as its checksum proves it: a lost line end must not keep a call for help
until the next one comes. Line ends that follow are counted with the frame behind them.

The checksum is enforced: a sentence without one, or with a wrong one, is a frame with a fault. Its
two digits are taken in either case: the standard writes capitals, real receivers don't always, and
the value proves the sentence just the same. This file never interprets a body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.codes.checksum import nmea_checksum
from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.inbound import Tags
from gateway.model.words import Fault, Integrity

SENTENCE_BYTES_MAX = 1024
"""The standard says 82; TAG blocks and vendors say more; a stream without line ends never ends."""

_CHECKSUM_DIGITS = 2
_LEGAL = bytes(byte for byte in range(0x20, 0x7F) if byte not in b"$!\\")
_START = re.compile(rb"[$!\\](?:(?<!\\)(?=[A-Z][A-Z0-9]{2})|(?<=\\)(?=[a-z]:))")
"""A start mark counts only before an address or a tag; a lone `$` in noise starts nothing."""
_START_BEGUN = re.compile(rb"(?:[$!](?:[A-Z][A-Z0-9]?)?|\\[a-z]?)\Z")
"""What may turn out to be a start mark once the next bytes have come."""
_TAG_TIME_MS_DIGITS = 13
"""`c:` in seconds has ten digits until the year 2286; with thirteen it is in milliseconds."""


class Nmea(Cutter):
    """Cut a byte stream into sentences; a broken one is kept, marked with its fault."""

    kept_bytes_max: ClassVar[int] = SENTENCE_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self._tags: Tags | None = None
        self._tag_raw = b""

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the rest of its sentence."""
        yield Bound(
            of="Nmea._tail",
            what="half_sentence_bytes",
            held=len(self._tail),
            limit=SENTENCE_BYTES_MAX,
            rule="what can't be a sentence any more is counted as noise; what may begin one stays",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the sentence that carries this body; it starts with its own start mark."""
        return b"%b*%02X\r\n" % (body, nmea_checksum(body[1:]))

    def _cut(self, wire: bytes) -> None:
        """Emit each sentence that has ended, and the last as soon as it is proven."""
        *lines, tail = wire.split(b"\n")
        for line in lines:
            self._line(line + b"\n", None)
        if len(tail) > SENTENCE_BYTES_MAX:
            tail = self._overflow(tail)
        whole = _whole_until(tail)
        if whole:
            self._line(tail[:whole], None)
        self._tail = tail[whole:]

    def _give_up(self) -> None:
        """Emit what was held: the bytes that would have completed it are missing."""
        if self._tail:
            self._line(self._tail, Fault.CUT)
            self._tail = b""
        if self._blank:
            self._emit(b"", Fault.NOISE)

    def _overflow(self, tail: bytes) -> bytes:
        """Give up on a line without an end, but for what may be the start of a sentence."""
        begin = len(tail) - SENTENCE_BYTES_MAX + 1
        found = _START.search(tail, begin) or _START_BEGUN.search(tail, begin)
        keep_from = found.start() if found else len(tail)
        self._line(tail[:keep_from], None)
        return tail[keep_from:]

    def _line(self, line: bytes, fault: Fault | None) -> None:
        """Emit what one line holds: usually a sentence, sometimes noise, sometimes several."""
        if not line.strip(b"\r\n"):
            self._blank += len(line)
            return
        starts = [found.start() for found in _START.finditer(line)]
        if not starts:
            self._emit(line, Fault.NOISE)
            return
        if starts[0]:
            self._emit(line[: starts[0]], Fault.NOISE)
        for begin, end in zip(starts, [*starts[1:], len(line)], strict=True):
            piece = line[begin:end]
            if piece.startswith(b"\\"):
                self._tag_block(piece)
            else:
                self._sentence(piece, fault if end == len(line) else None)
        if self._tag_raw:
            self._emit(self._tag_raw, Fault.BROKEN_TAG_BLOCK)
            self._tag_raw, self._tags = b"", None

    def _sentence(self, piece: bytes, fault: Fault | None) -> None:
        text = piece.rstrip(b"\r\n")
        star = text.find(b"*")
        body = text[1:star] if star > 0 else text[1:]
        found = _fault_of(text, body, star)
        raw_end = len(text) if star < 0 else star + 1 + _CHECKSUM_DIGITS
        raw = self._tag_raw + text[:raw_end]
        after = text[raw_end:]
        if len(raw) > SENTENCE_BYTES_MAX:
            found = Fault.OVERSIZE
        elif found is Fault.NO_CHECKSUM:
            found = fault or found
        span = len(self._tag_raw) + len(piece) - len(after)
        tags, self._tags, self._tag_raw = self._tags, None, b""
        integrity = Integrity.NONE if found else Integrity.CHECKSUM
        self._emit(raw, found, body, span=span, integrity=integrity, tags=tags)
        if after:
            self._emit(after, Fault.NOISE)

    def _tag_block(self, piece: bytes) -> None:
        """Remember a TAG block for the sentence right behind it; refuse a broken one."""
        if self._tag_raw:
            self._emit(self._tag_raw, Fault.BROKEN_TAG_BLOCK)
            self._tag_raw, self._tags = b"", None
        body, star, rest = piece[1:].partition(b"*")
        digits, end, after = rest.partition(b"\\")
        if not (star and end) or after or _checksum_value(digits) != nmea_checksum(body):
            self._emit(piece, Fault.BROKEN_TAG_BLOCK)
            return
        self._tags, self._tag_raw = _tags_of(body), piece


def _fault_of(text: bytes, body: bytes, star: int) -> Fault | None:
    """Judge the envelope before anyone reads the letter."""
    if star < 0:
        return Fault.NO_CHECKSUM
    value = _checksum_value(text[star + 1 : star + 1 + _CHECKSUM_DIGITS])
    if value is None:
        return Fault.UNREADABLE_CHECKSUM
    if value != nmea_checksum(body):
        return Fault.WRONG_CHECKSUM
    if body.translate(None, _LEGAL):
        return Fault.ILLEGAL_CHARACTER
    return None


def _whole_until(tail: bytes) -> int:
    """Return how far the tail need not wait for a line end.

    That is until its last sentence ends, if it is proven already, or until that sentence begins.
    """
    if b"*" not in tail:
        return 0
    starts = [found.start() for found in _START.finditer(tail)]
    if not starts:
        return 0
    begin = starts[-1]
    sentence = tail[begin:]
    star = sentence.find(b"*")
    end = star + 1 + _CHECKSUM_DIGITS
    if star > 0 and not sentence.startswith(b"\\"):
        if not _fault_of(sentence[:end], sentence[1:star], star):
            return begin + end
        if len(sentence) >= end:
            return 0
    # What has begun last goes on; its TAG block, if it has one, stays with it.
    tagged = len(starts) > 1 and tail[starts[-2] :].startswith(b"\\") and star != 0
    return starts[-2] if tagged else begin


def _checksum_value(digits: bytes) -> int | None:
    if len(digits) != _CHECKSUM_DIGITS or not digits.isalnum():
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None


def _tags_of(body: bytes) -> Tags:
    found = dict(
        field.split(":", 1) for field in body.decode("ascii", "replace").split(",") if ":" in field
    )
    return Tags(
        source=found.get("s") or None,
        time_ns=_tag_time_ns(found.get("c", "")),
        group=found.get("g") or None,
    )


def _tag_time_ns(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > _TAG_TIME_MS_DIGITS:
        return None
    return int(text) * (10**6 if len(text) == _TAG_TIME_MS_DIGITS else 10**9)


FRAMER = Nmea
