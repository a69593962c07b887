"""Nothing is transmitted but what somebody has signed who may order it, now, here, and once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest
import structlog
from app.sending import KEYS, MAYDAY, NOON, SHIP, Desk, first_of, known_keys, on_duty, sealed

from gateway.app import authority, transmitting
from gateway.model.transmission import (
    Acknowledge,
    Adjust,
    Beacon,
    Call,
    Distress,
    Drill,
    Envelope,
    Letter,
    Ordered,
    Place,
    Relay,
    Silence,
    To,
)
from gateway.model.words import ClockState, Nature, Urgency
from gateway.mqtt import commands
from gateway.mqtt.bus import Incoming, Outgoing
from gateway.mqtt.command import CommandFault, letter_of
from gateway.mqtt.topics import Topics

ACK = Acknowledge(distress=Distress(mmsi=SHIP, nature=Nature.SINKING))
RELAY = Relay(distress=Distress(mmsi=SHIP), to=To.ALL_SHIPS)
TEST = Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address="232000001", test=True)
BEACON = Beacon(place=Place(lat_deg=50, lon_deg=-5))
START = Drill(what="start")
HUSH = Silence(channel="vhf70", words="SEELONCE MAYDAY")
ADJUST = Adjust(what="link_test")
TOPICS = Topics("here")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transmitting, "LOOK_S", 0.002)
    monkeypatch.setattr(transmitting, "REST_S", 0.002)


def incoming(payload, **over):
    """Return what a broker tells on the topic of orders."""
    plain = {"topic": TOPICS.command("transmit"), "qos": 1, "retained": False, "mid": 1}
    return Incoming(payload=payload, **plain | over)


def told(scene, desk=None):
    """Run a scene on a desk that has heard a MAYDAY and transmits what is due."""

    async def run():
        async with on_duty(desk or Desk()) as at:
            await at.until(lambda: at.duty.unfinished.begun)
            at.hears(MAYDAY)
            await scene(at)
            await at.settled()
        return at

    return asyncio.run(run())


def outcome_of(desk, action=ACK, *keys, **said):
    """Return what came of one order on this desk."""
    found = []

    async def scene(at):
        found.append(await at.signs(action, *keys, **said))

    told(scene, desk)
    return found[0]


def test_what_an_officer_has_signed_is_transmitted_in_his_name():
    desk = Desk()
    outcome = outcome_of(desk)

    assert outcome.state == "accepted"
    assert desk.air == [("vhf", b"c1:Acknowledge")]
    assert (desk.last("c1").persons, desk.last("c1").keys) == (("A. Smith",), ("smith",))


def test_a_letter_as_json_counts_as_well():
    desk = Desk()

    assert outcome_of(desk, form=msgspec.json).state == "accepted"
    assert len(desk.air) == 1


def test_where_no_keys_are_configured_nobody_may_order_anything():
    desk = Desk(keyless=True)

    assert outcome_of(desk).reason == authority.NOBODY
    assert not desk.air


@pytest.mark.parametrize("left_out", ["agreement strait.toml: no such file", "the keys: damaged"])
def test_while_a_file_is_left_out_nothing_is_transmitted(left_out):
    desk = Desk(left_out=(left_out,), acknowledges=("vhf",))
    outcome = outcome_of(desk)

    assert outcome.state == "refused"
    assert left_out in outcome.reason
    assert not desk.air, "not even what the station would acknowledge by itself"
    assert left_out in desk.last(desk_notes(desk)[0]).reason


def desk_notes(desk):
    return [one.command_id for one in desk.disk.items if hasattr(one, "stage")]


ROLES = {
    "smith": (ACK, RELAY, TEST, BEACON, ADJUST, HUSH),
    "caller": (TEST, BEACON),
    "tech": (ADJUST,),
    "drill": (START,),
    "second": (),
}


@pytest.mark.parametrize("name", ROLES)
def test_each_role_may_order_what_it_is_for_and_nothing_else(name):
    every = (ACK, RELAY, TEST, BEACON, ADJUST, HUSH, START)
    found = {one: outcome_of(Desk(), one, name) for one in every}
    denied = {one for one, told in found.items() if "may not order" in (told.reason or "")}

    assert denied == set(every) - set(ROLES[name])


def test_an_instructor_orders_everything_within_an_exercise():
    async def scene(desk):
        assert (await desk.signs(START, "drill")).state == "accepted"
        desk.hears(MAYDAY, port="drill")
        taken = await desk.signs(ACK, "drill", port="drill", exercise=True)
        assert "may not order" not in (taken.reason or "")

    told(scene)


# ---- Refused -------------------------------------------------------------------------------------

REFUSED = {
    "another station": ({"audience": "there"}, ("smith",), "it is for station there"),
    "an unknown key": ({}, ("nobody",), "not known here"),
    "an unknown second": ({}, ("smith", "nobody"), "not known here"),
    "a key twice": ({}, ("smith", "smith"), "signed it twice"),
    "a person twice": ({}, ("smith", "spare"), "is one person"),
    "given up": ({}, ("gone",), "was given up"),
    "a second given up": ({}, ("smith", "gone"), "was given up"),
    "no agreement": ({"agreements": ()}, ("smith",), "names 0 agreements"),
    "another agreement": ({"agreements": ("ab" * 32,)}, ("smith",), "names 1 agreement, and not"),
    "too long": ({"good_s": 61}, ("smith",), "may be for 60 at the most"),
    "over before it began": ({"good_s": 0}, ("smith",), "it is good for 0 s"),
    "ahead": ({"issued": NOON + timedelta(seconds=20)}, ("smith",), "from now: set the clocks"),
    "not asked": ({"challenge": "00" * 16}, ("smith",), "asked for no such answer"),
    "no such port": ({"port": "uhf"}, ("smith",), "there is no port uhf"),
    "an exercise": ({"exercise": True}, ("smith",), "nothing crosses"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_in_order_is_refused_with_its_reason(case):
    said, keys, reason = REFUSED[case]
    desk = Desk()
    outcome = outcome_of(desk, ACK, *keys, **said)

    assert outcome.state == "refused"
    assert reason in outcome.reason
    assert not desk.air


def test_a_key_that_is_given_up_counts_no_more_from_then_on():
    """What was taken before goes its way; whoever is new counts, and a file gone bad lets none."""
    known = {"keys": known_keys()}

    async def scene(desk):
        first, second, third = (desk.sealed(ACK, "smith") for _ in range(3))
        assert first_of(await desk.authority.obey(first)).state == "accepted"
        known["keys"] = tuple(
            msgspec.structs.replace(key, revoked=NOON) if key.name == "smith" else key
            for key in known_keys()
        )
        assert "key smith was given up" in first_of(await desk.authority.obey(second)).reason
        known["keys"] = "the keys can't be read: keys.toml:3: a fault"
        assert first_of(await desk.authority.obey(third)).reason == known["keys"]
        known["keys"] = tuple(key for key in known_keys() if key.name == "jones")
        assert "not known here" in first_of(await desk.authority.obey(third)).reason
        known["keys"] = ()
        assert first_of(await desk.authority.obey(third)).reason == authority.NOBODY

    desk = told(scene, Desk(keys=lambda: known["keys"]))

    assert len(desk.air) == 1
    read = [said["given_up"] for said in desk.said if said["event"] == "keys_read"]
    assert read[:2] == [["gone"], ["gone", "smith"]]
    assert [said["reason"] for said in desk.said if said["event"] == "keys_not_read"]


def test_a_late_letter_is_refused():
    async def scene(desk):
        order = desk.sealed(ACK, "smith", good_s=10)
        desk.clock.pass_s(10.1)
        outcome = first_of(await desk.authority.obey(order))
        assert "after its end" in outcome.reason

    assert not told(scene).air


def test_the_same_letter_again_is_no_second_order():
    async def scene(desk):
        order = desk.sealed(ACK, "smith")
        first = first_of(await desk.authority.obey(order))
        second = first_of(await desk.authority.obey(order))
        assert (first.state, first.again) == ("accepted", False)
        assert (second.state, second.again) == ("refused", True)

    assert len(told(scene).air) == 1


def test_an_older_number_of_a_key_is_refused_and_another_key_counts_for_itself():
    async def scene(desk):
        older = desk.sealed(ACK, "smith")
        await desk.signs(TEST, "smith")
        assert "used already" in first_of(await desk.authority.obey(older)).reason
        assert (await desk.signs(ACK, "jones", seq=1)).state == "accepted"

    told(scene)


def test_a_number_is_on_disk_before_anything_is_done_and_holds_over_a_restart():
    first = Desk()
    orders = []

    async def scene(desk):
        orders.append(desk.sealed(ACK, "smith"))
        await desk.authority.obey(orders[0])

    told(scene, first)
    again = Desk(disk=first.disk, clock=first.clock)
    found = []

    async def replay(desk):
        found.append(first_of(await desk.authority.obey(orders[0])))

    told(replay, again)

    assert "used already" in found[0].reason
    assert not again.air


@pytest.mark.parametrize("trouble", ["refuses", "hangs"])
def test_without_a_disk_nothing_is_done(trouble, monkeypatch):
    monkeypatch.setattr(authority, "JOURNAL_S_MAX", 0.01)

    async def scene(desk):
        await desk.settled()
        setattr(desk.disk, trouble, True)
        outcome = await desk.signs(ACK)
        assert "the disk has not taken its number" in outcome.reason
        setattr(desk.disk, trouble, False)

    assert not told(scene).air


def test_before_the_last_run_is_known_every_order_is_refused():
    async def scene():
        return await Desk().signs(ACK)

    assert asyncio.run(scene()).reason == transmitting.BEGINNING


def test_a_letter_older_than_a_run_that_knows_no_number_has_to_be_signed_anew():
    """The journal was lost, say, within the minute that a letter is good for."""

    async def scene(desk):
        issued = NOON - timedelta(seconds=3)
        outcome = await desk.signs(ACK, issued=issued, not_after=issued + timedelta(seconds=60))
        assert "older than this run" in outcome.reason
        assert (await desk.signs(ACK, challenge=outcome.challenge)).state == "accepted"

    assert len(told(scene).air) == 1


# ---- Without a clock -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ClockState.UNSET, ClockState.FREE])
def test_where_the_clock_is_not_held_an_order_answers_what_the_station_asks(state):
    async def scene(desk):
        desk.clock.state = state
        years = timedelta(days=4000)
        said = {"issued": NOON - years, "not_after": NOON - years + timedelta(seconds=60)}
        asked = await desk.signs(ACK, **said)
        assert (asked.state, len(asked.challenge)) == ("refused", 32)
        wrong = await desk.signs(ACK, **said, challenge="0" * 32)
        assert "no such answer" in wrong.reason
        assert (
            "no such answer"
            in (await desk.signs(ACK, "jones", **said, challenge=asked.challenge)).reason
        ), "and by whom it was asked of"
        assert (await desk.signs(ACK, **said, challenge=asked.challenge)).state == "accepted"
        assert (
            "no such answer" in (await desk.signs(ACK, **said, challenge=asked.challenge)).reason
        ), "and once"

    assert len(told(scene).air) == 1


def test_who_orders_several_things_at_once_answers_each_of_them():
    async def scene(desk):
        desk.clock.state = ClockState.FREE
        asked = [await desk.signs(ACK) for _ in range(authority.CHALLENGES_A_KEY + 1)]
        oldest, *others = [one.challenge for one in asked]
        assert "no such answer" in (await desk.signs(ACK, challenge=oldest)).reason
        answers = [(await desk.signs(ACK, challenge=one)).reason for one in others]
        assert answers[0] is None
        assert not [one for one in answers if one and "no such answer" in one]

    assert len(told(scene).air) == 1


def test_an_answer_comes_in_time_or_not_at_all():
    async def scene(desk):
        desk.clock.state = ClockState.FREE
        asked = await desk.signs(ACK)
        desk.clock.pass_s(authority.CHALLENGE_S + 0.1)
        assert "no such answer" in (await desk.signs(ACK, challenge=asked.challenge)).reason

    assert not told(scene).air


def test_what_is_remembered_of_letters_and_challenges_is_bounded(monkeypatch):
    monkeypatch.setattr(authority, "CHALLENGES_MAX", 1)
    monkeypatch.setattr(authority, "TAKEN_MAX", 1)

    async def scene(desk):
        desk.clock.state = ClockState.FREE
        first = await desk.signs(ACK)
        second = await desk.signs(ACK, "jones")
        assert "no such answer" in (await desk.signs(ACK, challenge=first.challenge)).reason
        assert (await desk.signs(TEST, "jones", challenge=second.challenge)).state == "accepted"
        desk.clock.state = ClockState.NTP
        old = desk.sealed(ACK, "smith")
        await desk.authority.obey(old)
        await desk.signs(ADJUST, "tech")
        again = first_of(await desk.authority.obey(old))
        assert (again.state, again.again) == ("refused", False)
        held = {bound.of: bound.held for bound in desk.authority.bounds()}
        assert held == {"Authority._asked": 0, "Authority._taken": 1}

    told(scene)


# ---- Two persons ---------------------------------------------------------------------------------


def test_two_persons_stand_behind_what_both_have_signed():
    desk = Desk()
    outcome_of(desk, ACK, "smith", "second")

    assert desk.last("c1").persons == ("A. Smith", "F. Second")


def test_a_second_orders_nothing_by_being_first():
    assert "may not order" in outcome_of(Desk(), ACK, "second", "smith").reason


# ---- Ten thousand that are no orders -------------------------------------------------------------


KINDS = ("flipped", "forged", "unknown", "replayed", "late", "retained", "foreign", "unsigned")


def no_good(desk, dice, good, number):
    """Return what comes from a broker and must not count, under a name of its own."""
    kind = KINDS[dice.randrange(len(KINDS))]
    payload = msgspec.msgpack.encode(good.envelope)
    if kind == "flipped":
        bits = bytearray(payload)
        bits[dice.randrange(len(bits))] ^= 1 << dice.randrange(8)
        payload = bytes(bits)
    elif kind == "unsigned":
        payload = msgspec.msgpack.encode({"letter": good.envelope.letter, "signatures": ()})
    elif kind not in {"replayed", "retained"}:
        said = {"audience": "there"} if kind == "foreign" else {}
        if kind == "late":
            issued = NOON - timedelta(seconds=dice.randrange(61, 10_000))
            said = {"issued": issued, "not_after": issued + timedelta(seconds=60)}
        key = "nobody" if kind in {"forged", "unknown"} else "smith"
        envelope = desk.sealed(ACK, key, **said).envelope
        if kind == "forged":
            named = msgspec.structs.replace(envelope.signatures[0], key="smith")
            envelope = Envelope(letter=envelope.letter, signatures=(named,))
        payload = msgspec.msgpack.encode(envelope)
    answer = f"{TOPICS.outcomes}/{kind}/{number}"
    return incoming(payload, retained=kind == "retained", response_topic=answer)


class Line:
    """A connection over which a given number of commands comes in; what is told is noted."""

    def __init__(self, coming):
        self._coming = coming
        self.told = {}

    async def received(self):
        for one in self._coming:
            yield one
            await asyncio.sleep(0)

    async def publish(self, outgoing):
        self.told[outgoing.topic] = outgoing.payload


def test_ten_thousand_that_are_no_orders_put_no_byte_on_the_air(monkeypatch):
    """Forged, replayed, late, retained, foreign, unsigned, bit-flipped, in any order."""
    monkeypatch.setattr(commands, "PAUSE_S", 0)
    dice = random.Random(7)
    lines = []

    async def scene(desk):
        desk.clock.pass_s(30)
        good = desk.sealed(ACK, "smith")
        assert first_of(await desk.authority.obey(good)).state == "accepted"
        await desk.until(lambda: len(desk.air) == 1)
        line = Line(no_good(desk, dice, good, number) for number in range(10_000))
        taken = commands.Commands(
            TOPICS,
            station="here",
            bus=line,
            obey=desk.authority.obey,
            write=lambda outcome: Outgoing(topic="", payload=outcome, qos=1),
            clock=SimpleNamespace(now=desk.clock.now, sleep=asyncio.sleep),
            log=structlog.wrap_logger(structlog.testing.CapturingLogger()),
        )
        await taken.run()
        assert (taken.count.accepted, taken.count.refused) == (0, 10_000)
        lines.append(line)

    desk = told(scene)
    answers = {topic: one for topic, one in lines[0].told.items() if topic.count("/") == 5}
    reasons = Counter((topic.split("/")[4], one.reason[:30]) for topic, one in answers.items())

    assert len(desk.air) == 1, "the one that was good"
    assert len(answers) == 10_000
    assert all(one.state == "refused" and one.reason for one in answers.values())
    assert {kind for kind, _ in reasons} == set(KINDS)


def test_every_bit_of_a_letter_is_signed():
    desk = Desk()
    good = desk.sealed(ACK, "smith")

    async def scene(at):
        for place in range(len(good.envelope.letter) * 8):
            bits = bytearray(good.envelope.letter)
            bits[place // 8] ^= 1 << place % 8
            envelope = Envelope(letter=bytes(bits), signatures=good.envelope.signatures)
            read = letter_of(incoming(msgspec.msgpack.encode(envelope)))
            if isinstance(read, CommandFault):
                continue
            outcome = first_of(await at.authority.obey(read))
            assert outcome.state == "refused"

    assert not told(scene, desk).air


def test_a_signature_of_something_else_signs_no_letter():
    """A key signs agreements too: what it says there is no order to transmit."""
    desk = Desk()
    letter = desk.letter(ACK, agreements=tuple(one.digest for one in desk.plan.agreements))
    order = sealed(letter, "smith")
    raw = KEYS["smith"]._key.sign(order.envelope.letter)
    bare = msgspec.structs.replace(order.envelope.signatures[0], signature=raw)
    bad = Ordered(
        envelope=Envelope(letter=order.envelope.letter, signatures=(bare,)), letter=letter
    )
    found = []

    async def scene(at):
        found.append(first_of(await at.authority.obey(bad)))

    assert not told(scene, desk).air
    assert "is not what key smith makes" in found[0].reason


def test_what_can_not_be_read_as_a_letter_says_where_it_is_at_fault():
    letter = {"command_id": "a/b"}
    envelope = {"letter": msgspec.json.encode(letter), "signatures": [{"key": "k"}]}

    for payload in (
        b"{}",
        b"{",
        b"\xc1",
        msgspec.json.encode(envelope),
        msgspec.json.encode({"letter": "AAAA", "signatures": []}),
        b"{" + b" " * 20_000,
    ):
        fault = letter_of(incoming(payload))
        assert isinstance(fault, CommandFault)
        assert fault.reason


def test_a_name_that_is_no_level_of_a_topic_is_refused():
    desk = Desk()
    order = desk.sealed(ACK, "smith", command_id="a\u200eb")
    fault = letter_of(incoming(msgspec.msgpack.encode(order.envelope)))

    assert "level of a topic" in fault.reason
    assert isinstance(msgspec.msgpack.decode(order.envelope.letter, type=Letter), Letter)
