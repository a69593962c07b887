"""Brokers that lie, stumble or fall silent, on a socket of ours: none of them can hold us."""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time

import pytest
import structlog
import trustme

from gateway.clock import Clock
from gateway.model.plan import LinkPlan, TlsPlan
from gateway.mqtt import client, naming
from gateway.mqtt.bus import LinkLost, Outgoing, SubscribeRefused
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.subscriber import subscribe

LOOPBACK = "127.0.0.1"
CONNACK = {"5": b"\x20\x03\x00\x00\x00", "3.1.1": b"\x20\x02\x00\x00"}
PINGRESP = b"\xd0\x00"
TOLD = Outgoing(topic="t", payload=b"x", qos=1)


class Broker:
    """Answers CONNECT with `greeting` and PINGREQ with `pong`, other packets with `answer`."""

    def __init__(self, greeting, *, pong=PINGRESP, answer=lambda _: b"", hang_up=False):
        self.greeting = greeting
        self.pong = pong
        self.answer = answer
        self.hang_up = hang_up
        self.connects = 0
        self._writers = []
        self._tasks = []

    def greet(self, _packet):
        """Return what a CONNECT is answered with."""
        return self.greeting

    @contextlib.asynccontextmanager
    async def serving(self, tls=None):
        server = await asyncio.start_server(self._serve, LOOPBACK, 0, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            await asyncio.gather(*self._tasks)

    async def _serve(self, reader, writer):
        self.connects += 1
        self._writers.append(writer)
        self._tasks.append(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                kind, packet = await _packet(reader)
                if kind == 0x10:
                    writer.write(self.greet(packet))
                    if self.hang_up:
                        break
                elif kind == 0xC0:
                    writer.write(self.pong)
                else:
                    writer.write(self.answer(packet))
        writer.close()


async def _packet(reader):
    head = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return head & 0xF0, bytes((head,)) + await reader.readexactly(length)


def puback(code):
    def answer(packet):
        if packet[0] & 0xF0 != 0x30:
            return b""
        topic_bytes = int.from_bytes(packet[1:3], "big")
        return b"\x40\x03" + packet[3 + topic_bytes : 5 + topic_bytes] + bytes((code,))

    return answer


def bus_of(port, version="5", **over):
    plan = {"name": "l", "host": LOOPBACK, "client_id": "gw", "keepalive_s": 1}
    return MqttBus(
        LinkPlan(port=port, version=version, **(plan | over)),
        lane="distress",
        clock=Clock(),
        log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
        jitter=random.Random(1),
    )


def against(broker, scene, **plan):
    """Run a scene with a bus on this broker."""

    async def play():
        async with broker.serving() as port:
            bus = bus_of(port, **plan)
            task = asyncio.create_task(bus.run())
            try:
                async with asyncio.timeout(6):
                    await scene(bus)
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    asyncio.run(play())


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_connack_followed_by_a_close_is_no_connection(version):
    """In one segment: the library believes itself connected, and would wait for ever."""
    broker = Broker(CONNACK[version], hang_up=True)

    async def scene(bus):
        await until(lambda: broker.connects == 3)
        assert (bus.connects, bus.connected) == (0, False)
        assert bus.last_error

    against(broker, scene, version=version)


WITH_CONNACK = {
    "a packet of no kind": b"\x00\x00",
    "a length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "QoS 3": b"\x36\x05\x00\x01a\x00\x01",
    "a topic longer than its packet": b"\x30\x04\x00\x64ab",
    "a topic that is no text": b"\x30\x05\x00\x02\xff\xfe\x00",
    "a property of no kind": b"\x30\x08\x00\x01a\x02\xfe\x00xy",
    "an AUTH nobody asked for": b"\xf0\x02\x18\x00",
    "DISCONNECT: server shutting down": b"\xe0\x01\x8b",
    "an empty PUBLISH": b"\x30\x00",
    "an empty PUBACK": b"\x40\x00",
}


@pytest.mark.parametrize("rubbish", WITH_CONNACK.values(), ids=WITH_CONNACK)
@pytest.mark.parametrize("when", ["with CONNACK", "later"])
def test_rubbish_ends_the_connection_and_nothing_else(rubbish, when):
    greeting = CONNACK["5"] + rubbish if when == "with CONNACK" else CONNACK["5"]
    broker = Broker(greeting, answer=lambda _: rubbish)

    async def scene(bus):
        if when == "later":
            await bus.wait_connected()
            with pytest.raises(LinkLost):
                await bus.publish(TOLD)
        await until(lambda: broker.connects == 2)
        assert bus.last_error

    against(broker, scene)


def test_a_broker_that_names_a_takeover_has_us_change_the_name_after_three(monkeypatch):
    monkeypatch.setattr(naming, "TAKEOVER_S", 0.05)
    broker = Broker(CONNACK["5"], answer=lambda _: b"\xe0\x01\x8e")
    began = time.monotonic()

    async def scene(bus):
        for connects in (1, 2, 3):
            await until(lambda connects=connects: bus.connects == connects and bus.connected)
            assert bus.disputed is None
            with pytest.raises(LinkLost):
                await bus.publish(TOLD)
        assert time.monotonic() - began >= 2 * 0.05
        await until(lambda: bus.connects == 4)
        assert bus.disputed.startswith("gw-distress-")
        assert "another client bears our name" in bus.last_error

    against(broker, scene)


def test_signatures_for_what_was_never_sent_change_nothing():
    broker = Broker(
        CONNACK["5"] + b"\x40\x02\x12\x34" + b"\x90\x04\x12\x34\x00\x01",
        answer=lambda packet: b"\x40\x02\x55\x55" + puback(0)(packet),
    )

    async def scene(bus):
        await bus.wait_connected()
        await bus.publish(TOLD)
        assert (bus.connects, bus.connected) == (1, True)

    against(broker, scene)


@pytest.mark.parametrize("code", [0x00, 0x10])
def test_a_good_reason_code_is_a_signature(code):
    """0x10 says that nobody subscribed: the broker has it all the same."""

    async def scene(bus):
        await bus.wait_connected()
        await bus.publish(TOLD)

    against(Broker(CONNACK["5"], answer=puback(code)), scene)


@pytest.mark.parametrize("code", [0x80, 0x83, 0x87, 0x90, 0x97, 0x99])
def test_a_bad_reason_code_is_a_refusal(code):
    async def scene(bus):
        await bus.wait_connected()
        with pytest.raises(client.PublishRefused) as refusal:
            await bus.publish(TOLD)
        assert (refusal.value.reason_code, refusal.value.topic) == (code, "t")
        assert bus.connects == 1

    against(Broker(CONNACK["5"], answer=puback(code)), scene)


def test_a_signature_that_nobody_waits_for_any_more_changes_nothing():
    held = []

    def answer(packet):
        held.append(puback(0)(packet))
        return b"" if len(held) == 1 else b"".join(held)

    async def scene(bus):
        await bus.wait_connected()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await bus.publish(TOLD)
        await bus.publish(TOLD)
        assert (bus.connects, bus.connected) == (1, True)

    against(Broker(CONNACK["5"], answer=answer), scene)


def test_a_broker_that_signs_for_nothing_is_left(monkeypatch):
    monkeypatch.setattr(client, "PUBACK_S_MAX", 0.2)
    broker = Broker(CONNACK["5"])

    async def scene(bus):
        await bus.wait_connected()
        with pytest.raises(LinkLost, match="didn't sign"):
            await bus.publish(TOLD)
        await until(lambda: broker.connects == 2)

    against(broker, scene)


def test_a_broker_that_answers_no_question_is_left():
    broker = Broker(CONNACK["5"], pong=b"")

    async def scene(bus):
        await until(lambda: broker.connects == 2)
        assert bus.connects == 0
        assert "doesn't answer" in bus.last_error

    against(broker, scene)


def test_a_broker_that_falls_silent_later_is_left():
    broker = Broker(CONNACK["5"])

    async def scene(bus):
        await bus.wait_connected()
        broker.pong = b""
        with pytest.raises(LinkLost, match="doesn't answer"):
            await bus.publish(TOLD)

    against(broker, scene)


def test_a_listener_that_never_says_a_word_is_given_up(monkeypatch):
    monkeypatch.setattr(client, "CONNECT_S_MAX", 0.2)
    broker = Broker(b"")

    async def scene(bus):
        await until(lambda: broker.connects == 2)
        assert bus.last_error == "the broker accepts, but says nothing"

    against(broker, scene)


def test_a_packet_of_256_megabytes_is_not_waited_for():
    broker = Broker(CONNACK["5"], answer=lambda _: b"\x30\xff\xff\xff\x7f" + bytes(100_000))

    async def scene(bus):
        await bus.wait_connected()
        with pytest.raises(LinkLost, match="announces a packet"):
            await bus.publish(TOLD)

    against(broker, scene)


def test_no_broker_at_all_is_said_so():
    async def play():
        async with Broker(b"").serving() as port:
            pass
        bus = bus_of(port)
        task = asyncio.create_task(bus.run())
        await until(lambda: bus.last_error)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert "Connect call failed" in bus.last_error
        with pytest.raises(LinkLost):
            await bus.publish(TOLD)

    asyncio.run(play())


@pytest.mark.parametrize(("version", "code"), [("5", 0x87), ("3.1.1", 0x80)])
def test_a_refused_subscription_is_an_error(version, code):
    properties = b"\x00" if version == "5" else b""

    def answer(packet):
        if packet[0] != 0x82:
            return b""
        body = packet[1:3] + properties + bytes((code,))
        return bytes((0x90, len(body))) + body

    async def play():
        async with Broker(CONNACK[version], answer=answer).serving() as port:
            with pytest.raises(SubscribeRefused) as refusal:
                await anext(subscribe(LOOPBACK, port, ["a/#"], version=version))
        assert (refusal.value.topic, refusal.value.reason_code) == ("a/#", code)

    asyncio.run(play())


def test_a_subscriber_learns_that_the_link_is_lost():
    def answer(packet):
        return b"\x90\x04" + packet[1:3] + b"\x00\x01" + b"\xe0\x01\x8b"

    async def play():
        async with Broker(CONNACK["5"], answer=answer).serving() as port:
            with pytest.raises(LinkLost, match="shutting down"):
                await anext(subscribe(LOOPBACK, port, ["a"]))

    asyncio.run(play())


def test_a_subscription_that_is_never_answered_ends_with_the_link():
    def answer(packet):
        return b"\xe0\x01\x8b" if packet[0] == 0x82 else b""

    async def play():
        async with asyncio.timeout(2), Broker(CONNACK["5"], answer=answer).serving() as port:
            with pytest.raises(LinkLost, match="shutting down"):
                await anext(subscribe(LOOPBACK, port, ["a"]))

    asyncio.run(play())


@pytest.mark.parametrize("method", ["loop_read", "loop_write"])
def test_a_fault_of_the_library_ends_the_connection_and_nothing_else(method):
    broker = Broker(CONNACK["5"])

    async def scene(bus):
        await bus.wait_connected()

        def fail(*_):
            message = "planted"
            raise RuntimeError(message)

        setattr(bus._wire._client, method, fail)
        with pytest.raises(LinkLost, match="RuntimeError: planted"):
            await bus.publish(TOLD)
        await bus.wait_reconnected(1)

    against(broker, scene)


def test_what_the_library_does_not_take_ends_the_connection():
    broker = Broker(CONNACK["5"])

    async def scene(bus):
        await bus.wait_connected()

        class NotTaken:
            rc, mid = 15, 1

        bus._wire._client.publish = lambda *_: NotTaken
        with pytest.raises(LinkLost, match="error 15 of the library"):
            await bus.publish(TOLD)
        await bus.wait_reconnected(1)

    against(broker, scene)


def test_what_comes_in_one_tls_record_is_all_read_at_once(tmp_path):
    """The socket shows nothing more to read, while TLS holds what it has deciphered already."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(LOOPBACK).configure_cert(inside)
    told = b"".join(b"\x30\x05\x00\x01a\x00" + b"%d" % n for n in range(8))
    broker = Broker(CONNACK["5"] + told)

    async def play():
        async with broker.serving(inside) as port:
            bus = bus_of(port, keepalive_s=60, tls=TlsPlan(ca_file=str(tmp_path / "ca.pem")))
            task = asyncio.create_task(bus.run())
            async with asyncio.timeout(1):
                await bus.wait_connected()
                found = [(await bus._wire.receive()).payload for _ in range(8)]
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return found

    assert asyncio.run(play()) == [b"%d" % n for n in range(8)]


def test_a_connection_that_has_ended_takes_nothing_more():
    async def scene(bus):
        await bus.wait_connected()
        wire = bus._wire
        assert wire.offer(TOLD)
        wire._end("planted")
        assert not wire.offer(TOLD)
        await bus.wait_reconnected(1)
        with pytest.raises(LinkLost, match="planted"):
            await wire.publish_signed(TOLD)

    against(Broker(CONNACK["5"]), scene)


def test_more_than_is_fetched_is_counted_and_not_kept(monkeypatch):
    monkeypatch.setattr(client, "INBOX_MAX", 3)
    told = b"".join(b"\x30\x05\x00\x01a\x00" + b"%d" % n for n in range(8))

    async def scene(bus):
        await bus.wait_connected()
        wire = bus._wire
        await bus.publish(TOLD)
        await until(lambda: wire.overflowed == 5)
        found = [await wire.receive() for _ in range(3)]
        assert [incoming.payload for incoming in found] == [b"0", b"1", b"2"]
        assert bus.connects == 1
        await bus.renew()
        assert bus.overflowed == 5, "a count never falls"
        await bus.wait_reconnected(1)
        await bus.publish(TOLD)
        await until(lambda: bus.overflowed == 10)

    against(Broker(CONNACK["5"], answer=lambda p: told + puback(0)(p)), scene)


def greeted(*properties, code=0):
    """Return a CONNACK of MQTT 5 with these properties."""
    body = b"".join(properties)
    return b"\x20" + bytes((3 + len(body), 0, code, len(body))) + body


MAXIMUM_QOS_0, RETAIN_UNAVAILABLE = b"\x24\x00", b"\x25\x00"


@pytest.mark.parametrize(
    "greeting", [greeted(MAXIMUM_QOS_0), greeted(code=0x9B)], ids=["it says so", "for our will"]
)
def test_a_broker_that_signs_for_nothing_is_told_nothing_and_it_is_said_why(greeting):
    """With QoS 0 nobody would know that a distress has gone astray."""

    async def scene(bus):
        await until(lambda: bus.last_error)
        assert "no distress may go there; allow QoS 1" in bus.last_error
        assert not bus.connected
        assert bus.connects == 0
        with pytest.raises(LinkLost, match="QoS 0 only"):
            await bus.publish(TOLD)

    against(Broker(greeting), scene)


def test_a_broker_that_keeps_nothing_is_told_the_states_unretained():
    told = []

    def answer(packet):
        told.append(packet[0] & 0x0F)
        return puback(0)(packet)

    async def scene(bus):
        await bus.wait_connected()
        assert not bus.retains
        await bus.publish(Outgoing(topic="t", payload=b"x", qos=1, retain=True))

    against(Broker(greeted(RETAIN_UNAVAILABLE), answer=answer), scene)

    assert told[0] == 0x02, "QoS 1, and no retain"


def test_a_broker_that_refuses_a_retained_will_is_given_one_that_is_not():
    """It knows nothing of us before that, and says then what it keeps."""
    wills = []

    class Keepless(Broker):
        def greet(self, packet):
            flags = packet[packet.index(b"MQTT") + 5]
            wills.append(bool(flags & 0x20))
            return greeted(code=0x9A) if wills[-1] else greeted(RETAIN_UNAVAILABLE)

    async def scene(bus):
        bus._will = lambda: Outgoing(topic="t", payload=b"x", qos=1, retain=True)
        await bus.wait_connected()
        assert not bus.retains

    against(Keepless(b""), scene)

    assert wills == [True, False]


def test_the_will_is_told_on_leaving_only_if_the_broker_takes_it():
    """A broker that has stopped signing can't keep a service from stopping."""

    async def play():
        async with Broker(CONNACK["5"]).serving() as port:
            bus = bus_of(port)
            bus._will = lambda: TOLD
            task = asyncio.create_task(bus.run())
            await bus.wait_connected()
            began = asyncio.get_running_loop().time()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert asyncio.get_running_loop().time() - began < 2.0

    asyncio.run(play())


def test_pauses_between_attempts_grow_and_are_diced():
    """Doubled from a quarter of a second to fifteen, shortened by up to half."""
    pauses = []

    class Sleeping(Clock):
        async def sleep(self, seconds):
            pauses.append(seconds)
            await asyncio.sleep(0)

    async def play():
        async with Broker(b"").serving() as port:
            pass
        bus = bus_of(port)
        bus._clock = Sleeping()
        task = asyncio.create_task(bus.run())
        await until(lambda: len(pauses) >= 30)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(play())

    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(pauses[:5]))
    assert all(7.5 <= pause <= 15 for pause in pauses[8:])
    assert len(set(pauses)) == len(pauses)
