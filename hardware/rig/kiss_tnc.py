"""A packet-radio modem (TNC) that takes AX.25 frames by KISS and logs what went on the air.

    python3 -m hardware.rig.kiss_tnc          from the top of the tree

A KISS frame of command 0 is transmitted as it is: the log has the bytes of the AX.25 frame, without
its check sequence, which the modem adds. Other commands only set something. It has no call sign of
its own; its name stands in the log alone.

    say M0ABC-1>APRS,WIDE1-1:!5000.00N/00500.00W-hi          tells the gateway of this packet

Chepponis and Karn, "The KISS TNC" (1987); AX.25 version 2.2. The wire, the log and the other orders
are those of bench.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from hardware.rig.bench import Event, main

FEND, FESC, SENT_FEND, SENT_FESC = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
FRAME_BYTES_MAX = 4096
ADDRESS_BYTES = 7
ADDRESSES_MAX = 10
UI, NO_LAYER_3 = 0x03, 0xF0
COMMANDS = ("data", "TXDELAY", "persistence", "slot time", "TXtail", "full duplex", "hardware")


class KissTnc:
    """A modem that transmits what it is given."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._tail: bytes | None = None
        """Since the last FEND; None before the first one."""

    def take(self, data: bytes) -> Iterator[Event]:
        """Yield each frame that is transmitted, and what is none."""
        first, *rest = data.split(FEND)
        pieces = [(self._tail, first), *((b"", piece) for piece in rest)]
        for place, (before, piece) in enumerate(pieces):
            ended = place < len(rest)
            if before is None:
                if piece:
                    yield Event("bad", piece, "before the first FEND")
            elif ended and before + piece:
                yield self._frame(before + piece)
            elif not ended:
                self._tail = before + piece
        if self._tail is not None and len(self._tail) > FRAME_BYTES_MAX:
            yield Event("bad", self._tail, "a frame without an end")
            self._tail = None

    def _frame(self, piece: bytes) -> Event:
        if re.search(rb"\xdb(?![\xdc\xdd])", piece):
            return Event("bad", piece, "a broken escape")
        body = piece.replace(SENT_FEND, FEND).replace(SENT_FESC, FESC)
        command = body[0] & 0x0F
        if command:
            name = COMMANDS[command] if command < len(COMMANDS) else f"command {command}"
            return Event("set", body, name)
        if not body[1:]:
            return Event("bad", piece, "an empty frame")
        return Event("air", body[1:], f"{self.name}: {meant(body[1:])}")

    def heard(self, text: str) -> bytes:
        """Return the KISS frame that tells of a packet; ValueError: it is none."""
        body = b"\x00" + packet(text)
        return FEND + body.replace(FESC, SENT_FESC).replace(FEND, SENT_FEND) + FEND

    def order(self, word: str, rest: str) -> str | None:
        """Have no orders of its own."""
        del word, rest


def packet(text: str) -> bytes:
    """Return the UI frame of `FROM>TO,BY,…:information`; ValueError: it is none."""
    header, colon, said = text.partition(":")
    source, arrow, path = header.partition(">")
    if not (colon and arrow):
        raise ValueError(text)
    to, *by = path.split(",")
    names = [to, source, *by]
    if len(names) > ADDRESSES_MAX:
        raise ValueError(text)
    # AX.25 section 6.1.2: a command has the C bit of its destination set.
    wire = [_address(name, top=0xE0 if not place else 0x60) for place, name in enumerate(names)]
    wire[-1] = wire[-1][:-1] + bytes([wire[-1][-1] | 1])
    return b"".join(wire) + bytes([UI, NO_LAYER_3]) + said.encode("latin-1")


def _address(name: str, *, top: int) -> bytes:
    found = re.fullmatch(r"([A-Z0-9]{1,6})(?:-([0-9]|1[0-5]))?(\*?)", name)
    if found is None:
        raise ValueError(name)
    repeated = 0x80 if found[3] else 0
    letters = bytes(ord(letter) << 1 for letter in found[1].ljust(6))
    return letters + bytes([top | repeated | int(found[2] or 0) << 1])


def meant(frame: bytes) -> str:
    """Say a frame in words: `FROM>TO,BY:information`."""
    ends = [place for place in range(6, len(frame), ADDRESS_BYTES) if frame[place] & 1]
    if not ends or not 2 <= (ends[0] + 1) // ADDRESS_BYTES <= ADDRESSES_MAX:
        return "no AX.25 addresses"
    until = ends[0] + 1
    names = [_name(frame[at : at + ADDRESS_BYTES]) for at in range(0, until, ADDRESS_BYTES)]
    to, source, *by = names
    said = frame[until + 2 :].decode("ascii", "backslashreplace")
    return f"{source}>{','.join([to, *by])}:{said}".replace("\n", "\\n").replace("\r", "\\r")


def _name(address: bytes) -> str:
    letters = "".join(chr(byte >> 1) for byte in address[:6]).rstrip()
    ssid = address[6] >> 1 & 0x0F
    return f"{letters}-{ssid}" if ssid else letters


if __name__ == "__main__":
    sys.exit(main(__doc__, "TNC", KissTnc, sys.argv[1:]))
