"""What the rigs are made of: a wire, a log of what went on the air, orders on standard input.

The first line printed is the pty to open. Then one line for each thing that happens, at once:

    air 81234567890123 2449… 002191000 to all ships: …   this was transmitted
    bad 81234567890123 2449… the wrong checksum          this is nothing that it transmits
    set 81234567890123 0120 TXDELAY                      this set something
    told 81234567890123 2443…                            this was said to the gateway
    is 81234567890123 - stalled                          an order was carried out

That is what, when (monotonic, in nanoseconds), which bytes, and what they mean. The orders:

    say TEXT       tell the gateway this, as heard on the air; each rig says how it is written
    raw HEX        say these very bytes to the gateway
    stall          read nothing more, as a modem does that holds CTS down
    go on          read again
    be NAME        be another station from now on
    die            die at once, as by kill -9

A rig outlives the gateway: it keeps the gateway's end of the pty open as well. Nothing here is
taken from the gateway, so that one can be held against the other.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, NamedTuple, Protocol

SENTENCE_BYTES_MAX = 1024
"""A line without an end is given up after this many."""
READ_BYTES_MAX = 4096
ORDER_BYTES_MAX = 65_536


class Event(NamedTuple):
    """Something that came of the bytes of the gateway."""

    what: str
    """`air`, `bad`, or `set` where it only set something."""
    data: bytes
    words: str
    answer: bytes = b""
    """What the rig says to that."""


class Rig(Protocol):
    """What acts as a modem."""

    name: str
    """Who it is, on the air."""

    def take(self, data: bytes) -> Iterator[Event]:
        """Yield what comes of these bytes; what is no whole message yet waits for the rest."""

    def heard(self, text: str) -> bytes:
        """Return how it tells the gateway what it heard on the air; ValueError: that is nothing."""

    def order(self, word: str, rest: str) -> str | None:
        """Carry out an order of its own and say how it stands; None where there is no such word."""


# ---- Sentences -----------------------------------------------------------------------------------


def checksum(body: bytes) -> int:
    """Return the exclusive-or of a sentence's body (IEC 61162-1 section 7.2.4)."""
    found = 0
    for byte in body:
        found ^= byte
    return found


def sentence(text: str) -> bytes:
    """Return a whole sentence; `$` and check digits are added where it has none.

    ValueError: it is none.
    """
    begun = text if text.startswith(("$", "!")) else f"${text}"
    body, star, digits = begun.encode("ascii").partition(b"*")
    if not re.match(rb".[A-Z0-9]{5},", body) or len(body) > SENTENCE_BYTES_MAX:
        raise ValueError(text)
    return b"%b*%b\r\n" % (body, digits if star else b"%02X" % checksum(body[1:]))


class Sentences:
    """Cuts what comes into sentences; a start mark begins anew, whatever was begun before."""

    def __init__(self) -> None:
        self._tail = b""

    def cut(self, data: bytes) -> Iterator[tuple[bytes, str]]:
        """Yield each line that has ended, from its start mark on, and why it is no sentence."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        for line in lines:
            text = line.rstrip(b"\r")
            start = max(text.rfind(b"$"), text.rfind(b"!"))
            if start < 0:
                if text:
                    yield text, "no sentence"
                continue
            if start:
                yield text[:start], "begun and never ended"
            yield text[start:], _fault(text[start:])
        if len(self._tail) > SENTENCE_BYTES_MAX:
            yield self._tail, "a line without an end"
            self._tail = b""


def _fault(text: bytes) -> str:
    body, star, digits = text[1:].partition(b"*")
    if not star:
        return "no checksum"
    right = b"%02X" % checksum(body)
    return "" if digits.upper() == right else f"the wrong checksum, it is {right.decode()}"


# ---- On a wire -----------------------------------------------------------------------------------


class Log:
    """Writes a line for each thing that happens, and keeps none back."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def line(self, what: str, data: bytes, words: str = "") -> None:
        """Write one line."""
        said = f"{what} {time.monotonic_ns()} {data.hex() or '-'} {words}".rstrip()
        self._file.write(f"{said}\n")
        self._file.flush()


class Bench:
    """A rig on its wire, until it is told to end."""

    def __init__(self, rig: Rig, wire: int, log: Log, airtime_s: float) -> None:
        self._rig = rig
        self._airtime_s = airtime_s
        self._wire = wire
        self._log = log
        self._stalled = False
        self._orders: int | None = sys.stdin.fileno()
        self._tail = b""
        os.set_blocking(wire, False)

    def serve(self, seconds: float) -> None:
        """Take bytes and orders until the time is up."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            ends = [] if self._stalled else [self._wire]
            ends += [] if self._orders is None else [self._orders]
            ready, _, _ = select.select(ends, [], [], min(left_s, 1.0))
            if self._orders in ready:
                self._ordered()
            if self._wire in ready and not self._stalled:
                self._heard()

    def _heard(self) -> None:
        for event in self._rig.take(os.read(self._wire, READ_BYTES_MAX)):
            if event.what == "air":
                # It is said to be on the air when its last bit has gone out.
                time.sleep(self._airtime_s)
            self._log.line(event.what, event.data, event.words)
            self._tell(event.answer)

    def _tell(self, data: bytes) -> None:
        if not data:
            return
        try:
            gone = os.write(self._wire, data)
        except BlockingIOError:
            gone = 0
        self._log.line("told", data[:gone], "" if gone == len(data) else "and nobody read the rest")

    def _ordered(self) -> None:
        """Carry out what stands on standard input; when that ends the rig goes on without."""
        data = os.read(self._orders or 0, READ_BYTES_MAX)
        if not data:
            self._orders = None
        *lines, self._tail = (self._tail + data).split(b"\n")
        self._tail = self._tail[:ORDER_BYTES_MAX]
        for line in lines:
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if word:
                self._carry_out(word, rest)

    def _carry_out(self, word: str, rest: str) -> None:
        try:
            known = _ORDERS.get(word)
            said = self._rig.order(word, rest) if known is None else known(self, rest)
        except ValueError as error:
            said = f"not ordered: {word}: {error}"
        self._log.line("is", b"", f"not ordered: there is no {word}" if said is None else said)

    def _say(self, rest: str) -> str:
        self._tell(self._rig.heard(rest))
        return "saying"

    def _raw(self, rest: str) -> str:
        self._tell(bytes.fromhex(rest))
        return "saying"

    def _stall(self, _rest: str) -> str:
        self._stalled = True
        return "stalled"

    def _go(self, _rest: str) -> str:
        self._stalled = False
        return "going"

    def _be(self, rest: str) -> str:
        self._rig.name = rest
        return f"now {rest}"

    def _die(self, _rest: str) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return "dying"


_ORDERS: dict[str, Callable[[Bench, str], str]] = {
    "say": Bench._say,  # noqa: SLF001  # the table of its own orders
    "raw": Bench._raw,  # noqa: SLF001  # as above
    "stall": Bench._stall,  # noqa: SLF001  # as above
    "go": Bench._go,  # noqa: SLF001  # as above
    "be": Bench._be,  # noqa: SLF001  # as above
    "die": Bench._die,  # noqa: SLF001  # as above
}


def main(doc: str, name: str, make: Callable[[str], Rig], arguments: list[str]) -> int:
    """Run a rig as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--name", default=name, help=f"who it is on the air ({name})")
    parser.add_argument("--device", help="a serial device instead of a pty")
    parser.add_argument("--baud", type=int, default=4800, help="of that device")
    parser.add_argument("--link", type=Path, help="a name for the pty that stays the same")
    parser.add_argument("--log", type=Path, help="log to this file, behind what stands there")
    parser.add_argument("--airtime", type=float, default=0.0, help="seconds on the air, each time")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after this long")
    asked = parser.parse_args(arguments)
    wire, _other = _opened(asked.device, asked.baud, asked.link)
    with suppress(KeyboardInterrupt), ExitStack() as files:
        file = files.enter_context(asked.log.open("a", encoding="utf-8")) if asked.log else None
        bench = Bench(make(asked.name), wire, Log(file or sys.stdout), asked.airtime)
        bench.serve(asked.seconds)
    return 0


def _opened(device: str | None, baud: int, link: Path | None) -> tuple[int, int | None]:
    """Return the end to speak on; of a pty the other as well: open, so that nothing is lost."""
    if device is not None:
        wire = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(wire)
        settings = termios.tcgetattr(wire)
        settings[4] = settings[5] = getattr(termios, f"B{baud}")
        termios.tcsetattr(wire, termios.TCSANOW, settings)
        _print_place(device)
        return wire, None
    wire, other = os.openpty()
    tty.setraw(other)
    place = os.ttyname(other)
    if link is not None:
        fresh = link.with_name(f"{link.name}.new")
        fresh.symlink_to(place)
        fresh.replace(link)
    _print_place(place)
    return wire, other


def _print_place(place: str) -> None:
    sys.stdout.write(f"{place}\n")
    sys.stdout.flush()
