"""What stood when the last run ended stands in this one, whatever was heard in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from incidents_made import evidence, incident
from msgspec.structs import asdict, replace
from stories.telling import BEGAN, report_of, room

from gateway.correlate.restoring import AT_ONCE, in_bites, moved, offsets_of
from gateway.model.inbound import Moment, Sighting
from gateway.model.incident import (
    Action,
    AlarmPhase,
    IncidentAlarm,
    IncidentNote,
    IncidentOrder,
    OrderVerb,
    Phase,
)
from gateway.model.words import ClockState

SHIP = {"on": "dsc", "who": ["mmsi:244123456"], "where": [52.0, 3.0], "known_to_m": 926}
SART = {"on": "ais", "who": ["mmsi:970123456"], "where": [52.001, 3.001], "known_to_m": 10}
OTHER = {"on": "dsc", "who": ["mmsi:232000001"], "where": [50.0, -1.0], "known_to_m": 926}
S = 10**9


class Watch:
    """One run of the room, and what it has noted: what a disk would hold."""

    def __init__(self, kept=(), at_s=0.0):
        self.room = room()
        self.kept = {}
        self.told = []
        self._kept = kept
        self._at_s = at_s
        self._reports = 0

    def note(self, notes):
        for note in notes:
            self.told.append(note)
            self.kept.pop(note.incident.incident_id, None)
            if not note.gone:
                self.kept[note.incident.incident_id] = note.incident
        return notes

    def hear(self, row, at_s):
        self._reports += 1
        name, notes = self.room.hear(
            Sighting(report_of(row, at_s, int(self._at_s) * 1000 + self._reports), b"")
        )
        self.note(notes)
        return name

    def order(self, verb, name, at_s, **more):
        order = IncidentOrder(verb=OrderVerb(verb), incident_id=name, author="anna", **more)
        self.note(self.room.order(order, int(at_s * S), BEGAN))

    def tick(self, at_s):
        return self.note(self.room.tick(Moment(int(at_s * S)), BEGAN))

    def restore(self):
        """Take up what the run before has noted, all at once."""
        kept = [replace(told, say="") for told in reversed(self._kept.values())]
        return self.note(self.room.restore(kept, Moment(int(self._at_s * S)), BEGAN))

    def only(self):
        (found,) = self.room.standing()
        return found


def after(before, at_s=1000.0):
    """Begin the run after this one."""
    return Watch(before.kept, at_s)


# -- the clock of another start ------------------------------------------------------------------


def times_in(value, path=""):
    """Yield each time on the monotonic clock, wherever it stands."""
    if hasattr(value, "__struct_fields__"):
        for name, inner in asdict(value).items():
            if name.endswith("mono_ns") and inner is not None:
                yield f"{path}{name}", inner
            yield from times_in(inner, f"{path}{name}.")
    elif isinstance(value, tuple):
        for place, inner in enumerate(value):
            yield from times_in(inner, f"{path}{place}.")


def test_every_time_of_an_incident_is_moved_by_the_same():
    """The order of all that happened stays; so do the dates, which are on another clock."""
    told = incident(
        boot="old",
        evidence=(
            evidence(
                position_mono_ns=3, alert_mono_ns=4, acknowledged_mono_ns=5, cancelled_mono_ns=6
            ),
        ),
        alarm=IncidentAlarm(phase=AlarmPhase.SILENCED, since_mono_ns=7, until_mono_ns=8),
        actions=(Action(verb="ack", author="anna", mono_ns=9),),
    )
    after = moved(told, -100, boot="new")

    assert dict(times_in(after)) == {path: ns - 100 for path, ns in times_in(told)}
    assert len(dict(times_in(told))) == 11
    assert (after.boot, after.last_utc) == ("new", told.last_utc)
    assert moved(told, 0, boot="old") is told


def note(boot, mono_s, utc_s=None, clock=None, **fields):
    utc = None if utc_s is None else BEGAN + timedelta(seconds=utc_s)
    told = incident(boot=boot, **fields)
    return IncidentNote(incident=told, change="", mono_ns=int(mono_s * S), utc=utc, clock=clock)


NTP, FREE = ClockState.NTP, ClockState.FREE
BEGAN_NS = int(BEGAN.timestamp()) * S
NOW = Moment(100 * S, BEGAN_NS + 1000 * S, NTP)


@pytest.mark.parametrize(
    ("notes", "now", "moved_s"),
    [
        # the same start: nothing is moved, whatever the time of day says
        ([note("new", 40, 900, NTP)], NOW, {"new": 0}),
        # 100 s have passed since: 700 is 0 now
        ([note("old", 700, 900, NTP)], NOW, {"old": -700}),
        # the newest note of which the clock was held; the others are moved by as much
        ([note("old", 700, 900, NTP), note("old", 750, 9, FREE)], NOW, {"old": -700}),
        ([note("old", 690, 880, NTP), note("old", 700, 900, NTP)], NOW, {"old": -700}),
        # nobody answers for the clock, then or now: as though no time had passed
        ([note("old", 700, 900, FREE), note("old", 650, 9)], NOW, {"old": -610}),
        ([note("old", 700, 900, NTP)], replace(NOW, clock=FREE), {"old": -610}),
        ([note("old", 700, 900, NTP)], replace(NOW, utc_ns=None), {"old": -610}),
        ([note("old", 700)], NOW, {"old": -610}),
        # a clock that was held and went back: nothing is later than the beginning of this run
        ([note("old", 700, 5000, NTP)], NOW, {"old": -610}),
        # each start for itself
        ([note("a", 700, 900, NTP), note("b", 5, 7, FREE)], NOW, {"a": -700, "b": 85}),
        # a note of before notes were dated: as of when it was heard last
        ([IncidentNote(incident=incident(boot="old", last_mono_ns=5 * S), change="")],
         NOW, {"old": 85}),
    ],
)  # fmt: skip
def test_the_times_of_another_start_are_moved_onto_this_one(notes, now, moved_s):
    found = offsets_of(notes, boot="new", now=now, began_ns=90 * S)

    assert found == {boot: by_s * S for boot, by_s in moved_s.items()}


def test_incidents_come_in_bites_the_newest_word_first_and_each_whole():
    notes = [
        note(
            "old",
            1,
            incident_id=f"{n:016x}",
            evidence=tuple(evidence(f"{n}.{k}") for k in (1, 2, 3)),
        )
        for n in range(12)
    ]
    notes += [replace(notes[0], gone=True)]
    large = note("old", 1, evidence=tuple(evidence(f"x{k}") for k in range(2 * AT_ONCE)))
    bites = list(in_bites([*notes, large], {"old": 0}, boot="new"))

    assert [len(bite) for bite in bites] == [1, 5, 5, 2]
    assert [one.incident_id for bite in bites[1:] for one in bite] == [
        f"{n:016x}" for n in reversed(range(12))
    ]
    assert {one.boot for bite in bites for one in bite} == {"new"}


# -- what was heard before the journal was there --------------------------------------------------


@pytest.fixture
def acknowledged():
    """A run that ends with an acknowledged alarm."""
    before = Watch()
    name = before.hear(SHIP, 0)
    before.order("ack", name, 30)
    before.name = name
    return before


def test_what_stood_stands_and_nothing_is_said_or_raised(acknowledged):
    watch = after(acknowledged)

    assert watch.restore() == []
    assert watch.only().alarm == acknowledged.kept[acknowledged.name].alarm
    assert watch.only().actions == acknowledged.kept[acknowledged.name].actions
    assert watch.restore() == []  # a second time nothing is fresh


def test_the_next_report_joins_it_and_its_revision_grows(acknowledged):
    watch = after(acknowledged)
    watch.restore()
    name = watch.hear(SART, 1010)

    assert name == acknowledged.name
    assert watch.told[-1].incident.revision > acknowledged.kept[name].revision


def test_a_repeat_heard_before_is_of_the_older_one_and_raises_nothing(acknowledged):
    watch = after(acknowledged)
    newer = watch.hear(SHIP, 1000)
    notes = watch.restore()

    assert newer != acknowledged.name
    assert {note.incident.incident_id: note.gone for note in notes} == {
        acknowledged.name: False,
        newer: True,
    }
    assert notes[-1].change == f"it is one with {acknowledged.name}"
    assert watch.only().alarm.phase is AlarmPhase.ACKNOWLEDGED
    assert watch.only().alarm.raised == 1
    assert sum(told.reports for told in notes[0].incident.evidence) == 2


def test_what_is_new_about_it_raises_the_alarm_again_though_heard_before(acknowledged):
    watch = after(acknowledged)
    watch.hear(SART, 1000)
    watch.restore()

    assert watch.only().incident_id == acknowledged.name
    assert (watch.only().alarm.phase, watch.only().alarm.raised) == (AlarmPhase.RAISED, 2)
    assert watch.only().alarm.why == "also heard on ais"


def test_what_is_another_trouble_stays_one_and_its_alarm_sounds(acknowledged):
    watch = after(acknowledged)
    other = watch.hear(OTHER, 1000)
    notes = watch.restore()

    assert notes == []
    assert {one.incident_id: one.alarm.phase for one in watch.room.standing()} == {
        acknowledged.name: AlarmPhase.ACKNOWLEDGED,
        other: AlarmPhase.RAISED,
    }


def test_what_an_operator_has_done_since_stays_done(acknowledged):
    """Nobody's acknowledgement is lost, and the louder of two alarms goes on."""
    watch = after(acknowledged)
    newer = watch.hear(SHIP, 1000)
    watch.order("note", newer, 1001, words="seen by the ferry")
    watch.restore()

    assert [deed.verb for deed in watch.only().actions] == ["ack", "note"]
    assert watch.only().alarm.phase is AlarmPhase.RAISED


def test_a_closed_one_stays_closed_for_a_repeat_and_calls_again_for_what_is_new():
    for row, phase in ((SHIP, Phase.RESOLVED), (SART, Phase.ALERTED)):
        before = Watch()
        name = before.hear(SHIP, 0)
        before.order("resolve", name, 30)
        watch = after(before, 600)
        watch.hear(row, 600)
        watch.restore()

        assert (watch.only().incident_id, watch.only().phase) == (name, phase)


def test_what_was_taken_apart_stays_apart():
    before = Watch()
    name = before.hear(SHIP, 0)
    before.hear(SART, 10)
    sart = next(told for told in before.only().evidence if told.system == "ais")
    before.order("split", name, 30, evidence=(sart.evidence_id,))
    watch = after(before)
    watch.hear({**SHIP, "nature": "fire_explosion"}, 1000)
    watch.restore()

    assert len(before.kept) == 2
    assert {one.incident_id for one in watch.room.standing()} == set(before.kept)


def test_evidence_named_by_two_words_stands_in_the_newer():
    """Not every change is noted at once: the word of what it left may be older."""
    before = Watch()
    name = before.hear(SHIP, 0)
    before.hear(SART, 10)
    old = before.kept[name]
    sart = next(told for told in old.evidence if told.system == "ais")
    before.order("split", name, 30, evidence=(sart.evidence_id,))
    before.kept = {name: old} | {one: told for one, told in before.kept.items() if one != name}
    watch = after(before)
    watch.restore()

    members = {
        one.incident_id: {told.system for told in one.evidence} for one in watch.room.standing()
    }
    assert members == {name: {"dsc"}, sart.evidence_id[:16]: {"ais"}}


def test_a_word_of_which_all_has_a_newer_one_ends_in_that():
    before = Watch()
    name = before.hear(SHIP, 0)
    stale = replace(before.kept[name], incident_id="f" * 16)
    before.kept = {"f" * 16: stale, **before.kept}
    watch = after(before, 100)
    notes = watch.restore()

    assert watch.only().incident_id == name
    assert [(one.incident.incident_id, one.gone) for one in notes] == [("f" * 16, True)]
    assert notes[0].incident.merged_into == name
    assert notes[0].incident.revision > stale.revision


# -- time goes on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("by_s", "due_s"), [(0, 300), (-5000, -4700)])
def test_the_clock_of_an_escalation_goes_on(by_s, due_s):
    """Also where it was raised before the machine was started."""
    before = Watch()
    name = before.hear(SHIP, 0)
    told = moved(before.kept[name], by_s * S, boot="b")
    watch = Watch({name: told}, 100 + by_s)
    watch.restore()

    assert watch.tick(due_s - 10) == []
    (again,) = watch.tick(due_s + 1)
    assert again.incident.alarm.escalated
    assert again.incident.alarm.raised == 2


def test_a_closed_one_of_before_the_start_is_not_opened_by_its_time():
    """Nobody called for help in it: it has no time of a call, and others are below zero."""
    before = Watch()
    said = {**SHIP, "kind": "acknowledgement", "by": ["mmsi:002442000"]}
    name = before.hear(said, 0)
    before.order("resolve", name, 30)
    watch = Watch({name: moved(before.kept[name], -9000 * S, boot="b")}, 1.0)
    watch.restore()
    watch.hear({**said, "who": ["mmsi:244123456"]}, 2)

    assert watch.only().phase is Phase.RESOLVED


def test_a_name_that_stands_again_goes_on_counting_its_revisions():
    """So the newest word of an incident is the one with the highest, for whoever keeps them."""
    watch = Watch()
    ship = watch.hear(SHIP, 0)
    other = watch.hear(OTHER, 10)
    for at_s in (20, 40):
        watch.order("merge", ship, at_s, other=other)
        out = next(
            told.evidence_id for told in watch.only().evidence if told.names == ("mmsi:232000001",)
        )
        watch.order("split", ship, at_s + 10, evidence=(out,))
    seen = {}
    for note in watch.told:
        told = note.incident
        assert told.revision > seen.get(told.incident_id, 0)
        seen[told.incident_id] = told.revision

    assert len(seen) == 2
