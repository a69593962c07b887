"""One trouble, one incident: afternoons on watch, and what has to stand at their end."""

from __future__ import annotations

import os

import pytest
from stories.telling import Told, meaning, reports_of, shuffled, stories

from gateway.codes.geodesy import distance_m
from gateway.export.say import say

STORIES = stories()
ORDERS = int(os.environ.get("ORDERS", "60"))
"""Orders of arrival that each story is heard in; 2000 with `make stories`."""

SHUFFLED = [name for name, story in STORIES.items() if not {"ordered", "restart_s"} & story.keys()]


def same_place(incident, where):
    here = incident.position
    return distance_m(here.lat_deg, here.lon_deg, *where) < 100


READ = {
    "names": lambda one: sorted(one.names),
    "phase": lambda one: one.phase,
    "mode": lambda one: one.mode,
    "severity": lambda one: one.severity,
    "systems": lambda one: list(one.systems),
    "natures": lambda one: list(one.natures),
    "confidence": lambda one: one.confidence,
    "corroborated": lambda one: one.corroborated,
    "covert": lambda one: one.covert,
    "lost": lambda one: one.alert_lost,
    "evidence": lambda one: len(one.evidence),
    "reports": lambda one: sum(told.reports for told in one.evidence),
    "acknowledged_by": lambda one: list(one.acknowledged_by),
    "calls_on": lambda one: one.calls_on,
    "relayed_by": lambda one: list(one.relayed_by),
    "possibly": lambda one: len(one.possibly),
    "alarm": lambda one: one.alarm.phase,
    "alarms": lambda one: one.alarm.raised,
    "escalated": lambda one: one.alarm.escalated,
    "neighbours": lambda one: any("one digit" in doubt for doubt in one.doubts),
}


def matches(incident, wanted, told):
    """Return what is not as the story has it."""
    wrong = {
        key: read(incident)
        for key, read in READ.items()
        if key in wanted and read(incident) != _sorted(key, wanted[key])
    }
    if "near" in wanted and not same_place(incident, wanted["near"]):
        wrong["near"] = incident.position
    if "doubted" in wanted and not any(wanted["doubted"] in doubt for doubt in incident.doubts):
        wrong["doubted"] = incident.doubts
    if wanted.get("says", "") not in say(incident):
        wrong["says"] = say(incident)
    if wanted.get("same_id") and told.notes[0].incident.incident_id != incident.incident_id:
        wrong["same_id"] = incident.incident_id
    if len(told.notes) > wanted.get("notes_max", len(told.notes)):
        wrong["notes_max"] = len(told.notes)
    return wrong


def _sorted(key, value):
    return sorted(value) if key == "names" else value


@pytest.mark.parametrize("name", STORIES)
def test_what_stands_at_the_end_of_a_story(name):
    """Each incident is one of those told of, and each of those is there."""
    told = Told(STORIES[name])
    told.tell()
    standing = list(told.room.standing())
    wanted = STORIES[name]["incident"]
    wrong = [[matches(one, row, told) for row in wanted] for one in standing]
    assert len(standing) == len(wanted), [(one.names, one.systems) for one in standing]
    for place, row in enumerate(wanted):
        assert {} in [found[place] for found in wrong], (row, [f[place] for f in wrong])


@pytest.mark.parametrize("name", SHUFFLED)
def test_the_order_of_arrival_makes_no_difference(name):
    """The same reports make the same incidents, whichever way brought which of them first."""
    reports = reports_of(STORIES[name])
    ends = []
    for seed in range(ORDERS):
        told = Told(STORIES[name])
        told.hear(shuffled(reports, seed) if seed else reports)
        ends.append(sorted(map(repr, map(meaning, told.room.standing()))))
        assert ends[-1] == ends[0], f"order {seed} of {name}"


@pytest.mark.parametrize("name", STORIES)
def test_what_was_noted_last_is_what_stands(name):
    """A watch that begins with the notes of another one goes on where that one was."""
    told = Told(STORIES[name])
    told.tell()
    end_s = STORIES[name].get("until_s", reports_of(STORIES[name])[-1].heard.mono_ns / 1e9) + 310
    told.tick(end_s)
    before = {one.incident_id: one for one in told.room.standing()}
    told.restart(end_s)
    after = {one.incident_id: one for one in told.room.standing()}
    assert {name: one.alarm for name, one in after.items()} == {
        name: one.alarm for name, one in before.items()
    }
    assert {name: meaning(one)[0] for name, one in after.items()} == {
        name: meaning(one)[0] for name, one in before.items()
    }
