"""Whose turn it is to be told: what is new before news, in a flood the newest and the oldest."""

from __future__ import annotations

import pytest

from gateway.correlate.turns import (
    NOTE_NS,
    NOTES_FIRST,
    PORT_NOTE_NS,
    PORT_NOTES_FIRST,
    Turns,
)


@pytest.fixture
def spent():
    """Return turns of which none is left, neither to all nor to the one port."""
    turns = Turns()
    for number in range(NOTES_FIRST + PORT_NOTES_FIRST):
        assert turns.may(str(number), 0, first=True)
        turns.took(0)
    turns._level = 0.0  # what that has cost is made up for
    return turns


def turns_at(turns, mono_ns):
    """Yield whose turns are come by then, one after the other."""
    while (turn := turns.next(mono_ns)) is not None:
        name, port = turn
        turns.took(mono_ns, port)
        yield name


def said(turns, port, names, mono_ns=0):
    """Have a port change these; return those that are told at once."""
    told = ""
    for name in names:
        if turns.may(name, mono_ns, first=True, port=port):
            turns.took(mono_ns, port)
            told += name
    return told


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
    waiting = [str(number) for number in range(100)]
    for name in waiting:
        spent.may(name, 0, first=True)
    own = NOTE_NS * 65 // PORT_NOTE_NS
    assert len([*turns_at(spent, NOTE_NS * 64)]) == own
    assert len([*turns_at(spent, NOTE_NS * (65 + own))]) == 1


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


def test_a_quiet_port_is_told_at_once_whatever_another_one_says(spent):
    said(spent, "", (str(number) for number in range(1000)))
    assert said(spent, "quiet", "abcdefghij") == "abcdefgh"


def test_a_port_has_turns_of_its_own_again_when_time_has_passed(spent):
    said(spent, "quiet", "abcdefgh")
    for _ in range(1000):
        spent.took(PORT_NOTE_NS)
    assert said(spent, "quiet", "ijk", 2 * PORT_NOTE_NS) == "ij"


def test_news_of_a_quiet_port_do_not_wait_for_what_is_new_on_another(spent):
    spent.may("new", 0, first=True)
    assert spent.may("news", NOTE_NS - 1, first=False, port="quiet")


def test_what_waits_on_several_ports_has_its_turn_port_by_port(spent):
    for port in "xy":
        said(spent, port, (f"{port}{number}" for number in range(PORT_NOTES_FIRST)))
    for name in ("a", "b", "c", "d"):
        spent.may(name, 0, first=True, port="x")
    spent.may("e", 0, first=True, port="y")
    spent._level = 3.0
    assert {*turns_at(spent, 0)} == {"d", "a", "e"}


def test_what_waits_on_one_port_waits_no_more_when_another_has_told_it(spent):
    spent.may("a", 0, first=True)
    assert spent.may("a", 0, first=True, port="quiet")
    assert not spent.waits("a")
