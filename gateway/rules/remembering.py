"""What rules remember, as it is written down, and taken up by the next run. Pure.

Monotonic times count from the start of the machine, so what another start has written is moved onto
this one's: by the time of day where it was held then and is held now, else as though no time had
passed. Nobody knows how much did, and a deadline must not run out for a clock that was never set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import DecodeError, Struct
from msgspec.msgpack import decode, encode

from gateway.model.inbound import Moment
from gateway.model.words import HELD, ClockState
from gateway.rules.bench import Bench, RuleKept

LARGE_BYTES = 16_384
LARGE_NS = 10 * 10**9
"""What is so large is written so seldom: a card lasts longer, and hundreds of pairs of craft are
seen again in seconds."""


class Word(Struct, frozen=True):
    """What a rule remembered, and when."""

    kept: RuleKept
    boot: str | None
    """The start of the machine that its times count from."""
    mono_ns: int
    utc_ns: int | None
    clock: ClockState


class Remembering:
    """What of the bench has yet to be written down."""

    def __init__(self, bench: Bench, boot: str | None) -> None:
        self._bench = bench
        self._boot = boot
        self._written: dict[str, tuple[RuleKept, int]] = {}
        """What was handed over last of each rule, and when."""

    def anew(self) -> None:
        """Have all of it written: what was handed over has come to no disk."""
        self._written.clear()

    def due(self, now: Moment, *, every: bool = False) -> dict[str, bytes]:
        """Return what has changed since it was handed over last."""
        found: dict[str, bytes] = {}
        for name, kept in self._bench.keep().items():
            before, at_ns = self._written.get(name, (None, 0))
            if kept == before:
                continue
            is_large = len(kept.memory) + len(kept.standing) > LARGE_BYTES
            if before and is_large and not every and now.mono_ns < at_ns + LARGE_NS:
                continue
            self._written[name] = kept, now.mono_ns
            found[name] = encode(Word(kept, self._boot, now.mono_ns, now.utc_ns, now.clock))
        return found


def taken_up(
    bench: Bench, words: Mapping[str, bytes], *, boot: str | None, now: Moment
) -> tuple[str, ...]:
    """Have the rules take up what was written down.

    Returns:
        Those that begin anew, because it is of another form than this release's.
    """
    read: dict[str, Word] = {}
    lost: list[str] = []
    for name, body in words.items():
        try:
            read[name] = decode(body, type=Word)
        except DecodeError:
            lost.append(name)
    shifts = _shifts(read.values(), boot, now)
    kept = {name: (word.kept, shifts[word.boot]) for name, word in read.items()}
    return (*lost, *bench.restore(kept))


def late(
    bench: Bench, words: Mapping[str, bytes], begun: Mapping[str, RuleKept]
) -> dict[str, bytes]:
    """Return which words may still be taken up by rules that have been at work without them.

    What stands otherwise than when it had begun goes on with what it has found since, unless it
    can add to that.
    """
    now = bench.keep()
    return {
        name: word
        for name, word in words.items()
        if name not in now or now[name] == begun.get(name) or bench.adds(name)
    }


def _shifts(words: Iterable[Word], boot: str | None, now: Moment) -> dict[str | None, int]:
    """Return by how much the times of each start have to be moved: all of one by the same."""
    newest: dict[str | None, Word] = {}
    for word in words:
        known = newest.get(word.boot)
        if known is None or word.mono_ns > known.mono_ns:
            newest[word.boot] = word
    return {start: _shift(word, boot, now) for start, word in newest.items()}


def _shift(word: Word, boot: str | None, now: Moment) -> int:
    if word.boot == boot:
        return 0
    latest_ns = now.mono_ns - word.mono_ns
    if word.utc_ns is None or now.utc_ns is None or not {word.clock, now.clock} <= HELD:
        return latest_ns
    return min((word.utc_ns - word.mono_ns) - (now.utc_ns - now.mono_ns), latest_ns)
