"""The watchdog: a sign of life is a sign of progress, of every stage, and never of a timer."""

import asyncio
import contextlib
import os
import random
import socket
import time

import pytest
import structlog

from gateway import pulse as pulses
from gateway.app import Service
from gateway.clock import Clock
from gateway.health.board import Board
from gateway.health.notify import Notify, notify_from
from gateway.health.watchdog import Watchdog
from gateway.model.inbound import Chunk, Moment
from gateway.model.plan import JournalPlan, LinkPlan, LogPlan, PortPlan, StationPlan
from gateway.model.words import ClockState
from gateway.pulse import PULSE_S, Pulse
from gateway.settings import profile_named
from tests.rooms.spoken import without_notes

QUIET = structlog.wrap_logger(structlog.testing.CapturingLogger(), processors=[])


class HandClock(Clock):
    """A clock that a test moves."""

    mono_s = 0.0

    def now(self):
        return Moment(mono_ns=int(self.mono_s * 1e9), utc_ns=None, clock=ClockState.UNSET)


# ---- One pulse ----------------------------------------------------------------------------------


def late(pulse, clock, after_s):
    return pulse.late(clock.now().mono_ns + int(after_s * 1e9))


def test_a_pulse_is_late_when_the_next_beat_does_not_come_within_its_time():
    clock = HandClock()
    pulse = Pulse(clock)
    pulse.beat()

    assert not late(pulse, clock, PULSE_S - 0.1)
    assert late(pulse, clock, PULSE_S + 0.1)
    pulse.beat(30)
    assert not late(pulse, clock, 29)
    assert late(pulse, clock, 31)


def test_who_rests_is_never_late_and_who_is_expected_is():
    clock = HandClock()
    pulse = Pulse(clock)
    assert not late(pulse, clock, 1e6), "not begun yet"
    pulse.beat()
    pulse.rest()
    assert not late(pulse, clock, 1e6)
    pulse.expect()
    assert late(pulse, clock, PULSE_S + 0.1)


def test_being_expected_again_and_again_is_no_progress():
    clock = HandClock()
    pulse = Pulse(clock)
    for clock.mono_s in range(10):
        pulse.expect()

    assert late(pulse, clock, 0)


# ---- What is said -------------------------------------------------------------------------------


@pytest.fixture(params=["a file", "abstract"])
def heard(request, tmp_path):
    """Return the address of a socket like systemd's, and what gives the lines it was told."""
    name = str(tmp_path / "notify") if request.param == "a file" else f"@gw-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name.replace("@", "\0", 1))
        sock.settimeout(0)

        def lines():
            found = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    found.append(sock.recv(4096).decode())
            return found

        yield name, lines


def test_systemd_is_told_in_its_own_words(heard):
    address, lines = heard
    notify = notify_from({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "10000000"})
    notify.ready()
    notify.status("2 of 3 ports open")
    notify.alive()
    notify.stopping()
    notify.close()
    notify.alive()

    assert notify.watchdog_s == 10
    assert lines() == ["READY=1", "STATUS=2 of 3 ports open", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"},
    ],
)
def test_nobody_who_does_not_ask_is_told_that_we_live(heard, watchdog):
    address, lines = heard
    notify = notify_from({"NOTIFY_SOCKET": address, **watchdog})
    notify.alive()
    notify.close()

    assert lines() == []


def test_what_is_said_of_how_it_goes_stays_one_line(heard):
    address, lines = heard
    notify = Notify(address)
    notify.status("ports\nWATCHDOG=1")
    notify.status("x" * 10_000)
    notify.close()

    assert all("\n" not in line and len(line) < 300 for line in lines())


def test_a_manager_that_is_gone_or_does_not_read_costs_nothing_but_a_count(tmp_path):
    gone = Notify(str(tmp_path / "nowhere"), watchdog_s=10)
    gone.alive()
    gone.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "deaf"))
        deaf = Notify(str(tmp_path / "deaf"), watchdog_s=10)
        for _ in range(10_000):
            deaf.alive()
        deaf.close()

    assert gone.failures == 1
    assert deaf.failures > 0


def test_without_a_manager_nothing_is_said():
    notify = notify_from({})
    notify.ready()
    notify.alive()
    notify.close()

    assert notify.failures == 0


# ---- The dog ------------------------------------------------------------------------------------


class Said:
    """A Notify that keeps what it is told."""

    watchdog_s = 10

    def __init__(self):
        self.lives = 0
        self.words = []

    def alive(self):
        self.lives += 1

    def status(self, words):
        self.words.append(words)


def test_one_late_stage_ends_the_signs_of_life_and_is_named_at_the_second_look():
    clock, said, stuck = HandClock(), Said(), []
    board = Board([], clock=clock, log=QUIET)
    dog = Watchdog(
        lambda _: stuck, lambda: "well", notify=said, board=board, clock=clock, log=QUIET
    )
    dog.look()
    stuck.append("port vhf")
    dog.look()
    assert said.lives == 1
    assert not board.standing
    dog.look()
    assert said.lives == 1
    assert "port vhf" in board.standing["stuck"].text
    stuck.clear()
    dog.look()

    assert said.lives == 2
    assert not board.standing
    assert said.words == ["well", "stuck: port vhf", "well"]


# ---- Every stage of the real watch --------------------------------------------------------------


class StoppingClock(Clock):
    """A clock on which the tasks of these names sleep for ever."""

    def __init__(self):
        self.stopped = set()

    async def sleep(self, seconds):
        if asyncio.current_task().get_name() in self.stopped:
            await asyncio.Event().wait()
        await super().sleep(seconds)


def plan_in(folder):
    return StationPlan(
        station="stuck",
        ports=(
            PortPlan(
                name="vhf",
                device=str(folder / "no-modem"),
                modem="generic-dsc",
                profile=profile_named("generic-dsc"),
            ),
        ),
        links=(LinkPlan(name="local", host="127.0.0.1", port=1, client_id="gw-stuck"),),
        journal=JournalPlan(path=str(folder / "journal.db")),
        record=None,
        log=LogPlan(),
    )


async def sleep(service, stage):
    service._clock.stopped.add(stage)


SAID = {
    "tell urgent": b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n",
    "tell routine": b"$CDXYZ,1*41\r\n",
}


async def stop_the_teller(service, stage):
    """It takes what it was handed, one at a time, and never anything again."""
    watch = service._watch
    heard = Chunk("vhf", Clock().now(), SAID[stage])
    waiting = {"tell urgent": watch._teller._urgent, "tell routine": watch._teller._routine}[stage]
    waiting.queue.get = asyncio.Event().wait
    for _ in range(2):
        watch._teller.keep(without_notes(watch._pipeline.inbound(heard)))
        await asyncio.sleep(0.1)


async def stop_a_pump(service, _stage):
    async def for_ever(until, _limit_s):
        until.close()
        await asyncio.Event().wait()

    service._watch._links[0]._distress._wait = for_ever


async def end_the_thread(service, _stage):
    service._watch._journal._journal._writer._inbox.put(None)


STAGES = {
    "tick": sleep,
    "status": sleep,
    "alarms": sleep,
    "port vhf": sleep,
    "tell urgent": stop_the_teller,
    "tell routine": stop_the_teller,
    "link local: distress pump": stop_a_pump,
    "journal": end_the_thread,
}


@pytest.mark.parametrize("stage", STAGES)
def test_each_single_stage_that_stands_still_is_found(stage, tmp_path, monkeypatch):
    """With nothing plugged in and no broker there: waiting for them is no standing still."""
    monkeypatch.setattr(pulses.Pulse.beat, "__defaults__", (0.4,))
    monkeypatch.setattr("gateway.mqtt.outbox.LINK_S", 0.2)
    monkeypatch.setattr("gateway.mqtt.alarms.LOOK_S", 0.2)
    monkeypatch.setattr("gateway.app.watch.TICK_S", 0.2)
    clock = StoppingClock()

    async def story():
        service = Service(plan_in(tmp_path), clock=clock, log=QUIET, dice=random.Random(1))
        running = asyncio.create_task(service.run())
        await service.on_watch.wait()
        found = set()
        for stop_at in (0.6, None):
            began = time.monotonic()
            while time.monotonic() - began < (stop_at or 5) and not found:
                found.update(service._watch.late(clock.now().mono_ns))
                await asyncio.sleep(0.02)
            if stop_at:
                assert not found, "waiting is no standing still"
                await STAGES[stage](service, stage)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        return found

    assert asyncio.run(story()) == {stage}
