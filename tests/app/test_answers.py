"""What a packed modem answers: who it is, that it lives, and what became of an order."""

from __future__ import annotations

import asyncio

import pytest
from app.sending import SHIP, Desk, on_duty
from msgspec.structs import replace

from gateway.app import transmitting
from gateway.framing import framer_named
from gateway.model.inbound import Chunk
from gateway.model.plan import PortPlan
from gateway.model.transmission import Acknowledge, Adjust, Distress
from gateway.radio.packed import write_letter, write_packet
from gateway.radio.packed.compose import order_name
from gateway.radio.packed.letters import Hello, Outcome
from gateway.radio.packed.packet import Packet, PacketKind
from gateway.settings import profile_named

FRAMER = framer_named("cobs")
MODEM = PortPlan(
    name="modem",
    device="memory:modem",
    modem="generic-packed-transmit",
    profile=replace(profile_named("generic-packed-transmit"), freq_hz=156_525_000),
    modem_serial="17-0042",
)
LINK_TEST = Adjust(what="link_test")
ACK = Acknowledge(distress=Distress(mmsi=SHIP))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transmitting, "LOOK_S", 0.002)
    monkeypatch.setattr(transmitting, "REST_S", 0.002)


class Bench(Desk):
    """A station with a packed modem beside its other radios."""

    more = (MODEM,)

    def says(self, kind, number, payload=b""):
        """Have the modem say a packet."""
        wire = FRAMER.wrap(write_packet(Packet(kind, number, payload)))
        self.clock.pass_s(0.01)
        self._take(self.rooms.inbound(Chunk("modem", self.clock.now(), wire, gap=False)))
        self._take(self.rooms.inbound(Chunk("modem", self.clock.now(), b"", gap=True)))

    def is_known(self, serial="17-0042"):
        self.says(PacketKind.TELL, 0, write_letter(Hello(modem="vhf-1", serial=serial, start=1)))

    def done(self, place, done, why=None):
        said = Outcome(id=order_name("c1", place), done=done, why=why)
        self.says(PacketKind.SAY, 1 + place, write_letter(said))

    @property
    def standing(self):
        return self.wires["modem"].state.transmit.now


def told(scene, *, messages=1):
    """Run a scene on a bench whose orders are of so many messages; return the bench."""

    class Several(Bench):
        def compose(self, letter, *_):
            return tuple(f"{letter.command_id}/{place}".encode() for place in range(messages))

    async def run():
        async with on_duty(Several()) as bench:
            await bench.until(lambda: bench.duty.unfinished.begun)
            await scene(bench)
            await bench.settled()
        return bench

    return asyncio.run(run())


async def transmitted(bench, action):
    assert bench.order(action, port="modem").outcome.reason is None
    await bench.until(lambda: "transmitted" in bench.stages())


def test_nothing_is_handed_to_a_modem_that_has_not_said_who_it_is_or_is_another():
    async def scene(bench):
        assert bench.standing == "unproven"
        assert "has not said who it is" in bench.order(LINK_TEST, port="modem").outcome.reason
        bench.is_known("99-9999")
        assert "99-9999" in bench.order(LINK_TEST, port="modem").outcome.reason
        bench.is_known()
        assert bench.standing == "ready"

    assert not told(scene).air


def test_a_link_test_is_confirmed_by_its_answer_and_is_no_transmission():
    """Not even with the clauses of a coast station, which name no such purpose."""

    async def scene(bench):
        bench.is_known()
        before = bench.disk.items[:]
        await transmitted(bench, LINK_TEST)
        bench.says(PacketKind.ECHO, 0, b"anything")
        await bench.until(lambda: "confirmed" in bench.stages())
        bench.new = bench.disk.items[len(before) :]

    bench = told(scene)
    (note,) = (one for one in bench.new if getattr(one, "stage", None) == "transmitting")

    assert bench.last("c1").reason == "its modem has answered"
    assert bench.wires["modem"].state.tested_mono_ns == note.mono_ns
    assert note.airtime_s == 0
    assert {type(one).__name__ for one in bench.new} >= {"VerdictNote", "TransmissionNote"}
    assert "Stated" not in {type(one).__name__ for one in bench.new}


def test_a_modem_that_has_stalled_takes_link_tests_alone_and_one_that_it_answers_heals_it():
    async def scene(bench):
        bench.is_known()
        bench.wires["modem"].stall()
        assert "took no bytes" in bench.order(ACK, port="modem").outcome.reason
        await transmitted(bench, LINK_TEST)
        assert bench.standing == "dead"
        bench.says(PacketKind.ECHO, 0)
        assert bench.standing == "ready"

    told(scene)


@pytest.mark.parametrize(
    ("said", "stage", "reason"),
    [
        ([(0, "sent")], "transmitted", None),
        ([(0, "sent"), (0, "sent")], "transmitted", None),
        ([(0, "sent"), (1, "sent")], "confirmed", "its modem has sent it"),
        ([(1, "sent"), (0, "sent")], "confirmed", "its modem has sent it"),
        ([(0, "expired")], "failed", "its modem has not sent it: expired"),
        (
            [(0, "sent"), (1, "refused", "no clock")],
            "failed",
            "its modem has not sent it: no clock",
        ),
        ([(2, "sent")], "transmitted", None),
    ],
    ids=["half", "twice", "whole", "turned", "expired", "refused", "another"],
)
def test_what_a_modem_says_of_each_message_is_what_became_of_the_order(said, stage, reason):
    async def scene(bench):
        bench.is_known()
        bench.hears(b"$CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E")
        await transmitted(bench, ACK)
        for one in said:
            bench.done(*one)
        await bench.settled()

    last = told(scene, messages=2).last("c1")

    assert (last.stage, last.reason) == (stage, reason)


@pytest.mark.parametrize(("number", "stage"), [(0, "failed"), (1, "failed"), (2, "transmitted")])
def test_what_a_modem_can_not_take_has_failed(number, stage):
    async def scene(bench):
        bench.is_known()
        bench.hears(b"$CDDSC,12,2321234560,12,05,00,1503000500,1207,,,S,E")
        await transmitted(bench, ACK)
        bench.says(PacketKind.NAK, number, b"too long")
        await bench.settled()

    last = told(scene, messages=2).last("c1")

    assert last.stage == stage
    assert last.reason == ("its modem can't take it: too long" if stage == "failed" else None)
