"""Faults of serial ports, over real pseudo-terminals."""

import asyncio
import os
import random
import resource
import subprocess
import sys
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import structlog
from permits_made import transmit

from gateway.clock import Clock
from gateway.framing.nmea import Nmea
from gateway.model.plan import PortPlan, Profile
from gateway.transport import (
    READ_BYTES_MAX,
    WRITE_BYTES_MAX,
    WRITE_S_MAX,
    TransmitRefused,
    WriteStalled,
)
from gateway.transport import serial as serial_door
from gateway.transport.supervisor import Port

SENTENCES = (
    b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
    b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"
)
NOTICED_S_MAX = 0.1
BACK_S_MAX = 1.0
LAG_S_MAX = 0.05
CPU_SHARE_MAX = 0.05

PROFILE = Profile(title="bench", radio=("dsc",), framing="nmea", baud=4800, proven="this test")


class Modem:
    """A virtual modem: the master side of a pty, behind a name that stays."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.master = -1

    def plug_in(self) -> None:
        self.master, slave = os.openpty()
        os.set_blocking(self.master, False)
        self.lead_to(os.ttyname(slave))
        os.close(slave)

    def lead_to(self, node: str) -> None:
        fresh = self.name.with_suffix(".new")
        fresh.symlink_to(node)
        fresh.replace(self.name)

    def yank(self) -> None:
        self.name.unlink()
        os.close(self.master)
        self.master = -1

    def say(self, data: bytes) -> None:
        assert os.write(self.master, data) == len(data)

    def put_away(self) -> None:
        if self.master >= 0:
            os.close(self.master)


class Ear:
    """A port with somebody listening to it."""

    def __init__(self, device: Path, *, adapter: str = "none", **profile) -> None:
        fields = {**{name: getattr(PROFILE, name) for name in PROFILE.__struct_fields__}, **profile}
        plan = PortPlan(
            name=device.name,
            device=str(device),
            modem="bench",
            profile=Profile(**fields),
            adapter=adapter,
        )
        self.events: list[dict] = []
        log = structlog.wrap_logger(
            None,
            processors=[self._log],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )
        self.port = Port(plan, clock=Clock(), log=log, jitter=random.Random(1))
        self.chunks = []
        self.woken = asyncio.Event()

    def _log(self, _logger, _method, event):
        self.events.append(event)
        raise structlog.DropEvent

    async def listen(self) -> None:
        async for chunk in self.port.chunks():
            self.chunks.append(chunk)
            self.woken.set()

    @property
    def heard(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)


@pytest.fixture
def modems(tmp_path):
    made = []

    def make(name: str) -> Modem:
        modem = Modem(tmp_path / name)
        modem.plug_in()
        made.append(modem)
        return modem

    yield make
    for modem in made:
        modem.put_away()


@pytest.fixture
def figure(request):
    """Keep a measured figure with the test, for whoever reads the results."""

    def keep(name: str, value: float) -> None:
        request.node.user_properties.append((name, round(value, 3)))

    return keep


@asynccontextmanager
async def listening(*ears: Ear, wait_open: bool = True, lag_known: bool = True):
    """Listen on these ports, and see to it that the loop is never held up."""
    lags: list[float] = []
    tasks = [asyncio.create_task(ear.listen()) for ear in ears]
    if lag_known:
        tasks.append(asyncio.create_task(measured(lags)))
    try:
        if wait_open:
            for ear in ears:
                await until(lambda ear=ear: ear.port.state.state == "open", 1.0)
        yield lags
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        assert task.cancelled() or task.exception() is None
    lags.sort()
    if len(lags) > 100:
        assert lags[int(len(lags) * 0.99)] <= LAG_S_MAX


async def measured(lags: list[float]) -> None:
    """Keep by how much each nap of 5 ms was longer."""
    while True:
        begun = time.monotonic()
        await asyncio.sleep(0.005)
        lags.append(time.monotonic() - begun - 0.005)


async def until(condition, limit_s: float) -> float:
    """Return after how long this became true; fail when it does not in time."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun <= limit_s, "not in time"
        await asyncio.sleep(0.001)
    return time.monotonic() - begun


def test_twenty_yanks_in_a_row_are_noticed_and_healed(modems, figure):
    """Noticed within 100 ms, open again within 1 s of the node's return, heard again at once."""
    noticed, back = [], []

    async def story():
        modem = modems("radio")
        ear = Ear(modem.name)
        async with listening(ear):
            for round_ in range(20):
                modem.say(b"$before\r\n")
                await until(lambda: ear.heard.endswith(b"$before\r\n"), 1.0)
                modem.yank()
                noticed.append(
                    await until(lambda: ear.port.state.state == "waiting", NOTICED_S_MAX)
                )
                assert ear.port.state.last_error
                await asyncio.sleep(random.Random(round_).uniform(0, 0.2))
                modem.plug_in()
                back.append(await until(lambda: ear.port.state.state == "open", BACK_S_MAX))
                ear.chunks.clear()
                modem.say(b"$after\r\n")
                await until(lambda: ear.heard == b"$after\r\n", 1.0)

                assert ear.chunks[0].gap
            assert ear.port.state.reopened == 20

    asyncio.run(story())
    figure("noticed_ms_max", max(noticed) * 1000)
    figure("back_ms_max", max(back) * 1000)


def test_a_port_gone_for_long_is_back_within_a_second(modems):
    """However long the back-off has grown, the node's return ends it."""

    async def story():
        modem = modems("radio")
        ear = Ear(modem.name)
        async with listening(ear):
            modem.yank()
            await until(lambda: ear.port.state.state == "waiting", NOTICED_S_MAX)
            ear.port._attempt = 12
            await asyncio.sleep(0.3)
            modem.plug_in()
            await until(lambda: ear.port.state.state == "open", BACK_S_MAX)

    asyncio.run(story())


def test_modems_that_exchange_nodes_are_followed_by_name(modems):
    """After a swap each port hears the modem that its name leads to, and no byte of the other."""

    async def story():
        one, two = modems("one"), modems("two")
        ears = Ear(one.name), Ear(two.name)
        async with listening(*ears):
            nodes = [str(modem.name.readlink()) for modem in (one, two)]
            one.lead_to(nodes[1])
            two.lead_to(nodes[0])
            await until(
                lambda: [ear.port.state.resolved for ear in ears] == nodes[::-1], BACK_S_MAX + 0.5
            )
            one.say(b"$from one\r\n")
            two.say(b"$from two\r\n")
            await until(lambda: all(ear.heard for ear in ears), 1.0)

            assert [ear.heard for ear in ears] == [b"$from two\r\n", b"$from one\r\n"]
            assert all(chunk.gap for ear in ears for chunk in ear.chunks[:1])

    asyncio.run(story())


def test_modems_that_exchange_nodes_get_no_byte_that_is_meant_for_the_other(modems, monkeypatch):
    """What stands there is asked at each opening: a name that leads elsewhere transmits nothing.

    A pty has no adapter: which node is which is said here, as the kernel says it of a real one.
    """

    async def story():
        group = [modems(name) for name in ("one", "two")]
        nodes = [str(modem.name.readlink()) for modem in group]
        adapters = dict(zip(nodes, ("0403:6001:ONE", "0403:6001:TWO"), strict=True))
        monkeypatch.setattr(serial_door, "adapter_at", lambda node, _roots: adapters[node.path])
        ears = [
            Ear(modem.name, adapter=adapters[node], transmit=True)
            for modem, node in zip(group, nodes, strict=True)
        ]
        async with listening(*ears):
            await until(lambda: all(ear.port.state.state == "open" for ear in ears), 1.0)
            for ear in ears:
                await transmit(ear.port, b"$before\r\n")
            await asyncio.sleep(0.02)
            assert [all_read(modem) for modem in group] == [b"$before\r\n"] * 2
            for modem, node in zip(group, nodes[::-1], strict=True):
                modem.lead_to(node)
            await until(
                lambda: [ear.port.state.resolved for ear in ears] == nodes[::-1], BACK_S_MAX + 0.5
            )
            for ear, meant in zip(ears, adapters.values(), strict=True):
                with pytest.raises(TransmitRefused, match=f"stands there, not {meant}"):
                    await transmit(ear.port, b"$after\r\n")
            for modem in group:
                modem.say(SENTENCES)
            await until(lambda: all(ear.heard == SENTENCES for ear in ears), 0.5)
            assert [all_read(modem) for modem in group] == [b"", b""]

    asyncio.run(story())


FLOOD = """
import os, sys
noise = os.urandom(65536).replace(b"\\n", b"x")
os.set_blocking(int(sys.argv[1]), True)
while True:
    os.write(int(sys.argv[1]), noise)
"""

STAMPS = """
import os, sys, time
for _ in range(300):
    os.write(int(sys.argv[1]), b"$TEST,%d\\r\\n" % time.monotonic_ns())
    time.sleep(0.005)
"""


def spoken_by(script: str, modem: Modem) -> subprocess.Popen:
    return subprocess.Popen(  # our own script
        [sys.executable, "-I", "-c", script, str(modem.master)], pass_fds=[modem.master]
    )


class Flooded(Ear):
    """A port whose garbage goes through a framer, as in the service, and is not kept."""

    async def listen(self) -> None:
        framer = Nmea()
        spans = 0
        async for chunk in self.port.chunks():
            spans += sum(frame.span for frame in framer.split(chunk))
            assert spans + framer.held == self.port.state.bytes_in


def test_a_garbage_flood_on_one_port_delays_no_other(modems, figure):
    """The quiet port's sentences come in with p99 under 100 ms, all of them; memory stays flat."""

    async def story():
        noisy, quiet = modems("noisy"), modems("quiet")
        flooded, calm = Flooded(noisy.name, baud=115200), Ear(quiet.name)
        async with listening(flooded, calm) as lags:
            before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with spoken_by(FLOOD, noisy) as flood, spoken_by(STAMPS, quiet) as stamps:
                await until(lambda: calm.chunks, 2.0)
                begun, cpu_begun = time.monotonic(), time.process_time()
                await until(lambda: stamps.poll() is not None, 10.0)
                elapsed_s = time.monotonic() - begun
                figure("cpu_share", (time.process_time() - cpu_begun) / elapsed_s)
                figure("flood_mb_per_s", flooded.port.state.bytes_in / elapsed_s / 1e6)
                flood.terminate()
            await until(lambda: calm.heard.count(b"\n") == 300, 1.0)
            figure("lag_ms_max", max(lags) * 1000)

            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 5_000
            assert flooded.port.state.bytes_in > 1_000_000
            assert flooded.port.state.state == "open"
        return calm.chunks

    late_ms = sorted(
        (chunk.heard.mono_ns - int(line.split(b",")[1])) / 1e6
        for chunk in asyncio.run(story())
        for line in chunk.data.split()
    )
    figure("p99_ms", late_ms[int(len(late_ms) * 0.99)])

    assert late_ms[int(len(late_ms) * 0.99)] <= 100


def misread(data: bytes, sent_baud: int, read_baud: int) -> bytes:
    """Return what a UART reads that is set to another speed than the sender's (8N1)."""
    levels = [1] * 20
    for byte in data:
        levels += [0, *((byte >> bit) & 1 for bit in range(8)), 1]
    levels += [1] * 400
    ratio = sent_baud / read_baud

    def level(at: float) -> int:
        return levels[min(int(at), len(levels) - 1)]

    out, at = bytearray(), 0.0
    while at < len(levels) - 12 * ratio:
        if level(at):
            at += ratio / 16
            continue
        bits = [level(at + ratio * (1.5 + bit)) for bit in range(8)]
        out.append(sum(value << bit for bit, value in enumerate(bits)))
        at += ratio * 9.5
        while not level(at):
            at += ratio / 16
    return bytes(out)


@pytest.mark.parametrize("read_baud", [1200, 2400, 9600, 38400])
def test_a_wrong_line_speed_yields_no_sentence_and_loses_no_byte(modems, read_baud):
    """Garbage in, garbage counted: 0 whole sentences, every byte in a frame or held."""
    garbage = misread(SENTENCES * 20, 4800, read_baud)

    async def story():
        modem = modems("radio")
        ear = Ear(modem.name, baud=read_baud)
        async with listening(ear):
            for start in range(0, len(garbage), 512):
                modem.say(garbage[start : start + 512])
                await asyncio.sleep(0.002)
            await until(lambda: len(ear.heard) == len(garbage), 1.0)
        return ear

    ear = asyncio.run(story())
    framer = Nmea()
    frames = [frame for chunk in ear.chunks for frame in framer.split(chunk)]

    assert misread(SENTENCES, 4800, 4800) == SENTENCES
    assert [frame for frame in frames if frame.fault is None] == []
    assert sum(frame.span for frame in frames) + framer.held == ear.port.state.bytes_in


def test_a_second_opener_is_refused_and_the_first_loses_nothing(modems):
    """Another gateway on the same port is told so; it opens when the first has gone."""

    async def story():
        modem = modems("radio")
        first, second = Ear(modem.name), Ear(modem.name)
        async with listening(first), listening(second, wait_open=False):
            await until(lambda: second.port.state.last_error is not None, 1.0)
            modem.say(SENTENCES)
            await until(lambda: first.heard == SENTENCES, 1.0)

            assert second.port.state.last_error == "held by another program"
            assert second.port.state.state != "open"
            assert second.chunks == []
        async with listening(second):
            pass

    asyncio.run(story())


def test_the_kernel_refuses_an_opener_that_asks_for_no_lock(modems, monkeypatch):
    """Whoever ignores the advisory lock is stopped by TIOCEXCL, unless it is root."""
    monkeypatch.setattr(serial_door, "_kernel_lockable", lambda _fd: True)

    async def story():
        modem = modems("radio")
        node = str(modem.name.readlink())
        os.chmod(node, 0o666)  # noqa: PTH101, S103  # so that only the lock can refuse
        async with listening(Ear(modem.name)):
            assert not opened_by_a_stranger(node)
        await until(lambda: opened_by_a_stranger(node), 1.0)

    asyncio.run(story())


def opened_by_a_stranger(node: str) -> bool:
    """Whether a process without privileges can open this terminal."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def until_stalled(port: Port) -> tuple[float, WriteStalled]:
    """Transmit until the kernel's own buffer is full; return how long the last one took."""
    while True:
        begun = time.monotonic()
        try:
            await transmit(port, b"$TEST\r\n" * 500)
        except WriteStalled as stalled:
            return time.monotonic() - begun, stalled


def all_read(modem: Modem) -> bytes:
    """Return what waits for a modem, as one that comes to itself reads it."""
    heard = b""
    with suppress(BlockingIOError):
        while data := os.read(modem.master, 65536):
            heard += data
    return heard


def test_a_stalled_modem_stops_writing_and_not_hearing(modems, figure):
    """The write ends in time, the port is marked until it is opened anew, bytes still come in."""

    async def story():
        modem = modems("radio")
        ear = Ear(modem.name, transmit=True)
        async with listening(ear):
            with pytest.raises(TransmitRefused, match="may wait for a modem"):
                await transmit(ear.port, b"x" * (WRITE_BYTES_MAX + 1))
            assert ear.port.state.bytes_out == 0
            stalled_s, stalled = await until_stalled(ear.port)
            figure("stalled_s", stalled_s)

            assert stalled.waited_s == WRITE_S_MAX
            assert stalled_s <= WRITE_S_MAX + 0.2
            assert ear.port.state.transmit.now == "dead"
            assert ear.port.state.state == "open"
            modem.say(SENTENCES)
            await until(lambda: ear.heard == SENTENCES, 0.5)

            all_read(modem)  # the modem comes to itself
            with pytest.raises(TransmitRefused, match="only opening it anew"):
                await transmit(ear.port, b"$TEST\r\n")
            assert all_read(modem) == b""
            modem.yank()
            modem.plug_in()
            await until(lambda: ear.port.state.transmit.now == "ready", 5.0)
            await transmit(ear.port, b"$TEST\r\n")
            await asyncio.sleep(0.02)
            assert all_read(modem) == b"$TEST\r\n"

    asyncio.run(story())


def test_bytes_come_in_while_a_write_is_stalling(modems):
    async def story():
        modem = modems("radio")
        ear = Ear(modem.name, transmit=True)

        async def write_until_stalled():
            while True:
                await transmit(ear.port, b"x" * WRITE_BYTES_MAX)

        async with listening(ear):
            writing = asyncio.create_task(write_until_stalled())
            await asyncio.sleep(0.2)
            modem.say(SENTENCES)
            await until(lambda: ear.heard == SENTENCES, 0.1)
            assert not writing.done()
            modem.yank()
            with pytest.raises(Exception, match="hung up"):
                await writing

    asyncio.run(story())


def test_a_cancelled_write_leaves_the_port_usable(modems):
    """Whoever gives up waiting leaves nothing behind that is sent later."""

    async def story():
        modem = modems("radio")
        ear = Ear(modem.name, transmit=True)
        async with listening(ear):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    while True:
                        await transmit(ear.port, b"x" * WRITE_BYTES_MAX)
            await asyncio.sleep(0.02)
            all_read(modem)
            await transmit(ear.port, b"$TEST\r\n")
            await asyncio.sleep(0.02)

            assert all_read(modem).endswith(b"$TEST\r\n")
            assert ear.port.state.transmit.now == "ready"

    asyncio.run(story())


def test_a_slow_reader_loses_nothing_and_holds_little(modems):
    """While nobody reads, the kernel keeps the bytes: at most one chunk waits here."""

    async def story():
        modem = modems("radio")
        sent = b"".join(b"%07d\n" % number for number in range(1200))
        ear = Ear(modem.name)
        chunks = ear.port.chunks()
        first = asyncio.ensure_future(anext(chunks))
        await until(lambda: ear.port.state.state == "open", 1.0)
        modem.say(sent[:8])
        heard = (await first).data
        modem.say(sent[8:])
        await asyncio.sleep(0.1)
        begun = time.process_time()
        await asyncio.sleep(0.3)
        assert time.process_time() - begun < 0.05
        assert len(ear.port._wire._heard) <= READ_BYTES_MAX
        while len(heard) < len(sent):
            heard += (await anext(chunks)).data
        await chunks.aclose()

        assert heard == sent

    asyncio.run(story())


def test_a_silent_port_is_opened_anew_and_told(modems):
    """Silence is not loss: it reads `silent` until a byte comes, and each reopening is counted."""

    async def story():
        modem = modems("radio")
        ear = Ear(modem.name, silence_s=0.15)
        async with listening(ear):
            await until(lambda: ear.port.state.silences >= 2, 1.0)
            assert ear.port.state.state == "silent"
            assert "silent" in ear.port.state.last_error
            for _ in range(50):
                modem.say(b"$still here\r\n")
                await asyncio.sleep(0.01)
            assert ear.port.state.state == "open"
            silences = ear.port.state.silences
            assert silences <= 4

    asyncio.run(story())


@pytest.mark.parametrize("trouble", ["idle", "hung up", "absent"])
def test_a_port_with_nothing_to_do_costs_no_processor(modems, figure, trouble):
    """No busy loop: not while quiet, not on a hung-up line, not while the node is away."""

    async def story():
        group = [modems(f"radio{number}") for number in range(4)]
        ears = [Ear(modem.name) for modem in group]
        async with listening(*ears, lag_known=False):  # measuring would cost more than they do
            for modem in group:
                if trouble == "hung up":
                    os.close(modem.master)
                    modem.master = -1
                elif trouble == "absent":
                    modem.yank()
            await asyncio.sleep(0.2)
            begun = time.process_time()
            await asyncio.sleep(1.0)
            return time.process_time() - begun

    share = asyncio.run(story())
    figure("cpu_share", share)

    assert share <= CPU_SHARE_MAX


def test_cancelling_leaves_no_port_open(modems):
    """Wherever it is cancelled, the port can be had by another one at once."""

    async def story():
        modem = modems("radio")
        for pause_s in (0.0, 0.0005, 0.001, 0.002, 0.05):
            task = asyncio.create_task(Ear(modem.name).listen())
            await asyncio.sleep(pause_s)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        async with listening(Ear(modem.name)):
            pass
        await asyncio.sleep(0.05)

    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names are all that is wanted
    asyncio.run(story())
    assert len(set(os.listdir("/proc/self/fd")) - before) <= 2  # noqa: PTH208  # pty and dir
