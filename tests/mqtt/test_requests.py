"""The consumer of record asks again: it gets what is kept, and is told what isn't."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.model.words import Kind
from gateway.mqtt import ranges, requests
from gateway.mqtt.bus import PAYLOAD_BYTES_MAX, Incoming
from gateway.mqtt.payload import Record
from gateway.mqtt.ranges import Answer, Fault, Request, is_at_or_below, request_of, spans_of

ANSWER = "distress/v1/alpha/answer/rcc"


@pytest.fixture
def asked(rig):
    """Return what runs a scene on a link whose consumer of record is `rcc`."""
    return lambda scene, **plan: rig(scene, receipts="rcc", **plan)


def published(at, topic=ANSWER):
    return [outgoing for outgoing in at.buses["requests"].signed if outgoing.topic == topic]


def numbers(at, topic=ANSWER):
    found = published(at, topic)
    return [told.number for o in found if (told := record(o)) is not None]


def record(outgoing):
    try:
        return msgspec.json.decode(outgoing.payload, type=Record)
    except msgspec.MsgspecError:
        return None


def answers(at, topic=ANSWER):
    found = [msgspec.json.decode(o.payload) for o in published(at, topic)]
    return [msgspec.convert(one, Answer) for one in found if "number_last" in one]


def routine(make, number):
    return make.place(number, kind=Kind.STATUS)


def test_a_range_is_told_late_in_its_order_and_closed(asked, make):
    async def scene(at):
        at.up()
        at.outbox.add(make.mayday(1), make.safety(2), routine(make, 3), make.refused(4))
        at.outbox.add(make.mayday(6))
        at.ask(2, 6)
        await make.until(lambda: answers(at))

    at = asked(scene)
    told = published(at)

    assert numbers(at) == [2, 3, 6]
    assert all(record(o).late and record(o).journaled for o in told if record(o))
    assert msgspec.json.decode(told[2].payload)["refused"]["port"] == "dsc1"
    assert {(o.qos, o.retain, o.topic) for o in told} == {(1, False, ANSWER)}
    assert told[-1] is published(at)[-1]
    assert answers(at) == [
        Answer(station="alpha", epoch="e1", number_last=6, first=2, last=6, told=4, gone=(5,))
    ]
    assert at.link.state().requests == requests.RequestCount(answered=1, records=4)


def test_what_is_missing_is_told_with_its_reason(asked, make):
    async def scene(at):
        at.up()
        at.buses["requests"].refuse = lambda o: record(o) is not None and record(o).number == 9
        kept = [make.mayday(5), routine(make, 6), routine(make, 7), make.safety(9)]
        at.outbox.add(*kept, make.safety(12))
        at.outbox.quarantined = (4, 5, 10, 99)
        at.ask(1, 20, routine=False)
        await make.until(lambda: answers(at))

    (answer,) = answers(at := asked(scene))

    assert numbers(at) == [5, 12]
    assert answer == Answer(
        station="alpha",
        epoch="e1",
        number_last=12,
        first=1,
        last=20,
        told=2,
        routine=((6, 7),),
        gone=((1, 3), 8, 11),
        damaged=(4, 10),
        untold=(9,),
    )


def test_every_number_of_a_long_range_is_accounted_for(asked, make):
    """More than one reading and many batches; of what is kept nothing is named as missing."""
    kept = [number for number in range(1, 401) if number % 7]

    async def scene(at):
        at.up()
        at.outbox.add(*(make.safety(number) for number in kept))
        at.ask(1, 400)
        await make.until(lambda: answers(at), limit_s=4)

    (answer,) = answers(at := asked(scene))

    assert numbers(at) == kept
    assert answer.gone == tuple(range(7, 400, 7))


def test_nothing_is_there_of_what_has_not_been_numbered(asked, make):
    async def scene(at):
        at.up()
        at.outbox.add(make.mayday(1))
        at.ask(2, 5)
        await make.until(lambda: answers(at))

    (answer,) = answers(asked(scene))

    assert (answer.number_last, answer.told, answer.gone) == (1, 0, ())


def test_the_answer_goes_where_mqtt_5_says_and_bears_its_correlation(asked, make):
    async def scene(at):
        at.up()
        at.outbox.add(make.mayday(1))
        at.ask(response_topic=f"{ANSWER}/a/b", correlation=b"\x00\xff", inside=f"{ANSWER}/c")
        at.ask(inside=f"{ANSWER}/c", form=msgspec.msgpack)
        await make.until(lambda: answers(at, f"{ANSWER}/c"))

    at = asked(scene)

    assert numbers(at, f"{ANSWER}/a/b") == numbers(at, f"{ANSWER}/c") == [1]
    assert {o.correlation for o in published(at, f"{ANSWER}/a/b")} == {b"\x00\xff"}
    assert {o.correlation for o in published(at, f"{ANSWER}/c")} == {None}
    assert not published(at)


def test_the_answer_may_go_to_the_topic_that_it_goes_to_anyway(asked, make):
    async def scene(at):
        at.up()
        at.outbox.add(make.mayday(1))
        at.ask(response_topic=ANSWER)
        await make.until(lambda: answers(at))

    assert numbers(asked(scene)) == [1]


def test_a_link_without_a_consumer_of_record_takes_no_requests(rig, make):
    async def scene(at):
        at.up()
        await make.settled()
        assert set(at.buses) == {"distress", "routine"}

    assert rig(scene).link.state().requests == requests.RequestCount()


ELSEWHERE = [
    "distress/v1/alpha/answer",
    "distress/v1/alpha/answer/rccc",
    "distress/v1/alpha/answer/rcc/",
    "distress/v1/alpha/answer/rcc//x",
    "distress/v1/alpha/answer/rcc/#",
    "distress/v1/alpha/answer/rcc/+/x",
    "distress/v1/alpha/answer/rcc/\x00",
    "distress/v1/alpha/answer/rcc/" + "/".join("x" * 64 for _ in range(4)),
    "distress/v1/alpha/report/distress/dsc",
    "distress/v1/alpha/command/test",
    "distress/v1/bravo/answer/rcc",
    "$SYS/broker",
    "#",
]


@pytest.mark.parametrize("topic", ELSEWHERE)
def test_an_answer_goes_nowhere_but_to_its_consumer(asked, make, topic):
    """A request must not make the gateway speak in a voice that others trust."""

    async def scene(at):
        at.up()
        at.outbox.add(make.mayday(1))
        at.ask(response_topic=topic)
        at.ask(inside=topic)
        await make.until(lambda: len(answers(at)) == 2)

    at = asked(scene)

    assert [answer.refused for answer in answers(at)] == [Fault.ELSEWHERE.value] * 2
    assert not numbers(at)
    assert {o.topic for o in at.buses["requests"].signed} == {ANSWER}
    assert not is_at_or_below(ANSWER, topic)
    assert is_at_or_below(ANSWER, ANSWER)


HOSTILE = [
    (b"", Fault.NO_REQUEST),
    (b"{", Fault.NO_REQUEST),
    (b"\xff" * 100, Fault.NO_REQUEST),
    (b"\xc1", Fault.NO_REQUEST),
    (b"null", Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1}', Fault.NO_REQUEST),
    (b'{"epoch":"","first":1,"last":1}', Fault.NO_REQUEST),
    (b'{"epoch":1,"first":1,"last":1}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":"1","last":1}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1.5,"last":1}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":true,"last":1}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":1e400}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":' + b"9" * 900 + b"}", Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":9223372036854775808}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":1,"more":1}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":1,"routine":1}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":1}{}', Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":' + b"[" * 900, Fault.NO_REQUEST),
    (b"\x83\xa5epoch\xa2e1\xa5first" + b"\x91" * 900, Fault.NO_REQUEST),
    (b'{"epoch":"e1","first":1,"last":1}' + b" " * ranges.REQUEST_BYTES_MAX, Fault.TOO_LONG),
    (b'{"epoch":"e2","first":1,"last":1}', Fault.EPOCH),
    (b'{"epoch":"e1","first":0,"last":1}', Fault.NO_RANGE),
    (b'{"epoch":"e1","first":-5,"last":1}', Fault.NO_RANGE),
    (b'{"epoch":"e1","first":2,"last":1}', Fault.NO_RANGE),
    (b'{"epoch":"e1","first":1,"last":2001}', Fault.TOO_MANY),
    (b'{"epoch":"e1","first":1,"last":9223372036854775807}', Fault.TOO_MANY),
]


def test_hostile_requests_are_told_why_and_stop_nothing(asked, make):
    async def scene(at):
        at.up()
        at.heard(make.mayday(1))
        for payload, _ in HOSTILE:
            at.ask(payload=payload)
        at.ask(correlation=b"x" * 65)
        at.ask(retained=True)
        at.ask(topic="distress/v1/alpha/request/else")
        await make.until(lambda: at.link.state().requests.refused == len(HOSTILE) + 3)
        at.ask()
        await make.until(lambda: at.link.state().requests.answered)

    at = asked(scene)
    faults = [fault for _, fault in HOSTILE] + [Fault.TOO_LONG]

    assert [answer.refused for answer in answers(at)] == [*(f.value for f in faults), None]
    assert all(o.correlation is None for o in published(at))
    assert numbers(at) == [1]
    assert at.link.state().requests.broken_off == 0
    warned = [call for call in at.log._logger.calls if call.method_name == "warning"]
    assert len([call for call in warned if "request_refused" in str(call)]) == 8


def test_a_request_may_begin_with_a_blank():
    incoming = Incoming(
        topic="t",
        payload=b' \r\n\t{"epoch":"e1","first":1,"last":2000}',
        qos=1,
        retained=False,
        mid=1,
    )

    assert request_of(incoming) == Request(epoch="e1", first=1, last=2000)


def test_the_closing_answer_fits_into_a_publication_however_bad_it_looks():
    request = Request(epoch="e" * 64, first=2**63 - 2000, last=2**63 - 1)
    account = ranges.Account(request, 2**63 - 1)
    account.told = set(range(request.first, request.last + 1, 5))
    account.routine = {number + 1 for number in account.told}
    account.untold = {number + 2 for number in account.told}
    damaged = [number + 3 for number in account.told]

    answer = account.closed(damaged, station="s" * 32, epoch="e" * 64)

    assert len(answer.gone) == len(answer.damaged) == len(answer.untold) == 400
    assert len(msgspec.json.encode(answer)) < PAYLOAD_BYTES_MAX


@pytest.mark.parametrize(
    ("numbers", "spans"),
    [
        ([], ()),
        ([3], (3,)),
        ([2, 1], ((1, 2),)),
        ([1, 3, 5], (1, 3, 5)),
        ([9, 1, 2, 3, 8, 5], ((1, 3), 5, (8, 9))),
    ],
)
def test_neighbours_make_one_span(numbers, spans):
    assert spans_of(numbers) == spans


def test_a_request_waits_for_distress_and_distress_never_for_a_request(asked, make, monkeypatch):
    monkeypatch.setattr(requests, "GIVE_WAY_S_MAX", 30.0)

    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.heard(make.mayday(1))
        await make.until(lambda: at.urgent.waiting)
        at.ask(1, 1)
        await make.settled()
        assert not published(at)
        at.urgent.open.set()
        await make.until(lambda: answers(at))

        at.buses["requests"].open.clear()
        at.ask(1, 1)
        await make.until(lambda: at.buses["requests"].waiting)
        at.heard(make.mayday(2))
        await make.until(
            lambda: any(
                "/report/" in o.topic and b'"number":2' in o.payload for o in at.urgent.signed
            )
        )

    assert asked(scene).link.state().requests.answered == 1


def test_a_flood_of_distress_does_not_silence_answers_for_ever(asked, make, monkeypatch):
    monkeypatch.setattr(requests, "GIVE_WAY_S_MAX", 0.01)

    async def scene(at):
        at.up()
        await make.settled()
        at.urgent.open.clear()
        at.heard(make.mayday(1))
        at.ask(1, 1)
        await make.until(lambda: answers(at))

    asked(scene)


def test_one_request_is_answered_at_a_time_and_each_is_acknowledged_at_its_end(asked, make):
    async def scene(at):
        at.up()
        bus = at.buses["requests"]
        at.outbox.add(*(make.safety(number) for number in range(1, 60)))
        bus.open.clear()
        for _ in range(5):
            at.ask(1, 59)
        await make.until(lambda: bus.waiting == requests.TOLD_TOGETHER)
        await make.settled()
        assert bus.waiting == requests.TOLD_TOGETHER
        assert not bus.acknowledged
        bus.open.set()
        await make.until(lambda: len(bus.acknowledged) == 5, limit_s=4)
        assert bus.waiting_most == requests.TOLD_TOGETHER

    assert asked(scene).link.state().requests.records == 5 * 59


def test_an_answer_whose_connection_ends_has_no_end_and_the_next_one_has(asked, make):
    async def scene(at):
        at.up()
        bus = at.buses["requests"]
        at.outbox.add(make.mayday(1))
        bus.open.clear()
        at.ask()
        await make.until(lambda: bus.waiting)
        bus.down()
        await make.until(lambda: at.link.state().requests.broken_off == 1)
        assert not answers(at)
        bus.up()
        at.ask()
        await make.until(lambda: answers(at))

    assert asked(scene).link.state().requests.answered == 1


def test_a_disk_that_can_not_be_read_costs_the_answer_and_nothing_else(asked, make):
    async def scene(at):
        at.up()
        at.outbox.add(make.mayday(1))
        damaged = at.outbox.damaged

        async def failing(**_):
            message = "disk I/O error"
            raise OSError(message)

        at.outbox.damaged = failing
        at.ask()
        await make.until(lambda: at.link.state().requests.broken_off == 1)
        assert not answers(at)
        at.outbox.damaged = damaged
        at.ask()
        await make.until(lambda: answers(at))

    asked(scene)


def test_an_entry_that_no_record_can_be_made_of_is_named_as_untold(asked, make):
    async def scene(at):
        at.up()
        bad = msgspec.structs.replace(make.safety(2), body=b"\xc1")
        at.outbox.add(make.safety(1), bad)
        at.ask(1, 2)
        await make.until(lambda: answers(at), limit_s=4)
        await asyncio.sleep(0)

    (answer,) = answers(asked(scene))

    assert (answer.told, answer.untold) == (1, (2,))
