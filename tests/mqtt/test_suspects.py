"""A publication that the broker hangs up on, whatever it is, holds nobody up but itself."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import msgspec
import pytest

from gateway.mqtt import aside, link, outbox, rounds, states
from gateway.mqtt.payload import Record
from gateway.mqtt.suspects import LOSSES_MAX, SUSPECTS_MAX, Suspects

POISON = 3


def number_of(outgoing):
    if "/report/" not in outgoing.topic:
        return None
    return msgspec.json.decode(outgoing.payload, type=Record).number


def numbers(at):
    return [number for number in map(number_of, at.urgent.signed) if number is not None]


@contextlib.asynccontextmanager
async def reconnecting(at, *, hang_up):
    """Put the link up again whenever it is down; give how often that was."""
    at.urgent.hang_up = hang_up
    ups = []

    async def watch():
        while True:
            if not at.urgent.connected:
                ups.append(1)
                at.up()
            await asyncio.sleep(0.005)

    task = asyncio.create_task(watch())
    try:
        yield ups
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("receipts", ["puback", "rcc"])
def test_an_entry_that_the_broker_hangs_up_on_is_set_aside_as_poison(rig, make, receipts):
    """Each of its tries costs a connection; the others are told on the first few already."""
    fresh = itertools.count(100)

    async def scene(at):
        at.heard(*[make.mayday(number) for number in range(1, 31)])
        async with reconnecting(at, hang_up=lambda o: number_of(o) == POISON) as ups:
            await make.until(lambda: set(numbers(at)) == set(range(1, 31)) - {POISON})
            assert len(ups) <= 2 + aside.POISON_TRIES
            for _ in range(aside.POISON_TRIES):
                at.clock.passed_s += aside.RETRY_S + 120
                await make.settled()
                at.heard(make.mayday(next(fresh)))
                await make.settled()
            await make.until(lambda: at.link.state().poison == (POISON,), limit_s=4)
            await make.settled()
            before, number = len(ups), next(fresh)
            at.heard(make.mayday(number))
            await make.until(lambda: number in numbers(at))
            await make.settled()
            assert len(ups) == before
            at.urgent.hang_up = lambda _outgoing: False
            at.clock.passed_s += aside.HUNG_UP_S
            for bus in at.buses.values():
                bus.down()
            await make.until(lambda: POISON in numbers(at), limit_s=4)
            assert at.link.state().poison == ()

    rig(scene, receipts=receipts)


def test_entries_under_way_when_lines_break_are_told_soon_after(rig, make):
    """A broker that hangs up on every report, and on nothing else, until it is mended."""
    everyone = set(range(1, 11))

    async def scene(at):
        at.heard(*[make.mayday(number) for number in everyone])
        async with reconnecting(at, hang_up=lambda o: number_of(o) is not None) as ups:
            while len(at.link.state().poison) < 2:
                at.clock.passed_s += 5
                await asyncio.sleep(0.01)
            assert len(ups) >= 2 * aside.POISON_TRIES
            at.urgent.hang_up = lambda _outgoing: False
            mended_s = at.clock.passed_s
            while set(numbers(at)) != everyone:
                at.clock.passed_s += 5
                await asyncio.sleep(0.01)
            assert at.clock.passed_s - mended_s <= 2 * rounds.RESEND_S
            assert at.link.state().poison == ()

    rig(scene)


def test_a_line_that_takes_nothing_at_all_proves_nothing_against_an_entry(rig, make):
    async def scene(at):
        at.heard(make.mayday(1))
        async with reconnecting(at, hang_up=lambda _: True) as ups:
            await make.until(lambda: len(ups) > 8, limit_s=4)
            assert at.link.state().poison == ()
            at.urgent.hang_up = lambda _outgoing: False
            await make.until(lambda: numbers(at) == [1])

    rig(scene)


def test_a_line_that_stands_and_takes_nothing_proves_nothing_either(rig, make, monkeypatch):
    """What is told alone waits for the line to prove itself, and then goes all the same."""
    monkeypatch.setattr(outbox, "PROOF_S", 0.001)

    async def scene(at):
        at.heard(make.mayday(1))
        async with reconnecting(at, hang_up=lambda o: number_of(o) == 1) as ups:
            await make.until(lambda: len(ups) == LOSSES_MAX + 1)
            at.urgent.hang_up = lambda _outgoing: False
            for _ in range(4):
                at.urgent.down()
                at.urgent.open.clear()
                await make.until(lambda: at.urgent.connected and at.urgent.waiting == 2)
            assert at.link.state().poison == ()
            at.urgent.open.set()
            await make.until(lambda: numbers(at) == [1])

    rig(scene)


def test_a_suspect_that_comes_through_brings_the_others_and_none_that_was_refused(rig, make):
    async def scene(at):
        pump = at.link._distress
        at.urgent.refuse = lambda o: number_of(o) == 2
        at.heard(make.mayday(1), make.mayday(2))
        async with reconnecting(at, hang_up=lambda o: number_of(o) == 1):
            await make.until(lambda: pump._aside._troubles.keys() == {1, 2})
            await make.until(lambda: at.urgent.connected)
            at.urgent.hang_up = lambda _outgoing: False
            await make.settled()
            refused = at.link.state().refused
            assert numbers(at) == []
            for _ in range(LOSSES_MAX):
                pump._suspects.lost(3)
            at.heard(make.mayday(3))
            await make.until(lambda: numbers(at) == [3, 1])
            await make.settled()
            assert at.link.state().refused == refused

    rig(scene)


@pytest.mark.parametrize("others", [(), (4, 5)], ids=["alone", "with others"])
def test_what_is_pardoned_goes_alone_and_has_nothing_told_again(rig, make, others):
    """Those told on this connection have their whole pause, and so has the one pardoned."""

    async def scene(at):
        pump = at.link._distress
        at.heard(make.mayday(1))
        async with reconnecting(at, hang_up=lambda o: number_of(o) == 1):
            await make.until(lambda: 1 in pump._aside._troubles and at.urgent.connected)
            at.urgent.hang_up = lambda _outgoing: False
            at.heard(make.mayday(2), make.mayday(3))
            await make.until(lambda: numbers(at) == [2, 3])
            for _ in range(LOSSES_MAX):
                pump._suspects.lost(6)
            at.heard(*map(make.mayday, (*others, 6)))
            first = [2, 3, *others, 6, 1]
            await make.until(lambda: numbers(at) == first)
            at.clock.passed_s += aside.RETRY_S - 0.5
            await make.settled()
            assert numbers(at) == first
            at.clock.passed_s += 0.5
            await make.until(lambda: sorted(numbers(at)[len(first) :]) == sorted(first))
            at.urgent.down()
            await make.until(lambda: sorted(numbers(at)[2 * len(first) :]) == sorted(first))

    rig(scene, receipts="rcc")


def test_what_is_pardoned_before_its_turn_has_come_goes_in_its_turn(rig, make):
    everyone = list(range(1, 3 * link.DISTRESS_WIDTH))
    late = 2 * link.DISTRESS_WIDTH + 1

    async def scene(at):
        pump = at.link._distress
        pump._aside.put(late, at.clock.now().mono_ns)
        for number in (2, late):
            for _ in range(LOSSES_MAX):
                pump._suspects.lost(number)
        at.heard(*map(make.mayday, everyone))
        async with reconnecting(at, hang_up=lambda _outgoing: False):
            await make.until(lambda: sorted(numbers(at)) == everyone)
            await make.settled()
            assert sorted(numbers(at)) == everyone

    rig(scene, receipts="rcc")


def test_what_was_told_out_of_turn_is_told_at_once_on_the_next_connection(rig, make):
    async def scene(at):
        pump = at.link._distress
        for _ in range(LOSSES_MAX):
            pump._suspects.lost(1)
        at.heard(make.mayday(1))
        async with reconnecting(at, hang_up=lambda _outgoing: False):
            await make.until(lambda: numbers(at) == [1])
            at.urgent.down()
            await make.until(lambda: numbers(at) == [1, 1])

    rig(scene, receipts="rcc")


def test_what_is_signed_for_before_its_pardon_is_looked_for_in_vain(rig, make):
    async def scene(at):
        pump = at.link._distress
        pump._aside.put(1, 0)
        pump._suspects.lost(1)
        pump._suspects.lost(1)
        pump._suspects.lost(2)
        pump._suspects.lost(2)
        at.heard(make.mayday(2))
        async with reconnecting(at, hang_up=lambda _outgoing: False):
            await make.until(lambda: numbers(at) == [2])
            await make.settled()
        assert pump._aside.pardoned(9) == []
        assert numbers(at) == [2]

    rig(scene)


def test_a_state_that_the_broker_hangs_up_on_holds_no_distress_up(rig, make):
    """Even the first word of each connection, that we are here."""

    async def scene(at):
        at.heard(make.mayday(1))
        async with reconnecting(at, hang_up=lambda o: o.topic.endswith("/status")) as ups:
            await make.until(lambda: numbers(at) == [1], limit_s=4)
            at.heard(make.mayday(2))
            await make.until(lambda: numbers(at) == [1, 2], limit_s=4)
            await make.until(lambda: at.link.state().refused > 0, limit_s=4)
            await make.settled()
            before = len(ups)
            at.heard(make.mayday(3))
            at.link.retain("alert/x", None)
            await make.until(lambda: numbers(at) == [1, 2, 3])
            await make.settled()
            assert len(ups) == before
            at.urgent.hang_up = lambda _outgoing: False
            at.clock.passed_s += states.ASIDE_S
            at.link.retain("alert/x", None)
            await make.until(lambda: at.urgent.signed[-1].topic.endswith("/status"))

    rig(scene)


def test_a_state_is_told_soon_after_a_broker_that_was_ill_and_ever_more_rarely(rig, make):
    async def scene(at):
        at.link.retain("port/a", at.link.state())
        async with reconnecting(at, hang_up=lambda o: o.topic.endswith("/status")):
            pauses = []
            for count in range(1, 8):
                await make.until(lambda count=count: at.link.state().refused == count, limit_s=4)
                due_ns = next(iter(at.link._states._due_ns.values()))
                pauses.append((due_ns - at.clock.now().mono_ns) / 1e9)
                at.clock.passed_s += pauses[-1]
                at.link.retain("port/a", at.link.state())
            assert pauses == [15, 30, 60, 120, 240, 300, 300]

    rig(scene)


def test_an_unjournaled_entry_that_the_broker_hangs_up_on_lets_the_next_pass(rig, make):
    def bad(outgoing):
        return b'"report_id":"' + b"0" * 31 + b'1"' in outgoing.payload

    async def scene(at):
        for number in (1, 2, 3):
            at.link.tell_unjournaled(make.entry_of(make.mayday(number).item, 0))
        async with reconnecting(at, hang_up=bad):
            await make.until(lambda: at.link.state().unjournaled_told == 2, limit_s=4)
            assert at.link.state().unjournaled_waiting == 1
            at.urgent.hang_up = lambda _outgoing: False
            at.clock.passed_s += 15
            await make.until(lambda: at.link.state().unjournaled_told == 3)

    rig(scene)


def test_what_comes_through_is_suspect_no_more_and_memory_is_bounded():
    suspects = Suspects()
    for name in range(2 * SUSPECTS_MAX):
        assert suspects.lost(name) == 1
    assert not any(suspects.alone(name) for name in range(2 * SUSPECTS_MAX))
    assert [suspects.lost(0) for _ in range(LOSSES_MAX)][-1] == 1 + LOSSES_MAX
    assert suspects.alone(0)
    suspects.cleared(0)
    suspects.cleared(0)
    assert not suspects.alone(0)
    assert suspects.lost(2 * SUSPECTS_MAX) == 1
