"""A station's way back with its real rooms and rules; time, disk and modem are the test's."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import structlog
from msgspec import msgpack
from msgspec.structs import replace

from gateway.app.authority import Authority
from gateway.app.ruling import RuleKeeper
from gateway.app.stages import Signed
from gateway.app.transmitting import Transmitting
from gateway.framing.nmea import FRAMER
from gateway.journal.failed import JournalFailed
from gateway.journal.remembered import Recalled
from gateway.model.entry import Entry, encode_item, lane_of
from gateway.model.inbound import Chunk, Moment, Tick
from gateway.model.keys import KeyPlan
from gateway.model.plan import JournalPlan, LogPlan, PortPlan, StationPlan, TransmitPlan
from gateway.model.transmission import (
    Envelope,
    Letter,
    Ordered,
    Signature,
    TransmissionNote,
    signed_bytes,
)
from gateway.model.words import ClockState
from gateway.pipeline import docket_of, hallway
from gateway.rules.permit import Permit
from gateway.settings import profile_named
from gateway.settings.agreement import agreement_named
from gateway.settings.ed25519 import new_key
from gateway.transport import TransmitRefused
from gateway.transport.leave import Leave

S = 10**9
NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
OWN = {"mmsi": "002320000", "callsign": "M0ABC"}
SHIP = "232123456"
BANDS = {"vhf": 156_525_000, "mf": 2_187_500, "hf": 8_414_500, "drill": 156_525_000}
MAYDAY = b"$CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E"
"""Sinking, by voice, 50-30N 005-00W at 1207."""
ACKED = b"$CDDSC,16,0023200000,12,10,00,1503000500,1207,2321234560,05,S,E"
PERSONS = {
    "smith": ("A. Smith", "officer"),
    "jones": ("B. Jones", "officer"),
    "spare": ("A. Smith", "officer"),
    "caller": ("C. Caller", "operator"),
    "tech": ("D. Tech", "technician"),
    "drill": ("E. Drill", "instructor"),
    "second": ("F. Second", "second"),
    "gone": ("G. Gone", "officer"),
}
"""Whose each key is, and what it is for; that of `gone` was given up."""
KEYS = {name: new_key() for name in (*PERSONS, "nobody")}
"""Private keys; the station does not know that of `nobody`."""
FAILED = JournalFailed("journal.db", "disk I/O error")


class Clock:
    """Time that passes when the test says so; sleeping is real, and short."""

    boot = "b1"

    def __init__(self):
        self.mono_ns = 1_000 * S
        self.state = ClockState.NTP

    def now(self):
        passed = self.mono_ns - 1_000 * S
        return Moment(self.mono_ns, int(NOON.timestamp()) * S + passed, self.state, 5)

    def pass_s(self, seconds):
        self.mono_ns += round(seconds * S)

    async def sleep(self, seconds):
        await asyncio.sleep(min(seconds, 0.002))


class Disk:
    """A journal that is well, refuses, or hangs; what it has is what a crash leaves."""

    stands = True

    def __init__(self, words=None):
        self.words = dict(words or {})
        self.items = []
        self.refuses = self.hangs = False

    def _answer(self, take):
        told = asyncio.get_running_loop().create_future()
        if self.refuses:
            told.set_exception(FAILED)
        elif not self.hangs:
            told.set_result(take())
        return told

    def append(self, items):
        def take():
            self.items += items
            return tuple(
                Entry(number=1, epoch="e", lane=lane_of(one), item=one, body=encode_item(one))
                for one in items
            )

        return self._answer(take)

    def remember(self, words, *, urgent):
        del urgent

        def take():
            for name, word in words.items():
                self.words.pop(name, None)
                if word is not None:
                    self.words[name] = word

        return self._answer(take)

    async def recalled(self):
        return Recalled(dict(self.words), 0)


class Wire:
    """A port with the leave of a real one, and a modem that notes what it is handed."""

    def __init__(self, plan, clock, air):
        self._leave = Leave(plan)
        self._leave.opened(None, clock.now().mono_ns)
        self._clock, self._air = clock, air
        self.state = SimpleNamespace(name=plan.name, transmit=self._leave.standing)
        self.fails = None
        self.holds = None

    def stall(self):
        """Leave bytes untaken, as a modem does that has hung."""
        self._leave.stalled()
        self.state.transmit = self._leave.standing

    def answered(self, heard_mono_ns):
        self._leave.answered(heard_mono_ns)
        self.state.transmit = self._leave.standing

    def recognised(self, serial, heard_mono_ns):
        self._leave.recognised(serial, heard_mono_ns)
        self.state.transmit = self._leave.standing

    async def transmit(self, permit: Permit, data: bytes):
        self._leave.take(permit, data, self._clock.now().mono_ns)
        if isinstance(self.fails, TransmitRefused):
            raise self.fails
        self._air.append((self.state.name, data))
        if self.holds is not None:
            await self.holds.wait()
        if self.fails is not None:
            raise self.fails


class Desk:
    """One run of a station that may transmit."""

    more = ()
    """Ports beside those of its radios."""

    def __init__(
        self,
        *,
        agreements=("gmdss-coast-station",),
        disk=None,
        clock=None,
        keyless=False,
        left_out=(),
        keys=None,
        **transmit,
    ):
        found = tuple(
            replace(agreement_named(one), own="station") if isinstance(one, str) else one
            for one in agreements
        )
        self.clock = clock or Clock()
        self.disk = disk or Disk()
        self.air = []
        self.said = []
        facts = profile_named("generic-dsc")
        self.ports = (
            tuple(
                PortPlan(
                    name=name,
                    device=f"memory:{name}",
                    modem="generic-dsc",
                    profile=replace(facts, freq_hz=freq_hz, transmit=True),
                    exercise=name == "drill",
                )
                for name, freq_hz in BANDS.items()
            )
            + self.more
        )
        self.plan = StationPlan(
            station="here",
            ports=self.ports,
            links=(),
            journal=JournalPlan(path="journal.db"),
            record=None,
            log=LogPlan(),
            transmit=TransmitPlan(**OWN, **transmit),
            agreements=found,
            keys=() if keyless else known_keys(),
            left_out=left_out,
        )
        self.rooms = hallway("here", self.ports, docket=docket_of(found))
        self.wires = {port.name: Wire(port, self.clock, self.air) for port in self.ports}
        log = structlog.wrap_logger(None, processors=[self._noted])
        rules = RuleKeeper(self.disk, self.rooms, self, keep_hours=48, clock=self.clock, log=log)
        self.duty = Transmitting(
            self.plan,
            self.wires,
            self.disk,
            told=(self, rules),
            compose=self.compose,
            clock=self.clock,
            log=log,
        )
        self.authority = Authority(self.plan, self.duty, self, keys=keys, clock=self.clock, log=log)
        self._seq = count(1)

    def _noted(self, _logger, _name, event):
        self.said.append(event)
        raise structlog.DropEvent

    def compose(self, letter, *_):
        """Return bytes that name the order: what the radio systems make of it is their own test."""
        return (f"{letter.command_id}:{type(letter.action).__name__}".encode(),)

    def keep(self, items):
        """Hand items to the disk, as a Teller does."""
        return [self.disk.append((item,)) for item in items]

    def retain(self, suffix, state):
        del suffix, state

    def letter(self, action, **said):
        """Return a letter, signed by a person of this test."""
        now = NOON + timedelta(seconds=(self.clock.mono_ns - 1_000 * S) / S)
        seq = next(self._seq)
        plain = {"command_id": f"c{seq}", "audience": "here", "seq": seq, "issued": now}
        good_s = said.pop("good_s", 60)
        return Letter(
            **{
                **plain,
                "not_after": now + timedelta(seconds=good_s),
                "port": "vhf",
                "action": action,
                **said,
            }
        )

    def order(self, action, *, persons=("smith",), **said):
        """Hand in a letter; return the first that is told of it, and what comes later."""
        letter = self.letter(action, **said)
        return self.duty.take(Signed(letter=letter, persons=persons, keys=persons))

    def sealed(self, action, *keys, form=msgpack, **said):
        """Return what these have signed, the author first, as it comes from a broker."""
        digests = tuple(one.digest for one in self.plan.agreements)
        return sealed(self.letter(action, **{"agreements": digests, **said}), *keys, form=form)

    async def signs(self, action, *keys, **said):
        """Hand in what these have signed; return the first that is told of it."""
        return first_of(await self.authority.obey(self.sealed(action, *keys or ("smith",), **said)))

    def hears(self, body, port="vhf"):
        """Hear a sentence, as the watch does."""
        chunk = Chunk(port, self.clock.now(), FRAMER.wrap(body), gap=False)
        self._take(self.rooms.inbound(chunk))
        self.clock.pass_s(0.01)
        self._take(self.rooms.inbound(Chunk(port, self.clock.now(), b"", gap=True)))

    def passes(self, seconds):
        """Let time pass, a tick a second."""
        for _ in range(round(seconds)):
            self.clock.pass_s(1)
            self._take(self.rooms.tick(Tick(self.clock.now())))

    def _take(self, items):
        self.keep(items)
        self.duty.heard(items)

    def stages(self, command_id=None):
        """Return every stage that is on disk, of one order or of all."""
        notes = [one for one in self.disk.items if isinstance(one, TransmissionNote)]
        return [one.stage.value for one in notes if command_id in (None, one.command_id)]

    def last(self, command_id):
        """Return the last note of an order that is on disk."""
        notes = [one for one in self.disk.items if isinstance(one, TransmissionNote)]
        return [one for one in notes if one.command_id == command_id][-1]

    async def until(self, holds):
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.002)

    async def settled(self):
        """Wait until nothing is under way but what waits for its time."""
        for _ in range(12):
            await asyncio.sleep(0.003)


def known_keys():
    """Return the keys that the station knows."""
    return tuple(
        KeyPlan(
            name=name,
            person=person,
            roles=(role,),
            public_key=KEYS[name].public,
            revoked=NOON if name == "gone" else None,
        )
        for name, (person, role) in PERSONS.items()
    )


def sealed(letter, *keys, form=msgpack):
    """Return a letter with the signatures of these keys."""
    body = form.encode(letter)
    signatures = tuple(
        Signature(key=name, signature=b64decode(KEYS[name].sign(signed_bytes(body))))
        for name in keys
    )
    return Ordered(envelope=Envelope(letter=body, signatures=signatures), letter=letter)


def first_of(taken):
    """Return what came of an order first, whether or not more is to come."""
    return getattr(taken, "outcome", taken)


@asynccontextmanager
async def on_duty(desk):
    """Have it transmit what is due."""
    duty = asyncio.create_task(desk.duty.run())
    try:
        yield desk
    finally:
        duty.cancel()
        with suppress(asyncio.CancelledError):
            await duty
