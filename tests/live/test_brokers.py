"""The bus and the links against real brokers: names, certificates, access lists, sudden deaths.

What any bus has to promise stands in tests/contract.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import random
import socket
from pathlib import Path

import msgspec
import pytest
import structlog
import trustme

from gateway.clock import Clock
from gateway.model.entry import Entry, Lane, encode_item
from gateway.model.inbound import Heard, Report, Ruling, Sighting
from gateway.model.plan import LinkPlan, TlsPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from gateway.mqtt import client
from gateway.mqtt.bus import LinkLost, Outgoing, PublishRefused
from gateway.mqtt.carrier import MqttBus
from gateway.mqtt.limits import BACKLOG_PACKETS_MAX
from gateway.mqtt.link import Link
from gateway.mqtt.payload import Record
from gateway.mqtt.subscriber import subscribe

LOOPBACK = "127.0.0.1"
WAIT_S = 8.0
_serial = itertools.count()


def on_loop(test):
    """Run a test on an event loop of its own, and not for ever."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(2.5 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


@pytest.fixture
def topic(request):
    """Return a topic of this test's own: brokers live longer than tests."""
    return f"test/{next(_serial)}/{request.node.originalname}"


def plan_of(port, version="5", **over):
    settings = {"name": "local", "host": LOOPBACK, "client_id": f"gw{next(_serial)}"}
    return LinkPlan(port=port, version=version, **(settings | over))


def bus_of(plan, **over):
    log = structlog.wrap_logger(structlog.testing.CapturingLogger())
    return MqttBus(
        plan,
        **({"lane": "distress", "clock": Clock(), "log": log, "jitter": random.Random(1)} | over),
    )


@contextlib.asynccontextmanager
async def running(*buses, connected=True):
    """Run buses, or links, for as long as the context lasts."""
    tasks = [asyncio.create_task(bus.run()) for bus in buses]
    try:
        if connected:
            async with asyncio.timeout(WAIT_S):
                for bus in buses:
                    await bus.wait_connected()
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Listener:
    """An ordinary subscriber that remembers what it was told."""

    def __init__(self):
        self.told = []

    def topics(self):
        return [topic for topic, _, _ in self.told]


@contextlib.asynccontextmanager
async def listening(port, version, *topics):
    """Subscribe, and return once the subscription holds."""
    heard = Listener()
    probe = f"test/probe/{next(_serial)}"

    async def listen():
        async for found in subscribe(LOOPBACK, port, [*topics, probe], version=version):
            heard.told.append(found)

    task = asyncio.create_task(listen())
    async with running(bus_of(plan_of(port, version), lane="probe")) as _:
        prober = bus_of(plan_of(port, version), lane="probe")
        async with running(prober):
            while probe not in heard.topics():
                assert not task.done(), task.exception()
                await prober.publish(Outgoing(topic=probe, payload=b"?", qos=1))
                await asyncio.sleep(0.01)
    heard.told = [found for found in heard.told if found[0] != probe]
    try:
        yield heard
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition, limit_s=WAIT_S):
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.005)


# -- both brokers, both versions ----------------------------------------------------------------


@on_loop
async def test_two_with_one_name_do_not_throw_each_other_out_without_pause(any_broker):
    port, version = any_broker
    plan = plan_of(port, version)
    one, two = bus_of(plan), bus_of(plan, jitter=random.Random(2))

    async with running(one, two):
        await asyncio.sleep(1.0)

    assert 2 <= one.connects + two.connects <= 8


# -- MQTT 5 only -----------------------------------------------------------------------------------


@on_loop
async def test_a_place_expires_on_the_broker(mosquitto, topic):
    port = mosquitto().port
    bus = bus_of(plan_of(port))

    async with running(bus):
        bus.offer(Outgoing(topic=topic, payload=b"here", qos=0, retain=True, expiry_s=2))
        async with listening(port, "5", topic) as at_once:
            await until(lambda: at_once.told)
        await asyncio.sleep(3.1)
        async with listening(port, "5", topic) as later:
            pass

    assert at_once.told == [(topic, b"here", True)]
    assert later.told == []


@on_loop
async def test_a_denied_publish_is_an_error_and_no_success(mosquitto, tmp_path, topic):
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite allowed/#\n")
    port = mosquitto("allow_anonymous true", f"acl_file {acl}").port
    bus = bus_of(plan_of(port))

    async with running(bus):
        with pytest.raises(PublishRefused) as refusal:
            await bus.publish(Outgoing(topic=topic, payload=b"x", qos=1))
        await bus.publish(Outgoing(topic="allowed/x", payload=b"x", qos=1))
        assert bus.connects == 1

    assert (refusal.value.topic, refusal.value.reason_code) == (topic, 0x87)
    assert "Not authorized" in str(refusal.value)


@on_loop
async def test_the_limits_that_a_broker_states_are_kept(mosquitto, topic):
    port = mosquitto("allow_anonymous true", "max_packet_size 2000", "max_inflight_messages 3").port
    bus = bus_of(plan_of(port))

    async with running(bus):
        with pytest.raises(PublishRefused) as refusal:
            await bus.publish(Outgoing(topic=topic, payload=b"x" * 3000, qos=1))
        assert not bus.offer(Outgoing(topic=topic, payload=b"x" * 3000, qos=0))
        await asyncio.gather(
            *(bus.publish(Outgoing(topic=topic, payload=b"x", qos=1)) for _ in range(30))
        )
        assert bus._wire._window._value == 3
        assert bus.connects == 1

    assert refusal.value.reason_code == 0x95


# -- who is who ---------------------------------------------------------------------------------


@on_loop
async def test_a_wrong_password_is_named_as_the_reason(mosquitto, password_file, tmp_path, topic):
    passwords = password_file(gw="secret")
    port = mosquitto(f"password_file {passwords}", "allow_anonymous false").port
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("secret\n")
    wrong.write_text("guess\n")
    refused = bus_of(plan_of(port, username="gw", password_file=str(wrong)))
    absent = bus_of(plan_of(port, username="gw", password_file=str(tmp_path / "absent")))
    taken = bus_of(plan_of(port, username="gw", password_file=str(right)))

    async with running(taken), running(refused, absent, connected=False):
        await taken.publish(Outgoing(topic=topic, payload=b"x", qos=1))
        await until(lambda: refused.last_error and absent.last_error)

    assert "Not authorized" in refused.last_error
    assert absent.last_error == f"{tmp_path / 'absent'}: No such file or directory"


@pytest.fixture
def authority(tmp_path):
    """Return an authority, its file, and what issues a certificate to a host or a client."""
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)

    def issue(name):
        issued = authority.issue_cert(name, common_name=name)
        chain, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return str(chain), str(key)

    return str(ca_file), issue


def tls_settings(ca_file, certificate, *more):
    cert, key = certificate
    return (f"cafile {ca_file}", f"certfile {cert}", f"keyfile {key}", *more)


@on_loop
async def test_a_broker_is_believed_only_under_its_own_name_and_authority(
    mosquitto, authority, tmp_path, topic
):
    ca_file, issue = authority
    anonymous = "allow_anonymous true"
    honest = mosquitto(*tls_settings(ca_file, issue(LOOPBACK), anonymous)).port
    elsewhere = mosquitto(*tls_settings(ca_file, issue("broker.example"), anonymous)).port
    other_file = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other_file)

    for version in ("5", "3.1.1"):
        good = bus_of(plan_of(honest, version, tls=TlsPlan(ca_file=ca_file)))
        async with running(good):
            await good.publish(Outgoing(topic=topic, payload=b"x" * 50_000, qos=1))
            async with asyncio.timeout(1.0):
                found = subscribe(LOOPBACK, honest, [topic], tls=TlsPlan(ca_file=ca_file))
                listener = asyncio.create_task(anext(found))
                while not listener.done():
                    await good.publish(Outgoing(topic=topic, payload=b"x" * 50_000, qos=1))
                assert listener.result() == (topic, b"x" * 50_000, False)
                await found.aclose()

    for port, file, words in (
        (honest, str(other_file), "self-signed certificate in certificate chain"),
        (elsewhere, ca_file, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        (honest, None, "self-signed certificate in certificate chain"),
    ):
        bus = bus_of(plan_of(port, tls=TlsPlan(ca_file=file)))
        async with running(bus, connected=False):
            await until(lambda bus=bus: bus.last_error)
        assert bus.connects == 0
        assert words in bus.last_error


@on_loop
async def test_a_client_certificate_that_lacks_is_named_as_the_reason(mosquitto, authority, topic):
    """TLS 1.3 lets the client in first and refuses it afterwards: the reason must not be lost."""
    ca_file, issue = authority
    port = mosquitto(
        *tls_settings(ca_file, issue(LOOPBACK), "require_certificate true", "allow_anonymous true")
    ).port
    cert, key = issue("gateway.example")
    known = bus_of(plan_of(port, tls=TlsPlan(ca_file=ca_file, cert_file=cert, key_file=key)))
    unknown = bus_of(plan_of(port, tls=TlsPlan(ca_file=ca_file)))

    async with running(known), running(unknown, connected=False):
        await known.publish(Outgoing(topic=topic, payload=b"x", qos=1))
        await until(lambda: unknown.last_error)

    assert unknown.last_error.endswith("(our certificate?)")


@on_loop
async def test_a_plain_broker_is_not_taken_for_a_protected_one(mosquitto, authority):
    ca_file, _ = authority
    bus = bus_of(plan_of(mosquitto().port, tls=TlsPlan(ca_file=ca_file)))

    async with running(bus, connected=False):
        await until(lambda: bus.last_error)

    assert bus.connects == 0


SHIPPED = Path(__file__).parents[2] / "config" / "broker"


@pytest.fixture
def shipped(mosquitto, authority, tmp_path):
    """Return the port of a broker with the configuration that we ship, and its authority's file."""
    ca_file, issue = authority
    folder = tmp_path / "distress"
    folder.mkdir()
    cert, key = issue(LOOPBACK)
    for name, file in (("ca.pem", ca_file), ("broker.pem", cert), ("broker.key", key)):
        (folder / name).write_bytes(Path(file).read_bytes())
    (folder / "acl").write_bytes((SHIPPED / "acl").read_bytes())
    settings = (SHIPPED / "mosquitto.conf").read_text()
    settings = settings.replace("/etc/mosquitto/distress", str(folder))
    settings = settings.replace("/var/lib/mosquitto/", f"{tmp_path}/")
    # The port is the test's, the log is the fixture's, and a list of revocations needs an openssl.
    left_out = ("listener", "set_tcp_nodelay", "log_dest", "crlfile", "#")
    lines = [line for line in settings.splitlines() if line and not line.startswith(left_out)]
    return mosquitto(*lines).port, ca_file


LAST_WORD = "distress/v1/alpha/status"

# Who, where, and who hears of it.
WRITES = [
    ("alpha", "distress/v1/alpha/report/distress/dsc", ["watch-officer", "rcc"]),
    ("alpha", "distress/v1/alpha/report/test/distress/dsc", ["watch-officer", "rcc"]),
    ("alpha", "distress/v1/alpha/exercise/report/safety/dsc", ["watch-officer", "rcc"]),
    ("alpha", "distress/v1/alpha/position/ais/244000001", ["watch-officer"]),
    ("alpha", "distress/v1/alpha/refused/dsc1", ["watch-officer", "rcc"]),
    ("alpha", "distress/v1/alpha/alert/journal", ["watch-officer", "rcc"]),
    ("alpha", "distress/v1/bravo/report/distress/dsc", []),
    ("alpha", "distress/v1/alpha/command/test", []),
    ("alpha", "distress/v1/alpha/answer/rcc", ["rcc"]),
    ("alpha", "distress/v1/alpha/answer/rcc/1/2", ["rcc"]),
    ("alpha", "distress/v1/alpha/receipt/rcc", []),
    ("alpha", "distress/v1/alpha/request/rcc", []),
    ("alpha", "elsewhere", []),
    ("rcc", "distress/v1/alpha/receipt/rcc", ["alpha"]),
    ("rcc", "distress/v1/alpha/request/rcc", ["alpha"]),
    ("rcc", "distress/v1/alpha/receipt/else", []),
    ("rcc", "distress/v1/alpha/request/else", []),
    ("rcc", "distress/v1/alpha/answer/rcc", []),
    ("rcc", "distress/v1/bravo/receipt/rcc", []),
    ("rcc", "distress/v1/alpha/report/distress/dsc", []),
    ("rcc", "distress/v1/alpha/command/test", []),
    ("watch-officer", "distress/v1/alpha/report/distress/dsc", []),
    ("watch-officer", "distress/v1/alpha/command/test", []),
    ("watch-officer", "distress/v1/alpha/receipt/rcc", []),
    ("stranger", "distress/v1/alpha/report/distress/dsc", []),
    ("stranger", "distress/v1/alpha/command/test", []),
    ("watch-officer", "distress/v1/watch-officer/status", []),
    ("stranger", "distress/v1/stranger/report/distress/dsc", []),
]


def expected(name):
    """Return what somebody hears, the last word to those who may read a status included."""
    heard = [topic for _, topic, hearers in WRITES if name in hearers]
    return [*heard, LAST_WORD] if name in {"watch-officer", "rcc"} else heard


@on_loop
async def test_the_broker_that_we_ship_lets_everybody_do_their_part_and_no_more(shipped, authority):
    """Each denial is proved by what doesn't arrive; a last word to each shows that all has come."""
    port, ca_file = shipped
    _, issue = authority

    def protected(name):
        cert, key = issue(name)
        tls = TlsPlan(ca_file=ca_file, cert_file=cert, key_file=key)
        return bus_of(plan_of(port, tls=tls), topics=["#"])

    everybody = {name: protected(name) for name in ("alpha", "rcc", "watch-officer", "stranger")}
    anonymous = bus_of(plan_of(port, tls=TlsPlan(ca_file=ca_file)))
    heard = {name: [] for name in everybody}

    async def hear(name, bus):
        async for incoming in bus.received():
            heard[name].append(incoming.topic)

    async with running(*everybody.values()), running(anonymous, connected=False):
        ears = [asyncio.create_task(hear(name, bus)) for name, bus in everybody.items()]
        for who, topic, hearers in WRITES:
            outgoing = Outgoing(topic=topic, payload=b"x", qos=1)
            if hearers:
                await everybody[who].publish(outgoing)
            else:
                with pytest.raises(PublishRefused, match="0x87"):
                    await everybody[who].publish(outgoing)
        await everybody["alpha"].publish(Outgoing(topic=LAST_WORD, payload=b"x", qos=1))
        for name in ("watch-officer", "rcc"):
            await until(lambda name=name: heard[name][-1:] == [LAST_WORD])
        await until(lambda: anonymous.last_error)
        for ear in ears:
            ear.cancel()
        await asyncio.gather(*ears, return_exceptions=True)

    assert heard == {name: expected(name) for name in everybody}
    assert heard["alpha"] == ["distress/v1/alpha/receipt/rcc", "distress/v1/alpha/request/rcc"]
    assert anonymous.connects == 0


# -- brokers that die and brokers that stand still ----------------------------------------------


@on_loop
async def test_a_frozen_broker_is_found_out_and_costs_no_memory(mosquitto, topic):
    broker = mosquitto()
    bus = bus_of(plan_of(broker.port, keepalive_s=1))  # asks twice a second

    async with running(bus):
        broker.freeze()
        wait = asyncio.create_task(bus.publish(Outgoing(topic=topic, payload=b"x", qos=1)))
        # More than the kernel's buffers on both ends can hold.
        routine = Outgoing(topic=topic, payload=b"x" * 1000, qos=0)
        taken = sum(bus.offer(routine) for _ in range(40_000))
        backlog = len(bus._wire._client._out_packet)
        began = asyncio.get_running_loop().time()
        with pytest.raises(LinkLost):
            await wait
        lasted_s = asyncio.get_running_loop().time() - began
        assert not bus.offer(routine)
        broker.thaw()
        async with asyncio.timeout(WAIT_S):
            await bus.wait_reconnected(1)
        await bus.publish(Outgoing(topic=topic, payload=b"x", qos=1))

    assert backlog <= BACKLOG_PACKETS_MAX
    assert taken < 20_000
    assert lasted_s < 2.0


class Outbox:
    """What is on disk, in memory; urgent first, then by age, as the journal gives it."""

    epoch = "e1"

    def __init__(self, entries):
        self.entries = {entry.number: entry for entry in entries}

    async def pending(self, _link, lanes, *, limit, after=None):
        order = list(Lane)
        found = sorted(self.entries.values(), key=lambda e: (order.index(e.lane), e.number))
        seen = (order.index(after[0]), after[1]) if after else (0, 0)
        return tuple(
            entry
            for entry in found
            if entry.lane in lanes and (order.index(entry.lane), entry.number) > seen
        )[:limit]

    async def strike(self, _link, numbers):
        for number in numbers:
            self.entries.pop(number, None)


def entry_of(number, urgency):
    heard = Heard(station="alpha", port="p", modem="m", mono_ns=number, clock=ClockState.FREE)
    report = Report(
        report_id=f"{number:032x}",
        schema=1,
        system="dsc",
        kind=Kind.STATUS,
        urgency=urgency,
        mode=Mode.REAL,
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=("$CDDSC",),
    )
    item = Ruling(Sighting(report=report, content=b"%d" % number))
    return Entry(number, "e1", Lane(urgency), item, encode_item(item), 1)


class Word(msgspec.Struct):
    online: bool


def link_of(plan, outbox):
    return Link(
        plan,
        station="alpha",
        outbox=outbox,
        clock=Clock(),
        log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
        jitter=random.Random(1),
        birth=lambda: Word(online=True),
        will=lambda: Word(online=False),
    )


def told_number(payload):
    return msgspec.json.decode(payload, type=Record).number


def told_numbers(heard):
    return [told_number(payload) for topic, payload, _ in heard.told if "/report/" in topic]


def watched(monkeypatch):
    """Return two sets that fill with the numbers of entries: signed for, and cut short."""
    signed, cut_short = set(), set()
    publish = client.Wire.publish_signed

    async def noting(wire, outgoing):
        number = "/report/" in outgoing.topic and told_number(outgoing.payload)
        try:
            await publish(wire, outgoing)
        except LinkLost:
            cut_short.add(number)
            raise
        signed.add(number)

    monkeypatch.setattr(client.Wire, "publish_signed", noting)
    return signed, cut_short


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@on_loop
async def test_a_broker_killed_again_and_again_leaves_nothing_unsent(
    mosquitto, version, monkeypatch
):
    """Entries come all the time. What no broker signed for stays in the outbox, and goes again."""
    broker = mosquitto()
    outbox = Outbox([])
    link = link_of(plan_of(broker.port, version), outbox)
    signed, cut_short = watched(monkeypatch)

    async def hear(numbers, pause_s):
        for number in numbers:
            entry = entry_of(number, Urgency.DISTRESS if number % 10 == 0 else Urgency.SAFETY)
            outbox.entries[number] = entry
            link.tell(entry)
            await asyncio.sleep(pause_s)

    async with running(link, connected=False):
        for first in (1, 101, 201):
            await until(lambda: link.state().distress_connected)
            await hear(range(first, first + 50), 0.001)
            broker.freeze()
            await hear(range(first + 50, first + 60), 0.001)
            broker.kill()
            await hear(range(first + 60, first + 100), 0)
            assert set(outbox.entries) >= set(range(first + 50, first + 100))
            broker.start()
        await until(lambda: not outbox.entries)

    assert signed - {False} == set(range(1, 301))
    assert cut_short & signed


@pytest.mark.parametrize("version", ["5", "3.1.1"])
@on_loop
async def test_after_an_outage_all_is_told_once_to_who_listens_distress_first(mosquitto, version):
    broker = mosquitto()
    urgencies = [Urgency.SAFETY] * 200 + [Urgency.DISTRESS] * 50 + [Urgency.URGENCY] * 50
    outbox = Outbox([entry_of(number, urgency) for number, urgency in enumerate(urgencies, 1)])
    link = link_of(plan_of(broker.port, version), outbox)

    async with listening(broker.port, version, "distress/#") as heard:
        async with running(link, connected=False):
            await until(lambda: not outbox.entries)
            await until(lambda: len(told_numbers(heard)) == 300)
            began = asyncio.get_running_loop().time()
        left_s = asyncio.get_running_loop().time() - began
        await until(lambda: heard.told[-1][1] == b'{"online":false}')

    records = [msgspec.json.decode(p, type=Record) for t, p, _ in heard.told if "/report/" in t]
    assert ("distress/v1/alpha/status", b'{"online":true}', False) in heard.told
    assert [r.number for r in records[:50]] == list(range(201, 251))
    assert [r.number for r in records[50:100]] == list(range(251, 301))
    assert [r.number for r in records[100:]] == list(range(1, 201))
    assert all(r.late and r.journaled for r in records)
    assert left_s < 2.0


@on_loop
async def test_distress_is_not_held_up_by_routine(mosquitto):
    """20,000 routine records are on their way to the same broker; a distress comes."""
    broker = mosquitto()
    outbox = Outbox([])
    link = link_of(plan_of(broker.port), outbox)

    async with (
        listening(broker.port, "5", "distress/v1/alpha/report/distress/#") as heard,
        running(link, connected=False),
    ):
        await until(lambda: link.state().distress_connected and link.state().routine_connected)
        routine = entry_of(1, Urgency.ROUTINE)
        offering = asyncio.create_task(_offer(link, routine))
        await until(lambda: link.state().offered > 500)
        distress = entry_of(2, Urgency.DISTRESS)
        outbox.entries[2] = distress
        began = asyncio.get_running_loop().time()
        link.tell(distress)
        await until(lambda: heard.told)
        lasted_s = asyncio.get_running_loop().time() - began
        assert not offering.done()
        offering.cancel()

    assert lasted_s < 0.5
    assert not msgspec.json.decode(heard.told[0][1], type=Record).late


async def _offer(link, entry):
    for _ in range(200):
        for _ in range(100):
            link.tell(entry)
        await asyncio.sleep(0.005)


@on_loop
async def test_leaving_does_not_wait_for_a_broker_that_says_nothing():
    """One that takes no connection, and one that never answers the handshake."""
    with socket.socket() as full, socket.socket() as mute:
        full.bind((LOOPBACK, 0))
        full.listen(0)
        mute.bind((LOOPBACK, 0))
        mute.listen(5)
        with contextlib.ExitStack() as fill:
            for _ in range(3):
                filler = fill.enter_context(socket.socket())
                filler.setblocking(False)  # noqa: FBT003  # the library's way
                with contextlib.suppress(BlockingIOError):
                    filler.connect(full.getsockname())
            tls = TlsPlan()
            buses = [
                bus_of(plan_of(full.getsockname()[1])),
                bus_of(plan_of(mute.getsockname()[1], tls=tls)),
                bus_of(plan_of(mute.getsockname()[1])),
            ]
            async with running(*buses, connected=False):
                await asyncio.sleep(0.2)
                began = asyncio.get_running_loop().time()
            assert asyncio.get_running_loop().time() - began < 1.0
            assert not any(bus.connects for bus in buses)


def test_the_last_packet_of_a_burst_does_not_wait_for_a_delayed_ack(mosquitto):
    """Nagle's algorithm would hold it for 40 ms; the socket itself must say that it is off."""

    async def look():
        bus = bus_of(plan_of(mosquitto().port))
        async with running(bus):
            sock = bus._wire._client.socket()
            return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert asyncio.run(look()) != 0
