"""The key of a transmitter: high for the bytes of one permitted transmission, low whatever happens.

No pty has RTS or DTR, so a line of the tests' own stands for them, behind the door to the kernel.
"""

import asyncio
import errno
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from permits_made import permit_for, transmit

from gateway.transport import KeyExpired, KeyStuck, TransmitRefused, WireLost, WriteStalled
from gateway.transport import keying as keying_door
from gateway.transport import serial as serial_door
from gateway.transport.keying import DROPS_MAX, STILL_HELD, TerminalLine, lines_high
from gateway.transport.leave import Leave
from gateway.transport.memory import Modem

CALL = b"$IIDSC,16,,12,10,00,9999999999,1203,2320011220,05,S,*4F\r\n"
SOON_S = 0.5
"""A line that is dropped later than this behind its time was not dropped in time."""


class Lines:
    """The control lines of a port, and what hangs there: a transmitter that must not be stuck."""

    def __init__(self, modem=None):
        self.told = []
        """What happened, with how many bytes had gone out by then, and when."""
        self.drain = threading.Event()
        self.drain.set()
        self.raises = self.drops = None
        """What comes of trying: an exception to raise, or an event to wait for."""
        self.tried = 0
        self._modem = modem or Modem()

    @property
    def words(self):
        return [what for what, *_ in self.told]

    @property
    def high_s(self):
        """Return how long the line was high."""
        times = {what: at_s for what, _, at_s in self.told}
        return times["low"] - times["high"]

    def note(self, what):
        self.told.append((what, len(self._modem.written), time.monotonic()))

    def key_line(self):
        return Line(self)

    async def drained(self):
        while not self.drain.is_set():
            await asyncio.sleep(0.001)
        self.note("drained")


class Line:
    def __init__(self, lines):
        self._lines = lines

    def set(self, *, high):
        sick = self._lines.raises if high else self._lines.drops
        self._lines.tried += not high
        if isinstance(sick, threading.Event):
            sick.wait(5)
        elif sick is not None:
            raise sick
        self._lines.note("high" if high else "low")

    def close(self):
        self._lines.note("closed")


@pytest.fixture
def modem():
    modem = Modem()
    modem.key = Lines(modem)
    return modem


@pytest.fixture
def bench(port_of, modem):
    """Make a port to that modem, which is keyed by RTS."""
    facts = {"transmit": True, "ptt": "rts", "ptt_lead_s": 0.0}
    return lambda **more: port_of("memory:bench", modems={"bench": modem}, **(facts | more))


async def opened(port):
    """Return who listens at a port that is open."""
    listening = asyncio.ensure_future(anext(port.chunks()))
    async with asyncio.timeout(1):
        while port.state.state != "open":
            await asyncio.sleep(0)
    return listening


def told(port, story):
    """Run a story at an open port."""

    async def run():
        listening = await opened(port)
        try:
            return await story()
        finally:
            listening.cancel()
            await asyncio.wait([listening])

    return asyncio.run(run())


def sent(port, **said):
    return told(port, lambda: transmit(port, CALL, **said))


# ---- High and low -------------------------------------------------------------------------------


def test_it_is_high_from_before_the_first_byte_until_the_last_is_out(bench, modem):
    sent(bench())

    assert [(what, out) for what, out, _ in modem.key.told] == [
        ("high", 0),
        ("drained", len(CALL)),
        ("low", len(CALL)),
        ("closed", len(CALL)),
    ]


def test_not_a_byte_goes_out_before_the_transmitter_is_up(bench, modem):
    port = bench(ptt_lead_s=0.2)

    async def story():
        begun_s = time.monotonic()
        sending = asyncio.ensure_future(transmit(port, CALL))
        while not modem.key.words:
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        assert modem.written == b""
        await sending
        return time.monotonic() - begun_s

    assert told(port, story) >= 0.2
    assert modem.key.words == ["high", "drained", "low", "closed"]
    assert modem.written == CALL


def test_whoever_is_cancelled_before_the_transmitter_is_up_leaves_nothing_keyed(bench, modem):
    port = bench(ptt_lead_s=2.0)

    async def story():
        sending = asyncio.ensure_future(transmit(port, CALL))
        while not modem.key.words:
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.wait([sending])

    told(port, story)

    assert modem.key.words == ["high", "low", "closed"]
    assert modem.written == b""


def test_the_lead_counts_to_what_a_transmission_takes(bench, modem):
    with pytest.raises(TransmitRefused, match=r"it would take .* transmit_s_max is 0\.5 s"):
        sent(bench(ptt_lead_s=0.5, transmit_s_max=0.5))
    assert modem.key.words == []


def test_each_transmission_keys_for_itself(bench, modem):
    port = bench()

    async def story():
        for _ in range(3):
            await transmit(port, CALL)

    told(port, story)

    assert modem.key.words == ["high", "drained", "low", "closed"] * 3


def test_what_takes_no_time_on_the_air_keys_nothing(bench, modem):
    sent(bench(), airtime_s=0)

    assert modem.written == CALL
    assert modem.key.words == []


def test_a_modem_that_keys_by_itself_is_not_keyed(port_of, modem):
    modem.key = None
    sent(port_of("memory:bench", modems={"bench": modem}, transmit=True))

    assert modem.written == CALL


@pytest.mark.parametrize(
    ("permit", "data"),
    [
        (permit_for("two", CALL), CALL),
        (permit_for("one", b"other"), CALL),
        (permit_for("one", CALL, good_for_s=-0.5), CALL),
        (permit_for("one", CALL, airtime_s=60), CALL),
    ],
    ids=["another port", "other bytes", "ended", "too long"],
)
def test_without_leave_nothing_is_keyed(bench, modem, permit, data):
    port = bench()

    with pytest.raises(TransmitRefused):
        told(port, lambda: port.transmit(permit, data))
    assert modem.key.words == []


# ---- It is dropped, whatever happens ------------------------------------------------------------


def test_a_modem_that_takes_nothing_is_not_left_keyed(bench, modem):
    modem.stalled = True

    with pytest.raises(WriteStalled):
        sent(bench())
    assert modem.key.words == ["high", "low", "closed"]


def test_a_wire_that_is_lost_is_not_left_keyed(bench, modem):
    port = bench()

    async def story():
        modem.plugged = False
        await transmit(port, CALL)

    with pytest.raises(WireLost):
        told(port, story)
    assert modem.key.words == ["high", "low", "closed"]


def test_a_fault_of_ours_leaves_nothing_keyed(bench, modem, monkeypatch):
    async def broken(_wire, _data):
        raise ZeroDivisionError

    monkeypatch.setattr("gateway.transport.memory.MemoryWire.write", broken)

    with pytest.raises(ZeroDivisionError):
        sent(bench())
    assert modem.key.words == ["high", "low", "closed"]


@pytest.mark.parametrize("sick", ["raises", "drain"], ids=["while raised", "while drained"])
def test_whoever_is_cancelled_leaves_nothing_keyed(bench, modem, sick):
    port, wait = bench(), threading.Event()
    setattr(modem.key, sick, wait)

    async def story():
        sending = asyncio.ensure_future(transmit(port, CALL))
        await asyncio.sleep(0.05)
        sending.cancel()
        asyncio.get_running_loop().call_later(0.05, wait.set)
        await asyncio.wait([sending])
        assert sending.cancelled()

    told(port, story)

    assert [word for word in modem.key.words if word != "drained"] == ["high", "low", "closed"]


def test_bytes_that_do_not_go_out_are_keyed_no_longer_than_the_longest_transmission(bench, modem):
    port = bench(transmit_s_max=0.2)
    modem.key.drain.clear()

    with pytest.raises(KeyExpired, match=r"keyed for 0\.2 s, and not all of it was out"):
        sent(port)
    assert modem.key.words == ["high", "low", "closed"]
    assert 0.19 < modem.key.high_s < 0.2 + SOON_S


def test_a_port_whose_time_was_over_transmits_no_more_until_it_is_healed(bench, modem):
    port = bench(transmit_s_max=0.2)
    modem.key.drain.clear()

    async def story():
        with suppress(KeyExpired):
            await transmit(port, CALL)
        assert port.state.transmit.now == "dead"
        with pytest.raises(TransmitRefused):
            await transmit(port, CALL)

    told(port, story)

    assert modem.key.words == ["high", "low", "closed"]


def test_a_loop_that_hangs_holds_no_key(bench, modem, monkeypatch):
    """The time-out timer stands beside the loop, and needs nobody to run it."""

    async def hanging(_wire, data):
        modem.written += data
        threading.Event().wait(1.2)

    monkeypatch.setattr("gateway.transport.memory.MemoryWire.write", hanging)
    with pytest.raises(KeyExpired):
        sent(bench(transmit_s_max=0.2))

    assert 0.19 < modem.key.high_s < 0.2 + SOON_S


def test_a_line_that_is_slow_to_rise_is_high_for_as_much_less(bench, modem):
    """Its time runs from when it was told to rise: nobody knows when it did."""
    modem.key.raises = threading.Event()
    modem.key.drain.clear()
    timer = threading.Timer(0.8, modem.key.raises.set)
    timer.start()
    with pytest.raises(KeyExpired):
        sent(bench(transmit_s_max=1))
    timer.join()

    assert modem.key.high_s < 0.2 + SOON_S


# ---- A line that does not do as it is told ------------------------------------------------------


def test_without_its_key_not_a_byte_goes_out(bench, modem, events):
    """It is dropped all the same, and the wire is let go: nobody knows how far it went."""
    modem.key.raises = OSError(errno.EIO, "Input/output error")
    port = bench()

    async def story():
        with pytest.raises(KeyStuck, match=r"its key was not raised: .*Input/output error"):
            await transmit(port, CALL)
        assert port._wire._closed

    told(port, story)

    assert modem.written == b""
    assert modem.key.words == ["low", "closed"]
    assert "key_stuck" in [event["event"] for event in events]


def test_a_key_that_can_not_be_dropped_is_tried_again_and_costs_the_wire(bench, modem):
    modem.key.drops = OSError(errno.EINTR, "Interrupted system call")
    port = bench()

    async def story():
        with pytest.raises(KeyStuck, match=r"its key was not dropped: .*Interrupted"):
            await transmit(port, CALL)
        assert port._wire._closed

    told(port, story)

    assert modem.key.tried == DROPS_MAX
    assert modem.key.words == ["high", "drained", "closed"]


def test_an_interrupted_drop_is_made_again(bench, modem):
    class Once(Line):
        def set(self, *, high):
            if not high and not self._lines.tried:
                self._lines.tried += 1
                raise InterruptedError
            super().set(high=high)

    modem.key.key_line = lambda: Once(modem.key)
    sent(bench())

    assert modem.key.words == ["high", "drained", "low", "closed"]


def test_a_kernel_that_does_not_come_back_costs_no_more_than_its_own_port(
    bench, modem, monkeypatch
):
    """Nothing goes out, the loop goes on, and what rises late is dropped at once."""
    monkeypatch.setattr(keying_door, "RAISE_S_MAX", 0.1)
    monkeypatch.setattr(keying_door, "DROP_S_MAX", 0.1)
    modem.key.raises = threading.Event()
    port = bench()

    async def story():
        begun_s = time.monotonic()
        with pytest.raises(KeyStuck, match=r"not dropped: the kernel takes over 0\.1 s"):
            await transmit(port, CALL)
        assert time.monotonic() - begun_s < 0.2 + SOON_S
        await asyncio.sleep(0)
        with pytest.raises(TransmitRefused, match=STILL_HELD):
            async with port._keyer.keyed(modem.key):
                pass
        modem.key.raises.set()
        async with asyncio.timeout(1):
            while port._keyer._holding.lasts:
                await asyncio.sleep(0.001)

    told(port, story)

    assert modem.written == b""
    assert modem.key.words == ["high", "low", "closed"]


def test_a_loop_that_is_no_more_leaves_no_key():
    lines = Lines()

    async def begun():
        holding = keying_door._Holding(Line(lines), 0.2, "key one")
        assert await holding.raised() == ""
        return holding

    holding = asyncio.run(begun())
    assert holding.lasts
    holding._thread.join(5)

    assert lines.words == ["high", "low", "closed"]
    assert holding.expired


# ---- Where there is a key -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device", "facts", "standing"),
    [
        ("memory:bench", {"ptt": "rts"}, ("unproven", "what stands there has no RTS to key by")),
        ("memory:bench", {"ptt": "dtr"}, ("unproven", "what stands there has no DTR to key by")),
        ("memory:bench", {}, ("ready", None)),
        ("tcp://127.0.0.1:1", {"ptt": "dtr"}, ("never", "what stands there has no DTR to key by")),
        ("tape:x", {"ptt": "rts"}, ("never", "what stands there has no RTS to key by")),
    ],
)
def test_a_port_that_is_keyed_by_a_line_it_has_not_is_never_ready(plan_of, device, facts, standing):
    leave = Leave(plan_of(device, transmit=True, **facts))
    leave.opened(None, 0, has_key=False)

    assert (leave.standing.now, leave.standing.reason) == standing
    if facts:
        with pytest.raises(TransmitRefused, match="to key by"):
            leave.take(permit_for("one", CALL), CALL, 0)


@pytest.mark.parametrize(
    ("facts", "airtime_s", "size", "refused"),
    [
        ({}, 10.0, 50, None),
        ({}, 10.1, 50, "it would take 10.1 s, and transmit_s_max is 10 s"),
        ({"transmit_s_max": 0.5}, 0.63, 50, "it would take 0.6 s, and transmit_s_max is 0.5 s"),
        ({"ptt": "rts", "baud": 100}, 1.0, 99, None),
        ({"ptt": "rts", "baud": 100}, 1.0, 100, "it would take 10.1 s"),
        (
            {"ptt": "rts", "baud": 100, "parity": "even", "stop_bits": 2},
            1.0,
            90,
            "it would take 10",
        ),
        ({"baud": 100}, 1.0, 101, None),
        ({"ptt": "rts", "baud": 100}, 0.0, 101, None),
    ],
)
def test_what_would_take_longer_than_the_longest_is_not_begun(
    plan_of, facts, airtime_s, size, refused
):
    """Of a line that keys, its speed and its lead count as well: a slow one would be cut off."""
    leave = Leave(plan_of("memory:bench", transmit=True, **facts))
    leave.opened(None, 0, has_key=True)
    permit = permit_for("one", bytes(size), airtime_s=airtime_s)

    if refused is None:
        leave.take(permit, bytes(size), 0)
    else:
        with pytest.raises(TransmitRefused, match=refused):
            leave.take(permit, bytes(size), 0)
        assert not leave._used


# ---- On serial ports ----------------------------------------------------------------------------


@pytest.fixture
def terminal():
    master, slave = os.openpty()
    os.set_blocking(master, False)
    yield os.ttyname(slave), master, slave
    os.close(master)
    os.close(slave)


@pytest.fixture
def lines(monkeypatch):
    """Lines of the tests' own, where the kernel has none."""
    lines = Lines()
    monkeypatch.setattr(serial_door, "lines_high", lambda _fd: frozenset())
    monkeypatch.setattr(serial_door, "TerminalLine", lambda _fd, ptt: Line(lines) if ptt else None)
    return lines


def serial_port(port_of, node, **facts):
    told = {"transmit": True, "ptt": "rts", "port": {"adapter": "none"}}
    return port_of(node, **(told | facts))


def test_a_pty_has_no_line_to_key_by_and_is_heard_all_the_same(port_of, terminal):
    node, master, slave = terminal
    port = serial_port(port_of, node)

    async def story():
        standing = port.state.transmit
        assert (standing.now, standing.reason) == (
            "unproven",
            "what stands there has no RTS to key by",
        )
        with pytest.raises(TransmitRefused):
            await transmit(port, CALL)

    told(port, story)

    assert lines_high(slave) is None
    with pytest.raises(BlockingIOError):
        os.read(master, 1)


def test_bytes_go_out_of_a_port_while_its_line_is_high(port_of, terminal, lines):
    node, master, _ = terminal
    port = serial_port(port_of, node)

    async def story():
        await transmit(port, CALL)
        # Before it is closed: closing throws away what nobody has read.
        assert select.select([master], [], [], 2)[0]
        return os.read(master, 4096)

    assert told(port, story) == CALL
    assert lines.words == ["high", "low", "closed"]


def test_it_waits_for_the_last_bit_beside_the_loop(port_of, terminal, lines, monkeypatch):
    where = []

    def draining(_fd):
        where.append(threading.current_thread().name)
        time.sleep(0.5)
        lines.note("drained")

    monkeypatch.setattr(serial_door.termios, "tcdrain", draining)
    port = serial_port(port_of, terminal[0])

    async def story():
        lag_s = 0.0
        sending = asyncio.ensure_future(transmit(port, CALL))
        while not sending.done():
            begun_s = time.monotonic()
            await asyncio.sleep(0.001)
            lag_s = max(lag_s, time.monotonic() - begun_s)
        await sending
        return lag_s

    assert told(port, story) < 0.4
    assert where == ["serial one"]
    assert lines.words == ["high", "drained", "low", "closed"]


@pytest.mark.parametrize("ends", ["close", "expired", "hung up"])
def test_a_port_that_ends_while_it_drains_drops_its_key(
    port_of, terminal, lines, monkeypatch, ends
):
    """What has not gone out is thrown away: it must not go out later, when nobody expects it."""
    flushed = threading.Event()
    error = termios.error(errno.EIO, "Input/output error")

    def draining(_fd):
        flushed.wait(0.1 if ends == "hung up" else 5)
        if ends == "hung up":
            raise error

    def flushing(fd, queue):
        real(fd, queue)
        if queue != termios.TCIFLUSH:
            flushed.set()

    real = termios.tcflush
    monkeypatch.setattr(serial_door.termios, "tcdrain", draining)
    monkeypatch.setattr(serial_door.termios, "tcflush", flushing)
    port = serial_port(port_of, terminal[0], transmit_s_max=0.3 if ends == "expired" else 10)

    async def story():
        sending = asyncio.ensure_future(transmit(port, CALL))
        await asyncio.sleep(0.05)
        assert lines.words == ["high"]
        if ends == "close":
            port.close()
        await asyncio.wait([sending], timeout=1)
        return sending.exception()

    raised = told(port, story)

    assert type(raised) is (KeyExpired if ends == "expired" else WireLost)
    assert lines.words == ["high", "low", "closed"]
    assert flushed.wait(2)


def test_closing_waits_for_no_byte_that_is_not_out(plan_of, terminal, lines, monkeypatch):
    """The thread that waits for the last bit is the one that closes: it is set free at once."""
    flushed = threading.Event()
    real = termios.tcflush

    def flushing(fd, queue):
        real(fd, queue)
        flushed.set()

    async def story():
        wire, _ = await serial_door.SerialWay(plan_of(terminal[0], transmit=True, ptt="rts")).open()
        monkeypatch.setattr(serial_door.termios, "tcdrain", lambda _fd: flushed.wait(5))
        monkeypatch.setattr(serial_door.termios, "tcflush", flushing)
        draining = asyncio.ensure_future(wire.drained())
        await asyncio.sleep(0.05)
        wire.close()
        async with asyncio.timeout(2):
            await draining

    with pytest.raises(WireLost, match="closed by us"):
        asyncio.run(story())
    assert lines.words == []


def test_a_line_that_stands_high_when_the_port_is_open_is_a_port_not_to_be_had(
    plan_of, terminal, monkeypatch
):
    monkeypatch.setattr(serial_door, "lines_high", lambda _fd: frozenset({"rts", "dtr"}))
    plan = plan_of(terminal[0], transmit=True, ptt="rts")

    with pytest.raises(WireLost, match="DTR AND RTS can't be dropped"):
        asyncio.run(serial_door.SerialWay(plan).open())


def test_a_wire_without_a_key_gives_no_line(plan_of, terminal):
    async def story():
        wire, _ = await serial_door.SerialWay(plan_of(terminal[0], transmit=True)).open()
        assert wire.key is None
        with pytest.raises(WireLost, match="no line to key by"):
            wire.key_line()
        wire.close()

    asyncio.run(story())


def test_a_descriptor_that_can_not_be_had_is_told(port_of, terminal, lines, monkeypatch):
    def none_left(_fd, _ptt):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(serial_door, "TerminalLine", none_left)

    with pytest.raises(WireLost, match="Too many open files"):
        sent(serial_port(port_of, terminal[0]))
    assert lines.words == []


# ---- The door to the kernel ---------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """What the kernel is asked, and what it answers."""
    asked = []
    answer = {"bits": 0}

    def ioctl(fd, request, packed):
        asked.append((fd, request, struct.unpack("i", packed)[0]))
        if isinstance(answer["bits"], OSError):
            raise answer["bits"]
        return struct.pack("i", answer["bits"])

    monkeypatch.setattr(keying_door.fcntl, "ioctl", ioctl)
    return asked, answer


@pytest.mark.parametrize(("ptt", "bit"), [("rts", termios.TIOCM_RTS), ("dtr", termios.TIOCM_DTR)])
def test_a_line_is_one_bit_of_its_own_descriptor(asked, terminal, ptt, bit):
    """A port that is closed while it is keyed leaves the key a descriptor, to be dropped by."""
    requests, _ = asked
    slave = terminal[2]
    line = TerminalLine(slave, ptt)
    line.set(high=True)
    line.set(high=False)
    (fd,) = {fd for fd, *_ in requests}
    assert fd != slave
    assert os.path.sameopenfile(fd, slave)
    line.close()

    assert [(request, bits) for _, request, bits in requests] == [
        (termios.TIOCMBIS, bit),
        (termios.TIOCMBIC, bit),
    ]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@pytest.mark.parametrize(
    ("bits", "high"),
    [
        (0, frozenset()),
        (termios.TIOCM_CTS | termios.TIOCM_CD, frozenset()),
        (termios.TIOCM_RTS, {"rts"}),
        (termios.TIOCM_DTR | termios.TIOCM_CTS, {"dtr"}),
        (OSError(errno.ENOTTY, "x"), None),
        (OSError(errno.EINVAL, "x"), None),
    ],
)
def test_which_lines_are_high_is_asked_of_the_kernel(asked, bits, high):
    asked[1]["bits"] = bits

    assert lines_high(0) == high
    assert asked[0] == [(0, termios.TIOCMGET, 0)]


def test_a_port_that_does_not_answer_for_its_lines_is_lost(asked):
    asked[1]["bits"] = OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        lines_high(0)


# ---- When the program is killed -----------------------------------------------------------------

KILLED = """
import asyncio, random, sys
sys.path[:0] = {path!r}
import test_keying as ours
from gateway.clock import Clock
from gateway.model.plan import PortPlan, Profile
from gateway.transport import serial as serial_door
from gateway.transport.keying import Keyer

async def keyed():
    lines = ours.Lines()
    serial_door.lines_high = lambda _fd: frozenset()
    serial_door.TerminalLine = lambda _fd, _ptt: ours.Line(lines)
    facts = dict(title="t", radio=("dsc",), framing="nmea", proven="t")
    profile = Profile(transmit=True, ptt="rts", **facts)
    plan = PortPlan(name="one", device={node!r}, modem="t", profile=profile)
    wire, _ = await serial_door.SerialWay(plan).open()
    async with Keyer("one", {node!r}, 60).keyed(wire.key):
        print(*lines.words, flush=True)
        await asyncio.sleep(60)

asyncio.run(keyed())
"""


def test_a_program_that_is_killed_while_it_keys_leaves_the_kernel_to_drop_it(terminal):
    """HUPCL is set, and nobody has the port open any more: that last close drops both lines."""
    node, _, slave = terminal
    settings = termios.tcgetattr(slave)
    settings[2] &= ~termios.HUPCL  # a pty has it from the beginning
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    folder = Path(__file__).parent
    script = KILLED.format(
        path=[str(folder), str(folder.parent), str(folder.parents[1])], node=node
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout.readline() == "high\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()

    assert termios.tcgetattr(slave)[2] & termios.HUPCL
    # The lock that it had went with its last descriptor.
    again = os.open(node, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)
