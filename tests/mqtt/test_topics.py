"""The names of topics, and what can't get into them."""

from __future__ import annotations

import pytest

from gateway.model.place import Identity
from gateway.model.words import Mode, Urgency
from gateway.mqtt.topics import LEVEL_CHARACTERS_MAX, Topics, TopicUnsafe, level, name_of

HOSTILE = {
    "nothing": "",
    "everything below": "#",
    "any level": "+",
    "wildcard inside": "24400#001",
    "another level": "a/b",
    "only a separator": "/",
    "end of text": "a\0b",
    "new line": "a\nb",
    "escape sequence": "\x1b[2J",
    "delete": "a\x7f",
    "right-to-left override": "abc\N{RIGHT-TO-LEFT OVERRIDE}cba",
    "zero-width space": "a\N{ZERO WIDTH SPACE}b",
    "half a character": "\ud800",
    "line separator": "a\N{LINE SEPARATOR}b",
    "too long": "x" * (LEVEL_CHARACTERS_MAX + 1),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_makes_no_topic(text):
    topics = Topics("alpha")
    for name in (
        lambda: level(text),
        lambda: Topics(text),
        lambda: topics.position("ais", text),
        lambda: topics.position(text, "244000001"),
        lambda: topics.report(Urgency.ROUTINE, text, Mode.REAL),
        lambda: topics.refused(text),
        lambda: topics.port(text),
        lambda: topics.alert(text),
    ):
        with pytest.raises(TopicUnsafe):
            name()


@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if text != "a/b"])
def test_a_hostile_text_makes_no_state(text):
    with pytest.raises(TopicUnsafe):
        Topics("alpha").under(f"port/{text}")


@pytest.mark.parametrize("text", ["244000001", "PA3XYZ-9", "dsc 1", "Ærø", "x" * 64, "$SYS"])
def test_an_ordinary_text_is_a_level_as_it_is(text):
    assert level(text) == text


def test_every_topic_stands_under_its_station():
    topics = Topics("alpha")
    root = "distress/v1/alpha"

    assert topics.status() == f"{root}/status"
    assert topics.port("dsc1") == f"{root}/port/dsc1"
    assert topics.watch("70") == f"{root}/watch/70"
    assert topics.refused("dsc1") == f"{root}/refused/dsc1"
    assert topics.position("ais", "244000001") == f"{root}/position/ais/244000001"
    assert topics.incident("i1", Mode.REAL) == f"{root}/incident/i1"
    assert topics.alert("journal") == f"{root}/alert/journal"
    assert topics.ruling("a", "r") == f"{root}/ruling/a/r"
    assert topics.compliance("a", "r") == f"{root}/compliance/a/r"
    assert topics.command("test") == f"{root}/command/test"
    assert topics.outcome("c1") == f"{root}/outcome/c1"
    assert topics.receipt("rcc") == f"{root}/receipt/rcc"
    assert topics.under("port/dsc1") == topics.port("dsc1")
    assert topics.under("status") == topics.status()


@pytest.mark.parametrize(
    ("mode", "topic"),
    [
        (Mode.REAL, "report/distress/dsc"),
        (Mode.TEST, "report/test/distress/dsc"),
        (Mode.EXERCISE, "exercise/report/distress/dsc"),
    ],
)
def test_tests_and_exercises_have_topics_of_their_own(mode, topic):
    found = Topics("alpha").report(Urgency.DISTRESS, "dsc", mode)

    assert found == f"distress/v1/alpha/{topic}"


@pytest.mark.parametrize(
    ("mode", "topic"),
    [
        (Mode.REAL, "incident/i1"),
        (Mode.TEST, "test/incident/i1"),
        (Mode.EXERCISE, "exercise/incident/i1"),
    ],
)
def test_no_test_or_exercise_stands_where_a_real_incident_does(mode, topic):
    topics = Topics("alpha")

    assert topics.incident("i1", mode) == f"distress/v1/alpha/{topic}"
    assert topics.incident_log("i1", mode) == f"distress/v1/alpha/{topic}/log"


def test_a_subscriber_to_real_reports_of_one_urgency_hears_no_test():
    """`report/distress/+` is what an alarm subscribes to: a test must not match it."""
    topic = Topics("alpha").report(Urgency.DISTRESS, "dsc", Mode.TEST)

    assert topic.count("/") != "distress/v1/alpha/report/distress/dsc".count("/")


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        (None, None),
        (Identity(), None),
        (Identity(mmsi="244000001", callsign="PA1", name="NOORD"), "244000001"),
        (Identity(icao24="4840D6", tail="PH-BXA"), "4840D6"),
        (Identity(beacon_hex="2DC8430ABCDEF01"), "2DC8430ABCDEF01"),
        (Identity(imo=9074729, callsign="PA1"), "9074729"),
        (Identity(callsign="PA3XYZ-9", name="x"), "PA3XYZ-9"),
        (Identity(tail="PH-BXA"), "PH-BXA"),
        (Identity(name="NOORD"), "NOORD"),
        (Identity(tag="rib 3"), "rib 3"),
    ],
)
def test_a_craft_is_followed_by_its_most_certain_name(identity, name):
    assert name_of(identity) == name
