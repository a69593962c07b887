"""What holds for all radios: the impossible dies here, and every report keeps one name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from gateway.model.inbound import SCHEMA_VERSION, Detail, Draft, Frame, Moment, Reading, Tags
from gateway.model.place import Position, Velocity
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Urgency
from gateway.normalise import Place, normalise, report_id, utc_of

PLACE = Place(station="home", port="p", modem="m", channel="70", freq_hz=156_525_000)
FRAME = Frame("p", Moment(5, 6, ClockState.NTP), b"A", b"$A", 2, 0, None, Integrity.CHECKSUM)
DRAFT = Draft(kind=Kind.POSITION, urgency=Urgency.ROUTINE)
NAN, INFINITE = float("nan"), float("inf")


def report_of(draft=DRAFT, place=PLACE, **frame):
    return normalise(draft, Reading((replace(FRAME, **frame),), "x", Detail(), b"A"), place)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg"),
    [
        *((90.1, 0.0), (-90.1, 0.0), (0.0, 180.1), (0.0, -180.1), (91.0, 181.0)),
        *((NAN, 0.0), (0.0, NAN), (INFINITE, 0.0), (0.0, -INFINITE)),
    ],
)
def test_place_that_is_not_on_the_earth_becomes_none(lat_deg, lon_deg):
    report = report_of(replace(DRAFT, position=Position(lat_deg=lat_deg, lon_deg=lon_deg)))

    assert report.position is None
    assert report.confidence is Confidence.TENTATIVE
    assert report.doubts == ("the position stated is not on the Earth",)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg"), [(90.0, 180.0), (-90.0, -180.0), (0.0, 0.5), (-0.5, 0.0)]
)
def test_place_at_the_edge_is_kept_as_it_is(lat_deg, lon_deg):
    position = Position(lat_deg=lat_deg, lon_deg=lon_deg, accuracy_m=10.0, source="gnss")
    report = report_of(replace(DRAFT, position=position))

    assert report.position is position
    assert (report.confidence, report.doubts) == (Confidence.VERIFIED, ())


def test_nought_nought_is_kept_and_doubted():
    """It is a place in the Gulf of Guinea, and what receivers say that know none."""
    report = report_of(replace(DRAFT, position=Position(lat_deg=0.0, lon_deg=0.0)))

    assert report.position == Position(lat_deg=0.0, lon_deg=0.0)
    assert report.confidence is Confidence.TENTATIVE
    assert len(report.doubts) == 1


@pytest.mark.parametrize("name", ["speed_kn", "course_deg", "heading_deg"])
@pytest.mark.parametrize("value", [-0.1, 10_000.1, NAN, INFINITE])
def test_motion_that_can_not_be_becomes_none(name, value):
    velocity = replace(Velocity(speed_kn=1.0, course_deg=2.0, heading_deg=3.0), **{name: value})
    report = report_of(replace(DRAFT, velocity=velocity))

    assert report.velocity == replace(velocity, **{name: None})
    assert report.doubts == (f"the {name} stated can't be",)
    assert report.confidence is Confidence.TENTATIVE


def test_motion_at_the_edge_is_kept():
    velocity = Velocity(speed_kn=10_000.0, course_deg=360.0, heading_deg=0.0, turn_deg_min=-720.0)

    assert report_of(replace(DRAFT, velocity=velocity)).velocity is velocity


def test_doubts_add_up_and_confidence_only_falls():
    draft = replace(
        DRAFT,
        position=Position(lat_deg=91.0, lon_deg=0.0),
        velocity=Velocity(speed_kn=-1.0, course_deg=361.0),
        confidence=Confidence.SUSPECT,
        doubts=("old",),
    )
    report = report_of(draft)

    assert report.confidence is Confidence.SUSPECT
    assert report.doubts == (
        "old",
        "the position stated is not on the Earth",
        "the speed_kn and course_deg stated can't be",
    )


def test_doubts_of_the_radio_alone_change_no_confidence():
    draft = replace(DRAFT, confidence=Confidence.VERIFIED, doubts=("old",))

    assert report_of(draft).confidence is Confidence.VERIFIED


def test_report_says_who_heard_it_and_how():
    report = report_of(
        raw=b"$A\xff",
        tags=Tags("rx1", 10**9),
        heard=Moment(5, 1_700_000_000_000_001_999, ClockState.NTP),
    )
    heard = report.heard

    assert (heard.station, heard.port, heard.modem) == ("home", "p", "m")
    assert (heard.channel, heard.freq_hz) == ("70", 156_525_000)
    assert (heard.mono_ns, heard.clock) == (5, ClockState.NTP)
    assert heard.utc == datetime(2023, 11, 14, 22, 13, 20, 1, tzinfo=UTC)
    assert (heard.receiver, heard.receiver_utc) == (
        "rx1",
        datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    )
    assert report.raw == ("$A\\xff",)
    assert (report.schema, report.integrity) == (SCHEMA_VERSION, Integrity.CHECKSUM)


def test_proof_of_the_radio_system_goes_before_that_of_its_framing():
    """A line proves nothing, and the check digits of what stands in it do: and the reverse."""
    report = report_of(replace(DRAFT, integrity=Integrity.BCH, corrected_bits=2))
    unproven = report_of(replace(DRAFT, integrity=Integrity.NONE))

    assert (report.integrity, report.corrected_bits) == (Integrity.BCH, 2)
    assert unproven.integrity is Integrity.NONE


def test_what_is_covert_is_told_as_covert():
    assert report_of(replace(DRAFT, covert=True)).covert
    assert not report_of().covert


def test_channel_of_the_message_goes_before_that_of_the_port():
    heard = report_of(replace(DRAFT, channel="06", freq_hz=156_300_000)).heard

    assert (heard.channel, heard.freq_hz) == ("06", 156_300_000)


@pytest.mark.parametrize("utc_ns", [None, -1, 253_402_300_799 * 10**9 + 1, 10**30])
def test_time_of_day_that_no_calendar_has_is_none(utc_ns):
    assert utc_of(utc_ns) is None


def test_time_of_day_reaches_from_1970_to_9999():
    assert utc_of(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert utc_of(253_402_300_799 * 10**9) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_name_of_a_report_is_stable():
    """The name is part of the published record: the same in every release."""
    assert report_id("home", (FRAME,)) == report_of().report_id
    assert report_of().report_id == "f9c9097de227b7191dc8f17edcc55f29"


@pytest.mark.parametrize(
    "other",
    [
        {"port": "q"},
        {"heard": Moment(6, 6, ClockState.NTP)},
        {"heard": Moment(5, 7, ClockState.NTP)},
        {"heard": Moment(5, None, ClockState.NTP)},
        {"ordinal": 1},
        {"raw": b"$B"},
    ],
    ids=str,
)
def test_name_tells_any_two_receptions_apart(other):
    assert report_id("home", (replace(FRAME, **other),)) != report_id("home", (FRAME,))


def test_name_tells_stations_and_parts_apart():
    names = {
        report_id("home", (FRAME,)),
        report_id("away", (FRAME,)),
        report_id("home", (FRAME, FRAME)),
    }

    assert len(names) == 3
    assert all(len(name) == 32 for name in names)


def test_refinement_names_the_report_that_it_completes():
    earlier = replace(FRAME, ordinal=9)
    reading = Reading((FRAME,), "x", Detail(), b"A", refines=(earlier,))

    assert normalise(DRAFT, reading, PLACE).refines == report_id("home", (earlier,))
    assert report_of().refines is None


def test_report_of_several_frames_is_heard_with_the_last():
    frames = (FRAME, replace(FRAME, heard=Moment(9), raw=b"$B"))
    report = normalise(DRAFT, Reading(frames, "x", Detail(), b"AB"), PLACE)

    assert report.raw == ("$A", "$B")
    assert (report.heard.mono_ns, report.heard.utc) == (9, None)
