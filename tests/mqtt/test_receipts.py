"""The consumer of record signs, or doesn't: what ends an entry, what is told again, what isn't."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.mqtt import aside, outbox, receipts, rounds
from gateway.mqtt import link as link_module
from gateway.mqtt.payload import Record
from gateway.mqtt.receipts import Fault, numbers_of

WAIT_S = rounds.RESEND_S + 1


def told(at):
    """Return the records of entries among what was published, in order."""
    return [
        msgspec.json.decode(o.payload, type=Record)
        for o in at.urgent.signed
        if "/report/" in o.topic
    ]


def numbers(at):
    return [record.number for record in told(at)]


async def pass_s(at, make, seconds):
    """Let time pass, and everything that comes with it happen."""
    at.clock.passed_s += seconds
    await make.settled()


@pytest.fixture
def signed(rig):
    """Return what runs a scene on a link whose consumer of record is `rcc`."""
    return lambda scene, **plan: rig(scene, receipts="rcc", **plan)


def test_a_puback_ends_nothing_and_a_receipt_does(signed, make):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1), make.safety(2), make.mayday(3))
        await make.until(lambda: len(numbers(at)) == 3)
        await make.settled()
        state = at.link.state()
        assert (state.published, state.unsigned, set(at.outbox.entries)) == (3, 3, {1, 2, 3})
        at.clock.passed_s += 3
        assert at.link.state().oldest_unsigned_s == 3.0
        at.sign([1, 2])
        await make.until(lambda: set(at.outbox.entries) == {3})
        at.sign(3)
        await make.until(lambda: not at.outbox.entries)
        await make.settled()

    state = signed(scene).link.state()

    assert (state.unsigned, state.oldest_unsigned_s, state.receipts) == (0, None, 2)
    assert (state.resent, state.receipts_refused) == (0, 0)


def test_a_receipt_is_acknowledged_only_when_the_strike_is_on_disk(signed, make):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1))
        await make.until(lambda: numbers(at))
        await make.settled()
        strike, hold = at.outbox.strike, asyncio.Event()
        failing = [3]

        async def slow(link, struck):
            await hold.wait()
            if failing[0]:
                failing[0] -= 1
                message = "disk I/O error"
                raise OSError(message)
            await strike(link, struck)

        at.outbox.strike = slow
        at.sign(1)
        await make.settled()
        assert not at.buses["receipts"].acknowledged
        hold.set()
        await make.until(lambda: at.buses["receipts"].acknowledged)
        assert not at.outbox.entries

    assert signed(scene).link.state().outbox_errors == 3


def test_what_nobody_signs_for_is_told_again_as_late_under_the_same_name(signed, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.heard(make.mayday(1))
        await make.until(lambda: numbers(at))
        await pass_s(at, make, rounds.RESEND_S - 1)
        assert numbers(at) == [1]
        await pass_s(at, make, 2)
        assert numbers(at) == [1, 1]

    at = signed(scene)
    first, again = told(at)

    assert (first.late, again.late) == (False, True)
    assert (first.report.report_id, first.epoch) == (again.report.report_id, again.epoch)
    assert at.link.state().resent == 1
    assert at.link.state().published == 1


def test_the_pause_grows_up_to_a_bound_and_a_new_distress_shortens_it(signed, make):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1))
        await make.until(lambda: numbers(at))
        times = []
        for second in range(0, 300, 3):
            before = len(numbers(at))
            await pass_s(at, make, 3)
            if len(numbers(at)) > before:
                times.append(second)
        pauses = [after - before for before, after in zip([0, *times], times, strict=False)]
        assert pauses[:3] == pytest.approx([15, 30, 60], abs=6)
        assert max(pauses) <= rounds.RESEND_S_MAX + 6
        at.urgent.signed.clear()
        at.heard(make.mayday(2))
        await make.until(lambda: numbers(at) == [2])
        await pass_s(at, make, WAIT_S)
        assert 2 in numbers(at)[1:]

    signed(scene)


def test_each_new_connection_is_told_all_that_is_unsigned(signed, make):
    """A broker that was killed after its PUBACK knows nothing any more."""

    async def scene(at):
        at.up()
        at.heard(*(make.mayday(number) for number in range(1, 31)))
        await make.until(lambda: len(numbers(at)) == 30)
        at.sign([1, 10])
        await make.until(lambda: len(at.outbox.entries) == 20)
        at.urgent.down()
        await make.settled()
        at.urgent.signed.clear()
        at.urgent.up()
        await make.until(lambda: len(numbers(at)) == 20)
        await make.settled()

    at = signed(scene)

    assert numbers(at) == list(range(11, 31))
    assert all(record.late for record in told(at))


def test_thousands_unsigned_hold_no_new_distress_back_and_cost_bounded_memory(
    signed, make, monkeypatch
):
    monkeypatch.setattr(outbox, "UNSIGNED_MAX", 50)

    async def scene(at):
        at.up()
        await make.settled()
        at.heard(*(make.mayday(number) for number in range(1, 301)))
        await make.until(lambda: len(numbers(at)) == 300)
        await make.settled()
        at.urgent.open.clear()
        at.clock.passed_s += WAIT_S
        await make.until(lambda: at.urgent.waiting == link_module.DISTRESS_WIDTH)
        at.heard(make.mayday(1000))
        at.urgent.open.set()
        await make.until(lambda: len(numbers(at)) == 601)
        assert numbers(at).index(1000) == 300 + link_module.DISTRESS_WIDTH
        assert at.link.state().unsigned == 50
        assert max(at.outbox.limits) <= link_module.DISTRESS_WIDTH
        at.sign([1, 300], 1000)
        await make.until(lambda: not at.outbox.entries)

    assert signed(scene).link.state().unsigned == 0


def test_a_consumer_that_is_busy_signing_is_not_told_again_what_is_on_its_way(signed, make):
    async def scene(at):
        at.up()
        at.heard(*(make.mayday(number) for number in range(1, 6)))
        await make.until(lambda: len(numbers(at)) == 5)
        for number in range(1, 5):
            await pass_s(at, make, rounds.RESEND_S - 5)
            at.sign(number)
            await make.settled()
        assert numbers(at) == [1, 2, 3, 4, 5]
        await pass_s(at, make, WAIT_S)
        assert numbers(at)[5:] == [5]

    signed(scene)


def test_a_link_without_a_consumer_hears_no_receipts(rig, make):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1))
        await make.until(lambda: not at.outbox.entries)
        await pass_s(at, make, 10 * WAIT_S)

    at = rig(scene)

    assert set(at.buses) == {"distress", "routine"}
    assert len(told(at)) == 1
    assert at.link.state().unsigned == 0
    assert at.link.state().receipts_connected


def test_receipts_have_a_connection_of_their_own_that_the_distress_does_not_need(signed, make):
    async def scene(at):
        at.urgent.up()
        at.routine.up()
        at.heard(make.mayday(1))
        await make.until(lambda: numbers(at))
        assert not at.link.state().receipts_connected

    assert signed(scene).buses["receipts"].topics == ("distress/v1/alpha/receipt/rcc",)


@pytest.mark.parametrize("form", [msgspec.json, msgspec.msgpack], ids=["json", "msgpack"])
def test_receipts_are_read_in_both_forms(signed, make, form):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1), make.mayday(2))
        await make.until(lambda: len(numbers(at)) == 2)
        at.sign(1, [2, 2], form=form)
        await make.until(lambda: not at.outbox.entries)

    signed(scene)


# -- receipts that are none -----------------------------------------------------------------------

HOSTILE = [
    (b"", Fault.NO_RECEIPT),
    (b"{", Fault.NO_RECEIPT),
    (b"\xff" * 100, Fault.NO_RECEIPT),
    (b"\xc1", Fault.NO_RECEIPT),
    (b"null", Fault.NO_RECEIPT),
    (b"[1]", Fault.NO_RECEIPT),
    (b'{"epoch":"e1"}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":1}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":["1"]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[true]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[null]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[1.5]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[1e400]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[[1]]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[[1,2,3]]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[1],"more":1}', Fault.NO_RECEIPT),
    (b'{"epoch":1,"numbers":[1]}', Fault.NO_RECEIPT),
    (b'{"epoch":"\xff\xfe","numbers":[1]}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[1]}{}', Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":' + b"[" * 8000, Fault.NO_RECEIPT),
    (b'{"epoch":"e1","more":' + b"[" * 8000 + b"]" * 8000 + b"}", Fault.NO_RECEIPT),
    (b"\x82\xa5epoch\xa2e1\xa7numbers" + b"\x91" * 8000, Fault.NO_RECEIPT),
    (b"\x82\xa5epoch\xa2e1\xa7numbers\xdd\xff\xff\xff\xff", Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[' + b"1," * 1024 + b"1]}", Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[' + b"9" * 5000 + b"]}", Fault.NO_RECEIPT),
    (b'{"epoch":"e1","numbers":[1]}' + b" " * receipts.RECEIPT_BYTES_MAX, Fault.TOO_LONG),
    (b'{"epoch":"e2","numbers":[1]}', Fault.EPOCH),
    (b'{"epoch":"e1","numbers":[0]}', Fault.NO_SPAN),
    (b'{"epoch":"e1","numbers":[-1]}', Fault.NO_SPAN),
    (b'{"epoch":"e1","numbers":[[2,1]]}', Fault.NO_SPAN),
    (b'{"epoch":"e1","numbers":[[1,9007199254740993]]}', Fault.TOO_MANY),
    (b'{"epoch":"e1","numbers":[[1,6000],[1,6000]]}', Fault.TOO_MANY),
]


@pytest.mark.parametrize(("payload", "fault"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_receipt_is_refused_for_its_reason(payload, fault):
    assert numbers_of(payload, epoch="e1") is fault


def test_a_receipt_may_begin_with_a_blank():
    assert numbers_of(b' \r\n\t{"epoch":"e1","numbers":[1,[3,5]]} ', epoch="e1") == {1, 3, 4, 5}


def test_hostile_receipts_end_nothing_and_stop_nothing(signed, make):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1))
        await make.until(lambda: numbers(at))
        for payload, _ in HOSTILE:
            at.sign(payload=payload)
        at.sign(1, retained=True)
        at.sign(1, topic="distress/v1/alpha/receipt/else")
        at.sign(2)
        await make.until(lambda: at.link.state().receipts_refused == len(HOSTILE) + 3)
        assert set(at.outbox.entries) == {1}
        at.sign(1)
        await make.until(lambda: not at.outbox.entries)

    at = signed(scene)

    assert len(at.buses["receipts"].acknowledged) >= len(HOSTILE) + 3
    assert at.link.state().receipts == 1


def test_what_has_not_been_told_can_not_be_signed_for(signed, make, monkeypatch):
    """Whoever signs for everything beforehand has nothing; what he knows of it ends."""
    monkeypatch.setattr(receipts, "UNTOLD_MAX", 2)

    async def scene(at):
        at.up()
        at.heard(make.safety(1), make.mayday(2))
        await make.until(lambda: len(numbers(at)) == 2)
        await make.until(at.link._second.resting.is_set)
        # On disk, but before the eyes of this link a moment later.
        at.outbox.add(*(make.safety(number) for number in (3, 4, 5, 7)))
        at.outbox.add(make.mayday(8))
        at.link._distress.wake()
        await make.until(lambda: 8 in numbers(at))
        at.sign([1, 10])
        await make.until(lambda: at.link.state().receipts_refused)
        assert set(at.outbox.entries) >= {3, 4, 5, 7}
        assert not {1, 2} & set(at.outbox.entries)

    assert signed(scene).link.state().receipts == 1


def test_a_receipt_is_taken_however_much_stands_untold_in_another_lane(signed, make, monkeypatch):
    monkeypatch.setattr(receipts, "UNTOLD_MAX", 2)

    async def scene(at):
        at.up()
        at.heard(make.safety(1))
        await make.until(lambda: numbers(at))
        await make.until(at.link._second.resting.is_set)
        at.outbox.add(*(make.safety(number) for number in (2, 3, 4, 5)))
        at.outbox.add(make.mayday(6))
        at.link._distress.wake()
        await make.until(lambda: 6 in numbers(at))
        at.sign(6)
        await make.until(lambda: at.link.state().receipts)
        assert set(at.outbox.entries) >= {2, 3, 4, 5}
        assert 6 not in at.outbox.entries

    assert signed(scene).link.state().receipts_refused == 0


def test_a_receipt_that_overtakes_the_puback_ends_the_entry_for_good(signed, make):
    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.heard(make.mayday(1))
        await make.until(lambda: at.urgent.waiting == 1)
        at.sign(1)
        await make.until(lambda: not at.outbox.entries)
        at.urgent.open.set()
        await make.until(lambda: numbers(at) == [1])
        await pass_s(at, make, 10 * WAIT_S)

    at = signed(scene)

    assert numbers(at) == [1]
    assert at.link.state().unsigned == 0


# -- poison ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [{}, {"receipts": "rcc"}], ids=["puback", "receipts"])
def test_poison_is_tried_at_ever_longer_pauses_and_is_told_once_it_can_be(rig, make, plan):
    refusals = []

    async def scene(at):
        def refuse(outgoing):
            if "/report/" in outgoing.topic and b'"number":2,' in outgoing.payload:
                refusals.append(at.clock.passed_s)
                return True
            return False

        at.urgent.refuse = refuse
        at.up()
        at.heard(*(make.mayday(number) for number in range(1, 6)))
        for _ in range(1000):
            await pass_s(at, make, 1)
            if at.link.state().poison:
                break
        assert at.link.state().poison == (2,)
        assert len(refusals) == aside.POISON_TRIES
        assert at.clock.passed_s < 10 * aside.RETRY_S
        assert set(numbers(at)) == {1, 3, 4, 5}
        await pass_s(at, make, aside.POISON_S / 2)
        assert len(refusals) == aside.POISON_TRIES
        at.urgent.refuse = lambda _: False
        for _ in range(5):
            await pass_s(at, make, aside.POISON_S)
        assert 2 in numbers(at)
        if plan:
            at.sign([1, 5])
        await make.until(lambda: not at.outbox.entries)
        await make.settled()

    state = rig(scene, **plan).link.state()

    assert state.poison == ()
    assert state.unsigned == 0


def test_more_poison_than_can_be_remembered_holds_nothing_back(rig, make, monkeypatch):
    monkeypatch.setattr(aside, "NUMBERS_MAX", 20)

    async def scene(at):
        at.urgent.refuse = lambda o: "/refused/" in o.topic
        at.up()
        at.heard(*(make.refused(number) for number in range(1, 101)))
        at.heard(make.mayday(101))
        await make.until(lambda: 101 in at.outbox.struck)
        at.urgent.refuse = lambda _: False
        for _ in range(20):
            await pass_s(at, make, aside.RETRY_S)
        await make.until(lambda: not at.outbox.entries)

    assert rig(scene).outbox.struck[0] == 101
