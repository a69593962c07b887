"""Where somebody was who calls without a place, and who is near."""

from __future__ import annotations

import random
from math import cos, radians, sin, tau

import pytest
from rooms.correlate.test_tracks import NAME, SHIP, S, told
from rooms.test_pipeline import one_port

from gateway.codes.geodesy import distance_m
from gateway.correlate import following as room
from gateway.correlate import tracks
from gateway.correlate.following import LOOKS_MAX, Following
from gateway.correlate.tracks import CROWD_MAX, Tracks
from gateway.framing.nmea import Nmea
from gateway.model.entry import Lane, lane_of
from gateway.model.inbound import Chunk, Moment, Ruling, Sighting, Tick
from gateway.model.incident import Incident, IncidentNote, IncidentOrder, OrderVerb
from gateway.model.place import Identity, Position
from gateway.model.words import Confidence, Kind, Mode, Urgency

CALL = b"$CDDSC,12,3380400790,12,06,00,1423108312,2019,,,S,E*6A\r\n"
NOWHERE = Nmea.wrap(b"$CDDSC,12,3380400790,12,06,00,9999999999,8888,,,S,")
CASUALTY = Identity(mmsi="338040079")


def alert(whose, at_s=0.0, lat=None, **more):
    return told(
        whose,
        lat,
        at_s=at_s,
        system="dsc",
        kind=Kind.ALERT,
        urgency=Urgency.DISTRESS,
        casualty=whose,
        **more,
    )


def heard(*reports, station=None):
    following = Following(station)
    for report in reports:
        following.hear(report)
    return following


def test_a_call_without_a_place_is_where_its_craft_was_heard_a_moment_ago():
    following = heard(told(SHIP, 52.0), told(SHIP, 52.001, at_s=1))

    track = following.place_of(alert(SHIP, at_s=2))
    assert (track.position.lat_deg, track.system, track.age_s) == (52.001, "ais", 1.0)


@pytest.mark.parametrize(
    ("position", "call"),
    [
        (told(SHIP, 52.0), alert(SHIP, at_s=3600)),
        (told(SHIP, 52.0, confidence=Confidence.SUSPECT), alert(SHIP, at_s=1)),
        (told(SHIP, 52.0, mode=Mode.EXERCISE), alert(SHIP, at_s=1)),
        (told(SHIP, 52.0), alert(Identity(mmsi="244000009"), at_s=1)),
        (told(SHIP, 52.0), alert(SHIP, at_s=1, lat=51.0)),
        (told(SHIP, 52.0), alert(None, at_s=1)),
    ],
    ids=["too old", "suspect", "an exercise", "another ship", "it says where it is", "nameless"],
)
def test_it_is_nowhere_where_nothing_good_is_known(position, call):
    assert heard(position).place_of(call) is None


def test_what_waits_is_worked_out_by_the_next_tick_and_the_same_as_at_once():
    dice = random.Random(7)
    ships = [Identity(mmsi=f"2441234{number:02}") for number in range(40)]
    reports = [
        told(dice.choice(ships), 52 + number * 1e-5, at_s=number / 10) for number in range(400)
    ]
    following, at_once = heard(*reports), Tracks()
    for report in reports:
        at_once.hear(report)
    following.tick()

    for ship in ships:
        name = f"mmsi:{ship.mmsi}"
        one, other = (held.at(name, 50 * S) for held in (following.tracks, at_once))
        assert (one.position, one.mono_ns, one.doubts) == (other.position, other.mono_ns, ())
        assert one.names == other.names


def test_places_that_wait_are_bounded_and_the_oldest_is_worked_out(monkeypatch):
    monkeypatch.setattr(room, "WAITING_MAX", 3)
    following = heard(*(told(Identity(mmsi=f"24412345{number}")) for number in range(5)))

    bound = next(following.bounds())
    assert (bound.held, len(following.tracks)) == (3, 2)


def incident(lat=52.0, lon=4.0, *, names=(), mode=Mode.REAL):
    place = None if lat is None else Position(lat_deg=lat, lon_deg=lon)
    return Incident(
        incident_id="1" * 16,
        station="alpha",
        mode=mode,
        phase="alerted",
        severity=Urgency.DISTRESS,
        confidence=Confidence.VERIFIED,
        names=names,
        position=place,
        opened_mono_ns=0,
        last_mono_ns=0,
        evidence=(),
    )


def test_an_incident_says_who_is_near_and_not_the_casualty_and_how_far_it_is():
    following = heard(
        told(SHIP, 52.1, knots=9),
        told(Identity(mmsi="244000009"), 52.05, knots=9),
        told(CASUALTY, 52.0, knots=9),
        station=(52.0, 3.0),
    )
    following.tick()

    shown = following.surroundings(incident(names=("mmsi:338040079",)), S)
    assert [one.name for one in shown.nearby] == ["mmsi:244000009", NAME]
    assert shown.station_distance_m == pytest.approx(68_460, abs=100)
    assert shown.station_bearing_deg == pytest.approx(89.6, abs=0.1)


def test_without_a_place_nothing_is_near_and_without_a_station_nothing_is_far():
    following = heard(told(SHIP, 52.1, knots=9), station=(52.0, 3.0))
    following.tick()

    assert following.surroundings(incident(lat=None), S) == incident(lat=None)
    assert heard().surroundings(incident(), S).station_distance_m is None


def test_an_exercise_has_no_real_craft_near():
    following = heard(told(SHIP, 52.1, knots=9))
    following.tick()

    assert following.surroundings(incident(mode=Mode.EXERCISE), S).nearby == ()


def test_the_nearest_of_a_crowd_are_found_without_looking_at_all_of_it(monkeypatch):
    dice = random.Random(3)
    crowd, far_m = Following(), {}
    for number in range(10_000):
        lat, lon = 52 + dice.uniform(-0.4, 0.4), 4 + dice.uniform(-0.6, 0.6)
        crowd.hear(told(Identity(mmsi=f"2441{number:05}"), lat, lon, knots=9))
        far_m[f"mmsi:2441{number:05}"] = distance_m(52.0, 4.0, lat, lon)
    crowd.tick()
    looked = []
    monkeypatch.setattr(tracks, "distance_m", lambda *at: looked.append(1) or distance_m(*at))

    near = crowd.surroundings(incident(), S).nearby
    assert [one.name for one in near] == sorted(far_m, key=far_m.get)[:5]
    assert len(looked) < 2 * CROWD_MAX


def test_of_a_crowd_equally_far_off_on_all_sides_the_nearest_is_named_but_for_some_metres():
    dice = random.Random(3)
    crowd, far_m = Following(), []
    for number in range(6_000):
        turn, away_deg = dice.uniform(0, tau), dice.uniform(0.25, 0.5)
        lat, lon = 52 + away_deg * cos(turn), 4 + away_deg * sin(turn) / cos(radians(52))
        crowd.hear(told(Identity(mmsi=f"2441{number:05}"), lat, lon, knots=9))
        far_m.append(distance_m(52.0, 4.0, lat, lon))
    crowd.tick()

    near = crowd.surroundings(incident(), S).nearby
    assert len(near) == 5
    assert near[0].distance_m < min(far_m) + 500


def test_in_a_crowd_a_place_a_moment_after_another_is_spared_and_a_later_one_is_not(monkeypatch):
    monkeypatch.setattr(room, "WAITING_MAX", 0)
    following = heard(told(SHIP, 52.0), told(SHIP, 52.001, at_s=10))
    assert following.tracks.at(NAME, 10 * S).position.lat_deg == 52.0

    after_s = room.SPARED_NS / S
    following.hear(told(SHIP, 52.002, at_s=after_s))
    assert following.tracks.at(NAME, int(after_s * S)).position.lat_deg == 52.002


@pytest.mark.parametrize("change", [{"system": "n2k"}, {"confidence": Confidence.SUSPECT}])
def test_in_a_crowd_no_other_radio_is_spared_and_nothing_doubtful(monkeypatch, change):
    monkeypatch.setattr(room, "WAITING_MAX", 0)
    looked, following = [], heard(told(SHIP, 52.0))
    monkeypatch.setattr(following.tracks, "hear", looked.append)
    following.hear(told(SHIP, 52.001, at_s=10, **change))

    assert len(looked) == 1


# ---- In the hallway ------------------------------------------------------------------------------


def chunk(data, at_s=1.0):
    return Chunk("p", Moment(int(at_s * S)), data)


def test_a_call_without_a_place_has_its_incident_where_its_ship_was():
    pipeline = one_port("dsc")
    pipeline.following.hear(told(CASUALTY, 42.51, -83.2, at_s=0.5, knots=9))

    ruling, note = pipeline.inbound(chunk(NOWHERE))
    (evidence,) = note.incident.evidence
    assert ruling.sighting.report.position is None, "the report says what the call said"
    assert (evidence.position.lat_deg, evidence.position_from) == (42.51, "ais")
    assert evidence.position_mono_ns == S // 2
    assert note.incident.position.lat_deg == 42.51


def test_a_place_that_the_call_states_itself_counts():
    pipeline = one_port("dsc")
    pipeline.following.hear(told(CASUALTY, 10.0, 10.0, at_s=0.5, knots=9))

    _, note = pipeline.inbound(chunk(CALL))
    (evidence,) = note.incident.evidence
    assert (round(evidence.position.lat_deg, 1), evidence.position_from) == (42.5, None)


def test_it_makes_no_difference_whether_the_ship_was_heard_before_or_after_its_call():
    where = told(CASUALTY, 42.51, -83.2, at_s=1.0, knots=9)
    before, after = one_port("dsc", "ais"), one_port("dsc", "ais")

    before.following.hear(where)
    before.inbound(chunk(NOWHERE))
    after.inbound(chunk(NOWHERE))
    after.incidents.hear(Sighting(where, b""))

    (one,), (other,) = (list(pipeline.incidents.standing()) for pipeline in (before, after))
    assert one.position == other.position == where.position
    assert one.evidence == other.evidence


def test_no_more_incidents_look_round_in_one_step_than_there_is_time_for(monkeypatch):
    pipeline = one_port("dsc")
    asked = []
    monkeypatch.setattr(
        pipeline.following.tracks, "nearest", lambda *_, **__: asked.append(1) or ()
    )
    calls = b"".join(
        Nmea.wrap(b"$CDDSC,12,33804%04d0,12,06,00,1423108312,2019,,,S," % number)
        for number in range(10)
    )
    notes = [one for one in pipeline.inbound(chunk(calls)) if isinstance(one, IncidentNote)]

    assert len(notes) > len(asked) == LOOKS_MAX


def test_in_a_quiet_hour_each_note_of_a_tick_or_an_order_still_names_who_is_near():
    pipeline = one_port("dsc")
    pipeline.following.hear(told(SHIP, 42.52, -83.2, knots=0))
    pipeline.following.tick()
    notes = [one for one in pipeline.inbound(chunk(CALL)) if isinstance(one, IncidentNote)]
    name = notes[0].incident.incident_id
    for number in range(2 * LOOKS_MAX):
        order = IncidentOrder(verb=OrderVerb.NOTE, incident_id=name, author="me", words="on watch")
        notes += pipeline.order(order, Moment((2 + number) * S))
    for at_s in range(20, 400):
        ticked = pipeline.tick(Tick(Moment(at_s * S)))
        notes += [one for one in ticked if isinstance(one, IncidentNote)]

    assert len(notes) > 2 * LOOKS_MAX + 1
    assert [len(note.incident.nearby) for note in notes] == [1] * len(notes)


def test_a_fault_of_the_room_of_tracks_loses_no_call_and_no_incident_and_is_counted(monkeypatch):
    def stumble(*_, **__):
        raise ValueError

    pipeline = one_port("dsc")
    for name in ("hear", "surroundings", "tick"):
        monkeypatch.setattr(pipeline.following, name, stumble)
    ruling, note = pipeline.inbound(chunk(CALL))
    pipeline.tick(Tick(Moment(2 * S)))

    assert isinstance(ruling, Ruling)
    assert (lane_of(ruling), lane_of(note)) == (Lane.DISTRESS, Lane.URGENCY)
    assert pipeline.incident_errors == 3


def test_who_is_near_is_still_said_when_nothing_more_is_heard():
    pipeline = one_port("ais", "dsc")
    (_, note) = pipeline.inbound(chunk(CALL))
    about = note.incident
    near = told(SHIP, about.position.lat_deg, about.position.lon_deg, at_s=1)
    pipeline.following.hear(near)
    pipeline.tick(Tick(Moment(2 * S)))

    said = [
        pipeline.order(
            IncidentOrder(
                verb=OrderVerb.NOTE, incident_id=about.incident_id, author="A", words=f"{number}"
            ),
            Moment((3 + number) * S),
        )
        for number in range(2 * LOOKS_MAX)
    ]
    assert all(note.incident.nearby for (note,) in said)
