"""Compare COBS, CRC-16 and msgpack of the packed link with what others say of them.

`FILES` names the files and how each is compared. A row comes back with its disagreements; with None
when the link has no use for it: other variants of COBS, and other checks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gateway.codes.stuffing import stuff_cobs, unstuff_cobs
from gateway.framing import checked
from gateway.radio.packed import read_letter
from gateway.radio.packed.letters import Health

Row = tuple[str, str, tuple[str, ...] | None]
"""Its id, how far it is trusted, and where it disagrees."""

CHECK = "crc-16-genibus"
BEFORE, BEHIND = b"\x83\xa1t\xa6health\xa1x", b"\xa4up_s\x07"
"""A letter of three pairs, and one value missing: that of a key that nobody knows."""


def check_cobs(path: Path) -> list[Row]:
    return [(row["id"], row["trust"], of_cobs(row)) for row in rows(path)]


def check_crc(path: Path) -> list[Row]:
    return [(row["id"], row["trust"], of_crc(row)) for row in rows(path)]


def check_msgpack(path: Path) -> list[Row]:
    return [(row["id"], row["trust"], of_msgpack(row)) for row in rows(path)]


FILES: dict[str, Callable[[Path], list[Row]]] = {
    "framing/cobs.jsonl": check_cobs,
    "framing/crc_check_values.jsonl": check_crc,
    "framing/msgpack.jsonl": check_msgpack,
}


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def of_cobs(row: dict) -> tuple[str, ...] | None:
    if row["variant"] != "COBS":
        return None
    stuffed = bytes.fromhex(row["encoded_hex"])
    found = unstuff_cobs(stuffed)
    if row["error"]:
        return () if found is None else (f"unstuffed: {found.hex()} of what is an error",)
    expected = bytes.fromhex(row["decoded_hex"])
    wrong = () if found == expected else (f"unstuffed: {found!r}, not {expected!r}",)
    return wrong if stuff_cobs(expected) == stuffed else (*wrong, "stuffed: otherwise")


def of_crc(row: dict) -> tuple[str, ...] | None:
    if row["name"] != CHECK:
        return None
    found = int.from_bytes(checked(row["input_ascii"].encode("ascii"))[-2:], "big")
    return () if found == int(row["expected"], 16) else (f"check: {found:#x}",)


def of_msgpack(row: dict) -> tuple[str, ...]:
    """Say whether a letter is read that holds this value under a key that nobody knows."""
    letter = read_letter(BEFORE + bytes.fromhex(row["encoded_hex"]) + BEHIND)
    return () if letter == Health(up_s=7) else (f"passed over: {letter}",)
