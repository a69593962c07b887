"""An AIS transponder: transmits what ABM and BBM ask for, answers with ABK, logs what was on air.

    python3 -m hardware.rig.ais_transponder --name 002190047      from the top of the tree

    !--ABM,n,n,q,MMSI,c,m,data,f     to one station: message 6 or 12
    !--BBM,n,n,q,c,m,data,f          to all: message 8 or 14
    $AIABK,MMSI,c,m,q,t              what came of it: 0 received, 1 no answer, 2 could not be
                                     transmitted, 3 transmitted to all

The log has the whole message as it is on the air, in bytes, the last filled up with zero bits.

    say !AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0     tells the gateway of this message
    reach no                                              nobody answers from now on; `reach yes`

IEC 61993-2 (sentences), ITU-R M.1371-5 annex 8 (messages). The wire, the log and the other orders
are those of bench.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from hardware.rig.bench import Event, Sentences, main, sentence

BITS_MAX = 1008
"""Of a message in five slots, which are all that one may have."""
DIGITS = r"([1-9]),([1-9]),([0-9])"
ABM = re.compile(rf"..ABM,{DIGITS},([0-9]{{9}}|),([0-3]|),(6|12|),([0-W`-w]*),([0-5])")
BBM = re.compile(rf"..BBM,{DIGITS},()([0-3]|),(8|14|),([0-W`-w]*),([0-5])")
RECEIVED, UNANSWERED, IMPOSSIBLE, TO_ALL = range(4)


class Part(NamedTuple):
    """One sentence of a message."""

    of: int
    at: int
    sequence: int
    mmsi: str
    channel: str
    message: str
    bits: str


class AisTransponder:
    """A transponder that transmits what it is given."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sentences = Sentences()
        self._begun: dict[tuple[str, int], list[Part]] = {}
        """The parts of a message that still waits for more, by its sentence and sequence."""
        self._reaches = True

    def take(self, data: bytes) -> Iterator[Event]:
        """Yield each message that is transmitted, with its answer, and what is none."""
        for text, fault in self._sentences.cut(data):
            part = None if fault else _part(text)
            if part is None:
                yield Event("bad", text, fault or "neither ABM nor BBM")
                continue
            key = text[3:6].decode(), part.sequence
            parts = [*self._begun.pop(key, ()), part] if part.at > 1 else [part]
            if part.at != len(parts) or part.of != parts[0].of or part.at > part.of:
                yield Event("bad", text, "not the part that was due")
            elif part.at < part.of:
                self._begun[key] = parts
            else:
                yield self._whole(text, parts)

    def heard(self, text: str) -> bytes:
        """Return the sentence that tells of a message."""
        return sentence(text)

    def order(self, word: str, rest: str) -> str | None:
        """Have stations answer, or not."""
        if word != "reach" or rest not in ("yes", "no"):
            return None
        self._reaches = rest == "yes"
        return "reaching" if self._reaches else "out of reach"

    def _whole(self, text: bytes, parts: list[Part]) -> Event:
        first = parts[0]
        said = "".join(part.bits for part in parts)
        bits = self._header(first) + said
        channel = "B" if first.channel == "2" else "A"
        if not first.message or not said or len(bits) > BITS_MAX:
            answer = _answer(first, channel, IMPOSSIBLE)
            return Event("bad", text, f"{len(bits)} bits can't be transmitted", answer)
        result = TO_ALL if not first.mmsi else RECEIVED if self._reaches else UNANSWERED
        whom = first.mmsi or "all"
        words = f"{self.name} to {whom} on {channel}: message {first.message}"
        if first.message in ("12", "14"):
            words += f', "{_letters(said)}"'
        return Event("air", _bytes(bits), words, _answer(first, channel, result))

    def _header(self, first: Part) -> str:
        """Return the bits before those that were given (M.1371-5 annex 8, 3.4, 3.6, 3.10, 3.12)."""
        start = f"{int(first.message or 0):06b}00{int(self.name):030b}"
        if not first.mmsi:
            return f"{start}00"
        return f"{start}{first.sequence:02b}{int(first.mmsi):030b}00"


def _part(text: bytes) -> Part | None:
    said = text[1:].split(b"*")[0].decode("ascii", "replace")
    found = (ABM.fullmatch(said) or BBM.fullmatch(said)) if text.startswith(b"!") else None
    if found is None or ("ABM" in said[:5] and (not found[4] or int(found[3]) > 3)):
        return None
    of, at, sequence, mmsi, channel, message, data, fill = found.groups()
    bits = "".join(f"{_value(letter):06b}" for letter in data)
    bits = bits[: len(bits) - int(fill)]
    return Part(int(of), int(at), int(sequence), mmsi, channel, message, bits)


def _value(letter: str) -> int:
    """Return the six bits of a character (IEC 61162-1, table of six-bit binary field)."""
    value = ord(letter) - 48
    return value - 8 if value > 40 else value


def _answer(first: Part, channel: str, result: int) -> bytes:
    said = f"$AIABK,{first.mmsi},{channel},{first.message},{first.sequence},{result}"
    return sentence(said)


def _letters(bits: str) -> str:
    """Return a text in six-bit ASCII (M.1371-5 annex 8, table 47)."""
    values = [int(bits[at : at + 6], 2) for at in range(0, len(bits) - 5, 6)]
    return "".join(chr(value + 64 if value < 32 else value) for value in values)


def _bytes(bits: str) -> bytes:
    whole = bits + "0" * (-len(bits) % 8)
    return int(whole, 2).to_bytes(len(whole) // 8, "big")


if __name__ == "__main__":
    sys.exit(main(__doc__, "002190047", AisTransponder, sys.argv[1:]))
