"""Ten-bit symbols of digital selective calling, as a modem hears them: two bytes a symbol.

    100HHHHH 110LLLLL  100HHHHH 110LLLLL  …
    H  bits 1 to 5 of the symbol, in the order in which they were sent
    L  bits 6 to 10

Begin anywhere: the two halves can't be mistaken for each other, nor for text. A pair with one half
bent is a symbol that was lost, and keeps its place. What is no half at all stands between calls. A
call ends with its end of sequence (ITU-R M.493-15, annex 1, figure 1), and is told at once:

    slot  -8  -7  -6  -5  -4  -3  -2  -1      E  one of the symbols 117, 122 and 127
          E       C       E   E   E   C       C  error-check character

Four of these five will do: each E, and that both C are the same. With fewer, it ends when the modem
falls silent or sends anything else. What follows a call directly, an expansion, is a frame of its
own. Symbols prove themselves, so nothing here does; what is right only the radio system knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.codes.tenbit import LOST, PAIR_BYTES, bits_in, symbol_of
from gateway.framing import Cutter
from gateway.model.bounds import Bound
from gateway.model.words import Fault

CALL_BYTES_MAX = 256 * PAIR_BYTES
"""The longest call with its phasing has some 90 symbols, the longest expansion 110."""

_ENDS = (117, 122, 127)
_END_PLACES = (-8, -4, -3, -2)
_CHECK_PLACES = (-6, -1)
_SIGNS_MIN = 4
_FIRST_MARK, _MARK = 0b100_00000, 0b111_00000
_TOKENS = re.compile(
    rb"(?P<symbol>[\x80-\x9f][\xc0-\xdf])|"
    rb"(?P<lost>[\x80-\x9f][^\x80-\x9f]|[^\x80-\x9f][\xc0-\xdf])|"
    rb"(?P<other>.)",
    re.DOTALL,
)


class Symbols(Cutter):
    """Cut a stream of symbols into calls; what is no symbol is noise."""

    kept_bytes_max: ClassVar[int] = CALL_BYTES_MAX

    def __init__(self) -> None:
        super().__init__()
        self._raw = b""
        self._body = b""
        self._noise = b""

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of their call; the tail is half a symbol, or may be."""
        return len(self._tail) + len(self._raw) + len(self._noise)

    def bounds(self) -> Iterator[Bound]:
        """Yield how much waits for the end of its call."""
        yield Bound(
            of="Symbols._raw",
            what="half_call_bytes",
            held=len(self._raw),
            limit=CALL_BYTES_MAX,
            rule="what is longer than any call is read as far as it goes",
        )

    @staticmethod
    def wrap(body: bytes) -> bytes:
        """Return the bytes that carry this body: it has its halves marked already."""
        return body

    def _cut(self, wire: bytes) -> None:
        """Emit each call whose end of sequence has come."""
        at = 0
        while at < len(wire):
            if at + 1 == len(wire) and self._may_go_on(wire[at]):
                self._tail = wire[at:]
                break
            found = _TOKENS.match(wire, at)
            assert found is not None  # noqa: S101  # its last branch takes any byte
            at += self._take(found)
        self._flush_noise()

    def _may_go_on(self, byte: int) -> bool:
        """Say whether a last byte may be half a symbol, bent or not."""
        return bool(self._raw) or byte & _MARK == _FIRST_MARK

    def _take(self, found: re.Match[bytes]) -> int:
        """Take one token, and return how many bytes of it are done with."""
        token = found[0]
        if found.lastgroup == "symbol" or (found.lastgroup == "lost" and self._raw):
            self._flush_noise()
            self._raw += token
            self._body += token if found.lastgroup == "symbol" else LOST
            if self._ended() or len(self._raw) >= CALL_BYTES_MAX:
                self._emit_call()
            return len(token)
        self._emit_call()
        self._noise += token[:1]
        return 1

    def _ended(self) -> bool:
        """Say whether the last eight symbols are the end of a sequence."""
        ends = [self._symbol(place) for place in _END_PLACES]
        one, other = (self._symbol(place) for place in _CHECK_PLACES)
        same = one is not None and one == other
        return any(ends.count(end) + same >= _SIGNS_MIN for end in _ENDS)

    def _symbol(self, place: int) -> int | None:
        at = len(self._body) + place * PAIR_BYTES
        return None if at < 0 else symbol_of(bits_in(self._body[at : at + PAIR_BYTES]))

    def _give_up(self) -> None:
        """Emit what was held: nothing more of it will come."""
        self._noise += self._tail
        self._tail = b""
        noise, self._noise = self._noise, b""
        self._emit_call()
        self._noise = noise
        self._flush_noise()

    def _emit_call(self) -> None:
        if self._raw:
            self._emit(self._raw, None, self._body)
            self._raw, self._body = b"", b""

    def _flush_noise(self) -> None:
        if self._noise:
            self._emit(self._noise, Fault.NOISE)
            self._noise = b""


FRAMER = Symbols
