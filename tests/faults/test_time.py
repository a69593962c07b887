"""F11: the clock stands at 1970, is set, stepped, leaps and rolls over; nothing else happens."""

from __future__ import annotations

import asyncio
import mmap
import os
import random
import subprocess
import sys
import time
import tty
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from pathlib import Path

import msgspec
import pytest

from gateway.app import Service
from gateway.clock import Clock
from gateway.correlate.timekeeping import ROLLOVER_NS, redated
from gateway.journal.alarmed import alarmed_in
from gateway.journal.dating import dating_of
from gateway.journal.proving import proof_of
from gateway.log import set_up
from gateway.model.inbound import CLOCK_FLOOR_UTC_NS, ClockOffset, Moment
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, RecordPlan, StationPlan
from gateway.model.words import ClockState
from gateway.mqtt.subscriber import subscribe
from gateway.settings import profile_named
from gateway.verbs.embedded import LOOPBACK, embedded_broker
from gateway.verbs.replay import offsets_on

S = 10**9
HOUR_S = 3600
DAY_S = 24 * HOUR_S
WEEKS_1024_S = ROLLOVER_NS // S
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATION = "f11"
WAIT_S = 20.0
LATE_S = 1.05
"""A second, and what a leap second leaves of one."""

UNSET, FREE, NTP = ClockState.UNSET, ClockState.FREE, ClockState.NTP
STEPS = [
    # How far the clock is off the truth afterwards, and what the kernel then says of it.
    ("set by NTP, 56 years on", 0, NTP),
    ("an hour back", -HOUR_S, FREE),
    ("set again", 0, NTP),
    ("1024 weeks on", WEEKS_1024_S, FREE),
    ("set again", 0, NTP),
    ("1024 weeks back", -WEEKS_1024_S, UNSET),
    ("set again", 0, NTP),
    ("a leap second", -1, NTP),
    ("a day back", -1 - DAY_S, FREE),
    ("set again", -1, NTP),
]


def sentence(body):
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n".encode()


def mayday(number):
    """Return a distress call of a ship of its own."""
    return sentence(f"CDDSC,12,3380{number:05}0,12,06,00,1423108312,2019,,,S,")


class Modem:
    """The modem's end of a pseudo-terminal."""

    def __init__(self):
        self._end, self._gateway_end = os.openpty()
        tty.setraw(self._gateway_end)
        self.device = os.ttyname(self._gateway_end)

    def say(self, data):
        os.write(self._end, data)

    def close(self):
        os.close(self._end)
        os.close(self._gateway_end)


@pytest.fixture
def modem():
    one = Modem()
    yield one
    one.close()


@pytest.fixture
def receiver():
    one = Modem()
    yield one
    one.close()


@pytest.fixture(scope="module")
def broker():
    with embedded_broker() as listening:
        yield listening


class HandClock(Clock):
    """A clock whose time of day a test sets; the monotonic one runs on by itself."""

    boot = "b00t"

    def __init__(self):
        self.true_ahead_ns = CLOCK_FLOOR_UTC_NS + 30 * DAY_S * S - time.monotonic_ns()
        self.ahead_ns = 5 * S - time.monotonic_ns()
        self.state = UNSET

    def now(self):
        mono_ns = time.monotonic_ns()
        error_ms = 20 if self.state is NTP else None
        return Moment(mono_ns, mono_ns + self.ahead_ns, self.state, error_ms)

    def set(self, off_s, state):
        self.ahead_ns, self.state = self.true_ahead_ns + off_s * S, state

    def true_utc(self, mono_ns):
        return EPOCH + timedelta(microseconds=(self.true_ahead_ns + mono_ns) // 1000)


class Inbox:
    """What an ordinary subscriber has been told."""

    def __init__(self):
        self.told = []

    async def listen(self, broker):
        topics = (f"distress/v1/{STATION}/#",)
        async for topic, payload, _ in subscribe(
            LOOPBACK, broker.port_v311, topics, version="3.1.1"
        ):
            self.told.append((topic, msgspec.json.decode(payload) if payload else {}))

    def of(self, part):
        return [record for topic, record in self.told if f"{STATION}/{part}" in topic]

    @property
    def is_online(self):
        return any(state.get("state") == "online" for state in self.of("status"))

    @property
    def maydays(self):
        """Return each call once, in the order in which it was told for the first time."""
        found = {record["number"]: record for record in self.of("report/distress/dsc")}
        return list(found.values())

    @property
    def offsets(self):
        return [
            msgspec.convert(record["statement"], ClockOffset) for record in self.of("clock/offset")
        ]

    async def until(self, found, what):
        end = time.monotonic() + WAIT_S
        while not found():
            assert time.monotonic() < end, what
            await asyncio.sleep(0.01)

    def dated(self, record):
        """Return when a call was heard, as a subscriber works it out."""
        heard = record["report"]["heard"]
        utc = datetime.fromisoformat(heard["utc"])
        found = redated(
            boot=heard["boot"],
            mono_ns=heard["mono_ns"],
            clock=ClockState(heard["clock"]),
            offsets=self.offsets,
        )
        return found[0] if found else utc


def station_of(folder, modem, broker, *, receiver=None):
    ports = {"vhf": ("generic-dsc", modem)}
    if receiver is not None:
        ports["gnss"] = ("generic-gnss", receiver)
    return StationPlan(
        station=STATION,
        ports=tuple(
            PortPlan(name=name, device=at.device, modem=kind, profile=profile_named(kind))
            for name, (kind, at) in ports.items()
        ),
        links=(
            LinkPlan(
                name="local",
                host=LOOPBACK,
                port=broker.port_v311,
                version="3.1.1",
                client_id=f"gw-{STATION}",
            ),
        ),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=RecordPlan(directory=str(folder / "tapes")),
        log=LogPlan(level="critical"),
    )


def on_watch(scene, plan, broker, clock):
    """Run a scene with a station on watch, and a subscriber."""

    async def play():
        inbox = Inbox()
        log = set_up(level="critical", as_json=True)
        service = Service(plan, clock=clock, log=log, dice=random.Random(1))
        with suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as group:
                ears = group.create_task(inbox.listen(broker))
                duty = group.create_task(service.run())
                await service.on_watch.wait()
                await inbox.until(lambda: inbox.is_online, "the station is online")
                await scene(inbox, service)
                duty.cancel()
                with suppress(asyncio.CancelledError):
                    await duty
                ears.cancel()
        return inbox

    return asyncio.run(play())


def stepped(plan, modem, broker, clock, steps):
    """Run a station through these steps, a call after each; return what was told, and when said."""
    said = []

    async def call(inbox):
        said.append(time.monotonic_ns())
        modem.say(mayday(len(said)))
        await inbox.until(lambda: len(inbox.maydays) == len(said), f"call {len(said)}")

    async def scene(inbox, service):
        await call(inbox)
        for what, off_s, state in steps:
            clock.set(off_s, state)
            await call(inbox)
            assert service.status().clock.state is state, what
        await inbox.until(lambda: len(inbox.of("clock/step")) == len(steps), "the last step")
        await asyncio.sleep(0.1)  # an offset follows its step at once

    return on_watch(scene, plan, broker, clock), said


def test_no_step_of_the_clock_loses_misplaces_or_misdates_a_mayday(
    tmp_path, modem, broker, whole, figure
):
    """Told over MQTT, and read from the journal and from the tape: the same true times."""
    steps = STEPS * (10 if whole else 1)
    plan, clock = station_of(tmp_path, modem, broker), HandClock()
    inbox, said = stepped(plan, modem, broker, clock, steps)
    states = [UNSET, *(state for _, _, state in steps)]
    numbers = [record["number"] for record in inbox.maydays]
    true = dict(zip(numbers, map(clock.true_utc, said), strict=True))
    late_s = [
        abs((inbox.dated(record) - true[record["number"]]).total_seconds())
        for record in inbox.maydays
    ]
    dating = dating_of(plan.journal.path)
    noted = [one.clock for one in alarmed_in(plan.journal.path).newest]
    (tape,) = sorted(Path(plan.record.directory).glob("*.tape"))

    assert numbers == sorted(numbers)
    assert [record["report"]["heard"]["clock"] for record in inbox.maydays] == states
    assert max(late_s) <= LATE_S
    assert dating.steps == len(steps)
    assert dating.redated == sum(state is not NTP for state in [*states, *noted])
    assert all(
        abs((one.true_utc - true[one.number]).total_seconds()) <= LATE_S
        for one in dating.newest
        if one.number in true  # not a note that the clock was never set
    )
    assert list(offsets_on(tape)) == inbox.offsets
    assert proof_of(plan.journal.path).holds
    assert any("never set" in alert.get("text", "") for alert in inbox.of("alert/clock"))
    figure("F11", f"{len(steps)} steps: 0 of {len(said)} calls lost or out of order")
    figure("F11", f"dated anew to {max(late_s) * 1e3:.0f} ms of the truth at the worst")


def rmc(utc):
    return sentence(f"GPRMC,{utc:%H%M%S}.00,A,5107.74,N,00119.86,E,0.0,,{utc:%d%m%y},,,A")


@pytest.mark.parametrize("rolled_over", [False, True], ids=["right", "1024 weeks back"])
def test_satellites_date_what_an_unset_clock_can_not_and_never_set_it(
    tmp_path, modem, receiver, broker, rolled_over, figure
):
    clock = HandClock()
    weeks = timedelta(weeks=1024 if rolled_over else 0)

    async def scene(inbox, service):
        modem.say(mayday(1))
        for _ in range(6):
            receiver.say(rmc(clock.true_utc(time.monotonic_ns()) - weeks))
            await asyncio.sleep(0.05)
        await inbox.until(lambda: inbox.maydays, "the call")
        wanted = "wrong" if rolled_over else "good"
        await inbox.until(lambda: service.status().clock.gnss == wanted, "a word on the receiver")
        if not rolled_over:
            await inbox.until(lambda: inbox.offsets, "the offset")
        assert service.status().clock.state is UNSET

    inbox = on_watch(scene, station_of(tmp_path, modem, broker, receiver=receiver), broker, clock)
    (call,) = inbox.maydays
    true = clock.true_utc(call["report"]["heard"]["mono_ns"])
    late_s = (inbox.dated(call) - true).total_seconds()

    assert call["report"]["heard"]["utc"].startswith("1970-01-01")
    if rolled_over:
        assert inbox.dated(call).year == 1970
        assert not inbox.offsets
    else:
        assert abs(late_s) <= LATE_S
        figure("F11", f"1970, satellites alone: dated anew to {abs(late_s):.1f} s of the truth")


# ---- A real process under a false clock ---------------------------------------------------------

PROCESS_STEPS_S = [0, -HOUR_S, 0, WEEKS_1024_S, 0, -1, -DAY_S, 0]

FALSE_CLOCK = """
import mmap, sys, time
with open(sys.argv[1], "rb") as file:
    off = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
real_ns = time.time_ns
time.time_ns = lambda: real_ns() + int.from_bytes(off[:], "little", signed=True)
time.time = lambda: time.time_ns() / 1e9
from gateway.cli import main
sys.exit(main(["run", "--config", sys.argv[2]]))
"""
"""The program with a time of day that stands in a file; one module of the house asks the time.
libfaketime would do it from outside, but stalls a program with threads for seconds."""


def configured(folder, modem, broker):
    path = folder / "gateway.toml"
    path.write_text(
        f"[station]\nname = '{STATION}'\n"
        f"[port.vhf]\ndevice = '{modem.device}'\nmodem = 'generic-dsc'\n"
        f"[link.local]\nhost = '{LOOPBACK}'\nport = {broker.port_v311}\nversion = '3.1.1'\n"
        f"[journal]\npath = '{folder}/journal.db'\n"
    )
    return path


class Process:
    """The real program under a false clock."""

    def __init__(self, folder, config):
        off = folder / "off"
        off.write_bytes(bytes(8))
        with off.open("r+b") as file:
            self._off = mmap.mmap(file.fileno(), 8)
        self.set(-time.time() + 5)
        self.child = subprocess.Popen(
            [sys.executable, "-c", FALSE_CLOCK, str(off), str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def set(self, off_s):
        self._off[:] = int(off_s * S).to_bytes(8, "little", signed=True)

    def stop(self):
        self.child.terminate()
        return self.child.wait(WAIT_S)


async def stepped_about(process, modem, broker, offs_s):
    """Step the process about, a call after each; return what was told, and how the clocks stood."""
    inbox = Inbox()
    said = []
    ears = asyncio.create_task(inbox.listen(broker))

    async def call():
        said.append(time.time_ns() - time.monotonic_ns())
        modem.say(mayday(len(said)))
        await inbox.until(lambda: len(inbox.maydays) == len(said), f"call {len(said)}")

    await inbox.until(lambda: inbox.is_online, "the station is online")
    await call()
    for off_s in offs_s:
        process.set(off_s)
        await call()
    await inbox.until(lambda: inbox.offsets, "the offset")
    ears.cancel()
    with suppress(asyncio.CancelledError):
        await ears
    return inbox, said


def test_a_real_process_that_boots_in_1970_and_is_stepped_about_loses_nothing(
    tmp_path, modem, broker, whole, figure
):
    """Its kernel can't be moved to say NTP, so the first setting by hand is what dates anew."""
    offs_s = PROCESS_STEPS_S * (20 if whole else 1)
    process = Process(tmp_path, configured(tmp_path, modem, broker))
    try:
        inbox, ahead_ns = asyncio.run(stepped_about(process, modem, broker, offs_s))
    finally:
        status = process.stop()
    numbers = [record["number"] for record in inbox.maydays]
    heard = [record["report"]["heard"] for record in inbox.maydays]
    true = [
        EPOCH + timedelta(microseconds=(ahead + one["mono_ns"]) // 1000)
        for one, ahead in zip(heard, ahead_ns, strict=True)
    ]
    first_late_s = abs((inbox.dated(inbox.maydays[0]) - true[0]).total_seconds())
    others_s = [
        abs((datetime.fromisoformat(one["utc"]) - at).total_seconds() - off_s)
        for one, at, off_s in zip(heard[1:], true[1:], offs_s, strict=True)
    ]

    assert status == 0
    assert numbers == sorted(numbers)
    assert heard[0]["utc"].startswith("1970-01-01")
    assert [one["clock"] for one in heard[:2]] == ["unset", "free"]
    assert first_late_s <= LATE_S
    assert max(others_s) <= LATE_S
    assert proof_of(str(tmp_path / "journal.db")).holds
    figure(
        "F11",
        f"real process, {len(offs_s)} steps: 0 of {len(heard)} calls lost; the call of 1970"
        f" dated anew to {first_late_s * 1e3:.0f} ms of the truth",
    )
