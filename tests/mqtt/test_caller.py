"""An operator at a command line believes what can be read, and is told of what can't."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from gateway.model.advice import Advice, Step, StepKind
from gateway.model.command import IncidentCommand, Outcome, OutcomeState
from gateway.model.incident import OrderVerb
from gateway.model.transmission import Adjust, Drill, Envelope, Letter
from gateway.mqtt import caller
from gateway.mqtt.bus import Incoming, LinkLost
from gateway.mqtt.caller import Caller
from gateway.mqtt.payload import Writer
from gateway.mqtt.topics import Topics

ROOT = "distress/v1/alpha"
OUTCOME = f"{ROOT}/outcome/c1"
NOBODYS = [b"{", b"\xc1", b"{}", b"[]", b"\x80", b'{"incident": 7}', b'{"a":' * 5000]
"""Payloads that are of nothing that is known here."""

COMMAND = IncidentCommand(
    command_id="c1",
    verb=OrderVerb.ACK,
    incident_id="0a",
    author="Officer A",
    not_after=datetime(2026, 11, 20, tzinfo=UTC),
)


class Wire:
    """A connection on which these are told, and then nothing more."""

    def __init__(self, *told):
        self._told = list(told)
        self.acknowledged = []
        self.published = []

    async def subscribe_all(self, topics):
        self.topics = topics

    async def publish_signed(self, outgoing):
        self.published.append(outgoing)

    async def receive(self):
        if not self._told:
            await asyncio.Event().wait()
        return self._told.pop(0)

    def acknowledge(self, incoming):
        self.acknowledged.append(incoming)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    for limit in ("STANDING_S_MAX", "QUIET_S", "OUTCOME_S_MAX"):
        monkeypatch.setattr(caller, limit, 0.05)


def said(suffix, payload, *, retained=True):
    return Incoming(topic=f"{ROOT}/{suffix}", payload=payload, qos=1, retained=retained, mid=1)


@pytest.fixture
def record(make):
    """Return what tells the record of an incident."""

    def told(name, form="json"):
        outgoing = Writer(Topics("alpha"), form, station="alpha").incident(
            make.incident(1, incident_id=name), published_utc_ns=None
        )
        return said(f"incident/{name}", outgoing.payload)

    return told


def standing(*told):
    wire = Wire(*told)
    found = asyncio.run(Caller(wire).standing("alpha"))
    assert wire.acknowledged == list(told)
    return [one.incident.incident_id for one in found.records], found.online, found.unread


@pytest.mark.parametrize("nobodys", NOBODYS, ids=range(len(NOBODYS)))
def test_a_record_that_can_not_be_read_is_counted_and_hides_no_other(record, nobodys):
    spoilt = said("incident/0b", nobodys)
    online = said("status", b'{"state": "online"}')

    found = standing(record("0a"), spoilt, record("0c", "msgpack"), online)

    assert found == (["0a", "0c"], {"alpha": True}, 1)


def test_what_was_taken_off_while_it_was_asked_for_is_no_record_that_can_not_be_read(record):
    assert standing(record("0a"), said("incident/0b", b"")) == (["0a"], {}, 0)


def test_records_for_which_there_is_no_room_are_counted(record, monkeypatch):
    monkeypatch.setattr(caller, "RECORDS_MAX", 2)

    assert standing(*map(record, ("0a", "0b", "0c"))) == (["0a", "0b"], {}, 1)


@pytest.mark.parametrize("status", [b"", b'{"state": "offline"}', *NOBODYS])
def test_a_station_is_online_only_where_its_status_says_so(status):
    assert standing(said("status", status)) == ([], {"alpha": False}, 0)


def ordered(*told):
    wire = Wire(*told)
    outcome = asyncio.run(Caller(wire).order("alpha", COMMAND))
    assert [one.topic for one in wire.published] == [f"{ROOT}/command/incident"]
    assert wire.topics == [OUTCOME]
    return outcome


@pytest.mark.parametrize("nobodys", NOBODYS, ids=range(len(NOBODYS)))
def test_an_outcome_that_can_not_be_read_is_no_outcome_and_is_said_so(nobodys):
    with pytest.raises(LinkLost, match=r"^the outcome: it can't be read$"):
        ordered(said("outcome/c1", nobodys, retained=False))


@pytest.mark.parametrize("form", [msgspec.json, msgspec.msgpack])
def test_the_outcome_of_an_order_is_the_one_told_just_now_under_its_name(form):
    def told(state, name="c1", *, retained=False):
        outcome = Outcome(station="alpha", command_id=name, state=state)
        return said(f"outcome/{name}", form.encode(outcome), retained=retained)

    kept = told(OutcomeState.REFUSED, retained=True)
    anothers = told(OutcomeState.REFUSED, "c2")

    assert ordered(kept, anothers, told(OutcomeState.ACCEPTED)).state is OutcomeState.ACCEPTED
    assert ordered(kept, anothers) is None


LETTER = Letter(
    command_id="c1",
    audience="alpha",
    seq=1,
    issued=datetime(2026, 11, 20, tzinfo=UTC),
    not_after=datetime(2026, 11, 20, 0, 0, 30, tzinfo=UTC),
    port="vhf",
    action=Adjust(what="link_test"),
)


def followed(monkeypatch, *told, action=LETTER.action):
    """Return each outcome that is told of an order to transmit."""
    for limit in ("HEARD_S_MAX", "LATER_S_MAX"):
        monkeypatch.setattr(caller, limit, 0.05)
    letter = msgspec.structs.replace(LETTER, action=action, not_after=LETTER.issued)

    async def hand_in():
        envelope = Envelope(letter=msgspec.msgpack.encode(letter), signatures=())
        return [one async for one in Caller(Wire(*told)).hand_in(letter, envelope)]

    return asyncio.run(hand_in())


def outcome(state, **more):
    told = Outcome(station="alpha", command_id="c1", state=state, **more)
    return said("outcome/c1", msgspec.json.encode(told), retained=False)


@pytest.mark.parametrize(
    ("states", "count"),
    [
        (("accepted", "transmitting", "transmitted", "confirmed", "failed"), 4),
        (("accepted", "transmitting", "transmitted"), 3),
        (("refused", "accepted"), 1),
        ((), 0),
    ],
    ids=["to its end", "never confirmed", "refused", "nobody there"],
)
def test_an_order_to_transmit_is_followed_to_its_end_or_until_nothing_more_comes(
    monkeypatch, states, count
):
    found = followed(monkeypatch, *map(outcome, map(OutcomeState, states)))

    assert [one.state for one in found] == [*states][:count]


def test_what_is_told_once_more_changes_nothing(monkeypatch):
    again = outcome(OutcomeState.REFUSED, again=True)
    found = followed(
        monkeypatch, outcome(OutcomeState.ACCEPTED), again, outcome(OutcomeState.FAILED)
    )

    assert [one.state for one in found] == ["accepted", "failed"]


def test_of_an_exercise_that_begins_nothing_more_is_waited_for(monkeypatch):
    told = (outcome(OutcomeState.ACCEPTED), outcome(OutcomeState.FAILED))

    assert len(followed(monkeypatch, *told, action=Drill(what="start"))) == 1


STEP = Step(kind=StepKind.LISTEN, words="Listen.", why="a/1")
ADVICE = Advice(station="alpha", incident_id="0a", revision=1, steps=(STEP,))


def advised(*told):
    wire = Wire(*told)
    found = asyncio.run(Caller(wire).advice("alpha", "0a"))
    assert wire.topics == [f"{ROOT}/incident/0a/advice"]
    return found


@pytest.mark.parametrize("form", [msgspec.json, msgspec.msgpack], ids=["json", "msgpack"])
def test_what_stands_proposed_is_found_among_what_else_is_told(form):
    anothers = said("incident/0a", b"{}")
    told = said("incident/0a/advice", form.encode(ADVICE))

    assert advised(anothers, told) == ADVICE


@pytest.mark.parametrize("told", [(), *((one,) for one in NOBODYS)], ids=range(len(NOBODYS) + 1))
def test_nothing_is_proposed_where_nothing_stands_or_nobody_can_read_it(told):
    assert advised(*(said("incident/0a/advice", one) for one in told)) is None
