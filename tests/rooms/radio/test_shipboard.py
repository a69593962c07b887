"""A ship's own equipment: somebody overboard is told, whatever the sentence looks like."""

from __future__ import annotations

import random

import pytest

from gateway.model.inbound import Frame, Moment, Reading, Unread
from gateway.model.words import Kind, Mode, Urgency
from gateway.radio.shipboard import Shipboard

MOB = "IIMOB,000FF,A,120530,1,221126,120545,3723.46,N,12158.32,W,10.0,5.0,338040079,0"
ALF = "VDALF,1,1,0,220516,A,E,V,,192,1,1,0,FIRE"
MUTATED = 5000


def frame(body):
    raw = body.encode("latin-1")
    return Frame("a", Moment(0), raw, b"$" + raw, len(raw), 0)


def draft(body):
    radio = Shipboard()
    (found,) = radio.read(frame(body))
    return radio.report(found)


@pytest.mark.parametrize("state", ["A", "M", "", "x", "T"])
def test_somebody_overboard_is_distress_unless_the_sentence_says_no(state):
    found = draft(MOB.replace(",A,", f",{state},"))

    assert (found.kind, found.urgency) == (Kind.ALERT, Urgency.DISTRESS)
    assert (found.mode is Mode.TEST) is (state == "T")
    assert bool(found.doubts) is (state in ("", "x"))


@pytest.mark.parametrize("state", ["V", "E"])
def test_a_device_that_is_not_in_use_calls_nobody(state):
    assert draft(MOB.replace(",A,", f",{state},")).urgency is Urgency.ROUTINE


def test_a_place_that_the_device_calls_wrong_is_none():
    assert draft(MOB.replace(",1,", ",6,")).position is None


@pytest.mark.parametrize(
    ("priority", "urgency"),
    [
        ("E", Urgency.URGENCY),
        ("A", Urgency.SAFETY),
        ("W", Urgency.SAFETY),
        ("C", Urgency.ROUTINE),
        ("", Urgency.ROUTINE),
    ],
)
def test_how_urgent_an_alert_is(priority, urgency):
    assert draft(ALF.replace(",E,", f",{priority},")).urgency is urgency


def test_too_few_fields_are_kept_and_told_when_somebody_may_be_overboard():
    (found,) = Shipboard().read(frame("IIMOB,000FF"))

    assert isinstance(found, Unread)
    assert found.distress_like
    assert Shipboard().distress_like(frame("IIMOB,000FF"))
    assert not Shipboard().distress_like(frame(ALF))


def test_another_language_is_none_of_ours():
    assert Shipboard().read(frame("CDDSC,12")) is None
    assert Shipboard().read(frame("PXMOB,1,A")) is None


def test_no_mutation_breaks_the_decoder():
    dice, radio = random.Random(13), Shipboard()
    for _ in range(MUTATED):
        texts = dice.choice((MOB, ALF)).split(",")
        for _ in range(dice.randrange(1, 5)):
            texts[dice.randrange(1, len(texts))] = dice.choice(("", "x", "9" * 9, "-1", "1e309"))
        for found in radio.read(frame(",".join(texts))):
            assert isinstance(found, Reading)
            assert radio.report(found)
