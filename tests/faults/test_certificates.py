"""F10: certificates that run out, are wrong, or are replaced; a real mosquitto with TLS."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import structlog
import trustme

from gateway.clock import Clock
from gateway.model.entry import Entry, Lane, encode_item
from gateway.model.inbound import Heard, Moment, Report, Ruling, Sighting
from gateway.model.plan import LinkPlan, TlsPlan
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency
from gateway.mqtt import carrier, limits, naming, renewal
from gateway.mqtt.link import Link
from gateway.mqtt.payload import Record
from gateway.mqtt.subscriber import subscribe

LOOPBACK = "127.0.0.1"
NAMED_S_MAX = 15.0
"""By then it is said what is wrong."""

WAIT_S = 20.0
YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch):
    """Have the files looked at every moment: what counts is what comes of it."""
    monkeypatch.setattr(renewal, "LOOK_S", 0.1)
    monkeypatch.setattr(renewal, "AGAIN_S", 0.5)
    # A broker that is restarted in a moment, again and again, is no other client with our name.
    monkeypatch.setattr(naming, "SHORT_S", 0.0)
    monkeypatch.setattr(carrier, "RETRY_S_MAX", 0.5)


def on_loop(test):
    @functools.wraps(test)
    def run(*args, **kwargs):
        async def limited():
            async with asyncio.timeout(3 * WAIT_S):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


class Box:
    """What lies in a gateway's and in a broker's folder of certificates."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = trustme.CA()
        self.authority.cert_pem.write_to_path(folder / "ca.pem")

    def put(self, name, *, ends=YEAR, begins=-YEAR, by=None):
        """Have a certificate issued and put it in its place, key and all."""
        now = datetime.now(UTC)
        issued = (by or self.authority).issue_cert(
            LOOPBACK, not_before=now + begins, not_after=now + ends
        )
        self.write(f"{name}.pem", b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        self.write(f"{name}.key", issued.private_key_pem.bytes())

    def write(self, name, content):
        """Replace a file in one step, as one should."""
        new = self.folder / f"{name}.new"
        new.write_bytes(content)
        new.replace(self.folder / name)

    def file(self, name):
        return str(self.folder / name)

    @property
    def settings(self):
        return (
            f"cafile {self.file('ca.pem')}",
            f"certfile {self.file('broker.pem')}",
            f"keyfile {self.file('broker.key')}",
            "require_certificate true",
            "allow_anonymous true",
        )


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path)
    for name in ("broker", "box", "officer"):
        made.put(name)
    return made


class Word(msgspec.Struct):
    online: bool


class Outbox:
    """What is on disk, in memory, and in the order in which the journal gives it."""

    epoch = "e1"
    number_last = 0

    def __init__(self):
        self.rows = {}

    async def pending(self, _link, lanes, *, limit, after=None):
        last = after[1] if after else 0
        found = (row for _, row in sorted(self.rows.items()) if row.lane in lanes)
        return tuple(row for row in found if row.number > last)[:limit]

    async def strike(self, _link, numbers):
        for number in numbers:
            self.rows.pop(number, None)


class Unset(Clock):
    """The clock of a box without a battery: it begins in 1970."""

    def now(self):
        now = super().now()
        return Moment(mono_ns=now.mono_ns, utc_ns=now.mono_ns, clock=ClockState.UNSET)


class Gateway:
    """A link that is told of distress all the time, and a watch officer who listens."""

    def __init__(self, port, box, *, clock=None, **files):
        names = {"ca_file": "ca.pem", "cert_file": "box.pem", "key_file": "box.key"} | files
        self.port, self.box = port, box
        self.outbox = Outbox()
        self.said = 0
        self.told = set()
        self.words = []
        self.link = Link(
            LinkPlan(
                name="shore",
                host=LOOPBACK,
                port=port,
                client_id="gw",
                tls=TlsPlan(**{key: box.file(name) for key, name in names.items()}),
            ),
            station="alpha",
            outbox=self.outbox,
            clock=clock or Clock(),
            log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
            jitter=random.Random(1),
            birth=lambda: Word(online=True),
            will=lambda: Word(online=False),
        )

    @property
    def state(self):
        return self.link.state()

    @property
    def trouble(self):
        return self.state.certificate_trouble or ""

    @contextlib.asynccontextmanager
    async def on_watch(self, *, officer=True):
        duties = [self.link.run(), self._hear(), *([self._listen()] if officer else [])]
        tasks = [asyncio.create_task(duty) for duty in duties]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended

    async def _hear(self):
        """A distress every few milliseconds, whatever becomes of the link."""
        while True:
            self.said += 1
            self.outbox.rows[self.said] = entry = mayday(self.said)
            self.link.tell(entry)
            await asyncio.sleep(0.02)

    async def _listen(self):
        files = {"ca_file": "ca.pem", "cert_file": "officer.pem", "key_file": "officer.key"}
        tls = TlsPlan(**{key: self.box.file(name) for key, name in files.items()})
        topics = ["distress/v1/alpha/report/#", "distress/v1/alpha/status"]
        while True:
            with contextlib.suppress(Exception):  # the broker is away; it comes back
                async for topic, payload, _ in subscribe(LOOPBACK, self.port, topics, tls=tls):
                    if topic.endswith("status"):
                        self.words.append(msgspec.json.decode(payload, type=Word).online)
                    else:
                        self.told.add(msgspec.json.decode(payload, type=Record).number)
            await asyncio.sleep(0.05)

    async def connected(self):
        await until(lambda: self.state.distress_connected and self.state.routine_connected)

    async def all_told(self):
        """Wait until nothing of what was said up to now has still to be told."""
        upto = self.said
        await until(lambda: all(number > upto for number in self.outbox.rows))


def mayday(number):
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
        raw=("$CDDSC",),
    )
    item = Ruling(Sighting(report=report, content=b"%d" % number))
    return Entry(number, "e1", Lane.DISTRESS, item, encode_item(item), 1)


async def until(condition, limit_s=WAIT_S):
    """Return how long it took until a condition held."""
    began = time.monotonic()
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)
    return time.monotonic() - began


@on_loop
async def test_a_broker_whose_certificate_expires_is_warned_of_then_named(box, mosquitto, figure):
    """It expires while we are connected; the next connection is refused until that is mended."""
    box.put("broker", ends=timedelta(seconds=2))
    broker = mosquitto(*box.settings)
    gateway = Gateway(broker.port, box)
    async with gateway.on_watch(officer=False):
        await gateway.connected()
        assert "the broker's certificate expires at" in gateway.trouble
        await until(lambda: "the broker's certificate expired at" in gateway.trouble)
        assert gateway.state.connects == 1
        broker.kill()
        broker.start()
        named_s = await until(
            lambda: (
                "certificate has expired" in (gateway.state.last_error or "")
                and "no protected connection" in gateway.trouble
            ),
            NAMED_S_MAX,
        )
        heard = gateway.said
        await until(lambda: gateway.said > heard + 10, 2.0)
        box.put("broker")
        broker.kill()
        broker.start()
        await gateway.connected()
        await gateway.all_told()
        assert not gateway.trouble

    figure("F10", f"broker's certificate expired: named {named_s:.1f} s after the reconnection")


FAULTS = {
    "our certificate expired": (
        {"ends": -timedelta(days=1)},
        "our certificate in {box.folder}/box.pem expired at",
    ),
    "ours is of another authority": ({"by": "other"}, "(our certificate?)"),
}


@pytest.mark.parametrize("name", FAULTS)
@on_loop
async def test_a_certificate_of_ours_that_is_no_good_is_named(box, mosquitto, name, figure):
    over, words = FAULTS[name]
    if over.get("by"):
        over = {"by": trustme.CA()}
    box.put("box", **over)
    broker = mosquitto(*box.settings)
    gateway = Gateway(broker.port, box)
    async with gateway.on_watch(officer=False):
        named_s = await until(
            lambda: (
                words.format(box=box) in gateway.trouble
                and (gateway.state.last_error or "").endswith("(our certificate?)")
            ),
            NAMED_S_MAX,
        )
        heard = gateway.said
        await until(lambda: gateway.said > heard + 10, 2.0)
        box.put("box")
        await gateway.connected()
        await gateway.all_told()
        assert not gateway.trouble

    figure("F10", f"{name}: named after {named_s:.1f} s")


@on_loop
async def test_a_broker_of_another_authority_is_named(box, mosquitto, tmp_path, figure):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    broker = mosquitto(*box.settings)
    gateway = Gateway(broker.port, box, ca_file="other.pem")
    async with gateway.on_watch(officer=False):
        named_s = await until(lambda: "no protected connection" in gateway.trouble, NAMED_S_MAX)
        assert "certificate verify failed" in gateway.state.last_error
        assert gateway.state.connects == 0
        heard = gateway.said
        await until(lambda: gateway.said > heard + 10, 2.0)

    figure("F10", f"another authority: named after {named_s:.1f} s")


@on_loop
async def test_a_port_that_says_nothing_is_named(box, whole, figure, monkeypatch):
    if not whole:
        monkeypatch.setattr("gateway.mqtt.client.CONNECT_S_MAX", limits.CONNECT_S_MAX / 8)
    with socket.socket() as mute:
        mute.bind((LOOPBACK, 0))
        mute.listen(64)
        gateway = Gateway(mute.getsockname()[1], box)
        async with gateway.on_watch(officer=False):
            named_s = await until(
                lambda: "doesn't answer the TLS handshake" in gateway.trouble, NAMED_S_MAX
            )
            assert "doesn't answer the TLS handshake" in gateway.state.last_error
            assert gateway.said > 10

    figure("F10", f"mute port: named after {named_s:.1f} s")


@on_loop
async def test_a_clock_that_was_never_set_is_named_and_not_the_certificates(box, mosquitto):
    box.put("broker", begins=timedelta(days=1), ends=YEAR)
    broker = mosquitto(*box.settings)
    gateway = Gateway(broker.port, box, clock=Unset())
    async with gateway.on_watch(officer=False):
        await until(lambda: "the clock of this box is not set" in gateway.trouble, NAMED_S_MAX)
        assert "certificate is not yet valid" in gateway.state.last_error
        assert "expired" not in gateway.trouble
        assert all(one.days_left is None for one in gateway.state.certificates.values())


@on_loop
async def test_replaced_certificates_are_taken_without_a_drop(box, mosquitto, figure):
    broker = mosquitto(*box.settings)
    gateway = Gateway(broker.port, box)
    box.put("box", ends=timedelta(days=20))
    async with gateway.on_watch():
        await gateway.connected()
        await until(lambda: gateway.told)
        assert "in less than 30 days" in gateway.trouble
        assert gateway.state.certificates["ours"].days_left == 19
        for turn in range(1, 4):
            box.put("box")
            taken_s = await until(lambda turn=turn: gateway.state.connects == turn + 1)
            await gateway.connected()
            assert gateway.state.certificates_replaced == turn
        await gateway.all_told()
        last = gateway.said - 5
        await until(lambda: gateway.told >= set(range(1, last)))

        assert not gateway.trouble
        # The will was never told: nobody was given to think that the gateway had vanished.
        assert False not in gateway.words
        assert gateway.state.connects == 4

    figure(
        "F10",
        f"certificates replaced 3 times under distress: {last - 1} told, 0 lost; "
        f"taken within {taken_s:.1f} s",
    )


BROKEN = {
    "no certificate": lambda box: box.write("box.pem", b"not a certificate"),
    "another key": lambda box: box.write("box.key", Path(box.file("officer.key")).read_bytes()),
    "gone": lambda box: Path(box.file("box.key")).unlink(),
    "expired": lambda box: box.put("box", ends=-timedelta(hours=1)),
    "not let in": lambda box: box.put("box", by=trustme.CA()),
    "no authority": lambda box: box.write("ca.pem", b""),
}


@on_loop
async def test_a_broken_replacement_costs_no_connection_and_is_named(box, mosquitto, figure):
    """Not even the next one: who connects anew goes on with what was good."""
    broker = mosquitto(*box.settings)
    gateway = Gateway(broker.port, box)
    async with gateway.on_watch(officer=False):
        await gateway.connected()
        for turn, (name, break_them) in enumerate(BROKEN.items()):
            connects = gateway.state.connects
            break_them(box)
            await until(lambda: "the new files are not taken" in gateway.trouble)
            assert gateway.state.connects == connects, name
            assert gateway.state.distress_connected, name
            box.authority.cert_pem.write_to_path(box.file("ca.pem"))  # the broker reads it too
            broker.kill()
            broker.start()
            await until(lambda connects=connects: gateway.state.connects > connects)
            await gateway.connected()
            connects = gateway.state.connects  # a broker that starts may hang up once more
            box.put("box")
            await until(lambda turn=turn: gateway.state.certificates_replaced > turn)
            await until(lambda connects=connects: gateway.state.connects > connects)
            await gateway.connected()
            await until(lambda: not gateway.trouble)
        await gateway.all_told()

    figure("F10", f"{len(BROKEN)} broken replacements: 0 connections lost, each named")
