"""A track says where something was last, how old that is, and what speaks against it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codes.geodesy import NM_M, distance_m
from gateway.correlate import tracks as room
from gateway.correlate.tracks import Tracks
from gateway.model.inbound import Heard, Report
from gateway.model.place import Identity, Position, Velocity
from gateway.model.words import ClockState, Confidence, Integrity, Kind, Mode, Urgency

S = 10**9
SHIP = Identity(mmsi="244123456")
NAME = "mmsi:244123456"


def told(whose, lat=52.0, lon=4.0, at_s=0.0, *, system="ais", **more):
    """Return a report of a place; `knots`, `age_s`, `accuracy_m` go where they belong."""
    knots, detail = more.pop("knots", None), more.pop("detail", None)
    place = {key: more.pop(key) for key in ("age_s", "accuracy_m", "resolution_m") if key in more}
    report = {
        "report_id": f"{system}{lat}{lon}{at_s}",
        "kind": Kind.POSITION,
        "urgency": Urgency.ROUTINE,
        "mode": Mode.REAL,
        "sender": whose,
        "position": None if lat is None else Position(lat_deg=lat, lon_deg=lon, **place),
        "velocity": None if knots is None else Velocity(speed_kn=knots),
        "confidence": Confidence.VERIFIED,
        **more,
    }
    heard = Heard(station="a", port="p", modem="m", mono_ns=int(at_s * S), clock=ClockState.UNSET)
    return Report(
        schema=1,
        system=system,
        heard=heard,
        integrity=Integrity.CRC,
        raw=(),
        detail=detail,
        **report,
    )


def heard(*reports):
    tracks = Tracks()
    for report in reports:
        tracks.hear(report)
    return tracks


def place(track):
    return track.position.lat_deg, track.position.lon_deg


def test_the_newest_place_counts_and_no_clock_is_needed():
    track = heard(told(SHIP, 52.0), told(SHIP, 52.001, at_s=10)).at(NAME, 15 * S)

    assert (place(track), track.age_s, track.utc) == ((52.001, 4.0), 5.0, None)
    assert (track.name, track.system, track.sort, track.timed_out) == (NAME, "ais", "ship", False)


def test_what_was_never_heard_or_never_placed_has_no_track():
    tracks = heard(told(None), told(Identity(name="X")), told(SHIP, None))

    assert len(tracks) == 0
    assert tracks.at(NAME, 0) is None


def test_the_age_that_a_place_states_counts():
    tracks = heard(told(SHIP, 52.0, at_s=100), told(SHIP, 51.99, at_s=110, age_s=60))

    assert place(tracks.at(NAME, 110 * S)) == (52.0, 4.0)
    assert heard(told(SHIP, at_s=110, age_s=60)).at(NAME, 110 * S).age_s == 60


def detail(number):
    return SimpleNamespace(message_type=number)


@pytest.mark.parametrize(
    ("whose", "system", "knots", "number", "lasts_s"),
    [
        (SHIP, "ais", 10, 1, 60),
        (SHIP, "ais", 30, 1, 60),
        (SHIP, "ais", 0.1, 1, 1080),
        (SHIP, "ais", 10, 18, 180),
        (SHIP, "ais", 1, 18, 1080),
        (SHIP, "ais", 10, 27, 1080),
        (Identity(mmsi="970111111"), "ais", 1, 1, 360),
        (Identity(mmsi="992351000"), "ais", None, 21, 1080),
        (Identity(mmsi="111232506"), "ais", 90, 9, 60),
        (Identity(icao24="A39657"), "mode_s", 400, None, 60),
        (Identity(callsign="N0CALL"), "aprs", None, None, 4200),
        (Identity(tag="!abcd"), "meshtastic", None, None, 2700),
        (SHIP, "dsc", None, None, 900),
        (Identity(beacon_hex="ADCD008004040401"), "cospas_sarsat", None, None, 600),
        (SHIP, "none of these", None, None, 600),
    ],
)
def test_each_system_and_sort_times_out_by_its_own_intervals(whose, system, knots, number, lasts_s):
    tracks = heard(told(whose, system=system, knots=knots, detail=detail(number)))
    name = room.names_of(whose)[0]

    assert not tracks.at(name, lasts_s * S).timed_out
    assert tracks.at(name, lasts_s * S + 1).timed_out
    assert place(tracks.at(name, lasts_s * S + 1)) == (52.0, 4.0)


def test_uncertainty_grows_with_age_and_slower_for_what_has_stopped():
    stopped = heard(told(SHIP, knots=0.0, accuracy_m=10.0))
    under_way = heard(told(SHIP, knots=20.0, accuracy_m=10.0))
    silent = heard(told(SHIP, accuracy_m=10.0))
    radii = [
        [t.at(NAME, s * S).uncertainty_m for s in (0, 30, 60, 5000)]
        for t in (stopped, under_way, silent)
    ]

    assert all(rows == sorted(rows) for rows in radii)
    assert [rows[0] for rows in radii] == [10.0, 10.0, 10.0]
    assert radii[0][2] == pytest.approx(40.0)
    assert radii[1][2] == pytest.approx(10 + 20 * 1852 / 60)
    assert radii[0][3] > 10 + 0.5 * 5000, "once it has timed out it may have got under way"
    assert stopped.at(NAME, 10**9 * S).uncertainty_m <= 20_037_508


def test_the_finer_valid_system_wins_and_the_other_one_when_it_has_timed_out():
    fine = told(SHIP, 52.0, accuracy_m=10.0, knots=5)
    coarse = told(SHIP, 52.001, at_s=20, system="dsc", resolution_m=926.0, knots=5)
    tracks = heard(coarse, fine)

    assert tracks.at(NAME, 30 * S).system == "ais"
    assert tracks.at(NAME, 200 * S).system == "dsc"
    assert tracks.at(NAME, 9999 * S).timed_out


def test_two_systems_that_differ_are_shown_to_differ():
    tracks = heard(told(SHIP, 52.0, accuracy_m=10.0), told(SHIP, 53.0, system="dsc", at_s=5))

    assert any("places it 111.2 km from there" in doubt for doubt in tracks.at(NAME, 6 * S).doubts)


def test_a_jump_is_shown_and_takes_over_when_it_repeats_and_the_first_falls_silent():
    tracks = heard(told(SHIP, 52.0), told(SHIP, 40.0, at_s=5), told(SHIP, 52.0, at_s=10))

    assert tracks.doubted == 1
    assert place(tracks.at(NAME, 11 * S)) == (52.0, 4.0)
    assert "two may use one identity" in tracks.at(NAME, 11 * S).doubts[0]
    tracks.hear(told(SHIP, 40.0, at_s=15))
    assert place(tracks.at(NAME, 20 * S)) == (52.0, 4.0)
    assert place(tracks.at(NAME, 1100 * S)) == (40.0, 4.0)
    tracks.hear(told(SHIP, 40.0, at_s=1200))
    assert place(tracks.at(NAME, 1201 * S)) == (40.0, 4.0)
    assert tracks.doubted == 3


def test_one_jump_that_never_repeats_replaces_nothing_however_old_the_good_place_is():
    tracks = heard(told(SHIP, 52.0), told(SHIP, 40.0, at_s=5))

    assert place(tracks.at(NAME, 99_999 * S)) == (52.0, 4.0)


def test_a_suspect_place_wins_only_when_repeated_and_the_good_one_has_timed_out():
    def doubtful(at_s):
        return told(SHIP, 52.001, at_s=at_s, confidence=Confidence.SUSPECT, doubts=("bent",))

    tracks = heard(told(SHIP, 52.0), doubtful(1000))
    assert place(tracks.at(NAME, 1001 * S)) == (52.0, 4.0)
    assert place(tracks.at(NAME, 1500 * S)) == (52.0, 4.0)
    tracks.hear(doubtful(1400))
    track = tracks.at(NAME, 1500 * S)
    assert (place(track), track.suspect, track.doubts) == ((52.001, 4.0), True, ("bent",))


def test_further_names_lead_to_the_track_in_whichever_order_they_come():
    both = told(Identity(mmsi="244123456", callsign="PABC"), None, at_s=1)
    alone = told(Identity(callsign="PABC"), 52.1, at_s=9, system="aprs", accuracy_m=1.0)
    first = told(SHIP, 52.0)
    for order in ((both, alone, first), (alone, first, both), (first, both, alone)):
        tracks = heard(*order)
        for name in (NAME, "callsign:PABC"):
            track = tracks.at(name, 2000 * S)
            assert (track.name, track.names) == (NAME, (NAME, "callsign:PABC"))
            assert track.system == "aprs"


def test_a_name_that_two_use_is_said_to_be_of_two():
    tracks = heard(
        told(Identity(mmsi="244123456", callsign="PABC"), 52.0),
        told(Identity(mmsi="244999999", callsign="PABC"), 10.0),
    )

    assert "2 tracks go by callsign PABC" in tracks.at("callsign:PABC", S).doubts
    assert tracks.at(NAME, S).doubts == ()


def test_tests_and_exercises_have_tracks_of_their_own():
    tracks = heard(
        told(SHIP, 52.0),
        told(SHIP, 10.0, at_s=1, mode=Mode.TEST),
        told(SHIP, 20.0, at_s=1, mode=Mode.EXERCISE),
    )

    assert [tracks.at(NAME, S, mode=mode).position.lat_deg for mode in Mode] == [52.0, 10.0, 20.0]
    assert tracks.at(NAME, S).doubts == ()
    assert tracks.nearest(10.0, 4.0, S) == ()
    assert [one.name for one in tracks.nearest(10.0, 4.0, S, mode=Mode.TEST)] == [NAME]


@pytest.mark.parametrize(
    "more",
    [
        {"kind": Kind.RELAY},
        {"kind": Kind.ACKNOWLEDGEMENT},
        {"urgency": Urgency.DISTRESS},
        {"system": "navtex"},
        {"detail": SimpleNamespace(object_name="BUOY")},
    ],
)
def test_the_place_of_somebody_else_is_not_that_of_the_sender(more):
    assert heard(told(SHIP, **more)).at(NAME, 0) is None


def test_the_place_in_a_relay_is_that_of_the_casualty():
    tracks = heard(told(Identity(mmsi="002320001"), casualty=SHIP, kind=Kind.RELAY))

    assert place(tracks.at(NAME, 0)) == (52.0, 4.0)
    assert tracks.at("mmsi:002320001", 0) is None


# ---- Who is near --------------------------------------------------------------------------------


def ship(number):
    return Identity(mmsi=f"{211_000_000 + number}")


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (52.0, 4.0),
        (0.0, 0.0),
        (10.0, 180.0),
        (-20.0, -179.99),
        (89.9, 0.0),
        (-90.0, 0.0),
        (85, -180),
    ],
)
def test_all_within_fifty_miles_are_found_anywhere_on_the_earth(lat, lon):
    offsets = [(i * 0.11, j * 0.37) for i in range(-9, 10) for j in range(-9, 10)]
    places = {}
    for number, (north, east) in enumerate(offsets):
        if abs(lat + north) <= 90:
            wide = east * (20 if abs(lat) > 84 else 1)
            places[number] = (lat + north, (lon + wide + 180) % 360 - 180)
    tracks = heard(*(told(ship(n), *where, knots=5) for n, where in places.items()))
    expected = {
        f"mmsi:{211_000_000 + n}"
        for n, where in places.items()
        if distance_m(lat, lon, *where) <= 50 * NM_M
    }
    found = tracks.nearest(lat, lon, 0, count=1000)

    assert {one.name for one in found} == expected
    assert len(expected) > 20
    assert [one.distance_m for one in found] == sorted(one.distance_m for one in found)
    assert tracks.nearest(lat, lon, 0, count=3) == found[:3]


def test_devices_stations_houses_and_the_casualty_are_not_asked_to_help():
    tracks = heard(
        told(SHIP),
        told(Identity(mmsi="970111111")),
        told(Identity(mmsi="002320001")),
        told(Identity(mmsi="992351000")),
        told(Identity(beacon_hex="ADCD008004040401"), system="cospas_sarsat"),
        told(Identity(callsign="HOUSE"), system="aprs"),
        told(Identity(callsign="BOAT"), 52.01, system="aprs", knots=6),
        told(Identity(icao24="A39657"), 52.1, system="mode_s", knots=100),
    )
    found = tracks.nearest(52.0, 4.0, S, but=(NAME,))

    assert [one.name for one in found] == ["callsign:BOAT", "icao24:A39657"]
    assert found[1].bearing_deg == 0.0
    assert found[1].distance_m == pytest.approx(11_119.5, abs=1)


def test_what_may_be_anywhere_by_now_and_what_has_left_is_not_near():
    tracks = heard(told(Identity(icao24="A39657"), system="mode_s", knots=400), told(SHIP, knots=9))

    assert len(tracks.nearest(52.0, 4.0, 60 * S)) == 2
    assert [one.name for one in tracks.nearest(52.0, 4.0, 600 * S)] == [NAME]
    tracks.hear(told(SHIP, 54.0, at_s=80_000, knots=9))
    assert tracks.nearest(52.0, 4.0, 80_000 * S) == ()


# ---- Bounds and order ---------------------------------------------------------------------------


def test_tracks_and_aliases_are_bounded_and_the_longest_silent_goes(monkeypatch):
    monkeypatch.setattr(room, "TRACKS_MAX", 3)
    monkeypatch.setattr(room, "ALIASES_MAX", 2)
    tracks = Tracks()
    for number in range(5):
        tracks.hear(
            told(Identity(mmsi=str(211_000_000 + number), callsign=f"C{number}"), at_s=number)
        )
        tracks.hear(told(ship(0), at_s=number + 0.5))
    held = {bound.what: (bound.held, bound.evicted) for bound in tracks.bounds()}

    assert held == {"tracks": (3, 2), "track_aliases": (2, 2)}
    assert tracks.at("mmsi:211000000", 5 * S)
    assert tracks.at("mmsi:211000001", 5 * S) is None
    assert tracks.at("callsign:C1", 5 * S) is None
    assert len(tracks.nearest(52.0, 4.0, 5 * S)) == 3


STEPS = st.tuples(
    st.integers(0, 3),
    st.integers(0, 4000),
    st.sampled_from(["ais", "dsc", "aprs"]),
    st.sampled_from([None, 1.0, 15.0]),
    st.sampled_from([None, 10.0, 300.0]),
    st.booleans(),
    st.sampled_from([Confidence.VERIFIED, Confidence.SUSPECT]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=12), st.randoms(use_true_random=False), st.integers(0, 6000))
def test_without_jumps_the_order_of_arrival_changes_nothing(steps, dice, now_s):
    reports = [
        told(
            Identity(mmsi=f"21100000{who}", callsign=f"C{who}" if named else None),
            52 + who + at_s * 1e-6,
            4.0,
            at_s,
            system=system,
            knots=knots,
            accuracy_m=fine_m,
            confidence=belief,
            report_id=f"{number:032x}",
        )
        for number, (who, at_s, system, knots, fine_m, named, belief) in enumerate(steps)
    ]
    shuffled = list(reports)
    dice.shuffle(shuffled)
    one, other = heard(*reports), heard(*shuffled)

    assert one.doubted == other.doubted == 0
    for who in range(4):
        for name in (f"mmsi:21100000{who}", f"callsign:C{who}"):
            assert one.at(name, now_s * S) == other.at(name, now_s * S)
        assert one.nearest(52 + who, 4, now_s * S) == other.nearest(52 + who, 4, now_s * S)
