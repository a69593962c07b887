"""`explain`: what becomes of a sentence, door by door, in words; of a broken one as well.

It opens no port and tells no broker. It ends with a test vector: whoever finds that a sentence is
read wrongly holds the test for it already.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator

from gateway.settings import default_config, profile_named
from gateway.verbs.doors import doors
from gateway.verbs.vector import vector
from gateway.verbs.walk import Walk, best_walk

INPUT_BYTES_MAX = 1 << 20
"""A page of sentences is explained; a day of them is for `replay`."""

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def main(args: argparse.Namespace) -> int:
    """Print what becomes of the sentences; 1 when there is none."""
    wire = [line for raw in args.raw for line in _lines(raw)]
    if not wire:
        sys.stderr.write("there is no sentence to explain\n")
        return 1
    walk = (
        Walk(args.profile, profile_named(args.profile, config=default_config()), wire)
        if args.profile
        else best_walk(wire)
    )
    colour = sys.stdout.isatty()
    sys.stdout.write("\n".join([*doors(walk, colour=colour), "", *vector(walk)]) + "\n")
    return 0


def _lines(raw: str) -> Iterator[bytes]:
    r"""Yield each line of the text; a byte may be written \xNN, as in published reports."""
    if raw == "-":
        text = sys.stdin.buffer.read(INPUT_BYTES_MAX)
    else:
        text = raw.encode(errors="surrogateescape")
    for line in text.splitlines():
        if line.strip():
            yield _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), line)
