"""Modems over TCP, on the loopback: we call, or they call."""

import asyncio
import socket
import time
from contextlib import aclosing, asynccontextmanager, suppress

import pytest
from permits_made import transmit

from gateway.transport import (
    READ_BYTES_MAX,
    WRITE_BYTES_MAX,
    WRITE_S_MAX,
    WireAbsent,
    WireLost,
    WriteStalled,
)
from gateway.transport import tcp as tcp_door
from gateway.transport.tcp import TcpListenWay, TcpWay


@pytest.fixture
def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@asynccontextmanager
async def modem_at(port: int):
    """A modem that answers calls; gives the connections it has taken."""
    taken: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _reader, writer: taken.append(writer), "127.0.0.1", port
    )
    try:
        yield taken
    finally:
        server.close()
        for writer in taken:
            writer.transport.abort()
        await asyncio.sleep(0)


async def caller(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def until(condition, limit_s: float = 1.0) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < limit_s, "not in time"
        await asyncio.sleep(0.002)


async def gathered(port, into: list) -> None:
    async with aclosing(port.chunks()) as chunks:
        async for chunk in chunks:
            into += [(chunk.data, chunk.gap)]


@asynccontextmanager
async def listening(port):
    heard: list[tuple[bytes, bool]] = []
    task = asyncio.create_task(gathered(port, heard))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_a_modem_that_answers_is_heard_spoken_to_and_called_again(port_of, free_port):
    port = port_of(f"tcp://127.0.0.1:{free_port}", transmit=True)

    async def story():
        async with listening(port) as heard:
            await until(lambda: port.state.last_error == "Connection refused")
            async with modem_at(free_port) as taken:
                await until(lambda: taken)
                taken[0].write(b"$GPZDA\r\n")
                await until(lambda: heard == [(b"$GPZDA\r\n", True)])
                await transmit(port, b"order")
                assert port.state.bytes_out == 5
                taken[0].close()
                await until(lambda: len(taken) == 2)
                taken[1].write(b"again")
                await until(lambda: heard[1:] == [(b"", True), (b"again", True)])
                assert port.state.reopened == 1

    asyncio.run(story())


def test_a_fast_sender_comes_in_bounded_chunks(free_port, clock):
    async def story():
        async with modem_at(free_port) as taken:
            wire, _ = await TcpWay(f"tcp://127.0.0.1:{free_port}", clock=clock).open()
            await until(lambda: taken)
            taken[0].write(bytes(200_000))
            sizes = []
            while sum(sizes) < 200_000:
                sizes.append(len(await wire.read()))
            wire.close()
            wire.close()
        return sizes

    assert max(asyncio.run(story())) <= READ_BYTES_MAX


async def until_stalled(wire) -> tuple[float, WriteStalled]:
    """Write until the kernel's own buffers are full; return how long the last write took."""
    while True:
        begun = time.monotonic()
        try:
            await wire.write(bytes(WRITE_BYTES_MAX))
        except WriteStalled as stalled:
            return time.monotonic() - begun, stalled


def test_a_stalled_host_ends_the_write_in_time(free_port, clock, monkeypatch):
    """What waits can't be taken back but by hanging up; then it is never sent late."""
    monkeypatch.setattr(tcp_door, "WRITE_S_MAX", 0.2)

    async def story():
        async with modem_at(free_port) as taken:
            wire, _ = await TcpWay(f"tcp://127.0.0.1:{free_port}", clock=clock).open()
            with pytest.raises(WriteStalled) as refused:
                await wire.write(bytes(WRITE_BYTES_MAX + 1))
            assert refused.value.waited_s == 0
            await until(lambda: taken)
            taken[0].transport.pause_reading()
            took_s, stalled = await until_stalled(wire)
            assert stalled.waited_s > 0
            assert took_s < WRITE_S_MAX
            with pytest.raises(WireLost):
                await wire.read()
            with pytest.raises(WireLost):
                await wire.write(b"x")

    asyncio.run(story())


def test_a_host_that_does_not_answer_is_given_up(free_port, clock, monkeypatch):
    monkeypatch.setattr(tcp_door, "CONNECT_S_MAX", 0.1)

    async def never(*_args, **_facts):
        await asyncio.sleep(5)

    monkeypatch.setattr(tcp_door.asyncio, "open_connection", never)
    with pytest.raises(WireLost, match="no answer"):
        asyncio.run(TcpWay(f"tcp://127.0.0.1:{free_port}", clock=clock).open())


def test_dead_connections_are_asked_after(free_port, clock):
    async def story():
        async with modem_at(free_port):
            wire, _ = await TcpWay(f"tcp://127.0.0.1:{free_port}", clock=clock).open()
            line = wire._writer.get_extra_info("socket")
            found = [
                line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            ]
            wire.close()
            return found

    assert asyncio.run(story()) == [1, 10, 20_000]


def test_senders_that_call_are_heard_one_after_the_other(port_of, free_port):
    port = port_of(f"tcp-listen://127.0.0.1:{free_port}")

    async def story():
        async with listening(port) as heard:
            await until(lambda: port.state.last_error == "listening; no sender has called")
            for words in (b"one", b"two"):
                _, writer = await caller(free_port)
                writer.write(words)
                await until(lambda words=words: (words, True) in heard)
                writer.close()
                await until(lambda: heard[-1] == (b"", True))
        with pytest.raises(ConnectionRefusedError):
            await caller(free_port)
        return heard

    assert asyncio.run(story()) == [(b"one", True), (b"", True), (b"two", True), (b"", True)]


def test_a_second_sender_is_turned_away_and_counted(port_of, free_port):
    """The bytes of two senders would mix within a sentence: one speaks, the others are told no."""
    port = port_of(f"tcp-listen://127.0.0.1:{free_port}")

    async def story():
        async with listening(port) as heard:
            await until(lambda: port.state.last_error is not None)
            _, first = await caller(free_port)
            first.write(b"!AIVDM,1,1,,A,half")
            await until(lambda: heard)
            for _ in range(3):
                reader, second = await caller(free_port)
                second.write(b"other")
                with suppress(ConnectionError):
                    assert await reader.read() == b""
                second.close()
            first.write(b"other half")
            await until(lambda: b"".join(data for data, _ in heard).endswith(b"other half"))
            await until(lambda: port.state.refused_senders == 3)
            first.close()
        return b"".join(data for data, _ in heard)

    assert asyncio.run(story()) == b"!AIVDM,1,1,,A,halfother half"


def test_a_sender_switched_off_and_on_takes_its_place_again(port_of, free_port, monkeypatch):
    """From the same address, once the old connection has been silent; with a gap between."""
    monkeypatch.setattr(tcp_door, "TAKEOVER_S", 0.05)
    port = port_of(f"tcp-listen://127.0.0.1:{free_port}")

    async def story():
        async with listening(port) as heard:
            await until(lambda: port.state.last_error is not None)
            _, first = await caller(free_port)
            first.write(b"before")
            await until(lambda: heard)
            await asyncio.sleep(0.1)
            _, second = await caller(free_port)
            second.write(b"after")
            await until(lambda: (b"after", True) in heard)
            first.close()
            second.close()
        return heard

    assert asyncio.run(story())[:3] == [(b"before", True), (b"", True), (b"after", True)]


def test_a_place_taken_by_another_program_is_told(free_port, clock):
    async def story():
        async with modem_at(free_port):
            way = TcpListenWay(f"tcp-listen://127.0.0.1:{free_port}", clock=clock)
            with pytest.raises(WireLost, match="in use") as refused:
                await way.open()
            assert not isinstance(refused.value, WireAbsent)
            way.close()

    asyncio.run(story())
