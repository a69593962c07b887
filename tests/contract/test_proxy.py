"""Each fault of the line does what it says: else the contract is tested against nothing."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.contract.proxy import LOOPBACK, Kind, Packet, Way, packet, proxied, split

CONNECT = packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x0f\x03\x21\x00\x14\x00\x02gw")
CONNECT_311 = packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x0f\x00\x02gw")
CONNACK = packet(0x20, b"\x00\x00\x00")
PING, PONG = b"\xc0\x00", b"\xd0\x00"


def publish(mid, payload=b"x"):
    return packet(0x32, b"\x00\x01t" + mid.to_bytes(2, "big") + b"\x00" + payload)


def puback(mid):
    return packet(0x40, mid.to_bytes(2, "big"))


class Broker:
    """Answers everything as it should be, tells what it is told, and remembers what it got."""

    def __init__(self):
        self.got = []
        self.ended = []
        self.writers = []

    async def serve(self, reader, writer):
        self.writers.append(writer)
        buffer = bytearray()
        try:
            while chunk := await reader.read(65_536):
                buffer += chunk
                for found in split(buffer):
                    self.got.append(found.raw)
                    writer.write(self.answer(found))
                    await writer.drain()
            self.ended.append("FIN")
        except OSError:
            self.ended.append("RST")
        finally:
            writer.close()

    def answer(self, found):
        if found.kind is Kind.CONNECT:
            return CONNACK
        if found.kind is Kind.PUBLISH:
            return puback(found.mid)
        return PONG if found.kind is Kind.PINGREQ else b""


class Client:
    """Says bytes and reads packets; knows nothing of MQTT."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.buffer = bytearray()

    def say(self, *raws):
        self.writer.write(b"".join(raws))

    async def hear(self, limit_s=1.0):
        """Return the next packet; None at the end of the connection."""
        async with asyncio.timeout(limit_s):
            while True:
                for found in split(self.buffer):
                    return found.raw
                chunk = await self.reader.read(65_536)
                if not chunk:
                    return None
                self.buffer += chunk

    async def hears_nothing(self):
        with pytest.raises(TimeoutError):
            await self.hear(0.05)


class Line:
    """A proxy, the broker behind it, and what makes clients in front."""

    def __init__(self, proxy, broker):
        self.proxy, self.broker = proxy, broker
        self.writers = []

    async def connect(self):
        ends = await asyncio.open_connection(LOOPBACK, self.proxy.port)
        self.writers.append(ends[1])
        client = Client(*ends)
        client.say(CONNECT)
        assert await client.hear() == CONNACK
        return client


def on_a_line(test):
    """Run a test on such a line."""

    def run():
        async def play():
            broker = Broker()
            server = await asyncio.start_server(broker.serve, LOOPBACK, 0)
            async with asyncio.timeout(5), proxied(server.sockets[0].getsockname()[1]) as proxy:
                line = Line(proxy, broker)
                try:
                    await test(line)
                finally:
                    for writer in [*line.writers, *broker.writers]:
                        writer.close()
                    server.close()
            await asyncio.sleep(0.01)

        asyncio.run(play())

    run.__name__ = test.__name__  # not wraps: pytest would look for fixtures by its arguments
    return run


async def until(condition):
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.002)


def test_packets_are_told_apart_wherever_the_pieces_are_cut():
    long = publish(7, b"y" * 20_000)
    wire = CONNECT + PING + long + puback(7)
    for size in (1, 2, 3, 1000, len(wire)):
        buffer, found = bytearray(), []
        for at in range(0, len(wire), size):
            buffer += wire[at : at + size]
            found += [one.raw for one in split(buffer)]
        assert found == [CONNECT, PING, long, puback(7)]
        assert not buffer


def test_what_stands_in_a_packet_is_read():
    told = Packet(publish(0x1234), 2)

    assert (told.kind, told.topic, told.qos, told.mid) == (Kind.PUBLISH, "t", 1, 0x1234)
    assert Packet(puback(9), 2).mid == 9
    for connect in (CONNECT, CONNECT_311):
        assert (Packet(connect, 2).client_id, Packet(connect, 2).starts_clean) == ("gw", True)
    assert Packet(b"\x00\x00", 2).kind == 0
    assert list(split(bytearray(b"\x30\xff\xff\xff\xff\x01"))) == []


@on_a_line
async def test_left_alone_all_passes_as_it_is(line):
    client = await line.connect()
    long = publish(1, b"y" * 200_000)
    client.say(long, PING)

    assert [await client.hear(), await client.hear()] == [puback(1), PONG]
    assert line.broker.got == [CONNECT, long, PING]
    assert line.proxy.sessions[0].client_id == "gw"
    assert [found.raw for found in line.proxy.seen(Way.UP, Kind.PUBLISH)] == [long]
    assert (line.proxy.sessions[0].unsigned_most, line.proxy.sessions[0].unsigned) == (1, set())
    client.writer.close()
    await until(lambda: line.broker.ended == ["FIN"])


@on_a_line
async def test_a_cut_is_an_end_in_order_and_a_reset_is_none(line):
    first = await line.connect()
    line.proxy.cut()
    assert await first.hear() is None
    await until(lambda: line.broker.ended == ["FIN"])
    second = await line.connect()
    assert len(line.proxy.open) == 1
    line.proxy.reset()
    with pytest.raises(ConnectionResetError):
        await second.hear()
    await until(lambda: line.broker.ended == ["FIN", "RST"])


@on_a_line
async def test_who_comes_is_refused_or_turned_away_and_let_in_again(line):
    stays = await line.connect()
    line.proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await line.connect()
    assert len(line.proxy.knocks) == 1
    await line.proxy.accept()
    line.proxy.turning_away = True
    with contextlib.suppress(ConnectionResetError, AssertionError):
        await line.connect()
        pytest.fail("let in")
    assert len(line.proxy.knocks) == 2
    line.proxy.turning_away = False
    (await line.connect()).say(PING)
    stays.say(PING)
    assert await stays.hear() == PONG
    assert len(line.broker.writers) == 2


@on_a_line
async def test_packets_of_a_kind_vanish_and_the_others_pass(line):
    client = await line.connect()
    rule = line.proxy.swallow(Way.DOWN, Kind.PUBACK, times=2)
    client.say(publish(1), publish(2), PING, publish(3))
    assert [await client.hear(), await client.hear()] == [PONG, puback(3)]
    assert rule.met == 2
    line.proxy.lift(rule)
    line.proxy.swallow(Way.UP, Kind.PUBLISH)
    client.say(publish(4), PING)
    assert await client.hear() == PONG
    assert publish(4) not in line.broker.got


@on_a_line
async def test_what_is_held_back_comes_later_and_counts_as_unsigned(line):
    client = await line.connect()
    rule = line.proxy.hold(Way.DOWN, Kind.PUBACK)
    client.say(publish(1), publish(2), PING)
    assert await client.hear() == PONG
    assert line.proxy.sessions[0].unsigned == {1, 2}
    line.proxy.release(rule)
    assert [await client.hear(), await client.hear()] == [puback(1), puback(2)]
    client.say(publish(3))
    assert await client.hear() == puback(3)
    assert (line.proxy.sessions[0].unsigned_most, line.proxy.sessions[0].unsigned) == (2, set())


@pytest.mark.parametrize(
    "way", [pytest.param((way,), id=way.name) for way in Way] + [pytest.param((), id="both")]
)
def test_a_line_half_open_swallows_and_tells_nobody(way):
    @on_a_line
    async def play(line):
        client = await line.connect()
        line.proxy.half_open(*way)
        client.say(PING)
        await client.hears_nothing()
        assert (PING in line.broker.got) is (way == (Way.DOWN,))
        client.writer.close()
        await asyncio.sleep(0.02)
        assert line.broker.ended == ([] if way != (Way.DOWN,) else ["FIN"])
        another = await line.connect()
        another.say(PING)
        assert await another.hear() == PONG

    play()


@on_a_line
async def test_a_line_that_stands_still_takes_little_and_flows_again(line):
    client = await line.connect()
    line.proxy.stall(Way.UP)
    client.say(*[publish(number, b"y" * 10_000) for number in range(1, 501)])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.writer.drain()
    assert len(line.broker.got) < 10
    line.proxy.flow()
    await until(lambda: len(line.broker.got) == 501)


@pytest.mark.parametrize("way", Way, ids=lambda way: way.name)
def test_a_delay_holds_up_one_way_and_keeps_the_order(way):
    @on_a_line
    async def play(line):
        client = await line.connect()
        line.proxy.delay_s[way] = 0.1
        began = asyncio.get_running_loop().time()
        client.say(publish(1), PING)
        heard = [await client.hear(), await client.hear()]
        assert heard == [puback(1), PONG]
        assert 0.1 <= asyncio.get_running_loop().time() - began < 0.5

    play()


@on_a_line
async def test_a_greeting_and_the_end_come_together(line):
    line.proxy.hang_up_with(Kind.CONNACK, more=b"\x00", times=1)
    reader, writer = await asyncio.open_connection(LOOPBACK, line.proxy.port)
    writer.write(CONNECT)

    assert await reader.read() == CONNACK + b"\x00"
    writer.close()
    await line.connect()


@on_a_line
async def test_what_is_told_is_told_twice_and_says_so(line):
    client = await line.connect()
    line.proxy.twice(Way.DOWN)
    line.broker.writers[0].write(publish(5))

    assert [await client.hear(), await client.hear()] == [
        publish(5),
        bytes((publish(5)[0] | 8,)) + publish(5)[1:],
    ]


@pytest.mark.parametrize("way", Way, ids=lambda way: way.name)
def test_a_packet_ends_in_the_middle(way):
    @on_a_line
    async def play(line):
        client = await line.connect()
        kind, raw = (Kind.PUBACK, puback(1)) if way is Way.DOWN else (Kind.PUBLISH, publish(1))
        line.proxy.truncate(way, kind, keep=3)
        client.say(publish(1))
        if way is Way.DOWN:
            assert await client.reader.read() == raw[:3]
        else:
            await until(lambda: line.broker.ended == ["FIN"])
            assert line.broker.got == [CONNECT]

    play()


@on_a_line
async def test_a_signature_is_turned_into_a_refusal(line):
    client = await line.connect()
    for code in (0x87, 0x97):
        rule = line.proxy.sign_with(code)
        client.say(publish(1))
        assert await client.hear() == b"\x40\x03\x00\x01" + bytes((code,))
        line.proxy.lift(rule)
    line.proxy.replace(Way.DOWN, Kind.PUBACK, b"rubbish")
    client.say(publish(2))
    assert await client.reader.read(100) == b"rubbish"


@on_a_line
async def test_the_line_ends_with_the_nth_publication(line):
    client = await line.connect()
    line.proxy.hang_up_after(3)
    client.say(publish(1), publish(2))
    assert [await client.hear(), await client.hear()] == [puback(1), puback(2)]
    client.say(publish(3), publish(4))
    assert await client.hear() is None
    assert publish(3) not in line.broker.got


def test_a_broker_that_is_not_there_resets_the_client():
    async def play():
        server = await asyncio.start_server(lambda *_: None, LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        async with proxied(port) as proxy:
            reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    asyncio.run(play())
