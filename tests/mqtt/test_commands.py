"""Operators order: what can be read is carried out and answered, all else refused with a reason."""

from __future__ import annotations

import math
from types import SimpleNamespace

import msgspec
import pytest

from gateway.model.command import Outcome, OutcomeState
from gateway.mqtt import commands
from gateway.mqtt.bus import Incoming, LinkLost
from gateway.mqtt.command import COMMAND_BYTES_MAX, CommandFault, Why, command_of, statement_of
from gateway.mqtt.topics import Topics

ROOT = "distress/v1/alpha"
OUTCOME = f"{ROOT}/outcome/c1"


@pytest.fixture
def ordered(rig, monkeypatch):
    """Return what runs a scene on a link that takes commands."""
    monkeypatch.setattr(commands, "PAUSE_S", 0.001)
    return lambda scene, **plan: rig(scene, commands=True, **plan)


def told(at):
    return [(o.topic, msgspec.json.decode(o.payload)) for o in at.buses["commands"].signed]


async def answered(at, make, count=1):
    at.up()
    await make.until(lambda: len(at.buses["commands"].acknowledged) >= count)


@pytest.mark.parametrize("form", [msgspec.json, msgspec.msgpack])
def test_an_order_is_carried_out_and_answered_under_its_name(ordered, make, form):
    async def scene(at):
        at.order(form=form, verb="note", words="seen from the lighthouse")
        await answered(at, make)

    at = ordered(scene)

    (command,) = at.ordered
    assert (command.verb, command.author) == ("note", "Officer A")
    assert command.order().words == "seen from the lighthouse"
    (only,) = at.buses["commands"].signed
    assert (only.topic, only.qos, only.retain) == (OUTCOME, 1, False)
    assert told(at)[0][1]["state"] == "accepted"
    assert at.link.state().commands == commands.CommandCount(accepted=1)


def test_it_is_answered_on_the_response_topic_as_well_with_what_it_is_known_by(ordered, make):
    async def scene(at):
        at.order(over={"response_topic": f"{ROOT}/outcome/mine/1", "correlation": b"\x00k"})
        await answered(at, make)

    signed = ordered(scene).buses["commands"].signed

    assert [o.topic for o in signed] == [OUTCOME, f"{ROOT}/outcome/mine/1"]
    assert {o.correlation for o in signed} == {b"\x00k"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"over": {"retained": True}}, "the broker had kept it"),
        ({"over": {"topic": f"{ROOT}/command/other"}}, "it came on another topic"),
        (
            {"over": {"response_topic": f"{ROOT}/report/distress/dsc"}},
            "response topic is not below",
        ),
        ({"over": {"response_topic": f"{ROOT}/outcome/../x/#"}}, "response topic is not below"),
        ({"verb": "acknowlege"}, "unknown verb `acknowlege`; known: ack, silence"),
        ({"verb": "resolv"}, "did you mean `resolve`?"),
        ({"autor": "B"}, "unknown key `autor`; did you mean `author`?"),
        ({"x\x1b[2J": 1}, "unknown key `x\\x1b[2J`; known: command_id"),
        ({"author": ""}, "$.author"),
        ({"author": "A\nB"}, "$.author"),
        ({"incident_id": "../status"}, "$.incident_id"),
        ({"not_after": "2026-11-20T12:00:30"}, "$.not_after"),
        ({"not_after": "soon"}, "$.not_after"),
        ({"silence_s": 0}, "$.silence_s"),
        ({"silence_s": 3601}, "$.silence_s"),
        ({"words": "x" * 501}, "$.words"),
        ({"evidence": ["0a"] * 65}, "$.evidence"),
        (
            {"verb": "false-alert", "flood_from": "2026-11-20T12:00:00Z"},
            "a flood needs `flood_from` and `flood_until`",
        ),
        (
            {
                "verb": "false-alert",
                "flood_from": "2026-11-20T12:00",
                "flood_until": "2026-11-20T13:00",
            },
            "$.flood_from",
        ),
        (
            {
                "verb": "ack",
                "flood_from": "2026-11-20T12:00:00Z",
                "flood_until": "2026-11-20T13:00:00Z",
            },
            "only a false alert may be of a flood",
        ),
        ({"verb": "merge"}, "merge needs `other`"),
        ({"verb": "split"}, "split needs `evidence`"),
        ({"verb": "note"}, "note needs `words`"),
        ({"verb": "transfer"}, "transfer needs `words`"),
    ],
)
def test_what_is_refused_is_answered_with_its_reason_and_not_done(ordered, make, said, reason):
    async def scene(at):
        at.order(**said)
        await answered(at, make)

    at = ordered(scene)

    ((topic, outcome),) = told(at)
    assert (topic, outcome["state"], at.ordered) == (OUTCOME, "refused", [])
    assert reason in outcome["reason"]
    assert outcome["command_id"] == "c1"
    assert at.link.state().commands.refused == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"ack",
        b"{",
        b"[1]",
        b"{" * 5000,
        b"\x81" * 5000,
        b"\xff" * 100,
        b"\x81\xa6author\xa2\xff\xfe",
        b" " * (COMMAND_BYTES_MAX + 1),
        b'{"verb": "ack"}',
        b'{"command_id": "a/b", "verb": "ack"}',
        b'{"command_id": 7}',
    ],
)
def test_what_names_itself_by_nothing_is_refused_on_the_response_topic_alone(
    ordered, make, payload
):
    async def scene(at):
        at.order(payload=payload)
        at.order(payload=payload, over={"response_topic": f"{ROOT}/outcome/mine"})
        await answered(at, make, 2)

    at = ordered(scene)

    ((topic, outcome),) = told(at)
    assert (topic, outcome["state"], at.ordered) == (f"{ROOT}/outcome/mine", "refused", [])
    assert at.link.state().commands.refused == 2
    logged = [call.method_name for call in at.log._logger.calls if "command_refused" in str(call)]
    assert logged == ["warning", "debug"]


@pytest.mark.parametrize("name", ["a/b", "a+", "#"])
def test_a_name_that_no_outcome_can_be_told_under_is_the_reason_said(ordered, make, name):
    """Whoever can't be answered on a topic of their own is told why, and nothing is done."""

    async def scene(at):
        at.order(command_id=name, over={"response_topic": f"{ROOT}/outcome/mine"})
        await answered(at, make)

    at = ordered(scene)

    ((topic, outcome),) = told(at)
    assert (topic, outcome["state"], at.ordered) == (f"{ROOT}/outcome/mine", "refused", [])
    assert "command_id can't be a level of a topic" in outcome["reason"]
    assert "command_id" not in outcome


def incoming(payload, **over):
    settings = {"topic": "t", "qos": 1, "retained": False, "mid": 1} | over
    return Incoming(payload=payload, **settings)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "neither JSON nor msgpack"),
        (b'{"command_id": "c1", "what": "spokn"}', "did you mean `spoken`?"),
        (b'{"command_id": "c1", "what": 7}', "what"),
    ],
    ids=["half", "near", "no word"],
)
def test_a_statement_that_can_not_be_read_is_refused_with_its_reason(payload, reason):
    fault = statement_of(incoming(payload))

    assert isinstance(fault, CommandFault)
    assert fault.why is Why.UNREADABLE
    assert reason in fault.reason


def test_a_length_is_no_number_and_a_long_correlation_is_not_sent_back(ordered, make):
    said = {
        "command_id": "c1",
        "verb": "silence",
        "incident_id": "0a",
        "author": "A",
        "not_after": "2026-11-20T12:00:30Z",
        "silence_s": math.nan,
    }
    fault = command_of(incoming(msgspec.msgpack.encode(said)))
    assert isinstance(fault, CommandFault)
    assert (fault.why, fault.command_id) == (Why.UNREADABLE, "c1")
    assert "$.silence_s" in fault.reason

    async def scene(at):
        at.order(over={"response_topic": f"{ROOT}/outcome/mine", "correlation": b"x" * 65})
        await answered(at, make)

    (only,) = ordered(scene).buses["commands"].signed
    assert (only.topic, only.correlation) == (f"{ROOT}/outcome/mine", None)


def test_a_fault_in_the_hallway_and_a_broker_that_is_gone_cost_one_command_alone(ordered, make):
    async def scene(at):
        bus, wanted = at.buses["commands"], at.link._commands._obey

        async def fails(command):
            if command.command_id == "c1":
                raise ZeroDivisionError
            if command.command_id == "c2":
                return Outcome(
                    station="alpha", command_id="c2", state=OutcomeState.REFUSED, reason="no"
                )
            if command.command_id == "c3":
                bus.down()
            return await wanted(command)

        at.link._commands._obey = fails
        for number in range(1, 4):
            at.order(command_id=f"c{number}")
        await answered(at, make, 3)
        bus.up()
        at.order(command_id="c4")
        await answered(at, make, 4)

    at = ordered(scene)

    assert "a fault of the gateway: ZeroDivisionError" in told(at)[0][1]["reason"]
    assert [outcome["state"] for _, outcome in told(at)] == ["refused", "refused", "accepted"]
    assert at.link.state().commands == commands.CommandCount(accepted=2, refused=2, unanswered=1)
    assert LinkLost.__name__ not in str(told(at))


def test_a_thousand_orders_hold_no_distress_back(ordered, make):
    """What is heard in the middle of a flood of orders is signed for before a tenth is done."""

    async def scene(at):
        at.up()
        for number in range(1000):
            at.order(command_id=f"c{number}")
        await make.until(lambda: at.ordered)
        at.heard(make.mayday(1))
        await make.until(lambda: "report/distress/dsc" in at.topics())
        at.done_by_then = len(at.ordered)

    assert ordered(scene).done_by_then < 100


def test_where_nobody_may_order_there_is_no_ear_for_it(rig):
    async def scene(at):
        at.up()

    assert "commands" not in rig(scene).buses


def test_twenty_at_once_wait_for_nothing_and_more_come_at_ten_a_second():
    """An officer, a challenge and its answer are served at once; a flood is not."""
    clock = SimpleNamespace(mono_ns=10**12)
    clock.now = lambda: SimpleNamespace(mono_ns=clock.mono_ns)
    made = commands.Commands(
        Topics("alpha"), station="alpha", bus=None, obey=None, write=None, clock=clock, log=None
    )
    pauses = [made._pause_s() for _ in range(commands.BURST + 3)]
    clock.mono_ns += round(commands.BURST * commands.PAUSE_S * 1e9) + 10**9

    assert pauses[: commands.BURST] == [0.0] * commands.BURST
    assert pauses[commands.BURST :] == pytest.approx([0.1, 0.2, 0.3])
    assert made._pause_s() == 0.0
