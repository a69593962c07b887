"""A telex that any printer takes, marked as what it is and claiming nothing."""

import pytest
from hypothesis import given, settings
from incidents_made import NOW_UTC, evidence, incident, incidents

from gateway.export.sitrep import COLUMNS, HEAD, ITA2, sitrep
from gateway.model.incident import Phase
from gateway.model.words import Mode, Urgency

LINES_MAX = 240
"""Four minutes or so of NBDP for an ordinary one, an hour for the longest."""


def test_a_mayday_as_a_telex():
    telex = sitrep(
        incident(
            names=("mmsi:244123456", "beacon:9934039823D0000"),
            acknowledged_by=("mmsi:002442000",),
            phase=Phase.ACKNOWLEDGED,
            evidence=(evidence(text="taking water é"),),
            persons_on_board=7,
        ),
        NOW_UTC,
    )

    assert telex.split("\r\n") == [
        "SIT 185 STYLE FROM A RADIO STATION, NO CONFORMANCE CLAIMED",
        "1. DISTRESS MAYDAY INITIAL ALERT",
        "2. MSG NO 00001 STATION REF 0123456789ABCDEF",
        "3. DETECTED AT 22 NOV 2026 2306 UTC BY NORTH",
        "4. DETECTION SYSTEMS DSC, AIS",
        "5. COUNTRY MID 244",
        "6. USER IDENTITY",
        "   MMSI 244 123 456",
        "   BEACON 9934039823D0000",
        "   NAME NORTH STAR",
        "7. EMERGENCY SINKING",
        "8. POSITIONS",
        "   RESOLVED NIL",
        "   CASUALTY 52 22.50N 004 54.12E WITHIN 0.50 NM 22 NOV 2026 2306 UTC",
        "   DSC 52 22.50N 004 54.12E WITHIN 0.50 NM 22 NOV 2026 2306 UTC",
        "   12 NM NE OF STATION",
        "9. POSITION PROVIDED BY GNSS",
        "10. NEXT PASS NIL, NO SATELLITE STATION",
        "11. HEX ID BEACON 9934039823D0000 HOMING NIL",
        "12. ACTIVATION TYPE NIL",
        "13. BEACON NUMBER NIL",
        "14. OTHER INFORMATION RECEIVED",
        "    PERSONS ON BOARD 7",
        "    TEXT TAKING WATER E",
        "15. OPERATIONAL INFORMATION",
        "    STATE ACKNOWLEDGED BY COAST STATION 002 442 000",
        "    CONFIDENCE VERIFIED",
        "    ACKNOWLEDGED BY COAST STATION 002 442 000",
        "    PIECES OF EVIDENCE 1",
        "16. REMARKS MADE 22 NOV 2026 2306 UTC FROM INCIDENT REVISION 1",
        "END OF MESSAGE",
        "",
    ]


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"revision": 2}, "1. DISTRESS MAYDAY UPDATE"),
        ({"phase": Phase.CANCELLED}, "1. DISTRESS MAYDAY USER CANCELLATION"),
        ({"phase": Phase.AWAITING_CONFIRMATION}, "1. DISTRESS MAYDAY USER CANCELLATION"),
        ({"phase": Phase.RESOLVED}, "1. DISTRESS MAYDAY CLOSED"),
        ({"covert": True}, "1. COVERT ALERT, DO NOT CALL THE CRAFT. DISTRESS MAYDAY INITIAL ALERT"),
        ({"severity": Urgency.URGENCY}, "1. OTHER PAN PAN INITIAL ALERT"),
    ],
)
def test_the_title_says_what_it_is(fields, title):
    assert title in sitrep(incident(**fields), NOW_UTC).split("\r\n")


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.EXERCISE])
def test_what_is_not_meant_is_marked_first_and_last(mode):
    lines = sitrep(incident(mode=mode), NOW_UTC).split("\r\n")

    assert lines[0] == lines[-3] == f"{mode.name} {mode.name} {mode.name}"
    assert lines[1] == "NOT A REAL CALL FOR HELP"
    assert lines[3].startswith(f"1. {mode.name} ")


def test_what_is_not_known_is_said_not_to_be():
    bare = incident(position=None, names=(), evidence=(), systems=(), natures=(), opened_utc=None)
    telex = sitrep(bare, NOW_UTC)

    assert "   NOT KNOWN" in telex
    assert "3. DETECTED AT TIME NOT KNOWN BY NORTH" in telex
    assert "PERSONS ON BOARD NOT KNOWN" in telex


def test_what_is_left_out_is_counted():
    pieces = tuple(evidence(f"{number}") for number in range(20))

    assert "   AND 12 MORE" in sitrep(incident(evidence=pieces), NOW_UTC)


@settings(deadline=None, max_examples=50)
@given(incidents())
def test_any_incident_is_a_telex_within_its_columns_and_alphabet(any_incident):
    telex = sitrep(any_incident, NOW_UTC)
    lines = telex.split("\r\n")

    assert set(telex) <= ITA2 | {"\r", "\n"}
    assert max(map(len, lines)) <= COLUMNS
    assert len(lines) <= LINES_MAX
    assert HEAD in lines
    assert lines[-2:] == ["END OF MESSAGE", ""]
    assert [line.split(".")[0] for line in lines if line[:1].isdigit()] == [
        str(number) for number in range(1, 17)
    ]
