"""Safety-related texts that somebody orders, as sentences for a transponder, which transmits them.

    !IIABM,2,1,3,235001234,1,12,PPPP…,0      to one station: message 12
    !IIABM,2,2,3,,,,PPPP…,0                  the rest of it
    !IIBBM,1,1,7,1,14,PPPP…,0                to everybody: message 14
    AAAAAA T N Q MMMMMMMMM C KK P     F

    A  talker, and ABM or BBM      T  total of sentences      N  number of this one
    Q  sequential identifier, 0 to 3 of ABM, 0 to 9 of BBM; the transponder's answer (ABK) bears it
    M  whom to reach      C  1 AIS 1, 2 AIS 2, 0 whichever the transponder takes      K  message
    P  the text, a letter in six bits and six bits in a character of the armour: so F is always 0

The transponder puts its own identity in. What M, C and K say of a message stands in its first
sentence. IEC 61162-1 (ABM, BBM); ITU-R M.1371-5 annex 8, 3.10 and 3.12, table 47. Nothing here
writes to a port.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.codes.mmsi import mmsi_class
from gateway.model.transmission import CannotSay, Saying, Text
from gateway.model.words import Urgency
from gateway.radio import Composer
from gateway.radio.ais.meaning import alarm_of
from gateway.radio.ais.said import AisDetail

TALKER = "II"
"""Integrated instrumentation (IEC 61162-1): what orders, and is no transponder itself."""
SENTENCE_BYTES_MAX = 82
"""With its start mark and line end (IEC 61162-1)."""
ADDRESSED_LETTERS_MAX, BROADCAST_LETTERS_MAX = 156, 161
"""What five slots hold (M.1371-5 annex 8): 936 and 968 bits."""

_FRAMING = "nmea"
_CHANNELS = {None: 0, 161_975_000: 1, 162_025_000: 2}
"""By what the port is tuned to; the transponder chooses where nobody has said (M.1371-5, 2.1)."""
_ADDRESSED_NUMBERS, _BROADCAST_NUMBERS = 4, 10
_END_BYTES = len(",0*00\r\n")
_LETTERS = {chr(code): code & 0x3F for code in range(0x20, 0x60)}
_FILLS = "@"
"""Says that the text has ended."""
_REACHABLE = frozenset({"ship", "coast", "sar_aircraft", "craft", "handheld"})
"""Who can have somebody to read; devices in distress and aids hear nothing."""


def compose(saying: Saying) -> tuple[bytes, ...]:
    """Return the sentences that order this, in turn; raise CannotSay."""
    text = saying.action
    if saying.framing != _FRAMING:
        raise CannotSay(f"no text can be ordered as {saying.framing}: {_FRAMING} can")
    if not isinstance(text, Text):
        raise CannotSay("AIS has no words for that: text it has")
    _check(text, saying.own.mmsi)
    channel = _CHANNELS.get(saying.freq_hz)
    if channel is None:
        raise CannotSay(f"{saying.freq_hz} Hz is no channel of AIS: 161.975 and 162.025 MHz are")
    if text.to is None:
        sequence = saying.number % _BROADCAST_NUMBERS
        return tuple(_sentences("BBM", sequence, f"{channel},14", text.words))
    sequence = saying.number % _ADDRESSED_NUMBERS
    return tuple(_sentences("ABM", sequence, f"{text.to},{channel},12", text.words))


def _check(text: Text, own: str | None) -> None:
    """Refuse what such a message has no words or no place for."""
    if text.category is Urgency.ROUTINE:
        raise CannotSay("messages 12 and 14 of AIS are of safety, and this is routine")
    if text.bulletin is not None:
        raise CannotSay("AIS has no bulletins: leave it out")
    if text.to is not None and mmsi_class(text.to) not in _REACHABLE:
        raise CannotSay(f"{text.to} is no MMSI of a station that reads texts (ITU-R M.585)")
    if text.to is not None and text.to == own:
        raise CannotSay("a station can't write to itself")
    most = BROADCAST_LETTERS_MAX if text.to is None else ADDRESSED_LETTERS_MAX
    if len(text.words) > most:
        raise CannotSay(f"{len(text.words)} letters are more than the {most} of such a message")
    _check_letters(text.words)
    if alarm_of(AisDetail(message_type=14, mmsi=own or ""), text.words) is not None:
        raise CannotSay("only a locating device says these words: whoever hears them takes it so")


def _check_letters(words: str) -> None:
    odd = sorted(letter for letter in set(words) if letter not in _LETTERS or letter == _FILLS)
    if odd:
        why = f"AIS has no letter {odd[0]}: capitals, digits and most signs of ASCII it has"
        raise CannotSay(f"{why} (M.1371-5 table 47)")
    if words.endswith(" "):
        raise CannotSay("a space at the end would be lost: leave it out")


def _sentences(formatter: str, sequence: int, first: str, words: str) -> Iterator[bytes]:
    """Yield the sentences of one message, each as full as it may be."""
    last = "," * first.count(",")
    room, more = (
        SENTENCE_BYTES_MAX - _END_BYTES - len(_head(formatter, 9, 9, sequence, fields))
        for fields in (first, last)
    )
    pieces = [words[:room]]
    pieces += [words[at : at + more] for at in range(room, len(words), more)]
    for number, piece in enumerate(pieces, start=1):
        head = _head(formatter, len(pieces), number, sequence, first if number == 1 else last)
        yield f"{head}{_armoured(piece)},0".encode("ascii")


def _head(formatter: str, total: int, number: int, sequence: int, fields: str) -> str:
    return f"!{TALKER}{formatter},{total},{number},{sequence},{fields},"


def _armoured(words: str) -> str:
    """Return a text in the armour: six bits a character, 0 to W and ` to w (IEC 61162-1)."""
    values = (_LETTERS[letter] for letter in words)
    return "".join(chr(value + (48 if value < 40 else 56)) for value in values)


COMPOSER = Composer(says=("text",), framings=(_FRAMING,), compose=compose)
