"""`explain`: what becomes of a message, door by door, in words; of a broken one as well.

A message is text as a modem prints it, or its bytes in hexadecimal digits. It opens no port and
tells no broker. It ends with a test vector: whoever finds that something is read wrongly holds the
test for it already.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator

from gateway.model.plan import Profile
from gateway.settings import default_config, profile_named
from gateway.verbs import why
from gateway.verbs.chosen import choice, generic_profiles
from gateway.verbs.doors import doors
from gateway.verbs.telling import one_line
from gateway.verbs.vector import vector
from gateway.verbs.walk import Walk, Wire

INPUT_BYTES_MAX = 1 << 20
"""A page of messages is explained; a day of them is for `replay`."""

NOTHING = """\
there is no message to explain; give one as the modem says it, in single quotes, or its bytes in
hexadecimal digits: distress-gateway explain --help shows one of each radio system
"""

NEAREST = """\
no report comes of it; of the modems that are known, this one is nearest (--profile takes another):
"""

_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")
_STRANGE = re.compile(rb"[^\t\r\n\x20-\x7e]")
"""What no modem that prints text would send."""
_HEX = re.compile(rb"(?:0x)?[0-9A-Fa-f]{2}(?:[ ,:-]*(?:0x)?[0-9A-Fa-f]{2}){3,}")
_HEX_JOINTS = re.compile(rb"0x|[ ,:-]")


def main(args: argparse.Namespace) -> int:
    """Print what becomes of the messages; 1 when there is none, or several ways to read them."""
    if args.raw[0] in why.ASKED:
        return why.main(args)
    wires = list(_wires(args.raw))
    if not wires:
        sys.stderr.write(NOTHING)
        return 1
    if args.profile:
        profile = profile_named(args.profile, config=default_config())
        walk = _as_said_by(args.profile, profile, wires)
    else:
        walk, rivals = choice(wires, generic_profiles())
        if rivals:
            sys.stderr.write(_asked(walk, rivals))
            return 1
        sys.stdout.write("" if walk.rulings else NEAREST)
    colour = sys.stdout.isatty()
    sys.stdout.write("\n".join([*doors(walk, colour=colour), "", *vector(walk)]) + "\n")
    return 0


def _as_said_by(modem: str, profile: Profile, wires: list[Wire]) -> Walk:
    """Return what this modem's port makes of it, taken as what it makes most of."""
    walks = (Walk(modem, profile, wire) for wire in wires)
    return max(walks, key=lambda one: (len(one.rulings), one.known, one.proven, one.messages))


def _asked(best: Walk, rivals: tuple[Walk, ...]) -> str:
    """Return the question which of several readings is meant."""
    lines = ["this can be read in more than one way; say which modem it came from:"]
    for walk in (best, *rivals):
        lines += ["", f"  --profile {walk.modem}    ({walk.profile.title})"]
        lines += [f"    {one_line(ruling.sighting.report)}" for ruling in walk.rulings]
    return "\n".join(lines) + "\n"


def _wires(raws: list[str]) -> Iterator[Wire]:
    """Yield each way of taking what was given: lines, bytes, hexadecimal digits of bytes."""
    texts = [_given(raw) for raw in raws]
    lines = tuple(
        _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), line)
        for text in texts
        for line in text.splitlines()
        if line.strip()
    )
    if not lines:
        return
    yield Wire(lines)
    if any(_STRANGE.search(text) for text in texts):
        yield Wire(tuple(texts), b"")
    if any(_STRANGE.search(line) for line in lines):
        yield Wire(lines, b"")
    if all(_HEX.fullmatch(line.strip()) for line in lines):
        digits = (_HEX_JOINTS.sub(b"", line.strip()) for line in lines)
        pieces = tuple(bytes.fromhex(line.decode("ascii")) for line in digits)
        yield Wire(pieces, b"")


def _given(raw: str) -> bytes:
    if raw == "-":
        # None where whoever started this has closed it.
        return sys.stdin.buffer.read(INPUT_BYTES_MAX) if sys.stdin else b""
    return raw.encode(errors="surrogateescape")
