"""An order becomes a transmission, at most once, and never against the agreements."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from app.sending import ACKED, MAYDAY, NOON, SHIP, Desk, Disk, on_duty
from rooms.rules.cases import agreement_of, cases_of, tables

from gateway.app import echoes, transmitting
from gateway.app.unfinished import APART, LIMITS, ORDER
from gateway.model.agreement import EventWord
from gateway.model.asked import Fact, Stated
from gateway.model.entry import Lane, lane_of
from gateway.model.inbound import Ruling
from gateway.model.transmission import (
    Acknowledge,
    Call,
    Cancel,
    CannotSay,
    Distress,
    Drill,
    Relay,
    Silence,
    To,
)
from gateway.model.verdict import VerdictNote
from gateway.model.words import Nature, Urgency
from gateway.points import listening
from gateway.rules import governor
from gateway.transport import TransmitRefused, WireLost, WriteStalled
from gateway.transport.leave import Standing

ACK = Acknowledge(distress=Distress(mmsi=SHIP, nature=Nature.SINKING))
RELAY = Relay(distress=Distress(mmsi=SHIP), to=To.ALL_SHIPS)
CALL = Call(category=Urgency.ROUTINE, to=To.INDIVIDUAL, address="232000001")
OVERRIDE = {
    "kind": "distress_override",
    "categories": ["distress"],
    "source": "a test",
    "basis": "design",
}
NO_WORDS = ("DSC has no words for a beacon",)
TEST = Call(category=Urgency.SAFETY, to=To.INDIVIDUAL, address="232000001", test=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(transmitting, "LOOK_S", 0.002)
    monkeypatch.setattr(transmitting, "REST_S", 0.002)


def told(scene, desk=None):
    """Run a scene on a desk that transmits what is due; return the desk."""

    async def run():
        async with on_duty(desk or Desk()) as at:
            await at.until(lambda: at.duty.unfinished.begun)
            await scene(at)
        return at

    return asyncio.run(run())


def silence(desk, words="SEELONCE MAYDAY", channel="vhf70"):
    fact = Fact(
        fact_id=f"f{desk.clock.mono_ns}",
        what=EventWord.SPOKEN,
        at=desk.clock.now(),
        channel=channel,
        words=words,
    )
    desk.rooms.state(fact)


def remembered(desk):
    """Return what is on disk for the next run, but for what the rules remember."""
    return [name for name in desk.disk.words if name.startswith(APART)]


def quiet():
    """Return an agreement that keeps channel 70 silent on a word, and says nothing else."""
    table = tables()["silence"]
    table["channels"] = {"vhf70": {"hz": 156_525_000, "mode": "dsc"}}
    table["groups"] = {}
    table["others"] = {"override": OVERRIDE}
    table["rule"] = {**table["rule"], "channels": ["vhf70"]}
    return agreement_of("silence", table, cases_of(table)[0])


# ---- In time, and within the agreements ----------------------------------------------------------


def test_an_alert_on_vhf_is_acknowledged_at_once_with_every_verdict_before_the_first_byte():
    async def scene(desk):
        desk.hears(MAYDAY)
        assert desk.order(ACK).outcome.state == "accepted"
        await desk.until(lambda: desk.air)
        await desk.settled()

    desk = told(scene)

    assert desk.stages("c1") == ["accepted", "transmitting", "transmitted"]
    assert desk.air == [("vhf", b"c1:Acknowledge")]
    intent = next(one for one in desk.disk.items if getattr(one, "stage", "") == "transmitting")
    before = desk.disk.items[: desk.disk.items.index(intent)]
    verdicts = {one.verdict_id: one.verdict for one in before if isinstance(one, VerdictNote)}
    assert set(intent.verdicts) <= verdicts.keys()
    assert "gmdss-coast-station/G09" in intent.rules
    assert intent.digests == (verdicts[intent.verdicts[0]].digest,)
    assert desk.last("c1").sha256 == intent.sha256
    assert remembered(desk) == [LIMITS]


def test_the_rules_hear_what_was_transmitted():
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.order(ACK)
        await desk.until(lambda: desk.stages()[-1:] == ["transmitted"])
        desk.passes(120)

    desk = told(scene)

    verdicts = [one.verdict for one in desk.disk.items if isinstance(one, VerdictNote)]
    acknowledged = [
        one for one in verdicts if one.rule == "G09" and "has acknowledged" in one.words
    ]
    assert [one.judgement for one in acknowledged] == ["ok"]
    assert not [one for one in verdicts if one.rule == "G09" and one.judgement == "violation"]


def test_too_early_on_mf_it_waits_until_the_minute_is_over():
    async def scene(desk):
        desk.hears(MAYDAY, port="mf")
        desk.passes(2)
        desk.order(ACK, port="mf", good_s=60)
        await desk.until(lambda: "queued" in desk.stages())
        desk.clock.pass_s(57.9)
        await desk.settled()
        assert desk.air == []
        desk.clock.pass_s(0.1)
        await desk.until(lambda: desk.air)
        await desk.settled()

    desk = told(scene)

    assert desk.stages("c1") == ["accepted", "queued", "transmitting", "transmitted"]
    queued = next(one for one in desk.disk.items if getattr(one, "stage", "") == "queued")
    assert queued.clause == "gmdss-coast-station/G09"
    assert queued.until == NOON + timedelta(seconds=60)


def test_a_call_that_is_late_to_be_acknowledged_is_acknowledged_all_the_same():
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.passes(200)
        assert desk.order(ACK).outcome.state == "accepted"
        await desk.until(lambda: desk.air)
        desk.order(ACK)

    desk = told(scene)

    assert desk.air == [("vhf", b"c1:Acknowledge")]
    assert "no call" in desk.last("c2").reason


def test_one_that_would_be_due_after_its_end_is_refused_at_once_with_the_time_to_order_it_again():
    async def scene(desk):
        desk.hears(MAYDAY, port="mf")
        taken = desk.order(ACK, port="mf", good_s=20)

        assert (taken.outcome.state, taken.outcome.clause) == (
            *("refused", "gmdss-coast-station/G09"),
        )
        assert "40 s after its end: order it again then" in taken.outcome.reason

    assert told(scene).air == []


def test_a_relay_to_all_ships_is_refused_on_hf_with_its_clause():
    async def scene(desk):
        desk.hears(MAYDAY, port="hf")
        outcome = desk.order(RELAY, port="hf").outcome

        assert (outcome.state, outcome.clause) == ("refused", "gmdss-coast-station/G22")

    desk = told(scene)

    assert desk.air == []
    assert desk.last("c1").verdicts == ()
    assert [one.rule for one in _verdicts(desk)].count("G22") >= 1


def test_a_routine_call_is_denied_during_silence_and_distress_is_not():
    async def scene(desk):
        desk.hears(MAYDAY)
        silence(desk)
        routine = desk.order(CALL).outcome
        distress = desk.order(ACK).outcome

        assert (routine.state, routine.clause) == ("refused", "cases/case")
        assert "is silent until SEELONCE FEENEE is said" in routine.reason
        assert distress.state == "accepted"
        await desk.until(lambda: desk.air)

    desk = Desk(agreements=("gmdss-coast-station", quiet()))
    assert told(scene, desk).air == [("vhf", b"c2:Acknowledge")]


def test_silence_that_an_officer_states_under_his_signature_holds_until_he_states_its_end():
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.clock.pass_s(2)
        imposed = desk.order(Silence(channel="vhf70", words="SEELONCE MAYDAY")).outcome
        assert imposed.state == "accepted"
        assert "is silent until" in desk.order(CALL).outcome.reason
        desk.order(Silence(channel="vhf70", words="SEELONCE FEENEE"))
        assert desk.order(CALL).outcome.state == "accepted"

    desk = told(scene, Desk(agreements=("gmdss-coast-station", quiet())))
    spoken = [one.fact for one in desk.disk.items if isinstance(one, Stated)]
    assert [(one.person, one.words) for one in spoken][:1] == [("smith", "SEELONCE MAYDAY")]


def test_silence_on_a_channel_that_no_clause_is_about_is_refused_with_those_that_are():
    async def scene(desk):
        outcome = desk.order(Silence(channel="vhf61", words="SEELONCE MAYDAY")).outcome
        assert outcome.state == "refused"
        assert (
            "no clause on silence in force is about a channel vhf61; known: vhf70" in outcome.reason
        )

    told(scene, Desk(agreements=(quiet(),)))


def test_silence_that_is_imposed_while_an_order_waits_stops_it():
    async def scene(desk):
        desk.wires["vhf"].holds = asyncio.Event()
        desk.hears(MAYDAY)
        desk.order(ACK)
        await desk.until(lambda: desk.air)
        desk.clock.pass_s(2)
        assert desk.order(CALL).outcome.state == "accepted"
        silence(desk)
        desk.wires["vhf"].holds.set()
        await desk.until(lambda: desk.stages("c2")[-1:] == ["refused"])

    desk = Desk(agreements=("gmdss-coast-station", quiet()))
    assert told(scene, desk).air == [("vhf", b"c1:Acknowledge")]


def test_what_is_graver_goes_before_what_waits_and_never_breaks_off_what_goes_out():
    async def scene(desk):
        desk.wires["vhf"].holds = asyncio.Event()
        desk.hears(MAYDAY)
        desk.clock.pass_s(2)
        desk.order(CALL)
        await desk.until(lambda: desk.air)
        desk.order(Call(category=Urgency.SAFETY, to=To.ALL_SHIPS))
        desk.order(ACK)
        desk.wires["vhf"].holds.set()
        await desk.until(lambda: len(desk.air) == 3)

    desk = told(scene)

    assert [data for _, data in desk.air] == [b"c1:Call", b"c3:Acknowledge", b"c2:Call"]


def test_without_an_agreement_nothing_is_transmitted_and_everything_is_heard():
    async def scene(desk):
        desk.hears(MAYDAY)
        outcome = desk.order(ACK).outcome

        assert (outcome.state, outcome.clause) == ("refused", None)
        assert "no agreement in force names this channel" in outcome.reason

    desk = told(scene, Desk(agreements=()))

    assert desk.air == []
    assert [one for one in desk.disk.items if isinstance(one, Ruling)]


# ---- What can't be said --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"port": "nowhere"}, "there is no port nowhere: vhf, mf, hf, drill are there"),
        ({"port": "drill"}, "port drill is of an exercise, and the letter is not"),
        ({"exercise": True}, "port vhf is of no exercise, and the letter is not"),
        ({"port": "drill", "exercise": True}, "no exercise runs: order `exercise start` first"),
    ],
)
def test_a_letter_that_no_port_may_carry_is_refused_with_its_reason(said, reason):
    async def scene(desk):
        desk.hears(MAYDAY)
        outcome = desk.order(ACK, **said).outcome
        assert (outcome.state, reason in outcome.reason) == ("refused", True)

    desk = told(scene)

    assert desk.air == []
    assert lane_of(desk.last("c1")) is Lane.ROUTINE


def test_an_exercise_is_transmitted_on_its_own_port_and_only_while_it_runs():
    async def scene(desk):
        assert desk.order(Drill(what="start"), exercise=True).outcome.state == "accepted"
        desk.order(TEST, port="drill", exercise=True)
        await desk.until(lambda: desk.air)
        await desk.settled()
        desk.order(Drill(what="stop"), exercise=True)
        assert "no exercise runs" in desk.order(TEST, port="drill", exercise=True).outcome.reason

    assert told(scene).air == [("drill", b"c2:Call")]


def test_a_port_that_is_not_ready_takes_no_letter():
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.wires["vhf"].state.transmit = Standing("dead", "the modem took no bytes")

        assert desk.order(ACK).outcome.reason == "port vhf: the modem took no bytes"

    assert told(scene).air == []


def test_what_a_radio_has_no_words_for_is_refused_in_its_words():
    def cannot(*_):
        raise CannotSay(*NO_WORDS)

    async def scene(desk):
        desk.duty._taking._compose = cannot
        assert desk.order(ACK).outcome.reason == NO_WORDS[0]

    told(scene)


def test_a_name_that_is_under_way_and_the_same_words_again_are_refused():
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.wires["vhf"].holds = asyncio.Event()
        desk.duty._taking._compose = lambda letter, *_: (type(letter.action).__name__.encode(),)
        desk.order(ACK, command_id="x")
        assert "its command_id is that of another" in desk.order(ACK, command_id="x").outcome.reason
        assert "the same waits already" in desk.order(ACK).outcome.reason
        await desk.until(lambda: desk.air)
        assert "the same was transmitted 0 s ago" in desk.order(ACK).outcome.reason
        desk.wires["vhf"].holds.set()
        await desk.settled()

    assert len(told(scene).air) == 1


def test_before_it_is_known_what_the_last_run_left_nothing_is_taken():
    desk = Desk()

    async def scene():
        return desk.order(ACK).outcome

    outcome = asyncio.run(scene())
    assert (outcome.state, outcome.reason) == ("refused", transmitting.BEGINNING)


# ---- What goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["refuses", "hangs"])
def test_without_a_disk_not_a_byte_goes_out(how, monkeypatch):
    monkeypatch.setattr(transmitting, "JOURNAL_S_MAX", 0.02)

    async def scene(desk):
        desk.hears(MAYDAY)
        taken = desk.order(ACK)
        setattr(desk.disk, how, True)
        await desk.settled()
        await asyncio.sleep(0.05)
        setattr(desk.disk, how, False)
        found = [one async for one in taken.stages]
        assert found[-1].state == "failed"
        assert "the disk has not taken it" in found[-1].reason

    assert told(scene).air == []


@pytest.mark.parametrize(
    ("fails", "stage", "bytes_out"),
    [
        (TransmitRefused("vhf", "another modem"), "failed", 0),
        (WireLost("/dev/ttyUSB0", "hung up"), "unknown", 1),
        (WriteStalled("/dev/ttyUSB0", 12, waited_s=2.0), "unknown", 1),
        (RuntimeError("a bug"), "unknown", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_the_port_can_not_do_is_told_truthfully_and_never_tried_again(fails, stage, bytes_out):
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.wires["vhf"].fails = fails
        taken = desk.order(ACK)
        found = [one.state async for one in taken.stages]
        assert found[-2:] == ["transmitting", stage]
        desk.wires["vhf"].fails = None
        desk.clock.pass_s(120)
        await desk.settled()

    desk = told(scene)

    assert len(desk.air) == bytes_out
    assert desk.stages("c1")[-1] == stage


def test_what_has_no_turn_before_its_end_expires():
    async def scene(desk):
        desk.wires["vhf"].holds = asyncio.Event()
        desk.hears(MAYDAY)
        desk.order(ACK)
        await desk.until(lambda: desk.air)
        taken = desk.order(CALL, good_s=5)
        desk.clock.pass_s(5.1)
        assert [one.state async for one in taken.stages] == ["expired"]
        desk.wires["vhf"].holds.set()
        await desk.settled()

    assert len(told(scene).air) == 1


def test_what_gives_way_to_graver_orders_is_told_so(monkeypatch):
    monkeypatch.setattr(governor, "WISHES_MAX", 1)

    async def scene(desk):
        desk.wires["vhf"].holds = asyncio.Event()
        desk.hears(MAYDAY)
        desk.clock.pass_s(2)
        desk.order(Call(category=Urgency.SAFETY, to=To.ALL_SHIPS))
        await desk.until(lambda: desk.air)
        pushed = desk.order(CALL)
        desk.order(ACK)
        found = [one async for one in pushed.stages]
        assert [one.state for one in found] == ["failed"]
        assert found[-1].reason == "it gave way to what is graver"
        desk.wires["vhf"].holds.set()
        await desk.until(lambda: len(desk.air) == 2)

    told(scene)


# ---- A crash -------------------------------------------------------------------------------------


def crashed_at(point):
    """Return what is on disk when the program dies at this point of an acknowledgement."""

    class Died(BaseException):
        pass

    desk = Desk()

    def die(reached):
        if reached == point:
            desk.left = dict(desk.disk.words)
            raise Died

    async def run():
        duty = asyncio.create_task(desk.duty.run())
        await desk.until(lambda: desk.duty.unfinished.begun)
        desk.hears(MAYDAY)
        with listening(die), suppress(BaseExceptionGroup, Died):
            desk.order(ACK)
            await duty
        return desk

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("point", "stage", "bytes_out"),
    [
        ("transmit.intended", "unknown", 0),
        ("transmit.committed", "unknown", 0),
        ("transmit.handed", "unknown", 1),
        ("transmit.ended", "transmitted", 1),
    ],
)
def test_after_a_crash_it_is_said_truthfully_what_became_of_it_and_nothing_goes_out_twice(
    point, stage, bytes_out
):
    before = crashed_at(point)
    assert len(before.air) == bytes_out

    async def scene(desk):
        await desk.settled()

    after = told(scene, Desk(disk=Disk(before.left), clock=before.clock))

    assert after.air == []
    assert after.stages("c1") == [stage]
    assert remembered(after) == [LIMITS]


def test_an_order_that_only_waited_is_not_taken_up_again():
    async def waits(desk):
        desk.hears(MAYDAY, port="mf")
        desk.order(ACK, port="mf")
        await desk.until(lambda: "queued" in desk.stages())

    before = told(waits)
    words = dict(before.disk.words)

    async def scene(desk):
        desk.clock.pass_s(70)
        await desk.settled()

    after = told(scene, Desk(disk=Disk(words), clock=before.clock))

    assert (after.air, after.stages("c1")) == ([], ["failed"])
    assert "began anew before its turn" in after.last("c1").reason


@pytest.mark.parametrize("boot", ["b1", "b2"])
def test_what_was_transmitted_before_a_restart_counts_for_the_limits_after_it(boot):
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.order(ACK)
        await desk.until(lambda: desk.stages()[-1:] == ["transmitted"])

    before = told(scene, Desk(per_minute=1))

    async def again(desk):
        desk.hears(MAYDAY)
        taken = desk.order(Cancel(distress=Distress(mmsi=SHIP)), good_s=10)
        assert "1 a minute" in taken.outcome.reason

    clock = before.clock
    clock.boot = boot
    told(again, Desk(disk=Disk(before.disk.words), clock=clock, per_minute=1))


def test_what_can_not_be_read_of_the_last_run_is_named_and_nothing_else_is_lost():
    async def scene(desk):
        await desk.settled()

    desk = told(scene, Desk(disk=Disk({f"{ORDER}c9": b"\xc1", LIMITS: b"\xc1", "a/b": b"x"})))

    assert [one["name"] for one in desk.said if one["event"] == "transmission_not_read"] == [
        *(f"{ORDER}c9", LIMITS)
    ]


# ---- Heard ---------------------------------------------------------------------------------------


def test_what_we_hear_of_ourselves_confirms_that_it_was_on_the_air():
    async def scene(desk):
        desk.hears(MAYDAY)
        taken = desk.order(ACK)
        await desk.until(lambda: desk.stages()[-1:] == ["transmitted"])
        desk.hears(ACKED, port="mf")
        assert [one.state async for one in taken.stages][-1] == "confirmed"

    desk = told(scene)

    assert desk.last("c1").reason == "heard by port mf"


def test_what_nobody_hears_within_a_minute_stays_transmitted():
    async def scene(desk):
        desk.hears(MAYDAY)
        taken = desk.order(ACK)
        await desk.until(lambda: desk.stages()[-1:] == ["transmitted"])
        desk.clock.pass_s(61)
        assert [one.state async for one in taken.stages][-1] == "transmitted"
        desk.hears(ACKED, port="mf")
        await desk.settled()

    assert told(scene).stages("c1")[-1] == "transmitted"


def test_what_is_listened_for_is_bounded_and_the_oldest_stays_transmitted(monkeypatch):
    monkeypatch.setattr(echoes, "AWAITED_MAX", 1)

    async def scene(desk):
        desk.hears(MAYDAY)
        desk.order(ACK)
        desk.order(Cancel(distress=Distress(mmsi=SHIP)))
        await desk.until(lambda: desk.stages().count("transmitted") == 2)
        assert [one.held for one in desk.duty.bounds() if one.of == "Echoes._awaited"] == [1]
        desk.hears(ACKED, port="mf")
        await desk.settled()

    assert "confirmed" not in told(scene).stages()


def test_a_station_acknowledges_by_itself_only_where_its_port_is_named_for_it():
    async def scene(desk):
        desk.hears(MAYDAY)
        desk.hears(MAYDAY, port="mf")
        await desk.settled()

    assert told(scene).air == []
    (only,) = told(scene, Desk(acknowledges=("vhf",))).air
    assert only[0] == "vhf"


def test_by_itself_it_waits_like_anybody_else():
    async def scene(desk):
        desk.hears(MAYDAY, port="mf")
        await desk.until(lambda: "queued" in desk.stages())
        desk.clock.pass_s(61)
        await desk.until(lambda: desk.air)

    assert told(scene, Desk(acknowledges=("mf",))).air[0][0] == "mf"


def _verdicts(desk):
    return [one.verdict for one in desk.disk.items if isinstance(one, VerdictNote)]
