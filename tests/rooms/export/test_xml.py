"""CAP messages and CoT events are valid, and truly say what is meant and what is over."""

from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given, settings
from incidents_made import NOW_UTC, evidence, incident, incidents

from gateway.export.cap import NAMESPACE, REFERENCES_MAX, cap, reference
from gateway.export.cot import cot
from gateway.model.incident import CLOSED, Phase
from gateway.model.place import Position
from gateway.model.words import Confidence, Mode, Nature, Urgency

HERE = Path(__file__).parent
CAP = xmlschema.XMLSchema(HERE / "cap-1.2.xsd")
COT = xmlschema.XMLSchema(HERE / "cot-2.0.xsd")

BYTES_MAX = 16 * 1024
"""Each text cut to its limit and written as the longest that UTF-8 and escaping make of it."""

SENDER = "north@sar.example"


def message(any_incident, **fields):
    """Return the values of a valid CAP message by the names of their elements."""
    written = cap(any_incident, NOW_UTC, sender=SENDER, **fields)
    CAP.validate(written.decode())
    found = {}
    for element in ET.fromstring(written).iter():  # noqa: S314  # our own words
        found.setdefault(element.tag.removeprefix(f"{{{NAMESPACE}}}"), []).append(element.text)
    return found


def events(any_incident):
    """Return valid CoT events, the casualty's first."""
    written = cot(any_incident, NOW_UTC)
    for event in written:
        COT.validate(event.decode())
    return [ET.fromstring(event) for event in written]  # noqa: S314  # our own words


# ---- CAP ----------------------------------------------------------------------------------------


def test_a_mayday_as_cap():
    said = message(incident(corroborated=True))

    assert said["identifier"] == ["north.0123456789abcdef.1"]
    assert said["sent"] == ["2026-11-22T23:06:01-00:00"]
    assert (said["status"], said["msgType"], said["scope"]) == (["Actual"], ["Alert"], ["Public"])
    assert said["event"] == ["MAYDAY sinking"]
    assert said["urgency"] + said["severity"] + said["certainty"] == [
        "Immediate",
        "Extreme",
        "Observed",
    ]
    assert said["circle"] == ["52.3750000,4.9020000 0.926"]
    assert "references" not in said


@pytest.mark.parametrize(
    ("mode", "status"),
    [(Mode.REAL, "Actual"), (Mode.EXERCISE, "Exercise"), (Mode.TEST, "Test")],
)
def test_the_status_is_true(mode, status):
    said = message(incident(mode=mode))

    assert said["status"] == [status]
    assert ("note" in said) == (mode is not Mode.REAL)
    assert said["headline"][0].startswith("MAYDAY" if mode is Mode.REAL else f"{mode.name}: MAYDAY")


def test_what_follows_names_what_it_follows():
    first = incident()
    earlier = (reference(first, NOW_UTC, sender=SENDER),)
    update = message(incident(revision=2), earlier=earlier)
    end = message(incident(revision=3, phase=Phase.CANCELLED), earlier=earlier)

    assert earlier == (f"{SENDER},north.0123456789abcdef.1,2026-11-22T23:06:01-00:00",)
    assert (update["msgType"], update["references"]) == (["Update"], [earlier[0]])
    assert (end["msgType"], end["urgency"], end["note"]) == (["Cancel"], ["Past"], ["cancelled"])
    assert end["identifier"] == ["north.0123456789abcdef.3"]


def test_only_so_many_earlier_messages_are_named():
    earlier = tuple(
        reference(incident(revision=number), NOW_UTC, sender=SENDER) for number in range(1, 100)
    )
    named = message(incident(revision=100), earlier=earlier)["references"][0].split()

    assert named == list(earlier[-REFERENCES_MAX:])


@pytest.mark.parametrize("phase", sorted(set(Phase) - CLOSED))
def test_nothing_but_the_end_cancels(phase):
    earlier = (reference(incident(), NOW_UTC, sender=SENDER),)
    said = message(incident(phase=phase, alert_lost=True, revision=2), earlier=earlier)

    assert (said["msgType"], said["urgency"]) == (["Update"], ["Immediate"])


def test_a_covert_incident_is_restricted_and_says_to_whom():
    said = message(incident(covert=True))

    assert said["scope"] == ["Restricted"]
    assert said["restriction"][0]
    assert "Security" in said["category"]


@pytest.mark.parametrize(
    ("fields", "grades"),
    [
        ({"confidence": Confidence.VERIFIED}, ("Immediate", "Extreme", "Likely")),
        ({"confidence": Confidence.TENTATIVE}, ("Immediate", "Extreme", "Possible")),
        ({"confidence": Confidence.SUSPECT}, ("Immediate", "Extreme", "Unknown")),
        ({"severity": Urgency.URGENCY}, ("Expected", "Severe", "Likely")),
        ({"severity": Urgency.SAFETY}, ("Future", "Moderate", "Likely")),
        ({"severity": Urgency.ROUTINE}, ("Unknown", "Minor", "Likely")),
        ({"phase": Phase.FALSE_ALERT}, ("Past", "Minor", "Unlikely")),
        ({"phase": Phase.RESOLVED}, ("Past", "Extreme", "Likely")),
        ({"mode": Mode.TEST}, ("Unknown", "Minor", "Unlikely")),
    ],
)
def test_urgency_severity_and_certainty_are_true(fields, grades):
    said = message(incident(**fields))

    assert (*said["urgency"], *said["severity"], *said["certainty"]) == grades


def test_an_unknown_place_is_no_area_and_an_unknown_error_is_said():
    nowhere = message(incident(position=None))
    somewhere = message(incident(position=Position(lat_deg=-1.5, lon_deg=180.0)))

    assert "area" not in nowhere
    assert "The position is not known." in nowhere["description"][0]
    assert somewhere["circle"] == ["-1.5000000,180.0000000 0.000"]
    assert "how exact is not known" in somewhere["areaDesc"][0]


def test_what_others_wrote_stays_text():
    piece = evidence(text="]]></description><status>Test</status>&")
    said = message(incident(evidence=(piece,), natures=(Nature.FIRE_EXPLOSION,)))

    assert said["status"] == ["Actual"]
    assert "]]></description><status>Test</status>&" in said["description"][0]
    assert said["category"] == ["Rescue", "Transport", "Fire"]


@settings(deadline=None, max_examples=50)
@given(incidents())
def test_any_incident_is_a_valid_cap_message_of_bounded_size(any_incident):
    earlier = (reference(any_incident, NOW_UTC, sender="odd sender,<&>"),)
    said = message(any_incident, earlier=earlier)

    assert len(cap(any_incident, NOW_UTC, sender=SENDER, earlier=earlier)) <= BYTES_MAX
    assert (said["scope"] == ["Restricted"]) == ("restriction" in said) == any_incident.covert
    assert (said["status"] == ["Actual"]) == (any_incident.mode is Mode.REAL)


# ---- CoT ----------------------------------------------------------------------------------------


def test_a_mayday_as_cot_is_a_casualty_and_an_alert():
    casualty, alert = events(incident())

    assert casualty.attrib["type"] == "a-u-S"
    assert casualty.attrib["how"] == "m-g"
    assert casualty.find("point").attrib == {
        "lat": "52.3750000",
        "lon": "4.9020000",
        "hae": "9999999.0",
        "ce": "926.0",
        "le": "9999999.0",
    }
    assert alert.attrib["type"] == "b-a-o-tbl"
    assert alert.find("detail/emergency").attrib == {"type": "911 Alert"}
    assert alert.find("detail/link").attrib["uid"] == casualty.attrib["uid"]
    assert alert.attrib["uid"] != casualty.attrib["uid"]


def test_the_end_cancels_the_alert_and_drops_the_casualty_under_the_same_names():
    begun = events(incident())
    casualty, alert = events(incident(phase=Phase.RESOLVED, revision=9))

    assert [casualty.attrib["uid"], alert.attrib["uid"]] == [e.attrib["uid"] for e in begun]
    assert casualty.attrib["stale"] < casualty.attrib["start"]
    assert alert.attrib["type"] == "b-a-o-can"
    assert alert.find("detail/emergency").attrib == {"cancel": "true"}


@pytest.mark.parametrize("phase", sorted(set(Phase) - CLOSED))
def test_silence_and_acknowledgement_cancel_nothing(phase):
    casualty, alert = events(incident(phase=phase, alert_lost=True))

    assert alert.attrib["type"] == "b-a-o-tbl"
    assert casualty.attrib["stale"] > (NOW_UTC + timedelta(hours=23)).isoformat()


def test_a_test_is_a_marked_spot_without_an_alert():
    (spot,) = events(incident(mode=Mode.TEST))

    assert spot.attrib["type"] == "b-m-p-s-m"
    assert (spot.attrib["how"], spot.attrib["opex"]) == ("m-s", "s")
    assert spot.find("detail/remarks").text.startswith("TEST: ")
    assert spot.find("detail/contact").attrib["callsign"].startswith("TEST ")


def test_an_exercise_is_marked_wherever_it_is_read():
    for event in events(incident(mode=Mode.EXERCISE)):
        assert (event.attrib["how"], event.attrib["opex"]) == ("m-s", "e")
        assert event.find("detail/remarks").text.startswith("EXERCISE: ")
        assert event.find("detail/contact").attrib["callsign"].startswith("EXERCISE ")


def test_a_covert_incident_makes_no_screen_ring():
    (casualty,) = events(incident(covert=True))

    assert casualty.attrib["access"] == "restricted"
    assert casualty.find("detail/remarks").text.startswith("COVERT")


def test_what_is_no_distress_has_no_alert():
    assert len(events(incident(severity=Urgency.URGENCY))) == 1


def test_an_unknown_place_is_said_to_be_none():
    casualty, _ = events(incident(position=None))

    assert casualty.find("point").attrib["ce"] == "9999999.0"
    assert casualty.find("detail/remarks").text.endswith("the point is no place.")
    assert casualty.attrib["how"] == "h-e"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("mmsi:244123456",), "a-u-S"),
        (("mmsi:111244001",), "a-u-A"),
        (("icao24:A39657", "beacon:96E3A39657A212E"), "a-u-A"),
        (("beacon:96E3A39657A212E",), "a-u-G"),
        ((), "a-u-G"),
    ],
)
def test_the_symbol_is_of_the_sea_the_air_or_the_ground(names, kind):
    assert events(incident(names=names))[0].attrib["type"] == kind


@settings(deadline=None, max_examples=50)
@given(incidents())
def test_any_incident_is_valid_cot_and_a_test_never_a_casualty(any_incident):
    made = events(any_incident)
    casualties = [event for event in made if event.attrib["type"].startswith("a")]

    assert max(map(len, cot(any_incident, NOW_UTC))) <= BYTES_MAX
    assert len(casualties) == (any_incident.mode is not Mode.TEST)
    assert len(made) == 1 or not any_incident.covert
