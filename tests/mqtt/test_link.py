"""One link on a bus without a network: what goes out, in which order, and what is kept."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest
from msgspec.structs import replace

from gateway.model.entry import Lane
from gateway.model.place import Identity
from gateway.model.words import Kind, Mode, Relation, Urgency
from gateway.mqtt import (
    aside,
    downs,
    late,
    memory,
    outbox,
    positions,
    routine,
    states,
    striking,
)
from gateway.mqtt import link as link_module
from gateway.mqtt.limits import WINDOW_MAX
from gateway.mqtt.payload import Record
from gateway.mqtt.positions import Positions

STATUS = "distress/v1/alpha/status"


def numbers(outgoings):
    """Return the numbers of the entries among these, in order."""
    return [
        msgspec.json.decode(o.payload)["number"]
        for o in outgoings
        if "/report/" in o.topic or "/refused/" in o.topic
    ]


def held(at):
    """Return how much waits in each place of the link, most of the two pumps."""
    found = {}
    for bound in at.link.bounds():
        found[bound.what] = max(bound.held, found.get(bound.what, 0))
    return found


def record(outgoing):
    return msgspec.json.decode(outgoing.payload, type=Record)


# -- the outbox --------------------------------------------------------------------------------


def test_what_is_told_is_published_and_struck_out(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.heard(make.mayday(1), make.safety(2), make.refused(3))
        await make.until(lambda: not at.outbox.entries)

    at = rig(scene)

    assert sorted(numbers(at.urgent.signed)) == [1, 2, 3]
    assert sorted(at.outbox.struck) == [1, 2, 3]
    assert all(o.qos == 1 for o in at.urgent.signed)
    assert (at.link.state().published, at.link.state().refused) == (3, 0)


def test_what_was_pending_before_the_start_is_published_untold(rig, make):
    async def scene(at):
        at.outbox.add(make.mayday(1))
        at.up()
        await make.until(lambda: at.outbox.struck)

    assert rig(scene).outbox.struck == [1]


def test_after_an_outage_every_distress_goes_before_anything_else(rig, make):
    async def scene(at):
        at.heard(*(make.safety(n) for n in range(1, 101)))
        at.heard(*(make.mayday(n) for n in range(101, 151)))
        await make.settled()
        assert not at.urgent.signed
        at.up()
        await make.until(lambda: not at.outbox.entries)

    at = rig(scene)
    order = numbers(at.urgent.signed)

    assert order[:50] == list(range(101, 151))
    assert order[50:] == list(range(1, 101))
    assert len(at.outbox.struck) == len(set(at.outbox.struck)) == 150


def test_nothing_is_struck_out_before_the_broker_has_signed(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.heard(make.mayday(1))
        await make.settled()
        assert at.urgent.waiting == 1
        assert not at.outbox.struck
        at.urgent.open.set()
        await make.until(lambda: at.outbox.struck)

    assert rig(scene).outbox.struck == [1]


def test_a_distress_does_not_wait_for_a_safety_that_hangs(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.heard(*(make.safety(n) for n in range(1, 50)))
        await make.until(lambda: at.urgent.waiting == link_module.URGENT_WIDTH)
        at.heard(make.mayday(100))
        await make.until(lambda: at.urgent.waiting == link_module.URGENT_WIDTH + 1)

    at = rig(scene)

    assert at.urgent.waiting_most == link_module.URGENT_WIDTH + 1


def test_a_link_lost_in_flight_sends_all_again(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.heard(*(make.mayday(n) for n in range(1, 31)))
        await make.until(lambda: at.urgent.waiting == link_module.DISTRESS_WIDTH)
        at.urgent.down()
        await make.settled()
        assert not at.outbox.struck
        at.urgent.up()
        await make.until(lambda: not at.outbox.entries)

    assert numbers(rig(scene).urgent.signed) == list(range(1, 31))


def test_a_refused_entry_is_counted_kept_and_stands_in_nobodys_way(rig, make):
    async def scene(at):
        at.urgent.refuse = lambda o: 3 in numbers([o])
        at.up()
        await make.settled()
        at.heard(*(make.mayday(n) for n in range(1, 31)))
        await make.until(lambda: len(at.outbox.entries) == 1)
        await make.settled()
        assert at.link.state().refused == 1
        assert 3 in at.outbox.entries
        at.urgent.refuse = lambda _: False
        at.clock.passed_s += aside.RETRY_S + 1
        at.heard(make.mayday(31))
        await make.until(lambda: not at.outbox.entries)

    at = rig(scene)

    assert at.link.state().refused == 1
    assert sorted(numbers(at.urgent.signed)) == list(range(1, 32))


def test_a_broker_that_refuses_everything_is_not_hammered(rig, make, monkeypatch):
    monkeypatch.setattr(aside, "NUMBERS_MAX", 40)

    async def scene(at):
        at.urgent.refuse = lambda o: bool(numbers([o]))
        at.up()
        at.heard(*(make.mayday(n) for n in range(1, 101)))
        await make.until(lambda: at.link.state().refused == 100)
        await make.settled()

    at = rig(scene)

    assert at.link.state().refused == 100
    assert len(at.outbox.entries) == 100
    assert max(at.outbox.limits) <= link_module.DISTRESS_WIDTH
    assert {"set_aside": 40}.items() <= held(at).items()


def test_a_failing_disk_stops_no_pump(rig, make):
    async def scene(at):
        at.outbox.failing = 5
        at.up()
        at.heard(make.mayday(1), make.safety(2))
        await make.until(lambda: not at.outbox.entries)

    at = rig(scene)

    assert at.link.state().outbox_errors == 5
    assert sorted(numbers(at.urgent.signed)) == [1, 2]


def test_a_disk_that_can_not_strike_out_makes_no_storm_of_copies(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        strike = at.outbox.strike
        left = [7]

        async def failing(link, struck):
            if left[0]:
                left[0] -= 1
                message = "disk I/O error"
                raise OSError(message)
            await strike(link, struck)

        at.outbox.strike = failing
        at.heard(*(make.mayday(n) for n in range(1, 6)))
        await make.until(lambda: not at.outbox.entries)

    assert numbers(rig(scene).urgent.signed) == [1, 2, 3, 4, 5]


def test_a_disk_that_hangs_while_it_strikes_out_holds_no_call_up(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        strike, free = at.outbox.strike, asyncio.Event()

        async def hanging(link, struck):
            await free.wait()
            await strike(link, struck)

        at.outbox.strike = hanging
        at.heard(*(make.mayday(n) for n in range(1, 41)))
        await make.until(lambda: len(at.urgent.signed) >= 40)
        assert len(at.outbox.entries) == 40
        assert held(at)["signed_unstruck"] == 40
        free.set()
        await make.until(lambda: not at.outbox.entries)
        await make.until(lambda: not held(at)["signed_unstruck"])

    assert numbers(rig(scene).urgent.signed) == list(range(1, 41))


def test_what_has_just_been_journaled_is_not_read_back(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.heard(make.mayday(1))
        await make.until(lambda: not at.outbox.entries)
        await make.settled()
        asked = len(at.outbox.limits)
        for number in range(2, 30):
            at.heard(replace(make.mayday(number), follows=number - 1))
        await make.until(lambda: not at.outbox.entries)
        assert len(at.outbox.limits) == asked

    assert numbers(rig(scene).urgent.signed) == list(range(1, 30))


def test_a_lane_waits_when_too_much_is_signed_for_and_not_struck_out(rig, make, monkeypatch):
    monkeypatch.setattr(striking, "UNSTRUCK_MAX", WINDOW_MAX)

    async def scene(at):
        at.up()
        await make.settled()
        strike, failing = at.outbox.strike, asyncio.Event()

        async def hanging(link, struck):
            if not failing.is_set():
                message = "disk I/O error"
                raise OSError(message)
            await strike(link, struck)

        at.outbox.strike = hanging
        at.heard(*(make.mayday(n) for n in range(1, 31)))
        await make.until(lambda: at.link.state().outbox_errors > 5)
        assert numbers(at.urgent.signed) == list(range(1, link_module.DISTRESS_WIDTH + 1))
        failing.set()
        await make.until(lambda: not at.outbox.entries)

    assert numbers(rig(scene).urgent.signed) == list(range(1, 31))


def test_an_entry_that_can_not_be_written_is_set_aside_and_counted(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        broken = msgspec.structs.replace(make.mayday(1), body=b"\xc1")
        at.heard(broken, make.mayday(2))
        await make.until(lambda: 2 in at.outbox.struck)

    at = rig(scene)

    assert at.link.state().unwritable == 1
    assert 1 in at.outbox.entries


def test_a_wake_up_that_is_lost_delays_nothing_for_ever(rig, make, monkeypatch):
    monkeypatch.setattr(outbox, "UNREAD_S", 0.05)

    async def scene(at):
        at.up()
        await make.settled()
        at.outbox.add(make.mayday(1))
        await make.until(lambda: at.outbox.struck)

    assert rig(scene).outbox.struck == [1]


def test_a_flood_of_distress_does_not_stop_safety_for_ever(rig, make, monkeypatch):
    monkeypatch.setattr(outbox, "GIVE_WAY_S_MAX", 0.01)

    async def scene(at):
        at.up()
        await make.settled()
        at.heard(make.safety(1))
        number = 1
        while 1 not in at.outbox.struck:
            at.heard(*(make.mayday(number + n) for n in range(1, 21)))
            number += 20
            await asyncio.sleep(0)

    assert 1 in rig(scene).outbox.struck


@pytest.mark.parametrize(
    ("down_first", "late"), [(False, [False]), (True, [True])], ids=["link up", "link down"]
)
def test_what_waited_for_the_link_says_that_it_is_late(rig, make, down_first, late):
    async def scene(at):
        if down_first:
            at.heard(make.mayday(1))
            await make.settled()
            at.up()
        else:
            at.up()
            await make.settled()
            at.heard(make.mayday(1))
        await make.until(lambda: at.outbox.struck)

    at = rig(scene)

    assert [record(o).late for o in at.urgent.signed if numbers([o])] == late


def test_after_a_second_outage_only_what_waited_is_late(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.heard(make.mayday(1))
        await make.until(lambda: 1 in at.outbox.struck)
        at.urgent.down()
        at.heard(make.mayday(2))
        await make.settled()
        at.urgent.up()
        await make.until(lambda: 2 in at.outbox.struck)
        at.heard(make.mayday(3))
        await make.until(lambda: 3 in at.outbox.struck)

    told = [record(o) for o in rig(scene).urgent.signed if numbers([o])]

    assert [(r.number, r.late) for r in told] == [(1, False), (2, True), (3, False)]


# -- what the disk could not take --------------------------------------------------------------


def test_what_the_disk_could_not_take_is_told_and_says_so(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.link.tell_unjournaled(msgspec.structs.replace(make.safety(0), journaled_utc_ns=None))
        at.link.tell_unjournaled(msgspec.structs.replace(make.mayday(0), journaled_utc_ns=None))
        await make.until(lambda: at.link.state().unjournaled_told == 2)

    told = [record(o) for o in rig(scene).urgent.signed if numbers([o])]

    assert [r.report.urgency for r in told] == [Urgency.DISTRESS, Urgency.SAFETY]
    assert {(r.number, r.journaled, r.late) for r in told} == {(0, False, False)}


def test_unjournaled_entries_wait_for_the_link_and_are_late(rig, make):
    async def scene(at):
        at.link.tell_unjournaled(make.mayday(0))
        await make.settled()
        assert at.link.state().unjournaled_waiting == 1
        at.up()
        await make.until(lambda: at.link.state().unjournaled_told == 1)

    told = [record(o) for o in rig(scene).urgent.signed if numbers([o])]

    assert [(r.journaled, r.late) for r in told] == [(False, True)]


def test_what_is_journaled_afterwards_is_told_again_as_late_and_with_its_number(rig, make):
    """What was still untold goes out once only, from the outbox."""

    async def scene(at):
        at.up()
        await make.settled()
        told, untold = make.mayday(1), make.safety(2)
        at.link.tell_unjournaled(msgspec.structs.replace(told, number=0))
        await make.until(lambda: at.link.state().unjournaled_told == 1)
        at.urgent.down()
        at.link.tell_unjournaled(msgspec.structs.replace(untold, number=0))
        at.link.tell_unjournaled(msgspec.structs.replace(make.safety(9), number=0))
        assert at.link.state().unjournaled_waiting == 2
        at.outbox.add(told, untold)
        at.link.tell_afterwards(told)
        at.link.tell_afterwards(untold)
        at.urgent.up()
        await make.until(lambda: at.link.state().published == 2)
        await make.until(lambda: at.link.state().unjournaled_told == 2)
        at.heard(make.mayday(3))
        await make.until(lambda: at.link.state().published == 3)

    told = [record(o) for o in rig(scene).urgent.signed if numbers([o])]

    assert sorted((r.number, r.journaled, r.late) for r in told) == [
        (0, False, False),
        (0, False, True),
        (1, True, True),
        (2, True, True),
        (3, True, False),
    ]


def test_the_numbers_of_what_was_journaled_afterwards_are_kept_in_bounded_memory(
    rig, make, monkeypatch
):
    monkeypatch.setattr(late, "AFTERWARDS_MAX", 3)

    async def scene(at):
        for number in range(1, 9):
            at.link.tell_afterwards(make.mayday(number))
        assert list(at.link._late._afterwards) == [("e1", 6), ("e1", 7), ("e1", 8)]

    rig(scene)


@pytest.mark.parametrize(
    ("receipts", "unsigned"),
    [("puback", ["waiting"]), ("rcc", ["owed", "waiting"])],
)
def test_distress_without_a_number_is_unsigned_until_told_or_until_a_consumer_can_sign(
    rig, make, receipts, unsigned
):
    async def scene(at):
        waiting = msgspec.structs.replace(make.mayday(1), number=0)
        owed = msgspec.structs.replace(make.mayday(2), number=0)
        now_ns = at.clock.now().mono_ns
        at.link.tell_unjournaled(waiting)
        at.link.tell_unjournaled(msgspec.structs.replace(make.safety(3), number=0))
        names = {waiting.body: "waiting", owed.body: "owed"}
        found = at.link.unsigned([(owed, now_ns)])
        assert [names[entry.body] for entry, _ in found] == unsigned
        assert {since_ns for _, since_ns in found} == {now_ns}
        both = at.link.unsigned([(owed, now_ns), (waiting, now_ns)])
        assert len(both) == len(unsigned), "none is counted twice"

    rig(scene, receipts=receipts)


def test_an_unjournaled_entry_outlives_a_lost_link(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.link.tell_unjournaled(make.mayday(0))
        await make.until(lambda: at.urgent.waiting == 1)
        at.urgent.down()
        await make.settled()
        assert at.link.state().unjournaled_waiting == 1
        at.urgent.up()
        await make.until(lambda: at.link.state().unjournaled_told == 1)

    assert numbers(rig(scene).urgent.signed) == [0]


def test_a_refused_unjournaled_entry_is_kept_and_lets_others_pass(rig, make):
    refusing = [True]

    async def scene(at):
        at.urgent.refuse = lambda o: refusing[0] and "0000001" in o.payload.decode()
        at.up()
        await make.settled()
        for number in (1, 2):
            entry = make.mayday(number)
            at.link.tell_unjournaled(msgspec.structs.replace(entry, number=0))
        await make.until(lambda: at.link.state().unjournaled_told == 1)
        assert at.link.state().unjournaled_waiting == 1
        refusing[0] = False
        at.clock.passed_s += 15
        await make.until(lambda: at.link.state().unjournaled_told == 2)

    assert rig(scene).link.state().unjournaled_lost == 0


def test_an_unjournaled_entry_that_can_not_be_told_time_and_again_is_poison_until_it_can(
    rig, make, monkeypatch
):
    monkeypatch.setattr(memory, "LOOK_S", 0.005)
    entry = msgspec.structs.replace(make.mayday(1), number=0)

    async def scene(at):
        at.urgent.refuse = lambda o: "0000001" in o.payload.decode()
        at.up()
        await make.settled()
        at.link.tell_unjournaled(entry)
        for tries in range(aside.POISON_TRIES):
            assert at.link.state().unjournaled_poison == ()
            await make.until(lambda tries=tries: at.link._memory._held[entry.lane][0].tries > tries)
            at.clock.passed_s += memory.ASIDE_S
        assert at.link.state().unjournaled_poison == (entry.body,)
        at.urgent.refuse = lambda _o: False
        at.clock.passed_s += memory.ASIDE_S
        await make.until(lambda: at.link.state().unjournaled_told == 1)
        assert at.link.state().unjournaled_poison == ()

    rig(scene)


def test_an_entry_that_made_room_while_under_way_takes_no_other_with_it(rig, make, monkeypatch):
    monkeypatch.setattr(memory, "UNJOURNALED_MAX", 2)

    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        for number in (1, 2):
            at.link.tell_unjournaled(msgspec.structs.replace(make.safety(number), number=0))
        await make.until(lambda: at.urgent.waiting == 1)
        at.link.tell_unjournaled(msgspec.structs.replace(make.mayday(3), number=0))
        at.urgent.open.set()
        await make.until(lambda: at.link.state().unjournaled_told == 3)

    at = rig(scene)
    told = [record(o).report.report_id[-1] for o in at.urgent.signed if numbers([o])]

    assert told == ["1", "3", "2"]
    assert at.link.state().unjournaled_waiting == 0


def test_routine_that_the_disk_could_not_take_goes_out_as_ever(rig, make):
    async def scene(at):
        at.up()
        at.link.tell_unjournaled(msgspec.structs.replace(make.place(1), number=0))
        await make.until(lambda: at.routine.offered)

    [told] = rig(scene).routine.offered

    assert record(told).journaled is False


def test_memory_is_bounded_and_the_least_urgent_goes_first(rig, make, monkeypatch):
    monkeypatch.setattr(memory, "UNJOURNALED_MAX", 10)

    async def scene(at):
        for _ in range(10):
            at.link.tell_unjournaled(make.safety(0))
        for _ in range(15):
            at.link.tell_unjournaled(make.mayday(0))
        at.link.tell_unjournaled(make.safety(0))
        assert at.link.state().unjournaled_waiting == 10
        at.up()
        await make.until(lambda: at.link.state().unjournaled_told == 10)

    at = rig(scene)

    assert {record(o).report.urgency for o in at.urgent.signed if numbers([o])} == {
        Urgency.DISTRESS
    }
    assert at.link.state().unjournaled_lost == 16


def test_an_unjournaled_entry_that_can_not_be_written_is_counted(rig, make):
    async def scene(at):
        at.up()
        at.link.tell_unjournaled(msgspec.structs.replace(make.mayday(0), body=b""))
        at.link.tell_unjournaled(make.mayday(0))
        await make.until(lambda: at.link.state().unjournaled_told == 1)

    assert rig(scene).link.state().unjournaled_lost == 1


# -- routine -----------------------------------------------------------------------------------


def test_of_each_craft_only_the_newest_place_is_told(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        for number in range(1, 101):
            at.link.tell(make.place(number))
            at.link.tell(make.place(number + 1000, sender=Identity(mmsi="244000002")))
        await make.until(lambda: len(at.routine.offered) == 2)
        at.link.tell(make.place(500))
        await make.settled()
        assert len(at.routine.offered) == 2
        at.clock.passed_s += 2.0
        await make.until(lambda: len(at.routine.offered) == 3)

    at = rig(scene)
    told = at.routine.offered

    assert [o.topic.removeprefix("distress/v1/alpha/") for o in told] == [
        "position/ais/244000001",
        "position/ais/244000002",
        "position/ais/244000001",
    ]
    assert [record(o).number for o in told] == [100, 1100, 500]
    assert {(o.qos, o.retain, o.expiry_s) for o in told} == {(0, True, 900)}
    assert not at.topics()
    assert at.link.state().conflated == 198


def test_a_3_1_1_broker_keeps_no_place_for_ever(rig, make):
    async def scene(at):
        at.up()
        at.link.tell(make.place(1))
        await make.until(lambda: at.routine.offered)

    assert [o.retain for o in rig(scene, version="3.1.1").routine.offered] == [False]


def test_a_place_that_can_not_be_written_is_counted_and_costs_no_other_its_place(rig, make):
    """It is not tried again; the next one of its craft is."""

    def place(number, craft):
        return make.place(number, sender=Identity(mmsi=f"24400000{craft}"))

    async def scene(at):
        at.link.tell(place(1, 1))
        at.link.tell(msgspec.structs.replace(place(2, 2), body=b"\xc1"))
        at.link.tell(place(3, 3))
        at.up()
        await make.until(lambda: len(at.routine.offered) == 2)
        at.clock.passed_s += 2.0
        at.link.tell(place(4, 2))
        await make.until(lambda: len(at.routine.offered) == 3)

    at = rig(scene)

    assert [record(o).number for o in at.routine.offered] == [1, 3, 4]
    assert at.link.state().unwritable == 1


def test_every_position_is_told_where_the_plan_says_so(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        for number in range(1, 6):
            at.link.tell(make.place(number))
        copy = make.ruling_of(6, relation=Relation.COPY, first_id="a" * 32)
        at.link.tell(make.entry_of(copy, 6))
        await make.until(lambda: len(at.routine.offered) == 7)

    at = rig(scene, positions="every")
    topics = at.topics(of=at.routine.offered)

    assert topics == ["report/routine/ais"] * 6 + ["position/ais/244000001"]
    assert record(at.routine.offered[-1]).number == 5


@pytest.mark.parametrize(
    ("over", "topics"),
    [
        ({"kind": Kind.STATUS}, ["report/routine/ais"]),
        ({"kind": Kind.TEXT}, ["report/routine/ais"]),
        ({"relation": Relation.COPY, "kind": Kind.CALL}, []),
        ({"relation": Relation.COPY}, []),
        ({"relation": Relation.REFINEMENT, "kind": Kind.CALL}, ["report/routine/ais"]),
        ({"mode": Mode.TEST}, ["report/test/routine/ais"]),
        ({"mode": Mode.EXERCISE}, ["exercise/report/routine/ais"]),
        ({"position": None}, ["report/routine/ais"]),
        ({"sender": None}, ["report/routine/ais"]),
        ({"sender": Identity(name="a/#")}, ["report/routine/ais"]),
        ({"system": "gnss", "sender": None}, ["position/gnss/alpha"]),
        ({"system": "#"}, []),
    ],
    ids=lambda value: str(value)[:60],
)
def test_routine_goes_where_it_belongs(rig, make, over, topics):
    async def scene(at):
        at.up()
        await make.settled()
        at.link.tell(make.entry_of(make.ruling_of(1, **over), 1))
        await make.settled()
        await asyncio.sleep(0.01)

    at = rig(scene)

    assert at.topics(of=at.routine.offered) == topics
    assert not at.topics()
    assert at.link.state().unwritable == (over.get("system") == "#")


def test_an_unread_frame_is_not_told(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.link.tell(make.refused(1, distress_like=False))
        await make.settled()

    at = rig(scene)

    assert not at.topics() + at.topics(of=at.routine.offered)


def test_routine_that_nobody_can_take_is_dropped_and_counted(rig, make):
    async def scene(at):
        at.link.tell(make.place(1, kind=Kind.STATUS))
        assert at.link.state().dropped == 1
        at.routine.offers_taken = 3
        at.up()
        await make.settled()
        for number in range(2, 12):
            at.link.tell(make.place(number, kind=Kind.STATUS))

    state = rig(scene).link.state()

    assert (state.offered, state.dropped) == (3, 8)


def test_routine_over_the_rate_of_the_link_is_dropped_and_counted_apart(rig, make):
    async def scene(at):
        at.up()
        for number in range(1, 12):
            at.link.tell(make.place(number, kind=Kind.STATUS))
        assert (at.link.state().offered, at.link.state().throttled) == (6, 5)
        at.clock.passed_s += 1
        for number in range(12, 22):
            at.link.tell(make.place(number, kind=Kind.STATUS))
        assert (at.link.state().offered, at.link.state().throttled) == (9, 12)

    assert rig(scene, routine_per_s=3).link.state().dropped == 0


def test_places_over_the_rate_wait_and_distress_is_under_no_rate(rig, make):
    async def scene(at):
        at.up()
        for number in range(1, 10):
            at.link.tell(make.place(number, sender=Identity(mmsi=f"24400000{number}")))
        await make.until(lambda: len(at.routine.offered) == 2)
        await make.settled()
        assert len(at.routine.offered) == 2
        at.heard(*(make.mayday(number) for number in range(10, 60)))
        await make.until(lambda: len(at.outbox.struck) == 50)
        for told in range(3, 10):
            at.clock.passed_s += 1
            await make.until(lambda told=told: len(at.routine.offered) == told)

    state = rig(scene, routine_per_s=1).link.state()

    assert (state.offered, state.throttled, state.dropped) == (9, 0, 0)


def test_a_place_that_the_broker_can_not_take_now_waits_for_its_turn(rig, make):
    async def scene(at):
        at.routine.offers_taken = 0
        at.up()
        at.link.tell(make.place(1))
        await make.settled()
        at.link.tell(make.place(2))
        at.routine.offers_taken = 10
        await make.until(lambda: at.routine.offered)

    at = rig(scene)

    assert [record(o).number for o in at.routine.offered] == [2]
    assert at.link.state().dropped == 0


def test_distress_goes_out_while_the_routine_connection_is_down(rig, make):
    async def scene(at):
        at.urgent.up()
        for number in range(1, 100):
            at.link.tell(make.place(number))
        at.heard(make.mayday(100))
        await make.until(lambda: at.outbox.struck)

    at = rig(scene)

    assert numbers(at.urgent.signed) == [100]
    assert not at.routine.offered


def test_places_are_told_at_a_bounded_rate(rig, make, monkeypatch):
    monkeypatch.setattr(routine, "FLUSH_MAX", 7)
    turns = []

    async def scene(at):
        offer = at.routine.offer
        sleep = at.clock.sleep

        async def counted(seconds):
            turns.append(len(at.routine.offered))
            await sleep(seconds)

        at.clock.sleep = counted
        at.routine.offer = offer
        at.up()
        for number in range(50):
            at.link.tell(make.place(number, sender=Identity(mmsi=f"2440000{number:02}")))
        await make.until(lambda: len(at.routine.offered) == 50)

    rig(scene)

    assert max(after - before for before, after in itertools.pairwise(turns)) == 7


def test_more_craft_than_can_be_followed_push_out_the_longest_waiting(make, monkeypatch):
    monkeypatch.setattr(positions, "CRAFT_MAX", 3)
    followed = Positions(2.0)
    for name in "abcde":
        followed.put(name, make.place(1))

    assert [craft for craft, _ in followed.due(0, 10)] == ["c", "d", "e"]
    assert (followed.evicted, len(followed)) == (2, 3)

    for name in "cde":
        followed.told(name, 0)
    followed.put("f", make.place(1))
    followed.told("f", 1)
    followed.put("c", make.place(1))

    assert [craft for craft, _ in followed.due(2, 10)] == ["c"]
    assert len(followed._told_ns) == 3


# -- what stands -------------------------------------------------------------------------------


def test_birth_is_the_first_word_of_each_connection(rig, make):
    async def scene(at):
        at.link.retain("port/dsc1", at.link.state())
        at.up()
        await make.until(lambda: len(at.urgent.signed) == 2)
        at.urgent.down()
        await make.settled()
        at.urgent.up()
        await make.until(lambda: len(at.urgent.signed) == 4)

    at = rig(scene)

    assert [o.topic.removeprefix("distress/v1/alpha/") for o in at.urgent.signed[:4]] == [
        "status",
        "port/dsc1",
    ] * 2
    assert all(o.retain and o.qos == 1 for o in at.urgent.signed)


def test_birth_and_will_differ_in_their_words_only(rig, make):
    async def scene(at):
        at.up()
        await make.until(lambda: at.urgent.signed)

    at = rig(scene)
    birth, will = at.urgent.signed[0], at.urgent.will()

    assert (birth.topic, birth.qos, birth.retain) == (will.topic, will.qos, will.retain)
    assert (birth.topic, birth.payload) == (STATUS, b'{"online":true}')
    assert will.payload == b'{"online":false}'
    assert at.urgent.signed[-1] == will
    assert at.routine.will is None


def test_of_a_state_only_the_newest_is_told(rig, make):
    async def scene(at):
        for name in ("first", "second", "third"):
            at.link.retain("port/dsc1", msgspec.structs.replace(at.link.state(), name=name))
        at.up()
        await make.until(lambda: len(at.urgent.signed) == 2)

    at = rig(scene)

    assert msgspec.json.decode(at.urgent.signed[1].payload)["name"] == "third"


def test_a_state_put_while_an_older_one_is_under_way_is_told_after_it(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        for name in ("first", "second"):
            at.link.retain("port/dsc1", msgspec.structs.replace(at.link.state(), name=name))
            await make.settled()
        at.urgent.open.set()
        await make.until(lambda: len(at.urgent.signed) == 3)

    told = [msgspec.json.decode(o.payload) for o in rig(scene).urgent.signed[1:3]]

    assert [state["name"] for state in told] == ["first", "second"]


def test_a_state_taken_off_while_the_link_was_down_is_taken_off_the_broker(rig, make):
    async def scene(at):
        at.up()
        at.link.retain("alert/journal", at.link.state())
        await make.until(lambda: "alert/journal" in at.topics())
        at.urgent.down()
        at.link.retain("alert/journal", None)
        await make.settled()
        at.urgent.up()
        await make.until(lambda: at.urgent.signed[-1].payload == b"")
        at.urgent.down()
        at.urgent.up()
        await make.settled()

    at = rig(scene)

    assert at.topics() == ["alert/journal", "alert/journal"]


def test_a_state_cut_short_by_a_lost_link_is_told_on_the_next(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.link.retain("port/a", at.link.state())
        await make.until(lambda: at.urgent.waiting == 1)
        at.urgent.down()
        await make.settled()
        at.urgent.up()
        await make.until(lambda: at.topics() == ["port/a"])

    rig(scene)


def test_a_state_that_was_refused_is_told_again_on_the_same_connection(rig, make):
    """An alarm, or the end of one, that an access list kept away comes once that is mended."""

    async def scene(at):
        at.urgent.refuse = lambda o: "/alert/" in o.topic
        at.up()
        at.link.retain("alert/disk", at.link.state())
        at.link.retain("alert/journal", None)
        await make.until(lambda: at.link.state().refused == 2)
        at.urgent.refuse = lambda _: False
        at.link.retain("port/a", at.link.state())
        await make.until(lambda: at.topics() == ["port/a"])
        at.clock.passed_s += 61
        at.link.retain("port/a", at.link.state())
        await make.until(lambda: len(at.topics()) == 4)

    at = rig(scene)

    assert sorted(at.topics()) == ["alert/disk", "alert/journal", "port/a", "port/a"]
    assert at.link.state().refused == 2


def test_news_that_come_while_a_state_is_being_refused_do_not_wait(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        old, news = (
            msgspec.structs.replace(at.link.state(), name=name) for name in ("old", "news")
        )

        def refuse(outgoing):
            if b'"old"' not in outgoing.payload:
                return False
            at.link.retain("alert/disk", news)
            return True

        at.urgent.refuse = refuse
        at.link.retain("alert/disk", old)
        await make.until(lambda: at.topics() == ["alert/disk"])
        assert at.link.state().refused == 1
        assert b'"news"' in at.urgent.signed[-1].payload

    rig(scene)


def test_news_of_a_refused_state_are_told_at_once(rig, make):
    async def scene(at):
        at.urgent.refuse = lambda o: "/alert/" in o.topic
        at.up()
        at.link.retain("alert/disk", at.link.state())
        await make.until(lambda: at.link.state().refused == 1)
        at.urgent.refuse = lambda _: False
        at.link.retain("alert/disk", None)
        await make.until(lambda: at.topics() == ["alert/disk"])

    rig(scene)


def test_a_refused_state_is_counted_and_the_others_are_told(rig, make):
    async def scene(at):
        at.urgent.refuse = lambda o: o.topic.endswith("/port/a")
        at.up()
        at.link.retain("port/a", at.link.state())
        at.link.retain("port/b", at.link.state())
        await make.until(lambda: at.topics() == ["port/b"])

    assert rig(scene).link.state().refused == 1


def test_states_are_bounded(rig, make, monkeypatch):
    monkeypatch.setattr(states, "STATES_MAX", 3)

    async def scene(at):
        for number in range(10):
            at.link.retain(f"port/{number}", at.link.state())
        at.up()
        await make.until(lambda: len(at.topics()) == 3)
        await make.settled()

    at = rig(scene)

    assert at.topics() == ["port/0", "port/1", "port/2"]
    assert at.link._states.count.crowded_out == 7


def test_the_window_holds_all_lanes_at_once():
    """Distress, the rest, a state and an unjournaled entry never wait for one another's slot."""
    taken = link_module.DISTRESS_WIDTH + link_module.URGENT_WIDTH + 2

    assert taken == 20
    assert len(Lane) == 4


def test_a_connection_that_is_down_for_some_seconds_is_named(rig, make, monkeypatch):
    monkeypatch.setattr(link_module, "BEAT_S", 0.001)

    async def scene(at):
        at.up()
        await make.settled()
        assert at.link.state().down == ()
        at.urgent.down()
        await make.settled()
        at.clock.passed_s += downs.DOWN_S - 0.5
        assert at.link.state().down == ()
        at.clock.passed_s += 0.5
        assert at.link.state().down == ("distress",)
        at.urgent.up()
        await make.until(lambda: at.link.state().down == ())
        at.clock.passed_s += 60
        for bus in at.buses.values():
            bus.down()
        await make.settled()
        at.clock.passed_s += downs.DOWN_S
        assert at.link.state().down == ("distress", "routine", "receipts", "requests")

    rig(scene, receipts="rcc")
