"""Run the gateway as it is, and have it die, wait or fail when it comes to a named point.

    python tests/faults/armed.py POINT TURN DEED run --config …

    POINT   a name out of gateway/points.py, or - for none; FIRST#N>POINT begins to count once
            FIRST has been come to for the N-th time
    TURN    at the how-manieth time
    DEED    kill    SIGKILL, as by the kernel: nothing is tidied up
            raise   an exception of ours, once
            wait:S  hold up the thread that reaches it for so many seconds, once

The product has no such switch: it only names its points, and this listens from outside.
"""

import os
import signal
import sys
import threading
import time

from gateway import points
from gateway.cli import main


class Fuse:
    """Counts how often its point is reached, and does its deed once."""

    def __init__(self, point: str, turn: int, deed: str) -> None:
        first, _, self._point = point.rpartition(">")
        self._first, _, waits = first.partition("#")
        self._waits = int(waits or 0)
        """How often `first` has still to be come to."""
        for name in filter(None, (self._first, self._point)):
            if name not in points.POINTS:
                raise LookupError(name)
        self._left = turn
        self._deed, _, seconds = deed.partition(":")
        self._seconds = float(seconds or 0)
        self._turn = threading.Lock()

    def __call__(self, point: str) -> None:
        """Hear of a point, in whichever thread reaches it."""
        with self._turn:
            if self._waits:
                self._waits -= point == self._first
                return
            if point != self._point:
                return
            self._left -= 1
            due = self._left == 0
        if due:
            self._do()

    def _do(self) -> None:
        if self._deed == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._deed == "raise":
            raise RuntimeError(self._point)
        else:
            time.sleep(self._seconds)


def run(point: str, turn: str, deed: str, *arguments: str) -> int:
    """Run the command line with these arguments, and the fuse in place."""
    if point == "-":
        return main(arguments)
    with points.listening(Fuse(point, int(turn), deed)):
        return main(arguments)


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
