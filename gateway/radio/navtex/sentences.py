"""The NRX sentence: its fields, and the text that it carries (IEC 61162-1, NRX)."""

from __future__ import annotations

import re

from msgspec import Struct

from gateway.model.inbound import Frame

FIELDS = 13
_TOTAL_MAX = 999
_ESCAPE = re.compile(r"\^([0-9A-Fa-f]{2})")
_MESSAGE_ID = re.compile(r"[A-Z]{2}\d\d")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?:\.\d+)?")
_COUNT = re.compile(r"\d{1,6}")
_RESERVED = re.compile(r"[^ -~]|[$*,!\\^~]")
TEXT_CHARACTERS_MAX = 42
"""What is left of the 82 characters of a sentence beside a full header."""


class Header(Struct, frozen=True):
    """What the first sentence of a message says of it."""

    message_id: str | None
    frequency: int | None
    received_utc: str | None
    characters: int | None
    bad: int | None
    status: str | None


class Part(Struct, frozen=True):
    """One sentence of a message."""

    frame: Frame
    total: int
    number: int
    key: str
    """What sentences of one message have in common."""
    header: Header | None
    text: str


def part_of(frame: Frame, texts: list[str]) -> Part | None:
    """Return what the fields of a sentence say; None when they are not those of NRX."""
    if len(texts) < FIELDS or not all(_COUNT.fullmatch(text) for text in texts[:3]):
        return None
    total, number = int(texts[0]), int(texts[1])
    if not 1 <= number <= total <= _TOTAL_MAX:
        return None
    return Part(
        frame=frame,
        total=total,
        number=number,
        key=f"{total}|{texts[2]}",
        header=_header(texts) if any(texts[3:12]) else None,
        text=_ESCAPE.sub(lambda found: chr(int(found[1], 16)), ",".join(texts[12:])),
    )


def _header(texts: list[str]) -> Header:
    time = _TIME.fullmatch(texts[5])
    day, month, year = (text if _COUNT.fullmatch(text) else "" for text in texts[6:9])
    dated = f"{year}-{month:0>2}-{day:0>2}T" if day and month and len(year) == 4 else ""
    return Header(
        message_id=texts[3] if _MESSAGE_ID.fullmatch(texts[3]) else None,
        frequency=int(texts[4]) if texts[4] in ("0", "1", "2", "3") else None,
        received_utc=f"{dated}{time[1]}:{time[2]}:{time[3]}Z" if time else None,
        characters=int(texts[9]) if _COUNT.fullmatch(texts[9]) else None,
        bad=int(texts[10]) if _COUNT.fullmatch(texts[10]) else None,
        status=texts[11] if texts[11] in ("A", "V") else None,
    )


def write_sentences(
    message_id: str, text: str, *, sequence: int = 0, frequency: int = 2, bad: int = 0
) -> tuple[bytes, ...]:
    """Return the sentences that tell a message; bodies begin with their start mark."""
    pieces, piece = [], ""
    for character in text.replace("\n", "\r\n"):
        said = _RESERVED.sub(lambda found: f"^{ord(found[0]):02X}", character)
        if len(piece) + len(said) > TEXT_CHARACTERS_MAX:
            pieces.append(piece)
            piece = ""
        piece += said
    pieces.append(piece)
    return tuple(
        f"$CRNRX,{len(pieces):03},{number:03},{sequence:02},{_head(number, message_id, frequency)},"
        f"{_counts(number, text, bad)},{piece}".encode("ascii")
        for number, piece in enumerate(pieces, 1)
    )


def _head(number: int, message_id: str, frequency: int) -> str:
    return f"{message_id},{frequency}" if number == 1 else ","


def _counts(number: int, text: str, bad: int) -> str:
    """Return the fields from the time to the status; the time is left to the receiver."""
    return f",,,,{len(text)},{bad},A" if number == 1 else ",,,,,,"
