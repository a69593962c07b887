"""How often something happens: of a bounded number of subjects, in a period that moves on."""

from __future__ import annotations

from gateway.rules import counting as room
from gateway.rules.counting import Counting, Mark

S = 10**9


def test_subjects_are_bounded_and_the_one_longest_ago_is_counted_anew(monkeypatch):
    monkeypatch.setattr(room, "SUBJECTS_MAX", 2)
    counting = Counting(100, 3)
    for number, subject in enumerate("abac"):
        counting.note(subject, Mark(number * S, str(number)))

    (bound,) = counting.bounds()
    assert (bound.held, bound.evicted) == (2, 1)
    assert counting.within("b", 4 * S) == ()
    assert [mark.event_id for mark in counting.within("a", 4 * S)] == ["0", "2"]


def test_of_one_subject_the_newest_times_are_remembered_and_what_is_over_is_forgotten():
    counting = Counting(100, 3)
    for number in range(5):
        counting.note("a", Mark(number * S, str(number)))

    assert [mark.event_id for mark in counting.within("a", 4 * S)] == ["2", "3", "4"]
    assert [mark.event_id for mark in counting.within("a", 102 * S)] == ["3", "4"]
    assert counting.within("a", 104 * S) == ()
    assert counting.keep() == ()
    counting.forget("a")
