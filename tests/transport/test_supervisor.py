"""One port, through every loss of its wire. The modem is in memory."""

import asyncio
import random
import time
from contextlib import aclosing

import pytest
from permits_made import transmit

from gateway.transport import READ_BYTES_MAX, TransmitRefused, WriteStalled
from gateway.transport.memory import MemoryWay, Modem
from gateway.transport.supervisor import (
    BACKOFF_S_MAX,
    BACKOFF_S_MIN,
    BYTES_PER_S_MAX,
    backoff_s,
)


async def heard(chunks, limit_s=1.0):
    return await asyncio.wait_for(anext(chunks), limit_s)


def test_every_opening_is_a_gap_and_every_loss_ends_the_story(port_of):
    """gap, no gap; the loss is told at once with an empty chunk; after reopening a gap again."""
    modem = Modem()
    port = port_of("memory:bench", modems={"bench": modem})

    async def story():
        seen = []
        async with aclosing(port.chunks()) as chunks:
            for words in (b"one", b"two"):
                modem.feed(words)
                seen.append(await heard(chunks))
            modem.hang_up()
            seen.append(await heard(chunks))
            asyncio.get_running_loop().call_later(0.1, lambda: (modem.plug_in(), modem.feed(b"3")))
            seen.append(await heard(chunks))
        return seen

    seen = asyncio.run(story())

    assert [(chunk.data, chunk.gap) for chunk in seen] == [
        (b"one", True),
        (b"two", False),
        (b"", True),
        (b"3", True),
    ]
    assert {chunk.port for chunk in seen} == {"one"}


def test_the_state_tells_what_an_operator_asks(port_of, events):
    modem = Modem()
    port = port_of("memory:bench", modems={"bench": modem}, transmit=True)

    async def story():
        assert port.state.state == "waiting"
        async with aclosing(port.chunks()) as chunks:
            modem.feed(b"12345")
            await heard(chunks)
            state = port.state

            assert (state.state, state.bytes_in, state.reopened) == ("open", 5, 0)
            assert state.resolved == "memory:bench"
            assert state.open_since_utc is not None
            assert time.monotonic_ns() - state.last_byte_mono_ns < 10**9

            await transmit(port, b"$TEST")
            assert bytes(modem.written) == b"$TEST"
            assert state.bytes_out == 5

            modem.hang_up()
            await heard(chunks)
            assert (state.state, state.last_error) == ("waiting", "hung up")
            assert (state.resolved, state.open_since_utc) == (None, None)
            assert state.retry_at_mono_ns > time.monotonic_ns() - 10**9

            modem.plug_in()
            modem.feed(b"back")
            await heard(chunks)
            assert (state.state, state.reopened, state.retry_at_mono_ns) == ("open", 1, None)

    asyncio.run(story())

    assert [event["event"] for event in events] == ["port_opened", "port_lost", "port_opened"]


def test_a_port_that_stays_away_is_logged_once(port_of, events):
    """Hundreds of vain attempts are one line in the log, and never a busy loop."""
    port = port_of("memory:nobody")

    async def story():
        task = asyncio.create_task(anext(port.chunks()))
        begun = time.process_time()
        await asyncio.sleep(0.7)
        task.cancel()
        return time.process_time() - begun

    busy_s = asyncio.run(story())

    assert [event["reason"] for event in events] == ["no such modem in memory"]
    assert 2 <= port._attempt <= 6
    assert busy_s < 0.1


def test_retry_now_does_not_wait(port_of):
    port = port_of("memory:nobody")

    async def story():
        task = asyncio.create_task(anext(port.chunks()))
        await asyncio.sleep(0.02)
        port._retry_mono_ns += 60e9
        attempt = port._attempt
        await asyncio.sleep(0.1)
        assert port._attempt == attempt
        port.retry_now()
        await asyncio.sleep(0.1)
        task.cancel()
        return attempt

    attempt = asyncio.run(story())

    assert port._attempt == attempt + 1


def test_silence_is_told_until_a_byte_comes(port_of):
    modem = Modem()
    port = port_of("memory:bench", modems={"bench": modem}, silence_s=0.05)

    async def story():
        async with aclosing(port.chunks()) as chunks:
            waiting = asyncio.ensure_future(anext(chunks))
            await asyncio.sleep(0.18)
            assert port.state.state == "silent"
            assert 2 <= port.state.silences <= 4
            assert port.state.last_error == "silent for 0.05 s"
            modem.feed(b"hello")
            chunk = await waiting
            assert (chunk.data, chunk.gap) == (b"hello", True)
            assert port.state.state == "open"

    asyncio.run(story())


def test_a_modem_without_a_silence_time_may_be_silent_for_ever(port_of):
    """A DSC receiver speaks when called; its silence says nothing."""
    port = port_of("memory:bench", modems={"bench": Modem()})

    async def story():
        task = asyncio.create_task(anext(port.chunks()))
        await asyncio.sleep(0.7)
        assert (port.state.state, port.state.silences) == ("open", 0)
        task.cancel()

    asyncio.run(story())


def test_a_stalled_modem_is_spoken_to_again_only_when_it_was_opened_anew(port_of):
    """It never heals by itself: what it was left with may still come out of it."""
    modem = Modem()
    port = port_of("memory:bench", modems={"bench": modem}, transmit=True)

    async def story():
        async with aclosing(port.chunks()) as chunks:
            modem.feed(b"x")
            await heard(chunks)
            modem.stalled = True
            with pytest.raises(WriteStalled):
                await transmit(port, b"order")
            assert port.state.transmit.now == "dead"
            modem.feed(b"y")
            assert (await heard(chunks)).data == b"y"
            modem.stalled = False
            with pytest.raises(TransmitRefused, match="only opening it anew"):
                await transmit(port, b"order")
            assert modem.written == b""
            modem.hang_up()
            await heard(chunks)
            modem.plug_in()
            modem.feed(b"z")
            await heard(chunks)
            assert port.state.transmit.now == "ready"
            await transmit(port, b"order")
            assert port.state.bytes_out == 5

    asyncio.run(story())


def test_a_fault_of_ours_in_one_port_stays_there(port_of, monkeypatch, events):
    """An exception nobody foresaw is logged, told, and tried again; it never comes out."""

    async def broken(_self):
        raise ZeroDivisionError

    monkeypatch.setattr(MemoryWay, "open", broken)
    port = port_of("memory:bench", modems={"bench": Modem()})

    async def story():
        with pytest.raises(TimeoutError):
            await heard(port.chunks(), 0.3)

    asyncio.run(story())

    assert port.state.last_error == "fault of ours: ZeroDivisionError"
    assert events[0]["event"] == "port_failed"
    assert 2 <= port._attempt <= 5


def test_a_flood_is_held_to_what_a_modem_can_say(port_of):
    """Ten times the fastest modem and no more: the rest of the processor is for other ports."""
    modem = Modem()
    port = port_of("memory:bench", modems={"bench": modem})
    flood = 1_000_000
    modem.feed(bytes(flood))

    async def story():
        total = 0
        async with aclosing(port.chunks()) as chunks:
            begun = time.monotonic()
            while total < flood:
                chunk = await heard(chunks)
                assert len(chunk.data) <= READ_BYTES_MAX
                total += len(chunk.data)
        return time.monotonic() - begun

    assert asyncio.run(story()) > 0.8 * flood / BYTES_PER_S_MAX


@pytest.mark.parametrize("attempt", [0, 1, 5, 20, 10**6])
def test_back_off_grows_to_its_bound_and_never_beyond(attempt):
    dice = random.Random(attempt)
    waits = [backoff_s(attempt, dice) for _ in range(1000)]
    longest = min(BACKOFF_S_MAX, BACKOFF_S_MIN * 2 ** min(attempt, 30))

    assert longest / 2 <= min(waits) < max(waits) <= longest
    assert max(waits) - min(waits) > longest / 4
