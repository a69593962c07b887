"""Compare COBS, CRC-16 and msgpack of the packed link with what others say of them.

`FILES` names the files and how each is compared. A row comes back with its disagreements; with None
when the link has no use for it: other variants of COBS, and other checks.
"""

from __future__ import annotations

from gateway.codes.stuffing import stuff_cobs, unstuff_cobs
from gateway.framing import checked
from gateway.radio.packed import read_letter
from gateway.radio.packed.letters import Health
from tests.conformance.rows import Check, by_row

CHECK = "crc-16-genibus"
BEFORE, BEHIND = b"\x83\xa1t\xa6health\xa1x", b"\xa4up_s\x07"
"""A letter of three pairs, and one value missing: that of a key that nobody knows."""


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


FILES: dict[str, Check] = {
    "framing/cobs.jsonl": by_row(of_cobs),
    "framing/crc_check_values.jsonl": by_row(of_crc),
    "framing/msgpack.jsonl": by_row(of_msgpack),
}
