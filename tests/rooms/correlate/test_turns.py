"""Whose turn it is to be told: what is new before news, in a flood the newest and the oldest."""

from __future__ import annotations

import pytest

from gateway.correlate.turns import NOTE_NS, NOTES_FIRST, Turns


@pytest.fixture
def spent():
    """Return turns of which none is left."""
    turns = Turns()
    for number in range(NOTES_FIRST):
        assert turns.may(str(number), 0, first=True)
        turns.took(0)
    return turns


def turns_at(turns, mono_ns):
    """Yield whose turns are come by then, one after the other."""
    while (name := turns.next(mono_ns)) is not None:
        turns.took(mono_ns)
        yield name


def test_after_a_quiet_time_many_are_told_at_once_and_then_one_in_a_while(spent):
    assert not spent.may("a", NOTE_NS - 1, first=True)
    assert spent.may("a", NOTE_NS, first=True)
    spent.took(NOTE_NS)
    assert not spent.may("a", NOTE_NS, first=True)


def test_what_waits_has_its_turn_without_being_heard_again(spent):
    spent.may("a", 0, first=True)
    assert spent.next(0) is None
    assert [*turns_at(spent, NOTE_NS * 5)] == ["a"]
    assert spent.next(NOTE_NS * 9) is None


def test_news_wait_for_what_is_new_even_where_there_is_a_turn(spent):
    spent.may("news", 0, first=False)
    spent.may("new", 0, first=True)
    assert not spent.may("news", NOTE_NS * 2, first=False)
    assert [*turns_at(spent, NOTE_NS * 2)] == ["new", "news"]


def test_of_what_is_new_the_newest_and_the_oldest_have_their_turns_by_turns(spent):
    for name in "abcdef":
        spent.may(name, 0, first=True)
    assert "".join(turns_at(spent, NOTE_NS * 4)) == "faeb"


def test_of_news_the_one_that_has_waited_longest_has_its_turn(spent):
    for name in "abcb":
        spent.may(name, 0, first=False)
    assert "".join(turns_at(spent, NOTE_NS * 9)) == "abc"


def test_what_was_told_unasked_is_made_up_for_and_no_more_than_that(spent):
    for _ in range(10_000):
        spent.took(0)
    spent.may("a", 0, first=True)
    assert spent.next(NOTE_NS * 64) is None
    assert spent.next(NOTE_NS * 65) == "a"


def test_what_is_gone_has_no_turn(spent):
    spent.may("a", 0, first=True)
    spent.may("b", 0, first=False)
    spent.forget("a")
    spent.forget("b")
    assert spent.next(NOTE_NS * 9) is None


def test_a_clock_that_stands_still_or_runs_back_gives_no_turns(spent):
    spent.may("a", 0, first=True)
    assert spent.next(-(10**12)) is None
    assert spent.next(0) is None
