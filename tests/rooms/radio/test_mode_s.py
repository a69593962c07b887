"""Mode S: what takes more than one message, and what noise may never do."""

from __future__ import annotations

import random

import pytest

from gateway.codes.bits import joined
from gateway.codes.cpr import Cpr
from gateway.codes.crc24 import parity
from gateway.framing.beast import Beast
from gateway.model.inbound import Chunk, Frame, Moment, Unread
from gateway.model.plan import PortPlan, Profile
from gateway.model.words import Confidence, Fault, Kind, Nature, Urgency
from gateway.pipeline import hallway
from gateway.radio.mode_s import FAR, RADIO
from gateway.radio.mode_s import memory as remembered
from gateway.radio.mode_s.altitude import of_12, of_13, squawk_of
from gateway.radio.mode_s.memory import AGAIN_NS, AGREE_NS, KNOWN_NS
from gateway.radio.mode_s.tables import SQUAWKS, movement_kn
from gateway.radio.mode_s.track import ABOUT_NS, Track
from tests.rooms.spoken import without_notes

CRAFT = "F01234"
S = 10**9
PLACES = (7, 9, 11, 1, 3, 5, 8, 10, 12, 0, 2, 4)


def pulses_of(squawk):
    bits = "".join(f"{int(digit):03b}" for digit in squawk)
    return sum(1 << place for place, bit in zip(PLACES, bits, strict=True) if bit == "1")


def sent(body, *, over=0):
    return body + (parity(body) ^ over).to_bytes(3, "big")


def squitter(address=CRAFT, *, me=None):
    """Return an acquisition squitter, or an extended one."""
    head = bytes([0x5D if me is None else 0x8D]) + bytes.fromhex(address)
    return sent(head if me is None else head + me.to_bytes(7, "big"))


def reply(squawk, address=CRAFT):
    return sent(bytes([0x28]) + pulses_of(squawk).to_bytes(3, "big"), over=int(address, 16))


def emergency(state, squawk="1200"):
    return squitter(me=joined((28, 5), (1, 3), (state, 3), (pulses_of(squawk), 13), (0, 32)))


def place(code):
    return squitter(
        me=joined(
            (11, 5), (0, 3), (0xC38, 12), (0, 1), (code.odd, 1), (code.lat, 17), (code.lon, 17)
        )
    )


def frame(octets, at_ns=0, fault=None):
    head = (b"3" if len(octets) > 7 else b"2") + bytes(7)
    return Frame("p", Moment(at_ns), head + octets, b"", 1, 0, fault)


class Listener:
    """A radio, and what it makes of one message after the other."""

    def __init__(self):
        self.radio = RADIO()

    def hear(self, octets, at_ns):
        (found,) = self.radio.read(frame(octets, at_ns))
        return found if isinstance(found, Unread) else self.radio.report(found)

    def all(self, *messages):
        return [self.hear(octets, at_ns) for at_ns, octets in messages]


@pytest.fixture
def listener():
    return Listener()


# ---- Emergencies --------------------------------------------------------------------------------


@pytest.mark.parametrize("squawk", sorted(SQUAWKS))
@pytest.mark.parametrize(
    ("apart_ns", "confidence"),
    [(AGREE_NS, Confidence.VERIFIED), (AGREE_NS - 1, None), (KNOWN_NS, Confidence.VERIFIED)],
)
def test_two_replies_that_agree_for_long_enough_are_verified(
    listener, squawk, apart_ns, confidence
):
    first, second = listener.all((0, squitter()), (0, reply(squawk)), (apart_ns, reply(squawk)))[1:]

    assert (first.kind, first.urgency) == (Kind.ALERT, Urgency.DISTRESS)
    assert first.confidence is Confidence.TENTATIVE
    assert first.nature is SQUAWKS[squawk]
    assert first.covert is second.covert is (squawk == "7500")
    if confidence is None:
        assert (second.kind, second.urgency) == (Kind.STATUS, Urgency.ROUTINE)
    else:
        assert (second.kind, second.confidence) == (Kind.ALERT, confidence)


def test_a_code_that_was_dialled_through_is_never_verified(listener):
    heard = listener.all(
        (0, squitter()),
        (S, reply("7700")),
        (2 * S, reply("7701")),
        (3 * S, reply("7700")),
    )

    assert [one.kind for one in heard[1:]] == [Kind.ALERT, Kind.STATUS, Kind.STATUS]
    assert heard[1].confidence is Confidence.TENTATIVE


def test_a_reply_that_confirms_another_is_no_copy_of_it():
    profile = Profile(title="t", radio=("mode_s",), framing="beast", proven="t")
    pipeline = hallway("t", [PortPlan(name="p", device="x", modem="x", profile=profile)])
    found = []
    for at_ns, octets in ((0, squitter()), (S, reply("7700")), (2 * S, reply("7700"))):
        wire = Beast.wrap(frame(octets).body)
        found += without_notes(pipeline.inbound(Chunk("p", Moment(at_ns), wire)))

    assert [item.sighting.relation for item in found] == ["first"] * 3


def test_replies_count_only_while_squitters_tell_that_the_craft_is_there(listener):
    unknown = listener.hear(reply("7700"), 0)
    known, late = listener.all(
        (0, squitter()), (KNOWN_NS, reply("7700")), (KNOWN_NS + 1, reply("7700"))
    )[1:]

    assert isinstance(unknown, Unread)
    assert not unknown.distress_like
    assert known.kind is Kind.ALERT
    assert isinstance(late, Unread)


def test_an_emergency_that_goes_on_is_an_alert_every_half_minute(listener):
    heard = [listener.hear(emergency(1, "7700"), at * S) for at in range(61)]
    alerts = [at for at, one in enumerate(heard) if one.kind is Kind.ALERT]

    assert alerts == [0, AGAIN_NS // S, 2 * AGAIN_NS // S]
    assert {one.urgency for at, one in enumerate(heard) if at not in alerts} == {Urgency.ROUTINE}


def test_another_emergency_is_told_at_once(listener):
    heard = listener.all(
        (0, emergency(1)), (S, emergency(5)), (2 * S, emergency(5, "7500")), (3 * S, emergency(1))
    )

    assert [one.kind for one in heard] == [Kind.ALERT] * 3 + [Kind.STATUS]
    assert [one.nature for one in heard[:2]] == [Nature.UNDESIGNATED, Nature.PIRACY_UNLAWFUL]
    assert [one.covert for one in heard] == [False, True, True, False]


@pytest.mark.parametrize("state", range(8))
@pytest.mark.parametrize("squawk", ["7500", "7600", "7700", "1200"])
def test_unlawful_interference_is_covert_however_it_is_said(listener, state, squawk):
    heard = listener.hear(emergency(state, squawk), 0)

    assert heard.covert is (state == 5 or squawk == "7500")
    if heard.covert:
        assert (heard.urgency, heard.nature) == (Urgency.DISTRESS, Nature.PIRACY_UNLAWFUL)
    if squawk != "1200":
        assert heard.urgency is Urgency.DISTRESS


def test_a_squawk_in_an_extended_squitter_confirms_no_reply_and_disturbs_none(listener):
    heard = listener.all(
        (0, reply("7700")),
        (0, squitter()),
        (0, reply("7700")),
        (S // 2, emergency(0, "0000")),
        (S, reply("7700")),
    )

    assert heard[2].confidence is Confidence.TENTATIVE
    assert (heard[4].kind, heard[4].confidence) == (Kind.ALERT, Confidence.VERIFIED)


def test_a_damaged_squitter_may_be_a_call_only_when_its_craft_is_known(listener):
    bent = bytearray(emergency(1, "7700"))
    bent[-1] ^= 1
    unknown = listener.hear(bytes(bent), 0)
    known = listener.all((0, squitter()), (S, bytes(bent)))[1]

    assert (unknown.distress_like, known.distress_like) == (False, True)


@pytest.mark.parametrize("fault", [None, Fault.CUT])
def test_a_stranger_tells_an_emergency_that_proves_itself(fault):
    bent = bytearray(emergency(1, "7700"))
    bent[-1] ^= 1

    assert RADIO().distress_like(frame(emergency(1, "7700"), fault=fault))
    assert not RADIO().distress_like(frame(bytes(bent), fault=fault))
    assert not RADIO().distress_like(frame(emergency(0), fault=fault))
    assert not RADIO().distress_like(frame(reply("7700"), fault=fault))
    assert not RADIO().distress_like(Frame("p", Moment(0), b"$GPGLL", b"", 1, 0, fault))


# ---- Places -------------------------------------------------------------------------------------

EVEN = Cpr(odd=False, lat=76459, lon=81556)
ODD = Cpr(odd=True, lat=55524, lon=83103)
HERE = (57.5, -4.25)


def near_enough(found, wanted=HERE):
    return found is not None and all(abs(a - b) < 1e-3 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(("apart_s", "is_told"), [(0, True), (10, True), (11, False)])
def test_two_messages_tell_a_place_while_they_are_fresh(apart_s, is_told):
    track = Track()
    track.step(EVEN, 0)
    found, is_far = track.step(ODD, apart_s * S)

    assert near_enough(found) is is_told
    assert not is_far


def test_after_a_place_one_message_is_enough_and_later_two_again():
    track = Track()
    track.step(EVEN, 0)
    track.step(ODD, S)

    assert near_enough(track.step(EVEN, 300 * S)[0])
    assert track.step(ODD, 601 * S) == (None, False)
    assert near_enough(track.step(EVEN, 602 * S)[0])


def test_a_jump_is_told_by_nobody_and_all_begins_anew(listener):
    jump = Cpr(odd=False, lat=109_227, lon=84_651)
    heard = listener.all(
        *((S * at, place(code)) for at, code in enumerate([EVEN, ODD, jump, ODD, EVEN]))
    )

    assert [one.position is None for one in heard] == [True, False, True, True, False]
    assert heard[2].doubts == (FAR,)
    assert heard[2].confidence is Confidence.TENTATIVE


def test_on_the_ground_a_craft_is_placed_by_where_it_was():
    even = Cpr(odd=False, lat=43_691, lon=64_080, surface=True)
    track = Track()
    assert track.step(even, 0) == (None, False)

    track = Track()
    track.step(EVEN, 0)
    track.step(ODD, 0)
    assert near_enough(track.step(even, 60 * S)[0])
    assert track.step(even, 60 * S + ABOUT_NS)[0] is None


def test_an_alert_brings_the_last_place_with_its_age(listener):
    heard = listener.all((0, place(EVEN)), (S, place(ODD)), (8 * S, emergency(1)))
    late = listener.hear(emergency(1), 62 * S)

    assert heard[2].position.age_s == 7.0
    assert near_enough((heard[2].position.lat_deg, heard[2].position.lon_deg))
    assert late.kind is Kind.ALERT
    assert late.position is None


# ---- Numbers ------------------------------------------------------------------------------------


def test_every_squawk_is_read():
    assert all(squawk_of(pulses_of(f"{code:04o}")) == f"{code:04o}" for code in range(4096))


@pytest.mark.parametrize(
    ("pulses", "altitude_ft"),
    [
        pytest.param(0, None, id="none"),
        pytest.param(0x0040, None, id="metres"),
        pytest.param(0x0010, -1000, id="lowest in steps of 25"),
        pytest.param(0x1FBF, 50_175, id="highest in steps of 25"),
        pytest.param(0x0100, -1200, id="lowest in steps of 100"),
        pytest.param(0x1100, None, id="no such step"),
    ],
)
def test_altitudes(pulses, altitude_ft):
    assert of_13(pulses) == altitude_ft


def test_steps_of_100_feet_follow_each_other_without_a_gap():
    found = sorted(
        altitude
        for pulses in range(1, 1 << 13)
        if not pulses & 0x50 and (altitude := of_13(pulses)) is not None
    )

    assert found == list(range(-1200, 126_800, 100))


def test_twelve_bits_are_thirteen_without_metres():
    for pulses in range(1 << 12):
        assert of_12(pulses) == of_13((pulses & 0xFC0) << 1 | pulses & 0x3F)


@pytest.mark.parametrize(
    ("code", "speed_kn"),
    [(0, None), (1, 0), (2, 0.125), (9, 1), (13, 2), (39, 15), (94, 70), (109, 100), (124, 175)]
    + [(code, None) for code in (125, 126, 127)],
)
def test_speeds_on_the_ground(code, speed_kn):
    assert movement_kn(code) == speed_kn


# ---- Bounds, noise and mutations ----------------------------------------------------------------


def test_craft_remembered_are_bounded_and_the_one_longest_silent_goes(monkeypatch, listener):
    monkeypatch.setattr(remembered, "CRAFT_MAX", 3)
    for address in ("F00001", "F00002", "F00003", "F00001", "F00004"):
        listener.hear(squitter(address), 0)
    (bound,) = listener.radio.bounds()
    heard = [listener.hear(reply("1200", f"F0000{one}"), 1) for one in (1, 2, 3, 4)]

    assert (bound.held, bound.evicted) == (3, 1)
    assert [isinstance(one, Unread) for one in heard] == [False, True, False, False]


def test_noise_makes_no_verified_distress():
    """A short form of a million frames, of which none made any; see the decision on Mode S."""
    dice = random.Random(1)
    listener = Listener()
    for address in range(200):
        listener.hear(squitter(f"F0{address:04X}"), 0)
    verdicts = [listener.hear(noise(dice), at * 10**6) for at in range(30_000)]
    distress = [
        one for one in verdicts if not isinstance(one, Unread) and one.urgency is Urgency.DISTRESS
    ]

    assert not [one for one in distress if one.confidence is Confidence.VERIFIED]
    assert not [one for one in verdicts if isinstance(one, Unread) and one.distress_like]


def noise(dice):
    """Return a frame of dice whose length fits its format."""
    first = dice.randrange(256)
    return bytes([first]) + dice.randbytes(13 if first >> 7 else 6)
