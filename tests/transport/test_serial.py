"""Opening a serial port: what is asked of it, and what is said when it can't be had."""

import asyncio
import os
import stat
import termios
import threading
import time

import pytest
import serial as pyserial

from gateway.transport import WireAbsent, WireLost
from gateway.transport import serial as serial_door
from gateway.transport.aside import JOBS_MAX, Aside
from gateway.transport.serial import SerialWay


@pytest.fixture
def terminal():
    master, slave = os.openpty()
    yield os.ttyname(slave), slave
    os.close(master)
    os.close(slave)


async def opened(plan):
    way = SerialWay(plan)
    try:
        wire, node = await way.open()
    finally:
        way.close()
    return wire, node


def test_the_line_is_set_as_the_profile_says(plan_of, terminal):
    node, slave = terminal

    settings = termios.tcgetattr(slave)
    settings[2] &= ~termios.HUPCL  # a pty has it from the beginning
    termios.tcsetattr(slave, termios.TCSANOW, settings)

    async def story():
        plan = plan_of(node, baud=38400, data_bits=7, parity="even", stop_bits=2)
        wire, found = await opened(plan)
        iflag, oflag, cflag, lflag, ispeed, ospeed, cc = termios.tcgetattr(slave)
        wire.close()

        assert found.path == node
        assert (ispeed, ospeed) == (termios.B38400, termios.B38400)
        # A pty keeps eight bits without parity whatever it is told; the rest it keeps.
        assert cflag & termios.CSTOPB
        assert cflag & termios.HUPCL
        assert not cflag & termios.CRTSCTS
        assert not iflag & (termios.IXON | termios.IXOFF | termios.ICRNL)
        assert not oflag & termios.OPOST
        assert not lflag & (termios.ICANON | termios.ECHO | termios.ISIG)
        assert (cc[termios.VMIN], cc[termios.VTIME]) in {(1, 0), (b"\x01", b"\x00")}

    asyncio.run(story())


def test_push_to_talk_lines_are_low_from_the_start(plan_of, terminal, monkeypatch):
    """Both are set low before opening, so that pyserial's first setting of them is low."""
    seen = []

    class Spy(pyserial.Serial):
        def open(self):
            seen.append((self.rts, self.dtr, self.rtscts, self.dsrdtr, self.exclusive))
            super().open()

    monkeypatch.setattr(serial_door.serial, "Serial", Spy)

    async def story():
        wire, _ = await opened(plan_of(terminal[0]))
        wire.close()

    asyncio.run(story())

    assert seen == [(False, False, False, False, True)]


def test_what_is_no_terminal_is_told(plan_of, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")

    with pytest.raises(WireLost, match="Inappropriate ioctl"):
        asyncio.run(opened(plan_of(str(path))))


def test_what_is_not_there_is_absent(plan_of, tmp_path):
    with pytest.raises(WireAbsent):
        asyncio.run(opened(plan_of(str(tmp_path / "nothing"))))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(16, "x"), "held by another program"),
        (OSError(11, "x"), "held by another program"),
        (OSError(13, "x"), "group"),
        (OSError(19, "x"), "No such device"),
        (termios.error(5, "Input/output error"), "Input/output error"),
        (pyserial.SerialException("Could not configure port"), "Could not configure port"),
        (ValueError("Invalid baud rate"), "Invalid baud rate"),
    ],
)
def test_every_foreign_error_is_translated_at_the_seam(
    plan_of, terminal, monkeypatch, error, words
):
    class Broken(pyserial.Serial):
        def open(self):
            raise error

    monkeypatch.setattr(serial_door.serial, "Serial", Broken)

    with pytest.raises(WireLost, match=words):
        asyncio.run(opened(plan_of(terminal[0])))


def test_a_node_replaced_while_it_is_opened_is_let_go(plan_of, terminal, monkeypatch):
    monkeypatch.setattr(serial_door, "node_at", lambda _path: None)

    with pytest.raises(WireLost, match="No such device"):
        asyncio.run(opened(plan_of(terminal[0])))


def test_a_device_that_never_opens_costs_no_more_than_its_own_port(plan_of, terminal, monkeypatch):
    """The loop goes on, the opening is given up in time, and what opens late is closed again."""
    monkeypatch.setattr(serial_door, "OPEN_S_MAX", 0.1)
    release = threading.Event()
    shut = threading.Event()
    real = serial_door._opened

    def sick(*args):
        release.wait(5)
        return real(*args)

    def shutting(port):
        real_shut(port)
        shut.set()

    real_shut = serial_door._shut
    monkeypatch.setattr(serial_door, "_opened", sick)
    monkeypatch.setattr(serial_door, "_shut", shutting)

    async def story():
        way = SerialWay(plan_of(terminal[0]))
        begun = time.monotonic()
        for _ in range(JOBS_MAX + 3):
            with pytest.raises(WireLost, match=r"opening takes|the kernel"):
                await way.open()
        assert time.monotonic() - begun < 0.1 * (JOBS_MAX + 2)
        release.set()
        way.close()
        while not shut.is_set():  # a thread sets it
            await asyncio.sleep(0.01)

    asyncio.run(story())


def test_closing_waits_beside_the_loop(plan_of, terminal, monkeypatch):
    """A USB adapter takes a tenth of a second to close; the others are heard meanwhile."""
    closed = threading.Event()

    class Slow(pyserial.Serial):
        def close(self):
            time.sleep(0.2)
            super().close()
            closed.set()

    monkeypatch.setattr(serial_door.serial, "Serial", Slow)

    async def story():
        wire, _ = await opened(plan_of(terminal[0]))
        begun = time.monotonic()
        wire.close()
        wire.close()
        assert time.monotonic() - begun < 0.05
        with pytest.raises(WireLost, match="closed by us"):
            await wire.read()

    asyncio.run(story())
    assert closed.wait(2)


def test_calls_beside_the_loop_are_made_in_order_and_the_thread_ends():
    made = []

    async def story():
        aside = Aside("test")
        aside.later(lambda: made.append(1))
        assert await aside.ask(lambda: made.append(2) or 7, undo=made.append) == 7
        with pytest.raises(ZeroDivisionError):
            await aside.ask(lambda: 1 // 0, undo=made.append)
        aside.later(lambda: made.append(3))
        aside.close()

    asyncio.run(story())
    for thread in threading.enumerate():
        if thread.name == "test":
            thread.join(1)

    assert made == [1, 2, 3]
    assert "test" not in [thread.name for thread in threading.enumerate()]


def test_a_result_nobody_waits_for_is_undone():
    undone = threading.Event()

    async def story():
        aside = Aside("test")
        task = asyncio.create_task(
            aside.ask(lambda: time.sleep(0.05) or 7, undo=lambda _: undone.set())
        )
        await asyncio.sleep(0.01)
        task.cancel()
        aside.close()
        await asyncio.sleep(0.1)

    asyncio.run(story())
    assert undone.wait(1)


def test_a_virtual_modem_is_not_locked_by_the_kernel(terminal):
    """A pty outlives us: locked by TIOCEXCL it would stay so after we were killed."""
    assert stat.S_ISCHR(os.fstat(terminal[1]).st_mode)
    assert not serial_door._kernel_lockable(terminal[1])
