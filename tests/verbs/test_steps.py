"""What is proposed, as a person reads it: the line to type orders what is proposed, and no more."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import cli
from gateway.model.advice import Advice, Step, StepKind
from gateway.model.place import Position
from gateway.model.transmission import (
    Acknowledge,
    Area,
    Cancel,
    Distress,
    Place,
    Relay,
    Silence,
    To,
)
from gateway.model.words import Nature
from gateway.radio.dsc.compose import position_of
from gateway.verbs import send
from gateway.verbs.steps import advised, typed

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ELSEWHERE = SimpleNamespace(
    incident_id="4f2a" * 4,
    names=("mmsi:999999999",),
    natures=(Nature.FLOODING,),
    position=Position(lat_deg=1.0, lon_deg=1.0),
)
"""An incident in which others have said other things."""
SINKING = Distress(mmsi="232123456", nature=Nature.SINKING, place=Place(lat_deg=50.5, lon_deg=-5.0))
AREA = Area(lat_deg=-52, lon_deg=-6, southwards_deg=3, eastwards_deg=3)


def ordered(action):
    """Return the letter that the line to type makes."""
    _, *words = shlex.split(typed(action, ELSEWHERE.incident_id, "vhf"))
    args = cli._parser().parse_args(words)
    return send.letter_of(args, "here", {}, ELSEWHERE)


@pytest.mark.parametrize(
    "action",
    [
        Acknowledge(distress=SINKING),
        Acknowledge(distress=Distress(mmsi="232123456")),
        Acknowledge(distress=Distress(mmsi="232123456", time="1207")),
        Cancel(distress=SINKING),
        Relay(distress=SINKING, to=To.AREA, area=AREA),
        Relay(distress=SINKING, to=To.INDIVIDUAL, address="002320000"),
        Silence(channel="vhf16", words="SEELONCE MAYDAY"),
    ],
    ids=["ack", "ack-bare", "ack-time", "cancel", "area", "individual", "silence"],
)
def test_the_line_to_type_orders_what_is_proposed_whatever_else_the_incident_holds(action):
    letter = ordered(action)

    assert letter.action == action
    assert (letter.port, letter.about) == ("vhf", ELSEWHERE.incident_id)


@given(lat=st.integers(-5400, 5400), lon=st.integers(-10800, 10800))
def test_a_place_in_whole_minutes_is_said_to_the_minute(lat, lon):
    place = Place(lat_deg=lat / 60, lon_deg=lon / 60)
    action = ordered(Acknowledge(distress=Distress(mmsi="232123456", place=place))).action

    assert action.distress.place == place
    assert position_of(action.distress.place) == position_of(place)


def test_a_page_says_what_when_why_and_which_words():
    step = Step(
        kind=StepKind.WAIT,
        words="Acknowledge it.",
        why="a/1",
        not_before=NOON,
        not_after=NOON,
        port="vhf",
        action=Acknowledge(distress=SINKING),
        script=("MAYDAY",),
    )
    advice = Advice(
        station="here", incident_id="4f2a" * 4, revision=1, steps=(step,), unknown=("who \x1b",)
    )
    first, before, until, why, line, say, unknown, last = advised(advice)

    assert (first, before, until) == (
        "1. Acknowledge it.",
        "   not before 12:00:00Z",
        "   until 12:00:00Z",
    )
    assert (why, say) == ("   because a/1", "   say: MAYDAY")
    assert "send ack --mmsi=232123456 --nature=sinking --place=50.5,-5.0" in line
    assert "\x1b" not in unknown
    assert last == "Nothing of this is done by itself."
