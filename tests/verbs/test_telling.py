"""What a person reads at a terminal: the urgent stands out, a test looks like one."""

from datetime import UTC, datetime

import msgspec
import pytest
from incidents_made import incident

from gateway.model.inbound import Heard, Refused, Report
from gateway.model.incident import IncidentNote
from gateway.model.place import Identity, Position, Velocity
from gateway.model.words import (
    ClockState,
    Confidence,
    Integrity,
    Kind,
    Mode,
    Nature,
    Relation,
    Urgency,
)
from gateway.verbs.telling import incident_line, one_line, party, refused_line, where, who

REPORT = Report(
    report_id="0" * 32,
    schema=1,
    system="dsc",
    kind=Kind.RELAY,
    urgency=Urgency.DISTRESS,
    mode=Mode.REAL,
    sender=Identity(mmsi="003160001", mmsi_class="coast"),
    casualty=Identity(mmsi="316200911", mmsi_class="ship", name="A\x1bB"),
    nature=Nature.MAN_OVERBOARD,
    position=Position(lat_deg=-0.5, lon_deg=179.999999),
    velocity=Velocity(speed_kn=4.25, course_deg=7.0),
    text="HELP\n",
    heard=Heard(
        station="s",
        port="p",
        modem="m",
        mono_ns=12_340_000_000,
        utc=datetime(2026, 11, 1, 12, 30, 5, tzinfo=UTC),
        clock=ClockState.NTP,
    ),
    integrity=Integrity.CHECKSUM,
    confidence=Confidence.VERIFIED,
    raw=("$X",),
)


def changed(**fields: object) -> Report:
    return msgspec.structs.replace(REPORT, **fields)


@pytest.mark.parametrize(
    ("noted", "clock"),
    [
        ({"utc": datetime(2026, 11, 22, 23, 11, 7, tzinfo=UTC)}, "23:11:07"),
        ({"mono_ns": 400 * 10**9}, "   400.0"),
        ({"utc": datetime(2026, 11, 22, 23, 11, 7, tzinfo=UTC), "mono_ns": 1}, "23:11:07"),
        ({}, "23:06:01"),
    ],
)
def test_an_incident_is_told_at_the_time_at_which_it_changed(noted, clock):
    """An alarm sounds again, and a call falls silent, minutes after anything was heard."""
    note = IncidentNote(change="nobody has acknowledged it", incident=incident(), **noted)
    assert incident_line(note).startswith(f"{clock}  == incident")


def test_one_line_says_when_how_urgent_who_what_where_and_how_sure():
    assert one_line(REPORT, Relation.COPY).split("  ") == [
        "12:30:05",
        "!!! DISTRESS",
        "dsc",
        *[""] * 5,
        "relay: man overboard",
        "A\\x1bB 316200911 ship (told by 003160001 coast)",
        "00°30.000'S 180°00.000'E",
        "007.0° 4.2 kn",
        '"HELP"',
        "verified",
        "(copy)",
    ]


def test_a_test_never_looks_like_distress():
    for mode in (Mode.TEST, Mode.EXERCISE):
        line = one_line(changed(mode=mode), colour=True)

        assert f"[{mode.upper()}]" in line
        assert "DISTRESS" not in line
        assert "\x1b[1;31m" not in line


def test_routine_needs_no_word_on_how_sure_it_is():
    assert "verified" not in one_line(changed(urgency=Urgency.ROUTINE))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ONE\r\nTWO\n", '"ONE TWO"'),
        ("\x1b[2J", '"\\x1b[2J"'),
        ("x" * 160, f'"{"x" * 160}"'),
        ("x" * 161, f'"{"x" * 159}…"'),
    ],
)
def test_a_text_stays_on_its_line(text, told):
    assert told in one_line(changed(text=text)).split("  ")


def test_colour_is_only_added_where_it_is_wanted():
    line = one_line(REPORT, colour=True)

    assert line == f"\x1b[1;31m{one_line(REPORT)}\x1b[0m"


def test_without_a_time_of_day_the_seconds_are_told():
    heard = msgspec.structs.replace(REPORT.heard, utc=None)

    assert one_line(changed(heard=heard)).startswith("    12.3  !!! DISTRESS")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"sender": None}, "A\\x1bB 316200911 ship"),
        ({"sender": None, "casualty": None}, "nobody named"),
        ({"sender": None, "casualty": None, "urgency": Urgency.ROUTINE}, ""),
        ({"casualty": REPORT.sender}, "003160001 coast"),
    ],
)
def test_who_is_in_trouble_is_told_before_who_says_so(fields, told):
    assert who(changed(**fields)) == told


def test_a_party_is_called_by_every_name_it_has():
    whole = Identity(mmsi="1", imo=2, callsign="C", icao24="D", beacon_hex="E", tail="F", tag="G")

    assert party(whole) == "1 C D E F G IMO 2"
    assert party(Identity()) == "unnamed"


@pytest.mark.parametrize(
    ("resolution_m", "told"),
    [
        (None, "59°59.999'N 009°30.300'W"),
        (926.0, "60°00'N 009°30'W"),
        (92.6, "60°00.0'N 009°30.3'W"),
        (0.0926, "59°59.9990'N 009°30.3000'W"),
        (0.000001, "59°59.9990'N 009°30.3000'W"),
    ],
)
def test_a_place_is_told_as_finely_as_it_was_sent(resolution_m, told):
    position = Position(lat_deg=59 + 59.999 / 60, lon_deg=-9.505, resolution_m=resolution_m)

    assert where(position) == told


def test_what_may_be_a_call_for_help_stands_out_among_the_refused():
    refused = Refused(
        port="p",
        mono_ns=0,
        reason="wrong checksum",
        door="framing",
        distress_like=True,
        raw=("$X*00",),
        span=7,
    )

    assert refused_line(refused, colour=True) == (
        "\x1b[1;31m     0.0  ?? DISTRESS   wrong checksum: $X*00\x1b[0m"
    )
    played = msgspec.structs.replace(refused, mode=Mode.EXERCISE)
    assert refused_line(played, colour=True) == (
        "\x1b[2m     0.0  [EXERCISE]    wrong checksum: $X*00\x1b[0m"
    )
