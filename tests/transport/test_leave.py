"""Leave to hand bytes to a port: once, for these bytes, now, and to a modem that takes them."""

import asyncio
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from permits_made import permit_for, transmit

from gateway.clock import Clock
from gateway.transport import TransmitRefused
from gateway.transport import leave as leave_door
from gateway.transport.leave import Leave
from gateway.transport.memory import Modem

CALL = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"


@pytest.fixture
def modem():
    return Modem()


@pytest.fixture
def bench(port_of, modem):
    """Make a port to that modem."""
    return lambda **facts: port_of(
        "memory:bench", modems={"bench": modem}, **{"transmit": True, **facts}
    )


@asynccontextmanager
async def opened(port):
    """Listen at a port, which is open by now."""
    listening = asyncio.ensure_future(anext(port.chunks()))
    async with asyncio.timeout(1):
        while port.state.state != "open":
            await asyncio.sleep(0)
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait([listening])


def told(port, *attempts):
    """Open the port, hand it each permit with its bytes, and return what came of each."""

    async def story():
        async with opened(port):
            return [await tried(port, *attempt) for attempt in attempts]

    return asyncio.run(story())


async def tried(port, permit, data):
    """Return why nothing went out; None when it did."""
    try:
        await port.transmit(permit, data)
    except TransmitRefused as refused:
        return refused.reason


def test_bytes_with_leave_go_out_whole(bench, modem):
    assert told(bench(), (permit_for("one", CALL), CALL)) == [None]
    assert modem.written == CALL


@pytest.mark.parametrize(
    ("permit", "data", "reason"),
    [
        (permit_for("two", CALL), CALL, "the permit is for port two"),
        (permit_for("one", b"other"), CALL, "the permit is for other bytes"),
        (permit_for("one", CALL), CALL[:-1], "the permit is for other bytes"),
        (permit_for("one", CALL, good_for_s=-0.5), CALL, "the permit ended"),
        (permit_for("one", b""), b"", "there is nothing to transmit"),
        (permit_for("one", bytes(5000)), bytes(5000), "5000 bytes are more than the 4096"),
    ],
    ids=["another port", "other bytes", "fewer bytes", "ended", "nothing", "too many"],
)
def test_without_leave_for_just_this_nothing_goes_out(bench, modem, permit, data, reason):
    assert told(bench(), (permit, data))[0].startswith(reason)
    assert modem.written == b""


def test_a_permit_is_good_once(bench, modem):
    permit = permit_for("one", CALL)

    assert told(bench(), (permit, CALL), (permit, CALL)) == [None, "the permit was used already"]
    assert modem.written == CALL


def test_a_permit_that_was_refused_is_not_used_up(bench, modem):
    permit = permit_for("one", CALL)

    assert told(bench(), (permit, b"other"), (permit, CALL))[1] is None
    assert modem.written == CALL


def test_a_permit_that_ended_while_it_waited_its_turn_begins_nothing(bench, modem):
    """No byte begins late: it is looked at when its turn comes, not when it is handed in."""
    port, permit = bench(), permit_for("one", CALL, good_for_s=0.05)

    async def story():
        async with opened(port):
            async with port._turn:
                waiting = asyncio.ensure_future(tried(port, permit, CALL))
                await asyncio.sleep(0.1)
            return await waiting

    assert asyncio.run(story()).startswith("the permit ended")
    assert modem.written == b""


def test_what_only_looks_like_a_permit_is_none(bench, modem):
    fake = SimpleNamespace(until_mono_ns=2**62, covers=lambda *_: None)

    with pytest.raises(TypeError):
        told(bench(), (fake, CALL))
    assert modem.written == b""


def test_a_port_without_a_transmitter_never_transmits(bench, modem):
    port = bench(transmit=False)

    assert port.state.transmit.now == "never"
    assert told(port, (permit_for("one", CALL), CALL)) == ["its profile has transmit = false"]
    assert modem.written == b""


def test_a_tape_never_takes_anything(plan_of):
    leave = Leave(replace(plan_of("tape:/nowhere.tape", transmit=True), played=True))
    leave.opened(None, 0)

    assert leave.standing.now == "never"


def test_a_port_that_is_not_open_refuses(bench):
    port = bench()

    with pytest.raises(TransmitRefused, match="the port is not open"):
        asyncio.run(transmit(port, CALL))
    assert (port.state.transmit.now, port.state.transmit.reason) == (
        "unproven",
        "the port is not open",
    )


def test_more_permits_than_can_be_remembered_are_good_for_nothing(plan_of, monkeypatch):
    """Forgetting one that still runs would let it be used twice; those that ended are forgotten."""
    monkeypatch.setattr(leave_door, "USED_MAX", 2)
    leave = Leave(plan_of("memory:bench", transmit=True))
    leave.opened(None, 0)
    used = [permit_for("one", CALL) for _ in range(3)]
    now_ns = Clock().now().mono_ns
    for permit in used[:2]:
        leave.take(permit, CALL, now_ns)

    with pytest.raises(TransmitRefused, match="2 permits were used within seconds"):
        leave.take(used[2], CALL, now_ns)
    fresh = permit_for("one", CALL, good_for_s=60)
    with pytest.raises(TransmitRefused, match="the permit ended"):
        leave.take(used[0], CALL, used[2].until_mono_ns + 1)
    assert not leave._used
    leave.take(fresh, CALL, fresh.until_mono_ns)


# ---- Whom it speaks to --------------------------------------------------------------------------

RIGHT = "0403:6001:A50285BI"
PACKED = {"radio": ("packed",), "hello": True, "transmit": True}


@pytest.mark.parametrize(
    ("device", "wanted", "found", "reason"),
    [
        ("/dev/ttyUSB0", RIGHT, RIGHT, None),
        ("by-path:socket-1", RIGHT, RIGHT, None),
        ("/dev/ttyS0", "none", "none", None),
        ("by-id:usb-FTDI_A50285BI", None, None, None),
        ("/dev/serial/by-id/usb-FTDI_A50285BI", None, None, None),
        ("udev:ID_VENDOR_ID=0403,ID_SERIAL_SHORT=A50285BI", None, None, None),
        ("tcp://127.0.0.1:8001", None, None, None),
        ("/dev/ttyUSB0", None, RIGHT, "nobody has said which adapter has to stand there"),
        ("/dev/serial/by-path/x", None, RIGHT, "nobody has said which adapter"),
        ("by-path:socket-1", None, RIGHT, "nobody has said which adapter"),
        ("udev:ID_VENDOR_ID=0403", None, RIGHT, "nobody has said which adapter"),
        ("/dev/ttyUSB0", RIGHT, None, "nobody can tell which adapter stands there"),
        ("/dev/ttyUSB0", RIGHT, "0403:6001:A50285BJ", "adapter 0403:6001:A50285BJ stands there"),
        ("/dev/ttyUSB0", RIGHT, "none", "adapter none stands there, not 0403:6001:A50285BI"),
        ("/dev/ttyS0", "none", RIGHT, "adapter 0403:6001:A50285BI stands there, not none"),
        ("by-id:usb-FTDI_A50285BI", RIGHT, "1a86:7523:", "adapter 1a86:7523: stands there"),
    ],
)
def test_only_the_adapter_that_was_meant_is_spoken_to(plan_of, device, wanted, found, reason):
    leave = Leave(plan_of(device, transmit=True, port={"adapter": wanted}))
    leave.opened(found, 0)
    permit = permit_for("one", CALL)

    if reason is None:
        assert leave.standing.now == "ready"
        leave.take(permit, CALL, 0)
    else:
        assert leave.standing.now == "unproven"
        with pytest.raises(TransmitRefused, match=reason):
            leave.take(permit, CALL, 0)


def test_whoever_happens_to_call_is_never_spoken_to(plan_of):
    leave = Leave(plan_of("tcp-listen://127.0.0.1:10111", transmit=True))
    leave.opened(None, 0)

    assert leave.standing.now == "never"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([], "the modem has not said who it is since the port was opened"),
        ([("17-0042", 99)], "the modem has not said who it is since the port was opened"),
        ([("17-0042", 100)], None),
        ([("17-0043", 100)], "the modem says serial number 17-0043, not 17-0042"),
        ([(None, 100)], "the modem says no serial number, not 17-0042"),
        ([("17-0042", 100), ("17-0043", 200)], "the modem says serial number 17-0043"),
        ([("17-0043", 100), ("17-0042", 200)], None),
    ],
    ids=["nothing", "before", "right", "another", "none", "another later", "right later"],
)
def test_a_packed_modem_has_to_say_who_it_is_after_each_opening(plan_of, said, reason):
    """What was said before the opening was said by another modem, for all that is known."""
    leave = Leave(plan_of("memory:m", port={"modem_serial": "17-0042"}, **PACKED))
    leave.opened(None, 100)
    for serial, heard_ns in said:
        leave.recognised(serial, heard_ns)

    assert leave.standing.now == ("unproven" if reason else "ready")
    assert (leave.standing.reason or "").startswith(reason or "")
    leave.lost()
    leave.opened(None, 300)
    assert leave.standing.reason == "the modem has not said who it is since the port was opened"


@pytest.mark.parametrize(
    ("hello", "serial"), [(False, None), (True, None), (False, "17-0042")], ids=str
)
def test_a_packed_modem_that_nobody_can_tell_from_another_never_transmits(plan_of, hello, serial):
    facts = {**PACKED, "hello": hello}
    leave = Leave(plan_of("memory:m", port={"modem_serial": serial}, **facts))
    leave.opened(None, 0)
    leave.recognised(None, 0)

    assert leave.standing.now == "never"


def test_another_modem_s_hello_changes_nothing_where_none_is_asked_for(plan_of):
    leave = Leave(plan_of("memory:m", transmit=True))
    leave.opened(None, 0)
    leave.recognised("17-0043", 1)

    assert leave.standing.now == "ready"


def test_a_swapped_adapter_gets_no_byte_until_the_right_one_is_back(bench, modem):
    """Each opening asks anew; hearing goes on whoever stands there."""
    modem.adapter = "1a86:7523:"
    port = bench(port={"adapter": RIGHT})

    async def story():
        async with aclosing(port.chunks()) as chunks:
            modem.feed(b"x")
            assert (await anext(chunks)).data == b"x"
            refused = await tried(port, permit_for("one", CALL), CALL)
            modem.hang_up()
            await anext(chunks)
            modem.adapter = RIGHT
            modem.plug_in()
            modem.feed(b"y")
            await anext(chunks)
            assert modem.written == b""
            await transmit(port, CALL)
        return refused

    assert asyncio.run(story()) == f"adapter 1a86:7523: stands there, not {RIGHT}"
    assert modem.written == CALL


# ---- A modem that has stalled -------------------------------------------------------------------


def test_a_stalled_modem_is_healed_by_a_link_test_that_it_answers(plan_of):
    """Such a test keys nothing. What was said before it went out is no answer to it."""
    leave = Leave(plan_of("memory:m", transmit=True))
    leave.opened(None, 0)
    leave.stalled()
    leave.answered(50)
    assert leave.standing.now == "dead"
    with pytest.raises(TransmitRefused, match="took no bytes"):
        leave.take(permit_for("one", CALL), CALL, 100)
    leave.take(permit_for("one", CALL, airtime_s=0), CALL, 100)
    leave.answered(99)
    assert leave.standing.now == "dead"
    leave.answered(101)
    assert leave.standing.now == "ready"


def test_a_link_test_that_stalls_as_well_heals_nothing(plan_of):
    leave = Leave(plan_of("memory:m", transmit=True))
    leave.opened(None, 0)
    leave.stalled()
    leave.take(permit_for("one", CALL, airtime_s=0), CALL, 100)
    leave.stalled()
    leave.answered(101)

    assert leave.standing.now == "dead"


def test_nothing_at_all_is_said_to_an_unknown_modem_not_even_a_test(plan_of):
    leave = Leave(plan_of("/dev/ttyUSB0", transmit=True, port={"adapter": RIGHT}))
    leave.opened("1a86:7523:", 0)

    with pytest.raises(TransmitRefused, match="stands there"):
        leave.take(permit_for("one", CALL, airtime_s=0), CALL, 100)
