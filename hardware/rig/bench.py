# ruff: noqa: INP001
# A module beside the scripts that import it, and no package.
"""What the rigs have in common: a pseudo-terminal, a log of what went on the air, and a desk.

The pty stays open on the rig's side, so that whatever happens to the gateway, what it had written
before is still heard, as it is by a radio. On standard input the rig takes orders, a line each:

    say TEXT     tell the gateway this, as the modem would
    stall        read nothing any more, as a modem that hangs
    go on        read again
    die          end as though somebody had pulled the plug

On standard output it prints its pty first, and then a line for each thing that happens:

    air SECONDS HEX    these bytes went on the air, at this time of the monotonic clock
    bad SECONDS HEX    these came from the gateway and are nothing that this modem transmits
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

READ_BYTES = 4096


class Bench:
    """One rig at work."""

    def __init__(self, link: Path | None, airtime_s: float) -> None:
        self._wire, self._other = os.openpty()
        tty.setraw(self._other)
        name = os.ttyname(self._other)
        if link is not None:
            link.unlink(missing_ok=True)
            link.symlink_to(name)
            name = str(link)
        self._airtime_s = airtime_s
        self._stalled = False
        self.print(name)

    def print(self, *words: str) -> None:
        """Print a line, at once."""
        sys.stdout.write(f"{' '.join(words)}\n")
        sys.stdout.flush()

    def transmit(self, said: bytes) -> None:
        """Put this on the air: it is said to be there when its last bit has gone out."""
        time.sleep(self._airtime_s)
        self.print("air", f"{time.monotonic():.6f}", said.hex())

    def refuse(self, said: bytes) -> None:
        """Note what came and is no message to transmit."""
        self.print("bad", f"{time.monotonic():.6f}", said.hex())

    def tell(self, said: bytes) -> None:
        """Say this to the gateway."""
        os.write(self._wire, said)

    def serve(
        self, hear: Callable[[bytes], Iterator[bytes]], spell: Callable[[str], bytes]
    ) -> None:
        """Listen to the gateway and to the desk until the desk is left.

        What `hear` yields is told to the gateway; `spell` gives the bytes of what the desk says.
        """
        while True:
            ends = [sys.stdin, *(() if self._stalled else (self._wire,))]
            ready, _, _ = select.select(ends, [], [])
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line or line.strip() == "die":
                    return
                self._obey(line.strip(), spell)
            if self._wire in ready:
                for answer in hear(os.read(self._wire, READ_BYTES)):
                    self.tell(answer)

    def _obey(self, line: str, spell: Callable[[str], bytes]) -> None:
        if line.startswith("say "):
            self.tell(spell(line.removeprefix("say ")))
        elif line in {"stall", "go on"}:
            self._stalled = line == "stall"


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return what every rig may be told on its command line."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--link", type=Path, help="a name for the pty, that stays")
    made.add_argument("--airtime", type=float, default=0.0, help="seconds on the air, each time")
    return made
