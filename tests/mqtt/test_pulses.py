"""Each duty of a link shows that it lives: who stands still is late, who has to wait is not."""

from __future__ import annotations

import asyncio

import pytest

from gateway.model.plan import TlsPlan
from gateway.mqtt import memory, outbox, receipts, requests, states
from gateway.mqtt.limits import SIGNED_S_MAX
from gateway.pulse import PULSE_S

SETTINGS = {"receipts": "rcc", "tls": TlsPlan(), "commands": True}

PASSIVE = {
    "distress connection": "its canary ends it, and alert/link says that it is down",
    "routine connection": "as above",
    "receipts connection": "as above",
    "requests connection": "as above",
    "commands connection": "as above",
    "again": "it has a move with a new connection alone, and looks at once",
    "birth": "as above",
    "places": "it goes on between two calls that never wait",
}
"""Duties that have no pulse, each with the reason."""

LONG_S = SIGNED_S_MAX + 2 * PULSE_S
"""Whoever makes a step within it is late at no time."""


@pytest.fixture(autouse=True)
def _brisk(monkeypatch):
    """Have those that wait in pieces look again soon: the clock of these tests is moved by hand."""
    monkeypatch.setattr(memory, "LOOK_S", 0.005)
    monkeypatch.setattr(memory, "IDLE_S", 0.005)
    for module in (memory, states, outbox):
        monkeypatch.setattr(module, "LINK_S", 0.005)
    monkeypatch.setattr(outbox, "UNREAD_S", 0.025)


async def late_after(at, seconds):
    """Return who is late when so much time has gone by, and everybody has had a turn."""
    at.clock.passed_s += seconds
    await asyncio.sleep(0.1)
    now_ns = at.clock.now().mono_ns
    return {name for name, pulse in at.link.pulses() if pulse.late(now_ns)}


async def stop(duty):
    """Let a duty never go on, as one that waits for what can't come; return when it stands."""
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == f"local: {duty}"]
    task.cancel()
    await asyncio.wait([task])  # tasks of its own may make a last step before


def test_every_duty_of_a_link_has_a_pulse_or_a_reason(rig):
    async def scene(at):
        duties = dict(at.link._duties())
        for duty in duties.values():
            duty.close()
        assert duties.keys() == {name for name, _ in at.link.pulses()} | PASSIVE.keys()

    rig(scene, **SETTINGS)


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
def test_nobody_is_late_on_a_link_on_which_nothing_happens(rig, up):
    async def scene(at):
        if up:
            at.up()
        assert await late_after(at, LONG_S) == set()
        assert await late_after(at, LONG_S) == set()

    rig(scene, **SETTINGS)


@pytest.mark.parametrize("up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize(
    "duty", ["distress pump", "urgent pump", "beat", "unjournaled", "states", "certificates"]
)
def test_a_duty_that_stands_still_is_late_and_nobody_else(rig, duty, up):
    async def scene(at):
        if up:
            at.up()
        assert await late_after(at, LONG_S) == set()
        await stop(duty)
        assert await late_after(at, LONG_S) == {duty}

    rig(scene, **SETTINGS)


def test_who_waits_for_a_consumer_or_for_the_disk_is_not_late(rig, make):
    async def scene(at):
        async def hangs(*_args, **_doors):
            at.asked += 1
            await asyncio.Event().wait()

        at.asked = 0
        at.up()
        at.outbox.number_last = 9
        await make.settled()
        assert await late_after(at, LONG_S) == set()
        at.outbox.pending = at.outbox.strike = at.outbox.entries = hangs
        at.sign(1)
        at.ask(1, 9)
        await make.until(lambda: at.asked > 1)
        assert await late_after(at, LONG_S) == set()

    rig(scene, **SETTINGS)


@pytest.mark.parametrize("duty", ["receipts", "requests"])
def test_who_has_been_asked_and_stands_still_is_late(rig, make, monkeypatch, duty):
    """Each is stopped in the pause that it makes for others, out of which it has to come itself."""
    monkeypatch.setattr(receipts, "ERROR_PAUSE_S", 100.0)
    monkeypatch.setattr(requests, "PAUSE_S", 100.0)

    async def scene(at):
        sleep = at.clock.sleep

        async def never_over(seconds):
            if seconds == 100.0:
                at.stands = True
                await asyncio.Event().wait()
            await sleep(seconds)

        async def fails(*_args):
            message = "disk I/O error"
            raise OSError(message)

        at.stands = False
        at.clock.sleep = never_over
        at.up()
        at.heard(make.mayday(1))
        await make.until(lambda: at.link.state().unsigned == 1)
        if duty == "receipts":
            at.outbox.strike = fails
            at.sign(1)
        else:
            at.ask(1, 1)
        await make.until(lambda: at.stands)
        assert duty in await late_after(at, PULSE_S + 1)

    rig(scene, **SETTINGS)


@pytest.mark.parametrize("duty", ["unjournaled", "states", "requests"])
def test_a_broker_that_takes_its_time_to_sign_makes_nobody_late_but_not_for_ever(rig, make, duty):
    async def scene(at):
        at.up()
        await make.settled()
        for bus in at.buses.values():
            bus.open.clear()
        if duty == "unjournaled":
            at.link.tell_unjournaled(make.mayday(0))
        elif duty == "states":
            at.link.retain("alert/x", None)
        else:
            at.ask(5, 1)
        await make.until(lambda: sum(bus.waiting for bus in at.buses.values()) == 1)
        assert duty not in await late_after(at, SIGNED_S_MAX)
        assert duty in await late_after(at, 2 * PULSE_S)

    rig(scene, **SETTINGS)
