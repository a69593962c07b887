"""The contract of the bus, clause by clause: what gateway/mqtt/bus.py promises of any `Bus`.

A clause knows the port alone, and the line to the broker. The name of each is its promise.
"""

from __future__ import annotations

import asyncio
import contextlib
from itertools import pairwise

from msgspec.structs import replace

from gateway.mqtt.bus import LinkLost, PublishRefused
from tests.contract.ground import Clause, Ground, files_open, memory_bytes
from tests.contract.proxy import Kind, Way, packet, proxied

WINDOW_MAX = 20
"""Publications unsigned at once, at the most."""
PAYLOAD_BYTES_MAX = 65_536

OFFERS_MAX = 4000
"""Of a thousand bytes: more than sockets and a backlog of a megabyte hold."""

CLAUSES: dict[str, Clause] = {}
"""All of them, in the order of the port."""

FIVE_ONLY: set[str] = set()
"""Those about what MQTT 3.1.1 has no words for."""

ALONE: set[str] = set()
"""Those that count what the whole program holds, or hold it up."""


def clause(promise: Clause) -> Clause:
    """Put a promise into the contract."""
    CLAUSES[promise.__name__] = promise
    return promise


def five_only(promise: Clause) -> Clause:
    """Put a promise into the contract that only MQTT 5 has words for."""
    FIVE_ONLY.add(promise.__name__)
    return clause(promise)


def alone(promise: Clause) -> Clause:
    """Put a promise into the contract that no other may be tried beside."""
    ALONE.add(promise.__name__)
    return clause(promise)


def greeting(version: str, *, code: int = 0, properties: bytes = b"") -> bytes:
    """Return a CONNACK with this reason code, and these properties where there are any."""
    if version == "5":
        return packet(0x20, bytes((0, code, len(properties))) + properties)
    return packet(0x20, bytes((0, code)))


# -- publishing ------------------------------------------------------------------------------------


@clause
async def what_is_published_arrives_as_it_was(g: Ground) -> None:
    payloads = [b"", b"x", bytes(range(256)), b"y" * 60_000, "æ".encode()]
    bus = g.bus()

    async with g.listening(f"{g.topic}/#") as told, g.running(bus):
        for payload in payloads:
            await bus.publish(g.word(payload, topic=f"{g.topic}/1", content_type="a/b"))
            assert bus.offer(g.word(payload, topic=f"{g.topic}/0", qos=0))
        await g.until(lambda: len(told) == 2 * len(payloads))

    for qos in "01":
        assert [p for topic, p, _ in told if topic.endswith(qos)] == payloads
    assert not any(retained for _, _, retained in told)


@clause
async def many_at_once_all_arrive_once(g: Ground) -> None:
    bus = g.bus()

    async with g.listening() as told, g.running(bus):
        async with asyncio.TaskGroup() as group:
            for number in range(500):
                group.create_task(bus.publish(g.word(b"%d" % number)))
        await g.until(lambda: len(told) >= 500)

    assert sorted(int(payload) for _, payload, _ in told) == list(range(500))


@clause
async def a_retained_state_stands_until_it_is_taken_off(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        await bus.publish(g.word(b"state", retain=True))
        async with g.listening() as before:
            await g.until(lambda: before)
        await bus.publish(g.word(b"", retain=True))
        async with g.listening() as after:
            pass

    assert before == [(g.topic, b"state", True)]
    assert after == []


@clause
async def publish_returns_when_the_broker_has_signed_and_not_before(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        held = g.proxy.hold(Way.DOWN, Kind.PUBACK)
        wait = g.task(bus.publish(g.word()))
        await asyncio.sleep(0.1)
        assert not wait.done()
        g.proxy.release(held)
        assert await g.fate(wait, limit_s=1) is None


@five_only
async def a_bad_reason_code_is_a_refusal_and_a_good_one_is_none(g: Ground) -> None:
    """0x10 says that nobody subscribed: the broker has it all the same."""
    bus = g.bus()

    async with g.running(bus):
        for code in (0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99):
            rule = g.proxy.sign_with(code)
            fate = await g.fate(g.task(bus.publish(g.word())), limit_s=1)
            g.proxy.lift(rule)
            if code < 0x80:
                assert fate is None
            else:
                assert isinstance(fate, PublishRefused), f"0x{code:02x} came to {fate!r}"
                assert (fate.topic, fate.reason_code) == (g.topic, code)
        assert bus.connects == 1


@clause
async def what_can_not_be_taken_is_refused_here_and_costs_no_connection(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        for word, code in (
            (g.word(b"x" * (PAYLOAD_BYTES_MAX + 1)), 0x95),
            (g.word(topic="a/#"), 0x90),
            (g.word(topic="a/+/b"), 0x90),
        ):
            fate = await g.fate(g.task(bus.publish(word)), limit_s=2)
            assert isinstance(fate, PublishRefused), f"came to {fate!r}"
            assert fate.reason_code == code
        assert not bus.offer(g.word(b"x" * (PAYLOAD_BYTES_MAX + 1), qos=0))
        await bus.publish(g.word(b"x" * PAYLOAD_BYTES_MAX))
        assert bus.connects == 1

    assert [
        len(found.body) > PAYLOAD_BYTES_MAX for found in g.proxy.seen(Way.UP, Kind.PUBLISH)
    ] == [True]


@five_only
async def the_limits_that_a_broker_states_are_kept(g: Ground) -> None:
    """A Receive Maximum of 3, and a Maximum Packet Size of 2000 (MQTT 5, section 3.2.2.3)."""
    stated = b"\x21\x00\x03" + b"\x27" + (2000).to_bytes(4, "big")
    g.proxy.replace(Way.DOWN, Kind.CONNACK, greeting("5", properties=stated))
    bus = g.bus()

    async with g.running(bus):
        fate = await g.fate(g.task(bus.publish(g.word(b"x" * 2000))), limit_s=2)
        assert isinstance(fate, PublishRefused), f"came to {fate!r}"
        assert fate.reason_code == 0x95
        assert not bus.offer(g.word(b"x" * 2000, qos=0))
        held = g.proxy.hold(Way.DOWN, Kind.PUBACK)
        waits = [g.task(bus.publish(g.word())) for _ in range(30)]
        await g.until(lambda: g.proxy.sessions[0].unsigned)
        await asyncio.sleep(0.1)
        g.proxy.release(held)
        assert await g.fate(asyncio.gather(*waits), limit_s=2) == [None] * 30

    assert g.proxy.sessions[0].unsigned_most == 3


@clause
async def no_more_than_the_window_is_ever_unsigned(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        held = g.proxy.hold(Way.DOWN, Kind.PUBACK)
        waits = [g.task(bus.publish(g.word())) for _ in range(100)]
        await g.until(lambda: len(g.proxy.sessions[0].unsigned) == WINDOW_MAX)
        await asyncio.sleep(0.1)
        g.proxy.release(held)
        assert await g.fate(asyncio.gather(*waits), limit_s=3) == [None] * 100

    assert g.proxy.sessions[0].unsigned_most == WINDOW_MAX


@clause
async def a_publish_that_is_given_up_keeps_nobody_from_publishing(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        held = g.proxy.hold(Way.DOWN, Kind.PUBACK)
        waits = [g.task(bus.publish(g.word(b"given up"))) for _ in range(2 * WINDOW_MAX)]
        await asyncio.sleep(0.05)
        for wait in waits:
            wait.cancel()
        g.proxy.release(held)
        await g.fate(asyncio.gather(*waits, return_exceptions=True), limit_s=1)
        for _ in range(2 * WINDOW_MAX):
            await bus.publish(g.word())
        assert (bus.connects, bus.connected) == (1, True)


@clause
async def what_is_signed_for_is_counted_on_each_connection_anew(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        for connects in (1, 2):
            assert bus.taken == 0
            for _ in range(3):
                await bus.publish(g.word())
            assert bus.taken == 3
            g.proxy.cut()
            await g.fate(bus.wait_reconnected(connects), limit_s=g.limits.found_s)


# -- links that end --------------------------------------------------------------------------------


async def _cut_with_many_under_way(g: Ground, cut) -> None:
    bus = g.bus()
    async with g.running(bus):
        rule = g.proxy.swallow(Way.DOWN, Kind.PUBACK)
        waits = [g.task(bus.publish(g.word())) for _ in range(5 * WINDOW_MAX)]
        await g.until(lambda: g.proxy.sessions[0].unsigned)
        cut()
        g.proxy.lift(rule)
        fates = await g.fate(
            asyncio.gather(*waits, return_exceptions=True), limit_s=g.limits.lost_s
        )
        assert {type(fate) for fate in fates} == {LinkLost}
        assert await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s) == 2
        assert bus.last_error
        await bus.publish(g.word())


@clause
async def a_cut_ends_every_publish_at_once(g: Ground) -> None:
    await _cut_with_many_under_way(g, g.proxy.cut)


@clause
async def a_reset_ends_every_publish_at_once(g: Ground) -> None:
    await _cut_with_many_under_way(g, g.proxy.reset)


@clause
async def without_a_link_nothing_is_published_and_that_is_said_at_once(g: Ground) -> None:
    bus = g.bus()

    async def is_said() -> None:
        assert isinstance(await g.fate(bus.publish(g.word()), limit_s=0.2), LinkLost)
        assert not bus.offer(g.word(qos=0))
        assert not bus.connected

    await is_said()
    g.proxy.turning_away = True
    async with g.running(bus, connected=False):
        await g.until(lambda: g.proxy.knocks)
        await is_said()
        g.proxy.turning_away = False
        await g.fate(bus.wait_connected(), limit_s=g.limits.found_s)
        await bus.publish(g.word())
    await is_said()


@clause
async def a_broker_that_signs_for_nothing_is_left(g: Ground) -> None:
    """It answers all that it is asked: only what was published shows it."""
    bus = g.bus()

    async with g.running(bus):
        rule = g.proxy.swallow(Way.DOWN, Kind.PUBACK)
        waits = [g.task(bus.publish(g.word())) for _ in range(2 * WINDOW_MAX)]
        fates = await g.fate(
            asyncio.gather(*waits, return_exceptions=True), limit_s=g.limits.unsigned_s
        )
        assert {type(fate) for fate in fates} == {LinkLost}
        g.proxy.lift(rule)
        assert await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s) == 2
        await bus.publish(g.word())


async def _fall_silent(g: Ground, *ways: Way) -> None:
    bus = g.bus()
    async with g.running(bus):
        wait = g.task(bus.publish(g.word()))
        assert await g.fate(wait, limit_s=1) is None
        g.proxy.half_open(*ways)
        wait = g.task(bus.publish(g.word()))
        assert isinstance(await g.fate(wait, limit_s=g.limits.found_s), LinkLost)
        assert await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s) == 2
        await bus.publish(g.word())


@clause
async def a_line_that_has_fallen_silent_is_found_out(g: Ground) -> None:
    await _fall_silent(g)


@clause
async def a_line_that_carries_nothing_up_is_found_out(g: Ground) -> None:
    await _fall_silent(g, Way.UP)


@clause
async def a_line_that_carries_nothing_down_is_found_out(g: Ground) -> None:
    await _fall_silent(g, Way.DOWN)


@clause
async def a_line_is_found_out_while_nobody_publishes(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        g.proxy.half_open()
        await g.until(lambda: bus.connects == 2, limit_s=g.limits.found_s)


@clause
async def nothing_under_way_is_sent_again_by_itself(g: Ground) -> None:
    """Whoever published has been told that nobody knows: to say it again is his to decide."""
    bus = g.bus()

    async with g.running(bus):
        rule = g.proxy.swallow(Way.DOWN, Kind.PUBACK)
        waits = [g.task(bus.publish(g.word(b"before"))) for _ in range(3 * WINDOW_MAX)]
        await g.until(lambda: g.proxy.sessions[0].unsigned)
        g.proxy.cut()
        # However long that takes: another clause is about it.
        await g.fate(asyncio.gather(*waits, return_exceptions=True), limit_s=2 * g.limits.found_s)
        g.proxy.lift(rule)
        await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s)
        await bus.publish(g.word(b"after"))
        await asyncio.sleep(0.1)

    again = [found for found in g.proxy.sessions[1].seen[Way.UP] if found.kind is Kind.PUBLISH]
    assert [found.body.endswith(b"after") for found in again] == [True]


@clause
async def a_publication_that_the_broker_hangs_up_on_ends_like_a_lost_link(g: Ground) -> None:
    def act(session, found):
        if b"poison" not in found.raw:
            return found.raw
        session.cut()
        return None

    g.proxy.on(Way.UP, Kind.PUBLISH, act)
    bus = g.bus()

    async with g.running(bus):
        for connects in (1, 2):
            await bus.publish(g.word(b"good"))
            wait = g.task(bus.publish(g.word(b"poison")))
            assert isinstance(await g.fate(wait, limit_s=g.limits.lost_s), LinkLost)
            await g.fate(bus.wait_reconnected(connects), limit_s=g.limits.found_s)


# -- connecting ------------------------------------------------------------------------------------


@clause
async def connack_followed_by_a_close_is_no_connection(g: Ground) -> None:
    """In one segment: a library may believe itself connected, and wait for ever."""
    rule = g.proxy.hang_up_with(Kind.CONNACK)
    bus = g.bus()

    async with g.running(bus, connected=False):
        await g.until(lambda: len(g.proxy.knocks) >= 3, limit_s=2 * g.limits.found_s)
        assert (bus.connects, bus.connected) == (0, False)
        assert isinstance(await g.fate(bus.publish(g.word()), limit_s=g.limits.lost_s), LinkLost)
        assert bus.last_error
        g.proxy.lift(rule)
        await g.fate(bus.wait_connected(), limit_s=g.limits.found_s)
        assert bus.connects == 1
        await bus.publish(g.word())


@clause
async def a_broker_that_greets_and_says_no_more_is_no_connection(g: Ground) -> None:
    rule = g.proxy.on(
        Way.DOWN, Kind.CONNACK, lambda session, found: (session.silent.add(Way.DOWN), found.raw)[1]
    )
    bus = g.bus()

    async with g.running(bus, connected=False):
        await g.until(lambda: len(g.proxy.knocks) >= 2, limit_s=g.limits.found_s)
        assert (bus.connects, bus.connected) == (0, False)
        g.proxy.lift(rule)
        await g.fate(bus.wait_connected(), limit_s=2 * g.limits.found_s)


@clause
async def a_broker_that_lets_nobody_in_is_named_as_the_reason(g: Ground) -> None:
    code = 0x87 if g.version == "5" else 5
    rule = g.proxy.replace(Way.DOWN, Kind.CONNACK, greeting(g.version, code=code))
    bus = g.bus()

    async with g.running(bus, connected=False):
        await g.until(lambda: bus.last_error)
        assert "not authorized" in bus.last_error.lower()
        assert bus.connects == 0
        g.proxy.lift(rule)
        await g.fate(bus.wait_connected(), limit_s=g.limits.found_s)


@clause
async def a_broker_that_is_away_is_found_when_it_is_back(g: Ground) -> None:
    g.proxy.refuse()
    bus = g.bus()

    async with g.running(bus, connected=False):
        await g.until(lambda: bus.last_error)
        assert "refused" in bus.last_error or "Connect call failed" in bus.last_error
        await g.proxy.accept()
        await g.fate(bus.wait_connected(), limit_s=g.limits.found_s)
        g.proxy.refuse()
        g.proxy.cut()
        await g.until(lambda: not bus.connected, limit_s=g.limits.lost_s)
        await g.proxy.accept()
        await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s)
        await bus.publish(g.word())


@clause
async def pauses_between_attempts_grow_and_are_diced(g: Ground) -> None:
    """Six that were thrown out together don't come back together, and ever more rarely."""
    async with contextlib.AsyncExitStack() as lines:
        proxies = [await lines.enter_async_context(proxied(g.broker)) for _ in range(6)]
        for proxy in proxies:
            proxy.turning_away = True
        buses = [g.bus(port=proxy.port, dice=dice) for dice, proxy in enumerate(proxies)]
        async with g.running(*buses, connected=False):
            await g.until(
                lambda: all(len(proxy.knocks) >= 5 for proxy in proxies),
                limit_s=2 * g.limits.found_s,
            )

    # Over all six: in haste the first pauses are as short as a busy machine's own.
    gaps = [[after - before for before, after in pairwise(proxy.knocks)] for proxy in proxies]
    first, fourth = (sum(each[place] for each in gaps) for place in (0, 3))
    assert fourth > 2 * first
    fifth = [proxy.knocks[4] - proxy.knocks[0] for proxy in proxies]
    assert max(fifth) - min(fifth) > 0.1 * min(fifth)


@clause
async def whoever_waits_learns_of_each_connection_and_of_no_other(g: Ground) -> None:
    bus = g.bus()
    waiting = g.task(bus.wait_connected())
    first = g.task(bus.wait_reconnected(0))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert (bus.connects, bus.connected, bus.last_error) == (0, False, None)

    async with g.running(bus):
        assert await g.fate(waiting, limit_s=1) is None
        assert await g.fate(first, limit_s=1) == 1
        assert (bus.connects, bus.connected) == (1, True)
        assert await g.fate(bus.wait_connected(), limit_s=0.1) is None
        assert await g.fate(bus.wait_reconnected(0), limit_s=0.1) == 1
        second = g.task(bus.wait_reconnected(1))
        await asyncio.sleep(0.05)
        assert not second.done()
        g.proxy.cut()
        assert await g.fate(second, limit_s=g.limits.found_s) == 2
        assert (bus.connects, bus.connected) == (2, True)

    assert not bus.connected


@clause
async def a_slow_line_is_no_dead_one(g: Ground) -> None:
    """A tenth of a second each way in haste, a whole one otherwise: as a satellite's."""
    for way in Way:
        g.proxy.delay_s[way] = g.limits.found_s / 14
    bus = g.bus()

    async with g.running(bus):
        waits = [g.task(bus.publish(g.word())) for _ in range(WINDOW_MAX)]
        fates = await g.fate(asyncio.gather(*waits), limit_s=g.limits.found_s)
        assert fates == [None] * WINDOW_MAX
        await asyncio.sleep(g.limits.found_s / 2)
        assert bus.connects == 1


@alone
async def many_connections_leave_nothing_behind(g: Ground) -> None:
    bus = g.bus()

    async with g.running(bus):
        await asyncio.sleep(0.02)
        tasks, files = len(asyncio.all_tasks()), files_open()
        for connects in range(1, 6):
            wait = g.task(bus.publish(g.word()))
            (g.proxy.cut if connects % 2 else g.proxy.reset)()
            assert await g.fate(bus.wait_reconnected(connects), limit_s=g.limits.found_s)
            await g.fate(wait, limit_s=g.limits.lost_s)
        await g.until(lambda: len(g.proxy.open) == 1)
        await asyncio.sleep(0.02)
        assert len(asyncio.all_tasks()) <= tasks
        assert files_open() <= files


# -- QoS 0 -----------------------------------------------------------------------------------------


@alone
async def an_offer_never_waits_and_fills_no_memory(g: Ground) -> None:
    """The broker stands still; what the sockets and a backlog hold is all that is taken."""
    bus = g.bus()
    routine = g.word(b"x" * 1000, qos=0)

    async with g.running(bus):
        g.proxy.stall(Way.UP)
        before, began = memory_bytes(), asyncio.get_running_loop().time()
        taken = 0
        for _ in range(10 * OFFERS_MAX):
            taken += bus.offer(routine)
            assert taken < OFFERS_MAX
        assert asyncio.get_running_loop().time() - began < 3
        assert memory_bytes() - before < 10_000_000
        g.proxy.flow()
        await g.until(lambda: bus.connected and bus.offer(routine))


# -- what is told to us ----------------------------------------------------------------------------


@clause
async def what_is_told_to_us_comes_in_order_and_once(g: Ground) -> None:
    bus = g.bus(topics=[f"{g.topic}/#"])

    async with g.running(bus), g.telling() as teller:
        for number in range(50):
            await teller.publish(g.word(b"%d" % number, topic=f"{g.topic}/a"))
        found = []
        async with contextlib.aclosing(bus.received()) as hearing:
            while len(found) < 50:
                found.append(await g.fate(anext(hearing), limit_s=2))

    assert [int(incoming.payload) for incoming in found] == list(range(50))
    assert {(i.topic, i.qos, i.retained) for i in found} == {(f"{g.topic}/a", 1, False)}


@clause
async def a_thing_is_signed_for_when_the_next_is_asked_for_and_not_before(g: Ground) -> None:
    bus = g.bus(topics=[g.topic])

    def signed() -> list[int]:
        return [found.mid for found in g.proxy.seen(Way.UP, Kind.PUBACK)]

    async with (
        g.running(bus),
        g.telling() as teller,
        contextlib.aclosing(bus.received()) as hearing,
    ):
        await teller.publish(g.word(b"first"))
        await teller.publish(g.word(b"second"))
        first = await g.fate(anext(hearing), limit_s=1)
        await asyncio.sleep(0.1)
        assert signed() == []
        second = await g.fate(anext(hearing), limit_s=1)
        assert [first.payload, second.payload] == [b"first", b"second"]
        await g.until(lambda: signed() == [first.mid], limit_s=1)
        asking = g.task(anext(hearing))
        await g.until(lambda: signed() == [first.mid, second.mid], limit_s=1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


@clause
async def what_is_told_twice_is_heard_twice_and_signed_for_twice(g: Ground) -> None:
    """Who hears must know a thing by its name: nothing here remembers what was heard."""
    g.proxy.twice(Way.DOWN, times=1)
    bus = g.bus(topics=[g.topic])

    async with g.running(bus), g.telling() as teller:
        async with contextlib.aclosing(bus.received()) as hearing:
            await teller.publish(g.word(b"twice"))
            await teller.publish(g.word(b"last"))
            found = [await g.fate(anext(hearing), limit_s=1) for _ in range(3)]
        assert [incoming.payload for incoming in found] == [b"twice", b"twice", b"last"]
        await asyncio.sleep(0.1)
        assert len(g.proxy.seen(Way.UP, Kind.PUBACK)) == 2


@clause
async def what_is_told_to_us_goes_on_after_a_lost_link(g: Ground) -> None:
    bus = g.bus(topics=[g.topic])
    heard = []

    async def hear() -> None:
        async for incoming in bus.received():
            heard.append(incoming.payload)  # noqa: PERF401  # it never ends

    async with g.running(bus), g.telling() as teller:
        g.task(hear())
        for connects, word in enumerate((b"first", b"second", b"third"), 1):
            await teller.publish(g.word(word))
            await g.until(lambda word=word: word in heard, limit_s=2)
            (g.proxy.cut if connects % 2 else g.proxy.reset)()
            await g.fate(bus.wait_reconnected(connects), limit_s=g.limits.found_s)

    assert heard == [b"first", b"second", b"third"]


@clause
async def each_connection_owes_nothing_of_the_one_before(g: Ground) -> None:
    """It asks for no session, and what was heard over one is never signed for over the next."""
    bus = g.bus(topics=[g.topic])

    async with (
        g.running(bus),
        g.telling() as teller,
        contextlib.aclosing(bus.received()) as hearing,
    ):
        await teller.publish(g.word(b"before"))
        assert (await g.fate(anext(hearing), limit_s=1)).payload == b"before"
        g.proxy.cut()
        await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s)
        asking = g.task(anext(hearing))
        await asyncio.sleep(0.1)
        assert not asking.done()
        await teller.publish(g.word(b"after"))
        assert (await g.fate(asking, limit_s=1)).payload == b"after"

    assert not g.proxy.seen(Way.UP, Kind.PUBACK)
    assert [found.starts_clean for found in g.proxy.seen(Way.UP, Kind.CONNECT)] == [True, True]


@clause
async def half_of_a_thing_is_never_heard(g: Ground) -> None:
    bus = g.bus(topics=[g.topic])

    async with (
        g.running(bus),
        g.telling() as teller,
        contextlib.aclosing(bus.received()) as hearing,
    ):
        g.proxy.truncate(Way.DOWN, Kind.PUBLISH, keep=len(g.topic) + 20)
        await teller.publish(g.word(b"h" * 100))
        await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s)
        await teller.publish(g.word(b"whole"))
        assert (await g.fate(anext(hearing), limit_s=2)).payload == b"whole"


@clause
async def a_refused_subscription_is_no_connection_and_is_said_so(g: Ground) -> None:
    def refuse(_session, found):
        middle = b"\x00" if g.version == "5" else b""
        code = b"\x87" if g.version == "5" else b"\x80"
        return packet(0x90, found.mid.to_bytes(2, "big") + middle + code)

    rule = g.proxy.on(Way.DOWN, Kind.SUBACK, refuse)
    bus = g.bus(topics=[g.topic])

    async with g.running(bus, connected=False):
        await g.until(lambda: bus.last_error, limit_s=2)
        assert (bus.connects, bus.connected) == (0, False)
        assert g.topic in bus.last_error
        assert "refused" in bus.last_error
        g.proxy.lift(rule)
        await g.fate(bus.wait_connected(), limit_s=g.limits.found_s)


# -- leaving ---------------------------------------------------------------------------------------


@clause
async def who_vanishes_is_told_dead_and_who_leaves_says_so(g: Ground) -> None:
    def will():
        return g.word(b"off", retain=True, content_type="a/b")

    on = replace(will(), payload=b"on")
    bus = g.bus(will=will)

    async with g.listening() as told:
        async with g.running(bus):
            await bus.publish(on)
            g.proxy.reset()
            await g.until(lambda: [p for _, p, _ in told] == [b"on", b"off"])
            await g.fate(bus.wait_reconnected(1), limit_s=g.limits.found_s)
            await bus.publish(on)
        await g.until(lambda: [p for _, p, _ in told] == [b"on", b"off", b"on", b"off"], limit_s=2)

    async with g.listening() as late:
        await g.until(lambda: late)
    assert late == [(g.topic, b"off", True)]
    assert g.proxy.sessions[1].seen[Way.UP][-1].kind is Kind.DISCONNECT


@clause
async def leaving_waits_for_no_broker_that_says_nothing(g: Ground) -> None:
    for fault in (g.proxy.half_open, lambda: g.proxy.stall(Way.UP)):
        bus = g.bus(will=lambda: g.word(b"off"))
        async with g.running(bus):
            fault()
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < g.limits.leave_s
