"""One line, whatever the incident holds: what, who, where, how sure, how it stands."""

import pytest
from hypothesis import given, settings
from incidents_made import incident, incidents

from gateway.export.say import SAY_CHARACTERS_MAX, say
from gateway.export.wording import degrees_minutes
from gateway.model.incident import AlarmPhase, IncidentAlarm, Phase
from gateway.model.place import Position
from gateway.model.words import Confidence, Mode, Nature, Urgency


def test_what_who_where_how_sure_and_how_it_stands_in_this_order():
    assert say(incident()) == (
        "MAYDAY sinking, MMSI 244 123 456 NORTH STAR, 52°22.50'N 004°54.12'E, "
        "12 NM NE of station, heard on DSC, AIS; not acknowledged"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mode": Mode.TEST}, "TEST: MAYDAY sinking, "),
        ({"mode": Mode.EXERCISE}, "EXERCISE: MAYDAY sinking, "),
        ({"covert": True}, "COVERT, do not answer: MAYDAY sinking, "),
        ({"severity": Urgency.URGENCY, "natures": ()}, "PAN PAN, MMSI "),
        ({"position": None}, ", position unknown, heard on "),
        ({"names": (), "evidence": ()}, "MAYDAY sinking, unidentified, "),
        ({"others": 1}, ", MMSI 244 123 456 NORTH STAR and 1 other, "),
        ({"others": 12, "names": ("beacon:9934039823D0000000000AA",)}, "and 12 others, "),
        ({"others": 2, "names": (), "evidence": ()}, ", unidentified and 2 others, "),
        ({"confidence": Confidence.SUSPECT}, ", heard on DSC, AIS, suspect; "),
        ({"persons_on_board": 7}, ", 7 on board, "),
        ({"station_distance_m": 2000.0, "station_bearing_deg": 359.0}, ", 1.1 NM N of station, "),
        ({"phase": Phase.ACKNOWLEDGED}, "; acknowledged by a coast station"),
        (
            {"phase": Phase.ACKNOWLEDGED, "acknowledged_by": ("mmsi:002320001", "mmsi:244000001")},
            "; acknowledged by coast station 002 320 001",
        ),
        (
            {"acknowledged_by": ("mmsi:244000001",)},
            "; acknowledged by ship 244 000 001, by no coast station",
        ),
        (
            {"acknowledged_by": ("mmsi:111232001",)},
            "; acknowledged by aircraft 111 232 001, by no coast station",
        ),
        (
            {"acknowledged_by": ("mmsi:002320001",), "calls_on": True},
            "; calls on after coast station 002 320 001 acknowledged it",
        ),
        ({"phase": Phase.RELAYED}, "; relayed, not acknowledged"),
        (
            {"phase": Phase.RELAYED, "acknowledged_by": ("mmsi:002320001",)},
            "; acknowledged by coast station 002 320 001 and relayed",
        ),
        (
            {"phase": Phase.RELAYED, "acknowledged_by": ("mmsi:244000001",)},
            "; relayed, acknowledged by ship 244 000 001, by no coast station",
        ),
        ({"phase": Phase.AWAITING_CONFIRMATION}, "; cancelled by itself, not confirmed"),
        ({"alert_lost": True}, "; not acknowledged, fallen silent"),
        ({"alarm": IncidentAlarm(phase=AlarmPhase.TRANSFERRED)}, ", taken over by others"),
        ({"merged_into": "fedcba9876543210"}, "; now part of incident fedcba9876543210"),
    ],
)
def test_each_thing_worth_knowing_is_said(fields, said):
    assert said in say(incident(**fields))


@settings(deadline=None, max_examples=50)
@given(incidents())
def test_any_incident_is_one_printable_line_under_200_characters(any_incident):
    line = say(any_incident)

    assert line.isprintable()
    assert len(line) <= SAY_CHARACTERS_MAX < 200
    if any_incident.mode is not Mode.REAL:
        assert line.startswith(f"{any_incident.mode.name}: ")


def test_the_longest_words_of_all_leave_what_it_is_and_how_it_stands():
    line = say(
        incident(
            mode=Mode.EXERCISE,
            covert=True,
            severity=Urgency.ROUTINE,
            natures=(Nature.PIRACY_UNLAWFUL, Nature.UNDESIGNATED),
            phase=Phase.AWAITING_CONFIRMATION,
            alert_lost=True,
            alarm=IncidentAlarm(phase=AlarmPhase.TRANSFERRED),
        )
    )

    assert line.startswith("EXERCISE: COVERT, do not answer: routine call piracy")
    assert line.endswith("cancelled by itself, not confirmed, fallen silent, taken over by others")


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "said"),
    [
        (59.999999, -0.00001, "60°00.00'N 000°00.00'W"),
        (-90.0, 180.0, "90°00.00'S 180°00.00'E"),
        (0.0, -179.99999, "00°00.00'N 180°00.00'W"),
    ],
)
def test_no_minute_is_ever_sixty(lat_deg, lon_deg, said):
    assert degrees_minutes(Position(lat_deg=lat_deg, lon_deg=lon_deg)) == said
