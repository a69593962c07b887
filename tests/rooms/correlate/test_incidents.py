"""Which trouble is this: links and their weights, orders, alarms, what comes first of two."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from stories.telling import BEGAN, TICK_S, Told, report_of, room

from gateway.correlate import incidents, orders, web
from gateway.correlate.links import MAYBE, SAME
from gateway.correlate.orders import OrderRefused
from gateway.correlate.register import Register
from gateway.export.say import say
from gateway.model.inbound import Moment, Sighting
from gateway.model.incident import AlarmPhase, IncidentOrder, LinkKind, OrderVerb, Phase
from gateway.model.plan import CraftPlan, RegisterPlan
from gateway.model.words import Relation

SHIP = {"on": "dsc", "who": ["mmsi:244123456"], "where": [52.0, 3.0], "known_to_m": 926}
SART = {"on": "ais", "who": ["mmsi:970123456"], "where": [52.001, 3.001], "known_to_m": 10}
S = 10**9


def hear(here, row, at_s=0.0, relation=Relation.FIRST, *, number=itertools.count()):  # noqa: B008  # counts over all tests on purpose
    """Have one report heard; return its incident and what was noted."""
    return here.hear(Sighting(report_of(row, at_s, next(number)), b"", relation))


def order(here, verb, incident_id, at_s=0.0, **more):
    """Order something; return what was noted."""
    told = IncidentOrder(verb=OrderVerb(verb), incident_id=incident_id, author="anna", **more)
    return here.order(told, int(at_s * S), BEGAN)


def tick(here, at_s):
    """Let time pass."""
    return here.tick(Moment(mono_ns=int(at_s * S)), BEGAN)


def only(here):
    """Return the one incident that stands."""
    (found,) = here.standing()
    return found


LINKS = [
    ("same MMSI", ["mmsi:244123456"], ["mmsi:244123456"], None, LinkKind.SAME_IDENTITY, True),
    ("same address", ["icao24:A39657"], ["icao24:A39657", "beacon:96E3A39657A212E"], None,
     LinkKind.SAME_IDENTITY, True),
    ("call sign", ["callsign:PA3XYZ"], ["mmsi:244123456", "callsign:PA3XYZ"], None,
     LinkKind.SAME_IDENTITY, True),
    ("beacon's head", ["beacon:9934039823D0000"], ["beacon:9934039823D0000000000AA"], None,
     LinkKind.BEACON_ALIAS, True),
    ("digits, near", ["beacon:9934039823D0000", "epirb_ais:1234"], ["mmsi:974241234"], 0.001,
     LinkKind.PAIRED_BEACON, True),
    ("digits, far", ["beacon:9934039823D0000", "epirb_ais:1234"], ["mmsi:974241234"], None,
     LinkKind.PAIRED_BEACON, False),
    ("parent", ["mmsi:244123456"], ["mmsi:982441234"], 0.001, LinkKind.PARENT_CRAFT, False),
    ("near", ["mmsi:244123456"], ["mmsi:970123456"], 0.001, LinkKind.NEARNESS, True),
    ("less near", ["mmsi:244123456"], ["mmsi:970123456"], 0.013, LinkKind.NEARNESS, False),
    ("two ships", ["mmsi:244123456"], ["mmsi:232000001"], 0.001, LinkKind.NEARNESS, False),
    ("ship and aircraft", ["mmsi:244123456"], ["icao24:A39657"], 0.001, LinkKind.NEARNESS, False),
    ("registered", ["mmsi:211000001"], ["beacon:ADCD00800404040"], None, LinkKind.REGISTERED, True),
    ("registered whole, heard by the head", ["mmsi:211000002"], ["beacon:9914039800512FB"], None,
     LinkKind.REGISTERED, True),
    ("registered by the head, heard whole", ["mmsi:211000001"], ["beacon:ADCD0080040404000000000"],
     None, LinkKind.REGISTERED, True),
]  # fmt: skip


REGISTER = Register(
    RegisterPlan(
        craft=(
            CraftPlan(key="a", mmsi="211000001", beacons=("ADCD00800404040",)),
            CraftPlan(key="b", mmsi="211000002", beacons=("9914039800512FB52296AAA",)),
        )
    )
)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("_case", "one", "other", "apart_deg", "kind", "joins"), LINKS)
def test_why_two_are_held_to_be_one_trouble(_case, one, other, apart_deg, kind, joins, turned):
    here = incidents.Incidents("alpha", boot="b", carried=REGISTER.carried)
    rows = [{"on": "cospas_sarsat", "who": one}, {"on": "ais", "who": other}]
    if apart_deg is not None:
        rows[0] |= {"where": [52.0, 3.0], "known_to_m": 500}
        rows[1] |= {"where": [52.0 + apart_deg, 3.0], "known_to_m": 500}
    for row in reversed(rows) if turned else rows:
        hear(here, row)
    found = list(here.standing())
    assert len(found) == (1 if joins else 2)
    (link,) = found[0].links if joins else [found[0].possibly[0].link]
    assert link.kind is kind
    assert link.words
    assert link.weight >= SAME if joins else MAYBE <= link.weight < SAME


@pytest.mark.parametrize(
    ("here_deg", "there_deg"),
    [((52.0, 179.999), (52.0, -179.999)), ((89.999, 10.0), (89.999, -170.0)), ((0.0, 0.0), (0, 0))],
)
def test_near_is_near_at_the_edges_of_the_map(here_deg, there_deg):
    here = room()
    hear(here, SHIP | {"where": list(here_deg)})
    hear(here, SART | {"where": list(there_deg)})
    assert only(here).systems == ("ais", "dsc")


def test_what_was_heard_half_a_day_ago_is_near_nothing():
    here = room()
    hear(here, SHIP)
    hear(here, SART, at_s=12 * 3600)
    assert [one.possibly for one in here.standing()] == [(), ()]


def test_a_position_of_the_craft_on_another_radio_moves_the_casualty_and_opens_nothing():
    here = room()
    assert hear(here, {**SHIP, "on": "ais", "urgency": "routine", "kind": "position"}) == (None, [])
    hear(here, SHIP | {"where": [52.0, 3.0]})
    place = {**SHIP, "on": "ais", "urgency": "routine", "kind": "position", "known_to_m": 10}
    assert hear(here, place | {"where": [52.02, 3.0]}, at_s=300)[0] is None
    assert only(here).position.lat_deg == 52.02
    assert only(here).evidence[0].position_from == "ais"
    hear(here, place | {"where": [40.0, 3.0]}, at_s=400)
    assert only(here).position.lat_deg == 52.02
    hear(here, place | {"where": [52.0, 3.0]}, at_s=200)
    assert only(here).position.lat_deg == 52.02


def test_the_time_of_a_position_is_when_the_casualty_was_there():
    """A later call without a place, and a place that states its age, make it no younger."""
    here = room()
    hear(here, SHIP | {"age_s": 60.0}, at_s=100)
    hear(here, {key: SHIP[key] for key in ("on", "who")}, at_s=200)
    assert only(here).position_utc == BEGAN + timedelta(seconds=40)
    place = {**SHIP, "on": "ais", "urgency": "routine", "kind": "position", "known_to_m": 10}
    hear(here, place | {"age_s": 30.0}, at_s=300)
    assert only(here).position_utc == BEGAN + timedelta(seconds=270)


def test_a_copy_is_counted_and_is_no_repeat():
    here = room()
    hear(here, SHIP)
    hear(here, SHIP, relation=Relation.COPY)
    told = only(here).evidence[0]
    assert (told.alerts, told.reports, told.copies) == (1, 1, 1)


def test_what_names_nobody_is_still_somebody_in_distress():
    here = room()
    hear(here, {"on": "shipboard"})
    hear(here, {"on": "dsc", "kind": "relay", "by": ["mmsi:002320001"]})
    hear(here, {"on": "navtex", "kind": "text", "text": "MAN OVERBOARD", "by": ["tag:PA"]})
    hear(here, {"on": "navtex", "kind": "text", "text": "MAN OVERBOARD", "by": ["tag:PA"]})
    assert sorted(len(one.evidence) for one in here.standing()) == [1, 1, 1]
    assert {one.names for one in here.standing()} == {()}


@pytest.mark.parametrize(
    ("verb", "phase", "alarm"),
    [
        ("ack", Phase.ALERTED, AlarmPhase.ACKNOWLEDGED),
        ("silence", Phase.ALERTED, AlarmPhase.SILENCED),
        ("transfer", Phase.ALERTED, AlarmPhase.TRANSFERRED),
        ("resolve", Phase.RESOLVED, AlarmPhase.CLEARED),
        ("false-alert", Phase.FALSE_ALERT, AlarmPhase.CLEARED),
        ("note", Phase.ALERTED, AlarmPhase.RAISED),
    ],
)
def test_an_order_is_carried_out_and_kept_with_its_author(verb, phase, alarm):
    here = room()
    incident_id, _ = hear(here, SHIP)
    (note,) = order(here, verb, incident_id, words="why")
    assert (note.incident.phase, note.incident.alarm.phase) == (phase, alarm)
    assert note.change == f"{verb} by anna"
    (deed,) = note.incident.actions
    assert (deed.verb, deed.author, deed.words) == (verb, "anna", "why")
    assert tick(here, 1.0) == []


OWN_CANCEL = {**SHIP, "kind": "cancellation", "by": SHIP["who"]}


def closed_by(verb):
    """Return a room with one incident that is over, and its name."""
    here = room()
    incident_id, _ = hear(here, SHIP)
    if verb == "confirm-cancel":
        hear(here, OWN_CANCEL, at_s=60)
    order(here, verb, incident_id, at_s=90)
    return here, incident_id


def test_what_the_casualty_has_cancelled_an_operator_confirms():
    here, _ = closed_by("confirm-cancel")
    assert (only(here).phase, only(here).alarm.phase) == (Phase.CANCELLED, AlarmPhase.CLEARED)


@pytest.mark.parametrize("verb", ["ack", "silence", "transfer", "resolve", "false-alert"])
@pytest.mark.parametrize("over", ["resolve", "false-alert", "confirm-cancel"])
def test_what_is_over_has_to_be_reopened_before_anything_else_is_ordered(over, verb):
    here, incident_id = closed_by(over)
    before = only(here)
    with pytest.raises(OrderRefused, match="reopen it first"):
        order(here, verb, incident_id, at_s=100)
    assert only(here) == before
    order(here, "reopen", incident_id, at_s=110)
    order(here, "ack", incident_id, at_s=120)


def test_one_name_at_two_places_is_not_merged_for_it_would_stay_two():
    here = room()
    one, _ = hear(here, SHIP)
    other, _ = hear(here, SHIP | {"where": [-40.0, 100.0]}, at_s=60)
    before = list(here.standing())
    with pytest.raises(OrderRefused, match="one thing can't have been"):
        order(here, "merge", one, at_s=70, other=other)
    assert list(here.standing()) == before


def test_what_is_open_is_not_reopened_and_what_nobody_cancelled_is_not_confirmed():
    here = room()
    incident_id, _ = hear(here, SHIP)
    with pytest.raises(OrderRefused, match="it is open"):
        order(here, "reopen", incident_id)
    with pytest.raises(OrderRefused, match="has cancelled nothing"):
        order(here, "confirm-cancel", incident_id)


@pytest.mark.parametrize("verb", ["ack", "transfer"])
def test_a_silence_takes_no_acknowledgement_back(verb):
    here = room()
    incident_id, _ = hear(here, SHIP)
    order(here, verb, incident_id)
    with pytest.raises(OrderRefused, match="makes no sound"):
        order(here, "silence", incident_id, silence_s=2)


@pytest.mark.parametrize("quiet", [{"covert": True}, {"mode": "test"}])
def test_no_order_makes_an_alarm_of_what_must_not_sound(quiet):
    here = room()
    incident_id, _ = hear(here, SHIP | quiet)
    order(here, "resolve", incident_id)
    order(here, "reopen", incident_id)
    assert only(here).alarm.phase in (AlarmPhase.NONE, AlarmPhase.CLEARED)
    tick(here, 400)
    assert only(here).alarm.phase in (AlarmPhase.NONE, AlarmPhase.CLEARED)


@pytest.mark.parametrize("over", ["resolve", "false-alert", "confirm-cancel"])
@pytest.mark.parametrize(("pause_s", "sounds"), [(600, False), (900, True), (36_000, True)])
def test_a_call_of_its_own_after_it_was_closed_is_open_again_and_sounds(over, pause_s, sounds):
    """By the pause since the last call, whatever else was heard since: each repeat renews nothing.

    What cancelled itself and calls again has thought better of it at once.
    """
    here, _ = closed_by(over)
    hear(here, SHIP, at_s=pause_s)
    assert (only(here).phase is Phase.ALERTED) is (sounds or over == "confirm-cancel")
    assert (only(here).alarm.phase is AlarmPhase.RAISED) is (sounds or over == "confirm-cancel")


def test_repeats_of_a_false_alert_stay_quiet():
    here, _ = closed_by("false-alert")
    for at_s in range(240, 7200, 240):
        hear(here, SHIP, at_s=at_s)
        tick(here, at_s + 1)
    assert only(here).alarm.phase is AlarmPhase.CLEARED


def test_a_call_after_a_long_silence_sounds_though_the_one_before_it_was_acknowledged():
    here = room()
    incident_id, _ = hear(here, SHIP)
    order(here, "ack", incident_id, at_s=5)
    for at_s in range(240, 960, 240):
        hear(here, SHIP, at_s=at_s)
    assert only(here).alarm.phase is AlarmPhase.ACKNOWLEDGED
    (note,) = hear(here, SHIP, at_s=3 * 3600)[1]
    assert note.incident.alarm.why == "it calls again after a long silence"


ACKNOWLEDGED = {**SHIP, "kind": "acknowledgement", "by": ["mmsi:002320001"]}


def test_a_ship_that_acknowledges_keeps_no_alarm_from_escalating_and_explains_no_silence():
    here = room()
    hear(here, SHIP)
    hear(here, ACKNOWLEDGED | {"by": ["mmsi:232000001"]}, at_s=20)
    alarms = [note.incident.alarm for at_s in range(30, 1200, 10) for note in tick(here, at_s)]
    assert next(one.why for one in alarms if one.escalated) == "nobody has acknowledged it"
    assert only(here).phase is Phase.ALERTED
    assert only(here).alert_lost


def test_the_alarm_sounds_once_more_for_who_calls_on_after_a_coast_station_acknowledged():
    """Once, however often it is acknowledged again, and not for what was one call with the first.

    Who has acknowledged the alarm here may count on the coast station, which the casualty does not
    hear; each further call is a repeat.
    """
    here = room()
    incident_id, _ = hear(here, SHIP)
    hear(here, ACKNOWLEDGED, at_s=10)
    order(here, "ack", incident_id, at_s=15)
    hear(here, SHIP, at_s=40)
    assert (only(here).phase, only(here).calls_on) == (Phase.ACKNOWLEDGED, False)
    (note,) = hear(here, SHIP, at_s=250)[1]
    assert note.incident.phase is Phase.ALERTED
    assert note.incident.alarm.phase is AlarmPhase.RAISED
    assert note.change == "it calls on after a coast station acknowledged it"
    assert note.incident.alarm.why == note.change
    order(here, "ack", incident_id, at_s=255)
    for at_s in range(260, 1500, 240):
        hear(here, ACKNOWLEDGED, at_s=at_s)
        assert only(here).phase is Phase.ACKNOWLEDGED
        hear(here, SHIP, at_s=at_s + 230)
        assert only(here).phase is Phase.ALERTED
    assert (only(here).alarm.phase, only(here).alarm.raised) == (AlarmPhase.ACKNOWLEDGED, 2)
    assert only(here).calls_on


def test_who_is_silent_after_a_coast_station_acknowledged_is_not_lost():
    here = room()
    hear(here, SHIP)
    hear(here, ACKNOWLEDGED, at_s=10)
    tick(here, 1200)
    assert not only(here).alert_lost
    hear(here, SHIP, at_s=1300)
    tick(here, 2500)
    assert only(here).alert_lost


def test_callers_without_a_number_of_their_own_an_hour_apart_are_not_one():
    here = room()
    for at_s, where in ((0, [52.0, 3.0]), (7200, None)):
        row = {"on": "dsc", "who": ["mmsi:000000000"]} | ({"where": where} if where else {})
        hear(here, row | {"known_to_m": 926}, at_s=at_s)
    assert sorted(one.position is None for one in here.standing()) == [False, True]


def test_a_silence_ends_by_itself_and_the_alarm_sounds_again():
    here = room()
    incident_id, _ = hear(here, SHIP)
    order(here, "silence", incident_id, silence_s=30)
    assert tick(here, 29) == []
    (note,) = tick(here, 30)
    assert note.incident.alarm.phase is AlarmPhase.RAISED
    assert note.incident.alarm.why == "its silence is over"


def test_an_alarm_that_nobody_acknowledges_escalates_once():
    here = room()
    hear(here, SHIP)
    notes = [note for at_s in range(0, 800, 10) for note in tick(here, at_s)]
    assert [note.incident.alarm.why for note in notes] == ["nobody has acknowledged it"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (SART, "also heard on ais"),
        (SHIP | {"nature": "sinking"}, "sinking is said as well"),
        (SHIP | {"where": [52.15, 3.0], "known_to_m": 10}, "it is 9 NM from where it was"),
        (SHIP, None),
    ],
)
def test_an_acknowledged_alarm_sounds_again_for_what_is_new_and_for_no_repeat(more, why):
    here = room()
    incident_id, _ = hear(here, SHIP)
    order(here, "ack", incident_id)
    hear(here, more, at_s=20)
    alarm = only(here).alarm
    assert alarm.phase is (AlarmPhase.ACKNOWLEDGED if why is None else AlarmPhase.RAISED)
    assert why is None or alarm.why == why


def test_what_is_closed_goes_off_the_board_after_half_an_hour_and_what_is_open_never():
    here = room()
    closed, _ = hear(here, SHIP)
    opened, _ = hear(here, SHIP | {"who": ["mmsi:232000001"], "where": [10.0, 3.0]})
    hear(here, SHIP | {"who": ["beacon:2DD42ED70000001"], "mode": "test"})
    order(here, "resolve", closed)
    gone = [note for at_s in range(0, 4 * 3600, 60) for note in tick(here, at_s) if note.gone]
    assert sorted(note.incident.mode for note in gone) == ["real", "test"]
    assert only(here).incident_id == opened
    again, _ = hear(here, SHIP, at_s=4 * 3600)
    assert again != closed


def test_one_tick_looks_at_no_more_than_a_few_and_all_have_their_turn(monkeypatch):
    """With a full board a tick takes no longer, and no alarm is forgotten."""
    monkeypatch.setattr(incidents, "PASSED_PER_TICK", 8)
    monkeypatch.setattr(incidents, "DUE_PER_TICK", 4)
    here = room()
    rows = [SHIP | {"who": [f"mmsi:2440{n:02d}0{n:02d}"], "where": [n, 3.0]} for n in range(40)]
    for n, row in enumerate(rows):
        hear(here, row, at_s=n)
    ticks = [tick(here, 1000 + at_s) for at_s in range(15)]
    alarms = [note.incident for notes in ticks for note in notes if note.incident.alarm.escalated]
    assert len({one.incident_id for one in alarms}) == 40
    assert max(map(len, ticks)) <= 4


def test_what_says_the_same_again_is_counted_at_once_and_linked_by_a_later_tick():
    here = room()
    hear(here, SHIP | {"where": [52.0, 3.1]})
    one, _ = hear(here, {**SART, "who": ["mmsi:972123456"], "where": [52.0, 3.0]})
    for at_s in range(1, 4):
        assert hear(here, {**SART, "who": ["mmsi:972123456"], "where": [52.0, 3.0]}, at_s=at_s) == (
            one,
            [],
        )
    told = next(known for known in here.standing() if known.incident_id == one)
    assert (told.evidence[0].reports, told.last_mono_ns) == (4, 3 * S)
    assert len(here._repeated) == 0
    hear(here, {**SART, "who": ["mmsi:972123456"], "where": [52.0, 3.0]}, at_s=4)
    assert len(here._repeated) == 1
    tick(here, 5)
    assert len(here._repeated) == 0


@pytest.mark.parametrize(
    "more",
    [
        {"where": [52.01, 3.0]},
        {"nature": "sinking"},
        {"persons": 3},
        {"text": "we sink"},
        {"channel": "70"},
        {"kind": "acknowledgement", "by": ["mmsi:002320001"]},
        {"kind": "relay", "by": ["mmsi:002320001"]},
        {"kind": "cancellation", "by": SHIP["who"]},
    ],
)
def test_what_says_more_than_before_waits_for_nothing(more):
    here = room()
    hear(here, SHIP | {"where": [52.0, 3.0]})
    hear(here, SHIP | {"where": [52.0, 3.0]} | more, at_s=1)
    assert len(here._repeated) == 0


def test_a_crowd_in_one_spot_keeps_a_bounded_number_of_links(monkeypatch):
    monkeypatch.setattr(web, "JOINS_MAX", 3)
    here = room()
    for number in range(30):
        hear(here, {**SHIP, "on": "aprs", "who": [f"callsign:N{number:04d}"]}, at_s=number)
    kept = [len(strand.links) for strand in here._web.strands.values()]
    assert max(kept) <= 3
    assert {name for one in here.standing() for name in one.names} >= {"callsign:N0000"}


def test_of_what_has_to_go_a_test_goes_first_and_what_somebody_acted_on_last(monkeypatch):
    """The least worth goes, and of two alike the one that was silent longest."""
    monkeypatch.setattr(incidents, "STRANDS_MAX", 7)
    here = room()
    acted, _ = hear(here, SHIP, at_s=0)
    order(here, "note", acted)
    two, _ = hear(here, SHIP | {"who": ["mmsi:244000001"], "where": [40.0, 3.0]}, at_s=1)
    hear(here, SHIP | {"on": "ais", "who": ["mmsi:244000001"], "where": [40.0, 3.0]}, at_s=2)
    first, _ = hear(here, SHIP | {"who": ["mmsi:244000202"], "where": [30.0, 3.0]}, at_s=3)
    second, _ = hear(here, SHIP | {"who": ["mmsi:244003003"], "where": [20.0, 3.0]}, at_s=4)
    closed, _ = hear(here, SHIP | {"who": ["mmsi:244040004"], "where": [10.0, 3.0]}, at_s=5)
    order(here, "resolve", closed)
    test, _ = hear(here, SHIP | {"who": ["mmsi:244500005"], "mode": "test"}, at_s=6)
    hear(here, SHIP | {"who": ["mmsi:244000202"], "where": [30.0, 3.0]}, at_s=7)
    gone = []
    for number in range(5):
        row = {"who": [f"mmsi:21{number}1{number}6{number}88"], "where": [-5.0 * number, 3.0]}
        _, notes = hear(here, SHIP | row, at_s=10)
        gone += [note.incident.incident_id for note in notes if note.gone]
    assert gone[:4] == [test, closed, second, first]
    assert {acted, two} <= {one.incident_id for one in here.standing()}


def test_a_reopened_incident_sounds_again():
    here = room()
    incident_id, _ = hear(here, SHIP)
    order(here, "resolve", incident_id)
    order(here, "reopen", incident_id)
    assert only(here).phase is Phase.ALERTED
    assert only(here).alarm.phase is AlarmPhase.RAISED


def test_a_merge_and_a_split_lose_nothing():
    """Evidence, the alarm that still sounds, what was ordered: all of it is with one of them."""
    here = room()
    one, _ = hear(here, SHIP)
    other, _ = hear(here, SHIP | {"who": ["mmsi:232000001"], "where": [51.0, 3.0]}, at_s=5)
    order(here, "ack", one)
    notes = order(here, "merge", one, other=other)
    assert [note.incident.merged_into for note in notes if note.gone] == [one]
    merged = only(here)
    assert merged.alarm.phase is AlarmPhase.RAISED
    assert [deed.verb for deed in merged.actions] == ["ack", "merge"]
    assert [link.kind for link in merged.links] == [LinkKind.OPERATOR]
    off = next(told.evidence_id for told in merged.evidence if "232000001" in told.names[0])
    order(here, "split", one, evidence=(off,))
    both = {found.incident_id: found for found in here.standing()}
    assert both.keys() == {one, other}
    assert both[other].split_from == one
    assert both[one].splits == both[other].splits != ()
    order(here, "merge", one, other=other)
    assert only(here).splits == ()


def of_two(one, other):
    """Return what is said of two that an operator has merged."""
    here = room()
    first, _ = hear(here, one)
    second, _ = hear(here, other, at_s=5)
    order(here, "merge", first, at_s=10, other=second)
    hear(here, other, at_s=20)
    hear(here, one, at_s=30)
    return only(here)


AIRCRAFT = {"on": "mode_s", "who": ["icao24:A39657"], "where": [53.0, 3.0], "known_to_m": 50}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (
            SHIP | {"who": ["mmsi:246000001"]},
            {"on": "ais", "who": ["mmsi:232000001"], "where": [51.0, 3.0], "known_to_m": 10},
            "MMSI 246 000 001 and 1 other, 52°00.00'N 003°00.00'E, heard on DSC;",
        ),
        (
            {"on": "dsc", "who": ["mmsi:232000001"]},
            AIRCRAFT,
            "aircraft A39657 and 1 other, 53°00.00'N 003°00.00'E, heard on Mode S;",
        ),
        (
            SHIP,
            {"on": "aprs", "who": ["callsign:PA3XYZ"], "where": [51.0, 3.0], "known_to_m": 10},
            "MMSI 244 123 456 and 1 other, 52°00.00'N 003°00.00'E, heard on DSC;",
        ),
        (
            SHIP,
            SART | {"who": ["mmsi:970123456"], "where": [52.02, 3.0]},
            "MMSI 244 123 456, 52°01.20'N 003°00.00'E, heard on AIS, DSC;",
        ),
        (
            {"on": "dsc", "who": ["mmsi:244123456"]},
            {"on": "cospas_sarsat", "who": ["beacon:9934039823D0000"], "where": [52.0, 3.0],
             "known_to_m": 100},
            "MMSI 244 123 456, 52°00.00'N 003°00.00'E, heard on 406 MHz beacon, DSC;",
        ),
    ],
)  # fmt: skip
def test_of_two_that_were_merged_name_place_and_radio_are_those_of_one(one, other, said):
    """Whichever was heard last; and what may be one casualty is said as one, as it always is."""
    told = of_two(one, other)
    assert said in say(told)
    assert {name for row in (one, other) for name in row["who"]} == set(told.names)


@pytest.mark.parametrize(
    ("verb", "kept"),
    [
        ("ack", AlarmPhase.ACKNOWLEDGED),
        ("transfer", AlarmPhase.TRANSFERRED),
        ("silence", AlarmPhase.SILENCED),
        ("resolve", AlarmPhase.CLEARED),
        ("false-alert", AlarmPhase.CLEARED),
    ],
)
def test_what_is_split_off_sounds_for_nobody_has_acknowledged_it_by_itself(verb, kept):
    """What keeps its name keeps its alarm; the other is open, sounds, and escalates."""
    here = room()
    whole, _ = hear(here, SHIP)
    hear(here, SART, at_s=1)
    order(here, verb, whole, at_s=5, words="all safe", silence_s=3600)
    off = next(told.evidence_id for told in only(here).evidence if told.system == "ais")
    order(here, "split", whole, at_s=9, evidence=(off,))
    both = {one.incident_id == whole: one for one in here.standing()}
    assert both[True].alarm.phase is kept
    assert both[False].alarm.phase is AlarmPhase.RAISED
    assert both[False].alarm.why == f"it was split from {whole} by anna"
    assert both[False].phase is Phase.ALERTED
    notes = [note for at_s in range(10, 400, 10) for note in tick(here, at_s)]
    assert both[False].incident_id in {
        note.incident.incident_id for note in notes if note.incident.alarm.escalated
    }


def test_what_later_evidence_takes_out_sounds_once_however_often_it_comes_and_goes():
    """A raft between two ships: first of one, then of nobody, then of the one again, and so on."""
    here = room()
    whole, _ = hear(here, SHIP)
    hear(here, SART, at_s=1)
    order(here, "ack", whole, at_s=2)
    raft = SART["who"][0]
    rival, _ = hear(here, SHIP | {"who": ["mmsi:232000001"], "where": [52.002, 3.0]}, at_s=3)
    order(here, "ack", rival, at_s=4)
    apart = next(one for one in here.standing() if raft in one.names)
    assert apart.alarm.why == f"it was split from {whole}"
    order(here, "ack", apart.incident_id, at_s=5)
    for at_s in range(10, 200, 20):
        far = SHIP | {"who": ["mmsi:232000001"], "where": [52.15, 3.0]}
        hear(here, far, at_s=at_s)
        assert len(list(here.standing())) == 2
        order(here, "ack", rival, at_s=at_s + 1)
        hear(here, far | {"where": [52.002, 3.0]}, at_s=at_s + 10)
        assert len(list(here.standing())) == 3
        order(here, "ack", rival, at_s=at_s + 11)
    alarms = {one.incident_id: one.alarm for one in here.standing()}
    assert alarms[apart.incident_id].phase is AlarmPhase.ACKNOWLEDGED


SISTER = {"who": ["mmsi:244123466"]}


@pytest.mark.parametrize(
    ("more", "at_s", "trust"),
    [
        ({}, 5, ("tentative", "tentative")),
        ({}, 600, ("verified", "verified")),
        ({"on": "cospas_sarsat"}, 5, ("verified", "verified")),
        ({"where": [52.3, 3.0]}, 5, ("verified", "verified")),
        ({"nature": "fire_explosion"}, 5, ("verified", "verified")),
        ({"where": None}, 5, ("tentative", "tentative")),
        ({"where": None, "nature": None}, 5, ("verified", "verified")),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_sister_ship_is_doubted_only_where_one_may_be_the_other_misread(
    more, at_s, trust, turned
):
    """Always shown; believed less where the same radio said the same at the same time."""
    here = room()
    rows = [(SHIP | {"nature": "sinking"}, 0), (SHIP | SISTER | {"nature": "sinking"} | more, at_s)]
    for row, row_s in reversed(rows) if turned else rows:
        hear(here, row, at_s=row_s)
    told = {one.names[0]: one for one in here.standing()}
    found = [told[name] for name in (SHIP["who"][0], SISTER["who"][0])]
    assert tuple(one.confidence for one in found) == trust
    for one in found:
        (doubt,) = one.doubts
        assert "differs in one digit" in doubt
        assert ("may be misread" in doubt) is (one.confidence != "verified")


def test_of_two_numbers_the_one_that_is_heard_again_is_no_misreading():
    here = room()
    hear(here, SHIP)
    hear(here, SHIP | SISTER, at_s=2)
    hear(here, SHIP, at_s=4)
    told = {one.names[0]: one.confidence for one in here.standing()}
    assert told == {SHIP["who"][0]: "verified", SISTER["who"][0]: "tentative"}


def test_who_was_told_before_a_sister_ship_called_is_told_of_the_doubt():
    here = room()
    incident_id, _ = hear(here, SHIP)
    hear(here, SHIP | SISTER, at_s=2)
    notes = [note for at_s in (3, 20) for note in tick(here, at_s)]
    assert incident_id in {note.incident.incident_id for note in notes if note.incident.doubts}


REFUSED = [
    ("ack", {"incident_id": "f" * 16}, "no incident"),
    ("merge", {}, "no incident"),
    ("merge", {"other": "self"}, "another incident"),
    ("merge", {"other": "test"}, "can't be merged"),
    ("split", {}, "some of the evidence"),
    ("split", {"evidence": "all"}, "not all of it"),
]


@pytest.mark.parametrize(("verb", "more", "why"), REFUSED)
def test_an_order_that_cannot_be_carried_out_says_why(verb, more, why):
    here = room()
    real, _ = hear(here, SHIP)
    test, _ = hear(here, SART | {"mode": "test"})
    every = tuple(told.evidence_id for told in here.standing().__next__().evidence)
    words = {"self": real, "test": test, "all": every}
    more = {key: words.get(value, value) for key, value in more.items()}
    with pytest.raises(OrderRefused, match=why):
        order(here, verb, more.pop("incident_id", real), **more)
    assert {found.incident_id for found in here.standing()} == {real, test}


def test_orders_in_force_are_bounded(monkeypatch):
    monkeypatch.setattr(orders, "ORDERS_MAX", 2)
    here = room()
    rows = [SHIP | {"who": [f"mmsi:24400000{n}"], "where": [n, 3.0]} for n in range(4)]
    ids = [hear(here, row, at_s=n)[0] for n, row in enumerate(rows)]
    for other in ids[1:]:
        order(here, "merge", ids[0], other=other)
    assert len(here._web.joins) == 2


def test_more_than_can_be_looked_at_together_stays_where_it_was(monkeypatch):
    monkeypatch.setattr(web, "TOGETHER_MAX", 3)
    here = room()
    for number in range(6):
        hear(here, {"on": f"radio{number}", "who": ["mmsi:244123456"]}, at_s=number)
    told = [told.system for one in here.standing() for told in one.evidence]
    assert sorted(told) == [f"radio{number}" for number in range(6)]


def test_a_fault_in_a_story_is_seen():
    """The stories are no formality: another end is another end."""
    told = Told({"heard": [SHIP | {"at_s": 0}, SHIP | {"at_s": TICK_S, "nature": "sinking"}]})
    told.tell()
    assert only(told.room).natures == ("sinking",)
    assert only(told.room).alarm.raised == 1
