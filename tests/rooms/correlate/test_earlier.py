"""Each note names the notes before it, and goes on doing so after a restart."""

from __future__ import annotations

from datetime import timedelta

from incidents_made import NOW_UTC, incident

from gateway.correlate import earlier as module
from gateway.correlate.earlier import EARLIER_MAX, Earlier
from gateway.correlate.incidents import STRANDS_MAX
from gateway.model.incident import IncidentNote


def note(revision=1, *, name="a", gone=False, after_s=0):
    told = incident(incident_id=name, revision=revision)
    utc = NOW_UTC + timedelta(seconds=after_s)
    return IncidentNote(incident=told, change="it has changed", gone=gone), utc


def revisions(found):
    return [one.revision for one in found.earlier]


def test_each_note_names_those_before_it_and_when_they_were_made():
    known = Earlier()
    known.follow(*note(1))
    known.follow(*note(1, name="another"))
    found = known.follow(*note(2, after_s=60))

    assert [(one.revision, one.utc) for one in found.earlier] == [(1, NOW_UTC)]
    assert found.utc == NOW_UTC + timedelta(seconds=60)


def test_of_many_the_first_and_the_newest_are_named():
    known = Earlier()
    for revision in range(1, 100):
        found = known.follow(*note(revision))

    assert revisions(found) == [1, *range(99 - EARLIER_MAX + 1, 99)]


def test_what_was_kept_is_followed_after_a_restart_as_before():
    before, after = Earlier(), Earlier()
    for revision in range(1, 40):
        kept = before.follow(*note(revision))
    after.remember(kept)

    assert after.follow(*note(40)) == before.follow(*note(40))


def test_what_has_no_time_can_not_be_named():
    known = Earlier()
    known.follow(note(1)[0], None)

    assert revisions(known.follow(*note(2))) == []


def test_what_is_gone_is_forgotten():
    known = Earlier()
    known.follow(*note(1))
    assert revisions(known.follow(*note(2, gone=True))) == [1]

    assert revisions(known.follow(*note(3))) == []


def test_incidents_remembered_are_bounded_and_the_one_noted_longest_ago_goes(monkeypatch):
    monkeypatch.setattr(module, "INCIDENTS_MAX", 2)
    known = Earlier()
    for revision, name in ((1, "a"), (1, "b"), (2, "a"), (1, "c")):
        known.follow(*note(revision, name=name))
    (bound,) = known.bounds()

    assert (bound.held, bound.limit, bound.evicted) == (2, 2, 1)
    assert revisions(known.follow(*note(3, name="a"))) == [1, 2]
    assert revisions(known.follow(*note(2, name="c"))) == [1]
    assert revisions(known.follow(*note(2, name="b"))) == []


def test_a_full_board_makes_no_incident_forget_what_was_told_of_it():
    known = Earlier()
    known.follow(*note(1))
    for number in range(STRANDS_MAX + 64):
        known.follow(*note(1, name=f"invented {number}"))

    assert revisions(known.follow(*note(2))) == [1]
