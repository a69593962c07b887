"""Modems on serial ports. The only importer of pyserial.

pyserial opens and sets the line; the bytes go by file descriptor, on the loop, without blocking.
Nothing here tries twice: that is the supervisor's.

    RTS and DTR     a push-to-talk may hang on either. pyserial is told to hold both low before it
                    opens. Linux itself raises them for the moment between open() and the first
                    setting of the lines, which no program can prevent: wire a push-to-talk so that
                    a millisecond does not key it. HUPCL drops both even when we are killed.
    exclusive       an advisory lock that other careful programs respect, and TIOCEXCL, which
                    the kernel enforces against everybody but root.
    VMIN 1          so that an empty read means a hang-up and never just "nothing yet".
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import stat
import termios
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import serial

from gateway.model.plan import PortPlan, Profile
from gateway.transport import (
    READ_BYTES_MAX,
    WRITE_BYTES_MAX,
    WRITE_S_MAX,
    Key,
    Line,
    Node,
    WireLost,
    WriteStalled,
)
from gateway.transport.aside import Aside
from gateway.transport.keying import Ptt, TerminalLine, lines_high
from gateway.transport.plugged import PTY_MAJORS, ROOTS, Finder, Roots, adapter_at, node_at

OPEN_S_MAX = 10.0
"""Setting the line of a USB adapter takes two control transfers of at most five seconds each."""

_HELD = frozenset({errno.EAGAIN, errno.EBUSY})
_PARITIES = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
}


class SerialWay:
    """The way to a modem on a serial port, by whatever name the port is known."""

    def __init__(self, plan: PortPlan, *, roots: Roots = ROOTS) -> None:
        self.refused_senders = 0
        self._device = plan.device
        self._profile = plan.profile
        self._finder = Finder(plan.device, roots=roots)
        self._roots = roots
        self._aside = Aside(f"serial {plan.name}")

    async def open(self) -> tuple[SerialWire, Node]:
        """Open the port with the line set as its profile says."""
        node = self._finder.find()
        if self._aside.stuck:
            raise WireLost(self._device, "the kernel still holds up an earlier call")
        opening = partial(_opened, self._device, node, self._profile, self._roots)
        try:
            async with asyncio.timeout(OPEN_S_MAX):
                opened = await self._aside.ask(opening, undo=_undo)
        except TimeoutError:
            raise WireLost(self._device, f"opening takes over {OPEN_S_MAX:.0f} s") from None
        return SerialWire(self._device, opened, self._aside), node

    def standing(self) -> Node | None:
        """Return the node that bears the name now."""
        return self._finder.standing()

    def close(self) -> None:
        """End the thread once the last wire is closed."""
        self._aside.close()


class SerialWire:
    """An open serial port."""

    def __init__(self, device: str, opened: _Opened, aside: Aside) -> None:
        self.adapter = opened.adapter
        self.key: Key | None = self if opened.ptt else None
        self._device = device
        self._port = opened.port
        self._ptt = opened.ptt
        self._aside = aside
        self._fd: int = opened.port.fileno()
        self._loop = asyncio.get_running_loop()
        self._heard = bytearray()
        self._lost = ""
        self._closed = False
        self._listening = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()
        self._unsent_bytes = 0
        self._listen()

    async def read(self) -> bytes:
        """Return the next bytes; raise WireLost."""
        while not self._heard:
            if self._lost:
                raise WireLost(self._device, self._lost)
            self._listen()
            self._reader = self._loop.create_future()
            await self._reader
        data = bytes(self._heard)
        self._heard.clear()
        return data

    async def write(self, data: bytes) -> None:
        """Hand these bytes to the modem whole; raise WriteStalled or WireLost."""
        if self._unsent_bytes + len(data) > WRITE_BYTES_MAX:
            raise WriteStalled(self._device, len(data))
        self._unsent_bytes += len(data)
        left = memoryview(data)
        try:
            async with asyncio.timeout(WRITE_S_MAX), self._turn:
                while left := left[self._push(left) :]:
                    await self._writable()
        except TimeoutError:
            # What waits in the kernel must not go out later, when the modem comes to itself.
            self._forget_unsent()
            raise WriteStalled(self._device, len(left), waited_s=WRITE_S_MAX) from None
        except asyncio.CancelledError:
            if len(left) < len(data):
                self._forget_unsent()
            raise
        finally:
            self._unsent_bytes -= len(data)

    def key_line(self) -> Line:
        """Return the line that keys the transmitter; raise WireLost."""
        if self._lost or self._ptt is None:
            raise WireLost(self._device, self._lost or "it has no line to key by")
        try:
            return TerminalLine(self._fd, self._ptt)
        except OSError as error:
            raise WireLost(self._device, _words(error)) from error

    async def drained(self) -> None:
        """Return when the last bit has left the box; raise WireLost. It is waited for aside."""
        try:
            await self._aside.ask(partial(termios.tcdrain, self._fd), undo=_forget)
        except termios.error as error:
            self._lose(_words(error))
        except asyncio.CancelledError:
            self._forget_unsent()
            raise
        if self._lost:
            raise WireLost(self._device, self._lost)

    def close(self) -> None:
        """Let go of the port; the kernel's waiting is done beside the loop."""
        if not self._closed:
            self._closed = True
            if self._ptt is not None:
                # Else whoever waits for it to be out would hold up the closing.
                self._forget_unsent()
            self._lose("closed by us")
            self._aside.later(partial(_shut, self._port))

    def _listen(self) -> None:
        if not self._listening and not self._lost:
            self._loop.add_reader(self._fd, self._on_readable)
            self._listening = True

    def _on_readable(self) -> None:
        room = READ_BYTES_MAX - len(self._heard)
        if not room:
            # Whoever reads is slow; the kernel keeps the rest until the next read.
            self._loop.remove_reader(self._fd)
            self._listening = False
            return
        try:
            data = os.read(self._fd, room)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(_words(error))
            return
        if not data:
            self._lose("hung up")
            return
        self._heard += data
        _wake(self._reader)

    def _push(self, data: memoryview) -> int:
        """Give the kernel what it takes now and return how much that was."""
        if self._lost:
            raise WireLost(self._device, self._lost)
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._lose(_words(error))
            raise WireLost(self._device, self._lost) from error

    async def _writable(self) -> None:
        self._writer = self._loop.create_future()
        self._loop.add_writer(self._fd, _wake, self._writer)
        try:
            await self._writer
        finally:
            self._writer = None
            if not self._lost:
                self._loop.remove_writer(self._fd)

    def _forget_unsent(self) -> None:
        if not self._lost:
            with suppress(termios.error):
                termios.tcflush(self._fd, termios.TCOFLUSH)

    def _lose(self, reason: str) -> None:
        """Take the port off the loop, for good, and tell whoever waits."""
        if not self._lost:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._lost = reason
        self._listening = False
        _wake(self._reader)
        _wake(self._writer)


def _forget(_drained: None) -> None:
    """Nobody waits for it any more."""


def _wake(sleeper: asyncio.Future[None] | None) -> None:
    if sleeper is not None and not sleeper.done():
        sleeper.set_result(None)


class _Opened(NamedTuple):
    """A port that is open and set, and the adapter that was found behind it then."""

    port: serial.Serial
    adapter: str | None
    ptt: Ptt | None
    """The line that keys what hangs there; None where the profile or the port has none."""


def _opened(device: str, node: Node, profile: Profile, roots: Roots) -> _Opened:
    """Open and set one port; everything that may go wrong comes out as WireLost."""
    port = serial.Serial(
        port=None,
        baudrate=profile.baud,
        bytesize=profile.data_bits,
        parity=_PARITIES[profile.parity],
        stopbits=profile.stop_bits,
        timeout=0,
        write_timeout=0,
        inter_byte_timeout=0,  # pyserial's way of saying VMIN 1, VTIME 0
        xonxoff=False,
        rtscts=False,
        dsrdtr=False,
        exclusive=True,
    )
    port.rts = False
    port.dtr = False
    port.port = node.path
    try:
        port.open()
        _claim(port.fileno(), node)
        adapter = adapter_at(node, roots) if profile.transmit else None
        ptt = profile.ptt if profile.ptt and _has_lines(port.fileno()) else None
    except (OSError, ValueError, termios.error) as error:
        _shut(port)
        raise _translated(device, error) from error
    return _Opened(port, adapter, ptt)


def _undo(opened: _Opened) -> None:
    _shut(opened.port)


def _claim(fd: int, node: Node) -> None:
    """Make sure that this is the terminal that was meant, and ours alone."""
    if not os.isatty(fd):
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
    standing = node_at(node.path)
    if standing is None or standing.identity[2] != os.fstat(fd).st_rdev:
        raise OSError(errno.ENODEV, "the node was replaced while it was opened")
    settings = termios.tcgetattr(fd)
    settings[2] |= termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, settings)
    if _kernel_lockable(fd):
        fcntl.ioctl(fd, termios.TIOCEXCL)


def _has_lines(fd: int) -> bool:
    """Whether this terminal has lines to key by; both have to be low."""
    high = lines_high(fd)
    if high:
        words = (
            f"{' and '.join(sorted(high)).upper()} can't be dropped: it would key what hangs there"
        )
        raise ValueError(words)
    return high is not None


def _kernel_lockable(fd: int) -> bool:
    """Whether TIOCEXCL ends with us; a virtual modem's pty would stay locked when we are killed."""
    found = os.fstat(fd)
    return stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) not in PTY_MAJORS


def _shut(port: serial.Serial) -> None:
    """Close a port without waiting for bytes that a modem does not take."""
    if port.is_open:
        with suppress(OSError, termios.error):
            termios.tcflush(port.fileno(), termios.TCIOFLUSH)
            fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
        with suppress(OSError):
            port.close()


def _translated(device: str, error: Exception) -> WireLost:
    number = getattr(error, "errno", None)
    if number in _HELD:
        return WireLost(device, "held by another program")
    if number == errno.EACCES:
        return WireLost(device, "no permission; is the service's user in the group of the node?")
    return WireLost(device, _words(error))


def _words(error: Exception) -> str:
    """Say a foreign error in few words, whatever shape it has."""
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return os.strerror(number)
    return str(error)
