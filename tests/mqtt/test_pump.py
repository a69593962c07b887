"""From the outbox to the broker after a fault of ours: nothing is held up, or left standing."""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from gateway.mqtt import early, outbox, rounds


def numbers(at):
    return [
        msgspec.json.decode(outgoing.payload)["number"]
        for outgoing in at.urgent.signed
        if "/report/" in outgoing.topic
    ]


def test_what_was_being_struck_out_when_its_duty_ended_is_struck_out_by_the_next(rig, make):
    async def scene(at):
        strike, begun = at.outbox.strike, asyncio.Event()

        async def hanging(_link, _numbers):
            begun.set()
            await asyncio.Event().wait()

        at.outbox.strike = hanging
        at.up()
        at.heard(make.mayday(1))
        await begun.wait()
        at.outbox.strike = strike
        again = asyncio.create_task(at.link._distress._signed.run())
        await make.settled()
        again.cancel()

    assert rig(scene).outbox.struck == [1]


def test_an_entry_that_nobody_was_told_of_is_found_however_busy_the_lane_beside_it_is(rig, make):
    async def scene(at):
        at.up()
        at.heard(make.safety(1))
        await make.until(lambda: numbers(at) == [1])
        at.outbox.add(make.refused(2))
        for number in range(3, 60):
            at.heard(replace(make.safety(number), follows=1 if number == 3 else number - 1))
            at.clock.passed_s += 2 * outbox.UNREAD_S / 50
            await make.until(lambda number=number: numbers(at)[-1] == number)

    assert "refused/dsc1" in rig(scene).topics()


def calls_of(make, *ports):
    """Return the calls of these ports, so many of each, one port after the other."""
    names = [name for name, count in ports for _ in range(count)]
    heard = make.report_of().heard
    return [make.mayday(n, heard=replace(heard, port=name)) for n, name in enumerate(names, 1)]


@pytest.mark.parametrize("receipts", ["puback", "rcc"])
@pytest.mark.parametrize("flood", range(90, 100))
def test_a_batch_that_went_out_of_turn_goes_once_and_again_with_the_rest_if_at_all(
    rig, make, flood, receipts
):
    """Wherever batches end among the last calls, and however slow the disk is to strike out."""
    calls = calls_of(make, ("loud", flood), ("a", early.PORT_MAX), ("b", 4))
    everyone = [call.number for call in calls]
    again = everyone if receipts == "rcc" else []

    async def scene(at):
        strike, done = at.outbox.strike, asyncio.Event()

        async def slow(link, struck):
            await done.wait()
            await strike(link, struck)

        at.outbox.strike = slow
        at.heard(*calls)
        at.up()
        await make.until(lambda: len(numbers(at)) >= len(everyone))
        await make.settled()
        done.set()
        await make.settled()
        at.first = numbers(at)
        at.clock.passed_s += rounds.RESEND_S
        await make.until(lambda: len(numbers(at)) >= len(everyone + again))
        await make.settled()

    at = rig(scene, receipts=receipts)

    assert max(map(at.first.index, everyone[-4:])) < at.first.index(flood)
    assert sorted(at.first) == everyone
    assert sorted(numbers(at)[len(everyone) :]) == again


def test_a_batch_of_which_some_can_not_be_read_is_not_the_end_of_the_outbox(rig, make):
    """On a disk that can't set damaged rows aside."""

    async def scene(at):
        pending = at.outbox.pending

        async def without_one(link, lanes, *, limit, after=None):
            rows = await pending(link, lanes, limit=limit, after=after)
            return tuple(row for row in rows if row.number != 3)

        at.outbox.pending = without_one
        at.outbox.add(*(make.mayday(number) for number in range(1, 16)))
        at.up()
        await make.until(lambda: len(numbers(at)) == 14)

    rig(scene)


def test_a_fault_of_ours_with_one_entry_holds_no_other_up_and_has_none_told_twice(rig, make):
    async def scene(at):
        write = at.link._distress._write

        def faulty(entry, again):
            if entry.number == 2:
                raise KeyError(entry.number)
            return write(entry, again)

        at.link._distress._write = faulty
        at.up()
        at.heard(*(make.mayday(number) for number in range(1, 20)))
        await make.until(lambda: len(at.outbox.entries) == 1)
        await make.settled()
        assert sorted(numbers(at)) == [1, *range(3, 20)]
        assert at.link.state().unwritable == 1

    rig(scene)


def test_a_fault_of_ours_with_one_unjournaled_entry_holds_no_other_up(rig, make):
    async def scene(at):
        write = at.link._memory._write
        first = make.mayday(1)

        def faulty(entry, waited):
            if entry is first:
                message = "a fault of ours"
                raise KeyError(message)
            return write(entry, waited)

        at.link._memory._write = faulty
        at.up()
        at.link.tell_unjournaled(first)
        at.link.tell_unjournaled(make.mayday(2))
        await make.until(lambda: numbers(at) == [2])
        assert at.link.state().unjournaled_waiting == 1

    rig(scene)
