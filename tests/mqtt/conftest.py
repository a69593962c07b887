"""Entries to tell, and a bus, an outbox and a clock to tell them with, without a network."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
import structlog

from gateway.model.command import Outcome, OutcomeState
from gateway.model.entry import Entry, Lane, encode_item, lane_of
from gateway.model.inbound import (
    Detail,
    Heard,
    Moment,
    Refused,
    Report,
    Ruling,
    Sighting,
    Witness,
)
from gateway.model.incident import (
    Evidence,
    Incident,
    IncidentNote,
    Link,
    LinkKind,
    Phase,
)
from gateway.model.place import Identity, Position
from gateway.model.plan import LinkPlan
from gateway.model.status import AlarmRaised, AlertName
from gateway.model.verdict import Judgement, Verdict
from gateway.model.words import (
    ClockState,
    Confidence,
    Integrity,
    Kind,
    Mode,
    Nature,
    Relation,
    Urgency,
)
from gateway.mqtt import link as link_module
from gateway.mqtt.bus import Incoming, LinkLost, PublishRefused

BEGAN = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)
BEGAN_NS = int(BEGAN.timestamp() * 1e6) * 1000


class Said(Detail, frozen=True, kw_only=True, omit_defaults=True):
    """A radio's own words, with a value of each kind that a payload must carry."""

    format: int | None = None
    telecommands: tuple[int, ...] = ()
    remark: str | None = None
    absent: str | None = None


def report_of(number=1, **over):
    """Return a report; what is not said is that of a position of a ship by AIS."""
    heard = Heard(
        station="alpha",
        port="ais1",
        modem="generic-ais",
        mono_ns=number * 1_000_000,
        utc=BEGAN,
        clock=ClockState.NTP,
    )
    said = {
        "report_id": f"{number:032x}",
        "schema": 1,
        "system": "ais",
        "kind": Kind.POSITION,
        "urgency": Urgency.ROUTINE,
        "mode": Mode.REAL,
        "sender": Identity(mmsi="244000001", mmsi_class="ship"),
        "position": Position(lat_deg=52.4567 + number / 1e4, lon_deg=-0.1),
        "heard": heard,
        "integrity": Integrity.CHECKSUM,
        "confidence": Confidence.VERIFIED,
        "detail": Said(
            format=112,
            telecommands=(100, 109),
            remark="µ\N{CJK UNIFIED IDEOGRAPH-6D77}",
        ),
        "raw": ("!AIVDM,1,1,,A,x,0*00",),
    }
    return Report(**(said | over))


def ruling_of(number=1, *, relation=Relation.FIRST, first_id=None, **over):
    """Return a ruling on such a report."""
    report = report_of(number, **over)
    return Ruling(
        Sighting(
            report=report,
            content=b"\x00\xff",
            relation=relation,
            first_id=first_id,
            witnesses=(Witness(report_id=report.report_id, port="ais1", mono_ns=1),),
        ),
        verdicts=(
            Verdict(
                agreement="a",
                version="1",
                digest="0" * 64,
                rule="r",
                kind="watch",
                judgement=Judgement.OK,
                subject="channel:vhf16",
                words="it is kept",
                mono_ns=1,
            ),
        ),
    )


def entry_of(item, number=1, *, epoch="e1", kept=True, lane=None):
    """Return the entry of an item; as read back from disk when it isn't kept in memory."""
    return Entry(
        number=number,
        epoch=epoch,
        lane=lane or lane_of(item),
        item=item if kept else None,
        body=encode_item(item),
        journaled_utc_ns=BEGAN_NS if number else None,
    )


def mayday(number=1, **over):
    return entry_of(
        ruling_of(
            number,
            system="dsc",
            kind=Kind.ALERT,
            urgency=Urgency.DISTRESS,
            nature=Nature.SINKING,
            **over,
        ),
        number,
    )


def safety(number=1, **over):
    return entry_of(
        ruling_of(number, system="dsc", kind=Kind.CALL, urgency=Urgency.SAFETY, **over), number
    )


def place(number=1, **over):
    return entry_of(ruling_of(number, **over), number)


def refused(number=1, *, distress_like=True, port="dsc1"):
    item = Refused(
        port=port,
        mono_ns=1,
        utc=BEGAN,
        reason="wrong checksum",
        door="framing",
        distress_like=distress_like,
        raw=("$CDDSC,12\\x00*00",),
        span=16,
    )
    return entry_of(item, number)


def alarm(number=1, **over):
    said = {"name": AlertName.LINK, "mono_ns": 1, "clock": ClockState.NTP, "text": "it is down"}
    return entry_of(AlarmRaised(**(said | over)), number)


def incident(number=1, *, change="the alarm is raised", gone=False, evidence=1, **over):
    """Return the note of an incident with so many pieces of evidence."""
    told = tuple(
        Evidence(
            evidence_id=f"{place:032x}",
            filed="mmsi:244000001",
            system="dsc",
            mode=Mode.REAL,
            names=("mmsi:244000001",),
            urgency=Urgency.DISTRESS,
            first_mono_ns=place,
            last_mono_ns=place,
            last_report_id=f"{place:032x}",
            text="MAYDAY " * 20,
            confidence=Confidence.VERIFIED,
        )
        for place in range(evidence)
    )
    links = tuple(
        Link(
            kind=LinkKind.SAME_IDENTITY,
            weight=1.0,
            one=one.evidence_id,
            other=other.evidence_id,
            words="the same MMSI",
        )
        for one, other in pairwise(told)
    )
    said = {
        "incident_id": "00ff00ff00ff00ff",
        "station": "alpha",
        "mode": Mode.REAL,
        "phase": Phase.ALERTED,
        "severity": Urgency.DISTRESS,
        "confidence": Confidence.VERIFIED,
        "opened_mono_ns": 0,
        "last_mono_ns": number,
        "evidence": told,
        "links": links,
        "say": "a ship sinks",
    }
    note = IncidentNote(change=change, gone=gone, incident=Incident(**(said | over)))
    return entry_of(note, number)


class HandClock:
    """A clock that a test moves; sleeping on it takes a moment, whatever was asked for."""

    boot = None

    def __init__(self):
        self.passed_s = 0.0

    def now(self):
        ns = int(self.passed_s * 1e9)
        return Moment(mono_ns=10**12 + ns, utc_ns=BEGAN_NS + ns, clock=ClockState.NTP)

    async def sleep(self, seconds):
        assert seconds > 0
        await asyncio.sleep(0.001)


class FakeBus:
    """A bus that a test puts up, takes down, holds back and makes refuse."""

    def __init__(self, *, lane, will=None, topics=()):
        self.lane = lane
        self.will = will
        self.topics = topics
        self.inbox = asyncio.Queue()
        self.acknowledged = []
        self.connects = 0
        self.taken = 0
        self.overflowed = 0
        self.retains = True
        self.last_error = None
        self.disputed = None
        self.signed = []
        self.offered = []
        self.offers_taken = 10**9
        self.refuse = lambda _outgoing: False
        self.hang_up = lambda _outgoing: False
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0
        self.waiting_most = 0
        self._up = asyncio.Event()

    @property
    def connected(self):
        return self._up.is_set()

    def up(self):
        self.connects += 1
        self.taken = 0
        self._up.set()

    def down(self):
        self._up.clear()
        self.open.set()

    async def run(self):
        try:
            await asyncio.Event().wait()
        finally:
            if self.connected and self.will:
                self.signed.append(self.will())

    async def publish(self, outgoing):
        generation = self.connects
        if not self.connected:
            raise LinkLost(self.lane, "down")
        self.waiting += 1
        self.waiting_most = max(self.waiting_most, self.waiting)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
        finally:
            self.waiting -= 1
        if self.connects == generation and self.hang_up(outgoing):
            self.down()
        if not self.connected or self.connects != generation:
            raise LinkLost(self.lane, "lost")
        if self.refuse(outgoing):
            raise PublishRefused(outgoing.topic, 0x87, "Not authorized")
        self.signed.append(outgoing)
        self.taken += 1

    def offer(self, outgoing):
        if not self.connected or len(self.offered) >= self.offers_taken:
            return False
        self.offered.append(outgoing)
        return True

    async def renew(self):
        self.down()
        self.up()

    async def received(self):
        while True:
            incoming = await self.inbox.get()
            yield incoming
            self.acknowledged.append(incoming)

    async def wait_connected(self):
        await self._up.wait()

    async def wait_reconnected(self, since):
        while not self.connected or self.connects <= since:
            await asyncio.sleep(0.001)
        return self.connects


class Kept(dict):
    """Entries by number; a journal is asked for them by the same name."""

    async def __call__(self, *, first=1, limit):
        return tuple(self[number] for number in sorted(self) if number >= first)[:limit]


class FakeOutbox:
    """The outbox in memory: urgent first, then by age, as the journal gives it."""

    epoch = "e1"

    def __init__(self):
        self.entries = Kept()
        self.struck = []
        self.failing = 0
        self.limits = []
        self.number_last = 0
        self.quarantined = ()

    def add(self, *entries):
        self.entries.update({entry.number: entry for entry in entries})
        self.number_last = max([self.number_last, *self.entries])

    async def damaged(self, *, first, last):
        return tuple(number for number in self.quarantined if first <= number <= last)

    async def pending(self, _link, lanes, *, limit, after=None):
        self._fail()
        self.limits.append(limit)
        seen = (lanes_order(after[0]), after[1]) if after else (0, 0)
        order = sorted(self.entries.values(), key=lambda e: (lanes_order(e.lane), e.number))
        return tuple(
            entry
            for entry in order
            if entry.lane in lanes and (lanes_order(entry.lane), entry.number) > seen
        )[:limit]

    async def strike(self, _link, numbers):
        self._fail()
        self.struck.extend(numbers)
        for number in numbers:
            self.entries.pop(number, None)

    def _fail(self):
        if self.failing:
            self.failing -= 1
            message = "disk I/O error"
            raise OSError(message)


def lanes_order(lane):
    return list(Lane).index(lane)


class Rig:
    """A link with its fakes, running."""

    def __init__(self, plan, *, birth, will):
        self.clock = HandClock()
        self.ordered = []
        self.outbox = FakeOutbox()
        self.buses = {}
        self.log = structlog.wrap_logger(structlog.testing.CapturingLogger())
        self.link = link_module.Link(
            plan,
            station="alpha",
            outbox=self.outbox,
            clock=self.clock,
            log=self.log,
            jitter=random.Random(1),
            birth=birth,
            will=will,
            carrier=self._carry,
            obey=self._obey,
        )

    async def _obey(self, command):
        """Carry out what is ordered, as a hallway in which all goes well."""
        self.ordered.append(command)
        return Outcome(
            station="alpha",
            command_id=command.command_id,
            state=OutcomeState.ACCEPTED,
            journaled=True,
        )

    def _carry(self, _plan, *, lane, will=None, topics=(), **_doors):
        self.buses[lane] = FakeBus(lane=lane, will=will, topics=topics)
        return self.buses[lane]

    @property
    def urgent(self):
        return self.buses["distress"]

    @property
    def routine(self):
        return self.buses["routine"]

    def up(self):
        for bus in self.buses.values():
            bus.up()

    def sign(self, *numbers, epoch="e1", form=msgspec.json, payload=None, **over):
        """Have the consumer of record say that it has these."""
        bus = self.buses["receipts"]
        receipt = form.encode({"epoch": epoch, "numbers": numbers}) if payload is None else payload
        settings = {"topic": bus.topics[0], "qos": 1, "retained": False, "mid": 1} | over
        bus.inbox.put_nowait(Incoming(payload=receipt, **settings))

    def ask(self, first=1, last=1, *, epoch="e1", form=msgspec.json, payload=None, **over):
        """Have the consumer of record ask for this range; what is not of a request is of MQTT."""
        bus = self.buses["requests"]
        said = {key: over.pop(key) for key in ("routine",) if key in over}
        said |= {"response_topic": over.pop("inside")} if "inside" in over else {}
        asked = form.encode({"epoch": epoch, "first": first, "last": last} | said)
        settings = {"topic": bus.topics[0], "qos": 1, "retained": False, "mid": 1} | over
        bus.inbox.put_nowait(Incoming(payload=asked if payload is None else payload, **settings))

    def order(self, *, form=msgspec.json, payload=None, over=None, **said):
        """Have an operator order this; `over` is of MQTT."""
        bus = self.buses["commands"]
        wanted = {
            "command_id": "c1",
            "verb": "ack",
            "incident_id": "00ff00ff00ff00ff",
            "author": "Officer A",
            "not_after": "2026-11-20T12:00:30Z",
        } | said
        settings = {"topic": bus.topics[0], "qos": 1, "retained": False, "mid": 1} | (over or {})
        told = form.encode(wanted) if payload is None else payload
        bus.inbox.put_nowait(Incoming(payload=told, **settings))

    def heard(self, *entries):
        """Put entries on disk and tell of them."""
        self.outbox.add(*(entry for entry in entries if entry.lane is not Lane.ROUTINE))
        for entry in entries:
            self.link.tell(entry)

    def topics(self, *, of=None):
        """Return the topics signed for, without the station's root and its status."""
        found = self.urgent.signed if of is None else of
        root = "distress/v1/alpha/"
        return [o.topic.removeprefix(root) for o in found if o.topic != root + "status"]


@pytest.fixture
def rig():
    """Return what runs a scene on a link: an async function that is given the rig."""

    def run(scene, *, birth=None, will=None, **plan):
        async def play():
            settings = {
                "name": "local",
                "host": "127.0.0.1",
                "port": 1,
                "client_id": "gw",
                "position_interval_s": 2.0,
                "exports": (),
            } | plan
            made = Rig(
                LinkPlan(**settings),
                birth=birth or (lambda: Online(online=True)),
                will=will or (lambda: Online(online=False)),
            )
            running = asyncio.create_task(made.link.run())
            try:
                async with asyncio.timeout(5):
                    await scene(made)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
            return made

        return asyncio.run(play())

    return run


@pytest.fixture
def hand_clock():
    """Return the clock that a test moves."""
    return HandClock


@pytest.fixture
def fake_outbox():
    """Return the outbox in memory."""
    return FakeOutbox


class Online(Detail, frozen=True, kw_only=True):
    online: bool


async def until(condition, *, limit_s=2.0):
    """Wait until a condition holds; fail when it doesn't."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.001)


async def settled():
    """Give everything that can happen now the time to happen."""
    for _ in range(20):
        await asyncio.sleep(0.001)


@pytest.fixture
def make():
    """Return the makers of entries, by name, and the ways to wait for what becomes of them."""

    class Makers:
        pass

    makers = Makers()
    for maker in (
        report_of,
        ruling_of,
        entry_of,
        mayday,
        safety,
        place,
        refused,
        alarm,
        incident,
        until,
        settled,
    ):
        setattr(makers, maker.__name__, staticmethod(maker).__func__)
    makers.began = BEGAN
    makers.began_ns = BEGAN_NS
    makers.later = lambda seconds: BEGAN_NS + int(timedelta(seconds=seconds).total_seconds() * 1e9)
    return makers
