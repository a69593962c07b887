#!/usr/bin/env python3
# A script for whoever has no radio at hand; it needs nothing but Python 3.11 itself.
"""A VHF or MF/HF radio with DSC, on a pseudo-terminal: NMEA 0183 both ways (IEC 61162-1).

A sentence `$--DSC,…` with a good checksum is called at once; whatever else comes is printed and
goes nowhere, half a sentence too. See bench.py for what it prints, and what may be said to it:

    dsc_radio.py --link /tmp/vhf
    say CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from bench import Bench, parser

SENTENCE = re.compile(rb"\A\$([A-Z]{2}DSC,[\x20-\x7e]*)\*([0-9A-F]{2})\Z")
LINE_BYTES_MAX = 1024


def checksum(body: bytes) -> str:
    """Return the two digits behind the asterisk: all bytes of the body, exclusive or."""
    found = 0
    for byte in body:
        found ^= byte
    return f"{found:02X}"


def spelt(body: str) -> bytes:
    """Return a sentence, from `CDDSC,…` without its checksum."""
    return f"${body}*{checksum(body.encode('ascii'))}\r\n".encode("ascii")


class Radio:
    """Reads sentences off the wire, however they are cut."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._rest = b""

    def hear(self, data: bytes) -> Iterator[bytes]:
        """Call what is to be called; this radio answers nothing."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LINE_BYTES_MAX:]
        for line in lines:
            sentence = line.rstrip(b"\r")
            found = SENTENCE.match(sentence)
            if found and checksum(found[1]) == found[2].decode("ascii"):
                self._bench.transmit(sentence)
            else:
                self._bench.refuse(sentence)
        yield from ()


def main(arguments: list[str]) -> int:
    """Serve until the desk is left; return the exit status."""
    asked = parser(__doc__).parse_args(arguments)
    bench = Bench(asked.link, asked.airtime)
    bench.serve(Radio(bench).hear, spelt)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
