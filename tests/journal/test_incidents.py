"""Which incidents a journal has notes of: the newest note of each, and no more than a bound."""

from __future__ import annotations

import pytest
from incidents_made import incident

from gateway.journal import incidents
from gateway.journal.incidents import incidents_in
from gateway.model.incident import IncidentNote


@pytest.fixture
def noted(house, plan):
    """Keep a note of each of these, in this order; return the path of the journal."""

    def noted(*words):
        async def kept():
            async with house.opened(plan) as journal:
                for name, revision in words:
                    told = incident(incident_id=name, revision=revision)
                    await journal.append([IncidentNote(incident=told, change="it has moved")])

        house.run(kept())
        return plan.path

    return noted


def names(notes):
    return [(note.incident.incident_id, note.incident.revision) for note in notes]


def test_of_each_that_is_asked_for_the_newest_note_is_given(noted):
    path = noted(("a1", 1), ("b1", 1), ("a2", 1), ("a1", 2))

    assert names(incidents_in(path, prefix="a")) == [("a2", 1), ("a1", 2)]


def test_of_more_than_are_looked_at_those_go_of_which_nothing_was_noted_for_longest(
    noted, monkeypatch
):
    monkeypatch.setattr(incidents, "NOTES_MAX", 2)
    path = noted(("a", 1), ("b", 1), ("a", 2), ("c", 1))

    assert names(incidents_in(path)) == [("a", 2), ("c", 1)]
