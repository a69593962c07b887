"""The gateway's end of the packed link, held against the reference modem, which shares no code."""

from __future__ import annotations

import random

import pytest

from gateway.framing import framer_named
from gateway.model.inbound import Chunk, Moment
from gateway.radio.packed.letters import Ask, Order
from gateway.radio.packed.packet import Packet, PacketKind, answer_to, read_packet, write_packet
from gateway.radio.packed.sender import (
    AWAITED_MAX,
    COME_ROUND,
    FULL,
    TEST_BYTES_MAX,
    TOO_LONG,
    UNDER_TEST,
    Sender,
    Settled,
)
from hardware.rig import packed_modem as rig

S_NS = 10**9
ASK = Ask(what="hello")
ORDER = Order(id="a1", until=2**39, radio="dsc", body=b"$CDDSC")


def at(seconds):
    return Moment(int(seconds * S_NS))


def ack(number):
    return Packet(PacketKind.ACK, number)


class Line:
    """A sender, the reference modem, and a wire between them that loses what it is told to."""

    def __init__(self, framing="cobs", *, loses=lambda: False):
        self.sender, self.modem = Sender(), rig.Modem(framing)
        self.framing, self.loses = framing, loses
        self.framer = framer_named(framing)()
        self.settled, self.heard = [], []

    def down(self, body, now):
        """Carry a body to the modem, and what it answers back."""
        if not self.loses():
            for wire in self.modem.hear(self.framer.wrap(body), now.mono_ns / S_NS):
                self.up(wire, now)

    def up(self, wire, now):
        """Carry what the modem says to the gateway, and the gateway's answer back."""
        if self.loses():
            return
        for frame in self.framer.split(Chunk("a", now, wire)):
            packet = read_packet(frame.body)
            self.heard.append(packet)
            settled = self.sender.hear(packet, now)
            self.settled += [settled] if settled else []
            answer = answer_to(packet)
            if answer:
                self.down(write_packet(answer), now)

    def pass_time(self, now):
        for found in self.sender.expire(now):
            if isinstance(found, Settled):
                self.settled.append(found)
            else:
                self.down(found, now)
        for wire in self.modem.again(now.mono_ns / S_NS):
            self.up(wire, now)


@pytest.mark.parametrize("framing", ["cobs", "slip"])
def test_what_is_said_is_settled_by_the_modem_s_answer_and_its_own_letters_are_answered(framing):
    line = Line(framing)
    for number, letter in enumerate((ASK, Ask(what="health"), ORDER)):
        line.down(line.sender.say(letter, at(number)), at(number))
    line.down(line.sender.tell(ASK), at(3))
    line.down(line.sender.test(b"\x00\xc0\xdb\xff", at(4)), at(4))

    assert line.settled == [
        *(Settled(PacketKind.SAY, number, 0) for number in range(3)),
        Settled(PacketKind.TEST, 0, 0),
    ]
    said = [packet.kind for packet in line.heard if packet.kind in (1, 2)]
    assert said == [PacketKind.SAY, PacketKind.TELL, PacketKind.SAY, PacketKind.SAY]
    assert list(line.modem.again(99)) == []
    assert line.sender.expire(at(99)) == ()


def test_an_answer_tells_how_long_it_took_and_why_a_letter_can_not_be_taken():
    sender = Sender()
    sender.say(ASK, at(1))
    sender.say(ASK, at(1))

    assert sender.hear(ack(0), at(1.25)) == Settled(PacketKind.SAY, 0, S_NS // 4)
    refused = sender.hear(Packet(PacketKind.NAK, 1, b"no room"), at(2))
    assert refused == Settled(PacketKind.SAY, 1, S_NS, "no room")
    assert sender.expire(at(9)) == ()


def test_without_an_answer_the_same_bytes_are_said_three_times_and_then_given_up():
    sender = Sender()
    body = sender.say(ASK, at(0))
    later = [sender.expire(at(seconds)) for seconds in (0.9, 1, 1.9, 2, 2.9, 3, 4, 5)]

    given_up = Settled(PacketKind.SAY, 0, None)
    assert later == [(), (body,), (), (body,), (), (given_up,), (), ()]
    assert sender.hear(ack(0), at(5)) is None


def test_an_order_whose_answers_are_lost_is_carried_out_once():
    lost = iter([False, True, False, True])
    line = Line(loses=lambda: next(lost, False))
    line.down(line.sender.say(ORDER, at(0)), at(0))
    line.pass_time(at(1))

    assert line.settled == [Settled(PacketKind.SAY, 0, S_NS)]
    assert len([text for text in line.modem.log if text.startswith("sends")]) == 1


def test_others_do_not_wait_for_an_answer_and_are_settled_in_any_order():
    sender = Sender()
    for _ in range(3):
        sender.say(ASK, at(0))

    assert [sender.hear(ack(number), at(0)).number for number in (2, 0, 1)] == [2, 0, 1]


@pytest.mark.parametrize("kind", [PacketKind.SAY, PacketKind.TELL, PacketKind.TEST])
def test_what_the_modem_says_of_itself_settles_nothing(kind):
    sender = Sender()
    body = sender.say(ASK, at(0))

    assert sender.hear(Packet(kind, 0), at(0)) is None
    assert sender.expire(at(1)) == (body,)


def test_letters_that_wait_are_bounded_and_a_refused_one_takes_no_number():
    sender = Sender()
    for _ in range(AWAITED_MAX):
        assert isinstance(sender.say(ASK, at(0)), bytes)

    (bound,) = sender.bounds()
    assert sender.say(ASK, at(0)) == FULL
    assert (bound.held, bound.limit) == (AWAITED_MAX, AWAITED_MAX)
    sender.hear(ack(0), at(0))
    assert read_packet(sender.say(ASK, at(0))).number == AWAITED_MAX
    (bound,) = sender.bounds()
    assert (bound.held, bound.evicted) == (AWAITED_MAX, 1)


def test_numbers_go_round_and_never_onto_a_letter_that_waits():
    sender = Sender()
    sender.say(ASK, at(0))
    numbers = [read_packet(sender.tell(ASK)).number for _ in range(255)]

    assert numbers == [*range(1, 256)]
    assert sender.tell(ASK) == COME_ROUND
    assert sender.say(ASK, at(0)) == COME_ROUND
    sender.hear(ack(0), at(0))
    assert read_packet(sender.tell(ASK)).number == 0


def test_what_no_packet_has_room_for_is_refused_and_takes_no_number():
    sender = Sender()
    fits = Order(id="a", until=1, radio="dsc", body=bytes(981))
    longer = Order(id="a", until=1, radio="dsc", body=bytes(982))

    body = sender.tell(fits)
    for framing in ("cobs", "slip"):
        framer = framer_named(framing)()
        (frame,) = framer.split(Chunk("a", at(0), framer.wrap(body)))
        assert (frame.fault, frame.body, len(body)) == (None, body, 1022)
    assert sender.say(longer, at(0)) == TOO_LONG
    assert read_packet(sender.tell(ASK)).number == 1
    assert sender.test(bytes(TEST_BYTES_MAX + 1), at(0)) == TOO_LONG
    assert len(sender.test(bytes(TEST_BYTES_MAX), at(0))) == 2 + TEST_BYTES_MAX


def test_a_line_is_proven_by_the_same_bytes_under_the_same_number_within_a_second():
    sender = Sender()
    test = read_packet(sender.test(b"abc", at(0)))

    assert sender.test(b"abc", at(0)) == UNDER_TEST
    assert sender.hear(Packet(PacketKind.ECHO, test.number, b"abd"), at(0)) is None
    assert sender.hear(Packet(PacketKind.ECHO, test.number + 1, b"abc"), at(0)) is None
    assert sender.hear(ack(test.number), at(0)) is None
    assert sender.expire(at(0.9)) == ()
    assert sender.expire(at(1)) == (Settled(PacketKind.TEST, test.number, None),)
    again = read_packet(sender.test(b"abc", at(1)))
    late = Packet(PacketKind.ECHO, test.number, b"abc")
    assert sender.hear(late, at(1)) is None
    proven = sender.hear(Packet(PacketKind.ECHO, again.number, b"abc"), at(1.5))
    assert proven == Settled(PacketKind.TEST, again.number, S_NS // 2)
    assert sender.hear(late, at(1.5)) is None


@pytest.mark.parametrize("framing", ["cobs", "slip"])
def test_on_a_line_that_loses_a_third_every_letter_is_settled_once_and_nothing_waits_for_ever(
    framing,
):
    dice = random.Random(4)
    line = Line(framing, loses=lambda: dice.random() < 1 / 3)
    said = 0
    for second in range(300):
        body = line.sender.say(ASK, at(second))
        said += isinstance(body, bytes)
        line.down(body, at(second))
        line.pass_time(at(second + 0.5))
    for second in range(300, 304):
        line.pass_time(at(second + 0.5))

    (bound,) = line.sender.bounds()
    answered = [one for one in line.settled if one.took_ns is not None]
    assert (said, len(line.settled), bound.held) == (300, 300, 0)
    assert 0.7 < len(answered) / said < 1
