"""F5, F6, F7: brokers that fall silent, stumble over MQTT itself, or take what they won't tell."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import random
import time
from types import SimpleNamespace

import msgspec
import pytest
import structlog

from gateway.app.owed import Owed
from gateway.app.troubles import troubles_of
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.journal.front import Journal
from gateway.model.inbound import Heard, Report, Ruling, Sighting
from gateway.model.plan import JournalPlan, LinkPlan
from gateway.model.status import AlertName
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from gateway.mqtt import alarms, aside, downs, outbox, rounds
from gateway.mqtt import link as link_module
from gateway.mqtt.alarms import UNDELIVERED_S, Alarms
from gateway.mqtt.bus import LinkLost, Outgoing
from gateway.mqtt.link import Link
from gateway.mqtt.payload import Record
from tests.contract.ground import in_haste, memory_bytes, ours
from tests.contract.proxy import LOOPBACK, Way, packet, proxied
from tests.contract.proxy import Kind as Packets

NOTICED_S_MAX = 10.0
ALARM_S_MAX = 15.0
DETECTED_S_MAX = 5.0
AGAIN_S_MAX = 10.0
LOOK_S = 0.02
WAIT_S = 30.0
_serial = itertools.count(1)


class Word(msgspec.Struct):
    online: bool


class Station:
    """A journal, a link to one broker and one to another, and the board of alarms."""

    def __init__(self, journal, ports, **plan):
        self.journal = journal
        self.log = structlog.testing.CapturingLogger()
        self.links = {
            name: Link(
                LinkPlan(
                    **(
                        {
                            "name": name,
                            "host": LOOPBACK,
                            "port": port,
                            "client_id": f"gw{next(_serial)}",
                        }
                        | plan
                    )
                ),
                station="alpha",
                outbox=journal,
                clock=Clock(),
                log=structlog.wrap_logger(self.log),
                jitter=random.Random(1),
                birth=lambda: Word(online=True),
                will=lambda: Word(online=False),
            )
            for name, port in ports.items()
        }
        clock, log = Clock(), structlog.wrap_logger(self.log)
        self.board = Board(list(self.links.values()), clock=clock, log=log)
        self._alarms = Alarms(
            self.links,
            outbox=journal,
            number_found=lambda: 0,
            number_last=lambda: journal.counts().number_last,
            clock=clock,
            log=log,
            put=self.board.put,
            owed=Owed(),
        )
        self._troubles = {}
        self.raised = {}

    def text(self, name):
        """Return what stands on an alert; nothing when none does."""
        alert = self.board.standing.get(name)
        return alert.text if alert else ""

    async def run(self):
        async with asyncio.TaskGroup() as group:
            for link in self.links.values():
                group.create_task(link.run())
            group.create_task(self._alarms.run())
            group.create_task(self._look())

    async def _look(self):
        """Look as the watch does, and note when an alarm is first seen."""
        while True:
            for name, trouble in troubles_of([link.state() for link in self.links.values()]):
                self.board.alarm(name, trouble, anew=trouble != self._troubles.get(name))
                self._troubles[name] = trouble
            for name in self.board.standing:
                self.raised.setdefault(name, time.monotonic())
            await asyncio.sleep(LOOK_S)

    async def hear(self, count=1, *, raw="$CDDSC"):
        for number in itertools.islice(_serial, count):
            for entry in await self.journal.append([mayday(number, raw)]):
                for link in self.links.values():
                    link.tell(entry)


def mayday(number, raw):
    heard = Heard(station="alpha", port="p", modem="m", mono_ns=number, clock=ClockState.FREE)
    report = Report(
        report_id=f"{number:032x}",
        schema=1,
        system="dsc",
        kind=Kind.ALERT,
        urgency=Urgency.DISTRESS,
        mode=Mode.REAL,
        heard=heard,
        integrity=Integrity.CHECKSUM,
        confidence=Confidence.VERIFIED,
        raw=(raw,),
    )
    return Ruling(Sighting(report=report, content=b"%d" % number))


@contextlib.asynccontextmanager
async def on_watch(folder, ports, **plan):
    """Run a station until the block ends."""
    path = folder / f"journal-{next(_serial)}.db"
    journal = await Journal.open(
        JournalPlan(path=str(path)), station="alpha", links=tuple(ports), clock=Clock()
    )
    station = Station(journal, ports, **plan)
    task = asyncio.create_task(station.run())
    try:
        await until(lambda: all(link.state().distress_connected for link in station.links.values()))
        yield station
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.close()


async def until(condition, limit_s=WAIT_S):
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(LOOK_S / 4)


def limit_s(promised_s, haste):
    """Return what is allowed: in haste a busy machine is as slow as at leisure."""
    return promised_s / haste + (0.5 if haste > 1 else 0.0)


def span(found_s):
    return f"{min(found_s):.1f} to {max(found_s):.1f} s"


@pytest.fixture
def haste(monkeypatch, whole):
    """Return how much faster the short form is: its pauses, and what it is held to."""
    if whole:
        return 1.0
    in_haste(monkeypatch)
    for module, limits in (
        (downs, ("DOWN_S",)),
        (link_module, ("BEAT_S",)),
        (alarms, ("LOOK_S",)),
    ):
        for limit in limits:
            monkeypatch.setattr(module, limit, getattr(module, limit) / 10)
    for limit in ("RESEND_S", "RESEND_S_MAX", "BURST_S"):
        monkeypatch.setattr(rounds, limit, getattr(rounds, limit) / 50)
    monkeypatch.setattr(outbox, "UNREAD_S", 0.5)
    monkeypatch.setattr(aside, "RETRY_S", 0.5)
    monkeypatch.setattr(aside, "POISON_S", 1.0)
    monkeypatch.setattr(aside, "HUNG_UP_S", 6.0)
    monkeypatch.setattr(
        alarms, "LIMITS_S", {name: limit / 20 for name, limit in alarms.LIMITS_S.items()}
    )
    return 10.0


# -- F5 --------------------------------------------------------------------------------------------

SILENCES = {
    "broker frozen": lambda broker, _proxy: broker.freeze(),
    "line half open": lambda _broker, proxy: proxy.half_open(),
    "nothing goes up": lambda _broker, proxy: proxy.half_open(Way.UP),
    "nothing comes down": lambda _broker, proxy: proxy.half_open(Way.DOWN),
    "the line takes nothing": lambda _broker, proxy: proxy.stall(Way.UP),
}


async def fall_silent(fall, station, broker, proxy):
    """Have one link's broker fall silent and come back; return when that was noticed, and told."""
    local = station.links["local"]
    proxy.refuse()
    fall(broker, proxy)
    began = time.monotonic()
    await until(lambda: not local.state().distress_connected)
    noticed_s = time.monotonic() - began
    await station.hear()
    await until(lambda: AlertName.LINK in station.raised)
    await until(lambda: station.journal.counts().outbox == {"local": 1, "shore": 0})
    await until(lambda: "link local is down: distress" in station.text(AlertName.LINK))
    broker.thaw()
    await proxy.accept()
    await until(lambda: station.journal.counts().outbox["local"] == 0)
    await until(lambda: AlertName.LINK not in station.board.standing)
    assert station.links["shore"].state().connects == 1
    return noticed_s, station.raised[AlertName.LINK] - began


def test_a_broker_that_falls_silent_is_noticed_and_the_other_link_says_so(
    mosquitto, tmp_path, haste, whole, figure
):
    """F5. The silence is a line's or a frozen broker's; the alarm stands on the other broker."""
    found = []

    async def one(fall, version, other):
        broker = mosquitto()
        async with proxied(broker.port) as proxy:
            ports = {"local": proxy.port, "shore": other.port}
            async with on_watch(tmp_path, ports, version=version) as station:
                await asyncio.sleep(random.uniform(0, 4) / haste)  # anywhere between two questions
                found.append(await fall_silent(fall, station, broker, proxy))

    async def play():
        other = mosquitto()
        async with asyncio.TaskGroup() as group:
            for fall, version in itertools.product(SILENCES.values(), ("5", "3.1.1")):
                for _ in range(4 if whole else 1):
                    group.create_task(one(fall, version, other))

    asyncio.run(play())
    noticed_s, alarm_s = zip(*found, strict=True)

    figure(
        "F5",
        f"{len(found)} silences of {len(SILENCES)} kinds, limits shortened {haste:g} times: "
        f"noticed in {span(noticed_s)}, alarm on the other link in {span(alarm_s)}",
    )
    assert max(noticed_s) <= limit_s(NOTICED_S_MAX, haste)
    assert max(alarm_s) <= limit_s(ALARM_S_MAX, haste)


# -- F6 --------------------------------------------------------------------------------------------

RUBBISH = {
    "nothing more, and a close": b"",
    "a packet of no kind": b"\x00\x00",
    "a length of five bytes": b"\x30\xff\xff\xff\xff\x01",
    "a PUBLISH of 256 MB": b"\x30\xff\xff\xff\x7f" + bytes(4000),
    "QoS 3": b"\x36\x05\x00\x01a\x00\x01",
    "a topic longer than its packet": b"\x30\x04\x00\x64ab",
    "a topic that is no text": b"\x30\x05\x00\x02\xff\xfe\x00",
    "a topic of nothing": b"\x30\x04\x00\x00\x00x",
    "a topic with a wildcard": b"\x30\x06\x00\x01#\x00xy",
    "a topic with NUL": b"\x30\x06\x00\x02a\x00\x00x",
    "an empty PUBLISH": b"\x30\x00",
    "a PUBLISH cut in the middle": b"\x30\x20\x00\x01a",
    "a property of no kind": b"\x30\x08\x00\x01a\x02\xfe\x00xy",
    "properties longer than the packet": b"\x30\x06\x00\x01a\x7f\x01x",
    "a property twice": b"\x30\x09\x00\x01a\x04\x01\x00\x01\x01",
    "QoS 2 to who asked for 1": b"\x34\x06\x00\x01a\x00\x07\x00",
    "a PUBREL out of the blue": b"\x62\x02\x00\x07",
    "a PUBREC out of the blue": b"\x50\x02\x00\x07",
    "a PUBCOMP out of the blue": b"\x70\x02\x00\x07",
    "an empty PUBACK": b"\x40\x00",
    "a PUBACK for what was never sent": b"\x40\x02\x12\x34",
    "a PUBACK with a long tail": b"\x40\x08\x12\x34\x00\x7f\xff\xff\xff\xff",
    "a SUBACK for what was never asked": b"\x90\x04\x12\x34\x00\x01",
    "an UNSUBACK for what was never asked": b"\xb0\x04\x12\x34\x00\x00",
    "a second CONNACK": b"\x20\x03\x00\x00\x00",
    "a CONNECT from a broker": packet(0x10, b"\x00\x04MQTT\x05\x02\x00\x0f\x00\x00\x00"),
    "an AUTH nobody asked for": b"\xf0\x02\x18\x00",
    "a PINGRESP nobody asked for": b"\xd0\x00",
    "DISCONNECT: server shutting down": b"\xe0\x01\x8b",
}
"""What a broker may say and should not; the end of the connection follows each."""


async def stumble(broker, version, rubbish, *, later):
    """Have a broker say this once, and close; return when the next attempt came."""
    word = Outgoing(topic="t", payload=b"x", qos=1)
    async with proxied(broker.port) as proxy:
        if later:
            say = lambda session, _packet: session.last(rubbish)  # noqa: E731  # as short as that
            proxy.on(Way.UP, Packets.PUBLISH, say, times=1)
        else:
            proxy.hang_up_with(Packets.CONNACK, more=rubbish, times=1)
        bus = ours(proxy.port, version, client_id=f"gw{next(_serial)}")
        task = asyncio.create_task(bus.run())
        began = time.monotonic()
        if later:
            await until(lambda: bus.connected)
            began = time.monotonic()
            with pytest.raises(LinkLost):
                await bus.publish(word)
        await until(lambda: len(proxy.knocks) == 2)
        again_s = time.monotonic() - began
        await until(lambda: bus.connected)
        await bus.publish(word)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return again_s


def test_a_broker_that_stumbles_costs_one_connection_each_time(mosquitto, haste, whole, figure):
    """F6: each, in one segment with CONNACK, and later; then a close, so that hanging shows."""
    again_s, left, held = [], [], []

    async def play():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: left.append(str(context)))
        broker = mosquitto()
        for version in ("5", "3.1.1") * (5 if whole else 1):
            kinds = itertools.product(RUBBISH.values(), (False, True))
            again_s.extend(
                await asyncio.gather(
                    *(stumble(broker, version, rubbish, later=later) for rubbish, later in kinds)
                )
            )
            gc.collect()
            held.append(memory_bytes())

    asyncio.run(play())
    grown = held[-1] - held[0]

    figure(
        "F6",
        f"{len(again_s)} times, {len(RUBBISH)} kinds with CONNACK and later, limits shortened "
        f"{haste:g} times: the next attempt after {span(again_s)}, {len(left)} faults of tasks "
        f"unseen, memory up by {max(grown, 0) / 1e6:.1f} MB",
    )
    assert max(again_s) <= limit_s(AGAIN_S_MAX, haste)
    assert not left
    assert grown < 10_000_000


# -- F7 --------------------------------------------------------------------------------------------

OPEN = "topic readwrite #\n"
CLOSED = (
    "topic write distress/v1/alpha/status\ntopic write distress/v1/alpha/alert/#\n"
    "topic readwrite distress/v1/alpha/receipt/#\ntopic readwrite distress/v1/alpha/request/#\n"
    "topic read distress/v1/alpha/report/#\n"
)
"""What an administrator leaves when he forgets the reports."""


@pytest.fixture
def listed(mosquitto, tmp_path):
    """Return what starts a broker with an access list, and what changes the list while it runs."""

    def start():
        acl = tmp_path / f"acl-{next(_serial)}"
        acl.write_text(OPEN)
        broker = mosquitto("allow_anonymous true", f"acl_file {acl}")

        def allow(words):
            acl.write_text(words)
            broker.reload()

        return SimpleNamespace(port=broker.port, allow=allow)

    return start


@contextlib.asynccontextmanager
async def signing(port, read):
    """Run a consumer of record straight at the broker."""
    bus = ours(port, "5", client_id=f"rcc{next(_serial)}", topics=("distress/v1/alpha/report/#",))

    async def sign():
        async for incoming in bus.received():
            record = msgspec.json.decode(incoming.payload, type=Record)
            read.add(record.number)
            receipt = msgspec.json.encode({"epoch": record.epoch, "numbers": [record.number]})
            topic = "distress/v1/alpha/receipt/rcc"
            with contextlib.suppress(LinkLost):
                await bus.publish(Outgoing(topic=topic, payload=receipt, qos=1))

    tasks = [asyncio.create_task(duty) for duty in (bus.run(), sign())]
    try:
        await until(lambda: bus.connected)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def deny(listed, folder, *, version, receipts, seen):
    """Have the list changed under a running gateway; return when that shows, and the alarm."""
    broker, read = listed(), set()
    async with (
        signing(broker.port, read),
        on_watch(folder, {"local": broker.port}, version=version, receipts=receipts) as station,
    ):
        link = station.links["local"]
        await station.hear()
        await until(lambda: station.journal.counts().outbox["local"] == 0)
        broker.allow(CLOSED)
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await station.hear(10)
        await until(lambda: seen(link.state()))
        shown_s = time.monotonic() - began
        wanted = AlertName.POISON if version == "5" else AlertName.UNDELIVERED
        await until(lambda: wanted in station.raised, limit_s=90)
        alarm_s = station.raised[wanted] - began
        assert station.journal.counts().outbox["local"] == 10
        broker.allow(OPEN)
        await until(lambda: station.journal.counts().outbox["local"] == 0, limit_s=400)
        await until(lambda: wanted not in station.board.standing)
        await until(lambda: len(read) == 11)
    return shown_s, alarm_s


def test_a_denied_distress_shows_at_once_and_is_told_when_it_may_be(
    listed, tmp_path, haste, whole, figure
):
    """F7. MQTT 5 gives a reason code; over 3.1.1 only the receipt that doesn't come shows it."""

    async def play():
        by_code = deny(
            listed, tmp_path, version="5", receipts="puback", seen=lambda state: state.refused >= 10
        )
        by_receipt = deny(
            listed,
            tmp_path,
            version="3.1.1",
            receipts="rcc",
            seen=lambda state: state.unsigned == 10 and state.oldest_unsigned_s >= 2 / haste,
        )
        return await asyncio.gather(by_code, by_receipt)

    (code_s, poison_s), (receipt_s, undelivered_s) = asyncio.run(play())

    figure(
        "F7",
        f"denied by a changed access list, limits shortened {haste:g} times (or more): MQTT 5: "
        f"the reason code shows after {code_s:.2f} s, alert/poison after {poison_s:.1f} s; MQTT "
        f"3.1.1: the missing receipt shows after {receipt_s:.1f} s, alert/undelivered after "
        f"{undelivered_s:.1f} s; 0 of 22 lost",
    )
    assert max(code_s, receipt_s) <= DETECTED_S_MAX
    assert undelivered_s <= alarms.LIMITS_S[AlertName.UNDELIVERED] + alarms.LOOK_S + 1
    assert poison_s <= (60 if whole else 8)


def test_a_refused_subscription_for_receipts_raises_the_alarm(mosquitto, tmp_path, haste, figure):
    """F7. mosquitto grants what it won't tell; another broker's refusal is put in its mouth."""
    found_s = []

    async def refuse(version):
        def act(session, found):
            if not session.client_id.endswith("-receipts"):
                return found.raw
            middle = b"\x00" if version == "5" else b""
            code = b"\x87" if version == "5" else b"\x80"
            return packet(0x90, found.mid.to_bytes(2, "big") + middle + code)

        async with proxied(mosquitto().port) as proxy:
            rule = proxy.on(Way.DOWN, Packets.SUBACK, act)
            ports, began = {"local": proxy.port}, time.monotonic()
            async with on_watch(tmp_path, ports, version=version, receipts="rcc") as station:
                await until(lambda: AlertName.LINK in station.raised)
                found_s.append(station.raised[AlertName.LINK] - began)
                state = station.links["local"].state()
                assert not state.receipts_connected
                assert "receipt/rcc: subscription refused" in state.last_error
                assert "local is down: receipts" in station.text(AlertName.LINK)
                proxy.lift(rule)
                await until(lambda: AlertName.LINK not in station.board.standing)

    async def play():
        async with asyncio.TaskGroup() as group:
            for version in ("5", "3.1.1"):
                group.create_task(refuse(version))

    asyncio.run(play())

    figure(
        "F7", f"subscription refused, limits shortened {haste:g} times: alert/link {span(found_s)}"
    )
    assert max(found_s) <= limit_s(ALARM_S_MAX, haste)


def test_a_distress_that_the_broker_hangs_up_on_holds_up_no_other(
    mosquitto, tmp_path, haste, figure
):
    """F7. A broker with a limit refuses over MQTT 5, and over 3.1.1 it just hangs up."""
    others_s, poison_s = {}, {}

    async def one(version):
        broker = mosquitto("allow_anonymous true", "max_packet_size 2500")
        async with on_watch(tmp_path, {"local": broker.port}, version=version) as station:
            began = time.monotonic()
            await station.hear(5)
            await station.hear(raw="x" * 3000)
            await station.hear(30)
            await until(lambda: station.journal.counts().outbox["local"] == 1, limit_s=60)
            others_s[version] = time.monotonic() - began
            await until(lambda: AlertName.POISON in station.raised, limit_s=200)
            poison_s[version] = station.raised[AlertName.POISON] - began
            await until(lambda: station.links["local"].state().distress_connected)
            assert station.links["local"].state().poison == (6,)
            await station.hear()
            await until(lambda: station.journal.counts().outbox["local"] == 1)

    async def play():
        async with asyncio.TaskGroup() as group:
            for version in ("5", "3.1.1"):
                group.create_task(one(version))

    asyncio.run(play())

    figure(
        "F7",
        f"one of 36 too long for the broker, limits shortened {haste:g} times: the others told "
        f"after {others_s['5']:.1f} s (MQTT 5) and {others_s['3.1.1']:.1f} s (3.1.1, where the "
        f"broker hangs up), alert/poison after {poison_s['5']:.1f} and {poison_s['3.1.1']:.1f} s",
    )
    assert max(others_s.values()) <= limit_s(UNDELIVERED_S, haste)
